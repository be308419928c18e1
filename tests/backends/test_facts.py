"""What the vendors' streams taught us, said one by one: a golden file can be renewed
without a thought, these cannot."""

from __future__ import annotations

import pytest
import transcripts

from agentctl import progress
from agentctl import reports
from agentctl.model import Usage


def report(case: str) -> object:
    return reports.report_of(transcripts.folded(case), transcripts.report_schema())[0]


def test_claude_success_and_exit_0_without_a_report() -> None:
    p = transcripts.folded("claude/schema-not-called")
    assert (p.ok, p.reported, p.report) == (True, True, None)
    assert report("claude/schema-not-called") is None


def test_codex_validates_nothing() -> None:
    assert reports.report_of(progress.fold(_codex_says('{"nope": 1}')), transcripts.report_schema())[0] is None


def test_an_api_failure_says_success_and_is_none() -> None:
    p = transcripts.folded("claude/error-404-model")
    assert p.ok is False and "404" in p.reason and p.fatal


def test_an_interrupted_stream_exits_0_and_is_no_success() -> None:
    case = "claude/killed-sigint-in-model-stream"
    assert (transcripts.DATA / case / "exit_code").read_text().strip() == "0"
    assert transcripts.folded(case).ok is False


def test_the_report_of_the_first_result_survives_the_second() -> None:
    p = transcripts.folded("claude/background-task-in-print")
    assert p.counts["report"] == 2 and p.counts["session"] == 2
    assert p.report is not None and p.report["summary"] == "left bg running"
    assert p.usage.input == 78199 and p.usage.cost_usd == pytest.approx(0.39362)


def test_codex_figures_are_of_the_whole_conversation() -> None:
    events = transcripts.events_of("codex/resume")
    before = Usage(input=9638, cached=0, output=61)
    p = progress.fold(events, usage_before=before, resumed=True)
    assert (p.usage.input, p.usage.output) == (19373 - 9638, 61)
    assert p.usage_session.input == 19373
    assert progress.fold(events, resumed=True).usage.input is None  # unknown before: unknown now


def test_cached_tokens_of_codex_are_not_counted_twice() -> None:
    from agentctl.backends import codex

    line = b'{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":80,"output_tokens":5}}'
    used = progress.fold(codex.parse(line)).usage
    assert (used.input, used.cached, used.output) == (20, 80, 5)


@pytest.mark.parametrize(
    "case, reason, reset",
    [
        ("codex/error-usage-limit-429", "usage", "10:20 AM"),
        ("codex/error-429-exhausted", "rate", None),
        ("codex/context-overflow", "context", None),
        ("claude/error-429-unified", "rate", None),
        ("claude/max-turns", "turns", None),
        ("claude/context-overflow", "context", None),
    ],
)
def test_limits_are_told(case: str, reason: str, reset: object) -> None:
    limit = transcripts.folded(case).limit
    assert limit is not None and (limit["reason"], limit["reset_at"]) == (reason, reset)


@pytest.mark.parametrize(
    "case, attempts",
    [("claude/error-429-retry-after", 2), ("claude/error-529-max-retries-2", 2), ("codex/error-401", 5)],
)
def test_retries_are_counted(case: str, attempts: int) -> None:
    assert transcripts.folded(case).retries == attempts


def test_a_waiting_codex_is_not_failed() -> None:
    p = transcripts.folded("codex/no-network-default-provider")
    assert not p.fatal and not p.reported and p.doing.startswith("waiting to try again")


def test_denials_are_told_where_the_vendor_tells_them() -> None:
    assert transcripts.folded("claude/permission-plan-write-and-bash").denied == ["Write"]
    assert transcripts.folded("codex/mcp-denied").denied == ["w.writeit"]
    assert transcripts.folded("cursor/shell-rejected").denied == ["shell"]


def test_files_are_told() -> None:
    p = transcripts.folded("claude/readedit")
    assert (p.files_read, p.files_written) == (["/repo/README.md"], ["/repo/README.md"])
    assert transcripts.folded("codex/edit-and-bash").files_written == ["/repo/hello.txt"]
    assert transcripts.folded("cursor/edit-and-shell").files_written == ["/repo/h.py"]


def test_a_subagent_neither_speaks_for_the_worker_nor_fills_its_context() -> None:
    p = transcripts.folded("claude/subagent")
    assert p.tool_calls == {"Agent": 1, "Bash": 1}
    assert p.context_tokens == 19422


def test_a_killed_run_has_its_session_and_the_figures_so_far() -> None:
    p = transcripts.folded("claude/killed-sigterm-in-bash-tool")
    assert p.session_id and not p.reported and p.ok is None
    assert p.usage.input and p.usage.output is None and p.usage.cost_usd is None


def test_a_window_comes_back_smaller_when_the_model_is_not_named_again() -> None:
    assert transcripts.folded("claude/success-schema").context_window == 1_000_000
    assert transcripts.folded("claude/resume").context_window == 200_000


def test_who_pays_decides_the_kind_of_cost() -> None:
    lines = transcripts.raw_lines("claude/success-schema")
    subscribed = [line.replace(b'"apiKeySource":"ANTHROPIC_API_KEY"', b'"apiKeySource":"none"') for line in lines]
    from agentctl.backends import claude

    p = progress.fold(event for line in subscribed for event in claude.parse(line))
    assert p.usage.cost_usd is None and p.usage.virtual_usd is not None and p.usage.virtual_usd > 0


def test_cursor_reports_in_prose_or_not_at_all() -> None:
    found = report("cursor/edit-and-shell")
    assert isinstance(found, dict) and found["summary"] == "added h.py and ran it"
    assert report("cursor/prose-only") is None
    assert transcripts.folded("cursor/prose-only").usage.input is None
    assert not transcripts.folded("cursor/no-result").reported


def _codex_says(words: str):  # type: ignore[no-untyped-def]
    import json

    from agentctl.backends import codex

    for line in transcripts.raw_lines("codex/success-schema"):
        raw = json.loads(line)
        if "item" in raw:
            raw["item"]["text"] = words
        yield from codex.parse(json.dumps(raw).encode())


def test_a_long_answer_is_cut_and_its_report_still_found() -> None:
    said = "x" * 9000 + '\n{"goal_met": true, "summary": "' + "s" * 5000 + '", "followup_prompt": "", "notes": ""}'
    p = progress.fold(_codex_says(said))
    assert len(p.last_message) == 4000
    found, problem = reports.report_of(p, transcripts.report_schema())
    assert not problem and found is not None and len(found["summary"]) == 5000
