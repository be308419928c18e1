"""Which files a check has for its own."""

from __future__ import annotations

import json
import os

import pytest

from agentctl.goals import guarding
from agentctl.goals import manifests
from agentctl.goals.asked import GoalAsked

BEFORE = ("check.sh", "src/a.py", "tests/test_a.py", "pyproject.toml", "Makefile")
ASKED = GoalAsked(verify="sh ./check.sh -q")


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("src/a.py", "M", False),
        ("tests/test_a.py", "M", True),
        ("tests/test_a.py", "D", True),
        ("tests/test_new.py", "A", True),
        ("src/new.py", "A", False),
        ("src/testing/new.py", "A", False),
        ("src/app/types.py", "A", False),
        ("unittest.py", "A", True),
        ("src/pytest/__init__.py", "A", True),
        ("tests/types.py", "A", True),
        ("site/index.html", "A", False),
        ("tests", "T", True),
        ("tests", "D", True),
        ("Tests/AppTests/Main.swift", "M", True),
        ("Shop.Tests/Cart.cs", "M", True),
        ("src/CartTest.java", "M", True),
        ("src/__snapshots__/cart.test.js.snap", "D", True),
        ("pkg/testdata/wanted.golden", "M", True),
        ("src/Contest.java", "M", False),
        ("src/test_inline.py", "M", True),
        ("src/app.test.ts", "M", True),
        ("spec/models/user_spec.rb", "D", True),
        ("check.sh", "M", True),
        ("check.sh", "D", True),
        ("conftest.py", "A", True),
        ("sub/conftest.py", "A", True),
        ("pytest.ini", "A", True),
        ("pyproject.toml", "M", True),
        ("Makefile", "M", True),
        ("jest.config.js", "A", True),
        ("jest.setup.ts", "M", True),
        ("GNUmakefile", "A", True),
        ("rules.mk", "M", True),
        (".npmrc", "A", True),
        (".cargo/config.toml", "A", True),
        ("package.json", "M", False),
        ("src/contest.py", "M", False),
        ("latest.py", "M", False),
    ],
)
def test_what_is_put_back(name: str, kind: str, wanted: bool) -> None:
    assert guarding.wanted(ASKED, BEFORE)(name, kind) is wanted


def read(held: dict[str, str]) -> guarding.Reader:
    return lambda names: {name: held[name] for name in names if name in held}


def test_scripts_that_scripts_call_are_the_check_s_and_the_source_that_they_name_is_not() -> None:
    held = {"Makefile": "test:\n\tcc src/a.c\n\tsh ci/run.sh\n", "ci/run.sh": '. "$(dirname "$0")/lib.sh"; sh src/a.c'}
    before = [*held, "ci/lib.sh", "src/a.c"]
    is_wanted = guarding.wanted(GoalAsked(verify="make test"), before, read(held))
    assert is_wanted("ci/run.sh", "M") and is_wanted("ci/lib.sh", "M") and not is_wanted("src/a.c", "M")


def test_node_is_seen_where_a_makefile_calls_it() -> None:
    held = {"Makefile": "test:\n\tnpm test\n"}
    assert guarding.wanted(GoalAsked(verify="make test"), [*held, "package.json"], read(held))("package.json", "M")


@pytest.mark.parametrize("command", ["sh check.sh", "sh ./check.sh", "cd .. && sh app/check.sh"])
def test_names_are_looked_up_from_where_the_check_runs(command: str) -> None:
    is_wanted = guarding.wanted(GoalAsked(verify=command), ["app/check.sh", "other/check.sh"], inside="app")
    assert is_wanted("app/check.sh", "M") and not is_wanted("other/check.sh", "M")


def test_a_folder_that_the_check_goes_to() -> None:
    before = ["app/check.sh", "a"]
    assert guarding.wanted(GoalAsked(verify="cd app && sh check.sh"), before)("app/check.sh", "M")


def test_what_the_setup_runs_is_the_check_s() -> None:
    assert guarding.wanted(ASKED.replace(setup="sh ready.sh"), [*BEFORE, "ready.sh"])("ready.sh", "M")


