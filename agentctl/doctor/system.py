"""What the machine offers: Python, memory, a way to install what is missing."""

from __future__ import annotations

import os
import sys

from .. import files
from .. import paths
from .rows import Row
from .rows import fail
from .rows import ok
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON_NEEDED = (3, 9)
MEMORY_FAIL, MEMORY_WARN = 200 << 20, 1 << 30
"""Available bytes: a vendor's CLI takes 200 to 450 MB (Claude Code 2.1.197, codex-cli 0.169.0)."""


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Row:
    """The interpreter that agentctl runs on."""
    words = "%s at %s" % (".".join(map(str, version)), sys.executable)
    if version >= PYTHON_NEEDED:
        return ok("python", words)
    return fail("python", words + "; 3.9 or newer is needed", install_command("python3", os.environ))


_INSTALLERS = {
    "apt-get": "%sapt-get install -y %s",
    "dnf": "%sdnf install -y %s",
    "yum": "%syum install -y %s",
    "pacman": "%spacman -S --noconfirm %s",
    "zypper": "%szypper --non-interactive install %s",
    "apk": "%sapk add %s",
}


def install_command(package: str, env: Mapping[str, str]) -> str:
    """How this machine's package manager installs or upgrades it; the first that is on the PATH."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    for program, command in _INSTALLERS.items():
        if paths.executable(program, env.get("PATH", "")):
            return command % (sudo, package)
    return "brew install %s" % package


def memory(meminfo: str) -> Row:
    """From the text of /proc/meminfo; "" where the system has none."""
    words = next((line.split() for line in meminfo.splitlines() if line.startswith("MemAvailable:")), [])
    if len(words) < 2 or not words[1].isdigit():
        return ok("memory", "unknown: this system does not say what is available")
    free = int(words[1]) << 10
    said, look = "%s available" % size(free), "ps -A -o rss= -o pid= -o comm= | sort -rn | head"
    if free < MEMORY_FAIL:
        return fail("memory", said + ": no room for a worker", look)
    return warn("memory", said + ": little for several workers", look) if free < MEMORY_WARN else ok("memory", said)


def meminfo() -> str:
    """/proc/meminfo, or "" where there is none."""
    try:
        return files.read("/proc/meminfo", 1 << 16).decode("ascii", "replace")
    except OSError:
        return ""


def size(number: int) -> str:
    """Bytes for people: `812 MB`, `71.3 GB`."""
    return "%.1f GB" % (number / (1 << 30)) if number >= 1 << 30 else "%d MB" % (number >> 20)
