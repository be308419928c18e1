"""spawn: many runs by one command, all or none of them, in few calls of tmux."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from agentctl import birth
from agentctl import locks
from agentctl import spawning
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import runners

SHELL = ("--backend", "shell")


def spawned(world: World, *words: str, **options: Any) -> list[str]:
    return world.ok("spawn", *words, **options).split()


def folders(world: World) -> list[str]:
    return os.listdir(world.home / "runs")


def meta(world: World, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.folder(run) / "meta.json").read_text())
    return found


def panes(world: World) -> int:
    return len(world.tmux("list-panes", "-a", "-F", "#{pane_id}").split())


def counted(world: World) -> Path:
    """A `tmux` before the real one on the PATH that counts its calls in the file returned."""
    log = world.root / "clients"
    real = subprocess.run(["sh", "-c", "command -v tmux"], capture_output=True, text=True, check=True).stdout.strip()
    folder = world.root / "counting"
    folder.mkdir()
    (folder / "tmux").write_text('#!/bin/sh\necho "$@" | cut -c 1-60 >> %s\nexec %s "$@"\n' % (log, real))
    (folder / "tmux").chmod(0o755)
    world.env["PATH"] = "%s:%s" % (folder, world.env["PATH"])
    return log


@pytest.mark.parametrize("words", [("start", *SHELL, "--", "true"), ("spawn", *SHELL, "true", "true")])
def test_who_waits_behind_the_panes_of_others_keeps_the_grace_of_its_runs(world: World, words: tuple[str, ...]) -> None:
    """A thousand panes take longer than a staged run may wait for its runner."""
    world.ok("init")
    lock = locks.take(str(world.home / "tmux.lock"))
    waiting = world.popen(*words)
    count = len(words) - words.index("true")
    staged = eventually(lambda: (found := folders(world)) and len(found) == count and found)
    metas = [world.home / "runs" / name / "meta.json" for name in staged]
    eventually(lambda: all(path.exists() for path in metas))
    old = time.time() - birth.BIRTH_GRACE - 1
    for path in metas:
        os.utime(path, (old, old))
    eventually(lambda: all(path.stat().st_mtime > old + 1 for path in metas), 15)
    world.ok("list")
    assert waiting.poll() is None and sorted(folders(world)) == sorted(staged), "no reader settles them"
    os.close(lock)
    out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, err) == (0, b"")
    assert [world.result(run)["status"] for run in out.decode().split()] == ["finished"] * count


# -- what is started


def test_one_run_per_prompt_in_order(world: World) -> None:
    runs = spawned(world, *SHELL, "--no-pane", "echo one", "echo two; false", "echo three && echo four")
    results = [world.result(run) for run in runs]
    assert [r["summary"] for r in results] == ["one", "two", "three\nfour"]
    assert [r["goal_met"] for r in results] == [True, False, True]
    assert [r["title"] for r in results] == ["echo one", "echo two; false", "echo three && echo four"]
    births = [meta(world, run)["created_at"] for run in runs]
    assert births == sorted(set(births))


def test_the_options_of_start_are_those_of_each(world: World, repo: Path) -> None:
    first = world.shell("true", "--no-pane")
    words = ("--title", "check", "--timeout", "5m", "--verify", "true", "--after", first, "--project", "p", "--no-pane")
    runs = spawned(world, *SHELL, *words, "true", "true")
    asked = [meta(world, run) for run in runs]
    assert [a["title"] for a in asked] == ["check 1", "check 2"]
    assert all((a["limits"]["timeout_s"], a["verify"], a["after"]) == (300, "true", [first]) for a in asked)
    assert [world.result(run)["verified"] for run in runs] == ["passed", "passed"]


def test_each_may_have_a_worktree(world: World, repo: Path) -> None:
    runs = spawned(world, *SHELL, "--worktree", "--no-pane", "pwd; git branch --show-current", "pwd")
    results = [world.result(run) for run in runs]
    assert len({r["worktree"] for r in results}) == 2 and all(r["worktree"] for r in results), results
    assert results[0]["summary"].splitlines() == [results[0]["worktree"], results[0]["branch"]]


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("one\n\n# two\n  three  \n", ["one", "three"]),
        ("one\r\ntwo", ["one", "two"]),
        ("a\nb\n---\n\n# kept\nc\n\n---\n---\n", ["a\nb", "# kept\nc"]),
        ("---\none\n", ["one"]),
        ("--- \none line\n", ["one line"]),
        ("# nothing\n\n", []),
        ("a --- b\n----\n", ["a --- b", "----"]),
    ],
)
def test_prompts_of_a_file(text: str, prompts: list[str]) -> None:
    assert spawning.prompts_of(text) == prompts


def test_prompts_from_a_file_and_from_stdin(world: World) -> None:
    path = world.root / "prompts.txt"
    path.write_text("# all of it\necho a\n\necho b\n")
    from_file = spawned(world, *SHELL, "--no-pane", "--file", str(path), "echo first")
    assert [world.result(run)["summary"] for run in from_file] == ["first", "a", "b"]
    from_stdin = spawned(
        world, *SHELL, "--no-pane", "--file", "-", stdin="for i in 1 2\ndo echo $i\ndone\n---\necho z\n"
    )
    assert [world.result(run)["summary"] for run in from_stdin] == ["1\n2", "z"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no prompt"),
        (("",), "a prompt is empty"),
        (("true", "  "), "a prompt is empty"),
        (("--parallel", "0", "true"), "--parallel wants a number above 0"),
        (("--file", "/nonexistent", "true"), "cannot read the prompt file"),
        (("--project", "q", "true"), "no project"),
        (("--max-turns", "-1", "true"), "--max-turns wants"),
    ],
)
def test_called_wrongly(world: World, words: tuple[str, ...], said: str) -> None:
    done = world.run("spawn", *SHELL, *words)
    assert done.returncode in (1, 2) and done.stdout == "" and said in done.stderr
    assert folders(world) == []


# -- all or none


def test_an_error_in_planning_starts_none(world: World) -> None:
    done = world.run("spawn", "--backend", "codex", "--no-pane", "one", "two", env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stdout) == (1, "") and "codex is not installed" in done.stderr
    assert folders(world) == [] and runners(str(world.home)) == []


def test_an_error_in_staging_starts_none(world: World) -> None:
    """The second folder cannot be written: the first is taken back."""
    program = world.root / "failing.py"
    program.write_text(FAILING % (str(Path(spawning.__file__).parents[1]), str(world.home)))
    done = subprocess.run(["python3", "-I", str(program)], env=world.env, cwd=world.project, capture_output=True)
    assert b"cannot write in" in done.stdout, done
    assert folders(world) == [] and os.listdir(world.home / "active") == [] and runners(str(world.home)) == []


FAILING = """
import sys
sys.path.insert(0, %r)
from agentctl import api, birth
real, calls = birth._fill, []
def fill(*args):
    calls.append(args)
    if len(calls) == 2:
        birth.unstage(args[0])
        raise OSError(28, "No space left on device")
    real(*args)
