"""kill -9 of a merge at any moment: the target is old or new, and the next merge tidies up.

Seeded: `AGENTCTL_SEED=<seed> AGENTCTL_ROUNDS=1` repeats one round alone.

    tests/run tests/chaos                        10 rounds
    AGENTCTL_LONG=1 (tests/run long)             60 rounds
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import World
from conftest import eventually
from conftest import git

ROUNDS = int(os.environ.get("AGENTCTL_ROUNDS") or ("60" if os.environ.get("AGENTCTL_LONG") else "10"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
FILES = 150
IDENTITY = "export GIT_AUTHOR_NAME=w GIT_AUTHOR_EMAIL=w@x GIT_COMMITTER_NAME=w GIT_COMMITTER_EMAIL=w@x\n"
CHECK = 'sleep 0.05; test -z "$(ls red* 2>/dev/null)"'


@pytest.fixture
def runs(world: World, repo: Path) -> list[str]:
    """Four ended runs: one changes, adds and removes many files, one is red."""
    for n in range(FILES):
        (repo / ("f%d.txt" % n)).write_text("old %d\n" % n)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "many files")
    many = "for n in $(seq 0 %d); do echo new > f$n.txt; echo n > new$n.txt; done; rm f1*.txt" % (FILES - 1)
    scripts = (many, "echo two > two.txt", "touch red.txt", "echo three > three.txt")
    made = []
    for script in scripts:
        run = world.shell("%s%s; git add -A; git commit -q -m work" % (IDENTITY, script), "--worktree", "--no-pane")
        assert world.result(run)["goal_met"]
        made.append(run)
    return made


def head(repo: Path) -> str:
    return git(repo, "rev-parse", "main").strip()


def descendants(pid: int) -> list[int]:
    """The process, and all below it, children first."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(words[1]), []).append(int(name))
    return [d for child in parents.get(pid, []) for d in descendants(child)] + [pid]


def killed(world: World, repo: Path, runs: list[str], chosen: random.Random, longest: float) -> str:
    """Start a merge and kill it; how."""
    before = head(repo)
    merge = world.popen("merge", *runs, "--verify", CHECK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    when = chosen.choice(("any", "any", "any", "moved", "moved"))
    if when == "any":
        time.sleep(chosen.uniform(0, longest))
    else:
        deadline = time.monotonic() + 30
        ref = repo / ".git" / "refs" / "heads" / "main"
        while merge.poll() is None and ref.read_text().strip() == before and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(chosen.choice((0, 0.002, 0.005, 0.01, 0.03)))
    who = chosen.choice(("itself", "with its git"))
    for pid in descendants(merge.pid) if who == "with its git" else [merge.pid]:
        try:
            if who == "itself" or pid == merge.pid or b"git" in Path("/proc", str(pid), "cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass  # it ended by itself
    merge.wait()
    if who == "with its git":
        eventually(lambda: not gits(world), 20)  # one that was born as we looked: its locks are not left over yet
    return "%s, %s" % (when, who)


def environments(world: World) -> dict[int, list[bytes]]:
    """Of all processes of this home."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                entries = Path("/proc", name, "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"AI_ORCH_HOME=" + os.fsencode(world.home) in entries:
                found[int(name)] = entries
    return found


def marked(world: World) -> list[int]:
    """What a merge of this home started and left."""
    return [p for p, env in environments(world).items() if any(e.startswith(b"AGENTCTL_RUN_ID=merge-") for e in env)]


def gits(world: World) -> list[int]:
    """What git does for a merge of this home."""
    return [p for p, env in environments(world).items() if any(e.startswith(b"GIT_DIR=") for e in env)]


def test_the_target_is_old_or_new_and_the_next_merge_tidies_up(world: World, repo: Path, runs: list[str]) -> None:
    base = head(repo)
    began = time.monotonic()
    assert world.run("merge", *runs, "--verify", CHECK).returncode == 3
    longest = (time.monotonic() - began) * 1.05
    good = git(repo, "rev-parse", "main^{tree}").strip()
    outcomes = {"old": 0, "new": 0}
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        git(repo, "reset", "-q", "--hard", base)
        git(repo, "clean", "-fdq")
        how = "seed %d: %s" % (seed, killed(world, repo, runs, random.Random(seed), longest))
        tree = git(repo, "rev-parse", "main^{tree}").strip()
        assert head(repo) == base or tree == good, how
        outcomes["old" if head(repo) == base else "new"] += 1
        git(repo, "fsck", "--no-dangling", "--connectivity-only")
        for lock in ("refs/heads/main.lock", "HEAD.lock"):
            if "with its git" in how:
                (repo / ".git" / lock).unlink(missing_ok=True)  # git's own, as a user removes it who is told of it
        done = world.run("merge", "--json", *runs, "--verify", CHECK)
        assert done.returncode == 3, (how, done.stdout, done.stderr, world.crash())
        fates = [fate["outcome"] for fate in json.loads(done.stdout)["runs"]]
        assert fates in (
            ["landed", "landed", "check_failed", "landed"],
            ["already_in", "already_in", "check_failed", "already_in"],
        ), (how, done.stdout, done.stderr)
        assert git(repo, "rev-parse", "main^{tree}").strip() == good, how
        assert git(repo, "status", "--porcelain") == "", (how, done.stderr)
        assert not os.path.lexists(repo / ".git" / "index.lock"), how
        assert [n for n in os.listdir(world.home / "worktrees") if n.startswith("merge-")] == [], how
        assert "merge-" not in git(repo, "worktree", "list"), how
        assert not [n for n in os.listdir(world.home / "custody") if n.startswith("landing-")], how
        eventually(lambda: not marked(world), 10)
    assert ROUNDS < 10 or min(outcomes.values()) > 0, "the moments were not spread: %s" % outcomes
    print(outcomes)
