"""The line that is typed: it is told once Enter was, whatever becomes of tmux, or of the typist, at that moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctl import inbox
from agentctl import keys
from agentctl import orchestrators
from agentctl import store
from conftest import REPO
from conftest import World
from conftest import eventually

NAME = "pane-1-1"
RUN = "20260215-143022-ab12"

CLAUDE = """
import json, os, re, sys, tty
born = open("/proc/self/stat", "rb").read().rpartition(b")")[2].split()[19].decode()
folder = os.path.expanduser("~/.claude/sessions")
os.makedirs(folder, exist_ok=True)
tty.setraw(0)
box = ""
while True:
    rule = "\\u2500" * 40
    sys.stdout.write("\\033[?2004h\\033[H\\033[2J" + rule + "\\r\\n\\u276f " + box + "\\r\\n" + rule + "\\r\\n")
    sys.stdout.flush()
    with open(os.path.join(folder, "%d.json" % os.getpid()), "w") as f:
        json.dump({"pid": os.getpid(), "procStart": born, "status": "idle", "sessionId": "s"}, f)
    typed = os.read(0, 4096).decode()
    if typed == "\\r":
        with open("submitted", "a") as f:
            f.write(box + "\\n")
        box = ""
    else:
        box += re.sub("\\033\\\\[20[01]~", "", typed)
"""
"""What the typist knows a Claude Code by: its session file, its input box, a paste and an Enter that goes alone."""

TMUX = """#!/bin/sh
case " $* " in *" -r "*) [ -e {folder}/broken ] && {{ echo $$ > {folder}/at-enter; {then}; }} ;; esac
exec {tmux} "$@"
"""
"""tmux, but for the key that goes alone, while the file `broken` is there."""

TYPIST = """
import os, sys
sys.path.insert(0, %r)
from agentctl import keys, orchestrators, store, wake
home = store.Home(%r)
at = orchestrators.find(home, %r)
print(keys.knock(home, at, os.environ, wake.untold_to(home, at.name)))
"""


class Pane:
    """A pane of a stand-in for Claude Code, and typists with a tmux that can be broken."""

    def __init__(self, world: World, then: str) -> None:
        self.folder = world.root / "broken-tmux"
        self.folder.mkdir()
        (self.folder / "claude.py").write_text(CLAUDE)
        script = self.folder / "tmux"
        script.write_text(TMUX.format(folder=self.folder, then=then, tmux=shutil.which("tmux")))
        script.chmod(0o755)
        self.env = {**world.env, "PATH": "%s:%s" % (self.folder, world.env["PATH"])}
        self.home = store.Home(str(world.home))
        world.tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", str(self.folder), sys.executable, "claude.py")
        eventually(lambda: "\u276f" in world.tmux("capture-pane", "-p"))
        pane, pid, server = world.tmux("display-message", "-p", "#{pane_id} #{pane_pid} #{pid}").split()
        here = orchestrators.Orchestrator(
            name=NAME, pane=pane, socket=world.socket, server_pid=int(server), pane_pid=int(pid)
        )
        orchestrators.register(self.home, here.replace(claude=str(world.user / ".claude")))
        inbox.post(self.home, inbox.Entry(id=RUN + ".ended", kind="ended", run_id=RUN, orchestrator=NAME))

    def typist(self) -> subprocess.Popen[str]:
        code = TYPIST % (str(REPO), self.home.path, NAME)
        argv = [sys.executable, "-I", "-S", "-c", code]
        return subprocess.Popen(argv, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def tries(self) -> str:
        return self.typist().communicate(timeout=30)[0].strip()

    def breaks(self) -> None:
        (self.folder / "broken").touch()

    def mends(self) -> None:
        (self.folder / "broken").unlink()

    @property
    def enter(self) -> Path:
        return self.folder / "at-enter"

    def submitted(self) -> list[str]:
        path = self.folder / "submitted"
        return path.read_text().splitlines() if path.exists() else []

    def noted(self) -> dict[str, object]:
        loaded: dict[str, object] = json.loads(Path(inbox.folder(self.home, NAME, "heard.json")).read_text())
        return loaded


@pytest.fixture
def fails(world: World) -> Pane:
    return Pane(world, "exit 1")


@pytest.fixture
def hangs(world: World) -> Iterator[Pane]:
    made = Pane(world, "exec sleep 300")
    yield made
    if made.enter.exists():
        try:
            os.kill(int(made.enter.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            pass  # the typist ended it


def told_once(pane: Pane) -> None:
    """The next attempt finds its words in the box, and submits them; then there is nothing more to tell."""
    assert pane.submitted() == []
    pane.mends()
    assert pane.tries() == keys.SUBMITTED
    assert pane.submitted() == [keys.WORDS]
    assert pane.noted()["ids"] == [RUN + ".ended"]
    assert pane.tries() == keys.NOTHING


def test_what_tmux_did_not_press_is_not_told(fails: Pane) -> None:
    fails.breaks()
    assert fails.tries() == "" and fails.enter.exists()
    assert fails.noted()["ids"] == []
    told_once(fails)


def test_a_typist_that_is_killed_at_enter_has_told_nothing(hangs: Pane) -> None:
    hangs.breaks()
    typist = hangs.typist()
    eventually(lambda: hangs.enter.exists() and hangs.enter.read_text().strip())
    typist.kill()
    typist.communicate(timeout=10)
    assert hangs.noted()["ids"] == []
    told_once(hangs)
