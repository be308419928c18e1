"""Wakes of the real interactive Claude Code in every situation in which one can go wrong.

Each wake is a real run that ends at a moment of the test's choosing. Of each event it must
be true that its model was told exactly once, as the model server saw it, or that it is
still in the inbox; and that no question was answered, no draft submitted or lost, and
nothing typed into a shell. Kinds of orchestrators: `hooks`, by bin/orch; `keeper`, by
bin/orch where config.json allows keys alone; `keys`, which a user started by hand.

AGENTCTL_WAKES=200 says how many wakes, AGENTCTL_SEED which; the figures are printed at the end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from . import situations as alive
from .arrow import eventually
from .orchestrator import Registered
from .stub_server import StubServer
from .wakes import FIGURES
from .wakes import WORDS
from .wakes import Bench
from .wakes import reacts
from .wakes import table
from .wakes import untouched
from .world import World

pytestmark = pytest.mark.live


def two(bench: Bench, tui: Registered) -> None:
    if len(bench.open) == 1:
        bench.orchestrator()
    tuis = bench.open[-2:]
    with bench.barrier() as barrier:
        runs = [tui.barred(barrier) for tui in tuis]
        bench.running(*runs)
    for each, run in zip(tuis, runs):
        bench.arrives(each, run)
        told = [turn.session for turn in bench.stub.asked(run)]
        assert set(told) == {each.state("sessionId")}, "another one was told"


def trust_dialog(bench: Bench, _: Registered) -> None:
    """Nobody answers it; with bin/orch it is told once somebody has."""
    tui = bench.orchestrator(trusted=False)
    tui.until(lambda: "Enter to confirm" in tui.screen(), 30)
    before = tui.screen()
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    bench.steady(lambda: tui.screen() == before)
    if bench.kind == "keys":
        bench.left(tui, run)
        return tui.close()
    assert run + ".ended" in tui.pending()
    tui.keys("Enter")
    tui.idle(30)
    bench.arrives(tui, run)
    tui.tmux("kill-pane", "-t", tui.pane)


def agents_view(bench: Bench, _: Registered) -> None:
    """`←` has moved the conversation to a daemon; in the box that is shown, Enter would start another Claude."""
    tui = bench.orchestrator()
    tui.ask("hello", {"text": "hi"})
    tui.keys("Left")
    tui.until(lambda: "awaiting input" in tui.screen() and tui.box())
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    bench.steady(lambda: WORDS not in tui.screen() and "for a new session" in (tui.box() or ""))
    bench.left(tui, run)
    tui.close()


def no_agents_view(bench: Bench, tui: Registered) -> None:
    """Where bin/orch started it there is none."""
    tui.ask("hello", {"text": "hi"})
    tui.keys("Left")
    alive.idle(bench, tui)
    assert "awaiting input" not in tui.screen()
    assert "for agents" not in tui.screen()


def exited(bench: Bench, tui: Registered) -> None:
    """Left to a shell; with bin/orch, which has none, killed: what it then asks is not answered."""
    if bench.kind == "hooks":
        os.kill(tui.state("pid"), signal.SIGKILL)
        tui.until(lambda: "Enter starts it again" in tui.screen())
    else:
        tui.leave()
        tui.at_prompt()  # type: ignore[attr-defined]
    clean = untouched(tui)
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    bench.steady(lambda: clean() and not tui.alive())
    if bench.kind == "hooks":
        assert run + ".ended" in tui.pending()
        tui.keys("Enter")
        tui.until(tui.alive)
        bench.arrives(tui, run)
    else:
        bench.left(tui, run)
        tui.launch()  # type: ignore[attr-defined]
        tui.idle(30)


def editor(bench: Bench, tui: Registered) -> None:
    """Its own external editor has the terminal: every key would go into the user's text."""
    taken = bench.world.folder / ("taken-%08x" % bench.random.getrandbits(32))
    (bench.world.folder / "edited").write_text(str(taken))
    words = "half a thought %d" % bench.random.randrange(10**6)
    tui.draft(words)
    tui.keys("C-g")
    tui.until(taken.exists)
    clean = untouched(tui)
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    bench.steady(clean)
    tui.keys("C-d")
    tui.until(lambda: tui.box() is not None)
    bench.arrives(tui, run)
    assert taken.read_text() == ""
    tui.until(lambda: tui.box() == words)
    assert not bench.stub.asked(words), "the draft was submitted"
    tui.clean()


