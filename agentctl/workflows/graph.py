"""What of a workflow comes after what; found wrong before anything starts. Pure."""

from __future__ import annotations

from ..errors import AgentctlError
from . import template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from .definition import Definition
    from .definition import Step


def check(definition: Definition) -> None:
    """Raises AgentctlError for the first thing that is wrong with the graph or a template of it."""
    where, known = definition.source or definition.name, [step.id for step in definition.steps]
    for n, step in enumerate(definition.steps):
        if step.id in known[:n]:
            raise AgentctlError("%s: two steps are named `%s`" % (where, step.id), "give each an id of its own")
        for other in (*step.after, *([step.within] if step.within else [])):
            if other not in known:
                raise AgentctlError(
                    "%s: step `%s` names step `%s`, which is not there" % (where, step.id, other),
                    "its steps are: %s" % ", ".join(known),
                )
    found = cycle(edges(definition))
    if found:
        raise AgentctlError(
            "%s: its steps wait for each other: %s" % (where, " → ".join(found)), "take one of them out of an `after`"
        )
    for step in definition.steps:
        _check_step(step, earlier(edges(definition), step.id), "%s: step `%s`" % (where, step.id))


def _check_step(step: Step, before: set[str], where: str) -> None:
    if step.within and step.within not in before:
        raise AgentctlError(
            "%s goes on in the worktree of `%s`, which it does not come after" % (where, step.within),
            'add it: "after": ["%s"]' % step.within,
        )
    try:
        found = template.pieces(step.prompt)
    except ValueError as e:
        raise AgentctlError("%s: %s" % (where, e), "two braces as they are: `{{{{`") from None
    for piece in found:
        if piece.kind == template.RUN and piece.step not in before:
            raise AgentctlError(
                "%s uses what step `%s` says, and does not come after it" % (where, piece.step),
                'add it: "after": ["%s"]' % piece.step,
            )
        if piece.kind == template.BEFORE and not step.after:
            raise AgentctlError("%s uses {{before}}, and comes after no step" % where, 'say which: "after": ["…"]')


def edges(definition: Definition) -> dict[str, tuple[str, ...]]:
    """By step, those that it comes after."""
    return {step.id: step.after for step in definition.steps}


def cycle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """Steps each of which waits for the next, the first once more at the end; [] where there is no such thing."""
    left = dict(after)
    while True:
        free = [step for step, others in left.items() if not any(other in left for other in others)]
        if not free:
            break
        for step in free:
            del left[step]
    path: list[str] = []
    here = next(iter(left), "")
    while here and here not in path:
        path.append(here)
        here = next(other for other in left[here] if other in left)
    return [*path[path.index(here) :], here] if here else []


def order(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The steps so that each comes after those that it waits for; otherwise as they were written."""
    done: list[str] = []
    while len(done) < len(after):
        done.append(next(s for s, others in after.items() if s not in done and all(o in done for o in others)))
    return done


def earlier(after: Mapping[str, Sequence[str]], step: str) -> set[str]:
    """All that the step comes after, directly or not."""
    found: set[str] = set()
    left = list(after[step])
    while left:
        other = left.pop()
        if other not in found:
            found.add(other)
            left += after[other]
    return found


def drawn(after: Mapping[str, Sequence[str]]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The graph as a tree: (what stands before the step, the step, what else it waits for).

    Each stands below the last of those that it comes after.
    """
    sorted_steps = order(after)
    above = {step: max(after[step], key=sorted_steps.index, default="") for step in sorted_steps}
    lines: list[tuple[str, str, tuple[str, ...]]] = []

    def draw(step: str, first: str, rest: str) -> None:
        lines.append((first, step, tuple(other for other in after[step] if other != above[step])))
        below = [other for other in sorted_steps if above[other] == step]
        for n, other in enumerate(below):
            last = n == len(below) - 1
            draw(other, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))

    for step in sorted_steps:
        if not above[step]:
            draw(step, "", "")
    return lines
