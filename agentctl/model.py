"""The words of the program as values. Pure; imports nothing that costs time.

Unknown is None and stays None: a missing token count or price is never 0.
Times are seconds since the epoch (float, UTC); durations are seconds.
"""

from __future__ import annotations

from .event import KINDS as KINDS
from .event import Event as Event
from .measures import Limits as Limits
from .measures import Usage as Usage
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

FORMAT = 1
"""Version of the files in a home. A home written by any released version loads for ever."""

QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
LIVE = (QUEUED, RUNNING, PAUSED)
FINISHED, FAILED, STOPPED = "finished", "failed", "stopped"
TIMED_OUT, SKIPPED, LOST = "timed_out", "skipped", "lost"
ENDED = (FINISHED, FAILED, STOPPED, TIMED_OUT, SKIPPED, LOST)

READ_ONLY, EDIT, FULL = "read-only", "edit", "full"
PERMISSIONS = (READ_ONLY, EDIT, FULL)


def narrower(permissions: str, most: str) -> str:
    """The lesser of two permissions; "" as the most takes nothing away."""
    return min(permissions, most or permissions, key=PERMISSIONS.index)


PASSED, CHECK_FAILED, UNCHECKED = "passed", "failed", "none"


class Wake(Record):
    """Whom to tell of the run: whose inbox, and the pane that called `start`, on its tmux server.

    `run` is the caller itself where it was a worker: what it called its own run is a worker's words.
    """

    orchestrator: str = ""
    run: str = ""
    pane: str = ""
    socket: str = ""
    server_pid: int = 0
    pane_pid: int = 0


class Worktree(Record):
    """A checkout of a run's own, as it is planned and then made.

    `run` is the run it was made for, which a resumed run is not; `path` its top directory,
    `inside` where below it the run stands. `branch` begins at the commit `base`. `common`
    is the git directory that all worktrees of the repository share; `source` the checkout
    it was asked from, "" in a bare repository.
    """

    run: str = ""
    path: str = ""
    inside: str = ""
    branch: str = ""
    base: str = ""
    common: str = ""
    source: str = ""

    def written_by_commits(self) -> tuple[str, ...]:
        """The folders of the common git directory that a commit on the branch writes in."""
        below = self.branch.rpartition("/")[0]
        places = ("objects", "refs/heads/" + below, "logs/refs/heads/" + below, "worktrees/" + self.run)
        return tuple("%s/%s" % (self.common, place) for place in places) if below else ()

    def of_run(self, run_id: str) -> Worktree:
        """The plan, completed by the id of the run that it is for."""
        return self.replace(run=run_id, path="%s/%s" % (self.path, run_id), branch=self.branch + run_id[-4:])


class Spec(Record):
    """meta.json: what was asked. Written once by `start`, before the run is born.

    `session_id` with `resume` false is an id given to the vendor in advance; with
    `resume` true it is the conversation to go on with. `usage_before` is what that
    conversation had used, for vendors whose figures are cumulative.
    `top` is the top directory of the repository that `cwd` is in. `asked_backend` and
    `asked_limits` are what the caller himself set, which an escalation keeps.
    `argv` is the command of the `shell` backend. `allow` are the vendor's own
    permission rules of the profile. `instructions` says that instructions.md exists.
    `custom` describes a backend of the user's own. `setup` is the project's command for a
    new worktree. `touches` are globs of what the caller expects to change. At most
    `batch_parallel` runs of one `batch` work at a time. `workflow` and `step` name the
    graph it is part of; `continue_on` are the ends of this run (see judge.shortfall) in
    spite of which those that come after it begin. `composed`: its prompt is completed out
    of parts.json once the runs before it have ended. Of a run of an agent, `parent` is the
    agent's run before it, and which session it goes on with is seen when its turn comes:
    none where it is to begin `fresh`, or where more than `conversation_limit` tokens of
    context are used. `goal` is the run of the goal that it works for, whose `step` it then is.
    `mcp` is the argv of the one MCP server that its worker is given, `mcp_env` the variables it
    needs where its vendor hands over only those that are named, `mcp_closed` the names of the
    user's own servers where these must be closed by name. `fallback` are the
    backends that go on for it where its vendor has no more to give, `fallen_from` those that had not.
    """

    format: int = FORMAT
    id: str = ""
    title: str = ""
    project: str = ""
    cwd: str = ""
    top: str = ""
    backend: str = ""
    asked_backend: str = ""
    executable: str = ""
    argv: tuple[str, ...] = ()
    profile: str = ""
    model: str = ""
    effort: str = ""
    permissions: str = EDIT
    allow: tuple[str, ...] = ()
    trusted: bool = False
    instructions: bool = False
    agent: str = ""
    role: str = ""
    goal: str = ""
    session_id: str = ""
    resume: bool = False
    usage_before: Usage = Usage()
    parent: str = ""
    after: tuple[str, ...] = ()
    verify: str = ""
    verify_timeout_s: float = 600.0
    limits: Limits = Limits()
    asked_limits: Limits = Limits()
    escalate_to: str = ""
    escalated_from: tuple[str, ...] = ()
    default_schema: bool = True
    pane: bool = True
    wake: Wake = Wake()
    custom: Optional[dict[str, Any]] = None
    worktree: Worktree = Worktree()
    setup: str = ""
    touches: tuple[str, ...] = ()
    batch: str = ""
    batch_parallel: Optional[int] = None
    workflow: str = ""
    step: str = ""
    continue_on: tuple[str, ...] = ()
    composed: bool = False
    fresh: bool = False
    conversation_limit: Optional[int] = None
    mcp: tuple[str, ...] = ()
    mcp_env: tuple[str, ...] = ()
    mcp_closed: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    fallen_from: tuple[str, ...] = ()
    created_at: float = 0.0

    @property
    def asks_model(self) -> bool:
        """Whether its prompt goes to a model: a command has none, a goal's driver asks others."""
        return self.backend not in ("shell", "goal")

    @property
    def delegates(self) -> bool:
        """Whether others do its work: it is quiet as long as they take."""
        return bool(self.mcp) or self.backend == "goal"

    def of_id(self, run_id: str) -> Spec:
        """The spec with the id it got, which names a worktree that is still to be made."""
        spec = self.replace(id=run_id)
        if not spec.worktree.path or spec.worktree.run:
            return spec
        own = spec.worktree.of_run(run_id)
        return spec.replace(worktree=own, top=own.path, cwd=own.path + ("/" + own.inside if own.inside else ""))


