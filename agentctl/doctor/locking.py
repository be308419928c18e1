"""Do locks work on this file system? Everything stands on them, so it is tried out, with a process that dies.

Seen elsewhere: flock(2) that always succeeds (an early WSL), that holds on one machine
only (network file systems), and that is refused (ENOLCK).
"""

from __future__ import annotations

import os
import select
import signal

from .. import files
from .. import locks

PATIENCE_S = 3.0


def wrong_with(folder: str) -> str:
    """Why agentctl's locks do not hold in this folder, or "". Raises OSError where nothing can be written in it."""
    path = os.path.join(folder, ".doctor-%d.lock" % os.getpid())
    files.remove(path)
    files.create(path, b"")
    try:
        return _tried(path)
    finally:
        files.remove(path)


def _tried(path: str) -> str:
    child, said, life = _holder(path)
    try:
        words = _heard(said)
        if not words and not locks.held(path):
            words = "two processes hold the same lock at once"
    except OSError as e:
        words = "locks are refused: %s" % e.strerror
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(said)
        os.close(life)  # not before: its end is what the child waits for
    if not words and locks.held(path):
        words = "a lock stays taken after its holder has died"
    return words


def _holder(path: str) -> tuple[int, int, int]:
    """A child that takes the lock and keeps it until it is killed; where it says so; what we hold while we live."""
    said, say = os.pipe()
    mine, life = os.pipe()
    child = os.fork()
    if child:
        os.close(say)
        os.close(mine)
        return child, said, life
    try:
        os.close(life)
        os.write(say, _taken(path))
        os.read(mine, 1)
        files.remove(path)  # the parent was killed, and no longer can
    finally:
        os._exit(1)  # whatever happens, the parent's code is not run twice


def _taken(path: str) -> bytes:
    try:
        locks.take(path)
    except OSError as e:
        return (e.strerror or "error %s" % e.errno).encode("utf-8", "replace")
    return b"+"


def _heard(said: int) -> str:
    """What the child says is wrong, or "" once it holds the lock."""
    if not select.select([said], [], [], PATIENCE_S)[0]:
        return "a free lock is not given within %g s" % PATIENCE_S
    words = os.read(said, 200).decode("utf-8", "replace")
    return "" if words == "+" else "locks are refused: %s" % (words or "the process that tried has died")


def without_links(folder: str) -> bool:
    """Whether the file system has no hard links, with which results are published. Raises OSError."""
    path = os.path.join(folder, ".doctor-%d.link" % os.getpid())
    for name in (path, path + "2"):
        files.remove(name)
    files.create(path, b"")
    try:
        os.link(path, path + "2")
    except OSError:
        return True
    finally:
        for name in (path, path + "2"):
            files.remove(name)
    return False
