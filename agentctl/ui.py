"""Talking to the person or program that called: stdout is data, stderr is talk."""

from __future__ import annotations

import json
import os
import sys
import time

from . import store
from . import text
from .errors import AgentctlError
from .errors import usage_error
from .paths import home_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any

    from .store import Home


_PATIENCE_S = 2.0


def open_home(args: Namespace) -> Home:
    """The home this command line means. Raises AgentctlError where there is none."""
    return store.open_home(home_folder(args.home, os.environ))


def is_terminal() -> bool:
    """Whether data goes to a person."""
    return sys.stdout.isatty()


def may_ask() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def asked(question: str) -> bool:
    """Whether a person says yes."""
    print("%s [y/N] " % question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def coloured() -> bool:
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(words: str) -> None:
    """Talk, for people at a terminal only; programs are not told."""
    if sys.stderr.isatty():
        print(words, file=sys.stderr)


def warn_of_config(home: Home) -> None:
    """Said to programs too: what is wrong with config.json changes what their command does."""
    from . import config

    problem = config.load(home)[1]
    if problem:
        print("agentctl: %s" % text.one_line(problem), file=sys.stderr)


def demand_config(home: Home) -> None:
    """For what starts something: AgentctlError where config.json holds a wrong value, a warning for less."""
    from . import config

    config.sound(home)
    warn_of_config(home)


def answer(words: str, otherwise: str) -> None:
    """One line of data that must not get lost: AgentctlError with the hint `otherwise` where it cannot be written."""
    try:
        print(words)
        sys.stdout.flush()
    except OSError as e:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())  # what is left in the buffer would be an error again
        os.close(null)
        raise AgentctlError("cannot write the answer: %s" % e.strerror, otherwise) from None


def data(value: Any) -> None:
    """One JSON value: a line for programs, indented for people. ASCII, so nothing in it acts."""
    public = text.public(value) if isinstance(value, dict) else value
    print(json.dumps(public, indent=2 if is_terminal() else None))
    sys.stdout.flush()


def line(words: str, style: str = "") -> None:
    """A line for people, made safe, coloured where colour is seen."""
    shown = text.one_line(words)
    code = text.STYLES.get(style, "") if coloured() else ""
    print("\033[%sm%s\033[0m" % (code, shown) if code else shown)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns; the last is cut to the terminal, never when piped."""
    safe = [[text.one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in [list(head), *safe]) for n in range(len(head))]
    limit = columns()
    for row in [list(head), *safe]:
        words = "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        print(words if not limit or len(words) <= limit else words[: limit - 1] + "…")


def wide_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As `table`; on a terminal that is too narrow for it in parts below each other, each with the first column."""
    limit = columns()
    widths = [max(len(text.one_line(row[n])) for row in (head, *rows)) for n in range(len(head))]
    for number, part in enumerate(_parts(widths, limit)):
        print(end="\n" if number else "")
        table([head[n] for n in part], [[row[n] for n in part] for row in rows])


def _parts(widths: Sequence[int], limit: int) -> list[list[int]]:
    """Which columns stand side by side in `limit` characters, the first in each; all of them without a limit."""
    parts, used = [[0]], widths[0]
    for n in range(1, len(widths)):
        if limit and used + 2 + widths[n] > limit and len(parts[-1]) > 1:
            parts.append([0])
            used = widths[0]
        parts[-1].append(n)
        used += 2 + widths[n]
    return parts


def columns() -> int:
    """How wide the terminal is; 0 where data goes to none, or it does not say."""
    if not is_terminal():
        return 0
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


def prompt_text(path: str) -> str:
    """The prompt from a file or stdin. Raises AgentctlError rather than hang on a terminal."""
    if path and path != "-":
        try:
            with open(path, "rb") as f:
                return _decoded(f.read())
        except OSError as e:
            raise usage_error("cannot read the prompt file %s: %s" % (path, e.strerror)) from None
    if sys.stdin is None or sys.stdin.isatty():
        raise usage_error(
            "no prompt: stdin is a terminal", "give one: `agentctl start … < prompt.md`, or --prompt-file FILE"
        )
    return _decoded(_all_of(sys.stdin.fileno()))


def _all_of(fd: int) -> bytes:
    """Everything up to the end; says what it waits for, where the end takes its time."""
    import select

    chunks: list[bytes] = []
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        left = deadline - time.monotonic()
        if left > 0 and not select.select([fd], [], [], left)[0]:
            print("agentctl: reading the prompt from stdin, which has not ended", file=sys.stderr)
        chunk = os.read(fd, 1 << 16)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _decoded(raw: bytes) -> str:
    """Bytes that are not UTF-8 pass through unchanged (as surrogates)."""
    words = raw.decode("utf-8", "surrogateescape")
    if not words.strip():
        raise usage_error("the prompt is empty", "write what the worker is to do on stdin, or give --prompt-file FILE")
    return words
