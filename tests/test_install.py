"""The ways to get agentctl: checkout, symlink, `pip install`, `uv tool install`, install.sh; and to be rid of it."""

from __future__ import annotations

import os
import pty
import runpy
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Optional
from typing import Union

import pytest

import fetch

ROOT = Path(__file__).resolve().parents[1]
UV = "uv==0.9.5"
BASE_PATH = os.pathsep.join([os.path.dirname(os.path.realpath(sys.executable)), "/usr/local/bin", "/usr/bin", "/bin"])
SHELLS = [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)]
NAMES = ("spark", "deep", "review", "glance")
Snapshot = dict[str, Union[bytes, str, None]]


def run(argv: list[str], env: dict[str, str], cwd: Optional[Path] = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )


def output(argv: list[str], env: dict[str, str], cwd: Optional[Path] = None) -> str:
    done = run(argv, env, cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def version() -> str:
    found: str = runpy.run_path(str(ROOT / "agentctl" / "__init__.py"))["__version__"]
    return found


def copy_checkout(to: Path) -> Path:
    """What git would check out, so that a test may write beside it."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("agentctl", "bin", "config", "prompts"):
        shutil.copytree(ROOT / name, to / name, ignore=unwanted)
    for name in ("install.sh", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy2(ROOT / name, to / name)
    return to


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A fresh user."""
    (tmp_path / "user").mkdir()
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "SSL_", "http", "HTTP"))}
    return {**kept, "HOME": str(tmp_path / "user"), "PATH": BASE_PATH, "TMUX_TMPDIR": str(tmp_path), "LC_ALL": "C"}


# --- a checkout ----------------------------------------------------------------


def test_checkout_symlink_and_directory_run(tmp_path: Path, env: dict[str, str]) -> None:
    link = tmp_path / "a link"
    link.symlink_to(ROOT / "bin" / "agentctl")
    for argv in ([str(ROOT / "bin" / "agentctl")], [str(link)], [sys.executable, "-IS", str(ROOT / "agentctl")]):
        assert version() in output([*argv, "--version"], env, tmp_path)


def test_modules_in_the_current_directory_are_not_imported(tmp_path: Path, env: dict[str, str]) -> None:
    for name in ("json", "os", "agentctl", "argparse"):
        (tmp_path / (name + ".py")).write_text("open('imported', 'w')\nraise SystemExit('hostile')\n")
    assert version() in output([str(ROOT / "bin" / "agentctl"), "--version"], env, tmp_path)
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("command", ["agentctl", "orch"])
def test_an_old_python_is_told_in_one_line(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 1, "final", 0))
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / "bin" / command), run_name="__main__")
    assert caught.value.code == "%s: needs Python 3.9 or newer, this is 3.8 (%s)" % (command, sys.executable)


# --- wheels ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def with_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has pip. Skipped only where there is no package index; in CI that fails."""
    folder = tmp_path_factory.mktemp("pip") / "venv"
    try:
        fetch.make_environment(folder, [fetch.PIP])
    except fetch.UnavailableError as e:
        if os.environ.get("CI"):
            pytest.fail("packaging must be tested in CI: %s" % e)
        pytest.skip("no package index: %s" % e)
    return folder / "bin" / "python3"


