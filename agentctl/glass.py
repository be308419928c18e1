"""The whole screen of a terminal for a while, its keys and its signals; given back whatever ends that.

The alternate screen, without cursor and autowrap, keys one by one and not echoed. A signal is
something to be heard like a key: no work is done in a handler. ^Z gives the terminal back, too.
"""

from __future__ import annotations

import os
import select
import signal
import termios

from . import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import TypeVar

    R = TypeVar("R")

AGAIN = "again"
"""What is heard where everything must be painted again: another size, or another program has been on the screen."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_NOTED = (*ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)
_ENTER = "\033[?1049h\033[?25l\033[?7l\033[2J"
_LEAVE = "\033[?7h\033[?25h\033[?1049l"
_NAMES = {"\r": "enter", "\n": "enter", "\033[A": "up", "\033[B": "down", "\033OA": "up", "\033OB": "down"}
_NAMES.update({"\033[5~": "page up", "\033[6~": "page down", "\033[H": "home", "\033[F": "end"})


def keys(data: bytes) -> list[str]:
    """The keys that were pressed; of sequences that we do not know, none."""
    found, rest = [], data.decode("ascii", "replace")
    while rest:
        size = _sequence(rest)
        word, rest = rest[:size], rest[size:]
        name = _NAMES.get(word, word if len(word) == 1 and word.isprintable() else "")
        found += [name] if name else []
    return found


def _sequence(rest: str) -> int:
    """How long the first key is: a letter, or what begins with Escape and ends with a letter or `~`."""
    if not rest.startswith(("\033[", "\033O")):
        return 1
    for n, c in enumerate(rest[2:], 3):
        if c.isalpha() or c == "~":
            return n
    return len(rest)


class Glass:
    """`with Glass() as glass:`. `ended` is the signal that wants us to end; `left` stays on the normal screen."""

    def __init__(self) -> None:
        self.ended = 0
        self.left = ""
        self._signals: set[int] = set()
        self._handlers: dict[int, Any] = {}
        self._wake, self._poke = os.pipe()
        self._mode: list[Any] = []

    def __enter__(self) -> Glass:
        for fd in (self._wake, self._poke):
            os.set_blocking(fd, False)
        self._mode = termios.tcgetattr(0)
        for number in _NOTED:
            self._handlers[number] = signal.signal(number, self._note)
        signal.set_wakeup_fd(self._poke, warn_on_full_buffer=False)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back(self.left)
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: object) -> None:
        self._signals.add(number)

    def _take(self) -> None:
        mode = [*self._mode]
        mode[0] &= ~termios.IXON  # ^S would block us in the midst of a frame, where no signal is heard
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        self.write(_ENTER)

    def _give_back(self, words: str = "") -> None:
        try:
            termios.tcsetattr(0, termios.TCSANOW, self._mode)
        except termios.error:
            pass  # the terminal is gone, and nobody left to see its mode
        self.write(_LEAVE + words)

    def size(self) -> tuple[int, int]:
        """(columns, lines) of the terminal now."""
        try:
            found = os.get_terminal_size(1)
        except OSError:
            return 80, 24
        return found.columns or 80, found.lines or 24

    def write(self, data: str) -> None:
        """All of it. A terminal that is gone wants us to end."""
        try:
            files.write_all(1, data.encode("utf-8", "replace"))
        except OSError:
            self.ended = self.ended or signal.SIGHUP

    def wake(self) -> None:
        """Have `heard` return: for threads that have something to tell."""
        try:
            os.write(self._poke, b".")
        except BlockingIOError:
            pass  # so much is in there that it will return in any case

    def heard(self, seconds: float) -> list[str]:
        """The keys that are pressed within this time, as soon as there are some; AGAIN; or nothing."""
        ready, _, _ = select.select([0, self._wake], [], [], max(seconds, 0.0))
        found: list[str] = []
        if self._wake in ready:
            os.read(self._wake, 4096)
            found = self._signalled()
        if 0 in ready and not self.ended:
            data = self._read()
            self.ended = self.ended if data else signal.SIGHUP
            found += keys(data)
        return found

    def _read(self) -> bytes:
        try:
            return os.read(0, 1024)
        except OSError:
            return b""  # as the end of the file: the terminal is gone

    def _signalled(self) -> list[str]:
        came, self._signals = self._signals, set()
        self.ended = self.ended or next((number for number in ENDING if number in came), 0)
        if self.ended:
            return []
        if signal.SIGTSTP in came:
            self.lend(self._stand_still)
        elif signal.SIGCONT in came:
            self._take()  # it was stopped in a way that nobody hears of; a shell has had the terminal
        return [AGAIN] if came & {signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH} else []

    def lend(self, use: Callable[[], R]) -> R:
        """Give the terminal back while somebody else uses it, then take it again."""
        self._give_back()
        try:
            return use()
        finally:
            self._take()

    def _stand_still(self) -> None:
        """As every program that ^Z stops, until somebody has it go on."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._note)
        self._signals.discard(signal.SIGCONT)
