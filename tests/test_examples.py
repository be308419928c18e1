"""What the README and the docstrings show of the Python API runs as it stands, and is typed for strangers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional

import pytest

import examples
import fetch
from conftest import REPO
from conftest import World

EVERY = examples.every()
NAMES = sorted(EVERY)
OUR_OWN = sorted(EVERY.keys() - examples.of_vendors().keys())
WRONG = """
from agentctl import Agent
from agentctl import Session
from agentctl import no_such_name
from agentctl import show
from agentctl import start

start("x", profil="spark")
start("x", after=1)
Agent("claude")
show("x").summary.no_such_method()
"""


def mypy() -> Optional[Path]:
    """The developer's mypy: $AGENTCTL_MYPY, that of `.ci/run`, or what is on the PATH."""
    named = os.environ.get("AGENTCTL_MYPY")
    found = named or shutil.which("mypy", path=os.pathsep.join([str(fetch.CACHE / "lint" / "bin"), os.environ["PATH"]]))
    return Path(found).absolute() if found else None


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What `mypy --strict` says of the examples, and of a file of mistakes, where agentctl is installed."""
    checker = mypy()
    if checker is None:
        pytest.skip("no mypy on the PATH; AGENTCTL_MYPY names one")
    python = next(p for p in (checker.parent / "python3", Path(sys.executable)) if p.exists())
    folder = tmp_path_factory.mktemp("outside")
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    [packages] = (folder / "venv" / "lib").glob("python3*/site-packages")
    shutil.copytree(REPO / "agentctl", packages / "agentctl", ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in {**EVERY, "wrong": WRONG}.items():
        (folder / (name + ".py")).write_text(code)
    files = [name + ".py" for name in (*NAMES, "wrong")]
    inside = str(folder / "venv" / "bin" / "python3")
    return subprocess.run(
        [str(checker), "--strict", "--config-file=", "--python-executable", inside, *files],
        cwd=folder,
        env={**os.environ, "MYPYPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_type_checker_outside_the_package_takes_every_example(checked: subprocess.CompletedProcess[str]) -> None:
    assert checked.stderr == ""
    complaints = [
        line for line in checked.stdout.splitlines() if line.startswith(tuple(name + ".py" for name in NAMES))
    ]
    assert complaints == []


def test_a_type_checker_outside_the_package_finds_mistakes(checked: subprocess.CompletedProcess[str]) -> None:
    """A module that hands out names on demand could make anything pass, and an untyped one does."""
    lines = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if line.startswith("wrong.py:")}
    mistakes = [n for n, line in enumerate(WRONG.splitlines(), 1) if "no_such" in line or line.startswith(("st", "Ag"))]
    assert sorted(lines) == mistakes


def test_there_are_examples_of_both_kinds() -> None:
    assert OUR_OWN
    assert examples.of_vendors()
    assert [name for name in NAMES if name.startswith("readme")], "README.md has no section From Python"


@pytest.mark.parametrize("name", OUR_OWN)
def test_an_example_runs_as_it_stands(world: World, tmp_path: Path, name: str) -> None:
    """A stranger's process, in the directory of a registered project."""
    (tmp_path / "example.py").write_text(EVERY[name])
    done = subprocess.run(
        [sys.executable, str(tmp_path / "example.py")],
        cwd=world.project,
        env={**world.env, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
