"""Conversations in the vendors' files: right where these are whole, and never a surprise where they are not."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import rollouts
from agentctl import store
from agentctl import text
from agentctl.errors import AgentctlError
from agentctl.sessions import claude
from agentctl.sessions import codex
from agentctl.sessions import cursor
from agentctl.sessions import finding
from agentctl.sessions import ours
from agentctl.sessions import telling
from agentctl.sessions import walking
from agentctl.sessions.finding import Found
from agentctl.sessions.finding import Wanted
from agentctl.store import Home
from vendors import Vendors

NOBODY = 65534
NOW = 1_796_000_000.0
RECORDED = Path(__file__).resolve().parents[1] / "data" / "sessions"
CURSOR = [
    {"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>\nplums\n</user_query>"}]}},
    {"role": "assistant", "message": {"content": [{"type": "text", "text": "done"}]}},
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return store.create_home(str(tmp_path / "orch"))


@pytest.fixture
def vendors(tmp_path: Path) -> Vendors:
    return Vendors(tmp_path / "user", NOW)


def found(home: Home, vendors: Vendors, **wanted: Any) -> Found:
    return finding.recent(home, Wanted(**{"hours": 24.0, **wanted}), {"HOME": str(vendors.home)}, NOW)


def told(result: Found, like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was found, with the keys of what was expected only."""
    assert len(result.sessions) == len(like)
    return [{name: text.public(one.to_json())[name] for name in want} for one, want in zip(result.sessions, like)]


def lines(name: str) -> list[bytes]:
    return (RECORDED / (name + ".jsonl")).read_bytes().split(b"\n")


# -- whole files


def test_what_claude_wrote() -> None:
    read = claude.session(lines("claude"), lines("claude"))
    assert read and read[1]
    known = read[0]
    assert (known.cwd, known.branch, known.model, known.context_tokens) == (
        "/home/user/shop",
        "main",
        "claude-opus-4-8",
        100,
    )
    assert known.prompt and known.prompt.startswith("Remember the word plum")
    assert (text.iso(known.created_at), text.iso(known.last_active_at)) == (
        "2026-11-29T19:59:57Z",
        "2026-11-29T19:59:58Z",
    )


def test_what_codex_wrote() -> None:
    read = codex.session(lines("codex"), lines("codex"))
    assert read and read[1]
    known = read[0]
    assert (known.cwd, known.branch, known.model) == ("/home/user/shop", "main", "gpt-5.5")
    assert (known.context_tokens, known.context_window) == (100, 258_400)
    assert (known.usage.input, known.usage.cached, known.usage.output) == (100, 0, 10)
    assert known.prompt and known.prompt.startswith("Remember pear")
    assert text.iso(known.created_at) == text.iso(known.last_active_at) == "2026-11-29T19:59:59Z"


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_what_was_said_in_it(name: str) -> None:
    said = [finding.VENDORS[name].said(json.loads(line)) for line in lines(name) if line]
    words = [(one.role, one.text.partition(" @@")[0]) for one in said if one]
    assert (
        words[:2]
        == {
            "claude": [("user", "Remember the word plum"), ("assistant", "I will keep plum")],
            "codex": [("user", "Remember pear"), ("assistant", "ok pear")],
        }[name]
    )


def test_many_are_found_and_told_right(home: Home, vendors: Vendors) -> None:
    made = vendors.many(5000 if os.environ.get("AGENTCTL_LONG") else 300, ["/home/u/a", "/home/u/b"])
    result = found(home, vendors)
    assert result.damaged == ()
    assert told(result, made) == made


def test_only_the_asked_hours_and_backend(home: Home, vendors: Vendors) -> None:
    made = vendors.many(40, ["/srv/a"], hours=40)
    recent = [one for one in made if one["last_active_at"] >= str(text.iso(NOW - 24 * 3600))]
    assert 0 < len(recent) < len(made)
    assert told(found(home, vendors), recent) == recent
    of_codex = [one for one in made if one["backend"] == "codex"]
    assert told(found(home, vendors, hours=None, backend="codex"), of_codex) == of_codex
    with pytest.raises(AgentctlError, match="keeps no sessions"):
        found(home, vendors, backend="shell")


