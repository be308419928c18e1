"""At a terminal: talk, colour, ^C, and what a worker wrote made harmless. Away from one: none of that."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from conftest import PROGRAM
from conftest import World
from conftest import to_another_thread

from .terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conftest import Past

WAITS = "while [ ! -e go ]; do sleep 0.02; done"


def at_terminal(world: World, *words: str, **env: str) -> tuple[int, str]:
    return Terminal([*PROGRAM, *words], {**world.env, **env}, str(world.project)).end()


def test_no_prompt_on_a_terminal_is_said_and_does_not_hang(world: World) -> None:
    for words in (["start"], ["resume", "--parent-run-id", "x"], ["start", "--prompt-file", "-"]):
        assert at_terminal(world, *words) == (
            2,
            (
                "agentctl: no prompt: stdin is a terminal\n"
                "hint: give one: `agentctl start … < prompt.md`, or --prompt-file FILE\n"
            ),
        )


def test_start_says_what_is_next(world: World) -> None:
    code, shown = at_terminal(world, "start", "--no-pane", "--", "true")
    run_id = shown.partition("\n")[0]
    assert (code, shown) == (0, "%s\nstarted; see it with `agentctl follow %s`\n" % (run_id, run_id))
    world.result(run_id)


def test_empty_listings_say_what_is_next(world: World) -> None:
    assert at_terminal(world, "list") == (0, "no run yet: see `agentctl help start`\n")
    assert at_terminal(world, "list", "--running") == (0, "no such run\n")
    assert at_terminal(world, "tail") == (0, "no run has ended yet\n")
    assert at_terminal(world, "list", "--json") == (0, '{\n  "format": 1,\n  "runs": []\n}\n')


def test_colour_only_where_it_is_wanted(past: Past) -> None:
    coloured = at_terminal(past, "follow", past.good)[1]
    assert "\x1b[1m" in coloured and "\x1b[32mfinished, goal met" in coloured
    plain = re.sub(r"\x1b\[\d*m", "", coloured)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert at_terminal(past, "follow", past.good, **env) == (0, plain)
    assert "\x1b[" in at_terminal(past, "follow", past.good, NO_COLOR="")[1]
    assert past.run("follow", past.good).stdout == plain, "no colour in a pipe"


def test_a_table_is_cut_to_the_terminal_and_whole_in_a_pipe(world: World) -> None:
    title = "a title that goes on and on " * 3
    run_id = world.shell("true", "--no-pane", "--title", title)
    world.result(run_id)
    lines = at_terminal(world, "list")[1].splitlines()
    assert all(len(line) <= 80 for line in lines) and lines[1].endswith("…")
    assert title.strip() in world.ok("list")


@pytest.mark.parametrize("words", [["follow"], ["show", "--raw"], ["replay"], ["list"], ["show"], ["show", "--prompt"]])
def test_what_a_worker_wrote_cannot_drive_the_terminal(words: list[str], world: World) -> None:
    evil = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202e \x1bP+q\x1b\\ end\r\n"
    (world.project / "evil").write_text(evil)
    run_id = world.ok("start", "--no-pane", "--prompt-file", "evil", "--title", evil, "--", "cat", "evil")
    world.result(run_id)
    code, shown = at_terminal(world, words[0], run_id, *words[1:]) if words != ["list"] else at_terminal(world, "list")
    assert code == 0 and run_id in shown or "end" in shown
    assert not re.search("[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]", shown)
    assert not re.search("\x1b(?!\\[\\d*m)", shown), "only our own colours"


def test_interrupt_is_said_once(world: World) -> None:
    for command in ("wait", "follow"):
        run_id = world.shell("echo here; " + WAITS, "--no-pane")
        pid = world.working(run_id)
        looker = Terminal([*PROGRAM, command, run_id], world.env, str(world.project))
        if command == "follow":
            looker.until(lambda: "here" in looker.shown.decode())  # noqa: B023
        else:
            looker.until(lambda: bool(_waits(looker.process.pid)))  # noqa: B023
        looker.type(b"\x03")
        code, shown = looker.end()
        assert (code, shown.count("still running; stop it with `agentctl stop %s`\n" % run_id)) == (130, 1)
        assert world.working(run_id) == pid
        world.run("stop", run_id)


def test_an_interrupt_that_another_thread_takes_is_heard(world: World) -> None:
    """The kernel gives it to any thread; who was blocked in the kernel never heard of it, once in some hundred."""
    run_id = world.shell("echo here; " + WAITS, "--no-pane")
    world.working(run_id)
    looker = Terminal([*PROGRAM, "wait", run_id], world.env, str(world.project))
    looker.until(lambda: "here" in looker.shown.decode())
    to_another_thread(looker.process.pid, signal.SIGINT)
    code, shown = looker.end()
    assert code == 130 and "still running" in shown
    second = world.shell(WAITS, "--no-pane")
    away = world.popen("wait", run_id, second)
    to_another_thread(away.pid, signal.SIGINT)
    assert away.wait(10) == 130
    world.run("stop", run_id, second)


def _waits(pid: int) -> list[str]:
    with open("/proc/locks") as locks:
        return [line for line in locks if "-> FLOCK" in line and " %d " % pid in line]


def test_an_ascii_stdout_is_no_crash(world: World) -> None:
    run_id = world.shell("echo caf\u00e9", "--no-pane", "--title", "na\u00efve \u65e5\u672c")
    world.result(run_id)
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    argv = [PROGRAM[0], "-S", *PROGRAM[3:]]  # without -I, which would ignore PYTHONIOENCODING
    for words in (["list"], ["show", run_id], ["follow", run_id], ["replay", run_id], ["tail"], ["help"]):
        done = subprocess.run([*argv, *words], env={**world.env, **ascii_only}, capture_output=True, timeout=20)
        assert (done.returncode, done.stderr) == (0, b""), words
        assert done.stdout.isascii()
    assert (
        "na\\xefve \\u65e5\\u672c"
        in subprocess.run(
            [*argv, "list"], env={**world.env, **ascii_only}, capture_output=True, text=True, timeout=20
        ).stdout
    )
