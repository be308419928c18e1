"""The Python API from a second process: runs, live events, agents that take turns."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from conftest import World
from conftest import eventually
from stranger import TURNS
from stranger import calls
from stranger import popen
from stranger import said
from stranger import spec
from stranger import with_mini


@pytest.fixture
def mini(world: World) -> World:
    return with_mini(world)


# -- runs


def test_runs_are_started_waited_for_shown_and_stopped(world: World) -> None:
    code = """
from agentctl import show, spawn, start, stop, wait
first = start(argv=["sh", "-c", "echo first"], title="a title", pane=False)
then = start(argv=["sh", "-c", "exit 7"], after=[first], pane=False)
ended = {r.run_id: r for r in wait(first, then)}
print(*((r.title, r.goal_met, r.exit_code) for r in (ended[first], ended[then])))
pair = spawn(["sleep 60", "sleep 61"], backend="shell", pane=False)
print(show(pair[0]).status in ("queued", "running"), len(list(wait(*pair, timeout=0.1))))
print(*sorted(r.status for r in stop(*pair)), show(pair[0]).status)
"""
    lines = said(world, code)
    assert lines[0] == "('a title', True, 0) ('sh -c exit 7', False, 7)"
    assert lines[1:] == ["True 0", "stopped stopped stopped"]


def test_what_goes_wrong_has_a_remedy_and_starts_nothing(world: World) -> None:
    code = """
import agentctl
def tried(call, *words, **options):
    try:
        print(call(*words, **options))
    except (agentctl.AgentctlError, TypeError) as e:
        print(type(e).__name__, "|", e, "|", getattr(e, "hint", ""))
tried(agentctl.start, "x", project="q")
tried(agentctl.start, "x", home="/nowhere")
tried(agentctl.start, "x", profil="spark")
tried(agentctl.show, "20990101-000000-0000")
tried(agentctl.events, "20990101-000000-0000")
tried(agentctl.Agent(agentctl.Session("shell")).run, "true", "/nowhere")
tried(agentctl.Agent(agentctl.Session("shell")).run, " ")
"""
    assert said(world, code) == [
        "AgentctlError | no project named `q` | known: p",
        "AgentctlError | no home at /nowhere | make one with `agentctl init`",
        "TypeError | Request has no field profil | ",
        "AgentctlError | no run 20990101-000000-0000 | see `agentctl list`",
        "AgentctlError | no run 20990101-000000-0000 | see `agentctl list`",
        "AgentctlError | /nowhere is not a directory | give the directory that it is to work in",
        "AgentctlError | the prompt is empty | say what is to be done",
    ]
    assert os.listdir(world.home / "runs") == []


def test_a_home_may_be_named_by_its_path_or_made(world: World, tmp_path: Path) -> None:
    code = """
from pathlib import Path
from agentctl import Agent, Session, create_home, show
home = create_home(NEW)
done = Agent(Session("shell", home=Path(NEW)), pane=False).run("echo there", FOLDER)
print(done.summary, show(done.run_id, home=home).status, home.path)
"""
    (tmp_path / "elsewhere").mkdir()
    lines = said(world, code, NEW=str(tmp_path / "new"), FOLDER=str(tmp_path / "elsewhere"))
    assert lines == ["there finished %s" % (tmp_path / "new")]
    assert os.listdir(world.home / "runs") == []


def test_threads_may_start_and_wait_all_at_once(world: World) -> None:
    """And the umask, which a start looks at by setting it, is in the end what it was, here and in every worker."""
    code = """
import os, sys, threading
from agentctl import start, wait
os.umask(0o027)
sys.setswitchinterval(1e-6)
found, begin = [], threading.Barrier(8)
def one():
    begin.wait()
    found.extend(wait(start(argv=["sh", "-c", "umask"], pane=False)))
