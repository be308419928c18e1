"""What the doctor makes of what it was told: versions, logins, disks, memory. The faults themselves: tests/cli."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import doctor
from agentctl.doctor import home
from agentctl.doctor import locking
from agentctl.doctor import logins
from agentctl.doctor import system
from agentctl.doctor import terminal
from agentctl.doctor import vendors
from agentctl.doctor import waking
from agentctl.doctor.rows import Row
from agentctl.doctor.rows import guarded
from agentctl.doctor.rows import ok
from agentctl.errors import AgentctlError
from agentctl.settings import Choice
from agentctl.settings import Profile
from agentctl.trial import Heard


def test_a_check_that_breaks_is_a_row_and_hides_nothing() -> None:
    def broken(error: Exception) -> Iterator[Row]:
        yield ok("first", "fine")
        raise error

    for error, words in (
        (AgentctlError("tmux is silent", "look at it"), "tmux is silent: look at it"),
        (OSError(errno.EIO, os.strerror(errno.EIO), "/x"), "/x: Input/output error"),
        (KeyError("x"), "this check is broken: KeyError: 'x'"),
        (RecursionError("y" * 5000), "this check is broken: RecursionError: " + "y" * 161 + "…"),
    ):
        first, second = guarded("second", lambda e=error: broken(e))  # type: ignore[misc]
        assert (first.name, second.name, second.state, second.words) == ("first", "second", "fail", words)
        assert second.remedy


def test_every_check_may_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that runs beside others, and what prepares them."""

    def broken(*_: object) -> Any:
        raise ZeroDivisionError("planted")

    env = {"PATH": os.defpath, "HOME": str(tmp_path)}
    (tmp_path / "runs").mkdir()

    def names() -> set[str]:
        return {row.name for row in doctor.examine(str(tmp_path), env, lambda _: ([], ""))}

    whole = names()
    for place in (
        "system.python",
        "system.memory",
        "system.meminfo",
        "home.rows",
        "records.check",
        "records.defaults",
        "vendors.programs",
        "vendors.check",
        "vendors._missing",
        "terminal.check",
        "listeners.check",
    ):
        with monkeypatch.context() as planted:
            planted.setattr("agentctl.doctor." + place, broken)
            rows = list(doctor.examine(str(tmp_path), env, lambda _: ([], "")))
        assert [row.state for row in rows if "ZeroDivisionError: planted" in row.words], place
        assert len({row.name for row in rows} & whole) > len(whole) // 3, place


def test_a_cli_whose_question_breaks_is_a_row_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "claude", "echo '2.1.197 (Claude Code)'")
    program(tmp_path / "codex", "echo 'codex-cli 0.169.0'")
    real = logins.answer

    def answer(path: str, *more: Any) -> Any:
        if path.endswith("codex"):
            raise ZeroDivisionError("planted")
        return real(path, *more)

    monkeypatch.setattr(logins, "answer", answer)
    env = {"PATH": "%s:%s" % (tmp_path, os.defpath), "HOME": str(tmp_path)}
    rows = {row.name: row for row in doctor.examine(str(tmp_path / "home"), env, lambda _: ([], ""))}
    assert rows["claude"].state == "ok" and rows["codex profiles"].state == "ok"
    assert "planted" in rows["codex"].words and "planted" in rows["codex login"].words


