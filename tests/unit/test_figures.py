"""Figures of runs, sums of them and prices: what is unknown stays unknown."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agentctl import config
from agentctl import git
from agentctl import judge
from agentctl import listing
from agentctl import paths
from agentctl import prices
from agentctl import progress
from agentctl import store
from agentctl import text
from agentctl import ui
from agentctl.commands import _since
from agentctl.errors import AgentctlError
from agentctl.figures import cache
from agentctl.figures import costs
from agentctl.figures import export
from agentctl.figures import of_run
from agentctl.figures import totals
from agentctl.figures import touched
from agentctl.figures.of_run import Figures
from agentctl.measures import Usage
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.model import Worktree

ENTRY = {"input": 5.0, "cached": 0.5, "output": 30.0}
TABLE = costs.Table(models={"gpt-5.5": [{"since": "2026-04-23", **ENTRY}]})


def result(**more: Any) -> Result:
    base: dict[str, Any] = {
        "run_id": "20260501-101500-00aa",
        "status": "finished",
        "backend": "codex",
        "model": "gpt-5.5",
        "billing": "",
        "cwd": "/repo",
        "usage": Usage(input=1_000_000, cached=200_000, output=10_000),
        "created_at": 1_777_630_500.0,
        "started_at": 1_777_630_502.5,
        "finished_at": 1_777_630_512.5,
    }
    return Result(**{**base, **more})


def figures(**more: Any) -> Figures:
    return of_run.figures(result(**more).to_json(), Spec(cwd="/repo"))


# -- of one run


def test_times_are_those_of_waiting_and_working() -> None:
    made = figures()
    assert (made.day, made.ended, made.waiting_s, made.working_s) == ("2026-05-01", "2026-05-01", 2.5, 10.0)


def test_a_run_that_never_began_used_nothing_and_said_nothing() -> None:
    made = figures(usage=Usage(), started_at=None, status="skipped", retries=0)
    assert (made.waiting_s, made.working_s, made.retries, made.files_written, made.unpriced) == (
        None,
        None,
        None,
        None,
        0,
    )


def test_a_run_that_began_and_told_no_cost_is_unpriced() -> None:
    assert figures(usage=Usage(), backend="codex").unpriced == 1
    for status in ("lost", "running"):  # which tell no start
        assert figures(usage=Usage(), status=status, started_at=None, messages=0).unpriced == 1
    assert figures(usage=Usage(), backend="shell", model="").unpriced == 0


@pytest.mark.parametrize(
    ("billing", "cost", "virtual", "columns"),
    [
        ("api", 0.5, None, (0.5, None, None)),
        ("subscription", None, 0.5, (None, 0.5, None)),
        ("", 0.5, None, (None, None, 0.5)),
        (None, 0.5, None, (0.5, None, None)),  # a result of before it said who pays
    ],
)
def test_three_columns_never_mix(billing: object, cost: Any, virtual: Any, columns: object) -> None:
    made = figures(billing=billing, usage=Usage(input=1, cost_usd=cost, virtual_usd=virtual))
    assert (made.billed_usd, made.virtual_usd, made.unknown_usd) == columns and not made.unpriced


def test_what_git_saw_is_written_too_and_each_file_counts_once() -> None:
    made = figures(files_written=("/repo/a.py", "b.py"), git_files=("a.py", "c.py"), git_base="f00")
    assert made.files_written == 3
    assert figures(backend="shell", git_base="f00", git_head="f00").files_written == 0
    assert figures(backend="shell").files_written is None


def test_what_git_could_not_compare_is_unknown() -> None:
    assert figures(backend="shell", git_base="f00", git_head="").files_written is None
    late = ("git: uncommitted changes not recorded: it took too long",)
    assert figures(backend="shell", git_base="f00", git_head="f00", warnings=late).files_written is None
    assert figures(backend="shell", git_base="f00", git_head="f01", git_files=("a",), warnings=late).files_written == 1


def test_a_list_that_was_cut_is_no_count() -> None:
    assert judge.MOST_LISTED == progress.MOST_FILES == git.FILES_LIMIT
    names = tuple("%05d.py" % n for n in range(3000))
    assert figures(files_written=names[:1999]).files_written == 1999
    assert figures(files_written=names[:2000]).files_written is None
    assert figures(git_files=names[:2000]).files_written is None
    assert figures(files_read=judge.bounded(["%s/%d" % ("x" * 300, n) for n in range(1500)])).files_read is None


def test_a_clock_that_was_set_back_tells_no_time() -> None:
    made = figures(created_at=1_777_630_600.0, started_at=1_777_630_502.5, finished_at=1_777_630_501.0)
    assert (made.waiting_s, made.working_s) == (None, None)


# -- prices


@pytest.mark.parametrize(
    "model", ["m-4", "m-4[1m]", "m-4-20251001", "m-4-20251001[1m]", "m-4@20251001", "m-4-2025-10-01"]
)
def test_a_dated_name_or_a_variant_has_the_price_of_its_base(model: str) -> None:
    assert prices.in_force({"m-4": ENTRY}, model, "2026-01-01") == ENTRY
    assert prices.in_force({"m": ENTRY, "m-4-mini": ENTRY}, model, "2026-01-01") is None


def test_an_exact_name_comes_before_its_base() -> None:
    assert prices.in_force({"m": ENTRY, "m[1m]": {"input": 1}}, "m[1m]", "2026-01-01") == {"input": 1}


def test_the_price_of_the_day_counts() -> None:
    table = {"m": [{"since": "2026-03-01", "input": 2}, {"since": "2026-01-01", "input": 1}]}
    found = [prices.in_force(table, "m", day) for day in ("2025-12-31", "2026-01-01", "2026-02-28", "2026-03-01")]
    assert [entry and entry["input"] for entry in found] == [None, 1, 1, 2]


def test_a_cost_needs_every_count_and_every_price() -> None:
    assert prices.cost(ENTRY, Usage(input=1_000_000, cached=1_000_000, output=1_000_000)) == 35.5
    assert prices.cost(ENTRY, Usage(input=1_000_000, output=0)) == 5.0
    assert prices.cost(ENTRY, Usage(input=1_000_000)) is None
    assert prices.cost(ENTRY, Usage(output=1)) is None
    assert prices.cost({"input": 1, "output": 1}, Usage(input=1, cached=1, output=1)) is None


@pytest.mark.parametrize(
    ("billing", "column"), [("", "unknown_usd"), ("api", "billed_usd"), ("subscription", "virtual_usd")]
)
def test_the_table_fills_the_column_of_who_pays(billing: str, column: str) -> None:
    made = costs.priced(figures(billing=billing), TABLE, "2026-11-20")
    assert getattr(made, column) == pytest.approx(5.0 + 0.1 + 0.3) and made.unpriced == 0
    assert [getattr(made, other) for other in totals.MONEY].count(None) == 2


def test_the_vendors_own_figure_wins_even_where_it_is_nothing() -> None:
    told = figures(billing="api", usage=Usage(input=1_000_000, output=1_000_000, cost_usd=0.0))
    assert costs.priced(told, TABLE, "2026-11-20") is told and told.billed_usd == 0.0


def test_no_price_is_unknown_and_not_nothing() -> None:
    for lacking in (figures(model="composer-2.5"), figures(finished_at=1_700_000_000.0)):
        made = costs.priced(lacking, TABLE, "2026-11-20")
        assert (made.billed_usd, made.virtual_usd, made.unknown_usd, made.unpriced) == (None, None, None, 1)


def test_the_shipped_table_is_sound_and_says_from_when_and_where() -> None:
    with open(paths.asset("config", "prices.json"), encoding="utf-8") as f:
        raw = json.load(f)
    assert prices.wrong_with(raw["models"]) == "" and raw["source"] and raw["as_of"] >= "2026-11-20"
    for model, entries in raw["models"].items():
        days = [entry["since"] for entry in entries]
        assert days == sorted(set(days)), model
        assert all(e["cached"] < e["input"] < e["output"] for e in entries), model


def test_the_shipped_price_of_opus_is_what_claude_itself_says_of_recorded_runs() -> None:
    """modelUsage of the transcripts readedit and auto-compact: inputTokens, outputTokens, costUSD."""
    table = costs.Table.from_json(json.loads(Path(paths.asset("config", "prices.json")).read_text())).models
    for model, used, said in (
        ("claude-opus-4-8[1m]", Usage(input=97292, output=196), 0.49136),
        ("claude-sonnet-4-6", Usage(input=192000, output=100), 0.5775),
    ):
        entry = prices.in_force(table, model, "2026-11-20")
        assert entry and prices.cost(entry, used) == pytest.approx(said)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"m": 5},
        {"m": [{"input": 1}]},
        {"m": {"input": "1", "output": 2}},
        {"m": {"input": True, "output": 2}},
        {"m": {"input": -1, "output": 2}},
        {"m": {"input": 1, "output": 2, "cached": "x"}},
        {"m": {"input": 1, "output": 2, "since": "yesterday"}},
        {"m": {"input": 1, "output": 2, "since": "2026-13-01"}},
    ],
)
def test_a_wrong_price_of_the_users_is_said_and_not_used(tmp_path: Path, raw: object) -> None:
    home = store.create_home(str(tmp_path / "home"))
    Path(home.config).write_text(json.dumps({"prices": raw}))
    loaded, problem = config.load(home)
    assert "`prices`" in problem and loaded.prices is None and "`prices`" in loaded.wrong


def test_the_users_price_comes_first(tmp_path: Path) -> None:
    home = store.create_home(str(tmp_path / "home"))
    Path(home.config).write_text(json.dumps({"prices": {"gpt-5.5": {"input": 1, "output": 1}, "mine": [ENTRY]}}))
    known = costs.table(home)
    assert known.own == {"gpt-5.5": {"input": 1, "output": 1}, "mine": [ENTRY]}
    assert "claude-opus-4-8" in known.models and known.as_of
    spent = Usage(input=1_000_000, cached=0, output=0)
    for model, cost in (("gpt-5.5", 1.0), ("mine", 5.0), ("claude-opus-4-6", 5.0)):
        assert costs.priced(figures(model=model, usage=spent), known, "2026-11-20").unknown_usd == cost


def test_before_the_users_price_is_in_force_the_shipped_one_counts() -> None:
    known = TABLE.replace(own={"gpt-5.5": {"since": "2026-05-02", "input": 1, "output": 1}})
    spent = Usage(input=1_000_000, cached=0, output=0)
    days = [costs.priced(figures(usage=spent, finished_at=1_777_630_512.5 + n * 86400), known, "") for n in (0, 1)]
    assert [one.unknown_usd for one in days] == [5.0, 1.0]


# -- sums


def test_a_sum_is_of_what_is_known_and_says_who_did_not_tell() -> None:
    total = totals.total([Figures(input=3, tools={"Bash": 1}), Figures(input=None, tools={"Bash": 2, "Read": 4})])
    assert (total.runs, total.input, total.output, total.not_said["input"], total.not_said["output"]) == (
        2,
        3,
        None,
        1,
        2,
    )
    assert total.tools == {"Read": 4, "Bash": 3} and list(total.tools) == ["Read", "Bash"]
    assert totals.total([]).input is None


def test_money_is_summed_by_column_and_in_any_order_the_same() -> None:
    runs = [Figures(billed_usd=0.1 * n, unknown_usd=None if n % 2 else 0.3, unpriced=n % 2) for n in range(101)]
    total = totals.total(runs)
    assert total == totals.total(runs[::-1])
    assert (total.billed_usd, total.virtual_usd, total.unknown_usd, total.unpriced) == (505.0, None, 15.3, 50)


def test_junk_of_any_size_is_summed() -> None:
    runs = [Figures(billed_usd=9e299, waiting_s=9e299, input=1 << 64), Figures(billed_usd=0.1)]
    assert totals.total(runs).billed_usd == 9e299


def test_groups_are_sorted_by_cost_and_days_by_time() -> None:
    runs = [
        Figures(agent="a", day="2026-01-02", billed_usd=1.0),
        Figures(agent="b", day="2026-01-03", unknown_usd=2.0),
        Figures(agent="", day="2026-01-01", input=7),
        Figures(agent="c", day="2026-01-01"),
    ]
    assert [key for key, _ in totals.grouped(runs, "agent")] == ["b", "a", "", "c"]
    assert [key for key, _ in totals.grouped(runs, "day")] == ["2026-01-03", "2026-01-02", "2026-01-01"]


def test_the_fleet_counts_an_agent_that_is_still_there_where_its_newest_run_is() -> None:
    runs = [
        Figures(run_id="1", status="finished", agent="a", at=2.0),
        Figures(run_id="2", status="failed", agent="a", at=1.0),
        Figures(run_id="3", status="failed"),
        Figures(run_id="4", status="invalid", agent="deleted"),
    ]
    assert [tuple(row.values()) for row in totals.fleet(runs, ["a", "idle"])] == [
        ("finished", 1, 1),
        ("failed", 2, 0),
        ("invalid", 1, 0),
    ]


def test_an_agent_with_prompts_in_the_queue_is_counted_where_it_works() -> None:
    runs = [
        Figures(run_id="1", status="finished", agent="a"),
        Figures(run_id="2", status="running", agent="a"),
        Figures(run_id="3", status="queued", agent="a"),
        Figures(run_id="4", status="queued", agent="a"),
        Figures(run_id="5", status="finished", agent="b"),
        Figures(run_id="6", status="queued", agent="b"),
    ]
    assert [tuple(row.values()) for row in totals.fleet(runs, ["a", "b"])] == [
        ("queued", 3, 1),
        ("running", 1, 1),
        ("finished", 2, 0),
    ]


def test_a_wide_table_is_cut_into_parts_that_fit() -> None:
    assert ui._parts([5, 4, 4, 4], 0) == [[0, 1, 2, 3]] == ui._parts([5, 4, 4, 4], 23)
    assert ui._parts([5, 4, 4, 4], 22) == [[0, 1, 2], [0, 3]]
    assert ui._parts([50, 4, 4], 20) == [[0, 1], [0, 2]], "a column each, if need be"


# -- since when


def test_a_moment_in_utc_is_that_of_the_system() -> None:
    for at in (0, 951_782_400, 1_709_164_799, 1_795_171_859, 4_102_444_800):
        assert text.utc(*time.gmtime(at)[:6]) == at


def test_since_takes_durations_days_and_moments() -> None:
    now = 1_795_171_859.0
    assert _since.moment("7d", now) == now - 7 * 86400
    assert _since.moment("12h", now) == now - 12 * 3600
    assert _since.moment("2026-11-20", now) == 1_795_132_800
    assert _since.moment("2026-11-20T10:50:59Z", now) == 1_795_171_859


@pytest.mark.parametrize(
    "words", ["", "yesterday", "2026-02-30", "2026-13-01", "2026-11-20T25:00", "2026-11-20T12:75", "7", "-3d", "x7d"]
)
def test_since_refuses_what_is_no_time(words: str) -> None:
    if words == "7":
        assert _since.moment(words, 100.0) == 93.0  # seconds, as everywhere
        return
    with pytest.raises(AgentctlError):
        _since.moment(words, 100.0)


# -- who touched what


def test_the_same_file_of_two_worktrees_is_one() -> None:
    tree = Worktree(run="r2", path="/trees/r2", inside="sub", common="/repo/.git")
    one = touched.touches(result(run_id="r1", files_written=("/repo/sub/x.py",)), Spec(cwd="/repo/sub", top="/repo"))
    two = touched.touches(
        result(run_id="r2", files_written=("/trees/r2/sub/x.py", "../lib.py"), git_files=("sub/x.py", "new.py")),
        Spec(cwd="/trees/r2/sub", top="/trees/r2", worktree=tree),
    )
    assert [(t.path, t.told) for t in one] == [("sub/x.py", True)]
    assert [(t.path, t.told) for t in two] == [("lib.py", True), ("new.py", False), ("sub/x.py", True)]
    at_one_place = [touch.replace(place="p") for touch in (*one, *two)]
    rows = touched.by_path(at_one_place)
    assert [(row["path"], row["conflict"]) for row in rows] == [
        ("sub/x.py", True),
        ("lib.py", False),
        ("new.py", False),
    ]
    assert [who["run_id"] for who in rows[0]["written_by"]] == ["r1", "r2"]


def test_worktrees_and_their_project_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    top, common = str(tmp_path / "repo"), str(tmp_path / "repo" / ".git")
    plain = touched.touches(result(files_written=("a",)), Spec(cwd=top, top=top))
    tree = touched.touches(result(files_written=("a",)), Spec(cwd="/t", top="/t", worktree=Worktree(common=common)))
    assert plain[0].place == tree[0].place != ""


def test_a_file_outside_keeps_its_whole_name() -> None:
    found = touched.read(result(files_read=("/etc/hosts", "/repository/x", "/repo/x")), Spec(cwd="/repo", top="/repo"))
    assert found == {"/etc/hosts", "/repository/x", "x"}


def test_reading_is_no_conflict() -> None:
    rows = touched.by_path(
        [touched.Touch(path="x", how=touched.READ, run_id=r) for r in "ab"]
        + [touched.Touch(path="x", how=touched.WROTE, run_id="b")]
    )
    assert [row["conflict"] for row in rows] == [False] and len(rows[0]["read_by"]) == 2


# -- the cache


def add(home: store.Home, number: int, **more: Any) -> Path:
    run_id = "20260501-101500-%04x" % number
    folder = Path(home.runs, run_id)
    folder.mkdir()
    folder.joinpath("meta.json").write_text(json.dumps(Spec(id=run_id, cwd="/repo").to_json()))
    folder.joinpath("result.json").write_text(json.dumps(result(run_id=run_id, **more).to_json()))
    folder.joinpath("notified").touch()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    made = store.create_home(str(tmp_path / "home"))
    for number in range(3):
        add(made, number, usage=Usage(input=10**number, output=1))
    return made


def inputs(home: store.Home) -> list[Any]:
    return [one.input for one in cache.every(home)]


def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a result was read")

    monkeypatch.setattr(cache, "_of_folder", refuse)


def test_a_second_look_reads_no_result_and_says_the_same(home: store.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache.every(home)
    unread(monkeypatch)
    assert cache.every(home) == first and inputs(home) == [1, 10, 100]
    assert all(one.unknown_usd for one in first), "the price is no part of the cache, and is there"


def test_folders_removed_added_and_replaced_by_hand_are_seen(home: store.Home) -> None:
    assert inputs(home) == [1, 10, 100]
    subprocess.run(["rm", "-r", os.path.join(home.runs, "20260501-101500-0001")], check=True)
    assert inputs(home) == [1, 100]
    add(home, 7, usage=Usage(input=5))
    assert inputs(home) == [1, 100, 5]
    before = Path(home.runs, "20260501-101500-0007", "result.json")
    info = before.stat()
    words = before.read_text().replace('"input": 5', '"input": 8')
    before.write_text(words)  # the same file and size, and below the same time
    os.utime(before, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert before.stat().st_size == info.st_size
    assert inputs(home) == [1, 100, 8]


def test_a_folder_that_is_still_being_copied_is_looked_at_again(home: store.Home) -> None:
    """Its result came first; what names of files mean is known only with its meta.json."""
    names = {"cwd": "/repo/sub", "files_written": ("/repo/sub/a.py",), "git_files": ("sub/a.py",)}
    folder = add(home, 7, **names)
    folder.joinpath("meta.json").unlink()
    cache.every(home)
    spec = Spec(id=folder.name, cwd="/repo/sub", top="/repo")
    folder.joinpath("meta.json").write_text(json.dumps(spec.to_json()))
    assert [one.files_written for one in cache.every(home)][-1] == 1


def test_an_error_of_the_moment_is_not_kept(home: store.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(store.Run, "recorded", full)
        assert [one.status for one in cache.every(home)] == ["invalid"] * 3
    assert inputs(home) == [1, 10, 100]


def test_a_folder_removed_between_two_looks_is_gone(home: store.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = listing.record_of

    def removing(home: store.Home, run_id: str, now: float) -> Any:
        record = asked(home, run_id, now)
        if run_id.endswith("0001"):
            shutil.rmtree(os.path.join(home.runs, run_id))
        return record

    monkeypatch.setattr(listing, "record_of", removing)
    assert inputs(home) == [1, 100]


def test_another_price_needs_no_new_cache(home: store.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    dear = [one.unknown_usd for one in cache.every(home)]
    Path(home.config).write_text(json.dumps({"prices": {"gpt-5.5": {"input": 0, "output": 0}}}))
    unread(monkeypatch)
    assert [one.unknown_usd for one in cache.every(home)] == [0.0] * 3 != dear


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 100, b"0" * 32 + b"\n{}", None])
def test_a_damaged_cache_is_made_again(home: store.Home, damage: object) -> None:
    cache.every(home)
    path = Path(home.figures_cache)
    good = path.read_bytes()
    path.write_bytes(damage if isinstance(damage, bytes) else good.replace(b"100", b"999"))
    assert inputs(home) == [1, 10, 100] and path.read_bytes() == good


def test_a_cache_of_another_version_is_made_again(home: store.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_VERSION", "figures 0")
    cache.every(home)
    old = Path(home.figures_cache).read_bytes()
    monkeypatch.undo()
    assert inputs(home) == [1, 10, 100] and Path(home.figures_cache).read_bytes() != old


def test_a_folder_in_place_of_the_cache_does_no_harm(home: store.Home) -> None:
    Path(home.figures_cache).mkdir()
    assert inputs(home) == inputs(home) == [1, 10, 100]
    assert not [name for name in os.listdir(home.path) if name.endswith(".tmp")]


def test_a_damaged_result_is_a_lost_run_and_hides_no_other(home: store.Home) -> None:
    Path(home.runs, "20260501-101500-0001", "result.json").write_text("{")
    assert inputs(home) == [1, None, 100]
    assert cache.every(home)[1].status == "lost" and cache.every(home)[1].day == "2026-05-01"


def test_many_processes_at_once_do_each_other_no_harm(home: store.Home) -> None:
    program = [sys.executable, "-I", "-S", str(Path(paths.PACKAGE).parent / "bin" / "agentctl"), "--home", home.path]
    for _ in range(3):
        Path(home.figures_cache).unlink(missing_ok=True)
        those = [subprocess.Popen([*program, "stats", "--json"], stdout=subprocess.PIPE) for _ in range(4)]
        said = {one.communicate()[0] for one in those}
        assert len(said) == 1 and json.loads(said.pop())["totals"]["input"] == 111
    assert not [name for name in os.listdir(home.path) if name.endswith(".tmp")]


def test_what_a_killed_export_left_is_cleared_away(home: store.Home, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    folder = tmp_path / "db"
    folder.mkdir()
    others = {".runs.db.%d.tmp" % os.getppid(), ".runs.db.x.tmp", ".other.db.%d.tmp" % ended.pid}
    for name in (*others, ".runs.db.%d.tmp" % ended.pid):
        (folder / name).touch()
    export.export(home, str(folder / "runs.db"))
    assert set(os.listdir(folder)) == {*others, "runs.db"}


def test_names_of_tools_that_become_the_same_are_one_tool(home: store.Home, tmp_path: Path) -> None:
    add(home, 7, usage=Usage(tool_calls=3), tool_calls={chr(0xD800): 1, chr(0xD801): 2})
    assert export.export(home, str(tmp_path / "runs.db")) == 4
    with sqlite3.connect(tmp_path / "runs.db") as database:
        assert database.execute("SELECT tool, calls FROM tools").fetchall() == [("?", 3)]


def test_status_and_figures_of_an_exported_run_are_of_one_look(
    home: store.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends while the database is being written: not `finished` with what it had used before that."""
    asked, looks = listing.record_of, []

    def ending(home: store.Home, run_id: str, now: float) -> Any:
        looks.append(run_id)
        record = asked(home, run_id, now)
        early = record and {**record, "status": "running", "usage": Usage(input=looks.count(run_id)).to_json()}
        return early if looks.count(run_id) == 1 else record

    monkeypatch.setattr(listing, "record_of", ending)
    export.export(home, str(tmp_path / "runs.db"))
    with sqlite3.connect(tmp_path / "runs.db") as database:
        found = database.execute("SELECT status, input FROM runs JOIN usage USING (run_id)").fetchall()
    assert found == [("running", 1)] * 3


def test_an_export_that_fails_leaves_the_old_one_and_nothing_else(
    home: store.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db" / "runs.db"
    path.parent.mkdir()
    assert export.export(home, str(path)) == 3
    before = path.read_bytes()

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_flush", full)
    with pytest.raises(OSError, match="No space"):
        export.export(home, str(path))
    assert os.listdir(path.parent) == ["runs.db"] and path.read_bytes() == before
