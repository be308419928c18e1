"""HTML that is safe by construction: a plain string is text, only `Html` is markup.

    tag("p", "a < b", tag("b", "bold"), cls="note")    →    <p class="note">a &lt; b<b>bold</b></p>

Text is escaped, and what would act on a reader unseen (controls, escape sequences, what
turns or hides text) is made visible: as a terminal's manual writes it (^[), or by its number. Whatever an agent wrote
stands between tags, in no attribute. A document refers to nothing outside itself, and its
policy lets nothing be loaded and nothing run but its own style and script, by their digests.
"""

from __future__ import annotations

import codecs
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Node = Union[str, None, "list[Node]", "tuple[Node, ...]"]

_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_ACTING = re.compile("(?:\x1b\\[[0-9;:?]*[@-~]|[%s])+" % _HIDDEN)
_UNSEEN = re.compile("[%s]" % _HIDDEN)
_VOID = ("meta", "input", "br")


class Html(str):
    """Markup, made by this module or from constants."""


def text(value: object) -> Html:
    """What anybody wrote, as text, with its line ends and tabs kept."""
    words = str(value).replace("\r\n", "\n")
    if words.isascii() and words.isprintable():
        return Html(words.translate(_ESCAPES))
    parts, end = [], 0
    for found in _ACTING.finditer(words):
        shown = _UNSEEN.sub(_picture, found.group()).translate(_ESCAPES)
        parts += [words[end : found.start()].translate(_ESCAPES), '<i class="ctl">%s</i>' % shown]
        end = found.end()
    return Html("".join(parts) + words[end:].translate(_ESCAPES))


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    return "^" + chr(code ^ 0x40) if code < 0x20 or code == 0x7F else "[U+%04X]" % code


def tag(name: str, *inside: Node, cls: str = "", **attributes: object) -> Html:
    """An element. An attribute that is None or False is left out, a True one has no value; `data_x` is `data-x`."""
    given = {"class": cls or None, **attributes}
    said = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in given.items())
    return Html("<%s%s>" % (name, said) if name in _VOID else "<%s%s>%s</%s>" % (name, said, many(*inside), name))


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return " " + name if value is True else ' %s="%s"' % (name, _plain(value))


def _plain(value: object) -> str:
    """Where no markup can stand: what cannot be seen is taken out."""
    return _UNSEEN.sub("", str(value)).translate(_ESCAPES)


def many(*nodes: Node) -> Html:
    """Nodes one after the other; None is nothing."""
    return Html("".join(_one(node) for node in nodes))


def _one(node: Node) -> str:
    if isinstance(node, Html) or node is None:
        return node or ""
    return text(node) if isinstance(node, str) else many(*node)


def words(value: object) -> Html:
    """Text within a line: letters that run from right to left do not move what stands around them."""
    return tag("bdi", str(value))


def short(value: str, width: int) -> str:
    """The beginning of a text on one line; what cannot be seen is kept, to be shown."""
    folded = " ".join(re.split("[ \t\n]+", value[: 4 * width].strip(" \t\n")))
    return folded if len(folded) <= width else folded[: width - 1] + "…"


def lines(value: str, cls: str = "") -> Html:
    """Text with its lines as they are. The first line end after `<pre>` is not part of it."""
    return tag("pre", Html("\n"), value, cls=cls)


def fold(summary: Node, *inside: Node, cls: str = "", open_: bool = False) -> Html:
    """What is seen when it is asked for."""
    return tag("details", tag("summary", summary), *inside, cls=cls, open=open_)


def document(title: str, generator: str, body: Html, style: str, script: str) -> Html:
    """A whole page that stands alone."""
    policy = "default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'"
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy % (_digest(style), _digest(script))),
        tag("meta", name_="generator", content=generator),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="robots", content="noindex"),
        tag("title", Html(_plain(title))),
        tag("style", Html(style)),
    )
    whole = tag("html", tag("head", *head), tag("body", body, tag("script", Html(script))), lang="en")
    return Html("<!doctype html>\n%s\n" % whole)


def _digest(words: str) -> str:
    """How a policy names an inline style or script."""
    from hashlib import sha256

    raw = sha256(words.encode("utf-8")).digest()
    return "sha256-%s" % codecs.encode(raw, "base64").decode("ascii").strip()
