"""The vendors' command lines: installed, of a version we know, logged in, and who is billed.

They are asked all at once, each within a time limit: one that hangs is a row, no hang.
They are asked with a worker's environment, so that the answer is what a worker meets.
"""

from __future__ import annotations

import re

from .. import backends
from .. import config as configuration
from .. import environ
from .. import paths
from ..errors import AgentctlError
from . import logins
from .rows import Row
from .rows import edit
from .rows import fail
from .rows import guarded
from .rows import ok
from .rows import quote
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from ..config import Config
    from ..settings import Profile
    from ..store import Home

    Version = tuple[int, ...]

NAMES = ("claude", "codex", "cursor")
KNOWN: dict[str, tuple[Version, Version, str]] = {
    "claude": ((2, 1), (2, 2), "2.1.197"),
    "codex": ((0, 160), (0, 170), "0.169.0"),
}
"""From, below, and the one that agentctl was tested with."""
_INSTALL = {
    "claude": "npm install -g @anthropic-ai/claude-code",
    "codex": "npm install -g @openai/codex",
    "cursor": "curl -fsS https://cursor.com/install | bash",
}


def programs(config: Config, env: Mapping[str, str]) -> dict[str, str]:
    """The vendors' CLIs that a start would find: backend → path."""
    found = {}
    for name in NAMES:
        configured = (config.executables or {}).get(name)
        candidates = (str(configured or ""), *backends.adapter(name).EXECUTABLES)
        places = (paths.executable(word, env.get("PATH", "")) for word in candidates if word)
        found[name] = next((place for place in places if place), "")
    return {name: place for name, place in found.items() if place}


def check(
    home: Home,
    config: Config,
    defaults: Sequence[str],
    env: Mapping[str, str],
    missing_profiles: Callable[[Optional[Version]], tuple[list[str], str]],
) -> Iterator[Row]:
    """`defaults`: the profiles that runs get when none is named. `missing_profiles`: which of Codex's are not
    installed for this version of it, and the command that installs them."""
    try:
        profiles = configuration.profiles(config)
    except AgentctlError as e:
        yield fail("profiles", str(e), edit(home.config))
        profiles = {}
    found = programs(config, env)
    asked = environ.for_worker(env, "", home.path, ())

    def call(name: str) -> Callable[[], list[Row]]:
        return lambda: _asked(name, found[name], asked, _used(name, profiles, defaults, found))

    told = at_once({name: call(name) for name in found})
    for name in NAMES:
        yield from told[name] if name in told else [_missing(name, profiles, defaults, found)]
    if "codex" in found:
        yield _codex_profiles(version_in(told["codex"][0].words.partition(" ")[0]), missing_profiles)
    yield from _own(home, config, env)


def at_once(calls: Mapping[str, Callable[[], list[Row]]]) -> dict[str, list[Row]]:
    """The rows of the calls, by name, made side by side: each waits for other programs. One that breaks is a row."""
    import threading

    answers: dict[str, list[Row]] = {}

    def call(name: str) -> None:
        answers[name] = guarded(name, calls[name])

    threads = [threading.Thread(target=call, args=(name,)) for name in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _asked(name: str, program: str, env: Mapping[str, str], used: bool) -> list[Row]:
    """The rows of one CLI that is installed; `used`: the default profile would take it."""
    login = name + " login"
    told = at_once(
        {name: lambda: [_version(name, program, env)], login: lambda: [logins.row(name, program, env, used)]}
    )
    return told[name] + told[login]


def _version(name: str, program: str, env: Mapping[str, str]) -> Row:
    try:
        done = logins.answer(program, ["--version"], env)
    except AgentctlError:
        return warn(name, "%s gave no answer within %g s" % (program, logins.LIMIT_S), "%s --version" % quote(program))
    except OSError as e:
        return fail(name, "%s cannot be started: %s" % (program, e.strerror), _INSTALL[name])
    said = done.out.decode("utf-8", "replace")
    return judged(name, program, version_in(said), said.strip().partition("\n")[0][:60])


def judged(name: str, program: str, version: Optional[Version], said: str) -> Row:
    """The row of a CLI that calls itself by these words."""
    shown = ".".join(map(str, version)) if version else "version unknown (%s)" % (said or "it says nothing")
    if name not in KNOWN:
        remedy = 'echo "Say hello" | agentctl start --backend %s --title "try %s"' % (name, name)
        return warn(name, "%s at %s; agentctl was never tested with the real one" % (shown, program), remedy)
    first, below, tested = KNOWN[name]
    if version and first <= version < below:
        return ok(name, "%s at %s" % (shown, program))
    words = "%s at %s; agentctl was tested with %s" % (shown, program, tested)
    return warn(name, words, "%s@%s" % (_INSTALL[name], tested))


def version_in(words: str) -> Optional[Version]:
    """(2, 1, 197) of `2.1.197 (Claude Code)`; None where there is no such thing."""
    found = re.search(r"\d+(?:\.\d+){1,3}", words)
    return tuple(int(n) for n in found.group(0).split(".")) if found else None


def _choices(profile: Profile) -> list[str]:
    return [choice.backend for choice in profile.backends]


def _used(name: str, profiles: Mapping[str, Profile], defaults: Sequence[str], found: Iterable[str]) -> bool:
    """Whether a default profile would take this one."""
    taken = (next((b for b in _choices(profiles[p]) if b in found), "") for p in defaults if p in profiles)
    return name in taken


def _missing(name: str, profiles: Mapping[str, Profile], defaults: Sequence[str], found: Iterable[str]) -> Row:
    """Bad where a profile has nothing else; a nuisance where it is the first choice of one."""
    first = [p for p, profile in profiles.items() if _choices(profile)[:1] == [name]]
    stuck = [p for p in first if not {*found} & {*_choices(profiles[p])}]
    if {*stuck} & {*defaults}:
        words = "not installed, nor is another backend of profile `%s`" % sorted({*stuck} & {*defaults})[0]
        return fail(name, words, _INSTALL[name])
    if stuck:
        return warn(name, "not installed: profile `%s` cannot start" % "`, `".join(stuck), _INSTALL[name])
    if first:
        words = "not installed: the next choice serves profile `%s`" % "`, `".join(first)
        return warn(name, words, _INSTALL[name])
    return ok(name, "not installed; no profile needs it")


def _codex_profiles(
    version: Optional[Version], missing_profiles: Callable[[Optional[Version]], tuple[list[str], str]]
) -> Row:
    """For Codex sessions that a person starts; workers get all by flags."""
    missing, remedy = missing_profiles(version)
    if missing:
        return warn("codex profiles", "not installed: %s" % ", ".join(missing), remedy)
    return ok("codex profiles", "installed")


def _own(home: Home, config: Config, env: Mapping[str, str]) -> Iterator[Row]:
    """The backends of the user's own."""
    for name in config.backends or {}:
        try:
            described = configuration.backend(config, name) or {}
        except AgentctlError as e:
            yield fail("backend " + name, str(e), edit(home.config))
            continue
        program = str((described.get("argv") or [""])[0])
        if paths.executable(program, env.get("PATH", "")):
            yield ok("backend " + name, program)
        else:
            yield warn("backend " + name, "%s is no program on this PATH" % program, edit(home.config))
