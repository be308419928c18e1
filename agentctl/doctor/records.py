"""What the home's own files say: config.json, projects.json, the hints for `list`, crash.log."""

from __future__ import annotations

import os
import time

from .. import files
from .. import finding
from .. import projects
from .. import store
from .. import text
from ..errors import AgentctlError
from .rows import Row
from .rows import count
from .rows import edit
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import Config
    from ..store import Home


def check(home: Home, config: Config) -> Iterator[Row]:
    """Raises OSError."""
    yield _config(home, config)
    yield from _projects(home)
    yield _journal(home)
    yield _active(home)
    yield _crash(home)


def _config(home: Home, config: Config) -> Row:
    if not config.problem:
        return ok("config", home.config if os.path.exists(home.config) else "none: the defaults are used")
    if isinstance(files.load(home.config), dict):
        return warn("config", config.problem, edit(home.config))
    return fail("config", config.problem, _aside(home.config))


def _aside(path: str) -> str:
    return "mv %s %s" % (quote(path), quote(path + ".damaged"))


def _projects(home: Home) -> Iterator[Row]:
    try:
        known = projects.every(home)
    except AgentctlError as e:
        yield fail("projects", str(e), _aside(home.projects))
        return
    gone = [p for p in known.values() if not os.path.isdir(p.path)]
    for project in gone:
        words = "the directory of project `%s` is gone: %s" % (project.name, project.path)
        yield warn("projects", words, "agentctl remove-project %s" % project.name)
    if not gone:
        yield ok("projects", count(len(known), "project"))


def defaults(home: Home, config: Config) -> list[str]:
    """The profiles that runs get where none is named."""
    try:
        known = projects.every(home)
    except (AgentctlError, OSError):
        known = {}  # said by its own row
    return list(dict.fromkeys([config.default_profile, *(p.default_profile for p in known.values())]))


def _journal(home: Home) -> Row:
    """`list` shows the runs that the journal names."""
    try:
        folders = {name for name in os.listdir(home.runs) if store.ID.match(name)}
        lines = files.read(home.journal, 1 << 30).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ok("journal", "none: the folders' names serve")
    missing = folders - {line.partition("\t")[0] for line in lines}
    if not missing:
        return ok("journal", count(len(folders), "run"))
    return warn("journal", "%s missing in it, so `list` hides them" % count(len(missing), "run"), _rebuild(home))


def _rebuild(home: Home) -> str:
    """The project of each run stands in its meta.json, as we write JSON."""
    project = '$(sed -n \'s/.*"project": "\\([^"]*\\)".*/\\1/p\' %s/"$r"/meta.json)' % quote(home.runs)
    line = 'printf \'%%s\\t%%s\\n\' "$r" "%s"' % project
    new = quote(home.journal + ".new")
    return "for r in $(ls %s); do %s; done > %s && mv %s %s" % (quote(home.runs), line, new, new, quote(home.journal))


def _active(home: Home) -> Row:
    """Hints that point to a folder that is gone; those of ended runs go with the next reader."""
    live = finding.live(home)
    gone = [run_id for run_id in live if not store.Run(home, run_id).exists()]
    if not gone:
        return ok("active", count(len(live), "run"))
    remedy = "rm %s" % " ".join(quote(os.path.join(home.active, run_id)) for run_id in gone)
    return warn("active", "%s noted whose folder is gone" % count(len(gone), "run"), remedy)


def _crash(home: Home) -> Row:
    """The newest entry of crash.log: a bug of ours, which we would like to hear of."""
    tail = files.read_tail(home.crash_log, 1 << 14).decode("utf-8", "replace").strip()
    if not tail:
        return ok("crash.log", "none")
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(files.mtime(home.crash_log) or 0))
    words = "%s: %s" % (at, text.one_line(tail.rpartition("\n")[2], 120))
    log = quote(home.crash_log)
    return warn("crash.log", words, "tail -n 40 %s && mv %s %s.seen" % (log, log, log))
