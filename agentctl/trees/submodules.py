"""Door to git: the submodules of a worktree, filled without a word of the repository being obeyed.

What the source checkout has of a submodule is taken by hard links, file by file: no
git is run there, whatever its config says, and no network is needed. What it lacks
is fetched by the submodule's url, under git's own rules for urls that a repository
names. Nothing is written into the repository's config; an `update = !command` is
not run. Where the user left a submodule uninitialised it stays empty, as in his
own checkout.
"""

from __future__ import annotations

import os
import shutil
import stat

from .. import files
from .. import gitdoor
from ..record import Record
from . import filling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .filling import Order

_SECONDS = 60.0
_DEEPEST = 8
_CONFIG = """[core]
\trepositoryformatversion = %d
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tworktree = %s
%s[remote "origin"]
\turl = %s
\tfetch = +refs/heads/*:refs/remotes/origin/*
"""


class Level(Record):
    """A repository with its files at `top` and its own git directory `own`, at `commit`.
    The same of the user's: `source`, "" where there is none, and git directories that may
    have what we look for (`theirs`)."""

    common: str = ""
    top: str = ""
    own: str = ""
    commit: str = ""
    source: str = ""
    theirs: tuple[str, ...] = ()


class _Module(Record):
    """A submodule: its name, path and url as `.gitmodules` has them; `at` is where it will be."""

    name: str = ""
    path: str = ""
    url: str = ""
    at: Level = Level()


def orders(level: Level, scratch: str, notes: list[str], depth: int = 0) -> Iterator[Order]:
    """What fills the submodules of a filled worktree, and theirs; each to be run before the next is
    asked for. `notes` gets what is left out. Raises what gitdoor.TROUBLE names."""
    if depth == _DEEPEST or not _is_file(os.path.join(level.top, ".gitmodules")):
        return
    for module in _listed(level):
        _check(level, module.name, module.path)
        door = gitdoor.shared(level.common, _SECONDS)
        known = filling.configured(door, "--get", "submodule.%s.url" % module.name)
        if level.source and not (known or module.at.theirs):
            notes.append("the submodule %s is not initialised in %s: left empty" % (module.path, level.source))
            continue
        url = _url(level, module, known)
        yield from _obtained(module, url)
        _initialise(level, module.name, url)
        words = "fills the submodule %s" % module.path
        yield filling.order(module.at.common, module.at.top, module.at.own, module.at.commit, scratch, words)
        yield from orders(module.at, scratch, notes, depth + 1)


def standing(level: Level, depth: int = 0) -> Iterator[tuple[str, Level]]:
    """The submodules that are there, and theirs, with their paths: `commit` is what the level above says.
    Only those in the places where they are made. Raises what gitdoor.TROUBLE names."""
    if depth == _DEEPEST or not gitdoor.shared(level.common, _SECONDS).ask("ls-tree", level.commit, ".gitmodules"):
        return
    for module in _listed(level):
        folders = (module.at.own, module.at.top)
        above = (os.path.join(level.own, "modules"), level.top)
        straight = all(_is_straight(*both) for both in zip(above, folders))
        if straight and _is_file(os.path.join(module.at.own, "HEAD")):
            yield module.path, module.at
            yield from standing(module.at, depth + 1)


def _is_straight(above: str, folder: str) -> bool:
    """Whether a folder is below another, by no link and no `..`."""
    here = os.path.realpath(above)
    return os.path.join(here, os.path.relpath(folder, above)) == os.path.realpath(folder) and os.path.isdir(folder)


def _initialise(level: Level, name: str, url: str) -> None:
    """As `git submodule init` does, in a config that we made ourselves, never in the user's."""
    if level.common == level.own:
        words = "[submodule %s]\n\tactive = true\n\turl = %s\n" % (_quoted(name), _quoted(url))
        fd = files.open_append(os.path.join(level.own, "config"))
        files.write_all(fd, os.fsencode(words))
        os.close(fd)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _listed(level: Level) -> Iterator[_Module]:
    door = gitdoor.shared(level.common, _SECONDS)
    raw = os.fsdecode(door.ask("config", "-z", "--list", "--blob", level.commit + ":.gitmodules"))
    settings: dict[str, str] = {}
    for entry in raw.split("\0"):
        key, _, value = entry.partition("\n")
        settings[key] = value
    for name in [key[len("submodule.") : -len(".path")] for key in settings if key.endswith(".path")]:
        path = settings["submodule.%s.path" % name]
        commit = _gitlink(door, level.commit, path)
        if commit and settings.get("submodule.%s.update" % name) != "none":
            url = settings.get("submodule.%s.url" % name, "")
            yield _Module(name=name, path=path, url=url, at=_at(level, name, path, commit))


def _at(level: Level, name: str, path: str, commit: str) -> Level:
    own = os.path.join(level.own, "modules", name)
    source = os.path.join(level.source, path) if level.source else ""
    known = [*(os.path.join(folder, "modules", name) for folder in level.theirs), os.path.join(source, ".git")]
    theirs = tuple(f for f in known if os.path.isabs(f) and os.path.isdir(os.path.join(f, "objects")))
    return Level(common=own, own=own, top=os.path.join(level.top, path), commit=commit, source=source, theirs=theirs)


