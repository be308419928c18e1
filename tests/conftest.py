"""What every test may use: a home, a project, a tmux server of its own, the real program.

Nothing is mocked. The program is run as a user runs it: a process, its streams,
its exit code. Each tmux server has a private socket and is gone afterwards; a
failing cleanup never hides the test's own failure.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Callable

import pytest

from browser import NAMES
from browser import Browser
from browser import program

REPO = Path(__file__).resolve().parent.parent
PROGRAM = [os.path.realpath(sys.executable), "-I", "-S", str(REPO / "bin" / "agentctl")]
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONDONTWRITEBYTECODE")


if (
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN
):  # started in the background of a script: what we start would be deaf
    signal.signal(signal.SIGINT, signal.default_int_handler)


def eventually(condition: Callable[[], Any], seconds: float = 8.0, every: float = 0.02) -> Any:
    """The first true value of `condition()`; fails after `seconds`. Instead of sleeping."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %.1f s: %s" % (seconds, getattr(condition, "__name__", condition)))
        time.sleep(every)


class World:
    """One user's machine: a HOME, an agentctl home, a project `p`, a tmux server."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "orch"
        self.project = root / "project"
        self.user = root / "user"
        self.socket = "agentctl-test-%d-%s" % (os.getpid(), os.urandom(3).hex())
        self.project.mkdir()
        self.user.mkdir()
        self.env = {k: os.environ[k] for k in KEPT if k in os.environ}
        self.env.update(HOME=str(self.user), AI_ORCH_HOME=str(self.home), TERM="xterm-256color")

    def run(
        self,
        *words: str,
        stdin: bytes | str = b"",
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """`agentctl WORDS`, to its end."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*PROGRAM, *words],
            input=data,
            env={**self.env, **(env or {})},
            cwd=cwd or self.project,
            capture_output=True,
            timeout=timeout,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words: str, **options: Any) -> str:
        """As `run`, but it must exit 0; its stdout without the last newline."""
        done = self.run(*words, **options)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout.rstrip("\n")

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([*PROGRAM, *words], env=self.env, cwd=self.project, **options)

    def shell(self, script: str, *options: str, **more: Any) -> str:
        """Start `sh -c script` as a worker; the run's id."""
        return self.ok("start", *options, "--", "sh", "-c", script, **more)

    def result(self, run_id: str, timeout: str = "30") -> dict[str, Any]:
        """Wait for a run and return its result."""
        done = self.run("wait", "--timeout", timeout, run_id)
        assert done.returncode in (0, 3, 4), (done.returncode, done.stdout, done.stderr, self.crash())
        loaded: dict[str, Any] = json.loads(done.stdout)
        return loaded

    def folder(self, run_id: str) -> Path:
        born = self.home / "runs" / run_id
        return born if born.is_dir() else self.home / "runs" / ("." + run_id)

    def status(self, run_id: str) -> dict[str, Any]:
        """status.json as it is now; {} while there is none."""
        try:
            loaded: dict[str, Any] = json.loads((self.folder(run_id) / "status.json").read_text())
            return loaded
        except (FileNotFoundError, ValueError):
            return {}

    def runner_pid(self, run_id: str) -> int:
        """The runner's pid once it holds the lock and has said so."""
        text = eventually(lambda: (self.folder(run_id) / "lock").read_text(), 10)
        return int(text.split()[0])

    def working(self, run_id: str) -> int:
        """The worker's pid once it runs."""
        return int(eventually(lambda: self.status(run_id).get("worker"), 10))

    def config(self, **entries: Any) -> None:
        path = self.home / "config.json"
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **entries}))

    def notes(self) -> list[dict[str, Any]]:
        """The lines of notify.log."""
        path = self.home / "notify.log"
        return [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []

    def crash(self) -> str:
        path = self.home / "crash.log"
        return path.read_text() if path.exists() else ""

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self.socket, *words], env=self.env, capture_output=True, text=True, timeout=20
        )
        return done.stdout

    def marked(self, run_id: str) -> list[int]:
        """Live processes that carry the run's marker."""
        return marked("AGENTCTL_RUN_ID=%s" % run_id, "AI_ORCH_HOME=%s" % self.home)

    def close(self) -> None:
        found = {**self.env, "PATH": os.environ["PATH"]}  # some worlds have no tmux on theirs
        end_server(self.socket, found)
        kill(runners(str(self.home)) + marked("AI_ORCH_HOME=%s" % self.home))
        end_server(self.socket, found)  # last: what was killed may have begun another


def end_server(socket: str, env: Mapping[str, str]) -> None:
    """No tmux server of that name, nor its socket, which tmux leaves."""
    subprocess.run(["tmux", "-L", socket, "kill-server"], env=env, capture_output=True, timeout=20)
    folder = Path(env.get("TMUX_TMPDIR") or "/tmp") / ("tmux-%d" % os.getuid())
    (folder / socket).unlink(missing_ok=True)


def to_another_thread(pid: int, number: int) -> None:
    """A signal to a thread that is not the main one, as the kernel may choose by itself, once in some hundred."""
    other = eventually(lambda: [int(task) for task in os.listdir("/proc/%d/task" % pid) if int(task) != pid], 10)
    assert ctypes.CDLL(None).tgkill(pid, other[0], number) == 0


def kill(pids: Iterable[int]) -> None:
    """kill -9; one that ended meanwhile, by itself or with another of them, is gone as wished."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def marked(*wanted: str) -> list[int]:
    """Live processes (zombies are not) whose environment has all of these entries."""
    needles = [w.encode() for w in wanted]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                entries = Path("/proc", name, "environ").read_bytes().split(b"\0")
                state = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()[0]
            except OSError:
                continue
            if all(n in entries for n in needles) and state != b"Z":
                found.append(int(name))
    return found


def blocked(pid: int) -> bool:
    """Whether the process waits in the kernel for a lock."""
    return any("-> FLOCK" in line and " %d " % pid in line for line in Path("/proc/locks").read_text().splitlines())


def runners(home: str) -> list[int]:
    """Live runners of a home, by their command line."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_run" in words and home.encode() in words:
                found.append(int(name))
    return found


def git(folder: Path, *words: str) -> str:
    """Real git, with an identity."""
    env = {
        **os.environ,
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        ["git", "-C", str(folder), *words], env=env, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh machine with the project `p` registered."""
    if shutil.which("tmux") is None:
        pytest.fail("tmux is needed to test: ./install.sh gets it")
    made = World(tmp_path)
    made.ok("init")
    made.config(tmux_socket=made.socket)
    made.ok("add-project", "p", str(made.project))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def repo(world: World) -> Path:
    """The project as a git repository with one commit."""
    git(world.project, "init", "-q", "-b", "main")
    (world.project / "a.txt").write_text("one\n")
    git(world.project, "add", "-A")
    git(world.project, "commit", "-q", "-m", "first")
    return world.project


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser for all. Without one: skipped here, failed in CI, which installs it."""
    path = program()
    if not path and os.environ.get("CI"):
        pytest.fail("pages must be looked at in CI: no %s" % ", ".join(NAMES))
    if not path:
        pytest.skip("a page needs a browser to be looked at: `apt-get install chromium`")
    made = Browser(path, tmp_path_factory.mktemp("chromium"))
    try:
        yield made
    finally:
        made.close()
