"""When no key is pressed. What happens when one is, is in tests/live/test_wake.py."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from agentctl import processes
from agentctl import store
from agentctl import tmux
from agentctl import wake

NOWHERE = tmux.Server(socket="agentctl-test-no-such-server")


@pytest.mark.parametrize(
    "knocked, said",
    [
        (-10.0, "no live orchestrator in that pane"),
        (-2.0, "announced already"),
        (3600.0, "no live orchestrator in that pane"),
    ],
)
def test_a_knock_after_the_end_has_announced_it_unless_it_is_of_the_future(
    knocked: float, said: str, tmp_path: Path
) -> None:
    home = store.create_home(str(tmp_path / "home"))
    os.makedirs(home.wakes, exist_ok=True)
    mark = Path(home.wakes) / "_7"
    mark.write_bytes(b"")
    now = time.time()
    os.utime(mark, (now + knocked, now + knocked))
    assert wake.knock(home, NOWHERE, "%7", 0, now - 5) == said


@pytest.mark.skipif(not processes.LINUX, reason="compares both ways")
@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps, which stands in for /proc elsewhere")
@pytest.mark.parametrize(
    "linux, born, found",
    [
        (True, "", True),
        (True, "Fri Nov 20 11:13:08 2026", False),
        (False, "Fri Nov 20 11:13:08 2026", True),
        (False, "", True),
    ],
)
def test_the_vendors_start_mark_is_compared_where_it_is_ours(
    linux: bool, born: str, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LINUX", linux)
    assert wake._alive_below({"pid": os.getpid(), "procStart": born}, os.getppid()) is found
    assert not wake._alive_below({"pid": os.getppid(), "procStart": ""}, os.getpid()), "not below"