def _gitlink(door: gitdoor.Door, commit: str, path: str) -> str:
    """The commit of another repository that stands at a path; "" where none does."""
    words = door.ask("--literal-pathspecs", "ls-tree", "-z", commit, "--", path).split(b"\t")[0].split()
    return words[2].decode("ascii") if len(words) == 3 and words[0] == b"160000" else ""


def _check(level: Level, name: str, path: str) -> None:
    """A name is a folder in a git directory and a path one in the worktree: nowhere else, and in no other's."""
    parts = name.replace("\\", "/").split("/")
    modules = os.path.join(level.own, "modules")
    within = any(os.path.exists(os.path.join(modules, *parts[:n], "HEAD")) for n in range(1, len(parts) + 1))
    here = os.path.join(os.path.realpath(level.top), path)
    elsewhere = {"", ".", ".."} & set(parts) or os.path.realpath(here) != here
    if within or elsewhere or "\n" in name + path or not os.path.isdir(here) or os.listdir(here):
        raise gitdoor.CannotError("the submodule `%s` at `%s` has a name or a path that leads elsewhere" % (name, path))


def _url(level: Level, module: _Module, known: str) -> str:
    """Where the submodule comes from: what the user's own says, else his config, else `.gitmodules`."""
    for folder in module.at.theirs:
        door = gitdoor.shared(level.common, _SECONDS)
        found = filling.configured(door, "--file", os.path.join(folder, "config"), "--get", "remote.origin.url")
        if found:
            return found
    if known or not module.url.startswith(("./", "../")):
        return known or module.url
    base = filling.configured(gitdoor.shared(level.common, _SECONDS), "--get", "remote.origin.url")
    return relative(base or level.source or level.common, module.url)


def relative(base: str, url: str) -> str:
    """A url like `../lib.git`, from that of the repository above, as git resolves it."""
    base = base.rstrip("/")
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            cut = max(base.rfind("/"), base.rfind(":"))
            base = base[:cut] if base[cut : cut + 1] == "/" else base[: cut + 1]
        url = url[url.index("/") + 1 :]
    return (base if base.endswith(":") else base + "/") + url.rstrip("/")


def _obtained(module: _Module, url: str) -> Iterator[Order]:
    """Its git directory, with the commit that is wanted."""
    _make(module.at, url)
    for what in ((), (module.at.commit,)):
        if _has(module.at):
            return
        door = gitdoor.shared(module.at.own, _SECONDS)
        door.env["GIT_PROTOCOL_FROM_USER"] = "0"
        del door.env["GIT_ALLOW_PROTOCOL"]
        how = ("--quiet", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc")
        yield filling.ordered(door, "fetches the submodule %s" % module.path, "fetch", *how, "origin", *what)
    if not _has(module.at):
        raise gitdoor.CannotError("the submodule %s has no commit %s at %s" % (module.path, module.at.commit, url))


def _has(level: Level) -> bool:
    try:
        gitdoor.shared(level.own, _SECONDS).ask("rev-list", "--objects", "--quiet", "-n", "1", level.commit)
    except gitdoor.CannotError:
        return False
    return True


def _make(level: Level, url: str) -> None:
    """A git directory with a detached HEAD; what it has in common with the user's is the same file on the disk."""
    for name in ("refs", "objects/info", "objects/pack"):
        os.makedirs(os.path.join(level.own, name))
    kind = "sha256" if len(level.commit) == 64 else ""
    extension = "[extensions]\n\tobjectFormat = sha256\n" if kind else ""
    words = _CONFIG % (bool(kind), _quoted(os.path.relpath(level.top, level.own)), extension, _quoted(url))
    files.create(os.path.join(level.own, "config"), os.fsencode(words))
    files.create(os.path.join(level.own, "HEAD"), level.commit.encode("ascii") + b"\n")
    for folder in level.theirs[:1]:
        for name in ("objects", "refs"):
            _same(os.path.join(folder, name), os.path.join(level.own, name), name == "objects")
        for name in ("packed-refs", "shallow"):
            _same_file(os.path.join(folder, name), os.path.join(level.own, name), False)
    words = "gitdir: %s\n" % os.path.relpath(level.own, level.top)
    files.create(os.path.join(level.top, ".git"), os.fsencode(words))


def _quoted(value: str) -> str:
    """As a value in git's config."""
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _same(folder: str, ours: str, linked: bool) -> None:
    """The files of a folder and those below it: linked, for they never change, or copied."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        return
    os.makedirs(ours, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _same(entry.path, os.path.join(ours, entry.name), linked)
        elif entry.is_file(follow_symlinks=False) and not entry.name.startswith("tmp_"):
            _same_file(entry.path, os.path.join(ours, entry.name), linked)


def _same_file(path: str, ours: str, linked: bool) -> None:
    if not _is_file(path):
        return
    if path.endswith("/info/alternates"):
        files.create(ours, _absolute(files.read(path), os.path.dirname(os.path.dirname(path))))
        return
    try:
        if linked:
            os.link(path, ours, follow_symlinks=False)
            return
    except OSError:
        pass  # another file system, or one without hard links
    shutil.copyfile(path, ours, follow_symlinks=False)


def _absolute(alternates: bytes, objects: str) -> bytes:
    """Paths in objects/info/alternates may be relative to the objects."""
    lines = [os.fsdecode(line) for line in alternates.split(b"\n") if line]
    return b"".join(os.fsencode(os.path.normpath(os.path.join(objects, line))) + b"\n" for line in lines)
