"""The pinned real CLIs, installed once by npm into a git-ignored cache.

The cache is `tests/.cache/` in the checkout, or $AGENTCTL_TEST_CACHE. An installation is
made under a temporary name and renamed, under a lock: complete or absent, and two test
runs at once install once. Remove the folder to install again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSIONS = {"claude": "2.1.197", "codex": "0.169.0"}
PACKAGES = ("@anthropic-ai/claude-code@" + VERSIONS["claude"], "@openai/codex@" + VERSIONS["codex"])
FOLDER = "npm-claude-%(claude)s-codex-%(codex)s" % VERSIONS


class UnavailableError(Exception):
    """The CLIs cannot be had here; the text says why."""


def cache() -> Path:
    """Where the test suite keeps what is costly to fetch. Git ignores it by its own .gitignore."""
    place = os.environ.get("AGENTCTL_TEST_CACHE")
    folder = Path(place) if place else Path(__file__).resolve().parents[1] / ".cache"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    return folder


def bin_folder() -> Path:
    """The folder with `claude` and `codex`, installed now if it must be; UnavailableError with a reason."""
    home = cache()
    with open(home / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = home / FOLDER
        if not ready.exists():
            _install(ready)
    return ready / "node_modules" / ".bin"


def _install(ready: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed; it fetches the pinned claude and codex")
    with tempfile.TemporaryDirectory(dir=ready.parent, prefix="installing-") as staged:
        _done([npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", staged, *PACKAGES])
        _finish_claude(Path(staged))
        for name, version in VERSIONS.items():
            said = _done([os.path.join(staged, "node_modules", ".bin", name), "--version"])
            if version not in said:
                raise UnavailableError("%s says it is %s, not %s" % (name, said.strip(), version))
        os.rename(staged, ready)
        os.mkdir(staged)  # so that the context manager has something to remove


def _finish_claude(staged: Path) -> None:
    """Put the native binary in place, where npm does not run a package's install script by itself."""
    package = staged / "node_modules" / "@anthropic-ai" / "claude-code"
    if (package / "bin" / "claude.exe").stat().st_size < 1_000_000:
        _done(["node", str(package / "install.cjs")])


def _done(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise UnavailableError("`%s`: %s" % (" ".join(argv[:2]), problem)) from problem
    if done.returncode:
        raise UnavailableError("`%s` failed: %s" % (" ".join(argv[:2]), done.stderr.strip()[-500:]))
    return done.stdout
