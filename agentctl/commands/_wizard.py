"""Setting a goal by questions, for who gives none on the command line: each answer is a flag of `goal`.

The questions are in _questions.py. What a model asks or writes in the interview is data: it
is shown, and taken only if the person says so.
"""

from __future__ import annotations

import os
import sys

from .. import config as configuration
from .. import projects
from .. import text
from .. import ui
from ..errors import AgentctlError
from ..goals import directors
from ..goals.interviewing import Interviewer as Interview
from . import _questions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional
    from typing import Protocol

    from ..goals.directors import Director
    from ..store import Home
    from ._questions import Question

    Answers = dict[str, Any]

    class Io(Protocol):
        """A person: what is said, and a line that is read. Raises EOFError."""

        def say(self, words: str) -> None: ...
        def read(self, prompt: str) -> str: ...

    class Interviewer(Protocol):
        """A model that asks about a goal, and then writes it anew. Raises AgentctlError."""

        def questions(self, goal: str) -> Sequence[str]: ...
        def refined(self, goal: str, answers: Sequence[tuple[str, str]]) -> str: ...


_LEFT = 130


class Console:
    """The person at the terminal: questions are talk, so stdout stays free for the answer."""

    def say(self, words: str) -> None:
        print(text.printable(words), file=sys.stderr)

    def read(self, prompt: str) -> str:
        """A line without its end; ^D is EOFError."""
        print(text.printable(prompt), end="", file=sys.stderr, flush=True)
        line = sys.stdin.buffer.readline()
        if not line:
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")


def may_ask() -> bool:
    """Whether a person sits at both ends."""
    return ui.may_ask() and ui.is_terminal()


def fill(args: Namespace, home: Home) -> None:
    """Ask for what the options do not say, and put it among them; `args.text` is the goal. Raises AgentctlError."""
    project = projects.named(home, args.project) if args.project else projects.at(home, os.getcwd())
    config = configuration.load(home)[0]
    interviewer = Interview(home, project.path, project.name, os.environ)
    given = {key: getattr(args, key, None) for key in _questions.LABELS}
    known = {key: value for key, value in given.items() if value not in (None, "")}
    offered = directors.every(home, config, project, os.environ)
    for key, value in ask(Console(), known, offered, interviewer).items():
        setattr(args, key, value)


def ask(
    io: Io, known: Mapping[str, Any], offered: Sequence[Director] = (), interviewer: Optional[Interviewer] = None
) -> Answers:
    """All answers, by the flags of `goal`; those in `known` are not asked for. `text` is the goal itself.

    Raises AgentctlError where the person leaves: 130 for ^C and ^D, 1 where he says no at the end.
    """
    try:
        answers = dict(known)
        answers = answers if answers.get("text") else {**answers, **_goal(io)}
        if interviewer and not known.get("text"):
            answers["text"] = _interviewed(io, str(answers["text"]), interviewer)
        while True:
            answers = _all(io, answers, offered)
            changing = _confirmed(io, answers)
            if not changing:
                return {**answers, "yes": True}
            for key in changing:
                answers.pop(key, None)
            if "goal" in changing:
                answers.update(_goal(io))
    except (EOFError, KeyboardInterrupt):
        io.say("")
        raise AgentctlError("nothing was started", "the same by flags: `agentctl goal --help`", code=_LEFT) from None


def _goal(io: Io) -> Answers:
    """Its text, typed or out of a file that is named."""
    io.say("What is the goal? Write it down, and end with an empty line or a dot; or name a file that holds it.")
    while True:
        lines = [io.read("> ")]
        path = os.path.expanduser(lines[0].strip())
        if lines[0].strip() and os.path.isfile(path):
            try:
                return {"text": ui.prompt_text(path)}
            except AgentctlError as e:
                io.say(str(e))
                continue
        while lines[-1].strip() not in ("", "."):
            lines.append(io.read("> "))
        words = "\n".join(lines[:-1]).strip()
        if words:
            return {"text": words + "\n"}
        io.say("a goal is needed")


def _interviewed(io: Io, goal: str, interviewer: Interviewer) -> str:
    """The goal as a model writes it anew after it has asked; as it was, where that fails or is not wanted."""
    if not _yes(io, "Have a cheap model ask about it first, and write it down more exactly?", False):
        return goal
    try:
        io.say("asking …")
        questions = [text.one_line(question, 400) for question in interviewer.questions(goal)]
        pairs = [(question, io.read("%s\n> " % question).strip()) for question in questions]
        pairs = [(question, answer) for question, answer in pairs if answer]
        if not pairs:
            io.say("it stays as it is")
            return goal
        io.say("writing …")
        better = text.printable(interviewer.refined(goal, pairs)).strip()
    except AgentctlError as e:
        io.say("no interview: %s" % text.one_line(e, 300))
        return goal
    io.say("\n".join("  | " + line for line in better.splitlines()))
    return better + "\n" if better and _yes(io, "Take this as the goal?", True) else goal


def _all(io: Io, answers: Answers, offered: Sequence[Director]) -> Answers:
    """Ask until all is answered; a wrong answer is said, and asked for again."""
    while True:
        question = _questions.due(answers)
        if question is None:
            return answers
        if question.key == "orchestrator":
            question = _directing(io, question, offered)
        default = " [%s]" % question.default if question.default else ""
        try:
            answers = _questions.answered(answers, question, io.read("%s%s: " % (question.words, default)))
            if question.key == "orchestrator" and offered:
                _questions.one_of([one.name for one in offered])(answers["orchestrator"])
        except AgentctlError as e:
            answers.pop(question.key, None)
            io.say(" ".join(words for words in (str(e), e.hint and "(%s)" % e.hint) if words))


def _directing(io: Io, question: Question, offered: Sequence[Director]) -> Question:
    """Who could, and who is there; the first that is there is what an empty line means."""
    for one in offered:
        io.say("  %-10s %s" % (one.name, text.one_line(one.about, 100)))
    return question.replace(default=next((one.name for one in offered if one.usable), ""))


def _confirmed(io: Io, answers: Answers) -> list[str]:
    """The keys that are to be asked for again; [] once all is right. Raises AgentctlError where it is not wanted."""
    known = _questions.rows(answers)
    io.say("")
    for number, (key, shown) in enumerate(known, 1):
        io.say("%2d  %-12s %s" % (number, _questions.LABELS[key], shown))
    while True:
        word = io.read("Begin? y, n, or the number of what is to be changed: ").strip().lower()
        if word in ("y", "yes"):
            return []
        if word in ("n", "no"):
            raise AgentctlError("nothing was started")
        if word.isdecimal() and 0 < int(word) <= len(known):
            return [known[int(word) - 1][0]]


def _yes(io: Io, question: str, default: bool) -> bool:
    """An empty line is the default."""
    word = io.read("%s [%s] " % (question, "Y/n" if default else "y/N")).strip().lower()
    return word in ("y", "yes") if word else default