class RunFiles(Record):
    """Absolute paths an adapter may name in a command. It opens none of them.

    `prompt` is what was asked; `input` is what the worker reads on stdin (the
    prompt, with instructions or schema put before it where the vendor has no flag).
    """

    prompt: str = ""
    input: str = ""
    instructions: str = ""
    schema: str = ""
    schema_text: str = ""


class Command(Record):
    """What to execute: argv, the file for stdin, and additions to the environment."""

    argv: tuple[str, ...] = ()
    stdin: str = ""
    env: tuple[tuple[str, str], ...] = ()


class Git(Record):
    """What became of the run's directory, against the state it had at birth."""

    base: str = ""
    head: str = ""
    diff_stat: str = ""
    files: tuple[str, ...] = ()
    commits: int = 0
    note: str = ""


class Result(Record):
    """result.json, written once, last; also what `show` and `wait` print.

    Three axes that never mix: `status` is what happened to the process, `goal_met`
    what the worker claims, `verified` what our own check found.
    `warnings` are the runner's remarks about the claim and the circumstances.
    `conversation` says why a run of an agent did not go on with the conversation it had.
    `messages` counts what the worker said, not what its own subagents did.
    `billing` is who pays: "api", "subscription", or "" where the worker did not tell.
    `fell_back_to` is the run with another backend that goes on for it after a vendor's limit.
    """

    format: int = FORMAT
    run_id: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = UNCHECKED
    summary: str = ""
    followup_prompt: str = ""
    notes: str = ""
    report: Optional[dict[str, Any]] = None
    error: str = ""
    warnings: tuple[str, ...] = ()
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    title: str = ""
    project: str = ""
    cwd: str = ""
    backend: str = ""
    profile: str = ""
    model: str = ""
    agent: str = ""
    role: str = ""
    workflow: str = ""
    goal: str = ""
    step: str = ""
    parent: str = ""
    escalated_to: str = ""
    fell_back_to: str = ""
    conversation: str = ""
    session_id: str = ""
    branch: str = ""
    worktree: str = ""
    usage: Usage = Usage()
    usage_session: Usage = Usage()
    billing: Optional[str] = None
    context_tokens: Optional[int] = None
    context_window: Optional[int] = None
    messages: Optional[int] = None
    tool_calls: Optional[dict[str, int]] = None
    files_read: tuple[str, ...] = ()
    files_written: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    retries: int = 0
    limit: Optional[dict[str, Any]] = None
    git_base: str = ""
    git_head: str = ""
    git_commits: int = 0
    git_diff_stat: str = ""
    git_files: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    created_at: float = 0.0
    started_at: Optional[float] = None
    finished_at: float = 0.0

    @property
    def successor(self) -> str:
        """The run that goes on for this one, to whatever end; "" where none does."""
        return self.escalated_to or self.fell_back_to
