"""From a request to a spec: which backend, which limits, which words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agentctl import config
from agentctl import planning
from agentctl import projects
from agentctl import store
from agentctl.config import Config
from agentctl.errors import AgentctlError
from agentctl.model import Limits
from agentctl.request import Request
from agentctl.settings import Project


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    return store.create_home(str(tmp_path / "home"))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with stand-ins for claude and codex."""
    for name in ("claude", "codex"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return str(tmp_path / "bin")


def planned(home: store.Home, path: str, setup: Config | None = None, **asked: Any) -> planning.Plan:
    project = Project(name="p", path="/tmp", trust=bool(asked.pop("trust", False)))
    env = {"PATH": path, "HOME": home.path}
    return planning.plan(home, setup or Config(), Request(prompt="Fix it\nnow", **asked), project, env, 1.0)


def test_the_first_installed_backend_of_the_profile_serves(home: store.Home, path: str) -> None:
    choices = [{"backend": "cursor", "model": "c"}, {"backend": "codex", "model": "x", "effort": "low"}]
    profiles = {"mine": {"backends": choices}}
    spec = planned(home, path, Config(profiles=profiles), profile="mine").spec
    assert (spec.backend, spec.model, spec.effort, spec.executable) == ("codex", "x", "low", path + "/codex")


def test_a_backend_asked_for_brings_the_profiles_model_for_it(home: store.Home, path: str) -> None:
    profiles = {"mine": {"backends": [{"backend": "codex", "model": "x"}, {"backend": "claude", "model": "opus"}]}}
    spec = planned(home, path, Config(profiles=profiles), profile="mine", backend="claude").spec
    assert (spec.backend, spec.model) == ("claude", "opus")
    assert len(spec.session_id) == 36 and not spec.resume


def test_nothing_installed_names_what_was_looked_for(home: store.Home, tmp_path: Path) -> None:
    with pytest.raises(AgentctlError, match="no backend of profile `spark` is installed") as caught:
        planned(home, str(tmp_path), profile="spark")
    assert "agentctl demo" in caught.value.hint


def test_limits_come_from_the_request_then_the_profile_then_the_configuration(home: store.Home, path: str) -> None:
    profiles = {"mine": {"backends": [{"backend": "claude"}], "limits": {"max_turns": 5, "timeout_s": 60}}}
    setup = Config(profiles=profiles, max_output_bytes=7)
    limits = planned(home, path, setup, profile="mine", limits=Limits(max_turns=9)).spec.limits
    assert (limits.max_turns, limits.timeout_s, limits.max_output_bytes) == (9, 60.0, 7)


def test_the_fallback_is_the_requests_else_the_profiles_without_who_was_tried(home: store.Home, path: str) -> None:
    profiles = {"mine": {"backends": [{"backend": "claude"}], "fallback": ["codex", "claude", "cursor", "codex"]}}
    setup = Config(profiles=profiles)
    assert planned(home, path, setup, profile="mine").spec.fallback == ("codex", "cursor")
    assert planned(home, path, setup, profile="mine", fallback=("cursor",)).spec.fallback == ("cursor",)
    spec = planned(home, path, setup, profile="mine", backend="codex", fallen_from=("claude",)).spec
    assert (spec.fallback, spec.fallen_from) == (("cursor",), ("claude",))
    assert planned(home, path, setup, argv=("/bin/true",)).spec.fallback == ()
    for words in (
        {"fallback": ("shell",)},
        {"fallback": ("nobody",)},
        {"fallback": ("codex",), "argv": ("/bin/true",)},
    ):
        with pytest.raises(AgentctlError):
            planned(home, path, setup, **words)


def test_what_was_added_to_the_instructions_is_found_again(home: store.Home, path: str) -> None:
    """A fallback's run is told it, too, after its own role's or profile's."""
    some: tuple[dict[str, Any], ...] = ({"profile": "spark"}, {"role": "builder"})
    for asked in some:
        whole = planned(home, path, instructions="You are Ada.", **asked)
        told = whole.texts["instructions.md"].decode()
        assert planning.added_instructions(home, Config(), whole.spec, told) == "You are Ada."
        plain = planned(home, path, **asked)
        assert planning.added_instructions(home, Config(), plain.spec, plain.texts["instructions.md"].decode()) == ""


def test_the_title_is_the_first_line_made_safe(home: store.Home, path: str) -> None:
    assert planned(home, path, profile="deep").spec.title == "Fix it"
    with_escape = planned(home, path, profile="deep", title="a\x1b]2;x\x07b").spec.title
    assert "\x1b" in with_escape  # kept as asked in the file; every sink for people makes it safe


def test_a_schema_of_the_users_own_goes_with_the_run(home: store.Home, path: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"type": "object", "properties": {"n": {"type": "integer"}}}))
    plan = planned(home, path, profile="deep", backend="codex", schema=str(mine))
    assert json.loads(plan.texts["schema.json"])["properties"] == {"n": {"type": "integer"}}
    assert json.loads(plan.texts["vendor-schema.json"])["required"] == ["n"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"type": "string"}'])
