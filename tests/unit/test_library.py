"""The names of the Python API: there for whoever asks, at no cost for the command line."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import agentctl
from agentctl import python
from agentctl.errors import AgentctlError
from agentctl.python import runs
from agentctl.request import Request

REPO = Path(__file__).resolve().parents[2]


def outside(code: str) -> str:
    """What a fresh interpreter prints."""
    argv = [sys.executable, "-c", "import sys; sys.path.insert(0, %r)\n%s" % (str(REPO), code)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_the_package_and_the_library_offer_the_same_names() -> None:
    assert agentctl.__all__ == python.__all__ == sorted(python.__all__)
    for name in agentctl.__all__:
        assert getattr(agentctl, name) is getattr(python, name)
        assert getattr(agentctl, name).__doc__, name


def test_names_are_seen_before_they_are_loaded() -> None:
    loaded = "import agentctl; print({*agentctl.__all__, '__version__'} <= {*dir(agentctl)}, '%s' in sys.modules)"
    assert outside(loaded % python.__name__) == "True False"
    assert outside("from agentctl import *; print(Agent.__name__, start.__name__)") == "Agent start"


def test_a_name_there_is_none_of_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="module 'agentctl' has no attribute 'no_such_name'"):
        agentctl.no_such_name  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="no_such_name"):
        from agentctl import no_such_name  # type: ignore[attr-defined]  # noqa: F401


def test_no_name_hides_a_module() -> None:
    modules = {path.stem for path in (REPO / "agentctl").iterdir()}
    assert not modules & {*agentctl.__all__}


@pytest.mark.parametrize("words", [["--version"], ["list"], ["help", "trust"]])
def test_the_command_line_loads_nothing_of_it(tmp_path: Path, words: list[str]) -> None:
    code = """
from agentctl import cli
sys.stdout = sys.stderr
code = cli.guarded(["--home", %r, *%r])
print([name for name in sys.modules if "agentctl.python" in name], file=sys.__stdout__)
"""
    assert outside(code % (str(tmp_path), words)) == "[]"


def test_a_request_is_made_of_words_options_or_another_request() -> None:
    base = Request(prompt="x", profile="spark")
    assert runs.request_of(base, {"after": ["1"], "verify": "v"}) == base.replace(after=("1",), verify="v")
    assert runs.request_of("x", {"profile": "spark"}) == base
    with pytest.raises(TypeError, match="profil"):
        runs.request_of("x", {"profil": "spark"})


def test_every_option_is_a_field_of_a_request() -> None:
    code = """
import ast
tree = ast.parse(open(%r).read())
[asked] = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == "Asked"]
from agentctl import Request
names = [n.target.id for n in asked.body if isinstance(n, ast.AnnAssign)]
print(len(names) > 10, {*names} - {*Request().to_json()})
"""
    assert outside(code % str(REPO / "agentctl" / "python" / "runs.py")) == "True set()"


def test_what_was_started_is_told_where_not_all_could_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refused = AgentctlError("tmux is gone", "start it", 1)
    monkeypatch.setattr("agentctl.api.spawn", lambda *_: (["a", "b"], refused))
    with pytest.raises(agentctl.PartlyStarted) as caught:
        agentctl.spawn(["x", "y", "z"], home=agentctl.create_home(tmp_path / "home"))
    assert (str(caught.value), caught.value.hint, caught.value.ids) == ("tmux is gone", "start it", ("a", "b"))


def test_starts_of_several_threads_do_not_overlap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two that look at the umask at once would leave a wrong one behind."""
    home, starting, most = agentctl.create_home(tmp_path / "home"), [0], [0]

    def start(*_: object) -> str:
        starting[0] += 1
        most.append(starting[0])
        time.sleep(0.01)
        starting[0] -= 1
        return "id"

    monkeypatch.setattr("agentctl.api.start", start)
    threads = [threading.Thread(target=agentctl.start, args=("x",), kwargs={"home": home}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (9, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda home: agentctl.start("", home=home), "the prompt is empty"),
        (lambda home: agentctl.start(" \n", home=home), "the prompt is empty"),
        (lambda home: agentctl.resume("@last", "", home=home), "the prompt is empty"),
        (lambda home: agentctl.send("ada", "", home=home), "the prompt is empty"),
        (lambda home: agentctl.spawn(["x", ""], home=home), "a prompt is empty"),
        (lambda home: agentctl.spawn("make it", home=home), "`prompts` is a list of prompts"),
        (lambda home: agentctl.spawn(["x"], parallel=0, home=home), "`parallel` wants a number above 0"),
        (lambda home: agentctl.start(argv="make", home=home), "`argv` is a list of words"),
        (lambda home: agentctl.start("x", after="20260215-143022-ab12", home=home), "`after` is a list of words"),
    ],
)
def test_what_costs_and_cannot_be_meant_is_refused(call: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    home = agentctl.create_home(tmp_path / "home").path
    with pytest.raises(AgentctlError) as caught:
        call(Path(home))
    assert str(caught.value) == words and caught.value.code == 2


def test_of_no_prompts_no_run_is_made(tmp_path: Path) -> None:
    assert agentctl.spawn([], home=agentctl.create_home(tmp_path / "home")) == []


def test_a_home_that_is_not_there_is_said_however_it_is_named(tmp_path: Path) -> None:
    for home in (tmp_path / "none", str(tmp_path / "none"), agentctl.Home(str(tmp_path / "none"))):
        with pytest.raises(AgentctlError, match="no home at") as caught:
            agentctl.stats(home=home)
        assert "agentctl init" in caught.value.hint


def test_a_reset_waits_for_the_turn_that_is_being_taken() -> None:
    session = agentctl.Session("shell")
    session._turn.acquire()
    resetting = threading.Thread(target=session.reset, daemon=True)
    resetting.start()
    resetting.join(0.1)
    assert resetting.is_alive()
    session._turn.release()
    resetting.join(8)
    assert not resetting.is_alive()


def test_a_session_is_named_after_its_vendor() -> None:
    for made, backend in ((agentctl.ClaudeSession, "claude"), (agentctl.CodexSession, "codex")):
        assert (made(model="m").backend, made("m").model) == (backend, "m")
    cursor = agentctl.CursorSession("m", trust=True)
    assert (cursor.backend, cursor.trust, cursor.session_id, cursor.stats) == ("cursor", True, "", agentctl.Usage())
