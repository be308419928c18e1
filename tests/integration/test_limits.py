"""A vendor that has no more to give: its account is held, runs wait, go on by themselves, or with another vendor.

Programs of our own stand in for the vendors: one script, which speaks the lines of the one whose
name it has, does what a file says for each call, and notes when it was called. That no call comes
inside a hold is the one thing here for which times are compared.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any
from typing import Optional

import pytest

from conftest import World
from conftest import eventually

STAND_IN = r"""#!/usr/bin/env python3
# claude, codex or cursor-agent in miniature, by its name. PLAY/<vendor>.json has a list of calls:
# {"says": text, "limit": words with %d for the moment, "in": seconds, "writes": [file, text], "slow": seconds}
import json, math, os, sys, time, uuid
vendor = os.path.basename(sys.argv[0])
words, play, began = sys.argv[1:], os.environ["PLAY"], time.time()
if "--version" in words:
    print("2.1.197 (Claude Code)"); sys.exit()
resumed = "--resume" in words or "resume" in words
if vendor == "codex":
    session = words[words.index("resume") + 1] if resumed else str(uuid.uuid4())
else:
    flag = "--resume" if resumed else "--session-id"
    session = words[words.index(flag) + 1] if flag in words else str(uuid.uuid4())
prompt = sys.stdin.read()
with open(os.path.join(play, vendor + ".calls"), "a+") as log:
    import fcntl
    fcntl.flock(log, fcntl.LOCK_EX)
    log.seek(0)
    number = len(log.readlines())
    steps = json.load(open(os.path.join(play, vendor + ".json")))
    step = steps[min(number, len(steps) - 1)]
    reset = math.ceil(time.time() + step.get("in", 0))
    log.write(json.dumps({"at": began, "session": session, "resumed": resumed, "prompt": prompt, "reset": reset,
                          "max_turns": words[words.index("--max-turns") + 1] if "--max-turns" in words else "",
                          "cwd": os.getcwd(), "limited": "limit" in step, "run": os.environ["AGENTCTL_RUN_ID"]}) + "\n")
said, limit = step.get("says"), step.get("limit")
if limit and "%d" in limit:
    limit = limit % reset
def tell(**line):
    print(json.dumps(line), flush=True)
if "writes" in step:
    open(step["writes"][0], "a").write(step["writes"][1])
