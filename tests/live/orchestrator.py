"""Orchestrators as users have them: the real Claude Code by `bin/orch`, and one that a user started by hand.

Both have an inbox in the arrow's home. What their model was told is read from the requests
that the model server got: the test asks no file of ours whether something arrived.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from typing import Optional

from .arrow import ROOT
from .arrow import Arrow
from .stub_turn import Turn
from .tui import KEY
from .tui import Tui

ORCH = [sys.executable, "-I", "-S", str(ROOT / "bin" / "orch")]
ALLOW = ["Bash(agentctl %s:*)" % verb for verb in ("inbox", "wait", "show", "start", "list")]
"""What bin/orch allows its Claude, and a user would allow theirs."""
BARRED = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_SH)"
PROMPT = "orchestrator$"


class Registered(Tui):
    """A TUI that has an inbox, of the orchestrator `name`."""

    arrow: Arrow
    name: str

    def run(self, *options: str, argv: tuple[str, ...] = ("true",)) -> str:
        """A run started as a command of this orchestrator's would be."""
        return self.agentctl("start", "--project", "p", "--no-pane", *options, "--", *argv).strip()

    def barred(self, barrier: Path) -> str:
        """A run that ends when nobody holds the barrier's lock any more."""
        return self.run(argv=(sys.executable, "-I", "-S", "-c", BARRED, str(barrier)))

    def agentctl(self, *words: str) -> str:
        """A command of this orchestrator's."""
        before = self.arrow.env
        self.arrow.env = {**before, **self.inside, **self.identity()}
        try:
            return self.arrow.agentctl(*words)
        finally:
            self.arrow.env = before

    def identity(self) -> dict[str, str]:
        """What else tells agentctl who calls."""
        return {}

    def pending(self) -> list[str]:
        """Ids of the events that are not acknowledged."""
        try:
            return sorted(os.listdir(self.arrow.home / "inbox" / self.name / "events"))
        except FileNotFoundError:
            return []

    def clean(self) -> None:
        """Nothing is typed: the box is emptied, as a user would."""
        self.keys("C-u")
        self.until(lambda: self.box() == "")


class Orch(Registered):
    """A TUI that bin/orch started in a directory."""

    def __init__(self, arrow: Arrow, folder: Path, *options: str, trusted: bool = True, **env: str) -> None:
        self.arrow = arrow
        self.world = arrow.world
        self.folder = folder
        self.socket = arrow.socket
        self.env = {**arrow.env, "ANTHROPIC_API_KEY": KEY, **env}
        self.options = options
        self.trusted = trusted
        self._known()
        self.start()

    def start(self, size: tuple[int, int] = (160, 50)) -> None:
        """Call `orch`, as from a terminal outside tmux."""
        before = set(self.panes())
        argv = [*ORCH, str(self.folder), "--session", "ai", *self.options]
        done = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.pane = (set(self.panes()) - before).pop()
        server = self.tmux("display-message", "-p", "-t", self.pane, "#{socket_path},#{pid},0").strip()
        self.inside = {"TMUX": server, "TMUX_PANE": self.pane}
        self.name = self.about()["name"]
        if self.trusted:
            self.idle(30)

    def panes(self) -> list[str]:
        """Every pane of the server."""
        return self.tmux("list-panes", "-a", "-F", "#{pane_id}").split()

    def about(self) -> dict[str, Any]:
        """What is registered of this pane."""
        for path in (self.arrow.home / "inbox").glob("*/about.json"):
            about: dict[str, Any] = json.loads(path.read_text())
            if about["pane"] == self.pane and about["name"].startswith("orch-"):
                return about
        raise AssertionError("pane %s is not registered" % self.pane)

    def identity(self) -> dict[str, str]:
        """What bin/orch gives to its Claude."""
        return {"AGENTCTL_ORCHESTRATOR": self.name}


class Plain(Registered):
    """A TUI that a user started by hand, from the shell of a pane on a tmux server of their own."""

    def __init__(self, arrow: Arrow, folder: Path, trusted: bool = True, **env: str) -> None:
        self.arrow = arrow
        self.trusted = trusted
        path = "%s:%s" % (ROOT / "bin", arrow.env["PATH"])
        super().__init__(
            arrow.world,
            folder,
            settings={"permissions": {"allow": ALLOW}},
            env={"AI_ORCH_HOME": str(arrow.home), "PATH": path, **env},
        )

    def start(self, size: tuple[int, int] = (160, 50)) -> None:
        """Open the pane with a shell that has jobs, and type the command."""
        script = self.world.folder / ("shell-%s.sh" % self.socket)
        exports = "".join("export %s=%s\n" % (name, shlex.quote(value)) for name, value in self.env.items())
        script.write_text("%sPS1='%s '\ncd %s\n" % (exports, PROMPT, shlex.quote(str(self.folder))))
        shell = ["bash", "--noprofile", "--rcfile", str(script), "-i"]
        self.tmux("new-session", "-d", "-s", "ai", "-x", str(size[0]), "-y", str(size[1]), *shell)
        self.pane = self.tmux("display-message", "-p", "-t", "ai:", "#{pane_id}").strip()
        server = self.tmux("display-message", "-p", "-t", "ai:", "#{socket_path},#{pid},0").strip()
        self.inside = {"TMUX": server, "TMUX_PANE": self.pane}
        self.name = "pane-%s-%s" % (server.split(",")[1], self.pane.lstrip("%"))
        self.at_prompt()
        self.launch()
        if self.trusted:
            self.idle(30)

    def launch(self) -> None:
        """Type the command that starts Claude Code."""
        self.keys("clear; " + self.command(), "Enter")

    def at_prompt(self) -> None:
        """Wait until the shell waits for a command."""
        self.until(lambda: self.screen().rstrip().endswith(PROMPT))


def texts_with(turns: list[Turn], word: str) -> list[tuple[str, str]]:
    """The (role, text) pairs by which models were told a word, each once although every request repeats them all.

    A conversation's fullest request counts; what the model itself said does not.
    """
    best: dict[str, list[tuple[str, str]]] = {}
    for turn in turns:
        found = [(role, text) for role, text in turn.said if word in _news(text) and role != "assistant"]
        if len(found) > len(best.get(turn.session, [])):
            best[turn.session] = found
    return [pair for found in best.values() for pair in found]


def first_told(turns: list[Turn], word: str) -> Optional[Turn]:
    """The first request whose model was told a word."""
    for turn in turns:
        if any(word in _news(text) for role, text in turn.said if role != "assistant"):
            return turn
    return None


def _news(text: str) -> str:
    """What is told, without what a conversation is greeted with: the runs that are at work."""
    return re.sub(r"agentctl: not ended: [^\n]*", "", text)
