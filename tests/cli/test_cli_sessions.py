"""`agentctl sessions` and `resume --session`, as a person and a program call them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from agentctl.sessions.session import Session
from conftest import World
from conftest import git
from vendors import Vendors

THEN = 1_700_000_000.0
"""A time that does not move: asked for by hours that reach back to it from whenever this runs."""

BEGAN = {"claude": "2023-11-14T22:11:05Z", "codex": "2023-11-14T22:10:39Z", "cursor": None}
"""Of the first of each vendor. Cursor's lines have no time."""


@pytest.fixture
def vendors(world: World) -> Vendors:
    return Vendors(world.user, THEN)


def listed(world: World, *words: str) -> Any:
    return json.loads(world.ok("sessions", "--hours", "900000", *words, "--json"))


def test_the_json_of_each_vendor_whole(world: World, vendors: Vendors) -> None:
    """Every key, in its order: a contract."""
    folder = str(world.project)
    made = [getattr(vendors, name)(folder, 100 + n) for n, name in enumerate(("claude", "codex", "cursor"))]
    (world.user / ".claude" / "projects" / "x").mkdir()
    bad = world.user / ".claude" / "projects" / "x" / Path(made[0]["path"]).name.replace("-4", "-5")
    bad.write_bytes(bytes(9))
    shown = listed(world)
    assert {name: value for name, value in shown.items() if name != "sessions"} == {
        "format": 1,
        "hours": 900000.0,
        "damaged": 1,
        "damaged_files": [{"path": str(bad), "why": "no line of it can be read"}],
    }
    assert [list(one) for one in shown["sessions"]] == [list(Session().to_json())] * 3
    ours = {"project": "p", "title": "", "doing": "", "ours": False, "run_id": ""}
    for one, want in zip(shown["sessions"], made):  # as many, by the line above
        live = None if one["backend"] == "cursor" else False
        began = {"created_at": BEGAN[one["backend"]], "size": os.path.getsize(want["path"])}
        assert one == {**want, **ours, **began, "live": live}


def test_for_people(world: World, vendors: Vendors) -> None:
    made = vendors.claude(str(world.project), 100, prompt="Sell\x1b[31m plums\u202e\nnow")
    other = vendors.cursor("/srv/other", 200)
    head, *rows = world.ok("sessions", "--hours", "900000").splitlines()
    assert head.split()[:5] == ["SESSION", "BACKEND", "ACTIVE", "STATE", "RUN"]
    assert re.match(
        r"%s  claude +\d+d +- +- +claude-opus-4-8 +[\d.]+k +p +Sell\[31m plums now\Z" % made["session_id"], rows[0]
    )
    assert re.match(r"%s  cursor +\d+d +\? +- +- +- +/srv/other +Look at" % other["session_id"], rows[1])
    of_p = world.ok("sessions", "--project", "p", "--hours", "900000").splitlines()[1:]
    assert [row.split() for row in of_p] == [rows[0].split()]
    assert world.ok("sessions", "--hours", "0.01") == ""


def test_show(world: World, vendors: Vendors) -> None:
    made = vendors.codex(str(world.project), 100, turns=3, prompt="Sell plums")
    words = world.ok("sessions", "show", made["session_id"][:12])
    assert re.search(r"^model +gpt-5.5$", words, re.M) and re.search(r"^live +no$", words, re.M)
    assert words.splitlines()[-2:][1] == "assistant: done with turn 2"
    raw = json.loads(world.ok("sessions", "show", made["session_id"], "--json"))
    assert (raw["format"], raw["session_id"], raw["last_active_at"]) == (1, made["session_id"], made["last_active_at"])
    assert [list(message) for message in raw["messages"]] == [["role", "text", "at"]] * 6
    assert raw["messages"][0]["text"] == "Sell plums" and raw["messages"][0]["at"].endswith("Z")


