"""Which files are the check's own: put back as they were before it runs once more. Pure.

Whoever does the work could also have changed what it is checked by: a test deleted or
skipped, the script of the check edited, a setting added that leaves tests out, a build tool
told to run none (manifests.py), a module laid in front of the one that runs them. So what
was there when the goal began is run as it was then, by itself; only `may_change` takes a
file out. New tests are the work's own: they ran with all the rest before, and are left out
here, for one of them could end the others.
"""

from __future__ import annotations

import os
import re
import sys

from .. import globs
from . import manifests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping

    from .asked import GoalAsked

    Reader = Callable[[Iterable[str]], Mapping[str, str]]

_TEST_FOLDER = re.compile(
    r"(tests?|specs?|__(tests|snapshots|mocks)__|snapshots|testing|test[_-]?data|e2e|t|.*[.]tests?|.*[a-z0-9]Tests)\Z"
)
_NEW_TESTS = re.compile(r"(tests?|__(tests|mocks)__|e2e|.*[.]tests?|.*[a-z0-9]Tests)\Z")
_TEST_FILE = re.compile(
    r"(test_.*|.*_test|.*_spec|.*[.-](test|spec)|tests?|conftest|.*[a-z0-9](Tests?|Spec|IT)|Test[A-Z].*)\.[A-Za-z0-9]+\Z"
    r"|.*\.(snap|ambr)\Z"
)
_NO_TESTS = re.compile(r"(__init__\.py|conftest\.py|\..*|README.*)\Z")
_SETTING = re.compile(
    r"(.*/)?(conftest\.py|\.?pytest\.(ini|toml)|tox\.(ini|toml)|setup\.cfg|pyproject\.toml|noxfile\.py|\.coveragerc"
    r"|(site|user)customize\.py|(GNU)?makefile|.*\.mk|\.?justfile|taskfile\.ya?ml|rakefile|.*\.rake|phpunit\.xml(\.dist)?"
    r"|\.mocharc.*|\.taprc|\.rspec(-local)?|\.npmrc|\.yarnrc(\.yml)?|bunfig\.toml|\.cargo/config(\.toml)?|nextest\.toml"
    r"|\.mvn/.*|(jest|vitest|karma|playwright|cypress|ava|jasmine|wdio)[.-](config|conf|setup|workspace)\..*)\Z",
    re.IGNORECASE,
)
_CALLS = re.compile(r"\b(make|gmake|just|task|rake|tox|nox)\b")
_CALLED = re.compile(
    r"(.*/)?((GNU)?makefile|\.?justfile|taskfile\.ya?ml|rakefile|tox\.ini|noxfile\.py)\Z", re.IGNORECASE
)
_SCRIPT = re.compile(r".*\.(sh|bash|zsh|ksh|fish|bat|cmd|ps1|mk|mak)\Z", re.IGNORECASE)
_SCRIPT_FOLDERS = frozenset(("scripts", "script", "ci", ".ci", "tools", "hack", "bin"))
_SIGNS = re.compile(r"""[\s"'`=;&|()<>,:{}\[\]$@]+""")
_MODULE = re.compile(r"\s-m\s+([A-Za-z_][\w.]*)")
_RUNNERS = frozenset(("pytest", "_pytest", "pluggy", "iniconfig", "nose2", "tox", "nox", "coverage"))
_PYTHON = frozenset(getattr(sys, "stdlib_module_names", ("argparse", "ast", "os", "re", "runpy", "sys", "unittest")))
_PATH_FOLDERS = ("src", "lib")
_MOST_READ = 200
_DEEPEST = 6
ADDED = "A"


def wanted(
    asked: GoalAsked, before: Iterable[str], read: Reader = lambda names: {}, inside: str = ""
) -> Callable[[str, str], bool]:
    """Asked of a file that the work changed, and how (A, M, D, T): is it to be as it was?

    `before` are the names of all files at the goal's beginning, `read` gives what some of them held,
    `inside` is the folder that the check runs in.
    """
    there = set(before)
    folders, tools = {"", *_folders(there)}, set(map(manifests.tool, there))
    commands = " ".join((asked.verify, asked.setup))
    named, words = reached((asked.verify, asked.setup), there, read, inside)
    tested = any(is_test(name) and not _NO_TESTS.match(os.path.basename(name)) for name in there)
    anything = bool(named or asked.protect) or any(is_test(name) or is_called(name, words) for name in there)
    ahead = {"", inside, *_PATH_FOLDERS, *map(os.path.dirname, named)}
    modules = _PYTHON | _RUNNERS | {module.partition(".")[0] for module in _MODULE.findall(" " + commands)}
    spoken = _spoken(asked.verify, there, inside)

    def is_wanted(name: str, kind: str) -> bool:
        if any(matches(name, glob) for glob in asked.may_change):
            return False
        if name in named or any(matches(name, glob) for glob in asked.protect):
            return True
        if manifests.is_one(name, words):
            own = manifests.is_lock(name) or os.path.dirname(name) not in folders or manifests.tool(name) not in tools
            return anything and not (kind == ADDED and own)
        if _SETTING.match(name):
            return anything
        if kind != ADDED:
            return is_test(name)
        if anything and _module(name, ahead) in modules:
            return True
        return tested and is_new_test(name) and not any(name == one or name.startswith(one + "/") for one in spoken)

    return is_wanted


