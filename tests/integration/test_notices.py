"""Notices to a person: which, by which ways, each once, and nobody waits for them.

A server of this test is the webhook and ntfy; programs of this test, on the PATH, stand in
for the desktop's. All else is real: runs, their ends, the sender, kill -9.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_needs import LINES
from test_needs import REPORT
from test_needs import WORKER

from conftest import PROGRAM
from conftest import World
from conftest import eventually

TOKEN = "tk_neverlogged"
MANY = 50
STAND_IN = """#!%s -IS
import json, os, sys
with open(%r, "a") as f:
    f.write(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], sys.stdin.read()]) + "\\n")
"""


class Server(ThreadingHTTPServer):
    """Keeps what is posted. While `gate` is closed it takes a request and does not answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.status = 200
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def told(self) -> list[tuple[str, str]]:
        """(run, event) of what the webhook was told, in order."""
        said = [json.loads(body) for path, _, body in list(self.posts) if path.startswith("/hook")]
        return [(entry["run_id"], entry["event"]) for entry in said]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posts.append((self.path, headers, body))
        self.server.gate.wait(30)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("location", self.server.url + "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()


def stand_in(world: World, name: str) -> Path:
    """A program of this name in front of the PATH; returns the file that has its calls."""
    folder, calls = world.user / "bin", world.root / (name + ".calls")
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(STAND_IN % (sys.executable, str(calls)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    if not world.env["PATH"].startswith(str(folder)):
        world.env["PATH"] = "%s:%s" % (folder, world.env["PATH"])
    return calls


def calls(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def senders(world: World) -> list[int]:
    """The processes that send this home's notices."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_notice" in words and str(world.home).encode() in words:
                found.append(int(name))
    return found


def settled(world: World) -> None:
    """All runs have ended, all that was to be sent was, and nobody is left who would send more."""
    waiting, runs = world.home / "notices" / "waiting", list((world.home / "runs").glob("2*"))
    eventually(lambda: all((run / "notified").exists() for run in runs), 30)
    eventually(lambda: not (waiting.exists() and os.listdir(waiting)) and not senders(world), 30)


def hook(world: World, server: Server, **more: Any) -> None:
    world.config(notify={"webhook": server.url + "/hook", **more})


def failing(world: World, *options: str, **more: Any) -> str:
    return world.shell("exit 3", "--no-pane", *options, **more)


def barred(world: World, lock: Path) -> str:
    """The script of a worker that fails when nobody holds the lock any more."""
    return "%s -ISc 'import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_SH)' %s; exit 3" % (
        sys.executable,
        lock,
    )


def test_a_failure_goes_by_every_way_once(world: World, server: Server) -> None:
    """Webhook, ntfy, a command, the desktop; of a run that no orchestrator started. Then that all is done."""
    shown, told = stand_in(world, "notify-send"), stand_in(world, "told")
    ntfy = {"url": server.url + "/topic?auth=" + TOKEN, "token": TOKEN}
    hook(world, server, ntfy=ntfy, desktop=True, command=["told", "a b", "$(touch boom)"])
    run = failing(world, "--title", "<b>limit</b> & more")
    assert world.result(run)["goal_met"] is False
    settled(world)
    assert server.told() == [(run, "ended"), (run, "done")]
    first = json.loads(server.posts[[p[0] for p in server.posts].index("/hook")][2])
    assert {k: first[k] for k in ("kind", "run_id", "title", "status", "goal_met", "home")} == {
        "kind": "failed",
        "run_id": run,
        "title": "<b>limit</b> & more",
        "status": "finished",
        "goal_met": False,
        "home": str(world.home),
    }
    messages = [(headers, body.decode()) for path, headers, body in server.posts if path.startswith("/topic")]
    assert [h["title"] for h, _ in messages] == ["agentctl: failed", "agentctl: all done"]
    assert messages[0][0]["authorization"] == "Bearer " + TOKEN and run in messages[0][1]
    (name, argv, stdin), _ = calls(told)
    assert (name, argv) == ("told", ["a b", "$(touch boom)"]) and json.loads(stdin) == first
    titles = [(argv[-2], argv[-1]) for _, argv, _ in calls(shown)]
    assert [t for t, _ in titles] == ["agentctl: failed", "agentctl: all done"]
    assert "&lt;b&gt;limit&lt;/b&gt; &amp; more" in titles[0][1]


def test_no_token_is_written_anywhere_but_in_the_configuration(world: World, server: Server) -> None:
    """Nor shown by doctor; whatever the server answers."""
    server.status = 403
    world.config(notify={"ntfy": {"url": server.url + "/t?auth=" + TOKEN, "token": TOKEN}})
    run = failing(world)
    world.result(run)
    settled(world)
    assert TOKEN in str(server.posts)
    files = [p for p in world.home.rglob("*") if p.is_file() and p.name != "config.json"]
    assert not [p for p in files if TOKEN.encode() in p.read_bytes()]
    done = world.run("doctor")
    assert TOKEN not in done.stdout + done.stderr and "the server answered with 403" in done.stdout


def test_a_redirect_is_not_followed(world: World, server: Server) -> None:
    server.status = 302
    hook(world, server)
    world.result(failing(world))
    settled(world)
    assert {path for path, _, _ in server.posts} == {"/hook"}
    assert "302, a redirect" in world.run("doctor").stdout


def test_nothing_is_told_of_what_went_well_but_that_all_is_done(world: World, server: Server) -> None:
    """Two good runs, the first of which ends while the second is at work; a stopped one is nobody's news."""
    hook(world, server)
    lock = world.root / "lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = world.shell(barred(world, lock).replace("exit 3", "exit 0"), "--no-pane")
        world.working(second)
        first = world.shell("true", "--no-pane")
        world.result(first)
        eventually(lambda: (world.folder(first) / "notified").exists())
        assert not senders(world) and not server.posts
    world.result(second)
    settled(world)
    assert [event for _, event in server.told()] == ["done"]
    third = world.shell("sleep 60", "--no-pane")
    world.working(third)
    world.ok("stop", third)
    settled(world)
    eventually(lambda: len(server.posts) == 2)
    assert [event for _, event in server.told()] == ["done", "done"]


def test_what_is_not_wanted_is_not_told(world: World, server: Server) -> None:
    hook(world, server, on=["failed"])
    run = failing(world)
    world.result(run)
    settled(world)
    assert server.told() == [(run, "ended")]


def test_a_run_that_needs_somebody_tells_while_it_lives(world: World, server: Server) -> None:
    """Without an orchestrator too; a second refusal of the same run is no second notice, nor is its end one."""
    worker = world.root / "worker.py"
    worker.write_text(WORKER)
    described = {"argv": [sys.executable, "-IS", str(worker)], "stream": "events", "stdin": False}
    world.config(backends={"mine": described}, profiles={"mine": {"backends": [{"backend": "mine"}]}})
    hook(world, server, on=["needs"])
    script = world.project / "script"
    script.write_text("")
    run = world.ok("start", "--profile", "mine", "--no-pane", stdin="SECRET PROMPT of the user\nand more of it")
    world.working(run)
    say = "".join(json.dumps(entry) + "\n" for entry in LINES["denied"][0])
    script.write_text(say)
    eventually(lambda: server.told() == [(run, "denied")])
    entry = json.loads(server.posts[0][2])
    assert (entry["kind"], entry["status"], entry["text"]) == ("needs", "running", "was refused: Bash")
    assert b"and more" not in server.posts[0][2]
    script.write_text(say + say + json.dumps(REPORT) + "\n")
    (world.project / "over").touch()
    assert world.result(run)["denied"]
    settled(world)
    assert server.told() == [(run, "denied")]


def test_a_lost_run_is_told_of_once(world: World, server: Server) -> None:
    """Its runner is killed: its sentinel settles it; readers who come later change nothing."""
    hook(world, server)
    run = world.shell("sleep 60", "--no-pane")
    world.working(run)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    assert world.result(run)["status"] == "lost"
    world.ok("list")
    eventually(lambda: len(server.posts) >= 2, 20)
    settled(world)
    assert server.told() == [(run, "ended"), (run, "done")]


def test_a_server_that_does_not_answer_holds_nobody_up(world: World, server: Server) -> None:
    """`wait` is over, another run comes and goes, while the first notice is still on its way."""
    hook(world, server, on=["failed"])
    server.gate.clear()
    run = failing(world)
    assert world.run("wait", run).returncode == 3
    eventually(lambda: server.told() == [(run, "ended")])
    other = failing(world)
    assert world.run("wait", other).returncode == 3
    eventually(lambda: not Path("/proc", str(world.runner_pid(other))).exists())
    assert not server.gate.is_set() and len(server.posts) == 1 and senders(world)
    server.gate.set()
    settled(world)
    assert server.told() == [(run, "ended"), (other, "ended")]


def test_a_sender_that_is_killed_loses_nothing_it_had_not_begun(world: World, server: Server) -> None:
    """Killed while the server has the first: the first is not sent again, and the second is sent by the one behind."""
    hook(world, server, on=["failed"])
    server.gate.clear()
    first = failing(world)
    eventually(lambda: server.told() == [(first, "ended")])
    second = failing(world)
    world.result(second)
    eventually(lambda: len(os.listdir(world.home / "notices" / "waiting")) == 2)
    os.kill(holder(world.home / "notices" / "send.lock", senders(world)), signal.SIGKILL)
    eventually(lambda: len(server.posts) == 2, 15)
    server.gate.set()
    settled(world)
    assert server.told() == [(first, "ended"), (second, "ended")]


def test_the_one_behind_a_killed_sender_takes_the_ways_that_are_left(world: World, server: Server) -> None:
    """Killed with ntfy, the first of two ways: that one is not taken again, which doctor says; the webhook is."""
    hook(world, server, ntfy=server.url + "/topic", on=["failed"])
    server.gate.clear()
    run = failing(world)
    eventually(lambda: [path for path, _, _ in server.posts] == ["/topic"])
    world.result(run)
    eventually(lambda: len(senders(world)) == 2)
    os.kill(holder(world.home / "notices" / "send.lock", senders(world)), signal.SIGKILL)
    server.gate.set()
    eventually(lambda: server.told() == [(run, "ended")], 15)
    settled(world)
    assert [path for path, _, _ in server.posts] == ["/topic", "/hook"]
    assert "it may not have arrived" in world.run("doctor").stdout


def holder(lock: Path, among: list[int]) -> int:
    """The process that holds a lock (Linux says it by inode)."""
    inode = ":%d " % lock.stat().st_ino
    lines = [
        line.split() for line in Path("/proc/locks").read_text().splitlines() if inode in line and "->" not in line
    ]
    return next(int(words[4]) for words in lines if int(words[4]) in among)


def test_all_senders_killed_before_they_begin(world: World, server: Server) -> None:
    """What is left on the disk is sent with the next one, once each; doctor says that it is not sent yet."""
    hook(world, server, on=["failed"])
    folder = world.home / "notices"
    folder.mkdir(0o700)
    with (folder / "send.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        runs = [failing(world) for _ in range(3)]
        for run in runs:
            world.result(run)
        eventually(lambda: len(os.listdir(folder / "waiting")) == 3)
        for pid in eventually(lambda: senders(world)):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not senders(world))
    assert not server.posts
    runs.append(failing(world))
    world.result(runs[-1])
    settled(world)
    assert Counter(server.told()) == Counter((run, "ended") for run in runs)


def test_many_ends_at_once_are_each_told_once(world: World, server: Server) -> None:
    """All their workers end at the same moment; that all is done is told once, after them."""
    hook(world, server)
    lock = world.root / "lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        runs = [world.shell(barred(world, lock), "--no-pane") for _ in range(MANY)]
        for run in runs:
            world.working(run)
    assert world.run("wait", *runs, timeout=120).returncode == 3
    eventually(lambda: len(server.told()) > MANY, 60)
    settled(world)
    told = Counter(server.told())
    assert set(told.values()) == {1}
    assert {run for run, event in told if event == "ended"} == set(runs)
    assert [event for _, event in told].count("done") == 1


def test_doctor_sends_a_test_by_each_way(world: World, server: Server) -> None:
    """What arrives is said, what does not is said with a remedy; without a way there is nothing to test."""
    assert "no way is configured" in world.run("doctor", "--notify").stdout
    shown = stand_in(world, "notify-send")
    hook(world, server, desktop=True, command=["./missing"], ntfy="http://127.0.0.1:1/topic")
    rows = {row["name"]: row for row in json.loads(world.run("doctor", "--notify", "--json").stdout)["rows"]}
    assert rows["notify webhook test"]["state"] == rows["notify desktop test"]["state"] == "ok"
    assert rows["notify ntfy test"]["state"] == rows["notify command test"]["state"] == "fail"
    assert "no connection" in rows["notify ntfy test"]["words"] and rows["notify ntfy test"]["remedy"]
    assert rows["notify command"]["state"] == "warn"
    assert len(server.posts) == len(calls(shown)) == 1
    assert "no connection" in world.run("doctor").stdout


def test_a_command_that_hangs_is_ended(world: World, server: Server) -> None:
    """Its process is killed with what it started; doctor has its failure; the other way is told."""
    program = world.root / "hangs"
    program.write_text("#!/bin/sh\nsleep 3617\n")
    program.chmod(0o700)
    hook(world, server, command=[str(program)], on=["failed"])
    run = failing(world)
    world.result(run)
    eventually(lambda: server.told() == [(run, "ended")], 40)
    settled(world)
    assert "did not end within" in world.run("doctor").stdout
    left = subprocess.run(["pgrep", "-f", "sleep 3617"], capture_output=True, text=True).stdout
    assert not left


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        ({"webhook": "http://example.org/" + TOKEN}, "webhook: http:// is for this machine only"),
        ({"webhook": "ftp://example.org/"}, "webhook: it is no address"),
        ({"webhook": "https://u:p@example.org/"}, "webhook: it is no address"),
        ({"ntfy": {"url": "https://example.org/t", "token": "a\nb"}}, "ntfy: the token"),
        ({"command": "rm -rf /"}, "command: it is a list of words"),
        ({"on": ["everything"]}, "on: it is a list of needs, failed, done"),
        ({"pager": True}, "pager is none of"),
        (True, "it is an object"),
    ],
)
def test_a_setting_that_makes_no_sense_names_key_and_file(world: World, notify: object, words: str) -> None:
    world.config(notify=notify)
    done = world.run("start", "--no-pane", "--", "true")
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and "`notify`" in done.stderr and str(world.home / "config.json") in done.stderr
    assert TOKEN not in done.stderr


def test_plain_http_goes_where_it_was_allowed(world: World) -> None:
    world.config(notify={"webhook": "http://example.org/x", "plain_http": ["example.org"], "on": []})
    assert world.result(world.shell("true", "--no-pane"))["status"] == "finished"
    assert not (world.home / "notices").exists()


def test_notices_that_cannot_be_written_lose_no_event(world: World) -> None:
    """A file is in the folder's place: the run ends as ever, its event is posted, doctor says what is wrong."""
    world.config(notify={"desktop": True})
    (world.home / "notices").touch()
    run = failing(world, env={"AGENTCTL_ORCHESTRATOR": "orch-aaaa"})
    assert world.run("wait", run).returncode == 3
    eventually(lambda: (world.home / "inbox" / "orch-aaaa" / "events" / (run + ".ended")).exists())
    assert world.notes()[0]["run_id"] == run and not world.crash()
    assert "Not a directory" in world.run("doctor").stdout


def test_the_sender_knows_nothing_to_send(world: World) -> None:
    """Called with an empty folder it is over at once, and starts nobody."""
    world.config(notify={"desktop": True})
    (world.home / "notices").mkdir()
    done = subprocess.run([*PROGRAM, "_notice", str(world.home)], env=world.env, timeout=30, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not senders(world)