def test_a_file_that_was_only_touched_is_as_old_as_its_lines(home: Home, vendors: Vendors) -> None:
    made = vendors.claude("/srv/a", age=90 * 3600)
    os.utime(made["path"], (NOW, NOW))
    assert found(home, vendors).sessions == ()
    assert told(found(home, vendors, hours=100), [made]) == [made]


def test_the_environment_says_where_they_are(home: Home, vendors: Vendors, tmp_path: Path) -> None:
    made = [vendors.claude("/srv/a", 60), vendors.codex("/srv/a", 61)]
    env = {"HOME": "/nowhere", "CLAUDE_CONFIG_DIR": str(vendors.home / ".claude")}
    env["CODEX_HOME"] = str(vendors.home / ".codex")
    result = finding.recent(home, Wanted(), env, NOW)
    assert told(result, made) == made
    assert finding.recent(home, Wanted(), {"HOME": str(tmp_path / "empty")}, NOW) == Found()


def test_what_nobody_asked_is_no_prompt(home: Home, vendors: Vendors) -> None:
    made = vendors.claude("/srv/a", 60, turns=1, prompt="the real one")
    path = Path(made["path"])
    ahead = [
        {"type": "user", "isMeta": True, "message": {"content": "Caveat"}},
        {"type": "user", "message": {"content": "<command-name>/model</command-name>"}},
        {"type": "user", "isSidechain": True, "message": {"content": "for a subagent"}},
        {"type": "user", "message": {"content": [{"type": "tool_result", "content": "text"}]}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in ahead) + path.read_text())
    os.utime(path, (NOW - 60, NOW - 60))
    assert told(found(home, vendors), [made]) == [made]


def test_nothing_said_is_no_session_and_no_damage(home: Home, vendors: Vendors) -> None:
    made = vendors.claude("/srv/a", 60)
    Path(made["path"]).write_text('{"type":"mode","mode":"normal"}\n')
    sub = vendors.codex("/srv/a", 60)
    raw = Path(sub["path"]).read_text().replace('"source":"exec"', '"source":{"subagent":"review"}')
    Path(sub["path"]).write_text(raw)
    os.utime(made["path"], (NOW, NOW))
    os.utime(sub["path"], (NOW, NOW))
    assert found(home, vendors) == Found()


def test_a_conversation_that_is_there_twice_is_one(home: Home, vendors: Vendors) -> None:
    old, new = (vendors.claude(folder, age, session=vendors.id(NOW)) for folder, age in (("/srv/a", 90), ("/srv/b", 9)))
    again = Path(old["path"]).parent / Path(new["path"]).name
    again.write_bytes(Path(old["path"]).read_bytes())
    os.utime(again, (NOW - 99, NOW - 99))
    assert told(found(home, vendors), [new, old]) == [new, old]


# -- damaged files


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def torn_at_the_head(path: Path) -> None:
    path.write_bytes(b'{"type":"us\n' + path.read_bytes())


def nul_at_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(4096))


def nul_lines_within(path: Path) -> None:
    head, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(head + b"\n" + bytes(5000) + b"\n" + rest)