@pytest.mark.parametrize("command", ["pytest tests/test_new.py", "pytest tests/new", "cd tests/new; pytest"])
def test_new_tests_that_the_check_asks_for_stay(command: str) -> None:
    is_wanted = guarding.wanted(GoalAsked(verify=command), BEFORE)
    assert not is_wanted("tests/test_new.py" if "test_new" in command else "tests/new/test_new.py", "A")


def test_the_first_tests_of_a_project_stay() -> None:
    is_wanted = guarding.wanted(GoalAsked(verify="pytest"), ["a.py", "tests/__init__.py", "tests/README.md"])
    assert not is_wanted("tests/test_new.py", "A")


def test_package_json_is_the_check_s_where_node_runs_it() -> None:
    assert guarding.wanted(ASKED.replace(verify="npm test"), BEFORE)("package.json", "M")


def test_a_package_may_need_more_and_its_scripts_stay() -> None:
    before = {"scripts": {"test": "jest"}, "dependencies": {"a": "1"}, "devDependencies": {"jest": "^29"}}
    after = {
        "scripts": {"test": "true"},
        "jest": {"testMatch": []},
        "dependencies": {"a": "2", "b": "^1.0.0", "jest": "1.0.0", "c": "file:./lie", "d": "npm:lie@1"},
        "peerDependencies": {"e": ">=1"},
    }
    held = json.loads(manifests.merged("package.json", json.dumps(before), json.dumps(after)))
    assert held == {**before, "dependencies": {"a": "1", "b": "^1.0.0"}, "peerDependencies": {"e": ">=1"}}


@pytest.mark.parametrize("before", ["", "{", "[]", '{"scripts": {}}'])
@pytest.mark.parametrize("after", ["", "[1]", '{"dependencies": 7}', '{"dependencies": {"a": null}}'])
def test_a_package_that_cannot_be_read_is_as_it_was(before: str, after: str) -> None:
    held = manifests.merged("package.json", before, after)
    assert held == before or json.loads(held) == json.loads(before)


def test_what_may_change_is_left_alone() -> None:
    is_wanted = guarding.wanted(ASKED.replace(may_change=("tests/**", "pyproject.toml")), BEFORE)
    assert not is_wanted("tests/test_a.py", "D") and not is_wanted("pyproject.toml", "M") and is_wanted("check.sh", "M")


def test_what_is_protected_is_put_back() -> None:
    is_wanted = guarding.wanted(ASKED.replace(protect=("ci/**",)), BEFORE)
    assert is_wanted("ci/lib.sh", "M") and is_wanted("ci/new.sh", "A") and not is_wanted("src/a.py", "M")


def test_a_new_project_may_bring_its_settings() -> None:
    """Where nothing was there to protect, nothing is taken away."""
    is_wanted = guarding.wanted(GoalAsked(verify="pytest -q"), ["README.md"])
    assert not is_wanted("pyproject.toml", "A") and not is_wanted("conftest.py", "A")


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("sh check.sh", {"check.sh"}),
        ("./check.sh && make", {"check.sh"}),
        ("env X=check.sh true", {"check.sh"}),
        ("pytest tests/test_a.py", {"tests/test_a.py"}),
        ("sh 'check.sh", set()),
        ("make test", set()),
    ],
)
def test_the_files_that_a_command_names(command: str, named: set[str]) -> None:
    assert guarding.named_by(command, set(BEFORE)) == named


def test_a_name_with_signs_of_globs_is_a_name() -> None:
    assert guarding.matches("a[1]*.py", "a[[]1]*") and not guarding.matches("a*", "ab")


@pytest.mark.parametrize(
    ("command", "strays"),
    [
        ("cd /r/a && make test", True),
        ("cd /r/a/ && make test", True),
        ("sh /r/a/check.sh", True),
        ("pytest --rootdir=/r/a/tests", True),
        ("/r/a/.venv/bin/pytest -q", False),
        ("sh /r/abc/check.sh", False),
        ("sh check.sh", False),
    ],
)
def test_a_check_that_leaves_its_checkout(command: str, strays: bool) -> None:
    assert guarding.strays(command, "/r/a", BEFORE, os.path.normpath) is strays


