"""A whole working session: bin/orch with the real Claude Code, whose model is a script in this file.

The script does what prompts/orchestrator.md teaches, and knows only what Claude Code sends it:
the output of its commands, and what wakes it. It takes a task apart, starts a Claude, a Codex
and a command as workers, waits in the background, reads, goes on with one conversation, gives
another to a stronger profile, reports; and after a compaction finds every run again.
"""

from __future__ import annotations

import fcntl
import json
import re
import shlex
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from typing import Optional

import pytest

from .arrow import Arrow
from .orchestrator import BARRED
from .orchestrator import Orch
from .orchestrator import texts_with
from .stub_scenarios import Step
from .stub_turn import Turn

RUN = re.compile(r"\b2\d{7}-\d{6}-[0-9a-f]{4}\b")
NOT_NEWS = re.compile("agentctl: not ended: .*")
WAKING = ("in your inbox", "Background command")
SUMMARY = "<summary>The user wants the shop built. agentctl starts the workers.</summary>"
START = """agentctl start --project p --title %s --backend %s --profile spark <<'END_OF_PROMPT'
Goal: the shop sells plums. %s
END_OF_PROMPT"""
RESUME = """agentctl resume --parent-run-id %s %s <<'END_OF_PROMPT'
The price of plums is missing. %s
END_OF_PROMPT"""

pytestmark = pytest.mark.live


class Mind:
    """The orchestrator's model: a script that is given the output of its last command and asked for the next.

    `woken`: ids of runs that it was told of and has not looked at; `read`: what it read of each.
    """

    def __init__(self, later: Path) -> None:
        self.woken: list[str] = []
        self.read: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, str] = {}
        self.said = ""
        self.later = later
        self._script = self._life()
        next(self._script)

    def __call__(self, turn: Turn) -> Optional[Step]:
        """Its answer; none of ours where it is not the orchestrator who asks."""
        if "You are the orchestrator" not in turn.instructions:
            return None
        fresh = turn.fresh()
        if any("your task is to create a detailed summary" in text.lower() for _, text in fresh):
            return {"text": SUMMARY}
        for role, text in fresh:
            if role == "tool":
                self.said = text
            elif any(word in text for word in WAKING):
                news = NOT_NEWS.sub("", text)
                self.woken += [run for run in RUN.findall(news) if run not in self.read]
        return next(self._script)

    def _life(self) -> Generator[Step, None, None]:
        yield {}
        yield from self._hand_out()
        yield from self._read_all()
        yield {"text": "REPORT: the shop sells plums; %d runs." % len(self.read)}
        yield from self._two_more()
        yield {"run": "agentctl inbox --all"}
        self.inbox = self.said
        yield {"run": "agentctl list -n 20"}
        yield {"text": "FOUND"}
        while True:
            yield {"text": "nothing left to do"}

    def _hand_out(self) -> Generator[Step, None, None]:
        yield {"text": "I look first.", "run": "agentctl projects"}
        assert "p" in self.said.split()
        yield from self._started("claude", START % ("prices", "claude", "@@stub:not-met@@"))
        yield from self._started("codex", START % ("plums", "codex", "@@stub:not-met@@"))
        yield from self._started("shell", "agentctl start --project p --title check --backend shell -- true")
        for name in ("claude", "codex"):
            yield {"tools": [background("agentctl wait %s" % self.runs[name])]}
        yield {"text": "three are at work"}

    def _started(self, name: str, command: str) -> Generator[Step, None, None]:
        yield {"run": command}
        assert RUN.fullmatch(self.said.strip()), self.said
        self.runs[name] = self.said.strip()

    def _read_all(self) -> Generator[Step, None, None]:
        """Look at whatever ended; a Claude that fell short gets the stronger profile, a Codex another turn."""
        after = {
            self.runs["claude"]: ("deeper", "--profile deep", "@@stub:ok@@"),
            self.runs["codex"]: ("again", "", "@@stub:write@@"),
        }
        while len(self.read) < 5:
            if not self.woken:
                yield {"text": "waiting"}
                continue
            run = self.woken.pop(0)
            if run in self.read:
                continue
            yield {"run": "agentctl show %s" % run}
            self.read[run] = json.loads(self.said)
            if run in after:
                name, option, prompt = after[run]
                yield from self._started(name, RESUME % (run, option, prompt))
                if name == "again":
                    yield {"tools": [background("agentctl wait %s" % self.runs[name])]}

    def _two_more(self) -> Generator[Step, None, None]:
        command = "agentctl start --project p --title %s --backend shell -- %s"
        yield from self._started("later", command % ("later", "sh %s" % self.later))
        yield from self._started("unread", command % ("unread", "true"))
        while self.runs["unread"] not in self.woken:
            yield {"text": "two more are at work"}
        yield {"text": "I look at it later."}
        while self.runs["later"] not in self.woken:
            yield {"text": "waiting for the last"}


