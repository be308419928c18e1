"""The worker's time: start it, follow what it prints, end it, leave nothing of it.

The loop ends on the worker's exit, not on the end of its output: a server it left
behind must not hold the run.
"""

from __future__ import annotations

import errno
import os
import time

from . import backends
from . import files
from . import judge
from . import needs
from . import piping
from . import planning
from . import prompting
from . import standstill
from . import stream
from . import supervise
from . import watch
from .attend import LONG_NAP
from .model import RUNNING
from .model import RunFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .attend import Attendant
    from .model import Spec
    from .store import Run
    from .worker import Worker

_SHORT_NAP = 0.1
_BUDGET_NAP = 0.2


def may_begin(attendant: Attendant) -> Optional[judge.Ended]:
    """Wait until the vendor's account has something to give; why there is nothing to begin, else None."""
    spec = attendant.spec
    if not spec.asks_model:
        return None  # a command has no vendor, and costs nothing that we could count
    from . import held
    from . import holds

    attendant.pool = holds.pool(spec.backend, attendant.variable)
    return held.may_begin(attendant) or _day_over(attendant)


def _day_over(attendant: Attendant) -> Optional[judge.Ended]:
    if not attendant.config.day_limits:
        return None
    from . import budgets

    attendant.day = attendant.day or budgets.of_run(attendant.run.home, attendant.config, attendant.spec)
    over = attendant.day.over(attendant.story.progress.usage, time.time()) if attendant.day else ""
    return judge.Ended(cause=judge.LIMIT, error=over) if over else None


def _spent(attendant: Attendant) -> Optional[judge.Ended]:
    """Of the run's own budget nothing may be left, where it is to go on."""
    from . import budgets

    over = budgets.exhausted(attendant.spec.limits, attendant.story.progress.usage, "its")
    return judge.Ended(cause=judge.LIMIT, error="stopped: " + over) if over else None


def work(attendant: Attendant) -> judge.Ended:
    """The worker's time, however often its vendor's limits interrupt it. Everything it started is gone afterwards."""
    if not attendant.spec.asks_model:
        return _turn(attendant, attendant.spec, attendant.run.file("prompt.md"))
    from . import held

    began = time.time()
    ended = _started(attendant, attendant.spec, attendant.run.file("input.md"))
    while held.goes_on(attendant, ended, began):
        over = _spent(attendant) or may_begin(attendant)
        if over:
            return over.replace(exit_code=ended.exit_code, signal=ended.signal)
        began = time.time()
        ended = _started(attendant, *_going_on(attendant))
    return ended


def _started(attendant: Attendant, spec: Spec, words: str) -> judge.Ended:
    """A turn, at the moment that is ours, unless something has come between since the last look."""
    from . import stagger

    stagger.await_turn(attendant)
    standstill.until_continued(attendant)
    if attendant.stop_asked():
        return judge.Ended(cause=judge.STOP, error=attendant.stopped)
    over = may_begin(attendant)
    return over or _turn(attendant, spec, words)


def _going_on(attendant: Attendant) -> tuple[Spec, str]:
    """How the worker is started again, and the file with its words: in its session where that got an answer.

    What its vendor's program holds it to is what is left of the run's budget.
    """
    from . import budgets

    run, progress = attendant.run, attendant.story.progress
    spec = attendant.spec.replace(limits=budgets.left(attendant.spec.limits, progress.usage))
    adapter = backends.adapter_of(spec)
    resumed = spec.replace(resume=True, session_id=progress.session_id)
    if not (progress.session_id and (progress.messages or progress.tool_calls)) or adapter.refuse(resumed):
        fresh = adapter.PRESET_SESSION and not spec.resume
        return spec.replace(session_id=planning.new_session()) if fresh else spec, run.file("input.md")
    from . import briefing  # most runs are started once

    path = run.file("continue.md")
    files.replace(path, briefing.as_input(run, spec, prompting.CONTINUATION).encode("utf-8"))
    attendant.story.note("note", "goes on in its session")
    return resumed, path


def may_ask_again(attendant: Attendant, ended: judge.Ended) -> bool:
    """Whether a report that is missing may be asked for once more, in the same conversation.

    Only of a vendor without a schema flag, whose worker ended well by itself.
    """
    spec, progress = attendant.spec, attendant.story.progress
    if spec.custom or not spec.asks_model or backends.adapter(spec.backend).SCHEMA_FLAG:
        return False
    return ended.cause in (judge.OWN, judge.LINGERED) and bool(progress.ok and progress.session_id)


def ask_again(attendant: Attendant, problem: str) -> judge.Ended:
    """One more turn, for a report that its vendor could not enforce."""
    path = attendant.run.file("repair.md")
    files.create(path, prompting.repair(problem, attendant.run.text("schema.json")).encode("utf-8"))
    attendant.story.screen.let_go()
    attendant.story.note("note", "asks again for the report: " + problem)
    attendant.began = None  # with its own time
    session = attendant.story.progress.session_id
    return _turn(attendant, attendant.spec.replace(resume=True, session_id=session), path)


