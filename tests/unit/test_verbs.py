"""The verbs as tools: every answer is of bounded length, every schema one that arguments can be checked against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentctl import cli
from agentctl import inbox
from agentctl import schema
from agentctl import store
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.model import Usage
from agentctl.model import Wake
from agentctl.verbs import answers
from agentctl.verbs import asking
from agentctl.verbs.tools import Verbs
from goalmaker import Maker

TOOLS = {tool.name: tool for tool in Verbs("", {}).tools}


@pytest.mark.parametrize("name", TOOLS)
def test_a_schema_is_one_that_is_checked(name: str) -> None:
    empty = {"type": "object", "properties": {"x": {"type": "string"}}}
    made = TOOLS[name].schema
    assert schema.check_schema(made if made["properties"] else empty) == []
    assert made["additionalProperties"] is False


@pytest.mark.parametrize("name", TOOLS)
def test_names_and_options_are_those_of_the_command_line(name: str) -> None:
    command, _, what = name.partition("_")
    assert command in cli.COMMANDS or what in ("create", "list", "send", "run", "show")
    options = cli.parser(command, cli.command(command))._option_string_actions
    ours = {"prompt", "prompts", "command", "id", "ids", "name", "part", "offset", "n", "instructions"}
    for argument in TOOLS[name].schema["properties"].keys() - ours:
        assert "--" + argument.replace("_", "-") in options, argument


@pytest.mark.parametrize(
    "value",
    [
        {"x": "y" * 500_000},
        {"x": ["y" * 5000] * 5000},
        {"x": [{"y": ["z" * 100] * 100}] * 1000},
        {"x%d" % n: "y" * 100 for n in range(5000)},
        {"x": '\x1b\\"' * 100_000},
    ],
)
def test_an_answer_is_never_longer_than_it_may_be(value: dict[str, Any]) -> None:
    words = answers.worded(value)
    assert len(words) <= answers.LONGEST + 100 and "more" in words


def test_a_short_answer_is_whole() -> None:
    value = {"x": [1, None, "ü" * 30_000], "y": {"z": True}}
    assert json.loads(answers.worded(value)) == value


def test_what_was_cut_says_how_much_there_is_more() -> None:
    assert answers.clipped({"a": "x" * 10, "b": list(range(5))}, 4, 2) == {
        "a": "xxxx… 6 more characters",
        "b": [0, 1, "… 3 more"],
    }


def test_what_is_left_of_a_list_is_known() -> None:
    for count, text in ((0, 1), (3, 30_000), (150, 10), (150, 2000), (900, 2000), (2000, 1)):
        value = {"x": [{"n": n, "text": "y" * text} for n in range(count)]}
        said = json.loads(answers.worded(value))["x"]
        assert len([one for one in said if isinstance(one, dict)]) == min(answers.kept(value), count)
    assert answers.kept({"x%d" % n: "y" * 100 for n in range(5000)}) == 0


class Listener:
    """A caller that is there, or has gone."""

    def __init__(self, gone: bool) -> None:
        self._gone = gone

    def progress(self, words: str) -> None:
        """Nobody reads it."""

    def gone(self) -> bool:
        return self._gone


def test_the_verbs_acknowledge_what_is_shown_to_who_is_there(tmp_path: Path) -> None:
    home = store.create_home(str(tmp_path / "home"))
    maker, env = Maker(home, 1_790_000_000.0), {"AGENTCTL_ORCHESTRATOR": "orch-a"}
    spec = Spec(backend="shell", wake=Wake(orchestrator="orch-a"))
    ids = [maker.ended(spec, summary="s" * 500).id for _ in range(120)]
    for run_id in ids:
        inbox.post(home, inbox.Entry(id=run_id + ".ended", kind="ended", run_id=run_id, orchestrator="orch-a"))
    verbs = Verbs(home.path, env)
    assert len(verbs.call("inbox", {"all": True}, Listener(True)).text) > 10_000
    verbs.call("wait", {"ids": ids}, Listener(True))
    assert len(inbox.pending(home, "orch-a")) == 120, "nobody heard it"
    told = json.loads(verbs.call("wait", {"ids": ids}, Listener(False)).text)["results"]
    shown = {one["run_id"] for one in told if isinstance(one, dict)}
    left = {entry.run_id for entry in inbox.pending(home, "orch-a")}
    assert 0 < len(shown) < 120 and left == set(ids) - shown


@pytest.mark.parametrize("newest", [False, True])
def test_a_piece_fits_whatever_it_holds(newest: bool) -> None:
    data = b"begin" + b"\x00\x1b" * 200_000 + b"end"
    found = answers.fitting(data, newest)
    assert len(json.dumps(found.decode())) < answers.LONGEST
    assert found.endswith(b"end") if newest else found.startswith(b"begin")


def test_in_brief_what_is_unknown_or_empty_is_left_out() -> None:
    made = answers.brief(Result(run_id="r", status="failed", usage=Usage(input=3), finished_at=1.0).to_json())
    assert made["goal_met"] is None and made["usage"] == {"input": 3}
    assert made["finished_at"] == "1970-01-01T00:00:01Z" and "notes" not in made and "agent" not in made


@pytest.mark.parametrize(
    ("said", "seconds"), [(None, None), ("", None), ("90s", 90.0), ("1h30m", 5400.0), (90, 90.0), (0.5, 0.5)]
)
def test_times(said: Any, seconds: Any) -> None:
    assert asking.seconds(said) == seconds
