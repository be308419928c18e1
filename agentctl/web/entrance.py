"""How one gets in: the token, where it is kept, and the addresses it belongs to.

The token stands in the part of a URL that no browser sends (`#…`), and in the head of each
request; never in a path, a log or an argument list. It is kept in the home, for its owner
alone, so that a page stays usable when the server is started again.
"""

from __future__ import annotations

import os
import re
import stat

from .. import files
from ..errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import Home

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")
_OWN = (LOOPBACK, "localhost", "[::1]")
_TOKEN = re.compile(r"[0-9a-f]{48}\Z")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?\Z")
_MOVE = (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0;url=%s"><title>agentctl</title>\n'
)


def token(home: Home) -> str:
    """The one that is kept, else a new one of 24 random bytes; also where others can read the old one."""
    found = _kept(home.web_token)
    if found:
        return found
    made = os.urandom(24).hex()
    files.remove(home.web_token)
    try:
        files.create(home.web_token, made.encode("ascii") + b"\n")
    except FileExistsError:
        return _kept(home.web_token) or token(home)  # by another server that was started at this moment
    return made


def _kept(path: str) -> str:
    """ "" where it is missing, a link, another's, damaged, or readable by others."""
    try:
        info = os.lstat(path)
        private = stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o077
        found = files.read(path, 100).decode("ascii", "replace").strip() if private else ""
    except OSError:
        return ""
    return found if _TOKEN.match(found) else ""


def hosts(address: str, port: int, names: Sequence[str]) -> tuple[str, ...]:
    """The Hosts that requests may name: loopback's, the address's own, and `names`. Raises AgentctlError."""
    for name in names:
        if not _NAME.match(name.lower()):
            raise usage_error("--name wants a host, or host:port", "as it stands in the browser: --name box.lan")
    own = [*_OWN, *([_bracketed(address)] if address and address not in EVERYWHERE else [])]
    ported = ["%s:%d" % (name, port) for name in own] + [n if ":" in n else "%s:%d" % (n, port) for n in names]
    bare = own if port == 80 else []
    return tuple(name.lower() for name in (*ported, *bare, *(n for n in names if ":" not in n)))


def urls(address: str, port: int, names: Sequence[str], word: str) -> list[str]:
    """What to open, the way from this machine first."""
    hosts = [LOOPBACK, *names] if address in ("", *EVERYWHERE) else [LOOPBACK, _bracketed(address), *names]
    return ["http://%s/#%s" % (host if ":" in host[-6:] else "%s:%d" % (host, port), word) for host in hosts]


def _bracketed(address: str) -> str:
    return "[%s]" % address if ":" in address else address


def page_for_browser(home: Home, url: str) -> str:
    """A file that leads to the URL, for a program that opens files: in its argument list the token would be seen."""
    files.refresh(home.web_page, (_MOVE % url).encode("ascii"))
    return "file://" + home.web_page