report = {"goal_met": True, "summary": "done by " + vendor, "followup_prompt": "", "notes": ""}
if vendor == "codex":
    tell(type="thread.started", thread_id=session)
    if said:
        tell(type="item.completed", item={"id": "i", "type": "agent_message", "text": said})
    time.sleep(step.get("slow", 0))
    if limit:
        tell(type="turn.failed", error={"message": limit}); sys.exit(1)
    tell(type="item.completed", item={"id": "j", "type": "agent_message", "text": json.dumps(report)})
    tell(type="turn.completed", usage={"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 5})
    sys.exit()
tell(type="system", subtype="init", session_id=session, model="m", apiKeySource="none")
if said:
    tell(type="assistant", message={"id": "m%d" % number, "model": "m", "content": [{"type": "text", "text": said}],
                                    "usage": {"input_tokens": 10, "output_tokens": 1}})
time.sleep(step.get("slow", 0))
usage = {"input_tokens": 10, "output_tokens": 5} if said else {"input_tokens": 0, "output_tokens": 0}
if vendor == "cursor-agent":
    usage = {"inputTokens": 10, "outputTokens": 5}
end = {"type": "result", "session_id": session, "num_turns": 1, "total_cost_usd": 0.25 if said else 0, "usage": usage}
if limit:
    status = step.get("status")
    tell(**end, subtype="success", is_error=True, result=limit, **({"api_error_status": status} if status else {}))
    sys.exit(1)
if vendor == "cursor-agent":
    tell(type="assistant", message={"content": [{"type": "text", "text": json.dumps(report)}]})
tell(**end, subtype="success", is_error=False, structured_output=report, result="done")
"""
OK: dict[str, Any] = {"says": "at it"}
USAGE: dict[str, dict[str, Any]] = {
    "claude": {"limit": "Claude AI usage limit reached|%d", "in": 1},
    "codex": {"limit": "You’ve hit your usage limit. Try again in 2 seconds.", "in": 1},
    "cursor-agent": {"limit": "You've hit your usage limit. It resets at %d", "in": 1},
}
A = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa"}
FAR = 10 * 3600


class Vendors:
    """One user's machine, on which the vendors' programs do as they are told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.play = world.root / "play"
        self.bin = world.root / "bin"
        self.play.mkdir()
        self.bin.mkdir()
        world.env["PATH"] = "%s:%s" % (self.bin, world.env["PATH"])
        world.env["PLAY"] = str(self.play)
        world.config(stagger_s=0.05, hold_first_s=1.0)

    def plays(self, vendor: str, *steps: dict[str, Any]) -> None:
        """Install a vendor's program, and say what its calls come to; the last one is repeated."""
        program = self.bin / vendor
        if not program.exists():
            program.write_text(STAND_IN)
            program.chmod(0o755)
        (self.play / (vendor + ".json")).write_text(json.dumps(steps))

    def calls(self, vendor: str) -> list[dict[str, Any]]:
        path = self.play / (vendor + ".calls")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def start(self, *options: str, prompt: str = "do it", env: Optional[dict[str, str]] = None) -> str:
        return self.world.ok("start", "--no-pane", *options, stdin=prompt, env=env)

    def held(self, run: str) -> dict[str, Any]:
        """status.json of a run, once it is held."""
        eventually(lambda: "held until" in self.world.status(run).get("doing", ""), 15)
        return self.world.status(run)


@pytest.fixture
def vendors(world: World) -> Vendors:
    return Vendors(world)


def inbox(world: World) -> list[dict[str, Any]]:
    events = json.loads(world.ok("inbox", "--json", env=A))["events"]
    return [e for e in events if e["kind"] == "limit"]


@pytest.mark.parametrize("vendor", sorted(USAGE))
@pytest.mark.parametrize("answered", [True, False])
def test_a_run_at_its_limit_goes_on_by_itself_after_the_reset(vendors: Vendors, vendor: str, answered: bool) -> None:
    """In its own session where that got an answer, else from the start; no call comes inside the hold."""
    world, backend = vendors.world, vendor.partition("-")[0]
    world.ok("add-project", "t", str(world.project), "--trust")
    limited = {**USAGE[vendor], "writes": ["work.txt", "half\n"], **({"says": "I begin"} if answered else {})}
    vendors.plays(vendor, limited, {**OK, "writes": ["work.txt", "all\n"]})
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700, parents=True)
    run = vendors.start("--project", "t", "--backend", backend, env=A)
    result = world.result(run)
    assert (result["status"], result["goal_met"], result["exit_code"]) == ("finished", True, 0)
    first, second = vendors.calls(vendor)
    assert second["at"] >= first["reset"]
    assert second["run"] == first["run"] == run
    assert second["resumed"] is answered
    assert (second["session"] == first["session"]) is answered
    assert ("interrupted" in second["prompt"]) is answered
    assert "do it" in first["prompt"] and (answered or "do it" in second["prompt"])
    assert result["session_id"] == second["session"]
    [told] = inbox(world)
    assert "%s usage limit" % backend in told["text"] and "held until" in told["text"] and told["run_id"] == run
    assert "ran into a limit of its vendor, held until " in world.ok("inbox", env=A)
    events = (world.folder(run) / "events.jsonl").read_text()
    assert events.count('"started"') == 2 and "held until" in events
    assert not (world.folder(run) / "held").exists()
    assert json.loads(world.ok("replay", run, "--json"))["agrees"]
    if backend == "claude":
        assert result["usage"]["cost_usd"] is None and result["usage"]["virtual_usd"] == 0.25 * (1 + answered)
        assert result["usage"]["turns"] == 2
    assert [n for n in os.listdir(world.home / "holds") if n != "lock"] == [], "its success lifted it"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"limit": "API Error: Request rejected (429) · rl", "status": 429}, "rate limit"),
        ({"limit": "API Error: 529 Overloaded.", "status": 529}, "overload"),
    ],
)
def test_without_a_known_end_it_tries_again_after_a_while(vendors: Vendors, step: dict[str, Any], words: str) -> None:
    """A second in this test, then two; told once of the row."""
    world = vendors.world
    vendors.plays("claude", step, step, OK)
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700, parents=True)
    run = vendors.start("--backend", "claude", env=A)
    assert world.result(run)["status"] == "finished"
    first, second, third = (call["at"] for call in vendors.calls("claude"))
    assert second - first >= 1 and third - second >= 2
    [told] = inbox(world)
    assert words in told["text"]


