"""What became of a request to pause or continue, for people and programs alike: a line for each run."""

from __future__ import annotations

from .. import text
from .. import ui
from ..model import FORMAT
from ..model import QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from collections.abc import Iterable

    from ..pausing import Outcome


def add_arguments(parser: ArgumentParser, ids: str) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help=ids)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def tell(args: Namespace, outcomes: Iterable[Outcome]) -> int:
    """Each as it is there; as JSON all at the end, also where an error comes then."""
    told: list[Outcome] = []
    try:
        for outcome in outcomes:
            told.append(outcome)
            if not args.json:
                ui.answer(_words(outcome), "it was done: see `agentctl list --running`")
    finally:
        if args.json and told:
            ui.data({"format": FORMAT, "runs": [outcome.to_json() for outcome in told]})
    return 0


def _words(outcome: Outcome) -> str:
    """First the id of the run to look at from now on."""
    if outcome.followed_by:
        return "%s goes on for %s (%s)" % (outcome.followed_by, outcome.run_id, outcome.status)
    waits = outcome.doing if outcome.status == QUEUED else ""
    return " ".join(w for w in (outcome.run_id, outcome.status, text.one_line(waits)) if w)
