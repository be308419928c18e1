"""What became of a run: a pure verdict from what was seen.

Three axes that never mix. `status` is about the process, `goal_met` is the
worker's claim, `verified` is our own check. Exit code 0 without a valid report is
`failed`; no claim is believed of a worker that ended with an error (both vendors
exit 0 in cases where nothing was done: see the adapters).
"""

from __future__ import annotations

from . import text
from .model import CHECK_FAILED
from .model import ENDED
from .model import FAILED
from .model import FINISHED
from .model import PASSED
from .model import STOPPED
from .model import TIMED_OUT
from .model import UNCHECKED
from .model import Git
from .model import Result
from .model import Spec
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from .progress import Progress

MOST_LISTED = 2000
"""Files that a run's stream, or git, lists at most."""
_LONG_NAME = 6 * 1024
OWN, STOP, TIMEOUT, IDLE, LINGERED, LIMIT = "own", "stop", "timeout", "idle", "lingered", "limit"


class Ended(Record):
    """How the worker's process ended: by itself (`own`) or because of us, and why."""

    cause: str = OWN
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    error: str = ""


def ended_by(status: int, cause: str, error: str) -> Ended:
    """From a wait status, as `os.waitpid` gives it."""
    import os

    code = os.waitstatus_to_exitcode(status)
    return Ended(cause=cause, error=error, exit_code=code if code >= 0 else None, signal=-code if code < 0 else None)


def judge(spec: Spec, progress: Progress, ended: Ended, report: Optional[dict[str, Any]], problem: str) -> Result:
    """The result without the checks and git facts. `report` is valid or None, `problem` why."""
    if spec.backend == "shell":
        status, error, report = _of_command(ended, progress)
    elif spec.backend == "goal":
        status, error, report = _of_goal(ended, report)
    else:
        status, error = _of_worker(ended, progress, report, problem)
    claim = report or {}
    found = PASSED if spec.backend == "goal" and claim.get("checked") and claim.get("goal_met") else UNCHECKED
    return seen(blank(spec, status, error), progress).replace(
        goal_met=claim.get("goal_met") if status == FINISHED else None,
        verified=found,
        summary=claim.get("summary") or "",
        followup_prompt=claim.get("followup_prompt") or "",
        notes=claim.get("notes") or "",
        report=report,
        exit_code=ended.exit_code,
        signal=ended.signal,
    )


def blank(spec: Spec, status: str, error: str) -> Result:
    """What the run was and how it ended; nothing of what was done in it."""
    return Result(
        run_id=spec.id,
        status=status,
        error=error,
        title=spec.title,
        project=spec.project,
        cwd=spec.cwd,
        backend=spec.backend,
        profile=spec.profile,
        model=spec.model,
        agent=spec.agent,
        role=spec.role,
        workflow=spec.workflow,
        goal=spec.goal,
        step=spec.step,
        parent=spec.parent,
        session_id=spec.session_id if spec.resume else "",
        created_at=spec.created_at,
    )


def seen(result: Result, progress: Progress) -> Result:
    """Add what the worker's events tell."""
    return result.replace(
        model=progress.model or result.model,
        session_id=progress.session_id or result.session_id,
        usage=progress.usage,
        usage_session=progress.usage_session,
        billing=progress.billing,
        context_tokens=progress.context_tokens,
        context_window=progress.context_window,
        messages=progress.messages,
        tool_calls=dict(progress.tool_calls),
        files_read=bounded(progress.files_read),
        files_written=bounded(progress.files_written),
        denied=bounded(progress.denied),
        retries=progress.retries,
        limit=progress.limit,
    )


def _of_command(ended: Ended, progress: Progress) -> tuple[str, str, Optional[dict[str, Any]]]:
    """The shell backend: the exit code is the claim, the last lines are the summary."""
    tail = "\n".join(progress.tail)
    if ended.cause in _BY_US:
        return _BY_US[ended.cause], ended.error, None
    if ended.exit_code is None:
        return FAILED, ended.error or "killed by signal %s" % ended.signal, None
    met = ended.exit_code == 0
    notes = "" if met else "exit code %d" % ended.exit_code
    return FINISHED, "", {"goal_met": met, "summary": tail, "followup_prompt": "", "notes": notes}


def _of_goal(ended: Ended, report: Optional[dict[str, Any]]) -> tuple[str, str, Optional[dict[str, Any]]]:
    """Our own driver: its exit code is the verdict, 0 accepted and 3 not, whatever its report says."""
    if ended.cause in _BY_US:
        return _BY_US[ended.cause], ended.error, None
    if ended.exit_code not in (0, 3):
        return FAILED, "the goal's driver ended with %s" % (ended.error or how(ended)), None
    return FINISHED, "", {**(report or {}), "goal_met": ended.exit_code == 0}


