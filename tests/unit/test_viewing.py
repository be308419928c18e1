"""The page of a run: hostile words in every field, both ends of what is long, patches, and what came of what."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agentctl import model
from agentctl.model import Event
from agentctl.viewing import behaviour
from agentctl.viewing import ends
from agentctl.viewing import looks
from agentctl.viewing import markup
from agentctl.viewing import page
from agentctl.viewing import patches
from agentctl.viewing import rendering
from agentctl.viewing import telling
from agentctl.viewing import timeline
from agentctl.viewing.page import Change
from agentctl.viewing.page import Cycle
from agentctl.viewing.page import Entry
from agentctl.viewing.page import Figure
from agentctl.viewing.page import Finding
from agentctl.viewing.page import Member
from agentctl.viewing.page import Page
from agentctl.viewing.page import Patch
from agentctl.viewing.page import Text
from agentctl.viewing.page import Touched

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><script>alert(1)</script>",
    "end of style": "</style></pre></details></title><svg onload=alert(1)>",
    "handler": '"><img src=x onerror=alert(1)>',
    "single quotes": "' onmouseover='alert(1)",
    "comment": "<!-- --!> <![CDATA[",
    "entity": "&lt;b&gt; &#60;script&#62; &amp",
    "address": "javascript:alert(1) http://elsewhere.invalid/x.png //elsewhere.invalid",
    "colours": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b5n",
    "turned": "\u202eexe.txt\u202c \u2066a\u2069 \u200f",
    "hidden": "a\u200bb\u00adc\ufeffd \U000e0041\U000e0042",
    "controls": "\0\0 \x08\x7f \x85 \r over \x0b",
    "surrogate": "\ud800 \udcff",
    "long": "x" * 10_000_000,
    "many lines": "\n" * 2000,
    "right to left": "שלום <b>עולם</b>",
    "braces": "{{7*7}} ${7*7} %s %(x)s {0}",
}
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "script", "header", "h1", "h2", "h3", "p", "div", "nav", "a"),
    *("input", "output", "button", "main", "section", "article", "pre", "code", "bdi", "b", "i", "small", "span", "ol"),
    *("ul", "li", "time", "details", "summary", "dl", "dt", "dd", "footer"),
}


class Reader(HTMLParser):
    """Which tags and attributes a document has, and whether they close as they open."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.open: list[str] = []
        self.feed(words)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment: " + data)


def full(words: str) -> Page:
    """A page in which everything that anybody may have written is these words."""
    entries = tuple(
        Entry(kind=kind, at=1.0, since=1.0, name=words, title=words, text=words, result=words, left=2, wrote=(words,))
        for kind in (*page.KINDS, page.GAP)
    )
    text = Text(head=words, left=5, tail=words, whole=words)
    finding = Finding(who=words, what=words, good=False, reasons=(words,), evidence=(words,), tail=words)
    cycle = Cycle(number=1, claim=words, summary=words, commit=words, findings=(finding,), reasons=(words, "more"))
    member = Member(run_id=words, name=words, step=words, outcome=words, says=words, cost=words, entries=entries[:1])
    change = Change(path=words, old=words, what=words, lines=("+" + words, " " + words), left=3)
    return Page(
        ident=words,
        title=words,
        lead=words,
        badges=((page.GOOD, words),),
        figures=(Figure(value=words, name=words, note=words),),
        error=words,
        warnings=(words,),
        said=((words, text),),
        asked=text,
        cycles=(cycle,),
        members=(member,),
        members_left=2,
        entries=entries,
        counts={page.MESSAGE: 1, page.TOOL: 1},
        patch=Patch(changes=(change,), left=4, size=5, listed=(words,)),
        touched=(Touched(path=words, how=("read",)),),
        touched_left=1,
        costs=((words, words),),
        facts=((words, words),),
        logs=((words, text),),
    )


PLAIN = Reader(str(rendering.html(full("plain"))))


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "long"])
def test_whatever_anybody_wrote_is_text_in_every_field(name: str) -> None:
    words = str(rendering.html(full(HOSTILE[name])))
    read = Reader(words)
    assert set(read.tags) <= TAGS
    without = [tag for tag in read.tags if tag not in ("i", "details", "summary", "pre", "div")]
    assert without.count("script") == 1 and without.count("style") == 1 and without.count("a") <= PLAIN.tags.count("a")
    assert {key for key, _ in read.attributes} <= {key for key, _ in PLAIN.attributes}
    assert {value for _, value in read.attributes} <= {value for _, value in PLAIN.attributes} | {
        "",
        "ctl",
        "mono asked",
    }
    assert not ACTING.search(words)