def test_the_remedy_of_a_broken_check_shows_where(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Iterator[Row]:
        raise KeyError("x")

    assert guarded("x", broken)[0].remedy == "AGENTCTL_DEBUG=1 agentctl doctor"
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("AGENTCTL_DEBUG", "1")
    assert guarded("x", broken)[0].state == "fail"
    assert "in broken" in capfd.readouterr().err


@pytest.mark.parametrize("version, state", [((3, 8, 20), "fail"), ((3, 9, 0), "ok"), ((3, 14, 1), "ok")])
def test_python(version: tuple[int, ...], state: str) -> None:
    assert system.python(version).state == state


@pytest.mark.parametrize(
    "meminfo, state, words",
    [
        ("MemTotal: 9 kB\nMemAvailable:   4194304 kB\n", "ok", "4.0 GB available"),
        ("MemAvailable: 512000 kB\n", "warn", "500 MB available: little for several workers"),
        ("MemAvailable: 2048 kB\n", "fail", "2 MB available: no room for a worker"),
        ("MemTotal: 9 kB\nMemAvailable: ?\n", "ok", "unknown: this system does not say what is available"),
        ("", "ok", "unknown: this system does not say what is available"),
    ],
)
def test_memory(meminfo: str, state: str, words: str) -> None:
    row = system.memory(meminfo)
    assert (row.state, row.words) == (state, words)


def test_what_is_missing_is_installed_by_the_package_manager_that_is_there(tmp_path: Path) -> None:
    assert system.install_command("tmux", {"PATH": ""}) == "brew install tmux"
    for name, words in (("apk", "apk add tmux"), ("dnf", "dnf install -y tmux")):
        (tmp_path / name).touch(mode=0o755)
        assert system.install_command("tmux", {"PATH": str(tmp_path)}).replace("sudo ", "") == words


# -- the home's disk

MOUNTS = """/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/x /net/home nfs4 rw 0 0
server:/y /net/home\\040two cifs rw 0 0
"""


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/srv/orch", "ext4"),
        ("/tmp", "tmpfs"),
        ("/tmpx/a", "ext4"),
        ("/net/home/me/.ai-orch", "nfs4"),
        ("/net/home two/me", "cifs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert home.file_system(path, MOUNTS) == kind
    assert home.file_system(path, "") == ""


def test_a_network_disk_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_mounts", lambda: "server:/x %s nfs4 rw 0 0\n/dev/vda / ext4 rw 0 0" % tmp_path)
    row = home._locks(str(tmp_path), {"HOME": str(tmp_path)})
    assert row.state == "warn" and "nfs4" in row.words
    assert row.remedy.startswith("export AI_ORCH_HOME=/var/tmp/") or row.remedy.startswith("du "), "not on that disk"


def test_a_home_is_proposed_where_it_fits(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert home.elsewhere("/full", env, lambda folder: folder == str(tmp_path)) == (
        "export AI_ORCH_HOME=%s/.ai-orch && agentctl init" % tmp_path
    )
    nowhere = home.elsewhere("/full", env, lambda _: False)
    assert nowhere == "du -sk /full/runs/* | sort -n | tail"


@pytest.mark.parametrize("free, state", [(50 << 20, "fail"), (500 << 20, "warn"), (5 << 30, "ok")])
def test_the_room_on_the_disk(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_free", lambda _: (free, None))
    assert home._disk(str(tmp_path), {}).state == state
    monkeypatch.setattr(home, "_free", lambda _: (5 << 30, 20))
    assert home._disk(str(tmp_path), {}).words == "20 files can still be made"


# -- locks


def test_locks_hold_here_and_nothing_is_left(tmp_path: Path) -> None:
    assert locking.wrong_with(str(tmp_path)) == ""
    assert not locking.without_links(str(tmp_path))
    assert os.listdir(tmp_path) == []


def _refuse(fd: int, how: int) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def _grant_all(fd: int, how: int) -> None:
    return None


class Sticky:
    """A lock that nobody gets any more once somebody had it."""

    def __init__(self) -> None:
        self.mine = os.getpid()

    def __call__(self, fd: int, how: int) -> None:
        if os.getpid() == self.mine:
            raise OSError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))


def _hang(fd: int, how: int) -> None:
    import time

    time.sleep(60)


@pytest.mark.parametrize(
    "flock, words",
    [
        (_refuse, "locks are refused: No locks available"),
        (_grant_all, "two processes hold the same lock at once"),
        (Sticky(), "a lock stays taken after its holder has died"),
        (_hang, "a free lock is not given within 0.3 s"),
    ],
)
def test_locks_that_do_not_work(flock: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE_S", 0.3)
    monkeypatch.setattr(fcntl, "flock", flock)
    if flock is _hang:
        monkeypatch.setattr("agentctl.locks.held", lambda _: False)
    assert locking.wrong_with(str(tmp_path)) == words
    assert os.listdir(tmp_path) == []


def test_a_doctor_that_is_killed_leaves_no_child_and_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.append(sys.argv[1]); from agentctl.doctor import locking\n"
        "locking._heard = lambda said: (print(locking.os.read(said, 1), flush=True), time.sleep(60))\n"
        "locking.wrong_with(sys.argv[2])"
    )
    repo = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    doomed = subprocess.Popen([sys.executable, "-c", code, repo, str(tmp_path)], stdout=subprocess.PIPE)
    assert doomed.stdout and doomed.stdout.readline() == b"b'+'\n"
    (lock,) = tmp_path.iterdir()
    doomed.kill()
    doomed.wait()
    ended, _, _ = select.select([doomed.stdout], [], [], 5)
    assert ended and doomed.stdout.read() == b"", "its child, which holds the other end too, has ended"
    doomed.stdout.close()
    assert not lock.exists()


def test_a_file_system_without_hard_links_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    assert locking.without_links(str(tmp_path)) and os.listdir(tmp_path) == []


# -- the vendors


@pytest.mark.parametrize(
    "words, version",
    [
        ("2.1.197 (Claude Code)", (2, 1, 197)),
        ("codex-cli 0.169.0", (0, 169, 0)),
        ("2026.08.11-e8db854", (2026, 8, 11)),
        ("no version", None),
        ("", None),
    ],
)
def test_the_version_in_words(words: str, version: Any) -> None:
    assert vendors.version_in(words) == version


@pytest.mark.parametrize(
    "name, version, state",
    [
        ("claude", (2, 1, 197), "ok"),
        ("claude", (2, 1, 0), "ok"),
        ("claude", (2, 2, 0), "warn"),
        ("claude", (1, 9), "warn"),
        ("claude", None, "warn"),
        ("codex", (0, 161, 0), "ok"),
        ("codex", (0, 170, 0), "warn"),
        ("codex", (0, 42, 0), "warn"),
        ("cursor", (2026, 8, 11), "warn"),
    ],
)
def test_versions_that_were_tried(name: str, version: Any, state: str) -> None:
    row = vendors.judged(name, "/bin/" + name, version, "it says")
    assert row.state == state and bool(row.remedy) == (state != "ok")


PROFILES = {
    "quick": Profile(name="quick", backends=(Choice(backend="codex"), Choice(backend="claude"))),
    "second": Profile(name="second", backends=(Choice(backend="claude"),)),
}


@pytest.mark.parametrize(
    "name, found, state",
    [("codex", [], "fail"), ("codex", ["claude"], "warn"), ("claude", ["codex"], "warn"), ("cursor", [], "ok")],
)
def test_a_cli_that_is_missing_is_as_bad_as_the_profiles_make_it(name: str, found: list[str], state: str) -> None:
    assert vendors._missing(name, PROFILES, ["quick"], found).state == state
    assert vendors._missing("claude", PROFILES, ["second"], ["codex"]).state == "fail"


@pytest.mark.parametrize(
    "status, env, words",
    [
        ({"loggedIn": False, "authMethod": "none"}, {}, ""),
        ({"loggedIn": True, "authMethod": "claude.ai", "subscriptionType": "max"}, {}, "subscription (max)"),
        ({"loggedIn": True, "authMethod": "claude.ai", "subscriptionType": None}, {}, "subscription (kind unknown)"),
        (
            {"loggedIn": True, "authMethod": "api_key", "apiKeySource": "ANTHROPIC_API_KEY"},
            {},
            "billed per token, by ANTHROPIC_API_KEY",
        ),
        ({"loggedIn": True, "authMethod": "oauth_token"}, {}, "by CLAUDE_CODE_OAUTH_TOKEN"),
        (
            {"loggedIn": True, "authMethod": "oauth_token"},
            {"ANTHROPIC_AUTH_TOKEN": "x", "ANTHROPIC_BASE_URL": "http://u:secret@h"},
            "by ANTHROPIC_AUTH_TOKEN, at ANTHROPIC_BASE_URL",
        ),
        ({"loggedIn": True, "authMethod": "third_party", "apiProvider": "bedrock"}, {}, "billed by bedrock"),
        ({"loggedIn": True, "authMethod": "api_key_helper"}, {}, "billed per token, by apiKeyHelper of the settings"),
        ({"loggedIn": True, "authMethod": "something new"}, {}, "logged in"),
    ],
)
def test_who_is_billed_for_claude(status: dict[str, Any], env: dict[str, str], words: str) -> None:
    """The answers are those of Claude Code 2.1.197, one for each source of its."""
    assert logins.claude_source(status, env) == words


def test_an_answer_that_holds_a_key_is_not_repeated() -> None:
    key = "sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz"
    status = {"loggedIn": True, "authMethod": "api_key", "apiKeySource": key}
    assert key not in logins.claude_source(status, {})


@pytest.mark.parametrize(
    "config, provider",
    [
        ('model_provider = "mine"\n', "mine"),
        ('model = "x"\n  model_provider="mine"\n[a]\n', "mine"),
        ('model_provider = "openai"\n', ""),
        ('[profiles.x]\nmodel_provider = "mine"\n', ""),
        ("", ""),
    ],
)
def test_codex_with_a_provider_of_its_own(config: str, provider: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(config)
    assert logins.codex_provider({"CODEX_HOME": str(tmp_path)}) == provider
    assert logins.codex_provider({"CODEX_HOME": str(tmp_path / "none")}) == ""


def program(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "says, env, state, words",
    [
        ("echo 'Not logged in' >&2; exit 1", {}, "fail", "not logged in"),
        ("exit 1", {"OPENAI_API_KEY": "x"}, "fail", "not logged in; it does not look at OPENAI_API_KEY"),
        ("echo 'Logged in using ChatGPT'", {}, "ok", "subscription (ChatGPT)"),
        ("echo 'API key configured - sk-proj-***vwxyz'", {}, "ok", "billed per token, by a stored API key"),
        ("exit 1", {"CODEX_API_KEY": "x"}, "ok", "billed per token, by CODEX_API_KEY"),
    ],
)
def test_who_is_billed_for_codex(says: str, env: dict[str, str], state: str, words: str, tmp_path: Path) -> None:
    """The answers are those of codex-cli 0.169.0."""
    row = logins.row("codex", program(tmp_path / "codex", says), {"PATH": os.defpath, **env}, True)
    assert (row.state, row.words) == (state, words)


@pytest.mark.parametrize(
    "says, env, state",
    [
        ("echo 'Not logged in'", {}, "warn"),
        ("exit 1", {}, "warn"),
        ("echo 'Logged in as a@b'", {}, "ok"),
        ("exit 1", {"CURSOR_API_KEY": "x"}, "ok"),
    ],
)
def test_cursor_by_its_documentation(says: str, env: dict[str, str], state: str, tmp_path: Path) -> None:
    row = logins.row("cursor", program(tmp_path / "agent", says), {"PATH": os.defpath, **env}, False)
    assert row.state == state and "a@b" not in row.words
    assert not row.remedy or row.remedy == "agent login"


def test_a_claude_that_cannot_be_asked_is_judged_by_what_it_would_find(tmp_path: Path) -> None:
    old = program(tmp_path / "claude", "echo 'unknown command'; exit 1")
    env = {"PATH": os.defpath, "HOME": str(tmp_path)}
    assert logins.row("claude", old, env, True).state == "fail"
    assert (
        logins.row("claude", old, {**env, "CLAUDE_CODE_USE_BEDROCK": "1"}, True).words == "by CLAUDE_CODE_USE_BEDROCK"
    )
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").touch()
    assert logins.row("claude", old, env, True).state == "ok"


def test_answers_come_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    together = threading.Barrier(3, timeout=10)

    def call() -> list[Row]:
        together.wait()
        return [ok("x", "")]

    assert vendors.at_once({"a": call, "b": call, "c": call}) == {name: [ok("x", "")] for name in "abc"}


# -- a target's offset


@pytest.mark.parametrize(
    "target, base, right",
    [
        ("main:0.0", (1, 0), "main:1.0"),
        ("=main:0.1", (1, 1), "=main:1.2"),
        ("main:1.0", (1, 1), "main:1.1"),
        ("main:a.b.0", (1, 1), "main:a.b.1"),
        ("main:1.0", (0, 0), ""),
        ("main:0.7", (1, 1), ""),
        ("main:1.7", (1, 1), ""),
        ("main:2.0", (1, 0), ""),
        ("main:nosuch.0", (1, 1), ""),
        ("main", (1, 1), ""),
        ("main:5.0", (6, 1), ""),
    ],
)
def test_only_an_offset_corrects_a_target(target: str, base: tuple[int, int], right: str) -> None:
    first = "0" if base[1] == 0 else "1"
    panes = [["1", first, "1", "work"], ["1", "2", "1", "work"], ["3", first, "0", "a.b"]]
    assert terminal.offset(target, panes, base) == right


def test_a_window_that_was_made_before_base_index_was_set_is_not_counted_again() -> None:
    panes = [["0", "0", "1", "old"], ["1", "0", "0", "new"], ["1", "1", "0", "new"]]
    assert terminal.offset("main:0.1", panes, (1, 0)) == ""


# -- the live wake


def judged(*heard: Heard) -> list[tuple[str, str]]:
    rows = list(waking.judged("orch-1", heard))
    assert all(bool(row.remedy) == (row.state != "ok") for row in rows)
    return [(row.name.rpartition(" ")[2], row.state) for row in rows]


def test_one_transport_that_reaches_the_conversation_is_enough() -> None:
    hooks, keys = Heard(transport="hooks", arrived=True, seconds=0.08), Heard(transport="keys", arrived=False)
    pull, status = Heard(transport="pull", arrived=True, seconds=0.01), Heard(transport="status", arrived=None)
    assert judged(pull, hooks, keys) == [("pull", "ok"), ("hooks", "ok"), ("keys", "warn")]
    assert judged(pull, keys, status) == [("pull", "ok"), ("keys", "fail"), ("status", "ok")]
    assert judged() == [("orch-1", "fail")]
