"""Why a run is in its state: real runs in every state, each brought there on purpose."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from agentctl.explaining import gathering
from agentctl.explaining import places
from agentctl.explaining import reasons
from agentctl.explaining.situation import Other
from agentctl.explaining.situation import Situation
from agentctl.measures import Limits
from agentctl.measures import Usage
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.store import Home
from cli.terminal import Terminal
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git
from goalmaker import Maker
from goalmaker import failed_check

WAITS = "while [ ! -e go ]; do sleep 0.02; done"


class Explained:
    """What `explain` says of a run: facts with their files, and commands."""

    def __init__(self, world: World, run: str) -> None:
        self.raw = json.loads(world.ok("explain", run, "--json"))
        self.status = self.raw["status"]
        self.commands = [each["command"] for each in self.raw["commands"]]
        self.words = [" ".join(w for w in (r["words"], r["said"]) if w) for r in self.raw["reasons"]]
        self.shown = world.ok("explain", run)
        for reason in self.raw["reasons"]:
            assert reason["source"] and reason["words"], reason

    def source(self, words: str) -> str:
        """The file of the fact that says this."""
        found = [r["source"] for r, said in zip(self.raw["reasons"], self.words) if words in said]
        assert len(found) == 1, (words, self.words)
        return str(found[0])


def test_it_waits_for_a_run_and_then_for_what_became_of_it(world: World) -> None:
    first = world.shell(WAITS + "; exit 1", "--no-pane")
    world.working(first)
    second = world.shell("true", "--no-pane", "--after", first)
    eventually(lambda: world.status(second).get("doing"))
    seen = Explained(world, second)
    assert seen.status == "queued"
    assert seen.source("it is to come after %s, which is running" % first) == "runs/%s/status.json" % first
    assert seen.source("its runner says: waits") == "status.json"
    assert seen.commands == ["agentctl explain %s" % first, "agentctl stop %s" % second]
    (world.project / "go").touch()
    world.result(second)
    seen = Explained(world, second)
    assert seen.status == "skipped"
    assert seen.source("%s ended: finished, goal not met" % first) == "runs/%s/result.json" % first
    assert seen.commands[0] == "agentctl explain %s" % first


def await_slot(world: World, run: str) -> None:
    eventually(lambda: world.status(run).get("doing") == "waits for a slot")


def test_it_waits_for_a_slot_behind_others(world: World) -> None:
    world.config(max_parallel=1)
    runs = [world.shell(WAITS, "--no-pane") for _ in range(3)]
    world.working(runs[0])
    for run in runs[1:]:
        await_slot(world, run)
    seen = Explained(world, runs[2])
    assert seen.source("1 of 1 slots of the pool `home` are taken, by %s" % runs[0]) == "slots/home"
    assert seen.source("before it in that queue: %s" % runs[1]) == "slots/home/queue"
    assert Explained(world, runs[1]).source("it is the next in that queue") == "slots/home/queue"
    assert "agentctl status" in seen.commands
    (world.project / "go").touch()
    for run in runs:
        world.result(run)


def test_it_stands_still_because_somebody_asked(world: World) -> None:
    run = world.shell(WAITS, "--no-pane")
    world.working(run)
    world.ok("pause", run)
    seen = Explained(world, run)
    assert seen.status == "paused" and seen.source("it was asked to stand still") == "pause"
    assert seen.commands[0] == "agentctl continue %s" % run
    world.ok("stop", run)


def test_what_one_at_work_does_since_when_and_which_limit_is_near(world: World) -> None:
    quiet = world.shell(WAITS, "--no-pane", "--timeout", "10h")
    loud = world.shell("echo hello; " + WAITS, "--no-pane", "--timeout", "1000000")
    world.working(quiet), world.working(loud)
    eventually(lambda: world.status(loud).get("doing") == "hello")
    seen = Explained(world, quiet)
    assert seen.source("its worker has printed nothing yet") == "raw.jsonl"
    assert seen.source("its limit on time: ") == "meta.json" and "of 10h00m" in seen.shown
    seen = Explained(world, loud)
    assert seen.source("at work (its worker is process %d): hello" % world.working(loud)) == "status.json"
    assert seen.source("its worker last printed") == "raw.jsonl"
    assert seen.commands == ["agentctl follow %s" % loud, "agentctl stop %s" % loud]
    (world.project / "go").touch()
    world.result(quiet), world.result(loud)


def test_a_limit_that_is_near_is_said_and_an_unknown_figure_is_no_nothing() -> None:
    spec = Spec(limits=Limits(timeout_s=100, max_turns=10, max_cost_usd=2.0, max_context_tokens=1000))
    result = Result(status="running", usage=Usage(turns=8), context_tokens=100, context_window=1000)
    seen = Situation(spec=spec, result=result, live=True, now=150.0, started_at=100.0, told=True)
    words = [reason.words for reason in reasons.reasons(seen)]
    assert "its limit on time: 50s of 1m40s" in words and "its limit on turns: 8 of 10: that is near" in words
    assert "its limit on cost: an unknown part of $2.00" in words and "its limit on context: 100 of 1.0k" in words
    assert "100 tokens of context are used, 10% of the window" in words


def test_who_is_before_it_in_a_conversation_is_named() -> None:
    before = Other(run_id="20260101-000000-aaaa", live=True, outcome="running: thinks")
    spec = Spec(agent="ada", session_id="s1", resume=True)
    result = Result(status="queued")
    seen = Situation(spec=spec, result=result, live=True, told=True, doing="waits", turns=(before,), session=(before,))
    words = [reason.words for reason in reasons.reasons(seen)]
    assert "agent ada works on one prompt at a time, first in 20260101-000000-aaaa: running: thinks" in words
    assert "run 20260101-000000-aaaa is in the same conversation: running: thinks" in words
    assert places.commands(seen)[0].command == "agentctl explain 20260101-000000-aaaa"


@pytest.mark.parametrize(
    ("script", "options", "facts"),
    [
        ("exit 0", (), ["its worker ended by itself", "it says that its goal is met:", "nothing checked it"]),
        ("echo no; exit 7", (), ["it says that its goal is not met: exit code 7"]),
        ("true", ("--verify", "true"), ["our check passed: true"]),
        ("true", ("--verify", "echo 1 failed; exit 2"), ["our check failed: echo 1 failed; exit 2"]),
        ("echo boo >&2; kill -9 $$", (), ["it failed: boo", "was ended by signal 9", "the last that it wrote"]),
        ("sleep 60", ("--timeout", "1s"), ["stopped by a limit on time:", "it was given 1s in all"]),
    ],
)
def test_each_end_has_its_reasons(script: str, options: tuple[str, ...], facts: list[str], world: World) -> None:
    run = world.shell(script, "--no-pane", *options)
    world.result(run)
    seen = Explained(world, run)
    for fact in facts:
        assert seen.source(fact) in ("result.json", "meta.json", "verify.log", "stderr.log")
    if "echo 1 failed" in "".join(options):
        assert "    | 1 failed" in seen.shown
    if "boo" in script:
        assert "    | boo" in seen.shown


def test_who_stopped_it(world: World) -> None:
    run = world.shell("sleep 60", "--no-pane")
    world.working(run)
    world.ok("stop", run)
    seen = Explained(world, run)
    assert (
        seen.source("it was stopped: stopped on request") == "result.json"
        and seen.source("it was asked to, 2") == "stop"
    )


def test_one_that_is_lost_and_what_was_saved(world: World) -> None:
    run = world.shell("echo hello; sleep 60", "--no-pane")
    world.working(run)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    seen = eventually(lambda: (lambda one: one if one.status == "lost" else None)(Explained(world, run)))
    assert seen.source("its runner vanished and left no result: its runner is gone") == "result.json"
    assert seen.source("the last sign of it is of 2") == "status.json, events.jsonl"
    assert seen.source("no session of it is known") == "result.json"
    eventually(lambda: not world.marked(run))


def test_a_worktree_from_its_making_to_its_removal(world: World, repo: Path) -> None:
    run = world.shell("echo x > new.txt", "--no-pane", "--worktree")
    result = world.result(run)
    seen = Explained(world, run)
    source = "custody/%s.json" % run
    assert seen.source("its worktree is %s, on branch %s" % (result["worktree"], result["branch"])) == source
    assert "agentctl show %s --diff" % run in seen.commands
    world.ok("cleanup", run, "--yes")
    seen = Explained(world, run)
    assert seen.source("its worktree was removed on 2") == source and seen.commands[-1] == "agentctl undo %s" % run
    world.ok("undo", run)
    git(repo, "worktree", "remove", "--force", result["worktree"])
    assert Explained(world, run).source("is gone, and agentctl did not remove it") == source


def test_a_goal_at_work_and_over(world: World) -> None:
    maker = Maker(Home(str(world.home)), time.time() - 100)
    root = maker.goal()
    maker.write(
        root,
        {"step": "cycle", "cycle": 1},
        failed_check(1),
        {"step": "judged", "cycle": 1, "accepted": False, "reasons": ["the check failed"]},
        {"step": "cycle", "cycle": 2},
        {"step": "run", "cycle": 2, "part": "orchestrator", "who": "orchestrator", "run": "x"},
    )
    member = maker.begin(Spec(backend="claude", title="m", goal=root.id, step="tester"))
    seen = Explained(world, root.id)
    assert seen.source("as a goal it is in cycle 2; its last step: run") == "raw.jsonl"
    assert seen.source("its last rejection said: the check failed") == "raw.jsonl"
    assert seen.source("%s works for it: queued" % member.id) == "runs/%s/status.json" % member.id
    assert Explained(world, member.id).source("it works for goal %s" % root.id) == "meta.json"
    maker.end(member)
    maker.write(root, {"step": "over", "outcome": "gave_up", "why": "x"})
    maker.end(root, status="failed", exit_code=1, goal_met=None, error="the worker ended with exit code 1")
    seen = Explained(world, root.id)
    assert seen.source("its journal ends with: gave_up") and seen.commands == ["agentctl report %s" % root.id]


def test_what_a_worker_wrote_cannot_drive_the_terminal(world: World) -> None:
    run = world.shell("printf '\\033]0;owned\\007x\\n'; printf '\\033]0;o\\007\\n' >&2; kill -9 $$", "--no-pane",
                      "--title", "\x1b]0;t\x07", "--verify", "true")  # fmt: skip
    world.result(run)
    code, shown = Terminal([*PROGRAM, "explain", run], world.env, str(world.project)).end()
    assert code == 0 and "\x1b]" not in shown and "\x07" not in shown and "was ended by signal 9" in shown


def test_called_wrongly(world: World) -> None:
    assert world.run("explain", "20260101-000000-abcd").stderr.startswith("agentctl: no run 20260101-000000-abcd")
    assert "is a workflow" in world.run("explain", "w-20260101-000000-abcd").stderr


def test_a_damaged_folder_is_explained_as_far_as_it_goes(world: World) -> None:
    """Every file of a run replaced by junk, one after the other: never a traceback."""
    run = world.shell("true", "--no-pane", "--verify", "true")
    world.result(run)
    folder, draw = world.home / "runs" / run, random.Random(3)
    junk: list[Any] = [b"", b"{", b"[]", b'{"usage": 7, "limit": "x", "worker": "x"}', b"\xff\xfe\n{}"]
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if path.is_file() and name not in ("lock", "notified"):
            kept = path.read_bytes()
            path.write_bytes(draw.choice(junk))
            done = world.run("explain", run)
            assert done.returncode in (0, 1) and "unexpected" not in done.stderr, (name, done.stderr)
            path.write_bytes(kept)
    assert world.crash() == ""


def test_the_same_is_said_to_programs(world: World) -> None:
    run = world.shell("exit 1", "--no-pane")
    world.result(run)
    seen = gathering.situation(gathering.named(Home(str(world.home)), run), time.time())
    told = json.loads(world.ok("explain", run, "--json"))
    assert told["format"] == 1 and told["run_id"] == run
    assert [reason["words"] for reason in told["reasons"]] == [reason.words for reason in reasons.reasons(seen)]
    assert [each["command"] for each in told["commands"]] == [each.command for each in places.commands(seen)]
