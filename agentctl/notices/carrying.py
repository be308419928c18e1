"""How a notice goes by each way: shown on the desktop, posted to a server, handed to a command of the user's.

Nothing is sent but what the notice has, in an argv, a body or on standard input; nothing
is said of an address but what its server answered.
"""

from __future__ import annotations

import os

from .. import apidoor
from .. import environ
from .. import files
from .. import noticing
from .. import proc
from ..errors import AgentctlError
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..noticing import Way
    from .shelf import Notice

SECONDS = 10.0
DESKTOPS = ("osascript", "notify-send")
"""macOS has the first, other systems the second."""
_HEADS = {
    noticing.NEEDS: "agentctl needs you",
    noticing.FAILED: "agentctl: failed",
    noticing.DONE: "agentctl: all done",
}
_URGENT = (noticing.NEEDS, noticing.FAILED)
_TAGS = {noticing.NEEDS: "bell", noticing.FAILED: "x", noticing.DONE: "white_check_mark"}
_SCRIPT = ("on run words", "display notification (item 2 of words) with title (item 1 of words)", "end run")


def carry(way: Way, notice: Notice, env: Mapping[str, str]) -> str:
    """Send it, within SECONDS; "" or why it did not arrive."""
    try:
        return _CARRIED[way.name](way, notice, env)
    except AgentctlError as e:
        return str(e)
    except OSError as e:
        return e.strerror or type(e).__name__
    except ValueError as e:
        return "it cannot be sent: %s" % type(e).__name__  # whose words may have the address


def head(notice: Notice) -> str:
    return _HEADS.get(notice.kind, "agentctl")


def body(notice: Notice) -> str:
    """Two lines: what it is about, and where to look."""
    where = " · ".join(word for word in (notice.run_id, notice.project) if word)
    return "\n".join(line for line in (": ".join(w for w in (notice.title, notice.text) if w), where) if line)


def desktop_argv(program: str, notice: Notice) -> list[str]:
    """What shows it: by `on run`, and after `--`, no word of it is a script's or an option."""
    if os.path.basename(program) == "osascript":
        return [program, *(word for line in _SCRIPT for word in ("-e", line)), head(notice), body(notice)]
    words = body(notice).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # it takes markup
    urgency = "critical" if notice.kind in _URGENT else "normal"
    return [program, "--app-name=agentctl", "--urgency=" + urgency, "--", head(notice), words]


def desktop_program(env: Mapping[str, str]) -> str:
    """What can show something on this desktop, or ""."""
    for name in DESKTOPS:
        try:
            return proc.find(name, env)
        except FileNotFoundError:
            continue
    return ""


def there(program: str, env: Mapping[str, str]) -> bool:
    """Whether a command of the user's can be started, as far as can be seen."""
    try:
        return os.access(proc.find(program, env), os.X_OK)
    except FileNotFoundError:
        return False


def _to_desktop(_way: Way, notice: Notice, env: Mapping[str, str]) -> str:
    program = desktop_program(env)
    if not program:
        return "neither of %s is on the PATH" % ", ".join(DESKTOPS)
    return _ran(desktop_argv(program, notice), env, b"")


def _to_command(way: Way, notice: Notice, env: Mapping[str, str]) -> str:
    told = files.dump({"format": FORMAT, **notice.to_json()})
    return _ran(way.argv, {**env, "AI_ORCH_HOME": notice.home}, told)


def _ran(argv: tuple[str, ...] | list[str], env: Mapping[str, str], stdin: bytes) -> str:
    done = proc.run(argv, env=environ.for_errand(env), stdin=stdin, timeout=SECONDS)
    return "%s: exit code %d" % (os.path.basename(argv[0]), done.code) if done.code else ""


def _to_webhook(way: Way, notice: Notice, _env: Mapping[str, str]) -> str:
    return _posted(way, {}, files.dump({"format": FORMAT, **notice.to_json()}))


def _to_ntfy(way: Way, notice: Notice, _env: Mapping[str, str]) -> str:
    """As ntfy takes it: the message is the body, what goes around it are headers, in ASCII."""
    urgency = "4" if notice.kind in _URGENT else "3"
    headers = {"title": head(notice), "priority": urgency, "tags": _TAGS.get(notice.kind, "bell")}
    return _posted(way, {"content-type": "text/plain; charset=utf-8", **headers}, body(notice).encode("utf-8"))


def _posted(way: Way, headers: Mapping[str, str], data: bytes) -> str:
    secret = {"authorization": "Bearer " + way.token} if way.token else {}
    answer = apidoor.post(way.url, {**headers, **secret}, data, SECONDS)
    if answer.problem or 200 <= answer.status < 300:
        return answer.problem
    return "the server answered with %d%s" % (answer.status, ", a redirect" if 300 <= answer.status < 400 else "")


_CARRIED = {
    noticing.DESKTOP: _to_desktop,
    noticing.COMMAND: _to_command,
    noticing.WEBHOOK: _to_webhook,
    noticing.NTFY: _to_ntfy,
}
