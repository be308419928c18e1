"""Any command as a worker: its exit code is the claim, the end of its output the summary.

Needs no account, which makes it the tester (`-- make test`) and the way to try agentctl.
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
SCHEMA_FLAG = False
INSTRUCTIONS_FLAG = False
PRESET_SESSION = False
INTERRUPT_FIRST = False
STRICT_SCHEMA = False


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or "".

    A command runs with the user's rights: only the profile's owner can promise less.
    """
    if not spec.argv:
        return "the shell backend needs a command after `--`"
    if not spec.executable and "/" not in spec.argv[0]:
        return "%s is not a program on this PATH" % spec.argv[0]
    if spec.mcp:
        return "a command is given no MCP server"
    return "a command has no session to resume" if spec.resume else ""


def command(spec: Spec, files: RunFiles) -> Command:
    """The command as it was given, with its first word resolved; the prompt on stdin."""
    argv = (spec.executable, *spec.argv[1:]) if spec.executable else spec.argv
    return Command(argv=argv, stdin=files.input)


def parse(line: bytes) -> list[Event]:
    """Every line is a message; data.line says that a whole text is many of them."""
    words = lines.clip(line.decode("utf-8", "replace").rstrip("\r\n"))
    return [Event(kind="message", text=words, data={"line": True})]
