"""`agentctl doctor`: each fault is planted, found, mended by the very command that the row prints, and then gone.

The vendors' CLIs, the package managers and an old tmux are stand-ins: small scripts that
answer as the real ones were seen to (Claude Code 2.1.197, codex-cli 0.169.0). tmux, the
file systems and the processes are real.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl import inbox
from agentctl import locks
from agentctl import orchestrators
from agentctl import sight
from agentctl import store
from agentctl import tmux
from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually

CLAUDE = """#!/bin/sh
case "$*" in
--version) echo '2.1.197 (Claude Code)' ;;
'auth status --json')
    if [ "$ANTHROPIC_API_KEY" ]; then
        echo '{"loggedIn": true, "authMethod": "api_key", "apiKeySource": "ANTHROPIC_API_KEY"}'
    elif [ -e "$HOME/.claude/.credentials.json" ]; then
        echo '{"loggedIn": true, "authMethod": "claude.ai", "apiProvider": "firstParty", "subscriptionType": "max"}'
    else echo '{"loggedIn": false, "authMethod": "none", "apiProvider": "firstParty"}'; fi ;;
'auth login') mkdir -p "$HOME/.claude" && echo '{}' > "$HOME/.claude/.credentials.json" ;;
*) exec sleep 600 ;;
esac
"""
CODEX = """#!/bin/sh
case "$*" in
--version) echo 'codex-cli 0.169.0' ;;
'login status')
    [ -e "$HOME/.codex/auth.json" ] || { echo 'Not logged in' >&2; exit 1; }
    echo 'Logged in using ChatGPT' >&2 ;;
login) mkdir -p "$HOME/.codex" && echo '{}' > "$HOME/.codex/auth.json" ;;
esac
"""
NPM = """#!/bin/sh
case "$3" in
@openai/codex*) cp "%(store)s/codex" "%(bin)s/codex" ;;
@anthropic-ai/claude-code*) cp "%(store)s/claude" "%(bin)s/claude" ;;
*) exit 1 ;;
esac
"""
OLD_TMUX = """#!/bin/sh
[ "$1" = -V ] && { echo 'tmux 2.6'; exit; }
exec %s "$@"
"""
TOOLS = "sh sed tmux ps mv rm cp ln chmod chown cat id ls du sort tail head sleep env touch git mkdir printf python3"
SECRET = "sk-ant-api03-never-to-be-seen"


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


class Ward(World):
    """A healthy machine: `bin` is the front of its PATH, with stand-ins for the vendors' CLIs, both logged in."""

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    def furnish(self) -> None:
        store_, tools = self.root / "store", self.root / "tools"
        for folder in (self.bin, store_, tools, self.root / "sockets"):
            folder.mkdir()
        for name in TOOLS.split():
            place = shutil.which(name)
            if place:
                (tools / name).symlink_to(place)
        for name, text in (("claude", CLAUDE), ("codex", CODEX)):
            script(store_ / name, text)
            shutil.copy(store_ / name, self.bin / name)
        script(self.bin / "npm", NPM % {"store": store_, "bin": self.bin})
        script(self.bin / "sudo", '#!/bin/sh\nexec "$@"\n')
        script(self.bin / "agentctl", '#!/bin/sh\nexec %s "$@"\n' % " ".join(PROGRAM))
        self.env.update(PATH="%s:%s" % (self.bin, tools), TMUX_TMPDIR=str(self.root / "sockets"))
        for program in ("claude auth login", "codex login"):
            subprocess.run(["sh", "-c", program], env=self.env, check=True)

    def rows(self, *words: str, first: str = ":", **env: str) -> list[dict[str, str]]:
        """What the doctor says, in the shell that has just done `first`."""
        line = "{ %s; } >&2 && { agentctl doctor --json %s; :; }" % (first, " ".join(words))
        done = subprocess.run(
            ["sh", "-c", line], env={**self.env, **env}, cwd=self.project, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and "Traceback" not in done.stderr, (first, done.stdout, done.stderr, self.crash())
        told = json.loads(done.stdout)
        assert told["format"] == 1 and told["ok"] == all(r["state"] != "fail" for r in told["rows"])
        assert all(bool(r["remedy"]) == (r["state"] != "ok") for r in told["rows"]), told["rows"]
        assert SECRET not in done.stdout
        rows: list[dict[str, str]] = told["rows"]
        return rows

    def row(self, name: str, **env: str) -> dict[str, str]:
        return worst(self.rows(**env), name)

    def mended(self, row: dict[str, str], **env: str) -> dict[str, str]:
        """The same row after its remedy was run, which must put it right."""
        after = worst(self.rows(first=row["remedy"], **env), row["name"])
        assert after["state"] == "ok", (row, after)
        return after

    def serve(self, *options: str, command: str = "exec sleep 600", **env: str) -> None:
        """A tmux server on the configured socket, with a tmux session `main`."""
        subprocess.run(
            ["tmux", "-L", self.socket, "-f", "/dev/null", "new-session", "-d", "-s", "main", "sh", "-c", command],
            env={**self.env, **env},
            check=True,
            timeout=20,
        )
        for option in options:
            self.tmux(*option.split())

    @property
    def store(self) -> store.Home:
        return store.open_home(str(self.home))


def worst(rows: list[dict[str, str]], name: str) -> dict[str, str]:
    """The row of this name, the most serious where there are several; an `ok` one where there is none."""
    found = [r for r in rows if r["name"] == name] or [{"name": name, "state": "ok", "words": "", "remedy": ""}]
    return max(found, key=lambda r: ("ok", "warn", "fail").index(r["state"]))


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    made.furnish()
    made.ok("init")
    made.config(tmux_socket=made.socket)
    made.ok("add-project", "p", str(made.project))
    try:
        yield made
    finally:
        for socket in (made.socket, "default"):
            subprocess.run(["tmux", "-L", socket, "kill-server"], env=made.env, capture_output=True, timeout=20)
        made.close()


# -- as a whole


def test_a_healthy_machine_is_said_to_be_so(ward: Ward) -> None:
    """All ok but the Codex profiles, which a test machine has not; exit code 0; nothing is written."""
    ward.serve()
    before = sorted(str(p) for p in ward.home.rglob("*"))
    assert before
    bad = [r for r in ward.rows() if r["state"] != "ok" and r["name"] not in ("codex profiles", "memory", "disk")]
    assert bad == []
    done = ward.run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(str(p) for p in ward.home.rglob("*")) == before


def test_people_read_a_table_with_the_remedy_below_the_row(ward: Ward) -> None:
    ward.home.chmod(0o777)
    done = ward.run("doctor")
    assert done.returncode == 1 and "\033" not in done.stdout
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("fail  home private "))
    assert lines[at + 1] == "      → chmod -R go-rwx %s" % ward.home


