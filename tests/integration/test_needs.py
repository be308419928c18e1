"""What a live run tells its orchestrator before it ends: that it needs a person, or news; each once, while it lives.

A program that speaks our own language (`"stream": "events"`) plays the worker, line by
line, as this test gives it lines; another process looks into the inbox meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from conftest import PROGRAM
from conftest import World
from conftest import eventually

A = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa"}
WORKER = """
import sys, time, os
at = 0
while True:
    with open("script") as f:
        f.seek(at)
        new = f.read()
        at = f.tell()
    sys.stdout.write(new)
    sys.stdout.flush()
    if os.path.exists("over"):
        break
    time.sleep(0.03)
"""
REPORT = {
    "kind": "report",
    "data": {"ok": True, "report": {"goal_met": True, "summary": "s", "followup_prompt": "", "notes": ""}},
}


class Work:
    """A live run of A's whose worker prints what `say` is given."""

    def __init__(self, world: World, *options: str, **settings: Any) -> None:
        self.world = world
        worker = world.root / "worker.py"
        worker.write_text(WORKER)
        described = {"argv": [sys.executable, "-IS", str(worker)], "stream": "events", "stdin": False}
        world.config(backends={"mine": described}, profiles={"mine": {"backends": [{"backend": "mine"}]}}, **settings)
        self.script = world.project / "script"
        self.script.write_text("")
        (world.home / "inbox" / "orch-aaaa").mkdir(0o700)  # as `orch` makes it
        self.id = world.ok("start", "--profile", "mine", "--no-pane", *options, stdin="do it", env=A)
        world.working(self.id)

    def say(self, *entries: dict[str, Any]) -> None:
        with open(self.script, "a") as f:
            f.write("".join(json.dumps(entry) + "\n" for entry in entries))

    def end(self) -> dict[str, Any]:
        self.say(REPORT)
        (self.world.project / "over").touch()
        return self.world.result(self.id)

    def told(self) -> dict[str, dict[str, Any]]:
        """Event (without the run's id) → entry, as another process sees the inbox now."""
        said = json.loads(self.world.ok("inbox", "--json", env=A))["events"]
        assert all(e["run_id"] == self.id for e in said)
        return {e["id"].partition(".")[2]: e for e in said}

    def tells(self, kind: str) -> dict[str, Any]:
        """The entry, which comes while the run lives."""
        eventually(lambda: kind in self.told(), 8, 0.1)
        entry = self.told()[kind]
        assert not (self.world.folder(self.id) / "result.json").exists()
        assert (entry["status"], entry["goal_met"], entry["kind"]) == ("running", None, kind.partition("-")[0])
        return entry


LINES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "denied": ([{"kind": "denied", "text": "Bash", "data": {"name": "Bash"}}], "Bash"),
    "limit": ([{"kind": "limit", "text": "weekly limit reached", "data": {"reason": "weekly"}}], "weekly limit"),
    "blocked": ([{"kind": "retry", "text": "overloaded"}] * 3, "3 times"),
}


@pytest.mark.parametrize("kind", sorted(LINES))
def test_a_need_is_told_once_while_the_run_lives(world: World, kind: str) -> None:
    """A permission refused, a vendor's limit, no answer: an event at once; said again, it is no second one."""
    work = Work(world, "--title", "the title")
    lines, words = LINES[kind]
    work.say({"kind": "message", "text": "at work"})
    time.sleep(0.5)
    assert work.told() == {}
    work.say(*lines)
    entry = work.tells(kind)
    assert words in entry["text"] and entry["title"] == "the title"
    work.say(*lines)
    time.sleep(1.5)
    assert set(work.told()) == {kind}
    assert work.id in world.ok("list", "--unacked")
    assert work.end()["status"] == "finished"
    eventually(lambda: set(work.told()) == {kind, "ended"})


def test_acknowledged_a_need_does_not_come_back(world: World) -> None:
    """The orchestrator knows: the same need of the same run is not posted again, nor another of the same kind."""
    work = Work(world)
    work.say(*LINES["denied"][0])
    work.tells("denied")
    assert world.ok("inbox", "--ack", work.id + ".denied", env=A) == work.id + ".denied"
    work.say(*LINES["denied"][0], {"kind": "denied", "text": "Write", "data": {"name": "Write"}})
    time.sleep(1.5)
    assert work.told() == {}
    work.end()
    eventually(lambda: set(work.told()) == {"ended"})


def test_budget_is_told_before_it_is_spent(world: World) -> None:
    """At 80 % of the turns; before that nothing."""
    work = Work(world, "--max-turns", "10")
    turns = [{"kind": "usage", "data": {"scope": "message", "id": "m%d" % n, "output": 1}} for n in range(8)]
    work.say(*turns[:7])
    time.sleep(1.5)
    assert work.told() == {}
    work.say(turns[7])
    assert "8 of 10 turns" in work.tells("budget")["text"]
    work.end()