def test_ten_megabytes_in_one_line_are_cut_where_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "events").write_bytes(b"{}\n" + HOSTILE["long"].encode() + b"\n{}\n")
    found = ends.of_file(str(tmp_path / "events"), ends.Most(head=1000, tail=1000))
    assert (found.head, found.tail, found.left_lines, found.left_bytes) == ((b"{}",), (b"{}",), 1, 10_000_001)
    change = patches.changes(b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+" + HOSTILE["long"].encode())[0]
    assert len(change.lines[1]) < 600 and change.lines[1].endswith("… 9999501 more characters")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("\x1b[31mred", '<i class="ctl">^[[31m</i>red'),
        ("\x1b[<b>", '<i class="ctl">^[</i>[&lt;b&gt;'),
        ("\0\0\x7f", '<i class="ctl">^@^@^?</i>'),
        ("\u202eabc", '<i class="ctl">[U+202E]</i>abc'),
        ("\udcff", '<i class="ctl">[U+DCFF]</i>'),
        ("a\tb\r\nc\rd", 'a\tb\nc<i class="ctl">^M</i>d'),
        ("zwj 👩\u200d💻 é", "zwj 👩\u200d💻 é"),
    ],
)
def test_what_cannot_be_seen_is_shown(words: str, shown: str) -> None:
    assert markup.text(words) == shown


def test_a_plain_string_is_text_and_only_markup_is_markup() -> None:
    assert markup.tag(
        "p", "<b>", markup.tag("b", "x"), None, ["y", ("z",)], cls="k", data_a="'\"<\u202e", hidden=True
    ) == ('<p class="k" data-a="&#39;&quot;&lt;" hidden>&lt;b&gt;<b>x</b>yz</p>')
    assert markup.tag("input", open=False, value=None) == "<input>"


def test_a_document_refers_to_nothing_and_allows_only_its_own() -> None:
    words = str(rendering.html(full("plain")))
    assert re.findall(r'(?:href|src|action|data|poster|srcset)="([^#][^"]*)"', words) == []
    assert not re.search(r"url\(|@import|https?:|//", looks.STYLE + behaviour.SCRIPT)
    assert not re.search(
        r"innerHTML|outerHTML|document\.write|eval|Function\(|fetch|XMLHttp|import\(", behaviour.SCRIPT
    )
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', words)
    assert policy and policy.group(1).startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert "unsafe" not in policy.group(1) and "base-uri" in policy.group(1) and "form-action" in policy.group(1)
    assert not [key for key, _ in PLAIN.attributes if key == "style" or key.startswith("on")]


def test_an_empty_page_is_a_page() -> None:
    made = Page(ident="20260215-143022-ab12", title="t")
    assert Reader(str(rendering.html(made))).tags.count("section") == 0
    assert telling.lines(made)[0] == ("20260215-143022-ab12  t", "bold")


# -- both ends


def lines(numbers: range) -> bytes:
    return b"".join(b"%d\n" % n for n in numbers)


@pytest.mark.parametrize(
    ("most", "head", "tail", "left"),
    [
        (ends.Most(), 1000, 0, 0),
        (ends.Most(head_lines=10, tail_lines=5), 10, 5, 985),
        (ends.Most(head=100, tail=100), 36, 25, 939),
        (ends.Most(head=100, tail=100, head_lines=3, tail_lines=2), 3, 2, 995),
        (ends.Most(head=3890, tail=0, head_lines=2000, tail_lines=0), 1000, 0, 0),
    ],
)
def test_no_line_is_lost_from_the_count(most: ends.Most, head: int, tail: int, left: int, tmp_path: Path) -> None:
    data = lines(range(1000))
    (tmp_path / "f").write_bytes(data)
    found = ends.of_file(str(tmp_path / "f"), most)
    assert (len(found.head), len(found.tail), found.left_lines) == (head, tail, left)
    assert list(found.head) == data.split(b"\n")[:head] and list(found.tail) == data.split(b"\n")[1000 - tail : 1000]
    assert sum(len(line) + 1 for line in (*found.head, *found.tail)) + found.left_bytes == len(data) == found.size


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    assert ends.of_file(str(tmp_path), ends.Most()) == ends.of_file(str(tmp_path / "none"), ends.Most()) == ends.Ends()


# -- the timeline


def told(*events: tuple[str, str, dict[str, Any]], left: int = 0) -> list[tuple[str, str, str, str]]:
    made = [Event(kind=kind, text=text, data=data, at=100.0 + n) for n, (kind, text, data) in enumerate(events)]
    found = timeline.entries(made, left, (), 100.0)
    return [(entry.kind, entry.name, entry.title or entry.text, entry.tone) for entry in found]


def test_a_call_and_its_result_are_one() -> None:
    events = [
        Event(kind="tool_call", text="ls", data={"id": "1", "name": "Bash", "command": "ls"}, at=101),
        Event(kind="tool_call", text="x.py", data={"id": "2", "name": "Edit", "path": "x.py"}, at=102),
        Event(kind="tool_result", text="no", data={"id": "2", "ok": False}, at=105),
        Event(kind="tool_result", text="files", data={"id": "1", "ok": True}, at=109),
        Event(kind="tool_result", text="a report was taken", data={"id": "3", "ok": True}, at=110),
        Event(kind="tool_call", text="slow", data={"id": "4", "name": "Bash"}, at=111),
    ]
    bash, edit, slow = timeline.entries(events, began=100.0)
    assert (bash.name, bash.title, bash.result, bash.took, bash.tone, bash.since) == (
        "Bash",
        "ls",
        "files",
        8,
        page.GOOD,
        1,
    )
    assert (edit.tone, edit.result, edit.took) == (page.BAD, "no", 3)
    assert (slow.tone, slow.took) == ("", None)
    assert timeline.counts((bash, edit, slow)) == {page.TOOL: 3}