@pytest.fixture(scope="session")
def wheel(with_pip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_checkout(folder / "source")
    output([str(with_pip), "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)], dict(os.environ))
    return next(folder.glob("agentctl-*.whl"))


def test_a_wheel_holds_every_file_once(wheel: Path) -> None:
    def below(folder: Path, prefix: str) -> set[str]:
        files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        return {prefix + p.relative_to(folder).as_posix() for p in files}

    expected = below(ROOT / "agentctl", "agentctl/")
    expected |= below(ROOT / "prompts", "agentctl/prompts/") | below(ROOT / "config", "agentctl/config/")
    with zipfile.ZipFile(wheel) as archive:
        held = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert sorted(held) == sorted(expected)


def test_pip_install_runs_and_finds_its_assets(wheel: Path, tmp_path: Path, env: dict[str, str]) -> None:
    fetch.make_environment(tmp_path / "venv", [fetch.PIP])
    python = tmp_path / "venv" / "bin" / "python3"
    output([str(python), "-m", "pip", "install", "-q", "--no-index", str(wheel)], env)
    assert version() in output([str(tmp_path / "venv" / "bin" / "agentctl"), "--version"], env, tmp_path)
    assert "usage: orch" in output([str(tmp_path / "venv" / "bin" / "orch"), "--help"], env, tmp_path)
    asked = "from agentctl.paths import asset; print(asset('prompts', 'spark.md'), asset('config', 'profiles.json'))"
    for found in output([str(python), "-c", asked], env, tmp_path).split():
        assert found.startswith(os.path.realpath(tmp_path / "venv")) and "/agentctl/" in found


def test_uv_tool_install_runs(with_pip: Path, tmp_path: Path, env: dict[str, str]) -> None:
    kept = fetch.CACHE / ("%s-%d.%d" % (UV.replace("==", "-"), *sys.version_info[:2]))
    with fetch.only_one(kept.name):
        if not (kept / "bin" / "uv").exists():
            output([str(with_pip), "-m", "pip", "install", "-q", "--target", str(kept), UV], dict(os.environ))
    env.update(
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_PYTHON=os.path.realpath(sys.executable),
        UV_PYTHON_DOWNLOADS="never",
        UV_DEFAULT_INDEX=fetch.index(),
        UV_NATIVE_TLS="true",
    )
    source = copy_checkout(tmp_path / "source")
    output([str(kept / "bin" / "uv"), "tool", "install", "-q", str(source)], env)
    assert version() in output([str(tmp_path / "user" / ".local" / "bin" / "agentctl"), "--version"], env, tmp_path)


# --- install.sh --------------------------------------------------------------------


class Machine:
    """A user with a checkout of agentctl, and a folder of stand-in programs first on the PATH."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.user = Path(env["HOME"])
        self.checkout = copy_checkout(folder / "checkout")
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.env = {**env, "PATH": "%s:%s" % (self.programs, BASE_PATH)}
        self.bin = self.user / ".local" / "bin"
        self.codex = self.user / ".codex"

    def install(self, *argv: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        prefix = ["busybox", "sh"] if shell == "busybox" else [shell]
        return run([*prefix, str(self.checkout / "install.sh"), *argv], self.env, self.user)

    def done(self, *argv: str, shell: str = "sh") -> str:
        finished = self.install(*argv, shell=shell)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def everything(self) -> Snapshot:
        return {**snapshot(self.user), **snapshot(self.checkout)}


def snapshot(top: Path) -> Snapshot:
    """Every path below, with the bytes, the link's target, or None for a folder; modes of files count."""
    found: Snapshot = {}
    for path in sorted(top.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_dir():
            found[str(path)] = None
        else:
            found[str(path)] = b"%o " % stat.S_IMODE(path.stat().st_mode) + path.read_bytes()
    return found


def without_compiled(found: Snapshot) -> Snapshot:
    return {path: content for path, content in found.items() if "__pycache__" not in path}


@pytest.fixture
def machine(tmp_path: Path, env: dict[str, str]) -> Machine:
    return Machine(tmp_path, env)


@pytest.mark.parametrize("shell", SHELLS)
def test_install_twice_and_uninstall_leaves_nothing(machine: Machine, shell: str) -> None:
    before = machine.everything()
    machine.done("--yes", shell=shell)
    first = without_compiled(machine.everything())
    assert version() in output([str(machine.bin / "agentctl"), "--version"], machine.env, machine.user)
    assert output([str(machine.bin / "orch"), "--help"], machine.env, machine.user).startswith("usage: orch")
    machine.done("--yes", shell=shell)
    assert without_compiled(machine.everything()) == first
    machine.done("--uninstall", shell=shell)
    assert machine.everything() == before


def test_after_the_demo_nothing_is_left_either(machine: Machine) -> None:
    before = machine.everything()
    machine.done("--yes", "--demo")
    machine.done("--uninstall")
    assert machine.everything() == before


def test_the_exit_code_of_the_demo_is_ours(machine: Machine) -> None:
    demo = 'EXAMPLES = ""\ndef add_arguments(parser): pass\ndef run(args): return 7\n'
    (machine.checkout / "agentctl" / "commands" / "demo.py").write_text(demo)
    assert machine.install("--yes", "--demo").returncode == 7


def test_git_sees_no_change(machine: Machine) -> None:
    for argv in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        output(["git", *argv], machine.env, machine.checkout)
    machine.done("--yes")
    assert output(["git", "status", "--porcelain"], machine.env, machine.checkout) == ""


def test_launchers_name_the_real_interpreter(machine: Machine) -> None:
    """A shim in front of Python, as version managers put it, is not what ends up in the launcher."""
    machine.program("python3", 'exec %s "$@"\n' % sys.executable)
    machine.done("--yes")
    for name in ("agentctl", "orch"):
        first = (machine.bin / name).read_text().splitlines()[0]
        assert first == "#!%s -IS" % os.path.realpath(sys.executable)


@pytest.mark.parametrize("folder", ["a space and 'quotes'", "x" * 120])
def test_an_interpreter_that_fits_no_shebang_is_run_by_sh(
    tmp_path: Path, env: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agentctl.installer import launchers

    python = tmp_path / folder / "python3"
    python.parent.mkdir()
    python.symlink_to(os.path.realpath(sys.executable))
    path = tmp_path / "agentctl"
    path.write_text(launchers.launcher(str(python), str(ROOT), "agentctl.cli", dict(launchers.NOTHING)))
    path.chmod(0o755)
    assert path.read_text().startswith("#!/bin/sh\n")
    assert version() in output([str(path), "--version"], env)


def test_a_prefix_and_a_checkout_with_awkward_names(machine: Machine, tmp_path: Path) -> None:
    awkward = tmp_path / 'it\'s a "place" $HOME #(id) é'
    machine.checkout = Path(shutil.move(machine.checkout, awkward))
    machine.done("--yes", "--prefix", str(awkward / "pre fix"))
    assert version() in output([str(awkward / "pre fix" / "bin" / "agentctl"), "--version"], machine.env, machine.user)
    machine.done("--uninstall", "--prefix", str(awkward / "pre fix"))
    assert not (awkward / "pre fix").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_that_is_not_ours_stays(machine: Machine, kind: str) -> None:
    machine.bin.mkdir(parents=True)
    if kind == "file":
        (machine.bin / "orch").write_text("mine\n")
    else:
        (machine.bin / "orch").symlink_to(machine.checkout / "bin" / "orch")
    before = machine.everything()
    refused = machine.install("--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("agentctl: %s/orch is there and is not ours\nhint: " % machine.bin)
    assert machine.everything() == before
    machine.done("--uninstall")
    assert machine.everything() == before


def test_the_path_hint_comes_only_where_it_helps(machine: Machine) -> None:
    assert "export PATH=%s:" % machine.bin in machine.done("--yes")
    machine.env["PATH"] += ":%s" % machine.bin
    assert "export PATH" not in machine.done("--yes")


def test_a_home_with_something_of_the_users_is_kept_and_named(machine: Machine) -> None:
    machine.done("--yes")
    home = machine.checkout / ".ai-orch"
    run_folder = home / "runs" / "20260101-000000-abcd"
    run_folder.mkdir(parents=True)
    (run_folder / "result.json").write_text("{}")
    said = machine.done("--uninstall", "--yes")
    assert "kept %s: 1 runs, 0 other files of yours; --purge deletes them" % home in said
    assert (run_folder / "result.json").exists() and not (machine.bin / "agentctl").exists()
    assert "removed %s" % home in machine.done("--uninstall", "--purge")
    assert not home.exists()


def test_a_home_that_was_there_before_stays(machine: Machine) -> None:
    machine.done("--yes")
    machine.done("--uninstall")
    assert not (machine.checkout / ".ai-orch").exists()
    output([str(machine.checkout / "bin" / "agentctl"), "init"], machine.env)
    before = snapshot(machine.checkout / ".ai-orch")
    machine.done("--yes")
    machine.done("--uninstall")
    assert snapshot(machine.checkout / ".ai-orch") == before


def test_another_checkout_uninstalls_nothing_of_ours(machine: Machine, tmp_path: Path) -> None:
    machine.done("--yes")
    other = copy_checkout(tmp_path / "other")
    refused = run(["sh", str(other / "install.sh"), "--uninstall"], machine.env)
    assert refused.returncode == 1
    assert "belongs to %s" % machine.checkout in refused.stderr
    assert (machine.bin / "agentctl").exists()


def test_help_and_wrong_options(machine: Machine) -> None:
    assert machine.done("--help").startswith("usage: ./install.sh")
    wrong = machine.install("--nonsense")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("install.sh: unknown option --nonsense\nusage:")
    assert machine.install("--prefix").returncode == 2


@pytest.mark.parametrize(("answer", "done"), [("n", False), ("", True), ("y", True)])
def test_on_a_terminal_it_asks_before_it_touches_codex(machine: Machine, answer: str, done: bool) -> None:
    a_codex(machine, "0.169.0")
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, answer.encode() + b"\n")
        finished = subprocess.run(
            ["sh", str(machine.checkout / "install.sh")],
            env=machine.env,
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert (finished.returncode, "[Y/n]" in finished.stdout) == (0, True)
    assert (machine.codex / "deep.config.toml").exists() == done


# --- packages ------------------------------------------------------------------------


def bare(machine: Machine, *without: str) -> None:
    """A PATH with the few programs install.sh itself uses, and git, and nothing else."""
    for name in {"sh", "id", "dirname", "cat", "git"} - set(without):
        (machine.programs / name).symlink_to(str(shutil.which(name)))
    (machine.programs / "python3").symlink_to(os.path.realpath(sys.executable))
    machine.env["PATH"] = str(machine.programs)


MANAGERS = {
    "apt-get": "install -y --no-install-recommends tmux",
    "dnf": "install -y tmux",
    "yum": "install -y tmux",
    "pacman": "-Sy --noconfirm --needed tmux",
    "zypper": "--non-interactive install tmux",
    "apk": "add tmux",
    "brew": "install tmux",
}


@pytest.mark.parametrize("manager", MANAGERS)
def test_missing_packages_are_installed_with_what_the_system_has(machine: Machine, manager: str) -> None:
    bare(machine)
    tmux, log = shutil.which("tmux"), machine.user / "log"
    machine.program(manager, 'echo "$@" >>%s\n/bin/ln -sf %s %s/tmux\n' % (log, tmux, machine.programs))
    (machine.programs / "sudo").symlink_to("/usr/bin/env")
    asked = machine.install("--no-codex")
    assert (asked.returncode, log.exists()) == (1, False)
    assert asked.stderr.startswith("install.sh: missing: tmux\nhint: run `") and manager in asked.stderr
    machine.done("--yes")
    assert log.read_text().splitlines()[-1] == MANAGERS[manager]


def test_no_package_manager_is_said(machine: Machine) -> None:
    bare(machine, "git")
    refused = machine.install("--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("install.sh: missing: tmux git\nhint: ")


def test_a_failing_package_manager_is_said(machine: Machine) -> None:
    bare(machine)
    (machine.programs / "sudo").symlink_to("/usr/bin/env")
    machine.program("apk", "exit 3\n")
    refused = machine.install("--yes")
    assert (refused.returncode, "could not install tmux" in refused.stderr) == (1, True)


def test_without_python_it_says_what_is_needed(machine: Machine) -> None:
    bare(machine)
    (machine.programs / "python3").unlink()
    machine.program("python3", "exit 1\n")
    refused = machine.install("--yes")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (1, "install.sh: no Python 3.9 or newer on the PATH")


# --- Codex profiles ---------------------------------------------------------------------


CONFIGS = {
    "plain": b'model = "m"\n',
    "no final newline": b'model = "m"',
    "crlf": b'model = "m"\r\n[a]\r\nb = 1\r\n',
    "crlf, torn": b"[a]\r\nb = 1",
    "empty": b"",
    "blank lines": b"\n\n\n",
    "not utf-8": b"# \xff\xfe\n",
    "absent": None,
}


def a_codex(machine: Machine, said: str) -> None:
    machine.program("codex", "echo 'codex-cli %s'\n" % said)


@pytest.mark.parametrize("codex", ["0.133.9", "0.134.0", "0.169.0"])
@pytest.mark.parametrize("config", CONFIGS)
def test_profiles_come_and_go_byte_for_byte(machine: Machine, config: str, codex: str) -> None:
    a_codex(machine, codex)
    content = CONFIGS[config]
    if content is not None:
        machine.codex.mkdir()
        (machine.codex / "config.toml").write_bytes(content)
    before = machine.everything()
    machine.done("--yes")
    first = without_compiled(machine.everything())
    if codex == "0.133.9":
        written = (machine.codex / "config.toml").read_bytes()
        assert written.startswith(content or b"") and b"\n[profiles.deep]\nmodel = " in written
        assert not (machine.codex / "deep.config.toml").exists()
    else:
        assert b"[" not in (machine.codex / "deep.config.toml").read_bytes()
        assert b"\nmodel = " in (machine.codex / "deep.config.toml").read_bytes()
        assert (machine.codex / "config.toml").exists() == (content is not None)
    machine.done("--yes")
    assert without_compiled(machine.everything()) == first
    machine.done("--uninstall")
    assert machine.everything() == before


def test_a_symlinked_config_stays_a_symlink(machine: Machine) -> None:
    a_codex(machine, "0.100.0")
    dotfiles = machine.user / "dotfiles"
    dotfiles.mkdir()
    machine.codex.mkdir()
    (dotfiles / "codex.toml").write_bytes(b"a = 1")
    (dotfiles / "codex.toml").chmod(0o640)
    (machine.codex / "config.toml").symlink_to("../dotfiles/codex.toml")
    before = machine.everything()
    machine.done("--yes")
    assert (machine.codex / "config.toml").is_symlink()
    assert b"profiles.spark" in (dotfiles / "codex.toml").read_bytes()
    machine.done("--uninstall")
    assert machine.everything() == before


def test_an_upgraded_codex_gets_files_instead_of_tables(machine: Machine) -> None:
    a_codex(machine, "0.120.0")
    machine.codex.mkdir()
    (machine.codex / "config.toml").write_bytes(b"a = 1")
    before = machine.everything()
    machine.done("--yes")
    a_codex(machine, "0.169.0")
    machine.done("--yes")
    assert (machine.codex / "config.toml").read_bytes() == b"a = 1"
    assert all((machine.codex / (name + ".config.toml")).exists() for name in NAMES)
    a_codex(machine, "0.120.0")
    machine.done("--yes")
    machine.done("--uninstall")
    assert machine.everything() == before


def test_what_the_user_wrote_around_the_block_stays(machine: Machine) -> None:
    a_codex(machine, "0.120.0")
    machine.codex.mkdir()
    config = machine.codex / "config.toml"
    config.write_bytes(b"a = 1")
    machine.done("--yes")
    config.write_bytes(b"# mine\n" + config.read_bytes() + b"[projects.x]\n")
    written = config.read_bytes()
    machine.done("--yes")
    assert config.read_bytes() == written
    machine.done("--uninstall")
    assert config.read_bytes() == b"# mine\na = 1\n[projects.x]\n"


@pytest.mark.parametrize("theirs", ["[profiles.deep]\n", "[ profiles . 'deep' ]\n", "[profiles.deep.tools]\n"])
@pytest.mark.parametrize("codex", ["0.120.0", "0.169.0"])
def test_a_profile_of_the_users_own_is_left_alone(machine: Machine, theirs: str, codex: str) -> None:
    a_codex(machine, codex)
    machine.codex.mkdir()
    (machine.codex / "config.toml").write_text(theirs)
    assert "profile `deep` left alone" in machine.done("--yes")
    written = b"".join(path.read_bytes() for path in machine.codex.iterdir())
    assert written.count(b"[profiles.deep]") == theirs.count("[profiles.deep]")
    assert not (machine.codex / "deep.config.toml").exists()
    machine.done("--uninstall")
    assert (machine.codex / "config.toml").read_text() == theirs


def test_a_profile_file_that_was_changed_is_the_users(machine: Machine) -> None:
    a_codex(machine, "0.169.0")
    machine.codex.mkdir()
    (machine.codex / "deep.config.toml").write_text("model = 'mine'\n")
    machine.done("--yes")
    spark = machine.codex / "spark.config.toml"
    spark.write_text(spark.read_text() + "# mine\n")
    assert "spark.config.toml left alone" in machine.done("--yes")
    assert "kept %s: changed since we wrote it" % spark in machine.done("--uninstall")
    assert sorted(path.name for path in machine.codex.iterdir()) == ["deep.config.toml", "spark.config.toml"]


def test_no_profiles_without_codex_or_when_told(machine: Machine) -> None:
    machine.done("--yes")
    assert not machine.codex.exists()
    a_codex(machine, "0.169.0")
    machine.done("--yes", "--no-codex")
    assert not machine.codex.exists()
    assert "--yes installs them" in machine.done()
    assert not machine.codex.exists()
