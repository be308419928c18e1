"""What `agentctl web` tells and does: its API against real runs in real panes."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import inbox
from agentctl import topics
from agentctl.store import Home
from agentctl.table.rows import NEEDS
from agentctl.web import acts
from agentctl.web import routes
from conftest import World
from conftest import eventually
from conftest import git
from conftest import runners
from vendors import Vendors
from webbing import AGENT
from webbing import Served
from webbing import Socket
from webbing import Stream
from webbing import with_agents

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b]0;t\x07\x1b[31m\u202egnp\u2069 \"'&`${x}"


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    made = Served(with_agents(world))
    yield made
    assert made.stop() == (0, "", "")


def spawned(served: Served, *prompts: str, **options: Any) -> list[str]:
    found: list[str] = served.post("/api/spawn", project="p", backend="shell", prompts=list(prompts), **options)["runs"]
    return found


def asked(served: Served, prompt: str) -> str:
    """A run of the agent in miniature, which has a conversation to go on with."""
    (found,) = served.post("/api/spawn", project="p", profile="mini", prompt=prompt)["runs"]
    return str(found)


def row(served: Served, run_id: str) -> dict[str, Any]:
    found = [one for one in served.get("/api/status")["runs"] if one["run_id"] == run_id]
    return found[0] if found else {}


# -- what it does


def test_spawn_pause_continue_stop_do_what_they_say_to_real_panes(world: World, served: Served) -> None:
    one, two = spawned(served, "echo one; sleep 300", "echo two; sleep 300", title="long")
    for run_id in (one, two):
        world.working(run_id)
    panes = world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    assert {world.status(one)["pane"], world.status(two)["pane"]} <= set(panes)

    paused = served.post("/api/agents/%s/pause" % one)["runs"]
    assert [(r["run_id"], r["status"]) for r in paused] == [(one, "paused")]
    stat = Path("/proc/%d/stat" % world.working(one)).read_text().rpartition(")")[2].split()[0]
    assert stat == "T", "it stands still"
    assert row(served, one)["status"] == "paused" and row(served, two)["status"] == "running"

    assert served.post("/api/agents/%s/resume" % one)["runs"][0]["status"] in ("queued", "running")
    eventually(lambda: row(served, one)["status"] == "running")
    assert Path("/proc/%d/stat" % world.working(one)).read_text().rpartition(")")[2].split()[0] != "T"

    stopped = served.post("/api/agents/%s/stop" % one)["runs"]
    assert [(r["run_id"], r["status"]) for r in stopped] == [(one, "stopped")]
    assert world.result(one)["status"] == "stopped" and world.marked(one) == []
    assert world.status(two)["pane"] in world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    assert served.post("/api/agents/%s/pause" % one, 409)["error"].startswith("run %s cannot pause" % one)
    served.post("/api/agents/%s/stop" % two)


def test_continue_goes_on_from_an_ended_run(world: World, served: Served) -> None:
    first = asked(served, "begin")
    world.result(first)
    (next_one,) = served.post("/api/runs/%s/continue" % first, prompt="more")["runs"]
    result = world.result(next_one["run_id"])
    assert (result["parent"], result["summary"]) == (first, "did: more")
    (session,) = served.get("/api/sessions")["sessions"]
    assert (session["run_id"], session["session_id"]) == (next_one["run_id"], result["session_id"])
    assert served.post("/api/runs/%s/continue" % first, 400, prompt="  ", model="x")["error"] == "the prompt is empty"
    assert served.post("/api/runs/%s/continue" % first, 409)["hint"]


def test_a_conversation_that_was_begun_by_hand_is_shown_and_gone_on_with(world: World, served: Served) -> None:
    made = Vendors(world.user).claude(str(world.project), 100, prompt="Sell <b>plums</b>\u202e")
    (session,) = served.get("/api/sessions?project=p")["sessions"]
    assert (session["session_id"], session["run_id"], session["live"]) == (made["session_id"], None, False)
    assert session["title"].startswith("Sell <b>plums</b>") and session["project"] == "p"
    words: dict[str, Any] = {"prompt": "more", "backend": "claude"}
    assert "not installed" in served.post("/api/sessions/%s/resume" % session["session_id"], 409, **words)["error"]
    program = world.root / "claude"
    program.write_text(AGENT.replace("--session", "--resume"))
    program.chmod(0o755)
    world.config(executables={"claude": str(program)})
    (run,) = served.post("/api/sessions/%s/resume" % session["session_id"], **words)["runs"]
    result = world.result(run["run_id"])
    assert (result["session_id"], result["summary"]) == (session["session_id"], "did: more")
    assert served.post("/api/sessions/nosuch/resume", 409, **words)["error"]
    assert served.post("/api/sessions/%s/resume" % session["session_id"], 400)["error"] == "the prompt is empty"


def test_what_cannot_be_started_is_said_and_nothing_starts(served: Served) -> None:
    for status, body in (
        (400, {}),
        (400, {"prompt": " "}),
        (400, {"prompts": []}),
        (400, {"prompt": "x", "nosuch": 1}),
        (400, {"prompts": "x"}),
        (400, {"prompt": "x", "timeout": "soon"}),
        (409, {"prompt": "true", "backend": "shell", "project": "nosuch"}),
    ):
        said = served.post("/api/spawn", status, **body)
        assert said["error"] and not said["error"].startswith("unexpected"), (body, said)
    assert served.post("/api/agents/nobody/stop", 409)["error"]
    assert served.post("/api/agents/20260215-143022-ab12/stop", 404)["error"] == "no run 20260215-143022-ab12"
    assert served.get("/api/runs")["runs"] == []


def test_cleanup_says_first_what_it_would_do(world: World, repo: Path, served: Served) -> None:
    (run_id,) = spawned(served, "echo new > b.txt", worktree=True)
    world.result(run_id)
    (found,) = served.get("/api/worktrees")["worktrees"]
    assert (found["run_id"], found["state"], found["dirty"]) == (run_id, "ended", True)
    plan = served.post("/api/cleanup", all=True)
    assert plan["dry_run"] and [one["worktree"] for one in plan["runs"]] == [found["path"]]
    assert plan["runs"][0]["saves"]["files"] == 1 and Path(found["path"]).is_dir()
    done = served.post("/api/cleanup", all=True, dry_run=False)
    assert done["runs"][0]["removed"] and not Path(found["path"]).exists()
    world.ok("undo", run_id)
    assert (Path(found["path"]) / "b.txt").read_text() == "new\n"
    assert served.post("/api/cleanup", 400)["error"] == "nothing is selected"
    git(repo, "worktree", "list")


# -- what it tells


def test_a_run_with_its_events_and_diff(world: World, repo: Path, served: Served) -> None:
    (run_id,) = spawned(served, "echo hello; echo two >> a.txt; echo x > b.txt", title="a change")
    result = world.result(run_id)
    known = served.get("/api/runs/" + run_id)
    for name in ("run_id", "status", "goal_met", "verified", "summary", "usage", "git_files", "exit_code"):
        assert known[name] == result[name], name
    assert known["asked"]["command"][-1].startswith("echo hello") and known["row"]["diff"] == {
        "files": 2,
        "added": 2,
        "removed": 0,
    }
    events = served.get("/api/runs/%s/events" % run_id)
    raw = (world.folder(run_id) / "events.jsonl").read_bytes()
    assert [e["kind"] for e in events["events"]] == [json.loads(line)["kind"] for line in raw.splitlines()]
    assert (events["from"], events["next"], events["bytes"]) == (0, len(raw), len(raw))
    second = events["events"][1]["offset"]
    assert served.get("/api/runs/%s/events?from=%d" % (run_id, second))["events"] == events["events"][1:]
    newest = served.get("/api/runs/%s/events?from=-200" % run_id)
    assert newest["events"] and newest["events"] == events["events"][-len(newest["events"]) :]
    piecewise, at = [], 0
    while at < len(raw):
        piece = served.get("/api/runs/%s/events?from=%d&bytes=700" % (run_id, at))
        piecewise += piece["events"]
        at = piece["next"]
    assert piecewise == events["events"]
    diff = served.get("/api/runs/%s/diff" % run_id)
    assert diff["diff"] == (world.folder(run_id) / "diff.patch").read_text() and "+two" in diff["diff"]
    assert diff["next"] == diff["bytes"]
    assert served.get("/api/runs/%s/diff?from=%d" % (run_id, diff["bytes"]))["diff"] == ""


def test_runs_are_listed_in_pieces(world: World, served: Served) -> None:
    ids = spawned(served, *["true"] * 4, "exit 3")
    for run_id in ids:
        world.result(run_id)
    every = [one["run_id"] for one in served.get("/api/runs")["runs"]]
    assert sorted(every) == sorted(ids)
    found, before = [], ""
    while before is not None:
        piece = served.get("/api/runs?limit=2" + ("&before=" + before if before else ""))
        found += [one["run_id"] for one in piece["runs"]]
        before = piece["before"]
    assert sorted(found) == sorted(every) and len(found) == 5
    assert len(served.get("/api/runs?status=finished")["runs"]) == 5
    assert served.get("/api/runs?project=q")["runs"] == [] and len(served.get("/api/runs?project=p")["runs"]) == 5
    needing = [one for one in served.get("/api/status")["runs"] if one["needs"]]
    assert [(one["run_id"], one["needs"]) for one in needing] == [(ids[-1], "not_met")]
    stats = served.get("/api/stats")
    assert stats["totals"]["runs"] == 5 and [day["runs"] for day in stats["by_day"]] == [5]
    assert json.loads(world.ok("stats", "--by", "agent", "--json"))["groups"] == stats["by_agent"]
    assert served.get("/api/goals")["goals"] == [] and served.get("/api/sessions")["sessions"] == []
    assert served.get("/api/choices")["projects"] == ["p"]


def test_who_needs_a_person_is_who_status_says_and_for_the_same_reason(world: World, served: Served) -> None:
    world.config(idle_notice_s=2)
    (idle,) = spawned(served, "echo on; sleep 300")
    short, seen, broken = spawned(served, "exit 3", "exit 4", "kill -9 $$")
    first = asked(served, "fail at it")
    for run_id in (short, seen, broken, first):
        world.result(run_id)
    later = served.post("/api/runs/%s/continue" % first, prompt="more")["runs"][0]["run_id"]
    world.result(later)

    def table() -> dict[str, tuple[str, str]]:
        rows = json.loads(world.ok("status", "--json"))["table"]
        return {one["run_id"]: (one["need"], one["why"]) for one in rows if one["need"]}

    def page() -> dict[str, tuple[str, str]]:
        said = served.get("/api/status")
        found = {one["run_id"]: (one["needs"], one.get("why")) for one in said["runs"] if one["needs"]}
        assert said["needs"] == len(found)
        return found

    eventually(lambda: idle in table() and seen in page(), 20)
    inbox.acknowledge(Home(str(world.home)), [inbox.name_of(seen, inbox.ENDED)], "a person")
    eventually(lambda: set(page()) == set(table()) == {idle, short, broken}, 20)
    on_page, in_table = page(), table()
    for code, why in (on_page.pop(idle), in_table.pop(idle)):
        assert code == "idle" and why.startswith("has printed nothing for "), "for how long differs by the second"
    assert on_page == in_table and on_page[short] == ("not_met", "exit code 3")
    shown = {one["run_id"]: one for one in served.get("/api/runs")["runs"]}
    assert {run_id: (one["needs"], one["why"]) for run_id, one in shown.items() if run_id in on_page} == on_page
    known = served.get("/api/runs/" + broken)["row"]
    assert (known["needs"], known["why"]) == on_page[broken]
    served.post("/api/agents/%s/stop" % idle)
    eventually(lambda: set(page()) == {short, broken})


def test_hostile_words_come_as_data(world: World, served: Served) -> None:
    """In every answer they are JSON in ASCII, with a type that no browser takes for a page."""
    script = world.root / "hostile.sh"
    script.write_text("cat <<'END'\n%s\nEND\nhead -c 10000000 /dev/zero | tr '\\0' 'y'\n" % HOSTILE)
    run_id = world.ok("start", "--title", HOSTILE, "--", "sh", str(script))
    world.result(run_id)
    for path in ("status", "runs", "runs/" + run_id, "runs/%s/events" % run_id, "runs/%s/diff" % run_id, "sessions"):
        answer = served.raw(served.head("GET /api/%s HTTP/1.1" % path))
        assert answer.status == 200 and answer.fields["content-type"] == "application/json", path
        assert answer.body.isascii() and b"\x1b" not in answer.body and len(answer.body) < 1_000_000, path
        assert "default-src 'none'" in answer.fields["content-security-policy"]
    known = row(served, run_id)
    assert "<script>alert(1)</script>" in known["title"] and "\x1b" not in known["title"]
    assert "\u202e" not in known["title"], "nothing that would turn the line around"


def test_events_are_told_past_a_line_that_is_too_long(world: World, served: Served) -> None:
    (run_id,) = spawned(served, "echo first")
    world.result(run_id)
    path = world.folder(run_id) / "events.jsonl"
    with path.open("ab") as file:
        file.write(b'{"kind":"message","text":"' + b"z" * 3_000_000 + b'"}\n{"kind":"message","text":"last"}\n{torn')
    found, at = [], 0
    for _ in range(10):
        piece = served.get("/api/runs/%s/events?from=%d" % (run_id, at))
        found += piece["events"]
        at = piece["next"]
    assert found[-1]["text"] == "last" and "left out" in found[-2]["text"]
    assert at == path.stat().st_size - len("{torn")


# -- live


def test_the_stream_tells_changes_and_a_runs_events_as_they_come(world: World, served: Served) -> None:
    stream = Stream(served)
    eventually(lambda: stream.messages)
    assert stream.messages[0][0] == "status" and stream.messages[0][1]["runs"] == []
    go = world.root / "go"
    (run_id,) = spawned(served, "echo alpha; while [ ! -e %s ]; do sleep 0.1; done; echo omega" % go)
    eventually(lambda: stream.rows().get(run_id, {}).get("status") == "running")
    close = Stream(served, "?run=%s&from=0" % run_id)
    eventually(lambda: any("alpha" in event["text"] for event in close.events()))
    go.touch()
    eventually(lambda: stream.rows()[run_id]["status"] == "finished", 20)
    eventually(lambda: any("omega" in event["text"] for event in close.events()))
    raw = (world.folder(run_id) / "events.jsonl").read_text().splitlines()
    eventually(lambda: len(close.events()) == len(raw))
    assert stream.rows()[run_id]["goal_met"] is True
    for one in (stream, close):
        one.close()


def test_a_killed_runner_and_a_removed_folder_are_seen(world: World, served: Served) -> None:
    run_id = asked(served, "go on for ever")
    eventually(lambda: served.get("/api/runs/" + run_id)["session_id"])
    stream = Stream(served)
    eventually(lambda: stream.rows().get(run_id, {}).get("status") == "running")
    os.kill(world.runner_pid(run_id), signal.SIGKILL)
    eventually(lambda: stream.rows()[run_id]["status"] == "lost", 20)
    assert stream.rows()[run_id]["needs"] == "lost"
    (child,) = served.post("/api/runs/%s/continue" % run_id, prompt="true")["runs"]
    eventually(lambda: stream.rows()[run_id]["needs"] == "", 20)
    world.result(child["run_id"])
    eventually(lambda: not runners(str(world.home)))  # they tidy up after the result
    shutil.rmtree(world.folder(child["run_id"]))
    eventually(lambda: child["run_id"] not in stream.rows(), 30)
    stream.close()


def test_a_websocket_tells_the_same(world: World, served: Served) -> None:
    by_protocol = Socket(served, "Sec-WebSocket-Protocol: agentctl, token." + served.token)
    by_message = Socket(served)
    by_message.send(1, json.dumps({"token": served.token}).encode())
    for client in (by_protocol, by_message):
        assert client.message()["type"] == "status"
    (run_id,) = spawned(served, "true")
    for client in (by_protocol, by_message):
        status = ""
        while status != "finished":
            message = client.message()
            assert message["type"] == "runs"
            status = {one["run_id"]: one["status"] for one in message["runs"]}.get(run_id, status)
    by_message.send(9, b"are you there")
    assert by_message.take() == (10, b"are you there")
    by_message.send(8, (1000).to_bytes(2, "big"))
    assert by_message.take() == (8, (1000).to_bytes(2, "big")) and by_message.take() == (-1, b"")
    by_protocol.close()


def test_every_endpoint_is_written_down() -> None:
    page = topics.TOPICS["web-api"][1]
    for method, pattern, _ in routes._TABLE:
        path = pattern.pattern.replace(routes.RUN, "ID").replace(routes._ANY, "ID").replace(r"\Z", "")
        assert path in page and method in page, path
    for word in NEEDS:
        assert word in page
    for name in acts.SPAWN["properties"]:
        assert name in page, name
    for name in acts.CLEANUP["properties"]:
        assert name in page, name


def test_the_page_needs_no_token_and_tells_nothing(served: Served) -> None:
    for path in routes._PAGE:
        answer = served.raw(served.head("GET %s HTTP/1.1" % path, token=""))
        assert answer.status == 200 and served.token.encode() not in answer.raw, path
        assert b"http://" not in answer.body.replace(b"http://www.w3.org/2000/svg", b""), path
        assert b"https://" not in answer.body and b"//cdn" not in answer.body, path
