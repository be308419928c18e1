"""Runs in worktrees of their own, with real git: made, filled, set up, listed, committed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import custody
from agentctl import locks
from agentctl.errors import AgentctlError
from agentctl.model import Spec
from agentctl.store import Home
from agentctl.trees import leftover
from agentctl.trees import making
from agentctl.trees import surveying
from agentctl.trees import worktree
from conftest import World
from conftest import eventually
from conftest import git
from trees import IDENTITY
from trees import commit
from trees import isolated
from trees import kept_of
from trees import left
from trees import rows
from trees import with_submodules


@pytest.fixture
def place(world: World, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A repository as the project `p`; the user has an identity."""
    monkeypatch.setenv("HOME", str(world.user))
    (world.user / ".gitconfig").write_text(IDENTITY)
    yield world


# -- what a worktree is


def test_a_run_works_apart_from_the_users_checkout(place: World, repo: Path) -> None:
    (repo / "a.txt").write_text("edited, not committed\n")
    result = isolated(place, "cat a.txt; git branch --show-current; echo new > new.txt", "--title", "Fix Login: ü!")
    assert (result["status"], result["goal_met"], result["git_files"]) == ("finished", True, ["new.txt"])
    assert result["branch"] == "agentctl/fix-login-" + result["run_id"][-4:]
    assert result["summary"].splitlines() == ["one", result["branch"]]
    assert result["worktree"] == result["cwd"] == str(place.home / "worktrees" / result["run_id"])
    assert not (repo / "new.txt").exists()
    assert git(repo, "status", "--porcelain") == " M a.txt\n"
    assert stat.S_IMODE(os.stat(Path(result["worktree"], "a.txt")).st_mode) & 0o044, "as the user's umask has it"


def test_without_the_wish_nothing_changes(place: World, repo: Path) -> None:
    result = place.result(place.shell("pwd", "--no-pane"))
    assert (result["summary"], result["branch"], result["worktree"]) == (str(repo), "", "")
    assert rows(place) == []


def test_the_wish_of_the_call_goes_before_the_profiles_and_the_projects(place: World, repo: Path) -> None:
    place.ok("add-project", "p", str(repo), "--worktree", "--setup", "echo made > made.txt")
    assert place.result(place.shell("cat made.txt", "--no-pane"))["summary"] == "made"
    assert place.result(place.shell("pwd", "--no-pane", "--no-worktree"))["summary"] == str(repo)
    place.config(profiles={"here": {"backends": [{"backend": "shell"}], "worktree": False}})
    assert place.result(place.shell("pwd", "--no-pane", "--profile", "here"))["summary"] == str(repo)
    place.ok("add-project", "p", str(repo))
    assert place.result(place.shell("pwd", "--no-pane"))["summary"] == str(repo)


def test_a_subdirectory_is_a_project_too(place: World, repo: Path) -> None:
    (repo / "deep" / "er").mkdir(parents=True)
    (repo / "deep" / "er" / "f").write_text("f\n")
    commit(repo)
    place.ok("add-project", "sub", str(repo / "deep" / "er"))
    result = isolated(place, "ls", project="sub")
    assert (result["summary"], result["cwd"]) == ("f", result["worktree"] + "/deep/er")
    (repo / "new").mkdir()
    place.ok("add-project", "new", str(repo / "new"))
    gone = isolated(place, "ls", project="new")
    assert (gone["status"], gone["branch"]) == ("failed", "")
    assert "has no folder new" in gone["error"]


