"""The Python API from a wheel: what a program does that has agentctl from `pip install`."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import fetch
import test_install
from conftest import World
from stranger import GRAPH
from stranger import OUTCOME
from stranger import TURNS
from stranger import said
from stranger import with_mini

with_pip = test_install.with_pip
wheel = test_install.wheel


def test_agents_a_graph_and_live_events_from_a_wheel(wheel: Path, world: World, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert "agentctl/py.typed" in archive.namelist()
    fetch.make_environment(tmp_path / "venv", [fetch.PIP])
    python = str(tmp_path / "venv" / "bin" / "python3")
    install = [python, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    mini = with_mini(world)
    [where] = said(mini, "import agentctl.python\nprint(agentctl.python.__file__)", python)
    assert where.startswith(str(tmp_path / "venv"))
    figures, _ = said(mini, TURNS, python, FOLDER=str(tmp_path))
    assert figures == "300 30 None"
    live, base, outcome, _ = said(mini, GRAPH + OUTCOME, python)
    assert (live, base) == ("running ['running', 'queued', 'queued', 'queued', 'queued']", "True")
    assert outcome.startswith("failed [('finished', True), ('finished', False), ('finished', True), ('skipped', None)")
