"""Which events somebody is to be told of, and by what. That keys are pressed where they may is in tests/live."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctl import config
from agentctl import inbox
from agentctl import keys
from agentctl import locks
from agentctl import orchestrators
from agentctl import store
from agentctl import wake
from agentctl.claude_tui import Live
from agentctl.vigil import Vigil
from conftest import REPO

RUN = "20260215-143022-ab12"
NAME = "pane-1-7"


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    made = store.create_home(str(tmp_path / "home"))
    os.mkdir(os.path.join(made.runs, RUN))
    inbox.post(made, inbox.Entry(id=RUN + ".ended", kind="ended", run_id=RUN, orchestrator=NAME))
    return made


def test_what_was_heard_is_not_told_again_but_to_another_process(home: store.Home) -> None:
    assert [e.id for e in wake.untold(home, NAME, "7")] == [RUN + ".ended"]
    inbox.claim(home, NAME, "7", [RUN + ".ended"])
    assert wake.untold(home, NAME, "7") == []
    assert wake.untold(home, NAME, "8")


def test_a_wait_tells_of_the_end_and_of_nothing_before_it(home: store.Home) -> None:
    inbox.post(home, inbox.Entry(id=RUN + ".idle", kind="idle", run_id=RUN, orchestrator=NAME))
    lock = inbox.promise(inbox.waited(home, RUN))
    assert lock is not None
    assert [e.id for e in wake.untold(home, NAME, "7")] == [RUN + ".idle"]
    os.close(lock)


@pytest.mark.parametrize("path", ["run", "inbox"])
def test_what_a_wait_of_its_own_will_tell_is_left_to_it_while_it_lives(home: store.Home, path: str) -> None:
    lock = inbox.promise(inbox.waited(home, RUN) if path == "run" else inbox.folder(home, NAME, "pull.lock"))
    assert lock is not None
    assert wake.untold(home, NAME, "7") == []
    os.close(lock)
    assert wake.untold(home, NAME, "7")


HOLDER = """
import sys, time
sys.path.insert(0, %r)
from agentctl import inbox
print(inbox.promise(%r), flush=True)
time.sleep(300)
"""


@pytest.fixture
def waiter(home: store.Home) -> Iterator[subprocess.Popen[bytes]]:
    """A process that promises to tell of the end, as `wait` does."""
    code = HOLDER % (str(REPO), inbox.waited(home, RUN))
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE) as made:
        assert made.stdout and made.stdout.readline().strip().isdigit()
        yield made
        made.kill()


def test_a_promise_that_ends_in_the_try_is_not_relied_on(
    home: store.Home, waiter: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiter is killed while tmux is asked: what it hid from the try is left to be told."""
    tmux = tmp_path / "bin" / "tmux"
    tmux.parent.mkdir()
    tmux.write_text("#!/bin/sh\nkill -9 %d; exit 1\n" % waiter.pid)
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:%s" % (tmux.parent, os.environ["PATH"]))
    orchestrators.register(home, orchestrators.Orchestrator(name=NAME, pane="%7", thread="0199-ab"))
    assert wake.left_to_tell(home, config.Config(), NAME, {}) == [inbox.waited(home, RUN)]
    waiter.wait(10)
    assert wake.left_to_tell(home, config.Config(), NAME, {}) == []


def test_a_promise_that_ended_since_the_look_does_not_block(home: store.Home, waiter: subprocess.Popen[bytes]) -> None:
    vigil = Vigil(home, NAME)
    for _ in range(2):
        promises = wake.left_to_tell(home, config.Config(), NAME, {}) or [inbox.waited(home, RUN)]
        waiter.kill()
        waiter.wait(10)
        woken = threading.Thread(target=vigil.wait, kwargs={"promises": promises}, daemon=True)
        woken.start()
        woken.join(10)
        assert not woken.is_alive()
    vigil.close()


def test_a_hook_that_waits_is_left_to_tell(home: store.Home) -> None:
    lock = locks.take(inbox.folder(home, NAME, "hook.lock"))
    assert wake.deliver(home, config.Config(), NAME, {}) == "its hook tells it"
    os.close(lock)
    assert wake.deliver(home, config.Config(), NAME, {}) == "no transport could", "its pane is not known"


def test_a_pane_that_is_gone_is_no_place_for_keys(home: store.Home) -> None:
    gone = orchestrators.Orchestrator(name=NAME, pane="%7", socket="agentctl-test-no-such-server")
    orchestrators.register(home, gone)
    assert wake.deliver(home, config.Config(), NAME, {}) == keys.GONE
    assert wake.deliver(home, config.Config(wake=["hooks", "status"]), NAME, {}) == "no transport could"
    assert wake.deliver(home, config.Config(wake_keys=False), NAME, {}) == "no transport could"


@pytest.mark.parametrize(
    "wanted, order",
    [
        (None, ("pull", "hooks", "keys", "status")),
        (["keys", "pull"], ("keys", "pull")),
        ({NAME: ["status"], "*": ["keys"]}, ("status",)),
        ({"*": ["keys"]}, ("keys",)),
        ({"another": ["keys"]}, ("pull", "hooks", "keys", "status")),
        (["nonsense", "keys", "keys"], ("keys",)),
    ],
)
def test_the_order_is_the_users(wanted: object, order: tuple[str, ...]) -> None:
    assert config.transports(config.Config(wake=wanted), NAME) == order


@pytest.mark.parametrize(
    "said, status",
    [
        ({"state": "busy", "pid": 9, "at": 99.0}, "busy"),
        ({"state": "waiting", "pid": 9, "at": 99.0}, "waiting"),
        ({"state": "idle", "pid": 9, "at": 99.0}, ""),
        ({"state": "busy", "pid": 9, "at": 90.0}, ""),
        ({"state": "busy", "pid": 9, "at": 200.0}, ""),
        ({"state": "busy", "pid": 8, "at": 99.0}, ""),
        ({}, ""),
    ],
)
def test_the_hooks_word_counts_first_while_it_is_fresh(said: dict[str, object], status: str) -> None:
    assert keys.said_by_hooks(said, Live(pid=9, status="idle"), 100.0) == status


def test_the_words_do_nothing_anywhere() -> None:
    """No digit answers a menu; no shell, tmux format or TUI acts on it."""
    assert keys.WORDS.startswith(": ")
    assert not set("0123456789'\"`$\\;|&<>()#%!@/") & set(keys.WORDS)
    assert keys.WORDS.isascii() and keys.WORDS.isprintable()
