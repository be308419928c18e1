"""A stand-in for the interactive Claude Code of an orchestrator, for the chaos of the inboxes.

Run in the pane of `orch` as its `claude`. As the real one it has a session file, calls
the hooks, and runs agentctl as its children; unlike it, it acts by dice. What each call
printed goes to a file, so that it is known also where this process was killed meanwhile:

    <n>-<m>.call    JSON: argv, when it began; written before it is started
    <n>-<m>.out     its stdout
    <n>-<m>.end     JSON: its exit code, when it ended; there only if we lived to see it

PLAY in the environment names a JSON file: program, logs, tickets, seed, home.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from typing import Any
from typing import Optional

SCRIPTS = (
    "echo said",
    "echo said",
    "sleep 0.3; echo said",
    "i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo line $i; sleep 0.1; done",
    "sleep 0.2; exit 3",
    "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP; sleep 30' &) ; sleep 0.4; echo done",
    "sleep 1.2; echo late",
)
WAYS = ("all", "all", "ack", "wait", "wait", "any", "show", "hook")


class Player:
    """One life of an orchestrator. `number` makes its dice and its file names its own."""

    def __init__(self, play: dict[str, Any]) -> None:
        self.play = play
        self.number = _next_number(play["logs"])
        self.dice = random.Random("%s %d" % (play["seed"], self.number))
        self.calls = 0
        self.mine: list[str] = []
        self.hook: Optional[subprocess.Popen[bytes]] = None

    def begin(self, words: list[str], told: bytes = b"") -> tuple[str, subprocess.Popen[bytes]]:
        """Start an agentctl command; its file name without suffix, and the process."""
        self.calls += 1
        base = os.path.join(self.play["logs"], "%d-%d" % (self.number, self.calls))
        _write(base + ".call", {"words": words, "began": time.monotonic(), "by": self.number, "parent": os.getpid()})
        with open(base + ".out", "wb") as out, open(base + ".err", "wb") as err:
            child = subprocess.Popen(  # in a session of its own, as the real one starts its commands
                [*self.play["program"], *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env={**os.environ, "CALL": base},
                start_new_session=True,
            )
        assert child.stdin is not None
        child.stdin.write(told)
        child.stdin.close()
        return base, child

    def seen(self, base: str, child: subprocess.Popen[bytes]) -> str:
        """Wait for it and read what it printed."""
        code = child.wait()
        with open(base + ".out", encoding="utf-8") as out:
            text = out.read()
        _write(base + ".end", {"code": code, "ended": time.monotonic()})
        return text

    def call(self, *words: str) -> str:
        return self.seen(*self.begin(list(words)))

    # -- what it does in a turn

    def start_some(self) -> None:
        for _ in range(self.dice.randint(1, 3)):
            if not _take_ticket(self.play["tickets"]):
                return
            pane = [] if self.dice.random() < 0.3 else ["--no-pane"]
            said = self.call("start", "--project", "p", *pane, "--", "sh", "-c", self.dice.choice(SCRIPTS)).strip()
            if said:
                self.mine.append(said)

    def turn(self) -> None:
        way = self.dice.choice(WAYS)
        if way in ("wait", "any", "show") and not self.mine:
            way = "all"
        {
            "all": self.take_all,
            "ack": self.look_and_acknowledge,
            "wait": self.wait_for_mine,
            "any": self.wait_for_any,
            "show": self.show_one,
            "hook": self.be_woken,
        }[way]()

    def take_all(self) -> None:
        self.call("inbox", "--wait", "--all", "--json", "--timeout", "6s")

    def look_and_acknowledge(self) -> None:
        ids = _events(self.call("inbox", "--wait", "--json", "--timeout", "6s"))
        if ids:
            self.call("inbox", "--ack", *ids, "--json")

    def wait_for_mine(self) -> None:
        self.call("wait", *self.mine)
        self.mine.clear()

    def wait_for_any(self) -> None:
        self.call("wait", "--any", *self.mine)

    def show_one(self) -> None:
        self.call("show", self.mine.pop(self.dice.randrange(len(self.mine))))

    def be_woken(self) -> None:
        """As at the end of a turn: its asyncRewake hook waits; exit code 2 begins a turn."""
        _, child = self.begin(["_hook", "wait"], b"{}")
        deadline = time.monotonic() + 6
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if child.poll() == 2:
            self.call("inbox", "--all", "--json")

    def note_session(self) -> None:
        with open("/proc/self/stat", "rb") as f:
            born = f.read().rpartition(b")")[2].split()[19].decode()
        folder = os.path.expanduser("~/.claude/sessions")
        os.makedirs(folder, exist_ok=True)
        about = {"pid": os.getpid(), "procStart": born, "status": "idle", "sessionId": "s-%d" % self.number}
        _write(os.path.join(folder, "%d.json" % os.getpid()), about)


def _next_number(logs: str) -> int:
    for n in range(100_000):
        try:
            os.close(os.open(os.path.join(logs, "%d.life" % n), os.O_CREAT | os.O_EXCL, 0o600))
            return n
        except FileExistsError:
            continue
    raise AssertionError("no number")


def _take_ticket(folder: str) -> bool:
    for name in os.listdir(folder):
        try:
            os.unlink(os.path.join(folder, name))
            return True
        except FileNotFoundError:
            continue
    return False


def _events(out: str) -> list[str]:
    return [e["id"] for e in json.loads(out)["events"]] if out.strip() else []


def _write(path: str, value: object) -> None:
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        json.dump(value, f)
    os.replace(path + ".tmp", path)


def main() -> None:
    with open(os.environ["PLAY"], encoding="utf-8") as f:
        player = Player(json.load(f))
    player.note_session()
    print("orchestrator %d" % player.number, flush=True)
    player.seen(*player.begin(["_hook", "SessionStart"], b'{"source": "startup", "session_id": "s"}'))
    while True:
        player.start_some()
        player.turn()


if __name__ == "__main__":
    main()
