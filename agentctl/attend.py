"""Attending to a run between birth and verdict, answerable all the time.

The runner (runner.py) says what happens in which order; this does it, and hears
signals and stop requests while it waits.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from . import backends
from . import environ
from . import files
from . import judge
from . import locks
from . import prompting
from . import signals
from . import stream
from . import supervise
from . import waiting
from . import watch
from .errors import AgentctlError
from .model import CHECK_FAILED
from .model import PASSED
from .model import QUEUED
from .model import RUNNING
from .model import RunFiles
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .config import Config
    from .model import Result
    from .model import Spec
    from .signals import Alarm
    from .store import Run
    from .story import Story

_SHORT_NAP, _LONG_NAP = 0.1, 1.0
_SERVER_DEATH_S = 1.5
_STOP_WORDS = {signal.SIGINT: "stopped by ^C in its pane", signal.SIGHUP: "stopped: its pane was closed",
               signal.SIGTERM: "stopped by a signal"}


class Attendant:
    """What we were asked while we attend, and what was left to clear away."""

    def __init__(self, run: Run, spec: Spec, config: Config, story: Story, alarm: Alarm,
                 env: dict[str, str], umask: int) -> None:
        self.run = run
        self.spec = spec
        self.left = 0
        self.stopped = ""
        self._config = config
        self._story = story
        self._alarm = alarm
        self._env = env
        self._umask = umask

    def stop_asked(self) -> str:
        """Why we should stop, from a signal or a request file; "" while nobody asked."""
        if not self.stopped:
            number = self._alarm.take(signals.STOPPING)
            if number == signal.SIGHUP and _only_the_screen_went():
                self._story.screen.alive = False
                self._story.note("note", "the tmux server is gone; going on without a pane")
            elif number:
                self.stopped = _STOP_WORDS[signal.Signals(number)]
            elif os.path.exists(self.run.file("stop")):
                self.stopped = "stopped on request"
        return self.stopped

    # -- before the worker

    def wait_for_parents(self) -> str:
        """Wait for the runs in `after`; returns why this run must not start, or ""."""
        for parent in self.spec.after:
            answer = self._ended(parent)
            if answer is None:
                return self.stopped
            if isinstance(answer, Exception):
                return "%s, which it was to follow: %s" % (parent, answer)
            if judge.exit_code([answer]):
                return "%s, which it was to follow, ended: %s" % (parent, judge.headline(answer))
        return ""

    def _ended(self, parent: str) -> Result | Exception | None:
        result = None
        try:
            result = self.run.home.run(parent).result()
        except AgentctlError as e:
            return e
        if result:
            return result
        self._story.note("queued", "waits for %s" % parent)
        answer: Result | Exception | None = self._interruptibly(lambda: waiting.until_ended(self.run.home, parent))
        return answer

    def hold_conversation(self) -> int:
        """One run at a time goes on with a vendor's session: two would lose each other's turns.

        Returns the descriptor of the session's lock; -1 where none is needed or we were stopped.
        """
        if not self.spec.session_id:
            return -1
        path = os.path.join(self.run.home.sessions, self.spec.session_id + ".lock")
        lock = locks.try_take(path)
        if lock is None:
            self._story.note("queued", "waits for the other run of its conversation")
            answer = self._interruptibly(lambda: locks.take(path))
            lock = answer if isinstance(answer, int) else -1
        return lock

    def _interruptibly(self, block: Callable[[], Any]) -> Any:
        """The answer (or error) of a blocking call made in a thread; None if we were told to stop."""
        answers: list[Any] = []
        read, write = os.pipe()

        def ask() -> None:
            try:
                answers.append(block())
            except (AgentctlError, OSError) as e:
                answers.append(e)
            os.write(write, b".")

        threading.Thread(target=ask, daemon=True).start()
        while not answers and not self.stop_asked():
            self._story.status(QUEUED, "waits", 0)
            self._alarm.sleep(_LONG_NAP, also=(read,))
        return answers[0] if answers else None

    # -- the worker

    def work(self) -> judge.Ended:
        """Start the worker, follow it, end it. Everything it started is gone afterwards."""
        name = "prompt.md" if self.spec.backend == "shell" else "input.md"
        return self._turn(self.spec, _files(self.run, self.run.file(name)))

    def may_ask_again(self, ended: judge.Ended) -> bool:
        """Whether a report that is missing may be asked for once more, in the same conversation.

        Only of a vendor without a schema flag, whose worker ended well by itself.
        """
        if self.spec.custom or self.spec.backend == "shell" or backends.adapter(self.spec.backend).SCHEMA_FLAG:
            return False
        progress = self._story.progress
        return ended.cause in (judge.OWN, judge.LINGERED) and bool(progress.ok and progress.session_id)

    def ask_again(self, problem: str) -> judge.Ended:
        """One more turn of the same conversation, for a report that its vendor could not enforce."""
        path = self.run.file("repair.md")
        files.create(path, prompting.repair(problem, self.run.text("schema.json")).encode("utf-8"))
        self._story.note("note", "asks again for the report: " + problem)
        session = self._story.progress.session_id
        return self._turn(self.spec.replace(resume=True, session_id=session), _files(self.run, path))

    def _turn(self, spec: Spec, names: RunFiles) -> judge.Ended:
        adapter = backends.adapter_of(spec)
        command = adapter.command(spec, names)
        env = environ.for_worker(self._env, self.run.id, self.run.home.path, command.env)
        try:
            worker = self._start(command.argv, env, command.stdin, "raw.jsonl", "stderr.log")
        except OSError as e:
            words = "cannot start %s: %s" % (os.path.basename(command.argv[0]), e.strerror)
            return judge.Ended(cause=judge.LIMIT, error=words, exit_code=126 if e.errno == 13 else 127)
        self._story.note("started", "%s, pid %d" % (os.path.basename(command.argv[0]), worker.pid), worker=worker.pid)
        status, cause, words = self._follow(worker, adapter.INTERRUPT_FIRST)
        self.left += worker.clear_away()
        self._story.stream.drain()
        ended = judge.ended_by(status, cause, words or self._last_stderr())
        self._story.note("exited", "the worker ended: " + judge.how(ended))
        return ended

    def _start(self, argv: tuple[str, ...], env: dict[str, str], stdin: str, out: str, err: str) -> Worker:
        return Worker(self.run.id, self._alarm, argv, env, self._umask, stdin, self.run.file(out), self.run.file(err))

    def _follow(self, worker: Worker, interrupt_first: bool) -> tuple[int, str, str]:
        """Until the worker's process has ended: (wait status, cause, words)."""
        story, progress = self._story, self._story.progress
        began = last_output = time.monotonic()
        reported, nap = None, _SHORT_NAP
        while True:
            status = worker.ended()
            if status is not None:
                return status, judge.OWN, ""
            taken = story.stream.pump()
            if taken:
                last_output, nap = time.monotonic(), _SHORT_NAP if taken < stream.MOST else 0.0
            else:
                nap = min(max(nap, _SHORT_NAP) * 1.3, _LONG_NAP)
            if reported is None and progress.reported:
                reported = time.monotonic()
            story.status(RUNNING, progress.doing, worker.pid)
            facts = watch.Facts(now=time.monotonic(), started=began, last_output=last_output, reported=reported,
                                output_bytes=story.printed(), stop_asked=self.stop_asked())
            why = watch.why_stop(facts, self.spec.limits, self._config.exit_grace_s, progress)
            if why:
                story.note("note", why[1])
                return worker.stop(interrupt_first, self._config.stop_grace_s, story.stream.pump), *why
            self._alarm.sleep(nap)

    def _last_stderr(self) -> str:
        """The worker's last words beside its stream, which often are the reason."""
        tail = files.read_tail(self.run.file("stderr.log"), 2000).decode("utf-8", "replace").strip()
        return tail.rpartition("\n")[2][:500]

    # -- after the worker

    def verify(self) -> str:
        """Run the user's own check, as it was written down before the worker began.

        The command is the user's words, a shell line as in a Makefile: hence sh.
        """
        self._story.note("note", "check: " + self.spec.verify)
        env = environ.for_worker(self._env, self.run.id, self.run.home.path, ())
        try:
            check = self._start(("/bin/sh", "-c", self.spec.verify), env, "", "verify.log", "verify.log")
        except OSError as e:
            self._story.note("verified", "the check could not start: %s" % e.strerror)
            return CHECK_FAILED
        status = self._checked(check)
        self.left += check.clear_away()
        ended = judge.ended_by(status, judge.OWN, "")
        self._story.note("verified", "the check ended: " + judge.how(ended))
        return PASSED if ended.exit_code == 0 else CHECK_FAILED

    def _checked(self, check: Worker) -> int:
        deadline = time.monotonic() + self.spec.verify_timeout_s
        while True:
            status = check.ended()
            if status is not None:
                return status
            self._story.status(RUNNING, "verifies", check.pid)
            if self.stop_asked() or time.monotonic() > deadline or self._check_floods():
                return check.stop(False, self._config.stop_grace_s, lambda: None)
            self._alarm.sleep(_LONG_NAP)


    def _check_floods(self) -> bool:
        most = self.spec.limits.max_output_bytes
        return bool(most) and (files.size(self.run.file("verify.log")) or 0) > (most or 0)


def _files(run: Run, words: str) -> RunFiles:
    at = run.file
    schema = at("vendor-schema.json")
    return RunFiles(prompt=words, input=words,
                    instructions=at("instructions.md"), schema=schema if os.path.exists(schema) else at("schema.json"),
                    schema_text=run.text("schema.json"), last_message=at("last_message.txt"))


def _only_the_screen_went() -> bool:
    """A hang-up: did a person close the pane (stop), or did the whole tmux server die (go on)?"""
    word = os.environ.get("TMUX", "").rpartition(",")[0].rpartition(",")[2]
    deadline = time.monotonic() + _SERVER_DEATH_S
    while word.isdigit() and time.monotonic() < deadline:
        if not supervise.alive(int(word)):
            return True
        time.sleep(0.02)
    return False
