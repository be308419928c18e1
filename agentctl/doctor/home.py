"""The home: is it there, ours, private, writable, with room, and on a disk whose locks hold."""

from __future__ import annotations

import errno
import os

from .. import files
from .. import paths
from .. import store
from . import locking
from .rows import Row
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn
from .system import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

DISK_FAIL, DISK_WARN = 100 << 20, 1 << 30
"""Free bytes: a worker's output alone may be 256 MB (config.max_output_bytes)."""
INODES_FAIL = 500
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "fuse.glusterfs", "lustre", "ceph")


def rows(path: str, env: Mapping[str, str]) -> Iterator[Row]:
    """The home's rows; the first alone where there is none that could be used."""
    runs = store.Home(path).runs
    make = "agentctl init%s" % ("" if path == paths.home_folder("", env) else " --home " + quote(path))
    if not os.path.isdir(path):
        if os.path.lexists(path):
            aside = "mv %s %s" % (quote(path), quote(path + ".old"))
            yield fail("home", "%s is no directory" % path, "%s && %s" % (aside, make))
        else:
            yield fail("home", "there is none at %s" % path, make)
        return
    foreign = next((p for p in (path, runs) if os.path.isdir(p) and os.stat(p).st_uid != os.geteuid()), "")
    if foreign:
        yield fail("home", "%s belongs to another user" % foreign, _chown(path))
        return
    if not os.path.isdir(runs):
        yield fail("home", "%s is no home yet" % path, make)
        return
    yield from _usable(path, env)


def _chown(path: str) -> str:
    return '%schown -R "$(id -un)" %s' % ("" if os.geteuid() == 0 else "sudo ", quote(path))


def _usable(path: str, env: Mapping[str, str]) -> Iterator[Row]:
    refused = _refused(path)
    if refused:
        yield _unwritable(path, refused, env)
    else:
        yield ok("home", path)
    yield _private(path)
    yield _disk(path, env)
    if not refused:
        yield _locks(path, env)


def _refused(path: str) -> Optional[OSError]:
    """Why nothing can be written in the home. 64 KB: less than that a starting run needs."""
    for folder in (path, store.Home(path).runs):
        probe = os.path.join(folder, ".doctor-%d.tmp" % os.getpid())
        try:
            files.remove(probe)
            files.create(probe, b"\0" * (1 << 16))
        except OSError as e:
            return e
        finally:
            _try_to_remove(probe)
    return None


def _try_to_remove(path: str) -> None:
    try:
        files.remove(path)
    except OSError:
        pass  # a read-only disk, on which it was never made


def _unwritable(path: str, refused: OSError, env: Mapping[str, str]) -> Row:
    words = "%s cannot be written: %s" % (path, refused.strerror)
    if refused.errno in (errno.EACCES, errno.EPERM):
        return fail("home", words, "chmod -R u+rwX %s" % quote(path))
    return fail("home", words, elsewhere(path, env, _has_room))


def _private(path: str) -> Row:
    mode = os.stat(path).st_mode & 0o777
    remedy = "chmod -R go-rwx %s" % quote(path)
    if mode & 0o022:
        return fail("home private", "other users may write in %s (mode %04o)" % (path, mode), remedy)
    if mode & 0o077:
        return warn("home private", "other users may look into %s (mode %04o)" % (path, mode), remedy)
    return ok("home private", "mode %04o" % mode)


def _disk(path: str, env: Mapping[str, str]) -> Row:
    free, inodes = _free(path)
    words = "%s free" % size(free)
    if free < DISK_FAIL:
        return fail("disk", words + ": too little to run workers", elsewhere(path, env, _has_room))
    if inodes is not None and inodes < INODES_FAIL:
        return fail("disk", "%d files can still be made" % inodes, elsewhere(path, env, _has_room))
    if free < DISK_WARN:
        return warn("disk", words, elsewhere(path, env, _has_room))
    return ok("disk", words)


def _free(path: str) -> tuple[int, Optional[int]]:
    """Free bytes and free inodes for us; None where the file system does not count them."""
    told = os.statvfs(path)
    return told.f_bavail * told.f_frsize, told.f_favail if told.f_files else None


def _has_room(folder: str) -> bool:
    free, inodes = _free(folder)
    return free >= DISK_WARN and (inodes is None or inodes >= INODES_FAIL)


def _locks(path: str, env: Mapping[str, str]) -> Row:
    wrong = locking.wrong_with(path)
    if wrong:
        return fail("locks", "%s, on the disk of %s" % (wrong, path), elsewhere(path, env, _locks_hold))
    kind = file_system(path, _mounts())
    if kind in _NETWORK:
        words = "they hold here, but %s is on %s, where they may hold on one machine only" % (path, kind)
        return warn("locks", words, elsewhere(path, env, _is_local))
    more = "; no hard links, results are published by rename" if locking.without_links(path) else ""
    return ok("locks", "held, seen by another process, and free when it died" + more)


def _locks_hold(folder: str) -> bool:
    return _has_room(folder) and not locking.wrong_with(folder)


def _is_local(folder: str) -> bool:
    return _has_room(folder) and file_system(folder, _mounts()) not in _NETWORK


def _mounts() -> str:
    try:
        return files.read("/proc/self/mounts").decode("utf-8", "replace")
    except OSError:
        return ""


def file_system(path: str, mounts: str) -> str:
    """The type of the file system a path is on, by the text of /proc/mounts; "" where that is unknown."""
    here, found, kind = os.path.realpath(path), "", ""
    for words in (line.split() for line in mounts.splitlines()):
        point = words[1].replace("\\040", " ") if len(words) > 2 else "-"
        if (here + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(found):
            found, kind = point, words[2]
    return kind


def elsewhere(path: str, env: Mapping[str, str], fits: Callable[[str], bool]) -> str:
    """The command that makes a home where there is room; else the one that shows what takes the room."""
    user = env.get("HOME") or os.path.expanduser("~")
    for base in (user, os.path.join(user, ".local", "state"), "/var/tmp"):
        chosen = os.path.join(base, ".ai-orch" if base != "/var/tmp" else ".ai-orch-%d" % os.geteuid())
        if chosen != path and os.path.isdir(base) and os.access(base, os.W_OK) and _fits(base, fits):
            return "export AI_ORCH_HOME=%s && agentctl init" % quote(chosen)
    return "du -sk %s/* | sort -n | tail" % quote(store.Home(path).runs)


def _fits(folder: str, fits: Callable[[str], bool]) -> bool:
    try:
        return fits(folder)
    except OSError:
        return False
