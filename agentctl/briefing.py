"""What a worker is told that is known only when its turn has come.

A prompt may be put together of parts, some of which are the reports of runs that come
before: `parts.json`, a list of {"text": …} and {"run": ID, "field": …, "title": …}. And an
agent that begins a fresh conversation is first told what it knew. What other workers wrote
is data: fenced, cut to a length, under a line that says so. Only the holder of the run's
lock calls this; prompt.md then says what was asked in full.
"""

from __future__ import annotations

import json

from . import backends
from . import files
from . import judge
from . import prompting
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from .attend import Attendant
    from .model import Result
    from .model import Spec
    from .store import Home
    from .store import Run

PARTS = "parts.json"
FIELDS = ("report", "summary", "followup_prompt", "notes", "diff")
"""What a part may name of a run that came before."""
_LONGEST_PROMPT = 1 << 30


def complete(attendant: Attendant) -> str:
    """Write the prompt that is told, before the worker starts; or why there is none, else "". Raises OSError."""
    run, spec = attendant.run, attendant.spec
    if spec.composed:
        prompt = _composed(run)
        if prompt is None:
            return "what it was to be told cannot be read any more: %s is damaged" % PARTS
        files.replace(run.file("prompt.md"), _bytes(prompt))
    asked = files.read(run.file("prompt.md"), _LONGEST_PROMPT).decode("utf-8", "surrogateescape")
    told = "%s\n\n---\n\n%s" % (attendant.seed.rstrip("\n"), asked) if attendant.seed else asked
    files.replace(run.file("input.md"), _bytes(as_input(run, spec, told)))
    return ""


def as_input(run: Run, spec: Spec, prompt: str) -> str:
    """What goes to the worker's stdin: with whatever its vendor has no flag for."""
    adapter = backends.adapter_of(spec)
    instructions = "" if adapter.INSTRUCTIONS_FLAG else run.text("instructions.md")
    return prompting.compose_input(prompt, instructions, "" if adapter.SCHEMA_FLAG else run.text("schema.json"))


def _composed(run: Run) -> Optional[str]:
    """None where the parts cannot be read: of a prompt, nobody knows what a half of it would ask for."""
    parts = files.load(run.file(PARTS), _LONGEST_PROMPT)
    if not (isinstance(parts, list) and parts and all(isinstance(part, dict) for part in parts)):
        return None
    return "".join(_part(run.home, part) for part in parts)


def _part(home: Home, part: dict[str, Any]) -> str:
    if "run" not in part:
        return str(part.get("text", ""))
    title, field = str(part.get("title", "")), str(part.get("field", "report"))
    if not part["run"]:
        return prompting.from_another(title, "nothing: its run was removed")
    try:
        run = last_of(home, home.run(str(part["run"])))
        result = run.result()
    except AgentctlError as e:
        return prompting.from_another(title, "nothing: %s" % e)
    if result is None:
        return prompting.from_another(title, "nothing: it has not ended")
    return prompting.from_another(title, *_said(run, result, field))


def last_of(home: Home, run: Run) -> Run:
    """The run that went on for this one, as far as that went. Raises AgentctlError."""
    result = run.result()
    while result is not None and result.successor:
        run = home.run(result.successor)
        result = run.result()
    return run


def _said(run: Run, result: Result, field: str) -> tuple[str, str]:
    """(text, the fence's label): a field of a valid report, or how the run ended without one."""
    if field == "diff":
        return run.text("diff.patch", 1 << 20) or "no change", "diff"
    if field != "report":
        return str(getattr(result, field, "")) or "nothing", ""
    if result.report is None:
        return result.summary or "no report: %s" % judge.headline(result), ""
    known = {**result.report, "status": result.status, "verified": result.verified}
    return json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False), "json"


def _bytes(words: str) -> bytes:
    return words.encode("utf-8", "surrogateescape")
