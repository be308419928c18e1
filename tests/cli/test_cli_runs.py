"""start, wait, stop, resume: what they print, and the exit code as the verdict."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from agentctl.model import Result
from conftest import PROGRAM
from conftest import World
from conftest import blocked
from conftest import eventually

from .conftest import ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conftest import Past

WAITS = "while [ ! -e go ]; do sleep 0.02; done"


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def error(message: str, hint: str) -> str:
    return "agentctl: %s\nhint: %s\n" % (message, hint)


# -- start


def test_start_prints_the_id_and_nothing_else(world: World) -> None:
    done = world.run("start", "--project", "p", "--no-pane", "--", "true")
    assert done.returncode == 0 and done.stderr == ""
    assert ID.fullmatch(done.stdout.rstrip("\n"))
    world.result(done.stdout.strip())


@pytest.mark.parametrize(
    ("closing", "why"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
)
def test_an_id_that_cannot_be_written_is_not_lost(closing: str, why: str, world: World) -> None:
    line = "%s start --no-pane -- true %s" % (" ".join(PROGRAM), closing)
    done = subprocess.run(
        ["sh", "-c", line], env=world.env, cwd=world.project, capture_output=True, text=True, timeout=30
    )
    run_id = world.ok("list", "--json").partition('"run_id": "')[2].partition('"')[0]
    assert said(done) == (1, "", error("cannot write the answer: " + why, "the run was started: %s" % run_id))
    world.result(run_id)


def test_a_prompt_that_does_not_end_is_waited_for_and_said(world: World) -> None:
    world.config(backends={"mine": {"argv": ["cat"]}})
    start = world.popen("start", "--no-pane", "--backend", "mine", stdin=subprocess.PIPE)
    assert start.stdin and start.stderr and start.stdout
    start.stdin.write(b"first ")
    start.stdin.flush()
    assert start.stderr.readline() == b"agentctl: reading the prompt from stdin, which has not ended\n"
    start.stdin.write(b"second")
    out, err = start.communicate(timeout=20)
    run_id = out.decode().strip()
    assert (start.returncode, err) == (0, b"") and (world.folder(run_id) / "prompt.md").read_bytes() == b"first second"
    world.run("stop", run_id)


def test_what_is_wrong_with_the_configuration_is_said_once(world: World) -> None:
    world.config(wkae_keys=False)
    words = "`wkae_keys` is no setting: ignored"
    said_of_it = "agentctl: %s/config.json: %s\n" % (world.home, words)
    done = world.run("start", "--no-pane", "--", "true")
    assert (done.returncode, done.stderr) == (0, said_of_it)
    world.result(done.stdout.strip())
    assert world.run("add-project", "p", str(world.project)).stderr == said_of_it
    assert world.run("resume", "--parent-run-id", "@last", stdin="x").stderr.startswith(said_of_it)
    done = world.run("start", "--profile", "mine", stdin="x")
    assert (done.returncode, done.stderr.splitlines()[1]) == (2, "agentctl: no profile named `mine`")
    assert said_of_it[len("agentctl: ") :].rstrip() in done.stderr.splitlines()[2]


def test_nothing_is_started_by_a_configuration_that_is_wrong(world: World) -> None:
    """Who starts or changes something is refused by key and file, once; who reads goes on."""
    run = world.shell("true")
    world.result(run)
    world.config(max_parallel="8")
    words = "agentctl: %s/config.json: `max_parallel`: it is a number above 0" % world.home
    refused = (["start", "--", "true"], ["spawn", "x"], ["resume", "--parent-run-id", run], ["merge", run])
    for command in refused:
        done = world.run(*command, stdin="x")
        assert done.returncode == 1 and done.stderr.startswith(words), (command, done.stderr)
        assert len(done.stderr.splitlines()) == 2 and "hint: mend the file" in done.stderr, (command, done.stderr)
    for command in (["list"], ["show", run], ["wait", run], ["status"]):
        assert world.run(*command).returncode == 0, command


@pytest.mark.parametrize("time", ["99999999999", "9" * 400, "9" * 400 + "d"])
def test_a_time_beyond_all_clocks_is_a_long_time(time: str, world: World) -> None:
    run_id = world.ok("start", "--no-pane", "--timeout", time, "--", "sleep", "0.5")
    done = world.run("wait", "--timeout", time, run_id)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "stdin", "code", "message", "hint"),
    [
        ("--project q -- true", "", 1, "no project named `q`", "known: p"),
        ("--profile sprak", "x", 2, "no profile named `sprak`", "did you mean `spark`?"),
        ("--backend cluade", "x", 2, "no backend named `cluade`", "one of: claude, codex, cursor, shell"),
        ("--backend claude -- true", "", 2, "a command after `--` runs on the shell backend, not on claude", ""),
        ("", "", 2, "the prompt is empty", "write what the worker is to do on stdin, or give --prompt-file FILE"),
        (
            "",
            " \n\t\n",
            2,
            "the prompt is empty",
            "write what the worker is to do on stdin, or give --prompt-file FILE",
        ),
        ("--prompt-file gone.md", "x", 2, "cannot read the prompt file gone.md: No such file or directory", ""),
        ("--timeout soon -- true", "", 2, "`soon` is not a time", "write it as 90s, 30m or 8h"),
        ("--max-turns 0 -- true", "", 2, "--max-turns wants a number above 0", ""),
        ("--max-cost nan -- true", "", 2, "--max-cost wants a number above 0", ""),
        (
            "--schema gone.json -- true",
            "",
            2,
            "cannot read the schema gone.json: No such file or directory",
            "give a JSON Schema file",
        ),
        ("--after 20200101-000000-0000 -- true", "", 1, "no run 20200101-000000-0000", "see `agentctl list`"),
    ],
)
def test_start_that_cannot_be(words: str, stdin: str, code: int, message: str, hint: str, world: World) -> None:
    done = world.run("start", "--no-pane", *words.split(), stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == (error(message, hint) if hint else "agentctl: %s\n" % message)
    assert world.run("list").stdout == "", "nothing of it is left"


def test_start_outside_every_project(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "my shop"
    folder.mkdir()
    assert said(world.run("start", "--", "true", cwd=folder)) == (
        1,
        "",
        error("no project is registered for %s" % folder, "register it with `agentctl add-project my-shop .`"),
    )


# -- wait: every exit code


def test_wait_gives_the_verdict(past: Past) -> None:
    for name, code in (("good", 0), ("unmet", 3), ("unchecked", 3), ("killed", 4)):
        done = past.run("wait", getattr(past, name))
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (code, "", 1), name
        assert set(json.loads(done.stdout)) == set(Result._defaults)
        assert said(past.run("wait", "--quiet", getattr(past, name))) == (code, "", "")


def test_wait_for_several_is_the_worst_of_them(past: Past) -> None:
    done = past.run("wait", past.good, past.unmet, past.killed)
    assert done.returncode == 4
    ids = {json.loads(line)["run_id"] for line in done.stdout.splitlines()}
    assert ids == {past.good, past.unmet, past.killed}
    assert past.run("wait", past.good, past.unmet, past.good).stdout.count("\n") == 2


def test_wait_any_and_timeout(world: World) -> None:
    slow = world.shell(WAITS, "--no-pane")
    quick = world.shell("true", "--no-pane")
    done = world.run("wait", "--any", slow, quick)
    assert (done.returncode, json.loads(done.stdout)["run_id"]) == (0, quick)
    assert said(world.run("wait", "--timeout", "0.2", slow)) == (124, "", "")
    assert said(world.run("wait", "--timeout", "0", slow)) == (124, "", "")
    (world.project / "go").touch()
    assert world.result(slow)["goal_met"] is True


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["nope"], 1, "no run `nope`", "see `agentctl list`"),
        (["20200101-000000-0000"], 1, "no run 20200101-000000-0000", "see `agentctl list`"),
        (["../../etc"], 1, "no run `../../etc`", "see `agentctl list`"),
        (["@last", "--timeout", "soon"], 2, "`soon` is not a time", "write it as 90s, 30m or 8h"),
    ],
)
def test_wait_that_cannot_be(words: list[str], code: int, message: str, hint: str, past: Past) -> None:
    assert said(past.run("wait", *words)) == (code, "", error(message, hint))


def test_a_prefix_that_means_several(past: Past) -> None:
    done = past.run("show", past.good[:4])
    assert (done.returncode, done.stdout) == (2, "")
    said_so = r"agentctl: `%s` begins 4 run ids \(.*\)\nhint: give more of the id\n" % past.good[:4]
    assert re.fullmatch(said_so, done.stderr)


def test_last_where_there_is_none(world: World) -> None:
    assert said(world.run("show", "@last")) == (1, "", error("no run yet", "start one: `agentctl help start`"))


@pytest.mark.parametrize("command", ["wait", "follow"])
def test_interrupt_leaves_the_run_alone(command: str, world: World) -> None:
    run_id = world.shell(WAITS, "--no-pane")
    world.working(run_id)
    looker = world.popen(command, run_id)
    if command == "follow":
        assert looker.stdout and looker.stdout.readline()
    else:
        eventually(lambda: blocked(looker.pid))
    looker.send_signal(signal.SIGINT)
    out, err = looker.communicate(timeout=10)
    assert (looker.returncode, err) == (130, b"") and b"still" not in out, "talk is for people"
    (world.project / "go").touch()
    assert world.result(run_id)["status"] == "finished"


# -- stop, resume


def test_stop_and_again(world: World) -> None:
    run_id = world.shell("sleep 60", "--no-pane")
    assert said(world.run("stop", run_id)) == (0, "", "")
    assert said(world.run("stop", run_id)) == (0, "", ""), "as wished"
    assert world.run("wait", run_id).returncode == 4
    assert world.result(run_id)["status"] == "stopped"
    assert said(world.run("stop", "x")) == (1, "", error("no run `x`", "see `agentctl list`"))


def test_resume_that_cannot_be(past: Past) -> None:
    assert said(past.run("resume", "--parent-run-id", past.good, stdin="go on")) == (
        1,
        "",
        error(
            "run %s was a command: it has no session to go on with" % past.good, "start it again with `agentctl start`"
        ),
    )
    assert said(past.run("resume", "--parent-run-id", past.good)) == (
        2,
        "",
        error("the prompt is empty", "write what the worker is to do on stdin, or give --prompt-file FILE"),
    )
    assert said(past.run("resume", stdin="x")) == (
        2,
        "",
        error("resume wants one of --parent-run-id and --session", "see `agentctl resume --help`"),
    )
