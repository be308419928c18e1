"""What a model may call, as values: tools, the answers they give, and who listens while one works.

Whoever offers tools (goals, the verbs of the command line) makes a `Toolset`; whoever
carries calls (the MCP server, the loops of the API orchestrators) knows nothing else of it.
"""

from __future__ import annotations

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Protocol

    class Caller(Protocol):
        """Who waits for a call: told how it goes, asked whether it is still wanted."""

        def progress(self, words: str) -> None: ...

        def gone(self) -> bool: ...

    class Toolset(Protocol):
        """Tools, and what does their work. `call` raises AgentctlError, which is an answer too: an error."""

        tools: Sequence[Tool]

        def call(self, name: str, arguments: dict[str, Any], caller: Caller) -> Answer: ...


class Tool(Record):
    """One tool: its name, what a model is told of it, the JSON Schema of its arguments.

    `reads` says that calling it changes nothing.
    """

    name: str = ""
    description: str = ""
    schema: dict[str, Any] = {}
    reads: bool = False


class Answer(Record):
    """What came of a call, in words for a model. `over`: there is nothing more to do in this conversation."""

    text: str = ""
    error: bool = False
    over: bool = False
