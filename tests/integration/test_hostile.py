"""Hostile bytes, names, records and links: none of it is executed, interpreted or believed."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually

RAW = (
    b"\xff\xfe invalid utf-8\n",
    b"nul \0 byte\n",
    b"\x1b]2;OWNED\x07title\n",
    b"\x1b]52;c;T1dORUQ=\x07clip\n",
    b"\x1b[6n\x1b[c\x1b[>q asks\n",
    b"\x1bPtmux;\x1b\x1b]52;c;T1dO\x07\x1b\\dcs\n",
    b"\xc2\x9b31m c1 \xc2\x85 next\n",
    "\u202ebidi \u2066isolate \u2028line\u2029para\n".encode(),
    b"bell \x07 back \x08 del \x7f\n",
    b"lone cr \r here\n",
    b"\x1b[2J\x1b[1;1Hfake screen\n",
    b"#{pane_id} #(touch /tmp/never) %H; ;\n",
)
"""Lines that drive a terminal, end a text early, or are no text."""


def worker(world: World, name: str, body: str) -> str:
    """A program of ours as a worker: the path of a Python script."""
    path = world.root / name
    path.write_text("import json, os, sys, time\nout = sys.stdout.buffer\n" + body)
    return str(path)


def printing(world: World, data: bytes, *options: str, **more: Any) -> str:
    """Start a worker that prints these bytes; the run's id."""
    source = world.root / ("bytes-" + os.urandom(3).hex())
    source.write_bytes(data)
    return world.ok("start", *options, "--", "cat", str(source), **more)


def vendor(world: World, lines: list[bytes], *options: str, stream: str = "claude") -> str:
    """Start a run whose worker prints the lines as that vendor's stream; the run's id."""
    source = world.root / ("stream-" + os.urandom(3).hex())
    source.write_bytes(b"".join(line + b"\n" for line in lines))
    world.config(backends={"mine": {"argv": ["cat", str(source)], "stdin": False, "stream": stream}})
    return world.ok("start", "--backend", "mine", *options, stdin="do it")


INIT = b'{"type":"system","subtype":"init","session_id":"5f0c1d5e-0000-4000-8000-000000000001","model":"m"}'


def reported(**fields: Any) -> bytes:
    """The last line of a Claude stream, with a report that fits unless `fields` say otherwise."""
    report = {"goal_met": True, "summary": "all well", "followup_prompt": "", "notes": "", **fields}
    return json.dumps(
        {
            "type": "result",
            "subtype": "success",
            "is_error": False,
            "result": "",
            "structured_output": report,
            "session_id": "5f0c1d5e-0000-4000-8000-000000000001",
        }
    ).encode()


def controls(data: bytes) -> set[int]:
    """The characters in a text for people that a terminal would obey or a reader be fooled by."""
    words = data.decode("utf-8")
    bad = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029} - {0x0A}
    return {ord(c) for c in words} & bad


def test_hostile_bytes_reach_no_face_of_the_program(world: World) -> None:
    """Worker text that drives the terminal: no escape of it gets through list, follow, tail or show."""
    run = printing(world, b"".join(RAW) * 3, "--title", "t \x1b]2;OWNED\x07 \u202e #(touch x);")
    result = world.result(run)
    assert result["status"] == "finished"
    assert (world.folder(run) / "raw.jsonl").read_bytes() == b"".join(RAW) * 3
    for words in (["list"], ["follow", run], ["tail"], ["list", "--json"], ["show", run], ["show", run, "--events"]):
        out = world.popen(*words)
        stdout, stderr = out.communicate(timeout=20)
        assert out.returncode == 0, stderr
        assert stdout and controls(stdout + stderr) == set(), words
    assert world.popen("show", run, "--raw").communicate(timeout=20)[0] == b"".join(RAW) * 3


