"""Frames of a terminal, and what must be written to make one of the other. Pure.

Autowrap is off while frames are painted, and every piece is put where it belongs: a
terminal that takes a letter for wider than we do spoils no more than one piece.
"""

from __future__ import annotations

from .. import text
from .layout import breadth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .layout import Line
    from .layout import Piece

_CODES = {**text.STYLES, "chosen": "7"}


def difference(old: Sequence[Line], new: Sequence[Line], coloured: bool) -> str:
    """What turns the one frame on the screen into the other: the pieces that differ, and no more."""
    parts = []
    for n in range(max(len(old), len(new))):
        before, after = old[n] if n < len(old) else (), new[n] if n < len(new) else ()
        if before == after:
            continue
        if [breadth(words) for words, _ in before] == [breadth(words) for words, _ in after]:
            parts += _changed(n, before, after, coloured)
        else:
            parts.append("\033[%d;1H\033[K%s" % (n + 1, "".join(_painted(piece, coloured) for piece in after)))
    return "".join(parts)


def _changed(n: int, before: Line, after: Line, coloured: bool) -> list[str]:
    """The pieces of a line that differ. What may be narrower than we think must leave nothing of the old behind."""
    parts, at = [], 1
    for was, piece in zip(before, after):
        wide = breadth(piece[0])
        if was != piece:
            erase = "" if (was[0] + piece[0]).isascii() else "\033[%dX" % wide
            parts.append("\033[%d;%dH%s%s" % (n + 1, at, erase, _painted(piece, coloured)))
        at += wide
    return parts


def _painted(piece: Piece, coloured: bool) -> str:
    words, style = piece
    codes = ";".join(_CODES[name] for name in style.split()) if coloured else ""
    return "\033[%sm%s\033[0m" % (codes, words) if codes else words


def printed(lines: Sequence[Line], coloured: bool) -> str:
    """Lines as they are left behind, for a screen that scrolls."""
    return "".join(_printed(line, coloured) + "\n" for line in lines)


def _printed(line: Line, coloured: bool) -> str:
    *most, (words, style) = line or (("", ""),)
    return "".join(_painted(piece, coloured) for piece in (*most, (words.rstrip(), style)))
