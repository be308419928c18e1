"""The inbox, by real processes: an event is there until its orchestrator was shown it, whatever dies and whenever."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from test_disk import fill
from test_disk import plain
from test_disk import small as small

from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually

A = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa"}
B = {"AGENTCTL_ORCHESTRATOR": "orch-bbbb"}


@pytest.fixture(autouse=True)
def inbox_of_a(world: World) -> None:
    """As `orch` makes it before its Claude starts."""
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700)


def ended(world: World, script: str = "true", env: dict[str, str] = A, *options: str) -> str:
    """A run of this orchestrator's that has ended, looked at by nobody; its event is posted."""
    run = world.shell(script, "--no-pane", *options, env=env)
    eventually(lambda: (world.folder(run) / "notified").exists(), 20)
    return run


def events(world: World, env: dict[str, str] = A) -> list[str]:
    """Ids in the caller's inbox; looking changes nothing."""
    return [e["id"] for e in json.loads(world.ok("inbox", "--json", env=env))["events"]]


def left(world: World, name: str = "orch-aaaa") -> list[str]:
    """As `events`, by the files."""
    folder = world.home / "inbox" / name / "events"
    return sorted(n for n in os.listdir(folder) if not n.startswith(".")) if folder.exists() else []


def waiter(world: World, *words: str, env: dict[str, str] = A) -> subprocess.Popen[bytes]:
    """`inbox --wait`, once it waits."""
    process = subprocess.Popen(
        [*PROGRAM, "inbox", "--wait", *words],
        env={**world.env, **env},
        cwd=world.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    bells = world.home / "inbox" / env["AGENTCTL_ORCHESTRATOR"] / "bells"
    eventually(lambda: bells.is_dir() and [n for n in os.listdir(bells) if n.startswith("%d-" % process.pid)])
    time.sleep(0.2)
    return process


def inside(world: World, code: str) -> str:
    """What a line of Python in a process of its own prints; `home` is the home."""
    head = "import sys; sys.path.insert(0, %r)\nfrom agentctl import *\nfrom agentctl import " % str(REPO)
    head += "inbox, store, wake, orchestrators\nhome = store.Home(%r)\n" % str(world.home)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", head + code], env=world.env, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def post(world: World, name: str = "orch-aaaa") -> str:
    event = "test-" + os.urandom(4).hex()
    inside(world, "inbox.post(home, inbox.Entry(id=%r, kind='test', orchestrator=%r))" % (event, name))
    return event


def untold(world: World, name: str = "orch-aaaa") -> list[str]:
    """What a transport would tell now: the event is there, and no `wait` lives that will tell it."""
    return inside(world, "print(*[e.id for e in wake.untold(home, %r, '1')])" % name).split()


# -- look, acknowledge


def test_an_event_is_shown_until_it_is_acknowledged(world: World) -> None:
    """Another process looks, and looks again; --all acknowledges what it showed; `list --unacked` agrees."""
    run = ended(world, "exit 3", A, "--title", "limit for uploads")
    assert events(world) == events(world) == [run + ".ended"]
    shown = world.ok("inbox", env=A)
    assert run + ".ended" in shown and "limit for uploads" in shown and "goal not met" in shown
    assert run in world.ok("list", "--unacked")
    assert world.run("inbox", "--all", env=A).stdout.count(run) == 1
    assert events(world) == [] and run not in world.run("list", "--unacked").stdout
    assert world.run("inbox", env=A).stdout == ""


def test_acknowledging_by_event_and_by_run(world: World) -> None:
    """--ack takes an event's id or a run's; a second time changes nothing; an unknown one is an error with a hint."""
    first, second = ended(world), ended(world)
    said = json.loads(world.ok("inbox", "--ack", first + ".ended", "--json", env=A))
    assert said["acknowledged"] == [first + ".ended"]
    assert world.ok("inbox", "--ack", second, env=A) == second + ".ended"
    again = world.run("inbox", "--ack", first + ".ended", env=A)
    assert (again.returncode, again.stdout) == (0, "")
    unknown = world.run("inbox", "--ack", "20200101-000000-abcd.ended", env=A)
    assert unknown.returncode == 1 and "hint:" in unknown.stderr
    assert events(world) == []


def test_json_has_every_key(world: World) -> None:
    """--json: one object, nulls present, the same keys for each event."""
    run = ended(world, "true", A, "--title", "t")
    said = json.loads(world.ok("inbox", "--json", env=A))
    assert said["format"] == 1
    (event,) = said["events"]
    wanted = {"run_id": run, "id": run + ".ended", "kind": "ended", "orchestrator": "orch-aaaa", "title": "t"}
    assert wanted.items() <= event.items()
    assert (event["status"], event["goal_met"], event["project"]) == ("finished", True, "p")
    assert {"at", "profile", "verified", "text"} <= event.keys()


def test_a_terminal_that_is_no_orchestrator_sees_all_and_has_none(world: World) -> None:
    """From a plain terminal every inbox is shown; a run that it started is in none."""
    mine, theirs = ended(world, "true", A), ended(world, "true", B)
    plain_run = world.shell("true", "--no-pane")
    world.result(plain_run)
    assert events(world, {}) == [mine + ".ended", theirs + ".ended"]
    assert events(world, A) == [mine + ".ended"] and events(world, B) == [theirs + ".ended"]


def test_exit_codes(world: World) -> None:
    """124 time is over, 130 interrupted, 2 called wrongly, 1 for who has no inbox."""
    assert world.run("inbox", "--wait", "--timeout", "0.2s", env=A).returncode == 124
    assert world.run("inbox", "--wait", "--timeout", "0", env=A).returncode == 124
    sleeper = waiter(world)
    sleeper.send_signal(signal.SIGINT)
    out, err = sleeper.communicate(timeout=10)
    assert (sleeper.returncode, out) == (130, b"") and plain(err.decode())
    for words in (["--timeout", "1s"], ["--ack", "x", "--all"], ["--wait", "--ack", "x"], ["--orchestrator", "nobody"]):
        done = world.run("inbox", *words, env=A)
        assert done.returncode == 2 and plain(done.stderr), words
    for nobody in ({}, B):  # one that was never registered has no inbox either
        alone = world.run("inbox", "--wait", env=nobody)
        assert alone.returncode == 1 and "hint:" in alone.stderr
    assert world.run("inbox", "--wait", "--orchestrator", "orch-aaaa", "--timeout", "0.1s").returncode == 124


# -- wait for it


def cpu(pid: int) -> float:
    """Milliseconds of CPU of all threads."""
    tasks = Path("/proc/%d/task" % pid)
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks.iterdir()) / 1e6


