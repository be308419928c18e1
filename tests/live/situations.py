"""Situations of an orchestrator in which a run can end: each is one wake, ready for the next one afterwards."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import Optional

from .arrow import eventually
from .orchestrator import BARRED
from .orchestrator import Registered
from .orchestrator import texts_with
from .stub_scenarios import Step
from .stub_turn import Turn
from .wakes import HOOKED
from .wakes import LINE
from .wakes import PATIENCE
from .wakes import WORDS
from .wakes import Bench
from .wakes import untouched


def idle(bench: Bench, tui: Registered) -> None:
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.arrives(tui, run)


def busy(bench: Bench, tui: Registered) -> None:
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
        seen = len(bench.stub.asked())
        tui.say("tell me a story", {"text": "word " * 40, "pause": 0.4})
        tui.until(lambda: len(bench.stub.asked()) > seen)
        time.sleep(bench.random.uniform(0.0, 1.8))  # the moment is what is varied
    bench.arrives(tui, run)


def draft(bench: Bench, tui: Registered) -> None:
    """Also one that somebody began to type just after the words were put in."""
    begun = LINE + " - look with - agentctl inbox " if (bench.figures.wakes + (bench.kind == "keeper")) % 2 else ""
    words = "%shalf a thought %d" % (begun, bench.random.randrange(10**6))
    tui.draft(words)
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.arrives(tui, run)
    tui.until(lambda: tui.box() == words)
    assert not bench.stub.asked(words), "the draft was submitted"
    tui.clean()


def typing(bench: Bench, tui: Registered) -> None:
    """A person at a terminal of their own types on while it ends, and submits."""
    words = "these are my own words %d" % bench.random.randrange(10**6)
    moment = bench.random.randrange(len(words))
    with tui.attached() as press:
        with bench.barrier() as barrier:
            run = tui.barred(barrier)
            bench.running(run)
            for letter in words[:moment]:
                press(letter)
        for letter in words[moment:] + "\r":
            press(letter)
        tui.until(lambda: bench.stub.asked(words), PATIENCE)
    bench.arrives(tui, run)
    said = [text for _, text in texts_with(bench.stub.asked(words), words)]
    assert said and all(WORDS not in text for text in said) and tui.box() == "", said


def copy_mode(bench: Bench, tui: Registered) -> None:
    tui.tmux("copy-mode", "-t", tui.pane)
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    tui.until(lambda: bench.told(run), PATIENCE)
    assert tui.tmux("display-message", "-p", "-t", tui.pane, "#{pane_in_mode}").strip() == "1", "the mode was left"
    tui.tmux("send-keys", "-t", tui.pane, "-X", "cancel")
    bench.arrives(tui, run)


def asked(bench: Bench, tui: Registered) -> Callable[[], bool]:
    """Open a question, of any kind; asks whether it was answered with Yes."""
    mark = bench.world.folder / ("answered-%08x" % bench.random.getrandbits(32))
    options = [{"label": word, "description": "Say %s" % word} for word in ("Yes", "No")]
    said = {"question": "Is it %s?" % mark.name, "header": "Mark", "options": options, "multiSelect": False}
    step: Step = bench.random.choice(
        [
            {"run": "touch %s" % mark},
            {"write": {str(mark): "x"}},
            {"tools": [{"name": "AskUserQuestion", "input": {"questions": [said]}}]},
        ]
    )
    tui.say("please", step, {"text": "done"})
    tui.question()
    return lambda: mark.exists() or any('"Yes"' in text for text in results(bench, mark.name))


def results(bench: Bench, word: str) -> list[str]:
    """What tools gave back with this word in it."""
    return [text for role, text in texts_with(bench.stub.asked(word), word) if role == "tool"]


def question_then(bench: Bench, tui: Registered, answer: Callable[[Registered], None]) -> bool:
    """A run ends while a question is open, which is answered later; whether that was with Yes."""
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
        answered = asked(bench, tui)
        clean = untouched(tui)
    bench.ended(run)
    bench.steady(lambda: tui.asks() and not answered() and clean())
    answer(tui)
    bench.arrives(tui, run)
    return answered()


def question_yes(bench: Bench, tui: Registered) -> None:
    assert question_then(bench, tui, Registered.allow)


def question_esc(bench: Bench, tui: Registered) -> None:
    assert not question_then(bench, tui, Registered.refuse)


def question_now(bench: Bench, tui: Registered) -> None:
    """The turn begins by itself (a background command ends), so nobody is at the keys; its question opens just now."""
    mark = bench.world.folder / ("answered-%08x" % bench.random.getrandbits(32))
    offset = bench.random.uniform(-0.5, 0.3)
    other = bench.barrier()
    gate = other.__enter__()
    stranger = bench.arrow.agentctl("start", "--project", "p", "--no-pane", "--", *_locked(gate)).strip()

    def asks(turn: Turn) -> Optional[Step]:
        if any("Background command" in text for _, text in turn.fresh()):
            return {"run": "touch %s" % mark}
        return None

    bench.stub.plays.append(asks)
    tui.ask("wait for it", {"tools": [background("agentctl wait %s" % stranger)]}, {"text": "waiting"})
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run, stranger)
        opens_after = 0.35
        if offset + opens_after > 0:
            other.__exit__(None, None, None)
            time.sleep(offset + opens_after)
    tui.until(lambda: bench.posted(run))
    if offset + opens_after <= 0:
        other.__exit__(None, None, None)
    tui.until(tui.asks, PATIENCE)
    bench.steady(lambda: tui.asks() and not mark.exists())
    (tui.allow if bench.random.random() < 0.5 else tui.refuse)()
    bench.arrives(tui, run)
    bench.stub.plays.remove(asks)


def _locked(barrier: Path) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", BARRED, str(barrier)]


def background(command: str) -> dict[str, Any]:
    """A call of Claude's Bash tool that does not wait for the command's end."""
    return {"name": "Bash", "input": {"command": command, "description": "Wait", "run_in_background": True}}


MENUS = tuple([word, "Enter"] for word in ("/model", "/resume", "/config", "/theme", "/permissions"))
VIEWS = (["C-r"], ["C-o"], ["Escape", "Escape"], ["/"])


def menu(bench: Bench, tui: Registered) -> None:
    """It shows something else than its box, and what that would take for a choice is not typed."""
    choices = [*VIEWS, *MENUS] if bench.kind == "keys" else [*MENUS, *VIEWS]
    words = choices[bench.figures.wakes % len(choices)]
    tui.keys(words[0])
    if words[-1] == "Enter":
        tui.until(lambda: tui.box() == words[0])
        tui.keys("Enter")
    elif words[1:]:
        tui.keys(*words[1:])
    tui.until(lambda: tui.box() != "" or "search prompts" in tui.screen())
    bench.steady(lambda: True, 0.5)  # all of it is drawn
    before = tui.screen()
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
    bench.ended(run)
    if words != ["/"]:
        bench.steady(lambda: similar(before, tui.screen()))
        assert not bench.told(run)
    tui.keys("Escape")
    if not eventually(lambda: tui.box() is not None, 2):
        tui.keys("Escape")  # a menu within a menu
    bench.arrives(tui, run)
    if words == ["/"]:
        tui.clean()


def similar(before: str, now: str) -> bool:
    """Whether two screens differ in their figures alone: times that pass."""
    return re.sub(r"\d+", "0", before) == re.sub(r"\d+", "0", now)


def moved(bench: Bench, tui: Registered) -> None:
    way = bench.random.choice(["move-window", "break-pane", "join-pane", "swap-window"])
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
        if way in ("join-pane", "swap-window", "break-pane"):
            other = tui.tmux("new-window", "-d", "-P", "-F", "#{window_id}", "sleep 1000").strip()
        if way == "move-window":
            tui.tmux("move-window", "-s", tui.pane, "-t", ":%d" % bench.random.randrange(20, 90))
        elif way == "swap-window":
            tui.tmux("swap-window", "-s", tui.pane, "-t", other)
        else:
            tui.tmux("join-pane", "-d", "-s", tui.pane, "-t", other)
            if way == "break-pane":
                tui.tmux("break-pane", "-d", "-s", tui.pane)
    bench.arrives(tui, run)


def twelve(bench: Bench, tui: Registered) -> None:
    with bench.barrier() as barrier:
        runs = [tui.barred(barrier) for _ in range(12)]
        bench.running(*runs)
    bench.arrives(tui, *runs)


def pulled(bench: Bench, tui: Registered) -> None:
    """Its own `wait` in the background tells it; no hook and no key does."""
    with bench.barrier() as barrier:
        run = tui.barred(barrier)
        bench.running(run)
        tui.ask("wait", {"tools": [background("agentctl wait %s" % run)]}, {"text": "waiting"})
        tui.until(bench.arrow.run_file(run, "waited").exists)
        before = bench.told(run)
    tui.until(lambda: any("task-notification" in text for text in _new(bench, tui)), PATIENCE)
    tui.idle()
    assert bench.acked(run)
    bench.steady(lambda: tui.resting())
    assert not [text for role, text in bench.told(run)[len(before) :] if HOOKED in text or role == "tool"]
    bench.figures.by["pull"] += 1
    bench.figures.events += 1


def _new(bench: Bench, tui: Registered) -> list[str]:
    turns = bench.stub.asked()
    return [text for _, text in turns[-1].fresh()] if turns else []
