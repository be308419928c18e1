"""`status` of runs that really run: what the table says of each, and that it is right whatever is killed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually
from conftest import kill
from conftest import runners
from goals import Stage

WAITS = "while [ ! -e go ]; do sleep 0.02; done"
TURN = (
    '{"type":"system","subtype":"init","session_id":"s","model":"m","apiKeySource":"none"}\n'
    '{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":9,"output_tokens":1},"content":'
    '[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"make test"}}]}}\n'
)
DENIED = (
    '{"type":"result","subtype":"success","is_error":false,"session_id":"s","num_turns":1,"result":"x",'
    '"permission_denials":[{"tool_name":"Bash","tool_use_id":"t1","tool_input":{}}]}\n'
)


def said(world: World, *words: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(world.ok("status", "--json", *words))
    return loaded


def table(world: World, *words: str) -> dict[str, dict[str, Any]]:
    """The rows by run, in their order."""
    return {row["run_id"]: row for row in said(world, *words)["table"]}


def claude(world: World, lines: str) -> None:
    """A stand-in that prints these lines of the vendor's stream, and waits."""
    program = world.root / "claude"
    (world.root / "lines").write_text(lines)
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "2.1.197 (Claude Code)" && exit\ncat %s\n%s\n'
        % (world.root / "lines", WAITS)
    )
    program.chmod(0o700)
    world.config(executables={"claude": str(program)}, stagger_s=0, stop_grace_s=0.5)


def test_what_a_worker_does_now(world: World) -> None:
    claude(world, TURN)
    words = ("--backend", "claude", "--role", "builder", "--title", "the title", "--no-pane")
    run_id = world.ok("start", *words, stdin="prompt")
    row = eventually(lambda: [r for r in table(world).values() if r["turns"]])[0]
    assert (row["run_id"], row["status"], row["need"], row["doing"]) == (run_id, "running", "", "Bash: make test")
    assert (row["role"], row["title"], row["turns"], row["cost_usd"]) == ("builder", "the title", 1, None)
    assert row["context_tokens"] == 9 and row["heard_at"].endswith("Z")
    head, _, line = world.ok("status").splitlines()
    assert head.startswith("1 running, 0 queued, 0 paused; ")
    assert line.split()[0] == run_id and "the title" in line and line.endswith("Bash: make test")
    world.ok("stop", run_id)
    assert table(world) == {}, "it was stopped, which needs nobody"


def test_a_denied_permission_comes_first(world: World) -> None:
    claude(world, TURN + DENIED)
    world.config(exit_grace_s=60)
    run_id = world.ok("start", "--backend", "claude", "--no-pane", stdin="prompt")
    later = world.shell("echo on; " + WAITS, "--no-pane")
    eventually(lambda: table(world)[run_id]["need"])
    assert list(table(world)) == [run_id, later]
    assert table(world)[run_id]["why"] == "was refused a permission"
    assert "! denied" in world.ok("status").splitlines()[2] and world.ok("status").startswith("1 needs you; 2 running")
    world.ok("stop", run_id, later)


def test_what_ended_badly_is_shown_until_somebody_goes_on_from_it(world: World) -> None:
    bad, good = world.shell("exit 3", "--no-pane"), world.shell("true", "--no-pane")
    world.result(bad), world.result(good)
    assert {i: row["need"] for i, row in table(world).items()} == {bad: "not_met"}
    lives = world.shell("echo on; " + WAITS, "--no-pane")
    world.working(lives)
    assert list(table(world)) == [bad, lives]
    assert said(world)["runs"] == json.loads(world.ok("list", "--running", "--json"))["runs"]
    (world.project / "go").touch()
    world.result(lives)
    old = time.time() - 13 * 3600
    result = json.loads((world.folder(bad) / "result.json").read_text())
    (world.folder(bad) / "result.json").write_text(json.dumps({**result, "finished_at": old}))
    assert table(world) == {}, "a night is over"


def test_what_its_orchestrator_has_read_needs_nobody(world: World) -> None:
    (world.home / "inbox" / "main").mkdir()
    world.tmux("new-session", "-d", "-s", "mine", "sleep", "60")
    where = world.tmux("display-message", "-p", "-t", "mine", "#{socket_path},#{pid},0 #{pane_id}").split()
    bad = world.shell("exit 4", "--no-pane", env={"TMUX": where[0], "TMUX_PANE": where[1]})
    world.result(bad)
    assert list(table(world)) == [bad]
    world.ok("inbox", "--ack", eventually(lambda: json.loads(world.ok("inbox", "--json"))["events"])[0]["id"])
    assert table(world) == {}


