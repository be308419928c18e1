"""The report in what a worker said. Pure.

The vendor's structured one, else the last JSON object of the last message.
"""

from __future__ import annotations

from . import prompting
from . import schema as schemas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from .progress import Progress

LONGEST_FIELD = 8000


def report_of(progress: Progress, schema: object) -> tuple[Optional[dict[str, Any]], str]:
    """The report if there is one that fits the schema, else (None, what is wrong).

    The vendor's structured one, else the last JSON object of the last message. The
    report always has goal_met (True, False or None) and the three texts, cut.
    """
    found = progress.report
    if found is None:
        words = "\n".join(progress.tail) if progress.tail else progress.last_words
        found = prompting.last_json_object(words)
    if found is None:
        return None, "no report: the last message holds no JSON object"
    found = schemas.without_nulls(found, schema)
    wrong = schemas.problems(found, schema)
    if wrong:
        return None, "the report does not fit its schema: %s" % "; ".join(wrong[:5])
    return {**found, **_claims(found)}, ""


def _claims(report: dict[str, Any]) -> dict[str, Any]:
    """The four fields that `show` prints: a claim is true or false, never "yes" or 1."""
    goal = report.get("goal_met")
    texts = {name: _field(report.get(name)) for name in ("summary", "followup_prompt", "notes")}
    return {"goal_met": goal if goal is True or goal is False else None, **texts}


def _field(value: object) -> str:
    words = value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
    return words if len(words) <= LONGEST_FIELD else words[: LONGEST_FIELD - 1] + "…"
