"""A past: a home in which runs of every kind have ended, made once and only read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from conftest import World
from conftest import git

ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Past(World):
    """`good` met its goal and passed its check, `unmet` says itself that it did not,
    `unchecked` failed its check, `killed` died of a signal."""

    good = unmet = unchecked = killed = ""

    def plain(self, words: str) -> str:
        """Ids by their names, times and folders as words: what can be compared."""
        for name in ("good", "unmet", "unchecked", "killed"):
            words = words.replace(getattr(self, name), name.upper())
        words = TIME.sub("TIME", words).replace(str(self.project), "PROJECT").replace(str(self.home), "HOME")
        return re.sub(r"\d\d:\d\d:\d\d", "CLOCK", re.sub(r"pid \d+", "pid N", words))


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    made = Past(tmp_path_factory.mktemp("past"))
    made.ok("init")
    made.ok("add-project", "p", str(made.project))
    git(made.project, "init", "-q")
    try:
        _live(made)
        yield made
    finally:
        made.close()


def _live(past: Past) -> None:
    work = "echo one; echo two; echo x > new.txt"
    past.good = past.shell(work, "--no-pane", "--title", "good run", "--verify", "true")
    past.run("wait", past.good)
    past.unmet = past.shell("echo no; exit 1", "--no-pane", "--title", "unmet run")
    past.unchecked = past.shell("echo done", "--no-pane", "--title", "unchecked run", "--verify", "exit 7")
    past.killed = past.shell("kill -9 $$", "--no-pane", "--title", "killed run")
    past.run("wait", past.unmet, past.unchecked, past.killed)
