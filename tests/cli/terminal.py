"""A terminal for a program, made of a pty: what it shows is read as it comes."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from typing import Callable


class Terminal:
    """A program with a terminal, of 80 by 24 unless it is resized, as its stdin, stdout and stderr."""

    def __init__(
        self, argv: Sequence[str], env: dict[str, str], cwd: str | None = None, quiet: bool = True, width: int = 80
    ) -> None:
        """`quiet`: keys are not echoed."""
        self._master, slave = os.openpty()
        self.size = (0, 0)
        self.resize(width, 24)
        mode = termios.tcgetattr(slave)
        mode[1] &= ~termios.OPOST
        if quiet:
            mode[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self.shown = b""
        self.process = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: _make_ours(slave),
        )
        os.close(slave)

    def resize(self, width: int, height: int) -> None:
        """Another size, of which the program is told by SIGWINCH."""
        self.size = (width, height)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def mode(self) -> list[object]:
        """How the terminal treats keys and lines now."""
        return termios.tcgetattr(self._master)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what it shows; False once it has ended and said everything."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.shown += data
        return bool(data)

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.shown.decode("utf-8", "replace")
            self.read()

    def end(self, seconds: float = 20.0) -> tuple[int, str]:
        """(exit code, everything it showed)."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, self.shown.decode("utf-8", "replace")
        code = self.process.wait(10)
        os.close(self._master)
        return code, self.shown.decode("utf-8", "replace")


def _make_ours(slave: int) -> None:
    """The controlling terminal, so that ^C is a signal."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
