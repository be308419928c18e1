"""What the model in the live tests says: scenarios, chosen by a marker in the prompt.

A scenario is a list of steps; a step is one answer of the model, written without
any vendor's words, so that one table drives every vendor (stub_anthropic.py,
stub_openai.py and stub_gemini.py translate). The server keeps no state of a conversation: the newest
user text with a marker names the scenario, and the number of model turns since that
text is the number of the step. Any number of runs can therefore share one server.

    @@stub:NAME@@     one of SCENARIOS        @@stub:{step}@@     one step
    @@stub:[step, step]@@                     several steps, as JSON

Keys of a step:
    text      what the model says                thinking  what it thinks before
    write     {path: content}: create files      edit      {path: [old, new]}
    read      [path, ...]                        run       a shell command
    tools     [{"name":, "input":}]: tool calls in the vendor's own words; codex: "namespace"
    search    codex: words by which deferred tools are searched for
    report    the structured final answer (any JSON, valid or not)
    usage     {"input":, "cached":, "output":} instead of the constants below
    stop      the vendor's own stop reason       again     repeat this step for ever
    delay     seconds before anything is sent    pause     seconds between pieces of text
    hang      seconds of silence after the first piece
    cut       true: drop the connection after the first piece
    fail      an entry of the vendor's FAILURES  headers   added to the answer's
    message   the failure's text                 times     fail only so often, then answer
    raw       of an answer in one piece: bytes in its place; more: so many bytes after it
    of        the vendor that fails: "anthropic" or "openai"; the other one answers
    counted   the name under which `times` is counted, where it is not each session for itself
    resets    when the failure says that its limit ends: seconds since the epoch
"""

from __future__ import annotations

import json
import re
from typing import Any

Step = dict[str, Any]

MARKER = re.compile(r"@@stub:([\[{].*?[\]}]|[A-Za-z0-9_.-]+)@@", re.DOTALL)
INPUT_TOKENS, OUTPUT_TOKENS = 100, 10
"""What one answer of the model costs unless its step says otherwise."""

GOOD: Step = {"report": {"goal_met": True, "summary": "stub: done", "followup_prompt": "", "notes": ""}}
NOT_MET: Step = {"report": {"goal_met": False, "summary": "stub: half", "followup_prompt": "go on", "notes": "n"}}
SLEEP: Step = {"text": "This takes long.", "run": "sleep 61.7"}

SCENARIOS: dict[str, list[Step]] = {
    "ok": [GOOD],
    "not-met": [NOT_MET],
    "text": [{"text": "plain text answer"}],
    "edit": [
        {"text": "I will write a file.", "write": {"hello.txt": "hello from the stub\n"}},
        {"text": "Now a command.", "run": "ls && cat hello.txt"},
        {"report": {**GOOD["report"], "summary": "wrote hello.txt and read it"}},
    ],
    "write": [{"write": {"hello.txt": "hello from the stub\n"}}, GOOD],
    "bash-write": [{"run": "echo hello > by-shell.txt"}, GOOD],
    "both-write": [{"write": {"hello.txt": "hello\n"}}, {"run": "echo hello > by-shell.txt"}, GOOD],
    "sleep": [SLEEP, GOOD],
    "slow": [{"text": "slow " * 60, "pause": 0.25}],
    "hang": [{"text": "hanging...", "hang": 3600.0}],
    "cut": [{"text": "will be cut off", "cut": True}],
    "loop": [{"run": "echo again", "again": True}],
    "bad-report": [{"report": {"nope": 1}}],
    "no-report": [{"text": "I would rather not answer in JSON."}],
    "bad-request": [{"fail": "bad_request"}],
    "unauthorized": [{"fail": "unauthorized"}],
    "no-model": [{"fail": "no_model"}],
    "rate-limit": [{"fail": "rate_limit"}],
    "usage-limit": [{"fail": "usage_limit"}],
    "too-long": [{"fail": "too_long"}],
    "server-error": [{"fail": "server_error"}],
    "overloaded": [{"fail": "overloaded"}],
    "overloaded-once": [{"fail": "overloaded", "times": 1, **GOOD}],
}


def marker(*steps: Step) -> str:
    """The text that makes the model answer with these steps."""
    return "@@stub:%s@@" % json.dumps(steps)


def chosen(texts: list[str]) -> tuple[int, str, list[Step]]:
    """Of the user's texts: the number of the one that decides (-1: none), the scenario's name, its steps."""
    for number in range(len(texts) - 1, -1, -1):
        found = MARKER.findall(texts[number])
        if found:
            return (number, *_scenario(found[-1]))
    return -1, "ok", SCENARIOS["ok"]


def _scenario(token: str) -> tuple[str, list[Step]]:
    if token[0] not in "[{":
        return token, SCENARIOS.get(token) or [{"text": "stub: no scenario named %s" % token}]
    try:
        steps = json.loads(token)
    except ValueError as problem:
        return "unreadable", [{"text": "stub: unreadable marker: %s" % problem}]
    return "inline", steps if isinstance(steps, list) else [steps]


def step_at(steps: list[Step], turn: int) -> Step:
    """The answer of this turn. Past the end the last step is repeated, unless it calls tools."""
    last = steps[-1]
    if turn < len(steps) or last.get("again") or not last.keys() & {"run", "write", "edit", "read", "tools", "search"}:
        return steps[min(turn, len(steps) - 1)]
    return GOOD


def pieces(text: str, count: int) -> list[str]:
    """The text in at most `count` pieces, as a model would stream it."""
    size = max(1, -(-len(text) // count))
    return [text[at : at + size] for at in range(0, len(text), size)]