threads = [threading.Thread(target=one) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print("%03o" % os.umask(0), len(found), {r.summary for r in found})
"""
    assert said(world, code) == ["027 8 {'0027'}"]


# -- events


def test_events_are_live_and_end_with_the_run(world: World) -> None:
    """The run was started by another process, and goes on only once its first words were read."""
    run_id = world.shell("echo one; until [ -e go ]; do sleep 0.02; done; echo two")
    code = """
from agentctl import Event, events, show
kinds = []
for event in events(RUN):
    kinds.append(event.kind)
    assert isinstance(event, Event) and event.at
    if event.text == "one":
        print(show(RUN).status, flush=True)
        open("go", "w").close()
print(show(RUN).status, *kinds)
"""
    assert said(world, code, RUN=run_id) == ["running", "finished started message message exited"]


def test_events_of_a_run_that_waits_for_another_come_when_it_begins(world: World) -> None:
    first = world.shell("until [ -e go ]; do sleep 0.02; done", "--no-pane")
    second = world.shell("echo second", "--no-pane", "--after", first)
    code = """
from agentctl import events
for event in events(RUN):
    print(event.kind)
    if event.kind == "queued":
        open("go", "w").close()
"""
    assert said(world, code, RUN=second) == ["queued", "started", "message", "exited"]


def test_a_reader_of_events_that_stops_early_leaves_nothing_behind(world: World) -> None:
    run_id = world.shell("echo one; sleep 30", "--no-pane")
    code = """
import os
from agentctl import events, show
show(RUN)
before = len(os.listdir("/proc/self/fd"))
reader = events(RUN)
while next(reader).text != "one": pass
reader.close()
print(len(os.listdir("/proc/self/fd")) - before, len(os.listdir("/proc/self/task")), show(RUN).status)
"""
    assert said(world, code, RUN=run_id) == ["0 1 running"]
    world.ok("stop", run_id)


def test_events_of_a_run_that_was_lost_end(world: World) -> None:
    """As after a power cut: nobody is left who would write down that it ended."""
    ended = world.shell("echo one", "--no-pane")
    world.result(ended)
    lost = "20260215-143022-ab12"
    (world.home / "runs" / lost).mkdir()
    for name in ("meta.json", "prompt.md", "lock", "raw.jsonl", "events.jsonl"):
        shutil.copy(world.folder(ended) / name, world.home / "runs" / lost / name)
    code = "from agentctl import events, show\nprint(*(e.kind for e in events(RUN)), show(RUN).status)"
    assert said(world, code, RUN=lost) == ["started message exited lost"]


# -- agents


def test_two_agents_work_in_turns_in_a_directory_nobody_registered(mini: World) -> None:
    folder = mini.root / "elsewhere"
    folder.mkdir()
    registered = (mini.home / "projects.json").read_bytes()
    figures, ids = said(mini, TURNS, FOLDER=str(folder))
    assert figures == "300 30 None"
    asked = calls(mini)
    assert [call["cwd"] for call in asked] == [str(folder)] * 6
    assert len({call["session"] for call in asked}) == 2
    assert ["You build things." in call["prompt"] for call in asked] == [True, False] * 3
    assert [call["words"][0] for call in asked[1::2]] == ["big"] * 3
    specs = [spec(mini, run_id) for run_id in ids.split()]
    assert [(s["project"], s["trusted"], s["cwd"]) for s in specs] == [("", False, str(folder))] * 3
    assert [s["parent"] for s in specs] == ["", *ids.split()[:2]]
    assert (mini.home / "projects.json").read_bytes() == registered
    shown = json.loads(mini.ok("show", ids.split()[0]))
    assert (shown["summary"], shown["cwd"]) == ("turn 1", str(folder))
    again = mini.ok("resume", "--parent-run-id", ids.split()[-1], "--no-pane", stdin="go on")
    assert mini.result(again)["summary"] == "turn 4", "another process goes on with it"


def test_a_conversation_is_forgotten_on_demand_and_kept_by_directory(mini: World) -> None:
    for name in ("a", "b"):
        (mini.root / name).mkdir()
    code = """
from agentctl import Agent, Session
agent = Agent(Session("mini"), pane=False)
def turns(folder, *more): return agent.run("x", folder, *more).summary
print(turns(A), turns(A), turns(B), turns(A), turns(B))
print(turns(A, True), turns(A), turns(B))
agent.session.reset()
print(agent.session.session_id == "", turns(A), turns(B), agent.session.stats.input)
"""
    lines = said(mini, code, A=str(mini.root / "a"), B=str(mini.root / "b"))
    assert lines == ["turn 1 turn 2 turn 1 turn 3 turn 2", "turn 1 turn 2 turn 3", "True turn 1 turn 1 1000"]


def test_agents_in_threads_share_a_session_turn_by_turn(mini: World) -> None:
    code = """
import threading
from agentctl import Agent, Session
session, found = Session("mini"), []
agents = [Agent(session, "You are %d." % n, pane=False) for n in range(4)]
threads = [threading.Thread(target=lambda a=a: found.append(a.run("x", ".").summary)) for a in agents]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(found), len(session.runs))
"""
    assert said(mini, code) == ["['turn 1', 'turn 2', 'turn 3', 'turn 4'] 4"]


def test_an_interrupt_leaves_the_run_at_work_and_the_next_turn_waits_for_it(mini: World) -> None:
    code = """
