"""What agentctl has itself called for: by a sentinel, a runner (as its worker too), or Claude Code's hooks.

Nobody looks at what these print but the hook's caller; a mistake of theirs must not be
shown to a model as advice, so a hook that cannot work says nothing and succeeds.
"""

from __future__ import annotations

import os
import sys
import time

from . import config as configuration
from . import files
from . import paths
from . import store
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_INPUT = 4 << 20


def main(errand: str, words: Sequence[str], home_option: str) -> int:
    """Run one; its exit code."""
    if errand == "_hook":
        return _hook(words[0] if words else "", words[1:], home_option)
    if errand == "_goal":
        return _goal()
    if errand == "_converse":
        from .conversing import main as conversing

        return conversing.main(os.environ)
    home = store.Home(words[0])
    if errand == "_tell":
        from . import keeper

        keeper.see_to(home, words[1], os.environ)
        return 0
    if errand == "_notice":
        from .notices import sending

        return sending.main(home, os.environ)
    if errand == "_sweep":
        from .merging import mergequeue

        mergequeue.give_back(home)
        return 0
    return _settle(home, words[1])


def _goal() -> int:
    """The worker of a goal's run: its driver, which finds its run as every worker does."""
    from .goals import driver

    home = store.open_home(os.environ.get("AI_ORCH_HOME", ""))
    return driver.main(home, os.environ.get("AGENTCTL_RUN_ID", ""), 1, os.environ)


def _settle(home: store.Home, run_id: str) -> int:
    """A sentinel's last will: write down the end that its runner could not, and have it told."""
    from . import settle
    from . import wake

    run = home.run(run_id)
    settle.settled(run, time.time())
    settle.complete(run)
    spec = run.spec()
    wake.end_of(home, configuration.load(home)[0], spec, "agentctl: run %s has ended" % run_id, os.environ)
    return 0


def _hook(event: str, more: Sequence[str], home_option: str) -> int:
    """`more` says whose hook it is: of the plugin, or of bin/orch."""
    from . import hooks

    try:
        told = files.parse(sys.stdin.buffer.read(_LONGEST_INPUT))
    except ValueError:
        told = None
    try:
        home = store.open_home(paths.home_folder(home_option, os.environ))
        serve = hooks.main
        if hooks.PLUGIN in more:
            from .plugin import hooked

            serve = hooked.main
        return serve(home, event, told if isinstance(told, dict) else {}, os.environ)
    except (AgentctlError, OSError):
        return 0  # no home, a full disk: the inbox keeps what there is, the keeper or the next hook tells it