def test_a_bad_schema_is_refused_before_anything_starts(
    home: store.Home, path: str, tmp_path: Path, content: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    with pytest.raises(AgentctlError) as caught:
        planned(home, path, profile="deep", schema=str(bad))
    assert caught.value.code == 2


def test_a_prompt_of_the_users_own_wins(home: store.Home, path: str) -> None:
    Path(home.prompts, "spark.md").write_text("mine alone")
    plan = planned(home, path, profile="spark", backend="claude")
    assert plan.texts["instructions.md"] == b"mine alone"


def test_escalation_never_goes_back_in_its_chain(home: store.Home, path: str) -> None:
    assert planned(home, path, profile="spark", escalate=True).spec.escalate_to == "deep"
    assert planned(home, path, profile="spark", escalate=True, escalated_from=("deep",)).spec.escalate_to == ""
    assert planned(home, path, profile="spark").spec.escalate_to == ""


def test_trust_is_the_projects_or_the_vendors_own(home: store.Home, path: str) -> None:
    assert not planned(home, path, profile="deep", backend="claude").spec.trusted
    assert planned(home, path, profile="deep", backend="claude", trust=True).spec.trusted
    Path(home.path, ".claude.json").write_text(json.dumps({"projects": {"/tmp": {"hasTrustDialogAccepted": True}}}))
    assert planned(home, path, profile="deep", backend="claude").spec.trusted


def test_codex_trust_is_read_line_by_line(home: store.Home, path: str) -> None:
    folder = Path(home.path, ".codex")
    folder.mkdir()
    other = '[projects."/other"]\ntrust_level = "trusted"\n'
    (folder / "config.toml").write_text(other + '[projects."/tmp"]\ntrust_level = "untrusted"\n')
    assert not planned(home, path, profile="deep", backend="codex").spec.trusted
    (folder / "config.toml").write_text('[projects."/tmp"]\ntrust_level = "trusted"\n')
    assert planned(home, path, profile="deep", backend="codex").spec.trusted


def test_an_unknown_profile_names_the_closest(home: store.Home, path: str) -> None:
    with pytest.raises(AgentctlError) as caught:
        planned(home, path, profile="sparc")
    assert caught.value.hint == "did you mean `spark`?" and caught.value.code == 2


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\nb", "-x", "x" * 65, "a b"])
def test_a_project_name_that_is_a_path_or_worse_is_refused(home: store.Home, tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentctlError) as caught:
        projects.add(home, name, str(tmp_path), "", False)
    assert caught.value.code == 2


def test_the_innermost_project_contains_a_folder(home: store.Home, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for name, folder in (("outer", tmp_path / "a"), ("inner", inner)):
        projects.add(home, name, str(folder), "", False)
    assert projects.at(home, str(inner)).name == "inner"
    assert projects.at(home, str(tmp_path / "a")).name == "outer"
    with pytest.raises(AgentctlError, match="no project is registered") as caught:
        projects.at(home, str(tmp_path))
    assert "agentctl add-project" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"projects": 3}', b'{"projects": {"a": 1}}x'])
def test_a_damaged_projects_file_is_named_and_kept(home: store.Home, content: bytes) -> None:
    Path(home.projects).write_bytes(content)
    with pytest.raises(AgentctlError, match="is damaged"):
        projects.add(home, "p", home.path, "", False)
    assert Path(home.projects).read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100000])
