"""The vendors' files on the disk: which there are, and what stands at their two ends.

They are others' and may be anything: a link, a pipe, a folder, a hundred megabytes on one
line. Nothing is followed, waited for, or read beyond what is asked.
"""

from __future__ import annotations

import os
import stat

from .session import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Pattern
    from typing import Optional

_PLAIN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


def folders(folder: str, pattern: Optional[Pattern[str]] = None) -> Iterator[str]:
    """The folders in a folder; what cannot be read itself is among them, so that `files` will say so."""
    try:
        with os.scandir(folder) as entries:
            found = [e.path for e in entries if (not pattern or pattern.match(e.name)) and _may_be_folder(e)]
    except (FileNotFoundError, NotADirectoryError):
        return  # the vendor was never used here
    except OSError:
        found = [folder]
    yield from found


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return True  # a link that leads in a circle, or where we may not look: the others are none the worse


def files(backend: str, folder: str, pattern: Pattern[str]) -> Iterator[Place]:
    """The files of a folder whose name is of the pattern, which has the session's id in it."""
    try:
        with os.scandir(folder) as entries:
            named = [(found.group(1), e.path) for e in entries for found in (pattern.match(e.name),) if found]
    except (FileNotFoundError, NotADirectoryError):
        return  # removed meanwhile
    except OSError as e:
        yield Place(backend=backend, path=folder, wrong=_why(e))
        return
    for session_id, path in named:
        yield from file(backend, session_id, path)


def file(backend: str, session_id: str, path: str) -> Iterator[Place]:
    """The file, if there is one."""
    try:
        info = os.stat(path, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as e:
        yield Place(backend=backend, session_id=session_id, path=path, wrong=_why(e))
        return
    wrong = "" if stat.S_ISREG(info.st_mode) else "it is no plain file"
    wrong = wrong or ("" if info.st_size else "it is empty")
    yield Place(
        backend=backend, session_id=session_id, path=path, changed_at=info.st_mtime, size=info.st_size, wrong=wrong
    )


def ends(path: str, first: int, last: int) -> tuple[list[bytes], list[bytes], bool]:
    """(whole lines in the first bytes, whole lines in the last bytes, whether that is all of it).

    A short file is read once, and both are its lines. Raises OSError.
    """
    fd = os.open(path, _PLAIN)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return [], [], True
        size = info.st_size
        if size <= first + last:
            lines = os.pread(fd, size, 0).split(b"\n")
            return lines, lines, True
        return os.pread(fd, first, 0).split(b"\n")[:-1], os.pread(fd, last, size - last).split(b"\n")[1:], False
    finally:
        os.close(fd)


def blocks(path: str, most: int, size: int = 1 << 20) -> Iterator[bytes]:
    """The first `most` bytes in pieces of whole lines, without those longer than a piece. Raises OSError."""
    fd = os.open(path, _PLAIN)
    try:
        kept, skipping = b"", False
        while most > 0:
            piece = os.read(fd, min(size, most))
            most -= len(piece)
            whole, ended, rest = piece.rpartition(b"\n")
            if ended:
                yield whole.partition(b"\n")[2] if skipping else kept + whole
                kept, skipping = rest, False
            elif not piece:
                break
            else:
                kept, skipping = (b"", True) if skipping or len(kept) + len(piece) > size else (kept + piece, False)
        yield kept
    finally:
        os.close(fd)


def _why(error: OSError) -> str:
    return (error.strerror or "it cannot be read").lower()
