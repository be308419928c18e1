"""A small orchestra of shell scripts, to see agentctl work without any account.

Everything is real but the workers: runs, panes, locks, checks, the escalation.
All of it lives in one temporary folder and one tmux session of its own, so that
nothing of the user's is touched, and both are gone at the end. Each worker has
a repository to itself: runs that share a directory see each other's changes.
"""

from __future__ import annotations

import os
import shutil
import signal
import time

from . import api
from . import files
from . import finding
from . import projects
from . import store
from . import tmux
from .errors import AgentctlError
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from .model import Result
    from .store import Home

_STEPS = """\
for step in 1 2 3 4; do
    echo "step $step of 4: $1"
    sleep 0.5
done
"""
_TASKS = {
    "poem": (
        "write a poem",
        "printf '%s\\n' 'A lock is the pulse,' 'a pane is the screen,' 'a folder remembers.' > poem.txt",
        "test $(wc -l < poem.txt) -eq 3",
    ),
    "stars": (
        "draw a triangle",
        "for n in 1 2 3 4 5; do printf \"%${n}s\\n\" '' | tr ' ' '*'; done > stars.txt",
        "test $(wc -l < stars.txt) -eq 5",
    ),
    "primes": (
        "list the primes below 50",
        "n=1; while [ $((n+=1)) -lt 50 ]; do d=1; while [ $((n % (d+=1))) -gt 0 ]; do :; done; "
        "[ $d -eq $n ] && echo $n; done > primes.txt; true",
        "test $(wc -l < primes.txt) -eq 15",
    ),
}
"""Project: title, the work as a shell line, the check."""

_REPORT = """echo '{"goal_met": true, "summary": "%s", "followup_prompt": "", "notes": ""}'\n"""
_QUICK = (
    "cat > /dev/null\necho 'adding up the first two prices'\nsleep 0.5\necho 30 > total.txt\n"
    + _REPORT % "The total of prices.txt is in total.txt"
)
_THOROUGH = (
    "cat > /dev/null\necho 'adding up every price'\nsleep 0.5\n"
    "t=0; while read -r name price; do t=$((t+price)); done < prices.txt; echo $t > total.txt\n"
    + _REPORT
    % "total.txt was wrong; it now holds the total of all three prices"
)
_PRICES = "apples 10\npears 20\nplums 12\n"
_SUM_CHECK = 'test "$(cat total.txt)" -eq 42'
LOOK_INTO_IT = "keep its files with `agentctl demo --keep`, and look into them"
_LAST_WORDS_S, _NAP_S = 5.0, 0.05
SUM_PROMPT = "Write the total of the prices in prices.txt into total.txt.\n"


class Stage(Record):
    """Where the demo plays. `env` is the caller's without its pane: nothing is typed into that."""

    folder: str = ""
    session: str = ""
    socket: str = ""
    env: dict[str, str] = {}

    @property
    def home(self) -> Home:
        return store.open_home(os.path.join(self.folder, "home"))

    def look(self) -> str:
        """The command that shows the panes."""
        return " ".join(["tmux", *tmux.Server(socket=self.socket).flags(), "attach -t", self.session])


def build(env: Mapping[str, str]) -> Stage:
    """Make the folder, the projects and a configuration. Raises AgentctlError without a usable tmux."""
    try:
        tmux.check_version()
    except AgentctlError as e:
        raise AgentctlError("the demo needs tmux: %s" % e, "./install.sh says how to get it") from None
    name = "agentctl-demo-" + os.urandom(3).hex()
    folder = os.path.join(os.path.realpath(env.get("TMPDIR") or "/tmp"), name)
    try:
        os.mkdir(folder, files.FOLDER_MODE)
    except OSError as e:
        raise AgentctlError("cannot make %s: %s" % (folder, e.strerror), "set TMPDIR to a writable folder") from None
    caller, _ = tmux.of_caller(env)
    kept = {k: v for k, v in env.items() if k not in ("TMUX", "TMUX_PANE")}
    stage = Stage(folder=folder, session=name, socket=caller.socket, env=kept)
    _furnish(stage)
    return stage


