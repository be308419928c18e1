"""The worker of the API orchestrators as a process of its own: killed, keyless, under its runner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import birth
from agentctl import store
from agentctl.model import Spec
from conftest import World
from conftest import eventually
from goals import Stage
from live.converser import KEY
from live.stub_scenarios import marker
from live.stub_server import StubServer

TESTS = Path(__file__).resolve().parents[1]
DONE = {"name": "done", "input": {"summary": "all of it is done"}}


def ask(prompt: str, to: str = "smart") -> dict[str, Any]:
    return {"name": "ask", "input": {"to": to, "prompt": prompt}}


@pytest.fixture
def api() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture(params=("anthropic", "gemini"))
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def staged(world: World, vendor: str, prompt: str, **more: Any) -> tuple[store.Run, bytes]:
    """A run's folder, as its runner would have it when the worker starts."""
    home = store.open_home(str(world.home))
    spec = Spec(backend=vendor, goal="20260101-000000-0000", session_id="s-1", cwd=str(world.project), **more)
    texts = {"schema.json": (TESTS.parent / "config" / "report.schema.json").read_bytes()}
    return birth.stage(home, spec, texts), prompt.encode()


def environment(world: World, api: StubServer, **more: str) -> dict[str, str]:
    bases = {"ANTHROPIC_BASE_URL": api.url, "GEMINI_BASE_URL": api.url}
    path = os.pathsep.join((str(TESTS), str(TESTS.parent)))
    return {**world.env, **bases, "ANTHROPIC_API_KEY": KEY, "GOOGLE_API_KEY": KEY, "PYTHONPATH": path, **more}


def start(world: World, api: StubServer, run: store.Run, said: bytes) -> subprocess.Popen[bytes]:
    """The program, its output in the run's folder as the runner has it."""
    argv = [sys.executable, "-m", "live.converser", str(world.home), run.id]
    with open(run.file("raw.jsonl"), "ab") as raw, open(run.file("stderr.log"), "ab") as err:
        made = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=raw, stderr=err, env=environment(world, api))
    assert made.stdin
    made.stdin.write(said)
    made.stdin.close()
    return made


def notes(world: World) -> list[str]:
    path = world.home / "called"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_is_gone_on_from(world: World, api: StubServer, vendor: str, number: signal.Signals) -> None:
    """Of two calls the one that had its answer is not made again; the one that had none is."""
    steps = marker({"tools": [ask("quick"), ask("slow", "never")]}, {"tools": [DONE]})
    first, said = staged(world, vendor, "plum " + steps)
    worker = start(world, api, first, said)
    eventually(
        lambda: len(notes(world)) == 2 and b"answer to quick" in (Path(first.file("raw.jsonl"))).read_bytes(), 20
    )
    worker.send_signal(number)
    assert worker.wait(20) == (-9 if number == signal.SIGKILL else 128 + number)
    (world.home / "let go").touch()
    (world.home / "called").unlink()
    then, said = staged(world, vendor, "go on", resume=True, parent=first.id)
    assert start(world, api, then, said).wait(30) == 0, Path(then.file("stderr.log")).read_text()
    called = [json.loads(line) for line in notes(world)]
    assert [(name, given.get("prompt")) for name, given in called] == [("ask", "slow"), ("done", None)]
    turn = api.asked("go on", vendor)[-1]
    assert [role for role, _ in turn.said] == ["user", "assistant", "assistant", "tool", "tool", "user"]
    for run in (first, then):
        for path in Path(run.path).rglob("*"):
            assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def errand(world: World, env: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """`agentctl _converse` itself."""
    program = [os.path.realpath(sys.executable), "-I", "-S", str(TESTS.parent / "agentctl"), "_converse"]
    done = subprocess.run(program, input=b"x", env=env, capture_output=True, timeout=30)
    assert done.stderr == b""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_errand_says_what_it_lacks(world: World, api: StubServer, vendor: str) -> None:
    run, _ = staged(world, vendor, "x")
    own = {"AGENTCTL_RUN_ID": run.id, "AI_ORCH_HOME": str(world.home)}
    keyless = {k: v for k, v in environment(world, api, **own).items() if not k.endswith("_API_KEY")}
    code, lines = errand(world, keyless)
    assert (code, [line["kind"] for line in lines], lines[0]["data"]["reason"]) == (1, ["limit", "error"], "login")
    assert lines[1]["text"].startswith("no API key: ")
    (world.home / ".env").write_text("# mine\nexport ANTHROPIC_API_KEY='%s'\nGEMINI_API_KEY=%s # note\n" % (KEY, KEY))
    (world.home / ".env").chmod(0o640)
    code, lines = errand(world, keyless)
    assert "may be read by others: it is not used (chmod 600 " in lines[1]["text"]
    (world.home / ".env").chmod(0o600)
    goalless = store.open_home(str(world.home))
    run = birth.stage(goalless, Spec(backend=vendor, cwd=str(world.project)), {})
    code, lines = errand(world, {**keyless, "AGENTCTL_RUN_ID": run.id})
    assert (code, lines[0]["text"][-60:]) == (1, "is of no goal: it has no tools (see `agentctl help backends`)"[-60:])
    code, lines = errand(
        world, {**keyless, "AGENTCTL_RUN_ID": run.id, "%s_BASE_URL" % vendor.upper(): "http://example.org"}
    )
    assert "a key is sent over https:// only" in lines[0]["text"]


def test_an_orchestrator_goes_on_after_a_limit_of_its_vendor(world: World, api: StubServer, vendor: str) -> None:
    """In the same run: the goal, the team and what was asked before are known to it, and are not begun anew."""
    stage = Stage(world)
    world.config(hold_first_s=0.1)
    world.env.update(environment(world, api))
    limit = {"fail": "usage_limit", "times": 1, "headers": {"anthropic-ratelimit-unified-reset": "1"}}
    asked = {"tools": [ask("do: echo yes > want", "worker")]}
    stage.text.write_text("Have want hold yes. %s\n" % marker(asked, {**limit, "tools": [DONE]}))
    words = stage.words("--verify", "sh check.sh", "--mode", "mission", "--no-pane")
    words[words.index("claude")] = vendor
    known = stage.known(world.ok(*words))
    assert known["outcome"] == "accepted", known
    (director,) = [member for member in known["members"] if "orchestrator" in member["step"]]
    assert "goes on in its session" in (world.folder(director["run"]) / "events.jsonl").read_text()
    assert len([call for call in stage.calls() if "verifies" not in call["step"]]) == 1


STARTED = """
from agentctl import store, api
from agentctl.request import Request
home = store.open_home(%r)
print(api.start(home, Request(prompt="lead", project="p", backend=%r, goal=%r)))
"""


def test_a_run_of_it_is_a_run_like_any_other(world: World, api: StubServer, vendor: str) -> None:
    """By the runner, in its pane: without a key it fails, and says why."""
    refused = world.run("start", "--project", "p", "--backend", vendor, stdin="x")
    assert refused.returncode == 2
    assert "serves as a goal's orchestrator only" in refused.stderr
    code = STARTED % (str(world.home), vendor, "20260101-000000-0000")
    env = {**world.env, "PYTHONPATH": str(TESTS.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=world.project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = world.result(done.stdout.strip())
    assert result["status"] == "failed"
    assert result["error"].startswith("no API key: ")
    assert result["limit"]["reason"] == "login"
    assert (result["backend"], result["goal"]) == (vendor, "20260101-000000-0000")
