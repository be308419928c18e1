"""Agents with the real CLIs: one conversation through processes, kills and reboots, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .arrow import Arrow
from .arrow import eventually
from .arrow import marked
from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .stub_turn import Turn

pytestmark = pytest.mark.live

VENDORS = ["claude", "codex"]


def create(arrow: Arrow, name: str, vendor: str, *options: str) -> None:
    arrow.agentctl("agent", "create", name, "--project", "p", "--profile", "spark", "--backend", vendor, *options)


def send(arrow: Arrow, name: str, prompt: str, *options: str) -> str:
    return arrow.agentctl("agent", "send", name, *options, said=prompt).strip()


def ask(arrow: Arrow, name: str, prompt: str, *options: str) -> dict[str, Any]:
    """Send from a process of its own that waits for the answer."""
    answer: dict[str, Any] = json.loads(arrow.agentctl("agent", "send", name, "--wait", *options, said=prompt))
    return answer


def heard(arrow: Arrow, words: str) -> Turn:
    """The last request that the model got in which these words were new."""
    return [t for t in arrow.stub.asked(words) if not t.side and any(words in said for _, said in t.fresh())][-1]


def reboot(arrow: Arrow, run_id: str) -> None:
    """All that runs for a run dies at once, and tmux with it."""
    server = subprocess.run(
        arrow.tmux("display-message", "-p", "#{pid}"), env=arrow.env, check=True, capture_output=True, text=True
    )
    mark = ("AGENTCTL_RUN_ID=%s" % run_id).encode()
    pids = [int(server.stdout), arrow.runner_pid(run_id)]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            pids += [int(process.name)] if mark in (process / "environ").read_bytes().split(b"\0") else []
        except OSError:
            pass  # it ended, or it is not ours to look at
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended with another one


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_agent_survives_kills_and_a_reboot(arrow: Arrow, vendor: str) -> None:
    word = "tree-%s" % vendor
    create(arrow, "ada", vendor)
    first = ask(arrow, "ada", "remember one-%s @@stub:ok@@" % word)
    second = ask(arrow, "ada", "and two-%s @@stub:ok@@" % word)
    assert (second["parent"], second["session_id"]) == (first["run_id"], first["session_id"])
    assert (second["usage"]["input"], second["usage"]["output"]) == (100, 10), "of this run alone"
    killed = send(arrow, "ada", "and three-%s @@stub:sleep@@" % word)
    assert eventually(lambda: any("sleep 61.7" in line for line in marked(killed)), 20)
    os.kill(arrow.runner_pid(killed), signal.SIGKILL)
    assert ask(arrow, "ada", "and four-%s @@stub:ok@@" % word)["status"] == "finished"
    rebooted = send(arrow, "ada", "and five-%s @@stub:sleep@@" % word)
    assert eventually(lambda: any("sleep 61.7" in line for line in marked(rebooted)), 20)
    reboot(arrow, rebooted)
    last = ask(arrow, "ada", "and six-%s @@stub:ok@@" % word)
    assert (last["session_id"], last["conversation"]) == (first["session_id"], "")
    assert [w for w in last["warnings"] if "session" in w] == []
    turn = heard(arrow, "six-" + word)
    assert turn.session == first["session_id"]
    assert all(turn.heard("%s-%s" % (n, word)) for n in ("one", "two", "three", "four", "five"))
    shown = json.loads(arrow.agentctl("agent", "show", "ada"))
    assert [r["status"] for r in shown["runs"]] == ["finished", "lost", "finished", "lost", "finished", "finished"]
    assert shown["context_tokens"] is not None and shown["context_window"] is not None


@pytest.mark.parametrize("vendor", VENDORS)
def test_concurrent_prompts_are_turns_in_order(arrow: Arrow, vendor: str) -> None:
    word = "twin-%s" % vendor
    create(arrow, "ada", vendor)
    first = ask(arrow, "ada", "zero-%s @@stub:ok@@" % word)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda n: send(arrow, "ada", "turn%d-%s @@stub:ok@@" % (n, word)), (1, 2)))
    results = arrow.wait(*runs)
    assert {r["session_id"] for r in results} == {first["session_id"]}
    older, newer = (results[0], results[1]) if results[1]["parent"] == runs[0] else (results[1], results[0])
    assert newer["parent"] == older["run_id"]
    told = {r["run_id"]: r["title"].split()[0] for r in results}
    turn = heard(arrow, told[newer["run_id"]])
    assert turn.heard(told[older["run_id"]]) and turn.heard("zero-" + word)
    assert not heard(arrow, told[older["run_id"]]).heard(told[newer["run_id"]])


@pytest.mark.parametrize("vendor", VENDORS)
def test_past_its_limit_it_begins_afresh_and_knows_the_summary(arrow: Arrow, vendor: str) -> None:
    word = "boat-%s" % vendor
    report = {**GOOD["report"], "summary": "built %s" % word, "notes": "mast is missing"}
    create(arrow, "ada", vendor, "--max-context-tokens", "500")
    first = ask(
        arrow, "ada", "build %s " % word + marker({"report": report, "usage": {"input": 900}}), "--title", "keel"
    )
    assert first["context_tokens"] >= 900, first
    second = ask(arrow, "ada", "paint-%s @@stub:ok@@" % word)
    assert second["session_id"] not in ("", first["session_id"])
    assert "tokens of context were used of at most 500" in second["conversation"]
    turn = heard(arrow, "paint-" + word)
    assert turn.heard("keel: built " + word) and turn.heard("mast is missing")
    assert not turn.heard("build " + word)
    third = ask(arrow, "ada", "sail-%s @@stub:ok@@" % word)
    assert (third["session_id"], third["conversation"]) == (second["session_id"], "")


@pytest.mark.parametrize("vendor", VENDORS)
def test_killed_before_its_first_answer_an_agent_begins_again(arrow: Arrow, vendor: str) -> None:
    word = "mute-%s" % vendor
    create(arrow, "ada", vendor)
    run = send(arrow, "ada", "one-%s %s" % (word, marker({"delay": 30.0}, GOOD)))
    arrow.stub.wait_for("one-" + word, timeout=20)
    reboot(arrow, run)
    assert ask(arrow, "ada", "two-%s @@stub:ok@@" % word)["status"] == "finished"


def test_another_vendor_takes_over(arrow: Arrow) -> None:
    create(arrow, "ada", "claude")
    ask(arrow, "ada", "hand over @@stub:ok@@", "--title", "first-hand")
    arrow.agentctl("agent", "set", "ada", "--backend", "codex")
    second = ask(arrow, "ada", "takes-over-1 @@stub:ok@@")
    assert second["backend"] == "codex" and "no longer claude" in second["conversation"]
    assert heard(arrow, "takes-over-1").heard("first-hand: stub: done")
