"""What to do about a branch that conflicts: its own worker is asked to rebase it.

A ready prompt is written down; the offer is a `resume` of the run with it, which the
user starts, or has started at once.
"""

from __future__ import annotations

import os

from .. import api
from .. import files
from .. import prompting
from ..errors import AgentctlError
from ..request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store import Home
    from .fates import Fate
    from .fates import Report

_WORDS = """Your branch `%s` can no longer be merged into `%s`: both changed the same places.

Rebase it, in this worktree: `git rebase %s`. Solve each conflict so that what you did
and what is on `%s` by now both keep working; drop neither. Then run the tests, and commit.
If the rebase cannot be finished, `git rebase --abort` and say in your report what is in the way.

%s"""


def offer(home: Home, report: Report, fate: Fate) -> str:
    """A command that asks the run's worker to rebase; "" for a run that no conversation belongs to."""
    if fate.backend == "shell":
        return ""
    import shlex

    path = _path(home, fate.run_id)
    files.replace(path, prompt(report, fate).encode("utf-8", "surrogateescape"))
    return "agentctl resume --parent-run-id %s --prompt-file %s" % (fate.run_id, shlex.quote(path))


def forget(home: Home, run_id: str) -> None:
    """The run has landed: there is nothing to rebase."""
    files.remove(_path(home, run_id))


def _path(home: Home, run_id: str) -> str:
    return os.path.join(home.custody, "rebase-%s.md" % run_id)


def start(home: Home, report: Report, fate: Fate) -> str:
    """Start that resume; the new run's id. Raises AgentctlError."""
    if fate.backend == "shell":
        raise AgentctlError("run %s was a command: it cannot be asked to rebase" % fate.run_id)
    return api.resume(home, fate.run_id, Request(prompt=prompt(report, fate)))


def prompt(report: Report, fate: Fate) -> str:
    """What its worker is told. File names are data: who wrote them is another worker."""
    onto = report.kept or report.into
    listed = prompting.data_section("Files in conflict", "\n".join(fate.files))
    return _WORDS % (fate.branch, report.into, onto, report.into, listed)
