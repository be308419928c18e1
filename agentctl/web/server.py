"""The server: one loop that takes requests in, threads that answer them.

The loop alone reads heads and bodies, of hundreds of connections at a time and never
waiting for one, so a client that is slow on purpose holds a descriptor for five seconds
and no thread. A head is checked before its body is taken; what is whole goes to one of at
most 64 threads. An answer that is not read is given up after five seconds without a byte.
HTTP/1.0: one request for a connection, so nothing can hide behind the first.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time

from .. import openfiles
from ..errors import AgentctlError
from ..signals import LOOK_UP_S
from . import frames
from . import guard
from . import routes
from . import streams
from .guard import Head
from .guard import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .guard import Gate
    from .site import Site

_PATIENCE_S = 5.0
"""For a head, for a body, for a byte of an answer to be taken."""
_LONGEST_ANSWER_S = 60.0
_FAREWELL_S = 1.0
"""How long what a refused client still sends is read, so that it can read why it was refused."""
_BACKLOG = 128
_MOST_WAITING, _FEWEST_WAITING = 400, 16
_MOST_HANDLERS = 64
_MOST_STREAMS = 32
_MOST_STRANGERS = 16
_FOR_ANSWERS = 3 * _MOST_HANDLERS + 2 * _MOST_STREAMS + 2 * _MOST_STRANGERS
"""Descriptors that those who wait must leave: without one a file cannot be read, and is taken for damaged."""
_CHUNK = 1 << 16


def listening(address: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises AgentctlError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(_BACKLOG)
        made.setblocking(False)
    except (OSError, OverflowError) as e:
        made.close()
        why = e.strerror if isinstance(e, OSError) else "no such port"
        raise AgentctlError(
            "cannot listen on %s port %d: %s" % (address, port, why), "choose another port: `agentctl web --port 0`"
        ) from None
    return made


class Waiting:
    """A connection whose request is not whole yet, or, once it is `refused`, whose last words are read away."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock = sock
        self.deadline = deadline
        self.data = bytearray()
        self.head: Head | None = None
        self.body = 0
        self.refused = False
        self.gone = False


class Strangers:
    """The sockets that have not said the token yet: anybody can open one.

    Few, and of too many the one that has waited longest goes: whoever has the token says it
    at once, while those who say nothing only push each other out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socks: list[socket.socket] = []

    def enter(self, sock: socket.socket) -> None:
        with self._lock:
            self._socks.append(sock)
            if len(self._socks) > _MOST_STRANGERS:
                _hang_up(self._socks.pop(0))

    def leave(self, sock: socket.socket) -> bool:
        """Whether it was one still, not sent away. Asked before it is closed: its number may be another's then."""
        with self._lock:
            found = sock in self._socks
            if found:
                self._socks.remove(sock)
            return found


