"""The real interactive Claude Code in a pane of a tmux server of its own, as a person would use it.

A Tui types, reads the screen and reads the state that Claude Code itself keeps of its
session (`~/.claude/sessions/<pid>.json`). Every wait is for a fact, bounded in time, and a
wait that fails shows the screen. Seen with Claude Code 2.1.197, tmux 3.3a.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import secrets
import shlex
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Optional

from .arrow import eventually
from .stub_scenarios import Step
from .stub_scenarios import marker
from .world import World

KEY = "sk-ant-test-0123456789abcdefghij"
"""A key of the right shape: the TUI asks about one that it does not know by its last 20 characters."""
QUESTION = re.compile(r"^\s*❯ 1\. Yes", re.MULTILINE)
RULE = "─" * 20
RESTING = ("idle", "shell")
"""The states in which Claude Code waits for input; `shell`: while a background command of the model's runs."""


class Tui:
    """One `claude` in one pane: `argv` are its further options, `settings` what --settings is given.

    `env` is added to the environment of the pane. The constructor returns when the input box is there.
    """

    trusted = True

    def __init__(
        self,
        world: World,
        folder: Path,
        *argv: str,
        settings: Optional[dict[str, Any]] = None,
        env: Optional[dict[str, str]] = None,
        size: tuple[int, int] = (160, 50),
    ) -> None:
        self.world = world
        self.folder = folder
        self.socket = "agentctl-tui-" + secrets.token_hex(4)
        self.env = {**world.env, "ANTHROPIC_API_KEY": KEY, **(env or {})}
        self.argv = [*argv, *self._settings(settings)]
        self._known()
        self.start(size)

    def _settings(self, settings: Optional[dict[str, Any]]) -> list[str]:
        if settings is None:
            return []
        path = self.world.folder / ("settings-%s.json" % self.socket)
        path.write_text(json.dumps(settings))
        return ["--settings", str(path)]

    def _known(self) -> None:
        """No onboarding, no question about the key, none about the folder unless it is to be asked."""
        if self.trusted:
            know(self.world, self.folder)
        else:
            know(self.world)

    def start(self, size: tuple[int, int] = (160, 50)) -> None:
        """Open the pane: `claude`, and a shell once it has ended."""
        script = self.world.folder / ("tui-%s.sh" % self.socket)
        exports = "".join("export %s=%s\n" % (name, shlex.quote(value)) for name, value in self.env.items())
        script.write_text("%scd %s\n%s\nexec sh\n" % (exports, shlex.quote(str(self.folder)), self.command()))
        self.tmux("new-session", "-d", "-s", "ai", "-x", str(size[0]), "-y", str(size[1]), "sh", str(script))
        self.pane = self.tmux("display-message", "-p", "-t", "ai:", "#{pane_id}").strip()
        server = self.tmux("display-message", "-p", "-t", "ai:", "#{socket_path},#{pid},0").strip()
        self.inside = {"TMUX": server, "TMUX_PANE": self.pane}
        self.idle(30)

    def command(self) -> str:
        """The command line that a shell runs."""
        return shlex.join(["claude", *self.argv])

    def close(self) -> None:
        """End the TUI and its tmux server, whatever they are doing, and remove the socket."""
        self.tmux("kill-server")
        folder = Path(os.environ.get("TMUX_TMPDIR", "/tmp")) / ("tmux-%d" % os.getuid())
        try:
            (folder / self.socket).unlink()
        except OSError:
            pass  # tmux removed it, or never made it

    def tmux(self, *words: str) -> str:
        """What a tmux command of this server prints; its failure shows itself in the next `until`."""
        env = {k: v for k, v in self.world.env.items() if k != "TMUX"}
        done = subprocess.run(["tmux", "-L", self.socket, *words], env=env, capture_output=True, text=True, timeout=60)
        return done.stdout

    def screen(self, history: int = 0) -> str:
        """What the pane shows, with so many lines above it."""
        return self.tmux("capture-pane", "-p", "-t", self.pane, "-S", str(-history))

    def box(self) -> Optional[str]:
        """The text in the input box, a placeholder's included; None while no box is drawn."""
        lines = self.screen().rstrip().splitlines()
        rules = [i for i, line in enumerate(lines) if line.startswith(RULE)]
        if len(rules) < 2 or not lines[rules[-2] + 1].startswith("❯"):
            return None
        return "\n".join(lines[rules[-2] + 1 : rules[-1]]).lstrip("❯").strip().replace("\xa0", " ")

    def asks(self) -> bool:
        """Whether a permission question is on the screen."""
        return QUESTION.search(self.screen()) is not None

    def sessions(self) -> list[dict[str, Any]]:
        """What the live Claude Codes of this home say of themselves."""
        found = []
        for path in (self.world.home / ".claude" / "sessions").glob("*.json"):
            try:
                found.append(json.loads(path.read_text()))
            except (OSError, ValueError):
                pass  # just removed, or just being written
        return [s for s in found if os.path.exists("/proc/%d" % s["pid"])]

    def state(self, key: str) -> Any:
        """A value of this TUI's own session file (pid, sessionId, status, waitingFor…), None without one."""
        mine = [s for s in self.sessions() if s.get("kind") == "interactive" and self._here(s["pid"])]
        return mine[0].get(key) if mine else None

    def _here(self, pid: int) -> bool:
        """Whether the process was started in this pane."""
        wanted = ("TMUX_PANE=" + self.pane).encode()
        server = ("TMUX=" + self.inside["TMUX"].rsplit(",", 1)[0]).encode() if hasattr(self, "inside") else b"TMUX="
        try:
            env = Path("/proc/%d/environ" % pid).read_bytes().split(b"\0")
        except OSError:
            return False  # it has ended
        return wanted in env and any(line.startswith(server) for line in env)

    def alive(self) -> bool:
        """Whether Claude Code still runs here."""
        return self.state("pid") is not None

    def until(self, condition: Callable[[], Any], seconds: float = 15.0) -> None:
        """Wait for a condition; AssertionError with the screen when it does not come."""
        assert eventually(condition, seconds), "status %r\n%s" % (self.state("status"), self.screen())

    def resting(self) -> bool:
        """Whether Claude Code waits for input now."""
        return self.state("status") in RESTING and self.box() is not None

    def idle(self, seconds: float = 20.0) -> None:
        """Wait until Claude Code waits for input."""
        self.until(self.resting, seconds)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names for them: Escape, Enter, C-c, Down."""
        self.tmux("send-keys", "-t", self.pane, *names)

    @contextlib.contextmanager
    def attached(self) -> Iterator[Callable[[str], None]]:
        """A terminal that shows the pane, as a person has it; what is pressed there comes at a person's pace."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 51, 160, 0, 0))
        argv = ["tmux", "-L", self.socket, "attach", "-t", self.pane]
        client = subprocess.Popen(
            argv, env=self.world.env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        threading.Thread(target=_drain, args=(master,), daemon=True).start()
        try:
            self.until(lambda: self.tmux("list-clients", "-t", self.pane))
            yield lambda text: _press(master, text)
        finally:
            client.terminate()
            client.wait(10)
            os.close(master)

    def draft(self, text: str) -> None:
        """Type a line and leave it in the box. Typed as a paste: only then is a later Enter sure to submit."""
        self.tmux("set-buffer", "-b", "draft", text)
        self.tmux("paste-buffer", "-p", "-d", "-b", "draft", "-t", self.pane)
        shown = text[:30].rstrip()
        self.until(lambda: shown in (self.box() or "") or "[Pasted" in (self.box() or ""))

    def say(self, text: str, *steps: Step) -> None:
        """Submit a prompt; the model answers with `steps`, if any are given."""
        self.draft("%s %s" % (text, marker(*steps)) if steps else text)
        self.keys("Enter")
        self.until(lambda: text[:30].rstrip() not in (self.box() or ""))

    def ask(self, text: str, *steps: Step, seconds: float = 30.0) -> None:
        """Submit a prompt and wait for the end of its turn."""
        seen = len(self.world.stub.asked())
        self.say(text, *steps)
        self.until(lambda: len(self.world.stub.asked()) > seen, seconds)
        self.idle(seconds)

    def question(self, seconds: float = 20.0) -> None:
        """Wait until a permission question is open."""
        self.until(self.asks, seconds)

    def allow(self) -> None:
        """Answer the open question with Yes."""
        self.question()
        self.keys("Enter")
        self.until(lambda: not self.asks())

    def refuse(self) -> None:
        """Leave the open question with Esc."""
        self.question()
        self.keys("Escape")
        self.until(lambda: not self.asks())

    def leave(self) -> None:
        """/exit, and wait for the end of the process."""
        pid = self.state("pid")
        self.draft("/exit")
        self.keys("Enter")
        self.until(lambda: not os.path.exists("/proc/%d" % pid))


def know(world: World, *folders: Path) -> None:
    """Have this user's Claude Code ask nothing at its start in these folders.

    Written only where it says something new: a living Claude Code writes the same file.
    """
    path = world.home / ".claude.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    before = json.dumps(known)
    known["hasCompletedOnboarding"] = True
    known.setdefault("customApiKeyResponses", {"approved": [KEY[-20:]], "rejected": []})
    for folder in folders:
        known.setdefault("projects", {}).setdefault(str(folder), {})["hasTrustDialogAccepted"] = True
    if json.dumps(known) != before:
        path.write_text(json.dumps(known))


def _press(terminal: int, text: str) -> None:
    os.write(terminal, text.encode("utf-8"))
    time.sleep(0.05)


def _drain(terminal: int) -> None:
    """Take what a terminal is sent, so that its sender is not held up."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:
        pass  # it was closed
