"""Many at once: panes, windows, one line each."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from conftest import World
from conftest import blocked
from conftest import eventually

WAITS = "until [ -e go ]; do sleep 0.02; done"


def test_ten_at_once_in_two_windows(world: World) -> None:
    with ThreadPoolExecutor(10) as pool:
        runs = list(pool.map(lambda n: world.shell("%s; echo %d" % (WAITS, n)), range(10)))
    panes = world.tmux("list-panes", "-a", "-F", "#{window_id}").split()
    assert (len(panes), len(set(panes))) == (10, 2)
    (world.project / "go").touch()
    done = world.run("wait", *runs)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert sorted(r["summary"] for r in results) == sorted(str(n) for n in range(10))
    assert sorted(n["run_id"] for n in world.notes()) == sorted(runs)


def test_no_space_for_a_pane_means_a_new_window(world: World) -> None:
    world.config(panes_per_window=100)
    world.tmux("new-session", "-d", "-s", "ai", "-x", "20", "-y", "6", "sleep", "300")
    runs = [world.shell("sleep 1") for _ in range(8)]
    assert all(world.result(run)["status"] == "finished" for run in runs)


def test_wait_any_returns_with_the_first(world: World) -> None:
    slow = world.shell("sleep 30", "--no-pane")
    fast = world.shell("sleep 0.5", "--no-pane")
    done = world.run("wait", "--any", slow, fast)
    assert (done.returncode, json.loads(done.stdout)["run_id"]) == (0, fast)
    world.ok("stop", slow)


def test_wait_gives_up_at_its_timeout_and_the_run_goes_on(world: World) -> None:
    run = world.shell(WAITS, "--no-pane")
    done = world.run("wait", "--timeout", "0.3s", run)
    assert (done.returncode, done.stdout) == (124, "")
    (world.project / "go").touch()
    assert world.result(run)["status"] == "finished"


def test_many_waiters_all_wake(world: World) -> None:
    run = world.shell(WAITS, "--no-pane")
    waiters = [world.popen("wait", run) for _ in range(8)]
    eventually(lambda: all(blocked(waiter.pid) for waiter in waiters))
    (world.project / "go").touch()
    outputs = {w.communicate(timeout=30)[0] for w in waiters}
    assert len(outputs) == 1
    assert {w.returncode for w in waiters} == {0}
