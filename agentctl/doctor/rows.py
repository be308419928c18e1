"""What a check says: one thing, its state, and the command that mends it."""

from __future__ import annotations

import os

from .. import text
from ..errors import AgentctlError
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

OK, WARN, FAIL = "ok", "warn", "fail"
_DEBUG = "AGENTCTL_DEBUG"


class Row(Record):
    """One line of the doctor. `remedy` is a command for a POSIX shell, there whenever the state is not ok."""

    name: str = ""
    state: str = OK
    words: str = ""
    remedy: str = ""


def ok(name: str, words: str) -> Row:
    return Row(name=name, words=words)


def warn(name: str, words: str, remedy: str) -> Row:
    """Agents run, but not as well as they could, or something waits for a person."""
    return Row(name=name, state=WARN, words=words, remedy=remedy)


def fail(name: str, words: str, remedy: str) -> Row:
    """Something that agentctl needs does not work."""
    return Row(name=name, state=FAIL, words=words, remedy=remedy)


def guarded(name: str, check: Callable[[], Iterable[Row]]) -> list[Row]:
    """The rows of a check. One that breaks, by whatever error, is a row too, and hides none of the others."""
    rows = []
    try:
        for row in check():
            rows.append(row)  # noqa: PERF402  # what was found before it broke counts
    except Exception as e:
        # A bug of ours in one check is no reason to keep the others from the user.
        rows.append(fail(name, _wrong(e), "%s=1 agentctl doctor" % _DEBUG))
        if os.environ.get(_DEBUG) == "1":
            _show_where()
    return rows


def _wrong(error: Exception) -> str:
    if isinstance(error, AgentctlError):
        return "%s%s" % (error, ": " + error.hint if error.hint else "")
    if isinstance(error, OSError) and error.strerror:
        return "%s: %s" % (error.filename or "cannot be checked", error.strerror)
    return "this check is broken: %s: %s" % (type(error).__name__, text.one_line(error, 162))


def _show_where() -> None:
    import traceback

    traceback.print_exc()


def quote(word: str) -> str:
    """A word as a POSIX shell reads it back."""
    import shlex

    return shlex.quote(word)


def edit(path: str) -> str:
    """The command that opens a file to be mended by hand."""
    return "${EDITOR:-vi} %s" % quote(path)


def count(number: int, thing: str) -> str:
    """`1 event`, `3 events`."""
    return "%d %s%s" % (number, thing, "" if number == 1 else "s")
