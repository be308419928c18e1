"""The morning's page: what is on it, what is believed, and that nothing an agent wrote can act."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import shlex
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agentctl import custody
from agentctl import store
from agentctl.custody import Kept
from agentctl.figures.costs import Table
from agentctl.goals import journal
from agentctl.goals import kin
from agentctl.measures import Usage
from agentctl.model import Spec
from agentctl.model import Worktree
from agentctl.reporting import advice
from agentctl.reporting import as_html
from agentctl.reporting import as_md
from agentctl.reporting import as_text
from agentctl.reporting import choosing
from agentctl.reporting import composing
from agentctl.reporting import cycles
from agentctl.reporting import facts
from agentctl.reporting import gathering
from agentctl.store import Home
from agentctl.store import Run
from conftest import git
from goalmaker import Maker
from goalmaker import failed_check
from goalmaker import night
from goalmaker import passed_check
from goalmaker import verdict

AT = 1_790_000_000.0
HOSTILE = (
    "</pre></script><script>alert(1)</script> ``` ````x` | [a](javascript:b) <img src=x> \x1b]0;owned\x07\u202e & '\""
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return store.create_home(str(tmp_path / "home"))


@pytest.fixture
def maker(home: Home) -> Maker:
    return Maker(home, AT)


def goal_of(home: Home, root: Run) -> facts.Goal:
    return gathering.goal(home, kin.runs(home, root.id), Table(), AT + 1000)


def shown(home: Home, since: bool = True) -> str:
    report = choosing.since_last(home, AT + 5000) if since else choosing.since(home, 0.0, AT + 5000)
    return as_text.whole(composing.page(report))


def commands(found: facts.Goal) -> list[str]:
    return [each.command for each in found.advice]


# -- what a goal's report tells


def test_a_night_of_three_cycles(home: Home, maker: Maker) -> None:
    root = maker.goal()
    night(maker, root)
    maker.end(root)
    found = goal_of(home, root)
    assert (found.outcome, found.why) == ("accepted", "the check passed, and all verifiers accept")
    assert [cycle.accepted for cycle in found.cycles] == [False, False, True]
    assert [[c.passed for c in cycle.checks] for cycle in found.cycles] == [[False], [True], [True]]
    assert [[(v.who, v.accept) for v in cycle.verdicts] for cycle in found.cycles] == [
        [],
        [("architect", False)],
        [("architect", True), ("tester", True)],
    ]
    assert (found.changed.files, found.changed.commit, found.changed.diff_stat) == (3, "d" * 40, " a.py | 9 ++++-----")
    words = shown(home)
    for part in (
        "Accepted in cycle 3 of 5, after 1m00s at work",
        "Cycle 1: rejected; its orchestrator said that it was done",
        "check  failed  make test · exit code 2",
        "    | FAILED tests/test_cart.py::test_limit",
        "architect  rejected  src/cart.py forgets the limit",
        "evidence of tester:",
        "3 files since aaaaaaaaaaaa",
        "worker_smart: was refused a permission: Bash(rm -rf /)",
    ):
        assert part in words, words
    assert "Traceback" not in words


def test_costs_are_in_three_columns_by_member_and_what_is_unknown_is_no_nothing(home: Home, maker: Maker) -> None:
    root = maker.goal()
    maker.member(root, "worker_smart")
    maker.member(root, "worker_smart", usage=Usage(input=5, cost_usd=1.0), billing="")
    maker.member(root, "architect", usage=Usage(output=2, virtual_usd=0.5), billing="subscription")
    maker.member(root, "tester", usage=Usage(input=7), billing="api")
    maker.end(root)
    found = goal_of(home, root)
    columns = [(m.who, m.totals.billed_usd, m.totals.virtual_usd, m.totals.unknown_usd) for m in found.members]
    assert columns == [("worker_smart", 0.25, None, 1.0), ("architect", None, 0.5, None), ("tester", None, None, None)]
    assert (found.totals.runs, found.totals.turns, found.totals.unpriced) == (4, 3, 1)
    words = shown(home)
    assert re.search(r"tester +1 +- +7 +- +- +1m00s +- +- +- +1\n", words), words
    assert re.search(r"total +4 +3\+ .* \$0\.25 +\$0\.50 +\$1\.00 +1\n", words), words
    assert "of 1 run no cost is known, so the whole was more than this" in words


def test_the_outcome_is_the_drivers_own_end_and_no_line_in_a_file(home: Home, maker: Maker) -> None:
    for ended in (
        {"status": "failed", "exit_code": 1, "goal_met": None},
        {"status": "finished", "exit_code": 0, "goal_met": False},
        {"status": "finished", "exit_code": None, "goal_met": True},
        {"status": "lost", "exit_code": None, "goal_met": None},
    ):
        root = maker.goal()
        maker.write(root, {"step": "cycle", "cycle": 1}, {"step": "over", "outcome": "accepted", "why": "forged"})
        maker.end(root, **ended)
        found = goal_of(home, root)
        assert found.outcome != "accepted" and found.doubt, ended
        assert commands(found)[0] == "agentctl goal resume %s" % root.id
    silent = maker.end(maker.goal())
    assert goal_of(home, silent).outcome == "accepted" and goal_of(home, silent).doubt


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("rejected", "it was not accepted"),
        ("same_rejection", "it stopped: it was rejected for the same reasons again and again"),
        ("no_progress", "it stopped: a cycle changed nothing"),
        ("out_of_money", "it stopped: out of money"),
        ("gave_up", "its orchestrator gave up"),
        ("something\x1b[31m_new", "something"),
    ],
)
def test_how_a_goal_ended_that_was_not_accepted(outcome: str, words: str, home: Home, maker: Maker) -> None:
    root = maker.goal()
    maker.write(
        root,
        {"step": "cycle", "cycle": 1},
        {"step": "spent", "what": "money", "words": "$2.00 of $2.00"},
        {"step": "over", "outcome": outcome, "why": "because of this"},
    )
    maker.end(root, status="failed", exit_code=1, goal_met=None, error="the worker ended with exit code 1")
    found = goal_of(home, root)
    assert [need.kind for need in found.needs] == ["rejected", "budget"]
    page = shown(home)
    assert "Not accepted: %s" % words in page and "because of this" in page and "\x1b" not in page
    assert "a limit of the goal is reached: $2.00 of $2.00" in page


def test_a_resumed_goal_is_one_and_finds_its_last_cycle_anew(home: Home, maker: Maker) -> None:
    root = maker.goal()
    maker.write(
        root,
        {"step": "begun", "resumed": ""},
        {"step": "cycle", "cycle": 1},
        failed_check(1),
        verdict(1, "x", False, "y"),
    )
    maker.end(root, status="lost", exit_code=None, goal_met=None)
    second = maker.goal(root=root.id)
    maker.write(second, {"step": "begun", "resumed": root.id}, {"step": "cycle", "cycle": 1}, passed_check(1))
    found = goal_of(home, root)
    assert found.runs == (root.id, second.id) and len(found.cycles) == 1
    assert [check.passed for check in found.cycles[0].checks] == [True] and found.cycles[0].verdicts == ()
    assert found.status == "queued" and commands(found)[:2] == [
        "agentctl follow %s" % second.id,
        "agentctl goal stop %s" % root.id,
    ]
    assert not [c for c in commands(found) if "reset" in c or "stash" in c], "a driver works on that branch"
    assert choosing.since_last(home, AT + 500).goals == ()
    maker.end(second)
    assert [goal.runs for goal in choosing.since_last(home, AT + 500).goals] == [(root.id, second.id)]


def test_who_waits_for_a_decision(home: Home, maker: Maker) -> None:
    root = maker.goal()
    limit = {"reason": "usage", "reset_at": AT + 100, "text": "You've hit your limit"}
    maker.member(root, "architect", status="failed", goal_met=None, error="stopped at 30 turns")
    maker.member(root, "tester", status="failed", goal_met=None, error="You've hit your limit", limit=limit)
    maker.end(root, status="failed", exit_code=1, goal_met=None, error="x")
    found = goal_of(home, root)
    assert [(need.who, need.kind) for need in found.needs] == [
        ("", "rejected"),
        ("architect", "budget"),
        ("tester", "limit"),
        ("tester", "failed"),
    ]
    assert re.search(r"ran into a limit \(usage, until \d{4}-\d\d-\d\d \d\d:\d\d\): You've hit your limit", shown(home))


# -- the commands


def test_commands_of_a_goal_in_a_worktree(home: Home, maker: Maker) -> None:
    root = maker.goal(verify="make test && echo 'ok'")
    spec = root.spec()
    made = Worktree(
        run=root.id, path="/w/it's", branch="agentctl/x", base="a" * 40, common="/repo/.git", source="/repo"
    )
    (Path(root.path) / "meta.json").write_text(json.dumps(spec.replace(worktree=made).to_json()))
    kept = Kept(worktree=made, made_at=AT, filled_at=AT)
    custody.save(home, kept)
    maker.end(root)
    see, land, clean = commands(goal_of(home, root))
    assert shlex.split(see) == ["git", "-C", "/w/it's", "diff", "a" * 40]
    assert shlex.split(land) == ["agentctl", "merge", root.id, "--verify", "make test && echo 'ok'"]
    assert clean == "agentctl cleanup %s" % root.id
    assert goal_of(home, root).needs[0].kind == "land"
    custody.save(home, kept.replace(landed="c" * 40, into="main"))
    found = goal_of(home, root)
    assert commands(found) == [see, clean] and found.needs == () and found.changed.landed == "main"
    custody.save(home, kept.replace(removed_at=AT))
    assert commands(goal_of(home, root)) == ["agentctl undo %s" % root.id]


def test_commands_of_a_goal_in_place_bring_the_directory_back(home: Home, maker: Maker, tmp_path: Path) -> None:
    repo = tmp_path / "it's a repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    git(repo, "config", "user.email", "t@example.org")
    git(repo, "config", "user.name", "t")
    (repo / "a.txt").write_text("one\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "first")
    base = git(repo, "rev-parse", "HEAD").strip()
    root = maker.end(maker.goal(base=base, top=str(repo)), git_head="b" * 40, git_commits=1, git_base=base)
    (repo / "a.txt").write_text("two\n")
    git(repo, "commit", "-qam", "second")
    (repo / "a.txt").write_text("three\n")
    (repo / "new.txt").write_text("new\n")
    diff, *undoing = commands(goal_of(home, root))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    said = subprocess.run(["sh", "-c", diff], env=env, capture_output=True, text=True, timeout=30, check=True).stdout
    assert "+three" in said and "-one" in said
    for command in undoing:
        subprocess.run(["sh", "-c", command], env=env, timeout=30, check=True, capture_output=True)
    assert len(undoing) == 2 and sorted(p.name for p in repo.iterdir()) == [".git", "a.txt"]
    assert (repo / "a.txt").read_text() == "one\n" and git(repo, "rev-parse", "HEAD").strip() == base
    none = maker.end(maker.goal(base="", top=""), git_commits=0)
    assert commands(goal_of(home, none)) == []


# -- which runs it is on


def test_what_was_told_is_not_told_again_and_nothing_falls_between(home: Home, maker: Maker) -> None:
    first = maker.ended(Spec(backend="shell", title="first"))
    long = maker.begin(Spec(backend="shell", title="long"))
    report = choosing.since_last(home, AT + 100)
    assert [run.run_id for run in report.runs] == [first.id] and [run.run_id for run in report.alive] == [long.id]
    assert choosing.since_last(home, AT + 100).runs == report.runs, "only who has told it says so"
    choosing.remember(home, report)
    assert choosing.since_last(home, AT + 101).runs == ()
    maker.end(long, finished_at=AT + 99)  # it had ended before, and its result was written after, the report
    maker.at = AT + 200
    new = maker.ended(Spec(backend="shell", title="new"))
    report = choosing.since_last(home, AT + 300)
    assert [run.run_id for run in report.runs] == [new.id, long.id] and report.since == AT + 100
    choosing.remember(home, report)
    assert choosing.since_last(home, AT + 301).runs == ()
    assert [run.title for run in choosing.since(home, AT + 250, AT + 300).runs] == ["new"]
    assert len(choosing.since(home, AT, AT + 300).runs) == 3


def test_an_end_is_told_of_a_run_that_was_noted_after_a_younger_one(home: Home, maker: Maker) -> None:
    young = maker.ended(Spec(backend="shell", title="young"))
    maker.at -= 100
    late = maker.ended(Spec(backend="shell", title="planned for long"), finished_at=AT + 50)
    choosing.remember(home, facts.Report(at=AT - 50))
    assert [run.run_id for run in choosing.since_last(home, AT + 100).runs] == [late.id, young.id]


def test_an_older_id_above_its_line_hides_nothing_of_a_goal(home: Home, maker: Maker) -> None:
    root = maker.goal()
    tester = maker.member(root, "tester")
    maker.at -= 100
    late = maker.ended(Spec(backend="shell", title="planned for long"))
    worker = maker.member(root, "worker")  # under a clock that was set back
    maker.at += 100
    maker.end(root)
    again = maker.end(maker.goal(root=root.id))
    assert late.id < worker.id < root.id < again.id
    assert [run.id for run in kin.runs(home, root.id)] == [root.id, again.id]
    assert [run.id for run in kin.members(home, root.id)] == [tester.id, worker.id]
    assert goal_of(home, root).runs == (root.id, again.id)
    lines = Path(home.journal).read_text().splitlines(keepends=True)
    Path(home.journal).write_text("".join(line for line in lines if not line.startswith(root.id)))
    assert [run.id for run in kin.runs(home, root.id)] == [root.id, again.id], "its own line is lost"


def test_a_damaged_mark_is_none(home: Home, maker: Maker) -> None:
    maker.ended(Spec(backend="shell"))
    for words in ("{", "[]", '{"at": "x", "live": 3}'):
        Path(home.reported).write_text(words)
        assert len(choosing.since_last(home, AT + 100).runs) == 1


def test_goals_come_first_and_their_members_in_no_other_part(home: Home, maker: Maker) -> None:
    other = maker.ended(
        Spec(backend="shell", title="other"), status="failed", goal_met=None, error="killed by signal 9"
    )
    root = maker.goal()
    member = maker.member(root, "tester")
    maker.end(root)
    alive = maker.begin(Spec(backend="claude", title="alive", goal=maker.goal("second").id))
    report = choosing.since_last(home, AT + 100)
    assert [goal.goal for goal in report.goals] == [root.id] and [run.run_id for run in report.runs] == [other.id]
    assert alive.id in [run.run_id for run in report.alive]
    words = shown(home)
    places = [words.index(part) for part in (root.id, "Other runs that ended", other.id, "What still runs", alive.id)]
    assert places == sorted(places) and member.id not in words
    assert "%s: failed: killed by signal 9" % other.id in words
    assert "agentctl show %s --events" % other.id in words


def test_nothing_is_a_page_too(home: Home) -> None:
    page = composing.page(choosing.since_last(home, AT))
    assert as_text.whole(page).endswith("Nothing has ended\n─────────────────\n  and nothing runs\n")
    assert "Nothing has ended" in as_md.whole(page) and "Nothing has ended" in as_html.whole(page)


def test_many_runs_are_counted(home: Home, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_MOST_RUNS", 5)
    for _ in range(8):
        maker.ended(Spec(backend="shell"))
    report = choosing.since_last(home, AT + 5000)
    assert (len(report.runs), report.more) == (5, 3)
    assert "and 3 more: see `agentctl list -n 1000`" in as_text.whole(composing.page(report))


# -- nothing that was written acts


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self.feed(words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(home: Home, maker: Maker) -> facts.Report:
    """Everything that an agent can write, hostile."""
    root = maker.goal(HOSTILE)
    maker.member(
        root, "tester", denied=(HOSTILE,), error=HOSTILE, status="failed", goal_met=None, limit={"text": HOSTILE}
    )
    entries: list[dict[str, Any]] = [
        {"step": "cycle", "cycle": 1},
        {"step": "ended", "claim": HOSTILE, "summary": HOSTILE},
        {"step": "checkpoint", "diff_stat": HOSTILE, "files": 1, "commit": HOSTILE},
        {**failed_check(1), "tail": HOSTILE, "why": HOSTILE, "of": HOSTILE, "files": [HOSTILE]},
        {**verdict(1, HOSTILE, False, HOSTILE), "evidence": [HOSTILE]},
        {"step": "spent", "words": HOSTILE},
        {"step": "over", "outcome": HOSTILE, "why": HOSTILE},
    ]
    maker.write(root, *entries)
    maker.end(root, status="failed", goal_met=None, exit_code=1, error=HOSTILE)
    maker.ended(Spec(backend="shell", title=HOSTILE), status="failed", goal_met=None, error=HOSTILE)
    maker.begin(Spec(backend="shell", title=HOSTILE))
    return choosing.since_last(home, AT + 100)


def test_the_html_is_nothing_but_text_and_loads_nothing(home: Home, maker: Maker) -> None:
    page = as_html.whole(composing.page(hostile(home, maker)))
    seen = Reader(page)
    assert seen.tags == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "pre", "code"),
        *("div", "table", "tr", "th", "td"),
    }
    assert seen.attributes.keys() == {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert seen.text.count("<script>alert(1)</script>") > 10 and "<script" not in page
    assert "\x1b" not in page and "\u202e" not in page and "url(" not in page and "http:" not in page


def test_the_pages_own_policy_allows_its_style_and_nothing_else(home: Home) -> None:
    page = as_html.whole(composing.page(choosing.since_last(home, AT)))
    digest = base64.b64encode(hashlib.sha256(as_html.STYLE.encode()).digest()).decode()
    assert digest == as_html.DIGEST, "the style has changed: this is its digest now"
    assert "<style>%s</style>" % as_html.STYLE in page
    assert "content=\"default-src 'none'; style-src 'sha256-%s'" % digest in page
    assert page.index("Content-Security-Policy") < page.index("<style>") and "unsafe" not in page
    assert 'name="viewport" content="width=device-width' in page


def test_the_markdown_keeps_what_was_written_in_fences_and_spans(home: Home, maker: Maker) -> None:
    words = as_md.whole(composing.page(hostile(home, maker)))
    outside, fence = [], ""
    for line in words.splitlines():
        found = re.match(r"(`{3,})(\w*)$", line)
        if not fence and found:
            fence = found.group(1)
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert not fence, "every fence is closed"
    for line in outside:
        bare = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        assert "<" not in re.sub(r"\\.", "", bare) and "[" not in re.sub(r"\\.", "", bare), line
        if line.startswith("| ") and not line.startswith("| ---"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (4, 6, 9, 12), line
    assert "\x1b" not in words and "\u202e" not in words


def test_the_text_is_printable(home: Home, maker: Maker) -> None:
    words = as_text.whole(composing.page(hostile(home, maker)))
    assert all(c == "\n" or c.isprintable() for c in words)


def test_a_journal_of_junk_is_read_without_a_word(home: Home, maker: Maker) -> None:
    draw = random.Random(7)
    junk: list[Any] = [None, 1, -1, 1.5, True, "", "x", [], ["a", 3, None], {}, {"a": 1}, 1 << 70]
    names = ("cycle", "of", "command", "passed", "why", "tail", "files", "who", "run", "accept", "reasons", "evidence",
             "accepted", "claim", "summary", "commit", "diff_stat", "what", "words", "outcome", "resumed")  # fmt: skip
    steps = ("begun", "cycle", "run", "ended", "checkpoint", "check", "verdict", "judged", "spent", "over", "news")
    for _ in range(8):
        root = maker.goal()
        for _ in range(30):
            entry = {name: draw.choice(junk) for name in names if draw.random() < 0.6}
            maker.write(root, {**entry, "step": draw.choice(steps)})
        with open(root.file("raw.jsonl"), "ab") as raw:
            raw.write(b"\xff\xfe{not json\n" + b'{"kind": "step", "data": {"step": 7}}\n{"kind": "step"}')
        maker.end(root)
        report = facts.Report(at=AT, goals=(goal_of(home, root),))
        for form in (as_text.whole, as_md.whole, as_html.whole):
            assert root.id in form(composing.page(report))
        json.dumps(facts.public(report), allow_nan=False)


def test_a_page_stays_a_page(home: Home, maker: Maker) -> None:
    root = maker.goal()
    long = "\n".join("line %d %s" % (n, "x" * 300) for n in range(60))
    for number in range(1, 10):
        entries = [{"step": "cycle", "cycle": number}, {**failed_check(number), "tail": long}]
        entries += [{**verdict(number, "w%d" % n, False, long), "evidence": [long] * 5} for n in range(4)]
        maker.write(root, *entries, {"step": "judged", "cycle": number, "accepted": False, "reasons": [long]})
    maker.end(root, status="failed", exit_code=1, goal_met=None, git_diff_stat=long)
    words = as_text.whole(composing.page(facts.Report(at=AT, goals=(goal_of(home, root),))))
    assert len(words.splitlines()) < 170 and max(map(len, words.splitlines())) < 600


def test_the_facts_are_one_object_with_times_that_programs_read(home: Home, maker: Maker) -> None:
    root = maker.goal()
    night(maker, root)
    maker.end(root)
    told = facts.public(choosing.since_last(home, AT + 100))
    assert re.match(r"\d{4}-\d\d-\d\dT", told["goals"][0]["began_at"])
    assert told["goals"][0]["cycles"][1]["verdicts"][0]["reasons"] == ["src/cart.py forgets the limit"]
    assert told["goals"][0]["members"][0]["totals"]["billed_usd"] == 0.25


def test_the_words_of_one_member_are_those_of_the_journal_or_the_team() -> None:
    team: dict[str, Any] = {"tester": {}}
    assert gathering.member_of(Spec(step="ask 3", role="tester"), team) == "tester"
    assert gathering.member_of(Spec(step="ask 3", role="x"), team) == "ask 3"
    assert gathering.member_of(Spec(role="x", agent="y"), team) == "x"
    assert cycles.words({"x": "one"}, "x") == ("one",) and cycles.words({}, "x") == ()
    assert advice.when(float("inf")) == "----" and journal.OVER == "over"