def no_utf8(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\xfe\xfd\n")


def other_values(path: Path) -> None:
    rows = [b"[]", b"3", b"null", b'"x"', b'{"type":5,"message":7,"payload":[],"cwd":9,"timestamp":{}}']
    path.write_bytes(b"\n".join(rows) + b"\n" + path.read_bytes() + b"\n".join(rows))


def a_long_line_at_the_end(path: Path) -> None:
    with open(path, "ab") as f:
        f.write(b'{"type":"attachment","x":"' + b"x" * (3 << 20) + b'"}\n')


@pytest.mark.parametrize("backend", list(finding.VENDORS))
@pytest.mark.parametrize(
    "harm", [torn, torn_at_the_head, nul_at_the_end, nul_lines_within, no_utf8, other_values, a_long_line_at_the_end]
)
def test_a_file_that_is_partly_damaged_tells_the_rest(
    home: Home, vendors: Vendors, backend: str, harm: Callable[[Path], None]
) -> None:
    made = getattr(vendors, backend)("/srv/a", 60)
    harm(Path(made["path"]))
    os.utime(made["path"], (NOW - 60, NOW - 60))
    result = found(home, vendors)
    assert result.damaged == ()
    kept = {name: made[name] for name in ("session_id", "backend", "cwd", "prompt")}
    assert told(result, [kept]) == [kept]


def hollow(path: Path) -> None:
    path.write_bytes(bytes(100_000))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def one_long_line(path: Path) -> None:
    with open(path, "wb") as f:
        f.write(b'{"type":"user","x":"')
        f.truncate(100 << 20)  # as a hundred megabytes of NUL, which take no room on the disk


def a_link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def prose(path: Path) -> None:
    path.write_text("Once upon a time\n" * 10)


WRONG: dict[Callable[[Path], None], str] = {
    **dict.fromkeys((hollow, one_long_line, prose), "no line of it can be read"),
    **dict.fromkeys((a_link, a_pipe, a_folder), "it is no plain file"),
    empty: "it is empty",
}


@pytest.mark.parametrize("backend", list(finding.VENDORS))
@pytest.mark.parametrize("harm", list(WRONG))
def test_a_damaged_file_is_passed_over_and_counted(
    home: Home, vendors: Vendors, backend: str, harm: Callable[[Path], None]
) -> None:
    good = getattr(vendors, backend)("/srv/a", 60)
    bad = getattr(vendors, backend)("/srv/a", 70)
    harm(Path(bad["path"]))
    if harm is not a_link:
        os.utime(bad["path"], (NOW - 70, NOW - 70))
    else:
        os.utime(bad["path"], (NOW - 70, NOW - 70), follow_symlinks=False)
    result = found(home, vendors)
    assert [place.path for place in result.damaged] == [bad["path"]] and result.damaged[0].wrong == WRONG[harm]
    assert told(result, [good]) == [good]
    with pytest.raises(AgentctlError, match="cannot be read"):
        finding.one(home, bad["session_id"], "", {"HOME": str(vendors.home)})


@pytest.mark.parametrize("backend", list(finding.VENDORS))
def test_a_link_that_leads_to_itself_hides_no_others(home: Home, vendors: Vendors, backend: str) -> None:
    """At each level of the vendor's folders; and one that leads below a file, which is no folder and no damage."""
    good = getattr(vendors, backend)("/srv/a", 60)
    top = next(p for p in vendors.home.glob(".%s/*" % backend) if p.name in ("projects", "sessions"))
    levels = [top, *(p for p in top.rglob("*") if p.is_dir())]
    levels = [p for p in levels if p != Path(good["path"]).parent]
    for folder in levels:
        (folder / "98").symlink_to(folder / "98")
        (folder / "99").symlink_to(good["path"] + "/below")
    result = found(home, vendors)
    assert told(result, [good]) == [good]
    known = [place for place in result.damaged if "symbolic links" in place.wrong]
    assert len(known) == len(result.damaged) >= 1


def test_what_is_not_ours_to_read_is_counted(tmp_path: Path) -> None:
    """Root reads everything: there, somebody else looks."""
    place = Path(tempfile.mkdtemp())
    try:
        home, vendors = store.create_home(str(place / "orch")), Vendors(place / "user", NOW)
        good, file, folder = vendors.cursor("/srv/a", 60), vendors.claude("/srv/a", 61), vendors.codex("/srv/a", 62)
        for path in (place, *place.rglob("*")) if os.geteuid() == 0 else ():
            os.chown(path, NOBODY, NOBODY)
        os.chmod(file["path"], 0)
        os.chmod(Path(folder["path"]).parent, 0)
        with somebody():
            result = found(home, vendors)
        os.chmod(Path(folder["path"]).parent, 0o700)
    finally:
        shutil.rmtree(place)
    assert {place.path for place in result.damaged} == {file["path"], str(Path(folder["path"]).parent)}
    assert told(result, [good]) == [good]


@contextlib.contextmanager
def somebody() -> Iterator[None]:
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_no_line_raises() -> None:
    """5,000 damaged lines of each vendor: what they say is a session or nothing, and what was said is words."""
    chance = random.Random(7)
    pools = {"claude": lines("claude"), "codex": lines("codex"), "cursor": [json.dumps(row).encode() for row in CURSOR]}
    for name, pool in pools.items():
        vendor = finding.VENDORS[name]
        for _ in range(5000 if os.environ.get("AGENTCTL_LONG") else 700):
            bent = [mutated(line, chance) for line in pool]
            read = vendor.session(bent, bent)
            assert read is None or isinstance(read[0].cwd, str)
            json.dumps(read and read[0].to_json(), allow_nan=False)


def mutated(line: bytes, chance: random.Random) -> bytes:
    raw = bytearray(line)
    for _ in range(chance.choice((0, 1, 1, 3))):
        at = chance.randrange(len(raw) or 1)
        how = chance.randrange(4)
        if how == 0:
            raw[at : at + chance.randrange(1, 9)] = bytes(chance.randrange(256) for _ in range(chance.randrange(6)))
        elif how == 1:
            raw[at:] = b""
        elif how == 2:
            value = chance.choice(
                (b"null", b"-1", b"1e999", b"[]", b"{}", b'"\\ud800"', b"true", b"99999999999999999999")
            )
            start, end = raw.find(b":", at) + 1, raw.find(b",", at)
            raw[start : max(start, end)] = value
        else:
            raw += raw[:at]
    return bytes(raw)


# -- by its id


def test_by_id_and_by_how_it_begins(home: Home, vendors: Vendors) -> None:
    made = [vendors.codex("/srv/a", 100 * 3600), vendors.codex("/srv/a", 100 * 3600 + 1), vendors.claude("/srv/a", 5)]
    env = {"HOME": str(vendors.home)}
    assert finding.one(home, made[0]["session_id"], "", env).path == made[0]["path"]
    assert finding.one(home, made[2]["session_id"][:13], "", env).path == made[2]["path"]
    with pytest.raises(AgentctlError, match="begins 2 session ids"):
        finding.one(home, made[0]["session_id"][:6], "", env)
    for nothing in ("zzz", "", "../x"):
        with pytest.raises(AgentctlError, match="no session"):
            finding.one(home, nothing, "", env)
    with pytest.raises(AgentctlError, match="no session"):
        finding.one(home, made[0]["session_id"], "claude", env)


# -- live, ours, directories


def test_a_claude_that_lives_has_it_open(home: Home, vendors: Vendors) -> None:
    made = vendors.claude("/srv/a", 60)
    here = vendors.home / ".claude" / "sessions"
    here.mkdir()
    born = (
        Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19] if Path("/proc/self/stat").exists() else ""
    )
    entry = {"pid": os.getpid(), "procStart": born, "sessionId": made["session_id"], "status": "waiting"}
    (here / ("%d.json" % os.getpid())).write_text(json.dumps(entry))
    (one,) = found(home, vendors).sessions
    assert (one.live, one.doing) == (True, "waiting")
    (here / ("%d.json" % os.getpid())).write_text(json.dumps({**entry, "procStart": "1", "pid": 2**22 + 1}))
    (one,) = found(home, vendors).sessions
    assert (one.live, one.doing) == (False, "")


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux says who holds which lock")
def test_a_codex_that_writes_has_it_open(home: Home, vendors: Vendors) -> None:
    import fcntl

    made = vendors.codex("/srv/a", 60)
    locks = vendors.home / ".codex" / "thread-writer-locks"
    locks.mkdir()
    with open(locks / (made["session_id"] + ".lock"), "w") as lock:
        assert [one.live for one in found(home, vendors).sessions] == [False]
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [one.live for one in found(home, vendors).sessions] == [True]
    assert rollouts.held(str(vendors.home / ".codex"), [made["session_id"]]) == set()