def _hang_up(sock: socket.socket) -> None:
    """For the thread that waits for its words to wake, find the end, and close it."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has gone by itself


class Server:
    """What is open, and how much of it."""

    def __init__(self, listeners: Iterable[socket.socket], gate: Gate, site: Site, shown: routes.Page) -> None:
        self._gate = gate
        self._site = site
        self._page = shown
        self._selector = selectors.DefaultSelector()
        self._waiting: dict[int, Waiting] = {}
        room = openfiles.room_for(_MOST_WAITING + _FOR_ANSWERS)
        self._most_waiting = max(room - _FOR_ANSWERS, _FEWEST_WAITING)
        self._handlers = threading.BoundedSemaphore(_MOST_HANDLERS)
        self._streams = threading.BoundedSemaphore(_MOST_STREAMS)
        # Threads of those who began as strangers: some stream by now, some wait, and some were just sent away.
        self._greeted = threading.BoundedSemaphore(_MOST_STREAMS + 2 * _MOST_STRANGERS)
        self._strangers = Strangers()
        for listener in listeners:
            self._selector.register(listener, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Until something is raised, as by a signal."""
        while True:
            for key, _ in self._selector.select(0.5 if self._waiting else LOOK_UP_S):
                if key.data is None:
                    self._accept(key.fileobj)  # type: ignore[arg-type]
                else:
                    self._read(key.data)
            self._expire(time.monotonic())

    def _accept(self, listener: socket.socket) -> None:
        """All that have come; of too many the one that has waited longest goes."""
        for _ in range(_BACKLOG):
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:
                self._drop_oldest()  # out of descriptors: somebody has to go, or nobody gets in
                return
            sock.setblocking(False)
            if len(self._waiting) >= self._most_waiting:
                self._drop_oldest()
            waiting = Waiting(sock, time.monotonic() + _PATIENCE_S)
            self._waiting[sock.fileno()] = waiting
            self._selector.register(sock, selectors.EVENT_READ, waiting)

    def _drop_oldest(self) -> None:
        if self._waiting:
            self._drop(next(iter(self._waiting.values())))

    def _drop(self, waiting: Waiting) -> None:
        self._forget(waiting)
        waiting.sock.close()

    def _forget(self, waiting: Waiting) -> None:
        waiting.gone = True
        del self._waiting[waiting.sock.fileno()]
        self._selector.unregister(waiting.sock)

    def _expire(self, now: float) -> None:
        for waiting in [one for one in self._waiting.values() if one.deadline < now]:
            self._drop(waiting)

    def _read(self, waiting: Waiting) -> None:
        """What has come; of one that had to go meanwhile, nothing."""
        if waiting.gone:
            return
        try:
            data = waiting.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # it broke off
        if not data:
            self._drop(waiting)
        elif not waiting.refused:
            waiting.data += data
            try:
                self._go_on(waiting)
            except RefusedError as e:
                self._refuse(waiting, e)

    def _go_on(self, waiting: Waiting) -> None:
        """With what there is of the request. Raises RefusedError."""
        if waiting.head is None:
            end = guard.end_of_head(bytes(waiting.data))
            if end is None:
                return
            waiting.head = guard.checked(bytes(waiting.data[: end - 4]), self._gate)
            routes.admitted(waiting.head, self._page)
            waiting.body, waiting.deadline = end, time.monotonic() + _PATIENCE_S
        more = len(waiting.data) - waiting.body - waiting.head.length
        if more > 0:
            raise RefusedError(400, "something follows the request")
        if more == 0:
            self._hand_over(waiting, waiting.head)

    def _refuse(self, waiting: Waiting, error: RefusedError) -> None:
        """Say why, at once, and read away what is still sent: closed at once, it would lose the answer."""
        try:
            waiting.sock.send(routes.refusal(error))
            waiting.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(waiting)
            return
        waiting.refused, waiting.deadline = True, time.monotonic() + _FAREWELL_S
        waiting.data.clear()

    def _hand_over(self, waiting: Waiting, head: Head) -> None:
        """To a thread of its own. Raises RefusedError where there are too many."""
        slots = self._slots(head)
        if not slots.acquire(blocking=False):
            raise RefusedError(503, "too many are asking at this moment", "close a page that is not looked at")
        self._forget(waiting)
        if slots is self._greeted:
            self._strangers.enter(waiting.sock)
        body = bytes(waiting.data[waiting.body :])
        threading.Thread(target=self._work, args=(waiting.sock, head, body, slots), daemon=True).start()

    def _slots(self, head: Head) -> threading.BoundedSemaphore:
        """A stream's place is for the token alone: a socket without it in its head has none yet."""
        if head.path not in (routes.LIVE, routes.SOCKET):
            return self._handlers
        return self._streams if head.known else self._greeted

    def _work(self, sock: socket.socket, head: Head, body: bytes, slots: threading.BoundedSemaphore) -> None:
        """In a thread: answer, and close. Whoever has gone, or does not read, needs no answer."""
        try:
            sock.settimeout(_PATIENCE_S)
            if slots is self._handlers:
                write(sock, self._answer(head, body))
                sock.shutdown(socket.SHUT_WR)
            else:
                self._follow(sock, head)
        except OSError:
            pass  # it has gone, or was too slow
        finally:
            self._strangers.leave(sock)
            sock.close()
            slots.release()

    def _answer(self, head: Head, body: bytes) -> bytes:
        try:
            return routes.answer(self._site, self._page, head, body)
        except RefusedError as e:
            return routes.refusal(e)
        except Exception as e:
            # A bug of ours is the answer to this request; the others are answered.
            return routes.refusal(RefusedError(500, "unexpected error: %s: %s" % (type(e).__name__, str(e)[:300])))

    def _follow(self, sock: socket.socket, head: Head) -> None:
        def send(data: bytes) -> None:
            write(sock, data)

        try:
            given = routes.live(head.query)
        except RefusedError as e:
            send(routes.refusal(e))
            return
        if head.socket:
            messages = streams.Messages(sock, send, head.socket, head.protocol)
            if head.known:
                streams.follow(self._site, messages, given)
            elif messages.has_token(self._gate.token) and self._strangers.leave(sock):
                self._follow_admitted(messages, given)
        else:
            streams.follow(self._site, streams.Events(sock, send), given)

    def _follow_admitted(self, messages: streams.Messages, given: dict[str, str]) -> None:
        """A stranger no more: now it takes a stream's place, where there is one."""
        if not self._streams.acquire(blocking=False):
            messages.end(frames.LATER)
            return
        try:
            streams.follow(self._site, messages, given)
        finally:
            self._streams.release()


def write(sock: socket.socket, data: bytes) -> None:
    """All of it, as long as the client takes some. Raises OSError."""
    view, deadline = memoryview(data), time.monotonic() + _LONGEST_ANSWER_S
    while view:
        view = view[sock.send(view[:_CHUNK]) :]
        if time.monotonic() > deadline:
            raise TimeoutError
