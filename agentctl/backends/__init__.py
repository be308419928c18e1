"""The table of backends. Only the adapter that is asked for is imported."""

from __future__ import annotations

from ..errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Protocol

    from ..model import Command
    from ..model import Event
    from ..model import RunFiles
    from ..model import Spec

    class Adapter(Protocol):
        """What an adapter module offers; documentation only, no class implements it."""

        EXECUTABLES: tuple[str, ...]
        SCHEMA_FLAG: bool
        INSTRUCTIONS_FLAG: bool
        PRESET_SESSION: bool
        INTERRUPT_FIRST: bool
        STRICT_SCHEMA: bool

        def refuse(self, spec: Spec) -> str: ...

        def command(self, spec: Spec, files: RunFiles) -> Command: ...

        def parse(self, line: bytes) -> list[Event]: ...


NAMES: dict[str, str] = {
    "claude": "Claude Code (Anthropic)",
    "codex": "Codex CLI (OpenAI)",
    "cursor": "Cursor CLI",
    "shell": "any command",
    "goal": "cycles of work and verification: `agentctl goal`",
    "anthropic": "Anthropic's Messages API, as a goal's orchestrator",
    "gemini": "the Gemini API, as a goal's orchestrator",
}
"""The backends that need no description in the configuration; each is a module here."""

OURS: dict[str, str] = {"goal": "_goal", "anthropic": "_converse", "gemini": "_converse"}
"""Those whose worker is a program of our own: by which errand it is called (errands.py)."""
OFFERED = tuple(name for name in NAMES if name not in OURS)
"""Those that a caller of `start` may ask for; the others work for goals."""


def adapter(name: str) -> Adapter:
    """The module of this name; a name that is not in NAMES is a usage error."""
    if name not in NAMES:
        raise usage_error("no backend named `%s`" % name, "one of: %s" % ", ".join(OFFERED))
    module: Adapter = _module(name)
    return module


def adapter_of(spec: Spec) -> Adapter:
    """The adapter that serves this spec, the user's own included."""
    if not spec.custom:
        return adapter(spec.backend)
    module: Adapter = _module("custom")
    return module


def parser(spec: Spec) -> Callable[[bytes], list[Event]]:
    """What turns this spec's raw lines into events; never raises on a line."""
    if not spec.custom:
        return adapter(spec.backend).parse
    stream = _module("custom").stream(spec)
    parse: Callable[[bytes], list[Event]] = _module("shell" if stream == "text" else stream).parse
    return parse


def wrong_with(described: object) -> str:
    """Why this description of a user's own backend will not do, or ""."""
    wrong: str = _module("custom").wrong_with(described)
    return wrong


def _module(name: str) -> Any:
    return __import__("%s.%s" % (__name__, name), fromlist=["command"])
