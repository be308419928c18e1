"""Which files a check has for its own."""

from __future__ import annotations

import json
import os

import pytest

from agentctl.goals import guarding
from agentctl.goals.asked import GoalAsked

BEFORE = ("check.sh", "src/a.py", "tests/test_a.py", "pyproject.toml", "Makefile")
ASKED = GoalAsked(verify="sh ./check.sh -q")


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("src/a.py", "M", False),
        ("tests/test_a.py", "M", True),
        ("tests/test_a.py", "D", True),
        ("tests/test_new.py", "A", True),
        ("src/new.py", "A", False),
        ("src/testing/new.py", "A", False),
        ("src/app/types.py", "A", False),
        ("unittest.py", "A", True),
        ("src/pytest/__init__.py", "A", True),
        ("tests/types.py", "A", True),
        ("site/index.html", "A", False),
        ("tests", "T", True),
        ("tests", "D", True),
        ("Tests/AppTests/Main.swift", "M", True),
        ("Shop.Tests/Cart.cs", "M", True),
        ("src/CartTest.java", "M", True),
        ("src/__snapshots__/cart.test.js.snap", "D", True),
        ("pkg/testdata/wanted.golden", "M", True),
        ("src/Contest.java", "M", False),
        ("src/test_inline.py", "M", True),
        ("src/app.test.ts", "M", True),
        ("spec/models/user_spec.rb", "D", True),
        ("check.sh", "M", True),
        ("check.sh", "D", True),
        ("conftest.py", "A", True),
        ("sub/conftest.py", "A", True),
        ("pytest.ini", "A", True),
        ("pyproject.toml", "M", True),
        ("Makefile", "M", True),
        ("jest.config.js", "A", True),
        ("jest.setup.ts", "M", True),
        ("GNUmakefile", "A", True),
        ("rules.mk", "M", True),
        (".npmrc", "A", True),
        (".cargo/config.toml", "A", True),
        ("package.json", "M", False),
        ("src/contest.py", "M", False),
        ("latest.py", "M", False),
    ],
)
def test_what_is_put_back(name: str, kind: str, wanted: bool) -> None:
    assert guarding.wanted(ASKED, BEFORE)(name, kind) is wanted


def read(held: dict[str, str]) -> guarding.Reader:
    return lambda names: {name: held[name] for name in names if name in held}


def test_scripts_that_scripts_call_are_the_check_s_and_the_source_that_they_name_is_not() -> None:
    held = {"Makefile": "test:\n\tcc src/a.c\n\tsh ci/run.sh\n", "ci/run.sh": '. "$(dirname "$0")/lib.sh"; sh src/a.c'}
    before = [*held, "ci/lib.sh", "src/a.c"]
    is_wanted = guarding.wanted(GoalAsked(verify="make test"), before, read(held))
    assert is_wanted("ci/run.sh", "M") and is_wanted("ci/lib.sh", "M") and not is_wanted("src/a.c", "M")


def test_node_is_seen_where_a_makefile_calls_it() -> None:
    held = {"Makefile": "test:\n\tnpm test\n"}
    assert guarding.wanted(GoalAsked(verify="make test"), [*held, "package.json"], read(held))("package.json", "M")


@pytest.mark.parametrize("command", ["sh check.sh", "sh ./check.sh", "cd .. && sh app/check.sh"])
def test_names_are_looked_up_from_where_the_check_runs(command: str) -> None:
    is_wanted = guarding.wanted(GoalAsked(verify=command), ["app/check.sh", "other/check.sh"], inside="app")
    assert is_wanted("app/check.sh", "M") and not is_wanted("other/check.sh", "M")


def test_a_folder_that_the_check_goes_to() -> None:
    before = ["app/check.sh", "a"]
    assert guarding.wanted(GoalAsked(verify="cd app && sh check.sh"), before)("app/check.sh", "M")


def test_what_the_setup_runs_is_the_check_s() -> None:
    assert guarding.wanted(ASKED.replace(setup="sh ready.sh"), [*BEFORE, "ready.sh"])("ready.sh", "M")


