"""How git is called: hardened, bounded in time, and never inside a repository's own git directory.

A repository is hostile here: whoever worked in it may have written its config,
attributes, hooks and submodules, and the worker's sandbox ends where our git
begins. Plain `git diff --stat` runs core.fsmonitor, clean filters, textconv and a
submodule's own config; `-c filter.NAME.clean=` cannot switch off a filter whose
NAME holds a `=`. So the repository's own git directory is only asked where things
are (`rev-parse`, `config`: nothing that looks at content). All that looks at
content runs in a private git directory under `scratch`, made anew for each use:
a copy of the index, the real object store as a read-only alternate, and of the
repository's config only values that cannot name a program. That also leaves its
index, refs and objects as they are, and works beside a stale index.lock.

The user's global config stays in force (git-lfs). Only modules of the git family import this.
"""

from __future__ import annotations

import os
import stat
import time

from . import files
from . import paths
from . import proc
from . import snares
from .errors import AgentctlError
from .record import Record
from .text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTING_LIMIT = 64 << 20
_ALWAYS = (
    "core.fsmonitor=",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "diff.external=",
    "submodule.recurse=false",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.bareRepository=explicit",
    "protocol.ext.allow=never",
    "core.quotePath=true",
    "core.safecrlf=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.compression=0",
    "core.fsync=none",
)
_HARMLESS = (
    r"^core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|excludesfile|checkstat|trustctime"
    r"|sparsecheckout|sparsecheckoutcone|protecthfs|protectntfs)$"
)
_CONFIG = {"sha256": b"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"}


class Repo(Record):
    """A repository's places: the top of the working tree, its own git directory and the one
    linked worktrees share; HEAD's commit (empty before the first); its harmless settings."""

    top: str = ""
    own: str = ""
    common: str = ""
    format: str = ""
    head: str = ""
    config: tuple[str, ...] = ()


class CannotError(Exception):
    """git said no; the text is its reason. `done` is how it ended, where it was run."""

    done = proc.Done()


TROUBLE = (CannotError, AgentctlError, OSError)


class Door:
    """git at one place, with one deadline for all that is asked there."""

    def __init__(self, folder: str, deadline: float, env: dict[str, str], config: Iterable[str] = ()) -> None:
        self.deadline = deadline
        self.env = env
        self.argv = ["git", "--no-pager", "--no-optional-locks", "-C", folder]
        for entry in (*config, *_ALWAYS):
            self.argv += ["-c", entry]

    def ask(self, *args: str, stdin: bytes = b"", limit: int = _LISTING_LIMIT) -> bytes:
        """What git printed. Raises what TROUBLE names; ProcTimeout also where no time is left."""
        left = max(self.deadline - time.monotonic(), 0.0)
        try:
            argv = [*self.argv, *args]
            done = proc.run(argv, env=self.env, stdin=stdin, timeout=left, limit=limit, doubt=self._look_for_snares)
        except proc.ProcTimeout:
            raise proc.ProcTimeout("no time left for git %s" % args[0]) from None
        if done.code:
            said = CannotError(one_line(done.err.decode("utf-8", "replace"), 300) or "git %s failed" % args[0])
            said.done = done
            raise said
        return done.out

    def _look_for_snares(self) -> None:
        folder, own = self.argv[4], [self.env[name] for name in ("GIT_DIR", "GIT_COMMON_DIR") if name in self.env]
        found = snares.find(self.env.get("GIT_WORK_TREE", folder), own or [os.path.join(folder, ".git")])
        if found:
            raise CannotError("git would wait for %s for ever: it is a FIFO" % one_line(found, 300))

    def line(self, *args: str) -> str:
        """The answer without its last line end; a path may hold others."""
        answer = os.fsdecode(self.ask(*args))
        return answer[:-1] if answer.endswith("\n") else answer


def environment() -> dict[str, str]:
    """Ours without GIT_*, which would lead git elsewhere or name programs to run."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", GIT_NO_LAZY_FETCH="1")
    return env


def offline() -> dict[str, str]:
    """What a partial clone lacks stays missing: GIT_NO_LAZY_FETCH is known from git 2.44 on only.
    Whoever is to fetch or push takes GIT_ALLOW_PROTOCOL out."""
    return {**environment(), "GIT_ALLOW_PROTOCOL": "none"}


def discover(cwd: str, deadline: float) -> Repo:
    """Where things are. An owner git distrusts (safe.directory) is an error, never worked around."""
    if os.path.isdir(cwd) and not may_be_repository(cwd):
        raise CannotError("not a git repository")
    door = Door(cwd, deadline, offline())
    places = door.line("rev-parse", "--show-toplevel", "--git-dir", "--git-common-dir", "--show-object-format")
    parts = places.split("\n")
    if len(parts) != 4:
        raise CannotError("a repository whose path holds a line end")
    top, own, common = (os.path.join(os.path.abspath(cwd), part) for part in parts[:3])
    return Repo(top=top, own=own, common=common, format=parts[3], head=_head(door), config=_harmless(door))


def may_be_repository(cwd: str) -> bool:
    """Whether git is worth asking: most runs of plain commands are nowhere near a repository."""
    return bool(paths.repository_top(cwd)) or os.path.isfile(os.path.join(cwd, "HEAD"))


def _head(door: Door) -> str:
    try:
        return door.line("rev-parse", "--quiet", "--verify", "HEAD")
    except CannotError:
        return ""  # before the first commit


def _harmless(door: Door) -> tuple[str, ...]:
    """The settings that decide what a file's content is and cannot name a program."""
    try:
        entries = os.fsdecode(door.ask("config", "-z", "--get-regexp", _HARMLESS)).split("\0")
    except CannotError:
        return ()  # none is set
    return tuple(entry.replace("\n", "=", 1) for entry in entries if entry)


