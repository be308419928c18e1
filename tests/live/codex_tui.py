"""The real interactive Codex in a pane of a private tmux server, as an orchestrator would run.

Seen with codex-cli 0.169.0. No dialog comes up when the folder is trusted and the notice
of the new model is marked as read; `--no-daemon` keeps everything in one process, which
then looks at the message queue every ten seconds, while the daemon (400 MB copied into the
home on first use) is told at once.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import time
from pathlib import Path

from .arrow import eventually
from .world import World

CONFIG = """\

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"

[projects.%s]
trust_level = "trusted"
"""
QUEUE_LOOKED_AT_S = 10.0
"""How often a TUI without the daemon looks for queued messages: wait longer than this."""

EMPTY_BOX = "Ask Codex to do anything"
BUSY = "esc to interrupt"
ASKING = "Would you like to"
ENDED = "codex-exit"


class CodexTui:
    """A Codex that waits for its first prompt; when it ends, its pane is a shell, as a user's would be."""

    def __init__(self, world: World, folder: Path, *options: str) -> None:
        self.home = world.home / ".codex"
        self.socket = "agentctl-test-" + secrets.token_hex(4)
        self._env = world.env
        with (self.home / "config.toml").open("a") as config:
            config.write(CONFIG % json.dumps(str(folder)))
        command = "%s; echo %s $?; exec sh" % (shlex.join(["codex", "--no-daemon", *options]), ENDED)
        size = ["-x", "140", "-y", "50", "-c", str(folder)]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "ai", *size, "sh", "-c", command)
        self.pane = self.tmux("display-message", "-p", "-t", "ai:", "#{pane_id}").strip()
        assert eventually(self.idle, 20), self.screen()
        time.sleep(0.5)  # the first screen is drawn before keys are read

    def tmux(self, *words: str) -> str:
        """What tmux says."""
        argv = ["tmux", "-L", self.socket, *words]
        return subprocess.run(argv, env=self._env, capture_output=True, text=True, timeout=20).stdout

    def screen(self) -> str:
        """The lines of the pane that are not empty."""
        shown = self.tmux("capture-pane", "-p", "-t", self.pane).splitlines()
        return "\n".join(line.rstrip() for line in shown if line.strip())

    def keys(self, *names: str) -> None:
        """Keys by tmux's names."""
        self.tmux("send-keys", "-t", self.pane, *names)

    def type(self, text: str) -> None:
        """Text in the input box, not submitted."""
        self.tmux("set-buffer", "-b", "typed", text)
        self.tmux("paste-buffer", "-p", "-d", "-b", "typed", "-t", self.pane)
        time.sleep(0.2)

    def prompt(self, text: str) -> None:
        """Text typed and submitted."""
        self.type(text)
        self.keys("Enter")

    def idle(self) -> bool:
        """Whether it waits for a prompt and its box is empty."""
        screen = self.screen()
        return EMPTY_BOX in screen and BUSY not in screen

    def asking(self) -> bool:
        """Whether a question about a command is open."""
        return ASKING in self.screen()

    def ended(self) -> bool:
        """Whether the pane is a shell by now."""
        return ENDED + " " in self.screen()

    def leave(self) -> None:
        """What a user does to quit: Ctrl-C; a second one only if there was something to clear."""
        self.keys("C-c")
        if not eventually(self.ended, 1.5):
            self.keys("C-c")
        assert eventually(self.ended, 10), self.screen()

    def thread(self) -> str:
        """The thread's id, which is in the rollout's name. There is none before the first prompt."""
        assert eventually(self.rollouts, 10), self.screen()
        return self.rollouts()[-1].stem[-36:]

    def rollouts(self) -> list[Path]:
        """The threads on disk, oldest first."""
        return sorted(self.home.glob("sessions/*/*/*/rollout-*.jsonl"))

    def queue(self, message: str, thread: str = "") -> subprocess.CompletedProcess[str]:
        """`codex queue` from outside, as a wake would call it."""
        argv = ["codex", "queue", "--thread", thread or self.thread(), "--message", message]
        return subprocess.run(
            argv, env=self._env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def close(self) -> None:
        """Leave no process and no socket behind."""
        self.tmux("kill-server")
        try:
            os.unlink(os.path.join(self._env.get("TMUX_TMPDIR", "/tmp"), "tmux-%d" % os.getuid(), self.socket))
        except OSError:
            pass  # tmux removed it