def test_a_waiter_costs_nothing_and_is_woken(world: World) -> None:
    """It blocks: no CPU in 2.5 s, with a live run to watch as well; an event wakes it at once."""
    world.shell("sleep 30", "--no-pane", env=A)
    sleeper = waiter(world, "--json")
    before = cpu(sleeper.pid)
    time.sleep(2.5)
    assert sleeper.poll() is None and cpu(sleeper.pid) - before < 5
    event = post(world)
    began = time.monotonic()
    out, _ = sleeper.communicate(timeout=10)
    assert time.monotonic() - began < 1.0
    assert [e["id"] for e in json.loads(out)["events"]] == [event] and sleeper.returncode == 0
    assert left(world) == [event]


def test_a_waiter_is_woken_by_an_end_and_by_a_killed_runner(world: World) -> None:
    """Also runs that were started after it began to wait; also one whose runner and sentinel are killed at once."""
    sleeper = waiter(world, "--json")
    run = world.shell("sleep 0.3", "--no-pane", env=A)
    out, _ = sleeper.communicate(timeout=15)
    assert [e["run_id"] for e in json.loads(out)["events"]] == [run]
    world.ok("inbox", "--all", env=A)
    sleeper = waiter(world, "--json")
    run = world.shell("sleep 300", "--no-pane", env=A)
    world.working(run)
    time.sleep(0.3)
    for pid in (p for p in own(world, run) if p != sleeper.pid):
        os.kill(pid, signal.SIGKILL)
    out, _ = sleeper.communicate(timeout=15)
    (event,) = json.loads(out)["events"]
    assert (event["run_id"], event["status"]) == (run, "lost")
    eventually(lambda: not world.marked(run), 10)


def own(world: World, run: str) -> list[int]:
    """The runner and its sentinel; the sentinel first, so that it sees nothing."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_run" in words and run.encode() in words:
                found.append(int(name))
    return sorted(found, key=lambda pid: pid == world.runner_pid(run))


def test_several_waiters_are_all_woken_and_leave_no_bell(world: World) -> None:
    """Every one of five is told; a killed one's bell is removed by the next ring."""
    sleepers = [waiter(world, "--json") for _ in range(6)]
    sleepers.pop().kill()
    event = post(world)
    for sleeper in sleepers:
        assert event in sleeper.communicate(timeout=10)[0].decode()
    eventually(lambda: os.listdir(world.home / "inbox" / "orch-aaaa" / "bells") == [])


