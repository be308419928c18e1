"""Fetches packages from the npm registry without node or npm.

Enough for the vendors' command lines: each publishes its native binary as a
package per platform that depends on nothing (seen: Claude Code 2.1.197,
codex-cli 0.169.0; both ran with no node on the machine).
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import urllib.parse
from pathlib import Path
from pathlib import PurePosixPath

from fetch import UnavailableError
from fetch import download
from fetch import only_one
from fetch import read_text
from fetch import registry


def fetch_npm(package: str, version: str, dest: Path, integrity: str = "") -> Path:
    """Unpack a package into `dest`, complete or not at all, unless it is there already.

    `integrity` pins the tarball ("sha512-BASE64"); without it the registry's own
    figure is used. Dependencies are not followed and no install script runs.
    """
    with only_one(dest.name):
        if not dest.exists():
            url = "%s/%s/%s" % (registry(), urllib.parse.quote(package, safe="@"), version)
            dist = json.loads(read_text(url))["dist"]
            _unpacked(dist["tarball"], integrity or dist["integrity"], dest)
    return dest


def _unpacked(url: str, integrity: str, dest: Path) -> None:
    dest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dest.parent, prefix=".unpacking-") as folder:
        tarball = Path(folder, "package.tgz")
        download(url, tarball, integrity)
        with tarfile.open(tarball) as archive:
            for member in archive:
                _write(archive, member, Path(folder, "package"))
        os.rename(Path(folder, "package"), dest)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, top: Path) -> None:
    """Regular files only, below `top` only: all that npm itself would write."""
    parts = PurePosixPath(member.name).parts[1:]
    source = archive.extractfile(member) if member.isfile() else None
    if source is None or not parts or ".." in parts:
        return
    path = top.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, open(path, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    path.chmod(0o755 if member.mode & 0o111 else 0o644)


def machine() -> str:
    """This platform in the vendors' words, e.g. linux-x64 or darwin-arm64."""
    word = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    if word is None or sys.platform not in ("linux", "darwin"):
        raise UnavailableError("the vendors publish no binary for %s %s" % (sys.platform, platform.machine()))
    return "%s-%s" % (sys.platform, word)


def bin_folder(claude_version: str, codex_version: str, cache: Path) -> Path:
    """A folder that holds `claude` and `codex` and nothing else, fit for the front of a PATH."""
    programs = {"claude": claude(claude_version, cache), "codex": codex(codex_version, cache)}
    folder = cache / ("bin-claude-%s-codex-%s" % (claude_version, codex_version))
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in programs.items():
        with contextlib.suppress(FileExistsError):  # another test run was first, with the same link
            (folder / name).symlink_to(program)
    return folder


def claude(version: str, cache: Path) -> Path:
    """The executable of Claude Code; on musl the vendor's package has another name."""
    name = machine() + ("-musl" if _is_musl() else "")
    folder = fetch_npm("@anthropic-ai/claude-code-" + name, version, cache / ("claude-code-%s-%s" % (name, version)))
    return folder / "claude"


def codex(version: str, cache: Path) -> Path:
    """The native executable of Codex; the platform is part of its package's version."""
    name = machine()
    folder = fetch_npm("@openai/codex", "%s-%s" % (version, name), cache / ("codex-%s-%s" % (name, version)))
    return next(folder.glob("vendor/*/bin/codex"))


def _is_musl() -> bool:
    return sys.platform == "linux" and bool(list(Path("/lib").glob("ld-musl-*")))