def other_program(bench: Bench, tui: Registered) -> None:
    """It was suspended, or left, for a program that would take every key."""
    taken = bench.world.folder / ("taken-%08x" % bench.random.getrandbits(32))
    suspended = bench.random.random() < 0.5
    if suspended:
        tui.keys("C-z")
    else:
        tui.leave()
    tui.at_prompt()  # type: ignore[attr-defined]
    tui.keys("cat > %s" % taken, "Enter")
    tui.until(taken.exists)
    clean = untouched(tui)
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    bench.steady(clean)
    bench.left(tui, run)
    tui.keys("C-d")
    tui.at_prompt()  # type: ignore[attr-defined]
    assert taken.read_text() == ""
    tui.keys("fg", "Enter") if suspended else tui.launch()  # type: ignore[attr-defined]
    tui.idle(30)
    tui.agentctl("inbox", "--all")


def pane_gone(bench: Bench, _: Registered) -> None:
    """The next one by bin/orch hears of it, wherever it works; of a pane by hand nobody takes over."""
    tui = bench.orchestrator()
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
        tui.tmux("kill-pane", "-t", tui.pane)
        assert eventually(lambda: not tui.alive(), 20)
    bench.ended(run)
    if bench.kind == "keys":
        return bench.left(tui, run)
    assert run + ".ended" in tui.pending()
    assert not bench.told(run)
    if bench.figures.wakes % 2:
        tui.start()
    else:
        tui = bench.orchestrator()
    bench.arrives(tui, run)
    tui.tmux("kill-pane", "-t", tui.pane)


def an_editor(folder: Path) -> Path:
    """A program that shows nothing and notes down what is typed, until ^D."""
    path = folder / "editor"
    path.write_text('#!/bin/sh\nexec cat > "$(cat %s/edited)"\n' % folder)
    path.chmod(0o700)
    return path


BOTH: list[Callable[[Bench, Registered], None]] = [
    alive.idle,
    alive.busy,
    alive.draft,
    alive.typing,
    alive.copy_mode,
    alive.question_yes,
    alive.question_esc,
    alive.question_now,
    alive.moved,
    alive.twelve,
    alive.pulled,
    two,
    editor,
    trust_dialog,
    exited,
    pane_gone,
]
TYPED: list[Callable[[Bench, Registered], None]] = [
    alive.idle,
    alive.busy,
    alive.draft,
    alive.typing,
    alive.menu,
    alive.copy_mode,
    alive.question_yes,
    alive.question_esc,
    alive.question_now,
    alive.twelve,
    editor,
]
CELLS = [
    *(("hooks", situation) for situation in [*BOTH, no_agents_view]),
    *(("keeper", situation) for situation in TYPED),
    *(("keys", situation) for situation in [*BOTH, alive.menu, agents_view, other_program]),
]
WAKES = int(os.environ.get("AGENTCTL_WAKES") or (200 if os.environ.get("AGENTCTL_LONG") else len(CELLS)))


def rounds(number: int) -> int:
    """How many of all wakes fall to this cell."""
    return WAKES // len(CELLS) + (number < WAKES % len(CELLS))


@pytest.mark.parametrize("number", range(len(CELLS)), ids=["%s-%s" % (s.__name__, kind) for kind, s in CELLS])
def test_wakes(number: int, tmp_path: Path, clis: Path) -> None:
    kind, situation = CELLS[number]
    with StubServer() as stub:
        bench = Bench(kind, situation.__name__, World(tmp_path, clis, stub))
        try:
            stub.plays.append(reacts)
            tui = bench.orchestrator(EDITOR=str(an_editor(tmp_path)))
            for _ in range(rounds(number)):
                situation(bench, tui)
                bench.figures.wakes += 1
                print(bench.figures)
        finally:
            bench.close()


def test_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(table()))
    assert all(f.events == sum(f.by.values()) for f in FIGURES.values())