birth._fill = fill
try:
    api.spawn(api.home(%r), api.Request(backend="shell", project="p", pane=False), ["true", "true", "true"])
except api.AgentctlError as e:
    print(e)
"""


def test_without_tmux_none_is_started(world: World) -> None:
    world.env["PATH"] = str(world.root / "empty")
    done = world.run("spawn", *SHELL, "true", "true")
    assert (done.returncode, done.stdout) == (1, "") and "tmux is not installed" in done.stderr
    assert folders(world) == [] and os.listdir(world.home / "active") == []


def test_a_failure_in_the_middle_leaves_no_run_without_a_runner(world: World) -> None:
    """tmux is gone after its second call: what has a pane runs and is named, the others never were."""
    first = world.shell("sleep 60")
    world.ok("stop", first)
    counted(world)
    tmux = world.root / "counting" / "tmux"
    real = tmux.read_text()
    tmux.write_text(real.replace("exec ", "[ $(wc -l < %s/clients) -lt 3 ] || exit 1\nexec " % world.root))
    world.config(panes_per_window=2)
    done = world.run("spawn", *SHELL, *["sleep 60"] * 30)
    tmux.write_text(real)
    started = done.stdout.split()
    assert done.returncode == 1 and "tmux" in done.stderr and 0 < len(started) < 30
    assert sorted(name.lstrip(".") for name in folders(world)) == sorted([first, *started])
    for run in started:
        assert world.working(run)
    world.ok("stop", *started)


# -- panes


def test_thirty_runs_by_few_clients(world: World) -> None:
    calls = counted(world)
    runs = spawned(world, *SHELL, *["echo %d; sleep 60" % n for n in range(30)])
    assert len(set(runs)) == 30 and len(calls.read_text().splitlines()) <= 10
    for run in runs:
        world.working(run)
    assert panes(world) == 30
    windows = world.tmux("list-windows", "-a", "-F", "#{window_name} #{window_panes} #{pane-border-status}").split("\n")
    assert sorted(w.split()[0] for w in windows if w) == ["workers", *("workers-%d" % n for n in range(2, 6))]
    assert {w.split()[1] for w in windows if w} == {"6"}
    shown = {world.ok("show", run, "--pane") for run in runs[:3]}
    assert len(shown) == 3
    world.ok("stop", *runs)
    assert all(world.result(run)["status"] == "stopped" for run in runs)
    assert not any(world.marked(run) for run in runs)


def test_a_window_without_space_is_no_failure(world: World) -> None:
    """tmux ends the chain where a pane does not fit: the rest goes elsewhere."""
    world.config(panes_per_window=50, tmux_session="small")
    world.tmux("-f", "/dev/null", "new-session", "-d", "-s", "small", "-x", "40", "-y", "12", "sleep 300")
    runs = spawned(world, *SHELL, *["sleep 60"] * 20)
    for run in runs:
        world.working(run)
    assert panes(world) == 21
    world.ok("stop", *runs)


def test_workers_that_end_at_once_take_their_windows_with_them(world: World) -> None:
    runs = spawned(world, *SHELL, *["true"] * 20)
    assert [world.result(run)["status"] for run in runs] == ["finished"] * 20


def test_two_at_the_same_time(world: World) -> None:
    callers = [world.popen("spawn", *SHELL, *["sleep 60"] * 12) for _ in range(2)]
    runs = [run for caller in callers for run in caller.communicate(timeout=60)[0].decode().split()]
    assert len(set(runs)) == 24
    for run in runs:
        world.working(run)
    assert panes(world) == 24
    world.ok("stop", *runs)


# -- batches


@pytest.mark.parametrize("by", ["option", "config"])
def test_at_most_so_many_of_a_batch_at_a_time(world: World, by: str) -> None:
    if by == "config":
        world.config(default_parallel=2)
    log = world.root / "log"
    script = f"echo + >> {log}; sleep 0.2; echo - >> {log}"
    runs = spawned(world, *SHELL, "--no-pane", *(("--parallel", "2") if by == "option" else ()), *[script] * 7)
    assert len({meta(world, run)["batch"] for run in runs}) == 1
    for run in runs:
        assert world.result(run)["status"] == "finished"
    level = highest = 0
    for sign in log.read_text().split():
        level += 1 if sign == "+" else -1
        highest = max(highest, level)
    assert (level, highest) == (0, 2)


def test_a_batch_that_a_worker_spawns_has_its_limit(world: World) -> None:
    """It needs none of the home's slots, the only one of which the worker holds while it waits."""
    world.config(max_parallel=1)
    program = " ".join(PROGRAM)
    script = "echo + >> log; sleep 0.3; echo - >> log"
    words = "%s spawn --project p --backend shell --no-pane --parallel 1 '%s' '%s' '%s'" % (program, *[script] * 3)
    (world.project / "outer.sh").write_text("R=$(%s)\n%s status > status\n%s wait $R" % (words, program, program))
    run = world.ok("start", "--no-pane", "--timeout", "20s", "--", "sh", "outer.sh")
    said = world.project / "status"
    status = eventually(lambda: said.exists() and said.read_text())
    assert world.result(run)["goal_met"] is True
    assert (world.project / "log").read_text().split() == ["+", "-"] * 3
    assert "1 of 1 slots taken, 1 of 1 in batch-" in status or "1 of 1 slots taken, 0 of 1 in batch-" in status


# -- for programs


def test_spawn_as_json(world: World, repo: Path) -> None:
    options = ("--title", "fix", "--worktree", "--no-pane")
    said = json.loads(world.ok("spawn", "--json", *SHELL, *options, "true", "true"))
    rows = said.pop("runs")
    assert said == {"format": 1, "asked": 2, "started": 2}
    assert [row["title"] for row in rows] == ["fix 1", "fix 2"]
    for row in rows:
        result = world.result(row["run_id"])
        assert (result["worktree"], result["branch"]) == (row["path"], row["branch"]) and row["path"]
