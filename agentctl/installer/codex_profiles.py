"""The profiles spark, deep, review and glance for Codex sessions started by hand, in the form this Codex reads.

Older versions read `[profiles.NAME]` tables of config.toml: ours stand there in a block
between two marks, whose first line also says what had to be added to put it there. Newer
ones read a file for each: ours carry a mark with the digest of what we wrote.
"""

from __future__ import annotations

import os
import re
import shutil
import sys

from .. import proc
from .edits import digest
from .edits import edit
from .edits import put
from .edits import read
from .edits import read_or_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

PROFILE_MARK = "# agentctl profile %s, written by install.sh; `install.sh --uninstall` removes it"
BEGIN, END = b"# >>> agentctl >>>", b"# <<< agentctl <<<"
TORN, ABSENT = b" (the line above had no end)", b" (there was no such file)"
LAYERED_SINCE = (0, 134, 0)
"""From this Codex on `-p NAME` reads $CODEX_HOME/NAME.config.toml and no table (its
documentation says so; 0.169.0 was seen to refuse a profile that stands as a table)."""


def home() -> str:
    return os.environ.get("CODEX_HOME") or os.path.join(os.path.expanduser("~"), ".codex")


def wanted(yes: bool) -> bool:
    if not shutil.which("codex") and not os.path.isdir(home()):
        return False
    if yes:
        return True
    if not sys.stdin.isatty():
        print("Codex profiles not installed; --yes installs them")
        return False
    return input("Install the Codex profiles in %s? [Y/n] " % home()).strip().lower() in ("", "y", "yes")


def layers_files() -> bool:
    """Whether this Codex reads a file for each profile; a Codex that is not there is taken for a new one."""
    program = shutil.which("codex")
    if not program:
        return True
    said = proc.run([program, "--version"], timeout=30).out.decode("utf-8", "replace")
    digits = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    return digits is None or tuple(int(n) for n in digits.groups()) >= LAYERED_SINCE


def install(folder: str, profiles: dict[str, str], layered: bool) -> None:
    """Bring both forms to what this Codex reads: its files or its tables, and none of the other."""
    config = os.path.join(folder, "config.toml")
    taken = defined_outside(read(config), profiles)
    for name in taken:
        print("Codex profile `%s` left alone: config.toml has one of your own" % name)
    ours = {name: body for name, body in profiles.items() if name not in taken}
    for name in profiles:
        path = os.path.join(folder, name + ".config.toml")
        if layered and name in ours:
            _put_profile(path, ours[name])
        else:
            _remove_profile(path)
    edit(config, with_block(read_or_none(config), {} if layered else ours))


def remove(folder: str, profiles: dict[str, str]) -> None:
    """Take everything of ours out of Codex's folder, in whichever form it is."""
    for name in profiles:
        _remove_profile(os.path.join(folder, name + ".config.toml"))
    config = os.path.join(folder, "config.toml")
    edit(config, with_block(read_or_none(config), {}))


def sections(text: str) -> dict[str, str]:
    """The `[profiles.NAME]` tables of our own file: name → its keys, a line each."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        header = re.match(r"\[profiles\.([\w-]+)\]", line)
        if header:
            name = header.group(1)
            found[name] = ""
        elif name and line.strip() and not line.startswith("#"):
            found[name] += line + "\n"
    return found


def _put_profile(path: str, body: str) -> None:
    """A profile file carries the digest of what we wrote: one that was changed since is the user's."""
    if os.path.lexists(path) and not _is_our_profile(path):
        print("%s left alone: it is yours, or changed since we wrote it" % path)
        return
    put(path, ("%s\n%s" % (PROFILE_MARK % digest(body.encode()), body)).encode(), 0o644)


def _remove_profile(path: str) -> None:
    if _is_our_profile(path):
        os.unlink(path)
        print("removed %s" % path)
    elif PROFILE_MARK.split("%")[0].encode() in read(path)[:80]:
        print("kept %s: changed since we wrote it" % path)


def _is_our_profile(path: str) -> bool:
    first, _, body = read(path).partition(b"\n")
    return first == (PROFILE_MARK % digest(body)).encode()


def defined_outside(config: bytes, names: dict[str, str]) -> list[str]:
    """The names for which config.toml has a profile that does not stand in our block."""
    rest = with_block(config, {}) or b""
    if re.search(rb"(?m)^\s*profiles\s*[.=]", rest):
        return list(names)
    header = rb"""(?m)^\s*\[\s*profiles\s*\.\s*["']?%s["']?\s*[].]"""
    return [name for name in names if re.search(header % re.escape(name).encode(), rest)]


def with_block(before: Optional[bytes], profiles: dict[str, str]) -> Optional[bytes]:
    """A config.toml's bytes with our block holding exactly these profiles; None is no file.

    The block stays where it is, else it goes to the end. What had to be added to put
    it there (a line's end, the file itself) stands in its first line, and goes with it.
    """
    data = before or b""
    was_absent, was_torn = before is None, bool(data) and not data.endswith(b"\n")
    head, tail = data + b"\n" if was_torn else data, b""
    block = re.search(rb"(?m)^%s([^\r\n]*)\r?\n(?s:.*?)^%s\r?\n?" % (re.escape(BEGIN), re.escape(END)), data)
    if block:
        head, tail = data[: block.start()], data[block.end() :]
        was_absent, was_torn = block.group(1) == ABSENT, block.group(1) == TORN
    if profiles:
        text = "\n".join("[profiles.%s]\n%s" % pair for pair in profiles.items()).encode()
        return head + BEGIN + (ABSENT if was_absent else TORN if was_torn else b"") + b"\n" + text + END + b"\n" + tail
    if not block:
        return before
    if was_torn and not tail:
        return head[:-1]
    return None if was_absent and not head + tail else head + tail
