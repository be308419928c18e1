"""tmux is a screen: missing, old, killed, misconfigured, it changes no result and breaks no reader."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from agentctl import tmux
from conftest import World
from conftest import eventually


def without_tmux(world: World) -> dict[str, str]:
    """A PATH that has everything these tests need, but no tmux."""
    folder = world.root / "path"
    folder.mkdir(exist_ok=True)
    for name in ("sh", "sleep", "git", "env", "cat", "echo"):
        found = shutil.which(name)
        if found and not (folder / name).exists():
            (folder / name).symlink_to(found)
    return {"PATH": str(folder)}


def server_pid(world: World) -> int:
    return int(world.tmux("display-message", "-p", "#{pid}"))


def keep_open(world: World) -> None:
    """A pane of somebody else on the same server, so that closing ours does not end the server."""
    subprocess.run(
        [
            "tmux",
            "-L",
            world.socket,
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "ai",
            "-x",
            "200",
            "-y",
            "50",
            "sleep 600",
        ],
        env=world.env,
        check=True,
        timeout=20,
    )


def pane_of(world: World, run: str) -> str:
    return str(eventually(lambda: world.status(run).get("pane"), 10))


# -- the screen goes away


@pytest.mark.parametrize("what", ["kill-pane", "kill-window", "kill-session"])
def test_a_pane_that_is_closed_stops_its_run(world: World, what: str) -> None:
    """kill-pane, kill-window, kill-session: the run is stopped, all of its processes too; others go on."""
    keep_open(world)
    world.tmux("new-session", "-d", "-s", "other", "sleep 600")
    run = world.shell("trap '' HUP; sleep 300 & sleep 300")
    world.working(run)
    pane = pane_of(world, run)
    world.tmux(what, "-t", pane)
    result = world.result(run)
    assert (result["status"], result["goal_met"]) == ("stopped", None), result
    assert "pane was closed" in result["error"]
    eventually(lambda: not world.marked(run), 10)
    assert len(world.notes()) == 1


def test_a_session_stays_resumable_when_its_pane_is_closed(world: World) -> None:
    """A pane closed by a person: stopped, and the session id is kept for resume."""
    keep_open(world)
    line = '{"type":"system","subtype":"init","session_id":"5f0c1d5e-0000-4000-8000-000000000001","model":"m"}'
    world.config(
        backends={
            "mine": {"argv": ["sh", "-c", "echo '%s'; exec sleep 300" % line, "x", "{session_id}"], "stream": "claude"}
        }
    )
    run = world.ok("start", "--backend", "mine", stdin="do it")
    eventually(lambda: world.status(run).get("session_id"), 10)
    world.tmux("kill-pane", "-t", pane_of(world, run))
    result = world.result(run)
    assert (result["status"], result["session_id"][:8]) == ("stopped", "5f0c1d5e")
    again = world.ok("resume", "--parent-run-id", run, "--no-pane", stdin="go on")
    world.working(again)
    assert json.loads(world.ok("show", again))["parent"] == run
    world.ok("stop", again)


@pytest.mark.parametrize("how", ["kill-server", "kill -9"])
def test_a_run_carries_on_when_its_server_dies(world: World, how: str) -> None:
    """kill-server and kill -9 of the tmux server: the run carries on without a screen, wait returns its true result."""
    run = world.shell("sleep 2.2; echo still here; exit 3")
    world.working(run)
    waiter = world.popen("wait", run)
    if how == "kill-server":
        world.tmux("kill-server")
    else:
        os.kill(server_pid(world), signal.SIGKILL)
    time.sleep(0.3)
    assert json.loads(world.ok("show", run))["status"] == "running"
    assert world.run("list").returncode == 0
    out, _ = waiter.communicate(timeout=20)
    result = json.loads(out)
    assert (result["status"], result["exit_code"], result["summary"]) == ("finished", 3, "still here")
    assert world.crash() == ""


def test_a_run_without_its_server_can_be_stopped(world: World) -> None:
    """The tmux server is gone: stop works."""
    run = world.shell("sleep 300")
    world.working(run)
    os.kill(server_pid(world), signal.SIGKILL)
    eventually(lambda: "server is gone" in (world.folder(run) / "events.jsonl").read_text(), 10)
    world.ok("stop", run)
    assert world.result(run)["status"] == "stopped"


def test_a_new_server_after_the_old_one_takes_the_next_run(world: World) -> None:
    """The server was restarted: pane ids begin anew, and nothing is mistaken for the old run's pane."""
    first = world.shell("sleep 300")
    world.working(first)
    old = pane_of(world, first)
    os.kill(server_pid(world), signal.SIGKILL)
    eventually(lambda: "server is gone" in (world.folder(first) / "events.jsonl").read_text(), 10)
    second = world.shell("sleep 300")
    world.working(second)
    assert pane_of(world, second) == old == "%0"
    assert world.run("show", first, "--pane").returncode == 1
    assert world.ok("show", second, "--pane") == old
    world.ok("stop", first)
    assert json.loads(world.ok("show", second))["status"] == "running"
    world.ok("stop", second)