# -- manifests of build tools

CARGO = '[package]\nname = "want"\nedition = "2021"\n\n[dependencies]\na = "1"\n'
GO_MOD = "module x\n\ngo 1.21\n\nrequire a.org/a v1.0.0\n"
POM = (
    "<project>\n<dependencyManagement><dependencies></dependencies></dependencyManagement>\n<dependencies>\n%s"
    "</dependencies>\n<build>%s</build>\n</project>\n"
)
JUNIT = "<dependency><groupId>org.junit</groupId><artifactId>junit</artifactId><version>5</version></dependency>\n"
GSON = "<dependency><groupId>g</groupId><artifactId>gson</artifactId><version>2.1</version></dependency>"
GRADLE = "plugins { id 'java' }\ndependencies {\n    testImplementation 'org.junit:junit:5'\n}\n"
MIX = 'defmodule X do\n  defp deps do\n    [{:a, "~> 1.0"}]\n  end\nend\n'
CSPROJ = '<Project Sdk="X"><ItemGroup><PackageReference Include="xunit" Version="2.4" /></ItemGroup></Project>\n'
CMAKE = "add_library(want src/a.c)\nenable_testing()\nadd_test(NAME t COMMAND t)\n"
MERGED = {
    "Cargo.toml": (CARGO, CARGO + 'b = "2"\nc = { version = "3", features = ["x"] }\n', 'b = "2"\nc = { version'),
    "go.mod": (GO_MOD, GO_MOD.replace("1.0.0", "1.2.0") + "require b.org/b v0.1.0 // indirect\n", "\tb.org/b v0.1.0\n"),
    "pom.xml": (POM % (JUNIT, ""), POM % (JUNIT + GSON, ""), GSON),
    "build.gradle": (
        GRADLE,
        GRADLE.replace("'\n}", "'\n    implementation 'g:gson:2'\n}"),
        "implementation 'g:gson:2'",
    ),
    "Gemfile": ("gem 'rspec'\n", "gem 'rspec'\ngem 'rack', '~> 2.0'\n", "\ngem 'rack', '~> 2.0'\n"),
    "mix.exs": (MIX, MIX.replace("1.0", '1.0"}, {:b, "~> 2.0'), '[{:b, "~> 2.0"}, {:a, "~> 1.0"}]'),
    "x.csproj": (
        CSPROJ,
        CSPROJ.replace("</I", '<PackageReference Include="N" Version="1" /></I'),
        'Include="N" Version="1"',
    ),
    "CMakeLists.txt": (CMAKE, CMAKE.replace("a.c", "a.c src/b.c"), "add_library(want src/a.c src/b.c)"),
    "composer.json": ('{"require": {"a/a": "1"}}', '{"require": {"a/a": "1", "b/b": "^2"}}', '"b/b": "^2"'),
    "deno.json": ('{"imports": {}}', '{"imports": {"@std/fs": "jsr:@std/fs@^1"}}', "jsr:@std/fs@^1"),
}
SWITCHES = {
    "Cargo.toml": (
        *(CARGO.replace("2021", '2021"\nautotests = "false'), CARGO + "\n[lib]\ntest = false\n"),
        *(
            CARGO + 'b = { path = "lie" }\n',
            CARGO + '[patch.crates-io]\na = { path = "lie" }\n',
            CARGO.replace("1", "0"),
        ),
        CARGO.replace('"1"', '{ version = "1", package = "lie" }'),
    ),
    "go.mod": (GO_MOD + "replace a.org/a => ./lie\n", GO_MOD.replace("v1.0.0", "v1.0.1-0.2024-lie"), ""),
    "pom.xml": (
        *(POM % (JUNIT, "<skipTests>true</skipTests>"), POM % (JUNIT.replace("5", "4"), "")),
        *(POM % (JUNIT, GSON), POM % (JUNIT + GSON.replace("</version>", "</version><systemPath>x</systemPath>"), "")),
    ),
    "build.gradle": (
        GRADLE + "test.enabled = false\n",
        GRADLE.replace("junit:5", "junit:4"),
        GRADLE.replace("5'", "5'; x"),
    ),
    "Gemfile": ("gem 'rspec', path: 'lie'\n", "gem 'rspec'\nexit\n", "gem 'rspec'\ngem 'x', git: 'lie'\n"),
    "mix.exs": (MIX.replace("[{", '[{:b, path: "lie"}, {'), MIX + "exit\n", MIX.replace("~> 1", "~> 0")),
    "x.csproj": (CSPROJ.replace("2.4", "1.0"), CSPROJ.replace("<I", "<PropertyGroup><IsTestProject>false<I", 1)),
    "CMakeLists.txt": ("return()\n" + CMAKE, CMAKE.replace("COMMAND t", "COMMAND true"), CMAKE.replace("a.c", "b")),
    "composer.json": ('{"require": {"a/a": "0"}, "scripts": {"test": "true"}}', "{"),
    "deno.json": ('{"imports": {"@std/assert": "./lie.ts", "x": "npm:lie@1"}}', '{"test": {"exclude": ["."]}}'),
}


