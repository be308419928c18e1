"""Short helper programs: ended, bounded, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agentctl import proc
from agentctl.errors import AgentctlError
from conftest import marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE_PARENT = str(Path(proc.__file__).parents[1])


def open_fds() -> set[str]:
    return set(os.listdir("/dev/fd"))


def children() -> set[str]:
    """Ours, dead ones that nobody waited for too; without /proc whether there is a dead one."""
    tasks = Path("/proc/self/task")
    if tasks.is_dir():
        return {pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()}
    try:
        return {"dead"} if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) else set()
    except ChildProcessError:
        return set()  # no child at all


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before, others = open_fds(), children()  # an earlier test may have killed a child and not waited for it
    yield
    assert open_fds() == before
    assert children() <= others


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path("/proc/%d/stat" % pid).exists() and ") Z " in Path("/proc/%d/stat" % pid).read_text():
            return True  # dead; whoever adopted it has not reaped it yet
        time.sleep(0.05)
    return False


def test_code_and_both_streams() -> None:
    done = proc.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert done == proc.Done(code=3, out=b"out\n", err=b"err\n")


def test_killed_by_a_signal_is_its_negative_number() -> None:
    assert proc.run(["sh", "-c", "kill -9 $$"]).code == -9


def test_a_lot_through_every_pipe_at_once() -> None:
    data = os.urandom(3 << 20)
    done = proc.run(["sh", "-c", "tee /dev/stderr"], stdin=data)
    assert (done.out, done.err) == (data, data)


def test_what_is_still_in_the_pipes_at_the_end_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "_CHUNK", 7)
    done = proc.run(["sh", "-c", "printf %01000d 0; printf %01000d 0 >&2"])
    assert (done.out, done.err) == (b"0" * 1000, b"0" * 1000)


def test_a_program_that_does_not_want_its_input() -> None:
    assert proc.run(["true"], stdin=b"x" * (1 << 20)).code == 0


def test_no_input_is_the_null_device() -> None:
    assert proc.run(["cat"], timeout=5) == proc.Done()


def test_arguments_are_not_interpreted() -> None:
    words = ["a b", "$(id)", "\n", "-n", "*", "", "ü", "\udcff"]
    assert proc.run(["printf", "%s|", *words]).out == b"".join(os.fsencode(w) + b"|" for w in words)


def test_only_the_environment_given() -> None:
    done = proc.run(["env"], env={"PATH": os.environ["PATH"], "ONE": "1"})
    assert set(done.out.split()) == {b"ONE=1", b"PATH=" + os.fsencode(os.environ["PATH"])}


def test_the_program_is_looked_up_in_the_environment_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    assert proc.run(["tool"], env={"PATH": "/nowhere:%s" % tmp_path}).out == b"found\n"
    with pytest.raises(FileNotFoundError) as raised:
        proc.run(["tool"], env={"PATH": "/nowhere"})
    assert raised.value.filename == "tool"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        proc.run(["tool"], env={"PATH": ".:"})


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/", "/etc/passwd"])
def test_what_cannot_be_started_is_an_oserror(path: str) -> None:
    with pytest.raises(OSError):
        proc.run([path])


def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(proc.ProcTimeout, match="`sh` did not end within 0.5 s") as raised:
        proc.run(["sh", "-c", "trap '' TERM; sleep 60 & echo $! > '%s'; wait" % pid], timeout=0.5)
    assert time.monotonic() - began < 5
    assert isinstance(raised.value, AgentctlError)
    assert gone(int(pid.read_text()))


def test_closed_streams_are_not_the_end() -> None:
    assert proc.run(["sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 7"]).code == 7
    with pytest.raises(proc.ProcTimeout):
        proc.run(["sh", "-c", "exec >&- 2>&-; sleep 60"], timeout=0.2)


def test_something_left_behind_does_not_delay_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    done = proc.run(["sh", "-c", "sleep 60 & echo $! > '%s'; echo done" % pid], timeout=30)
    assert (done.out, time.monotonic() - began < 10) == (b"done\n", True)
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_too_much_output_ends_it_and_keeps_the_beginning() -> None:
    with pytest.raises(proc.ProcOverflow, match="more than 100000 bytes") as raised:
        proc.run(["sh", "-c", "while echo y; do :; done"], limit=100_000, timeout=30)
    assert raised.value.done.out == b"y\n" * 50_000
    assert len(proc.run(["head", "-c", "100000", "/dev/zero"], limit=100_000).out) == 100_000


def test_signals_mean_to_the_program_what_they_mean_to_all() -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN  # or this shows nothing
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        for name in ("PIPE", "TERM", "USR1"):
            assert proc.run(["sh", "-c", "kill -%s $$; echo survived" % name]).out == b""
    finally:
        signal.signal(signal.SIGTERM, old)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


def test_a_handled_signal_interrupts_nothing() -> None:
    seen: list[int] = []
    old = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        assert proc.run(["sh", "-c", "sleep 0.3; echo done"]).out == b"done\n"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert len(seen) > 3


def test_an_interrupt_ends_the_program_and_goes_on(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def interrupt() -> None:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=interrupt, daemon=True)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        proc.run(["sh", "-c", "echo $$ > '%s'; sleep 60" % pid], timeout=30)
    timer.join()
    assert gone(int(pid.read_text()))


def test_where_there_is_no_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError(38, "not here")

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    began = time.monotonic()
    assert proc.run(["sh", "-c", "exec >&- 2>&-; sleep 0.1; exit 5"]).code == 5
    assert time.monotonic() - began < 10
    with pytest.raises(proc.ProcTimeout):
        proc.run(["sleep", "60"], timeout=0.2)


def outside(script: str) -> str:
    """What a fresh Python prints that has `proc` at hand."""
    start = "import os, sys, signal\nsys.path.insert(0, %r)\nfrom agentctl import proc\n" % PACKAGE_PARENT
    argv = [sys.executable, "-I", "-S", "-c", start + script]
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=30).stdout.decode()


def test_started_with_closed_streams() -> None:
    script = (
        "keep = os.dup(1)\nfor fd in (0, 1, 2): os.close(fd)\n"
        "done = proc.run(['sh', '-c', 'cat; echo err >&2'], stdin=b'in')\nos.write(keep, repr(done).encode())"
    )
    assert outside(script) == repr(proc.Done(out=b"in", err=b"err\n"))


def test_an_exit_code_nobody_kept_is_an_error_not_a_success() -> None:
    script = (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "try: print(proc.run(['true']))\nexcept proc.AgentctlError as e: print(e)"
    )
    assert outside(script) == "the exit code of `true` is lost: SIGCHLD is ignored here\n"


def test_it_costs_no_subprocess() -> None:
    costly = "('subprocess', 'selectors', 'threading', 'shutil', 'typing')"
    assert outside("print([m for m in %s if m in sys.modules])" % costly) == "[]\n"


def test_what_is_left_alone_tells_its_exit_code_or_goes_on() -> None:
    env = dict(os.environ)
    assert proc.leave(["sh", "-c", "exit 3"], env=env, patience=30) == 3
    assert proc.leave(["sleep", "60"], env={**env, "LEFT_ALONE": str(os.getpid())}, patience=0.1) is None
    [left] = marked("LEFT_ALONE=%d" % os.getpid())
    os.kill(left, signal.SIGKILL)
    os.waitpid(left, 0)
    with pytest.raises(FileNotFoundError):
        proc.leave(["no-such-program"], env=env, patience=1)