def test_hostile_bytes_do_not_drive_the_pane(world: World) -> None:
    """Worker text that drives the terminal: no title, no clipboard, no cursor, no answer typed into the pane."""
    source = world.root / "bytes"
    source.write_bytes(b"".join(RAW))
    run = world.shell("cat %s; sleep 0.8; exit 1" % shlex.quote(str(source)), "--title", "quiet \x1b]2;OWNED\x07")
    world.working(run)
    assert world.tmux("list-panes", "-a", "-F", "#{pane_title}").startswith("▶ ")
    assert world.result(run)["status"] == "finished"
    pane = eventually(lambda: world.tmux("list-panes", "-a", "-F", "#{pane_id}").split())[0]
    shown = world.tmux("capture-pane", "-p", "-e", "-S", "-", "-t", pane)
    assert "fake screen" in shown and "agentctl show" in shown and run in shown
    assert "OWNED" not in world.tmux("display-message", "-p", "-t", pane, "#{pane_title}").replace("]2;OWNED", "")
    assert world.tmux("show-buffer") == ""
    # only our own colours are left of all escapes
    escapes = {part.partition("m")[0] for part in shown.split("\x1b[")[1:]}
    assert all(set(e) <= set("0123456789;") for e in escapes), escapes


def test_a_terminal_gets_no_worker_bytes_from_show_raw(world: World) -> None:
    """Worker text that drives the terminal: `show --raw` and `--prompt` are filtered where a person reads them."""
    run = printing(world, b"".join(RAW), "--no-pane")
    world.result(run)
    import pty

    for part in ("--raw", "--events", "--prompt"):
        ours, theirs = pty.openpty()
        shown = world.popen("show", run, part, stdout=theirs, stdin=theirs)
        os.close(theirs)
        got = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            got += data
        shown.wait(20)
        os.close(ours)
        assert b"\x1b]" not in got and b"\x1bP" not in got and b"\x1b[" not in got and b"\x07" not in got, part