def test_a_line_that_is_left_out_of_the_events_is_told() -> None:
    assert told(("other", "user", {}), ("other", "a line of 9 bytes is in raw.jsonl only", {})) == [
        (page.NOTE, "", "a line of 9 bytes is in raw.jsonl only", "")
    ]


def test_a_result_after_what_was_left_out_is_shown() -> None:
    late = Event(kind="tool_result", text="files", data={"id": "9", "ok": True}, at=5)
    assert [entry.kind for entry in timeline.entries([], 7, [late])] == [page.GAP, page.TOOL]


def test_lines_of_an_output_are_one_as_far_as_that_goes() -> None:
    events = [Event(kind="message", text="line %d" % n, data={"line": True}) for n in range(3)]
    assert [(e.kind, e.text, e.left) for e in timeline.entries(events)] == [("output", "line 0\nline 1\nline 2", 3)]
    many = [Event(kind="message", text="x" * 3999, data={"line": True}) for _ in range(40)]
    sizes = [len(entry.text) for entry in timeline.entries(many)]
    assert len(sizes) == 3 and max(sizes) <= 64_000 + 4000 and sum(sizes) >= 40 * 3999


def test_the_same_trouble_is_told_once() -> None:
    limit = {"reason": "rate"}
    assert told(("error", "429", {}), ("limit", "429", limit), ("error", "429", {"fatal": True})) == [
        (page.TROUBLE, "limit", "429", page.BAD)
    ]


@pytest.mark.parametrize("kind", [*model.KINDS, "unheard of"])
@pytest.mark.parametrize("data", [{}, {"id": 7, "name": [], "ok": "x", "path": {}, "tail": 3, "line": 0, "fatal": 1}])
def test_any_event_is_taken(kind: str, data: dict[str, Any]) -> None:
    timeline.entries(
        [Event(kind=kind, text="x", data=data, at=-1e300)], 3, [Event(kind=kind, data=data, at=1e300)], 5.0
    )


# -- patches

PATCH = b"""diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,4 @@ def
-a
+x
 b
 c
+diff --git a/forged b/forged
\\ No newline at end of file
diff --git a/old name.py b/new name.py
similarity index 90%
rename from old name.py
rename to new name.py
@@ -1 +1 @@
-1
+2
diff --git a/bin.dat b/bin.dat
new file mode 100644
index 0000000..1
Binary files /dev/null and b/bin.dat differ
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
--- b/minus
diff --git "a/\\303\\251\\t.txt" "b/\\303\\251\\t.txt"
new file mode 100644
diff --git a/empty b/empty
new file mode 100644
"""


def test_a_patch_by_file() -> None:
    found = [(c.what, c.path, c.old, c.added, c.removed, len(c.lines)) for c in patches.changes(PATCH)]
    assert found == [
        ("changed", "a.txt", "", 2, 1, 6),
        ("renamed", "new name.py", "old name.py", 1, 1, 3),
        ("binary, added", "bin.dat", "", 0, 0, 0),
        ("removed", "gone.txt", "", 0, 1, 2),
        ("added", "é\t.txt", "", 0, 0, 0),
        ("added", "empty", "", 0, 0, 0),
    ]
    assert patches.sums(patches.changes(PATCH)) == (3, 3)


def test_a_patch_that_was_cut_anywhere_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    for end in range(len(PATCH)):
        patches.changes(PATCH[:end])
    assert patches.changes(b"nothing\n\xff\0@@ -1 +1 @@") == []


def test_a_long_file_is_cut_and_says_so() -> None:
    body = b"".join(b"+%d\n" % n for n in range(5000))
    change = patches.changes(b"diff --git a/x b/x\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,5000 @@\n" + body)[0]
    assert (len(change.lines), change.left, change.added) == (patches.MOST_LINES, 5001 - patches.MOST_LINES, 5000)


# -- in some lines


def test_a_summary_is_short_whatever_happened() -> None:
    entries = [Entry(kind=page.MESSAGE, text="message %d" % n, since=float(n)) for n in range(300)]
    entries.insert(200, Entry(kind=page.GAP, left=5000))
    calls = [Entry(kind=page.TOOL, name=name, tone=page.GOOD, since=300.0) for name in ("Bash", "Bash", "Read")]
    made = Page(ident="i", title="t", badges=((page.GOOD, "finished"),), entries=(*entries, *calls))
    said = [words.strip() for words, _ in telling.lines(made)]
    assert said[:2] == ["i  t", "finished"] and len(said) < 25
    assert "… and 5,287 more" in said and "5m00s  uses Bash ×2, Read" in said
