"""A backend of the user's own, described in config.json.

    {"argv": ["mycli", "--in", "{prompt_file}", "--model", "{model}"],
     "stdin": true, "stream": "claude" | "codex" | "cursor" | "text" | "events"}

Placeholders: {prompt_file} {schema_file} {instructions_file}
{model} {effort} {session_id} {cwd}. An argument whose placeholder stands for nothing
is left out together with the flag before it. Only the user's own configuration can
describe one: a repository's cannot name what runs.
"""

from __future__ import annotations

import re

from ..model import Command
from ..model import RunFiles
from ..model import Spec
from . import lines

EXECUTABLES: tuple[str, ...] = ()
SCHEMA_FLAG = False
INSTRUCTIONS_FLAG = False
PRESET_SESSION = False
INTERRUPT_FIRST = False
STRICT_SCHEMA = False

STREAMS = ("claude", "codex", "cursor", "text", "events")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_NO_FILES = RunFiles()


def wrong_with(described: object) -> str:
    """Why this description will not do, or ""."""
    if not isinstance(described, dict):
        return "it is not an object"
    argv, stdin, name = described.get("argv"), described.get("stdin", True), described.get("stream", "text")
    if not isinstance(argv, list) or not argv or not all(isinstance(w, str) and lines.passable(w) for w in argv):
        return "argv is a list of words, the first a program"
    if not argv[0]:
        return "argv begins with an empty word"
    unknown = {found for word in argv for found in _PLACEHOLDER.findall(word)} - _values(Spec(), _NO_FILES).keys()
    if unknown:
        return "argv has unknown placeholders: %s" % ", ".join(sorted(unknown))
    if not isinstance(stdin, bool):
        return "stdin is true or false"
    return "" if name in STREAMS else "stream is one of %s" % ", ".join(STREAMS)


def template(spec: Spec) -> tuple[str, ...]:
    """The described argv, or () if the description will not do."""
    return () if wrong_with(spec.custom) else tuple((spec.custom or {})["argv"])


def stream(spec: Spec) -> str:
    """Which vendor's lines it prints; plain text where it does not say."""
    name = (spec.custom or {}).get("stream")
    return name if name in STREAMS else "text"


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or ""."""
    wrong = wrong_with(spec.custom)
    if wrong:
        return "backend `%s` in config.json: %s" % (spec.backend, wrong)
    if spec.mcp:
        return "backend `%s` is one of your own, which is given no MCP server" % spec.backend
    if spec.resume and not any("{session_id}" in word for word in template(spec)):
        return "backend `%s` has no {session_id} in its argv: it cannot resume" % spec.backend
    try:
        lines.safe_session(spec.session_id or "new")
    except ValueError as unsafe:
        return str(unsafe)
    return ""


def command(spec: Spec, files: RunFiles) -> Command:
    """The described argv with its placeholders replaced once: a value is never read again."""
    values = _values(spec, files)
    argv: list[str] = []
    for word in template(spec):
        names = _PLACEHOLDER.findall(word)
        if any(not values.get(name, "") for name in names):
            if len(argv) > 1 and argv[-1].startswith("-"):
                argv.pop()
            continue
        argv.append(_PLACEHOLDER.sub(lambda found: values[found.group(1)], word))
    if spec.executable:
        argv[:1] = [spec.executable]
    return Command(argv=tuple(argv), stdin=files.input if (spec.custom or {}).get("stdin", True) else "")


def _values(spec: Spec, files: RunFiles) -> dict[str, str]:
    return {
        "prompt_file": files.input,
        "schema_file": files.schema,
        "instructions_file": files.instructions if spec.instructions else "",
        "model": spec.model,
        "effort": spec.effort,
        "cwd": spec.cwd,
        "session_id": lines.safe_session(spec.session_id) if spec.resume else "",
    }