def _turn(attendant: Attendant, spec: Spec, words: str) -> judge.Ended:
    adapter, story = backends.adapter_of(spec), attendant.story
    command = adapter.command(spec, _files(attendant.run, words))
    program = os.path.basename(command.argv[0])
    _note_start(attendant.run)
    try:
        worker = attendant.start(command.argv, command.env, command.stdin, lambda: _outlet(attendant.run, spec))
    except OSError as e:
        code = 127 if e.errno == errno.ENOENT else 126
        return judge.Ended(cause=judge.LIMIT, error="cannot start %s: %s" % (program, e.strerror), exit_code=code)
    try:
        story.worker_started = supervise.start_time(worker.pid)
        story.note("started", "%s, pid %d" % (program, worker.pid), worker=worker.pid)
        status, cause, why = _follow(attendant, worker, adapter.INTERRUPT_FIRST)
    except BaseException:
        worker.stop(adapter.INTERRUPT_FIRST, attendant.config.stop_grace_s, lambda: None)
        raise
    finally:
        attendant.left += worker.clear_away()
        attendant.remarks += worker.remarks()
    story.screen.hold_back()
    story.stream.drain(attendant.spec.limits.max_output_bytes)
    if (spec.custom or {}).get("stream", spec.backend) == "codex":
        _tell_context(attendant, dict(command.env))
    needs.Teller(attendant.run, spec).look(needs.news(story.progress))  # what came since the last look
    ended = judge.ended_by(status, cause, why or (_last_stderr(attendant.run) if status else ""))
    story.note("exited", "the worker ended: " + judge.how(ended))
    return ended


def _outlet(run: Run, spec: Spec) -> piping.Outlet:
    through = piping.of_command if spec.backend == "shell" else piping.Direct
    return through(run.file("raw.jsonl"), run.file("stderr.log"))


def _note_start(run: Run) -> None:
    """Where in raw.jsonl the output of a further worker begins: nothing in it tells."""
    at = files.size(run.file("raw.jsonl"))
    if at:
        files.append_line(run.file(stream.STARTS), "%d" % at)


def _tell_context(attendant: Attendant, env: dict[str, str]) -> None:
    """How full the context is, which Codex writes into its own file only."""
    from . import rollouts  # of one vendor

    story = attendant.story
    home = env.get("HOME") or attendant.variable("HOME")
    folder = env.get("CODEX_HOME") or attendant.variable("CODEX_HOME") or os.path.join(home, ".codex")
    used, window = rollouts.context(folder, story.progress.session_id, time.time())
    told = {"context_tokens": used, "context_window": window}
    if used is not None:
        story.note("usage", "", scope="message", **{name: n for name, n in told.items() if n is not None})


def _files(run: Run, words: str) -> RunFiles:
    at = run.file
    schema = at("vendor-schema.json")
    return RunFiles(
        prompt=words,
        input=words,
        instructions=at("instructions.md"),
        schema=schema if os.path.exists(schema) else at("schema.json"),
        schema_text=run.text("schema.json"),
    )


def _follow(attendant: Attendant, worker: Worker, interrupt_first: bool) -> tuple[int, str, str]:
    """Until the worker's process has ended: (wait status, cause, words)."""
    story, config = attendant.story, attendant.config
    teller = needs.Teller(attendant.run, attendant.spec)
    notice = 0.0 if attendant.spec.delegates else config.idle_notice_s
    began = attendant.began = attendant.now() if attendant.began is None else attendant.began
    last_output = attendant.now()
    reported, nap, longest = None, _SHORT_NAP, _longest_nap(attendant)
    while True:
        status = worker.ended()
        if status is not None:
            return status, judge.OWN, ""
        taken = story.stream.pump()
        if taken:
            last_output, nap = attendant.now(), _SHORT_NAP if taken < stream.MOST else 0.0
        else:
            nap = min(max(nap, _SHORT_NAP) * 1.3, longest)
        if reported is None and story.progress.reported:
            reported = attendant.now()
        standstill.hold(attendant, worker)
        story.status(RUNNING, story.progress.doing, worker.pid)
        facts = _facts(attendant, began, last_output, reported)
        teller.look(needs.needs(story.progress, attendant.spec.limits, facts.now - last_output, notice))
        why = watch.why_stop(facts, attendant.spec.limits, config.exit_grace_s, story.progress)
        if why:
            story.note("note", why[1])
            return worker.stop(interrupt_first, config.stop_grace_s, story.stream.pump), *why
        worker.reap_orphans()
        attendant.nap(nap)


def _longest_nap(attendant: Attendant) -> float:
    """Who has a budget is looked at often enough that no second turn of a model is over before it is stopped."""
    limits = attendant.spec.limits
    budgets = (limits.max_cost_usd, limits.max_turns, limits.max_tokens, attendant.day)
    return LONG_NAP if budgets == (None, None, None, None) else _BUDGET_NAP


def _facts(attendant: Attendant, began: float, last_output: float, reported: Optional[float]) -> watch.Facts:
    return watch.Facts(
        now=attendant.now(),
        started=began,
        last_output=last_output,
        reported=reported,
        output_bytes=attendant.story.printed(),
        stop_asked=attendant.stop_asked(),
        day_over=attendant.day.over(attendant.story.progress.usage, time.time()) if attendant.day else "",
    )


def _last_stderr(run: Run) -> str:
    """The worker's last words beside its stream, which often are the reason."""
    tail = files.read_tail(run.file("stderr.log"), 2000).decode("utf-8", "replace").strip()
    return tail.rpartition("\n")[2][:500]