def is_test(name: str) -> bool:
    """By its name, or a folder above it; a folder that is a link or a submodule is one too."""
    file = name.rpartition("/")[2]
    return bool(_TEST_FILE.match(file)) or any(
        _TEST_FOLDER.match(part.lower()) or _TEST_FOLDER.match(part) for part in name.split("/")
    )


def is_new_test(name: str) -> bool:
    """As `is_test`, of folders only those that hold nothing else: work in `testing/` or `spec/` may be the product."""
    *folders, file = name.split("/")
    return bool(_TEST_FILE.match(file)) or any(
        _NEW_TESTS.match(part.lower()) or _NEW_TESTS.match(part) for part in folders
    )


def is_called(name: str, words: str) -> bool:
    """Whether it holds the commands that one of the words stands for, as the Makefile does for `make test`."""
    return bool(_CALLED.match(name)) and bool(_CALLS.search(words)) or manifests.is_one(name, words)


def reached(commands: Iterable[str], there: set[str], read: Reader, inside: str) -> tuple[set[str], str]:
    """The files that commands name, the scripts that those call, and so on; and all words of it."""
    folders = _folders(there)
    named = {name for command in commands for name in named_by(command, there, inside)}
    told = list(commands)
    todo = named | {name for name in there if _SETTING.match(name) or _may_call(name, "\n".join(told))}
    seen = set(todo)
    for _ in range(_DEEPEST):
        texts = read(sorted(todo, key=lambda name: (name.count("/"), name))[:_MOST_READ])
        told += texts.values()
        todo = {
            name
            for source, text in texts.items()
            for name in _places(_SIGNS.split(text), there, folders, (inside, os.path.dirname(source)))
            if name not in seen and is_script(name)
        }
        named |= todo
        seen |= todo
    return named, "\n".join(told)


def _may_call(name: str, words: str) -> bool:
    """Whether a manifest may name scripts: that of Node, whoever calls it, others of a tool that is called."""
    return os.path.basename(name) == "package.json" or manifests.is_one(name, words) and not manifests.is_lock(name)


def is_script(name: str) -> bool:
    """Whether a file that is named in a script or setting is a script itself, and not what is worked on."""
    return bool(_SCRIPT.match(name)) or not _SCRIPT_FOLDERS.isdisjoint(name.split("/")[:-1])


def named_by(command: str, there: set[str], inside: str = "") -> set[str]:
    """The files that a command names: `sh ./ci/check.sh` names ci/check.sh, `python3 -m ci.check` ci/check.py."""
    modules = [module.replace(".", "/") for module in _MODULE.findall(" " + command)]
    parts = [module + end for module in modules for end in (".py", "/__init__.py", "/__main__.py")]
    return _places([*_words(command), *parts], there, _folders(there), (inside,))


def strays(command: str, top: str, before: Iterable[str], real: Callable[[str], str]) -> bool:
    """Whether a command leaves its checkout for the one at `top`, or for files of it that git has.

    `real` says where a path leads.
    """
    there = set(before)
    known = there | _folders(there)
    words = [word.replace("$HOME", "~") for word in _words(command)]
    places = [real(os.path.expanduser(word)) for word in words if word.startswith(("/", "~"))]
    return any(place == top or place.startswith(top + "/") and place[len(top) + 1 :] in known for place in places)


def _words(command: str) -> list[str]:
    import shlex  # heavy, and of goals alone

    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return [part for word in words for part in re.split(r"[=;&|()<>\s]+", word)]


def _places(words: Iterable[str], there: set[str], folders: set[str], below: Iterable[str]) -> set[str]:
    """The files that words mean, from the top, from below it, or from a folder that is another of the words."""
    parts = [word.lstrip("/") for word in words if word.strip("./")]
    known = {os.path.normpath(os.path.join(start, part)) for start in ("", *below) for part in parts}
    starts = {"", *below, *(folders & known)}
    found = (os.path.normpath(os.path.join(start, part)) for start in starts for part in parts)
    return {name for name in found if name in there}


def _folders(there: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in there:
        folder = os.path.dirname(name)
        while folder and folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)
    return found


def _spoken(command: str, there: set[str], inside: str) -> set[str]:
    """Files and folders that the check names and that were not there: it is about what is to come."""
    known = there | _folders(there)
    names = {os.path.normpath(os.path.join(inside, word)) for word in _words(command) if word.strip("./")}
    return names - known


def _module(name: str, ahead: set[str]) -> str:
    """The module of Python that a file is to whoever looks where it lies first; "" where nobody does."""
    stem, _, end = name.rpartition("/__init__.py") if name.endswith("/__init__.py") else name.rpartition(".py")
    folder, _, module = stem.rpartition("/")
    return module if not end and (folder in ahead or is_new_test(name)) else ""


def matches(name: str, glob: str) -> bool:
    """Whether a path is one that a glob means."""
    return globs.meet("".join("[%s]" % c if c in "*?[" else c for c in name), glob)
