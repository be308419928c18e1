"""The values that the model server and its two dialects share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from dataclasses import field
from typing import Any


@dataclass
class Turn:
    """One request for an answer, in no vendor's words.

    `said` are (role, text) pairs of the whole conversation sent: "user", "assistant"
    (tool calls included), "tool" for what a tool gave back, and roles of the vendor's own.
    `side` marks the client's own errands (titles, probes).
    """

    vendor: str
    model: str
    session: str
    said: list[tuple[str, str]]
    tools: list[str]
    schema: Any
    effort: str
    instructions: str
    side: bool
    scenario: str = ""
    step: int = 0
    number: int = 0
    status: int = 0
    ended: str = ""
    at: float = field(default_factory=time.time)

    def heard(self, text: str) -> bool:
        """Whether anything said in the conversation contains this."""
        return any(text in said for _, said in self.said)

    def fresh(self) -> list[tuple[str, str]]:
        """What was said since the model spoke last."""
        spoke = [i for i, (role, _) in enumerate(self.said) if role == "assistant"]
        return self.said[spoke[-1] + 1 :] if spoke else self.said

    def model_turns_after(self, index: int) -> int:
        """How often the model has answered since `said[index]`."""
        spoke = [role == "assistant" for role, _ in self.said[index + 1 :]]
        return sum(now and not before for before, now in zip([False, *spoke], spoke))


@dataclass
class Failure:
    """An API error: HTTP status, the vendor's type and code for it, the text."""

    status: int
    kind: str
    message: str
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Sent:
    """A plain JSON answer."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]
