"""Who calls, under which name, and where it is."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctl import config
from agentctl import files
from agentctl import inbox
from agentctl import locks
from agentctl import orchestrators
from agentctl import store
from agentctl import tmux
from agentctl.orchpane import again
from conftest import REPO
from conftest import blocked
from conftest import end_server
from conftest import eventually

RUN = "20260215-143022-ab12"
INSIDE = {"TMUX": "/tmp/tmux-0/default,77,0", "TMUX_PANE": "%5"}
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    return store.create_home(str(tmp_path / "home"))


@pytest.mark.parametrize(
    "env, name",
    [
        ({}, ""),
        (INSIDE, "pane-77-5"),
        ({**INSIDE, "CODEX_THREAD_ID": "0199-ab"}, "codex-0199-ab"),
        ({**INSIDE, "CODEX_THREAD_ID": "../../x"}, "pane-77-5"),
        ({**INSIDE, "AGENTCTL_ORCHESTRATOR": "orch-12ab34cd"}, "orch-12ab34cd"),
        ({**INSIDE, "AGENTCTL_ORCHESTRATOR": "../x"}, "pane-77-5"),
        ({"TMUX_PANE": "%5"}, ""),
        ({**INSIDE, "AGENTCTL_RUN_ID": RUN}, "orch-a"),
        ({**INSIDE, "AGENTCTL_RUN_ID": "20260215-143022-0000"}, ""),
    ],
)
def test_the_name_of_a_caller(home: store.Home, env: dict[str, str], name: str) -> None:
    os.mkdir(os.path.join(home.runs, RUN))
    files.create(os.path.join(home.runs, RUN, "meta.json"), b'{"wake": {"orchestrator": "orch-a"}}')
    assert orchestrators.of_caller(home, env) == name


def test_a_calling_pane_registers_and_a_configured_one_comes_before_it(home: store.Home) -> None:
    assert orchestrators.addressee(home, config.Config(), INSIDE).orchestrator == "pane-77-5"
    assert orchestrators.find(home, "pane-77-5").pane == "%5"
    configured = config.Config(tmux_sendkeys_target="nowhere:9", tmux_socket="agentctl-test-no-such-server")
    assert orchestrators.addressee(home, configured, INSIDE).orchestrator == "target"
    assert orchestrators.addressee(home, configured, {}).orchestrator == "target"
    mine = {**INSIDE, "AGENTCTL_ORCHESTRATOR": "orch-a"}
    assert orchestrators.addressee(home, configured, mine).orchestrator == "orch-a"
    assert orchestrators.addressee(home, config.Config(), {}).orchestrator == ""


@pytest.fixture
def server() -> Iterator[tmux.Server]:
    made = tmux.Server(socket="agentctl-test-" + secrets.token_hex(4))
    tmux.run(made, ["new-session", "-d", "-s", "main", "-n", "w", "sleep", "600"])
    yield made
    end_server(made.socket, os.environ)


@needs_tmux
def test_a_target_that_is_not_there_is_no_other_pane(server: tmux.Server) -> None:
    """tmux itself answers for the active pane."""
    found = tmux.describe(server, "main:w")
    assert found and found.id == "%0"
    assert tmux.run(server, ["display-message", "-p", "-t", "main:7.3", "#{pane_id}"]).strip() == "%0"
    for missing in ("main:7.3", "main:7", "main:w.5", "other:", "%77"):
        assert tmux.describe(server, missing) is None, missing


@needs_tmux
def test_the_configured_pane_is_known_as_the_caller(home: store.Home, server: tmux.Server) -> None:
    configured = config.Config(tmux_sendkeys_target="main:w", tmux_socket=server.socket)
    orchestrators.addressee(home, configured, {})
    at = orchestrators.find(home, "target")
    assert (at.pane, at.target) == ("%0", "main:w") and at.server_pid
    here = {"TMUX": "x,%d,0" % at.server_pid, "TMUX_PANE": "%0"}
    assert orchestrators.of_caller(home, here) == "target"
    assert orchestrators.alive(home, at)


@needs_tmux
def test_what_the_dead_left_is_inherited_and_what_the_living_have_is_not(home: store.Home, server: tmux.Server) -> None:
    living = tmux.describe(server, "main:w")
    assert living
    for name, pane in (("pane-1-1", "%99"), ("pane-1-2", living.id)):
        orchestrators.register(home, orchestrators.Orchestrator(name=name, pane=pane, socket=server.socket))
        run = RUN[:-1] + name[-1]
        inbox.post(home, inbox.Entry(id=run + ".ended", run_id=run, orchestrator=name))
    assert orchestrators.inherit(home, "orch-a") == [RUN[:-1] + "1.ended"]
    assert len(inbox.pending(home, "pane-1-2")) == 1


PANELESS = ({"CODEX_THREAD_ID": "0199-ab"}, {"AGENTCTL_ORCHESTRATOR": "night"})


@pytest.mark.parametrize("env", PANELESS)
def test_who_has_no_pane_is_not_known_to_be_gone(home: store.Home, env: dict[str, str]) -> None:
    """It keeps its inbox, whoever starts; also where it never registered."""
    name = orchestrators.addressee(home, config.Config(), env).orchestrator
    assert name in inbox.names(home)
    inbox.post(home, inbox.Entry(id=RUN + ".ended", run_id=RUN, orchestrator=name))
    assert orchestrators.inherit(home, "orch-a") == []
    os.unlink(inbox.folder(home, name, "about.json"))
    assert orchestrators.inherit(home, "orch-a") == []
    assert [e.id for e in inbox.pending(home, name)] == [RUN + ".ended"]


@pytest.mark.parametrize("env", [*PANELESS, INSIDE])
def test_who_was_taken_for_gone_and_calls_has_its_inbox_again(home: store.Home, env: dict[str, str]) -> None:
    """But a worker that acts for it says nothing of it."""
    name = orchestrators.of_caller(home, env)
    orchestrators.register(home, orchestrators.Orchestrator(name=name, heir="orch-a"))
    os.mkdir(os.path.join(home.runs, RUN))
    files.create(os.path.join(home.runs, RUN, "meta.json"), b'{"wake": {"orchestrator": "%s"}}' % name.encode())
    assert orchestrators.addressee(home, config.Config(), {"AGENTCTL_RUN_ID": RUN}).orchestrator == name
    assert inbox.heir(home, name) == "orch-a"
    orchestrators.addressee(home, config.Config(), env)
    assert inbox.heir(home, name) == name


def test_a_codex_that_goes_on_in_a_pane_can_be_told_there(home: store.Home) -> None:
    orchestrators.addressee(home, config.Config(), PANELESS[0])
    assert orchestrators.find(home, "codex-0199-ab").pane == ""
    orchestrators.addressee(home, config.Config(), {**PANELESS[0], **INSIDE})
    at = orchestrators.find(home, "codex-0199-ab")
    assert (at.pane, at.server_pid, at.thread) == ("%5", 77, "0199-ab")


@pytest.mark.parametrize(
    "resumed, extra, session, wanted",
    [
        ([], ["--model", "opus"], "s", ["--resume", "s", "--model", "opus"]),
        (["--continue"], ["fix the bug"], "s", ["--resume", "s"]),
        (["--continue"], [], "", ["--continue"]),
        ([], ["--resume", "--model", "x"], "s", ["--resume", "s", "--model", "x"]),
        ([], ["--resume=abc", "-r", "old", "--verbose"], "s", ["--resume", "s", "--verbose"]),
        ([], ["--model=x", "fix the bug"], "s", ["--resume", "s", "--model=x"]),
    ],
)
def test_claude_started_again_goes_on(resumed: list[str], extra: list[str], session: str, wanted: list[str]) -> None:
    assert again(resumed, extra, {"session_id": session, "transcript": __file__}) == wanted


def test_a_conversation_in_which_nothing_was_said_is_not_resumed() -> None:
    assert again(["--continue"], [], {"session_id": "s", "transcript": "/nowhere"}) == ["--continue"]


@needs_tmux
def test_what_the_runs_of_the_dead_have_still_to_tell_goes_to_the_heir(home: store.Home) -> None:
    orchestrators.register(home, orchestrators.Orchestrator(name="pane-1-1", pane="%99", socket="agentctl-test-none"))
    inbox.post(home, inbox.Entry(id=RUN + ".idle", run_id=RUN, orchestrator="pane-1-1"))
    assert orchestrators.inherit(home, "orch-a") == [RUN + ".idle"]
    inbox.post(home, inbox.Entry(id=RUN + ".ended", run_id=RUN, orchestrator="pane-1-1"))
    assert [e.id for e in inbox.pending(home, "orch-a")] == [RUN + ".ended", RUN + ".idle"]
    orchestrators.register(home, orchestrators.Orchestrator(name="pane-1-1", pane="%1"))
    assert inbox.heir(home, "pane-1-1") == "pane-1-1", "it is there again"


@needs_tmux
def test_what_is_posted_while_an_heir_takes_over_comes_to_it(home: store.Home) -> None:
    """By a runner that waits for the lock of the inbox, and goes on when the heir is done."""
    orchestrators.register(home, orchestrators.Orchestrator(name="pane-1-1", pane="%99", socket="agentctl-test-none"))
    inbox.post(home, inbox.Entry(id=RUN + ".idle", run_id=RUN, orchestrator="pane-1-1"))
    busy = locks.take(os.path.join(home.inbox, "lock"))
    entry = inbox.Entry(id=RUN + ".ended", run_id=RUN, orchestrator="pane-1-1").to_json()
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", POSTING % (str(REPO), home.path, entry)]) as runner:
        try:
            eventually(lambda: blocked(runner.pid))
            runner.send_signal(signal.SIGSTOP)
            eventually(lambda: not blocked(runner.pid))
            os.close(busy)
            assert orchestrators.inherit(home, "orch-a") == [RUN + ".idle"]
        finally:
            runner.send_signal(signal.SIGCONT)
    assert runner.returncode == 0
    assert [e.id for e in inbox.pending(home, "orch-a")] == [RUN + ".ended", RUN + ".idle"]
    assert inbox.pending(home, "pane-1-1") == []


POSTING = """
import sys
sys.path.insert(0, %r)
from agentctl import inbox, store
inbox.post(store.Home(%r), inbox.Entry.from_json(%r))
"""


@needs_tmux
def test_what_was_left_with_one_that_has_an_heir_is_handed_on(home: store.Home) -> None:
    """Also where that heir is dead by now."""
    gone = orchestrators.Orchestrator(pane="%99", socket="agentctl-test-none")
    for name, heir in (("pane-1-1", "orch-a"), ("pane-1-2", "pane-1-0"), ("pane-1-0", "")):
        run = RUN[:-1] + name[-1]
        inbox.post(home, inbox.Entry(id=run + ".ended", run_id=run, orchestrator=name))
        orchestrators.register(home, gone.replace(name=name, heir=heir))
    assert sorted(orchestrators.inherit(home, "orch-a")) == [RUN[:-1] + n + ".ended" for n in "012"]
    assert len(inbox.pending(home, "orch-a")) == 3
    assert {inbox.heir(home, "pane-1-%d" % n) for n in range(3)} == {"orch-a"}
