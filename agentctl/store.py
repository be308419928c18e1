"""The home and its run folders: the only module that knows file names.

A directory is the database. `start` stages a run under a dot-name and notes it
in `journal` and `active/`, which are hints that let `list` stay flat; its runner
takes the lock and renames the folder: a run is born locked. From then on only
the holder of the lock writes in it, and result.json, once there, never changes.

    runs/.<id>/   staged by `start`; settled by a reader if no runner ever comes
    runs/<id>/    born
"""

from __future__ import annotations

import errno
import os
import re
import time

from . import files
from . import locks
from .errors import AgentctlError
from .model import Result
from .model import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

_NO_FILE = (errno.EISDIR, errno.ELOOP, errno.EAGAIN)
"""How a folder, a link that leads nowhere and a FIFO answer who wants to read them."""
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}\Z")


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


FOLDERS = (
    *("runs", "active", "prompts", "sessions", "wakes", "inbox", "slots", "custody", "worktrees"),
    *("agents", "workflows", "holds"),
)
_NAMES = {name: name for name in (*FOLDERS, "journal", "lock")}
_NAMES.update({name: name + ".json" for name in ("config", "projects", "places", "reported")})
_NAMES["started"] = os.path.join("workflows", "started")
_NAMES.update({name: name.replace("_", ".") for name in ("notify_log", "crash_log", "tmux_lock", "notify_lock")})
_NAMES["dotenv"] = ".env"
_NAMES["notices"] = "notices"
_NAMES["figures_cache"] = "figures.cache"
_NAMES.update(web_token="web.token", web_page="web.html")


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
        """What was asked, and of an agent's run the session it found when its turn came.

        A damaged meta.json gives a spec that holds only the id.
        """
        raw = files.load(self.file("meta.json")) or files.load(self.file("meta.json"))  # born between name and look
        spec = Spec.from_json(raw).replace(id=self.id)
        found = files.load(self.file("conversation.json")) if spec.agent else None
        return Spec.from_json({**spec.to_json(), **found}) if isinstance(found, dict) else spec

    def recorded(self) -> Optional[dict[str, Any]]:
        """result.json as it is, or None while there is none. A damaged one is an ended run, `lost`."""
        try:
            raw = files.parse(files.read(self.file("result.json")))
        except FileNotFoundError:
            return None
        except ValueError:
            raw = None
        except OSError as e:
            if e.errno not in _NO_FILE:
                raise
            raw = None
        if not isinstance(raw, dict):
            raw = {"status": "lost", "error": "result.json is damaged"}
        return {**raw, "run_id": self.id}

    def result(self) -> Optional[Result]:
        """The result, or None while there is none."""
        raw = self.recorded()
        return None if raw is None else Result.from_json(raw)

    def progress(self) -> dict[str, Any]:
        """status.json: what the runner last said of itself; a hint that may be absent."""
        raw = files.load(self.file("status.json"))
        return raw if isinstance(raw, dict) else {}

    def note_child(self, run_id: str) -> None:
        """Remember the run that was staged to follow this one, should our runner die before its result names it."""
        files.create(self.file("child"), run_id.encode("ascii"))

    def child(self) -> Optional[Run]:
        """The run noted by `note_child`, if it is there."""
        found = Run(self.home, self.text("child", 40))
        return found if ID.match(found.id) and found.exists() else None

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
    for folder in (path, *(getattr(home, name) for name in FOLDERS)):
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


def end(run: Run, result: Result) -> None:
    """Publish the result. The holder of the lock calls this, who saw that there was none.

    A result.json that is there all the same is our own, of a try that failed after its
    name had appeared, or nobody's: a worker cannot write its own verdict. Raises OSError
    where the disk is full even after the run's reserve is given up.
    """
    path, data = run.file("result.json"), files.dump(result.to_json())
    planted = files.make_way(path)
    try:
        first = files.publish(path, data)
    except OSError:
        _drop(run.file("reserve"))
        first = files.publish(path, data)
    if planted or (not first and files.read(path, len(data) + 1) != data):
        warned = (*result.warnings, "result.json had been written by somebody else, and was replaced")
        files.replace(path, files.dump(result.replace(warnings=warned).to_json()))


def tidy(run: Run) -> None:
    """Remove what an ended run needs no more; nobody waits for this."""
    _drop(run.file("reserve"))
    _drop(os.path.join(run.home.active, run.id))


def _drop(path: str) -> None:
    try:
        files.remove(path)
    except OSError:
        pass  # a folder in its place, a failed disk: only a hint is left behind