def test_cursor_says_nothing_of_what_is_open(home: Home, vendors: Vendors) -> None:
    vendors.cursor("/srv/a", 60)
    assert [one.live for one in found(home, vendors).sessions] == [None]


def run_of(home: Home, run_id: str, session: str, **said: Any) -> None:
    folder = Path(home.runs) / run_id
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"id": run_id, "project": "p", "title": "its title"}))
    result = {"session_id": session, "project": "p", "title": "its title", "status": "finished", **said}
    (folder / "result.json").write_text(json.dumps(result))


def test_ours_is_what_the_newest_run_says(home: Home, vendors: Vendors) -> None:
    made = [vendors.claude("/srv/a", 60), vendors.codex("/srv/a", 61), vendors.claude("/srv/a", 62)]
    mine, other, spoken = (one["session_id"] for one in made)
    run_of(home, "20260101-000000-aaaa", mine)
    run_of(home, "20260102-000000-bbbb", mine)
    run_of(home, "20260103-000000-cccc", "x", report={"session_id": spoken})
    (Path(home.runs) / "20260104-000000-dddd").mkdir()
    assert ours.runs_of(home, {mine, other, spoken}) == {mine: ("20260102-000000-bbbb", "p", "its title")}
    told = [(one.ours, one.run_id, one.project, one.title) for one in found(home, vendors).sessions]
    assert told == [(True, "20260102-000000-bbbb", "p", "its title"), (False, "", "", ""), (False, "", "", "")]


