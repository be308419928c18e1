"""Who else is at it: live runs that touch what a new run is expected to touch.

A warning, never a refusal: two workers may well edit one folder. What a run touches
is what its caller said (`--touches`) and what it has written so far.
"""

from __future__ import annotations

import os

from . import files
from . import finding
from .errors import AgentctlError
from .globs import meet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Spec
    from .store import Home
    from .store import Run

_MOST = 2000
_MARK = b'"file_write"'


def warnings(home: Home, spec: Spec) -> list[str]:
    """A line for each live run in the same repository or project that touches the same as `spec` says it will."""
    wanted = [_from_top(spec, glob) for glob in spec.touches]
    if not wanted:
        return []
    found = []
    for run_id in finding.live(home):
        if run_id != spec.id:
            try:
                found += _with_run(home.run(run_id), spec, wanted)
            except (AgentctlError, OSError):
                continue  # it has ended and is gone: it touches nothing any more
    return found


def _with_run(run: Run, spec: Spec, wanted: list[str]) -> list[str]:
    other = run.spec()
    if not _same_place(spec, other) or run.result():
        return []
    for words, theirs in (("may touch", _said(other)), ("has written", _written(run, other))):
        hit = next(((mine, it) for it in theirs for mine in wanted if meet(mine, it)), None)
        if hit:
            shown = hit[1].replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")
            return ["run %s (%s) %s %s, as this run `%s`" % (run.id, other.title, words, shown, hit[0])]
    return []


def _same_place(one: Spec, other: Spec) -> bool:
    return bool(one.project and one.project == other.project) or bool(_common(one) and _common(one) == _common(other))


def _common(spec: Spec) -> str:
    """The git directory that all worktrees of its repository share, as far as that is known without git."""
    if spec.worktree.common:
        return os.path.realpath(spec.worktree.common)
    own = os.path.join(spec.top, ".git") if spec.top else ""
    return os.path.realpath(own) if own and os.path.isdir(own) else ""


def _said(spec: Spec) -> Iterator[str]:
    return (_from_top(spec, glob) for glob in spec.touches)


def _from_top(spec: Spec, glob: str) -> str:
    """A glob is meant from the project's directory; compared, from the repository's top."""
    inside = os.path.relpath(spec.cwd, spec.top) if spec.top and spec.cwd else "."
    return glob if inside == "." or inside.startswith("..") else "%s/%s" % (_literal(inside), glob.lstrip("/"))


def _written(run: Run, spec: Spec) -> Iterator[str]:
    """The files that its events name, the newest first."""
    top = spec.top or spec.cwd
    for count, line in enumerate(files.lines_backwards(run.file("events.jsonl"))):
        if count > _MOST:
            return
        path = _path_of(line) if _MARK in line else ""
        name = os.path.relpath(os.path.join(spec.cwd, path), top) if path else ".."
        if not name.startswith(".."):
            yield _literal(name)


def _path_of(line: bytes) -> str:
    try:
        event = files.parse(line)
    except ValueError:
        return ""  # the runner is still writing it
    data = event.get("data") if isinstance(event, dict) and event.get("kind") == "file_write" else None
    path = data.get("path") if isinstance(data, dict) else ""
    return path if isinstance(path, str) and "\0" not in path else ""


def _literal(name: str) -> str:
    """A name as a glob that matches it alone."""
    return "".join("[%s]" % c if c in "*?[" else c for c in name)
