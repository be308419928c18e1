"""One user's machine to measure on: a HOME, an agentctl home, a project, a tmux server.

Everything lies in one temporary directory, the tmux socket too, so that nothing of the
user's is seen or touched. `close` ends every process that names the directory, removes
it, and says what it could not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from typing import Any

import measure
from measure import AGENTCTL
from measure import BARE
from measure import BenchError

SESSION, FLOOR_WINDOW = "bench", "floor"
# A worker that says it is there, waits for the gate, writes the time as its last act, and is gone.
# The floors run the same program.
_GATED = (
    "import os,sys,time;os.close(os.open(sys.argv[1],os.O_RDONLY));"
    "f=os.open(sys.argv[2],os.O_WRONLY|os.O_CREAT);os.write(f,b'%d'%time.monotonic_ns());os._exit(0)"
)


class Lab:
    """The machine. `fast` asks for memory instead of a disk where there is such a folder."""

    def __init__(self, fast: bool = False) -> None:
        shared = "/dev/shm"
        base = shared if fast and os.access(shared, os.W_OK) else None
        self.root = tempfile.mkdtemp(prefix="agentctl-bench-", dir=base)
        self.home = self.path("home")
        self.project = self.path("project")
        self.socket = self.path("tmux")
        for folder in (self.project, self.path("user")):
            os.mkdir(folder)
        self.env = {**measure.clean_env(self.path("user")), "AI_ORCH_HOME": self.home}
        self._names = 0
        self._serving = False

    def __enter__(self) -> Lab:
        try:
            self.agentctl("init")
            self.config(tmux_socket=self.socket, tmux_session=SESSION)
            self.agentctl("add-project", "p", self.project)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- names and files

    def path(self, *names: str) -> str:
        return os.path.join(self.root, *names)

    def fresh(self, kind: str) -> str:
        """A path that nothing has yet."""
        self._names += 1
        return self.path("%s-%d" % (kind, self._names))

    def fifo(self) -> str:
        path = self.fresh("fifo")
        os.mkfifo(path)
        return path

    def config(self, **entries: Any) -> None:
        path = os.path.join(self.home, "config.json")
        old = json.loads(_content(path) or "{}")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**old, **entries}, f)

    # -- ours

    def agentctl(self, *words: str) -> str:
        """What an agentctl command prints. Raises BenchError where it fails."""
        return measure.output((*AGENTCTL, *words), self.env, self.fresh("out"))

    def start(self, *words: str) -> str:
        """Start a run; its id."""
        return self.agentctl("start", *words)

    def run_file(self, run_id: str, name: str) -> str:
        return os.path.join(self.home, "runs", run_id, name)

    def runner(self, run_id: str) -> int:
        """The pid of a born run's runner, as its lock file tells people. Raises BenchError."""
        measure.until(lambda: _content(self.run_file(run_id, "lock")))
        return int(_content(self.run_file(run_id, "lock")).split()[0])

    def settle(self, run_id: str) -> None:
        """Wait until a run has ended and its runner has left the stage."""
        runner = self.runner(run_id)
        measure.timed((*AGENTCTL, "wait", "--quiet", run_id), self.env)
        measure.until(lambda: "_run" not in measure.argv_of(runner))

    # -- the gated worker

    def gated(self, gate: str, stamp: str) -> tuple[str, ...]:
        """The argv of a worker that ends when its gate is opened, and stamps the time as it does."""
        return (*BARE, "-c", _GATED, gate, stamp)

    def open_gate(self, gate: str) -> None:
        """Let the worker go; waits until it stands at the gate."""
        os.close(os.open(gate, os.O_WRONLY))

    def stamped(self, stamp: str) -> float:
        """The worker's last moment, in milliseconds of the shared clock."""
        return int(_content(stamp)) / 1e6

    # -- tmux

    def tmux(self, *words: str) -> tuple[str, ...]:
        """The argv of a tmux client of our own server, which this starts where it must."""
        if not self._serving:
            self._serve()
        return ("tmux", "-S", self.socket, *words)

    def split(self, *argv: str) -> tuple[str, ...]:
        """The floor's way to run something in a pane: one client, argv form, no shell."""
        window = "%s:%s" % (SESSION, FLOOR_WINDOW)
        return self.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", window, "--", *argv)

    def _serve(self) -> None:
        self._serving = True
        size = ("-x", "200", "-y", "50")
        measure.timed(
            (
                "tmux",
                "-S",
                self.socket,
                "-f",
                os.devnull,
                "new-session",
                "-d",
                *size,
                "-s",
                SESSION,
                "-n",
                FLOOR_WINDOW,
                "--",
                "sleep",
                "86400",
            ),
            self.env,
        )

    # -- the end

    def close(self) -> None:
        """End and remove all of it. Raises BenchError for what could not be removed."""
        if self._serving:
            measure.timed(("tmux", "-S", self.socket, "kill-server"), self.env, codes=(0, 1))
        for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
            self._end_processes(number, patience)
        left = self._processes()
        shutil.rmtree(self.root, ignore_errors=True)
        if left or os.path.exists(self.root):
            raise BenchError("left behind: %s%s" % (self.root, "".join(", process %d" % pid for pid in left)))

    def _processes(self) -> list[int]:
        _reap_children()
        return [pid for pid in measure.processes() if pid != os.getpid() and measure.mentions(pid, self.root)]

    def _end_processes(self, number: int, patience: float) -> None:
        deadline = time.monotonic() + patience
        for pid in self._processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # ended by itself meanwhile
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.02)


def _reap_children() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # none is left


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except OSError:
        return ""
