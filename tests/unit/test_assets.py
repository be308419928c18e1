"""The words that ship with the program: configuration, prompts, help topics, README.

They are read by models and people, so nothing else notices when they name a
field, an option or a command that is not there.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import pytest

from agentctl import backends
from agentctl import briefing
from agentctl import cli
from agentctl import config
from agentctl import judge
from agentctl import keys
from agentctl import paths
from agentctl import roles
from agentctl import schema
from agentctl.backends import custom
from agentctl.commands import agent as command_agent
from agentctl.figures import tables as columns
from agentctl.figures import totals
from agentctl.model import CHECK_FAILED
from agentctl.model import ENDED
from agentctl.model import FULL
from agentctl.model import LIVE
from agentctl.model import PASSED
from agentctl.model import PERMISSIONS
from agentctl.model import READ_ONLY
from agentctl.model import UNCHECKED
from agentctl.model import Limits
from agentctl.model import Result
from agentctl.model import RunFiles
from agentctl.model import Spec
from agentctl.settings import Choice
from agentctl.settings import Profile
from agentctl.topics import TOPICS
from agentctl.workflows import definition
from agentctl.workflows import graph

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPTS = ("orchestrator.md", "spark.md", "deep.md", "review.md", "glance.md")
WORKERS = ("spark.md", "deep.md", "review.md", "glance.md")
PROFILES = ("spark", "deep", "review", "glance")
ROLES = tuple(sorted(name for name in os.listdir(os.path.join(ROOT, "prompts", "roles")) if name.endswith(".md")))
EFFORTS = {
    "claude": ("low", "medium", "high", "xhigh", "max"),
    "codex": ("low", "medium", "high", "xhigh"),
    "cursor": ("",),
}
WITHOUT_EFFORT = ("haiku",)
VERBS = set(cli.COMMANDS)
OPTIONS: dict[str, set[str]] = {
    **{verb: set(cli.parser(verb, cli.command(verb))._option_string_actions) for verb in VERBS},
    "orch": {"--session", "--resume", "--new", "--help"},
}


def text(*parts: str) -> str:
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as f:
        return f.read()


def asset(kind: str, name: str) -> str:
    with open(paths.asset(kind, name), encoding="utf-8") as f:
        return f.read()


def raw_profiles() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(asset("config", "profiles.json"))["profiles"]
    return found


def profile(name: str) -> Profile:
    return config.profiles(config.Config())[name]


def code(markdown: str) -> list[str]:
    """Fenced lines and inline spans, continuation lines joined."""
    fences = re.findall(r"^ *```\w*\n(.*?)^ *```$", markdown, re.M | re.S)
    prose = re.sub(r"^ *```\w*\n.*?^ *```$", "", markdown, flags=re.M | re.S)
    lines = [line for fence in fences for line in fence.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", prose)


def calls(markdown: str) -> list[tuple[str, str]]:
    """(verb, the rest of the line) of every `agentctl verb …` shown."""
    lines = [part for line in code(markdown) for part in re.split(r" \| |; ", line)]
    found = (re.search(r"(?:^|[\s\"])(?<!from )agentctl ([a-z][a-z-]*)(.*)", line) for line in lines)
    short = (re.match(r"(%s)( +-.*)" % "|".join(sorted(VERBS)), line) for line in lines)
    return [(m[1], m[2]) for m in (*found, *short) if m]


def options(rest: str) -> list[str]:
    """Options of our own, not those of a command after `--` or in quotes."""
    ours = re.sub(r"\"[^\"]*\"", "", rest.split(" -- ")[0].split("#")[0])
    return re.findall(r"(?<![\w-])(--[a-z-]+|-[a-z])\b", ours)


# --- profiles.json ------------------------------------------------------------


def test_the_profiles_are_there() -> None:
    assert json.loads(asset("config", "profiles.json"))["format"] == 1
    assert tuple(raw_profiles()) == PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_loads_with_nothing_lost(name: str) -> None:
    raw, loaded = raw_profiles()[name], profile(name).to_json()
    assert raw.keys() <= set(Profile._defaults) - {"name"}
    assert raw["limits"].keys() <= set(Limits._defaults)
    assert all(b.keys() == set(Choice._defaults) for b in raw["backends"])
    for key in raw.keys() - {"limits"}:
        assert loaded[key] == raw[key], key
    assert {k: v for k, v in loaded["limits"].items() if v is not None} == raw["limits"]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_can_be_served_by_each_vendor(name: str) -> None:
    choices = profile(name).backends
    assert sorted(b.backend for b in choices) == sorted(EFFORTS)
    for choice in choices:
        known = ("",) if choice.model in WITHOUT_EFFORT else EFFORTS[choice.backend]
        assert choice.model and choice.effort in known


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_bounded_and_leads_somewhere(name: str) -> None:
    it = profile(name)
    assert it.description and not it.description.endswith(".")
    assert it.permissions in PERMISSIONS and it.permissions != FULL
    assert it.limits.timeout_s  # turns and cost are not told by every vendor; time always is
    assert os.path.isfile(paths.asset("prompts", it.prompt))
    assert not it.escalate_to or (it.escalate_to in raw_profiles() and not profile(it.escalate_to).escalate_to)


def test_review_and_glance_read_only_and_the_others_edit() -> None:
    for name in ("review", "glance"):
        assert (profile(name).permissions, profile(name).allow) == (READ_ONLY, ())
    assert profile("spark").permissions == profile("deep").permissions == "edit"
    assert profile("spark").escalate_to == "deep"


def test_allowed_commands_are_named_one_by_one() -> None:
    allow = profile("spark").allow
    assert allow == profile("deep").allow
    assert len(set(allow)) == len(allow)
    for rule in allow:
        assert re.fullmatch(r"Bash\([a-z][a-z0-9]*( [a-z]+)?:\*\)", rule), rule
    programs = {re.split(r"[ :]", rule[5:])[0] for rule in allow}
    assert not programs & {"bash", "sh", "env", "sudo", "curl", "rm", "xargs", "agentctl", "tmux"}
    assert not {"Bash(git:*)", "Bash(git push:*)", "Bash(git reset:*)", "Bash(git checkout:*)"} & set(allow)


# --- report.schema.json ---------------------------------------------------------


def test_the_report_schema_is_strict() -> None:
    """What OpenAI's strict json_schema asks for: every property required, none additional."""
    it = json.loads(asset("config", "report.schema.json"))
    assert set(it) == {"type", "description", "properties", "required", "additionalProperties"}
    assert it["type"] == "object" and it["additionalProperties"] is False
    assert it["required"] == list(it["properties"])
    for part in it["properties"].values():
        assert set(part) == {"type", "description"} and part["description"]


