"""The facts of a run, read from its folder within bounds, as a page.

What is too long is there from both ends, and the page says how much is left out and which
command prints the whole: 100 MB of events make no page of 100 MB.
"""

from __future__ import annotations

from .. import files
from .. import judge
from .. import listing
from .. import text
from ..figures import touched
from ..model import LIVE
from ..model import Result
from ..stream import decoded
from . import ends
from . import figuring
from . import page
from . import patches
from . import timeline
from .page import Page
from .page import Patch
from .page import Text
from .page import Touched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ..model import Event
    from ..model import Spec
    from ..store import Home
    from ..store import Run
    from .ends import Most
    from .page import Entry

MOST_PATCH = 1 << 20
_MOST_FILES = 500
_MOST_PROMPT = (64 << 10, 16 << 10)
_MOST_LOG = (4 << 10, 28 << 10)
_MOST_LAST = 10
_MOST_SAID = (32 << 10, 8 << 10)
_LOGS = (("check", "verify.log"), ("setup", "setup.log"), ("stderr of the worker", "stderr.log"))
_SAID = (("summary", "Summary"), ("notes", "Notes"), ("followup_prompt", "What is left to do"))


def run_page(home: Home, run: Run, now: float) -> Page:
    """The page of a run. A run whose runner is gone is settled on the way. Raises AgentctlError, OSError."""
    known, spec = listing.known(run, now), run.spec()
    result = Result.from_json(known)
    figures, priced = figuring.of_record(home, known, spec, now)
    entries, patch = entries_of(run, ends.Most(), began(result, spec)), patch_of(run, result)
    files_touched = touches(home, run.id, now)
    return Page(
        ident=run.id,
        title=spec.title or result.title or run.id,
        lead=lead(spec, result),
        made_at=now,
        began_at=began(result, spec),
        badges=badges(result),
        figures=(*figuring.tiles(result, figures, priced, now), *figuring.changed(patch)),
        error=result.error,
        warnings=tuple(filter(None, (result.conversation, *result.warnings))),
        said=said(result, run.id),
        asked=text_of(run, "prompt.md", _MOST_PROMPT, "agentctl show %s --prompt" % run.id),
        entries=entries,
        counts=timeline.counts(entries),
        patch=patch,
        touched=tuple(files_touched[:_MOST_FILES]),
        touched_left=max(0, len(files_touched) - _MOST_FILES),
        costs=figuring.cost_rows(figures, priced),
        facts=facts(spec, result),
        logs=tuple((name, log) for name, log in logs(run) if log.head),
    )


def began(result: Result, spec: Spec) -> Optional[float]:
    """When the worker did, or the run where it has not."""
    return result.started_at or result.created_at or spec.created_at or None


def lead(spec: Spec, result: Result) -> str:
    """Who worked, in a line."""
    who = " ".join(filter(None, (spec.backend or result.backend, result.model or spec.model, spec.effort)))
    names = (spec.agent or spec.role, who, spec.profile, "project %s" % spec.project if spec.project else "")
    return " · ".join(filter(None, names))


def badges(result: Result) -> tuple[tuple[str, str], ...]:
    """The three axes, which never mix."""
    short = judge.shortfall(result)
    ended = result.status not in LIVE
    tone = page.LIVE if not ended else page.GOOD if result.status == "finished" else page.BAD
    found = [(tone, result.status.replace("_", " "))]
    if result.goal_met is not None and ended:
        found.append((page.GOOD, "goal met") if result.goal_met else (page.BAD, "goal not met"))
    if result.verified not in ("", "none"):
        found.append((page.BAD if short == judge.CHECK_SAID_NO else page.GOOD, "check %s" % result.verified))
    return tuple(found)


def entries_of(run: Run, most: Most, since: Optional[float]) -> tuple[Entry, ...]:
    """What it did, of a long stream both ends."""
    found = ends.of_file(run.file("events.jsonl"), most)
    return timeline.entries(_events(found.head), found.left_lines, _events(found.tail), since)


def _events(lines: tuple[bytes, ...]) -> list[Event]:
    return [event for event in map(decoded, lines) if event]


