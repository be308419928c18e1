"""Chaos of the inboxes: orchestrators start runs, are told of them, and everything is killed at random.

An episode is a home of its own with two orchestrators that `orch` started (stand_in.py
in place of Claude Code), which start runs and take what their inboxes hold, while dice
kill -9 runners, workers, sentinels, waiters, panes, the tmux server, and the orchestrators.
New ones come, in the same directory or in another. At the end the last heir takes what is left.

    tests/run tests/chaos -k inbox                      one episode of 30 runs
    AGENTCTL_LONG=1 (tests/run long)                    40 episodes of 25 runs
    AGENTCTL_SEED=7 AGENTCTL_EPISODES=1 tests/run …     that one again; or on, with the seed after the last printed

What is measured. A command prints, flushes, and acknowledges after that: one that is
killed in between shows an event that is shown again. So an event must have been shown
once or more, acknowledged once, and never be shown by a command that began after
another one that acknowledged it had ended. Shown is what is in a stdout that an
orchestrator read, or could have, had it not been killed in that very moment.
"""

from __future__ import annotations

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Callable
from typing import NamedTuple
from typing import Optional

import pytest

from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually

LONG = bool(os.environ.get("AGENTCTL_LONG"))
EPISODES = int(os.environ.get("AGENTCTL_EPISODES") or ("40" if LONG else "1"))
RUNS = int(os.environ.get("AGENTCTL_EPISODE_RUNS") or ("25" if LONG else "30"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
STAND_IN = Path(__file__).with_name("stand_in.py")
VICTIMS = {
    "runner": 4,
    "worker": 3,
    "sentinel": 1,
    "runner and sentinel": 1,
    "wait": 4,
    "inbox --wait": 4,
    "hook": 1,
    "run's pane": 2,
    "tmux server": 1,
    "orchestrator": 3,
    "orchestrator's pane": 2,
}
"""Who is killed, and how often in comparison."""
DEAF_S = 4.0
"""A waiter that has not returned so long after its inbox held something does not hear."""
AT_ONCE_S = 1.0
"""A command whose orchestrator was killed may go on for so long. We see some deaths that much late."""
BEGUN_S = 0.3
"""What was called so shortly before its orchestrator was killed had no time to look who called it."""


class Process(NamedTuple):
    pid: int
    words: list[str]
    env: list[bytes]

    def call(self) -> str:
        """Which call of a stand-in's it is: the file name of Call."""
        return next((os.fsdecode(e[5:]) for e in self.env if e.startswith(b"CALL=")), "")

    def of(self, name: str) -> bool:
        return b"AGENTCTL_ORCHESTRATOR=%s" % name.encode() in self.env


class Call(NamedTuple):
    """What an orchestrator called: see stand_in.py. `ended` is None where it did not live to see that."""

    base: str
    words: list[str]
    began: float
    parent: int
    out: str
    code: Optional[int]
    ended: Optional[float]
    written: float

    def has(self, *words: str) -> bool:
        return all(word in self.words for word in words)

    def shown(self) -> set[str]:
        """Events, by the inbox; ends of runs, by wait and show."""
        found: set[str] = set()
        for line in self.out.splitlines() if self.words[0] in ("inbox", "wait", "show") else ():
            entry = json.loads(line)
            found |= {e["id"] for e in entry.get("events", ())}
            if self.words[0] in ("wait", "show") and "doing" not in entry:
                found.add(entry["run_id"] + ".ended")
        return found

    def acknowledged(self) -> list[str]:
        """What it says that it acknowledged."""
        return json.loads(self.out)["acknowledged"] if self.has("--ack") and self.out else []

    def acknowledges(self) -> bool:
        """Whether it acknowledges what it shows, and came to its end."""
        return self.code is not None and self.code >= 0 and (self.has("--all") or self.words[0] in ("wait", "show"))


class Theatre:
    """One episode: a world, its orchestrators, and who was killed when."""

    def __init__(self, root: Path, seed: int) -> None:
        root.mkdir()
        self.world = world = World(root)
        self.seed = seed
        self.dice = random.Random(seed)
        self.logs, self.tickets = root / "logs", root / "tickets"
        self.folders = [root / name for name in ("a", "b", "c")]
        for folder in (self.logs, self.tickets, *self.folders):
            folder.mkdir()
        self.struck: collections.Counter[str] = collections.Counter()
        self.deaths: dict[int, float] = {}
        self.problems: list[str] = []
        self.abandoned = seed % 2 == 1
        self.inherited = 0
        self._deaf: dict[int, float] = {}
        claude = root / "claude"
        claude.write_text("#!%s -IS\n%s" % (os.path.realpath(sys.executable), STAND_IN.read_text()))
        claude.chmod(0o755)
        world.ok("init")
        world.config(tmux_socket=world.socket, stop_grace_s=0.3, executables={"claude": str(claude)})
        world.ok("add-project", "p", str(world.project))
        play = {"program": PROGRAM, "logs": str(self.logs), "tickets": str(self.tickets), "seed": seed}
        (root / "play.json").write_text(json.dumps(play))
        world.env["PLAY"] = str(root / "play.json")

    # -- the orchestrators

    def orch(self, folder: Path) -> None:
        """Start one there, or see that it runs. That tmux dies meanwhile is part of the play."""
        subprocess.run(
            [sys.executable, "-IS", str(REPO / "bin" / "orch"), str(folder)],
            env=self.world.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def panes(self) -> list[Process]:
        """The own processes of orchestrators' panes."""
        return [p for p in self.processes() if "-c" in p.words and "letter-" in p.words[-1]]

    def stand_ins(self) -> list[Process]:
        claude = str(self.world.root / "claude")
        return [p for p in self.processes() if claude in p.words and "-c" not in p.words]

    def keep_two(self) -> None:
        """A Claude that was killed is started again in its pane, or the pane goes too; new ones come."""
        living = self.stand_ins()
        parents = {parent_of(p.pid) for p in living}
        for pane in self.panes():
            if pane.pid not in parents and self.dice.random() < 0.5:
                self.press_enter(pane) if self.dice.random() < 0.6 else self.kill([pane.pid])
        if len(living) < 2:
            self.orch(self.dice.choice(self.folders))

    def press_enter(self, pane: Process) -> None:
        for line in self.world.tmux("list-panes", "-a", "-F", "#{pane_pid} #{pane_id}").splitlines():
            pid, _, pane_id = line.partition(" ")
            if int(pid) == pane.pid:
                self.world.tmux("send-keys", "-t", pane_id, "Enter")

    # -- who is there

    def processes(self) -> list[Process]:
        """Every live process of this world's home, but its tmux server and clients."""
        return [p for p in processes_of(str(self.world.home)) if os.path.basename(p.words[0]) != "tmux:"]

    def called(self, *words: str) -> list[Process]:
        return [p for p in self.processes() if "agentctl" in " ".join(p.words[:5]) and all(w in p.words for w in words)]

    def runs(self) -> list[str]:
        return sorted(name.lstrip(".") for name in os.listdir(self.world.home / "runs"))

    def live(self) -> list[str]:
        runs = self.world.home / "runs"
        return [name for name in self.runs() if not (runs / name / "result.json").exists()]

    def staged_and_forsaken(self) -> list[str]:
        """Runs whose runner was killed before their birth: a reader waits 20 s for it; here it need not."""
        hidden = [n for n in os.listdir(self.world.home / "runs") if n.startswith(".")]
        there = {word for p in self.called("_run") for word in p.words}
        return [n for n in hidden if n[1:] not in there]

    # -- the blows

    def strike(self) -> None:
        victim = self.dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        if self.hit(victim):
            self.struck[victim] += 1

    def hit(self, victim: str) -> bool:
        live = self.live()
        run = self.dice.choice(live) if live else ""
        if victim == "tmux server":
            pid = self.world.tmux("display-message", "-p", "#{pid}").strip()
            return bool(pid) and self.kill([int(pid)])
        if victim == "run's pane":
            pane = str(self.world.status(run).get("pane") or "") if run else ""
            return bool(pane) and self.world.tmux("kill-pane", "-t", pane) == ""
        if victim == "orchestrator":
            return self.kill_one([p.pid for p in self.stand_ins()])
        if victim == "orchestrator's pane":
            return self.kill_one([p.pid for p in self.panes()])
        if victim in ("wait", "inbox --wait", "hook"):
            return self.kill_one([p.pid for p in self.called(*victim.replace("hook", "_hook wait").split())])
        if victim == "worker":
            return bool(run) and self.kill([self.world.status(run).get("worker") or -1])
        ours = sorted((p.pid for p in self.called("_run", run)), key=started) if run else []
        return self.kill({"runner": ours[:1], "sentinel": ours[1:2]}.get(victim, ours))

    def kill_one(self, pids: list[int]) -> bool:
        return bool(pids) and self.kill([self.dice.choice(pids)])

    def kill(self, pids: list[int]) -> bool:
        """kill -9; when those were orchestrators, it is noted."""
        done = False
        for pid in pids:
            if pid > 1:
                try:
                    self.deaths.setdefault(pid, time.monotonic())
                    os.kill(pid, signal.SIGKILL)
                    done = True
                except ProcessLookupError:
                    pass  # it ended by itself meanwhile
        return done

    def note_deaths(self) -> None:
        """Orchestrators die of their tmux server or their pane as well: when, as we see it."""
        there = {p.pid for p in self.stand_ins()}
        for path in list(self.logs.glob("*.call")):
            parent = json.loads(path.read_text())["parent"]
            if parent not in there:
                self.deaths.setdefault(parent, time.monotonic())

    # -- the play

    def look_for_the_deaf(self) -> None:
        """Those that wait for an inbox that has held something for long."""
        now, holding = time.monotonic(), {n: ids for n, ids in self.inboxes().items() if ids}
        waiting = [(p, n) for p in self.called("inbox", "--wait") for n in holding if p.of(n)]
        self._deaf = {p.pid: self._deaf.get(p.pid, now) for p, _ in waiting}
        for process, name in waiting:
            if now - self._deaf[process.pid] > DEAF_S:
                self.problems.append("does not hear: %d %s, %s" % (process.pid, process.words[4:], holding[name]))
                self.kill([process.pid])

    def orphans(self, since_s: float) -> list[Process]:
        """Those that wait on, though their orchestrator has been dead for so long; who had just begun may."""
        calls = {c.base: c for c in self.calls()}
        waiting = [(p, calls.get(p.call())) for p in self.called("wait") + self.called("--wait")]
        now = time.monotonic()
        return [p for p, c in waiting if c and c.began + BEGUN_S < self.died(c) < now - since_s]

    def died(self, call: Call) -> float:
        return self.deaths.get(call.parent, float("inf"))

    def inboxes(self) -> dict[str, set[str]]:
        """Orchestrator → events that are not acknowledged."""
        found = {}
        for folder in (self.world.home / "inbox").glob("*/events"):
            found[folder.parent.name] = {n for n in os.listdir(folder) if not n.startswith(".")}
        return found

    def receipts(self) -> set[str]:
        folder = self.world.home / "inbox" / "acked"
        return set(os.listdir(folder)) if folder.exists() else set()

    def play(self) -> None:
        """Until so many runs were started and, but for odd seeds, have ended, whatever is killed meanwhile."""
        deadline, given = time.monotonic() + 150, 0
        for folder in self.folders[:2]:
            self.orch(folder)
        while time.monotonic() < deadline:
            made = len(self.runs())
            if made >= RUNS and (self.abandoned or not self.live()):
                return
            if given < RUNS or made < RUNS and not os.listdir(self.tickets):
                (self.tickets / ("%d" % given)).touch()
                given += 1
            self.strike()
            self.forsake()
            self.note_deaths()
            self.look_for_the_deaf()
            self.none("waits for an orchestrator that is dead", [p[:2] for p in self.orphans(AT_ONCE_S)])
            self.keep_two()
            time.sleep(self.dice.random() * 0.25)
        self.problems.append("not played to its end: %d runs, live %s" % (len(self.runs()), self.live()))

    def forsake(self) -> None:
        for name in self.staged_and_forsaken():
            try:
                os.utime(self.world.home / "runs" / name / "meta.json", (1, 1))
            except (FileNotFoundError, NotADirectoryError):
                pass  # it was born, or settled, at this very moment

    def finish(self) -> None:
        """Every run ends: who waits for one returns; then the last heir takes what is left.

        With an odd seed the orchestrators are killed before that, and what the last runs have to tell is the heir's.
        """
        if self.abandoned:
            self.end_orchestrators()
        self.within(15, "runs do not end", self.ended_by_nobody)
        self.within(15, "a `wait` hangs", lambda: not self.old_waiters())
        self.end_orchestrators()
        self.inherited = sum(len(ids) for ids in self.inboxes().values())
        heir = self.world.root / "heir"
        heir.mkdir()
        self.orch(heir)
        self.within(20, "the heir leaves events", lambda: not any(self.inboxes().values()))
        self.hear_all()
        self.end_orchestrators()
        self.world.tmux("kill-server")
        self.within(15, "processes are left", lambda: not self.processes())

    def ended_by_nobody(self) -> bool:
        """Whether all have ended; the look of a plain terminal settles, and acknowledges nothing."""
        self.forsake()
        return self.world.run("wait", "--quiet", "--timeout", "5s", *self.runs(), timeout=60).returncode != 124

    def old_waiters(self) -> list[Process]:
        """Of runs that have all ended, a `wait` has nothing to wait for. Young ones are at work."""
        now = time.monotonic()
        return [p for p in self.called("wait") if "_hook" not in p.words and now - age_mark(p.pid) > 3.0]

    def hear_all(self) -> None:
        """Whoever waits for an inbox now, after all this, is woken by one more event."""
        waiting = {p.pid: n for p in self.called("inbox", "--wait") for n in self.inboxes() if p.of(n)}
        for name in set(waiting.values()):
            post_test(self.world, name)
        self.within(5, "does not hear at the end", lambda: not set(waiting) & {p.pid for p in self.called("--wait")})

    def end_orchestrators(self) -> None:
        """Their panes first, so that none is started again."""
        self.kill([p.pid for p in self.panes()])
        self.kill([p.pid for p in self.stand_ins()])
        self.within(10, "an orchestrator does not die", lambda: not self.stand_ins() and not self.panes())
        self.note_deaths()
        self.within(2, "waits for an orchestrator that is dead", lambda: not self.orphans(0.0))

    def within(self, seconds: float, what: str, condition: Callable[[], Any]) -> None:
        try:
            eventually(condition, seconds, 0.05)
        except AssertionError:
            left = [" ".join([str(p.pid), *p.words[-6:]]) for p in self.processes()]
            self.problems.append("%s: inboxes %s, processes %s" % (what, self.inboxes(), left))

    # -- the account

    def calls(self) -> list[Call]:
        return [self._call(path) for path in sorted(self.logs.glob("*.call"))]

    def _call(self, path: Path) -> Call:
        said, base = json.loads(path.read_text()), str(path)[: -len(".call")]
        end, out = Path(base + ".end"), Path(base + ".out")
        seen = json.loads(end.read_text()) if end.exists() else {}
        text = out.read_text() if out.exists() else ""
        whole = text if text.endswith("\n") else text.rpartition("\n")[0]
        written = time.monotonic() - time.time() + out.stat().st_mtime if out.exists() else 0.0
        code, ended = seen.get("code"), seen.get("ended")
        return Call(base, said["words"], said["began"], said["parent"], whole, code, ended, written)

    def account(self) -> collections.Counter[str]:
        """Everything that must hold, of everything; problems are noted. Returns the figures."""
        runs, receipts, calls = self.runs(), self.receipts(), self.calls()
        left = [event for ids in self.inboxes().values() for event in ids]
        ends = [run + ".ended" for run in runs]
        told = [json.loads(line)["run_id"] for line in (self.world.home / "notify.log").read_text().splitlines()]
        unended = [r for r in runs if not (self.world.home / "runs" / r / "result.json").exists()]
        self.none("have no result", unended)
        self.none("lost: neither in an inbox nor acknowledged", set(ends) - receipts - set(left))
        self.none("in an inbox and acknowledged", set(left) & receipts)
        self.none("in two inboxes", twice(left))
        self.none("two lines in notify.log", twice(told))
        self.none("no line in notify.log", set(runs) - set(told))
        shown = [(event, call) for call in calls for event in call.shown()]
        heard = {event for event, call in shown if call.ended is not None}
        gone_too_soon = {e for e, c in shown if e not in heard and self.cut_short(c)}
        self.none("acknowledged, and shown to nobody", set(ends) & receipts - {e for e, _ in shown})
        self.none("acknowledged, and shown only to the dead", set(ends) & receipts - heard - gone_too_soon)
        self.none("acknowledged twice", twice(e for c in calls for e in c.acknowledged()))
        self.none("came back after it was acknowledged", came_back(calls))
        self.none("bells of the dead", self.bells())
        crash = self.world.crash()
        if crash:
            self.problems.append("crash.log: " + crash[-3000:])
        counted = collections.Counter(e for e, c in shown if c.words[0] == "inbox" and e in ends)
        return collections.Counter(
            {
                "runs": len(runs),
                "events acknowledged": len(set(ends) & receipts),
                "events left in an inbox": len(set(left) & set(ends)),
                "shown more than once by an inbox": sum(1 for n in counted.values() if n > 1),
                "told to one killed in that moment": len(gone_too_soon - heard),
                "orchestrators": len(list(self.logs.glob("*.life"))),
                "calls": len(calls),
                "left to the heir": self.inherited,
                "blows": sum(self.struck.values()),
            }
        )

    def cut_short(self, call: Call) -> bool:
        """Whether its orchestrator was killed as it spoke, or had just begun."""
        died = self.died(call)
        return abs(died - call.written) < AT_ONCE_S or died - call.began < BEGUN_S

    def bells(self) -> list[str]:
        """What hangs in bells/ after one more ring, now that nobody lives. (A dot-name never got a reader.)"""
        folders = list((self.world.home / "inbox").glob("*/bells"))
        for folder in folders:
            ring(self.world, folder.parent.name)
        return [name for folder in folders for name in os.listdir(folder) if not name.startswith(".")]

    def none(self, what: str, found: Any) -> None:
        if found:
            self.problems.append("%s: %s" % (what, sorted(map(str, found))[:8]))


def twice(words: Any) -> list[str]:
    return [word for word, n in collections.Counter(words).items() if n > 1]


def came_back(calls: list[Call]) -> list[str]:
    """Events that an inbox showed to a call which began when another had acknowledged them and ended."""
    done: dict[str, float] = {}
    for call in calls:
        for event in (call.shown() if call.acknowledges() else call.acknowledged()) if call.ended else ():
            done[event] = min(done.get(event, float("inf")), call.ended or 0.0)
    later = [(e, c) for c in calls if c.words[0] == "inbox" for e in c.shown() if c.began > done.get(e, float("inf"))]
    return ["%s by %s" % (e, os.path.basename(c.base)) for e, c in later]


def processes_of(home: str) -> Iterator[Process]:
    """Live processes that name a home in their command line or have it in their environment; zombies are not."""
    needle = home.encode()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                env = Path("/proc", name, "environ").read_bytes().split(b"\0")
                state = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()[0]
            except OSError:
                continue
            ours = any(needle in word for word in words) or b"AI_ORCH_HOME=" + needle in env
            if ours and state not in (b"Z", b"X") and words[0] != b"tmux":
                yield Process(int(name), [w.decode("utf-8", "replace") for w in words], env)


def started(pid: int) -> tuple[int, int]:
    """When it was started, in ticks since boot, and its number."""
    try:
        return int(Path("/proc/%d/stat" % pid).read_bytes().rpartition(b")")[2].split()[19]), pid
    except OSError:
        return 0, pid


def age_mark(pid: int) -> float:
    """When it was started, by the clock of time.monotonic()."""
    ticks = started(pid)[0]
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.monotonic() - (uptime - ticks / os.sysconf("SC_CLK_TCK")) if ticks else time.monotonic()


def parent_of(pid: int) -> int:
    try:
        return int(Path("/proc/%d/stat" % pid).read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def program(world: World, script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, %r)\n%s" % (str(REPO), script)],
        env=world.env,
        capture_output=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr


def ring(world: World, name: str) -> None:
    program(world, "from agentctl import inbox, store; inbox.ring(store.Home(%r), %r)" % (str(world.home), name))


def post_test(world: World, name: str) -> None:
    event = "test-" + os.urandom(4).hex()
    words = "inbox.Entry(id=%r, kind='test', orchestrator=%r)" % (event, name)
    program(world, "from agentctl import inbox, store; inbox.post(store.Home(%r), %s)" % (str(world.home), words))


def test_no_event_is_lost_or_acknowledged_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 of all there is, while orchestrators start runs and take their events: each is told, once."""
    figures: collections.Counter[str] = collections.Counter()
    struck: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    for seed in range(FIRST_SEED, FIRST_SEED + EPISODES):
        theatre = Theatre(tmp_path / str(seed), seed)
        try:
            theatre.play()
            theatre.finish()
            figures += theatre.account()
        finally:
            theatre.world.close()
        struck += theatre.struck
        with capsys.disabled():
            print(
                "\nchaos of the inboxes: %d runs to seed %d in %.0f s"
                % (figures["runs"], seed, time.monotonic() - began),
                end="",
                flush=True,
            )
        assert not theatre.problems, "seed %d: %s" % (seed, "\n".join(theatre.problems))
        shutil.rmtree(tmp_path / str(seed), ignore_errors=True)
    with capsys.disabled():
        rows = [*figures.items(), *(("killed: " + name, n) for name, n in sorted(struck.items()))]
        print("\n" + "\n".join("  %-36s %d" % row for row in rows))
    assert figures["events acknowledged"] + figures["events left in an inbox"] == figures["runs"] >= EPISODES * RUNS
