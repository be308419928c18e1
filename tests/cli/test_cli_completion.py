"""Completion: the answers of `_complete`, and the scripts in the real shells."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

import pytest

from agentctl import cli
from agentctl import listing
from agentctl import topics
from conftest import PROGRAM
from conftest import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conftest import Past


def offered(world: World, *words: str) -> list[str]:
    done = world.run("_complete", "--", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_commands(past: Past) -> None:
    assert offered(past, "") == offered(past) == list(cli.COMMANDS)
    assert offered(past, "s") == [name for name in cli.COMMANDS if name.startswith("s")]
    assert offered(past, "--h") == ["--help", "--home"]
    assert offered(past, "--home", str(past.home), "sh") == ["show"]
    assert offered(past, "nonsense", "") == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_options_are_those_of_the_parser(name: str, past: Past) -> None:
    parser = cli.parser(name, cli.command(name))
    wanted = {action.option_strings[-1] for action in parser._actions if action.option_strings}
    assert set(offered(past, name, "-")) == wanted
    for option in wanted:
        assert option in offered(past, name, option)


def test_values(past: Past) -> None:
    ids = [past.killed, past.unchecked, past.unmet, past.good]
    for words in (
        ["show"],
        ["wait", ids[0]],
        ["start", "--after", ids[0]],
        ["resume", "--parent-run-id"],
        ["stop"],
        ["follow"],
        ["attach"],
        ["replay"],
        ["show", "--diff"],
    ):
        assert offered(past, *words, "") == ids, words
        assert offered(past, *words, past.good) == [past.good]
    assert offered(past, "start", "--project", "") == offered(past, "list", "--project", "") == ["p"]
    assert offered(past, "start", "--profile", "") == ["spark", "deep", "review", "glance"]
    assert offered(past, "start", "--backend", "c") == ["claude", "codex", "cursor"]
    assert offered(past, "list", "--status", "") == list(listing.STATUSES)
    assert offered(past, "completion", "") == ["bash", "zsh", "fish"]
    assert offered(past, "help", "e") == ["exit-codes", "environment", "execute", "explain"]
    assert set(offered(past, "help", "")) == {*cli.COMMANDS, *topics.TOPICS}


def test_where_file_names_belong_nothing_is_offered(past: Past) -> None:
    for words in (
        ["start", "--prompt-file", ""],
        ["start", "--schema", "x"],
        ["start", "x"],
        ["start", "--title", ""],
        ["start", "--", "ma"],
        ["start", "--", "make", "-"],
        ["init", "--home", ""],
        ["show", "--home", ""],
    ):
        assert offered(past, *words) == [], words


def test_without_a_home_or_with_a_damaged_one(world: World, tmp_path: Path) -> None:
    assert offered(world, "show", "--home", str(tmp_path / "none"), "") == []
    (world.home / "projects.json").write_text("{")
    (world.home / "config.json").write_text("{")
    assert offered(world, "start", "--project", "") == []
    assert offered(world, "start", "--profile", "s") == ["spark"]


def test_a_title_cannot_break_the_lines(world: World) -> None:
    run_id = world.shell("true", "--no-pane", "--title", "a\tb\n\x1b[31mc" * 20)
    world.result(run_id)
    done = world.run("_complete", "--", "show", "")
    assert done.stdout.startswith(run_id + "\ta b [31mca b")
    assert done.stdout.count("\n") == 1 and "\x1b" not in done.stdout


def test_it_answers_at_once(past: Past) -> None:
    """By a ratio to the interpreter's own start, taken in turns: a loaded machine slows both."""

    def took(*argv: str) -> float:
        began = time.perf_counter()
        subprocess.run(argv, env=past.env, stdout=subprocess.DEVNULL, check=True, timeout=20)
        return time.perf_counter() - began

    bare = (*PROGRAM[:3], "-c", "pass")
    pairs = [(took(*PROGRAM, "_complete", "--", "show", ""), took(*bare)) for _ in range(7)]
    assert min(ours for ours, _ in pairs) < 8 * min(floor for _, floor in pairs)


# -- in the shells


def on_path(folder: Path) -> str:
    """A folder with `agentctl` in it."""
    program = folder / "bin" / "agentctl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec %s "$@"\n' % " ".join(PROGRAM))
    program.chmod(0o755)
    return str(program.parent)


def in_shell(past: Past, folder: Path, *argv: str) -> list[str]:
    env = {**past.env, "PATH": on_path(folder) + ":" + past.env["PATH"]}
    done = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.stdout.splitlines()


BASH = """
source <(agentctl completion bash)
[[ $(complete -p agentctl) == *"-F _agentctl agentctl" ]] || echo not registered
try() { COMP_WORDS=(agentctl "$@"); COMP_CWORD=$#; _agentctl; printf '%s,' "${COMPREPLY[@]}"; echo; }
try s
try show ""
try start --project ""
try start --prompt-file ""
COMP_WORDS=(agentctl list --project p); COMP_CWORD=1; _agentctl; printf '%s,' "${COMPREPLY[@]}"; echo
"""


def test_bash(past: Past, tmp_path: Path) -> None:
    ids = "".join(i + "," for i in (past.killed, past.unchecked, past.unmet, past.good))
    assert in_shell(past, tmp_path, "bash", "--norc", "-c", BASH) == [
        "".join(name + "," for name in cli.COMMANDS if name.startswith("s")),
        ids,
        "p,",
        ",",
        "list,",
    ]


def are_those_of_s(offers: Iterable[list[str]]) -> None:
    """The commands that begin so, in order; of a long description its beginning."""
    wanted = [pair for pair in cli.COMMANDS.items() if pair[0].startswith("s")]
    for (name, about), (command, whole) in zip_longest(offers, wanted, fillvalue=("", "")):
        assert name == command and whole.startswith(about.rstrip("…")) and about


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh(past: Past, tmp_path: Path) -> None:
    script = """
compdef() { :; }; _files() { print files; }
_describe() { print -l -- "${(@P)3}" }
source <(agentctl completion zsh)
words=(agentctl s); CURRENT=2; _agentctl
words=(agentctl start --prompt-file ''); CURRENT=4; _agentctl
"""
    *offers, files = in_shell(past, tmp_path, "zsh", "-f", "-c", script)
    assert files == "files"
    are_those_of_s(offer.split(":", 1) for offer in offers)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish(past: Past, tmp_path: Path) -> None:
    lines = ("start --project ", "s", "start --prompt-file b")
    script = "agentctl completion fish | source; %s" % "; ".join("complete -C 'agentctl %s'" % line for line in lines)
    *offers, files = in_shell(past, tmp_path, "fish", "--no-config", "-c", script)
    assert offers.pop(0) == "p\t%s" % past.project
    are_those_of_s(offer.split("\t") for offer in offers)
    assert files.startswith("bin/")
