"""The Python API with the real CLIs: the examples as they stand, and conversations that grow."""

from __future__ import annotations

import subprocess
import sys

import pytest

import examples

from .arrow import ROOT
from .arrow import Arrow

pytestmark = pytest.mark.live

EXAMPLES = examples.of_vendors()
TURNS = """
from agentctl import Agent, ClaudeSession, CodexSession, events
agent = Agent({"claude": ClaudeSession, "codex": CodexSession}[VENDOR](), "You are called Quince-5.", max_turns=9)
first = agent.run("remember plum-4-" + VENDOR + " @@stub:not-met@@", FOLDER)
second = agent.run("and pear-4 @@stub:edit@@", FOLDER)
agent.session.reset()
third = agent.run("and fig-4-" + VENDOR + " @@stub:ok@@", FOLDER)
print(first.goal_met, first.followup_prompt, second.summary, second.git_files, third.summary)
print(first.session_id == second.session_id != third.session_id == agent.session.session_id)
print(agent.session.stats.input, agent.session.stats.output)
print([event.kind for event in events(second.run_id) if event.kind in ("file_write", "report")])
"""


def said(arrow: Arrow, code: str, **names: object) -> list[str]:
    """What a stranger's program prints, in a repository that is registered."""
    given = "".join("%s = %r\n" % (name, value) for name, value in names.items())
    done = subprocess.run(
        [sys.executable, "-c", given + code],
        cwd=arrow.repo,
        env={**arrow.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (done.returncode, done.stderr) == (0, ""), (done.stdout, done.stderr)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_runs_as_it_stands_with_the_real_cli(arrow: Arrow, name: str) -> None:
    assert said(arrow, EXAMPLES[name])
    results = [path.read_text() for path in arrow.home.glob("runs/*/result.json")]
    assert results
    assert all('"finished"' in text for text in results)


@pytest.mark.parametrize("vendor", ["claude", "codex"])
def test_an_agent_remembers_until_it_is_reset(arrow: Arrow, vendor: str) -> None:
    """In a repository that nobody registered."""
    folder = arrow.world.repository("unregistered-" + vendor)
    said_, same, figures, kinds = said(arrow, TURNS, VENDOR=vendor, FOLDER=str(folder))
    assert said_ == "False go on wrote hello.txt and read it ('hello.txt',) stub: done"
    assert same == "True"
    assert figures == "500 50", "five answers of the model"
    assert kinds == "['file_write', 'report']"
    turns = arrow.stub.asked("plum-4-" + vendor)
    assert [turn.heard("pear-4") for turn in turns] == [False, True, True, True], "one conversation that grew"
    assert len({turn.session for turn in turns}) == 1
    assert all("Quince-5" in turn.instructions or turn.heard("Quince-5") for turn in turns)
    [fresh] = arrow.stub.asked("fig-4-" + vendor)
    assert not fresh.heard("plum-4")


def test_two_vendors_agents_work_in_turns(arrow: Arrow) -> None:
    code = """
from agentctl import Agent, ClaudeSession, CodexSession
builder, reviewer = Agent(CodexSession(), "You build."), Agent(ClaudeSession(), "You review.", profile="review")
for n in range(2):
    work = builder.run("build lemon-%d @@stub:edit@@" % n, ".")
    review = reviewer.run("review lemon-%d %s @@stub:not-met@@" % (n, work.summary), ".")
print(work.backend, work.goal_met, review.backend, review.goal_met, review.git_files)
print(len(builder.session.runs), len(reviewer.session.runs))
"""
    assert said(arrow, code) == ["codex True claude False ()", "2 2"]
    assert arrow.stub.asked("review lemon-1", "anthropic")[-1].heard("review lemon-0")
    assert arrow.stub.asked("build lemon-1", "openai")[-1].heard("build lemon-0")
