"""What the tests of the wake share: worlds with orchestrators in them, runs that end at a chosen moment, figures."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any
from typing import Optional

from .arrow import Arrow
from .arrow import eventually
from .orchestrator import Orch
from .orchestrator import Plain
from .orchestrator import Registered
from .orchestrator import first_told
from .orchestrator import texts_with
from .stub_scenarios import Step
from .stub_turn import Turn
from .tui import know
from .world import World

SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
WORDS = ": agentctl"
LINE = WORDS + " - there is news"
HOOKED = "in your inbox"
PATIENCE = 40.0
STEADY_S = 1.2
"""How long a thing that must not happen is watched for: several tries of whoever wakes."""
HOW = ("hooks", "keys", "pull", "left")
"""By what a model was told of an event; `left`: it was not, and it is still in the inbox."""
HEAD = ("situation", "wakes", "events", *HOW, "median", "worst")


def reacts(turn: Turn) -> Optional[Step]:
    """What the model does about a wake: it looks, where it was told nothing but that there is news."""
    fresh = turn.fresh()
    if any(LINE in text for role, text in fresh if role == "user"):
        return {"run": "agentctl inbox --all"}
    if any(HOOKED in text for _, text in fresh) and not any(role == "tool" for role, _ in fresh):
        return {"text": "noted"}
    return None


@dataclass
class Figures:
    """What became of the wakes of one situation."""

    wakes: int = 0
    events: int = 0
    by: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOW, 0))
    seconds: list[float] = field(default_factory=list)


FIGURES: dict[str, Figures] = {}


class Bench:
    """One world with its own model server, the orchestrators in it, and the figures of its situation."""

    def __init__(self, kind: str, situation: str, world: World) -> None:
        self.kind = kind
        self.world = world
        self.stub = world.stub
        self.arrow = Arrow(world, **({"wake": ["keys", "status"]} if kind == "keeper" else {}))
        self.random = random.Random("%d %s %s" % (SEED, kind, situation))
        self.figures = FIGURES.setdefault("%s, %s" % (situation, kind), Figures())
        self.open: list[Registered] = []
        self.folders = 0
        know(world, *(world.folder / ("work%d" % n) for n in range(1, 100)))

    def orchestrator(self, trusted: bool = True, **env: str) -> Registered:
        """Another one, in a directory of its own."""
        self.folders += 1
        folder = self.world.repository("%s%d" % ("work" if trusted else "strange", self.folders))
        made: Registered = (Plain if self.kind == "keys" else Orch)(self.arrow, folder, trusted=trusted, **env)
        self.open.append(made)
        return made

    def close(self) -> None:
        """End everything."""
        for made in self.open:
            made.close()
        self.arrow.close()
        for pid in processes_of(self.world):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def barrier(self) -> Iterator[Path]:
        """Runs that are `barred` by it end all at once when the block is left."""
        path = self.world.folder / ("barrier-%08x" % self.random.getrandbits(32))
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path

    def running(self, *runs: str) -> None:
        """Wait until their workers work."""
        for run in runs:
            assert eventually(partial(self.works, run), 30), run

    def works(self, run: str) -> bool:
        path = self.arrow.run_file(run, "status.json")
        return path.exists() and bool(json.loads(path.read_text())["worker"])

    def ended(self, *runs: str) -> None:
        """Wait until their ends are in an inbox, or acknowledged, and whoever tells has begun to."""
        for run in runs:
            assert eventually(partial(self.posted, run), 30), run

    def posted(self, run: str) -> bool:
        return any(self.arrow.home.glob("inbox/*/events/%s.ended" % run)) or self.acked(run)

    def acked(self, run: str) -> bool:
        return (self.arrow.home / "inbox" / "acked" / (run + ".ended")).exists()

    def told(self, run: str) -> list[tuple[str, str]]:
        """How the models were told of a run."""
        return texts_with(self.stub.asked(run), run)

    def arrives(self, tui: Registered, *runs: str) -> None:
        """Wait until the model was told of each, and its turns are over; then look that it was told once."""
        for run in runs:
            tui.until(partial(self.told, run), PATIENCE)
        tui.idle()
        for run in runs:
            self.count(run, self.told(run))
        still = [event for event in tui.pending() if event.partition(".")[0] in runs]
        if still:
            tui.agentctl("inbox", "--ack", *still)

    def count(self, run: str, told: list[tuple[str, str]]) -> None:
        """One event into the figures."""
        assert len(told) == 1, "told %d times: %s" % (len(told), told)
        how = "keys" if told[0][0] == "tool" else "hooks"
        assert HOOKED in told[0][1] or how == "keys", told
        self.figures.by[how] += 1
        self.figures.events += 1
        turn = first_told(self.stub.asked(run), run)
        result = json.loads(self.arrow.run_file(run, "result.json").read_text())
        assert turn is not None
        self.figures.seconds.append(turn.at - float(result["finished_at"]))

    def left(self, tui: Registered, *runs: str) -> None:
        """They are in the inbox, and no model knows."""
        for run in runs:
            assert run + ".ended" in tui.pending()
            assert not self.told(run)
            self.figures.by["left"] += 1
            self.figures.events += 1

    def steady(self, condition: Callable[[], Any], seconds: float = STEADY_S) -> None:
        """The condition holds for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert condition(), "\n".join(made.screen() for made in self.open)
            time.sleep(0.05)


def processes_of(world: World) -> list[int]:
    """What was started in this user's name and is left: the daemon of Claude Code's agents view (Linux)."""
    wanted, found = ("HOME=%s" % world.home).encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def untouched(tui: Registered) -> Callable[[], bool]:
    """Asks whether nothing more of ours has been typed where it can be seen."""
    before = tui.screen(400).count(WORDS)
    return lambda: tui.screen(400).count(WORDS) <= before


def table() -> list[str]:
    """The figures, a line for each situation, and their sum."""
    lines = ["%-24s %5s %6s %5s %5s %5s %5s %7s %7s" % HEAD]
    for name, f in FIGURES.items():
        median, worst = (statistics.median(f.seconds), max(f.seconds)) if f.seconds else (0.0, 0.0)
        counts = " ".join("%5d" % f.by[how] for how in HOW)
        lines.append("%-24s %5d %6d %s %6.2fs %6.2fs" % (name, f.wakes, f.events, counts, median, worst))
    sums = " ".join("%5d" % sum(f.by[how] for f in FIGURES.values()) for how in HOW)
    wakes, events = sum(f.wakes for f in FIGURES.values()), sum(f.events for f in FIGURES.values())
    return [*lines, "%-24s %5d %6d %s" % ("all", wakes, events, sums)]
