"""The language of a step's prompt: read once, from left to right.

    {{prompt}}                 what the user asked
    {{set.KEY}}                the value of `--set KEY=VALUE`
    {{before}}                 the reports of all the steps that this one comes `after`
    {{steps.ID.FIELD}}         of an earlier step: report, summary, followup_prompt, notes or diff
    {{{{                       two braces, as they are

What is put in is never read again: a `{{` in what a user or another worker wrote stays
as it is. What another worker wrote comes to its place when it is there (briefing.py).
"""

from __future__ import annotations

import re

from ..briefing import FIELDS
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

TEXT, PROMPT, SET, BEFORE, RUN = "text", "prompt", "set", "before", "run"
_TOKEN = re.compile(r"\{\{\{\{|\{\{(.*?)\}\}|\{\{", re.DOTALL)
_SET = re.compile(r"set\.([A-Za-z0-9_-]+)\Z")
_STEP = re.compile(r"steps\.([A-Za-z0-9_-]+)\.([a-z_]+)\Z")
_KNOWN = "{{prompt}}, {{set.KEY}}, {{before}}, {{steps.ID.FIELD}} with one of %s" % ", ".join(FIELDS)


class Piece(Record):
    """A part of a template. `text`: the words of `text`, the key of `set`, the field of `run`."""

    kind: str = TEXT
    text: str = ""
    step: str = ""


def pieces(template: str) -> list[Piece]:
    """What the template is made of. Raises ValueError that says what is wrong with it."""
    found, end = [], 0
    for token in _TOKEN.finditer(template):
        found += [Piece(text=template[end : token.start()])] if token.start() > end else []
        found.append(_piece(token))
        end = token.end()
    return [*found, Piece(text=template[end:])] if template[end:] else found


def _piece(token: re.Match[str]) -> Piece:
    if token.group() == "{{{{":
        return Piece(text="{{")
    if token.group(1) is None:
        raise ValueError("a `{{` has no `}}`")
    word = token.group(1).strip()
    if word in (PROMPT, BEFORE):
        return Piece(kind=word)
    key, step = _SET.match(word), _STEP.match(word)
    if key:
        return Piece(kind=SET, text=key.group(1))
    if step and step.group(2) in FIELDS:
        return Piece(kind=RUN, step=step.group(1), text=step.group(2))
    raise ValueError("no placeholder `{{%s}}` is known: %s" % (" ".join(word.split())[:60], _KNOWN))


def keys(template: str) -> set[str]:
    """The KEYs of its {{set.KEY}}."""
    return {piece.text for piece in pieces(template) if piece.kind == SET}


def parts(template: str, prompt: str, sets: Mapping[str, str], before: Sequence[str]) -> list[dict[str, str]]:
    """What the prompt is put together of: {"text": …} and {"step": …, "field": …, "title": …}."""
    made: list[dict[str, str]] = []
    for piece in pieces(template):
        if piece.kind == RUN:
            made.append(_said(piece.step, piece.text))
        elif piece.kind == BEFORE:
            for n, step in enumerate(before):
                made += [{"text": "\n"}, _said(step, "report")] if n else [_said(step, "report")]
        else:
            made.append({"text": {PROMPT: prompt, SET: sets.get(piece.text, "")}.get(piece.kind, piece.text)})
    return made


def _said(step: str, field: str) -> dict[str, str]:
    words = {"report": "Report", "diff": "Changes"}.get(field, field.replace("_", " ").capitalize())
    return {"step": step, "field": field, "title": "%s of step %s" % (words, step)}


def readable(made: Sequence[Mapping[str, str]]) -> str:
    """The prompt as far as it is known before the earlier steps have ended."""
    return "".join(part["text"] if "text" in part else "[%s, once it has ended]" % part["title"] for part in made)


def bound(made: Sequence[Mapping[str, str]], runs: Mapping[str, str]) -> list[dict[str, str]]:
    """The parts with the runs of the steps that they name."""
    return [
        {"run": runs.get(part["step"], ""), "field": part["field"], "title": part["title"]}
        if "step" in part
        else dict(part)
        for part in made
    ]
