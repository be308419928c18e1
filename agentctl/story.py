"""What happens in a run, told as it happens: events.jsonl, status.json, the pane.

The worker's own lines come from raw.jsonl through the backend's parser; the
runner adds what it does itself. All of it goes into one `Progress`.
"""

from __future__ import annotations

import os
import time

from . import backends
from . import files
from . import progress
from . import tmux
from . import view
from .model import PAUSED
from .model import QUEUED
from .model import RUNNING
from .model import Event
from .stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Spec
    from .screen import Screen
    from .store import Run

_STATUS_EVERY = 0.5
_SIGNS = {QUEUED: "…", RUNNING: "▶", PAUSED: "‖"}


class Story:
    """The telling of one run. `worker_started` marks the worker's very process, should its pid be used again."""

    def __init__(self, run: Run, spec: Spec, screen: Screen) -> None:
        self.run = run
        self.screen = screen
        self._spec = spec
        self.progress = progress.of_spec(spec)
        os.close(files.open_append(run.file("raw.jsonl")))
        self.stream = Stream(run.file("raw.jsonl"), run.file("events.jsonl"), backends.parser(spec), self._take)
        self.worker_started = ""
        self._told_at = 0.0
        self._told: dict[str, object] = {}

    def _take(self, event: Event) -> None:
        self.progress.add(event)
        line = view.event_line(event)
        if line:
            self.screen.line(*line)

    def note(self, kind: str, text: str, **data: object) -> None:
        """An event of the runner's own."""
        self.stream.note(Event(kind=kind, text=text, data=data))

    def status(self, status: str, doing: str, worker: int) -> None:
        """status.json, for `list`: at once where the status is another, else at most twice a second; may be lost."""
        now = time.monotonic()
        if now - self._told_at < _STATUS_EVERY and status == self._told.get("status"):
            return
        self._told_at = now
        server, pane = tmux.of_caller(os.environ)
        said = {
            **self.progress.snapshot(),
            "status": status,
            "doing": doing,
            "runner": os.getpid(),
            "worker": worker,
            "worker_started": self.worker_started,
            "pane": pane,
            "socket": server.socket,
        }
        if status != self._told.get("status"):
            self.screen.title(view.state_title(self._spec, _SIGNS[status]))
        if said == self._told:
            return
        try:
            files.refresh(self.run.file("status.json"), files.dump({**said, "at": time.time()}))
            self._told = said
        except OSError:
            pass  # a hint, on a full disk; raw.jsonl tells the same

    def printed(self) -> int:
        """Bytes the worker has written so far."""
        return sum(files.size(self.run.file(name)) or 0 for name in ("raw.jsonl", "stderr.log"))
