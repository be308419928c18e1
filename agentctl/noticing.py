"""The setting `notify`: what a person away from the terminal is told of, and by which ways. Pure.

An address may hold a token: no word of what is wrong with one repeats it.
"""

from __future__ import annotations

import re

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

NEEDS, FAILED, DONE = "needs", "failed", "done"
KINDS = (NEEDS, FAILED, DONE)
"""A run needs a person; one has failed; the last one alive, or a goal, is done."""
DESKTOP, WEBHOOK, NTFY, COMMAND = "desktop", "webhook", "ntfy", "command"
_URL = r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:[/?][!-~]*)?\Z"
_LOOPBACK = r"localhost\Z|\[::1\]\Z|127\.[0-9]+\.[0-9]+\.[0-9]+\Z"
"""Not compiled here: most commands import this and have nothing to look at."""


class Way(Record):
    """One way by which a notice goes: `url` and `token` of those over HTTP, `argv` of a command."""

    name: str = ""
    url: str = ""
    token: str = ""
    argv: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """All of the address that may be shown."""
        found = re.match(_URL, self.url)
        return "%s://%s" % (found.group(1), found.group(2)) if found else ""


def kinds(raw: object) -> tuple[str, ...]:
    """What is to be told of; nothing where no way is configured."""
    wanted = raw.get("on", KINDS) if isinstance(raw, dict) else ()
    return tuple(kind for kind in KINDS if kind in wanted) if ways(raw) else ()


def ways(raw: object) -> list[Way]:
    """The ways of a setting that `wrong_with` has seen, the quickest first."""
    if not isinstance(raw, dict):
        return []
    found = [Way(name=DESKTOP)] if raw.get(DESKTOP) else []
    if raw.get(COMMAND):
        found.append(Way(name=COMMAND, argv=tuple(raw[COMMAND])))
    addressed = ((name, raw[name]) for name in (NTFY, WEBHOOK) if raw.get(name))
    return found + [
        Way.from_json({"url": to, **(to if isinstance(to, dict) else {}), "name": n}) for n, to in addressed
    ]


def wrong_with(raw: object) -> str:
    """Why the setting cannot be used, or ""."""
    if raw is None:
        return ""
    if not isinstance(raw, dict):
        return 'it is an object, such as {"desktop": true}'
    for name, value in raw.items():
        if name not in _WRONG:
            return "%s is none of %s" % (name, ", ".join(_WRONG))
        said = _WRONG[name](value) or (_wrong_with_host(value, raw) if name in (WEBHOOK, NTFY) else "")
        if said:
            return "%s: %s" % (name, said)
    return ""


def _wrong_with_desktop(value: object) -> str:
    return "" if isinstance(value, bool) else "it is true or false"


def _wrong_with_command(value: object) -> str:
    good = _words(value) and bool(value) and not any("\0" in word for word in _list(value)) and _list(value)[0]
    return "" if good else "it is a list of words: the program, then its arguments"


def _wrong_with_on(value: object) -> str:
    return "" if _words(value) and set(_list(value)) <= set(KINDS) else "it is a list of %s" % ", ".join(KINDS)


def _wrong_with_plain(value: object) -> str:
    return "" if _words(value) else "it is a list of hosts"


def _wrong_with_address(value: object) -> str:
    entry: dict[str, Any] = value if isinstance(value, dict) else {"url": value}
    if not all(isinstance(v, str) for v in entry.values()) or not {"url"} <= entry.keys() <= {"url", "token"}:
        return "it is an address, or an object of `url` and `token`"
    token = entry.get("token", "")
    if not token.isascii() or not token.replace(" ", "x").isprintable():
        return "the token has characters that no header can have"
    found = re.match(_URL, entry["url"])
    if not found or "#" in entry["url"] or int(found.group(3) or 443) > 65535:
        return "it is no address of the form https://HOST/PATH"
    return ""


def _wrong_with_host(value: object, raw: dict[str, Any]) -> str:
    found = re.match(_URL, value["url"] if isinstance(value, dict) else str(value))
    plain = found and found.group(1) == "http" and not re.match(_LOOPBACK, found.group(2))
    if plain and found and found.group(2) not in _list(raw.get("plain_http")):
        return "http:// is for this machine only, unless `plain_http` lists the host"
    return ""


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _list(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else ()


_WRONG = {
    DESKTOP: _wrong_with_desktop,
    COMMAND: _wrong_with_command,
    NTFY: _wrong_with_address,
    WEBHOOK: _wrong_with_address,
    "on": _wrong_with_on,
    "plain_http": _wrong_with_plain,
}
