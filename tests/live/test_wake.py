"""The panes that config.json names: a Claude Code there is woken by keys, a shell never gets any.

What can go wrong in the pane of any orchestrator is in test_wake_matrix.py.
"""

from __future__ import annotations

import json
import os

import pytest

from .arrow import Arrow
from .arrow import eventually
from .orchestrator import PROMPT
from .orchestrator import Plain
from .orchestrator import texts_with
from .wakes import LINE
from .wakes import WORDS
from .wakes import reacts

pytestmark = pytest.mark.live


def name_target(arrow: Arrow, **settings: str) -> None:
    """Write settings into config.json, beside those that are there."""
    path = arrow.home / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def outside(arrow: Arrow) -> str:
    """A run that was started outside tmux, ended, and its runner gone, so that whoever tells has begun to."""
    run = arrow.agentctl("start", "--project", "p", "--no-pane", "--", "true").strip()
    arrow.wait(run)
    assert eventually(lambda: not os.path.exists("/proc/%d" % arrow.runner_pid(run)), 25)
    return run


def test_the_configured_target_is_woken_and_reads_its_inbox(arrow: Arrow) -> None:
    tui = Plain(arrow, arrow.repo)
    arrow.stub.plays.append(reacts)
    try:
        name_target(arrow, tmux_socket=tui.socket, tmux_sendkeys_target="ai:")
        run = outside(arrow)
        tui.until(lambda: texts_with(arrow.stub.asked(run), run), 30)
        tui.idle()
        assert len(texts_with(arrow.stub.asked(run), run)) == 1
        assert os.listdir(arrow.home / "inbox" / "target" / "events") == []
    finally:
        arrow.stub.plays.remove(reacts)
        tui.close()


def test_a_shell_as_target_gets_no_keys_and_the_status_line_is_shown(arrow: Arrow) -> None:
    tui = Plain(arrow, arrow.repo)
    try:
        tui.leave()
        tui.at_prompt()
        name_target(arrow, tmux_socket=tui.socket, tmux_sendkeys_target="ai:", tmux_notify_target="ai:")
        with tui.attached() as _:
            run = outside(arrow)
            tui.until(lambda: run in messages(tui), 20)
        assert os.listdir(arrow.home / "inbox" / "target" / "events") == [run + ".ended"]
        assert WORDS not in tui.screen(200)
        assert tui.screen().rstrip().endswith(PROMPT)
        assert not arrow.stub.asked(LINE) or run not in str(arrow.stub.asked(LINE))
    finally:
        tui.close()


def messages(tui: Plain) -> str:
    """What the status line of a tmux client said."""
    client = tui.tmux("list-clients", "-F", "#{client_name}").split()
    return tui.tmux("show-messages", "-t", client[0]) if client else ""
