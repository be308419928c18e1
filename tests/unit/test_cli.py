"""The table of commands, and the stand-in for argparse where no words were given."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentctl import cli

INTERRUPTED_IN_A_DESTRUCTOR = """
import os, signal, time
from agentctl import cli

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

def dispatch(argv):
    Last()
    time.sleep(20)

cli.dispatch = dispatch
cli.main()
"""


@pytest.mark.parametrize("name", [*cli.COMMANDS, "_complete"])
def test_no_words_are_what_argparse_makes_of_them(name: str) -> None:
    module = cli.command(name)
    ours = cli.defaults(module)
    try:
        theirs = vars(cli.parser(name, module).parse_args([]))
    except Exception:
        assert ours is None  # something must be given
        return
    assert {"home": ours.home, **vars(ours)} == theirs


def test_an_interrupt_in_a_destructor_is_not_lost() -> None:
    """Python drops what is raised there; a ^C that fell there ended nothing, once in some thousand demos."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IN_A_DESTRUCTOR], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
