"""`agentctl mcp` as a process: the protocol, spoken rightly and wrongly, and the verbs behind it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import inbox
from agentctl.inbox import Entry
from agentctl.store import Home
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import to_another_thread
from mcp_client import HELLO
from mcp_client import Client

SLEEPER = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo went"]


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    made = Client(world)
    yield made
    made.process.kill()
    made.process.wait()


def code(answer: dict[str, Any]) -> tuple[Any, int]:
    assert answer["jsonrpc"] == "2.0" and answer["error"]["message"]
    return answer["id"], answer["error"]["code"]


# -- hello


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [(v, v) for v in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")]
    + [("1999-01-01", "2025-11-25"), ("2999-01-01", "2025-11-25")],
)
def test_the_revision_is_agreed_on(asked: str, agreed: str, world: World) -> None:
    client = Client(world, hello=False)
    answer = client.ask("initialize", **{**HELLO, "protocolVersion": asked})["result"]
    assert (answer["protocolVersion"], answer["serverInfo"]["name"]) == (agreed, "agentctl")
    assert "tools" in answer["capabilities"] and "run" in answer["instructions"]
    assert client.end() == 0


def test_before_hello_only_a_ping_is_answered(world: World) -> None:
    client = Client(world, hello=False)
    assert client.ask("ping")["result"] == {}
    assert code(client.ask("tools/list")) == (2, -32600)
    assert code(client.ask("tools/call", name="list", arguments={})) == (3, -32600)
    assert code(client.ask("initialize", protocolVersion=7)) == (4, -32602)
    assert "result" in client.ask("initialize", **HELLO)
    assert code(client.ask("initialize", **HELLO)) == (6, -32600)
    assert client.ask("tools/list")["result"]["tools"]
    assert client.end() == 0


def test_each_tool_is_described_and_says_whether_it_only_reads(client: Client) -> None:
    tools = {tool["name"]: tool for tool in client.ask("tools/list")["result"]["tools"]}
    assert {"start", "spawn", "wait", "show", "list", "resume", "stop", "pause", "continue", "inbox"} <= tools.keys()
    assert {"agent_create", "agent_send", "workflow_run", "workflow_show", "stats", "roles", "projects"} <= tools.keys()
    for tool in tools.values():
        assert tool["description"] and tool["inputSchema"]["type"] == "object", tool
        assert set(tool["inputSchema"]["required"]) <= tool["inputSchema"]["properties"].keys()
    reading = {name for name, tool in tools.items() if tool["annotations"]["readOnlyHint"]}
    assert {"show", "list", "stats"} <= reading
    assert not reading & {"start", "spawn", "wait", "resume", "stop", "pause", "continue", "inbox", "agent_send"}


# -- spoken wrongly: an error each, and the next is answered as if nothing had been


WRONG: dict[str, tuple[bytes, Any, int]] = {
    "no JSON": (b"hello", None, -32700),
    "half of it": (b'{"jsonrpc": "2.0", "id": 7', None, -32700),
    "no UTF-8": (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"\xff\xfe"}}', None, -32700),
    "nested": (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":' + b"[" * 90_000 + b"}", None, -32700),
    "no number": (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":NaN}}', None, -32700),
    "a batch": (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', None, -32600),
    "no batch": (b"[]", None, -32600),
    "a number": (b"7", None, -32600),
    "null": (b"null", None, -32600),
    "no version": (b'{"id":7,"method":"ping"}', 7, -32600),
    "another version": (b'{"jsonrpc":"1.0","id":"a","method":"ping"}', "a", -32600),
    "no method": (b'{"jsonrpc":"2.0","id":7}', 7, -32600),
    "a method that is none": (b'{"jsonrpc":"2.0","id":7,"method":["ping"]}', 7, -32600),
    "an id that is null": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None, -32600),
    "an id that is true": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', None, -32600),
    "an id that is an object": (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', None, -32600),
    "an id with a fraction": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', None, -32600),
    "an unknown method": (b'{"jsonrpc":"2.0","id":7,"method":"resources/list"}', 7, -32601),
    "params that are a list": (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', 7, -32602),
    "a cursor": (b'{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"x"}}', 7, -32602),
    "no tool": (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}', 7, -32602),
    "an unknown tool": (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"rm"}}', 7, -32602),
}
CALL = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"%s","arguments":%s}}'
for words, (name, given) in {
    "arguments that are a list": ("list", "[]"),
    "an unknown argument": ("list", '{"nosuch":1}'),
    "an argument of another type": ("list", '{"n":"many"}'),
    "an argument out of bounds": ("list", '{"n":0}'),
    "a missing argument": ("wait", "{}"),
}.items():
    WRONG[words] = ((CALL % (name, given)).encode(), 7, -32602)


def test_what_is_said_wrongly_gets_an_error_and_the_next_an_answer(client: Client) -> None:
    for words, (line, of, wanted) in WRONG.items():
        client.send(line)
        answer = client.take(id=of)
        assert code(answer) == (of, wanted), (words, answer)
        assert client.ask("ping")["result"] == {}, words


def test_a_line_of_ten_megabytes_is_refused_and_not_kept(client: Client) -> None:
    client.send(b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"' + b"x" * (10 << 20) + b'"}}')
    assert code(client.take(id=None)) == (None, -32600)
    client.send(b'{"jsonrpc":"2.0","id":8,"method":"ping","params":{"x":"' + b"x" * (6 << 20) + b'"}}')
    assert client.take(id=8)["result"] == {}
    for line in Path("/proc/%d/status" % client.process.pid).read_text().splitlines():
        if line.startswith("VmRSS"):
            assert int(line.split()[1]) < 200_000, line


def test_what_needs_no_answer_gets_none(client: Client) -> None:
    for line in (
        b"",
        b"   ",
        b'{"jsonrpc":"2.0","method":"notifications/nosuch"}',
        b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"list"}}',
        b'{"jsonrpc":"2.0","method":"ping","params":[]}',
        b'{"jsonrpc":"2.0","id":99,"result":{}}',
        b'{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"no"}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    ):
        client.send(line)
    assert client.ask("ping")["result"] == {}
    assert client.end() == 0
    assert client.rest() == []


def test_null_stands_for_an_argument_left_out(client: Client) -> None:
    assert client.call("list", n=None, project=None, running=None)["runs"] == []


# -- the verbs


def test_a_run_from_start_to_stats(client: Client, world: World) -> None:
    run_id = client.call("start", command=["sh", "-c", "echo to stdout; echo to stderr >&2"], title="talks")["run_id"]
    waited = client.call("wait", ids=[run_id], timeout="30s")
    assert (waited["exit_code"], waited["still_running"]) == (0, [])
    assert [(r["run_id"], r["status"], r["goal_met"], r["title"]) for r in waited["results"]] == [
        (run_id, "finished", True, "talks")
    ]
    assert client.call("show", id=run_id)["summary"] == "to stdout"
    assert client.call("show", id="@last", part="raw")["raw"] == "to stdout\n"
    assert "exit code 0" in client.call("show", id=run_id, part="events")["events"]
    assert [row["run_id"] for row in client.call("list")["runs"]] == [run_id]
    assert client.call("list", running=True)["runs"] == []
    assert client.call("stats", by="backend", since="1h")["groups"][0]["runs"] == 1
    assert client.call("projects")["projects"][0]["name"] == "p"
    assert "tester" in [role["name"] for role in client.call("roles")["roles"]]
    assert json.loads(world.ok("show", run_id))["status"] == "finished", "the command line sees the same"


def test_many_at_once_and_what_stops_them(client: Client, world: World) -> None:
    spawned = client.call("spawn", prompts=[" ".join(["exec sleep 600 #", str(n)]) for n in range(3)], backend="shell")
    ids = sorted(row["run_id"] for row in spawned["runs"])
    assert (spawned["asked"], spawned["started"]) == (3, 3)
    for run_id in ids:
        world.working(run_id)
    assert client.call("pause", ids=ids[:1])["runs"][0]["status"] == "paused"
    assert client.call("continue", ids=ids[:1])["runs"][0]["status"] == "running"
    assert sorted(row["run_id"] for row in client.call("list", running=True)["runs"]) == ids
    over = client.call("wait", ids=ids, timeout=0.05)
    assert (over["results"], sorted(over["still_running"]), over["exit_code"]) == ([], ids, 124)
    assert {row["status"] for row in client.call("stop", ids=ids)["runs"]} == {"stopped"}
    assert client.call("wait", ids=ids)["exit_code"] == 4


def test_runs_are_started_by_many_calls_at_once(client: Client, world: World) -> None:
    calls = [client.begin_call("start", command=["sh", "-c", "echo %d" % n], title=str(n)) for n in range(12)]
    ids = [client.read(of)["run_id"] for of in calls]
    assert len(set(ids)) == 12
    told = {row["title"]: row["summary"] for row in client.call("wait", ids=ids)["results"]}
    assert told == {str(n): str(n) for n in range(12)}


def test_what_an_orchestrator_was_shown_is_acknowledged_and_nothing_else(world: World) -> None:
    world.env["AGENTCTL_ORCHESTRATOR"] = "orch-test"
    client = Client(world)
    del world.env["AGENTCTL_ORCHESTRATOR"]
    waited, shown, unseen = (client.call("start", command=["true"])["run_id"] for _ in range(3))
    for run_id in (waited, shown, unseen):
        world.result(run_id)
    assert client.call("wait", ids=[waited])["exit_code"] == 0
    assert client.call("show", id=shown)["status"] == "finished"
    events = client.call("inbox")["events"]
    assert [event["run_id"] for event in events] == [unseen]
    assert [row["run_id"] for row in client.call("list", unacked=True)["runs"]] == [unseen]
    assert client.call("inbox", ack=[unseen]) == {"format": 1, "events": [], "acknowledged": [events[0]["id"]]}
    assert client.end() == 0


def test_what_an_answer_had_no_room_for_is_not_acknowledged(client: Client, world: World) -> None:
    home = Home(str(world.home))
    for n in range(120):
        run = "20260215-1430%02d-%04x" % (n // 2, n)
        entry = Entry(id=run + ".news", kind="news", run_id=run, orchestrator="claude-1", at=1.0 + n, text="w" * 350)
        inbox.post(home, entry)
    shown: list[str] = []
    while len(shown) < 120:
        answer = client.call("inbox", all=True)
        ids = [event["id"] for event in answer["events"]]
        shown += ids
        assert ids and answer["acknowledged"] == ids and answer.get("more", 0) == 120 - len(shown)
        left = [entry.id for entry in inbox.pending(home, "claude-1")]
        assert len(left) == 120 - len(shown) and not set(left) & set(ids)
    assert len(set(shown)) == 120 and client.call("inbox") == {"format": 1, "events": [], "acknowledged": []}


def test_agents_and_workflows(client: Client, world: World) -> None:
    report = {"goal_met": True, "summary": "heard", "followup_prompt": "", "notes": ""}
    said = json.dumps({"kind": "report", "data": {"ok": True, "report": report}})
    world.config(backends={"mine": {"argv": ["sh", "-c", "cat > heard; echo '%s'" % said], "stream": "events"}})
    made = client.call("agent_create", name="ada", backend="mine", project="p", role="reviewer")
    assert (made["name"], made["role"]) == ("ada", "reviewer")
    assert [agent["name"] for agent in client.call("agent_list")["agents"]] == ["ada"]
    assert "ada" in client.failed("agent_create", name="ada", project="p")
    run_id = client.call("agent_send", name="ada", prompt="hello ada")["run_id"]
    result = client.call("wait", ids=[run_id])["results"][0]
    assert (result["agent"], result["summary"]) == ("ada", "heard")
    assert "hello ada" in (world.project / "heard").read_text()
    (world.home / "workflows").mkdir(exist_ok=True)
    steps = [{"id": "one", "command": "echo one"}, {"id": "two", "command": "echo two", "after": ["one"]}]
    (world.home / "workflows" / "mine.json").write_text(json.dumps({"description": "d", "steps": steps}))
    assert "mine" in [one["name"] for one in client.call("workflow_list")["workflows"]]
    started = client.call("workflow_run", name="mine", prompt="go")
    assert set(started["runs"]) == {"one", "two"}
    assert client.call("wait", ids=[started["workflow"]])["exit_code"] == 0
    shown = client.call("workflow_show", id=started["workflow"])
    assert (shown["status"], [step["status"] for step in shown["steps"]]) == ("finished", ["finished", "finished"])
    assert "planner" in client.failed("workflow_run", name="custom", prompt="go")


def test_what_cannot_be_done_is_told_to_the_model_with_the_hint(client: Client, world: World) -> None:
    assert client.failed("show", id="20200101-000000-abcd") == (
        "no run 20200101-000000-abcd\nhint: see `agentctl list`"
    )
    assert "hint:" in client.failed("start", command=["nosuch-program"])
    assert "hint:" in client.failed("start")
    assert "`soon` is not a time" in client.failed("start", command=["true"], timeout="soon")
    assert "hint:" in client.failed("start", command=["true"], project="nosuch")


def test_a_home_that_is_not_there_is_told_by_each_call(world: World) -> None:
    client = Client(world, "--home", str(world.root / "nowhere"))
    assert "agentctl init" in client.failed("list")
    assert client.end() == 0


def test_a_large_diff_is_given_in_pieces(client: Client, repo: Path) -> None:
    lines = "".join('line %d äöü \\ " \x1b\n' % n for n in range(8000))
    (repo / "make.py").write_text("open('big.txt', 'w').write(%r)" % lines)
    run_id = client.call("start", command=["python3", "make.py"])["run_id"]
    assert client.call("wait", ids=[run_id])["exit_code"] == 0
    whole, pieces = "", 0
    offset: Any = 0
    while offset is not None:
        answer = client.call("show", id=run_id, part="diff", offset=offset)
        assert len(json.dumps(answer, ensure_ascii=False)) <= 41_000
        whole, offset, pieces = whole + answer["diff"], answer.get("next_offset"), pieces + 1
    assert pieces > 3 and whole.count("+line ") == 8000
    answer = client.take(id=client.begin_call("show", id=run_id))
    assert len(answer["result"]["content"][0]["text"]) <= 41_000


# -- while a call waits


def test_progress_is_told_at_once_and_by_the_token_of_its_call(client: Client, world: World) -> None:
    run_id = client.call("start", command=SLEEPER)["run_id"]
    of = client.begin_call("wait", token="mine", ids=[run_id])
    told = client.take(method="notifications/progress")["params"]
    assert (told["progressToken"], told["progress"]) == ("mine", 1)
    assert run_id in told["message"] and "1 of 1" in told["message"]
    again = client.take(method="notifications/progress")["params"]
    assert again["progress"] == 2, "it goes on being told"
    (world.project / "go").touch()
    assert client.read(of)["exit_code"] == 0
    assert client.end() == 0
    assert client.rest() == [], "nothing is told of a call that has been answered"


def test_without_a_token_nothing_is_told(client: Client, world: World) -> None:
    of = client.begin_call("wait", ids=[client.call("start", command=SLEEPER)["run_id"]])
    assert client.ask("ping")["result"] == {}
    (world.project / "go").touch()
    assert client.read(of)["exit_code"] == 0
    assert client.end() == 0
    assert client.rest() == []


def test_a_call_that_is_taken_back_gets_no_answer_and_its_run_goes_on(client: Client, world: World) -> None:
    run_id = client.call("start", command=SLEEPER)["run_id"]
    of = client.begin_call("wait", token=1, ids=[run_id])
    client.take(method="notifications/progress")
    client.send(
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": of, "reason": "no more"}}
    )
    assert client.call("show", id=run_id)["status"] in ("queued", "running")
    (world.project / "go").touch()
    assert client.call("wait", ids=[run_id])["exit_code"] == 0
    assert client.end() == 0
    assert of not in [message.get("id") for message in client.rest()]


def test_two_calls_are_in_flight_and_answered_as_they_end(client: Client, world: World) -> None:
    slow = client.begin_call("wait", ids=[client.call("start", command=SLEEPER)["run_id"]])
    quick = client.begin_call("wait", ids=[client.call("start", command=["true"])["run_id"]])
    assert client.read(quick)["exit_code"] == 0
    (world.project / "go").touch()
    assert client.read(slow)["exit_code"] == 0


def test_an_id_that_is_in_use_is_refused_without_touching_the_first(client: Client, world: World) -> None:
    run_id = client.call("start", command=SLEEPER)["run_id"]
    of = client.begin_call("wait", ids=[run_id])
    params = {"name": "list", "arguments": {}}
    client.send({"jsonrpc": "2.0", "id": of, "method": "tools/call", "params": params})
    assert code(client.take(id=None)) == (None, -32600)
    (world.project / "go").touch()
    assert client.read(of)["exit_code"] == 0
    client.send({"jsonrpc": "2.0", "id": of, "method": "tools/call", "params": params})
    assert client.read(of)["runs"], "once it is answered the id is free again"


def test_too_many_calls_at_a_time_are_refused(client: Client, world: World) -> None:
    run_id = client.call("start", command=SLEEPER)["run_id"]
    calls = [client.begin_call("wait", ids=[run_id]) for _ in range(101)]
    assert code(client.take(id=calls[-1])) == (calls[-1], -32600)
    (world.project / "go").touch()
    assert {client.read(of)["exit_code"] for of in calls[:-1]} == {0}


def test_lines_of_calls_that_end_together_do_not_mix(client: Client) -> None:
    run_id = client.call("start", command=["sh", "-c", "yes äöü | head -c 300000"])["run_id"]
    client.call("wait", ids=[run_id])
    calls = [client.begin_call("show", id=run_id, part="raw", offset=0) for _ in range(60)]
    assert {len(client.read(of)["raw"]) > 10_000 for of in calls} == {True}


# -- the end


def test_the_end_of_stdin_ends_it_and_what_can_be_answered_is(world: World) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list"}}
    done = world.run("mcp", stdin="%s\n%s" % (json.dumps(hello), json.dumps(call)))  # the last without a line end
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr, [answer["id"] for answer in answers]) == (0, "", [1, 2])


@pytest.mark.parametrize("way", ["end of stdin", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_while_calls_wait_and_leaves_nothing_but_the_run(way: Any, world: World) -> None:
    client = Client(world, "--home", str(world.home))
    run_id = client.call("start", command=SLEEPER)["run_id"]
    for token in range(3):
        client.begin_call("wait", token=token, ids=[run_id])
        client.take(method="notifications/progress")
    pid = client.process.pid
    if way == "end of stdin":
        assert client.end() == 0
    else:
        to_another_thread(pid, way)  # that the kernel chooses the main one is usual, not sure
        assert client.process.wait(30) == 0
    assert client.process.stderr and client.process.stderr.read() == b""
    assert not Path("/proc/%d" % pid).exists()
    (world.project / "go").touch()
    assert world.result(run_id)["status"] == "finished"


def test_a_client_that_was_killed_leaves_no_server(world: World) -> None:
    """Its end of the pipe is closed by the system, which is all that the server ever learns."""
    talk = "import subprocess, sys\np = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\nprint(p.pid, flush=True)"
    argv = ["python3", "-c", talk + "\np.wait()", *PROGRAM, "mcp"]
    parent = subprocess.Popen(argv, env=world.env, cwd=world.project, stdout=subprocess.PIPE)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    eventually(lambda: not Path("/proc/%d" % pid).exists())


def test_a_client_that_hears_no_more_is_no_error(world: World) -> None:
    process = world.popen("mcp", stdin=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    process.stdin.write(json.dumps(hello).encode() + b"\n")
    process.stdin.flush()
    assert process.wait(30) == 0, "it ends though its stdin is open"
    assert process.stderr.read() == b""


def test_two_clients_at_once(world: World) -> None:
    first, second = Client(world), Client(world)
    run_id = first.call("start", command=SLEEPER)["run_id"]
    waits = [(client, client.begin_call("wait", ids=[run_id])) for client in (first, second)]
    (world.project / "go").touch()
    assert [client.read(of)["results"][0]["run_id"] for client, of in waits] == [run_id, run_id]
    assert (first.end(), second.end()) == (0, 0)


def test_a_goal_needs_its_caller(world: World) -> None:
    done = world.run("mcp", "--goal", "20200101-000000-abcd")
    assert (done.returncode, done.stdout) == (2, "") and "--caller" in done.stderr
