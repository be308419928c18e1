"""`orch` in real tmux, with a stand-in for `claude` that writes down what it was given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORCH = ROOT / "bin" / "orch"
STAND_IN = """#!%s -IS
import json, os, signal, sys, time
seen = {"pid": os.getpid(), "argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "tty": os.isatty(0)}
path = os.environ["SEEN"]
with open(path + ".tmp", "w") as file:
    json.dump(seen, file)
os.replace(path + ".tmp", path)
signal.signal(signal.SIGCONT, lambda *_: print("woken", flush=True))
print("I am claude in", os.path.basename(os.getcwd()), flush=True)
if os.environ.get("RAW"):
    import tty
    tty.setraw(0)
    print("raw now", flush=True)
if os.environ.get("EXIT_CODE"):
    sys.exit(int(os.environ["EXIT_CODE"]))
time.sleep(120)
"""


class Room:
    """A private tmux server, an empty HOME, and a PATH where the stand-in comes first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen = folder / "seen.json"
        self.work = folder / "work"
        programs = folder / "programs"
        for made in (self.work, programs, folder / "home"):
            made.mkdir()
        claude = programs / "claude"
        claude.write_text(STAND_IN % sys.executable)
        claude.chmod(0o755)
        path = os.pathsep.join([str(programs), os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"])
        self.env = {
            "PATH": path,
            "HOME": str(folder / "home"),
            "TMUX_TMPDIR": str(folder),
            "SEEN": str(self.seen),
            "AI_ORCH_HOME": str(folder / "orch"),
            "LC_ALL": "C",
            "TERM": "screen",
            "SHELL": "/bin/sh",
        }

    def orch(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-IS", str(ORCH), *argv],
            cwd=self.work,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def tmux(self, *argv: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", *argv],
            env=env or self.env,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.strip()

    def told(self) -> Any:
        eventually(self.seen.exists)
        return json.loads(self.seen.read_text())

    def about(self, name: str = "about.json") -> Any:
        """A file of the one orchestrator's inbox, parsed."""
        (path,) = (self.folder / "orch" / "inbox").glob("orch-*/" + name)
        return json.loads(path.read_text())

    def panes(self) -> list[str]:
        return self.tmux("list-panes", "-a", "-F", "#{session_name}:#{window_name}").splitlines()


def eventually(condition: Callable[[], object], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "not within %g s" % within_s
        time.sleep(0.05)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    for name in ("default", "outer"):
        subprocess.run(["tmux", "-L", name, "kill-server"], env=made.env, capture_output=True, check=False)


def test_makes_the_session_and_starts_claude_with_the_prompt(room: Room) -> None:
    done = room.orch()
    assert (done.returncode, done.stderr) == (0, "")
    assert "`tmux attach -t ai`" in done.stdout
    told = room.told()
    name = room.about()["name"]
    settings = str(room.folder / "orch" / "inbox" / name / "settings.json")
    prompt = str(ROOT / "prompts" / "orchestrator.md")
    assert told["argv"] == ["--model", "opus", "--settings", settings, "--append-system-prompt-file", prompt]
    assert (told["env"]["AGENTCTL_ORCHESTRATOR"], told["env"]["AI_ORCH_HOME"]) == (name, room.env["AI_ORCH_HOME"])
    assert (room.about()["pane"], room.about()["folder"]) == (told["env"]["TMUX_PANE"], told["cwd"])
    assert told["cwd"] == os.path.realpath(room.work)
    assert told["tty"]
    assert room.panes() == ["ai:orchestrator"]
    assert told["env"]["PATH"] == str(ROOT / "bin") + os.pathsep + room.env["PATH"]
    assert told["env"]["TMUX_PANE"] == room.tmux("list-panes", "-a", "-F", "#{pane_id}")
    assert list((room.folder / "orch" / "inbox").glob("*/letter-*")) == []
    assert list((room.folder / "home").iterdir()) == [], "nothing of the user's changes"


def test_hooks_and_the_allow_list_go_by_settings(room: Room) -> None:
    room.orch()
    room.told()
    settings = room.about("settings.json")
    hooks = {event: [h for entry in entries for h in entry["hooks"]] for event, entries in settings["hooks"].items()}
    assert hooks.keys() == {
        "SessionStart",
        "UserPromptSubmit",
        "PermissionRequest",
        "Stop",
        "StopFailure",
        "SessionEnd",
        "Notification",
    }
    armed = {event for event, found in hooks.items() if any(h.get("asyncRewake") for h in found)}
    assert armed == {"SessionStart", "UserPromptSubmit", "Stop"}
    assert all(h["timeout"] * 1000 < 2**31 for found in hooks.values() for h in found), "or it never runs"
    allowed = settings["permissions"]["allow"]
    assert "Bash(agentctl wait:*)" in allowed
    assert not [rule for rule in allowed if "add-project" in rule or "remove" in rule], "trust is the user's to give"


def test_the_user_says_what_it_may_run_and_which_model(room: Room) -> None:
    (room.folder / "orch").mkdir()
    (room.folder / "orch" / "config.json").write_text(json.dumps({"orch_allow": ["Bash(agentctl list:*)"]}))
    room.orch("--", "--model", "sonnet")
    assert room.told()["argv"].count("--model") == 1
    assert room.about("settings.json")["permissions"]["allow"] == ["Bash(agentctl list:*)"]


def test_resume_goes_on_with_the_conversation_its_hooks_told_of(room: Room) -> None:
    room.orch("--resume", EXIT_CODE="0")
    assert "--continue" in room.told()["argv"], "none is known yet"
    eventually(lambda: room.panes() == [])
    state = room.folder / "orch" / "inbox" / room.about()["name"] / "state.json"
    said = {"state": "gone", "session_id": "5e5510f0", "transcript": str(room.seen)}
    state.write_text(json.dumps(said))
    before = room.told()["pid"]
    room.orch("--resume")
    eventually(lambda: room.told()["pid"] != before)
    argv = room.told()["argv"]
    assert argv[argv.index("--resume") + 1] == "5e5510f0"


def test_a_new_one_takes_over_what_the_dead_left(room: Room) -> None:
    dead = room.folder / "orch" / "inbox" / "pane-1-9" / "events"
    dead.mkdir(parents=True)
    (dead.parent / "about.json").write_text(json.dumps({"name": "pane-1-9", "pane": "%99", "server_pid": 1}))
    event = "20260215-143022-ab12.ended"
    (dead / event).write_text(json.dumps({"id": event, "kind": "ended", "run_id": event[:20]}))
    room.orch()
    room.told()
    own = room.folder / "orch" / "inbox" / room.about()["name"] / "events"
    eventually(lambda: os.path.exists(own / event))
    assert list(dead.iterdir()) == []


def test_it_is_found_again_where_its_pane_was_moved_to(room: Room) -> None:
    room.orch()
    room.told()
    room.tmux("new-session", "-d", "-s", "elsewhere", "-n", "mine")
    room.tmux("set-option", "-g", "renumber-windows", "on")
    room.tmux("move-window", "-s", "ai:orchestrator", "-t", "elsewhere:7")
    again = room.orch("--resume")
    assert (again.returncode, sorted(room.panes())) == (0, ["elsewhere:mine", "elsewhere:orchestrator"])
    assert "--new starts another" in again.stderr


def test_the_agentctl_beside_orch_is_the_one_claude_finds(room: Room) -> None:
    done = room.orch()
    assert done.returncode == 0
    assert shutil.which("agentctl", path=room.told()["env"]["PATH"]) == str(ROOT / "bin" / "agentctl")


def test_hostile_directory_and_arguments_arrive_as_they_are(room: Room) -> None:
    """Nothing of the user's is read by a shell or by tmux: the payloads would leave files behind."""
    boom = room.folder / "boom"
    hostile = room.work / ("#(touch %s) $(touch %s) 'q\" %%H;" % (boom.name, boom.name))
    hostile.mkdir()
    extra = [
        "--model",
        "a b",
        "#(touch %s)" % boom,
        "$(touch %s)" % boom,
        "%H",
        "trailing;",
        ";",
        "x\\;",
        "é\n'\"",
        "y" * 40000,
    ]
    done = room.orch(hostile.name, "--", *extra)
    assert done.returncode == 0, done.stderr
    told = room.told()
    assert told["cwd"] == os.path.realpath(hostile)
    assert told["argv"][4:] == extra
    room.tmux("list-windows", "-a")
    assert not boom.exists() and not (room.work / boom.name).exists() and not (hostile / boom.name).exists()


def test_claude_gets_the_callers_environment_not_the_tmux_servers(room: Room) -> None:
    room.tmux("new-session", "-d", "-s", "other", env={**room.env, "ANTHROPIC_API_KEY": "of the server"})
    room.orch(ANTHROPIC_API_KEY="of the caller", CLAUDECODE="1", AGENTCTL_RUN_ID="another")
    env = room.told()["env"]
    assert env["ANTHROPIC_API_KEY"] == "of the caller"
    assert "CLAUDECODE" not in env
    assert "AGENTCTL_RUN_ID" not in env
    assert "of the caller" not in room.tmux("show-environment", "-g") + room.tmux("show-environment", "-t", "ai")
    assert sorted(room.panes())[0] == "ai:orchestrator"


def test_the_users_own_prompt_wins(room: Room) -> None:
    own = room.folder / "orch" / "prompts" / "orchestrator.md"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    room.orch()
    assert room.told()["argv"][-1] == str(own)


def test_called_again_it_shows_the_one_that_runs(room: Room) -> None:
    room.orch()
    again = room.orch("--", "--model", "x")
    assert (again.returncode, room.panes()) == (0, ["ai:orchestrator"])
    assert "--new starts another" in again.stderr
    assert room.orch("--new").returncode == 0
    assert room.panes() == ["ai:orchestrator"] * 2
    other = room.folder / "other"
    other.mkdir()
    assert room.orch(str(other), "--session", "second").returncode == 0
    assert sorted(room.panes()) == ["ai:orchestrator"] * 2 + ["second:orchestrator"]


def test_an_existing_session_gets_a_window(room: Room) -> None:
    room.tmux("new-session", "-d", "-s", "ai", "-n", "mine")
    room.tmux("new-session", "-d", "-s", "ai2", "-n", "mine")
    assert room.orch().returncode == 0
    assert sorted(room.panes()) == ["ai2:mine", "ai:mine", "ai:orchestrator"]


def test_a_failing_claude_stays_readable_and_enter_starts_it_again(room: Room) -> None:
    room.orch(EXIT_CODE="7")
    eventually(lambda: "claude ended with exit code 7" in room.tmux("capture-pane", "-p", "-t", "=ai:"))
    first = room.told()["pid"]
    room.seen.unlink()
    room.tmux("send-keys", "-t", "=ai:", "Enter")
    assert room.told()["pid"] != first
    eventually(lambda: room.tmux("capture-pane", "-p", "-t", "=ai:").count("^D closes this pane") == 2)
    room.tmux("send-keys", "-t", "=ai:", "C-d")
    eventually(lambda: room.panes() == [])


def test_a_claude_that_suspends_itself_is_woken(room: Room) -> None:
    room.orch()
    os.kill(room.told()["pid"], signal.SIGSTOP)
    eventually(lambda: "woken" in room.tmux("capture-pane", "-p", "-t", "=ai:"))


def test_outside_tmux_it_attaches(room: Room) -> None:
    room.tmux(
        "-L",
        "outer",
        "new-session",
        "-d",
        "-x",
        "100",
        "-y",
        "30",
        "-s",
        "o",
        "env",
        "-u",
        "TMUX",
        "-u",
        "TMUX_PANE",
        sys.executable,
        "-IS",
        str(ORCH),
        str(room.work),
    )
    eventually(lambda: "I am claude in work" in room.tmux("-L", "outer", "capture-pane", "-p", "-t", "o"))
    assert room.tmux("list-clients", "-F", "#{client_session}") == "ai"


def test_inside_tmux_it_switches_the_client(room: Room) -> None:
    room.tmux("new-session", "-d", "-s", "mine", "-c", str(room.work), "/bin/sh")
    room.tmux(
        "-L",
        "outer",
        "new-session",
        "-d",
        "-x",
        "100",
        "-y",
        "30",
        "-s",
        "o",
        "env",
        "-u",
        "TMUX",
        "tmux",
        "attach-session",
        "-t",
        "mine",
    )
    eventually(lambda: room.tmux("list-clients", "-F", "#{client_session}") == "mine")
    room.tmux("send-keys", "-t", "mine:", "%s -IS %s" % (sys.executable, ORCH), "Enter")
    eventually(lambda: room.tmux("list-clients", "-F", "#{client_session}") == "ai")
    eventually(lambda: "I am claude in work" in room.tmux("-L", "outer", "capture-pane", "-p", "-t", "o"))


def test_a_stale_tmux_variable_counts_as_outside(room: Room) -> None:
    done = room.orch(TMUX=str(room.folder / "gone") + ",1,0", TMUX_PANE="%0")
    assert done.returncode == 0, done.stderr
    assert room.panes() == ["ai:orchestrator"]


@pytest.mark.parametrize(
    ("argv", "path", "says", "code"),
    [
        (["nowhere"], "", "orch: there is no directory 'nowhere'\nhint: ", 1),
        ([], "/nonexistent", "orch: claude is not on the PATH\nhint: ", 1),
        (["--session", "a:b"], "", "orch: 'a:b' cannot name a tmux session\nhint: ", 2),
        (["--session", "#(id)"], "", "orch: '#(id)' cannot name a tmux session\nhint: ", 2),
        (["--nonsense"], "", "usage: orch", 2),
    ],
)
def test_errors_are_a_line_and_a_hint(room: Room, argv: list[str], path: str, says: str, code: int) -> None:
    done = room.orch(*argv, PATH=path or room.env["PATH"])
    assert (done.returncode, done.stderr[: len(says)], done.stdout) == (code, says, "")
    assert room.panes() == []


def test_without_tmux_it_says_so(room: Room) -> None:
    done = room.orch(PATH=str(room.folder / "programs"))
    assert done.returncode == 1
    assert done.stderr.startswith("orch: tmux is not installed\nhint: ")


def test_help_names_the_usage_first(room: Room) -> None:
    done = room.orch("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: orch [DIR] [--session NAME]")


def test_two_at_once_for_one_directory_are_one(room: Room) -> None:
    argv = [sys.executable, "-IS", str(ORCH)]
    both = [
        subprocess.Popen(argv, cwd=room.work, env=room.env, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1)
        for _ in range(2)
    ]
    assert [(process.communicate(timeout=30), process.returncode)[1] for process in both] == [0, 0]
    assert room.panes() == ["ai:orchestrator"]
    assert room.about()["pane"] == room.told()["env"]["TMUX_PANE"]


def test_after_a_killed_claude_the_terminal_hears_again(room: Room) -> None:
    """It leaves the terminal raw, where Enter is no line's end."""
    room.orch(RAW="1")
    first = room.told()["pid"]
    eventually(lambda: "raw now" in room.tmux("capture-pane", "-p", "-t", "=ai:"))
    room.seen.unlink()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: "claude ended with exit code 137" in room.tmux("capture-pane", "-p", "-t", "=ai:"))
    room.tmux("send-keys", "-t", "=ai:", "Enter")
    assert room.told()["pid"] != first
    eventually(lambda: "raw now" in room.tmux("capture-pane", "-p", "-t", "=ai:"))


def test_no_program_of_the_directory_is_taken_for_claude(room: Room) -> None:
    (room.folder / "orch").mkdir()
    (room.folder / "orch" / "config.json").write_text(json.dumps({"executables": {"claude": "claude-of-mine"}}))
    evil = room.work / "claude-of-mine"
    evil.write_text("#!/bin/sh\ntouch %s\n" % (room.folder / "boom"))
    evil.chmod(0o755)
    done = room.orch()
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "orch: claude-of-mine is not on the PATH")
    assert room.panes() == [] and not (room.folder / "boom").exists()


def test_a_home_that_cannot_be_made_is_one_line(room: Room) -> None:
    done = room.orch(AI_ORCH_HOME="/proc/nope")
    assert (done.returncode, len(done.stderr.splitlines()), done.stderr[:12]) == (1, 1, "orch: /proc/")