def test_runs_of_the_same_account_wait_and_others_do_not(vendors: Vendors) -> None:
    """Nobody calls the vendor inside the hold, for that account; a slot is not kept."""
    world = vendors.world
    world.config(max_parallel=1)
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": 3, "says": "x"}, OK)
    one = vendors.start("--backend", "claude")
    said = vendors.held(one)
    assert said["status"] == "queued" and said["doing"].endswith(": claude usage limit")
    two = vendors.start("--backend", "claude")
    assert vendors.held(two)["status"] == "queued"
    world.ok("start", "--no-pane", "--", "true")
    other = vendors.start("--backend", "claude", env={"ANTHROPIC_API_KEY": "sk-of-another"})
    assert world.result(other)["status"] == "finished", "another account, and the slot was free"
    assert [world.result(run)["status"] for run in (one, two)] == ["finished", "finished"]
    first, *rest = vendors.calls("claude")
    assert sorted(call["run"] for call in rest) == sorted([other, one, two])
    assert all(call["at"] >= first["reset"] for call in rest if call["run"] != other)
    assert "sk-of-another" not in "".join(os.listdir(world.home / "holds"))


def test_a_held_run_can_be_stopped_paused_and_gone_on_with(vendors: Vendors) -> None:
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": FAR, "says": "x"}, OK)
    run = vendors.start("--backend", "claude")
    vendors.held(run)
    world.ok("pause", run)
    assert world.status(run)["status"] == "paused"
    world.ok("continue", run)
    assert vendors.held(run)["status"] == "queued"
    world.ok("stop", run)
    result = world.result(run)
    assert (result["status"], bool(result["session_id"])) == ("stopped", True)
    late = vendors.start("--backend", "claude")
    vendors.held(late)
    world.ok("stop", late)
    assert len(vendors.calls("claude")) == 1


def test_a_file_that_is_removed_lifts_the_hold(vendors: Vendors) -> None:
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": FAR, "says": "x"}, OK)
    run = vendors.start("--backend", "claude")
    vendors.held(run)
    for name in os.listdir(world.home / "holds"):
        (world.home / "holds" / name).unlink()
    assert world.result(run)["status"] == "finished"


def test_a_run_lost_while_it_was_held_is_gone_on_with(vendors: Vendors) -> None:
    """After the hold, which survives; in the session, as a new run."""
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": 3, "says": "x"}, OK)
    run = vendors.start("--backend", "claude")
    vendors.held(run)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    assert world.result(run)["status"] == "lost"
    follower = world.ok("continue", run).split()[0]
    result = world.result(follower)
    first, second = vendors.calls("claude")
    assert (result["status"], result["parent"]) == ("finished", run)
    assert second["session"] == first["session"] and second["at"] >= first["reset"]


def test_a_hold_that_is_too_long_ends_the_run(vendors: Vendors) -> None:
    world = vendors.world
    world.config(hold_at_most_s=3600)
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": 7200, "says": "x"}, OK)
    result = world.result(vendors.start("--backend", "claude"))
    assert result["status"] == "failed" and "hold_at_most_s (1h00m)" in result["error"]
    second = world.result(vendors.start("--backend", "claude"))
    assert second["status"] == "failed" and "held until" in second["error"]
    assert len(vendors.calls("claude")) == 1


def test_a_refused_login_holds_nobody_and_says_what_to_do(vendors: Vendors) -> None:
    world = vendors.world
    vendors.plays("claude", {"limit": "OAuth token has expired · Please run /login", "status": 401}, OK)
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700, parents=True)
    result = world.result(vendors.start("--backend", "claude", env=A))
    assert result["status"] == "failed" and any("type /login" in warning for warning in result["warnings"])
    [told] = inbox(world)
    assert "login" in told["text"]
    assert world.result(vendors.start("--backend", "claude"))["status"] == "finished"


