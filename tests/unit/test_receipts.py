"""The inbox: an event once, until it is acknowledged once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from agentctl import inbox
from agentctl import store
from agentctl.bell import Bell
from agentctl.bell import ring_all

RUN = "20260215-143022-ab12"


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    return store.create_home(str(tmp_path / "home"))


def entry(kind: str = "ended", name: str = "orch-a", **more: object) -> inbox.Entry:
    made: inbox.Entry = inbox.Entry(id=RUN + "." + kind, kind=kind, run_id=RUN, orchestrator=name).replace(**more)
    return made


def ids(home: store.Home, name: str = "orch-a") -> list[str]:
    return [e.id for e in inbox.pending(home, name)]


def test_an_event_is_posted_once(home: store.Home) -> None:
    assert inbox.post(home, entry())
    assert not inbox.post(home, entry())
    assert ids(home) == [RUN + ".ended"]


def test_an_acknowledged_event_does_not_come_back(home: store.Home) -> None:
    inbox.post(home, entry())
    assert inbox.acknowledge(home, [RUN + ".ended"], "orch-a") == [RUN + ".ended"]
    assert inbox.acknowledge(home, [RUN + ".ended"], "orch-a") == []
    assert not inbox.post(home, entry())
    assert ids(home) == []


def test_an_end_that_was_shown_before_it_was_posted_never_is(home: store.Home) -> None:
    assert inbox.acknowledge(home, [RUN + ".ended"], "orch-a") == []
    assert not inbox.post(home, entry())
    assert ids(home) == []


def test_of_many_who_acknowledge_one_does(home: store.Home) -> None:
    inbox.post(home, entry())
    taken: list[str] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(inbox.acknowledge(home, [RUN + ".ended"], "x"))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [RUN + ".ended"]


def test_an_heir_takes_over_and_nobody_posts_it_to_the_dead_again(home: store.Home) -> None:
    inbox.post(home, entry())
    assert inbox.take_over(home, "orch-a", "orch-b") == [RUN + ".ended"]
    assert (ids(home, "orch-a"), ids(home, "orch-b")) == ([], [RUN + ".ended"])
    assert not inbox.post(home, entry())
    assert inbox.acknowledge(home, [RUN + ".ended"], "orch-b")
    assert not inbox.post(home, entry())


def test_a_damaged_event_is_shown_by_its_name(home: store.Home) -> None:
    inbox.post(home, entry())
    Path(inbox.folder(home, "orch-a", "events", RUN + ".ended")).write_bytes(b"{")
    (shown,) = inbox.pending(home, "orch-a")
    assert (shown.id, shown.run_id, shown.kind) == (RUN + ".ended", RUN, "ended")


def test_what_is_no_event_is_left_alone(home: store.Home) -> None:
    inbox.post(home, entry())
    Path(inbox.folder(home, "orch-a", "events", ".x.tmp")).write_bytes(b"{")
    assert ids(home) == [RUN + ".ended"]
    assert inbox.names(home) == ["orch-a"]


def test_a_listener_hears_once_unless_it_has_forgotten(home: store.Home) -> None:
    inbox.post(home, entry())
    inbox.post(home, entry("idle"))
    both = ids(home)
    inbox.claim(home, "orch-a", "7", both[:1])
    assert inbox.heard(home, "orch-a", "7") == {both[0]}
    inbox.claim(home, "orch-a", "7", both)
    assert inbox.heard(home, "orch-a", "7") == {*both}
    inbox.disclaim(home, "orch-a", "7", both[:1])
    assert inbox.heard(home, "orch-a", "7") == {both[1]}
    assert inbox.heard(home, "orch-a", "8") == set()
    inbox.intend(home, "orch-a", "7", both)
    assert inbox.heard(home, "orch-a", "7") == {both[1]}, "it is not told yet"


def test_a_bell_is_heard_by_all_who_wait_and_a_dead_ones_is_removed(tmp_path: Path) -> None:
    folder = str(tmp_path / "bells")
    first, second = Bell(folder), Bell(folder)
    os.mkfifo(os.path.join(folder, "dead"))
    ring_all(folder)
    assert first.wait(5) and second.wait(5)
    assert not first.wait(0)
    assert not os.path.exists(os.path.join(folder, "dead"))
    for _ in range(100_000):
        first.ring()  # a full one blocks nobody
    first.close()
    first.ring()  # too late: nothing
    second.close()
    assert os.listdir(folder) == []


def test_a_ring_before_the_wait_is_not_lost(home: store.Home) -> None:
    bell = Bell(inbox.folder(home, "orch-a", "bells"))
    inbox.post(home, entry())
    assert bell.wait(5)
    bell.close()
