"""Which files a check has for its own."""

from __future__ import annotations

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
        ("tests/test_new.py", "A", False),
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
        ("package.json", "M", False),
        ("src/contest.py", "M", False),
        ("latest.py", "M", False),
    ],
)
def test_what_is_put_back(name: str, kind: str, wanted: bool) -> None:
    assert guarding.wanted(ASKED, BEFORE)(name, kind) is wanted


def test_package_json_is_the_check_s_where_node_runs_it() -> None:
    assert guarding.wanted(ASKED.replace(verify="npm test"), BEFORE)("package.json", "M")


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
