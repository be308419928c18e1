"""FIFOs that git would wait for, put by whoever worked there in the place of files that git reads.

Git opens `.gitignore` and its kin in each folder it looks into, and the files of its own
directory, without a look at what they are, and open(2) of a FIFO waits for the other end.
They are looked for only where git takes long, so that no call pays for it.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

_READ = (".gitattributes", ".gitignore", ".gitmodules")


def find(tree: str, own: Iterable[str]) -> str:
    """The path of one in a working tree, or in one of the git directories; "" where there is none."""
    suspects = (path for paths in (_of_tree(tree), *map(_of_git, own)) for path in paths)
    return next(filter(_is_fifo, suspects), "")


def _of_tree(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != ".git"]
        yield from (os.path.join(folder, name) for name in names if name in _READ)


def _of_git(own: str) -> Iterator[str]:
    for folder, folders, names in os.walk(own):
        folders[:] = [name for name in folders if name != "objects"]
        yield from (os.path.join(folder, name) for name in names)


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False  # gone meanwhile, or a link that leads nowhere
