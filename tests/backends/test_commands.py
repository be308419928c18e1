"""Spec → argv, for every backend. What stands here was accepted by the real CLIs
(claude 2.1.197, codex 0.169.0); cursor's is from its documentation."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentctl import backends
from agentctl.backends import claude
from agentctl.backends import codex
from agentctl.backends import cursor
from agentctl.backends import custom
from agentctl.backends import shell
from agentctl.errors import AgentctlError
from agentctl.model import Limits
from agentctl.model import RunFiles
from agentctl.model import Spec
from agentctl.model import Worktree

UUID = "01a1f7ea-9d63-70c1-97cf-2bd071d56f5a"
FILES = RunFiles(
    prompt="/r/prompt.md",
    input="/r/input",
    instructions="/r/instructions.md",
    schema="/r/schema.json",
    schema_text='{"type":"object"}',
)
HEAD = ["claude", "-p", "--output-format", "stream-json", "--verbose"]
SCHEMA = ["--json-schema", '{"type":"object"}']
READ = ["--tools", "Read,Grep,Glob", "--strict-mcp-config", "--disable-slash-commands"]
USER = ["--setting-sources", "user"]
CODEX = ["codex", "exec", "--json", "--output-schema", "/r/schema.json"]
NEVER = ["-c", 'approval_policy="never"']
UNTRUSTED = '%s={trust_level="untrusted"}'
NOT_P = ["-c", "projects={%s}" % (UNTRUSTED % '"/p"')]
TREE = Worktree(run="id", path="/w/id", branch="a/b/slug-1234", common="/r/.git", source="/r")
OPENED = [
    *("--add-dir", "/r/.git/objects", "--add-dir", "/r/.git/refs/heads/a/b"),
    *("--add-dir", "/r/.git/logs/refs/heads/a/b", "--add-dir", "/r/.git/worktrees/id"),
]
CURSOR = ["cursor-agent", "-p", "--output-format", "stream-json", "--trust"]

CLAUDE_TABLE = [
    (Spec(), [*HEAD, "--strict-mcp-config", *USER, "--permission-mode", "acceptEdits", *SCHEMA]),
    (Spec(trusted=True), [*HEAD, "--permission-mode", "acceptEdits", *SCHEMA]),
    (Spec(permissions="read-only"), [*HEAD, *READ, *USER, "--permission-mode", "dontAsk", *SCHEMA]),
    (
        Spec(permissions="read-only", trusted=True, allow=("Bash(git diff:*)",)),
        [*HEAD, *READ, "--permission-mode", "dontAsk", *SCHEMA],
    ),
    (Spec(permissions="nonsense", trusted=True), [*HEAD, *READ, "--permission-mode", "dontAsk", *SCHEMA]),
    (Spec(permissions="full", trusted=True), [*HEAD, "--permission-mode", "bypassPermissions", *SCHEMA]),
    (
        Spec(allow=("Bash(make *)", "WebFetch"), trusted=True),
        [*HEAD, "--allowedTools", "Bash(make *)", "WebFetch", "--permission-mode", "acceptEdits", *SCHEMA],
    ),
    (Spec(trusted=True, session_id=UUID), [*HEAD, "--permission-mode", "acceptEdits", "--session-id", UUID, *SCHEMA]),
    (
        Spec(
            trusted=True,
            session_id=UUID,
            resume=True,
            model="opus[1m]",
            effort="high",
            instructions=True,
            limits=Limits(max_turns=7, max_cost_usd=1.5),
            title="--evil `id`",
        ),
        [
            *HEAD,
            "--permission-mode",
            "acceptEdits",
            "--resume",
            UUID,
            *SCHEMA,
            "--model",
            "opus[1m]",
            "--effort",
            "high",
            "--max-turns",
            "7",
            "--max-budget-usd",
            "1.5",
            "--append-system-prompt-file",
            "/r/instructions.md",
        ],
    ),
]
CODEX_TABLE = [
    (Spec(cwd="/p"), [*CODEX, "-s", "workspace-write", *NEVER, *NOT_P, "-C", "/p", "--skip-git-repo-check", "-"]),
    (
        Spec(cwd="/p", top="/p", trusted=True),
        [*CODEX, "-s", "workspace-write", *NEVER, "-C", "/p", "--skip-git-repo-check", "-"],
    ),
    (
        Spec(permissions="read-only"),
        [*CODEX, "-s", "read-only", *NEVER, "--ignore-rules", "--skip-git-repo-check", "-"],
    ),
    (Spec(permissions="?"), [*CODEX, "-s", "read-only", *NEVER, "--ignore-rules", "--skip-git-repo-check", "-"]),
    (Spec(permissions="full"), [*CODEX, "-s", "danger-full-access", *NEVER, "--skip-git-repo-check", "-"]),
    (
        Spec(cwd="/p", model="gpt-5.5", effort='hi"gh', session_id=UUID, resume=True),
        [
            *CODEX,
            "-s",
            "workspace-write",
            *NEVER,
            *NOT_P,
            "-m",
            "gpt-5.5",
            "-c",
            'model_reasoning_effort="hi\\"gh"',
            "-C",
            "/p",
            "--skip-git-repo-check",
            "resume",
            UUID,
            "-",
        ],
    ),
    (Spec(session_id=UUID), [*CODEX, "-s", "workspace-write", *NEVER, "--skip-git-repo-check", "-"]),
    (
        Spec(cwd="/w/id/sub", top="/w/id", trusted=True, worktree=TREE),
        [*CODEX, "-s", "workspace-write", *NEVER, *OPENED, "-C", "/w/id/sub", "--skip-git-repo-check", "-"],
    ),
    (
        Spec(trusted=True, worktree=TREE, session_id=UUID, resume=True),
        [*CODEX, "-s", "workspace-write", *NEVER, *OPENED, "--skip-git-repo-check", "resume", UUID, "-"],
    ),
    (
        Spec(permissions="read-only", worktree=TREE),
        [*CODEX, "-s", "read-only", *NEVER, "--ignore-rules", "--skip-git-repo-check", "-"],
    ),
    (
        Spec(permissions="full", worktree=TREE),
        [*CODEX, "-s", "danger-full-access", *NEVER, "--skip-git-repo-check", "-"],
    ),
]
CURSOR_TABLE = [
    (Spec(trusted=True, cwd="/p"), [*CURSOR, "--workspace", "/p"]),
    (Spec(trusted=True, permissions="full", model="auto"), [*CURSOR, "--force", "--model", "auto"]),
    (Spec(trusted=True, permissions="read-only"), [*CURSOR, "--mode", "ask"]),
    (Spec(trusted=True, session_id="abc", resume=True), [*CURSOR, "--resume", "abc"]),
]


@pytest.mark.parametrize("spec, argv", CLAUDE_TABLE)
def test_claude(spec: Spec, argv: list[str]) -> None:
    made = claude.command(spec, FILES)
    assert list(made.argv) == argv and made.stdin == "/r/input"
    assert claude.refuse(spec) == ""


@pytest.mark.parametrize("spec, argv", CODEX_TABLE)
def test_codex(spec: Spec, argv: list[str]) -> None:
    assert list(codex.command(spec, FILES).argv) == argv
    assert codex.refuse(spec) == ""


@pytest.mark.parametrize("spec, argv", CURSOR_TABLE)
def test_cursor(spec: Spec, argv: list[str]) -> None:
    made = cursor.command(spec, FILES)
    assert list(made.argv) == argv and made.stdin == "/r/input"
    assert cursor.refuse(spec) == ""


def test_shell_is_the_command_as_given_with_its_program_resolved() -> None:
    spec = Spec(argv=("make", "-k", "a b"), executable="/usr/bin/make")
    assert shell.command(spec, FILES).argv == ("/usr/bin/make", "-k", "a b")
    assert shell.refuse(spec) == "" and shell.refuse(Spec())
    assert shell.refuse(Spec(argv=("./make",))) == ""
    assert shell.refuse(Spec(argv=("make",))) == "make is not a program on this PATH"


def test_background_tasks_of_claude_are_off() -> None:
    assert ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1") in claude.command(Spec(), FILES).env
    assert not any(name == "IS_SANDBOX" for name, _ in claude.command(Spec(permissions="full"), FILES).env)


@pytest.mark.parametrize("session_id", ["--dangerously-skip-permissions", "-x", "a b", "a\n", "x" * 81, "../a", "é"])
@pytest.mark.parametrize("name", ["claude", "codex", "cursor", "custom"])
def test_a_hostile_session_id_never_reaches_an_argv(name: str, session_id: str) -> None:
    module = custom if name == "custom" else backends.adapter(name)
    spec = Spec(session_id=session_id, resume=True, trusted=True, custom={"argv": ["x", "{session_id}"]})
    assert module.refuse(spec)
    with pytest.raises(ValueError):
        module.command(spec, FILES)


def test_codex_resumes_uuids_only() -> None:
    assert "UUID" in codex.refuse(Spec(session_id="not-a-uuid", resume=True))


@pytest.mark.parametrize(
    "spec", [Spec(model="a\ud800"), Spec(effort="\0"), Spec(model="--x"), Spec(effort="-c"), Spec(allow=("--tools",))]
)
def test_words_that_look_like_flags_are_refused(spec: Spec) -> None:
    assert claude.refuse(spec)


@pytest.mark.parametrize(
    "cwd, top, folders",
    [
        ("/p", "", ["/p"]),
        ("/p", "/p", ["/p"]),
        ("/p", "/q", ["/p"]),
        ("/pq", "/p", ["/pq"]),
        ("/p", "/", ["/p", "/"]),
        ("/", "/", ["/"]),
        ("/p/a/b", "/p", ["/p/a/b", "/p/a", "/p"]),
    ],
)
def test_codex_is_told_to_trust_nothing_up_to_the_repositorys_top(cwd: str, top: str, folders: list[str]) -> None:
    argv = codex.command(Spec(cwd=cwd, top=top), FILES).argv
    assert "projects={%s}" % ",".join(UNTRUSTED % ('"%s"' % f) for f in folders) in argv


def test_a_path_cannot_leave_its_toml_string() -> None:
    argv = codex.command(Spec(cwd='/a"b\\c\n\x7fé🙂'), FILES).argv
    assert "projects={%s}" % (UNTRUSTED % r'"/a\"b\\c\n\u007fé🙂"') in argv


def test_cursor_serves_trusted_projects_only() -> None:
    assert "trusted" in cursor.refuse(Spec())


CUSTOM = [
    "my",
    "--in",
    "{prompt_file}",
    "--schema={schema_file}",
    "--model",
    "{model}",
    "-v",
    "--session",
    "{session_id}",
]


@pytest.mark.parametrize(
    "spec, argv",
    [
        (
            Spec(model="m", session_id="s1", resume=True),
            ["my", "--in", "/r/input", "--schema=/r/schema.json", "--model", "m", "-v", "--session", "s1"],
        ),
        (Spec(session_id="preset"), ["my", "--in", "/r/input", "--schema=/r/schema.json", "-v"]),
        (
            Spec(model="{prompt_file}"),
            ["my", "--in", "/r/input", "--schema=/r/schema.json", "--model", "{prompt_file}", "-v"],
        ),
        (Spec(executable="/bin/my"), ["/bin/my", "--in", "/r/input", "--schema=/r/schema.json", "-v"]),
    ],
)
def test_custom(spec: Spec, argv: list[str]) -> None:
    spec = spec.replace(custom={"argv": CUSTOM, "stdin": False, "stream": "codex"})
    made = custom.command(spec, FILES)
    assert list(made.argv) == argv and made.stdin == "" and custom.refuse(spec) == ""


@pytest.mark.parametrize("described", [{}, {"argv": []}, {"argv": "x"}, {"argv": ["x", 1]}, {"argv": ["x", "{nope}"]}])
def test_custom_refuses_what_it_cannot_run(described: dict[str, object]) -> None:
    assert custom.refuse(Spec(backend="mine", custom=described))


def test_custom_cannot_resume_without_a_place_for_the_session() -> None:
    assert "resume" in custom.refuse(Spec(custom={"argv": ["x"]}, resume=True, session_id="a"))


@pytest.mark.parametrize(
    "stream, module",
    [("claude", claude), ("codex", codex), ("cursor", cursor), ("text", shell), (None, shell), ("../x", shell)],
)
def test_the_parser_of_a_custom_backend_is_its_streams(stream: object, module: object) -> None:
    assert backends.parser(Spec(custom={"argv": ["x"], "stream": stream})) is module.parse  # type: ignore[attr-defined]


def test_an_unknown_backend_is_a_usage_error() -> None:
    with pytest.raises(AgentctlError, match="no backend named `os`") as caught:
        backends.adapter("os")
    assert caught.value.code == 2 and "claude" in caught.value.hint


@pytest.mark.parametrize("name", backends.NAMES)
def test_every_adapter_offers_the_same(name: str) -> None:
    module = backends.adapter(name)
    flags = [
        module.SCHEMA_FLAG,
        module.INSTRUCTIONS_FLAG,
        module.PRESET_SESSION,
        module.INTERRUPT_FIRST,
        module.STRICT_SCHEMA,
    ]
    assert all(isinstance(flag, bool) for flag in flags) and isinstance(module.EXECUTABLES, tuple)
    assert backends.parser(Spec(backend=name)) is module.parse
    assert backends.adapter_of(Spec(backend=name)) is module


def test_only_the_adapter_asked_for_is_imported() -> None:
    code = (
        "import sys; from agentctl import backends; backends.adapter('shell');"
        "print(sorted(m for m in sys.modules if m.startswith('agentctl.backends.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["['agentctl.backends.lines',", "'agentctl.backends.shell']"]


# -- the one MCP server that a worker is given

SERVER = Spec(id="R", mcp=("/usr/bin/python3", "-I", "/x y/agentctl", "mcp"), trusted=True, allow=("Bash(ls)",))
GIVEN = [
    "--mcp-config",
    '{"mcpServers":{"agentctl":{"command":"/usr/bin/python3",'
    '"args":["-I","/x y/agentctl","mcp","--caller","R"],"timeout":604800000,"alwaysLoad":true}}}',
]


def test_claude_is_given_one_server_and_allowed_its_tools() -> None:
    made = claude.command(SERVER, FILES)
    allowed = ["--allowedTools", "Bash(ls)", "mcp__agentctl"]
    assert list(made.argv[5:12]) == [*allowed, *GIVEN, "--strict-mcp-config", "--permission-mode"]
    assert {("MCP_TIMEOUT", "60000"), ("MCP_TOOL_TIMEOUT", "604800000")} <= set(made.env)
    reading = list(claude.command(SERVER.replace(permissions="read-only", trusted=False), FILES).argv[5:])
    assert reading[:-4] == ["--allowedTools", "mcp__agentctl", *GIVEN, *READ, *USER]
    assert not {"MCP_TOOL_TIMEOUT"} & {name for name, _ in claude.command(Spec(), FILES).env}


def test_codex_is_given_one_server_and_no_other() -> None:
    spec = SERVER.replace(cwd="/p", permissions="read-only", mcp_env=("A", "B"), mcp_closed=("own", 'o"dd', "agentctl"))
    argv = list(codex.command(spec, FILES).argv)
    assert argv[len(CODEX) : len(CODEX) + 7] == ["-s", "read-only", *NEVER, "--ignore-rules", *NOT_P], "though trusted"
    assert argv[len(CODEX) + 7 : -4] == [
        "-c",
        'mcp_servers={agentctl={command="/usr/bin/python3",args=["-I","/x y/agentctl","mcp","--caller","R"],'
        'env_vars=["A","B"],enabled=true,required=true,supports_parallel_tool_calls=true,'
        'startup_timeout_sec=60,tool_timeout_sec=604800,default_tools_approval_mode="approve"},'
        '"own"={enabled=false},"o\\"dd"={enabled=false}}',
        "-c",
        "features={multi_agent=false,goals=false,apps=false,plugins=false}",
    ]


def test_whoever_cannot_be_given_one_says_so() -> None:
    assert "MCP" in cursor.refuse(SERVER)
    assert "MCP" in custom.refuse(SERVER.replace(backend="mine", custom={"argv": ["x"]}))
    assert "MCP" in shell.refuse(SERVER.replace(argv=("./make",)))
    assert claude.refuse(SERVER) == codex.refuse(SERVER) == ""