# -- tmux is not there, or not as hoped


def test_without_tmux_everything_but_a_pane_works(world: World) -> None:
    """tmux missing: start says so and names the way without; every reader and a run without a pane work."""
    env = without_tmux(world)
    done = world.run("start", "--", "sh", "-c", "true", env=env)
    assert done.returncode == 1 and "tmux is not installed" in done.stderr and "--no-pane" in done.stderr
    assert os.listdir(world.home / "active") == [] and os.listdir(world.home / "runs") == []
    run = world.ok("start", "--no-pane", "--", "sh", "-c", "echo fine", env=env)
    for words in (["wait", run], ["list"], ["show", run], ["tail"], ["follow", run]):
        done = world.run(*words, env=env)
        assert (done.returncode, done.stderr) == (0, ""), (words, done)
    done = world.run("attach", run, env=env)
    assert done.returncode == 1 and "hint:" in done.stderr and "unexpected" not in done.stderr


@pytest.mark.parametrize("answer", ["tmux 2.1", "tmux 2.9a"])
def test_an_old_tmux_is_named_before_anything_is_made(world: World, answer: str) -> None:
    """tmux too old: one line with both versions, the way without, and nothing left behind."""
    env = without_tmux(world)
    stand_in = world.root / "path" / "tmux"
    stand_in.write_text(
        "#!/bin/sh\n[ \"$1\" = -V ] && { echo '%s'; exit; }\necho 'no server running' >&2\nexit 1\n" % answer
    )
    stand_in.chmod(0o755)
    done = world.run("start", "--", "sh", "-c", "true", env=env)
    assert (
        done.returncode == 1 and answer[5:8] in done.stderr and "too old" in done.stderr and "--no-pane" in done.stderr
    )
    assert os.listdir(world.home / "runs") == [] and os.listdir(world.home / "active") == []


@pytest.mark.parametrize("script", ["sleep 60", "exit 1", "echo garbage", "kill -9 $$", "yes garbage"])
def test_a_tmux_that_answers_nonsense_is_an_error_not_a_hang(world: World, script: str) -> None:
    """tmux hangs, fails, dies, floods: one error in bounded time, and no phantom run."""
    env = without_tmux(world)
    (world.root / "path" / "yes").symlink_to(shutil.which("yes") or "/usr/bin/yes")
    stand_in = world.root / "path" / "tmux"
    stand_in.write_text("#!/bin/sh\n[ \"$1\" = -V ] && { echo 'tmux 3.3a'; exit; }\n%s\n" % script)
    stand_in.chmod(0o755)
    began = time.monotonic()
    done = world.run("start", "--", "sh", "-c", "touch ran", env=env)
    assert time.monotonic() - began < 25
    assert done.returncode == 1 and "unexpected" not in done.stderr and "Traceback" not in done.stderr, done
    assert os.listdir(world.home / "active") == []
    assert os.listdir(world.home / "runs") == []
    assert not (world.project / "ran").exists()


@pytest.mark.parametrize(("times", "code"), [(2, 0), (9, 1)])
def test_a_server_that_goes_as_we_come_is_asked_again(world: World, times: int, code: int) -> None:
    """Its last pane had closed: tmux says so to the client that came in between. Not for ever."""
    env = without_tmux(world)
    (world.root / "path" / "mkdir").symlink_to(shutil.which("mkdir") or "/bin/mkdir")
    stand_in, gone = world.root / "path" / "tmux", world.root / "gone"
    gone.mkdir()
    stand_in.write_text(
        '#!/bin/sh\ncase "$*" in *new-session*)\n'
        "for n in %s; do mkdir %s/$n 2>/dev/null && { echo 'server exited unexpectedly' >&2; exit 1; }; done;; esac\n"
        'exec %s "$@"\n' % (" ".join(map(str, range(times))), gone, shutil.which("tmux"))
    )
    stand_in.chmod(0o755)
    done = world.run("start", "--", "sh", "-c", "echo fine", env=env)
    assert done.returncode == code, done
    if code == 0:
        assert world.result(done.stdout.strip())["summary"] == "fine"
    else:
        assert "server exited unexpectedly" in done.stderr and os.listdir(world.home / "runs") == []


