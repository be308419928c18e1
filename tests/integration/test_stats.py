"""`stats`, `files` and the exported database: the same figures, whoever asks and whatever was done to the home.

The workers print recorded transcripts, of which the figures were counted by hand
(tests/data/figures.tsv).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import REPO
from conftest import World
from conftest import eventually
from conftest import git
from trees import isolated

DATA = REPO / "tests" / "data"
CASES = (
    *("claude/edit-and-bash", "claude/readedit", "claude/background-task-in-print", "claude/structured-retries-2"),
    *("codex/edit-and-bash", "codex/mcp-denied", "cursor/edit-and-shell", "cursor/shell-rejected"),
)
COUNTS = ("messages", "turns", "input", "cached", "output", "retries", "denied")
SUMS = (*COUNTS, "tool_calls", "files_read", "files_written", "billed_usd", "virtual_usd", "unknown_usd", "unpriced")
PAID = {"api": "billed_usd", "subscription": "virtual_usd", "-": "unknown_usd"}


def table() -> dict[str, dict[str, str]]:
    lines = [line for line in (DATA / "figures.tsv").read_text().splitlines() if not line.startswith("#")]
    head, *rows = [line.split("\t") for line in lines]
    return {row[0]: dict(zip(head, row)) for row in rows}


def number(cell: str) -> Any:
    return None if cell == "-" else float(cell)


def listed(cell: str) -> list[str]:
    return [] if cell in ("-", "0") else sorted(cell.split(","))


def count(cell: str) -> Any:
    """Of files; None where the stream tells of none."""
    return None if cell == "-" else len(listed(cell))


def by_hand(name: str) -> Any:
    """The sum of a column over CASES, and how many of them do not tell."""
    cells = [table()[case][name] for case in CASES]
    known = [float(cell) for cell in cells if cell != "-"]
    return (sum(known) if known else None), len(cells) - len(known)


def play(world: World, cases: Sequence[str]) -> dict[str, str]:
    """Each of the transcripts becomes a run of a backend of its own; their ids."""
    backends = {}
    for case in cases:
        stream = case.split("/")[0]
        transcript = str(DATA / "transcripts" / case / "stdout.jsonl")
        backends[case.replace("/", "-")] = {"argv": ["/bin/cat", transcript], "stdin": False, "stream": stream}
    profiles = {"x": {"backends": [{"backend": name} for name in backends]}}
    # Who met a limit would go on by itself after the reset, which no transcript ever sees.
    world.config(backends=backends, profiles=profiles, hold_at_most_s=0.001)
    runs = {}
    for case, name in zip(cases, backends):
        model = ["--model", "gpt-5.5"] if name.startswith("codex") else []
        runs[case] = world.ok("start", "--no-pane", "--profile", "x", "--backend", name, *model, stdin="do it")
    for run in runs.values():
        world.result(run)
    return runs


@pytest.fixture
def played(world: World, repo: Path) -> World:
    """A home in which each of CASES was a run."""
    play(world, CASES)
    return world


def stats(world: World, *words: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(world.ok("stats", "--json", *words))
    return loaded


def queried(path: Path, question: str, *values: object) -> list[Any]:
    database = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    try:
        return database.execute(question, values).fetchall()
    finally:
        database.close()


def exported(world: World) -> Path:
    path = world.root / "runs.db"
    world.ok("stats", "--export-sqlite", str(path))
    return path


def sums(path: Path, of: str = "") -> dict[str, Any]:
    """The totals, by SQL alone."""
    found = queried(path, "SELECT %s FROM usage %s" % (", ".join("SUM(%s)" % name for name in SUMS), of))[0]
    return dict(zip(SUMS, found))


def same(one: dict[str, Any], other: dict[str, Any], names: Sequence[str] = SUMS) -> None:
    for name in names:
        mine, theirs = one[name], other[name]
        rounded = [value if value is None else round(value, 9) for value in (mine, theirs)]
        assert rounded[0] == rounded[1], name


def test_totals_are_those_counted_by_hand_and_the_same_from_everywhere(played: World) -> None:
    first = stats(played, "--by", "backend")
    total = first["totals"]
    for name in COUNTS:
        count, unknown = by_hand(name)
        assert (total[name], total["not_said"].get(name, 0)) == (count, unknown), name
    assert round(total["billed_usd"], 9) == round(by_hand("cost")[0], 9)
    assert total["virtual_usd"] is None, "a subscription that gives no figure covered an unknown sum"
    # 29,944 and 20,238 tokens in, 250 and 101 out, at the prices of gpt-5.5, and nobody said who pays
    assert total["unknown_usd"] == pytest.approx((50182 * 5.0 + 351 * 30.0) / 1e6)
    assert total["unpriced"] == 2, "cursor's"
    assert total["tools"]["Bash"] == 4 and total["tool_calls"] == sum(total["tools"].values())
    assert len(first["groups"]) == len(CASES)
    assert stats(played, "--by", "backend") == first, "another process, out of the cache"
    (played.home / "figures.cache").unlink()
    assert stats(played, "--by", "backend") == first, "with the cache lost, as after a restart elsewhere"
    same(total, sums(exported(played)))


def test_each_transcript_has_its_figures_of_the_table_whoever_asks(world: World, repo: Path) -> None:
    hand = {case: row for case, row in table().items() if case != "codex/resume"}  # that one counts on from a run
    assert len(hand) >= 30
    runs = play(world, list(hand))
    first = stats(world, "--by", "backend")
    assert stats(world, "--by", "backend") == first, "another process, out of the cache"
    (world.home / "figures.cache").unlink()
    assert stats(world, "--by", "backend") == first, "with the cache lost, as after a restart elsewhere"
    told = {group["key"]: group for group in first["groups"]}
    path = exported(world)
    for case, row in hand.items():
        group, run = told[case.replace("/", "-")], runs[case]
        same(group, sums(path, "WHERE run_id = '%s'" % run))
        assert {name: group[name] for name in COUNTS} == {name: number(row[name]) for name in COUNTS}, case
        assert [group["files_read"], group["files_written"]] == [count(row[how]) for how in ("read", "written")], case
        assert group["tools"] == dict(queried(path, "SELECT tool, calls FROM tools WHERE run_id = ?", run)), case
        assert sorted("%s:%d" % pair for pair in group["tools"].items()) == listed(row["tools"]), case
        assert row["cost"] == "-" or group[PAID[row["who"]]] == round(number(row["cost"]), 9), case


def test_what_is_done_to_the_folders_by_hand_is_seen(played: World) -> None:
    assert stats(played)["totals"]["runs"] == len(CASES)
    runs = sorted((played.home / "runs").iterdir())
    before = stats(played)["totals"]["input"]
    gone = json.loads((runs[0] / "result.json").read_text())["usage"]["input"]
    aside = played.root / "aside"
    shutil.move(str(runs[0]), aside)
    assert stats(played)["totals"]["input"] == before - gone
    same(stats(played)["totals"], sums(exported(played)))
    shutil.copytree(aside, runs[0])
    assert stats(played)["totals"]["input"] == before
    copy = runs[0].with_name("20200101-000000-abcd")
    shutil.copytree(aside, copy)
    changed = json.loads((copy / "result.json").read_text())
    changed["usage"]["input"] += 1
    (copy / "result.json").write_text(json.dumps(changed))
    assert stats(played)["totals"]["input"] == before + gone + 1
    same(stats(played)["totals"], sums(exported(played)))
    assert json.loads(played.ok("files", "--json"))["files"], "files does not need the journal"


def test_live_and_lost_runs_count_with_what_is_known(world: World) -> None:
    ended = world.shell("exit 0", "--no-pane")
    world.result(ended)
    run = world.shell("sleep 60", "--no-pane")
    world.working(run)
    assert [tuple(row.values())[:2] for row in stats(world)["fleet"]] == [("running", 1), ("finished", 1)]
    assert run.encode() not in (world.home / "figures.cache").read_bytes(), "what lives is never cached"
    live = stats(world, "--by", "project")["groups"][0]
    assert (live["key"], live["runs"], live["not_said"]["working_s"], live["input"]) == ("p", 2, 1, None)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    eventually(lambda: [row["status"] for row in stats(world)["fleet"]] == ["finished", "lost"])
    world.run("stop", run)


def test_only_some_runs(played: World) -> None:
    assert stats(played, "--since", "1h")["totals"]["runs"] == len(CASES)
    assert stats(played, "--since", "2100-01-01")["totals"]["runs"] == 0
    assert stats(played, "--project", "none")["totals"]["input"] is None
    day = stats(played, "--by", "day")["groups"]
    assert len(day) in (1, 2) and stats(played, "--since", day[-1]["key"])["totals"]["runs"] == len(CASES)


def test_people_see_what_is_unknown_and_what_is_not_all(played: World) -> None:
    lines = played.ok("stats", "--by", "model").splitlines()
    head = next(line for line in lines if line.startswith("MODEL"))
    rows = {line.split()[0]: dict(zip(head.split(), line.split())) for line in lines if len(line.split()) > 10}
    assert rows["gpt-5.5"]["BILLED"] == "-" and rows["gpt-5.5"]["UNKNOWN"] == "$0.26"
    assert rows["gpt-5.5"]["TURNS"] == "-" and rows["total"]["TURNS"].endswith("+")
    assert rows["claude-opus-4-8[1m]"]["CONTEXT"] == "2%" and rows["gpt-5.5"]["CONTEXT"] == "-"
    assert rows["Auto"]["UNPRICED"] == "2" and rows["Auto"]["UNKNOWN"] == "-"
    assert lines[0].split() == ["STATUS", "RUNS", "AGENTS"] and lines[-1].startswith("tools: Bash 4")


def test_the_ways_to_group_are_completed(world: World) -> None:
    offered = [line.partition("\t")[0] for line in world.ok("_complete", "--", "stats", "--by", "").splitlines()]
    assert offered == ["agent", "role", "profile", "backend", "model", "project", "day", "workflow"]
    for way in offered:
        assert stats(world, "--by", way)["groups"] == []


@pytest.mark.parametrize(
    "words",
    [
        ("--by", "colour"),
        ("--since", "soon"),
        ("--export-sqlite", "x.db", "--by", "day"),
        ("--export-sqlite", "x.db", "--json"),
    ],
)
def test_what_cannot_be_is_said(world: World, words: tuple[str, ...]) -> None:
    done = world.run("stats", *words)
    assert done.returncode == 2 and done.stderr.startswith("agentctl: --") and not (world.project / "x.db").exists()


# -- the database


HOSTILE = "'; DROP TABLE runs; -- \x1b]0;owned\x07 \u202e \0 \"); é"


def test_what_a_worker_wrote_is_only_ever_a_value(world: World) -> None:
    script = "printf '%%s\\n' \"%s\"; printf '\\377\\376\\n'" % HOSTILE.replace("\0", "").replace('"', '\\"')
    run = world.ok("start", "--no-pane", "--title", HOSTILE.replace("\0", ""), "--", "sh", "-c", script)
    world.result(run)
    with (world.home / "runs" / run / "events.jsonl").open("a") as f:
        f.write(json.dumps({"kind": HOSTILE, "text": HOSTILE + "\ud800", "data": {"x": HOSTILE}, "at": 1}) + "\n{torn")
    result = world.home / "runs" / run / "result.json"
    raw = json.loads(result.read_text())
    raw["tool_calls"], raw["usage"]["tool_calls"], raw["usage"]["input"] = {HOSTILE: 3}, 3, 1 << 63
    result.write_text(json.dumps(raw))
    path = exported(world)
    assert queried(path, "SELECT count(*) FROM runs") == [(1,)]
    last = queried(path, "SELECT kind, text, data FROM events ORDER BY n DESC LIMIT 1")[0]
    assert last == (HOSTILE, HOSTILE + "?", json.dumps({"x": HOSTILE}))
    assert queried(path, "SELECT calls FROM tools WHERE tool = ?", HOSTILE) == [(3,)]
    assert queried(path, "PRAGMA integrity_check") == [("ok",)] and queried(path, "PRAGMA foreign_key_check") == []


def test_the_database_says_what_is_in_it_and_is_private(played: World) -> None:
    path = exported(played)
    tables = {name for (name,) in queried(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"about", "runs", "usage", "tools", "files", "events"}
    about = dict(queried(path, "SELECT name, words FROM about"))
    assert {"table " + name for name in tables - {"about"}} <= about.keys() and "2026" in about["prices"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert queried(path, "SELECT count(*) FROM events")[0][0] > 40
    assert queried(path, "SELECT path FROM files WHERE how = 'wrote' AND path = '/repo/README.md'")
    assert queried(path, "SELECT count(*) FROM usage WHERE turns IS NULL") == [(4,)]


def test_a_database_is_made_again_and_nothing_else_is_written_over(played: World) -> None:
    path = exported(played)
    before = path.stat().st_ino
    assert exported(played).stat().st_ino != before and queried(path, "SELECT count(*) FROM runs") == [(len(CASES),)]
    theirs = played.root / "theirs.db"
    database = sqlite3.connect(theirs)
    database.execute("CREATE TABLE precious (x)")
    database.commit()
    database.close()
    others = {theirs, played.root / "notes.txt", played.root / "empty", played.root / "link", played.root / "folder"}
    (played.root / "notes.txt").write_text("mine")
    (played.root / "empty").touch()
    (played.root / "link").symlink_to(path)
    (played.root / "folder").mkdir()
    for other in others:
        kept = other.read_bytes() if other.is_file() else b""
        done = played.run("stats", "--export-sqlite", str(other))
        assert done.returncode == 1 and "no database that agentctl has written" in done.stderr, (other, done.stderr)
        assert (other.read_bytes() if other.is_file() else b"") == kept
    (played.root / "runs.db-wal").touch()
    assert "is being written" in played.run("stats", "--export-sqlite", str(path)).stderr
    assert not [name for name in os.listdir(played.root) if name.endswith(".tmp")]


def test_a_database_that_cannot_be_written_is_one_line(world: World) -> None:
    done = world.run("stats", "--export-sqlite", str(world.root / "no" / "where.db"))
    words = "agentctl: there is no directory %s\nhint: make it, or give another name\n" % (world.root / "no")
    assert (done.returncode, done.stderr) == (1, words)


# -- files


def files(world: World, *words: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(world.ok("files", "--json", *words))["files"]
    return loaded


def test_one_file_of_two_worktrees_and_the_project_is_one_row(world: World, repo: Path) -> None:
    one = isolated(world, "echo 1 >> a.txt; echo x > only.txt")["run_id"]
    two = isolated(world, "echo 2 >> a.txt; git -c user.name=w -c user.email=w@e.org commit -qam two")["run_id"]
    three = world.shell("echo 3 >> a.txt", "--no-pane")
    world.result(three)
    rows = files(world)
    assert [(row["path"], row["conflict"]) for row in rows] == [("a.txt", True), ("only.txt", False)]
    assert [who["run_id"] for who in rows[0]["written_by"]] == sorted([one, two, three])
    assert [row["path"] for row in files(world, two)] == ["a.txt"] and not files(world, two)[0]["conflict"]
    assert [row["path"] for row in files(world, "--project", "p")] == ["a.txt", "only.txt"]
    assert files(world, "--project", "other") == []
    shown = world.ok("files").splitlines()
    assert shown[1].startswith("!") and "a.txt" in shown[1] and three + " ~" in shown[1]


def test_who_read_is_told_from_who_wrote(played: World) -> None:
    rows = {row["path"]: row for row in files(played)}
    assert set(rows) == {"/repo/" + name for name in ("hello.txt", "README.md", "h.py")}
    assert rows["/repo/hello.txt"]["conflict"] and len(rows["/repo/hello.txt"]["written_by"]) == 2
    readme = rows["/repo/README.md"]
    assert (len(readme["written_by"]), len(readme["read_by"]), readme["conflict"]) == (1, 2, False)
    assert all(who["told"] and who["ended_at"].endswith("Z") for who in readme["read_by"])


def test_a_live_run_is_asked_what_it_wrote_so_far(world: World, repo: Path) -> None:
    event = json.dumps({"kind": "file_write", "text": "w", "data": {"path": "live.txt"}})
    script = world.root / "worker"
    script.write_text("#!/bin/sh\necho '%s'\nexec sleep 60\n" % event)
    script.chmod(0o755)
    world.config(
        backends={"mine": {"argv": [str(script)], "stdin": False, "stream": "events"}},
        profiles={"x": {"backends": [{"backend": "mine"}]}},
    )
    run = world.ok("start", "--no-pane", "--profile", "x", stdin="do it")
    world.working(run)
    rows = eventually(lambda: files(world))
    assert [(row["path"], row["written_by"][0]["status"]) for row in rows] == [("live.txt", "running")]
    assert rows[0]["written_by"][0]["ended_at"] is None and git(repo, "status", "--short") == ""
    world.ok("stop", run)