import os, signal, threading, time
from agentctl import Agent, Session, show
agent = Agent(Session("mini"), pane=False)
def interrupt():
    while not (agent.session.runs and show(agent.session.runs[0]).status == "running"): time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    agent.run("UNTIL GO", ".")
except KeyboardInterrupt:
    print("interrupted", show(agent.session.runs[0]).status, agent.session.stats.input)
threading.Timer(0.5, lambda: open("go", "w").close()).start()
print(agent.run("x", ".").summary, [show(i).status for i in agent.session.runs], agent.session.stats.input)
"""
    assert said(mini, code) == ["interrupted running None", "turn 2 ['finished', 'finished'] 200"]


def test_the_answer_of_a_profile_that_escalates_is_the_last_ones(mini: World) -> None:
    code = """
from agentctl import Agent, Session
agent = Agent(Session(profile="weak"), pane=False)
done = agent.run("x", ".")
print(done.profile, done.goal_met, len(agent.session.runs), done.run_id == agent.session.runs[-1])
"""
    assert said(mini, code) == ["strong True 2 True"]


def test_no_run_of_an_escalation_is_left_out_of_what_a_session_used(mini: World) -> None:
    """Also where it went on twice before anybody looked, as after a ^C."""
    weak = [{"backend": "mini", "model": "weak"}]
    mini.config(
        profiles={
            "one": {"backends": weak, "escalate_to": "two", "escalate": True},
            "two": {"backends": weak, "escalate_to": "three", "escalate": True},
            "three": {"backends": [{"backend": "mini", "model": "strong"}]},
        }
    )
    code = """
import os
from agentctl import Agent, Session, start, wait
first = last = start("x", profile="one", pane=False)
while last:
    [ended] = wait(last)
    last = ended.escalated_to
session = Session(profile="three")
session._note(os.getcwd(), first)
done = Agent(session, pane=False).run("more", ".")
print(len(session.runs), session.stats.input, session.runs[2] == ended.run_id, done.goal_met)
"""
    assert said(mini, code) == ["4 400 True True"]


def test_trust_is_given_only_if_asked_for(mini: World) -> None:
    """Also for the second turn, and not by the name of a directory that is like a trusted project's."""
    trusted, folder = mini.root / "trusted", mini.root / "elsewhere" / "trusted"
    trusted.mkdir()
    folder.mkdir(parents=True)
    mini.ok("add-project", "trusted", str(trusted), "--trust", "--default-profile", "strong")
    code = """
from agentctl import Agent, Session
for session, folder in ((Session("mini"), F), (Session("mini", trust=True), F), (Session("mini"), T)):
    agent = Agent(session, pane=False)
    agent.run("x", folder), agent.run("x", folder)
    print(*session.runs)
"""
    ids = " ".join(said(mini, code, F=str(folder), T=str(trusted))).split()
    assert [spec(mini, i)["trusted"] for i in ids] == [False, False, True, True, True, True]
    assert [spec(mini, i)["project"] for i in ids] == ["", "", "", "", "trusted", "trusted"]
    assert spec(mini, ids[4])["profile"] == "strong", "the project's own profile"


def test_options_and_limits_of_an_agent_reach_its_runs(mini: World) -> None:
    code = """
from agentctl import Agent, Limits, Session
agent = Agent(Session("mini"), max_turns=7, limits=Limits(timeout_s=50), verify="false", title="t", pane=False)
done = agent.run("x", ".")
print(done.verified, done.title, done.run_id)
"""
    *words, run_id = " ".join(said(mini, code)).split()
    assert words == ["failed", "t"]
    limits = spec(mini, run_id)["limits"]
    assert (limits["max_turns"], limits["timeout_s"]) == (7, 50)


def test_a_command_line_is_a_turn_without_a_conversation(world: World) -> None:
    code = """
from agentctl import Agent, Session
tester = Agent(Session("shell"), pane=False)
print(*(tester.run(line, ".").goal_met for line in ("test -d .", "false", "true")))
print(tester.session.stats, repr(tester.session.session_id))
"""
    assert said(world, code) == ["True False True", "Usage() ''"]


def test_a_program_that_is_killed_in_a_turn_leaves_a_run_that_ends_by_itself(mini: World) -> None:
    program = popen(
        mini, "from agentctl import Agent, Session\nAgent(Session('mini'), pane=False).run('UNTIL GO', '.')"
    )
    eventually(lambda: (mini.root / "agent.log").exists())
    program.kill()
    program.communicate(timeout=10)
    (mini.project / "go").touch()
    [run_id] = [name for name in os.listdir(mini.home / "runs") if not name.startswith(".")]
    assert mini.result(run_id)["goal_met"] is True