def test_the_report_has_the_fields_that_a_result_takes_over() -> None:
    types = {k: v["type"] for k, v in json.loads(asset("config", "report.schema.json"))["properties"].items()}
    assert types == {"goal_met": "boolean", "summary": "string", "followup_prompt": "string", "notes": "string"}
    assert types.keys() <= set(Result._defaults)


# --- templates for Codex ----------------------------------------------------------


def tables(toml: str) -> dict[str, dict[str, str]]:
    """The plain subset that install.sh can derive files from; anything else fails."""
    found: dict[str, dict[str, str]] = {"": {}}
    current = found[""]
    for line in toml.splitlines():
        line = re.sub(r"\s+#.*", "", line).strip()
        header = re.fullmatch(r"\[([\w.]+)\]", line)
        pair = re.fullmatch(r"(\w+) = (\"[^\"]*\"|true|false|\d+|\[[^\]]*\])", line)
        if header:
            assert header[1] not in found
            current = found[header[1]] = {}
        elif pair:
            assert pair[1] not in current
            current[pair[1]] = pair[2].strip('"')
        else:
            assert not line or line.startswith("#"), line
    return found


@pytest.mark.parametrize("name", ["codex-config.toml", "codex-profiles.toml"])
def test_a_template_is_toml(name: str) -> None:
    assert tables(asset("config", name))
    if sys.version_info >= (3, 11):
        import tomllib

        tomllib.loads(asset("config", name))


def test_codex_profiles_say_what_profiles_json_says() -> None:
    found = tables(asset("config", "codex-profiles.toml"))
    assert not found.pop("")
    assert set(found) == {"profiles." + name for name in raw_profiles()}
    for name in raw_profiles():
        it, table = profile(name), found["profiles." + name]
        codex = next(b for b in it.backends if b.backend == "codex")
        sandbox = "read-only" if it.permissions == READ_ONLY else "workspace-write"
        assert (table["model"], table["model_reasoning_effort"], table["sandbox_mode"]) == (
            codex.model,
            codex.effort,
            sandbox,
        )


