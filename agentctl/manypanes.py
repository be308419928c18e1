"""Many panes with few tmux clients: what thirty starts would ask one by one, in chains.

tmux ends a chain with the first command that fails, above all at "no space for new pane";
what it made before that it has told. From there it goes on with one pane by itself, for
which tmux.py knows every way, and then with a chain again.
"""

from __future__ import annotations

from . import tmux
from .tmux import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from .tmux import Server

_MOST_BYTES = 14000
"""Of one chain: tmux takes 16 KB in one message (seen with 3.3a: "command too long")."""
_TILED_EACH = 2
"""A new pane halves one; tiled again after every second, even 24 lines have room for the next two."""


def open_all(
    server: Server, session: str, argvs: Sequence[Sequence[str]], per_window: int, last: Place
) -> Iterator[tuple[Place, int]]:
    """Run each argv in a pane of its own, in order; after each client: the last place, how many there are.

    Arguments and errors as of `tmux.open_pane`: what was told before an error stands.
    """
    opened = 0
    while opened < len(argvs):
        last = tmux.open_pane(server, session, argvs[opened], per_window, last)
        opened += 1
        yield last, opened
        whole = True
        while whole and opened < len(argvs):
            chain, wanted = _chain(server, argvs[opened:], per_window, last)
            places = _made(server, chain)
            whole = len(places) == wanted
            opened += len(places)
            last = places[-1] if places else last
            if not whole:
                tmux.tried(server, tmux.tiling(last.window))
                last = last.replace(panes=per_window)  # there is no room in it, whatever it holds
            yield last, opened


def _chain(server: Server, argvs: Sequence[Sequence[str]], per_window: int, last: Place) -> tuple[list[list[str]], int]:
    """Commands for as many of the panes as fit into one message, and how many these are."""
    session_id, _, name = last.window.partition(":=")
    panes, size = last.panes, 0
    taken: list[str] = []
    commands: list[list[str]] = []
    for number, argv in enumerate(argvs):
        if panes < per_window:
            panes += 1
            split, tiled = tmux.splitting("%s:=%s" % (session_id, name), argv)
            last_here = panes == per_window or number == len(argvs) - 1
            more = [split, tiled] if panes % _TILED_EACH or last_here else [split]
        else:
            taken = taken or tmux.windows(server, session_id)
            name = tmux.free_name(taken)
            taken.append(name)
            panes, more = 1, tmux.opening(session_id, name, argv)
        size += sum(len(word.encode("utf-8", "replace")) + 1 for command in more for word in (*command, ";"))
        if number and size > _MOST_BYTES:
            return commands, number
        commands += more
    return commands, len(argvs)


def _made(server: Server, chain: Sequence[Sequence[str]]) -> list[Place]:
    """The panes that a chain made, all or the first of them."""
    said = tmux.tried(server, *chain, timeout=30.0).out.decode("utf-8", "replace")
    return [tmux.made(line) for line in said.splitlines()]
