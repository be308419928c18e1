"""An interactive Codex as orchestrator: it is told by its own queue, and no key is pressed."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest

from .arrow import ROOT
from .arrow import Arrow
from .arrow import eventually
from .codex_tui import QUEUE_LOOKED_AT_S
from .codex_tui import CodexTui
from .orchestrator import texts_with
from .stub_scenarios import Step
from .stub_scenarios import marker
from .stub_turn import Turn

LINE = ": agentctl - there is news"
SOON = QUEUE_LOOKED_AT_S + 20

pytestmark = pytest.mark.live


def reacts(turn: Turn) -> Optional[Step]:
    """What the model does about a wake."""
    woken = turn.vendor == "openai" and any(LINE in text for role, text in turn.fresh() if role == "user")
    return {"run": "agentctl inbox --all"} if woken else None


@pytest.fixture
def codex(arrow: Arrow) -> Iterator[Callable[..., CodexTui]]:
    """Makes a Codex whose commands find agentctl: they are run by a login shell, which makes its own PATH."""
    made: list[CodexTui] = []
    env = arrow.world.env
    env.update(PATH="%s:%s" % (ROOT / "bin", env["PATH"]), AI_ORCH_HOME=str(arrow.home))
    (arrow.world.home / ".bash_profile").write_text("export PATH=%s\n" % shlex.quote(env["PATH"]))

    def make(*options: str) -> CodexTui:
        made.append(CodexTui(arrow.world, arrow.repo, *options))
        return made[-1]

    arrow.stub.plays.append(reacts)
    yield make
    arrow.stub.plays.remove(reacts)
    for tui in made:
        tui.close()


def pending(arrow: Arrow, thread: str) -> list[str]:
    folder = arrow.home / "inbox" / ("codex-" + thread) / "events"
    return os.listdir(folder) if folder.exists() else []


def lines(arrow: Arrow, thread: str) -> int:
    """How many wakes the conversation holds; requests for its title repeat its words."""
    turns = [turn for turn in arrow.stub.asked(LINE, "openai") if turn.session == thread]
    return len(texts_with(turns, LINE))


def test_the_end_of_a_run_that_it_started_reaches_its_model_once(arrow: Arrow, codex: Callable[..., CodexTui]) -> None:
    tui = codex("-s", "danger-full-access", "-a", "never")
    tui.prompt(marker({"run": "agentctl start --project p --no-pane -- true"}, {"text": "started"}))
    assert eventually(lambda: list(arrow.home.glob("runs/2*")), 20), tui.screen()
    run = next(arrow.home.glob("runs/2*")).name

    def told() -> list[str]:
        return [text for _, text in texts_with(arrow.stub.asked(run), run) if ".ended" in text]

    assert eventually(told, SOON), tui.screen()
    assert eventually(lambda: tui.idle(), 10), tui.screen()
    assert len(told()) == 1
    assert lines(arrow, tui.thread()) == 1
    assert pending(arrow, tui.thread()) == []


def test_an_open_question_is_not_answered(arrow: Arrow, codex: Callable[..., CodexTui], tmp_path: Path) -> None:
    tui = codex("-s", "read-only", "-a", "on-request")
    mark = tmp_path / "answered"
    asks = {"cmd": "touch %s" % mark, "sandbox_permissions": "require_escalated", "justification": "to mark it"}
    tui.prompt(marker({"tools": [{"name": "exec_command", "input": asks}]}, {"text": "done"}))
    assert eventually(tui.asking, 20), tui.screen()
    before = arrow.env
    server = tui.tmux("display-message", "-p", "-t", tui.pane, "#{socket_path},#{pid},0").strip()
    arrow.env = {**before, "CODEX_THREAD_ID": tui.thread(), "TMUX": server, "TMUX_PANE": tui.pane}
    run = arrow.agentctl("start", "--project", "p", "--no-pane", "--", "true").strip()
    arrow.env = before
    queued = arrow.home / "inbox" / ("codex-" + tui.thread()) / "heard.json"
    assert eventually(lambda: queued.exists() and run in queued.read_text(), 20), "told to its queue"
    end = time.monotonic() + QUEUE_LOOKED_AT_S + 1
    while time.monotonic() < end:
        assert tui.asking() and not mark.exists(), tui.screen()
        assert LINE not in tui.screen().split("Would you like")[-1]
        time.sleep(0.1)
    tui.keys("Escape")
    assert eventually(lambda: not tui.asking(), 10), tui.screen()
    assert not mark.exists()
    assert pending(arrow, tui.thread()) == [run + ".ended"]
    tui.prompt("go on")  # after Esc it takes nothing from its queue before that
    assert eventually(lambda: lines(arrow, tui.thread()) == 1, SOON), tui.screen()


def test_nothing_is_queued_for_a_codex_that_has_gone(arrow: Arrow, codex: Callable[..., CodexTui]) -> None:
    tui = codex()
    tui.prompt(marker({"text": "hello"}))
    thread = tui.thread()
    assert eventually(tui.idle, 20), tui.screen()
    server = tui.tmux("display-message", "-p", "-t", tui.pane, "#{socket_path},#{pid},0").strip()
    tui.leave()
    before = arrow.env
    arrow.env = {**before, "CODEX_THREAD_ID": thread, "TMUX": server, "TMUX_PANE": tui.pane}
    run = arrow.agentctl("start", "--project", "p", "--no-pane", "--", "true").strip()
    assert eventually(lambda: pending(arrow, thread) == [run + ".ended"], 20)
    assert eventually(lambda: not os.path.exists("/proc/%d" % arrow.runner_pid(run)), 25), "somebody still tries"
    assert LINE not in tui.screen()
    assert lines(arrow, thread) == 0