def test_the_directory_of_cursor_by_its_name(home: Home, vendors: Vendors, tmp_path: Path) -> None:
    top = tmp_path / "disk"
    for name in ("srv/my-shop.v2/src", "srv/my", "srv/plain", "srv/tw-in", "srv/tw_in", "odd/.hidden"):
        (top / name).mkdir(parents=True)
    names = ("srv-my-shop-v2-src", "srv-plain", "srv-tw-in", "odd-hidden", "srv-none", "")
    found = [cursor.named(name, str(top)).replace(str(top), "") for name in names]
    assert found == ["/srv/my-shop.v2/src", "/srv/plain", "", "/odd/.hidden", "", ""]


# -- what was said


def test_the_last_messages(home: Home, vendors: Vendors) -> None:
    for name in finding.VENDORS:
        getattr(vendors, name)("/srv/a", 60, turns=4, prompt="the first")
    for one in found(home, vendors).sessions:
        said = telling.last(one, 3)
        assert [(message.role, message.text) for message in said][0::2] == [
            ("assistant", "done with turn 2"),
            ("assistant", "done with turn 3"),
        ]
        assert telling.last(one, 100)[0].text == "the first"


def test_a_search_finds_what_was_said_and_not_what_tools_printed(home: Home, vendors: Vendors) -> None:
    makers = [vendors.claude, vendors.codex, vendors.cursor]
    for maker in makers:
        maker("/srv/a", 60, prompt='The price of "Plums" – ünïcode\nand more')
        maker("/srv/a", 70, prompt="nothing of it")
    those = found(home, vendors).sessions
    for words in ('PRICE of "plums"', "– ünïcode", "ünïcode\nand"):
        search = telling.search(those, words, 50)
        assert (sorted(hit.backend for hit in search.hits), search.whole) == (["claude", "codex", "cursor"], True), (
            words
        )
        assert {hit.role for hit in search.hits} == {"user"} and "\n" not in search.hits[0].excerpt
    assert telling.search(those, "x" * 50, 50).hits == ()
    for unsaid in ("xxxxxxxxx", "timestamp", "main", "a coding agent"):
        assert telling.search(those, unsaid, 50).hits == ()


def test_a_search_ends(home: Home, vendors: Vendors) -> None:
    for n in range(9):
        vendors.claude("/srv/a", 60 + n, turns=7, prompt="plums")
    search = telling.search(found(home, vendors).sessions, "done", 4)
    assert (len(search.hits), search.searched, search.whole) == (4, 2, False)


def test_blocks_are_whole_lines_and_no_long_ones(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(60):
        rows = [bytes([97 + n % 26]) * chance.choice((0, 1, 5, 40, 200)) for n in range(chance.randrange(12))]
        path = tmp_path / "lines"
        path.write_bytes(b"\n".join(rows))
        got = [line for block in walking.blocks(str(path), 1 << 20, 64) for line in block.split(b"\n") if line]
        assert [line for line in got if len(line) <= 40] == [row for row in rows if 0 < len(row) <= 40]
        assert set(got) <= set(rows)


def test_a_moment_is_a_time_or_nothing() -> None:
    from agentctl.sessions import session

    assert session.moment({"timestamp": "2026-11-29T19:59:57.965Z"}) == pytest.approx(1795982397.965)
    wrong = ("", "2026-13-29T19:59:57Z", "0001-01-01T00:00:00Z", "2026-11-29", 5, None, "20٢٦-11-29T19:59:57Z")
    assert {session.moment({"timestamp": value}) for value in wrong} == {None}
    assert session.moment({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))}) == NOW