@pytest.mark.parametrize("value", ["/nowhere/default,4711,0", "/tmp,1,0", "x", ",,", "/nowhere\n,1,0"])
def test_a_stale_tmux_variable_is_an_error_not_a_phantom(world: World, value: str) -> None:
    """$TMUX of a server that is gone: an error, or a pane on the configured server; never a run that nobody runs."""
    path = world.home / "config.json"
    path.write_text("{}")
    env = {"TMUX": value, "TMUX_PANE": "%0", "TMUX_TMPDIR": str(world.root / "tmux")}
    (world.root / "tmux").mkdir()
    done = world.run("start", "--", "sh", "-c", "echo fine", env=env)
    try:
        assert "unexpected" not in done.stderr and "Traceback" not in done.stderr
        if done.returncode:
            assert done.returncode == 1 and "hint:" in done.stderr and os.listdir(world.home / "runs") == []
        else:
            assert world.result(done.stdout.strip())["status"] == "finished"
    finally:
        subprocess.run(
            ["tmux", "kill-server"], env={**world.env, "TMUX_TMPDIR": str(world.root / "tmux")}, capture_output=True
        )


CONF = {
    "base-index": "set -g base-index 1\nset -g pane-base-index 1\nset -g renumber-windows on\n",
    "no shell": "set -g default-shell /bin/false\nset -g default-command /bin/false\n",
    "failing hooks": "set-hook -g after-new-window 'select-window -t nowhere'\n"
    "set-hook -g after-split-window 'kill-window -t nowhere'\n"
    "set-hook -g after-new-session 'select-pane -t %999'\nset-hook -g after-select-layout 'no-such-command'\n",
    "renaming": "setw -g automatic-rename on\nset -g set-titles on\nset-hook -g after-new-window 'rename-window x'\n",
    "remain": "setw -g remain-on-exit on\nsetw -g synchronize-panes on\nset -g mouse on\n",
    "bad line": "set -g no-such-option yes\nthis is no command\n",
    "gone at once": "set -g destroy-unattached on\nset -g exit-unattached on\n",
    "lock": "set -g detach-on-destroy on\nset -g allow-rename on\nset -g history-limit 1\n",
}


@pytest.mark.parametrize("name", sorted(CONF))
def test_a_users_tmux_conf_changes_no_result(world: World, name: str) -> None:
    """base-index, a broken default-shell, failing hooks, renames: same results, or one clear error."""
    (world.user / ".tmux.conf").write_text(CONF[name])
    runs = []
    for n in range(3):
        done = world.run("start", "--", "sh", "-c", "echo run %d; sleep 0.4; exit %d" % (n, n))
        assert "unexpected" not in done.stderr and "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            assert name in ("gone at once", "failing hooks"), done.stderr
            assert "hint:" in done.stderr
        else:
            runs.append((n, done.stdout.strip()))
    assert runs or name == "gone at once"
    for n, run in runs:
        hidden = world.home / "runs" / ("." + run) / "meta.json"
        if name == "gone at once" and hidden.exists():
            time.sleep(1)
            os.utime(hidden, (1, 1))  # the grace is over
        result = world.result(run)
        if name == "gone at once" and result["status"] != "finished":
            assert result["status"] in ("stopped", "lost")
            continue
        assert (result["status"], result["exit_code"], result["summary"]) == ("finished", n, "run %d" % n)
        assert [note["run_id"] for note in world.notes()].count(run) == 1


def test_the_c_locale_changes_no_result(world: World) -> None:
    """LC_ALL=C, and no locale at all: panes are made, text is kept, lists are printed."""
    for env in ({"LC_ALL": "C", "LANG": "C"}, {"LC_ALL": "", "LANG": ""}, {"LC_ALL": "POSIX"}):
        run = world.ok("start", "--title", "é漢\t…", "--", "sh", "-c", "printf 'h\\303\\251llo \\377'", env=env)
        assert world.result(run)["summary"] == "héllo \ufffd"
        assert run in world.ok("list", env=env)
        assert world.ok("follow", run, env=env)


def test_a_hook_that_fails_starts_no_second_worker(world: World) -> None:
    """tmux says 1 and the pane runs all the same: one worker, one run, and start says its id."""
    keep_open(world)
    world.tmux("set-hook", "-g", "after-new-window", "select-window -t nowhere")
    world.tmux("set-hook", "-g", "after-split-window", "select-window -t nowhere")
    for _ in range(3):
        run = world.shell("echo x >> ran; sleep 0.2")
        assert world.result(run)["status"] == "finished"
    assert (world.project / "ran").read_text() == "x\n" * 3
    assert len(world.notes()) == 3