def test_the_codex_template_opens_nothing() -> None:
    found = tables(asset("config", "codex-config.toml"))
    assert found[""]["sandbox_mode"] == "workspace-write"
    assert found["sandbox_workspace_write"]["network_access"] == "false"
    assert not any(name.startswith(("profiles", "projects")) for name in found)


# --- prompts ----------------------------------------------------------------------


@pytest.mark.parametrize("name", (*WORKERS, *("roles/" + name for name in ROLES)))
def test_a_worker_is_told_how_to_report(name: str) -> None:
    prompt = asset("prompts", name)
    for field in json.loads(asset("config", "report.schema.json"))["properties"]:
        assert "- `%s`:" % field in prompt
    assert "agentctl" not in prompt


def documents() -> dict[str, str]:
    found = {"prompts/" + name: asset("prompts", name) for name in (*PROMPTS, *("roles/" + name for name in ROLES))}
    found.update({"topic " + name: page for name, (_, page) in TOPICS.items()})
    found.update({name: text(name) for name in ("README.md", "CHANGELOG.md")})
    found["config/agents-project.md"] = asset("config", "agents-project.md")
    return found


@pytest.mark.parametrize("name", sorted(documents()))
def test_only_commands_that_exist_are_named(name: str) -> None:
    for verb, _ in calls(documents()[name]):
        assert verb in VERBS, verb


@pytest.mark.parametrize("name", sorted(documents()))
def test_only_options_that_exist_are_named(name: str) -> None:
    for verb, rest in calls(documents()[name]):
        assert set(options(rest)) <= OPTIONS.get(verb, set()), (verb, rest)


@pytest.mark.parametrize("name", sorted(documents()))
def test_an_option_named_alone_exists(name: str) -> None:
    known = set().union(*OPTIONS.values())
    for span in code(documents()[name]):
        if span.startswith("--"):
            assert set(options(span)) <= known, span


def test_the_orchestrator_learns_the_verbs_it_needs() -> None:
    assert {"start", "wait", "show", "resume", "list", "stop"} <= {v for v, _ in calls(asset("prompts", PROMPTS[0]))}
    assert "<<'END_OF_PROMPT'" in asset("prompts", "orchestrator.md")


def test_the_orchestrator_knows_the_wake_when_it_comes() -> None:
    assert keys.WORDS.startswith(": agentctl")
    assert "begins with `: agentctl`" in asset("prompts", "orchestrator.md")


def test_the_orchestrator_reads_fields_that_results_have() -> None:
    prompt = asset("prompts", "orchestrator.md")
    for field in (
        "status",
        "goal_met",
        "verified",
        "warnings",
        "denied",
        "error",
        "git_diff_stat",
        "git_files",
        "escalated_to",
    ):
        assert "`%s`" % field in prompt and field in Result._defaults


@pytest.mark.parametrize("name", sorted(documents()))
def test_no_feature_is_promised_before_it_is_there(name: str) -> None:
    later = {"dashboards?", "mcp"} - VERBS
    assert not re.findall(r"(?i)\b(%s)\b" % "|".join(sorted(later)), documents()[name])


@pytest.mark.parametrize("name", sorted(documents()))
def test_words_that_say_nothing_are_left_out(name: str) -> None:
    assert not re.findall(
        r"(?i)\b(simply|just|please|robust|powerful|seamless|blazing|effortless)\b", documents()[name]
    )


# --- topics -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_a_topic_fits_a_terminal(name: str) -> None:
    line, page = TOPICS[name]
    assert re.fullmatch(r"[a-z-]+", name) and name not in VERBS
    assert line and "\n" not in line and not line.endswith(".")
    assert page.endswith("\n") and page.isascii()
    assert max(map(len, page.splitlines())) <= 80


def test_topics_cover_the_values_they_explain() -> None:
    for status in (*ENDED, *LIVE):
        assert "\n  %s " % status in TOPICS["statuses"][1]
    for word in (PASSED, CHECK_FAILED, UNCHECKED):
        assert word in TOPICS["statuses"][1]
    for field in (*Limits._defaults, *PERMISSIONS):
        assert field in TOPICS["profiles"][1]
    for field in config.Config._defaults.keys() - {"problem", "wrong"}:
        assert "\n  %s " % field in TOPICS["config"][1]
    for name in backends.NAMES:
        assert "\n  %s " % name in "\n" + TOPICS["backends"][1]
    for field in raw_profiles()["spark"]:
        assert "\n  %s " % field in TOPICS["profiles"][1]


