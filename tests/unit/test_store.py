from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from agentctl import birth
from agentctl import finding
from agentctl import locks
from agentctl import store
from agentctl.errors import AgentctlError
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.store import Home
from agentctl.store import Run

SPEC = Spec(project="p", created_at=1_700_000_000.0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return store.create_home(str(tmp_path / "home"))


def born(home: Home) -> tuple[Run, int]:
    made = birth.be_born(home, birth.stage(home, SPEC, {}).id, "1 2\n")
    assert made is not None
    return made


def test_a_home_is_made_once_and_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = store.create_home(str(tmp_path / "deep" / "home"))
    finally:
        os.umask(before)
    (tmp_path / "deep" / "home" / "config.json").write_text("mine")
    assert store.create_home(made.path).path == made.path
    assert (tmp_path / "deep" / "home" / "config.json").read_text() == "mine"
    for path in [Path(made.path), *Path(made.path).iterdir()]:
        assert path.name == "config.json" or stat.S_IMODE(path.stat().st_mode) in (0o700, 0o600)


def test_a_run_is_born_locked(home: Home) -> None:
    run = birth.stage(home, SPEC, {"prompt.md": b"x"})
    assert run.staged() and not run.runner_alive() and run.id in finding.live(home)
    made = birth.be_born(home, run.id, "1 2\n")
    assert made is not None
    assert not run.staged() and run.runner_alive() and run.spec().id == run.id
    assert birth.be_born(home, run.id, "") is None
    os.close(made[1])
    assert not run.runner_alive()


def test_a_run_that_was_settled_is_not_born(home: Home) -> None:
    run = birth.stage(home, SPEC, {})
    store.end(run, Result(run_id=run.id, status="lost"))
    assert birth.be_born(home, run.id, "") is None
    assert birth.be_born(home, "20000101-000000-abcd", "") is None


def test_runs_that_wait_for_their_turn_to_be_launched_stay_awaited(home: Home) -> None:
    """Of 1,000 that were spawned on a busy machine, 98 were settled before their runners were even started."""
    runs = [birth.stage(home, SPEC, {}) for _ in range(3)]
    old = time.time() - birth.BIRTH_GRACE - 1
    for run in runs:
        os.utime(run.file("meta.json"), (old, old))
    os.close((birth.be_born(home, runs[0].id, "") or (run, -1))[1])
    assert not any(birth.may_come(run, time.time()) for run in runs)
    last = birth.renewed(runs, 0.0)
    assert [birth.may_come(run, time.time()) for run in runs] == [False, True, True], "the first was born"
    os.utime(runs[1].file("meta.json"), (old, old))
    assert birth.renewed(runs, last) == last and not birth.may_come(runs[1], time.time()), "not at every step"


def test_a_runner_that_waited_for_a_settler_comes_too_late(home: Home) -> None:
    run = birth.stage(home, SPEC, {})
    lock = locks.take(run.file("lock"))
    answers: list[object] = []
    late = threading.Thread(target=lambda: answers.append(birth.be_born(home, run.id, "")))
    late.start()
    store.end(run, Result(run_id=run.id, status="lost"))
    os.rename(run.path, os.path.join(home.runs, run.id))
    os.close(lock)
    late.join(5)
    assert answers == [None]


def test_two_runs_never_share_an_id(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collisions of the random part: exclusive mkdir, and another try."""
    words = iter([b"\0\0", b"\0\0", b"\0\0", b"\0\1", b"\0\1", b"\0\2"])
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: next(words, real(n)))
    first = birth.stage(home, SPEC, {})
    os.rename(first.path, os.path.join(home.runs, first.id))  # born: its staged name is free again
    ids = [first.id, birth.stage(home, SPEC, {}).id, birth.stage(home, SPEC, {}).id]
    assert [i[-4:] for i in ids] == ["0000", "0001", "0002"]
    monkeypatch.setattr(os, "urandom", lambda n: b"\0\0")
    with pytest.raises(AgentctlError, match="free run id"):
        birth.stage(home, SPEC, {})


def test_a_stage_that_fails_leaves_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space at the N-th file, for every N: no folder, no hint of life."""
    from agentctl import files

    real = files.write_all
    for n in range(20):
        left = [n]

        def fails(fd: int, data: bytes, left: list[int] = left) -> None:
            if not left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            real(fd, data)

        monkeypatch.setattr(files, "write_all", fails)
        try:
            birth.stage(home, SPEC, {"prompt.md": b"x", "environment": b"secret"})
            break
        except OSError:
            assert os.listdir(home.runs) == [] and os.listdir(home.active) == []
        finally:
            monkeypatch.setattr(files, "write_all", real)
    assert 3 < n < 19


def test_the_end_is_written_once(home: Home) -> None:
    run, lock = born(home)
    assert os.path.exists(run.file("reserve"))
    ended = Result(run_id=run.id, status="finished", goal_met=True)
    store.end(run, ended)
    before = os.stat(run.file("result.json")).st_ino
    store.end(run, ended)  # tried again, after a failure that followed the name
    assert os.stat(run.file("result.json")).st_ino == before
    result = run.result()
    assert result and (result.status, result.goal_met) == ("finished", True)
    store.tidy(run)
    assert not os.path.exists(run.file("reserve")) and finding.live(home) == []
    os.close(lock)


def test_a_result_that_somebody_else_wrote_is_replaced_and_said(home: Home) -> None:
    run, lock = born(home)
    Path(run.file("result.json")).write_text('{"status": "finished", "goal_met": true, "verified": "passed"}')
    store.end(run, Result(run_id=run.id, status="finished", goal_met=False))
    result = run.result()
    assert result and (result.goal_met, result.verified) == (False, "none")
    assert "somebody else" in result.warnings[0]
    os.close(lock)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff" * 99, b'{"status": "finished", "goal_met": 1e999}']
)
def test_a_damaged_result_is_an_end_and_never_a_success(home: Home, data: bytes) -> None:
    run, lock = born(home)
    Path(run.file("result.json")).write_bytes(data)
    result = run.result()
    assert result and result.run_id == run.id and result.goal_met is None and result.status in ("lost", "")
    os.close(lock)


def test_a_run_can_be_found_at_the_moment_of_its_birth(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is renamed between the choice of its name and the look at it: it is there all the same."""
    run = birth.stage(home, SPEC, {})
    real, looks = os.path.isdir, [0]

    def isdir(path: str) -> bool:
        answer = real(path)
        looks[0] += 1
        if looks[0] == 2:
            os.rename(os.path.join(home.runs, "." + run.id), os.path.join(home.runs, run.id))
        return answer

    monkeypatch.setattr(os.path, "isdir", isdir)
    assert home.run(run.id).id == run.id
    assert looks[0] > 2


@pytest.mark.parametrize(
    "word",
    [
        "",
        "..",
        "../x",
        "*",
        "a/b",
        "20260101-000000-ABCD",
        "20260101-000000-abcd\n",
        " 20260101-000000-abcd",
        "x" * 999,
    ],
)
def test_what_is_no_run_id_is_refused(home: Home, word: str) -> None:
    with pytest.raises(AgentctlError):
        home.run(word)
    with pytest.raises(AgentctlError):
        finding.resolve(home, word)


def test_a_run_is_found_by_a_unique_beginning(home: Home) -> None:
    with pytest.raises(AgentctlError, match="no run yet"):
        finding.resolve(home, "@last")
    first, second = birth.stage(home, SPEC, {}), birth.stage(home, SPEC.replace(created_at=1_800_000_000.0), {})
    assert finding.resolve(home, "@last") == second.id
    assert finding.resolve(home, first.id[:12]) == first.id
    with pytest.raises(AgentctlError, match="begins 2") as caught:
        finding.resolve(home, "2")
    assert caught.value.code == 2


def test_the_newest_come_first_however_long_the_journal_is(home: Home) -> None:
    made = [birth.stage(home, SPEC.replace(created_at=1_700_000_000.0 + n), {}).id for n in range(5)]
    with open(home.journal, "ab") as journal:
        for n in range(3000):
            journal.write(b"20200101-000000-%04x\tgone\n" % n)
        journal.write(b"\xff\xff torn")
    assert list(finding.newest(home)) == made[::-1]


def test_a_run_that_was_noted_late_ends_no_walk(home: Home) -> None:
    """Planned for long, or under a clock that was set back since: its id is old and its line new."""
    first, second, late, last = (
        birth.stage(home, SPEC.replace(created_at=1_700_000_000.0 + s), {}).id for s in (0, 3, 1, 4)
    )
    assert list(finding.back_to(home, [second])) == [last, late, second]
    assert list(finding.back_to(home, [first, last])) == [last, late, second, first]
    assert list(finding.back_to(home, [])) == []
    assert list(finding.back_to(home, ["20990101-000000-abcd"])) == [last, late, second, first], "it has no line"
    assert list(finding.newest(home, "", second)) == [first] and list(finding.newest(home, "", last))[0] == late
    assert set(finding.between(home, late, last)) == {late, second}
    birth.unstage(Run(home, second))
    assert list(finding.newest(home, "", second)) == [first], "a folder that is gone has its line"
    assert list(finding.back_to(home, [second])) == [last, late]
    os.remove(home.journal)
    for run in (first, late, last):
        os.rename(Run(home, run).path, os.path.join(home.runs, run))
    assert list(finding.back_to(home, [late])) == [last, late] and list(finding.between(home, late)) == [last, late]
    assert list(finding.newest(home, "q")) == [last, late, first], "nothing says the project"


def test_a_foreign_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentctlError, match="no home at"):
        store.open_home(str(tmp_path))
    if os.getuid() == 0:
        made = store.create_home(str(tmp_path / "h"))
        os.chown(made.runs, 4711, 4711)
        with pytest.raises(AgentctlError, match="another user"):
            store.open_home(made.path)
