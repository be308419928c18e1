"""The Gemini API: the worker is our own `agentctl _converse`, which holds the conversation.

It serves as a goal's orchestrator only: the goal's tools are all that it can do. Its lines
are our own (events.py); those of its conversation, out of which a later run goes on, are of
no interest elsewhere.
"""

from __future__ import annotations

from ..model import Command
from . import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Event
    from ..model import RunFiles
    from ..model import Spec

EXECUTABLES: tuple[str, ...] = ()
SCHEMA_FLAG = True
INSTRUCTIONS_FLAG = True
PRESET_SESSION = True
INTERRUPT_FIRST = False
STRICT_SCHEMA = False


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or ""."""
    return lines.unfit_for_api(spec)


def command(spec: Spec, files: RunFiles) -> Command:
    """Our own program, which finds its run in its environment; what it is asked on stdin."""
    return Command(argv=spec.argv, stdin=files.input)


def parse(line: bytes) -> list[Event]:
    """One line → its event, or none of a line of the conversation; total."""
    return lines.talked(line)