def shared(common: str, seconds: float) -> Door:
    """The repository's own git directory, for refs, commits and worktrees: for nothing that looks at content."""
    return Door(common, time.monotonic() + seconds, {**offline(), "GIT_DIR": common})


def linked(common: str, own: str, seconds: float) -> Door:
    """As `shared`, with the HEAD of one worktree, whose own git directory this is.

    Git takes refs by the `commondir` file in it, whatever GIT_COMMON_DIR says, and a worker
    may have written that: raises CannotError where it leads elsewhere.
    """
    said = os.path.join(own, "commondir")
    if own != common and os.path.realpath(os.path.join(own, _line_of(said))) != os.path.realpath(common):
        raise CannotError("%s leads git elsewhere" % said)
    env = {**offline(), "GIT_DIR": own, "GIT_COMMON_DIR": common}
    return Door(common, time.monotonic() + seconds, env)


def _line_of(path: str) -> str:
    return os.fsdecode(files.read(path, 1 << 14)).rstrip("\n")


def known(common: str, own: str, top: str, deadline: float) -> Repo:
    """As `discover`, for places that are known from a record. HEAD is not asked."""
    door = Door(common, deadline, {**offline(), "GIT_DIR": common})
    hashes = door.line("rev-parse", "--show-object-format")
    return Repo(top=top, own=own, common=common, format=hashes, config=_harmless(door))


def content(common: str, top: str, index: str, scratch: str, seconds: float) -> Door:
    """For what reads or writes files below `top` by the index file `index`.

    A git directory of our own under `scratch`, with the repository's harmless settings;
    what is written goes to the repository's own object store.
    """
    seen = shared(common, seconds)
    folder = os.path.join(scratch, "git-" + os.urandom(4).hex())
    _bare_bones(folder, seen.line("rev-parse", "--show-object-format"))
    keep_lfs(common)
    _link_lfs(common, folder)
    for name in ("shallow", "info/exclude", "info/attributes"):
        copy(os.path.join(common, name), os.path.join(folder, name))
    env = offline()
    env.update(GIT_DIR=folder, GIT_WORK_TREE=top, GIT_INDEX_FILE=index)
    env["GIT_OBJECT_DIRECTORY"] = os.path.join(common, "objects")
    return Door(top, seen.deadline, env, _harmless(seen))


def _bare_bones(folder: str, object_format: str) -> None:
    for path in (os.path.join(folder, "refs"), os.path.join(folder, "info")):
        files.private_folder(path)
    files.create(os.path.join(folder, "HEAD"), b"ref: refs/heads/none\n")
    files.create(os.path.join(folder, "config"), _CONFIG.get(object_format, b""))


def keep_lfs(common: str) -> None:
    """Before contents are written: git-lfs keeps the files themselves in its git directory. Where a private one is
    made for it, they are to lie with the repository's."""
    theirs = os.path.join(common, "lfs")
    if not os.path.lexists(theirs) and _uses_lfs(common):
        os.makedirs(theirs, exist_ok=True)


def _link_lfs(common: str, folder: str) -> None:
    theirs = os.path.join(common, "lfs")
    if stat.S_ISDIR(_mode(theirs)):
        os.symlink(theirs, os.path.join(folder, "lfs"))


def _uses_lfs(common: str) -> bool:
    """By the user's own config: what the repository's says of filters is not run."""
    try:
        return bool(shared(common, 10.0).ask("config", "--global", "--includes", "--get-regexp", r"^filter\.lfs\."))
    except CannotError:
        return False


def _mode(path: str) -> int:
    """The kind of file, not of what a link leads to; 0 where there is none."""
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def private(repo: Repo, scratch: str, deadline: float) -> Door:
    """A git directory of our own over the repository's files and objects.

    New each time: a worker may have put a config of its own into an old one. What it
    could change in `scratch` is data.
    """
    folder = os.path.join(scratch, "git-" + os.urandom(4).hex())
    objects = os.path.join(scratch, "objects")
    files.private_folder(objects)
    _bare_bones(folder, repo.format)
    _link_lfs(repo.common, folder)
    copy(os.path.join(repo.own, "index"), os.path.join(folder, "index"))
    copy_shared_indexes(repo.own, folder)
    for name in ("shallow", "info/exclude", "info/attributes"):
        copy(os.path.join(repo.common, name), os.path.join(folder, name))
    env = offline()
    env.update(GIT_DIR=folder, GIT_WORK_TREE=repo.top, GIT_OBJECT_DIRECTORY=objects)
    env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quoted(os.path.join(repo.common, "objects"))
    return Door(repo.top, deadline, env, repo.config)


def copy_shared_indexes(own: str, folder: str) -> None:
    """What the index of a git directory may have most of its entries in (core.splitIndex), for a copy of it."""
    for name in os.listdir(own):
        if name.startswith("sharedindex."):
            copy(os.path.join(own, name), os.path.join(folder, name))


def copy(source: str, target: str) -> None:
    """Copy a regular file with its time: by the index's time git tells which of its
    entries may have been edited within the clock's grain, unseen."""
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return  # each of them is optional
    try:
        info = os.fstat(fd)
        if stat.S_ISREG(info.st_mode):
            files.create(target, os.pread(fd, info.st_size, 0))
            os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
    finally:
        os.close(fd)


def quoted(path: str) -> str:
    """As one entry of a list of paths: the list is parted at `:`."""
    return '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')
