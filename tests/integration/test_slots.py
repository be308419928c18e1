"""Many at once: never more than the limit, in the order of `start`, whatever is killed.

The workers are gated: each writes down that it began, and works until it is let go. Who
is at work at the same time is told by locks that the system takes back with the worker:
as many as the limit, and one that finds none free says so.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Callable

import pytest

from agentctl import birth
from agentctl import config
from agentctl import launch
from agentctl import locks
from agentctl import pools
from agentctl import slots
from agentctl import store
from agentctl.config import Config
from agentctl.model import Spec
from agentctl.model import Wake
from agentctl.planning import Plan
from conftest import PROGRAM
from conftest import World
from conftest import eventually

WORKER = """
import fcntl, os, signal, sys, time
folder, name, most, seconds, deaf = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
at = lambda name: os.path.join(folder, name)
def say(name, words):
    fd = os.open(at(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, words.encode() + b"\\n")
    os.close(fd)
for n in range(most):
    fd = os.open(at("desk-%d" % n), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except OSError:
        os.close(fd)
else:
    say("too-many", name)
say("env-" + name, "%s %s" % (os.environ.get("AGENTCTL_SLOT"), os.environ.get("AGENTCTL_PORT_BASE")))
say("began", name)
while os.path.exists(at("shut")):
    time.sleep(0.01)
end = time.monotonic() + seconds
while time.monotonic() < end and not os.path.exists(at("go-" + name)):
    time.sleep(0.01)
"""
PYTHON = [os.path.realpath(sys.executable), "-I", "-S", "-c", WORKER]


class Floor:
    """Where the workers of one test work."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: dict[str, str] = {}

    def start(self, name: str, most: int = 1, seconds: float = 60, deaf: str = "", options: Sequence[str] = ()) -> str:
        words = [*PYTHON, str(self.world.project), name, str(most), str(seconds), deaf]
        self.ids[name] = self.world.ok("start", "--no-pane", "--title", name, *options, "--", *words)
        return self.ids[name]

    def began(self) -> list[str]:
        path = self.world.project / "began"
        return path.read_text().split() if path.exists() else []

    def go(self, *names: str) -> None:
        for name in names:
            (self.world.project / ("go-" + name)).touch()

    def env(self, name: str) -> list[int]:
        return [int(word) for word in (self.world.project / ("env-" + name)).read_text().split()]

    def seen(self, name: str) -> None:
        eventually(lambda: name in self.began())

    def await_began(self, *names: str) -> None:
        """These and no others, in this order; and nobody else a moment later."""
        eventually(lambda: self.began()[: len(names)] == list(names) or None, 10)
        time.sleep(0.15)
        assert self.began() == list(names)

    def await_queued(self, *names: str) -> None:
        for name in names:
            self._queued(self.ids[name])

    def _queued(self, run: str) -> None:
        eventually(lambda: self.world.status(run).get("doing") == "waits for a slot")

    def kill(self, name: str, sentinel: bool = False) -> None:
        """kill -9 of the runner; of its sentinel, too."""
        for pid in processes(self.world, self.ids[name])[: None if sentinel else 1]:
            os.kill(pid, signal.SIGKILL)

    def statuses(self, *names: str) -> list[str]:
        return [self.world.result(self.ids[n])["status"] for n in names]

    def close(self) -> None:
        assert not (self.world.project / "too-many").exists(), (self.world.project / "too-many").read_text()
        assert self.world.crash() == ""

    def nothing_left(self, named: Iterable[str] = ()) -> None:
        """No slot that is held; no ticket, and no slot's name, but of those `named`, who were killed."""
        for pool in (self.world.home / "slots").iterdir():
            if pool.is_dir():
                queue = pool / "queue"
                tickets = [p.name[20:] for p in queue.iterdir()] if queue.is_dir() else []
                assert {*tickets} <= {self.ids[n] for n in named}, "one killed is taken away by the next that waits"
                for slot in pool.iterdir():
                    if slot.name.isdigit():
                        let_go(str(slot))
                        assert slot.read_text().strip() in ("", *(self.ids[n] for n in named)), slot


def let_go(path: str) -> None:
    eventually(lambda: not locks.held(path))


def processes(world: World, run: str) -> list[int]:
    """The runner and its sentinel, which has its command line; the runner first."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_run" in words and run.encode() in words and str(world.home).encode() in words:
                found.append(int(name))
    return sorted(
        found, key=lambda pid: (int(Path("/proc/%d/stat" % pid).read_bytes().rpartition(b")")[2].split()[19]), pid)
    )


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


def test_one_at_a_time_in_the_order_of_start(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    names = ["a", "b", "c", "d"]
    for name in names:
        floor.start(name)
    floor.await_queued("b", "c", "d")
    assert [world.status(floor.ids[n])["status"] for n in "bcd"] == ["queued"] * 3
    for n, name in enumerate(names):
        floor.await_began(*names[: n + 1])
        floor.go(name)
    assert floor.statuses(*names) == ["finished"] * 4
    floor.nothing_left()
    floor.close()


def test_two_at_a_time_the_next_begins_the_moment_one_ends(world: World, floor: Floor) -> None:
    world.config(max_parallel=2)
    for name in "abcdef":
        floor.start(name, most=2)
    floor.await_began("a", "b")
    for ends, begun in (("b", "abc"), ("c", "abcd"), ("a", "abcde"), ("e", "abcdef")):
        floor.go(ends)
        floor.await_began(*begun)
    floor.go("d", "f")
    assert floor.statuses(*"abcdef") == ["finished"] * 6
    floor.close()


def test_no_limit_no_queue(world: World, floor: Floor) -> None:
    for name in "abcde":
        floor.start(name, most=5)
    eventually(lambda: sorted(floor.began()) == list("abcde"))
    assert not list((world.home / "slots").rglob("queue"))
    floor.go(*"abcde")
    assert floor.statuses(*"abcde") == ["finished"] * 5
    floor.nothing_left()
    floor.close()


def test_numbers_and_ports_are_nobody_elses(world: World, floor: Floor) -> None:
    for name in "abc":
        floor.start(name, most=9)
        floor.seen(name)
    assert [floor.env(n) for n in "abc"] == [[0, 20000], [1, 20100], [2, 20200]]
    floor.go("b")
    assert floor.statuses("b") == ["finished"]
    world.config(port_base=65000, ports_per_slot=200)
    floor.start("d", most=9, options=["--verify", "echo $AGENTCTL_SLOT $AGENTCTL_PORT_BASE > checked"])
    eventually(lambda: "d" in floor.began())
    assert floor.env("d") == [1, 65200]
    floor.start("e", most=9)
    eventually(lambda: "e" in floor.began())
    assert floor.env("e") == [3, 65200], "what there is no room for begins anew"
    floor.go(*"acde")
    assert floor.statuses(*"acde") == ["finished"] * 4
    assert (world.project / "checked").read_text() == "1 65200\n"
    floor.close()


def test_with_a_limit_the_numbers_are_below_it(world: World, floor: Floor) -> None:
    world.config(max_parallel=2)
    names = ["r%d" % n for n in range(10)]
    for name in names:
        floor.start(name, most=2, seconds=0.05)
    assert floor.statuses(*names) == ["finished"] * 10
    assert {floor.env(n)[0] for n in names} <= {0, 1}
    floor.close()


def test_a_limit_by_backend_lets_others_pass(world: World, floor: Floor) -> None:
    words = [*PYTHON, str(world.project), "other", "3", "60", ""]
    world.config(
        max_parallel={"*": 2, "shell": 1},
        backends={"mine/own": {"argv": words, "stream": "text"}},
        profiles={"mine": {"backends": [{"backend": "mine/own"}]}},
    )
    floor.start("a", most=3)
    floor.await_began("a")
    floor.start("b", most=3)
    floor.await_queued("b")
    floor.ids["other"] = world.ok("start", "--no-pane", "--profile", "mine", stdin="work")
    floor.await_began("a", "other")
    floor.go("a")
    floor.await_began("a", "other", "b")
    floor.go("b", "other")
    assert floor.statuses("a", "b") == ["finished"] * 2
    world.result(floor.ids["other"])
    floor.nothing_left()
    floor.close()


def staged(world: World, name: str, floor: Floor, **changes: Any) -> store.Run:
    """A run that is staged as `start` does it, and has no runner yet."""
    home = store.open_home(str(world.home))
    words = (*PYTHON, str(world.project), name, "9", "60", "")
    spec = Spec(title=name, project="p", cwd=str(world.project), backend="shell", executable=words[0], argv=words,
                pane=False, created_at=time.time())  # fmt: skip
    texts = {"prompt.md": b"", "schema.json": b"{}"}
    plan = Plan(spec=spec.replace(**changes), texts=texts, env={})
    run = launch.stage(home, config.load(home)[0], plan, world.env, 0o022)
    floor.ids[name] = run.id
    return run


def launched(world: World, run: store.Run) -> None:
    launch.launch(run.home, Config(), run, world.env, False)


def test_a_batch_has_a_limit_of_its_own(world: World, floor: Floor) -> None:
    for name in "abc":
        launched(world, staged(world, name, floor, batch="one", batch_parallel=1))
    floor.start("x", most=9)
    eventually(lambda: {*floor.began()} == {"a", "x"})
    floor.go("a")
    eventually(lambda: {*floor.began()} == {"a", "x", "b"})
    floor.go("b", "x")
    eventually(lambda: floor.began()[-1] == "c")
    floor.go("c")
    assert floor.statuses(*"abcx") == ["finished"] * 4
    floor.nothing_left()
    home = store.open_home(str(world.home))
    os.utime(pools.Pool.place(home, pools.BATCH + "one"), (1, 1))
    launched(world, staged(world, "d", floor, batch="two", batch_parallel=1))
    floor.go("d")
    assert floor.statuses("d") == ["finished"]
    assert sorted(p.name for p in (world.home / "slots").glob("batch-*")) == ["batch-two"], "an old one is forgotten"
    floor.close()


def test_who_waits_in_his_batch_stops_nobody_else(world: World, floor: Floor) -> None:
    """All pools limited: the second of the batch has a place in no other queue while it waits for the first."""
    world.config(max_parallel={"*": 2, "shell": 2})
    for name in "ab":
        launched(world, staged(world, name, floor, batch="one", batch_parallel=1))
    floor.await_queued("b")
    floor.start("x", most=9)
    eventually(lambda: {*floor.began()} == {"a", "x"})
    floor.go("x")
    time.sleep(0.3)
    assert "b" not in floor.began()
    floor.start("y", most=9)
    eventually(lambda: floor.began()[-1] == "y")
    floor.start("z", most=9)
    floor.await_queued("z")
    floor.go("a")
    eventually(lambda: floor.began()[-1] in "bz")
    time.sleep(0.2)
    assert len(floor.began()) == 4, "a slot was free for one of the two"
    floor.go(*"byz")
    assert floor.statuses(*"abxyz") == ["finished"] * 5
    floor.nothing_left()
    floor.close()


def test_the_order_is_that_of_start_not_of_the_births(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    first = staged(world, "first", floor)
    floor.start("second", most=1)
    floor.await_queued("second")
    time.sleep(0.5)
    assert floor.began() == []
    launched(world, first)
    floor.await_began("first")
    floor.go("first")
    floor.await_began("first", "second")
    floor.go("second")
    assert floor.statuses("first", "second") == ["finished"] * 2
    floor.close()


def test_a_runner_that_never_comes_is_not_waited_for_for_ever(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    never = staged(world, "never", floor)
    floor.start("next")
    floor.await_queued("next")
    time.sleep(0.3)
    assert floor.began() == []
    ticket = next((world.home / "slots" / "home" / "queue").glob("*" + never.id))
    for path in (never.file("meta.json"), str(ticket)):
        os.utime(path, (1, 1))
    floor.await_began("next")
    eventually(lambda: (world.home / "runs" / never.id / "result.json").exists())
    floor.go("next")
    assert floor.statuses("never", "next") == ["lost", "finished"]
    floor.nothing_left()
    floor.close()


def test_a_run_that_is_withdrawn_is_not_waited_for(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    gone = staged(world, "gone", floor)
    floor.start("next")
    floor.await_queued("next")
    birth.withdraw(gone)
    floor.await_began("next")
    floor.go("next")
    assert floor.statuses("next") == ["finished"]
    floor.nothing_left()
    floor.close()


def test_a_queued_run_is_stopped_and_its_place_is_gone(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    for name in "abc":
        floor.start(name)
    floor.await_queued("b", "c")
    world.ok("stop", floor.ids["b"])
    assert floor.statuses("b") == ["stopped"]
    floor.go("a")
    floor.await_began("a", "c")
    floor.go("c")
    assert floor.statuses("a", "c") == ["finished"] * 2
    floor.nothing_left()
    floor.close()


@pytest.mark.parametrize("victim", ["b", "c"])
def test_a_killed_runner_loses_nobody_elses_place(world: World, floor: Floor, victim: str) -> None:
    """The first of the queue, or one in the midst of it: the others keep their order, and it is `lost`."""
    world.config(max_parallel=1)
    for name in "abcd":
        floor.start(name)
    floor.await_queued("b", "c", "d")
    floor.kill(victim)
    floor.await_began("a")
    left = [n for n in "bcd" if n != victim]
    for n, name in enumerate(["a", *left]):
        floor.await_began("a", *left[:n])
        floor.go(name)
    assert floor.statuses(*"abcd") == ["lost" if n == victim else "finished" for n in "abcd"]
    floor.nothing_left(victim)
    floor.close()


@pytest.mark.parametrize("sentinel", [False, True], ids=["runner", "runner-and-sentinel"])
def test_a_killed_runners_slot_is_free_once_its_worker_is_gone(world: World, floor: Floor, sentinel: bool) -> None:
    """The worker does not hear TERM: the one who waits has it ended, and only then begins."""
    world.config(max_parallel=1)
    floor.start("a", deaf="deaf")
    floor.start("b")
    floor.await_began("a")
    floor.await_queued("b")
    floor.kill("a", sentinel)
    floor.await_began("a", "b")
    assert (world.home / "runs" / floor.ids["a"] / "result.json").exists(), "settled by who waited"
    assert not world.marked(floor.ids["a"])
    floor.go("b")
    assert floor.statuses("a", "b") == ["lost", "finished"]
    floor.nothing_left("a")
    floor.close()


def test_a_killed_runners_slot_with_nobody_waiting(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    floor.start("a", deaf="deaf")
    floor.await_began("a")
    floor.kill("a", sentinel=True)
    floor.start("b")
    floor.await_began("a", "b")
    assert floor.env("b") == [0, 20000]
    floor.go("b")
    assert floor.statuses("a", "b") == ["lost", "finished"]
    floor.close()


def test_what_a_worker_starts_needs_no_slot(world: World, floor: Floor) -> None:
    """A worker that waits for a run of its own holds its slot meanwhile; with a limit of one, and two deep."""
    world.config(max_parallel=1)
    call = "%s start --project p --no-pane -- " % " ".join(PROGRAM)
    inner = "echo $AGENTCTL_SLOT > inner"
    (world.project / "inner.sh").write_text("R=$(%ssh -c '%s'); %s wait $R\n" % (call, inner, " ".join(PROGRAM)))
    outer = "echo $AGENTCTL_SLOT > outer; R=$(%ssh inner.sh) && %s wait $R" % (call, " ".join(PROGRAM))
    run = world.shell(outer, "--no-pane", "--timeout", "20s")
    result = world.result(run)
    assert (result["status"], result["goal_met"]) == ("finished", True), result
    assert (world.project / "outer").read_text() == "0\n" and (world.project / "inner").read_text() == "2\n"


def test_a_run_after_another_waits_for_it_without_a_slot(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    floor.start("a")
    floor.start("b", options=["--after", floor.ids["a"]])
    floor.start("c")
    floor.await_began("a")
    floor.await_queued("c")
    floor.go("a")
    eventually(lambda: len(floor.began()) == 2)
    floor.go("b", "c")
    assert floor.statuses(*"abc") == ["finished"] * 3
    floor.nothing_left()
    floor.close()


def test_a_limit_that_was_lowered_counts_who_is_at_work(world: World, floor: Floor) -> None:
    world.config(max_parallel=4)
    for name in "abcd":
        floor.start(name, most=4)
        floor.seen(name)
    floor.start("e", most=4)
    floor.await_queued("e")
    world.config(max_parallel=2)
    floor.start("f", most=4)
    floor.await_queued("f")
    floor.go("a", "d")
    assert floor.statuses("a", "d") == ["finished"] * 2
    floor.await_began(*"abcd")
    floor.go("b")
    floor.await_began(*"abcde")
    floor.go("c")
    floor.await_began(*"abcdef")
    floor.go("e", "f")
    assert floor.statuses(*"abcdef") == ["finished"] * 6
    floor.close()


def test_a_limit_that_is_new_counts_who_is_at_work(world: World, floor: Floor) -> None:
    for name in "abc":
        floor.start(name, most=9)
        floor.seen(name)
    world.config(max_parallel={"*": 8, "shell": 2})
    floor.start("d", most=9)
    floor.await_queued("d")
    floor.go("a")
    floor.await_began(*"abc")
    floor.go("b")
    floor.await_began(*"abcd")
    floor.go("c", "d")
    assert floor.statuses(*"abcd") == ["finished"] * 4
    floor.close()


def test_a_limit_that_was_raised_is_seen_while_nobody_ends(world: World, floor: Floor) -> None:
    world.config(max_parallel=1)
    for name in "abcd":
        floor.start(name, most=3)
    floor.await_queued("b", "c", "d")
    world.config(max_parallel=3)
    eventually(lambda: {*floor.began()} == {*"abc"})  # two are let in at once: their workers race
    time.sleep(0.15)
    assert len(floor.began()) == 3
    floor.go(*"abcd")
    assert floor.statuses(*"abcd") == ["finished"] * 4
    floor.close()


@pytest.mark.parametrize("written", ['{"max_par', '{"max_parallel": "2"}', '{"max_parallel": 0}'])
def test_a_config_that_is_half_written_or_wrong_forgets_no_limit(world: World, floor: Floor, written: str) -> None:
    world.config(max_parallel=1)
    for name in "abc":
        floor.start(name)
    floor.await_queued("b", "c")
    (world.home / "config.json").write_text(written)
    time.sleep(1.2)  # it looks once a second
    floor.go("a")
    floor.await_began("a", "b")
    floor.go("b", "c")
    assert floor.statuses(*"abc") == ["finished"] * 3
    floor.close()


# -- a seat by itself


def seat_of(world: World, run: store.Run, configured: Config) -> slots.Seat:
    return slots.Seat(run, run.spec(), configured, lambda block: block())


def test_a_seat_is_released_and_taken_again_at_the_end(world: World, floor: Floor) -> None:
    """The number stays, as the worker's ports do; the slot is another's meanwhile."""
    configured = Config(max_parallel=1)
    world.config(max_parallel=1)
    one, two = staged(world, "one", floor), staged(world, "two", floor)
    first, second = seat_of(world, one, configured), seat_of(world, two, configured)
    assert first.take() and first.env()[0] == ("AGENTCTL_SLOT", "0")
    assert slots.taken(one.home) == 1
    first.release()
    assert slots.taken(one.home) == 0 and first.env()[0] == ("AGENTCTL_SLOT", "0")
    assert second.take() and second.env()[0] == ("AGENTCTL_SLOT", "1")
    told: list[object] = []
    seat = slots.Seat(one, one.spec(), configured, told.append)  # told to stop while it waits
    assert seat.take_again() is False and len(told) == 1
    second.leave()
    assert first.take_again() and first.env()[0] == ("AGENTCTL_SLOT", "0")
    first.leave()
    assert slots.taken(one.home) == 0
    floor.nothing_left()


def test_a_thread_that_waits_for_a_turn_that_was_given_up_takes_nothing(world: World, floor: Floor) -> None:
    import threading

    configured = Config(max_parallel=1)
    world.config(max_parallel=1)
    one, two = staged(world, "one", floor), staged(world, "two", floor)
    first = seat_of(world, one, configured)
    assert first.take()
    threads: list[threading.Thread] = []

    def given_up(block: Callable[[], bool]) -> object:
        threads.append(threading.Thread(target=block, daemon=True))
        threads[0].start()
        time.sleep(0.1)
        return None

    second = slots.Seat(two, two.spec(), configured, given_up)
    assert second.take() is False
    first.leave()
    threads[0].join(5)
    assert not threads[0].is_alive()
    floor.nothing_left()


def test_which_runs_need_a_slot(world: World, floor: Floor) -> None:
    run = staged(world, "one", floor)
    spec = run.spec()
    assert pools.names(run.home, spec) == ["backend-shell", "home"]
    nested = spec.replace(wake=Wake(run=run.id))
    assert pools.names(run.home, nested) == []
    assert pools.names(run.home, nested.replace(batch="one", batch_parallel=1)) == ["batch-one"]
    assert pools.names(run.home, spec.replace(wake=Wake(run="20200101-000000-abcd"))) == ["backend-shell", "home"]
    cases: list[tuple[Any, Any, Any]] = [
        *((None, None, None), (3, 3, None), ({"*": 4, "shell": 2}, 4, 2), ({"shell": 1}, None, 1)),
        *((0, None, None), (True, None, None), ({"*": "x"}, None, None), ([2], None, None)),
    ]
    for wanted, home, shell in cases:
        configured = Config(max_parallel=wanted)
        assert (pools.limit(configured, spec, "home"), pools.limit(configured, spec, "backend-shell")) == (home, shell)


# -- done when: twelve workers, four at a time


MANY = 60 if os.environ.get("AGENTCTL_LONG") else 12
SEEDS = range(1, 6) if os.environ.get("AGENTCTL_LONG") else range(1, 2)


def in_order(floor: Floor, most: int) -> bool:
    """By when their runners started them: among those at work together the one or other may be quicker."""
    began = []
    for name, run in floor.ids.items():
        path = floor.world.folder(run) / "events.jsonl"
        events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        began += [(event["at"], name) for event in events if event["kind"] == "started"]
    names = [name for _, name in sorted(began)]
    return len(names) > most and all(abs(sorted(names).index(name) - place) < most for place, name in enumerate(names))


def test_twelve_workers_four_at_a_time(world: World, floor: Floor) -> None:
    world.config(max_parallel=4)
    (world.project / "shut").touch()
    names = ["w%02d" % n for n in range(MANY)]
    for n, name in enumerate(names):
        floor.start(name, most=4, seconds=0.4 + n % 4 * 0.1)
    (world.project / "shut").unlink()
    done = world.run("wait", *floor.ids.values(), timeout=120)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(results) == MANY
    assert sorted(floor.began()) == names and in_order(floor, 4), floor.began()
    floor.nothing_left()
    floor.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_twelve_workers_and_every_second_the_runner_of_one_is_killed(world: World, floor: Floor, seed: int) -> None:
    world.config(max_parallel=4, stop_grace_s=0.3)
    dice = random.Random(seed)
    (world.project / "shut").touch()
    names = ["w%02d" % n for n in range(MANY)]
    for n, name in enumerate(names):
        floor.start(name, most=4, seconds=1.2 + n % 4 * 0.2, deaf="deaf" if dice.random() < 0.3 else "")
    with open(world.root / "results", "wb") as out:
        waiter = subprocess.Popen([*PROGRAM, "wait", *floor.ids.values()], env=world.env, stdout=out)
    killed: set[str] = set()
    (world.project / "shut").unlink()
    while waiter.poll() is None:
        time.sleep(0.5 + dice.random())
        live = [n for n in names if n not in killed and not (world.folder(floor.ids[n]) / "result.json").exists()]
        if live:
            victim = dice.choice(live)
            floor.kill(victim, sentinel=dice.random() < 0.3)
            killed.add(victim)
    results = {r["title"]: r for r in map(json.loads, (world.root / "results").read_text().splitlines())}
    tell = (seed, sorted(killed), {n: r["status"] for n, r in results.items()})
    assert sorted(results) == names and len(killed) >= 2, tell
    for name, result in results.items():
        allowed = ("lost", "finished") if name in killed else ("finished",)  # killed when all was said
        assert result["status"] in allowed, tell
    assert any(r["status"] == "lost" for r in results.values()), tell
    assert in_order(floor, 4), (tell, floor.began())
    assert not [pid for run in floor.ids.values() for pid in world.marked(run)]
    floor.nothing_left(killed)
    floor.close()


# -- starts of one vendor


def vendor(world: World, name: str) -> Path:
    """A stand-in first on PATH that writes down when it began and prints a real stream."""
    began: Path = world.root / "times"
    said = Path(__file__).parent.parent / "data" / "transcripts" / "claude" / "edit-and-bash" / "stdout.jsonl"
    folder = world.root / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text('#!/bin/sh\ndate +%%s.%%N >> "%s"\ncat > /dev/null\ncat "%s"\n' % (began, said))
    (folder / name).chmod(0o755)
    world.env["PATH"] = "%s:%s" % (folder, world.env["PATH"])
    return began


def times(path: Path) -> list[float]:
    return sorted(float(line) for line in path.read_text().split()) if path.exists() else []


def waited(world: World, run: str) -> bool:
    return "another claude has started" in (world.folder(run) / "events.jsonl").read_text()


def test_two_starts_of_one_vendor_are_apart(world: World) -> None:
    world.config(stagger_s=0.6)
    path = vendor(world, "claude")
    runs = [world.ok("start", "--no-pane", "--backend", "claude", stdin="do it") for _ in range(3)]
    for run in runs:
        world.result(run)
    first, second, third = times(path)
    assert [waited(world, run) for run in runs].count(False) == 1, "the first waits for nothing"
    assert second - first >= 0.6 and third - second >= 0.6
    time.sleep(max(0, third + 0.9 - time.time()))
    late = world.ok("start", "--no-pane", "--backend", "claude", stdin="do it")
    world.result(late)
    assert not waited(world, late), "long after the last one"


def test_a_start_that_waits_for_its_time_is_stopped(world: World) -> None:
    world.config(stagger_s=60)
    path = vendor(world, "claude")
    runs = [world.ok("start", "--no-pane", "--backend", "claude", stdin="do it") for _ in range(2)]

    def waiting() -> list[str]:
        """Either of the two: what counts is whose runner came to the vendor's turn first."""
        return [run for run in runs if world.status(run).get("doing") == "waits for its start"]

    eventually(waiting)
    (second,) = waiting()
    (first,) = set(runs) - {second}
    world.result(first)
    world.ok("stop", second)
    assert world.result(second)["status"] == "stopped" and len(times(path)) == 1


def test_no_stagger_for_commands_and_where_it_is_off(world: World) -> None:
    world.config(stagger_s=60)
    for run in [world.shell("true", "--no-pane") for _ in range(2)]:
        assert world.result(run)["status"] == "finished"
    world.config(stagger_s=0)
    vendor(world, "claude")
    for run in [world.ok("start", "--no-pane", "--backend", "claude", stdin="do it") for _ in range(2)]:
        world.result(run)
    assert not list((world.home / "slots").glob("starts-*"))


# -- what must be free


def test_a_start_is_refused_where_too_little_is_free(world: World) -> None:
    run = world.shell("true", "--no-pane")
    world.result(run)
    for key, words in (("min_free_disk_mb", "free on the disk of"), ("min_free_memory_mb", "of memory are free")):
        world.config(min_free_disk_mb=0, min_free_memory_mb=0)
        world.config(**{key: 1 << 40})
        done = world.run("start", "--no-pane", "--", "true")
        assert (done.returncode, done.stdout) == (1, "") and words in done.stderr and key in done.stderr, done
        assert done.stderr.count("\n") == 2 and "hint:" in done.stderr
    assert len(os.listdir(world.home / "runs")) == 1 and os.listdir(world.home / "active") == []
    world.config(min_free_disk_mb=1, min_free_memory_mb=1)
    assert world.result(world.shell("true", "--no-pane"))["status"] == "finished"