def test_without_a_home_it_says_how_to_make_one(ward: Ward) -> None:
    env = {"AI_ORCH_HOME": str(ward.root / "new home")}
    row = ward.row("home", **env)
    assert row["state"] == "fail" and ward.run("doctor", env=env).returncode == 1
    ward.mended(row, **env)
    (ward.root / "file").write_text("")
    env = {"AI_ORCH_HOME": str(ward.root / "file")}
    ward.mended(ward.row("home", **env), **env)


def test_a_wake_wants_an_orchestrator(ward: Ward) -> None:
    assert not any(r["name"].startswith("wake") for r in ward.rows())
    row = worst(ward.rows("--wake"), "wake")
    assert (row["state"], row["remedy"]) == ("warn", "orch")


def test_a_wake_that_nobody_hears(ward: Ward) -> None:
    """No program takes keys there: the pull is proven, the keys are not pressed, and that is said."""
    ward.config(wake=["pull", "keys"])
    ward.serve()
    registered(ward, "pane-1-0")
    rows = ward.rows("--wake")
    assert worst(rows, "wake pane-1-0 pull")["words"].startswith("arrived after 0.")
    row = worst(rows, "wake pane-1-0 keys")
    assert row["state"] == "fail" and row["remedy"] == "agentctl wake --test pane-1-0"
    assert worst(rows, "orchestrator pane-1-0")["words"] == "alive"


def test_a_cli_that_hangs_is_a_row(ward: Ward) -> None:
    script(ward.bin / "claude", "#!/bin/sh\nexec sleep 60\n")
    began = time.monotonic()
    rows = ward.rows()
    assert time.monotonic() - began < 10
    assert worst(rows, "claude")["state"] == worst(rows, "claude login")["state"] == "warn"
    assert "no answer" in worst(rows, "claude")["words"]


# -- the home


def mounted(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True) if shutil.which("mount") else None
    if done is None or done.returncode:
        pytest.skip("cannot mount: %s" % (done.stderr.strip() if done else "no mount(8)"))


