"""What those who work for a goal are told. Pure: words from values.

What a worker wrote (summaries, diffs, reasons) goes in as data, in a fence. A verifier is
told the goal and shown the work, and nothing of what anybody claims about it.
"""

from __future__ import annotations

from .. import prompting
from ..text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence

    from .asked import GoalAsked
    from .team import Member

LONGEST_DIFF = 200_000
_SEARCH = "Your tools are those of the server `agentctl`. If you do not see them, find them with `tool_search`."
"""Codex (0.169.0) offers the tools of a server only to a model that searches for them."""


def cycle(
    goal: str, asked: GoalAsked, team: Mapping[str, Member], number: int, summary: str, reasons: Sequence[str]
) -> str:
    """What an orchestrator is told at the beginning of a cycle."""
    most = "" if asked.mode == "mission" else " of at most %d" % asked.max_cycles
    parts = [
        "# The goal\n\n%s" % goal.strip(),
        "# Your team\n\n%s" % "\n".join(_member(member) for member in team.values()),
        *([_SEARCH] if asked.orchestrator == "codex" else []),
        "# Where you are\n\nThis is cycle %d%s.%s" % (number, most, _checks(asked)),
    ]
    if summary.strip():
        parts.append(prompting.from_another("What the cycle before this one says it did", summary))
    if reasons:
        listed = "\n".join("- " + one_line(reason, 2000) for reason in reasons)
        words = "The work was REJECTED. What follows was found in it; see to all of it, then claim again.\n\n"
        parts.append(words + prompting.from_another("Why it was rejected", listed))
    return "\n\n".join(parts)


def _member(member: Member) -> str:
    who = " ".join(part for part in (member.role or member.profile, member.backend, member.model) if part)
    checks = " Also verifies your claim, without you." if member.verifies else ""
    return "- `%s` (%s): %s.%s" % (member.name, who, member.description.rstrip("."), checks)


def _checks(asked: GoalAsked) -> str:
    if not asked.verify:
        return " Your claim is judged by verifiers who did not do the work."
    words = " Your claim is checked by this command, which we run ourselves in a fresh checkout, and by verifiers:"
    return words + "\n\n%s" % prompting.fenced(asked.verify)


def interrupted(known: Iterable[str]) -> str:
    """What an orchestrator is told that goes on after it was interrupted; `known` has a line for each of its runs."""
    lines = "\n".join(known)
    told = prompting.from_another("What was asked in this cycle so far", lines) if lines else ""
    return (
        "You were interrupted. Nothing about the goal has changed. Whoever you had asked works on, or has answered: to "
        "get that answer, ask the same once more, in the same words; nothing is done twice. Go on where you were.\n\n%s"
        % told
    )


def verify(goal: str, asked: GoalAsked, member: Member, stat: str, patch: str) -> str:
    """What a verifier is told: the goal and the work, and no claim about it."""
    checked = "The command `%s` was run on it by us, and passes." % one_line(asked.verify, 300) if asked.verify else ""
    shown = prompting.fenced(prompting.shortened(patch, LONGEST_DIFF), "diff")
    parts = (
        "Does the work below reach the goal below? You are `%s`. %s" % (member.name, _how(member)),
        "# The goal\n\n%s" % goal.strip(),
        "# The work\n\nIt began at commit %s and is checked out where you are. %s" % (asked.base, checked),
        prompting.from_another("What it changed, file by file", stat),
        "## The diff\n%s" % shown,
    )
    return "\n\n".join(parts)


def _how(member: Member) -> str:
    if member.role.startswith("tester"):
        return "Run it. This is a checkout of your own: what you change in it is thrown away."
    return "Read it, and change nothing."
