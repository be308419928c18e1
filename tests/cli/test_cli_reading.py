"""show, list, follow, tail, replay, attach: reading is never failing, and is exact."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time

import pytest

from agentctl import listing
from agentctl.model import Result
from conftest import PROGRAM
from conftest import World
from conftest import eventually

from .terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conftest import Past

WAITS = "while [ ! -e go ]; do sleep 0.02; done"
DAMAGED = "20260101-000000-dead"


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


# -- list


def test_list_for_people(past: Past) -> None:
    done = past.run("list")
    assert (done.returncode, done.stderr) == (0, "")
    words = re.sub(r" {2,}", "  ", re.sub(r"\b\d+s\b", "TOOK", past.plain(done.stdout)))
    rows = {line.partition("  ")[0]: line for line in words.splitlines()}
    assert rows == {
        "RUN": "RUN  STATUS  GOAL  CHECK  PROJECT  PROFILE  TIME  TITLE",
        "KILLED": "KILLED  failed  -  -  p  shell  TOOK  killed run · killed by signal 9",
        "UNCHECKED": "UNCHECKED  finished  yes  failed  p  shell  TOOK  unchecked run",
        "UNMET": "UNMET  finished  no  -  p  shell  TOOK  unmet run",
        "GOOD": "GOOD  finished  yes  passed  p  shell  TOOK  good run",
    }
    assert list(rows)[1:] == ["KILLED", "UNCHECKED", "UNMET", "GOOD"], "newest first"


def test_list_for_programs(past: Past) -> None:
    done = past.run("list", "--json")
    answer = json.loads(done.stdout)
    assert answer["format"] == 1 and done.stdout.count("\n") == 1
    for row in answer["runs"]:
        assert tuple(row) == tuple(listing.Row().to_json())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created_at"])
    good = answer["runs"][-1]
    assert (good["run_id"], good["goal_met"], good["verified"], good["doing"]) == (past.good, True, "passed", None)


def listed(world: World, *words: str) -> list[str]:
    return [row["run_id"] for row in json.loads(world.ok("list", "--json", *words))["runs"]]


def test_list_filters(past: Past) -> None:
    everything = [past.killed, past.unchecked, past.unmet, past.good]
    assert listed(past) == listed(past, "--project", "p") == everything
    assert listed(past, "-n", "2") == everything[:2]
    assert listed(past, "--status", "failed") == [past.killed]
    assert listed(past, "--status", "finished", "-n", "1") == [past.unchecked]
    assert listed(past, "--project", "q") == listed(past, "--running") == listed(past, "--status", "lost") == []


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--status", "done"], "no status `done`", "one of: %s" % ", ".join(listing.STATUSES)),
        (["-n", "0"], "-n wants a number above 0", ""),
        (
            ["--running", "--status", "lost"],
            "--running and --status do not go together",
            "--running is queued, running or paused",
        ),
    ],
)
def test_list_called_wrongly(words: list[str], message: str, hint: str, past: Past) -> None:
    wanted = "agentctl: %s\n" % message + ("hint: %s\n" % hint if hint else "")
    assert said(past.run("list", *words)) == (2, "", wanted)


def test_the_living_are_listed_and_shown(world: World) -> None:
    first = world.shell("echo halfway; " + WAITS, "--no-pane", "--title", "first")
    second = world.ok("start", "--no-pane", "--after", first, "--", "true")
    eventually(lambda: world.status(first).get("doing") == "halfway" and world.status(second))
    rows = {row["run_id"]: row for row in json.loads(world.ok("list", "--running", "--json"))["runs"]}
    assert (rows[first]["status"], rows[first]["doing"]) == ("running", "halfway")
    assert (rows[second]["status"], rows[second]["finished_at"]) == ("queued", None)
    assert listed(world, "--status", "queued") == [second]
    os.rename(world.home / "journal", world.home / "elsewhere")
    assert set(listed(world, "--running")) == {first, second}, "without a look at what has ended"
    os.rename(world.home / "elsewhere", world.home / "journal")
    assert "first · halfway" in world.ok("list")
    shown = json.loads(world.ok("show", first))
    assert set(shown) == {*Result._defaults, "doing"}
    assert (shown["status"], shown["title"]) == ("running", "first")
    assert shown["goal_met"] is shown["finished_at"] is None
    assert said(world.run("show", first, "--result")) == (
        1,
        "",
        "agentctl: run %s has not ended\nhint: wait for it: `agentctl wait %s`\n" % (first, first),
    )
    (world.project / "go").touch()
    world.run("wait", first, second)
    assert listed(world, "--running") == []
    assert set(json.loads(world.ok("show", first))) == set(Result._defaults)


def test_a_damaged_folder_never_hides_the_others(world: World) -> None:
    whole = world.shell("true", "--no-pane")
    world.result(whole)
    folder = world.home / "runs" / DAMAGED
    folder.mkdir()
    (folder / "meta.json").write_text('{"id": ')
    with open(world.home / "journal", "a") as journal:
        journal.write("%s\tp\nrubbish\n\n20260101-000000-feed\tp\n" % DAMAGED)
    (world.home / "active" / "20260101-000000-feed").touch()
    assert listed(world) == [DAMAGED, whole] and listed(world, "--running") == []
    assert "%s  invalid   -     -      -        -        -     meta.json is damaged" % DAMAGED in world.ok("list")
    assert sorted(os.listdir(folder)) == ["meta.json"], "left as it is"
    (folder / "result.json").mkdir()
    assert listed(world, "--status", "lost") == [DAMAGED] and listed(world) == [DAMAGED, whole]
    assert json.loads(world.ok("show", DAMAGED))["error"] == "result.json is damaged"


def test_a_run_whose_runner_died_is_lost_at_the_first_look(world: World) -> None:
    looks = (("follow",), ("list", "--running"))
    for words in looks:
        run_id = world.shell("sleep 60", "--no-pane")
        world.working(run_id)
        os.kill(world.runner_pid(run_id), signal.SIGKILL)
        assert world.run(*words, *([run_id] if words[0] != "list" else [])).returncode == 0
        assert json.loads((world.folder(run_id) / "result.json").read_text())["status"] == "lost", words
    assert len(world.notes()) == len(looks)
    assert listed(world, "--running") == []


# -- show


def test_show_prints_what_wait_prints(past: Past) -> None:
    for run_id in (past.good, past.unmet, past.killed):
        shown = past.ok("show", run_id)
        assert shown == past.run("wait", run_id).stdout.rstrip("\n") == past.ok("show", run_id, "--result", "--json")
    assert json.loads(past.ok("show", past.good))["git_files"] == ["new.txt"]


def test_show_parts(past: Past) -> None:
    assert past.ok("show", past.good, "--raw") == "one\ntwo"
    assert past.ok("show", past.good, "--prompt") == ""
    assert "+++ b/new.txt\n@@ -0,0 +1 @@\n+x" in past.ok("show", past.good, "--diff")
    kinds = [json.loads(line)["kind"] for line in past.ok("show", past.good, "--events").splitlines()]
    assert kinds == ["started", "message", "message", "exited", "note", "verified"]
    assert said(past.run("show", past.good, "--pane")) == (
        1,
        "",
        "agentctl: run %s was started without a pane\nhint: see what became of it with `agentctl show %s`\n"
        % (past.good, past.good),
    )


def test_show_prompt_and_raw_are_the_bytes(world: World) -> None:
    odd = b"caf\xe9 \x1b[31m \xe2\x80\xa8 \r\n\0end"
    (world.project / "odd").write_bytes(odd)
    run_id = world.ok("start", "--no-pane", "--prompt-file", "odd", "--", "cat", "odd")
    world.result(run_id)
    for part in ("--raw", "--prompt"):
        assert world.popen("show", run_id, part).communicate(timeout=20) == (odd, b""), part


# -- follow


def test_follow_an_ended_run(past: Past) -> None:
    assert said(past.run("follow", past.good))[::2] == (0, "")
    assert re.sub(r"\d+s$", "TOOK", past.plain(past.ok("follow", past.good)), flags=re.M) == "\n".join(
        [
            "GOOD good run",
            "no profile · shell · edit · no time limit",
            "in PROJECT",
            "CLOCK ▶ sh, pid N",
            "CLOCK │ one",
            "CLOCK │ two",
            "CLOCK ■ the worker ended: exit code 0",
            "CLOCK · check: true",
            "CLOCK ? the check ended: exit code 0",
            "─" * 40,
            "finished, goal met, check passed · 1 file · TOOK",
            "one",
            "two",
            "new.txt | 1 +",
            "1 file changed, 1 insertion(+)",
            "agentctl show GOOD",
        ]
    )


def test_follow_ends_with_the_run_at_once(world: World) -> None:
    run_id = world.shell("echo first; %s; echo last" % WAITS, "--no-pane")
    follower = world.popen("follow", run_id)
    assert follower.stdout
    while b"first" not in follower.stdout.readline():
        pass
    (world.project / "go").touch()
    eventually((world.folder(run_id) / "notified").exists, every=0.001)
    ended = time.monotonic()
    out, err = follower.communicate(timeout=10)
    took = time.monotonic() - ended
    assert b"last" in out and b"finished, goal met" in out and (follower.returncode, err) == (0, b"")
    assert took < 0.15, "it woke on the lock, not after a nap"


def test_follow_a_run_that_waits_for_another(world: World) -> None:
    first = world.shell(WAITS, "--no-pane")
    second = world.ok("start", "--no-pane", "--after", first, "--", "echo", "me too")
    follower = world.popen("follow", second)
    assert follower.stdout
    while "… waits for %s" % first not in follower.stdout.readline().decode():
        pass
    (world.project / "go").touch()
    assert "│ me too" in follower.communicate(timeout=20)[0].decode() and follower.returncode == 0


# -- tail


def test_tail(past: Past) -> None:
    lines = past.plain(past.ok("tail")).splitlines()
    assert lines[0] == "TIME GOOD finished, goal met, check passed" and len(lines) == 4
    assert set(lines[1:]) == {
        "TIME UNMET finished, goal not met",
        "TIME KILLED failed",
        "TIME UNCHECKED finished, goal met, check failed",
    }
    assert past.ok("tail", "-n", "1") == past.ok("tail").splitlines()[-1]
    assert past.ok("tail", "-n", "0") == ""
    assert past.ok("tail", "--json") + "\n" == (past.home / "notify.log").read_text()
    assert said(past.run("tail", "-n", "-1")) == (2, "", "agentctl: -n wants a number, 0 or more\n")


def test_tail_passes_over_what_is_no_entry(world: World) -> None:
    (world.home / "notify.log").write_bytes(b'\x1b[2J\n[1]\n{"run_id": "\\u001b[31mred", "status": "lost"}\n{"torn')
    assert said(world.run("tail")) == (0, "None [31mred lost\n", "")


def test_tail_follow(world: World) -> None:
    first = world.shell("true", "--no-pane")
    world.result(first)
    tail = world.popen("tail", "--follow", "-n", "1")
    assert tail.stdout and first.encode() in tail.stdout.readline()
    second = world.shell("true", "--no-pane")
    assert second.encode() in tail.stdout.readline()
    tail.send_signal(signal.SIGINT)
    assert tail.communicate(timeout=10) == (b"", b"") and tail.returncode == 130


# -- replay


def test_replay_agrees(past: Past) -> None:
    for name in ("good", "unmet", "unchecked", "killed"):
        run_id = getattr(past, name)
        assert json.loads(past.ok("replay", run_id, "--json"))["agrees"] is True, name
    assert said(past.run("replay", past.good)) == (0, "│ one\n│ two\nagrees with the recorded result\n", "")


def test_replay_differs(world: World) -> None:
    run_id = world.shell("echo one", "--no-pane")
    world.result(run_id)
    raw = world.folder(run_id) / "raw.jsonl"
    raw.write_text("another\n")
    done = world.run("replay", run_id, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["agrees"] is False
    assert [d["field"] for d in answer["differences"]] == ["report"]
    shown = world.run("replay", run_id).stdout
    assert shown.startswith("│ another\ndiffers in report: recorded {'goal_met': True, 'summary': 'one'")


def test_replay_of_a_vendors_stream(world: World) -> None:
    """A resumed session, a structured report and figures, all read back."""
    transcript = "transcripts/claude/success-schema/stdout.jsonl"
    source = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", transcript)
    world.config(
        backends={"mine": {"argv": ["cat", source], "stream": "claude"}},
        profiles={"mine": {"backends": [{"backend": "mine"}]}},
    )
    run_id = world.ok("start", "--no-pane", "--profile", "mine", stdin="x")
    result = world.result(run_id)
    assert result["session_id"] and result["usage"]["output"], "it tells something"
    assert json.loads(world.ok("replay", run_id, "--json"))["differences"] == []


def test_replay_of_the_living(world: World) -> None:
    run_id = world.shell(WAITS, "--no-pane")
    assert said(world.run("replay", run_id)) == (
        1,
        "",
        "agentctl: run %s has not ended\nhint: wait for it: `agentctl wait %s`\n" % (run_id, run_id),
    )
    (world.project / "go").touch()
    world.result(run_id)


# -- attach, and --pane


def test_attach_and_pane(world: World) -> None:
    run_id = world.shell(WAITS)
    pane = eventually(lambda: world.run("show", run_id, "--pane").stdout.strip())
    assert pane in world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    assert said(world.run("attach", run_id)) == (
        1,
        "",
        "agentctl: attach needs a terminal\nhint: read along with `agentctl follow %s`\n" % run_id,
    )
    world.tmux("new-session", "-d", "-s", "other", "sh")  # the server lives on without the run's pane
    (world.project / "go").touch()
    world.result(run_id)
    eventually(lambda: world.run("show", run_id, "--pane").returncode == 1)
    for words in (["attach", run_id], ["show", run_id, "--pane"]):
        assert said(world.run(*words)) == (
            1,
            "",
            "agentctl: run %s has no pane any more\nhint: see what became of it with `agentctl show %s`\n"
            % (run_id, run_id),
        )


def test_attach_without_a_pane(world: World) -> None:
    run_id = world.shell(WAITS, "--no-pane")
    assert said(world.run("attach", run_id)) == (
        1,
        "",
        "agentctl: run %s was started without a pane\nhint: see what it does with `agentctl follow %s`\n"
        % (run_id, run_id),
    )
    (world.project / "go").touch()
    world.result(run_id)


def test_attach_from_within_tmux_and_from_outside(world: World) -> None:
    run_id = world.shell(WAITS)
    pane = eventually(lambda: world.run("show", run_id, "--pane").stdout.strip())
    world.tmux("new-session", "-d", "-s", "mine", "-x", "80", "-y", "24", "sh")
    within = Terminal(["tmux", "-L", world.socket, "attach", "-t", "mine"], world.env)
    seen = ("list-clients", "-F", "#{session_name} #{pane_id}")
    within.until(lambda: world.tmux(*seen).startswith("mine"))
    attach = "%s --home %s attach %s" % (" ".join(PROGRAM), world.home, run_id)
    world.tmux("send-keys", "-t", "mine", attach, "Enter")
    within.until(lambda: world.tmux(*seen).split()[1:] == [pane])
    outside = Terminal([*PROGRAM, "attach", run_id], world.env)
    outside.until(lambda: world.tmux(*seen).split()[1::2] == [pane, pane])
    (world.project / "go").touch()
    world.result(run_id)
    world.tmux("kill-server")
    assert run_id in outside.end()[1], "its header is on the screen"
    within.end()