@pytest.mark.parametrize("late", ["sleep 1; echo late >&2; exit 1", "exec sleep 60"])
def test_a_start_that_tmux_denies_after_the_birth_is_no_phantom(world: World, late: str) -> None:
    """tmux fails or hangs when the runner has come already: the run is not taken away under it, start says its id."""
    env = without_tmux(world)
    stand_in = world.root / "path" / "tmux"
    stand_in.write_text(
        '#!/bin/sh\n%s "$@"\ncode=$?\ncase "$*" in *_run*) %s;; esac\nexit $code\n' % (shutil.which("tmux"), late)
    )
    stand_in.chmod(0o755)
    path = env["PATH"] + ":" + os.environ["PATH"]
    done = world.run("start", "--", "sh", "-c", "echo fine; sleep 2; echo end", env={"PATH": path})
    assert done.returncode == 0, done.stderr
    assert world.result(done.stdout.strip())["summary"] == "fine\nend"


def test_an_argument_that_ends_in_a_semicolon_begins_no_command(world: World) -> None:
    """A final `;` in an argument of tmux: the next word is not run as a command of tmux."""
    keep_open(world)
    server = tmux.Server(socket=world.socket)
    for words in ("x;", ";", "x\\;", "a;b"):
        tmux.run(server, ["set-buffer", "-b", "mine", "--", words], ["set-buffer", "-b", "other", "--", "o"])
        assert world.tmux("show-buffer", "-b", "mine") == words
        assert world.tmux("show-buffer", "-b", "other") == "o"


# -- many panes


def test_panes_are_spread_over_windows_and_all_fit(world: World) -> None:
    """No space for a new pane: a new window, never a failed start."""
    world.config(panes_per_window=50)
    runs = [world.shell("sleep 300") for _ in range(14)]
    for run in runs:
        world.working(run)
    panes = world.tmux("list-panes", "-a", "-F", "#{window_id} #{pane_id}").split("\n")[:-1]
    assert len(panes) == 14
    world.ok("stop", *runs)
    eventually(lambda: all((world.folder(r) / "result.json").exists() for r in runs), 20)


def test_the_workers_environment_has_no_way_to_the_callers_tmux(world: World) -> None:
    """TMUX and TMUX_PANE are not in the worker's environment."""
    keep_open(world)
    socket = world.tmux("display-message", "-p", "#{socket_path}").strip()
    caller = {"TMUX": "%s,%d,0" % (socket, server_pid(world)), "TMUX_PANE": "%0", "TMUX_TMPDIR": "/nowhere"}
    for options in ((), ("--no-pane",)):
        run = world.shell("env", *options, env=caller)
        assert world.result(run)["status"] == "finished"
        assert "TMUX" not in (world.folder(run) / "raw.jsonl").read_text()


@pytest.mark.parametrize("name", ["x;", ";", "#(touch PWN)", "a b", "é", "-x", "a%H", "a'b", "a.b:c"])
def test_a_configured_session_name_is_never_read_as_a_command(world: World, name: str) -> None:
    """A final `;`, `#(…)`, a leading dash in the name of the tmux session: refused, or it is that name and no more."""
    world.config(tmux_session=name)
    for _ in range(2):
        done = world.run("start", "--", "true")
        assert done.returncode == 2 and "hint:" in done.stderr or done.returncode == 0, done
        if done.returncode == 0:
            assert world.result(done.stdout.strip())["status"] == "finished"
        assert not list(world.root.rglob("PWN"))


def test_a_session_name_that_tmux_would_escape_is_refused(world: World) -> None:
    """A backslash or a control character: one clear line, and nothing was started."""
    for name in ("a\\b", "a\tb"):
        world.config(tmux_session=name)
        done = world.run("start", "--", "true")
        assert (done.returncode, done.stdout) == (2, "")
        assert "%r cannot name a tmux session" % name in done.stderr
    assert world.ok("list") == ""


def test_a_session_whose_name_tmux_rewrites_is_found_again(world: World) -> None:
    """`.` and `:` become `_`: one session, whatever the pane before was."""
    world.config(tmux_session="a.b:c", panes_per_window=1)
    runs = [world.shell("while [ ! -e go ]; do sleep 0.02; done") for _ in range(3)]
    assert world.tmux("list-sessions", "-F", "#{session_name} #{session_windows}").split() == ["a_b_c", "3"]
    (world.project / "go").touch()
    assert [world.result(run)["status"] for run in runs] == ["finished"] * 3
