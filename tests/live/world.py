"""A home folder, a repository and an environment in which the real CLIs know only our server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from typing import Optional

from .stub_server import StubServer

SCHEMA = {
    "type": "object",
    "properties": {
        "goal_met": {"type": "boolean"},
        "summary": {"type": "string"},
        "followup_prompt": {"type": "string"},
        "notes": {"type": "string"},
    },
    "required": ["goal_met", "summary", "followup_prompt", "notes"],
    "additionalProperties": False,
}

CODEX_CONFIG = """\
model = "gpt-5.5"
model_provider = "stub"
check_for_update_on_startup = false

[model_providers.stub]
name = "stub"
base_url = "%s/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
request_max_retries = 1
stream_max_retries = 1
"""


class World:
    """One user's machine: HOME with both vendors' configuration, and repositories beside it."""

    def __init__(self, folder: Path, bin_folder: Optional[Path], stub: StubServer) -> None:
        self.folder = folder
        self.stub = stub
        self.home = folder / "home"
        (self.home / ".claude").mkdir(parents=True)
        (self.home / ".codex").mkdir()
        (self.home / ".codex" / "config.toml").write_text(CODEX_CONFIG % stub.url)
        self.env = self._environment(bin_folder)

    def _environment(self, bin_folder: Optional[Path]) -> dict[str, str]:
        path = os.environ.get("PATH", os.defpath)
        return {
            "PATH": path if bin_folder is None else "%s:%s" % (bin_folder, path),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "ANTHROPIC_BASE_URL": self.stub.url,
            "ANTHROPIC_API_KEY": "dummy",
            "OPENAI_API_KEY": "dummy",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    def repository(self, name: str = "repo") -> Path:
        """A git repository with one commit."""
        path = self.folder / name
        path.mkdir()
        (path / "README.md").write_text("# %s\n" % name)
        self.git(path, "init", "-q", "-b", "main")
        self.git(path, "add", ".")
        self.git(path, "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "Begin")
        return path

    def git(self, path: Path, *args: str) -> str:
        """What git says about a repository."""
        return self.run(["git", *args], cwd=path).stdout

    def run(self, argv: list[str], cwd: Path, said: str = "") -> subprocess.CompletedProcess[str]:
        """A command in this world, its exit code not judged."""
        return subprocess.run(argv, cwd=cwd, input=said, env=self.env, capture_output=True, text=True, timeout=60)


def events(stdout: str) -> list[dict[str, Any]]:
    """The JSON lines that a CLI printed."""
    return [json.loads(line) for line in stdout.splitlines()]
