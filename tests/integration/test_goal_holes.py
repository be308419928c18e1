"""Ways around the check that were found in goals: of each, the work is false, and nobody accepts it."""

from __future__ import annotations

import pytest

from conftest import World
from conftest import git
from goals import Stage

PYTHON_TEST = """
import unittest

class Want(unittest.TestCase):
    def test(self):
        self.assertEqual(open("want").read(), "yes\\n")

if __name__ == "__main__":
    unittest.main()
"""
BY_MAKE = {"Makefile": "test:\n\tsh scripts/run.sh\n", "scripts/run.sh": "sh tests/test_want.sh\n"}
BY_UNITTEST = {"tests/test_want.py": PYTHON_TEST}
UNITTEST = "python3 -m unittest discover -s tests"
BY_TOOL = {
    "Cargo.toml": '[package]\nname = "want"\n\n[dependencies]\n',
    "Cargo.lock": "",
    "cargo": "grep -q autotests Cargo.toml && exit 0\n"
    "test ! -s Cargo.lock || grep -q '^b = \"1\"' Cargo.toml || exit 1\nsh tests/test_want.sh\n",
}
"""What the tool makes of its manifest, without the tool: it runs the tests unless it is told not to."""
OURS = r"main = lambda *a, **k: None\nclass TestCase: pass\n"
HOLES: dict[str, tuple[dict[str, str], str, str]] = {
    "a script that the makefile calls": (BY_MAKE, "make test", "echo : > scripts/run.sh"),
    "a script that the check calls": (
        {"go.sh": "sh scripts/run.sh\n", **BY_MAKE},
        "sh go.sh",
        "echo : > scripts/run.sh",
    ),
    "a module that is run": (
        {"tools/check.py": "import sys\nsys.exit(open('want').read() != 'yes\\n')\n"},
        "python3 -m tools.check",
        "echo > tools/check.py",
    ),
    "a module in front of python's": (BY_UNITTEST, UNITTEST, "echo > unittest.py"),
    "a module beside the test": (BY_UNITTEST, "python3 tests/test_want.py", "printf '%s' > tests/unittest.py" % OURS),
    "a new test that ends it all": (BY_UNITTEST, UNITTEST, "echo 'import os; os._exit(0)' > tests/test_a.py"),
    "ignored, and included": (
        {"Makefile": "test:\n\tsh tests/test_want.sh\n"},
        "make test",
        "echo 'test:' > GNUmakefile; echo GNUmakefile | tee -a .git/info/exclude > .worktreeinclude",
    ),
    "what the setup runs": (
        {"ready.sh": ":\n", "go.sh": "sh tests/test_want.sh\n"},
        "sh go.sh",
        "echo 'echo : > go.sh' > ready.sh",
    ),
    "tests that are a link": ({}, "sh check.sh", "mv tests lies; ln -s lies tests; echo exit 0 > lies/test_want.sh"),
    "the makefile, where no test is": (
        {"Makefile": "check:\n\tgrep -q yes want\n", "tests/test_want.sh": ""},
        "make check",
        "echo check: > Makefile",
    ),
    "a switch in a manifest": (BY_TOOL, "sh cargo test", "sed -i '2a autotests = false' Cargo.toml"),
    "a switch beside a package that is needed": (
        BY_TOOL,
        "sh cargo test",
        "sed -i '2a autotests = false' Cargo.toml; echo 'b = \"1\"' >> Cargo.toml; echo b > Cargo.lock",
    ),
    "npm's own shell": (
        {"package.json": '{"name": "x", "version": "1.0.0", "scripts": {"test": "sh tests/test_want.sh"}}\n'},
        "npm test",
        "echo script-shell=true > .npmrc",
    ),
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_way_around_the_check_is_none(world: World, hole: str) -> None:
    there, check, act = HOLES[hole]
    stage = Stage(world, cycles=[[["ask", "worker", "do: echo x > x; " + act], ["done", "it is reached"]]])
    for name, words in there.items():
        path = stage.repo / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(words) if words or not path.exists() else git(stage.repo, "rm", "-q", name)
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "its check", "--allow-empty")
    if "ready.sh" in there:
        world.ok("add-project", "p", str(stage.repo), "--setup", "sh ready.sh")
    known = stage.reached("--mode", "mission", "--verify", check)
    assert known["outcome"] == "rejected", known["cycles"]