def test_a_damaged_configuration_is_said_and_defaults_serve(home: store.Home, content: bytes) -> None:
    Path(home.config).write_bytes(content)
    loaded, problem = config.load(home)
    assert loaded == Config(problem=problem) and home.config in problem
    with pytest.raises(AgentctlError, match="no profile named `mine`") as caught:
        config.profile(loaded, "mine")
    assert problem in caught.value.hint
    assert Path(home.config).read_bytes() == content


def test_values_of_the_wrong_type_are_the_defaults(home: store.Home) -> None:
    Path(home.config).write_text('{"panes_per_window": "six", "wake_keys": 1, "stop_grace_s": 2, "unknown": {}}')
    loaded, problem = config.load(home)
    assert loaded == Config(stop_grace_s=2.0, problem=problem, wrong=loaded.wrong)
    assert (
        problem == "%s: `unknown` is no setting, `panes_per_window` has the wrong type, "
        "`wake_keys` has the wrong type: ignored" % home.config
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"worktree_dir": 5}, "`worktree_dir` has the wrong type"),
        ({"branch_prefix": ["a"]}, "`branch_prefix` has the wrong type"),
        ({"default_parallel": "3"}, "`default_parallel` has the wrong type"),
        ({"default_parallel": 0}, "`default_parallel` must be above 0"),
        ({"max_parallel": "8"}, "`max_parallel`: it is a number above 0"),
        ({"max_parallel": True}, "`max_parallel`: it is a number above 0"),
        ({"max_parallel": {"codex": 0}}, "`max_parallel`: it is a number above 0"),
        ({"bypass_permissions": "Bash(ls)"}, "`bypass_permissions` has the wrong type"),
        ({"wake": ["telepathy"]}, "`wake`: it is a list of pull, hooks"),
    ],
)
def test_nothing_is_started_by_a_configuration_that_is_wrong(
    home: store.Home, setting: dict[str, Any], said: str
) -> None:
    """The error names key and file; who only reads gets the default and is told."""
    Path(home.config).write_text(json.dumps({**setting, "stop_grace_s": 2}))
    loaded, problem = config.load(home)
    assert said in problem and problem.startswith(home.config)
    assert loaded.replace(problem="", wrong="", wake=None) == Config(stop_grace_s=2.0)
    assert "keys" not in config.transports(loaded, "any") or "wake" not in setting  # nobody asked for keys
    with pytest.raises(AgentctlError) as caught:
        config.sound(home)
    assert str(caught.value).startswith(home.config + ": ") and said in str(caught.value)


def test_an_unknown_setting_is_said_and_stops_nothing(home: store.Home) -> None:
    Path(home.config).write_text('{"max_paralel": 3, "max_parallel": {"*": 3, "codex": 1}}')
    assert config.load(home)[1] == "%s: `max_paralel` is no setting: ignored" % home.config
    assert config.sound(home).max_parallel == {"*": 3, "codex": 1}


def test_rules_of_the_home_are_added_where_a_profile_may_edit(home: store.Home, tmp_path: Path) -> None:
    mine = Config(bypass_permissions=["Bash(just:*)", "Bash(make:*)"], executables={"claude": "/bin/true"})
    for name, added in (("spark", True), ("review", False)):
        request = Request(profile=name, backend="claude", prompt="x")
        spec = planning.plan(home, mine, request, Project(name="p", path=str(tmp_path)), {}, 1.0).spec
        assert ("Bash(just:*)" in spec.allow) == added
        assert spec.allow.count("Bash(make:*)") == added


def test_a_configuration_in_which_nothing_is_wrong_has_no_problem(home: store.Home) -> None:
    assert config.load(home) == (Config(), "")
    wanted = Config(executables={"codex": "/c"}, stop_grace_s=2, profiles={}, backends={})
    raw = wanted.to_json()
    del raw["problem"], raw["wrong"]
    Path(home.config).write_text(json.dumps(raw))
    assert config.load(home) == (wanted, "")


