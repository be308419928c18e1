"""Keeping the machine awake for as long as we live.

The system's own program holds it awake while a small waiter of ours runs: `caffeinate`
(macOS), or `systemd-inhibit`. The waiter reads a pipe whose write end only we hold, so
it ends with us however we die, and nothing looks again and again. Its first word, which
it says once the system has agreed, tells that it works. [caffeinate: not measured]
"""

from __future__ import annotations

import os
import select
import signal
import time

from . import paths
from . import supervise
from . import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

_READY = b"awake\n"
_WAITER = ("/bin/sh", "-c", "echo awake; read _")
_OPTIONS = {
    "caffeinate": ("-i",),
    "systemd-inhibit": ("--what=idle:sleep", "--who=agentctl", "--why=%s", "--mode=block"),
}
_ANSWER_S, _END_S = 10.0, 2.0
NONE = "neither caffeinate nor systemd-inhibit is installed"


class Awake:
    """What became of the wish. `words` says how the machine is kept awake, or why it is not; `held` whether it is."""

    def __init__(self, words: str, helper: Optional[_Helper] = None) -> None:
        self.words = words
        self._helper = helper

    @property
    def held(self) -> bool:
        return self._helper is not None

    def release(self) -> None:
        """Let it sleep again. A second call changes nothing."""
        helper, self._helper = self._helper, None
        if helper:
            helper.end()


def kept(env: Mapping[str, str], why: str) -> Awake:
    """Keep the machine awake until `release`, or our end; `why` is shown to whoever asks the system."""
    problems = []
    for name, options in _OPTIONS.items():
        path = paths.executable(name, env.get("PATH", ""))
        if not path:
            continue
        said = text.one_line(why, 200)
        argv = (path, *(option.replace("%s", said) for option in options), *_WAITER)
        try:
            helper = _Helper(argv, env)
        except OSError as e:
            problems.append("%s cannot be started: %s" % (name, e.strerror))
            continue
        problem = helper.problem()
        if not problem:
            return Awake("%s keeps the machine awake" % name, helper)
        helper.end()
        problems.append("%s: %s" % (name, problem))
    return Awake("; ".join(problems) or NONE)


class _Helper:
    """The started program, the pipe end that it lives by, and the one that it speaks by. Raises OSError."""

    def __init__(self, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
        listens, self._life = os.pipe()
        self._words, speaks = os.pipe()
        try:
            self._pid = supervise.spawn(argv, env, "/dev/fd/%d" % listens, speaks, speaks)
        except OSError:
            os.close(self._life)
            os.close(self._words)
            raise
        finally:
            os.close(listens)
            os.close(speaks)

    def problem(self) -> str:
        """Why it does not serve; "" once it does."""
        said = b""
        deadline = time.monotonic() + _ANSWER_S
        while _READY not in said:
            if not select.select([self._words], [], [], max(deadline - time.monotonic(), 0))[0]:
                return "it gives no answer"
            chunk = os.read(self._words, 1 << 12)
            if not chunk:
                return text.one_line(said.decode("utf-8", "replace"), 200) or "it ended at once"
            said = (said + chunk)[-(1 << 12) :]
        return ""

    def end(self) -> None:
        """The waiter hears the end of its pipe; what does not end by that is ended."""
        os.close(self._life)
        deadline = time.monotonic() + _END_S
        while select.select([self._words], [], [], max(deadline - time.monotonic(), 0))[0]:
            if not os.read(self._words, 1 << 12):
                break
        else:
            supervise.signal_child_group(self._pid, signal.SIGKILL)
        os.close(self._words)
        try:
            os.waitpid(self._pid, 0)
        except ChildProcessError:
            pass  # somebody reaps whatever ends here