@pytest.fixture
def disk(ward: Ward) -> Iterator[Ward]:
    """A ward whose home lies on a disk of its own of 1 MB."""
    old, ward.home = ward.home, ward.root / "disk" / "orch"
    ward.home.parent.mkdir()
    mounted("-t", "tmpfs", "-o", "size=1m", "agentctl-test", str(ward.home.parent))
    shutil.copytree(old, ward.home)
    ward.home.chmod(0o700)
    ward.env["AI_ORCH_HOME"] = str(ward.home)
    try:
        yield ward
    finally:
        subprocess.run(["umount", "-l", str(ward.home.parent)], capture_output=True)


def test_a_full_disk(disk: Ward) -> None:
    assert disk.row("home")["state"] == "ok", "small, but it can be written"
    with pytest.raises(OSError):
        (disk.home.parent / "filler").write_bytes(b"\0" * (2 << 20))
    full = disk.row("disk")
    assert full["state"] == "fail" and "0 MB free" in full["words"]
    disk.mended(full)
    row = disk.row("home")
    assert row["state"] == "fail" and "No space left" in row["words"]
    disk.mended(row)


def test_a_read_only_disk(ward: Ward) -> None:
    home = str(ward.home)
    mounted("--bind", home, home)
    try:
        mounted("-o", "remount,bind,ro", home)
        row = ward.row("home")
        assert row["state"] == "fail" and "Read-only" in row["words"]
        ward.mended(row)
    finally:
        subprocess.run(["umount", "-l", home], capture_output=True)


@pytest.mark.parametrize("mode, state", [(0o755, "warn"), (0o710, "warn"), (0o777, "fail"), (0o770, "fail")])
def test_a_home_that_others_may_enter(mode: int, state: str, ward: Ward) -> None:
    ward.home.chmod(mode)
    row = ward.row("home private")
    assert row["state"] == state
    ward.mended(row)
    assert ward.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_a_home_of_somebody_else(ward: Ward) -> None:
    os.chown(ward.home / "runs", 12345, 12345)
    row = ward.row("home")
    assert row["state"] == "fail" and "another user" in row["words"]
    ward.mended(row)