# -- another vendor


@pytest.mark.parametrize(
    "step",
    [
        {"limit": "Claude AI usage limit reached|%d", "in": FAR},
        {"limit": "API Error: Request rejected (429)", "status": 429},
        {"limit": "API Error: 529 Overloaded.", "status": 529},
        {"limit": "Invalid API key · Please run /login", "status": 401},
    ],
    ids=["usage", "rate", "overload", "login"],
)
def test_another_vendor_goes_on_at_once(vendors: Vendors, step: dict[str, Any]) -> None:
    """In the same directory, told the prompt, what was said and changed; who waits follows."""
    world = vendors.world
    vendors.plays("claude", {**step, "says": "I have half of it", "writes": ["work.txt", "half\n"]})
    vendors.plays("codex", {**OK, "writes": ["work.txt", "all\n"]})
    run = vendors.start("--backend", "claude", "--fallback", "codex,cursor", "--verify", "grep -q all work.txt")
    after = world.ok("start", "--no-pane", "--after", run, "--", "cat", "work.txt")
    result = world.result(run)
    assert (result["status"], result["escalated_to"]) == ("failed", "")
    child = world.result(result["fell_back_to"])
    assert (child["status"], child["backend"], child["parent"], child["verified"]) == (
        "finished",
        "codex",
        run,
        "passed",
    )
    [told] = vendors.calls("codex")
    assert told["cwd"] == str(world.project) == vendors.calls("claude")[0]["cwd"]
    assert told["prompt"].startswith("do it") or "do it" in told["prompt"]
    assert "I have half of it" in told["prompt"]
    assert world.result(after)["summary"].split() == ["half", "all"]
    spec = json.loads((world.folder(child["run_id"]) / "meta.json").read_text())
    assert (spec["fallen_from"], spec["fallback"]) == (["claude"], ["cursor"])


def test_each_vendor_is_tried_once_in_a_chain_and_then_it_holds(vendors: Vendors) -> None:
    """What is not installed is passed over; a run that only begins falls back, too."""
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": FAR})
    vendors.plays("codex", {"limit": "You’ve hit your usage limit. Try again in 3 seconds.", "in": 2}, OK)
    profiles = {"mine": {"backends": [{"backend": "claude"}], "fallback": ["cursor", "codex"]}}
    world.config(profiles=profiles)
    first = world.result(vendors.start("--profile", "mine"))
    child = first["fell_back_to"]
    assert world.result(child)["status"] == "finished"
    assert [call["run"] for call in vendors.calls("codex")] == [child, child]
    again = world.result(vendors.start("--profile", "mine"))
    assert (again["status"], again["started_at"] is not None) == ("failed", True)
    assert "held until" in again["error"] and "codex goes on" in again["error"]
    assert world.result(again["fell_back_to"])["status"] == "finished"
    assert len(vendors.calls("claude")) == 1


def test_a_run_that_waits_goes_on_with_whoever_is_free_first(vendors: Vendors) -> None:
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": FAR, "says": "x"})
    vendors.plays("codex", {"limit": "You’ve hit your usage limit. Try again in 3 seconds."}, OK)
    held = vendors.start("--backend", "codex")
    vendors.held(held)
    run = vendors.start("--backend", "claude", "--fallback", "codex")
    result = world.result(run)
    assert result["fell_back_to"], result
    assert world.result(result["fell_back_to"])["status"] == "finished"
    assert world.result(held)["status"] == "finished"