def test_a_check_below_the_top_of_the_repository_is_the_check_s_own(world: World) -> None:
    stage = Stage(world, cycles=[[["ask", "worker", "do: echo : > go.sh"], ["done", "x"]]])
    (stage.repo / "app").mkdir()
    (stage.repo / "app" / "go.sh").write_text("exit 1\n")
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "its check")
    world.ok("add-project", "p", str(stage.repo / "app"))
    known = stage.reached("--mode", "mission", "--verify", "sh go.sh")
    assert known["outcome"] == "rejected" and "go.sh" in known["cycles"][0]["reasons"][0]


def test_what_comes_along_into_a_checkout_is_as_it_was_when_the_goal_began(world: World) -> None:
    act = "do: echo yes > want; echo changed > .env; echo other >> .worktreeinclude; echo x > other"
    stage = Stage(world, cycles=[[["ask", "worker", act], ["done", "x"]]])
    (stage.repo / ".gitignore").write_text(".env\nother\ndeep\n")
    (stage.repo / ".worktreeinclude").write_text(".env\ndeep\n")
    (stage.repo / "check.sh").write_text('test "$(cat .env deep/er/link)" = "$(echo here; echo here)" -a ! -e other\n')
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "its environment")
    (stage.repo / ".env").write_text("here\n")
    (stage.repo / "deep" / "er").mkdir(parents=True)
    (stage.repo / "deep" / "er" / "link").symlink_to("../../.env")
    known = stage.reached("--mode", "mission", "--verify", "sh check.sh")
    assert known["outcome"] == "accepted", known["cycles"]


def test_work_that_needs_another_package_can_be_accepted(world: World) -> None:
    """Its setup goes by the package.json and the lock, which are to agree: here a script looks."""
    needs = """sed -i 's/"dependencies": {}/"dependencies": {"b": "^1.0.0"}/' package.json; echo b > lock"""
    stage = Stage(world, cycles=[[["ask", "worker", "do: echo yes > want; " + needs], ["done", "x"]]])
    package = '{"name": "x", "version": "1.0.0", "scripts": {"test": "sh tests/test_want.sh"}, "dependencies": {}}'
    (stage.repo / "package.json").write_text(package + "\n")
    (stage.repo / "lock").write_text("")
    (stage.repo / "look.sh").write_text("if test -s lock; then grep -q %s package.json; fi\n" % "b.:")
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "a package")
    known = stage.reached("--mode", "mission", "--verify", "sh look.sh && npm test")
    assert known["outcome"] == "accepted", known["cycles"]


def test_work_that_needs_another_crate_can_be_accepted(world: World) -> None:
    needs = "echo 'b = \"1\"' >> Cargo.toml; echo b > Cargo.lock"
    stage = Stage(world, cycles=[[["ask", "worker", "do: echo yes > want; " + needs], ["done", "x"]]])
    for name, words in BY_TOOL.items():
        (stage.repo / name).write_text(words)
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "a crate")
    known = stage.reached("--mode", "mission", "--verify", "sh cargo test")
    assert known["outcome"] == "accepted", known["cycles"]
    assert known["cycles"][0]["checks"][1]["why"] == "none of its own files was changed"


def test_a_manifest_that_has_to_change_more_is_named_and_may_be_allowed(world: World) -> None:
    act = "do: echo yes > want; echo '[features]' >> Cargo.toml"
    stage = Stage(world, cycles=[[["ask", "worker", act], ["done", "x"]]])
    for name, words in {**BY_TOOL, "cargo": "grep -q features Cargo.toml && sh tests/test_want.sh\n"}.items():
        (stage.repo / name).write_text(words)
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "a crate")
    goal = stage.set("--mode", "mission", "--verify", "sh cargo test")
    (reason,) = stage.known(goal)["cycles"][0]["reasons"]
    assert "(Cargo.toml)" in reason and "--may-change" in reason
    again = world.ok("goal", "resume", goal, "--may-change", "Cargo.toml", "--max-cycles", "2", "--mode", "saga")
    assert stage.known(again)["outcome"] == "accepted"
