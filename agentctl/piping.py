"""Where a worker's output goes: into its files by itself, or by a pipe that the sentinel empties into them.

On Linux `> /dev/stdout` and `tee /dev/stderr` open anew what the descriptor leads to. A file
is cut off by that, and with it all that the command had said; a pipe cannot be. So commands
have pipes. The sentinel copies: a slow runner does not hold the command up, a killed one
loses nothing, and where the sentinel is killed the runner does it.

What Node has not got rid of when it exits is lost in a pipe: of 1,000,005 bytes 131,072 came
through one as the system makes it, all through one of 1 MiB (Node 20.20, a reader at work).
So the vendors' programs write the files themselves, and the pipes of commands are that wide.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys

from . import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    Outlet = Union["Direct", "Piped"]

DRAIN = b"d"
"""Said to the sentinel once nothing of the command is left: copy what there is, and no more from then on."""
_F_SETPIPE_SZ = 1031
_CAPACITIES = (1 << 20, 1 << 18)
_CHUNK = 1 << 18
_MOST = 1 << 22
_PATIENCE_S = 10.0


class Copier:
    """Copies from pipes to files, as (from, to) in `copies`; counts what could not be written."""

    def __init__(self, copies: Sequence[tuple[int, int]] = (), answer: int = -1) -> None:
        self._logs = dict(copies)
        self._answer = answer
        self.lost = 0

    def descriptors(self) -> list[int]:
        return [fd for fd in (*self._logs, *self._logs.values(), self._answer) if fd >= 0]

    def listen(self, fd: int) -> bytes:
        """The next words on `fd`, "" at its end; what is printed meanwhile is copied."""
        poller = select.poll()
        for one in (fd, *self._logs):
            poller.register(one, select.POLLIN)
        while True:
            for ready, _ in poller.poll():
                if ready == fd:
                    return os.read(fd, 64)
                if self._copied(ready) == 0:
                    poller.unregister(ready)  # nobody can print any more

    def drain(self) -> None:
        """What is in the pipes now; of what somebody goes on to print not more than a while."""
        for fd in self._logs:
            left = _MOST
            while left > 0:
                size = self._copied(fd)
                left -= size if size > 0 else left

    def finish(self) -> None:
        """The last of it, and the answer to who waits for that."""
        self.drain()
        try:
            if self._answer >= 0:
                os.write(self._answer, b"%d\n" % self.lost)
        except BrokenPipeError:
            pass  # the runner was killed: nobody waits for it
        self.close()

    def close(self) -> None:
        for fd in self.descriptors():
            os.close(fd)
        self._logs, self._answer = {}, -1

    def _copied(self, fd: int) -> int:
        """Bytes copied; 0 at the end, -1 where nothing is there now."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return -1
        try:
            files.write_all(self._logs[fd], data)
        except OSError:
            self.lost += len(data)  # a full disk: told in the end, the command goes on
        return len(data)


class Direct:
    """stdout and stderr are files, which the worker writes."""

    def __init__(self, stdout: str, stderr: str) -> None:
        self.out, self.err = files.open_own(stdout), files.open_own(stderr)
        self.copier = Copier()
        self.lost = 0

    def given(self) -> None:
        """The worker has its ends, the sentinel its own."""
        os.close(self.out)
        os.close(self.err)

    def relieve(self) -> None:
        """Nothing can be held up."""

    def settle(self, tell: int) -> None:
        """Nothing is under way."""


class Piped:
    """stdout and stderr are pipes, or one pipe where both go into the same file."""

    def __init__(self, stdout: str, stderr: str) -> None:
        pipes = {path: os.pipe() for path in (stdout, stderr)}
        self.out, self.err = pipes[stdout][1], pipes[stderr][1]
        logs = [(read, files.open_own(path)) for path, (read, _) in pipes.items()]
        self._answer, answer = os.pipe()
        for read, _ in logs:
            os.set_blocking(read, False)
            _widen(read)
        self.copier = Copier(logs, answer)
        self._ours = Copier(logs)
        self._sentinels = answer
        self.lost = 0

    def given(self) -> None:
        """The worker has its ends, the sentinel its own."""
        for fd in {self.out, self.err, self._sentinels}:
            os.close(fd)

    def relieve(self) -> None:
        """Copy in the sentinel's place where somebody killed it."""
        if select.select([self._answer], [], [], 0)[0]:
            self._ours.drain()

    def settle(self, tell: int) -> None:
        """Nothing of the worker is left: have all that it printed in its files. `lost` is what could not be written."""
        try:
            os.write(tell, DRAIN)
            ready = select.select([self._answer], [], [], _PATIENCE_S)[0]
            said = os.read(self._answer, 64) if ready else b""
        except BrokenPipeError:
            said = b""  # it was killed: what it left is copied now
        self._ours.drain()
        self.lost = int(said or 0) + self._ours.lost
        self._ours.close()
        os.close(self._answer)


def of_command(stdout: str, stderr: str) -> Outlet:
    """Pipes where they are needed: elsewhere than on Linux /dev/stdout is the descriptor itself (fd(4) of macOS)."""
    return (Piped if sys.platform == "linux" else Direct)(stdout, stderr)


def _widen(fd: int) -> None:
    for capacity in _CAPACITIES if sys.platform == "linux" else ():
        try:
            fcntl.fcntl(fd, _F_SETPIPE_SZ, capacity)
            return
        except OSError:
            pass  # more than the system allows one, or the user has many already