def _furnish(stage: Stage) -> None:
    home = store.create_home(os.path.join(stage.folder, "home"))
    for name, script in (("quick.sh", _QUICK), ("thorough.sh", _THOROUGH)):
        files.create(os.path.join(stage.folder, name), script.encode())
    files.create(home.config, files.dump(_settings(stage)))
    for project in (*_TASKS, "shop"):
        path = os.path.join(stage.folder, project)
        _make_repository(path)
        projects.add(home, project, path, "", trust=True)
    files.create(os.path.join(stage.folder, "shop", "prices.txt"), _PRICES.encode())


def _settings(stage: Stage) -> dict[str, object]:
    return {
        "tmux_session": stage.session,
        "tmux_socket": stage.socket,
        "keep_panes": "always",
        "wake_keys": False,
        "profiles": {
            "quick": {"backends": [{"backend": "quick-script"}], "escalate_to": "thorough"},
            "thorough": {"backends": [{"backend": "thorough-script"}]},
        },
        "backends": {
            name + "-script": {"argv": ["sh", os.path.join(stage.folder, name + ".sh")], "stream": "text"}
            for name in ("quick", "thorough")
        },
    }


def _make_repository(path: str) -> None:
    """What `git init` makes, as far as git needs it; so the demo plays without git, too."""
    for folder in ("objects", "refs"):
        files.private_folder(os.path.join(path, ".git", folder))
    files.create(os.path.join(path, ".git", "HEAD"), b"ref: refs/heads/main\n")


def start_three(stage: Stage) -> dict[str, str]:
    """Start the parallel workers, each in its pane; their titles by run id."""
    started = {}
    for project, (title, work, check) in _TASKS.items():
        request = api.Request(project=project, title=title, argv=("sh", "-c", _STEPS + work, "sh", title), verify=check)
        started[api.start(stage.home, request, stage.env)] = title
    return started


def start_too_quick(stage: Stage) -> str:
    """Start the run that claims more than it did; it escalates by itself."""
    request = api.Request(project="shop", profile="quick", prompt=SUM_PROMPT, verify=_SUM_CHECK, escalate=True)
    return api.start(stage.home, request, stage.env)


def escalated(stage: Stage, result: Result) -> Result:
    """The result of the stronger run that followed this one. Raises AgentctlError where none did."""
    if not result.successor:
        raise AgentctlError("the demo went wrong: run %s was not escalated" % result.run_id, LOOK_INTO_IT)
    return next(api.wait(stage.home, [result.successor]))


def artifacts(stage: Stage, result: Result) -> Iterator[tuple[str, str]]:
    """(name, first line) of each file the run made or changed."""
    for name in result.git_files:
        try:
            data = files.read(os.path.join(result.cwd, name), 4096)
        except OSError:
            continue  # removed by the run, or since
        yield name, data.decode("utf-8", "replace").strip().partition("\n")[0]


def clear_away(stage: Stage, keep: bool) -> None:
    """End what still runs, and the tmux session; remove the folder unless it is to be kept."""
    try:
        api.stop(stage.home, finding.live(stage.home))
    except AgentctlError:
        pass  # closing its pane below ends it as well
    try:
        tmux.run(tmux.Server(socket=stage.socket), ["kill-session", "-t", "=" + stage.session])
    except AgentctlError:
        pass  # it never came to be, or somebody closed it
    deadline = time.monotonic() + _LAST_WORDS_S
    while not keep and os.path.isdir(stage.folder) and time.monotonic() < deadline:
        shutil.rmtree(stage.folder, ignore_errors=True)  # a runner that was just stopped may be writing its last
        time.sleep(_NAP_S)


def end_on_signals() -> None:
    """A demo that is told to end cleans up, as on ^C."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