@pytest.mark.parametrize("name", ["deep", "digits", "nan", "surrogate", "u2028", "no-end", "types", "bad-line"])
def test_a_stream_that_is_odd_still_ends_in_its_report(world: World, name: str) -> None:
    """Deep nesting, 5000-digit numbers, NaN, lone surrogates, U+2028, wrong types: skipped, and the report counts."""
    odd = {
        "deep": b'{"type":"assistant","message":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        "digits": b'{"type":"assistant","message":{"usage":{"input_tokens":' + b"7" * 5000 + b"}}}",
        "nan": b'{"type":"result","total_cost_usd":NaN,"num_turns":1e999,"usage":{"input_tokens":Infinity}}',
        "surrogate": b'{"type":"assistant","message":{"content":[{"type":"text","text":"\\ud800 \\udfff"}]}}',
        "u2028": '{"type":"assistant","message":{"content":[{"type":"text","text":"a\u2028b\u0085c"}]}}'.encode(),
        "no-end": b"\xff" * 100,
        "types": b'{"type":["result"],"session_id":{"a":1},"usage":"x","message":7,"subtype":null,"is_error":"no"}',
        "bad-line": b'{"type":"result","subtype":"success"',
    }[name]
    run = vendor(world, [INIT, odd, reported()], "--no-pane")
    result = world.result(run)
    assert (result["status"], result["goal_met"], result["summary"]) == ("finished", True, "all well"), result["error"]
    assert "NaN" not in (world.folder(run) / "events.jsonl").read_text()
    assert "Infinity" not in (world.folder(run) / "events.jsonl").read_text()
    assert world.ok("follow", run) and world.ok("list")


@pytest.mark.parametrize(
    "report",
    [
        '{"goal_met": true, "summary": "s", "followup_prompt": "", "notes": "", "more": 1e999}',
        '{"goal_met": true, "summary": "s", "followup_prompt": "", "notes": "", "more": NaN}',
        '{"goal_met": true, "summary": "s", "followup_prompt": "", "notes": "", "more": ' + "9" * 4290 + "}",
        '{"goal_met": true, "summary": "s", "followup_prompt": "", "notes": "", "more": ' + "[" * 970 + "]" * 970 + "}",
        '{"goal_met": true, "summary": "\\ud800", "followup_prompt": "", "notes": "", "\\udfff": "\\ud800"}',
    ],
    ids=["1e999", "NaN", "digits", "deep", "surrogate"],
)
def test_a_report_in_plain_words_cannot_break_the_runner(world: World, report: str) -> None:
    """NaN, 1e999, deep nesting, huge numbers in the report of a vendor without a schema flag: still a result."""
    path = world.root / "words"
    path.write_text("I am done.\n" + report + "\n")
    world.config(backends={"mine": {"argv": ["cat", str(path)], "stdin": False, "stream": "text"}})
    run = world.ok("start", "--no-pane", "--backend", "mine", stdin="do it")
    result = world.result(run)
    assert result["status"] in ("finished", "failed") and "agentctl failed" not in result["error"], result["error"]
    json.loads((world.folder(run) / "result.json").read_text(), parse_constant=pytest.fail)
    assert world.crash() == ""


@pytest.mark.parametrize("claim", ["true", 1, None, [True], {"a": 1}, "yes"])
def test_a_claim_that_is_not_true_is_no_success(world: World, claim: object) -> None:
    """goal_met is "true", 1, a list, or missing: never a success."""
    result = world.result(vendor(world, [INIT, reported(goal_met=claim)], "--no-pane"))
    assert result["goal_met"] is None
    assert result["status"] == "failed"


def test_a_report_cannot_rewrite_the_record(world: World) -> None:
    """The result holds run_id, status, exit_code, session_id: only the four fields of a report are taken."""
    run = vendor(
        world,
        [INIT, reported(run_id="x", status="finished", exit_code=99, session_id="--evil", verified="passed")],
        "--no-pane",
    )
    result = world.result(run)
    assert result["run_id"] == run
    assert (result["verified"], result["exit_code"]) == ("none", 0)
    assert result["session_id"] == "5f0c1d5e-0000-4000-8000-000000000001"


def test_a_worker_that_fails_after_its_claim_is_no_success(world: World) -> None:
    """A report with goal_met true from a worker that ended with an error, a signal, or is_error: no success."""
    for number, end in enumerate(("exit 1", "kill -9 $$")):
        path = world.root / ("claims-%d" % number)
        path.write_bytes(INIT + b"\n" + reported() + b"\n")
        world.config(backends={"mine": {"argv": ["sh", "-c", "cat %s; %s" % (path, end)], "stream": "claude"}})
        result = world.result(world.ok("start", "--no-pane", "--backend", "mine", stdin="do it"))
        assert (result["status"], result["goal_met"]) == ("failed", None), end
    error = reported().replace(b'"is_error": false', b'"is_error": true')
    result = world.result(vendor(world, [INIT, error], "--no-pane"))
    assert (result["status"], result["goal_met"]) == ("failed", None)


def test_a_hostile_session_id_is_never_an_argument(world: World) -> None:
    """A session id like `--dangerously-…` or `../x` is refused by resume, and names no file."""
    for bad in ("--dangerously-skip-permissions", "../../escape", "a b", "x\n"):
        end = json.dumps({**json.loads(reported()), "session_id": bad}).encode()
        init = json.dumps({**json.loads(INIT), "session_id": bad}).encode()
        run = vendor(world, [init, end], "--no-pane")
        world.result(run)
        done = world.run("resume", "--parent-run-id", run, stdin="go on")
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr, (bad, done)
        assert "unexpected" not in done.stderr, done.stderr
    assert not list(world.root.rglob("escape*"))


def test_one_line_of_100_mb_is_kept_and_memory_stays_flat(world: World) -> None:
    """A 100 MB line without an end: kept whole in raw.jsonl, not parsed, runner's memory bounded."""
    script = worker(
        world,
        "long.py",
        "for _ in range(100): out.write(b'x' * 1000000)\nout.flush()\ntime.sleep(1)\nout.write(b'\\nlast words\\n')\n",
    )
    run = world.ok("start", "--no-pane", "--", sys.executable, script)
    peak, pid = 0, world.runner_pid(run)
    while world.folder(run).joinpath("result.json").exists() is False:
        try:
            status = Path("/proc/%d/status" % pid).read_text()
        except FileNotFoundError:
            break
        peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        time.sleep(0.05)
    result = world.result(run)
    assert result["summary"].endswith("last words")
    assert (world.folder(run) / "raw.jsonl").stat().st_size == 100_000_012
    assert 0 < peak < 60_000, "%d kB" % peak
    assert (world.folder(run) / "events.jsonl").stat().st_size < 100_000


def test_a_flood_is_stopped_at_its_limit_and_events_stay_small(world: World) -> None:
    """Endless output: stopped at the configured size, `failed`, and no claim."""
    world.config(max_output_bytes=20_000_000, stop_grace_s=0.5)
    run = world.ok("start", "--no-pane", "--", "yes", "0123456789" * 10)
    result = world.result(run)
    assert (result["status"], result["goal_met"]) == ("failed", None)
    assert "printed more than" in result["error"]
    assert not world.marked(run)


def test_a_flood_of_the_check_is_stopped_too(world: World) -> None:
    """Endless output of the check: the same limit holds for verify.log."""
    world.config(max_output_bytes=5_000_000, stop_grace_s=0.5, verify_timeout_s=6)
    run = world.shell("true", "--no-pane", "--verify", "yes 0123456789")
    result = world.result(run)
    assert result["verified"] == "failed"
    assert (world.folder(run) / "verify.log").stat().st_size < 2_000_000_000
    began, ended = (
        json.loads(line)["at"] for line in (world.folder(run) / "events.jsonl").read_text().splitlines()[-2:]
    )
    assert ended - began < 4, "the check ran until its time limit and wrote %d bytes" % (
        (world.folder(run) / "verify.log").stat().st_size
    )


@pytest.mark.parametrize(
    "title",
    [
        "#(touch PWN)",
        "$(touch PWN)",
        "`touch PWN`",
        "a;touch PWN;",
        ";",
        "x\\;",
        "#{pane_id}",
        "%H%M",
        "-t",
        "'",
        '"',
        "\n; touch PWN\n",
        "#[fg=red]",
        "é…漢",
    ],
)
def test_a_title_is_never_read_as_a_command(world: World, title: str) -> None:
    """`#(…)`, `;`, quotes and dashes in titles: shown or dropped, never executed."""
    run = world.shell("exit 1", "--title=" + title)
    result = world.result(run)
    assert result["status"] == "finished"
    pane = eventually(lambda: world.tmux("list-panes", "-a", "-F", "#{pane_id}").split())[0]
    for _ in range(5):
        world.tmux("display-message", "-p", "-t", pane, "#{T:pane-border-format} #{E:pane-border-format} #{pane_title}")
        assert "#" not in world.tmux("list-panes", "-a", "-F", "#{pane_title}")
    world.ok("list")
    world.ok("follow", run)
    assert not list(world.root.rglob("PWN")) and not Path("PWN").exists()


@pytest.mark.parametrize(
    "name", ["a b", "it's", "$HOME", "#(touch PWN)", ";", "x;", "-dash", "new\nline", "é漢", "%H", "`id`"]
)
def test_a_path_is_never_read_as_a_command(world: World, name: str) -> None:
    """A project path with spaces, quotes, `$`, newline, `#(…)`, leading dash: data, and the worker stands in it."""
    folder = world.root / "odd" / name
    folder.mkdir(parents=True)
    world.ok("add-project", "odd", str(folder))
    run = world.ok("start", "--project", "odd", "--", "sh", "-c", "touch here; pwd")
    assert world.result(run)["status"] == "finished"
    assert (folder / "here").exists()
    assert not list(world.root.rglob("PWN"))


@pytest.mark.parametrize(
    "name", ["..", "a/b", "/abs", "a\nb", "x" * 65, "-x", ".hidden", "#(touch PWN)", "a;b", "é", ""]
)
def test_a_project_name_that_could_be_anything_else_is_refused(world: World, name: str) -> None:
    """Project names `..`, `a/b`, newline, 300 characters: refused, exit code 2, nothing made."""
    done = world.run("add-project", "--", name, str(world.project))
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr and controls(done.stderr.encode()) == set()
    assert json.loads(world.ok("projects", "--json"))


@pytest.mark.parametrize(
    "word", ["../x", "*", "..", "/etc/passwd", "20260101-000000-abcd/../..", "--", "\x1b[31m", "٢" * 8 + "-101010-abcd"]
)
def test_a_run_id_never_leaves_the_home(world: World, word: str) -> None:
    """Run ids `../x`, `*`, empty: refused by each command that takes one."""
    for command in ("show", "wait", "stop", "follow", "attach", "replay"):
        done = world.run(command, "--", word)
        assert done.returncode in (1, 2), (command, done)
        assert "Traceback" not in done.stderr and "unexpected" not in done.stderr, done.stderr
        assert controls((done.stdout + done.stderr).encode()) == set()


def test_a_prompt_arrives_byte_for_byte(world: World) -> None:
    """A prompt of 1 MB with every byte value arrives on stdin as it was given, and is in no argument."""
    prompt = b"secret-prompt-marker\n" + bytes(range(256)) * 4096
    run = world.ok(
        "start",
        "--no-pane",
        "--prompt-file",
        "-",
        "--backend",
        "shell",
        "--",
        "sh",
        "-c",
        "cat > got; sleep 0.5",
        stdin=prompt,
    )
    assert (world.folder(run) / "prompt.md").read_bytes() == prompt
    world.working(run)
    assert not arguments_with(b"secret-prompt-marker")
    world.result(run)
    assert (world.project / "got").read_bytes() == prompt


def arguments_with(needle: bytes) -> list[str]:
    """Processes of which some argument holds these bytes."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                data = Path("/proc", name, "cmdline").read_bytes()
            except OSError:
                continue
            if needle in data:
                found.append("%s: %r" % (name, data))
    return found


def test_secrets_are_nowhere_but_in_the_workers_environment(world: World) -> None:
    """Keys and prompt: in no argument of any process, not in tmux, not in any log or file of the home."""
    script = worker(
        world, "quiet.py", "sys.stdin.read()\nassert os.environ['API_KEY'] == 'k3y-s3cret'\ntime.sleep(1.2)\n"
    )
    run = world.ok(
        "start",
        "--title",
        "quiet",
        "--prompt-file",
        "-",
        "--backend",
        "shell",
        "--",
        sys.executable,
        script,
        stdin="pr0mpt-s3cret",
        env={"API_KEY": "k3y-s3cret"},
    )
    world.working(run)
    for needle in (b"k3y-s3cret", b"pr0mpt-s3cret"):
        assert not arguments_with(needle)
    for words in (
        ("show-environment", "-g"),
        ("show-environment", "-t", "=ai:"),
        ("list-panes", "-a", "-F", "#{pane_start_command}"),
        ("show-messages",),
        ("capture-pane", "-p", "-t", "=ai:"),
    ):
        assert "s3cret" not in world.tmux(*words), words
    assert world.result(run)["goal_met"] is True
    holds = [p.name for p in world.home.rglob("*") if p.is_file() and b"k3y-s3cret" in p.read_bytes()]
    assert holds == []
    holds = [p.name for p in world.home.rglob("*") if p.is_file() and b"pr0mpt-s3cret" in p.read_bytes()]
    assert holds == ["prompt.md"]


def test_the_callers_environment_is_gone_also_when_the_runner_never_came(world: World) -> None:
    """Keys: the hand-over file does not outlive a runner that was killed as it was born, or that never came."""
    for born in (False, True):
        run = staged(world, "k3y-s3cret", born)
        result = world.result(run)
        assert result["status"] == "lost"
        assert not (world.folder(run) / "environment").exists()


def staged(world: World, secret: str, born: bool) -> str:
    """A run whose runner died before it read anything: staged only, or born."""
    run = world.shell("sleep 60", "--no-pane", env={"API_KEY": secret})
    pid = world.runner_pid(run)
    os.kill(pid, 9)
    world.result(run)
    folder = world.folder(run)
    for name in ("result.json", "notified", "status.json", "stop"):
        (folder / name).unlink(missing_ok=True)
    (folder / "environment").write_bytes(b"77\0API_KEY=%s\0" % secret.encode())
    if not born:
        folder.rename(folder.with_name("." + run))
        old = time.time() - 100
        os.utime(folder.with_name("." + run) / "meta.json", (old, old))
    return run


# -- damaged homes

JUNK = (
    b"",
    b"{",
    b"\xff\xfe\0",
    b"[1,2]",
    b"null",
    b'"x"',
    b"[" * 100000,
    b'{"a":' * 2000,
    b"7" * 5000,
    b'{"status": NaN}',
    b"{}",
)


@pytest.mark.parametrize(
    "name", ["result.json", "meta.json", "status.json", "events.jsonl", "schema.json", "raw.jsonl"]
)
def test_a_damaged_file_of_a_run_hides_no_other_run(world: World, name: str) -> None:
    """One corrupt run folder: list, show, wait, follow, tail, stop answer, and the other runs are as before."""
    good, bad = world.shell("echo fine", "--no-pane"), world.shell("echo bad", "--no-pane")
    world.result(good), world.result(bad)
    for junk in JUNK:
        (world.folder(bad) / name).write_bytes(junk)
        answers(world, good, bad, junk)
    (world.folder(bad) / name).unlink()
    (world.folder(bad) / name).mkdir()
    answers(world, good, bad, b"a folder")


def answers(world: World, good: str, bad: str, junk: bytes) -> None:
    rows = json.loads(world.ok("list", "--json"))["runs"]
    assert [r["status"] for r in rows if r["run_id"] == good] == ["finished"], junk[:20]
    assert [r["run_id"] for r in rows if r["run_id"] == bad] == [bad], junk[:20]
    both = ["wait", "--timeout", "3", bad, good]
    commands = (["list"], ["show", bad], ["wait", bad], both, ["follow", bad], ["stop", bad], ["tail"])
    for words, asked in [(words, world.popen(*words)) for words in commands]:
        _, err = asked.communicate(timeout=15)
        where = (junk[:20], words, asked.returncode, err, world.crash())
        assert b"Traceback" not in err and b"unexpected" not in err, where
        codes = (0, 3, 4) if words[0] == "wait" else (0, 1)
        assert asked.returncode in ((*codes, 1) if junk == b"a folder" else codes), where


WRONG = {
    "started_at": "x",
    "retries": 10**400,
    "finished_at": 1e20,
    "created_at": "2026",
    "goal_met": "yes",
    "exit_code": [],
    "usage": {"input": "many"},
    "git_files": [1, {}],
    "warnings": [{"a": 1}, 3],
    "status": "brilliant",
    "tool_calls": 7,
    "title": 5,
    "summary": ["x"],
    "signal": {},
    "error": {"x": 1},
    "limit": "x",
    "denied": "abc",
    "report": [],
    "verified": True,
    "session_id": 5,
}


@pytest.mark.parametrize("key", sorted(WRONG))
def test_a_result_with_a_wrong_type_hides_no_other_run(world: World, key: str) -> None:
    """A result with a field of the wrong type, as another version or a hand wrote it: answers, never a traceback."""
    good, bad = world.shell("echo fine", "--no-pane"), world.shell("echo bad", "--no-pane")
    world.result(good), world.result(bad)
    path = world.folder(bad) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: WRONG[key]}))
    eventually(lambda: (world.folder(bad) / "notified").exists())
    (world.folder(bad) / "notified").unlink()
    answers(world, good, bad, key.encode())


@pytest.mark.parametrize(
    "said",
    [
        {"worker": 10**30},
        {"worker": -1},
        {"worker": 1},
        {"worker": True},
        {"worker": "1"},
        {"runner": -1},
        {"doing": 7, "usage": [], "status": "x", "at": "y", "tool_calls": 3},
    ],
)
def test_a_status_that_lies_harms_nobody(world: World, said: dict[str, Any]) -> None:
    """A process number in status.json that is absurd or a stranger's: nothing else is signalled, the run is settled."""
    import subprocess

    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        run = world.shell("sleep 60", "--no-pane")
        world.working(run)
        os.kill(world.runner_pid(run), 9)
        eventually(lambda: not world.marked(run), 5)
        said = {k: stranger.pid if v == "stranger" else v for k, v in said.items()}
        (world.folder(run) / "status.json").write_text(json.dumps(said))
        assert world.run("list").returncode == 0
        done = world.run("wait", run, run, timeout=15)
        assert (done.returncode, "Traceback" in done.stderr) == (4, False), done
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_stranger_that_has_the_workers_number_is_not_killed(world: World) -> None:
    """Pid reuse: a group number that now is a stranger's is never signalled."""
    import subprocess

    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        run = world.shell("sleep 60", "--no-pane")
        world.working(run)
        os.kill(world.runner_pid(run), 9)
        eventually(lambda: not world.marked(run), 5)
        (world.folder(run) / "status.json").write_text(json.dumps({"worker": stranger.pid, "runner": stranger.pid}))
        assert world.result(run)["status"] == "lost"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(
    "junk",
    [
        *JUNK[:8],
        b'{"panes_per_window": "six", "profiles": [], "backends": 3, "executables": [1], "keep_panes": 5}',
        b'{"profiles": {"spark": {"backends": 5, "limits": {"timeout_s": "30m"}}}}',
        b'{"profiles": {"spark": 3}}',
    ],
    ids=lambda junk: repr(junk[:24]),
)
def test_a_damaged_configuration_is_said_and_kept(world: World, junk: bytes) -> None:
    """config.json empty, half, of wrong types, binary, deep: defaults or one clear error, and its bytes are kept."""
    path = world.home / "config.json"
    path.write_bytes(junk)
    for words in (["list"], ["projects"], ["init"], ["tail"]):
        assert world.run(*words).returncode == 0, words
    done = world.run("start", "--no-pane", "--", "true")
    assert done.returncode in (0, 1, 2) and "unexpected" not in done.stderr, done.stderr
    if done.returncode == 0:
        result = world.result(done.stdout.strip())
        assert result["status"] == "finished", result["error"]
    done = world.run("start", "--no-pane", "--profile", "spark", stdin="x", env={"PATH": "/usr/bin:/bin"})
    assert "unexpected" not in done.stderr, done.stderr
    assert path.read_bytes() == junk


@pytest.mark.parametrize(
    "junk",
    [*JUNK, b'{"projects": 5}', b'{"projects": {"p": 5}}', b'{"projects": {"p": {"path": 7}}}'],
    ids=lambda junk: repr(junk[:24]),
)
def test_damaged_projects_are_said_and_kept(world: World, junk: bytes) -> None:
    """projects.json damaged: an error that names it, never written over, and runs can still be read."""
    run = world.shell("true", "--no-pane")
    world.result(run)
    path = world.home / "projects.json"
    path.write_bytes(junk)
    for words in (["projects"], ["add-project", "q", str(world.project)], ["start", "--no-pane", "--", "true"]):
        done = world.run(*words)
        assert "unexpected" not in done.stderr, (words, done.stderr)
    damaged = world.run("projects").returncode != 0
    if damaged:
        assert path.read_bytes() == junk
    assert world.run("list").returncode == 0 and world.run("show", run).returncode == 0


@pytest.mark.parametrize("name", ["projects.json", "config.json", "journal", "notify.log", "notify.lock", "lock"])
def test_a_folder_or_link_in_place_of_a_file_of_the_home_is_said(world: World, name: str) -> None:
    """A symlink or a folder planted in the home: never written through, one clear line, no traceback, no hang."""
    run = world.shell("true", "--no-pane")
    world.result(run)
    victim = world.root / "victim"
    victim.write_text("precious\n")
    path = world.home / name
    path.unlink(missing_ok=True)
    for kind in ("link", "folder"):
        path.symlink_to(victim) if kind == "link" else path.mkdir()
        for words in (
            ["list"],
            ["show", run],
            ["wait", run],
            ["tail"],
            ["start", "--no-pane", "--", "true"],
            ["add-project", "q", str(world.project)],
            ["projects"],
        ):
            done = world.run(*words, timeout=20)
            assert "Traceback" not in done.stderr and "unexpected" not in done.stderr, (words, done.stderr)
            if words[0] == "start" and done.returncode == 0:
                world.run("wait", "--timeout", "10", done.stdout.strip())
        if path.is_symlink():
            assert victim.read_text() == "precious\n"
            path.unlink()
    assert victim.read_text() == "precious\n"


@pytest.mark.parametrize(
    "name", ["result.json", "lock", "events.jsonl", "raw.jsonl", "status.json", "notified", "stderr.log"]
)
def test_a_link_planted_in_a_run_folder_is_not_written_through(world: World, name: str) -> None:
    """A symlink planted in the run's folder by its own worker: the victim keeps its bytes, wait answers."""
    victim = world.root / "victim"
    victim.write_text("precious\n")
    run = world.shell(
        "rm -f $AI_ORCH_HOME/runs/*/%s; ln -s %s $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID/%s; echo x; sleep 0.7"
        % (name, victim, name),
        "--no-pane",
    )
    for words in (["wait", run, run], ["wait", run], ["list"], ["show", run]):
        done = world.run(*words, timeout=25)
        assert "Traceback" not in done.stderr and "unexpected" not in done.stderr, (words, done.stderr)
    assert victim.read_text() == "precious\n"


def test_stray_names_in_the_home_are_passed_over(world: World) -> None:
    """Stray files and torn journal lines: list goes on, newest first."""
    runs = [world.shell("true", "--no-pane") for _ in range(3)]
    for run in runs:
        world.result(run)
    for name in ("stray", "20260101-000000-zzzz", ".20260101-000000-abcd.tmp", "20260101-000000-abcd"):
        (world.home / "runs" / name).mkdir()
        (world.home / "active" / name).write_text("")
    with open(world.home / "journal", "ab") as journal:
        journal.write(b"\xff\0\n20260101-000000-abce\tp\nhalf-a-li")
    again = world.shell("true", "--no-pane")
    rows = [r["run_id"] for r in json.loads(world.ok("list", "--json"))["runs"]]
    assert [r for r in rows if r in (*runs, again)] == [again, *reversed(runs)]
    assert world.run("list", "--running").returncode == 0
