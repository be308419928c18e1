"""Who needs a person, and why: what the table of `agentctl status` says, by no rule of our own."""

from __future__ import annotations

from .. import config
from ..errors import AgentctlError
from ..table import rows
from ..table.looking import Fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ..store import Home

    Need = tuple[str, str]

NOBODY = ("", "")


class Needs:
    """By run the word and the reason, as of the last look."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._fleet: Optional[Fleet] = None
        self.said: dict[str, Need] = {}

    def of(self, run_id: str) -> Need:
        return self.said.get(run_id, NOBODY)

    def look(self, now: float, afresh: bool) -> set[str]:
        """The runs of which something else is said than before.

        `afresh` is as if `agentctl status` were called: with the config of now, and no more of
        what has ended than it reads. In between only what changed is read.
        """
        try:
            if afresh or self._fleet is None:
                self._fleet = Fleet(self._home, config.load(self._home)[0].idle_notice_s)
            found = {row.run_id: (row.need, row.why) for row in self._fleet.look(now) if row.need}
        except (OSError, AgentctlError):
            return set()  # a folder went away under us: what was said stands until the next look
        if not afresh:
            found = {run_id: self._steady(run_id, need) for run_id, need in found.items()}
        before, self.said = self.said, found
        return {run_id for run_id in before.keys() | found.keys() if before.get(run_id) != found.get(run_id)}

    def _steady(self, run_id: str, need: Need) -> Need:
        """For how long it was silent is other words every second: not worth telling all who watch."""
        before = self.of(run_id)
        return before if need[0] == before[0] and need[0] in rows.TICKING else need
