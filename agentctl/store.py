"""The home and its run folders: the only module that knows file names.

A directory is the database. `start` stages a run under a dot-name and notes it
in `journal` and `active/`, which are hints that let `list` stay flat; its runner
takes the lock and renames the folder: a run is born locked. From then on only
the holder of the lock writes in it, and result.json, once there, never changes.

    runs/.<id>/   staged by `start`; settled by a reader if no runner ever comes
    runs/<id>/    born
"""

from __future__ import annotations

import os
import re
import time

from . import files
from . import locks
from .errors import AgentctlError
from .model import FORMAT
from .model import Result
from .model import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}\Z")
BIRTH_GRACE = 20.0
"""Seconds a staged run may wait for its runner before a reader settles it."""
_RESERVE = 16384


class Home:
    """Paths of one `.ai-orch/` directory."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __getattr__(self, name: str) -> str:
        """`home.runs`, `home.active`, `home.journal` …: a path below the home."""
        if name.startswith("_"):
            raise AttributeError(name)
        self.__dict__[name] = found = os.path.join(self.path, _NAMES[name])
        return found

    def run(self, run_id: str) -> Run:
        """The run of this id, staged or born. Raises AgentctlError where there is none."""
        if not ID.match(run_id):
            raise AgentctlError("`%s` is not a run id" % run_id, "see `agentctl list`")
        run = Run(self, run_id)
        if not run.exists():
            raise AgentctlError("no run %s" % run_id, "see `agentctl list`")
        return run


_NAMES = {
    "runs": "runs", "active": "active", "journal": "journal", "notify_log": "notify.log", "sessions": "sessions",
    "config": "config.json", "projects": "projects.json", "prompts": "prompts", "lock": "lock",
    "tmux_lock": "tmux.lock", "notify_lock": "notify.lock", "wakes": "wakes", "crash_log": "crash.log",
}
_FOLDERS = ("runs", "active", "prompts", "sessions", "wakes")


class Run:
    """One run folder; its path follows the rename at birth."""

    def __init__(self, home: Home, run_id: str) -> None:
        self.home = home
        self.id = run_id
        self._born = ""

    @property
    def path(self) -> str:
        if not self._born:
            born = os.path.join(self.home.runs, self.id)
            staged = os.path.join(self.home.runs, "." + self.id)
            if not os.path.isdir(born):
                return staged if os.path.isdir(staged) else born
            self._born = born
        return self._born

    def exists(self) -> bool:
        """Two looks: it may be born between its name and the look at it."""
        return os.path.isdir(self.path) or os.path.isdir(self.path)

    def staged(self) -> bool:
        return os.path.basename(self.path).startswith(".")

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    def spec(self) -> Spec:
        """What was asked. A damaged meta.json gives a spec that holds only the id."""
        raw = files.load(self.file("meta.json")) or files.load(self.file("meta.json"))  # born between name and look
        return Spec.from_json(raw).replace(id=self.id)

    def result(self) -> Optional[Result]:
        """The result, or None while there is none. A damaged one is an ended run, `lost`."""
        try:
            data = files.read(self.file("result.json"))
        except FileNotFoundError:
            return None
        try:
            return Result.from_json({**files.parse(data), "run_id": self.id})
        except (ValueError, TypeError):
            return Result(run_id=self.id, status="lost", error="result.json is damaged")

    def progress(self) -> dict[str, Any]:
        """status.json: what the runner last said of itself; a hint that may be absent."""
        raw = files.load(self.file("status.json"))
        return raw if isinstance(raw, dict) else {}

    def told(self) -> bool:
        """Whether notify.log has the run's line."""
        return os.path.exists(self.file("notified"))

    def runner_alive(self) -> bool:
        return locks.held(self.file("lock"))

    def text(self, name: str, limit: int = 16 << 20) -> str:
        """A text file of the run, or "" where it is missing."""
        try:
            return files.read(self.file(name), limit).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


def create_home(path: str) -> Home:
    """Make a home where there is none; a second call changes nothing."""
    home = Home(path)
    for folder in (path, *(getattr(home, name) for name in _FOLDERS)):
        files.private_folder(folder)
    os.chmod(path, files.FOLDER_MODE)
    try:
        files.create(os.path.join(path, ".gitignore"), b"*\n")  # a home inside a repository is no part of it
    except FileExistsError:
        pass  # made before, or the user's own
    return open_home(path)


def open_home(path: str) -> Home:
    """An existing home that is ours. Raises AgentctlError with the remedy."""
    home = Home(path)
    try:
        info = os.stat(home.runs)
    except (FileNotFoundError, NotADirectoryError):
        raise AgentctlError("no home at %s" % path, "make one with `agentctl init`") from None
    if info.st_uid != os.geteuid():
        raise AgentctlError("%s belongs to another user" % path, "choose another home with --home or AI_ORCH_HOME")
    return home


