"""`agentctl merge`: what lands was verified as a whole, and nothing else ever does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git
from trees import IDENTITY

CHECK = "sh check.sh"


@pytest.fixture
def shop(world: World, repo: Path) -> Path:
    """A project with a test suite: every part runs against the library."""
    (repo / "lib.sh").write_text("price() { echo 5; }\n")
    (repo / "parts").mkdir()
    (repo / "parts" / "base.sh").write_text(". ./lib.sh\nprice\n")
    (repo / "check.sh").write_text("for part in parts/*.sh; do sh -eu $part >/dev/null || exit 1; done\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "a shop")
    return repo


def work(world: World, script: str, *options: str, commit: bool = True) -> str:
    """A run with a worktree that has ended; its id."""
    identity = "git config user.name >/dev/null || export GIT_AUTHOR_NAME=w GIT_AUTHOR_EMAIL=w@example.org "
    identity += "GIT_COMMITTER_NAME=w GIT_COMMITTER_EMAIL=w@example.org\n"
    ending = "\ngit add -A && git commit -q -m work\n" if commit else "\n"
    run = world.shell(identity + script + ending, "--worktree", "--no-pane", *options)
    result = world.result(run)
    assert result["goal_met"], (result, world.crash())
    return run


def part(name: str, words: str = ". ./lib.sh; price") -> str:
    return "echo '%s' > parts/%s.sh" % (words, name)


def head(folder: Path, ref: str = "main") -> str:
    commit: str = git(folder, "rev-parse", ref).strip()
    return commit


def branch(world: World, run: str) -> str:
    return str(json.loads(world.ok("show", run))["branch"])


def merged(world: World, *words: str, code: int = 0, **options: Any) -> dict[str, Any]:
    done = world.run("merge", "--json", *words, timeout=120, **options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr, world.crash())
    loaded: dict[str, Any] = json.loads(done.stdout)
    loaded["said"] = done.stderr
    return loaded


def fates(report: dict[str, Any]) -> dict[str, str]:
    return {fate["run_id"]: fate["outcome"] for fate in report["runs"]}


def nothing_is_left(world: World, folder: Path) -> None:
    """No temporary worktree, in the home or in git; the checkout is clean."""
    assert [n for n in os.listdir(world.home / "worktrees") if n.startswith("merge-")] == []
    assert "merge-" not in git(folder, "worktree", "list")
    assert git(folder, "status", "--porcelain") == ""


def is_green(folder: Path, commit: str, tmp_path: Path) -> bool:
    tree = tmp_path / ("look-" + commit[:10])
    if not tree.exists():
        git(folder, "clone", "-q", "--no-checkout", str(folder), str(tree))
        git(tree, "checkout", "-q", "--detach", commit)
    return subprocess.run(["sh", "check.sh"], cwd=tree, capture_output=True).returncode == 0


def test_of_eight_two_are_wrong_together(world: World, shop: Path, tmp_path: Path) -> None:
    """The target is never red, the culprit is named, the other seven land, in few verifications."""
    scripts = [part("p%d" % n) for n in range(8)]
    scripts[2] = "sed -i s/price/cost/ lib.sh parts/base.sh"
    scripts[0] = part("p0", ". ./lib.sh; true")
    for n in (1, 3, 4, 6, 7):
        scripts[n] = part("p%d" % n, "true")
    runs = [work(world, script) for script in scripts]
    assert all(is_green(shop, head(shop, branch(world, run)), tmp_path) for run in (runs[2], runs[5])), (
        "each alone is fine"
    )
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.add(head(shop))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = head(shop)
    report = merged(world, *runs, "--verify", "echo run >> %s; sh check.sh" % (tmp_path / "checks"), code=3)
    over.set()
    watcher.join()

    assert fates(report) == {run: "check_failed" if n == 5 else "landed" for n, run in enumerate(runs)}
    assert report["verifications"] == len((tmp_path / "checks").read_text().split()) <= 1 + 3 + 1
    assert seen == {before, report["new"]} and head(shop) == report["new"]
    moves = git(shop, "reflog", "show", "--format=%H", "main").split()
    moves = moves[: moves.index(before) + 1]
    assert len(moves) == 2 and all(is_green(shop, commit, tmp_path) for commit in moves)
    assert (shop / "parts" / "p7.sh").exists() and not (shop / "parts" / "p5.sh").exists()
    culprit = next(fate for fate in report["runs"] if fate["run_id"] == runs[5])
    assert "exit code 1" in culprit["why"] and Path(report["log"]).read_text()
    nothing_is_left(world, shop)


def test_lines_for_people_and_the_custody_of_what_landed(world: World, shop: Path) -> None:
    one, two = work(world, part("one")), work(world, part("two", "exit 3"), "--title", "the wrong one")
    done = world.run("merge", one, two, "--verify", "sh check.sh || { echo THE LAST WORDS; exit 1; }")
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert lines[0] == "%s landed in main at %s" % (one, head(shop)[:12])
    assert lines[1].startswith("%s left out: with it the check fails" % two)
    assert "THE LAST WORDS" in done.stderr
    record = json.loads((world.home / "custody" / (one + ".json")).read_text())
    assert record["into"] == "main" and record["landed"] == head(shop) and record["landed_at"]
    assert not json.loads((world.home / "custody" / (two + ".json")).read_text())["landed"]


def test_a_red_target_is_said_and_nothing_lands(world: World, shop: Path) -> None:
    (shop / "parts" / "broken.sh").write_text("exit 1\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "red")
    runs = [work(world, part("n%d" % n)) for n in range(3)]
    before = head(shop)
    done = world.run("merge", *runs, "--verify", CHECK)
    assert done.returncode == 1 and "main itself fails the check" in done.stderr and "hint:" in done.stderr
    assert head(shop) == before
    nothing_is_left(world, shop)


def test_a_conflict_leaves_the_run_out_with_its_files_and_an_offer(world: World, shop: Path) -> None:
    one = work(world, "echo 'price() { echo 6; }' > lib.sh")
    two = work(world, "echo 'price() { echo 7; }' > lib.sh")
    report = merged(world, one, two, "--verify", CHECK, code=3)
    assert fates(report) == {one: "landed", two: "conflict"}
    assert report["runs"][1]["files"] == ["lib.sh"]
    assert "echo 6" in (shop / "lib.sh").read_text()
    assert "resume" not in report["said"], "a command has no conversation to resume"
    again = merged(world, one, "--verify", CHECK)
    assert fates(again) == {one: "already_in"} and again["verifications"] == 0


def test_a_conflict_of_folders_alone_names_the_folder(world: World, shop: Path) -> None:
    """git lists no file then: its messages are not taken for names."""
    for n in range(4):
        (shop / "parts" / ("p%d.sh" % n)).write_text("".join("echo %d %d\n" % (n, line) for line in range(9)))
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "more parts")
    run = work(world, "echo : > parts/new.sh")
    (shop / "one").mkdir()
    (shop / "two").mkdir()
    git(shop, "mv", "parts/p0.sh", "parts/p1.sh", "one")
    git(shop, "mv", "parts/p2.sh", "parts/p3.sh", "two")
    git(shop, "rm", "-q", "parts/base.sh")
    git(shop, "commit", "-q", "-m", "parted")
    fate = merged(world, run, code=3)["runs"][0]
    assert (fate["outcome"], fate["why"], fate["files"]) == ("conflict", "conflict in parts", ["parts"])


def test_a_conflict_of_a_real_worker_is_offered_for_a_rebase(world: World, shop: Path, tmp_path: Path) -> None:
    one = work(world, "echo 'price() { echo 6; }' > lib.sh")
    two = work(world, "echo 'price() { echo 7; }' > lib.sh")
    meta = world.folder(two) / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "backend": "claude"}))
    report = merged(world, one, two, code=3)
    offer = "agentctl resume --parent-run-id %s --prompt-file " % two
    assert offer in report["said"]
    prompt = Path(report["said"].partition(offer)[2].partition("`")[0]).read_text()
    assert "git rebase main" in prompt and "lib.sh" in prompt


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_strategies(world: World, shop: Path, strategy: str) -> None:
    script = part("one") + "\ngit add -A && git commit -q -m 'first of one'\n" + part("two")
    one = work(world, script, "--title", "one and two")
    two = work(world, part("three"), commit=False)
    before = head(shop)
    report = merged(world, one, two, "--strategy", strategy, "--verify", CHECK)
    assert set(fates(report).values()) == {"landed"}
    log = git(shop, "log", "--first-parent", "--format=%an|%s|%P", "%s..main" % before).splitlines()[::-1]
    parents = [len(line.rpartition("|")[2].split()) for line in log]
    subjects = [line.split("|")[1] for line in log]
    if strategy == "merge":
        assert parents == [2, 2] and subjects[0] == "Merge %s: one and two" % branch(world, one)
    elif strategy == "squash":
        assert parents == [1, 1] and subjects[0] == "one and two" and log[0].startswith("shell|")
        assert "* first of one" in git(shop, "log", "-1", "--format=%b", "main^")
    else:
        assert parents == [1, 1, 1] and subjects[:2] == ["first of one", "work"] and log[0].startswith("w|")
    assert all((shop / "parts" / (n + ".sh")).exists() for n in ("one", "two", "three"))
    assert "commit" in report["said"], "what was left uncommitted was committed"
    git(shop, "fsck", "--strict")
    nothing_is_left(world, shop)


def test_rebase_keeps_dates_and_skips_what_is_there_and_refuses_merges(world: World, shop: Path) -> None:
    dated = "export GIT_AUTHOR_DATE='2020-02-02T02:02:02+0200'\n"
    one = work(world, dated + part("one"))
    (shop / "parts" / "one.sh").write_text(". ./lib.sh; price\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "the same by hand")
    two = work(world, dated + part("two"))
    merger = "git checkout -q -b side && echo s > s && git add s && git commit -q -m s && git checkout -q - && "
    merger += "echo m > m && git add m && git commit -q -m m && git merge -q --no-edit side"
    three = work(world, merger, commit=False)
    report = merged(world, one, two, three, "--strategy", "rebase", code=3)
    assert fates(report) == {one: "already_in", two: "landed", three: "conflict"}
    assert "--strategy merge" in report["runs"][2]["why"]
    assert git(shop, "log", "-1", "--format=%aI", "main").strip() == "2020-02-02T02:02:02+02:00"


def test_attributes_of_the_target_decide_and_no_driver_of_a_config_runs(
    world: World, shop: Path, tmp_path: Path
) -> None:
    (shop / ".gitattributes").write_text("log.txt merge=union\nlib.sh merge=evil\n* filter=evil\n")
    (shop / "log.txt").write_text("begin\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "attributes")
    one, two = (work(world, "echo %s >> log.txt" % n) for n in ("one", "two"))
    trap = "touch %s" % (tmp_path / "sprung")
    for name in ("merge.evil.driver", "filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "core.sshCommand"):
        git(shop, "config", name, trap)
    for name in ("post-checkout", "post-merge", "pre-commit", "reference-transaction", "post-index-change"):
        hook = shop / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\n%s\n" % trap)
        hook.chmod(0o755)
    report = merged(world, one, two, "--verify", "cat log.txt")
    assert set(fates(report).values()) == {"landed"}
    assert sorted((shop / "log.txt").read_text().split()) == ["begin", "one", "two"]
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("state", ["edited", "staged", "in the way", "rebase"])
def test_a_checkout_that_is_not_clean_is_not_touched(world: World, shop: Path, state: str) -> None:
    run = work(world, part("one"))
    if state == "rebase":
        git(shop, "checkout", "-q", "-b", "other", "HEAD~1")
        (shop / "lib.sh").write_text("other\n")
        git(shop, "add", "-A")
        git(shop, "commit", "-q", "-m", "other")
        git(shop, "checkout", "-q", "main")
        subprocess.run(["git", "-C", str(shop), "rebase", "-q", "other"], capture_output=True)
    elif state == "in the way":
        (shop / "parts" / "one.sh").write_text("mine\n")
    else:
        (shop / "lib.sh").write_text("mine() { :; }\n")
        if state == "staged":
            git(shop, "add", "-A")
    before, status = head(shop), git(shop, "status", "--porcelain")
    report = merged(world, run, "--into", "main", "--verify", "true", code=3)
    assert fates(report) == {run: "not_landed"}
    assert head(shop) == before and git(shop, "status", "--porcelain") == status
    assert head(shop, "refs/agentctl/merged/main") and report["kept"] == "refs/agentctl/merged/main"
    assert report["next"] == "git -C %s merge --ff-only refs/agentctl/merged/main" % shop
    if state in ("edited", "staged"):
        git(shop, "reset", "-q", "--hard")
        subprocess.run(["sh", "-c", report["next"]], check=True, capture_output=True)
        assert (shop / "parts" / "one.sh").exists()


def test_untracked_files_elsewhere_do_not_hinder_and_another_branch_needs_no_checkout(world: World, shop: Path) -> None:
    git(shop, "branch", "develop")
    one, two = work(world, part("one")), work(world, part("two"))
    (shop / "notes.txt").write_text("mine\n")
    assert set(fates(merged(world, one, "--into", "develop", "--verify", CHECK)).values()) == {"landed"}
    assert not (shop / "parts" / "one.sh").exists() and "parts/one.sh" in git(shop, "ls-tree", "-r", "develop")
    merged(world, two, "--verify", CHECK)
    assert (shop / "parts" / "two.sh").exists() and (shop / "notes.txt").read_text() == "mine\n"


def test_a_target_that_moves_meanwhile_is_stacked_upon_and_verified_again(
    world: World, shop: Path, tmp_path: Path
) -> None:
    run = work(world, part("one"))
    git(shop, "branch", "develop")
    mark = tmp_path / "moved"
    mover = "test -e %s || { touch %s; git -C %s update-ref refs/heads/develop %s; }" % (mark, mark, shop, "$(cat %s)")
    git(shop, "checkout", "-q", "-b", "elsewhere")
    (shop / "theirs.txt").write_text("theirs\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "theirs")
    (tmp_path / "sha").write_text(head(shop, "elsewhere"))
    red = work(world, part("red", "exit 1"), "--base", "main")
    verify = "%s; sh check.sh" % (mover % (tmp_path / "sha"))
    report = merged(world, run, red, "--into", "develop", "--verify", verify, code=3)
    assert fates(report) == {run: "landed", red: "check_failed"} and "has moved" in report["said"]
    assert report["verifications"] == 3, "both, the one, and the one again on what the target is by now"
    assert report["old"] == head(shop, "elsewhere")
    git(shop, "merge-base", "--is-ancestor", "elsewhere", "develop")

    two = work(world, part("two"))
    ever = "git -C %s commit-tree -p develop -m x develop^{tree} > %s.new; " % (shop, tmp_path / "n")
    ever += "git -C %s update-ref refs/heads/develop $(cat %s.new)" % (shop, tmp_path / "n")
    for name, value in (("user.name", "t"), ("user.email", "t@example.org")):
        git(shop, "config", name, value)
    report = merged(world, two, "--into", "develop", "--verify", ever, code=3)
    assert fates(report) == {two: "not_landed"} and report["verifications"] == 4
    assert "moved each time" in report["runs"][0]["why"]


def test_each_verification_begins_fresh(world: World, shop: Path) -> None:
    """What a check leaves, changes, hides from git or makes read-only is gone for the next one."""
    (shop / ".gitignore").write_text("*.cache\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "ignore")
    runs = [work(world, part("n%d" % n, "exit 1" if n == 2 else "true")) for n in range(3)]
    dirty = 'test -z "$(git status --porcelain)" || exit 8; '
    dirty += 'test -z "$(ls *.cache left 2>/dev/null)" && grep -q price lib.sh && test ! -L lib.sh || exit 9; '
    dirty += "touch a.cache; mkdir -p left/deep && touch left/deep/x && chmod 500 left/deep; "
    dirty += "git update-index --assume-unchanged lib.sh; rm lib.sh; ln -s /etc/passwd lib.sh; git init -q nested; "
    dirty += "! grep -q 'exit 1' parts/*.sh"
    report = merged(world, *runs, "--verify", dirty, code=3)
    assert fates(report) == {runs[0]: "landed", runs[1]: "landed", runs[2]: "check_failed"}
    nothing_is_left(world, shop)


def test_checks_of_the_runs_setup_and_included_files(world: World, shop: Path, tmp_path: Path) -> None:
    world.ok("add-project", "p", str(shop), "--setup", "echo made > setup.out")
    (shop / ".worktreeinclude").write_text(".env\n")
    (shop / ".gitignore").write_text(".env\nsetup.out\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "include")
    (shop / ".env").write_text("SECRET=1\n")
    one = work(world, part("one"), "--verify", "test -e setup.out -a -e .env")
    two = work(world, part("two"), "--verify", "sh check.sh")
    three = work(world, part("three"), "--verify", "sh check.sh")
    report = merged(world, one, two, three)
    assert report["verify"] == ["test -e setup.out -a -e .env", "sh check.sh"]
    assert set(fates(report).values()) == {"landed"} and report["verifications"] == 1


def test_a_check_that_takes_too_long_or_leaves_processes_is_ended(world: World, shop: Path) -> None:
    run = work(world, part("one"))
    began = time.monotonic()
    report = merged(
        world, run, "--verify", "setsid sleep 300 & test ! -e parts/one.sh || sleep 300", "--timeout", "1s", code=3
    )
    assert fates(report) == {run: "check_failed"} and "longer than 1s" in report["runs"][0]["why"]
    assert time.monotonic() - began < 30
    nothing_is_left(world, shop)
    assert [
        pid for pid in os.listdir("/proc") if pid.isdigit() and b"AGENTCTL_RUN_ID=merge-" in _environ(pid, world)
    ] == []


def _environ(pid: str, world: World) -> bytes:
    try:
        raw = Path("/proc", pid, "environ").read_bytes()
    except OSError:
        return b""
    return raw if str(world.home).encode() in raw else b""


def test_interrupted_it_leaves_nothing(world: World, shop: Path, tmp_path: Path) -> None:
    run = work(world, part("one"))
    before = head(shop)
    merge = world.popen("merge", run, "--verify", "touch %s; sleep 100" % (tmp_path / "there"))
    eventually((tmp_path / "there").exists, 20)
    merge.send_signal(signal.SIGINT)
    out, err = merge.communicate(timeout=20)
    assert merge.returncode == 130, (out, err)
    assert head(shop) == before
    nothing_is_left(world, shop)


def test_two_merges_come_one_after_the_other(world: World, shop: Path, tmp_path: Path) -> None:
    one, two = work(world, part("one")), work(world, part("two"))
    first = world.popen("merge", one, "--verify", "touch %s; sleep 2; sh check.sh" % (tmp_path / "there"))
    eventually((tmp_path / "there").exists, 20)
    second = merged(world, two, "--verify", CHECK)
    assert "waits for another merge" in second["said"]
    assert first.wait(20) == 0 and fates(second) == {two: "landed"}
    assert "parts/one.sh" in git(shop, "ls-tree", "-r", "--name-only", second["old"]), (
        "it began after the first had landed"
    )
    assert (shop / "parts" / "one.sh").exists() and (shop / "parts" / "two.sh").exists()


def test_what_cannot_be_merged_is_said(world: World, shop: Path) -> None:
    plain = world.shell("true", "--no-pane")
    world.result(plain)
    live = world.shell("sleep 60", "--worktree", "--no-pane")
    done = work(world, part("one"))
    for words, said in (
        ((plain,), "had no worktree"),
        ((live,), "has not ended"),
        ((done, "--into", "nowhere"), "no branch `nowhere`"),
        ((done, "--strategy", "octopus"), "no strategy"),
        ((done, "--pr", "--verify", "true"), "--pr only"),
    ):
        refused = world.run("merge", *words)
        assert refused.returncode in (1, 2) and said in refused.stderr and "hint:" in refused.stderr, refused.stderr
    git(shop, "checkout", "-q", "--detach")
    refused = world.run("merge", done)
    assert refused.returncode == 1 and "--into" in refused.stderr
    world.ok("stop", live)


@pytest.mark.parametrize("options", [[], ["--pr"]])
def test_a_repository_that_was_moved_is_said(world: World, shop: Path, tmp_path: Path, options: list[str]) -> None:
    run = work(world, part("one"))
    shop.rename(tmp_path / "elsewhere")
    done = world.run("merge", run, *options, cwd=tmp_path)
    assert done.returncode == 1 and "the repository of run %s is gone" % run in done.stderr, done.stderr
    assert not world.crash()


def test_a_branch_with_nothing_on_it(world: World, shop: Path) -> None:
    run = work(world, "true", commit=False)
    assert fates(merged(world, run, "--verify", "false")) == {run: "already_in"}


def test_pull_requests(world: World, shop: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(shop, "remote", "add", "origin", str(remote))
    git(shop, "config", "core.sshCommand", "touch %s" % (tmp_path / "sprung"))
    hook = shop / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch %s\n" % (tmp_path / "sprung"))
    hook.chmod(0o755)
    one = work(world, part("one"), "--title", "-x; one")
    pushed = world.run("merge", one, "--pr")
    assert pushed.returncode == 0 and "gh pr create" in pushed.stdout, pushed
    assert head(remote, branch(world, one)) == head(shop, branch(world, one))

    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(
        '#!/bin/sh\nprintf "%%s\\n" "$@" > %s\ngit status\nls -A\necho https://forge.example/pull/7\n'
        % (tmp_path / "argv")
    )
    (tools / "gh").chmod(0o755)
    unknown = world.run("merge", one, "--pr", env={"PATH": "%s:%s" % (tools, os.environ["PATH"])})
    assert "gh pr create" in unknown.stdout and not (tmp_path / "argv").exists(), "it would have to look for itself"
    git(shop, "remote", "set-url", "origin", "https://forge.example/group/shop.git")
    one = work(world, part("two"), "--title", "-x; one")
    git(shop, "config", "core.fsmonitor", "touch %s" % (tmp_path / "sprung"))
    with (world.user / ".gitconfig").open("a") as f:
        f.write('[url "%s"]\n\tinsteadOf = https://forge.example/group/shop.git\n' % remote)
    done = world.run("merge", one, "--pr", "--json", env={"PATH": "%s:%s" % (tools, os.environ["PATH"])})
    assert json.loads(done.stdout)["runs"][0]["url"] == "https://forge.example/pull/7"
    argv = (tmp_path / "argv").read_text().splitlines()
    assert argv[:8] == ["pr", "create", "--head", branch(world, one), "--base", "main", "--title", "-x; one"]
    assert argv[-2:] == ["--repo", "forge.example/group/shop"]
    assert not (tmp_path / "sprung").exists()
    assert not (shop / "parts" / "two.sh").exists(), "nothing lands here"

    git(shop, "config", "--unset", "core.fsmonitor")
    git(shop, "remote", "set-url", "origin", "ssh://nowhere.invalid/x.git")
    one = work(world, part("three"))
    failed = world.run("merge", one, "--pr")
    assert failed.returncode == 3 and "was not pushed" in failed.stderr and "nowhere.invalid" in failed.stderr
    assert not (tmp_path / "sprung").exists(), "a program of the repository's own config was run"


MALICE = """\
echo work > g; git add g; git commit -qm w
git init -q --bare .e
printf '#!/bin/sh\\ntouch %(trap)s\\n' > .e/hooks/pre-receive; chmod +x .e/hooks/pre-receive
%(set)s
"""


@pytest.mark.parametrize(
    "setting",
    [
        'git config remote.origin.url "$PWD/.e"',
        'git config remote.origin.pushurl "file://$PWD/.e"',
        'git config remote.evil.url "$PWD/.e"; git config branch.main.remote evil',
        "git config remote.origin.url codecommit::x",
    ],
)
def test_a_branch_goes_where_the_remote_led_before_the_worker_came(
    world: World, shop: Path, tmp_path: Path, setting: str
) -> None:
    git(shop, "remote", "add", "origin", "https://forge.example/group/shop.git")
    run = work(world, MALICE % {"trap": tmp_path / "sprung", "set": setting}, commit=False)
    refused = world.run("merge", run, "--pr", "--json")
    asked = json.loads(refused.stdout)["runs"][0]
    assert refused.returncode == 3 and not asked["pushed"] and "when the run began" in asked["problem"], refused
    assert asked["command"].startswith("git -C %s push https://forge.example/group/shop.git " % shop)
    assert "a worker may have written" in refused.stderr
    assert "not pushed %s" % branch(world, run) in world.run("merge", run, "--pr").stdout
    assert not (tmp_path / "sprung").exists()


def test_a_push_to_a_folder_runs_none_of_its_programs(world: World, shop: Path, tmp_path: Path) -> None:
    """A bare repository that was the remote all along, into which a worker has come."""
    remote, trap = tmp_path / "remote.git", "touch %s" % (tmp_path / "sprung")
    git(tmp_path, "clone", "-q", "--bare", str(shop), str(remote))
    git(tmp_path, "clone", "-q", "--bare", "--shared", str(remote), str(tmp_path / "second.git"))
    git(shop, "remote", "add", "origin", str(tmp_path / "second.git"))
    run = work(world, part("one"))
    remote = tmp_path / "second.git"
    hooks = tmp_path / "hooks"
    for folder in (remote / "hooks", hooks):
        folder.mkdir(exist_ok=True)
        for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "pre-auto-gc"):
            (folder / name).write_text("#!/bin/sh\n%s\n" % trap)
            (folder / name).chmod(0o755)
    for name, value in (("core.hooksPath", str(hooks)), ("core.alternateRefsCommand", trap), ("core.fsmonitor", trap)):
        git(remote, "config", name, value)
    git(remote, "config", "receive.denyCurrentBranch", "updateInstead")
    for name in ("remote.origin.receivepack", "core.sshCommand", "credential.helper", "remote.origin.vcs"):
        git(shop, "config", name, trap)
    git(shop, "config", "url./nowhere.insteadOf", str(tmp_path))
    pushed = world.run("merge", run, "--pr")
    assert pushed.returncode == 0 and "without its hooks" in pushed.stderr, pushed
    assert head(remote, branch(world, run)) == head(shop, branch(world, run))
    assert not (tmp_path / "sprung").exists()
    git(shop, "config", "--unset", "url./nowhere.insteadOf")
    git(shop, "push", "-q", str(remote), "HEAD:refs/heads/by-hand")
    assert (tmp_path / "sprung").exists(), "the trap was not set"


def test_where_the_remote_led_is_not_guessed(world: World, shop: Path, tmp_path: Path) -> None:
    """A run of a version that did not write it down."""
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(shop, "remote", "add", "origin", str(tmp_path / "remote.git"))
    run = work(world, part("one"))
    record = world.home / "custody" / (run + ".given")
    known = json.loads(record.read_text())
    assert known.pop("remotes") == {"remote.origin.url": str(tmp_path / "remote.git")}
    record.write_text(json.dumps(known))
    refused = world.run("merge", run, "--pr")
    assert refused.returncode == 3 and "no remote is on record" in refused.stderr
    assert refused.stdout.endswith("not pushed %s\n" % branch(world, run))


def test_a_project_below_the_top_is_checked_where_it_is(world: World, shop: Path) -> None:
    world.ok("add-project", "inner", str(shop / "parts"))
    run = world.shell("touch here.sh; test -e base.sh", "--worktree", "--no-pane", "--project", "inner", cwd=shop)
    assert world.result(run)["goal_met"]
    assert fates(merged(world, run, "--verify", "test -e here.sh -a -e ../lib.sh")) == {run: "landed"}


def test_an_old_git_is_refused(world: World, shop: Path, tmp_path: Path) -> None:
    run = work(world, part("one"))
    tools = tmp_path / "tools"
    tools.mkdir()
    script = (
        '#!/bin/sh\nfor last; do :; done\n[ "$last" != version ] || { echo git version 2.31.1; exit; }\nexec %s "$@"\n'
    )
    (tools / "git").write_text(script % shutil.which("git"))
    (tools / "git").chmod(0o755)
    refused = world.run("merge", run, env={"PATH": "%s:%s" % (tools, os.environ["PATH"])})
    assert refused.returncode == 1 and "git 2.31 is too old" in refused.stderr and "2.38" in refused.stderr


def add(world: World, shop: Path, words: str = "more") -> None:
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", words)


@pytest.mark.parametrize("where", ["file", "parent", "folder"])
def test_files_that_git_ignores_in_the_checkout_are_not_written_over(world: World, shop: Path, where: str) -> None:
    (shop / ".gitignore").write_text("secret\n")
    add(world, shop)
    theirs = {"file": "secret", "parent": "secret/x", "folder": "secret"}[where]
    run = work(world, "mkdir -p $(dirname %s); echo worker > %s; git add -f %s" % (theirs, theirs, theirs))
    mine = shop / ("secret/deep/mine" if where == "folder" else "secret")
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine\n")
    before = head(shop)
    report = merged(world, run, code=3)
    assert fates(report) == {run: "not_landed"} and "in the way: secret" in report["runs"][0]["why"]
    assert mine.read_text() == "mine\n" and head(shop) == before


def test_a_folder_becomes_a_file_and_a_file_a_folder(world: World, shop: Path) -> None:
    (shop / "file").write_text("1\n")
    (shop / "link").symlink_to("parts")
    add(world, shop)
    script = "rm file link; mkdir file link; echo 2 > file/inner; echo 3 > link/base.sh; rm -r parts; echo 4 > parts"
    run = work(world, script)
    assert fates(merged(world, run)) == {run: "landed"}
    assert (shop / "file" / "inner").read_text() == "2\n" and (shop / "parts").read_text() == "4\n"
    assert git(shop, "status", "--porcelain") == ""


def test_a_checkout_with_old_times_in_its_index_follows(world: World, shop: Path) -> None:
    run = work(world, "echo more >> lib.sh")
    os.utime(shop / "lib.sh", (1e9, 1e9))
    report = merged(world, run)
    assert fates(report) == {run: "landed"} and report["behind"] == []
    assert git(shop, "status", "--porcelain") == "" and "more" in (shop / "lib.sh").read_text()


def test_a_checkout_with_a_split_index_follows(world: World, shop: Path) -> None:
    git(shop, "config", "core.splitIndex", "true")
    git(shop, "update-index", "--split-index")
    assert list((shop / ".git").glob("sharedindex.*"))
    run = work(world, part("one"))
    assert fates(merged(world, run)) == {run: "landed"}
    assert git(shop, "status", "--porcelain") == "" and (shop / "parts" / "one.sh").exists()


def test_a_checkout_that_could_not_follow_is_no_success(world: World, shop: Path, tmp_path: Path) -> None:
    """The files change while the branch moves: there is no lock against the user's editor."""
    run = work(world, "echo more >> lib.sh")
    tools = tmp_path / "tools"
    tools.mkdir()
    script = '#!/bin/sh\ncase " $* " in *" update-ref -m "*) echo mine >> %s;; esac\nexec %s "$@"\n'
    (tools / "git").write_text(script % (shop / "lib.sh", shutil.which("git")))
    (tools / "git").chmod(0o755)
    report = merged(world, run, code=3, env={"PATH": "%s:%s" % (tools, os.environ["PATH"])})
    assert report["behind"] == [str(shop)] and "did not follow" in report["said"]
    command = report["said"].partition("`")[2].partition("`")[0]
    kept = (shop / "lib.sh").read_text().replace("mine\n", "")
    (shop / "lib.sh").write_text(kept)
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert git(shop, "status", "--porcelain") == "" and "more" in (shop / "lib.sh").read_text()