def patch_of(run: Run, result: Result) -> Patch:
    """What it changed; of a long patch the beginning, and the names of all files."""
    size = files.size(run.file("diff.patch")) or 0
    if not size:
        return Patch(listed=result.git_files[:_MOST_FILES])
    changes = patches.changes(files.read(run.file("diff.patch"), MOST_PATCH))[:_MOST_FILES]
    shown = {change.path for change in changes}
    missing = [name for name in result.git_files if name not in shown]
    left = max(0, size - MOST_PATCH)
    return Patch(changes=tuple(changes), left=left, size=size, listed=tuple(missing[:_MOST_FILES]))


def touches(home: Home, run_id: str, now: float) -> list[Touched]:
    """The files that it read or wrote, those written first."""
    found: dict[str, list[str]] = {}
    for touch in touched.of_run(home, run_id, now):
        how = "read" if touch.how == touched.READ else "wrote" if touch.told else "changed"
        found.setdefault(touch.path, []).append(how)
    rows = [Touched(path=path, how=tuple(how)) for path, how in found.items()]
    return sorted(rows, key=lambda row: (row.how == ("read",), row.path))


def text_of(run: Run, name: str, most: tuple[int, int], whole: str) -> Text:
    """A text file of the run from both ends; `whole` is the command, or the file, that has all of it."""
    path, (head, tail) = run.file(name), most
    size = files.size(path) or 0
    if size <= head + tail:
        return Text(head=run.text(name, head + tail), whole=whole)
    first = files.read(path, head).decode("utf-8", "replace")
    last = files.read_tail(path, tail).decode("utf-8", "replace")
    return Text(head=first, left=size - head - tail, tail=last, unit="bytes", whole=whole)


def said(result: Result, run_id: str) -> tuple[tuple[str, Text], ...]:
    """Its report, as far as it says something; that of a command is the end of what it printed."""
    if result.backend == "shell":
        last = "\n".join(result.summary.splitlines()[-_MOST_LAST:])
        return (("The last it printed", Text(head=last)),) if last.strip() else ()
    found = []
    for name, title in _SAID:
        head, left, tail = ends.of_text(getattr(result, name), *_MOST_SAID)
        if head.strip():
            found.append((title, Text(head=head, left=left, tail=tail, whole="agentctl show %s" % run_id)))
    return tuple(found)


def logs(run: Run) -> list[tuple[str, Text]]:
    """What the check, the setup and the worker's second stream printed."""
    return [(name, text_of(run, file, _MOST_LOG, "%s of the run's folder" % file)) for name, file in _LOGS]


def facts(spec: Spec, result: Result) -> tuple[tuple[str, str], ...]:
    """What it was asked with, and where."""
    limits = spec.limits
    rows = [
        ("run", spec.id),
        ("session", result.session_id),
        ("directory", spec.cwd or result.cwd),
        ("branch", result.branch or spec.worktree.branch),
        ("commits", " → ".join(dict.fromkeys(filter(None, (result.git_base[:12], result.git_head[:12]))))),
        ("command", " ".join(spec.argv) if spec.backend == "shell" else ""),
        ("permissions", spec.permissions),
        ("agent", spec.agent),
        ("role", spec.role),
        ("goes on from", spec.parent),
        ("after", ", ".join(spec.after)),
        ("workflow", " ".join(filter(None, (spec.workflow, spec.step if spec.workflow else "")))),
        ("goal", " ".join(filter(None, (spec.goal, spec.step if spec.goal else "")))),
        ("check", spec.verify),
        ("time limit", text.duration(limits.timeout_s) if limits.timeout_s else ""),
        ("turns at most", figuring.number(limits.max_turns)),
        ("cost at most", text.money(limits.max_cost_usd) if limits.max_cost_usd is not None else ""),
        ("went on in", result.escalated_to),
        ("exit code", "" if result.exit_code is None else str(result.exit_code)),
        ("signal", "" if result.signal is None else str(result.signal)),
        ("asked", stamp(spec.created_at or result.created_at)),
        ("began", stamp(result.started_at)),
        ("ended", stamp(result.finished_at)),
    ]
    return tuple((name, value) for name, value in rows if value)


def stamp(at: Optional[float]) -> str:
    """`2026-02-15 14:30:22 UTC`; "" where unknown."""
    said = text.iso(at) if at else None
    return "%s %s UTC" % (said[:10], said[11:19]) if said else ""
