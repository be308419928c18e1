"""What a check says: one thing, its state, and the command that mends it."""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

OK, WARN, FAIL = "ok", "warn", "fail"


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
    """The rows of a check. One that cannot be made is a row too, and hides none of the others."""
    from ..errors import AgentctlError

    rows = []
    try:
        for row in check():
            rows.append(row)  # noqa: PERF402  # what was found before it broke counts
    except AgentctlError as e:
        rows.append(fail(name, "%s%s" % (e, ": " + e.hint if e.hint else ""), "AGENTCTL_DEBUG=1 agentctl doctor"))
    except OSError as e:
        words = "%s: %s" % (e.filename or "cannot be checked", e.strerror)
        rows.append(fail(name, words, "AGENTCTL_DEBUG=1 agentctl doctor"))
    return rows


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