def test_the_base_is_pinned(place: World, repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD").strip()
    git(repo, "tag", "v1")
    (repo / "a.txt").write_text("two\n")
    commit(repo)
    old = isolated(
        place, "cat a.txt; echo x > x; git add x; git -c user.name=w -c user.email=w@w commit -qm w", "--base", "v1"
    )
    assert old["summary"].splitlines()[0] == "one"
    assert kept_of(place, old).worktree.base == first
    on_top = isolated(place, "git log --format=%s", "--base", old["run_id"])
    assert on_top["summary"].splitlines() == ["w", "first"]
    refused = place.run("start", "--worktree", "--base", "nope", "--", "true")
    assert (refused.returncode, "`nope` is no commit here" in refused.stderr) == (1, True)
    assert place.run("start", "--base", "v1", "--", "true").returncode == 2


def test_a_taken_branch_gets_a_number_and_the_result_says_so(place: World, repo: Path) -> None:
    gate = place.root / "gate"
    os.mkfifo(gate)
    parent = place.shell("cat %s" % gate, "--no-pane")
    run = place.shell("git branch --show-current", "--no-pane", "--worktree", "--after", parent, "--title", "t")
    git(repo, "branch", "agentctl/t-" + run[-4:])
    gate.write_text("go")
    result = place.result(run)
    assert result["branch"] == result["summary"] == "agentctl/t-%s-2" % run[-4:]


def test_a_run_that_never_came_to_it_has_no_branch(place: World, repo: Path) -> None:
    gate = place.root / "gate"
    os.mkfifo(gate)
    parent = place.shell("cat %s" % gate, "--no-pane")
    run = place.shell("true", "--no-pane", "--worktree", "--after", parent)
    place.ok("stop", run)
    assert (place.result(run)["branch"], rows(place)) == ("", [])
    gate.write_text("go")


def test_worktrees_may_be_elsewhere_and_branches_named_otherwise(place: World, repo: Path) -> None:
    place.config(worktree_dir="~/trees", branch_prefix="bots/night")
    result = isolated(place, "true", "--title", "x")
    assert result["worktree"] == str(place.user / "trees" / result["run_id"])
    assert result["branch"] == "bots/night/x-" + result["run_id"][-4:]
    place.config(branch_prefix="a..b")
    refused = place.run("start", "--worktree", "--", "true")
    assert refused.returncode == 1 and "branch_prefix" in refused.stderr and "config.json" in refused.stderr


# -- repositories as they are


def bare(repo: Path) -> Path:
    git(repo.parent, "clone", "-q", "--bare", str(repo), "bare.git")
    return repo.parent / "bare.git"


def bare_with_worktrees(repo: Path) -> Path:
    around = repo.parent / "around"
    around.mkdir()
    git(around, "clone", "-q", "--bare", str(repo), ".bare")
    (around / ".git").write_text("gitdir: ./.bare\n")
    return around


def linked_of_bare(repo: Path) -> Path:
    around = bare_with_worktrees(repo)
    git(around, "worktree", "add", "-q", "main2")
    return around / "main2"


def linked(repo: Path) -> Path:
    git(repo, "worktree", "add", "-q", "../linked")
    return repo.parent / "linked"


def shallow(repo: Path) -> Path:
    (repo / "b.txt").write_text("b\n")
    commit(repo)
    git(repo.parent, "clone", "-q", "--depth", "1", "file://%s" % repo, "shallow")
    return repo.parent / "shallow"


def detached(repo: Path) -> Path:
    git(repo, "checkout", "-q", "--detach")
    return repo


def packed(repo: Path) -> Path:
    git(repo, "pack-refs", "--all")
    git(repo, "gc", "-q")
    return repo


def sparse(repo: Path) -> Path:
    (repo / "in").mkdir()
    (repo / "in" / "a.txt").write_text("a\n")
    (repo / "out").mkdir()
    (repo / "out" / "b.txt").write_text("b\n")
    commit(repo)
    git(repo, "sparse-checkout", "set", "in")
    return repo


def dirty_in_every_way(repo: Path) -> Path:
    (repo / "staged.txt").write_text("s\n")
    git(repo, "add", "staged.txt")
    (repo / "staged.txt").write_text("s2\n")
    (repo / "untracked.txt").write_text("u\n")
    (repo / "a.txt").unlink()
    (repo / ".git" / "index.lock").write_text("")
    return repo


def with_crlf(repo: Path) -> Path:
    git(repo, "config", "core.autocrlf", "true")
    return repo


def sha256(repo: Path) -> Path:
    made = repo.parent / "sha256"
    made.mkdir()
    git(made, "init", "-q", "-b", "main", "--object-format=sha256")
    (made / "a.txt").write_text("one\n")
    commit(made)
    return made


STATES = [
    *(bare, bare_with_worktrees, linked_of_bare, linked, shallow, detached, packed, sparse, dirty_in_every_way),
    *(with_crlf, sha256),
]


@pytest.mark.parametrize("state", STATES)
def test_works_from(place: World, repo: Path, state: Any) -> None:
    folder = state(repo)
    (place.root / "hide").mkdir()
    place.ok("add-project", "q", str(folder))
    result = isolated(
        place, "git status --porcelain; cat a.txt; echo new > new; git add new; git commit -qm w", project="q"
    )
    assert (result["status"], result["error"]) == ("finished", "")
    assert result["summary"].replace("\r", "") == "one"
    listed = rows(place)[0]
    assert (listed["ahead"], listed["dirty"], listed["state"], listed["merged"]) == (1, False, "ended", False)
    assert listed["target"] == {"detached": "", "linked": "linked", "linked_of_bare": "main2"}.get(
        state.__name__, "main"
    )
    if state is sparse:
        assert not Path(result["worktree"], "out").exists()


def in_a_rebase(repo: Path) -> None:
    for branch in ("one", "two"):
        git(repo, "checkout", "-q", "-b", branch, "main")
        (repo / "a.txt").write_text(branch)
        commit(repo)
    subprocess.run(["git", "-C", str(repo), "rebase", "-q", "one"], capture_output=True)


def in_a_merge(repo: Path) -> None:
    for branch in ("one", "two"):
        git(repo, "checkout", "-q", "-b", branch, "main")
        (repo / "a.txt").write_text(branch)
        commit(repo)
    subprocess.run(["git", "-C", str(repo), "merge", "-q", "one"], capture_output=True)


def in_a_bisect(repo: Path) -> None:
    git(repo, "bisect", "start")


def with_a_branch_in_the_way(repo: Path) -> None:
    git(repo, "branch", "agentctl")


def without_a_commit(repo: Path) -> None:
    shutil.rmtree(repo / ".git")
    git(repo, "init", "-q")


def without_a_repository(repo: Path) -> None:
    shutil.rmtree(repo / ".git")


REFUSED = [
    (in_a_rebase, "a rebase is in progress", "git rebase --continue"),
    (in_a_merge, "a merge is in progress", "git merge --abort"),
    (in_a_bisect, "a bisect is in progress", "git bisect reset"),
    (with_a_branch_in_the_way, "the branch `agentctl` is in the way", "branch_prefix"),
    (without_a_commit, "has no commit yet", "first one"),
    (without_a_repository, "is in no git repository", "git init"),
]


@pytest.mark.parametrize(("state", "reason", "hint"), REFUSED)
def test_refuses(place: World, repo: Path, state: Any, reason: str, hint: str) -> None:
    state(repo)
    refused = place.run("start", "--worktree", "--", "true")
    assert refused.returncode == 1
    assert reason in refused.stderr and hint in refused.stderr.partition("hint:")[2]
    assert refused.stdout == "" and os.listdir(place.home / "runs") == []


def test_a_base_that_is_named_is_free_of_what_is_in_progress(place: World, repo: Path) -> None:
    in_a_merge(repo)
    assert isolated(place, "cat a.txt", "--base", "one")["summary"] == "one"


# -- many at once


def test_twenty_at_once(place: World, repo: Path) -> None:
    """Done-when 2: 20 concurrent `start --worktree` on one repository, no git lock error."""
    ids: list[str] = []

    def start() -> None:
        ids.append(place.shell("git status --porcelain; cat a.txt", "--worktree", "--no-pane", "--title", "same"))

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = [place.result(run, "120") for run in ids]
    assert {(r["status"], r["summary"], r["error"]) for r in results} == {("finished", "one", "")}
    assert len({r["branch"] for r in results}) == len({r["worktree"] for r in results}) == 20
    assert len(git(repo, "worktree", "list").splitlines()) == 21
    assert len(rows(place)) == 20


def test_one_is_made_at_a_time(place: World, repo: Path) -> None:
    home = Home(str(place.home))
    plan = surveying.survey(str(repo), "", "agentctl", "x", home.worktrees).of_run("20260101-000000-0001")
    thread = threading.Thread(target=making.add, args=(plan, lambda _: None))
    with locks.holding(making.lock(plan.common)):
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() and not worktree.exists(plan)
    thread.join(20)
    assert worktree.exists(plan)


def test_gits_own_race_is_survived(place: World, repo: Path) -> None:
    """Somebody else's `git worktree add` knows no lock of ours."""
    home, stop = Home(str(place.home)), threading.Event()

    def others() -> None:
        n = 0
        while not stop.is_set() and n < 60:
            n += 1
            subprocess.run(
                ["git", "-C", str(repo), "worktree", "add", "-q", "-b", "o%d" % n, "../o%d" % n], capture_output=True
            )

    thread = threading.Thread(target=others)
    thread.start()
    try:
        for n in range(15):
            plan = surveying.survey(str(repo), "", "agentctl", "x", home.worktrees).of_run("20260101-000000-%04x" % n)
            assert worktree.exists(making.add(plan, lambda _: None))
    finally:
        stop.set()
        thread.join()


def test_nothing_is_left_of_one_that_cannot_be_made(place: World, repo: Path) -> None:
    home = Home(str(place.home))
    plan = surveying.survey(str(repo), "", "agentctl", "x", home.worktrees).of_run("20260101-000000-0001")
    with pytest.raises(AgentctlError):
        making.add(plan.replace(base="0" * 40), lambda _: None)
    assert git(repo, "branch", "--list", "agentctl/*") == ""
    assert not os.path.exists(plan.path) and not (repo / ".git" / "worktrees" / plan.run).exists()
    assert worktree.exists(making.add(plan, lambda _: None)), "and it can be tried again"


def test_a_runner_killed_while_it_fills_leaves_a_record_and_no_git(place: World, repo: Path) -> None:
    slow = place.root / "slow"
    slow.write_text("#!/bin/sh\nsleep 30\ncat\n")
    slow.chmod(0o755)
    (repo / ".gitattributes").write_text("a.txt filter=slow\n")
    commit(repo)
    with (place.user / ".gitconfig").open("a") as config:
        config.write('[filter "slow"]\n\tsmudge = %s\n' % slow)
    run = place.shell("true", "--worktree", "--no-pane")
    eventually(lambda: place.status(run).get("doing") == "fills the worktree")
    os.kill(place.runner_pid(run), 9)
    eventually(lambda: not place.marked(run))
    result = place.result(run)
    assert (result["status"], result["worktree"]) == ("lost", str(place.home / "worktrees" / run))
    assert [row["state"] for row in rows(place)] == ["ended"]


# -- setup and what comes along


def test_the_setup_runs_first_and_its_failure_ends_the_run(place: World, repo: Path) -> None:
    place.ok(
        "add-project",
        "p",
        str(repo),
        "--setup",
        'echo "port $AGENTCTL_PORT_BASE"; test -f "$AGENTCTL_SOURCE/a.txt"; pwd',
    )
    result = isolated(place, "true")
    log = (place.folder(result["run_id"]) / "setup.log").read_text()
    assert result["worktree"] in log.splitlines() and "setup.log" in result["artifacts"]
    place.ok("add-project", "p", str(repo), "--setup", "echo went wrong; exit 2")
    failed = isolated(place, "touch ran")
    assert (failed["status"], failed["error"]) == ("failed", "setup failed: exit code 2: went wrong")
    assert not Path(failed["worktree"], "ran").exists()
    assert (place.folder(failed["run_id"]) / "raw.jsonl").read_bytes() == b"", "no worker was started"


def test_a_setup_is_stopped_and_bounded(place: World, repo: Path) -> None:
    place.ok("add-project", "p", str(repo), "--setup", "sleep 60")
    run = place.shell("true", "--worktree", "--no-pane")
    eventually(lambda: place.status(run).get("doing") == "sets up")
    place.ok("stop", run)
    assert (place.result(run)["status"], place.marked(run)) == ("stopped", [])
    place.config(setup_timeout_s=0.5)
    result = isolated(place, "true")
    assert result["status"] == "failed" and "setup failed" in result["error"] and "out of time" in result["error"]


def test_what_worktreeinclude_names_comes_along(place: World, repo: Path) -> None:
    (repo / ".gitignore").write_text(".env*\nnode_modules/\n*.key\n")
    (repo / ".worktreeinclude").write_text(
        "# local files\n.env*\n!.env.no\nnode_modules/\n/only/here.key\nlink\na.txt\n"
    )
    commit(repo)
    raw = bytes(range(256)) + b"\r\n"
    (repo / ".env").write_bytes(raw)
    (repo / ".env").chmod(0o640)
    (repo / ".env.no").write_text("no")
    (repo / "node_modules" / "x" / "bin").mkdir(parents=True)
    (repo / "node_modules" / "x" / "bin" / "tool").write_text("#!/bin/sh\n")
    (repo / "node_modules" / "x" / "bin" / "tool").chmod(0o755)
    (repo / "node_modules" / ".bin").symlink_to("x/bin")
    for folder in ("only", "other"):
        (repo / folder).mkdir()
        (repo / folder / "here.key").write_text("key")
    (repo / "link").symlink_to("/etc/hostname")
    (repo / "a.txt").write_text("edited\n")
    made = Path(isolated(place, "true")["worktree"])
    assert (made / ".env").read_bytes() == raw
    assert stat.S_IMODE((made / ".env").stat().st_mode) == 0o640
    assert os.access(made / "node_modules/x/bin/tool", os.X_OK)
    assert os.readlink(made / "node_modules/.bin") == "x/bin"
    assert os.readlink(made / "link") == "/etc/hostname"
    assert (made / "only/here.key").exists()
    assert not (made / "other").exists() and not (made / ".env.no").exists()
    assert (made / "a.txt").read_text() == "one\n", "what is tracked comes from the commit"


# -- submodules


def test_submodules_are_filled_without_a_network(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    config = (repo / ".git" / "config").read_bytes()
    for name in ("lib", "inner"):
        (place.root / name).rename(place.root / (name + "-away"))
    script = "cat lib/lib.txt lib/in/ner/inner.txt; git status --porcelain; git submodule status --recursive; "
    script += "git -C lib log --format=%s"
    result = isolated(place, script + "; git -C lib remote get-url origin")
    said = result["summary"].splitlines()
    assert said[:2] == ["lib", "inner"] and said[-2:] == ["x", str(place.root / "lib")]
    assert [line[0] for line in said[2:4]] == [" ", " "], "at their commits: %s" % said
    assert (repo / ".git" / "config").read_bytes() == config
    made = Path(result["worktree"])
    (made / "lib" / "w.txt").write_text("w\n")
    commit(made / "lib")
    assert git(repo / "lib", "log", "--format=%s") == "x\n", "the user's own does not see it"


def test_a_submodule_that_is_not_there_is_fetched_or_the_run_fails(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    shutil.rmtree(repo / ".git" / "modules")
    git(repo, "config", "submodule.lib.url", str(place.root / "lib"))
    result = isolated(place, "cat lib/lib.txt lib/in/ner/inner.txt")
    assert result["error"] == "" and result["summary"] == "lib", result
    assert any("in/ner is not initialised" in w for w in result["warnings"]) or "inner" in result["summary"]
    (place.root / "lib").rename(place.root / "away")
    failed = isolated(place, "touch ran")
    assert failed["status"] == "failed" and "fetches the submodule lib" in failed["error"]
    assert (failed["branch"], len(rows(place))) == ("", 1)


def test_a_submodule_the_user_left_alone_stays_empty(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    git(place.root, "clone", "-q", str(repo), "fresh")
    place.ok("add-project", "fresh", str(place.root / "fresh"))
    result = isolated(place, "ls lib", project="fresh")
    assert (result["status"], result["summary"]) == ("finished", "")
    assert any("the submodule lib is not initialised" in w for w in result["warnings"])


# -- going on in it


SESSION = "5f0c1d5e-0000-4000-8000-000000000001"
STAND_IN = """#!/bin/sh
cat >/dev/null
echo '{"type":"system","subtype":"init","session_id":"SESSION","model":"m"}'
printf '{"type":"result","subtype":"success","is_error":false,"result":"","session_id":"SESSION",'
echo '"structured_output":{"goal_met":GOAL,"summary":"'$PWD'","followup_prompt":"","notes":""}}'
"""


def vendor(place: World, goal_met: str = "true") -> None:
    """A `claude` that says where it stands."""
    folder = place.root / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "claude").write_text(STAND_IN.replace("SESSION", SESSION).replace("GOAL", goal_met))
    (folder / "claude").chmod(0o755)
    place.env["PATH"] = "%s:%s" % (folder, place.env["PATH"])


def test_a_resumed_run_goes_on_in_the_same_worktree(place: World, repo: Path) -> None:
    vendor(place)
    start = ("start", "--backend", "claude", "--no-pane", "--worktree", "--title", "t")
    first = place.result(place.ok(*start, stdin="do it"))
    again = place.result(place.ok("resume", "--no-pane", "--parent-run-id", first["run_id"], stdin="go on"))
    assert (again["worktree"], again["branch"], again["summary"]) == (first["worktree"], first["branch"], first["cwd"])
    assert len(rows(place)) == 1
    home = Home(str(place.home))
    kept = kept_of(place, first)
    custody.save(home, kept.replace(removed_at=1.0))
    refused = place.run("resume", "--no-pane", "--parent-run-id", again["run_id"], stdin="go on")
    assert refused.returncode == 1 and "agentctl undo %s" % first["run_id"] in refused.stderr


def test_a_run_that_follows_one_without_a_worktree_has_none(place: World, repo: Path) -> None:
    vendor(place)
    first = place.result(place.ok("start", "--backend", "claude", "--no-pane", stdin="do it"))
    place.ok("add-project", "p", str(repo), "--worktree")
    again = place.result(place.ok("resume", "--no-pane", "--parent-run-id", first["run_id"], stdin="go on"))
    assert (again["worktree"], again["summary"]) == ("", str(repo))


def test_an_escalated_run_stays_in_the_worktree(place: World, repo: Path) -> None:
    vendor(place, "false")
    start = ("start", "--backend", "claude", "--no-pane", "--worktree", "--escalate")
    first = place.result(place.ok(*start, stdin="do it"))
    second = place.result(first["escalated_to"])
    assert (second["worktree"], second["branch"], second["summary"]) == (
        first["worktree"],
        first["branch"],
        first["cwd"],
    )


def test_the_worktree_is_held_while_its_run_lives(place: World, repo: Path) -> None:
    home = Home(str(place.home))
    run = place.shell("sleep 30", "--worktree", "--no-pane")
    place.working(run)
    assert custody.seize(home, run) is None
    assert [row["state"] for row in rows(place)] == ["live"]
    place.ok("stop", run)
    eventually(lambda: custody.seize(home, run))


# -- what is left in it


def test_what_is_uncommitted_is_committed_for_the_worker(place: World, repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n")
    (repo / "gone.txt").write_text("gone\n")
    commit(repo)
    script = (
        "printf 'raw\\r\\n' > new.txt; echo x > run.sh; chmod +x run.sh; rm gone.txt; echo two > a.txt; git add a.txt; "
    )
    kept, made = left(place, script + "echo three >> a.txt; ln -s a.txt l; echo i > i.log; mkdir d; echo ü > 'd/ü n'")
    top = Path(kept.worktree.path)
    assert git(repo, "rev-parse", kept.worktree.branch).strip() == made
    assert git(top, "status", "--porcelain") == ""
    who = git(repo, "log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%B", made).rstrip("\n")
    words = "Say hello\n\nagentctl run %s" % kept.worktree.run
    assert who == "shell <shell@agentctl.invalid>\nThe User <user@example.org>\n" + words
    names = git(repo, "-c", "core.quotePath=false", "ls-tree", "-r", made).splitlines()
    assert [line.split()[0] + line.partition("\t")[2] for line in names] == [
        *("100644.gitignore", "100644a.txt", "100644d/ü n", "120000l", "100644new.txt", "100755run.sh")
    ]
    assert git(repo, "show", made + ":a.txt") == "two\nthree\n"
    home = Home(str(place.home))
    assert leftover.commit(home, kept, Spec()) == "", "once"
    assert worktree.ahead_behind(kept, "main") == (1, 0)
    assert not leftover.dirty(home, kept)


def test_a_detached_head_is_committed_to_where_it_is(place: World, repo: Path) -> None:
    kept, made = left(place, "git checkout -q --detach; echo x > x")
    assert git(Path(kept.worktree.path), "rev-parse", "HEAD").strip() == made
    assert git(repo, "rev-parse", kept.worktree.branch).strip() == kept.worktree.base


def test_a_merge_in_progress_is_left_as_it_is(place: World, repo: Path) -> None:
    for branch in ("one", "two"):
        git(repo, "checkout", "-q", "-b", branch, "main")
        (repo / "a.txt").write_text(branch)
        commit(repo)
    with pytest.raises(AgentctlError, match="in progress"):
        left(place, "git merge -q one; true")


def test_a_locked_index_is_left_as_it_is(place: World, repo: Path) -> None:
    with pytest.raises(AgentctlError, match="locked"):
        left(place, 'echo x > x; touch "$(git rev-parse --git-dir)/index.lock"')


def test_merged_is_what_would_change_nothing(place: World, repo: Path) -> None:
    kept, _ = left(place, "echo x > x")
    assert (worktree.default_target(kept), worktree.merged(kept, "main")) == ("main", False)
    git(repo, "merge", "-q", "--squash", kept.worktree.branch)
    commit(repo, "squashed")
    assert worktree.merged(kept, "main")
    assert worktree.ahead_behind(kept, "main") == (1, 1)
    (repo / "x").write_text("otherwise\n")
    commit(repo)
    assert not worktree.merged(kept, "main")
    assert not worktree.merged(kept, "nowhere")


def test_the_list_is_for_people_too(place: World, repo: Path) -> None:
    assert place.ok("worktrees") == ""
    result = isolated(place, "echo x > x")
    table = place.ok("worktrees")
    assert result["branch"] in table and "ended" in table
    assert rows(place, "--project", "other") == []
    row = rows(place)[0]
    assert row["dirty"] is True and row["size"] > 0 and row["path"] == result["worktree"]
    shutil.rmtree(result["worktree"])
    assert [(r["state"], r["dirty"]) for r in rows(place)] == [("gone", None)]
    assert place.run("worktrees").returncode == 0
