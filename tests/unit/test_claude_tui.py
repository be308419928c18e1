"""A live Claude Code is known by its own file and its process; its box by the screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agentctl import claude_tui
from agentctl import processes
from agentctl import sight

RULE = "─" * 40


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder; our own process stands for a Claude that has the keys."""
    monkeypatch.setattr(processes, "in_foreground", lambda pid: True)
    (tmp_path / "sessions").mkdir()
    return tmp_path


def tell(vendor: Path, pid: int, **more: object) -> dict[str, str]:
    entry = {"pid": pid, "procStart": processes.start_time(pid), "status": "idle", "sessionId": "s", **more}
    (vendor / "sessions" / ("%d.json" % pid)).write_text(json.dumps(entry))
    return {"CLAUDE_CONFIG_DIR": str(vendor)}


def test_a_live_one_is_found_below_a_pane_and_above_a_hook(vendor: Path) -> None:
    env = tell(vendor, os.getpid())
    born = processes.start_time(os.getpid())
    live = claude_tui.Live(pid=os.getpid(), born=born, status="idle", session_id="s")
    assert claude_tui.below(os.getppid(), str(vendor)) == live == claude_tui.above(os.getpid(), env)
    assert claude_tui.below(1, str(vendor)) is None


def test_what_a_killed_one_left_behind_counts_for_nothing(vendor: Path) -> None:
    env = tell(vendor, os.getpid(), procStart="12345")
    assert claude_tui.below(os.getppid(), str(vendor)) is None
    assert claude_tui.above(os.getpid(), env) is None


def test_one_that_has_not_the_keys_gets_none(vendor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(vendor, os.getpid())
    monkeypatch.setattr(processes, "in_foreground", lambda pid: False)
    assert claude_tui.below(os.getppid(), str(vendor)) is None


@pytest.mark.skipif(not processes.LINUX, reason="compares both ways")
@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps, which stands in for /proc elsewhere")
@pytest.mark.parametrize("linux, found", [(True, False), (False, True)])
def test_the_vendors_start_mark_is_compared_where_it_is_ours(
    linux: bool, found: bool, vendor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(vendor, os.getpid(), procStart="Fri Nov 20 11:13:08 2026")
    monkeypatch.setattr(processes, "LINUX", linux)
    assert (claude_tui.below(os.getppid(), str(vendor)) is not None) is found


@pytest.mark.parametrize(
    "lines, said",
    [
        ([RULE, "❯ ", RULE], ""),
        ([RULE, "❯\u00a0", RULE, "  ? for shortcuts"], ""),
        (["above", RULE, "❯ half a", "  draft", RULE], "half a\n  draft"),
        ([RULE, "❯ Press up to edit queued messages", RULE], ""),
        ([RULE, "Do you want to proceed?", "❯ 1. Yes", RULE], None),
        ([RULE, "❯ "], None),
        ([], None),
    ],
)
def test_the_box(lines: list[str], said: object) -> None:
    assert claude_tui.box(lines) == said


def test_one_that_it_started_itself_hides_it_from_nobody(vendor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `claude -p` of the orchestrator's own stands below the same pane, without the keys."""
    child = subprocess.Popen(["sleep", "60"])
    try:
        tell(vendor, child.pid)
        tell(vendor, os.getpid())
        monkeypatch.setattr(processes, "in_foreground", lambda pid: pid == os.getpid())
        monkeypatch.setattr(os, "listdir", lambda folder: ["%d.json" % pid for pid in (child.pid, os.getpid())])
        found = claude_tui.below(os.getppid(), str(vendor))
        assert found and found.pid == os.getpid()
    finally:
        child.kill()
        child.wait()


def test_a_draft_that_is_put_aside_already_is_seen() -> None:
    assert claude_tui.stashed([RULE, "❯ more", RULE, "  › stashed (auto-restores after submit)"])
    assert not claude_tui.stashed(["● they › stashed it", RULE, "❯ more", RULE, "  ? for shortcuts"])


@pytest.mark.parametrize(
    "drawn, plain, solid",
    [
        ('\x1b[39m❯\u00a0\x1b[7mT\x1b[0;2m\x1b[39m\x1b[49mry "x"\x1b[0m\x1b[39m\x1b[49m', '❯\u00a0Try "x"', "❯\u00a0"),
        ("\x1b[39m❯\u00a0hello draft\x1b[7m \x1b[0m\x1b[39m", "❯\u00a0hello draft ", "❯\u00a0hello draft "),
        ("\x1b[39m❯\u00a0he\x1b[7ml\x1b[0mlo", "❯\u00a0hello", "❯\u00a0hello"),
        ("\x1b[2mfaint\x1b[22m not", "faint not", " not"),
        ("no codes", "no codes", "no codes"),
        ("", "", ""),
    ],
)
def test_a_suggestion_is_no_draft(drawn: str, plain: str, solid: str) -> None:
    """As Claude Code 2.1.197 drew them."""
    assert sight.told_apart(drawn) == (plain, solid)
