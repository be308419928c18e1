"""A conversation of agentctl with the model server, for tests: in this process, or as a program of its own.

As a program it does what `agentctl _converse` does, but with the tools of `Tools` in place of a goal's:

    python -m live.converser HOME RUN_ID   (the key and the address are in the environment, the prompt on stdin)
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Optional

from agentctl.conversing import asking
from agentctl.conversing import loop
from agentctl.conversing import main as program
from agentctl.conversing.journal import Stream
from agentctl.conversing.loop import Talk
from agentctl.errors import AgentctlError
from agentctl.model import Limits
from agentctl.toolset import Answer
from agentctl.toolset import Tool

if TYPE_CHECKING:
    from agentctl.toolset import Caller

KEY = "sk-test-0123456789-secret"
SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "config" / "report.schema.json").read_text())
ASK = {
    "type": "object",
    "properties": {"to": {"type": "string"}, "prompt": {"type": "string"}, "fresh": {"type": ["boolean", "null"]}},
    "required": ["to", "prompt"],
    "additionalProperties": False,
}
SUMMARY = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}


class Tools:
    """Tools that note who called what; `ask` of `together` waits until as many calls are at work as `party` says."""

    def __init__(self, notes: Optional[Path] = None, party: int = 1) -> None:
        self.tools: Sequence[Tool] = (
            Tool(name="ask", description="Ask a worker.", schema=ASK),
            Tool(name="show", description="Show a run.", schema={"type": "object", "properties": {}}, reads=True),
            Tool(name="done", description="It is done.", schema=SUMMARY),
        )
        self.called: list[tuple[str, dict[str, Any]]] = []
        self._notes = notes
        self._party = threading.Barrier(party, timeout=20)

    def call(self, name: str, arguments: dict[str, Any], caller: Caller) -> Answer:
        self.called.append((name, arguments))
        if self._notes:
            with self._notes.open("a") as f:
                f.write("%s\n" % json.dumps([name, arguments]))
        if name == "done":
            return Answer(text="It will be checked.", over=True)
        to = arguments.get("to", "")
        if to == "together":
            self._party.wait()
        if to == "never" and self._notes and not (self._notes.parent / "let go").exists():
            caller.progress("still at work")
            time.sleep(600)
        if to == "nobody":
            raise AgentctlError("no agent named nobody", "ask one of the team")
        return Answer(text="answer to %s" % arguments.get("prompt", name))


class Held:
    """What came of a conversation: its exit code, its lines, what the tools saw, how long it would have waited."""

    def __init__(self, code: int, raw: bytes, tools: Tools, naps: list[float]) -> None:
        self.code = code
        self.raw = raw
        self.tools = tools
        self.naps = naps
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in raw.splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [{"text": line.get("text", ""), **line["data"]} for line in self.lines if line["kind"] == kind]

    @property
    def report(self) -> dict[str, Any]:
        (end,) = self.of("report")
        found: dict[str, Any] = end["report"]
        return found


def hold(url: str, dialect: str, prompt: str, folder: Path, tools: Optional[Tools] = None, **more: Any) -> Held:
    """One conversation to its end, without waiting between tries."""
    tools, naps = tools or Tools(), list[float]()
    seconds = more.pop("seconds", 20.0)
    headers = asking.DIALECTS[dialect].headers(KEY)
    place = asking.Place(dialect=dialect, base=url, headers=headers, seconds=seconds)
    more = {"model": asking.DIALECTS[dialect].MODEL, "schema": SCHEMA, "limits": Limits(max_turns=20), **more}
    talk = Talk(place=place, session_id="s-1", instructions="You lead a team.", prompt=prompt, **more)
    path = folder / ("raw-%s.jsonl" % os.urandom(3).hex())
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        code = loop.converse(talk, tools, Stream(fd, KEY), naps.append)
    finally:
        os.close(fd)
    return Held(code, path.read_bytes(), tools, naps)


def main(home: str, run_id: str) -> int:
    """As the errand, with these tools."""
    notes = Path(home) / "called"
    program._tools = lambda *_: Tools(notes)
    return program.main({**os.environ, "AI_ORCH_HOME": home, "AGENTCTL_RUN_ID": run_id})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
