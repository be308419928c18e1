"""The real CLIs as clients of `agentctl mcp`: a user's own, and workers that are given it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentctl import api
from agentctl import paths
from agentctl.model import Limits
from agentctl.store import Home

from .arrow import Arrow
from .arrow import eventually
from .stub_scenarios import GOOD
from .stub_scenarios import Step
from .stub_scenarios import marker
from .stub_server import StubServer
from .stub_turn import Turn

pytestmark = pytest.mark.live

VENDORS = {"claude": "anthropic", "codex": "openai"}
TELLS = 'sleep 3; echo "$ANTHROPIC_BASE_URL"'
WAITS = "i=0; while [ ! -e go ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done; echo went"


def call(backend: str, name: str, **given: Any) -> Step:
    """A step in which the model calls a tool of ours."""
    if backend == "codex":
        return {"tools": [{"name": name, "namespace": "mcp__agentctl", "input": given}]}
    return {"tools": [{"name": "mcp__agentctl__" + name, "input": given}]}


class Errand:
    """A model that starts TELLS, waits for it and looks at it, each by the answer to the call before."""

    def __init__(self, stub: StubServer, mark: str, backend: str) -> None:
        self.stub = stub
        self.mark = mark
        self.backend = backend
        self.answers: list[str] = []
        self.offered: list[str] = []
        stub.plays.append(self.play)

    def play(self, turn: Turn) -> Step | None:
        if not turn.heard(self.mark) or turn.vendor != VENDORS[self.backend]:
            return None
        told = [text for role, text in turn.said if role == "tool" and not text.startswith("Wall time:")]
        self.offered = turn.tools
        if self.backend == "codex":  # whose model searches for the tools before it calls them
            if not told:
                return {"search": "agentctl run"}
            self.offered = [tool["name"] for space in json.loads(told.pop(0)) for tool in space["tools"]]
        self.answers = told
        if not all(text.startswith("{") for text in told):
            return GOOD  # `check` says what came instead
        if not told:
            return call(self.backend, "start", command=["sh", "-c", TELLS], title=self.mark)
        if len(told) == 1:
            return call(self.backend, "wait", ids=[json.loads(told[0])["run_id"]])
        if len(told) == 2:
            return call(self.backend, "show", id=json.loads(told[0])["run_id"])
        return GOOD

    def check(self) -> None:
        """All three answers reached the model."""
        assert [text[:1] for text in self.answers] == ["{"] * 3, self.answers
        started, waited, shown = (json.loads(text) for text in self.answers)
        assert waited["results"][0]["run_id"] == started["run_id"]
        assert (waited["exit_code"], waited["results"][0]["title"]) == (0, self.mark)
        assert (shown["run_id"], shown["status"]) == (started["run_id"], "finished")
        assert shown["summary"] == self.stub.url, "the run has the environment of who calls"


def delegate(arrow: Arrow, backend: str, prompt: str, profile: str = "review") -> str:
    """Start a run whose worker is given the verbs; its id."""
    request = api.Request(
        prompt=prompt,
        project="p",
        backend=backend,
        profile=profile,
        mcp=(*paths.PROGRAM, "--home", str(arrow.home), "mcp"),
        limits=Limits(timeout_s=80),
    )
    return api.start(Home(str(arrow.home)), request, arrow.env)


def servers(arrow: Arrow) -> list[int]:
    """Live servers of this home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            here = ("AI_ORCH_HOME=%s" % arrow.home).encode() in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended, or is not ours
        if b"mcp" in words and here:
            found.append(int(process.name))
    return found