@pytest.mark.parametrize(
    "entry, said",
    [
        (3, "it is not an object"),
        ({"backends": 5}, "backends is a list"),
        ({"backends": [{}]}, "backends is a list"),
        ({"backends": [{"backend": "codex", "model": 5}]}, "backends.model has the wrong type"),
        ({"limits": {"timeout_s": "30m"}}, "limits.timeout_s has the wrong type"),
        ({"limits": []}, "limits has the wrong type"),
        ({"escalate": 1}, "escalate has the wrong type"),
        ({"allow": ["a", 5]}, "allow has the wrong type"),
        ({"permissions": "all"}, "permissions is one of read-only, edit, full"),
        ({"env": ["A"]}, "env is an object"),
        ({"env": {"A": "\ud800"}}, "env: `A` cannot"),
        ({"env": {"A": "a\0"}}, "env: `A` cannot"),
        ({"env": {"A": None}}, "env: `A` cannot"),
        ({"env": {"A=B": "c"}}, "env: `A=B` cannot"),
        ({"env": {"": "c"}}, "env: `` cannot"),
    ],
)
def test_a_profile_that_will_not_do_is_named_and_no_other_is_hurt(entry: object, said: str) -> None:
    setup = Config(profiles={"bad": entry})
    with pytest.raises(AgentctlError, match="profile `bad` in config.json: " + re.escape(said)):
        config.profile(setup, "bad")
    assert config.profile(setup, "spark").name == "spark"


def test_a_profile_of_the_right_shape_is_taken(home: store.Home) -> None:
    entry = {
        "backends": [{"backend": "codex"}],
        "limits": {"timeout_s": 3, "max_turns": None},
        "allow": ["a"],
        "env": {"A": "b", "N": 1},
        "permissions": "edit",
        "later": [],
    }
    made = config.profile(Config(profiles={"good": entry}), "good")
    assert (made.limits, made.allow, made.backends[0].backend) == (Limits(timeout_s=3), ("a",), "codex")


@pytest.mark.parametrize(
    "entry, said",
    [
        (5, "it is not an object"),
        ({}, "argv is a list of words"),
        ({"argv": 5}, "argv is a list of words"),
        ({"argv": []}, "argv is a list of words"),
        ({"argv": ["x", 1]}, "argv is a list of words"),
        ({"argv": ["x", "\ud800"]}, "argv is a list of words"),
        ({"argv": [""]}, "argv begins with an empty word"),
        ({"argv": ["x", "{nope}"]}, "argv has unknown placeholders: nope"),
        ({"argv": ["x"], "stdin": 1}, "stdin is true or false"),
        ({"argv": ["x"], "stream": "xml"}, "stream is one of claude, codex, cursor, text"),
        ({"argv": ["x"], "stream": []}, "stream is one of"),
    ],
)
def test_a_backend_that_will_not_do_is_named(entry: object, said: str) -> None:
    with pytest.raises(AgentctlError, match="backend `zz` in config.json: " + said):
        config.backend(Config(backends={"zz": entry}), "zz")


def test_a_backend_of_the_users_own_or_of_ours_or_none() -> None:
    entry = {"argv": ["x", "{prompt_file}"], "stdin": False, "stream": "codex"}
    assert config.backend(Config(backends={"zz": entry}), "zz") == entry
    assert config.backend(Config(), "codex") is None
    with pytest.raises(AgentctlError, match="no backend named `yy`") as caught:
        config.backend(Config(backends={"zz": entry}), "yy")
    assert caught.value.hint == "one of: claude, codex, cursor, shell, zz"
    assert caught.value.code == 2


def test_a_schema_padded_with_white_space_is_stored_as_it_is_measured(
    home: store.Home, path: str, tmp_path: Path
) -> None:
    padded = tmp_path / "s.json"
    padded.write_text('{"type": "object",%s"properties": {"a": {}}}' % (" " * 300_000))
    texts = planned(home, path, backend="claude", schema=str(padded)).texts
    assert texts["schema.json"] == b'{"type": "object", "properties": {"a": {}}}\n'
