"""The runner's pane: what a person wants to see, never in the way of the run.

Writes never block (Ctrl-S in the pane would freeze the run) and never raise
(after kill-pane each write is an EIO). What does not fit is dropped: the files
have everything. Nothing is read from the terminal.
"""

from __future__ import annotations

import os

from . import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional


_MOST_HELD, _LONGEST = 200, 1000


class Screen:
    """A terminal to print lines on, or nothing at all."""

    def __init__(self, fd: int, env: Mapping[str, str]) -> None:
        self._fd = fd
        self._held: Optional[list[tuple[str, str]]] = None
        self.alive = os.isatty(fd)
        self._colour = not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        if self.alive:
            os.set_blocking(fd, False)
            _quiet(fd)

    def hold_back(self) -> None:
        """Keep what is said from now on until `let_go`: painting it costs time that waiters would wait."""
        self._held = []

    def let_go(self) -> None:
        """Say what was held back."""
        held, self._held = self._held or [], None
        for words, style in held:
            self.line(words, style)

    def line(self, words: str, style: str = "") -> None:
        """One line, made safe and cut to the pane's width."""
        if not self.alive:
            return
        if self._held is not None:
            self._held.append((words[:_LONGEST], style))
            del self._held[:-_MOST_HELD]  # of a flood what a pane can show
            return
        shown = text.one_line(words, self._width())
        if self._colour and text.STYLES[style]:
            shown = "\033[%sm%s\033[0m" % (text.STYLES[style], shown)
        self._write(shown + "\r\n")

    def title(self, words: str) -> None:
        """The pane's title, which the border shows. `#` could start a tmux format."""
        if self.alive:
            self._write("\033]2;%s\033\\" % text.one_line(words, 100).replace("#", ""))

    def _write(self, data: str) -> None:
        try:
            os.write(self._fd, data.encode("utf-8", "replace"))
        except BlockingIOError:
            pass  # the pane is stopped or slow: this line is dropped
        except OSError:
            self.alive = False  # the pane is gone

    def _width(self) -> int:
        try:
            return max(os.get_terminal_size(self._fd).columns - 1, 20)
        except OSError:
            return 79


def _quiet(fd: int) -> None:
    """No flow control, no echo: keys typed into the pane change nothing (^C still stops)."""
    import termios

    try:
        mode = termios.tcgetattr(fd)
        mode[0] &= ~(termios.IXON | termios.IXOFF)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(fd, termios.TCSANOW, mode)
    except termios.error:
        pass  # the pane went away under us; the next write notices
