"""The pane's own process: owner of one run from its birth to its end.

Holds the run's lock, waits for what must come first, starts the worker, follows
what it prints, and writes the end. The order at the end loses nothing to a crash
between any two steps: worker reaped, report and checks, diff, result.json, one
line in notify.log, lock released, wake. Whoever finds a free lock and no result
settles the run (settle.py).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback

from . import bell
from . import birth
from . import checking
from . import config as configuration
from . import doubts
from . import environ
from . import files
from . import followup
from . import git
from . import judge
from . import labour
from . import notify
from . import queueing
from . import settle
from . import standstill
from . import store
from . import succession
from . import tmux
from . import view
from . import wake
from .attend import Attendant
from .config import Config
from .model import FAILED
from .model import FINISHED
from .model import SKIPPED
from .model import STOPPED
from .model import Git
from .model import Result
from .model import Spec
from .reports import report_of
from .screen import Screen
from .signals import STOPPING
from .signals import Alarm
from .store import Home
from .store import Run
from .story import Story
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Optional

_DISK_FULL_PATIENCE = 600


def main(home_path: str, run_id: str) -> int:
    """`agentctl _run HOME ID`: 0, or 1 where the run was settled before we came."""
    home = Home(home_path)
    born = birth.be_born(home, run_id, "%d %d\n" % (os.getpid(), time.time()))
    if born is None:
        print("run %s was settled before its runner came" % run_id, file=sys.stderr)
        return 1
    run, lock = born
    os.umask(0o077)
    env, umask = _take_over(run)
    alarm, screen = Alarm(), Screen(1, os.environ)
    spec, (config, problem) = run.spec(), configuration.load(home)
    screen.title(view.state_title(spec, "▶"))
    crew: list[Worker] = []
    result = _life(run, spec, config, alarm, screen, env, umask, crew)
    spec = run.spec() if spec.agent else spec  # as it was seen to be when its turn had come
    result = settle.housed(run, spec, result).replace(artifacts=settle.artifacts(run), finished_at=time.time())
    if problem:
        result = result.replace(warnings=(*result.warnings, problem))
    published = _publish(run, result, alarm, screen)
    if spec.agent:
        _quietly(lambda: _of_agent(run, spec, result))
    os.close(lock)
    if published:
        _quietly(lambda: _post_end(run, spec, result))
        _afterwards(home, config, spec, screen, result, env)
        _quietly(lambda: _note_end(run, result))
    for worker in crew:
        worker.dismiss_sentinel()  # last: should we be killed before, it has the rest done
    return 0


def _take_over(run: Run) -> tuple[dict[str, str], int]:
    """The caller's environment becomes ours, but for the pane's own; it leaves the disk."""
    pane = {k: os.environ[k] for k in ("TMUX", "TMUX_PANE", "TERM") if k in os.environ}
    path = run.file("environment")
    env, umask = environ.taken_over(files.read(path))
    files.remove(path)
    os.environ.clear()
    os.environ.update({**{k: v for k, v in env.items() if not k.startswith("TMUX")}, **pane})
    return env, umask


def _life(
    run: Run,
    spec: Spec,
    config: Config,
    alarm: Alarm,
    screen: Screen,
    env: dict[str, str],
    umask: int,
    crew: list[Worker],
) -> Result:
    """From birth to verdict."""
    try:
        for words, style in view.header(spec):
            screen.line(words, style)
        birth.make_durable(run)
        story = Story(run, spec, screen)
        attendant = Attendant(run, spec, config, story, alarm, env, umask, crew)
        return succession.arranged(attendant, _worked(attendant))
    except Exception as e:
        # A bug of ours, or a disk that failed, must end the run with a reason.
        _keep_traceback(run.home)
        return judge.blank(spec, FAILED, "agentctl failed: %s: %s" % (type(e).__name__, e))


def _keep_traceback(home: Home) -> None:
    try:
        fd = files.open_append(home.crash_log)
        files.write_all(
            fd, ("%s python %s\n%s\n" % (time.ctime(), sys.version.split()[0], traceback.format_exc())).encode()
        )
        os.close(fd)
    except OSError:
        pass  # nowhere left to write: the result's one line is all there is


def _worked(attendant: Attendant) -> Result:
    """Wait for whatever must come first, then work."""
    spec = attendant.spec
    blocked = queueing.wait_for_parents(attendant) or queueing.take_turn(attendant)
    if blocked:
        return judge.blank(spec, STOPPED if attendant.stopped else SKIPPED, blocked)
    spec, conversation = attendant.spec, queueing.join_conversation(attendant)
    try:
        queueing.take_slot(attendant)
        standstill.until_continued(attendant)
        if attendant.stop_asked():
            return judge.blank(spec, STOPPED, attendant.stopped)
        return _at_work(attendant, conversation)
    finally:
        queueing.leave_slot(attendant)


def _at_work(attendant: Attendant, conversation: Optional[queueing.Conversation]) -> Result:
    """With its slot, in its worktree if it is to have one."""
    if not attendant.spec.worktree.path:
        result = _in_place(attendant, conversation)
        return result.replace(warnings=(*result.warnings, *attendant.remarks))
    from . import isolation  # a millisecond, which most runs need not wait for

    wrong = isolation.prepare(attendant)
    if wrong:
        return judge.blank(attendant.spec, STOPPED if attendant.stopped else FAILED, wrong)
    result = _in_place(attendant, conversation)
    isolation.leave(attendant)
    return result.replace(warnings=(*result.warnings, *attendant.remarks))


def _in_place(attendant: Attendant, conversation: Optional[queueing.Conversation]) -> Result:
    """Work, judge, check."""
    spec, story = attendant.spec, attendant.story
    if not os.path.isdir(spec.cwd):
        return judge.blank(spec, FAILED, "the directory %s is gone" % spec.cwd)
    if conversation:
        story.progress.go_on_after(conversation.used_before())
    os.chdir(spec.cwd)
    if spec.composed or attendant.seed:
        from . import briefing  # most prompts are whole when they are given

        wrong = briefing.complete(attendant)
        if wrong:
            return judge.blank(spec, FAILED, wrong)
    result = _judged(attendant)
    if conversation:
        conversation.leave(result.usage_session)
    if spec.verify and result.status == FINISHED:
        result = judge.checked(result, checking.verify(attendant), attendant.stopped)
    said = doubts.circumstances(spec, result, attendant.left, story.stream.problem)
    return result.replace(warnings=(*result.warnings, *said), conversation=attendant.conversation)


def _judged(attendant: Attendant) -> Result:
    """The worker's time and what came of it: its report, and the changes in its directory."""
    run, spec, progress = attendant.run, attendant.spec, attendant.story.progress
    kept = labour.may_begin(attendant)
    started = time.time()
    before = git.snapshot(spec.cwd, run.file("git"))
    ended = kept or labour.work(attendant)
    report, problem = _report(attendant)
    if report is None and labour.may_ask_again(attendant, ended):
        ended = labour.ask_again(attendant, problem)
        report, problem = _report(attendant)
    result = judge.judge(spec, progress, ended, report, problem).replace(started_at=started)
    changed = _changes(run, spec, before)
    result = judge.with_git(result, changed)
    return result.replace(warnings=doubts.remarks(spec, result, changed))


