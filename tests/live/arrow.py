"""The whole arrow: agentctl as a second process, a tmux server of its own, a real worker.

An Arrow is one home on one World. Whatever a test does, `close` leaves no run, no tmux
server and no socket behind, and never raises: a failing test keeps its own failure.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .world import World

ROOT = Path(__file__).resolve().parents[2]
AGENTCTL = [sys.executable, "-I", "-S", str(ROOT / "agentctl")]
SETTINGS = {"stop_grace_s": 1.0, "exit_grace_s": 1.0}


class Arrow:
    """agentctl in a fresh home, with the project `p` registered on a fresh repository."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.world = world
        self.stub = world.stub
        self.home = world.folder / "orch"
        self.socket = "agentctl-test-" + secrets.token_hex(4)
        self.env = {**world.env, "AI_ORCH_HOME": str(self.home)}
        self.agentctl("init")
        (self.home / "config.json").write_text(json.dumps({**SETTINGS, "tmux_socket": self.socket, **settings}))
        self.repo = self.project("p")

    def agentctl(self, *args: str, said: str = "", codes: tuple[int, ...] = (0,)) -> str:
        """A command's stdout; its exit code must be one of `codes`."""
        done = subprocess.run(
            [*AGENTCTL, *args],
            input=said,
            env=self.env,
            cwd=self.world.folder,
            capture_output=True,
            encoding="utf-8",
            timeout=90,
        )
        assert done.returncode in codes, "agentctl %s: exit %d\n%s\n%s" % (
            " ".join(args),
            done.returncode,
            done.stdout[-2000:],
            done.stderr[-2000:],
        )
        return done.stdout

    def project(self, name: str, *options: str) -> Path:
        """A repository of this name, registered."""
        repo = self.world.repository(name)
        self.agentctl("add-project", name, str(repo), *options)
        return repo

    def start(self, prompt: str, backend: str, *options: str, profile: str = "spark", project: str = "p") -> str:
        """The id of a run that was started."""
        chosen = ["--project", project, "--backend", backend, "--profile", profile, *options]
        return self.agentctl("start", *chosen, said=prompt).strip()

    def resume(self, parent: str, prompt: str) -> str:
        """The id of the run that goes on with a conversation."""
        return self.agentctl("resume", "--parent-run-id", parent, said=prompt).strip()

    def wait(self, *run_ids: str, codes: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
        """The results, in the order of the ids."""
        lines = self.agentctl("wait", "--timeout", "60", *run_ids, codes=codes).splitlines()
        results = {result["run_id"]: result for result in map(json.loads, lines)}
        return [results[run_id] for run_id in run_ids]

    def done(
        self, prompt: str, backend: str, *options: str, codes: tuple[int, ...] = (0,), **where: str
    ) -> dict[str, Any]:
        """Start one run and wait for its result."""
        return self.wait(self.start(prompt, backend, *options, **where), codes=codes)[0]

    def run_file(self, run_id: str, name: str) -> Path:
        """A file of a run's folder."""
        return self.home / "runs" / run_id / name

    def runner_pid(self, run_id: str) -> int:
        """The runner's process, as its lock file says for people."""
        return int(self.run_file(run_id, "lock").read_text().split()[0])

    def close(self) -> None:
        """Stop what runs and remove the tmux server with its socket."""
        running = [r.name for r in self.home.glob("runs/2*") if not (r / "result.json").exists()]
        for command in ([*AGENTCTL, "stop", *running] if running else [], self.tmux("kill-server")):
            if command:
                subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        folder = Path(self.env.get("TMUX_TMPDIR", "/tmp")) / ("tmux-%d" % os.getuid())
        try:
            (folder / self.socket).unlink()
        except OSError:
            pass  # no pane was ever opened

    def tmux(self, *args: str) -> list[str]:
        """A tmux command for this home's server."""
        return ["tmux", "-L", self.socket, *args]


def marked(run_id: str) -> list[str]:
    """The command lines of live processes that carry the run's marker (Linux)."""
    marker = ("AGENTCTL_RUN_ID=%s" % run_id).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # it ended, or it is not ours to look at
    return found


def eventually(condition: Callable[[], Any], seconds: float = 8.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
