"""`sessions` over many conversations of three vendors, against a look at the same files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import measure
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import PYTHON
from measure import REPO
from measure import BenchError
from table import MEDIAN
from table import RATIO
from table import Goal
from table import Row

_COUNT = 5000
_FLOOR = (
    "import os,sys\n"
    "def walk(folder):\n"
    " for entry in os.scandir(folder):\n"
    "  if entry.is_dir(follow_symlinks=False): walk(entry.path)\n"
    "  else: entry.stat()\n"
    "walk(sys.argv[1])"
)
"""The least that says which of the files are recent."""


def listing(rounds: int) -> list[Row]:
    """All of them within the asked hours, and a hundredth of them."""
    with Lab() as lab:
        user = lab.fresh("user")
        maker = (PYTHON, os.path.join(REPO, "tests", "vendors.py"), user, str(_COUNT), "/srv/a", "/srv/b", "/srv/c")
        subprocess.run(maker, check=True)
        rows = [_row(lab, user, hours, rounds) for hours in ("24", "0.2")]
        shutil.rmtree(user)
    return rows


def _row(lab: Lab, user: str, hours: str, rounds: int) -> Row:
    env = {**lab.env, "HOME": user}
    argv = (*AGENTCTL, "--home", lab.home, "sessions", "--hours", hours, "--json")
    found = len(json.loads(measure.output(argv, env, lab.fresh("out")))["sessions"])
    if (found == _COUNT) != (hours == "24") or not found:
        raise BenchError("sessions --hours %s found %d of %d" % (hours, found, _COUNT))
    floor = (*BARE, "-c", _FLOOR, user)
    pairs = measure.in_turns(rounds, lambda: measure.timed(argv, env), lambda: measure.timed(floor, env))
    ours, least = pairs.walls()
    name = "sessions, %s of %s" % (format(found, ","), format(_COUNT, ","))
    goals = (Goal(MEDIAN, most=1000.0), Goal(RATIO, most=20.0 if hours == "24" else 3.0))
    return Row(name, "ms", ours, least, "scandir and stat of the same tree", goals, pairs.cpus())


FIGURES = {"sessions": listing}