@pytest.mark.parametrize("name", MERGED)
def test_a_manifest_may_name_more_that_the_work_needs(name: str) -> None:
    before, after, more = MERGED[name]
    held = manifests.merged(name, before, after)
    assert more in held and more not in before
    assert manifests.merged(name, held, after) in (held, after)


@pytest.mark.parametrize(("name", "after"), [(name, after) for name in SWITCHES for after in SWITCHES[name]])
def test_a_manifest_cannot_switch_tests_off(name: str, after: str) -> None:
    before = MERGED[name][0]
    assert manifests.merged(name, before, after) == before


COMMANDS = {
    "cargo test": "Cargo.toml",
    "mvn -q test": "pom.xml",
    "./gradlew test": "app/build.gradle.kts",
    "go test ./...": "go.mod",
    "cd build && ctest": "CMakeLists.txt",
    "bundle exec rspec": "Gemfile",
    "mix test": "mix.exs",
    "dotnet test": "app/App.csproj",
    "composer test": "composer.json",
    "deno test": "deno.jsonc",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_manifest_of_the_tool_that_runs_the_check_is_its_own(command: str) -> None:
    name = COMMANDS[command]
    asked = GoalAsked(verify=command)
    assert guarding.wanted(asked, [name, "src/x"])(name, "M")
    assert not guarding.wanted(asked.replace(may_change=(name,)), [name])(name, "M")
    assert not guarding.wanted(GoalAsked(verify="sh check.sh"), [name, "check.sh"])(name, "M")
    assert not guarding.wanted(asked, ["README.md", "tests/x_test.sh"])(name, "A"), "the first of its tool"
    assert not guarding.wanted(asked, [name, "src/x"])("new/" + name, "A"), "in a folder of its own"


def test_one_that_others_go_by_is_not_laid_above_them() -> None:
    before = ["app/go.mod", "app/a_test.go"]
    assert guarding.wanted(GoalAsked(verify="cd app && go test ./..."), before)("go.work", "A")


def test_a_lock_goes_with_its_manifest() -> None:
    then = {"Cargo.toml": CARGO, "Cargo.lock": "a 1\n"}
    grown = {"Cargo.toml": CARGO + 'b = "2"\n', "Cargo.lock": "a 1\nb 2\n"}
    assert manifests.kept(then, grown) == {**grown, "Cargo.toml": CARGO.replace("a =", 'b = "2"\na =')}
    assert manifests.kept(then, {**then, "Cargo.lock": "a 0\n"}) == {"Cargo.lock": "a 1\n"}
    lied = {**grown, "Cargo.lock": 'a 1\nb 2 "git+https://example.org/lie"\n'}
    assert manifests.kept(then, lied)["Cargo.lock"] == "a 1\n"
    assert manifests.kept(then, then) == {}


def test_a_manifest_of_any_size_is_read_in_a_moment() -> None:
    for name in MERGED:
        for junk in ("<build>", "a.", "(", " " * 9 + "\n", "[dependencies]\n", "add_library(a ", "require a v1\n"):
            manifests.merged(name, MERGED[name][0], junk * ((1 << 17) // len(junk)))
