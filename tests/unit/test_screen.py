"""The runner's pane: what is held back until waiters have been served."""

from __future__ import annotations

import os
import pty

from agentctl.screen import Screen


def painted(master: int) -> list[str]:
    os.set_blocking(master, False)
    data = b""
    try:
        while True:
            data += os.read(master, 1 << 16)
    except BlockingIOError:
        return [line.rstrip("\r") for line in data.decode().split("\n")[:-1]]


def test_of_a_flood_that_is_held_back_a_pane_shows_the_end() -> None:
    """A worker's last gigabyte was kept in memory, line by line, to be painted when the lock was free."""
    master, pane = pty.openpty()
    screen = Screen(pane, {"NO_COLOR": "1"})
    screen.line("at once")
    assert painted(master) == ["at once"]
    screen.hold_back()
    for n in range(1000):
        screen.line("line %d" % n)
    screen.line("x" * 100000)
    assert painted(master) == [] and len(screen._held or ()) == 200 and len((screen._held or [])[-1][0]) == 1000
    screen.let_go()
    shown = painted(master)
    assert shown[:2] == ["line 801", "line 802"] and shown[198] == "line 999" and shown[199].startswith("xxx")
    os.close(pane)
    os.close(master)


def test_without_a_terminal_nothing_is_held() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    screen = Screen(null, {})
    screen.hold_back()
    screen.line("nobody sees it")
    assert not screen._held
    os.close(null)
