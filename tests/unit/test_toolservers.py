"""Which MCP servers a config.toml of Codex names, in the forms that people and Codex write."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from agentctl import toolservers
from agentctl.errors import AgentctlError


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", []),
        ('model = "m"\n[mcp_servers.one]\ncommand = "x"\n[mcp_servers.one.env]\nA = "b"\n', ["one", "one"]),
        ("""[mcp_servers."odd one"]\n[ mcp_servers . two ]\n[mcp_servers.'3.3']\n""", ["odd one", "two", "3.3"]),
        ('[mcp_servers."a\\"b\\\\c"]', ['a"b\\c']),
        ('mcp_servers.four.command = "x"\nmcp_servers."f f".url = "y"\n', ["four", "f f"]),
        ('[mcp_servers]\nfive = {command = "x"}\nsix.command = "y"\n[other]\nseven = 7\n', ["five", "six"]),
        ('[other]\nmcp_servers = {x = {}}\nmcp_servers.x = 1\n# [mcp_servers.no]\n[my_mcp_servers.no]', []),
        ('mcp_servers = {x = {command = "y"}}', None),
    ],
)
def test_names(words: str, names: Optional[list[str]]) -> None:
    assert toolservers.named(words) == names


def test_the_file_is_where_codex_keeps_it(tmp_path: Path) -> None:
    for folder in (tmp_path / ".codex", tmp_path / "other"):
        folder.mkdir()
        (folder / "config.toml").write_text("[mcp_servers.%s]\n[mcp_servers.both]\n" % folder.name.strip("."))
    assert set(toolservers.of_codex({"HOME": str(tmp_path)})) >= {"codex", "both"}
    assert "other" in toolservers.of_codex({"HOME": str(tmp_path), "CODEX_HOME": str(tmp_path / "other")})
    assert "both" not in toolservers.of_codex({"HOME": str(tmp_path / "nowhere")})


def test_what_cannot_be_told_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("mcp_servers = {}")
    with pytest.raises(AgentctlError) as wrong:
        toolservers.of_codex({"CODEX_HOME": str(tmp_path)})
    assert "table of its own" in wrong.value.hint
