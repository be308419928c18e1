"""`view` in a real browser, opened from disk: right, alone in the world, readable on a phone, safe to look at."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser
from browser import Page
from conftest import World
from conftest import git
from goals import Stage

DATA = Path(__file__).resolve().parent.parent / "data" / "transcripts" / "claude"
CLAUDE = """#!%s
import sys
if "--version" in sys.argv:
    print("2.1.197 (Claude Code)")
    sys.exit()
sys.stdin.read()
sys.stdout.write(open(%r).read())
"""
HOSTILE = [
    "<script>document.title = 'owned'; alert(1)</script>",
    "</pre></details><img src=http://elsewhere.invalid/x.png onerror=\"document.title = 'owned'\">",
    "</script></style></title><svg onload=\"document.title = 'owned'\"></svg>",
    "<meta http-equiv=refresh content='0;url=http://elsewhere.invalid/'><base href=http://elsewhere.invalid/>",
    "<a href=javascript:alert(1)>x</a><iframe src=//elsewhere.invalid></iframe><style>* { display: none }</style>",
    "\x1b]0;owned\x07\x1b[31mred\x1b[0m \x1b[2J",
    "\u202etxt.exe\u202c \u2066\u200f שלום",
    "\0 NUL \x9b C1",
]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    made = chromium.page()
    yield made
    made.close()


def seen(page: Page, path: Path) -> str:
    """The page from disk, looked at on a wide screen and a phone, in light and dark; its text on the wide one."""
    for scheme in ("dark", "light"):
        page.scheme(scheme)
        for width, height, phone in ((320, 640, True), (390, 844, True), (1280, 900, False)):
            page.viewport(width, height, phone)
            page.open(path.as_uri())
            alone(page, path)
            assert page.sideways() == 0, (width, scheme)
            page.click("#unfold")
            assert page.sideways() == 0, (width, scheme, "unfolded")
            assert page.count("main details:not([open])") == 0
    page.open(path.as_uri())
    return page.text()


def alone(page: Page, path: Path) -> None:
    """Nothing was said on the console, nothing was asked for but the file itself."""
    page.js("1")
    assert (page.console, page.requests) == ([], [path.as_uri()])


def viewed(world: World, run_id: str, *options: str) -> Path:
    path = world.root / ("%s.html" % run_id)
    assert world.ok("view", run_id, "-o", str(path), *options) == str(path)
    return path


def test_a_run_of_a_command(page: Page, world: World, repo: Path) -> None:
    work = "seq 1 50; printf 'one\\ntwo\\n' > a.txt; mkdir d; printf 'new %0400d\\n' 1 > d/b.txt; echo oops >&2"
    run_id = world.shell(work, "--no-pane", "--title", "fifty lines", "--verify", "echo is checked")
    result = world.result(run_id)
    said = seen(page, viewed(world, run_id))
    assert page.text("h1") == "fifty lines" and run_id in page.text("header")
    assert page.js("[...document.querySelectorAll('header .badge')].map(e => e.textContent)") == (
        ["finished", "goal met", "check passed"]
    )
    assert page.count(".change") == len(result["git_files"]) == 2 == page.count(".files li")
    assert (page.count(".diff .add"), page.count(".diff .del")) == (2, 0)
    assert page.js("document.querySelector('.diff .add').textContent") == "+two"
    assert page.text(".output summary") == "output 50 lines" and page.count(".timeline .output") == 1
    assert "The last it printed" in said and "exit code\n0" in said
    page.click("#logs details")
    assert page.text("#logs pre") == "is checked\n"


def test_a_run_of_claude(page: Page, world: World) -> None:
    transcript = DATA / "readedit"
    program = world.root / "claude"
    program.write_text(CLAUDE % (sys.executable, str(transcript / "stdout.jsonl")))
    program.chmod(0o755)
    world.config(executables={"claude": str(program)}, stagger_s=0)
    words = ("start", "--project", "p", "--backend", "claude", "--no-pane", "--title", "edit it")
    run_id = world.ok(*words, stdin="Edit README.md & say <hi>.")
    result = world.result(run_id)
    events = json.loads((transcript / "events.json").read_text())
    calls = [event["data"] for event in events if event["kind"] == "tool_call"]
    bad = [e["data"]["id"] for e in events if e["kind"] == "tool_result" and not e["data"]["ok"]]
    said = seen(page, viewed(world, run_id))
    assert page.count(".timeline .tool") == len(calls) == result["usage"]["tool_calls"] == 5
    names = "[...document.querySelectorAll('.timeline .tool b')].map(e => e.textContent)"
    assert page.js(names) == [call["name"] for call in calls]
    assert page.count(".timeline .tool.bad .mark") == len(bad) == 2
    assert page.count(".timeline details[open]") == 0, "calls are folded"
    page.click(".timeline .tool summary")
    assert page.text(".timeline .tool pre").strip() == "1\thi\n2"
    assert "$%.2f\n" % result["usage"]["cost_usd"] in said and "{:,}".format(result["usage"]["input"]) in said
    assert "Edit README.md & say <hi>." in said and "Summary\nedited" in said
    assert page.js("[...document.querySelectorAll('.files .how')].map(e => e.textContent)") == ["read", "wrote"]


def test_a_goal_with_its_checks_and_verdicts(page: Page, world: World) -> None:
    cycles = [
        [["ask", "worker", "do: echo almost > want"], ["done", "first try"]],
        [["ask", "worker", "do: echo yes > want; touch litter"], ["done", "second try"]],
        [["ask", "worker", "do: rm litter"], ["done", "third try"]],
    ]
    verdicts = {"architect": "test ! -e litter || { echo 'litter <b>was</b> left behind'; exit 1; }"}
    stage = Stage(world, cycles=cycles, verdicts=verdicts)
    run_id = stage.set("--verify", "sh check.sh")
    known = stage.known(run_id)
    path = viewed(world, run_id)
    said = seen(page, path)
    badges = "[...document.querySelectorAll('.cycle > h3 .badge')].map(e => e.textContent)"
    assert page.js(badges) == ["rejected", "rejected", "accepted"]
    assert page.text(".badges") == "accepted\ncheck passed"
    assert [page.count(".cycle:nth-of-type(%d) .findings > li" % n) for n in (1, 2, 3)] == [1, 4, 4]
    assert "fails" in page.text(".cycle:nth-of-type(1) .findings") and "first try" in page.text(".cycle")
    assert "litter <b>was</b> left behind" in page.text(".cycle:nth-of-type(2)")
    assert page.count(".member") == len(known["members"]) > 6
    assert "cycles" in page.text(".tiles") and "3 of 5" in page.text(".tiles")
    assert "Have want hold yes." in said
    member = known["members"][-1]["run"]
    assert world.ok("view", member, "-o", "-").startswith("<!doctype html>"), "a member has a page of its own"
    summary = world.ok("view", run_id, "--text")
    assert re.search(r"cycle 2 rejected: second try\n· architect: litter <b>was</b> left behind\n", summary)


def test_what_an_agent_wrote_does_nothing(page: Page, world: World, repo: Path) -> None:
    names = ["<img src=x onerror=alert(1)>.txt", "\u202egpj.exe", "a\nb", "--- a", 'quo"te']
    for n, name in enumerate(names):
        (repo / name).write_text(HOSTILE[n % len(HOSTILE)] + "\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "hostile")
    feed = world.root / "feed"
    feed.write_bytes("\n".join(HOSTILE).encode() + b"\n\xff\xfe not UTF-8\n" + b"x" * 3_000_000 + b"\n<b>end</b>\n")
    text = world.root / "text"
    text.write_text("\n".join(HOSTILE[:-1]) + "\n")
    work = 'cat %s; cat %s >&2; for f in *; do cat %s > "./$f"; done; exit 1' % (feed, feed, text)
    run_id = world.shell(work, "--no-pane", "--title", HOSTILE[0], "--verify", "cat %s" % feed)
    world.result(run_id)
    path = viewed(world, run_id)
    page.call("Page.enable")
    said = seen(page, path)
    assert page.js("document.title").startswith("<script>") and "owned" in page.js("document.title")
    assert page.text("h1") == HOSTILE[0]
    assert page.count("script") == page.count("style") == 1
    assert page.count("img, svg, iframe, base, object, embed, link, form, meta[http-equiv=refresh]") == 0
    attributes = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    assert not [name for name in page.js(attributes) if name == "style" or name.startswith("on")]
    page.js("document.querySelectorAll('details').forEach(d => { d.open = true })")
    said = page.text()
    for words in ("^[[31m", "[U+202E]txt.exe", "^@ NUL [U+009B] C1", "\ufffd\ufffd not UTF-8", "<b>end</b>"):
        assert words in said, words
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.js("document.documentElement.outerHTML")
    )
    assert "a line of 3000000 bytes is in raw.jsonl only" in said
    assert page.count(".change") == len(names) + 1 and page.count(".diff") == len(names) + 1
    added = page.js("document.querySelector('.diff .add').textContent").split("\n")
    assert added[0] == "+" + HOSTILE[0] and added[2] == "+" + HOSTILE[2], added
    alone(page, path)


def test_a_hundred_megabytes_of_events_are_no_such_page(page: Page, world: World) -> None:
    run_id = world.shell("echo begin", "--no-pane", "--title", "much")
    world.result(run_id)
    events = world.folder(run_id) / "events.jsonl"
    began = json.loads(events.read_text().splitlines()[0])["at"]
    lines = b"".join(
        json.dumps({"at": began + n, "kind": "message", "text": "message %d <&> %s" % (n, "word " * 150)}).encode()
        + b"\n"
        for n in range(1100)
    )
    before = len(events.read_bytes().splitlines())
    with open(events, "ab") as f:
        for _ in range(120):
            f.write(lines)
        f.write(b'{"at": %f, "kind": "message", "text": "the very last"}\n' % began)
    assert events.stat().st_size > 100_000_000
    path = viewed(world, run_id)
    assert path.stat().st_size < 6_000_000
    page.open(path.as_uri())
    alone(page, path)
    shown = page.count(".timeline > .item")
    gap = int(page.text(".timeline .gap").split()[0].replace(",", ""))
    assert 132_001 <= shown + gap <= 132_001 + before and gap > 100_000
    assert "agentctl show %s --events" % run_id in page.text(".timeline .gap")
    assert page.js("document.querySelector('.timeline').lastChild.textContent").endswith("the very last")


def test_it_can_be_searched(page: Page, world: World) -> None:
    work = "for i in 1 2 3; do echo apple $i; done; seq 1 100; echo melon"
    (world.project / "work.sh").write_text(work)
    run_id = world.shell("sh work.sh", "--no-pane", "--title", "fruit")
    world.result(run_id)
    page.open(viewed(world, run_id).as_uri())
    whole = page.count("main .item:not([hidden])")
    page.key("/")
    page.type("APPLE 2")
    assert page.until("document.getElementById('found').textContent") == "1 place"
    assert page.count("main .item:not([hidden])") == 1 and page.count(".output details[open]") == 1
    assert page.count("section:not([hidden])") == 1
    marked = "[...CSS.highlights.get('found')].map(range => range.toString())"
    assert set(page.js(marked)) == {"apple", "2"}
    page.key("Escape")
    assert page.count("main .item:not([hidden])") == whole and page.count(".output details[open]") == 0
    page.click(".chips [data-kind=output]")
    assert page.count(".timeline .output:not([hidden])") == 0
    page.click(".chips [data-kind=output]")
    assert page.count("main .item:not([hidden])") == whole
    page.click("#q")
    page.type("nothing has this")
    page.until("document.getElementById('found').textContent === '0 places'")
    assert page.count("section:not([hidden])") == 0 and page.console == []


def test_without_its_script_it_is_whole(chromium: Browser, page: Page, world: World) -> None:
    run_id = world.shell("echo here", "--no-pane")
    world.result(run_id)
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(viewed(world, run_id).as_uri())
    assert not page.js("document.getElementById('find').checkVisibility()") and "here" in page.text("main")


def test_it_opens_with_the_desktops_own_opener(world: World) -> None:
    run_id = world.shell("true", "--no-pane")
    world.result(run_id)
    folder = world.root / "bin"
    folder.mkdir()
    opener = folder / ("open" if sys.platform == "darwin" else "xdg-open")
    opener.write_text('#!/bin/sh\nprintf "%%s\\n" "$@" > %s/opened\nexit ${FAILS:-0}\n' % world.root)
    opener.chmod(0o755)
    path = "%s:%s" % (folder, world.env["PATH"])
    assert world.ok("view", run_id, "--open", env={"PATH": path}) == run_id + ".html"
    assert (world.root / "opened").read_text() == "%s/%s.html\n" % (world.project, run_id)
    failed = world.run("view", run_id, "--open", env={"PATH": path, "FAILS": "3"})
    assert (failed.returncode, failed.stdout) == (1, run_id + ".html\n")
    assert "could not open it (exit code 3)\nhint: the page is %s/" % world.project in failed.stderr
    opener.unlink()
    (folder / "python3").symlink_to(str(shutil.which("python3")))
    bare = world.run("view", run_id, "--open", env={"PATH": str(folder)})
    assert bare.returncode == 1 and "nothing here opens a page: no " in bare.stderr


def test_no_file_of_anybodys_is_overwritten(world: World) -> None:
    run_id = world.shell("true", "--no-pane")
    world.result(run_id)
    assert world.run("view", run_id).stderr == ""
    page = world.project / (run_id + ".html")
    assert page.stat().st_mode & 0o777 == 0o600
    again = world.run("view", run_id)
    assert (again.returncode, again.stderr) == (0, "agentctl: replaced the page that was there\n")
    (world.project / "mine.html").write_text("mine")
    (world.project / "link.html").symlink_to(page)
    for name, hint in (("mine.html", "is no page of"), ("link.html", "is no page of"), ("no/x.html", "no folder no")):
        refused = world.run("view", run_id, "-o", name)
        assert refused.returncode == 1 and hint in refused.stderr, refused.stderr
    assert (world.project / "mine.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["@last", "--text", "--open"], "--text makes no page"),
        (["@last", "-o", "-", "--open"], "what goes to stdout cannot be opened"),
        (["20990101-000000-aaaa"], "no run 20990101-000000-aaaa"),
    ],
)
def test_called_wrongly(words: list[str], said: str, world: World) -> None:
    done = world.run("view", *words)
    assert done.returncode in (1, 2) and done.stdout == "" and said in done.stderr


def test_a_run_that_lives_and_one_that_is_damaged(page: Page, world: World) -> None:
    run_id = world.shell("echo so far; sleep 60", "--no-pane")
    world.working(run_id)
    page.open(viewed(world, run_id).as_uri())
    assert page.text(".badges") == "running" and "so far" in page.text(".tiles")
    world.ok("stop", run_id)
    for name in ("meta.json", "result.json", "events.jsonl", "diff.patch", "prompt.md"):
        (world.folder(run_id) / name).unlink(missing_ok=True)
        (world.folder(run_id) / name).write_bytes(b"\xff\0{[" * 100)
    path = viewed(world, run_id)
    page.open(path.as_uri())
    alone(page, path)
    assert page.text(".badges") == "lost" and page.text("h1") == run_id
