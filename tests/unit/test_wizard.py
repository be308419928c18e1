"""The wizard's questions: what is asked, what an answer becomes, and how it is left."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agentctl import cli
from agentctl.commands import _questions
from agentctl.commands import _wizard
from agentctl.errors import AgentctlError
from agentctl.goals.directors import Director

OFFERED = (
    Director(name="claude", about="claude is not installed"),
    Director(name="codex", usable=True, about="is installed"),
    Director(name="gemini", usable=True, about="its API; a key is there"),
)
ALL = ["a better cart", "", "", "", "make test", "", "", "", "", "", "y"]
"""A goal, and what an empty line means for everything but the check."""
PLAIN = {
    "text": "a better cart\n",
    "mode": "saga",
    "orchestrator": "codex",
    "verify": "make test",
    "max_cycles": 5,
    "max_time": "",
    "until": "",
    "max_cost": None,
    "place": "worktree",
    "yes": True,
}


class Script:
    """A person who answers by a list; at its end he is gone, or presses ^C."""

    def __init__(self, lines: Iterable[str], end: type[BaseException] = EOFError) -> None:
        self.lines = list(lines)
        self.end = end
        self.said: list[str] = []

    def say(self, words: str) -> None:
        self.said.append(words)

    def read(self, prompt: str) -> str:
        self.said.append(prompt)
        if not self.lines:
            raise self.end
        return self.lines.pop(0)

    @property
    def all(self) -> str:
        return "\n".join(self.said)


def answers(*lines: str, **known: Any) -> dict[str, Any]:
    script = Script(lines)
    found = _wizard.ask(script, known, OFFERED)
    assert script.lines == [], "every line was wanted"
    return found


def test_a_goal_and_what_empty_lines_mean() -> None:
    assert answers(*ALL) == PLAIN


def test_each_answer_is_a_flag() -> None:
    module = cli.command("goal")
    known = {action.dest for action in cli.parser("goal", module)._actions}
    assert {question.key for question in _questions._QUESTIONS} | {"yes"} <= known
    assert set(_questions.LABELS) == {question.key for question in _questions._QUESTIONS} | {"goal"}


def test_answers_of_every_kind() -> None:
    lines = ["two", "lines", ".", "mission", "gemini", "make test", "8h", "07:00", "2.50", "here", "yes"]
    found = answers(*lines)
    assert found["text"] == "two\nlines\n" and found["mode"] == "mission" and "max_cycles" not in found
    assert [found[key] for key in ("max_time", "until", "max_cost", "place")] == ["8h", "07:00", 2.5, ""]


def test_what_was_given_as_a_flag_is_not_asked_for_and_is_in_the_summary() -> None:
    script = Script(["x", "", "", "", "", "", "", "y"])
    found = _wizard.ask(script, {"verify": "make test", "mode": "saga", "max_cycles": 7}, OFFERED)
    assert (found["verify"], found["max_cycles"]) == ("make test", 7) and script.lines == []
    assert not [words for words in script.said if words.startswith(("Check", "Mode", "Cycles"))]
    shown = [" ".join(words.split()) for words in script.said]
    assert "4 check make test" in shown and "5 cycles 7" in shown and "6 time no limit" in shown, shown


@pytest.mark.parametrize(
    ("wrong", "at", "words"),
    [
        ("weekly", 1, "`weekly` is none of: saga, mission"),
        ("mistral", 2, "`mistral` is none of: claude, codex, gemini"),
        ("many", 4, "`many` is no number above 0"),
        ("0", 4, "`0` is no number above 0"),
        ("soon", 5, "`soon` is not a time"),
        ("25:00", 6, "`25:00` is no time of the day"),
        ("-1", 7, "`-1` is no number above 0"),
        ("nan", 7, "`nan` is no number above 0"),
        ("moon", 8, "`moon` is none of: worktree, here, commit"),
    ],
)
def test_a_wrong_answer_is_said_and_asked_for_again(wrong: str, at: int, words: str) -> None:
    lines = [*ALL[:1], "", *ALL[2:]]
    script = Script([*lines[: at + 1], wrong, *lines[at + 1 :]])
    assert _wizard.ask(script, {}, OFFERED) == PLAIN and words in script.all


def test_a_goal_is_needed_and_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "goal.md").write_text("# From a file\n\nwith an empty line\n")
    (tmp_path / "empty.md").write_text(" \n")
    script = Script(["", ".", str(tmp_path / "empty.md"), str(tmp_path / "goal.md"), *ALL[2:]])
    found = _wizard.ask(script, {}, OFFERED)
    assert found["text"] == "# From a file\n\nwith an empty line\n"
    assert "a goal is needed" in script.said and "the prompt is empty" in script.said


def test_who_could_direct_is_shown_and_why_not() -> None:
    script = Script(ALL)
    _wizard.ask(script, {}, OFFERED)
    assert "  claude     claude is not installed" in script.said and "Who directs [codex]: " in script.said
    assert _wizard.ask(Script(ALL), {}, ())["orchestrator"] == ""


def test_an_answer_can_be_changed_before_it_begins() -> None:
    found = answers(*ALL[:-1], "4", "make check", "1", "another goal", "", "2", "mission", "99", "y")
    assert (found["verify"], found["text"], found["mode"]) == ("make check", "another goal\n", "mission")


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
def test_leaving_at_any_question_starts_nothing(end: type[BaseException]) -> None:
    for count in range(len(ALL)):
        with pytest.raises(AgentctlError) as left:
            _wizard.ask(Script(ALL[:count], end), {}, OFFERED)
        assert left.value.code == 130 and str(left.value) == "nothing was started"


def test_a_no_at_the_end_is_a_no() -> None:
    with pytest.raises(AgentctlError) as left:
        _wizard.ask(Script([*ALL[:-1], "n"]), {}, OFFERED)
    assert left.value.code == 1


class Model:
    """An interviewer that says what it is told to."""

    def __init__(self, questions: Sequence[str], better: str, problem: str = "") -> None:
        self._questions, self._better, self._problem = questions, better, problem
        self.heard: list[tuple[str, str]] = []

    def questions(self, goal: str) -> Sequence[str]:
        if self._problem:
            raise AgentctlError(self._problem)
        return self._questions

    def refined(self, goal: str, answers: Sequence[tuple[str, str]]) -> str:
        self.heard = list(answers)
        return self._better


def interviewed(model: Model, *lines: str) -> tuple[str, Script]:
    script = Script([*ALL[:2], *lines, *ALL[2:]])
    found = _wizard.ask(script, {}, OFFERED, model)
    assert script.lines == []
    return str(found["text"]), script


def test_a_model_may_ask_and_write_the_goal_anew_if_the_person_takes_it() -> None:
    model = Model(["How fast?\x1b]0;x\x07", "For whom?"], "A better cart: under 1 s\x1b[31m\n\nfor all.\n")
    goal, script = interviewed(model, "y", "1 s", "", "")
    assert goal == "A better cart: under 1 s[31m\n\nfor all.\n" and model.heard == [("How fast?]0;x", "1 s")]
    assert "\x1b" not in script.all and "  | for all." in script.all
    assert interviewed(model, "y", "1 s", "", "n")[0] == "a better cart\n"
    assert interviewed(model, "")[0] == "a better cart\n", "by itself no model is asked"
    assert interviewed(model, "y", "", "")[0] == "a better cart\n", "no answer, nothing to write"


def test_an_interview_that_fails_costs_no_more_than_itself() -> None:
    goal, script = interviewed(Model([], "", "no backend of profile `glance` is installed"), "y")
    assert goal == "a better cart\n" and "no interview: no backend of profile `glance` is installed" in script.said
