"""The model server itself: the real CLIs against it, without agentctl.

When one of these fails, the other live tests say nothing about agentctl.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .stub_server import StubServer
from .world import SCHEMA
from .world import World
from .world import events

pytestmark = pytest.mark.live

CLAUDE = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--json-schema", json.dumps(SCHEMA)]


def codex(world: World) -> list[str]:
    """A command line that may edit, and must answer by the schema."""
    schema = world.folder / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    return ["codex", "exec", "--json", "--output-schema", str(schema), "-s", "workspace-write"]


def test_claude_edits_runs_and_reports(world: World) -> None:
    repo = world.repository()
    done = world.run([*CLAUDE, "--permission-mode", "acceptEdits"], repo, "please @@stub:edit@@ claude-edits")
    assert done.returncode == 0, done.stderr
    said = events(done.stdout)
    assert (said[0]["type"], said[0]["subtype"]) == ("system", "init")
    calls = [b["name"] for e in said if e["type"] == "assistant" for b in e["message"]["content"] if "name" in b]
    assert calls == ["Write", "Bash", "StructuredOutput"]
    assert said[-1]["structured_output"]["summary"] == "wrote hello.txt and read it"
    assert (repo / "hello.txt").read_text() == "hello from the stub\n"
    turns = world.stub.asked("claude-edits")
    assert [t.step for t in turns] == [0, 1, 2]
    assert turns[0].session == said[0]["session_id"]
    assert turns[0].schema == SCHEMA
    assert {t.ended for t in turns} == {"answered"}


def test_codex_edits_runs_and_reports(world: World) -> None:
    repo = world.repository()
    done = world.run([*codex(world), "-"], repo, "please @@stub:edit@@ codex-edits")
    assert done.returncode == 0, done.stderr
    said = events(done.stdout)
    done_items = [e["item"]["type"] for e in said if e["type"] == "item.completed"]
    assert done_items == ["agent_message", "file_change", "agent_message", "command_execution", "agent_message"]
    assert said[-1]["usage"] == {
        "input_tokens": 300,
        "cached_input_tokens": 0,
        "cache_write_input_tokens": 0,
        "output_tokens": 30,
        "reasoning_output_tokens": 0,
    }
    assert (repo / "hello.txt").read_text() == "hello from the stub\n"
    turns = world.stub.asked("codex-edits")
    assert [t.step for t in turns] == [0, 1, 2]
    assert turns[0].session == said[0]["thread_id"]
    assert turns[0].schema["required"] == SCHEMA["required"]


def test_claude_resumed_sends_the_earlier_turns(world: World) -> None:
    repo = world.repository()
    first = events(world.run(CLAUDE, repo, "remember plum-7 @@stub:ok@@").stdout)
    again = world.run([*CLAUDE, "--resume", first[0]["session_id"]], repo, "and pear-7 @@stub:not-met@@")
    assert events(again.stdout)[-1]["structured_output"]["goal_met"] is False
    assert world.stub.asked("pear-7")[-1].heard("plum-7")


def test_codex_resumed_sends_the_earlier_turns(world: World) -> None:
    repo = world.repository()
    first = events(world.run([*codex(world), "-"], repo, "remember plum-8 @@stub:ok@@").stdout)
    again = world.run([*codex(world), "resume", first[0]["thread_id"], "-"], repo, "and pear-8 @@stub:not-met@@")
    assert again.returncode == 0, again.stderr
    assert world.stub.asked("pear-8")[-1].heard("plum-8")
    assert json.loads(events(again.stdout)[-2]["item"]["text"])["goal_met"] is False


def test_failures_reach_the_clis(world: World) -> None:
    repo = world.repository()
    overloaded = events(world.run(CLAUDE, repo, "@@stub:overloaded-once@@").stdout)
    retries = [e["error_status"] for e in overloaded if e.get("subtype") == "api_retry"]
    assert retries == [529]
    assert overloaded[-1]["structured_output"] == GOOD["report"]
    limited = world.run([*codex(world), "-"], repo, "@@stub:usage-limit@@")
    assert limited.returncode == 1
    assert "hit your usage limit" in events(limited.stdout)[-1]["error"]["message"]


def ask(stub: StubServer, prompt: str) -> str:
    """One request to the Anthropic side without a CLI; the streamed answer as text."""
    said = [{"role": "user", "content": prompt}]
    body = {"model": "m", "stream": True, "tools": [{"name": "Bash"}], "messages": said}
    request = urllib.request.Request(stub.url + "/v1/messages", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def test_inline_scenario_and_thinking(stub: StubServer) -> None:
    answer = ask(stub, "x " + marker({"thinking": "hm", "text": "well", "usage": {"input": 7}}))
    assert '"thinking": "hm"' in answer
    assert '"input_tokens": 7' in answer
    assert "message_stop" in answer


def test_failing_answers_carry_their_headers(stub: StubServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as failure:
        ask(stub, "@@stub:usage-limit@@")
    assert failure.value.code == 429
    assert failure.value.headers["retry-after"] == "3600"


def test_cut_and_slow_answers(stub: StubServer) -> None:
    with pytest.raises(OSError):
        ask(stub, "@@stub:cut@@ cut-1")
    assert stub.asked("cut-1")[-1].ended == "cut"
    began = time.monotonic()
    ask(stub, marker({"text": "four pieces of text", "delay": 0.2, "pause": 0.1}))
    assert time.monotonic() - began > 0.5


def test_waiting_over_http(stub: StubServer) -> None:
    threading.Timer(0.2, ask, (stub, "late-news @@stub:ok@@")).start()
    with urllib.request.urlopen(stub.url + "/__stub/wait?text=late-news&timeout=5", timeout=10) as answer:
        assert json.load(answer)["requests"][0]["scenario"] == "ok"


def test_a_hanging_answer_ends_with_the_server() -> None:
    with StubServer() as stub:
        client = threading.Thread(target=ask_quietly, args=(stub, "@@stub:hang@@ hang-1"), daemon=True)
        client.start()
        stub.wait_for("hang-1")
    client.join(timeout=2)
    assert not client.is_alive()


def ask_quietly(stub: StubServer, prompt: str) -> None:
    """For a thread whose server goes away."""
    try:
        ask(stub, prompt)
    except OSError:
        pass  # what the test wants


def test_memory_is_bounded(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("%s.KEPT_CHARS" % StubServer.__module__, 100_000)
    with StubServer() as small:
        for _ in range(5):
            ask(small, "x" * 50_000)
        assert len(small.turns) == 2


def test_the_installation_is_reused(clis: Path) -> None:
    assert (clis / "claude").exists()
    assert not list(clis.parents[1].parent.glob("installing-*"))