def test_twelve_that_end_at_once_are_twelve_events(world: World) -> None:
    """One inbox, twelve runs, one instant: none is lost, none is there twice, each has one line."""
    runs = [world.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane", env=A) for _ in range(12)]
    for run in runs:
        world.working(run)
    (world.project / "go").touch()
    eventually(lambda: len(left(world)) == 12, 20)
    shown = [e["run_id"] for e in json.loads(world.ok("inbox", "--all", "--json", env=A))["events"]]
    assert sorted(shown) == sorted(runs) and left(world) == []
    eventually(lambda: sorted(n["run_id"] for n in world.notes()) == sorted(runs), 10)


# -- who acknowledges by looking


def test_wait_and_show_acknowledge_for_their_own_orchestrator(world: World) -> None:
    """Not for another one, not for a plain terminal; not with --quiet, nor by a look at a part of the run."""
    run = ended(world)
    for env in (B, {}):
        world.ok("wait", run, env=env)
        world.ok("show", run, env=env)
        assert left(world) == [run + ".ended"], env
    world.ok("wait", "--quiet", run, env=A)
    for part in ("--prompt", "--events", "--raw", "--diff"):
        world.ok("show", run, part, env=A)
    world.ok("list", env=A)
    assert left(world) == [run + ".ended"]
    world.ok("show", run, env=A)
    assert left(world) == []
    other = ended(world)
    world.ok("wait", other, env=A)
    assert left(world) == []


def test_a_wait_that_is_quicker_than_the_runner_acknowledges_what_comes(world: World) -> None:
    """The end that `wait` printed does not come into the inbox after it; nor does a look at a live run acknowledge."""
    for _ in range(5):
        run = world.shell("sleep 0.2", "--no-pane", env=A)
        world.ok("show", run, env=A)
        assert world.run("wait", run, env=A).returncode == 0
        eventually((world.folder(run) / "notified").exists)
        assert left(world) == []
    run = world.shell("sleep 0.5", "--no-pane", env=A)
    world.ok("show", run, env=A)
    eventually(lambda: left(world) == [run + ".ended"])


def test_a_killed_wait_leaves_the_event_to_be_told(world: World) -> None:
    """While a `wait` of its own lives nobody else tells; killed before it could, it leaves the event to others."""
    run = world.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane", env=A)
    world.working(run)
    puller = subprocess.Popen([*PROGRAM, "wait", run], env={**world.env, **A}, stdout=subprocess.PIPE)
    eventually(lambda: (world.folder(run) / "waited").exists())
    time.sleep(0.2)
    os.kill(puller.pid, signal.SIGSTOP)
    (world.project / "go").touch()
    eventually(lambda: left(world) == [run + ".ended"])
    assert untold(world) == []
    os.kill(puller.pid, signal.SIGKILL)
    assert puller.communicate()[0] == b""
    assert untold(world) == left(world) == [run + ".ended"]


def test_a_waiter_ends_with_the_claude_that_called_it(world: World) -> None:
    """Its commands outlive a killed Claude Code: what they would print reaches nobody, and is not acknowledged."""
    run = world.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane", env=A)
    world.working(run)
    claude = world.root / "claude.py"
    claude.write_text(CLAUDE % (PROGRAM, [["inbox", "--wait", "--all"], ["wait", run]]))
    process = subprocess.Popen([sys.executable, str(claude)], env={**world.env, **A}, stdout=subprocess.PIPE)
    assert process.stdout
    pids = [int(word) for word in process.stdout.readline().split()]
    eventually(lambda: (world.folder(run) / "waited").exists() and bells(world))
    time.sleep(0.3)
    process.kill()
    process.wait()
    eventually(lambda: not any(lives(pid) for pid in pids), 5)
    (world.project / "go").touch()
    eventually(lambda: left(world) == [run + ".ended"])
    assert untold(world) == [run + ".ended"]


CLAUDE = """
import json, os, subprocess, time
born = open("/proc/self/stat", "rb").read().rpartition(b")")[2].split()[19].decode()
folder = os.path.expanduser("~/.claude/sessions")
os.makedirs(folder)
with open(os.path.join(folder, "%%d.json" %% os.getpid()), "w") as f:
    json.dump({"pid": os.getpid(), "procStart": born, "status": "idle", "sessionId": "s"}, f)
shells = [subprocess.Popen(["sh", "-c", '"$@"; true', "sh", *%r, *words], start_new_session=True,
                           stdout=subprocess.DEVNULL) for words in %r]
def below():
    out = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if int(open("/proc/" + name + "/stat").read().rpartition(")")[2].split()[1]) in [s.pid for s in shells]:
                    out.append(name)
            except OSError:
                pass
    return out
while len(below()) < 2:
    time.sleep(0.01)
print(*below(), flush=True)
time.sleep(60)
"""


def bells(world: World) -> list[str]:
    folder = world.home / "inbox" / "orch-aaaa" / "bells"
    return os.listdir(folder) if folder.is_dir() else []


def lives(pid: int) -> bool:
    try:
        return Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# -- crashes

CRASHES = (
    "worker reaped",
    "before result",
    "result linked",
    "line written",
    "before event",
    "event linked",
    "event posted",
    "before mark",
    "marked",
    "before wake",
)
CRASHING = """
import os, signal, sys
sys.path.insert(0, {repo!r})
from agentctl import files, inbox, notify, runner, store, wake, worker
at = {at!r}
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
def before(module, name): setattr(module, name, die)
def after(module, name, only=""):
    old = getattr(module, name)
    def new(*a, **k):
        value = old(*a, **k)
        if only in str(a): die()
        return value
    setattr(module, name, new)
if at == "worker reaped": after(worker.Worker, "clear_away")
elif at == "before result": before(store, "end")
elif at == "result linked": after(os, "link", "result.json")
elif at == "line written": after(notify, "tell")
elif at == "before event": before(inbox, "post")
elif at == "event linked": after(os, "link", ".ended")
elif at == "event posted": after(inbox, "post")
elif at == "before mark": before(notify, "seal")
elif at == "marked": after(notify, "seal")
elif at == "before wake": before(wake, "end_of")
runner.main({home!r}, {run!r})
"""


@pytest.mark.parametrize("at", CRASHES)
def test_the_event_survives_the_runner_killed_at_any_step(world: World, at: str) -> None:
    """Killed right before or after each step of the end: one event, seen by a waiter that slept, and one line."""
    run = staged(world, "sh -c 'sleep 0.1'")
    script = world.root / "crash.py"
    script.write_text(CRASHING.format(repo=str(REPO), at=at, home=str(world.home), run=run))
    sleeper = waiter(world, "--json")
    died = subprocess.run(
        [sys.executable, "-I", "-S", str(script)],
        env=world.env,
        capture_output=True,
        timeout=30,
        start_new_session=True,
    )
    assert died.returncode == -signal.SIGKILL, (died, "the point was not reached")
    out, _ = sleeper.communicate(timeout=15)
    (event,) = json.loads(out)["events"]
    assert event["id"] == run + ".ended"
    assert event["status"] == ("lost" if at in ("worker reaped", "before result") else "finished")
    world.ok("list")
    assert json.loads(world.ok("inbox", "--all", "--json", env=A))["events"] == [event]
    world.ok("show", run)
    assert world.run("wait", run).returncode in (0, 4)
    assert left(world) == [] and events(world) == []
    eventually(lambda: [n["run_id"] for n in world.notes()] == [run], 5)


def staged(world: World, command: str) -> str:
    """A staged run of A's whose runner never comes: `start` is cut short before it launches one."""
    script = (
        "import sys; sys.path.insert(0, %r)\nfrom agentctl import api, launch, request\n"
        "launch.launch = lambda *a, **k: None\n"
        "print(api.start(api.home(), request.Request(project='p', argv=('sh', '-c', %r), pane=False)))"
        % (str(REPO), command)
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], env={**world.env, **A}, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("words", [["inbox", "--all"], ["show"], ["wait"]])
def test_a_reader_killed_at_its_print_has_acknowledged_nothing(world: World, words: list[str]) -> None:
    """It prints first and acknowledges then: whoever reads a pipe that is cut loses nothing."""
    run = ended(world)
    argv = [*PROGRAM, *words, *([run] if words != ["inbox", "--all"] else [])]
    done = subprocess.run(["sh", "-c", '"$@" >/dev/full', "sh", *argv], env={**world.env, **A}, capture_output=True)
    assert b"Traceback" not in done.stderr
    assert left(world) == [run + ".ended"]


# -- heirs, and who acts for whom


class Panes:
    """Real panes of a real server, as callers of agentctl."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "o", "sleep 300")
        self.server = world.tmux("display-message", "-p", "#{socket_path},#{pid},0").strip()

    def open(self) -> dict[str, str]:
        """The environment of a process in a new pane."""
        pane = self.world.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "o:", "sleep 300").strip()
        return {"TMUX": self.server, "TMUX_PANE": pane}

    def name(self, env: dict[str, str]) -> str:
        return "pane-%s-%s" % (self.server.split(",")[1], env["TMUX_PANE"].lstrip("%"))


def test_a_new_orchestrator_takes_over_from_the_dead_only(world: World) -> None:
    """`orch` starts: what a pane that is gone left becomes its own, also the end of a run that lives on; a living
    pane keeps its own."""
    panes = Panes(world)
    dead, living = panes.open(), panes.open()
    lost, kept = ended(world, "true", dead), ended(world, "true", living)
    late = world.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane", env=dead)
    world.working(late)
    world.tmux("kill-pane", "-t", dead["TMUX_PANE"])
    claude = world.root / "claude"
    claude.write_text("#!/bin/sh\nsleep 60\n")
    claude.chmod(0o755)
    world.config(executables={"claude": str(claude)})
    orch = subprocess.run(
        [sys.executable, "-IS", str(REPO / "bin" / "orch"), str(world.project)],
        env=world.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert orch.returncode == 0, orch.stderr
    (heir,) = (n for n in os.listdir(world.home / "inbox") if n.startswith("orch-") and n != "orch-aaaa")
    eventually(lambda: left(world, heir) == [lost + ".ended"])
    (world.project / "go").touch()
    eventually(lambda: left(world, heir) == sorted([lost + ".ended", late + ".ended"]))
    assert left(world, panes.name(dead)) == [] and left(world, panes.name(living)) == [kept + ".ended"]
    assert world.run("wait", lost, late, env={"AGENTCTL_ORCHESTRATOR": heir}).returncode == 0
    assert left(world, heir) == []
    assert world.ok("inbox", "--ack", kept, env=living) == kept + ".ended"


def test_each_pane_has_an_inbox_of_its_own(world: World) -> None:
    """Two panes of one server: what one waits for stays in the other's inbox."""
    panes = Panes(world)
    one, two = panes.open(), panes.open()
    mine, other = ended(world, "true", one), ended(world, "true", two)
    assert (events(world, one), events(world, two)) == ([mine + ".ended"], [other + ".ended"])
    world.ok("wait", other, env=one)
    assert left(world, panes.name(two)) == [other + ".ended"]
    world.ok("wait", other, env=two)
    assert left(world, panes.name(two)) == []


def test_a_run_that_a_worker_starts_reports_to_the_workers_orchestrator(world: World) -> None:
    """A worker's own `agentctl start`: its run's end is an event of the orchestrator that began it all."""
    script = " ".join(["exec", *PROGRAM, "start", "--project", "p", "--no-pane", "--", "true"])
    run = world.shell(script, "--no-pane", env=A)
    eventually(lambda: len(left(world)) == 2, 20)
    inner = next(e for e in left(world) if not e.startswith(run))
    assert world.result(run)["summary"] == inner.partition(".")[0]
    assert {e.partition(".")[0] for e in left(world)} == {run, inner.partition(".")[0]}


def test_a_worker_acknowledges_only_what_it_started(world: World) -> None:
    """A worker that waits for a run of its orchestrator's, or shows it, leaves the event to the orchestrator."""
    other = ended(world)
    calls = ["%s wait %s", "%s show %s", "%s inbox --all; true %s"]
    script = "; ".join(call % (" ".join(PROGRAM), other) for call in calls)
    run = world.shell(script, "--no-pane", env=A)
    world.result(run)
    eventually(lambda: left(world) == sorted([other + ".ended", run + ".ended"]))


# -- disks, modes, hostile words


def test_a_full_disk_delays_the_event_not_the_run(small: World) -> None:
    """No room for the event: wait and show answer, the run has its end; the event comes once there is room."""
    run = small.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane", env=A)
    small.working(run)
    (small.folder(run) / "reserve").write_bytes(b"\0" * 4096)
    filler = fill(small)
    (small.project / "go").touch()
    done = small.run("wait", "--quiet", "--timeout", "20s", run, env=A)
    assert done.returncode == 0 and plain(done.stderr), done
    shown = small.run("show", run)
    assert shown.returncode == 0 and json.loads(shown.stdout)["status"] == "finished"
    for words in (["inbox"], ["inbox", "--json"], ["list", "--unacked"], ["inbox", "--wait", "--timeout", "0.2s"]):
        done = small.run(*words, env=A)
        assert plain(done.stderr), (words, done)
    filler.unlink()
    small.ok("list")
    small.ok("show", run)
    eventually(lambda: left(small) == [run + ".ended"], 10)
    assert events(small) == [run + ".ended"]


def test_a_read_only_inbox_breaks_nothing_else(world: World) -> None:
    """It can be read; `wait` and `show` go on without a receipt; runs end; --all and --wait say it in one line."""
    before = ended(world)
    path = str(world.home / "inbox")
    for words in (["mount", "--bind", path, path], ["mount", "-o", "remount,bind,ro", path]):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            subprocess.run(["umount", "-l", path], capture_output=True)
            pytest.skip("cannot mount read-only: %s" % done.stderr.strip())
    try:
        run = world.run("start", "--no-pane", "--", "true", env=A)
        if run.returncode == 0:
            assert world.run("wait", run.stdout.strip(), env=A).returncode == 0
        assert plain(run.stderr), run.stderr
        for words in (["show", before], ["wait", before], ["inbox"], ["inbox", "--json"], ["list", "--unacked"]):
            done = world.run(*words, env=A)
            assert done.returncode == 0 and plain(done.stderr), (words, done)
        for words in (["inbox", "--all"], ["inbox", "--ack", before]):
            done = world.run(*words, env=A)
            assert done.returncode == 1 and plain(done.stderr) and done.stderr.startswith("agentctl: "), (words, done)
    finally:
        subprocess.run(["umount", "-l", path], capture_output=True)
    assert events(world)[0] == before + ".ended"


def test_everything_in_an_inbox_is_private(world: World) -> None:
    """Files 0600, folders 0700, whatever the umask of who calls."""
    old = os.umask(0)
    try:
        run = ended(world)
        world.ok("inbox", "--ack", run, env=A)
        sleeper = waiter(world)
        fifos = [p for p in (world.home / "inbox").rglob("*") if p.is_fifo()]
        assert [p.stat().st_mode & 0o777 for p in fifos] == [0o600]
        ended(world)
        sleeper.communicate(timeout=10)
    finally:
        os.umask(old)
    found = list((world.home / "inbox").rglob("*"))
    assert any(p.parent.name == "events" for p in found) and any(p.parent.name == "acked" for p in found)
    for path in [*found, world.home / "inbox"]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


HOSTILE = "a\x1b]0;owned\x07b\x1b[2Jc #(touch boom) $(touch boom) \r\n: second line \u202e\x9b31m %H"


def test_a_hostile_title_reaches_no_terminal_raw(world: World) -> None:
    """Escape sequences, tmux's #(…), line ends in a title: on a terminal one plain line; nothing runs."""
    world.tmux("-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "20", "-s", "o", "cat")
    server = world.tmux("display-message", "-p", "#{socket_path},#{pid},0").strip()
    env = {"TMUX": server, "TMUX_PANE": world.tmux("display-message", "-p", "#{pane_id}").strip()}
    ended(world, "true", env, "--title", HOSTILE)
    printed = on_terminal([*PROGRAM, "inbox"], {**world.env, **env})
    assert printed.strip()
    for raw in (b"\x1b]", b"\x1b[2J", b"\x07", "\x9b".encode(), "\u202e".encode()):
        assert raw not in printed, printed
    assert len(printed.strip().splitlines()) == 1
    piped = world.ok("inbox", env=env)
    assert "\x1b" not in piped and len(piped.splitlines()) == 1
    time.sleep(0.3)
    assert not list(world.root.rglob("boom"))


def on_terminal(argv: list[str], env: dict[str, str]) -> bytes:
    """What a program prints when its stdout is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(argv, env=env, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    printed = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        printed += data
    process.wait(10)
    os.close(leader)
    return printed


def test_a_name_that_is_no_name_is_nobody(world: World) -> None:
    """AGENTCTL_ORCHESTRATOR cannot lead out of the inbox's folder."""
    for name in ("../../x", "orch-a/b", "acked", "", "A", "orch-" + "\n"):
        env: dict[str, Any] = {"AGENTCTL_ORCHESTRATOR": name}
        run = world.shell("true", "--no-pane", env=env)
        world.result(run)
    assert set(os.listdir(world.home / "inbox")) <= {"lock", "orch-aaaa"}
    assert not (world.root / "x").exists()