def test_a_fallback_that_is_no_backend_is_refused_at_once(vendors: Vendors) -> None:
    world = vendors.world
    vendors.plays("claude", OK)
    for words, said in (("codecs", "no backend named `codecs`"), ("shell", "cannot go on for another")):
        done = world.run("start", "--no-pane", "--backend", "claude", "--fallback", words, stdin="x")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_an_agents_next_run_follows_the_other_vendor(vendors: Vendors) -> None:
    """It waits for it, and is told what was said; the agent's list shows it at work."""
    world = vendors.world
    profiles = {"mine": {"backends": [{"backend": "claude"}], "fallback": ["codex"]}}
    world.config(profiles=profiles)
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": 1, "says": "x", "slow": 1.0}, OK)
    vendors.plays("codex", {**OK, "slow": 4.5})  # longer than the hold
    world.ok("agent", "create", "ada", "--profile", "mine", "--project", "p")
    first = world.ok("agent", "send", "ada", "--no-pane", stdin="the first")
    second = world.ok("agent", "send", "ada", "--no-pane", stdin="the second")
    child = world.result(first)["fell_back_to"]
    known = json.loads(world.ok("agent", "show", "ada", "--json"))
    assert [run["run_id"] for run in known["runs"]] == [second, child, first]
    result = world.result(second)
    assert result["status"] == "finished" and not any("gone" in warning for warning in result["warnings"])
    ended = world.result(child)
    assert (ended["agent"], ended["backend"], ended["status"]) == ("ada", "codex", "finished")
    assert result["started_at"] >= ended["finished_at"]
    last = vendors.calls("claude")[-1]
    assert "the second" in last["prompt"] and "done by codex" in last["prompt"]


def test_a_workflows_next_step_follows_the_other_vendor(vendors: Vendors) -> None:
    world = vendors.world
    steps = [
        {"id": "build", "backend": "claude", "profile": "mine", "prompt": "build it"},
        {"id": "look", "command": "cat work.txt", "after": ["build"]},
    ]
    world.config(profiles={"mine": {"backends": [{"backend": "claude"}], "fallback": ["codex"]}})
    (world.root / "flow.json").write_text(json.dumps({"description": "x", "steps": steps}))
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": FAR, "says": "x"})
    vendors.plays("codex", {**OK, "writes": ["work.txt", "all\n"]})
    started = world.ok("workflow", "run", str(world.root / "flow.json"), "--no-pane", stdin="x")
    results = [
        json.loads(line) for line in world.run("wait", started.split()[0], "--timeout", "60").stdout.splitlines()
    ]
    assert {(r["step"], r["backend"], r["status"]) for r in results} >= {("look", "shell", "finished")}
    assert next(r["summary"] for r in results if r["step"] == "look") == "all"


def test_time_limits_stand_still_while_it_is_held_and_go_on_after(vendors: Vendors) -> None:
    """Three seconds in all: two of them and a hold of three are within it; two more are not."""
    world = vendors.world
    limited = {"limit": "Claude AI usage limit reached|%d", "in": 5, "says": "x", "slow": 2.0}
    vendors.plays("claude", limited, {**OK, "slow": 20.0})
    result = world.result(vendors.start("--backend", "claude", "--timeout", "4s"))
    assert result["status"] == "timed_out"
    assert len(vendors.calls("claude")) == 2


def test_a_run_lost_before_it_had_an_answer_begins_from_the_start(vendors: Vendors) -> None:
    """Whether its worker met the limit itself, or was only queued."""
    world = vendors.world
    vendors.plays("claude", {"limit": "Claude AI usage limit reached|%d", "in": 4}, OK)
    runs = [vendors.start("--backend", "claude", prompt="the one")]
    vendors.held(runs[0])
    runs.append(vendors.start("--backend", "claude", prompt="the other"))
    vendors.held(runs[1])
    for run in runs:
        os.kill(world.runner_pid(run), signal.SIGKILL)
        assert world.result(run)["status"] == "lost"
    followers = [world.ok("continue", run).split()[0] for run in runs]
    assert [world.result(run)["status"] for run in followers] == ["finished", "finished"]
    first, *rest = vendors.calls("claude")
    assert {call["prompt"].strip() for call in rest} == {"the one", "the other"}
    assert all(call["at"] >= first["reset"] and not call["resumed"] for call in rest)


def test_a_budget_is_one_over_all_starts_of_a_worker(vendors: Vendors) -> None:
    """What is left of it is what the vendor's program is told; where nothing is left it is not started again."""
    world = vendors.world
    limited = {"limit": "Claude AI usage limit reached|%d", "in": 1, "says": "x"}
    vendors.plays("claude", limited, limited, limited, OK)
    result = world.result(vendors.start("--backend", "claude", "--max-turns", "2"))
    assert (result["status"], result["error"]) == ("failed", "stopped: its budget of 2 turns is spent: 2 turns")
    assert [call["max_turns"] for call in vendors.calls("claude")] == ["2", "1"]
