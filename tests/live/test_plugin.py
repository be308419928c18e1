"""The plugin that agentctl makes, in the real Claude Code: valid, installed, heard, removed.

By `wake` in config.json no key is typed: what reaches the model here came by the plugin's hooks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arrow import Arrow
from .arrow import eventually
from .orchestrator import Plain
from .orchestrator import texts_with
from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .wakes import HOOKED
from .wakes import reacts
from .world import World

pytestmark = pytest.mark.live

OWN = '{"model": "sonnet",\n\n   "permissions": {"allow": ["Bash(ls:*)"]}, "enabledPlugins": {}}'
START = "agentctl start --project p --no-pane -- sh -c 'while [ ! -e %s ]; do sleep 0.1; done'"


class Outside(Plain):
    """A Claude Code that nothing tells of tmux; its pane is the test's eye only."""

    def command(self) -> str:
        return "env -u TMUX -u TMUX_PANE " + super().command()

    def _here(self, pid: int) -> bool:
        return True


@pytest.fixture
def plugged(world: World) -> Iterator[Arrow]:
    """A home and a plugin for it; no key is ever typed."""
    made = Arrow(world, wake=["hooks", "status"])
    made.agentctl("plugin", str(folder(made)))
    made.stub.plays.append(reacts)
    yield made
    made.stub.plays.remove(reacts)
    made.close()


def folder(arrow: Arrow) -> Path:
    return arrow.world.folder / "plugin"


def laid_in(arrow: Arrow) -> None:
    """Made where Claude Code loads a plugin from as it is: no setting is needed."""
    arrow.agentctl("plugin", str(arrow.world.home / ".claude" / "skills" / "agentctl"))
    assert not settings(arrow).exists()


def settings(arrow: Arrow) -> Path:
    return arrow.world.home / ".claude" / "settings.json"


def claude(world: World, *words: str) -> str:
    """What `claude WORDS` prints; it must succeed."""
    done = world.run(["claude", *words], world.folder)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def test_valid_installed_and_removed_the_settings_are_as_before(plugged: Arrow) -> None:
    """By Claude Code's own commands, warnings counted; then byte for byte, and behind the link that was there."""
    for manifest in ("marketplace.json", "plugin.json"):
        path = str(folder(plugged) / ".claude-plugin" / manifest)
        assert "Validation passed" in claude(plugged.world, "plugin", "validate", "--strict", path)
    real = plugged.world.folder / "dotfiles.json"
    real.write_text(OWN)
    settings(plugged).symlink_to(real)
    plugged.agentctl("plugin", str(folder(plugged)), "--install")
    assert "agentctl@agentctl" in claude(plugged.world, "plugin", "list")
    assert json.loads(settings(plugged).read_text())["enabledPlugins"]["agentctl@agentctl"] is True
    plugged.agentctl("plugin", str(folder(plugged)), "--remove")
    assert "agentctl@agentctl" not in claude(plugged.world, "plugin", "list")
    assert settings(plugged).read_text() == OWN and settings(plugged).is_symlink()
    assert not list(plugged.world.folder.rglob("*before-agentctl*"))


@pytest.mark.parametrize("kind", [Plain, Outside], ids=["tmux", "elsewhere"])
def test_the_end_of_a_run_reaches_the_model_by_its_hooks(plugged: Arrow, kind: type[Plain]) -> None:
    """In a Claude that a user started as ever: a command of its own starts a run, it rests, and is woken once."""
    over = plugged.world.folder / "over"
    if kind is Outside:
        laid_in(plugged)
    else:
        plugged.agentctl("plugin", str(folder(plugged)), "--install")
    tui = kind(plugged, plugged.repo)
    try:
        tui.ask("hand it out", {"run": START % over}, {"text": "it is on its way"})
        [run] = [path.name for path in plugged.home.glob("runs/2*")]
        [inbox] = [path.name for path in (plugged.home / "inbox").iterdir() if path.name != "acked" and path.is_dir()]
        assert inbox.startswith("pane-" if kind is Plain else "claude-")
        seen = len(texts_with(plugged.stub.asked(run), run))
        over.touch()
        tui.until(lambda: len(texts_with(plugged.stub.asked(run), run)) > seen, 30)
        tui.idle()
        told = [text for _, text in texts_with(plugged.stub.asked(run), run) if HOOKED in text]
        assert len(told) == 1 and "finished" in told[0]
        assert "this check is broken" not in plugged.agentctl("doctor", codes=(0, 1))
    finally:
        tui.close()
    if kind is Plain:
        plugged.agentctl("plugin", str(folder(plugged)), "--remove")
    assert not settings(plugged).exists()


def test_a_claude_that_hands_nothing_out_has_no_inbox(plugged: Arrow) -> None:
    """Nor a process beside it; the slash command is there, and says to the model what it is to do."""
    laid_in(plugged)
    tui = Outside(plugged, plugged.repo)
    try:
        tui.draft("/agentctl:status")
        tui.keys("Enter")
        tui.until(lambda: plugged.stub.asked("who needs me first"), 30)
        tui.idle()
        assert [path.name for path in (plugged.home / "inbox").iterdir() if path.is_dir()] in ([], ["acked"])
    finally:
        tui.close()


def test_a_claude_that_prints_is_not_told_and_not_held_up(plugged: Arrow) -> None:
    """`claude -p` in a pane that has an inbox: no orchestrator, although its commands would be the pane's."""
    laid_in(plugged)
    plugged.env.update(TMUX="/nowhere,%d,0" % os.getpid(), TMUX_PANE="%7")
    run = plugged.agentctl("start", "--project", "p", "--no-pane", "--", "true").strip()
    name = "pane-%d-7" % os.getpid()
    assert eventually(lambda: (plugged.home / "inbox" / name / "events" / (run + ".ended")).exists())
    words = "say it %s" % marker({"run": "ls"}, {"text": "said"})
    done = plugged.world.run(["env", *environment(plugged), "claude", "-p", words], plugged.repo)
    assert (done.returncode, done.stdout.strip()) == (0, "said"), (done.stdout, done.stderr)
    assert not texts_with(plugged.stub.asked(run), run)
    assert not (plugged.home / "inbox" / name / "heard.json").exists()


def environment(arrow: Arrow) -> list[str]:
    """What differs from the world's, as `env` takes it."""
    return ["%s=%s" % pair for pair in arrow.env.items() if arrow.world.env.get(pair[0]) != pair[1]]


@pytest.mark.skipif(not os.environ.get("AGENTCTL_LONG"), reason="a share of the live tests: AGENTCTL_LONG=1")
def test_a_worker_with_the_plugin_hears_nothing(plugged: Arrow) -> None:
    """A real Claude worker in a home where it is installed: its orchestrator's inbox is not told to it."""
    plugged.agentctl("plugin", str(folder(plugged)), "--install")
    (plugged.home / "inbox" / "orch-aaaa").mkdir(mode=0o700)
    plugged.env["AGENTCTL_ORCHESTRATOR"] = "orch-aaaa"
    first = plugged.agentctl("start", "--project", "p", "--no-pane", "--", "true").strip()
    assert eventually(lambda: (plugged.home / "inbox" / "orch-aaaa" / "events" / (first + ".ended")).exists())
    done = plugged.done("do it %s" % marker({"run": "ls"}, GOOD), "claude", "--no-pane")
    assert done["status"] == "finished"
    assert not texts_with(plugged.stub.asked(first), first)
    assert os.listdir(plugged.home / "inbox" / "orch-aaaa" / "events")