def test_the_pages_of_agents_workflows_and_figures_cover_what_there_is() -> None:
    agents, workflows, figures = (TOPICS[name][1] for name in ("agents", "workflows", "figures"))
    for verb in command_agent._TAKES.keys() - {"show"}:
        assert re.search(r"\b%s\b" % verb, agents), verb
    for key in (*definition._TEXTS, *definition._LISTS, *definition._OTHERS):
        assert re.search(r"[`\s\"]%s\b" % key, workflows), key
    ends = workflows.partition("the next begin:")[2].partition(". With")[0]
    assert re.findall(r"\w+", ends) == list(judge.SHORTFALLS)
    for word in (*briefing.FIELDS, "{{prompt}}", "{{set.KEY}}", "{{before}}", "{{steps.ID.FIELD}}"):
        assert word in workflows, word
    words = json.loads(re.sub(r"\s+", " ", workflows.partition("any path:")[2].partition("A step has")[0]))
    graph.check(definition.parsed(words, "mine", ""))
    for word in (
        *totals.BY,
        *(re.split(r"\W", statement)[2] for statement in columns.STATEMENTS if "TABLE" in statement),
    ):
        assert word in figures, word


# --- README -----------------------------------------------------------------------


def test_the_backends_page_names_the_placeholders_there_are() -> None:
    page = TOPICS["backends"][1]
    assert set(re.findall(r"\{([a-z_]+)\}", page)) == custom._values(Spec(), RunFiles()).keys()
    assert set(custom.STREAMS) <= set(re.findall(r"\w+", page))


def test_the_schema_page_names_the_keywords_there_are() -> None:
    page = TOPICS["schema"][1]
    checked = re.split(r",?\s+", page.partition("Checked: ")[2].partition(". Allowed")[0])
    allowed = re.split(r",?\s+", page.partition("not checked: ")[2].partition(". Any")[0])
    assert (tuple(checked), tuple(allowed)) == (schema._CHECKED, schema._SAID)
    assert not schema.check_schema(json.loads(asset("config", "report.schema.json")))


def test_every_page_that_the_program_points_to_is_there() -> None:
    folder = os.path.join(ROOT, "agentctl")
    modules = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(".py")]
    for module in modules:
        for name in re.findall(r"agentctl help ([a-z][a-z-]*)", text(module)):
            assert name in {*TOPICS, *VERBS}, (module, name)


def test_readme_says_what_the_topics_say() -> None:
    readme = text("README.md")
    table = re.findall(r"^\| (\d+) \| (.*) \|$", readme, re.M)
    topic = re.findall(r"^ {1,4}(\d+)  (.*)$", TOPICS["exit-codes"][1], re.M)
    assert [n for n, _ in table] == [n for n, _ in topic] == ["0", "1", "2", "3", "4", "124", "130"]
    for name in re.findall(r"^  (\w[\w.]+\.(?:json|jsonl|log|stat|patch|md))", TOPICS["home"][1], re.M):
        assert name in readme or name == "crash.log", name
    assert all("`%s`" % name in readme or "help %s`" % name in readme for name in TOPICS)


def test_readme_shows_the_profiles_as_they_are() -> None:
    readme = text("README.md")
    for name in raw_profiles():
        it = profile(name)
        first, seconds = it.backends[0], it.limits.timeout_s or 0
        time = "%g h" % (seconds / 3600) if seconds >= 3600 else "%g min" % (seconds / 60)
        edits = "no" if it.permissions == READ_ONLY else "yes"
        row = next(line for line in readme.splitlines() if line.startswith("| `%s` |" % name))
        choice = ", ".join(filter(None, (first.backend, first.model, first.effort)))
        assert row.endswith("| %s | %s | %s |" % (choice, edits, time))


def test_readme_shows_the_roles_as_they_are() -> None:
    readme = text("README.md")
    for name in (file[: -len(".md")] for file in ROLES):
        it, wrong = roles.parsed(name, asset("prompts", "roles/%s.md" % name))
        edits = "no" if it.permissions == READ_ONLY else "yes"
        assert not wrong and "| `%s` | `%s` | %s | " % (name, it.profile, edits) in readme, name


def test_readme_leaves_a_place_for_the_commands() -> None:
    readme = text("README.md")
    assert readme.count("<!-- commands -->") == readme.count("<!-- /commands -->") == 1
