"""The verbs of runs: start, spawn, wait, show, list, resume, stop, pause, continue, inbox."""

from __future__ import annotations

import os
import time

from .. import api
from .. import desk
from .. import files
from .. import finding
from .. import judge
from .. import listing
from .. import overlap
from .. import pausing
from .. import text
from ..errors import usage_error
from ..model import FORMAT
from ..model import LIVE
from . import answers
from . import asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..request import Request
    from ..store import Home
    from ..toolset import Caller

_FILES = {"prompt": "prompt.md", "events": "events.jsonl", "raw": "raw.jsonl", "diff": "diff.patch"}
_NEWEST = ("events", "raw")
PARTS = tuple(_FILES)
_MOST_ROWS = 100


def start(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """A prompt for a model, or a command for the shell backend."""
    command = tuple(given.get("command", ()))
    if bool(command) == bool(given.get("prompt", "").strip()):
        raise usage_error("give a prompt, or a command", "a command is a list of words, as ['make', 'test']")
    if command and given.get("backend") not in (None, "shell"):
        raise usage_error("a command runs on the shell backend, not on %s" % given["backend"])
    run_id = api.start(home, _placed(asking.request(given).replace(argv=command)), env)
    return {"run_id": run_id, **_warned(home, [run_id])}


def _placed(request: Request) -> Request:
    return request.replace(cwd=os.getcwd())


def _warned(home: Home, ids: list[str]) -> dict[str, Any]:
    """Which live runs touch the same, where any was asked for."""
    found = [words for run_id in ids for words in overlap.warnings(home, home.run(run_id).spec())]
    return {"warnings": found} if found else {}


def spawn(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """A run for each prompt; where not all could be started, which, and why."""
    prompts = given["prompts"]
    if not prompts or not all(prompt.strip() for prompt in prompts):
        raise usage_error("a prompt is empty" if prompts else "no prompt")
    ids, problem = api.spawn(home, _placed(asking.request(given)), prompts, given.get("parallel"), env)
    if problem and not ids:
        raise problem
    specs = [home.run(run_id).spec() for run_id in ids]
    runs = [{"run_id": s.id, "title": s.title, "path": s.worktree.path, "branch": s.worktree.branch} for s in specs]
    told = {"asked": len(prompts), "started": len(ids), "runs": runs, **_warned(home, ids)}
    return {**told, "error": str(problem)} if problem else told


def resume(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    if not given["prompt"].strip():
        raise usage_error("the prompt is empty", "write what is to be done next")
    return {"run_id": api.resume(home, given["parent_run_id"], asking.request(given), env)}


def show(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """What is known of a run, or a piece of one of its files."""
    from .. import receipts

    run = home.run(finding.resolve(home, given["id"]))
    part = given.get("part", "")
    if part:
        return _piece(run.file(_FILES[part]), part, given.get("offset"))
    known = listing.known(run, time.time())
    if "doing" not in known:
        receipts.Reader(home, env).seen([run.id])
    return text.public(known)


def _piece(path: str, part: str, offset: Any) -> dict[str, Any]:
    """From `offset` on; without one the beginning of what is read as a whole, the end of what grows."""
    size = files.size(path) or 0
    newest = offset is None and part in _NEWEST
    begin = max(size - answers.LONGEST, 0) if newest else offset or 0
    try:
        with os.fdopen(files.open_read(path), "rb") as file:
            file.seek(begin)
            data = file.read(answers.LONGEST)
    except FileNotFoundError:
        data = b""
    end = begin + len(data)
    data = answers.fitting(data, newest)
    begin, end = (end - len(data), end) if newest else (begin, begin + len(data))
    more = {"next_offset": end} if end < size else {}
    return {part: data.decode("utf-8", "replace"), "offset": begin, "bytes": size, **more}


def listed(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """Runs in short, newest first."""
    status = given.get("status", "")
    if given.get("running") and status:
        raise usage_error("running and status do not go together", "running is queued, running or paused")
    statuses = LIVE if given.get("running") else (status,) if status else ()
    most = min(given.get("n", 30), _MOST_ROWS)
    unacked = given.get("unacked", False)
    wanted = listing.Wanted(project=given.get("project", ""), statuses=statuses, limit=most, unacked=unacked)
    return {"format": FORMAT, "runs": [answers.brief(row) for row in listing.rows(home, wanted)]}


def stop(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    stopped = api.stop(home, given["ids"])
    return {"runs": [{"run_id": r.run_id, "status": r.status, "words": judge.headline(r)} for r in stopped]}


def pause(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    return {"runs": [outcome.to_json() for outcome in pausing.pause(home, given["ids"])]}


def go_on(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    return {"runs": [outcome.to_json() for outcome in pausing.go_on(home, given["ids"], env)]}


def inbox(home: Home, env: Mapping[str, str], given: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """What nobody has acknowledged, as much as an answer holds, oldest first; with `ack`, acknowledge that first."""
    reader = desk.Desk(home, env)
    taken = reader.acknowledge(reader.named(given["ack"])) if given.get("ack") else []
    entries = reader.entries()
    events = [text.public(entry.to_json()) for entry in entries]
    ids = [entry.id for entry in entries] if given.get("all") else []
    shown = answers.kept({"events": events, "acknowledged": [*taken, *ids], "more": len(events)})
    if not caller.gone():
        taken += reader.acknowledge(ids[:shown])
    more = {"more": len(events) - shown} if len(events) > shown else {}
    return {"format": FORMAT, "events": events[:shown], "acknowledged": taken, **more}
