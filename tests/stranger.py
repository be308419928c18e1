"""A stranger's program that imports agentctl: another process, in the project's directory."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import Any

from conftest import REPO
from conftest import World

MINI = """#!/usr/bin/env python3
# A vendor's CLI in miniature: prints the claude stream, remembers its sessions in a file.
import json, os, sys, time, uuid
words, prompt = sys.argv[1:], sys.stdin.read()
session = words[words.index("--session") + 1] if "--session" in words else str(uuid.uuid4())
with open(os.environ["AGENT_LOG"], "a") as log:
    log.write(json.dumps({"session": session, "words": words, "prompt": prompt, "cwd": os.getcwd()}) + "\\n")
while "UNTIL GO" in prompt and not os.path.exists("go"):
    time.sleep(0.02)
met = "weak" not in words
heard = sum(json.loads(line)["session"] == session for line in open(os.environ["AGENT_LOG"]))
report = {"goal_met": met, "summary": "turn %d" % heard, "followup_prompt": "", "notes": ""}
print(json.dumps({"type": "system", "subtype": "init", "session_id": session, "model": "m", "apiKeySource": "none"}))
print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "session_id": session, "num_turns": 1,
                  "structured_output": report, "result": "done",
                  "usage": {"input_tokens": 100, "output_tokens": 10}}))
"""
TURNS = """
from agentctl import Agent
from agentctl import Session

builder = Agent(Session("mini"), "You build things.")
reviewer = Agent(Session("mini", "big"), "You review things.", pane=False)
assert builder.session.session_id == "" and builder.session.stats.input is None
for n in range(3):
    work = builder.run("build %d" % n, FOLDER)
    review = reviewer.run("review what it says: " + work.summary, FOLDER)
    assert (work.summary, review.summary) == ("turn %d" % (n + 1),) * 2, (work, review)
assert builder.session.session_id == work.session_id != review.session_id == reviewer.session.session_id
print(builder.session.stats.input, reviewer.session.stats.output, builder.session.stats.cost_usd)
print(*builder.session.runs)
"""
GRAPH = """
from agentctl import Agent, Session, events, workflow
builder = Agent(Session("mini"), "You build {{things}}.", max_turns=5)
flow = workflow(
    [
        {"command": "echo begun; until [ -e go ]; do sleep 0.02; done; echo base"},
        {"command": "test -e mended"},
        builder,
        {"command": "echo last"},
        "Sum up for me: {{prompt}}",
    ],
    dependencies={1: [0], 2: [0], 3: [1, 2], 4: [2]},
    prompt="THE WISH",
    backend="mini",
    pane=False,
)
seen = []
for event in events(flow.runs[0]):
    seen.append(event.text)
    if event.text == "begun":
        print(flow.status, [result.status for result in flow.results()])
        open("go", "w").close()
print("base" in seen)
"""
OUTCOME = """
results = flow.wait()
print(flow.status, [(result.status, result.goal_met) for result in results])
print(flow.id, [result.run_id for result in results] == flow.runs, [result.step for result in results])
"""


def with_mini(world: World) -> World:
    """A backend `mini` of the user's own, and profiles of it."""
    program = world.root / "mini"
    program.write_text(MINI)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    backends = {"mini": {"argv": [str(program), "{model}", "--session", "{session_id}"], "stream": "claude"}}
    weak = {"backends": [{"backend": "mini", "model": "weak"}], "escalate_to": "strong", "escalate": True}
    strong = {"backends": [{"backend": "mini", "model": "strong"}]}
    world.config(backends=backends, profiles={"weak": weak, "strong": strong})
    world.env["AGENT_LOG"] = str(world.root / "agent.log")
    return world


def calls(world: World) -> list[dict[str, Any]]:
    """What the vendor in miniature was asked, in order."""
    return [json.loads(line) for line in (world.root / "agent.log").read_text().splitlines()]


def popen(world: World, code: str, python: str = "", **names: object) -> subprocess.Popen[str]:
    """A stranger's program, in the project's directory; `names` are given to it.

    `python`: one that has agentctl installed; else the checkout is on the path.
    """
    given = "".join("%s = %r\n" % (name, value) for name, value in names.items())
    return subprocess.Popen(
        [python or sys.executable, "-c", given + code],
        cwd=world.project,
        env=world.env if python else {**world.env, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(world: World, code: str, python: str = "", **names: object) -> list[str]:
    """The lines that the program prints; it must end well and say nothing else."""
    with popen(world, code, python, **names) as program:
        out, err = program.communicate(timeout=90)
    assert (program.returncode, err) == (0, ""), (out, err, world.crash())
    return out.splitlines()


def spec(world: World, run_id: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((world.folder(run_id) / "meta.json").read_text())
    return loaded