def background(command: str) -> dict[str, Any]:
    """A call of Claude's Bash tool that does not wait for the command's end; its end is told by the description."""
    return {"name": "Bash", "input": {"command": command, "description": command, "run_in_background": True}}


def test_a_session_from_the_task_to_the_report_and_past_a_compaction(arrow: Arrow, tmp_path: Path) -> None:
    barrier, later = tmp_path / "barrier", tmp_path / "later.sh"
    later.write_text("exec %s\n" % shlex.join([sys.executable, "-I", "-S", "-c", BARRED, str(barrier)]))
    lock = barrier.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    mind = Mind(later)
    arrow.stub.plays.append(mind)
    try:
        tui = Orch(arrow, arrow.repo)
        tui.say("Build the shop.")
        tui.until(lambda: "REPORT" in tui.screen(), 90)
        _has_reported(arrow, tui, mind)
        tui.idle()
        tui.say("Two more, please.")
        tui.until(lambda: "I look at it later." in tui.screen(), 30)
        tui.idle()
        _compacts(arrow, tui, mind)
        lock.close()
        tui.until(lambda: "FOUND" in tui.screen(), 30)
        for run in mind.runs.values():
            assert run in mind.said, "not found again"
        assert mind.runs["unread"] in mind.inbox
        assert mind.runs["later"] in mind.inbox
        tui.idle()
        assert tui.pending() == []
    finally:
        lock.close()
        arrow.stub.plays.remove(mind)


def _has_reported(arrow: Arrow, tui: Orch, mind: Mind) -> None:
    read = {name: mind.read[run] for name, run in mind.runs.items()}
    assert {name: known["goal_met"] for name, known in read.items()} == {
        "claude": False,
        "codex": False,
        "shell": True,
        "deeper": True,
        "again": True,
    }
    assert {known["status"] for known in read.values()} == {"finished"}
    assert [read[name]["backend"] for name in ("claude", "codex", "shell")] == ["claude", "codex", "shell"]
    assert (read["deeper"]["parent"], read["deeper"]["profile"]) == (mind.runs["claude"], "deep")
    assert (read["again"]["parent"], read["again"]["session_id"]) == (mind.runs["codex"], read["codex"]["session_id"])
    assert (arrow.repo / "hello.txt").exists()
    assert tui.pending() == [], "all that it looked at is acknowledged"
    told = [text for _, text in texts_with(arrow.stub.asked(mind.runs["shell"]), mind.runs["shell"])]
    assert sum("in your inbox" in text for text in told) == 1


def _compacts(arrow: Arrow, tui: Orch, mind: Mind) -> None:
    """The conversation becomes its summary, and what is open is said again at its beginning."""
    assert tui.pending() == [mind.runs["unread"] + ".ended"]
    tui.say("/compact")
    tui.until(lambda: "Compacted" in tui.screen(), 30)
    tui.idle()
    tui.ask("What was that?")
    said = "\n".join(text for _, text in arrow.stub.asked("What was that?")[-1].said)
    assert SUMMARY.split(">")[1].split("<")[0] in said
    assert "Build the shop." not in said.split("What was that?")[-1]
    assert "not ended: " + mind.runs["later"] in said
    assert mind.runs["unread"] in said