BROKEN_DISK = """import errno, fcntl, os, sys
real, bad = fcntl.flock, %r
def flock(fd, how):
    if not os.readlink("/proc/self/fd/%%d" %% fd).startswith(bad):
        return real(fd, how)
    %s
fcntl.flock = flock
sys.path.append(%r)
sys.argv = ["agentctl", *sys.argv[1:]]
from agentctl import cli
cli.main()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the file of a descriptor in /proc")
@pytest.mark.parametrize(
    "does, words",
    [
        ("raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))", "locks are refused: No locks available"),
        ("return None", "two processes hold the same lock at once"),
    ],
)
def test_locks_that_do_not_work(does: str, words: str, ward: Ward) -> None:
    """A file system that refuses locks, one that grants them all: flock is replaced for files below the home."""
    code = ward.root / "broken.py"
    code.write_text(BROKEN_DISK % (str(ward.home), does, str(REPO)))
    script(ward.bin / "agentctl", '#!/bin/sh\nexec %s -IS %s "$@"\n' % (sys.executable, code))
    row = ward.row("locks")
    assert row["state"] == "fail" and words in row["words"]
    ward.mended(row)


# -- tmux


def test_a_tmux_that_is_too_old(ward: Ward) -> None:
    script(ward.bin / "tmux", OLD_TMUX % shutil.which("tmux"))
    script(ward.bin / "apt-get", '#!/bin/sh\n[ "$*" = "install -y tmux" ] && rm %s\n' % (ward.bin / "tmux"))
    row = ward.row("tmux")
    assert row["state"] == "fail" and "2.6 is too old" in row["words"]
    ward.mended(row)


def test_no_tmux(ward: Ward) -> None:
    script(ward.bin / "apt-get", "#!/bin/sh\nln -s %s %s\n" % (shutil.which("tmux"), ward.bin / "tmux"))
    (ward.root / "tools" / "tmux").unlink()
    row = ward.row("tmux")
    assert row["state"] == "fail" and "not installed" in row["words"]
    ward.mended(row)


def test_the_servers_path_lacks_a_cli(ward: Ward) -> None:
    ward.serve(PATH=os.environ["PATH"].replace(str(ward.bin), ""))
    row = ward.row("tmux PATH")
    assert row["state"] == "warn" and "lacks claude, codex" in row["words"]
    ward.mended(row)


@pytest.mark.parametrize("name", ["tmux_notify_target", "tmux_sendkeys_target"])
@pytest.mark.parametrize(
    "target, right", [("main:0.0", "main:1.1"), ("main:0.1", "main:1.2"), ("main:1.0", "main:1.1")]
)
def test_windows_that_count_from_1_and_a_hard_coded_target(name: str, target: str, right: str, ward: Ward) -> None:
    ward.serve("set-option -g base-index 1", "set-option -gw pane-base-index 1", "move-window -r -t main")
    ward.tmux("split-window", "-d", "-t", "main:", "sleep 600")
    ward.tmux("new-window", "-d", "-t", "main:", "sleep 600")
    ward.config(**{name: target, "keep_panes": target})
    assert ward.tmux("display-message", "-p", "-t", target, "#{pane_id}"), "tmux itself answers for another pane"
    row = ward.row(name)
    assert row["state"] == "fail" and "can't find" in row["words"]
    ward.mended(row)
    assert json.loads((ward.home / "config.json").read_text())[name] == right


@pytest.mark.parametrize(
    "options, target",
    [
        ("", "main:nosuch.0"),
        ("", "main:9.9"),
        ("", "main:0.7"),
        ("base-index 1", "main:9.9"),
        ("base-index 1", "main:nosuch.0"),
        ("base-index 1", "main:3.0"),
        ("base-index 1", "main:0.7"),
        ("base-index 1", "%77"),
    ],
)
def test_a_target_that_is_none_is_not_bent_to_another_pane(options: str, target: str, ward: Ward) -> None:
    """Windows 1, 2 and 4 here: 3 was closed, and is not 4 counted from 0."""
    ward.serve(*(["set-option -g base-index 1", "set-option -gw pane-base-index 1"] if options else []))
    for _ in range(3):
        ward.tmux("new-window", "-d", "-t", "main:", "sleep 600")
    ward.tmux("move-window", "-r", "-t", "main")
    ward.tmux("kill-window", "-t", "main:3")
    ward.config(tmux_sendkeys_target=target)
    row = ward.row("tmux_sendkeys_target")
    assert row["state"] == "fail" and "sed" not in row["remedy"]
    pane = ward.tmux("display-message", "-p", "-t", "main:", "#{pane_id}").strip()
    script(ward.bin / "chosen", "#!/bin/sh\nsed -i.bak 's/%s/%s/' \"$1\"\n" % (target, pane))
    said = subprocess.run(
        ["sh", "-c", row["remedy"]], env={**ward.env, "EDITOR": "chosen"}, capture_output=True, text=True
    )
    assert "%s main:%s" % (pane, "1.1" if options else "0.0") in said.stdout
    assert ward.row(row["name"])["state"] == "ok"


@pytest.mark.parametrize(
    "target, right", [("main:0", "main:1"), ("main:work.0", "main:work.1"), ("main:.0", "main:.1")]
)
def test_a_corrected_target_keeps_its_form(target: str, right: str, ward: Ward) -> None:
    ward.serve("set-option -g base-index 1", "set-option -gw pane-base-index 1", "move-window -r -t main")
    ward.tmux("rename-window", "-t", "main:1", "work")
    ward.config(tmux_notify_target=target)
    ward.mended(ward.row("tmux_notify_target"))
    assert json.loads((ward.home / "config.json").read_text())["tmux_notify_target"] == right


def test_a_target_whose_program_has_ended(ward: Ward) -> None:
    ward.serve()
    ward.tmux("set-option", "-w", "-t", "main:", "remain-on-exit", "on")
    ward.config(tmux_notify_target="main:0.0")
    assert ward.row("tmux_notify_target")["state"] == "ok"
    os.kill(int(ward.tmux("display-message", "-p", "-t", "main:", "#{pane_pid}")), signal.SIGKILL)
    eventually(lambda: "1" in ward.tmux("list-panes", "-a", "-F", "#{pane_dead}"))
    row = ward.row("tmux_notify_target")
    assert row["state"] == "warn" and "has ended" in row["words"]
    ward.mended(row)


def test_a_target_in_a_session_that_is_gone(ward: Ward) -> None:
    ward.config(tmux_notify_target="gone:0.0")
    ward.mended(ward.row("tmux_notify_target"))
    ward.config(tmux_notify_target="%77")
    row = ward.row("tmux_notify_target")
    assert row["state"] == "fail"
    listed = subprocess.run(["sh", "-c", row["remedy"]], env=ward.env, capture_output=True, text=True).stdout
    assert listed == "%0 gone:0.0\n"


def test_fish_is_fine_and_a_default_shell_that_is_gone_is_not(ward: Ward) -> None:
    shutil.copy("/bin/sh", ward.root / "fish")
    ward.serve("set-option -g default-shell %s" % (ward.root / "fish"))
    row = ward.row("tmux default-shell")
    assert row["state"] == "ok" and "fish, which is not POSIX" in row["words"]
    run = ward.shell("echo by argv")
    assert ward.result(run)["summary"].endswith("by argv")
    (ward.root / "fish").unlink()
    row = ward.row("tmux default-shell")
    assert row["state"] == "warn" and "no shell" in row["words"]
    ward.mended(row)


@pytest.mark.parametrize(
    "name, planted, state",
    [
        ("tmux destroy-unattached", "set-option -g destroy-unattached on", "fail"),
        ("tmux remain-on-exit", "set-option -gw remain-on-exit on", "warn"),
        ("tmux synchronize-panes", "set-option -gw synchronize-panes on", "warn"),
        ("tmux synchronize-panes", "set-option -w -t main synchronize-panes on", "warn"),
        ("tmux hooks", "set-hook -g after-split-window kill-pane", "warn"),
        ("tmux hooks", "set-hook -g pane-exited kill-server", "warn"),
        ("tmux command-alias", "set-option -s command-alias[77] split-window=kill-pane", "fail"),
    ],
)
def test_what_a_tmux_conf_may_hold(name: str, planted: str, state: str, ward: Ward) -> None:
    ward.serve()
    attached = subprocess.Popen(  # without a client destroy-unattached would end the server at once
        ["tmux", "-C", "-L", ward.socket, "attach", "-t", "main"],
        env=ward.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: ward.tmux("list-clients"))
        assert ward.row(name)["state"] == "ok"
        ward.tmux(*planted.split())
        row = ward.row(name)
        assert row["state"] == state, row
        ward.mended(row)
    finally:
        attached.communicate(timeout=20)


def test_a_server_that_lost_its_socket_and_one_that_is_gone(ward: Ward) -> None:
    ward.config(tmux_socket="")
    subprocess.run(["tmux", "-f", "/dev/null", "new-session", "-d", "sleep 600"], env=ward.env, check=True)
    told = ["tmux", "display-message", "-p", "#{socket_path},#{pid},0"]
    words = subprocess.run(told, env=ward.env, capture_output=True, text=True, check=True).stdout.strip()
    env = {"TMUX": words, "TMUX_PANE": "%0"}
    assert ward.row("tmux server", **env)["state"] == "ok"
    os.unlink(words.split(",")[0])
    row = ward.row("tmux server", **env)
    assert row["state"] == "fail" and "lost its socket" in row["words"]
    subprocess.run(["sh", "-c", row["remedy"]], env=ward.env, check=True)
    eventually(lambda: ward.row("tmux server", **env)["state"] == "ok")
    subprocess.run(["tmux", "kill-server"], env=ward.env, check=True)
    row = ward.row("tmux server", **env)
    assert row["state"] == "warn" and "gone" in row["words"]
    ward.mended(row, **env)


# -- the vendors


def test_a_cli_that_is_missing(ward: Ward) -> None:
    for name in ("claude", "codex"):
        (ward.bin / name).unlink()
    row = ward.row("codex")
    assert row["state"] == "fail" and "profile `spark`" in row["words"]
    ward.mended(row)
    row = ward.row("claude")
    assert row["state"] == "warn" and "the next choice serves profile `review`, `glance`" in row["words"]
    ward.mended(row)
    assert ward.row("cursor")["state"] == "ok", "no profile needs it"


@pytest.mark.parametrize("name, state", [("codex", "fail"), ("claude", "warn")])
def test_a_cli_that_is_not_logged_in(name: str, state: str, ward: Ward) -> None:
    """It is bad where the default profile would take it."""
    shutil.rmtree(ward.user / ("." + name))
    row = ward.row(name + " login")
    assert (row["state"], row["words"]) == (state, "not logged in")
    ward.mended(row)


def test_an_api_key_that_wins_over_a_subscription(ward: Ward) -> None:
    env = {"ANTHROPIC_API_KEY": SECRET}
    assert ward.row("claude login")["words"] == "subscription (max)"
    row = ward.row("claude login", **env)
    assert row["state"] == "warn" and "billed per token, by ANTHROPIC_API_KEY" in row["words"]
    ward.mended(row, **env)
    shutil.rmtree(ward.user / ".claude")
    assert ward.row("claude login", **env)["state"] == "ok", "the only source there is"
    row = ward.row("codex login", CODEX_API_KEY=SECRET)
    assert row["state"] == "warn"
    ward.mended(row, CODEX_API_KEY=SECRET)


def test_a_version_that_was_never_tried(ward: Ward) -> None:
    script(ward.bin / "codex", CODEX.replace("0.169.0", "0.99.0"))
    row = ward.row("codex")
    assert row["state"] == "warn" and "0.99.0" in row["words"] and "tested with 0.169.0" in row["words"]
    ward.mended(row)


@pytest.mark.parametrize("version", ["0.169.0", "0.120.0"])
def test_codex_profiles_that_are_missing(version: str, ward: Ward) -> None:
    """Put there by install.sh itself, in the form that this Codex reads."""
    script(ward.bin / "codex", CODEX.replace("0.169.0", version))
    row = ward.row("codex profiles")
    assert row["state"] == "warn" and row["words"] == "not installed: spark, deep, review, glance"
    path = "%s:%s:%s" % (ward.bin, os.path.dirname(sys.executable), os.environ["PATH"])
    ward.mended(row, PATH=path)
    assert (ward.user / ".codex" / "spark.config.toml").exists() == (version == "0.169.0")


# -- the home's records


def test_config_and_projects_that_are_damaged(ward: Ward) -> None:
    for name in ("config", "projects"):
        (ward.home / (name + ".json")).write_text("{")
        row = ward.row(name)
        assert row["state"] == "fail"
        ward.mended(row)
    ward.config(nonsense=1)
    row = ward.row("config")
    assert row["state"] == "warn" and "`nonsense` is no setting" in row["words"]
    (ward.bin / "vi").symlink_to("/bin/sh")
    script(ward.bin / "editor", '#!/bin/sh\necho "{}" > "$1"\n')
    ward.mended(row, EDITOR="editor")


def test_a_project_whose_directory_is_gone(ward: Ward) -> None:
    (ward.root / "other").mkdir()
    ward.ok("add-project", "other", str(ward.root / "other"))
    (ward.root / "other").rmdir()
    row = ward.row("projects")
    assert row["state"] == "warn" and "`other` is gone" in row["words"]
    ward.mended(row)


def test_hints_that_do_not_agree_with_the_folders(ward: Ward) -> None:
    runs = [ward.shell("true", "--no-pane", "--title", 'a "project": "x"') for _ in range(2)]
    for run in runs:
        ward.result(run)
    (ward.home / "journal").write_text("")
    row = ward.row("journal")
    assert row["state"] == "warn" and "2 runs missing" in row["words"]
    ward.mended(row)
    listed = json.loads(ward.ok("list", "--json", "--project", "p"))["runs"]
    assert sorted(r["run_id"] for r in listed) == sorted(runs)
    (ward.home / "active" / "20200101-000000-abcd").touch()
    row = ward.row("active")
    assert row["state"] == "warn"
    ward.mended(row)


def test_a_bug_of_ours_that_left_its_mark(ward: Ward) -> None:
    (ward.home / "crash.log").write_text("Fri Nov 20 agentctl 1\n  File x\nZeroDivisionError: division by zero\n")
    row = ward.row("crash.log")
    assert row["state"] == "warn" and row["words"].endswith("ZeroDivisionError: division by zero")
    ward.mended(row)


# -- orchestrators and panes


def registered(ward: Ward, name: str, **more: Any) -> None:
    about = ward.tmux("display-message", "-p", "-t", "main:", "#{pane_id} #{pid}").split()
    known = {"pane": about[0], "server_pid": int(about[1])} if len(about) == 2 else {}
    entry = orchestrators.Orchestrator(name=name, socket=ward.socket, **{**known, **more})
    orchestrators.register(ward.store, entry)


def posted(ward: Ward, name: str, at: float = 0.0) -> str:
    event = "test-" + os.urandom(4).hex()
    assert inbox.post(ward.store, inbox.Entry(id=event, kind=inbox.TEST, orchestrator=name, at=at or time.time()))
    return event


@pytest.mark.parametrize(
    "modes, words",
    [
        (["copy-mode"], "is in copy mode"),
        (["choose-tree"], "is in tree mode"),
        (["copy-mode", "choose-tree"], "is in tree mode"),
    ],
)
def test_a_pane_in_a_mode(modes: list[str], words: str, ward: Ward) -> None:
    """What the row says of keys, tried."""
    ward.serve(command="exec cat > %s/typed" % ward.root)
    registered(ward, "pane-1-0")
    title = "orchestrator pane-1-0"
    assert ward.row(title)["words"] == "alive"
    for mode in modes:
        ward.tmux(mode, "-t", "main:")
    row = ward.row(title)
    assert row["state"] == "warn" and words in row["words"]
    assert "`send-keys`" in row["words"] and "agentctl pastes, which arrives" in row["words"]
    ward.tmux("send-keys", "-t", "%0", "x", "y", "Enter")
    path = ward.tmux("display-message", "-p", "#{socket_path}").strip()
    sight.paste(tmux.Server(socket=path), "%0", "pasted\n")
    eventually(lambda: (ward.root / "typed").read_text() == "pasted\n")
    ward.mended(row)


def test_a_pane_with_its_input_off(ward: Ward) -> None:
    ward.serve()
    registered(ward, "pane-1-0")
    ward.tmux("select-pane", "-d", "-t", "main:")
    row = ward.row("orchestrator pane-1-0")
    assert row["state"] == "warn" and "is off" in row["words"]
    ward.mended(row)


def test_a_configured_target_that_is_a_shell(ward: Ward) -> None:
    ward.serve(command="exec sh -i")
    ward.config(tmux_sendkeys_target="main:0.0")
    registered(ward, "target", target="main:0.0")
    row = eventually(lambda: ward.row("orchestrator target"))
    assert row["state"] == "warn" and "shell" in row["words"]
    subprocess.run(["sh", "-c", row["remedy"]], env=ward.env, check=True)
    config = json.loads((ward.home / "config.json").read_text())
    assert config["tmux_notify_target"] == "main:0.0" and "tmux_sendkeys_target" not in config


def test_an_event_that_nobody_acknowledges(ward: Ward) -> None:
    ward.serve()
    registered(ward, "pane-1-0")
    posted(ward, "pane-1-0")
    row = ward.row("orchestrator pane-1-0")
    assert (row["state"], row["words"]) == ("ok", "alive, 1 event waiting")
    posted(ward, "pane-1-0", at=time.time() - 3600)
    row = ward.row("orchestrator pane-1-0")
    assert row["state"] == "warn" and "1 event not acknowledged for 1h00m" in row["words"]
    ward.mended(row)


@pytest.mark.parametrize("name, state", [("pane-7-3", "warn"), ("target", "fail")])
def test_a_pane_that_was_closed_with_events_that_nobody_saw(name: str, state: str, ward: Ward) -> None:
    """They are shown, and acknowledged by being shown."""
    registered(ward, name, pane="%3", server_pid=7)
    event = posted(ward, name)
    row = ward.row("orchestrator " + name)
    assert row["state"] == state and "gone, with 1 event" in row["words"]
    shown = subprocess.run(["sh", "-c", row["remedy"]], env=ward.env, capture_output=True, text=True)
    assert event in shown.stdout, shown
    assert ward.row(row["name"])["state"] == "ok"


def test_one_without_a_pane_is_not_called_gone(ward: Ward) -> None:
    """A Codex outside tmux: what it reads in a while is no fault yet."""
    registered(ward, "codex-0199-ab", pane="")
    posted(ward, "codex-0199-ab")
    row = ward.row("orchestrator codex-0199-ab")
    assert row["state"] == "ok" and "it has no pane, and has not acknowledged 1 event" in row["words"]
    posted(ward, "codex-0199-ab", at=time.time() - 3600)
    row = ward.row("orchestrator codex-0199-ab")
    assert row["state"] == "warn" and "2 events for 1h00m" in row["words"]
    ward.mended(row)


def test_remedies_mean_the_home_that_was_asked_for(ward: Ward) -> None:
    other = str(ward.root / "other home")
    told = json.loads(ward.run("--home", other, "doctor", "--json").stdout)["rows"]
    assert worst(told, "home")["remedy"] == "agentctl init --home '%s'" % other
    ward.ok("init", "--home", other)
    (ward.root / "gone").mkdir()
    ward.ok("--home", other, "add-project", "gone", str(ward.root / "gone"))
    (ward.root / "gone").rmdir()
    told = json.loads(ward.run("--home", other, "doctor", "--json").stdout)["rows"]
    remedy = worst(told, "projects")["remedy"]
    assert remedy == "AI_ORCH_HOME='%s' agentctl remove-project gone" % other
    subprocess.run(["sh", "-c", remedy], env=ward.env, check=True)
    assert ward.ok("--home", other, "projects") == ""


def test_a_dead_orchestrator_with_events_that_nobody_saw(ward: Ward) -> None:
    """A new orchestrator in its place takes them over: none is lost."""
    registered(ward, "orch-0123abcd", pane="%99", folder=str(ward.project))
    assert ward.row("orchestrator orch-0123abcd")["state"] == "ok", "nothing is missed"
    event = posted(ward, "orch-0123abcd")
    row = ward.row("orchestrator orch-0123abcd")
    assert row["state"] == "fail" and "1 event" in row["words"]
    with_orch(ward)
    ward.mended(row)
    held = [name for name in inbox.names(ward.store) for e in inbox.pending(ward.store, name) if e.id == event]
    assert len(held) == 1 and held != ["orch-0123abcd"]


def with_orch(ward: Ward) -> None:
    script(ward.bin / "orch", '#!/bin/sh\nexec %s "$@"\n' % " ".join([*PROGRAM[:3], str(REPO / "bin" / "orch")]))


def test_an_orchestrator_that_lives_without_its_pane(ward: Ward) -> None:
    """Another in its directory takes its place; what waits in the inbox of the first is still shown."""
    ward.serve()
    with_orch(ward)
    registered(ward, "orch-0123abcd", pane="%99", folder=str(ward.project))
    title = "orchestrator orch-0123abcd"
    keeper = locks.take(inbox.folder(ward.store, "orch-0123abcd", "keeper.lock"))
    try:
        row = ward.row(title)
        assert row["state"] == "fail" and "pane %99 is not there" in row["words"]
        assert row["remedy"] == "orch --new %s" % ward.project
        ward.mended(row)
        event = posted(ward, "orch-0123abcd")
        row = ward.row(title)
        assert row["state"] == "warn"
        shown = subprocess.run(["sh", "-c", row["remedy"]], env=ward.env, capture_output=True, text=True)
        assert event in shown.stdout
        assert ward.row(title)["state"] == "ok"
    finally:
        os.close(keeper)
    assert ward.row(title)["words"] == "", "it has ended, and left nothing"


def test_a_dead_keeper_is_dead_although_some_pane_has_its_id(ward: Ward) -> None:
    ward.serve()
    registered(ward, "orch-0123abcd", folder=str(ward.project))
    posted(ward, "orch-0123abcd")
    row = ward.row("orchestrator orch-0123abcd")
    assert row["state"] == "fail" and "gone, with 1 event" in row["words"]


def test_one_that_cannot_be_looked_at_hides_no_other(ward: Ward) -> None:
    ward.serve()
    registered(ward, "pane-1-0")
    registered(ward, "pane-1-1")
    Path(inbox.folder(ward.store, "pane-1-0", "events")).write_text("no folder")
    rows = ward.rows()
    row = worst(rows, "orchestrator pane-1-0")
    assert row["state"] == "fail" and "Not a directory" in row["words"]
    assert worst(rows, "orchestrator pane-1-1")["words"] == "alive" and worst(rows, "panes")["words"]


def test_a_pane_that_was_kept_and_forgotten(ward: Ward) -> None:
    ward.serve()
    run = ward.shell("exit 3")
    ward.result(run)
    eventually(lambda: "1" in ward.tmux("list-panes", "-a", "-F", "#{pane_dead}"))
    row = ward.row("panes")
    assert (row["state"], row["words"]) == ("ok", "1 pane kept to be read")
    path = ward.folder(run) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished_at": time.time() - 7200}))
    row = ward.row("panes")
    assert row["state"] == "warn"
    shutil.rmtree(ward.folder(run))
    assert ward.row("panes") == row, "its folder is gone"
    ward.mended(row)


def test_a_server_that_does_not_answer(ward: Ward) -> None:
    ward.serve()
    registered(ward, "pane-1-0")
    posted(ward, "pane-1-0")
    pid = int(ward.tmux("display-message", "-p", "#{pid}"))
    os.kill(pid, signal.SIGSTOP)
    try:
        rows = ward.rows()
        row = worst(rows, "tmux server")
        assert row["state"] == "fail" and "did not end within" in row["words"]
        assert "cannot be looked at" in worst(rows, "orchestrator pane-1-0")["words"], "it is not said to be gone"
    finally:
        os.kill(pid, signal.SIGCONT)
