"""`agentctl demo` plays on a real tmux server, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROGRAM
from conftest import marked

RUN = r"\d{8}-\d{6}-[0-9a-f]{4}"


class Theatre:
    """A HOME, a folder for temporary files and a tmux server; all of them its own."""

    def __init__(self, root: Path) -> None:
        self.user, self.temporary = root / "u", root / "t"
        self.user.mkdir()
        self.temporary.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.user),
            "TMPDIR": str(self.temporary),
            "TMUX_TMPDIR": str(root),
            "TERM": "xterm",
        }

    def play(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, "demo", *words],
            env={**self.env, **env},
            cwd=self.user,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def tmux(self, *words: str) -> str:
        return subprocess.run(["tmux", *words], env=self.env, capture_output=True, text=True, timeout=20).stdout

    def left(self) -> list[str]:
        """What a demo that has ended left: files, tmux sessions, processes."""
        processes = [str(pid) for pid in marked("TMPDIR=%s" % self.temporary)]
        return [*os.listdir(self.user), *os.listdir(self.temporary), *self.tmux("list-sessions").split(), *processes]


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    root = Path(tempfile.mkdtemp(prefix="agentctl-"))  # short: a socket's path may have about 100 bytes
    made = Theatre(root)
    try:
        yield made
    finally:
        made.tmux("kill-server")
        shutil.rmtree(root, ignore_errors=True)


def test_the_whole_demo(theatre: Theatre) -> None:
    began = time.monotonic()
    demo = theatre.play()
    assert demo.stdout
    first = [demo.stdout.readline() for _ in range(5)]
    session = re.fullmatch(r"Look at them: tmux attach -t (agentctl-demo-[0-9a-f]{6})\n", first[4])
    assert session, first
    panes = theatre.tmux("list-panes", "-s", "-t", session.group(1), "-F", "#{pane_pid}").split()
    assert len(panes) == 3, "three workers in three panes"
    out, err = demo.communicate(timeout=30)
    assert (demo.returncode, err) == (0, "") and time.monotonic() - began < 30
    ends = re.findall(r"  %s (\w+) (finished, .*?) · 1 files? · \d+s\n" % RUN, out)
    assert sorted(ends[:3]) == [(name, "finished, goal met, check passed") for name in ("poem", "primes", "stars")]
    assert ends[3:] == [("quick", "finished, goal met, check failed"), ("thorough", "finished, goal met, check passed")]
    assert "      poem.txt: A lock is the pulse,\n      1 file changed, 3 insertions(+)\n" in out
    assert "      total.txt: 30\n" in out and "      total.txt: 42\n" in out
    assert theatre.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_cleans_up(number: signal.Signals, theatre: Theatre) -> None:
    demo = theatre.play()
    assert demo.stdout
    while "Look at them" not in demo.stdout.readline():
        pass
    demo.send_signal(number)
    _, err = demo.communicate(timeout=20)
    assert (demo.returncode, err) == (130, "")
    assert theatre.left() == []


def test_keep_and_inside_tmux(theatre: Theatre) -> None:
    """It plays on the caller's tmux server, leaves the caller's pane alone, and keeps only its files."""
    theatre.tmux("-L", "mine", "new-session", "-d", "-s", "me", "-x", "80", "-y", "24", "cat")
    socket, pid, pane = theatre.tmux("-L", "mine", "display-message", "-p", "#{socket_path} #{pid} #{pane_id}").split()
    demo = theatre.play("--keep", TMUX="%s,%s,0" % (socket, pid), TMUX_PANE=pane)
    assert demo.stdout
    look = [demo.stdout.readline() for _ in range(5)][4]
    assert re.fullmatch(r"Look at them: tmux -S %s attach -t agentctl-demo-\w+\n" % re.escape(socket), look)
    assert "agentctl-demo-" in theatre.tmux("-L", "mine", "list-sessions")
    home = re.findall(r"agentctl --home (\S+) list", demo.communicate(timeout=30)[0])[0]
    assert demo.returncode == 0
    listed = subprocess.run([*PROGRAM, "--home", home, "list"], env=theatre.env, capture_output=True, timeout=20)
    assert listed.stdout.count(b"finished") == 5
    for meta in Path(home).glob("runs/*/meta.json"):
        assert json.loads(meta.read_text())["wake"]["pane"] == "", "nobody is woken"
    assert (Path(home).parent / "shop" / "total.txt").read_text() == "42\n"
    assert theatre.tmux("-L", "mine", "list-sessions").startswith("me:")
    assert theatre.tmux("-L", "mine", "capture-pane", "-p", "-t", pane).strip() == ""
    theatre.tmux("-L", "mine", "kill-server")


def test_without_tmux_or_a_place_to_write(theatre: Theatre) -> None:
    demo = theatre.play(PATH=str(theatre.user))
    assert demo.communicate(timeout=20) == (
        "",
        "agentctl: the demo needs tmux: tmux is not installed\nhint: ./install.sh says how to get it\n",
    )
    assert demo.returncode == 1
    demo = theatre.play(TMPDIR="/nowhere")
    out, err = demo.communicate(timeout=20)
    assert (demo.returncode, out) == (1, "")
    assert re.fullmatch(
        r"agentctl: cannot make /nowhere/agentctl-demo-\w+: No such file or directory\n"
        r"hint: set TMPDIR to a writable folder\n",
        err,
    )
