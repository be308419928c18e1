"""What holds for every command: help, errors, exit codes, streams, and README's table."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from agentctl import __version__
from agentctl import cli
from agentctl import topics
from conftest import PROGRAM
from conftest import REPO
from conftest import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .conftest import Past

TABLE = "<!-- commands -->\n%s<!-- /commands -->"


def agentctl(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Where there is no home yet."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "AI_ORCH_HOME": str(folder / "orch"), **env}
    return subprocess.run(
        [*PROGRAM, *words], cwd=folder, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


# -- help


def test_no_words_and_help_say_what_it_is(tmp_path: Path) -> None:
    bare, asked = agentctl(tmp_path), agentctl(tmp_path, "--help")
    assert said(bare) == said(asked) == (0, cli.overview() + "\n", "")
    for name in cli.COMMANDS:
        assert "\n  %s " % name in bare.stdout


def test_version(tmp_path: Path) -> None:
    assert said(agentctl(tmp_path, "--version")) == (0, "agentctl %s\n" % __version__, "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_command_leads_with_what_it_does_and_examples(name: str, tmp_path: Path) -> None:
    done = agentctl(tmp_path, name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    usage, does, examples, arguments = re.split(
        r"\n\n(?=%s|examples:|positional|options|optional)" % re.escape(cli.COMMANDS[name]), done.stdout
    )[:4]
    assert usage.startswith("usage: agentctl %s" % name) and does == cli.COMMANDS[name]
    assert "agentctl %s" % name in examples
    assert said(agentctl(tmp_path, "help", name)) == (0, done.stdout, "")


def test_examples_name_only_options_that_exist(tmp_path: Path) -> None:
    for name in cli.COMMANDS:
        module = cli.command(name)
        known = cli.parser(name, module)._option_string_actions
        for line in module.EXAMPLES.splitlines():
            for part in re.findall(r"agentctl %s (.*?)(?:;| -- |   |\)|$)" % name, line):
                for option in re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", part):
                    assert option in known, (name, option)


def test_help_lists_commands_and_topics(tmp_path: Path) -> None:
    done = agentctl(tmp_path, "help")
    assert done.stdout.startswith(cli.overview())
    for name, (words, text) in topics.TOPICS.items():
        assert re.search(r"\n  %s +%s\n" % (name, re.escape(words)), done.stdout)
        assert said(agentctl(tmp_path, "help", name)) == (0, text, "")


def test_every_agentctl_line_in_a_topic_is_a_command() -> None:
    for _, text in topics.TOPICS.values():
        for name in re.findall(r"(?:`|^ +)agentctl ([a-z][a-z-]+)", text, re.MULTILINE):
            assert name in cli.COMMANDS, name


# -- called wrongly


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["lst"], "no command `lst`", "did you mean `agentctl list`?"),
        (["xyzzy"], "no command `xyzzy`", "see `agentctl --help`"),
        (["_secret"], "no command `_secret`", "see `agentctl --help`"),
        (["--home"], "--home wants a directory", cli.USAGE),
        (["--hom", "x", "list"], "no command `--hom`", "see `agentctl --help`"),
        (["list", "--projct", "x"], "list: unrecognized arguments: --projct x", "did you mean `--project`?"),
        (["list", "--xyzzy"], "list: unrecognized arguments: --xyzzy", "see `agentctl list --help`"),
        (["show"], "show: the following arguments are required: ID", "see `agentctl show --help`"),
        (["list", "-n", "many"], "list: argument -n: invalid int value: 'many'", "see `agentctl list --help`"),
        (
            ["show", "--raw", "--diff", "x"],
            "show: argument --diff: not allowed with argument --raw",
            "see `agentctl show --help`",
        ),
        (["help", "exit-code"], "no command or topic `exit-code`", "did you mean `agentctl help exit-codes`?"),
        (["help", "qqq"], "no command or topic `qqq`", "see `agentctl help`"),
        (["completion", "tcsh"], "no completion for `tcsh`", "one of: bash, zsh, fish"),
    ],
)
def test_called_wrongly(words: list[str], message: str, hint: str, tmp_path: Path) -> None:
    assert said(agentctl(tmp_path, *words)) == (2, "", "agentctl: %s\nhint: %s\n" % (message, hint))


def test_what_was_typed_cannot_drive_the_terminal(tmp_path: Path) -> None:
    done = agentctl(tmp_path, "ab\x1b]0;owned\x07\ncd")
    assert said(done) == (2, "", "agentctl: no command `ab]0;owned cd`\nhint: see `agentctl --help`\n")


# -- could not


def test_without_a_home(tmp_path: Path) -> None:
    for words in (["list"], ["show", "x"], ["wait", "x"], ["tail"], ["projects"], ["stop", "x"], ["follow", "x"]):
        done = agentctl(tmp_path, *words)
        assert said(done) == (1, "", "agentctl: no home at %s/orch\nhint: make one with `agentctl init`\n" % tmp_path)


BUG = """import sys
sys.path.append(%r)
from agentctl import cli
from agentctl import store
store.open_home = lambda path: 1 // 0
sys.argv = ["agentctl", "list"]
cli.main()
""" % str(REPO)


def test_a_bug_of_ours_is_one_line_and_a_crash_log(tmp_path: Path) -> None:
    agentctl(tmp_path, "init")
    log = tmp_path / "orch" / "crash.log"
    env = {"HOME": str(tmp_path), "AI_ORCH_HOME": str(tmp_path / "orch")}
    argv = [*PROGRAM[:3], "-c", BUG]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30)
    assert said(done) == (
        1,
        "",
        "agentctl: unexpected error: ZeroDivisionError: integer division or modulo by zero\n"
        "hint: details are in %s\n" % log,
    )
    assert "agentctl %s, python 3" % __version__ in log.read_text() and "Traceback" in log.read_text()
    loud = subprocess.run(argv, env={**env, "AGENTCTL_DEBUG": "1"}, capture_output=True, text=True, timeout=30)
    assert loud.returncode == 1 and "Traceback" in loud.stderr


def test_a_disk_that_says_no_is_one_line(tmp_path: Path) -> None:
    agentctl(tmp_path, "init")
    (tmp_path / "orch" / "journal").mkdir()
    done = agentctl(tmp_path, "list")
    assert done.returncode == 1 and re.match(r"agentctl: .*Is a directory", done.stderr)


def test_home_option_stands_before_or_after_the_command(tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert said(agentctl(tmp_path, "--home", other, "init")) == (0, other + "\n", "")
    for words in (["--home", other, "list"], ["--home=" + other, "list"], ["list", "--home", other]):
        assert said(agentctl(tmp_path, *words)) == (0, "", "")


# -- streams


def test_a_reader_that_leaves_is_not_an_error(past: Past) -> None:
    for words in (
        "list",
        "list --json",
        "show %s" % past.good,
        "show --raw %s" % past.good,
        "follow %s" % past.good,
        "help home",
        "start --help",
        "completion bash",
    ):
        line = "%s %s | head -c 1 > /dev/null; echo ${PIPESTATUS[0]}" % (" ".join(PROGRAM), words)
        for _ in range(3):
            done = subprocess.run(["bash", "-c", line], env=past.env, capture_output=True, text=True, timeout=30)
            assert said(done) == (0, "0\n", ""), words


def test_an_answer_that_cannot_be_written_is_an_error(past: Past) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, "list"], env=past.env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert (done.returncode, done.stderr) == (1, "agentctl: cannot write the answer: No space left on device\n")


def test_closed_streams_are_no_crash(past: Past) -> None:
    for closing, code in ((">&-", 1), ("2>&-", 0), ("<&-", 0)):
        line = "%s list %s" % (" ".join(PROGRAM), closing)
        assert subprocess.run(["sh", "-c", line], env=past.env, capture_output=True, timeout=30).returncode == code


def test_a_topic_has_no_gap() -> None:
    assert [name for name, (_, text) in topics.TOPICS.items() if "\n\n\n" in text] == []


# -- README


def test_readme_has_the_table_of_commands() -> None:
    rows = "".join("| `agentctl %s` | %s |\n" % row for row in cli.COMMANDS.items())
    wanted = TABLE % ("| command | what it does |\n|---|---|\n" + rows)
    readme = (REPO / "README.md").read_text()
    assert wanted in readme, "put this into README.md:\n" + wanted


def test_readme_names_every_topic() -> None:
    readme = (REPO / "README.md").read_text()
    assert all("`%s`" % name in readme or "help %s`" % name in readme for name in topics.TOPICS)


# -- projects


def test_projects_from_first_to_last(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    home = str(tmp_path / "orch")
    assert said(agentctl(tmp_path, "init")) == (0, home + "\n", "")
    assert said(agentctl(tmp_path, "init")) == (0, home + "\n", "")
    assert said(agentctl(tmp_path, "projects")) == (0, "", "")
    assert said(agentctl(tmp_path, "add-project", "shop", "shop")) == (0, "%s\n" % shop, "")
    assert said(agentctl(tmp_path, "projects")) == (
        0,
        "NAME  PROFILE  TRUST  PATH\nshop  -        no     %s\n" % shop,
        "",
    )
    row = '{"name": "shop", "path": "%s", "default_profile": "", "trust": false, "worktree": false, "setup": ""}' % shop
    assert said(agentctl(tmp_path, "projects", "--json")) == (0, '{"format": 1, "projects": [%s]}\n' % row, "")
    assert said(agentctl(tmp_path, "remove-project", "shpo")) == (
        1,
        "",
        "agentctl: no project named `shpo`\nhint: did you mean `shop`?\n",
    )
    assert said(agentctl(tmp_path, "remove-project", "shop")) == (0, "", "")
    assert said(agentctl(tmp_path, "remove-project", "shop")) == (
        1,
        "",
        "agentctl: no project named `shop`\nhint: register it with `agentctl add-project shop PATH`\n",
    )


def test_adding_a_project_again_without_a_path_keeps_its_path(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    agentctl(tmp_path, "add-project", "shop", "shop")
    assert said(agentctl(tmp_path, "add-project", "shop", "--default-profile", "deep")) == (0, "%s\n" % shop, "")
    assert agentctl(tmp_path, "projects").stdout.splitlines()[1] == "shop  deep     no     %s" % shop
    assert said(agentctl(tmp_path, "add-project", "here")) == (0, "%s\n" % tmp_path, "")


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["../x"], 2, "`../x` is not a project name", "letters, digits, `.`, `_`, `-`; at most 64; for example `x`"),
        (["x", "nowhere"], 1, "nowhere is not a directory", "give the project's own directory"),
        (["x", ".", "--default-profile", "sprk"], 2, "no profile named `sprk`", "did you mean `spark`?"),
    ],
)
def test_projects_that_cannot_be(words: list[str], code: int, message: str, hint: str, world: World) -> None:
    assert said(world.run("add-project", *words)) == (code, "", "agentctl: %s\nhint: %s\n" % (message, hint))
