"""The live table without a terminal: facts to rows, rows to frames, frames to what must be written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agentctl.model import Limits
from agentctl.model import Spec
from agentctl.table import board
from agentctl.table import frame
from agentctl.table import layout
from agentctl.table import oneline
from agentctl.table import rows
from agentctl.table.board import Board
from agentctl.table.rows import Row
from screens import Screen

NOW = 1_000_000.0
SPEC = Spec(id="20260215-143022-ab12", title="a title", profile="spark", created_at=NOW - 500)
EVIL = "\x1b]0;owned\x07\x1b[2J \u202e end"


def live(said: dict[str, Any], **spec: Any) -> Row:
    return rows.live_row(SPEC.replace(**spec), {"status": "running", **said}, "")


def ended(**known: Any) -> Row:
    return rows.ended_row({"run_id": "r", "finished_at": NOW, **known}, "")


# -- who needs a person


@pytest.mark.parametrize(
    ("said", "spec", "need"),
    [
        ({}, {}, ""),
        ({"denied": 0, "limit": None, "retries": 0}, {}, ""),
        ({"denied": 2}, {}, "denied"),
        ({"limit": {"text": "5-hour limit"}}, {}, "limit"),
        ({"limit": {}}, {}, ""),
        ({"retries": 3, "doing": "waiting to try again: 529"}, {}, "blocked"),
        ({"retries": 3, "doing": "Bash: ls"}, {}, ""),
        ({"retries": 2, "doing": "waiting to try again: 529"}, {}, ""),
        ({"usage": {"cost_usd": 0.8}}, {"limits": Limits(max_cost_usd=1.0)}, "budget"),
        ({"usage": {"virtual_usd": 0.8}}, {"limits": Limits(max_cost_usd=1.0)}, "budget"),
        ({"usage": {"cost_usd": 0.7}}, {"limits": Limits(max_cost_usd=1.0)}, ""),
        ({"usage": {"turns": 8}}, {"limits": Limits(max_turns=10)}, "budget"),
        ({"usage": {"turns": None}}, {"limits": Limits(max_turns=10)}, ""),
        ({"denied": "x", "limit": 3, "retries": [], "usage": 7, "doing": None}, {}, ""),
    ],
)
def test_what_a_live_run_needs(said: dict[str, Any], spec: dict[str, Any], need: str) -> None:
    row = live(said, **spec)
    assert row.need == need and bool(row.why) == bool(need)


@pytest.mark.parametrize(
    ("known", "need"),
    [
        ({"status": "finished", "goal_met": True}, ""),
        ({"status": "finished", "goal_met": False}, "not_met"),
        ({"status": "finished", "goal_met": False, "backend": "goal"}, "rejected"),
        ({"status": "finished", "goal_met": True, "verified": "failed"}, "check_failed"),
        ({"status": "finished", "goal_met": None}, ""),
        *(({"status": status}, status) for status in ("failed", "lost", "timed_out")),
        *(({"status": status}, "") for status in ("stopped", "skipped")),
        ({"status": "failed", "escalated_to": "x"}, ""),
        ({"status": "failed", "goal": "g"}, ""),
        ({"status": "invalid", "error": "meta.json is damaged"}, "failed"),
    ],
)
def test_what_an_end_needs(known: dict[str, Any], need: str) -> None:
    assert ended(**known).need == need


def test_silence_needs_a_person_until_something_is_heard() -> None:
    row = live({})
    quiet = rows.heard(row, NOW - 900, NOW, 900.0)
    assert (quiet.need, quiet.why, quiet.heard_at) == ("idle", "has printed nothing for 15m00s", NOW - 900)
    assert rows.heard(quiet, NOW, NOW, 900.0).need == ""
    assert rows.heard(row, NOW - 900, NOW, 0.0).need == "", "0 is never"
    assert rows.heard(row.replace(status="paused"), NOW - 900, NOW, 900.0).need == ""
    assert rows.heard(row.replace(need="denied", why="w"), NOW - 900, NOW, 900.0).need == "denied"


def test_what_was_read_or_went_on_needs_nobody() -> None:
    failed = ended(status="failed")
    assert rows.shown([failed], set(), NOW) == [failed]
    assert rows.shown([failed], {"r"}, NOW) == []
    assert rows.shown([failed], {"r"}, NOW - 1) == [failed.replace(need="", why="")], "it ended a moment ago"
    after = Row(run_id="s", status="running", parent="r")
    assert rows.shown([failed, after], set(), NOW) == [after]
    denied = live({"denied": 1})
    assert rows.shown([denied], {denied.run_id}, NOW)[0].need == "", "it goes on without"
    places: tuple[dict[str, Any], ...] = ({"backend": "goal"}, {"workflow": "w-1", "step": "build"})
    for place in places:
        first = ended(status="lost", created_at=1.0, **place)
        again = rows.live_row(Spec(id="s", created_at=2.0, **place), {}, "r")
        assert rows.shown([first, again], set(), NOW) == [again], "it was resumed"
    other = rows.live_row(Spec(id="s", created_at=2.0, workflow="w-1", step="test"), {}, "")
    assert rows.shown([first, other], set(), NOW) == [first, other]
    assert (rows.event_of(denied), rows.event_of(failed)) == (denied.run_id + ".denied", "r.ended")


def test_those_that_need_a_person_come_first_and_members_stand_below_their_goal() -> None:
    def row(name: str, born: float, status: str = "running", **more: Any) -> Row:
        return Row(**{"run_id": name, "family": name, "status": status, "created_at": born, **more})

    told = [
        row("calm", 9.0),
        row("paused", 8.0, "paused"),
        row("waits", 7.0, "queued"),
        row("done", 9.5, "finished"),
        row("quiet", 1.0, need="idle"),
        row("broke", 2.0, "failed", need="failed"),
        row("goal", 3.0),
        row("m1", 4.0, family="goal", member=True),
        row("m2", 5.0, family="goal", member=True, need="denied"),
    ]
    order = [r.run_id for r in rows.ordered(told)]
    assert order == ["goal", "m2", "m1", "broke", "quiet", "calm", "waits", "paused", "done"]
    assert rows.counted(told) == {"running": 5, "queued": 1, "paused": 1, "need": 3}


@pytest.mark.parametrize(
    ("stat", "found"),
    [
        ("", {}),
        (" a | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)", {"file": 1, "insertion": 1, "deletion": 1}),
        (" 12 files changed, 30 insertions(+)", {"file": 12, "insertion": 30, "deletion": 0}),
        ("nonsense", {}),
    ],
)
def test_sizes_of_a_diff(stat: str, found: dict[str, int]) -> None:
    assert rows.sizes(stat) == found


# -- cells


def test_cells_say_what_is_known_and_nothing_else() -> None:
    said = {
        "usage": {"turns": 12, "virtual_usd": 0.12},
        "context_tokens": 90_000,
        "context_window": 200_000,
        "files_written": 3,
        "doing": "Bash: pytest -q",
        "denied": 1,
    }
    row = rows.heard(live(said, agent="ada", role="builder"), NOW - 130, NOW, 0.0)
    assert layout.cells(row, NOW) == (
        *("20260215-143022-ab12", "ada", "builder", "spark", "! denied", "2m", "12", "45%", "~$0.12", "3 files"),
        *("a title", "was refused a permission · Bash: pytest -q"),
    )
    bare = layout.cells(live({}), NOW)
    assert bare == ("20260215-143022-ab12", "", "", "spark", "running", "8m", "", "", "", "", "a title", "")
    over = ended(status="failed", error="it broke", git_diff_stat=" 2 files changed, 10 insertions(+), 2 deletions(-)")
    assert layout.cells(over, NOW)[4:] == ("! failed", "0s", "", "", "", "+10 -2", "", "it broke")


def test_a_member_is_called_as_its_team_calls_it() -> None:
    row = rows.live_row(SPEC.replace(goal="g", agent="g-tester"), {}, "")
    assert (row.agent, row.family, row.member) == ("tester", "g", True)
    assert rows.live_row(SPEC.replace(backend="goal"), {}, "first").family == "first"


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (-5, "0s"), (59.9, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")]
)
def test_age(seconds: float | None, words: str) -> None:
    assert layout.age(seconds) == words


@pytest.mark.parametrize(
    ("words", "width", "fits"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("e\u0301e\u0301", 3, "e\u0301e\u0301 "),
        ("abc", 0, ""),
        ("", 2, "  "),
    ],
)
def test_fitted_is_exactly_so_wide(words: str, width: int, fits: str) -> None:
    assert layout.fitted(words, width) == fits and layout.breadth(fits) == width


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 140, 200, 400])
def test_every_line_fits_whatever_is_in_it(width: int) -> None:
    said = {"usage": {"turns": 99_999, "cost_usd": 123.4}, "doing": "日本" * 90, "context_tokens": 12345}
    mixed = [live(said, title="x" * 90, agent="a" * 40, role="r" * 40, profile="p" * 40), live({"doing": EVIL})]
    for line in board.table([*mixed, mixed[0].replace(member=True)], NOW, width):
        assert layout.breadth("".join(words for words, _ in line)) <= max(width, 30)
    pieces = [[layout.breadth(words) for words, _ in line] for line in board.table(mixed, NOW, width)]
    assert pieces[0] == pieces[1] == pieces[2], "columns stand below each other"


def test_a_wide_terminal_shows_more_and_a_pipe_everything() -> None:
    row = live({"usage": {"turns": 3}, "doing": "d" * 200}, role="tester", agent="ada")

    def heads(width: int) -> list[str]:
        return [words.strip() for words, _ in board.table([row], NOW, width)[0]]

    assert heads(0) == ["RUN", "AGENT", "ROLE", "PROFILE", "STATE", "AGE", "TURNS", "TITLE", "DOING"]
    assert heads(200) == heads(0) and len(heads(60)) < len(heads(80)) < len(heads(200))
    assert {"RUN", "STATE", "DOING"} <= set(heads(40)) and heads(10) == ["RUN", "STATE"]
    assert board.table([row], NOW, 0)[1][-1][0] == "d" * 200
    assert board.table([row], NOW, 60)[1][0][0].strip() == "ab12", "what tells it apart is its end"


def test_what_a_worker_wrote_is_made_harmless() -> None:
    row = live({"doing": EVIL, "limit": {"text": EVIL}}, title=EVIL, agent=EVIL, role=EVIL, profile=EVIL)
    shown = frame.printed(board.table([row, ended(status="failed", error=EVIL)], NOW, 0), True)
    assert not re.search("\x1b(?!\\[[\\d;]*m)|[\x00-\x09\x0b-\x1a\x7f-\x9f\u202e]", shown)


# -- frames


def whole(lines: list[Any], coloured: bool) -> Screen:
    screen = Screen(70, 10)
    screen.write(frame.difference([], lines, coloured))
    return screen


def seen(screen: Screen) -> list[list[tuple[str, str]]]:
    """The cells with their styles; of an empty one in plain style it does not matter how it came to be."""
    return [list(zip(cells, styles)) for cells, styles in zip(screen.cells, screen.styles)]


def some_frames() -> list[list[Any]]:
    """What may follow each other: other figures, other rows, other columns, wide letters, none at all."""
    one, two = live({"doing": "Bash: ls"}), live({"doing": "日本 e\u0301"}, id="20260215-143022-cd34", title="語")
    states = [
        [one],
        [one.replace(doing="Bash: pwd")],
        [one, two],
        [two, one],
        [two.replace(doing="done", turns=4)],
        [],
        [one, two.replace(need="denied", why="was refused")],
    ]
    boards = [board.kept(Board(chosen=two.run_id if n % 2 else ""), shown, 10) for n, shown in enumerate(states)]
    return [
        board.frame(b, shown, "%d" % len(shown), NOW + n, (70, 10)) for n, (b, shown) in enumerate(zip(boards, states))
    ]


def test_a_difference_makes_the_one_frame_of_the_other() -> None:
    frames = some_frames()
    for coloured in (True, False):
        for before in frames:
            for after in frames:
                screen, wanted = whole(before, coloured), whole(after, coloured)
                screen.write(frame.difference(before, after, coloured))
                assert (screen.text(), seen(screen)) == (wanted.text(), seen(wanted))
                assert coloured or "m" not in re.findall(
                    "\x1b\\[[\\d;]*([A-Za-z])", frame.difference(before, after, False)
                )


def test_only_what_changed_is_written() -> None:
    shown = [live({"doing": "x"}, id="20260215-143022-%04d" % n, title="t%d" % n) for n in range(20)]
    first = board.frame(Board(), shown, "s", NOW, (100, 24))
    assert frame.difference(first, board.frame(Board(), shown, "s", NOW, (100, 24)), True) == ""
    second = board.frame(Board(), [*shown[:7], shown[7].replace(doing="y"), *shown[8:]], "s", NOW, (100, 24))
    screen = Screen(100, 24)
    screen.write(frame.difference(first, second, True))
    assert 0 < screen.touched < 80, "one cell of one row"


def test_what_a_terminal_may_take_for_narrower_leaves_nothing_of_the_old_behind() -> None:
    old, new = [(("\u65e5\u672c ", ""),)], [(("ab   ", ""),)]
    assert frame.difference(old, new, True) == "\x1b[1;1H\x1b[5Xab   "
    assert frame.difference(new, [(("cd   ", ""),)], True) == "\x1b[1;1Hcd   "


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 2), (10, 3), (20, 4), (80, 24), (300, 100)])
def test_a_frame_is_never_larger_than_the_screen(width: int, height: int) -> None:
    shown = [live({"doing": "x" * 300}, id="20260215-143022-%04d" % n) for n in range(30)]
    lines = board.frame(board.kept(Board(), shown, height), shown, "s" * 300, NOW, (width, height))
    assert len(lines) <= height


def test_what_is_left_behind_has_no_ends_of_spaces() -> None:
    assert frame.printed([(("a  ", "bold"), ("b   ", "red")), ()], False) == "a  b\n\n"
    assert frame.printed([(("a ", "red"),)], True) == "\x1b[31ma\x1b[0m\n"


# -- the board


def ids(count: int) -> list[Row]:
    return [Row(run_id="r%d" % n) for n in range(count)]


def test_the_choice_stays_with_its_run() -> None:
    at = board.moved(board.kept(Board(), ids(10), 24), ids(10), 4, 24)
    assert (at.chosen, at.at) == ("r4", 4)
    turned = ids(10)[::-1]
    assert board.kept(at, turned, 24).at == 5 and board.kept(at, turned, 24).chosen == "r4"
    gone = board.kept(at, [row for row in ids(10) if row.run_id != "r4"], 24)
    assert (gone.chosen, gone.at) == ("r5", 4), "what stands in its place"
    assert board.kept(at, [], 24) == Board(chosen="", at=0, top=0)


def test_the_choice_is_in_sight() -> None:
    at = board.kept(Board(), ids(50), 13)
    for _ in range(12):
        at = board.moved(at, ids(50), 1, 13)
    assert (at.at, at.top) == (12, 3)
    at = board.moved(at, ids(50), 100, 13)
    assert (at.chosen, at.top) == ("r49", 40)
    assert board.moved(at, ids(50), -100, 13).top == 0
    assert board.kept(at, ids(50), 60).top == 0, "all of it fits now"
    assert board.moved(at.replace(note="said"), ids(50), 1, 13).note == ""


# -- one line for who waits


def test_one_line_says_what_one_run_does_and_how_many_stand() -> None:
    said = {"usage": {"turns": 1, "cost_usd": 0.5}, "doing": "Bash: ls", "context_tokens": 5, "context_window": 10}
    one = live(said, agent="ada")
    assert oneline.words([one], 0, NOW, 200) == "ab12 ada · running 8m · 1 turn · context 50% · $0.50 · Bash: ls"
    assert oneline.words([live({})], 0, NOW, 200) == "ab12 · running 8m"
    other = live({"denied": 1, "doing": "on"}, id="20260215-143022-cd34").replace(heard_at=NOW)
    words = oneline.words([one, other], 3, NOW, 200)
    assert words == "! 1 needs you · 3 of 5 ended · 2 running · cd34 · was refused a permission · on"
    assert oneline.words([], 3, NOW, 200) == ""
    assert layout.breadth(oneline.words([live({"doing": EVIL + "日本" * 99})], 0, NOW, 61)) <= 61