def test_of_one_project(world: World) -> None:
    other = world.root / "other"
    other.mkdir()
    world.ok("add-project", "q", str(other))
    here = world.shell("exit 1", "--no-pane")
    there = world.ok("start", "--project", "q", "--no-pane", "--", "sh", "-c", "sleep 60")
    world.result(here), world.working(there)
    assert list(table(world)) == [here, there]
    assert list(table(world, "--project", "q")) == [there] and list(table(world, "--project", "p")) == [here]
    assert (said(world, "--project", "p")["running"], said(world, "--project", "p")["runs"]) == (0, [])
    world.ok("stop", there)


@pytest.mark.parametrize("victim", ["runner", "sentinel too", "worker", "server"])
def test_it_is_right_whoever_is_killed(victim: str, world: World, repo: Path) -> None:
    run_id = world.shell("echo on; sleep 60")
    worker, runner = world.working(run_id), world.runner_pid(run_id)
    assert table(world)[run_id]["status"] == "running"
    if victim == "server":
        world.tmux("kill-server")
        eventually(lambda: (world.folder(run_id) / "events.jsonl").read_text().count("tmux server is gone"))
        assert table(world)[run_id]["status"] == "running", "it goes on without a pane"
        world.ok("stop", run_id)
        assert table(world) == {}
        return
    kill({"runner": [runner], "sentinel too": runners(str(world.home)), "worker": [worker]}[victim])
    status = "failed" if victim == "worker" else "lost"
    eventually(lambda: "! " + status in world.ok("status"))
    row = table(world)[run_id]
    assert (row["status"], row["need"], said(world)["running"]) == (status, status, 0)
    assert row["why"], "and says what happened"


def test_silence_for_long_needs_a_person(world: World) -> None:
    world.config(idle_notice_s=1)
    run_id = world.shell("echo on; " + WAITS, "--no-pane")
    world.working(run_id)
    row = eventually(lambda: [r for r in table(world).values() if r["need"]])[0]
    assert (row["run_id"], row["need"], row["status"]) == (run_id, "idle", "running")
    world.ok("stop", run_id)


def test_a_damaged_folder_is_a_row_that_hides_no_other(world: World) -> None:
    lives = world.shell("echo on; " + WAITS, "--no-pane")
    world.working(lives)
    damaged = world.home / "runs" / "20200101-000000-0000"
    damaged.mkdir()
    (damaged / "meta.json").write_text("{")
    for name in (damaged.name, "20200101-000000-0001", "nonsense"):
        (world.home / "active" / name).touch()
    (world.home / "notify.log").write_text('{"run_id": "../../etc"}\nnonsense\n{"run_id": 7, "at": 1}\n[]\n')
    assert list(table(world)) == [damaged.name, lives]
    assert table(world)[damaged.name]["status"] == "invalid"
    world.ok("stop", lives)


def test_a_workers_own_words_end_no_run(world: World) -> None:
    run_id = world.shell("echo on; " + WAITS, "--no-pane")
    world.working(run_id)
    line = {"run_id": run_id, "status": "finished", "at": "2999-01-01T00:00:00Z"}
    with open(world.home / "notify.log", "a") as log:
        log.write(json.dumps(line) + "\n")
    (world.folder(run_id) / "result.json").write_text(json.dumps({"status": "finished", "goal_met": False}))
    assert table(world)[run_id]["status"] == "running", "its lock is held"
    (world.home / "active" / run_id).unlink()
    assert table(world) == {}, "nor where nothing says that it lives"
    world.ok("stop", run_id)


def test_members_of_a_goal_stand_below_it(world: World) -> None:
    stage = Stage(world, cycles=[[["ask", "worker", "do: " + WAITS], ["done", "want is yes"]]])
    other = world.shell("echo on; while [ ! -e go2 ]; do sleep 0.02; done", "--no-pane")
    goal = stage.set("--verify", "sh check.sh", "--no-pane", "--max-cycles", "1")
    rows = eventually(lambda: [r for r in [list(table(world).values())] if len(r) == 4], 30)[0]
    below = rows[[row["run_id"] for row in rows].index(goal) :][:3]
    assert [row["member"] for row in below] == [False, True, True] and {r["family"] for r in below} == {goal}
    assert {row["agent"] for row in below} >= {"worker"}
    steps = ["claude directs: run %s" % row["run_id"] for row in below[1:]]
    assert below[0]["doing"] in steps, "its last step, in words"
    lines = {line.split()[0]: line for line in world.ok("status").splitlines()[2:]}
    assert lines[below[1]["run_id"]].startswith("  ") and not lines[goal].startswith(" ")
    (stage.repo / "go").touch()
    world.result(goal, "60")
    row = table(world)[goal]
    assert (row["status"], row["need"]) == ("finished", "rejected") and list(table(world))[0] == goal
    world.ok("stop", other)
