"""The table of commands, and the stand-in for argparse where no words were given."""

from __future__ import annotations

import pytest

from agentctl import cli


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