def new_id(now: float) -> str:
    """An id that sorts by birth; safe in file, branch and window names."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + os.urandom(2).hex()


def stage(home: Home, spec: Spec, texts: Mapping[str, bytes]) -> Run:
    """Write what was asked under a dot-name. `texts` are further files by name."""
    for name in _FOLDERS:
        files.private_folder(getattr(home, name))  # an older home, or one out of a git checkout, may lack some
    for _ in range(64):
        run = Run(home, new_id(spec.created_at))
        hidden = os.path.join(home.runs, "." + run.id)
        try:
            os.mkdir(hidden, files.FOLDER_MODE)
        except FileExistsError:
            continue
        if not os.path.lexists(os.path.join(home.runs, run.id)):
            break
        os.rmdir(hidden)
    else:
        raise AgentctlError("could not find a free run id", "look at the clock, and at %s" % home.runs)
    _fill(run, spec, texts)
    return run


def _fill(run: Run, spec: Spec, texts: Mapping[str, bytes]) -> None:
    try:
        files.create(run.file("lock"), b"")
        files.create(run.file("reserve"), b"\0" * _RESERVE)  # space for the end; without it the run must not begin
        files.create(run.file("meta.json"), files.dump(spec.replace(id=run.id, format=FORMAT).to_json()))
        for name, data in texts.items():
            files.create(run.file(name), data)
        files.create(os.path.join(run.home.active, run.id), b"")
        files.append_line(run.home.journal, "%s\t%s" % (run.id, spec.project))
    except OSError:
        unstage(run)
        raise


def unstage(run: Run) -> None:
    """Take back a run that was never born. Its journal line stays, a hint to nothing."""
    import shutil

    shutil.rmtree(os.path.join(run.home.runs, "." + run.id), ignore_errors=True)
    files.remove(os.path.join(run.home.active, run.id))


def be_born(home: Home, run_id: str, about: str) -> Optional[tuple[Run, int]]:
    """Take the lock of a staged run, then make it visible. None: it was settled or taken.

    `about` (pid and start time) goes into the lock file for people; nobody trusts it.
    """
    run = Run(home, run_id)
    hidden = os.path.join(home.runs, "." + run_id)
    try:
        lock = locks.take(os.path.join(hidden, "lock"))
    except FileNotFoundError:
        return None
    if not os.path.isdir(hidden) or os.path.lexists(os.path.join(hidden, "result.json")):
        os.close(lock)
        return None
    try:
        files.write_all(lock, about.encode("ascii", "replace"))
    except OSError:
        pass  # a full disk: the words are for people, the lock is held without them
    os.rename(hidden, os.path.join(home.runs, run_id))
    return run, lock


def make_durable(run: Run) -> None:
    """Flush what `start` wrote, off the path of `start` itself."""
    for name in ("meta.json", "prompt.md"):
        fd = os.open(run.file(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    files.sync_folder(run.path)
    files.sync_folder(run.home.runs)


def end(run: Run, result: Result) -> bool:
    """Publish the result; False where one was there already. The lock's holder calls this.

    A full disk gives up the run's reserve first. Raises OSError where that was
    not enough: the next reader settles.
    """
    data = files.dump(result.to_json())
    try:
        first = files.publish(run.file("result.json"), data)
    except OSError:
        files.remove(run.file("reserve"))
        first = files.publish(run.file("result.json"), data)
    files.remove(run.file("reserve"))
    files.remove(os.path.join(run.home.active, run.id))
    return first


def newest(home: Home, project: str = "") -> Iterator[str]:
    """Ids of all runs (of a project), newest first, as the journal tells; of gone folders none.

    Where the journal is lost, the folders' own names serve: they sort by birth.
    """
    if files.size(home.journal) is None:
        yield from sorted((name for name in os.listdir(home.runs) if ID.match(name)), reverse=True)
        return
    size, seen = 1 << 14, 0
    while True:
        births = _journal_tail(home, size)
        for run_id, of in births[seen:]:
            if project in ("", of) and Run(home, run_id).exists():
                yield run_id
        if size >= (files.size(home.journal) or 0):
            return
        seen, size = len(births), size * 8


def _journal_tail(home: Home, size: int) -> list[tuple[str, str]]:
    """(id, project) of the newest births, newest first, as far as `size` bytes of the journal reach."""
    data = files.read_tail(home.journal, size)
    if len(data) == size:
        data = data.partition(b"\n")[2]
    births = (line.decode("utf-8", "replace").partition("\t") for line in data.split(b"\n"))
    return [(run_id, project) for run_id, _, project in reversed(list(births)) if ID.match(run_id)]


def live(home: Home) -> list[str]:
    """Ids in active/, newest first: runs that have not ended, as far as we were told."""
    names = os.listdir(home.active) if os.path.isdir(home.active) else []
    return sorted((name for name in names if ID.match(name)), reverse=True)


def resolve(home: Home, word: str) -> str:
    """A run id from an id, a unique prefix, or `@last`. Raises AgentctlError."""
    if ID.match(word):
        return home.run(word).id
    if word == "@last":
        for run_id in newest(home):
            return run_id
        raise AgentctlError("no run yet", "start one: `agentctl help start`")
    found = {i for i in newest(home) if i.startswith(word)} if re.match(r"[0-9a-f-]+\Z", word) else set()
    if len(found) == 1:
        return found.pop()
    if not found:
        raise AgentctlError("no run `%s`" % word, "see `agentctl list`")
    some = ", ".join(sorted(found)[-3:])
    raise AgentctlError("`%s` begins %d run ids (%s …)" % (word, len(found), some), "give more of the id", code=2)
