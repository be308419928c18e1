"""agentctl from Python: the same service layer as the command line's, typed.

An agent is talked to in turns, and remembers. The directory need not be registered:

    from agentctl import Agent
    from agentctl import ClaudeSession

    builder = Agent(ClaudeSession(model="sonnet"), "You write small, tested functions.", max_turns=30)
    reviewer = Agent(ClaudeSession(model="opus"), "You review. You change nothing.", profile="review")
    work = builder.run("Add a limit of 10 MB to src/upload.py", project_dir=".")
    for _ in range(3):
        review = reviewer.run("Is this right? %s" % work.summary, project_dir=".")
        if review.goal_met:
            break
        work = builder.run(review.followup_prompt, project_dir=".")
    print(work.status, work.goal_met, builder.session.stats.output)

A named agent outlives the program; any process may go on talking to it:

    from agentctl import create_agent
    from agentctl import delete_agent
    from agentctl import send

    create_agent("ada", role="reviewer", backend="claude")
    answer = send("ada", "What does src/upload.py refuse?")
    more = send("ada", "And who calls it?")
    print(answer.summary, more.session_id == answer.session_id)
    delete_agent("ada")

A goal is worked at in cycles, until others have verified it:

    from agentctl import ClaudeCodeOrchestrator

    orch = ClaudeCodeOrchestrator(model="opus")
    night = orch.run(
        "Uploads over 10 MB are refused with status 413",
        project_dir=".",
        team={"ada": {"role": "worker_smart"}, "eve": {"role": "reviewer", "verifies": True}},
        max_cycles=2,
    )
    print(night.accepted, night.why, [cycle.reasons for cycle in night.cycles])

Steps that wait for each other; each is told what those before it report:

    from agentctl import workflow

    flow = workflow(
        [
            {"command": "echo 12 files", "title": "survey"},
            {"command": "test -e missing", "title": "tests"},
            {"command": "echo never", "title": "release"},
        ],
        dependencies={1: [0], 2: [0, 1]},
    )
    for result in flow.wait():
        print(result.title, result.status, result.goal_met)

Besides a command, a step is a role (`"builder"`), what is to be done (`"Sum up: {{before}}"`), or
an agent. Runs alone, any number at a time:

    from agentctl import start
    from agentctl import wait

    tests = start(argv=["sh", "-c", "echo 12 passed"], title="tests")
    lint = start(argv=["sh", "-c", "echo clean"], title="lint", after=[tests])
    for result in wait(tests, lint):
        print(result.title, result.goal_met, result.summary)

What happens while it happens; the loop ends with the run:

    from agentctl import events
    from agentctl import start

    run_id = start(argv=["sh", "-c", "echo one; sleep 1; echo two"])
    for event in events(run_id):
        print(event.kind, event.text)

All that can go wrong is an AgentctlError: its words say what, `hint` what to do. Every
function takes a `home`; without one it is that of the command line ($AI_ORCH_HOME, else
`.ai-orch/` beside a checkout's bin/, else ~/.ai-orch). Nothing prints. Threads may call
anything. A ^C ends the waiting, never a run. Nothing is acknowledged in an orchestrator's
inbox: what a program has read, the orchestrator has not.
"""

from __future__ import annotations

from ..errors import AgentctlError
from ..figures.totals import Totals
from ..model import Event
from ..model import Limits
from ..model import Result
from ..model import Usage
from ..request import Request
from ..settings import Agent as NamedAgent
from ..store import Home
from .directing import ApiOrchestrator
from .directing import ClaudeCodeOrchestrator
from .directing import CodexOrchestrator
from .directing import CycleResult
from .directing import Orchestrator
from .directing import RunResult
from .graphs import Workflow
from .graphs import workflow
from .live import events
from .named import create_agent
from .named import delete_agent
from .named import get_agent
from .named import list_agents
from .named import reset_agent
from .named import send
from .named import show_agent
from .runs import PartlyStarted
from .runs import create_home
from .runs import resume
from .runs import show
from .runs import spawn
from .runs import start
from .runs import stop
from .runs import wait
from .sessions import Agent
from .sessions import ClaudeSession
from .sessions import CodexSession
from .sessions import CursorSession
from .sessions import Session
from .totals import stats
from .totals import stats_by

__all__ = [
    "Agent",
    "AgentctlError",
    "ApiOrchestrator",
    "ClaudeCodeOrchestrator",
    "ClaudeSession",
    "CodexOrchestrator",
    "CodexSession",
    "CursorSession",
    "CycleResult",
    "Event",
    "Home",
    "Limits",
    "NamedAgent",
    "Orchestrator",
    "PartlyStarted",
    "Request",
    "Result",
    "RunResult",
    "Session",
    "Totals",
    "Usage",
    "Workflow",
    "create_agent",
    "create_home",
    "delete_agent",
    "events",
    "get_agent",
    "list_agents",
    "reset_agent",
    "resume",
    "send",
    "show",
    "show_agent",
    "spawn",
    "start",
    "stats",
    "stats_by",
    "stop",
    "wait",
    "workflow",
]
