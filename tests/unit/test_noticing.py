"""What a run's end is to a person, and how a notice looks by each way."""

from __future__ import annotations

from typing import Any

import pytest

from agentctl import noticing
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.notices import carrying
from agentctl.notices import posting
from agentctl.notices.shelf import Notice

GOOD = {"status": "finished", "goal_met": True}


@pytest.mark.parametrize(
    ("spec", "result", "kind"),
    [
        ({}, GOOD, ""),
        ({}, {"status": "failed"}, "failed"),
        ({}, {"status": "timed_out"}, "failed"),
        ({}, {"status": "lost"}, "failed"),
        ({}, {"status": "stopped"}, ""),
        ({}, {"status": "skipped"}, ""),
        ({}, {**GOOD, "goal_met": False}, "failed"),
        ({}, {**GOOD, "verified": "failed"}, "failed"),
        ({}, {"status": "failed", "escalated_to": "20260101-000000-aaaa"}, ""),
        ({"goal": "20260101-000000-aaaa"}, {"status": "failed"}, ""),
        ({"backend": "goal"}, GOOD, "done"),
        ({"backend": "goal"}, {**GOOD, "goal_met": False}, "needs"),
        ({"backend": "goal"}, {"status": "lost"}, "failed"),
        ({"backend": "goal"}, {"status": "stopped"}, ""),
    ],
)
def test_what_an_end_is_to_a_person(spec: dict[str, Any], result: dict[str, Any], kind: str) -> None:
    assert posting.kind_of(Spec.from_json(spec), Result.from_json(result)) == kind


def test_no_word_of_a_notice_is_an_option_or_a_script() -> None:
    """notify-send gets it after `--`, osascript as arguments of a constant script."""
    notice = Notice(kind="needs", title='-u " & do shell script', text="x", run_id="20260101-000000-aaaa")
    argv = carrying.desktop_argv("/usr/bin/notify-send", notice)
    assert argv[argv.index("--") + 1 :] == ["agentctl needs you", carrying.body(notice).replace("&", "&amp;")]
    argv = carrying.desktop_argv("/usr/bin/osascript", notice)
    scripts = [argv[n + 1] for n, word in enumerate(argv) if word == "-e"]
    assert scripts[0] == "on run words" and not any("do shell" in line for line in scripts)
    assert argv[-2:] == ["agentctl needs you", carrying.body(notice)]


def test_the_quickest_way_is_first_and_no_token_is_shown() -> None:
    raw: dict[str, Any] = {
        "webhook": "https://example.org:8443/secret?x=y",
        "ntfy": {"url": "https://n.org/t", "token": "tk"},
    }
    raw = {**raw, "desktop": True, "command": ["p"]}
    assert noticing.wrong_with(raw) == ""
    ways = noticing.ways(raw)
    assert [way.name for way in ways] == ["desktop", "command", "ntfy", "webhook"]
    assert [way.host for way in ways] == ["", "", "https://n.org", "https://example.org"]
    assert ways[2].token == "tk"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "127.9.9.9", "[::1]:8000"])
def test_this_machine_may_be_spoken_to_without_tls(host: str) -> None:
    assert noticing.wrong_with({"webhook": "http://%s/x" % host}) == ""


@pytest.mark.parametrize(
    "host", ["localhost.evil.org", "127.0.0.1.evil.org", "10.0.0.1", "[::2]", "127.0.0.1@evil.org"]
)
def test_others_may_not(host: str) -> None:
    assert noticing.wrong_with({"webhook": "http://%s/x" % host})