@pytest.mark.parametrize("command", ["pytest tests/test_new.py", "pytest tests/new", "cd tests/new; pytest"])
def test_new_tests_that_the_check_asks_for_stay(command: str) -> None:
    is_wanted = guarding.wanted(GoalAsked(verify=command), BEFORE)
    assert not is_wanted("tests/test_new.py" if "test_new" in command else "tests/new/test_new.py", "A")


def test_the_first_tests_of_a_project_stay() -> None:
    is_wanted = guarding.wanted(GoalAsked(verify="pytest"), ["a.py", "tests/__init__.py", "tests/README.md"])
    assert not is_wanted("tests/test_new.py", "A")


def test_package_json_is_the_check_s_where_node_runs_it() -> None:
    assert guarding.wanted(ASKED.replace(verify="npm test"), BEFORE)("package.json", "M")


def test_a_package_may_need_more_and_its_scripts_stay() -> None:
    before = {"scripts": {"test": "jest"}, "dependencies": {"a": "1"}, "devDependencies": {"jest": "^29"}}
    after = {
        "scripts": {"test": "true"},
        "jest": {"testMatch": []},
        "dependencies": {"a": "2", "b": "^1.0.0", "jest": "1.0.0", "c": "file:./lie", "d": "npm:lie@1"},
        "peerDependencies": {"e": ">=1"},
    }
    held = json.loads(guarding.package(json.dumps(before), json.dumps(after)))
    assert held == {**before, "dependencies": {"a": "1", "b": "^1.0.0"}, "peerDependencies": {"e": ">=1"}}


@pytest.mark.parametrize("before", ["", "{", "[]", '{"scripts": {}}'])
@pytest.mark.parametrize("after", ["", "[1]", '{"dependencies": 7}', '{"dependencies": {"a": null}}'])
def test_a_package_that_cannot_be_read_is_as_it_was(before: str, after: str) -> None:
    held = guarding.package(before, after)
    assert held == before or json.loads(held) == json.loads(before)


def test_what_may_change_is_left_alone() -> None:
    is_wanted = guarding.wanted(ASKED.replace(may_change=("tests/**", "pyproject.toml")), BEFORE)
    assert not is_wanted("tests/test_a.py", "D") and not is_wanted("pyproject.toml", "M") and is_wanted("check.sh", "M")


def test_what_is_protected_is_put_back() -> None:
    is_wanted = guarding.wanted(ASKED.replace(protect=("ci/**",)), BEFORE)
    assert is_wanted("ci/lib.sh", "M") and is_wanted("ci/new.sh", "A") and not is_wanted("src/a.py", "M")


def test_a_new_project_may_bring_its_settings() -> None:
    """Where nothing was there to protect, nothing is taken away."""
    is_wanted = guarding.wanted(GoalAsked(verify="pytest -q"), ["README.md"])
    assert not is_wanted("pyproject.toml", "A") and not is_wanted("conftest.py", "A")


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("sh check.sh", {"check.sh"}),
        ("./check.sh && make", {"check.sh"}),
        ("env X=check.sh true", {"check.sh"}),
        ("pytest tests/test_a.py", {"tests/test_a.py"}),
        ("sh 'check.sh", set()),
        ("make test", set()),
    ],
)
def test_the_files_that_a_command_names(command: str, named: set[str]) -> None:
    assert guarding.named_by(command, set(BEFORE)) == named


def test_a_name_with_signs_of_globs_is_a_name() -> None:
    assert guarding.matches("a[1]*.py", "a[[]1]*") and not guarding.matches("a*", "ab")


@pytest.mark.parametrize(
    ("command", "strays"),
    [
        ("cd /r/a && make test", True),
        ("cd /r/a/ && make test", True),
        ("sh /r/a/check.sh", True),
        ("pytest --rootdir=/r/a/tests", True),
        ("/r/a/.venv/bin/pytest -q", False),
        ("sh /r/abc/check.sh", False),
        ("sh check.sh", False),
    ],
)
def test_a_check_that_leaves_its_checkout(command: str, strays: bool) -> None:
    assert guarding.strays(command, "/r/a", BEFORE, os.path.normpath) is strays