_BY_US = {STOP: STOPPED, TIMEOUT: TIMED_OUT, IDLE: TIMED_OUT, LIMIT: FAILED}


def _of_worker(ended: Ended, progress: Progress, report: Optional[dict[str, Any]], problem: str) -> tuple[str, str]:
    if ended.cause in _BY_US:
        return _BY_US[ended.cause], ended.error
    if progress.fatal:
        return FAILED, progress.fatal
    if progress.reported and not progress.ok:
        return FAILED, progress.reason or "the worker reported an error"
    if ended.cause == OWN and ended.exit_code != 0:
        how = "killed by signal %s" % ended.signal if ended.exit_code is None else "exit code %d" % ended.exit_code
        return FAILED, ": ".join(p for p in ("the worker ended with " + how, progress.error or ended.error) if p)
    if report is None:
        return FAILED, "no valid report: " + (problem or "the worker gave none")
    return FINISHED, ""


def how(ended: Ended) -> str:
    """`exit code 1`, `signal 9`; with our reason where it was us."""
    words = "signal %d" % ended.signal if ended.signal is not None else "exit code %s" % ended.exit_code
    return words if ended.cause == OWN else "%s (%s)" % (words, ended.error)


def with_git(result: Result, git: Git) -> Result:
    """Add what changed in the directory."""
    return result.replace(
        git_base=git.base,
        git_head=git.head,
        git_commits=git.commits,
        git_diff_stat=git.diff_stat,
        git_files=bounded(git.files),
    )


def bounded(names: Sequence[str], most: int = 1 << 18) -> tuple[str, ...]:
    """As many of the names as fit in `most` bytes of JSON, so that a result stays readable."""
    kept, size = [], 0
    for name in names:
        size += 6 * len(name) + 4
        if size > most:
            break
        kept.append(name)
    return tuple(kept)


def may_be_cut(names: Sequence[str], most: int = 1 << 18) -> bool:
    """Whether there may have been more of them: `bounded` took names away, or whoever listed them stopped."""
    return len(names) >= MOST_LISTED or sum(6 * len(name) + 4 for name in names) > most - _LONG_NAME


DEGENERATE = "doubtful report: "


def checked(result: Result, verified: str, stopped: str) -> Result:
    """Add what our check found; a doubtful report never counts as verified."""
    if stopped:
        return result.replace(status=STOPPED, error="%s, during its check" % stopped, goal_met=None)
    if any(w.startswith(DEGENERATE) for w in result.warnings) and verified != CHECK_FAILED:
        verified = UNCHECKED
    return result.replace(verified=verified)


NOT_MET, CHECK_SAID_NO = "not_met", "check_failed"
SHORTFALLS = (NOT_MET, CHECK_SAID_NO, *(status for status in ENDED if status != FINISHED))


def shortfall(result: Result) -> str:
    """How the run fell short: a status that is not `finished`, `not_met`, `check_failed`; "" where it did not."""
    if result.status != FINISHED:
        return result.status
    return NOT_MET if result.goal_met is False else CHECK_SAID_NO if result.verified == CHECK_FAILED else ""


def wants_escalation(result: Result) -> bool:
    """The goal was not reached by the worker's own word, our check, or its failure."""
    return shortfall(result) in (NOT_MET, CHECK_SAID_NO, FAILED)


def exit_code(results: list[Result]) -> int:
    """The verdict of `wait`: the worst of 0 done, 3 not met, 4 not finished."""
    return max((_code(r) for r in results), default=0)


def _code(result: Result) -> int:
    short = shortfall(result)
    return 3 if short in (NOT_MET, CHECK_SAID_NO) else 4 if short else 0


def outcome(status: str, goal_met: Optional[bool], verified: str) -> str:
    """`finished, goal met, check passed`: the three things that are told apart."""
    said = [status]
    if goal_met is not None and status == FINISHED:
        said.append("goal met" if goal_met else "goal not met")
    if verified not in (UNCHECKED, ""):
        said.append("check %s" % verified)
    return ", ".join(said)


def headline(result: Result) -> str:
    """One line for people: `finished, goal met, check passed · 2 files · 3m05s`."""
    parts = [outcome(result.status, result.goal_met, result.verified)]
    if result.error:
        parts.append(text.one_line(result.error, 160))
    if result.git_files:
        parts.append("%d file%s" % (len(result.git_files), "" if len(result.git_files) == 1 else "s"))
    if result.started_at:
        parts.append(text.duration(result.finished_at - result.started_at))
    return " · ".join(parts)