def _report(attendant: Attendant) -> tuple[Optional[dict[str, Any]], str]:
    """The worker's report where it is valid, else None and what is wrong. A command gives none."""
    if not attendant.spec.asks_model:
        return attendant.story.progress.report, ""
    return report_of(attendant.story.progress, files.load(attendant.run.file("schema.json")))


def _changes(run: Run, spec: Spec, before: git.Snapshot) -> Git:
    scratch = run.file("git")
    try:
        return git.changes(spec.cwd, scratch, before, run.file("diff.stat"), run.file("diff.patch"))
    finally:
        if os.path.isdir(scratch):  # rmtree of nothing costs ten times this look, and waiters wait for it
            shutil.rmtree(scratch, ignore_errors=True)


def _of_agent(run: Run, spec: Spec, result: Result) -> None:
    """Before the lock is free: who waited for its answer finds an ephemeral agent gone."""
    from . import fleet  # most runs are nobody's

    fleet.ended(run.home, spec, result)


def _publish(run: Run, result: Result, alarm: Alarm, screen: Screen) -> bool:
    """result.json, then the line in notify.log. A full disk is waited for, then left to a reader."""
    deadline = time.monotonic() + _DISK_FULL_PATIENCE
    while time.monotonic() < deadline:
        try:
            store.end(run, result)
        except (FileNotFoundError, NotADirectoryError):
            return False  # the folder is gone: there is nowhere to write
        except OSError as e:
            screen.line("cannot write the result: %s; trying again" % e.strerror, "red")
            alarm.sleep(0.5)
            if alarm.take(STOPPING):
                return False
            continue
        _quietly(lambda: notify.tell(run, result))
        return True
    return False


def _post_end(run: Run, spec: Spec, result: Result) -> None:
    """The event, on which the wake waits."""
    notify.post_end(run, spec, result)


def _note_end(run: Run, result: Result) -> None:
    """The mark is last: what is not marked is looked at again, by whoever comes."""
    store.tidy(run)
    bell.remove_all(run.file(bell.OF_RUN))
    notify.note_end(run, result)


def _quietly(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError:
        pass  # a full disk: who waits must not wait for notify.log, the next reader repairs it


def _afterwards(home: Home, config: Config, spec: Spec, screen: Screen, result: Result, env: dict[str, str]) -> None:
    """After the lock is free: the follow-up run, the wake, the last words in the pane."""
    good = judge.exit_code([result]) == 0
    try:
        if result.successor:
            followup.launch_staged(home, config, result.successor, env)
        wake.end_of(home, config, spec, "agentctl: run %s %s" % (result.run_id, result.status), os.environ)
        screen.let_go()
        for words, style in view.footer(result):
            screen.line(words, style)
        screen.title(view.state_title(spec, "✔" if good else "✖"))
        server, pane = tmux.of_caller(os.environ)
        if screen.alive and (config.keep_panes == "always" or config.keep_panes == "failed" and not good):
            tmux.keep_when_dead(server, pane)
    except Exception as e:
        # The result is published: whatever breaks here is a hint lost, not a run.
        screen.line("not everything could be told: %s" % e, "dim")
