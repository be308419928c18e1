from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from agentctl import environ

REPO = Path(__file__).resolve().parents[2]


def test_the_callers_environment_arrives_byte_for_byte() -> None:
    """Also values that are no text, hold line ends, or are empty."""
    env = {
        b"A": b"1",
        b"B": b"line\nline",
        b"C": b"",
        b"D": b"\xff\xfe",
        b"E": "é=ü".encode(),
        b"BASH_FUNC_x%%": b"() { :; }",
    }
    got, umask = environ.taken_over(environ.handed_over(env, 0o027))
    assert {os.fsencode(k): os.fsencode(v) for k, v in got.items()} == env
    assert umask == 0o027


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"x", b"999\0A=1\0", b"22", b"-1\0", "٢\0A=1".encode(), b"\xff\0=\0==\0A"]
)
def test_junk_is_an_environment_too_and_private(data: bytes) -> None:
    env, umask = environ.taken_over(data)
    assert umask in (0o077, 0o22) and all(env)


@pytest.mark.skipif(sys.platform != "linux", reason="told by /proc")
def test_looking_at_the_umask_does_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may be making a file meanwhile, or be looking too."""
    before = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the umask was set"))
        assert environ.umask() == 0o027
    finally:
        monkeypatch.undo()
        os.umask(before)


def test_where_only_setting_tells_the_umask_threads_take_turns() -> None:
    code = """
import os, sys, threading
sys.path.insert(0, %r)
from agentctl import environ
environ._told_umask = lambda: None
os.umask(0o027)
sys.setswitchinterval(1e-6)
found = set()
def look():
    for _ in range(2000): found.add(environ.umask())
threads = [threading.Thread(target=look) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print({oct(one) for one in found}, oct(os.umask(0)))
"""
    done = subprocess.run([sys.executable, "-c", code % str(REPO)], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("{'0o27'} 0o27", "")


def test_random_junk_never_raises() -> None:
    dice = random.Random(1)
    for _ in range(500):
        environ.taken_over(bytes(dice.choice(b"\0=AB7\xff\n") for _ in range(dice.randrange(40))))


def test_a_worker_does_not_inherit_the_callers_session() -> None:
    """Neither tmux, nor a git repository, nor a vendor's session, nor another run's marker."""
    caller = {
        "PATH": "/bin",
        "KEY": "k",
        "TMUX": "x",
        "TMUX_PANE": "%1",
        "TMUX_TMPDIR": "/t",
        "GIT_DIR": "/x",
        "GIT_INDEX_FILE": "/y",
        "GIT_EXTERNAL_DIFF": "evil",
        "GIT_AUTHOR_NAME": "n",
        "GIT_SSH_COMMAND": "ssh",
        "CLAUDECODE": "1",
        "AGENTCTL_RUN_ID": "old",
        "AGENTCTL_DETACHED": "1",
        "AI_ORCH_HOME": "/old",
        "CLAUDE_CODE_SESSION_ID": "s",
        "SHLVL": "3",
        "ANTHROPIC_API_KEY": "a",
    }
    env = environ.for_worker(caller, "run", "/home", (("MORE", "m"), ("GIT_EDITOR", "vi")))
    assert env == {
        "PATH": "/bin",
        "KEY": "k",
        "GIT_AUTHOR_NAME": "n",
        "GIT_SSH_COMMAND": "ssh",
        "ANTHROPIC_API_KEY": "a",
        "MORE": "m",
        "AGENTCTL_RUN_ID": "run",
        "AI_ORCH_HOME": "/home",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "vi",
    }
