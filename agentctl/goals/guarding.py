"""Which files are the check's own: put back as they were before it runs once more. Pure.

Whoever does the work could also have changed what it is checked by: a test deleted or
skipped, the script of the check edited, a setting added that leaves tests out. So what
was there when the goal began is run as it was then; only `may_change` takes a file out.
New tests are the work's own, and stay.
"""

from __future__ import annotations

import re

from .. import globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from .asked import GoalAsked

_TEST_FOLDERS = frozenset(("test", "tests", "spec", "specs", "__tests__", "testing", "e2e", "t"))
_TEST_FILE = re.compile(r"(test_.*|.*_test|.*_spec|.*[.-](test|spec)|tests?|conftest)\.[A-Za-z0-9]+\Z")
_SETTING = re.compile(
    r"(conftest\.py|\.?pytest\.ini|pytest\.toml|tox\.ini|setup\.cfg|pyproject\.toml|noxfile\.py|\.coveragerc"
    r"|sitecustomize\.py|usercustomize\.py|(GNU)?[Mm]akefile|justfile|Rakefile|phpunit\.xml(\.dist)?|\.mocharc.*|\.rspec"
    r"|(jest|vitest|karma|playwright|cypress|ava|jasmine)\.(config|conf)\..*)\Z"
)
_NODE = re.compile(r"\b(npm|npx|pnpm|yarn|node|bun)\b")
ADDED = "A"


def wanted(asked: GoalAsked, before: Iterable[str]) -> Callable[[str, str], bool]:
    """Asked of a file that the work changed, and how (A, M, D, T): is it to be as it was?

    `before` are the names of all files at the goal's beginning.
    """
    there = set(before)
    named = named_by(asked.verify, there)
    anything = bool(named) or any(map(is_test, there)) or bool(asked.protect)

    def is_wanted(name: str, kind: str) -> bool:
        if any(matches(name, glob) for glob in asked.may_change):
            return False
        if name in named or any(matches(name, glob) for glob in asked.protect):
            return True
        if is_setting(name, asked.verify):
            return anything
        return kind != ADDED and is_test(name)

    return is_wanted


def is_test(name: str) -> bool:
    """By its name, or a folder above it."""
    *folders, file = name.split("/")
    return bool(_TEST_FILE.match(file)) or not _TEST_FOLDERS.isdisjoint(folders)


def is_setting(name: str, command: str) -> bool:
    """Whether it tells a test runner what to run."""
    file = name.rpartition("/")[2]
    return bool(_SETTING.match(file)) or file == "package.json" and bool(_NODE.search(command))


def named_by(command: str, there: set[str]) -> set[str]:
    """The files that a command names: `sh ./ci/check.sh` names ci/check.sh."""
    import shlex  # heavy, and of goals alone

    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    parts = {part for word in words for part in re.split(r"[=;&|()<>\s]+", word)}
    return {name for part in parts if (name := part[2:] if part.startswith("./") else part) in there}


def matches(name: str, glob: str) -> bool:
    """Whether a path is one that a glob means."""
    return globs.meet("".join("[%s]" % c if c in "*?[" else c for c in name), glob)