def test_cost_is_told_before_it_is_spent(world: World) -> None:
    """At 80 % of the money; before that nothing."""
    work = Work(world, "--max-cost", "2")
    work.say({"kind": "usage", "data": {"scope": "run", "cost": 1.5}})
    time.sleep(1.5)
    assert work.told() == {}
    work.say({"kind": "usage", "data": {"scope": "run", "cost": 1.7}})
    assert "of $2" in work.tells("budget")["text"]
    work.end()


def test_a_silent_worker_is_told_of_once(world: World) -> None:
    """Nothing printed for idle_notice_s: one event, and none more for a second silence; a talking one is left alone."""
    work = Work(world, idle_notice_s=1.5)
    for _ in range(8):
        work.say({"kind": "message", "text": "still here"})
        time.sleep(0.35)
    assert work.told() == {}
    assert "printed nothing" in work.tells("idle")["text"]
    work.say({"kind": "message", "text": "again"})
    time.sleep(3)
    assert set(work.told()) == {"idle"}
    work.end()


def test_no_idle_notice_where_none_is_wanted(world: World) -> None:
    """idle_notice_s 0: silence is nobody's business."""
    work = Work(world, idle_notice_s=0)
    time.sleep(2.5)
    assert work.told() == {}
    work.end()


def test_every_piece_of_news_is_an_event(world: World) -> None:
    """News in order, each once, with its words; also several in one look."""
    work = Work(world)
    work.say({"kind": "news", "text": "cycle 1 done"})
    assert work.tells("news-1")["text"] == "cycle 1 done"
    work.say({"kind": "news", "text": "cycle 2 done"}, {"kind": "news", "text": "cycle 2 done"})
    work.tells("news-3")
    time.sleep(1.2)
    assert [(k, e["text"]) for k, e in work.told().items()] == [
        ("news-1", "cycle 1 done"),
        ("news-2", "cycle 2 done"),
        ("news-3", "cycle 2 done"),
    ]
    world.ok("inbox", "--ack", work.id + ".news-2", env=A)
    assert work.end()["status"] == "finished"
    eventually(lambda: set(work.told()) == {"news-1", "news-3", "ended"})


def test_a_need_wakes_who_waits_and_is_acknowledged_by_a_wait_that_ends(world: World) -> None:
    """`inbox --wait` returns in mid-run; the `wait` that shows the end acknowledges what came before it, too."""
    work = Work(world)
    waiter = subprocess.Popen(
        [*PROGRAM, "inbox", "--wait", "--json"], env={**world.env, **A}, stdout=subprocess.PIPE, cwd=world.project
    )
    time.sleep(0.4)
    work.say({"kind": "news", "text": "half way"})
    out, _ = waiter.communicate(timeout=10)
    assert [e["text"] for e in json.loads(out)["events"]] == ["half way"]
    work.say(REPORT)
    (world.project / "over").touch()
    assert world.run("wait", work.id, env=A).returncode == 0
    assert work.told() == {}


def test_what_came_in_the_last_moment_is_told(world: World) -> None:
    """News printed right before the worker's exit is an event as well, and comes before the end."""
    work = Work(world)
    (world.project / "over").touch()
    work.say({"kind": "news", "text": "last words"}, REPORT)
    world.result(work.id)
    eventually(lambda: "ended" in work.told())
    assert list(work.told()) == ["news-1", "ended"]


def test_news_survive_a_killed_runner(world: World) -> None:
    """The runner is killed in mid-run: what it posted stays, the end is one event, `lost`."""
    work = Work(world)
    work.say({"kind": "news", "text": "one"})
    work.tells("news-1")
    os.kill(world.runner_pid(work.id), signal.SIGKILL)
    assert world.result(work.id)["status"] == "lost"
    eventually(lambda: set(work.told()) == {"news-1", "ended"})
    assert work.told()["ended"]["status"] == "lost"


def test_hostile_news_reach_no_terminal_raw(world: World) -> None:
    """A worker's own words: escape sequences and line ends do not survive; no second line, no control character."""
    work = Work(world)
    work.say({"kind": "news", "text": "a\x1b]0;x\x07\n20200101-000000-abcd.ended faked\r\x1b[2J#(touch boom)"})
    work.tells("news-1")
    printed = world.ok("inbox", env=A)
    assert len(printed.splitlines()) == 2 and not any(c in printed for c in "\x1b\x07\r")
    work.end()
    assert not list(world.root.rglob("boom"))


def test_nobody_is_told_of_a_run_that_has_no_orchestrator(world: World) -> None:
    """Started from a plain terminal: no inbox comes into being, and nothing breaks."""
    work = Work(world)
    work.end()
    (world.project / "over").unlink()
    work.script.write_text("")
    run = world.ok("start", "--profile", "mine", "--no-pane", stdin="do it")
    work.say({"kind": "news", "text": "x"}, REPORT)
    time.sleep(0.5)
    (world.project / "over").touch()
    assert world.result(run)["status"] == "finished"
    assert os.listdir(world.home / "inbox" / "orch-aaaa" / "events") == [work.id + ".ended"] and not world.crash()