def test_what_is_on_another_branch_or_on_none_is_merged(world: World, shop: Path) -> None:
    one = work(world, "git checkout -q -b mine-1; " + part("one"))
    two = work(world, "git checkout -q --detach; " + part("two"))
    three = work(world, "git branch -q -m mine-3; " + part("three"))
    report = merged(world, one, two, three)
    assert set(fates(report).values()) == {"landed"}
    assert all((shop / "parts" / ("%s.sh" % name)).exists() for name in ("one", "two", "three"))
    assert "not on its branch" in report["said"]


def test_a_branch_of_others_that_a_worker_went_to_is_not_landed(
    world: World, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setenv("GIT_COMMITTER_DATE", "%d +0000" % (time.time() - 60))
        git(shop, "branch", "develop")
    git(shop, "worktree", "add", "-q", str(world.root / "dev"), "develop")
    (world.root / "dev" / "unripe.sh").write_text("false\n")
    git(world.root / "dev", "add", "-A")
    git(world.root / "dev", "commit", "-q", "-m", "unripe")
    git(shop, "worktree", "remove", str(world.root / "dev"))
    for gone_to in ("git checkout -q develop", "git checkout -q --detach develop"):
        run = work(world, gone_to, commit=False)
        assert fates(merged(world, run, code=3)) == {run: "apart"}
    assert not (shop / "unripe.sh").exists()


def test_a_worktree_that_went_apart_from_its_branch_is_said(world: World, shop: Path) -> None:
    apart = part("one") + "\ngit add -A; git commit -qm one; git checkout -q -b other HEAD~1; " + part("two")
    run, fine = work(world, apart), work(world, part("three"))
    before = head(shop)
    report = merged(world, run, fine, code=3)
    assert fates(report) == {run: "apart", fine: "landed"} and "git -C" in report["runs"][0]["why"]
    assert before != head(shop) and not (shop / "parts" / "one.sh").exists()


def test_work_after_a_landing_is_merged_too(world: World, shop: Path) -> None:
    run = work(world, part("one"))
    merged(world, run)
    record = json.loads((world.home / "custody" / (run + ".json")).read_text())
    assert record["landed_tip"] == head(shop, branch(world, run))
    where = Path(json.loads(world.ok("show", run))["worktree"])
    (where / "parts" / "two.sh").write_text("true\n")
    found = json.loads(world.ok("collect", "--json", run))
    assert found["runs"][0]["landed"] == "" and found["next"] == "agentctl merge " + run
    assert fates(merged(world, run)) == {run: "landed"} and (shop / "parts" / "two.sh").exists()
    assert json.loads(world.ok("collect", "--json", run))["runs"][0]["landed"] == head(shop)


def test_the_worktree_of_a_live_run_is_not_written_in(world: World, shop: Path) -> None:
    live = world.shell("sleep 60", "--worktree", "--no-pane")
    eventually(lambda: world.status(live).get("worker"))
    into = json.loads((world.home / "custody" / (live + ".json")).read_text())["worktree"]["branch"]
    run = work(world, part("one"))
    report = merged(world, run, "--into", into, code=3)
    assert fates(report) == {run: "not_landed"} and "a run works there" in report["runs"][0]["why"]
    world.ok("stop", live)
    assert fates(merged(world, run, "--into", into)) == {run: "landed"}


def test_projects_of_one_repository_are_checked_each_in_its_folder(world: World, shop: Path, tmp_path: Path) -> None:
    runs = []
    for name in ("a", "b"):
        (shop / name).mkdir()
        (shop / name / ("only-" + name)).write_text("x\n")
    add(world, shop)
    for name in ("a", "b"):
        world.ok("add-project", name, str(shop / name))
        check = ("--project", name, "--verify", "test -e only-" + name)
        runs.append(work(world, "echo new > new-" + name, *check))
    report = merged(world, *runs)
    assert set(fates(report).values()) == {"landed"} and len(report["verify"]) == 2


def test_what_speaks_against_a_run_is_said(world: World, shop: Path) -> None:
    run = world.shell(part("one") + "; exit 1", "--worktree", "--no-pane")
    world.result(run)
    two = world.shell(part("two"), "--worktree", "--no-pane", "--verify", "test ! -e parts/two.sh")
    world.result(two)
    report = merged(world, run, two, "--verify", "true")
    assert set(fates(report).values()) == {"landed"}
    assert report["runs"][0]["goal_met"] is False and report["runs"][1]["verified"] == "failed"
    assert "goal is not met" in report["said"] and "own check failed" in report["said"]
    assert "unchecked" not in report["said"]


def test_unchecked_is_said_of_what_landed_only(world: World, shop: Path) -> None:
    run = work(world, part("one"))
    assert "landed unchecked" in merged(world, run)["said"]
    assert "unchecked" not in merged(world, run)["said"]


def test_a_commit_that_cannot_be_laid_out_is_red(world: World, shop: Path) -> None:
    script = "git update-index --add --cacheinfo 100644,%s,lost.txt; git commit -qm x"
    blob = subprocess.run(
        ["git", "-C", str(shop), "hash-object", "-w", "--stdin"], input=b"lost\n", capture_output=True, check=True
    )
    name = blob.stdout.decode().strip()
    run = work(world, script % name + "; git checkout -q .", commit=False)
    (shop / ".git" / "objects" / name[:2] / name[2:]).unlink()
    report = merged(world, run, "--verify", "true", code=3)
    assert fates(report) == {run: "check_failed"} and "laid out" in report["runs"][0]["why"]


APART = ["unshare", "-Urm"]


@pytest.mark.skipif(
    subprocess.run([*APART, "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True).returncode != 0,
    reason="no user namespace, in which something can be mounted",
)
def test_a_checkout_that_cannot_be_removed_speaks_against_nobody(world: World, shop: Path) -> None:
    """As where a container leaves files of root's: here a mount, which is gone with the merge's own namespace."""
    good, bad = work(world, part("one")), work(world, "touch bad")
    check = "mkdir -p out && mount -t tmpfs x out && test ! -e bad && %s" % CHECK
    words = [*APART, *PROGRAM, "merge", "--json", good, bad, "--verify", check]
    done = subprocess.run(words, env=world.env, cwd=shop, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert fates(json.loads(done.stdout)) == {good: "landed", bad: "check_failed"}
    assert list((world.home / "worktrees").glob("merge-*.lock")), "what stays can be found"
    assert fates(merged(world, good)) == {good: "already_in"}
    nothing_is_left(world, shop)


def test_no_place_for_the_check_is_no_verdict(world: World, shop: Path) -> None:
    """What git wants to make the next checkout in is a file by then: no commit is to blame for that."""
    one, two = work(world, part("one")), work(world, "touch bad")
    place = shop / ".git" / "worktrees"
    check = "mv %s %s-away && touch %s && test ! -e bad" % (place, place, place)
    done = world.run("merge", one, two, "--verify", check)
    assert done.returncode == 1 and "there is no checkout to run the check in" in done.stderr, done.stderr
    assert "fails the check" not in done.stderr


@pytest.fixture
def library(world: World, shop: Path) -> Path:
    """The shop has a submodule."""
    (world.user / ".gitconfig").write_text(IDENTITY)
    made = world.root / "library"
    made.mkdir()
    git(made, "init", "-q", "-b", "main")
    (made / "lib.txt").write_text("lib\n")
    add(world, made)
    git(shop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(made), "lib")
    add(world, shop)
    return made


def test_a_commit_in_a_submodule_comes_along(world: World, shop: Path, library: Path) -> None:
    script = "cd lib; echo more >> lib.txt; git commit -qam more; git rev-parse HEAD > ../sha; cd .."
    run = work(world, script)
    report = merged(world, run, "--verify", "grep -q more lib/lib.txt")
    assert fates(report) == {run: "landed"}, report
    git(shop, "submodule", "--quiet", "update", "--no-fetch")
    assert "more" in (shop / "lib" / "lib.txt").read_text() and git(shop, "status", "--porcelain") == ""
    assert git(shop / "lib", "rev-parse", "refs/agentctl/" + run) == (shop / "sha").read_text()
    git(shop / "lib", "fsck", "--strict")


def test_a_commit_of_a_submodule_that_nobody_has_is_not_landed(world: World, shop: Path, library: Path) -> None:
    lost = "git update-index --cacheinfo 160000,%s,lib; git commit -qm x" % ("1" * 40)
    own = "mkdir own; git -C own init -q; git -C own commit -q --allow-empty -m x; git add own; git commit -qm x"
    one, two, fine = (work(world, s, commit=False) for s in (lost, own, part("one")))
    report = merged(world, one, two, fine, code=3)
    assert fates(report) == {one: "not_landed", two: "not_landed", fine: "landed"}
    assert "submodule lib" in report["runs"][0]["why"] and "submodule own" in report["runs"][1]["why"]
