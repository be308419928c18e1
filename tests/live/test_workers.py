"""What agentctl promises of every vendor, with the real CLIs: claude and codex alike."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from .arrow import Arrow
from .arrow import eventually
from .arrow import marked
from .stub_scenarios import GOOD
from .stub_scenarios import marker

pytestmark = pytest.mark.live

VENDORS = ["claude", "codex"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_edits_and_commands_are_in_the_result(arrow: Arrow, vendor: str) -> None:
    result = arrow.done("please @@stub:edit@@ edits-" + vendor, vendor)
    assert (result["status"], result["goal_met"], result["exit_code"]) == ("finished", True, 0)
    assert result["summary"] == "wrote hello.txt and read it"
    assert result["git_files"] == ["hello.txt"]
    assert [os.path.basename(path) for path in result["files_written"]] == ["hello.txt"]
    assert (result["usage"]["input"], result["usage"]["output"]) == (300, 30)
    assert "+hello from the stub" in arrow.run_file(result["run_id"], "diff.patch").read_text()
    turns = arrow.stub.asked("edits-" + vendor)
    assert {t.session for t in turns} == {result["session_id"]}
    assert set(turns[0].schema["required"]) == {"goal_met", "summary", "followup_prompt", "notes"}


@pytest.mark.parametrize(("vendor", "model"), [("claude", "opus"), ("codex", "gpt-6-sol")])
def test_resume_goes_on_with_the_conversation(arrow: Arrow, vendor: str, model: str) -> None:
    first = arrow.done("remember plum-9 @@stub:not-met@@", vendor, "--model", model, codes=(3,))
    assert (first["goal_met"], first["followup_prompt"]) == (False, "go on")
    second = arrow.wait(arrow.resume(first["run_id"], "and pear-9 @@stub:write@@"))[0]
    assert (second["parent"], second["session_id"]) == (first["run_id"], first["session_id"])
    turns = [t for t in arrow.stub.asked("plum-9") if t.session == first["session_id"]]
    assert [t.heard("pear-9") for t in turns] == [False, True, True]
    assert len({t.model for t in turns}) == 1
    assert model in turns[0].model
    assert second["git_files"] == ["hello.txt"], "the permissions were passed again"
    assert second["usage"]["input"] == 200, "of this run alone"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_killed_runner_is_lost_and_resumable(arrow: Arrow, vendor: str) -> None:
    run_id = arrow.start("remember fig-1 @@stub:sleep@@", vendor)
    assert eventually(lambda: any("sleep 61.7" in line for line in marked(run_id)), 20)
    os.kill(arrow.runner_pid(run_id), signal.SIGKILL)
    assert eventually(lambda: not marked(run_id), 10), "nobody had to look for them to end"
    result = arrow.wait(run_id, codes=(4,))[0]
    assert result["status"] == "lost"
    assert result["session_id"]
    again = arrow.wait(arrow.resume(run_id, "go on lime-1 @@stub:ok@@"))[0]
    assert again["status"] == "finished"
    assert [t for t in arrow.stub.asked("lime-1") if t.session == result["session_id"]][-1].heard("fig-1")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stopped_run_leaves_no_process_and_is_resumable(arrow: Arrow, vendor: str) -> None:
    run_id = arrow.start("remember fig-2 @@stub:sleep@@", vendor)
    assert eventually(lambda: any("sleep 61.7" in line for line in marked(run_id)), 20)
    arrow.agentctl("stop", run_id)
    result = arrow.wait(run_id, codes=(4,))[0]
    assert result["status"] == "stopped"
    assert marked(run_id) == []
    again = arrow.wait(arrow.resume(run_id, "go on lime-2 @@stub:ok@@"))[0]
    assert again["status"] == "finished"
    assert [t for t in arrow.stub.asked("lime-2") if t.session == result["session_id"]][-1].heard("fig-2")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_run_needs_no_screen(arrow: Arrow, vendor: str) -> None:
    steps = marker({"delay": 2.0, "write": {"hello.txt": "hello\n"}}, GOOD)
    bereft = arrow.start("bereft-%s %s" % (vendor, steps), vendor)
    screenless = arrow.start("screenless-%s @@stub:not-met@@" % vendor, vendor, "--no-pane")
    arrow.stub.wait_for("bereft-" + vendor, timeout=20)
    subprocess.run(arrow.tmux("kill-server"), env=arrow.env, check=True)
    results = arrow.wait(bereft, screenless, codes=(3,))
    assert [(r["status"], r["goal_met"]) for r in results] == [("finished", True), ("finished", False)]
    assert (arrow.repo / "hello.txt").exists()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_hanging_model_is_cut_by_the_time_limit(arrow: Arrow, vendor: str) -> None:
    result = arrow.done("@@stub:hang@@ hangs-" + vendor, vendor, "--timeout", "3s", codes=(4,))
    assert result["status"] == "timed_out"
    assert eventually(lambda: arrow.stub.asked("hangs-" + vendor)[-1].ended == "client gone")


@pytest.mark.parametrize(("vendor", "model"), [("claude", "opus[1m]"), ("codex", "gpt-5.5")])
def test_a_prompt_of_a_megabyte_arrives_byte_for_byte(arrow: Arrow, vendor: str, model: str) -> None:
    dice = random.Random(7)
    body = "".join(dice.choice("abcdef \t\n\r'\"\\$`;#%{}é漢🙂\u2028") for _ in range(800_000))
    prompt = "megabyte-%s %s end-of-prompt @@stub:ok@@" % (vendor, body)
    assert len(prompt.encode()) > 1_000_000
    arrow.done(prompt, vendor, "--model", model)
    arrived = [prompt in text for _, text in arrow.stub.asked("megabyte-" + vendor)[-1].said if "end-of-prompt" in text]
    assert arrived == [True]


@pytest.mark.parametrize("vendor", VENDORS)
def test_usage_and_escapes_survive(arrow: Arrow, vendor: str) -> None:
    hostile = "\x1b]0;owned\x07 #(touch owned) $(touch owned) `touch owned` ; touch owned"
    report = {**GOOD["report"], "summary": hostile, "notes": "; rm -rf ."}
    steps = marker({"thinking": hostile, "text": hostile, "report": report, "usage": {"input": 7, "cached": 3}})
    result = arrow.done("hostile " + steps, vendor, "--title", "#(touch owned) ; x;")
    assert result["summary"] == hostile
    assert result["usage"]["cached"] == 3
    assert not list(arrow.world.folder.rglob("owned"))
