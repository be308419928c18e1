"""What a reader should know before believing a result: its warnings. Pure."""

from __future__ import annotations

from .judge import DEGENERATE
from .model import FINISHED
from .model import READ_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Git
    from .model import Result
    from .model import Spec

PLACEHOLDERS = ("", "...", "todo", "tbd", "n/a", "none", "summary", "string", "done", "placeholder")
_EDIT_WORDS = (
    "edited",
    "changed",
    "fixed",
    "added",
    "implemented",
    "created",
    "wrote",
    "updated",
    "refactored",
    "removed",
)


def circumstances(spec: Spec, result: Result, left: int, problem: str) -> tuple[str, ...]:
    """What a reader should know that is neither claim nor change."""
    said = []
    if not spec.trusted and spec.asks_model and not _is_api(spec) and result.started_at:
        said.append(
            "the project is not trusted: %s left out"
            % (
                "its own settings, hooks, MCP servers and CLAUDE.md were"
                if spec.backend == "claude"
                else "its own settings, rules and MCP servers were"
            )
        )
    if spec.resume and result.session_id != spec.session_id:
        said.append("the vendor did not go on with session %s but began %s" % (spec.session_id, result.session_id))
    if spec.permissions == READ_ONLY and result.git_files and not spec.delegates:
        said.append("the run was read-only, and files changed meanwhile")
    said += _unwatched(spec, result)
    if left:
        said.append("%d processes left behind were stopped" % left)
    return tuple([*said, problem] if problem else said)


def _unwatched(spec: Spec, result: Result) -> list[str]:
    """Limits that were asked for and could not be held, because the vendor does not tell the figure."""
    asked = (
        ("turns", spec.limits.max_turns, result.usage.turns is not None),
        ("cost", spec.limits.max_cost_usd, result.usage.money is not None),
        ("tokens", spec.limits.max_tokens, result.usage.tokens is not None and not _tells_late(spec)),
        ("context", spec.limits.max_context_tokens, result.context_tokens is not None and not _tells_late(spec)),
        ("the context of its conversation", spec.conversation_limit, result.context_tokens is not None),
    )
    return [
        "the limit on %s was not watched: %s does not tell it" % (name, spec.backend)
        for name, limit, known in asked
        if limit is not None and not known and (result.status == FINISHED or result.messages or result.usage.turns)
    ]


def _tells_late(spec: Spec) -> bool:
    """Codex's tokens and context are known only when its worker has ended."""
    return bool((spec.custom or {}).get("stream", spec.backend) == "codex")


def _is_api(spec: Spec) -> bool:
    """Whether it is a program of ours that talks to a vendor: no settings of the repository are its own."""
    return spec.backend in ("anthropic", "gemini")


def remarks(spec: Spec, result: Result, git: Git) -> tuple[str, ...]:
    """What a reader should know before believing the claim."""
    said = []
    if result.report is not None and spec.default_schema and spec.asks_model:
        said += _doubts(result, git)
    if result.denied:
        said.append("%d tool uses were denied: %s" % (len(result.denied), ", ".join(sorted(set(result.denied)))))
    if git.note and git.base:
        said.append("git: " + git.note)
    return tuple(said)


def _doubts(result: Result, git: Git) -> list[str]:
    doubts = []
    if result.summary.strip().strip(".").lower() in PLACEHOLDERS:
        doubts.append(DEGENERATE + "the summary says nothing")
    promised = any(word in result.summary.lower().split() for word in _EDIT_WORDS)
    untouched = not git.files and not result.files_written and git.base
    if result.goal_met and promised and untouched and not result.tool_calls:
        doubts.append(DEGENERATE + "it claims edits, but no file changed and no tool was used")
    return doubts