def test_a_users_claude_lists_and_calls_the_tools(arrow: Arrow) -> None:
    """`claude mcp add agentctl -- agentctl mcp`, as README has it."""
    program = arrow.world.folder / "bin"
    program.mkdir()
    (program / "agentctl").symlink_to(Path(__file__).resolve().parents[2] / "bin" / "agentctl")
    env = {**arrow.env, "PATH": "%s:%s" % (program, arrow.env["PATH"])}
    added = ["claude", "mcp", "add", "agentctl", "--", "agentctl", "mcp"]
    subprocess.run(added, cwd=arrow.repo, env=env, check=True, capture_output=True, timeout=60)
    listed = subprocess.run(
        ["claude", "mcp", "list"], cwd=arrow.repo, env=env, capture_output=True, text=True, timeout=60
    )
    assert "agentctl: agentctl mcp" in listed.stdout and "Connected" in listed.stdout, listed.stdout
    errand = Errand(arrow.stub, "users-own-claude", "claude")
    done = subprocess.run(
        ["claude", "-p", "--allowedTools", "mcp__agentctl", "--output-format", "json"],
        input="users-own-claude",
        cwd=arrow.repo,
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    errand.check()
    assert {"mcp__agentctl__" + name for name in ("start", "wait", "show", "list", "stop")} <= set(errand.offered)
    assert eventually(lambda: servers(arrow) == [])


@pytest.mark.parametrize("backend", VENDORS)
def test_a_worker_that_is_given_the_server_delegates_by_it(backend: str, arrow: Arrow) -> None:
    """Read-only, with servers of the user's own that must not run, and limits of the user's that are too short."""
    mark = arrow.world.folder / "own-ran"
    hostile(arrow, mark)
    errand = Errand(arrow.stub, "given-to-%s" % backend, backend)
    result = arrow.wait(delegate(arrow, backend, "given-to-%s" % backend))[0]
    assert result["goal_met"] is True, result
    errand.check()
    assert not mark.exists(), "only our server may be reachable"
    if backend == "claude":
        assert {"Glob", "Grep", "Read", "mcp__agentctl__start"} <= set(errand.offered), "none is deferred"
        assert not {"Bash", "Write", "Agent", "Task"} & set(errand.offered)
    else:
        assert {"start", "wait", "show", "list", "stop"} <= set(errand.offered)
    child = json.loads(errand.answers[0])["run_id"]
    spec = json.loads(arrow.run_file(child, "meta.json").read_text())
    assert spec["wake"]["run"] == result["run_id"], "the server knows whose worker calls it"
    assert eventually(lambda: servers(arrow) == [])


def hostile(arrow: Arrow, mark: Path) -> None:
    """What a user's configuration may hold: a server of his own, ours switched off, a second for a call."""
    home = arrow.world.home
    arrow.env["MCP_TOOL_TIMEOUT"] = "1000"
    arrow.env["ENABLE_TOOL_SEARCH"] = "true"  # as it is by itself with Anthropic's own API
    (home / ".claude" / "settings.json").write_text(json.dumps({"env": {"MCP_TOOL_TIMEOUT": "1000"}}))
    own = {"command": "touch", "args": [str(mark)]}
    (home / ".claude.json").write_text(json.dumps({"mcpServers": {"own": own, "agentctl": own}}))
    with (home / ".codex" / "config.toml").open("a") as config:
        config.write('\n[mcp_servers.own]\ncommand = "touch"\nargs = [%s]\n' % json.dumps(str(mark)))
        config.write('\n[mcp_servers.agentctl]\ncommand = "touch"\nargs = [%s]\n' % json.dumps(str(mark)))
        config.write("enabled = false\ntool_timeout_sec = 1\n")


@pytest.mark.parametrize("backend", VENDORS)
def test_what_is_asked_wrongly_is_told_to_the_model(backend: str, arrow: Arrow) -> None:
    steps = [call(backend, "wait", ids="none"), call(backend, "show", id="20200101-000000-abcd"), GOOD]
    arrow.wait(delegate(arrow, backend, "asked-wrongly-%s %s" % (backend, marker(*steps))))
    turn = arrow.stub.asked("asked-wrongly-%s" % backend, VENDORS[backend])[-1]
    assert turn.heard("$.ids: is string, not array")
    assert turn.heard("no run 20200101-000000-abcd") and turn.heard("hint: see `agentctl list`")


@pytest.mark.parametrize("backend", VENDORS)
def test_a_run_that_goes_on_keeps_its_server(backend: str, arrow: Arrow) -> None:
    first = delegate(arrow, backend, "begins-%s %s" % (backend, marker(call(backend, "projects"), GOOD)))
    arrow.wait(first)
    steps = marker(call(backend, "list", n=1), GOOD)
    arrow.wait(arrow.resume(first, "goes-on-%s %s" % (backend, steps)))
    turn = arrow.stub.asked("goes-on-%s" % backend, VENDORS[backend])[-1]
    assert turn.heard("begins-%s" % backend), "in its conversation"
    assert turn.heard('"projects": [{"name": "p"') and turn.heard('"runs": [{"run_id"')


def test_two_clients_at_once_and_one_that_is_killed(arrow: Arrow) -> None:
    """Both wait for the same run; the end of one worker, however it comes, leaves no server of its."""
    child = arrow.agentctl("start", "--project", "p", "--", "sh", "-c", WAITS).strip()
    marks = {backend: "waits-in-%s" % backend for backend in VENDORS}
    runs = {
        backend: delegate(arrow, backend, "%s %s" % (mark, marker(call(backend, "wait", ids=[child]), GOOD)))
        for backend, mark in marks.items()
    }
    assert eventually(lambda: len(servers(arrow)) == 2, 30)
    worker = json.loads(arrow.run_file(runs["claude"], "status.json").read_text())["worker"]
    os.kill(worker, 9)
    assert arrow.wait(runs["claude"], codes=(4,))[0]["status"] == "failed"
    assert eventually(lambda: len(servers(arrow)) == 1)
    (arrow.repo / "go").touch()
    assert arrow.wait(runs["codex"])[0]["goal_met"] is True
    assert arrow.stub.asked(marks["codex"], "openai")[-1].heard('"exit_code": 0')
    assert eventually(lambda: servers(arrow) == [])


def test_a_server_that_does_not_come_fails_codex(arrow: Arrow) -> None:
    """Who has no tool to delegate with must not go on as if it had."""
    request = api.Request(prompt="no-server", project="p", backend="codex", profile="review", mcp=("/nosuch",))
    run_id = api.start(Home(str(arrow.home)), request, arrow.env)
    result = arrow.wait(run_id, codes=(4,))[0]
    assert result["status"] == "failed" and arrow.stub.asked("no-server", "openai") == []