def test_search(world: World, vendors: Vendors) -> None:
    made = vendors.cursor(str(world.project), 100, prompt="Sell plums")
    vendors.claude(str(world.project), 100, prompt="Buy pears")
    head, row = world.ok("sessions", "search", "PLUMS", "--hours", "900000").splitlines()
    assert row.split() == [made["session_id"], "cursor", "user", "Sell", "plums"]
    raw = json.loads(world.ok("sessions", "search", "plums", "--hours", "900000", "--json"))
    assert (raw["searched"], raw["whole"], raw["damaged"]) == (2, True, 0)
    assert raw["hits"] == [
        {"session_id": made["session_id"], "backend": "cursor", "role": "user", "excerpt": "Sell plums"}
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sessions", "--hours", "0"), "--hours wants a number above 0"),
        (("sessions", "--hours", "nan"), "--hours wants a number above 0"),
        (("sessions", "show"), "`sessions show` wants a session's id"),
        (("sessions", "search"), "`sessions search` wants the words to look for"),
        (("sessions", "list", "x"), "`sessions list` wants nothing more"),
        (("sessions", "--backend", "shell"), "backend `shell` keeps no sessions"),
        (("resume",), "resume wants one of --parent-run-id and --session"),
        (("resume", "--session", "x", "--parent-run-id", "y"), "resume wants one of --parent-run-id and --session"),
        (
            ("resume", "--parent-run-id", "y", "--project", "p"),
            "a run stays in its project: --project goes with --session",
        ),
    ],
)
def test_called_wrongly(world: World, words: tuple[str, ...], said: str) -> None:
    done = world.run(*words, stdin="go on")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "agentctl: " + said and "\nhint: " in done.stderr


def refused(world: World, word: str, *options: str) -> str:
    before = sorted(os.listdir(world.home / "runs"))
    done = world.run("resume", "--session", word, *options, stdin="go on")
    assert done.returncode in (1, 2) and done.stdout == "" and "\nhint: " in done.stderr, done
    assert sorted(os.listdir(world.home / "runs")) == before
    return done.stderr.splitlines()[0]


def test_a_session_that_cannot_be_resumed_is_refused_with_the_reason(world: World, vendors: Vendors) -> None:
    gone = vendors.codex("/srv/gone", 100)["session_id"]
    assert "is gone: /srv/gone" in refused(world, gone)
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    foreign = vendors.claude(str(elsewhere), 100)["session_id"]
    assert "no project is registered for" in refused(world, foreign)
    assert "is not of project `p`: its directory is" in refused(world, foreign, "--project", "p")
    assert "no session `nobody`" in refused(world, "nobody")
    assert "no session" in refused(world, foreign, "--backend", "codex")
    twins = [vendors.codex(str(world.project), 100, prompt="x")["session_id"] for _ in range(2)]
    assert re.search(r"begins \d session ids", refused(world, os.path.commonprefix(twins)))
    unknown = vendors.cursor("/srv/nowhere", 100)
    (Path(unknown["path"]).parents[2] / ".workspace-trusted").unlink()
    assert "nobody knows the directory" in refused(world, unknown["session_id"])


def test_one_of_ours_stays_in_the_project_of_its_run(world: World, vendors: Vendors) -> None:
    other = world.root / "other"
    other.mkdir()
    world.ok("add-project", "other", str(other))
    made = vendors.claude(str(world.project), 100)["session_id"]
    folder = world.home / "runs" / "20260101-000000-aaaa"
    folder.mkdir()
    for name in ("meta.json", "result.json"):
        said = {"id": folder.name, "session_id": made, "project": "p", "status": "finished"}
        (folder / name).write_text(json.dumps(said))
    (world.home / "journal").write_text(folder.name + "\tp\n")
    assert refused(world, made, "--project", "other").endswith("is of project `p`, by run %s" % folder.name)
    assert "no project named `none`" in refused(world, made, "--project", "none")


def test_a_session_that_a_tui_has_open_is_refused(world: World, vendors: Vendors) -> None:
    made = vendors.claude(str(world.project), 100)
    folder = world.user / ".claude" / "sessions"
    folder.mkdir()
    alive = {"pid": os.getpid(), "sessionId": made["session_id"], "status": "idle"}
    (folder / ("%d.json" % os.getpid())).write_text(json.dumps(alive))
    assert refused(world, made["session_id"]) == "agentctl: session %s is open: claude has it now" % made["session_id"]


def test_completion_offers_sessions(world: World) -> None:
    made = Vendors(world.user).claude(str(world.project), 100)
    for words in (("sessions", "show"), ("resume", "--session")):
        assert made["session_id"] in world.ok("_complete", "--", *words, "")


def test_a_share_of_many(world: World) -> None:
    """5,000 under AGENTCTL_LONG=1; how fast is in bench/."""
    git(world.project, "init", "-q")
    count = 5000 if os.environ.get("AGENTCTL_LONG") else 250
    made = Vendors(world.user).many(count, [str(world.project), "/srv/a", "/srv/b"])
    shown = json.loads(world.ok("sessions", "--json"))
    assert (shown["damaged"], len(shown["sessions"])) == (0, count)
    assert [{name: one[name] for name in want} for one, want in zip(shown["sessions"], made)] == made
    assert {one["project"] for one in shown["sessions"]} == {"p", ""}
