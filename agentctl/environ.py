"""The caller's environment on its way to the worker.

A pane gets the tmux server's environment, which may be of another login and
lack PATH and keys; `tmux -e` values show in `ps`. So `start` hands its own over
in a 0600 file of the staged folder, which the runner reads and removes as it is
born: no secret stays on disk, in an argv, or in tmux.
"""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Optional

# What says "you run inside …" to a tool that does not. The worker's own vendor sets it anew.
_INHERITED = frozenset(
    (
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_CHILD_SESSION",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_EFFORT",
        "AGENTCTL_RUN_ID",
        "AGENTCTL_ORCHESTRATOR",
        "CODEX_THREAD_ID",
        "AGENTCTL_DETACHED",
        "AGENTCTL_SLOT",
        "AGENTCTL_PORT_BASE",
        "AI_ORCH_HOME",
        "COLUMNS",
        "LINES",
        "OLDPWD",
        "_",
        "SHLVL",
    )
)
_GIT_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH")
_ASKING = _thread.allocate_lock()


def handed_over(env: Mapping[bytes, bytes], umask: int) -> bytes:
    """The content of the hand-over file: a umask, then NUL-ended `NAME=value`."""
    return b"%o\0" % umask + b"".join(k + b"=" + v + b"\0" for k, v in env.items())


def umask() -> int:
    """Ours, which a worker is to have. Where only changing it tells, one thread at a time does so."""
    import os

    told = _told_umask()
    if told is not None:
        return told
    with _ASKING:
        before = os.umask(0o077)
        os.umask(before)
    return before


def _told_umask() -> Optional[int]:
    """As Linux says it (since 4.7); None elsewhere."""
    try:
        with open("/proc/self/status", "rb") as f:
            said = f.read(4096).partition(b"\nUmask:")[2].split(None, 1)
        return int(said[0], 8)
    except (OSError, ValueError, IndexError):
        return None


def taken_over(data: bytes) -> tuple[dict[str, str], int]:
    """The environment and the umask of the caller. Total: junk gives an empty one."""
    import os

    umask, _, rest = data.partition(b"\0")
    pairs = (entry.partition(b"=") for entry in rest.split(b"\0") if b"=" in entry)
    env = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if name}
    return env, int(umask, 8) if umask.isdigit() and set(umask) <= set(b"01234567") else 0o077


def for_worker(env: Mapping[str, str], run_id: str, home: str, more: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The caller's environment without what belongs to the caller's own session.

    TMUX is taken out so that a worker does not type into the orchestrator by
    accident; GIT_DIR and its kin so that git looks where the worker stands.
    """
    kept = {k: v for k, v in env.items() if k not in _INHERITED and not k.startswith("TMUX") and _git_kept(k)}
    kept.update(AGENTCTL_RUN_ID=run_id, AI_ORCH_HOME=home, GIT_TERMINAL_PROMPT="0", GIT_EDITOR="true")
    kept.update(more)
    return kept


def for_errand(env: Mapping[str, str]) -> dict[str, str]:
    """For a process of our own that nobody waits for: it bears no run's mark, and is known as detached."""
    return {**{k: v for k, v in env.items() if k != "AGENTCTL_RUN_ID"}, "AGENTCTL_DETACHED": "1"}


def _git_kept(name: str) -> bool:
    return not name.startswith("GIT_") or name.startswith(_GIT_KEPT)
