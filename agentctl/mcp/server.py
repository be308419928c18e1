"""The MCP server as a process: lines in, lines out, a thread for each call.

It ends with its client: at the end of stdin, when stdout is closed, on SIGTERM. What
waits then is told that nobody waits for it any more; runs go on.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

from .. import __version__
from .. import files
from .. import schema
from ..errors import AgentctlError
from ..signals import LOOK_UP_S
from ..toolset import Answer
from . import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from ..toolset import Tool
    from ..toolset import Toolset
    from .protocol import Id
    from .protocol import Message

_CHUNK = 1 << 16
_BEAT_S = 5.0
"""Between two words of progress of one call."""
_MOST_CALLS = 100
_LAST_WORDS_S = 5.0
"""How long calls are left to end when the client has: what is half started is not left half."""


def serve(toolset: Toolset, instructions: str = "") -> int:
    """Answer the client on stdin and stdout until it ends."""
    source, sink = _own_streams()
    server = Server(toolset, sink, instructions)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        for line in lines(source):
            server.hear(line)
            if server.over:
                break
    except KeyboardInterrupt:
        pass  # asked to end, which is no failure
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    server.close()
    return 0


def _own_streams() -> tuple[int, int]:
    """The streams for the protocol alone: what else is printed goes to stderr, and no child reads or holds them."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return source, sink


def lines(source: int, longest: int = protocol.LONGEST) -> Iterator[bytes]:
    """The lines of a stream, the last also where its end is missing; of one that is too long what shows that."""
    parts: list[bytes] = []
    size = 0
    while True:
        while not select.select([source], [], [], LOOK_UP_S)[0]:
            pass
        chunk = os.read(source, _CHUNK)
        if not chunk:
            yield b"".join(parts)
            return
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield b"".join([*parts, piece])
            parts, size = [], 0
        if size <= longest:
            parts.append(rest)
            size += len(rest)


class Server:
    """What is known of one client: whether it said hello, and its calls that are not answered yet."""

    def __init__(self, toolset: Toolset, sink: int, instructions: str) -> None:
        self._toolset = toolset
        self._tools = {tool.name: tool for tool in toolset.tools}
        self._instructions = instructions
        self._sink = sink
        self._writing = threading.Lock()
        self._guard = threading.Lock()
        self._calls: dict[Id, Call] = {}
        self._begun = False
        self.over = False

    def hear(self, line: bytes) -> None:
        """Do what a line asks for. Whatever it holds, the next is heard."""
        try:
            message = protocol.read(line)
            if message is None:
                return
            if message.id is None:
                self._note(message)
            else:
                protocol.check(message, self._begun)
                self._take(message)
        except protocol.RefusedError as e:
            self.say(e.answer())

    def _note(self, message: Message) -> None:
        """A notification; those that mean nothing to us are passed over, as is the end of what we do not know."""
        of = message.params.get("requestId")
        if message.method == protocol.CANCEL and isinstance(of, (str, int)) and not isinstance(of, bool):
            with self._guard:
                call = self._calls.pop(of, None)
            if call:
                call.leave()

    def _take(self, message: Message) -> None:
        if message.method == protocol.CALL:
            self._call(message)
            return
        value: dict[str, Any] = {}
        if message.method == protocol.INITIALIZE:
            value = protocol.welcome(message, __version__, self._instructions)
            self._begun = True
        elif message.method == protocol.LIST:
            value = protocol.listing(message, self._toolset.tools)
        self.say(protocol.result(message.id, value))

    def _call(self, message: Message) -> None:
        """Begin a call. Raises RefusedError."""
        name, given, token = protocol.asked(message)
        given = self._checked(message, name, given)
        if message.id in self._calls:  # an answer with this id would be taken for the other call's
            raise protocol.RefusedError(protocol.INVALID_REQUEST, "a call with this id is not answered yet")
        if len(self._calls) >= _MOST_CALLS:
            raise protocol.RefusedError(
                protocol.INVALID_REQUEST, "more than %d calls at a time" % _MOST_CALLS, message.id
            )
        call = Call(self, message.id, token)
        with self._guard:
            self._calls[call.id] = call
        call.begin(lambda: self._work(call, name, given))

    def _checked(self, message: Message, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the tool takes them; null stands for one left out. Raises RefusedError."""
        tool: Optional[Tool] = self._tools.get(name)
        if tool is None:
            raise protocol.RefusedError(protocol.BAD_PARAMS, "no tool `%s`" % name[:80], message.id)
        meant: dict[str, Any] = schema.without_nulls(given, tool.schema)
        wrong = schema.problems(meant, tool.schema)
        if wrong:
            raise protocol.RefusedError(
                protocol.BAD_PARAMS, "arguments of `%s`: %s" % (name, "; ".join(wrong)), message.id
            )
        return meant

    def _work(self, call: Call, name: str, given: dict[str, Any]) -> None:
        """In the call's own thread: do it, and answer unless the client took it back meanwhile."""
        try:
            said = protocol.result(call.id, protocol.content(self._toolset.call(name, given, call)))
        except AgentctlError as e:
            words = "%s\nhint: %s" % (e, e.hint) if e.hint else str(e)
            said = protocol.result(call.id, protocol.content(Answer(text=words, error=True)))
        except OSError as e:
            words = "%s: %s" % (e.filename or "cannot read or write", e.strerror)
            said = protocol.result(call.id, protocol.content(Answer(text=words, error=True)))
        except Exception as e:
            # A bug of ours is the answer to this call; the others go on.
            words = "unexpected error: %s: %s" % (type(e).__name__, e)
            said = protocol.RefusedError(protocol.INTERNAL_ERROR, words[:300], call.id).answer()
        with self._guard:
            wanted = self._calls.get(call.id) is call
            if wanted:
                del self._calls[call.id]
        if wanted:
            self.say(said)

    def say(self, message: dict[str, Any]) -> None:
        """One line, whole. A client that has closed its end hears no more."""
        data = protocol.line(message)
        with self._writing:
            try:
                if not self.over:
                    files.write_all(self._sink, data)
            except OSError:
                self.over = True

    def close(self) -> None:
        """Have what is in flight end; what can, still answers."""
        deadline = time.monotonic() + _LAST_WORDS_S
        with self._guard:
            left = list(self._calls.values())
        for call in left:
            call.leave()
        for call in left:
            call.join(max(deadline - time.monotonic(), 0.0))


class Call:
    """A call that is not answered yet: the `Caller` of the tool."""

    def __init__(self, server: Server, of: Id, token: Optional[Id]) -> None:
        self.id = of
        self._server = server
        self._token = token
        self._gone = False
        self._told = 0
        self._at = 0.0
        self._thread = threading.Thread(target=lambda: None, daemon=True)

    def begin(self, work: Any) -> None:
        """In a thread of its own."""
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self._gone = True

    def gone(self) -> bool:
        return self._gone

    def progress(self, words: str) -> None:
        """Told at once the first time, and then every few seconds, if the client asked to be told."""
        now = time.monotonic()
        if self._token is None or self._gone or (self._told and now - self._at < _BEAT_S):
            return
        self._told, self._at = self._told + 1, now
        self._server.say(protocol.progress(self._token, self._told, words))
