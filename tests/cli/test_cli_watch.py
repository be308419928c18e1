"""`status --watch` at a terminal: what is painted, what keys do, and that the terminal is given back."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest

from conftest import PROGRAM
from conftest import World
from screens import Screen

from .terminal import Terminal

WAITS = "while [ ! -e go ]; do sleep 0.02; done"


class Watched(Terminal):
    """`status --watch` in a terminal, and the picture that it makes."""

    def __init__(self, world: World, *words: str, **env: str) -> None:
        argv = [*PROGRAM, "status", "--watch", *words]
        super().__init__(argv, {**world.env, **env}, str(world.project), width=100)
        self.before = self.mode()

    def screen(self) -> Screen:
        screen = Screen(300, 60)  # larger than any that it is given: what is painted too far out is seen
        screen.write(self.shown.decode("utf-8", "replace"))
        return screen

    def picture(self) -> str:
        return "\n".join(self.screen().text())

    def line(self, word: str) -> str:
        """The line of the picture with this word, or ""."""
        return next((line for line in self.screen().text() if word in line), "")

    def sees(self, *words: str) -> None:
        self.until(lambda: all(word in self.picture() for word in words))

    def is_given_back(self) -> None:
        """All as it was, and what was last seen left on the normal screen."""
        screen = self.screen()
        assert (screen.alternate, screen.hidden, screen.wraps) == (False, False, True)


@pytest.fixture
def run_id(world: World) -> Iterator[str]:
    """A run that works until it is stopped."""
    started = world.shell("echo hello there; " + WAITS, "--no-pane", "--title", "the title")
    world.working(started)
    yield started
    world.run("stop", started)


def test_it_follows_what_happens_and_leaves_the_last_frame_behind(world: World, run_id: str) -> None:
    watched = Watched(world)
    watched.sees("1 running", "the title", "hello there", "q leave")
    assert watched.screen().alternate and watched.line("the title").startswith("> ")
    second = world.shell("echo and; exit 3", "--no-pane", "--title", "another")
    watched.sees("1 needs you; 1 running", "! not met")
    lines = watched.screen().text()
    assert "another" in lines[2] and lines[2].endswith("exit code 3"), "who needs a person comes first"
    assert "the title" in lines[3] and lines[3].startswith("> "), "the choice stayed with its run"
    (world.project / "go").touch()
    watched.sees("0 running", "finished")
    watched.type(b"q")
    watched.until(lambda: not watched.screen().alternate)
    mode, (code, _) = watched.mode(), watched.end()
    assert (code, mode) == (0, watched.before)
    watched.is_given_back()
    left = watched.screen().plain
    assert second[9:] in left and run_id[9:] in left and ">" not in left and "q leave" not in left


@pytest.mark.parametrize(
    ("key", "number", "code"),
    [(b"\x03", 0, 130), (b"\x1c", 0, 131), (b"", signal.SIGTERM, 143), (b"", signal.SIGHUP, 129)],
)
def test_the_terminal_is_given_back(key: bytes, number: int, code: int, world: World, run_id: str) -> None:
    watched = Watched(world)
    watched.sees("hello there")
    watched.type(key) if key else watched.process.send_signal(number)
    watched.until(lambda: not watched.screen().alternate)
    mode = watched.mode()
    assert watched.end()[0] == code and mode == watched.before
    watched.is_given_back()
    assert "hello there" in watched.screen().plain


def enters(watched: Watched) -> int:
    return watched.shown.count(b"\x1b[?1049h")


def test_it_paints_anew_after_a_stop_that_nobody_hears_of(world: World, run_id: str) -> None:
    watched = Watched(world)
    watched.sees("hello there")
    watched.process.send_signal(signal.SIGSTOP)
    os.waitpid(watched.process.pid, os.WUNTRACED)
    painted = enters(watched)
    watched.process.send_signal(signal.SIGCONT)
    watched.until(lambda: b"q leave" in watched.shown.rpartition(b"\x1b[?1049h")[2] and enters(watched) > painted)
    assert enters(watched) == painted + 1
    watched.type(b"q")
    assert watched.end()[0] == 0


def test_the_terminal_is_given_back_by_an_error(world: World) -> None:
    watched = Watched(world)
    watched.sees("nothing is at work here")
    (world.home / "notify.log").unlink(missing_ok=True)
    (world.home / "notify.log").mkdir()
    code, shown = watched.end()
    assert code == 1 and "agentctl: " in watched.screen().plain and "Traceback" not in shown
    watched.is_given_back()


def test_it_fits_every_width_and_only_what_changed_is_painted(world: World, run_id: str) -> None:
    watched = Watched(world)
    watched.sees("PROFILE", run_id[9:])
    watched.resize(40, 10)
    watched.until(lambda: len(watched.line("1 running")) == 40)
    assert "PROFILE" not in watched.picture() and max(map(len, watched.screen().text())) <= 40
    watched.resize(160, 30)
    watched.sees("PROFILE", run_id)
    before = len(watched.shown)
    age = re.search(r"(\d+)s", watched.line(run_id))
    watched.until(lambda: re.search(r"(\d+)s", watched.line(run_id)) != age and len(watched.shown) > before)
    seconds = int(re.findall(r"(\d+)s", watched.line(run_id))[0]) - int(age.group(1)) if age else 0
    assert len(watched.shown) - before < 60 * (seconds + 2), "a second is one piece of one line"
    watched.type(b"q")
    watched.end()


def test_keys_stop_pause_and_go_on(world: World) -> None:
    runs = [world.shell("echo on; sleep 60", "--no-pane", "--title", "run %d" % n) for n in range(3)]
    for run_id in runs:
        world.working(run_id)
    watched = Watched(world)
    watched.sees("3 running")
    watched.type(b"jk\x1b[B")
    watched.until(lambda: watched.line("run 1").startswith("> "))
    watched.type(b"p")
    watched.sees("%s: paused" % runs[1], "2 running, 0 queued, 1 paused")
    assert world.status(runs[1])["status"] == "paused"
    watched.until(lambda: watched.line("run 1").startswith("> "))
    watched.type(b"p")
    watched.sees("3 running")
    watched.type(b"\x1b[F")
    watched.until(lambda: watched.line("run 0").startswith("> "))
    watched.type(b"s")
    watched.sees("2 running", "stopped")
    assert world.result(runs[0])["status"] == "stopped"
    watched.type(b"s\r")
    watched.sees("was started without a pane")
    watched.type(b"\x1b[200~\x1b[99zxyz\xff\x00jq")
    assert watched.end()[0] == 0, "what is no key of ours does nothing"
    world.ok("stop", *runs)


def test_what_was_seen_needs_nobody(world: World) -> None:
    bad = world.shell("exit 3", "--no-pane")
    world.result(bad)
    watched = Watched(world)
    watched.sees("1 needs you", "! not met")
    watched.type(b"x")
    watched.sees("%s: seen" % bad)
    watched.until(lambda: "not met" not in watched.picture() and "needs" not in watched.picture())
    watched.type(b"q")
    assert watched.end()[0] == 0
    assert world.ok("status") == "0 running, 0 queued, 0 paused; no limit on slots"


def test_enter_shows_the_pane_and_comes_back(world: World) -> None:
    run_id = world.shell("echo IN THE PANE; sleep 60", "--title", "the title")
    world.working(run_id)
    watched = Watched(world)
    watched.sees("the title")
    watched.type(b"\r")
    watched.until(lambda: b"IN THE PANE" in watched.shown.rpartition(b"\x1b[?1049h")[2] and bool(clients(world)))
    painted = watched.shown.count(b"q leave")
    for client in clients(world):
        world.tmux("detach-client", "-t", client)
    watched.until(lambda: watched.shown.count(b"q leave") > painted)
    watched.type(b"q")
    assert watched.end()[0] == 0
    world.ok("stop", run_id)


def clients(world: World) -> list[str]:
    return world.tmux("list-clients", "-F", "#{client_name}").split()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {}])
def test_colour_only_where_it_is_wanted(env: dict[str, str], world: World, run_id: str) -> None:
    watched = Watched(world, **env)
    watched.sees("hello there")
    watched.type(b"q")
    assert bool(re.search(b"\x1b\\[[\\d;]*m", watched.end()[1].encode())) is not bool(env)


def test_where_nothing_can_be_painted_it_says_so(world: World) -> None:
    away = world.run("status", "--watch")
    hint = "for programs: `agentctl status --json`"
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr == "agentctl: --watch needs a terminal\nhint: %s\n" % hint
    code, shown = Watched(world, TERM="dumb").end()
    assert (code, "\x1b" in shown) == (1, False) and "TERM=dumb" in shown
    both = world.run("status", "--watch", "--json")
    assert both.returncode == 2 and "do not go together" in both.stderr


def test_what_a_worker_wrote_cannot_drive_the_terminal(world: World) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J \x9b31m \u202e \x1bP+q\x1b\\ \u65e5\u672c end\n"
    (world.project / "evil").write_text(evil)
    run_id = world.shell("cat evil; " + WAITS, "--no-pane", "--title", evil)
    world.working(run_id)
    watched = Watched(world)
    watched.sees("P+q")
    watched.resize(200, 24)
    watched.sees("\u65e5\u672c end")
    watched.type(b"q")
    shown = watched.end()[1]
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202e]", shown)
    assert not re.search("\x1b(?!\\[[?\\d;]*[A-Za-z])", shown)
    world.ok("stop", run_id)
