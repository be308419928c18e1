"""The first wake, with the real interactive Claude Code in a real pane.

A wrong key is worse than a lost one: text goes only into a live Claude Code that waits
for input, never into a shell, and never answers a question.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arrow import Arrow
from .arrow import eventually
from .stub_scenarios import marker

KEY = "sk-ant-test-0123456789abcdefghij"
WOKEN = "there is news"

pytestmark = pytest.mark.live


class Orchestrator:
    """An interactive Claude Code in a pane of the arrow's tmux server."""

    def __init__(self, arrow: Arrow, folder: Path) -> None:
        self.arrow = arrow
        self._before = len(arrow.stub.asked(WOKEN))
        env = {**arrow.env, "ANTHROPIC_API_KEY": KEY}
        (arrow.world.home / ".claude.json").write_text(
            json.dumps(
                {
                    "hasCompletedOnboarding": True,
                    "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
                    "projects": {str(folder): {"hasTrustDialogAccepted": True}},
                }
            )
        )
        script = folder.parent / "tui.sh"
        exports = "\n".join("export %s='%s'" % pair for pair in env.items())
        script.write_text("%s\ncd '%s'\nclaude\nexec sh\n" % (exports, folder))
        self.tmux("new-session", "-d", "-s", "ai", "-x", "160", "-y", "50", "sh", str(script))
        self.pane = self.tmux("display-message", "-p", "-t", "ai:", "#{pane_id}").strip()
        server = self.tmux("display-message", "-p", "-t", "ai:", "#{socket_path},#{pid},0").strip()
        self.env = {"TMUX": server, "TMUX_PANE": self.pane}
        assert eventually(lambda: "❯" in self.screen() and self.alive(), 20), self.screen()

    def tmux(self, *words: str) -> str:
        done = subprocess.run(self.arrow.tmux(*words), env=self.arrow.env, capture_output=True, text=True, timeout=20)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", self.pane)

    def alive(self) -> bool:
        return any((self.arrow.world.home / ".claude" / "sessions").glob("*.json"))

    def run(self, script: str = "true") -> str:
        """A run started as a command of this pane's would be."""
        self.arrow.env.update(self.env)
        try:
            return self.arrow.agentctl("start", "--project", "p", "--no-pane", "--", "sh", "-c", script).strip()
        finally:
            for name in self.env:
                self.arrow.env.pop(name)

    def heard(self) -> bool:
        """Whether the model was told."""
        return len(self.arrow.stub.asked(WOKEN)) > self._before


@pytest.fixture
def orchestrator(arrow: Arrow) -> Iterator[Orchestrator]:
    made = Orchestrator(arrow, arrow.repo)
    yield made
    made.tmux("kill-server")


def test_an_idle_orchestrator_is_woken(orchestrator: Orchestrator) -> None:
    run = orchestrator.run("echo done")
    orchestrator.arrow.wait(run)
    assert eventually(orchestrator.heard, 15), orchestrator.screen()


def test_nothing_is_typed_into_a_shell(orchestrator: Orchestrator) -> None:
    orchestrator.tmux("send-keys", "-t", orchestrator.pane, "/exit", "Enter")
    assert eventually(lambda: not orchestrator.alive(), 15), orchestrator.screen()
    orchestrator.tmux("clear-history", "-t", orchestrator.pane)
    run = orchestrator.run("echo done")
    orchestrator.arrow.wait(run)
    assert eventually(lambda: not os.path.exists("/proc/%d" % orchestrator.arrow.runner_pid(run)), 15)
    assert WOKEN not in orchestrator.screen()
    assert not orchestrator.heard()


def test_a_permission_question_is_not_answered(orchestrator: Orchestrator) -> None:
    target = orchestrator.arrow.repo / "touched"
    ask = marker({"run": "python3 -c 'open(%r, chr(119))'" % str(target)}, {"text": "ok"})
    orchestrator.tmux("send-keys", "-t", orchestrator.pane, "-l", "please " + ask)
    assert eventually(lambda: "please" in orchestrator.screen())
    orchestrator.tmux("send-keys", "-t", orchestrator.pane, "Enter")
    assert eventually(lambda: "Do you want" in orchestrator.screen(), 20), orchestrator.screen()
    run = orchestrator.run("echo done")
    orchestrator.arrow.wait(run)
    assert eventually(lambda: not os.path.exists("/proc/%d" % orchestrator.arrow.runner_pid(run)), 25)
    assert "Do you want" in orchestrator.screen()
    assert not target.exists()
