"""Telling who starts a run that a live one touches the same."""

from __future__ import annotations

import sys

from .. import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..store import Home


def warn(home: Home, run_ids: Iterable[str]) -> None:
    """On stderr, to programs too: it is for who decides whether both go on."""
    from .. import overlap

    for run_id in run_ids:
        for words in overlap.warnings(home, home.run(run_id).spec()):
            print("agentctl: %s" % text.one_line(words), file=sys.stderr)
