"""A goal: our own driver of cycles as a worker, which prints our own event lines.

What it prints is its journal (goals/journal.py): a line of kind `step` for each step.
Its exit code is the verdict, which no file can forge: 0 only where the work was accepted.
"""

from __future__ import annotations

from ..model import Command
from ..model import Event
from . import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import RunFiles
    from ..model import Spec

EXECUTABLES: tuple[str, ...] = ()
SCHEMA_FLAG = True
INSTRUCTIONS_FLAG = True
PRESET_SESSION = False
INTERRUPT_FIRST = False
STRICT_SCHEMA = False

STEP = "goal"
"""What the run of a goal is, of the goal; those that work for it are other steps."""
_KINDS = frozenset(("step", "message", "news", "report", "error"))


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or ""."""
    return "" if spec.step == STEP else "a goal is set by `agentctl goal`"


def command(spec: Spec, files: RunFiles) -> Command:
    """The driver, as whoever started the goal named it; the goal on stdin."""
    return Command(argv=spec.argv, stdin=files.prompt)


def parse(line: bytes) -> list[Event]:
    """One line of the driver's. Total."""
    return lines.told(line, _KINDS)
