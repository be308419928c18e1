"""Homes of Claude Code, Codex and Cursor, made line by line as those programs write them, in any number.

The lines have the shape of recorded ones (tests/data/sessions; Cursor's are those of public
captures). Each conversation is returned as what `agentctl sessions --json` has to say of it.
Also a program, for bench/: `vendors.py HOME COUNT [DIRECTORY…]`.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any
from typing import Optional

WORDS = ("plums", "prices", "the cart", "a limit", "login", "tests", "the index", "a typo", "ünïcode 🍑", "release")
MODELS = {"claude": "claude-opus-4-8", "codex": "gpt-5.5", "cursor": ""}
INSTRUCTIONS = "You are a coding agent. Be exact, be brief. " * 500
"""As long as what Codex begins its files with."""
SHARE = {"claude": 2, "codex": 2, "cursor": 1}


class Vendors:
    """The vendors' folders below one HOME. `now` is the time from which ages count."""

    def __init__(self, home: Path, now: Optional[float] = None, seed: int = 1) -> None:
        self.home = home
        self.now = time.time() if now is None else now
        self.chance = random.Random(seed)

    def many(self, count: int, folders: list[str], hours: float = 20.0) -> list[dict[str, Any]]:
        """So many conversations, spread evenly over the last hours and over the directories, newest first."""
        makers = [name for name, share in SHARE.items() for _ in range(share)]
        made = []
        for n in range(count):
            age = (n + 1) * hours * 3600 / (count + 1)
            made.append(getattr(self, makers[n % len(makers)])(folders[n % len(folders)], age, turns=1 + n % 7))
        return made

    def id(self, at: float, version: str = "4") -> str:
        """An id as the vendors give them; of version 7 it begins with the time."""
        noise = "%032x" % self.chance.getrandbits(128)
        head = "%012x" % int(at * 1000) if version == "7" else noise[:12]
        return "-".join((head[:8], head[8:12], version + noise[13:16], "8" + noise[17:20], noise[20:32]))

    def prompt(self) -> str:
        return "Look at %s, then at %s" % (self.chance.choice(WORDS), self.chance.choice(WORDS))

    def claude(self, folder: str, age: float, turns: int = 2, prompt: str = "", session: str = "") -> dict[str, Any]:
        """A conversation had in the TUI."""
        last = self.now - age
        session = session or self.id(last)
        asked, used = prompt or self.prompt(), self.chance.randrange(20, 150_000)
        common = {"isSidechain": False, "userType": "external", "entrypoint": "cli", "cwd": folder}
        common.update({"sessionId": session, "version": "2.1.197", "gitBranch": "main"})
        rows: list[dict[str, Any]] = [
            {"type": "mode", "mode": "normal", "sessionId": session},
            {"type": "file-history-snapshot", "messageId": "m", "snapshot": {"trackedFileBackups": {}}},
        ]
        for turn in range(turns):
            at = iso(last - (turns - 1 - turn) * 30 - 5)
            words = asked if turn == 0 else "and %s" % self.prompt()
            rows.append({"type": "user", "message": {"role": "user", "content": words}, "timestamp": at, **common})
            rows[-1]["promptSource"] = "typed"
            result = [{"type": "tool_result", "tool_use_id": "t", "content": "x" * self.chance.randrange(3000)}]
            rows.append({"type": "user", "message": {"role": "user", "content": result}, "timestamp": at, **common})
            usage = {"input_tokens": 7, "cache_creation_input_tokens": 3, "cache_read_input_tokens": used - 10}
            message: dict[str, Any] = {
                "role": "assistant",
                "model": MODELS["claude"],
                "usage": {**usage, "output_tokens": 9},
            }
            message["content"] = [{"type": "text", "text": "done with turn %d" % turn}]
            moment = iso(last - (turns - 1 - turn) * 30)
            rows.append({"type": "assistant", "message": message, "timestamp": moment, **common})
        rows.append({"type": "last-prompt", "lastPrompt": "x", "sessionId": session})
        path = self.home / ".claude" / "projects" / re.sub(r"[^A-Za-z0-9]", "-", folder) / (session + ".jsonl")
        self.write(path, rows, last)
        return self.expected("claude", session, folder, asked, last, path, context_tokens=used, branch="main")

    def codex(self, folder: str, age: float, turns: int = 2, prompt: str = "") -> dict[str, Any]:
        """A conversation had by `codex exec`."""
        last = self.now - age
        began = last - turns * 30
        session = self.id(began, "7")
        asked, used = prompt or self.prompt(), self.chance.randrange(20, 150_000)
        meta = {"id": session, "timestamp": iso(began), "cwd": folder, "source": "exec", "git": {"branch": "main"}}
        meta["base_instructions"] = {"text": INSTRUCTIONS}
        rows = [self.row(began, "session_meta", meta)]
        rows.append(self.row(began, "response_item", {"type": "message", "role": "developer", "content": []}))
        rows.append(self.row(began, "world_state", {"full": True, "state": {"skills": "s" * 4000}}))
        for turn in range(turns):
            at = last - (turns - 1 - turn) * 30
            words = asked if turn == 0 else "and %s" % self.prompt()
            rows.append(self.row(at, "turn_context", {"cwd": folder, "model": MODELS["codex"]}))
            rows.append(self.item(at, "UserMessage", "text", words))
            rows.append(self.row(at, "response_item", {"type": "function_call_output", "output": "x" * 2000}))
            rows.append(self.item(at, "AgentMessage", "Text", "done with turn %d" % turn))
            total = {"input_tokens": used * (turn + 1), "cached_input_tokens": turn, "output_tokens": 10 * (turn + 1)}
            info = {"total_token_usage": total, "last_token_usage": {"input_tokens": used}}
            counted = {"type": "token_count", "info": {**info, "model_context_window": 258_400}}
            rows.append(self.row(at, "event_msg", counted))
            rows.append(self.row(at, "event_msg", {"type": "task_complete", "last_agent_message": "done"}))
        day = time.strftime("%Y/%m/%d", time.gmtime(began))
        name = "rollout-%s-%s.jsonl" % (time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime(began)), session)
        path = self.home / ".codex" / "sessions" / day / name
        self.write(path, rows, last)
        usage = {"input": used * turns - (turns - 1), "cached": turns - 1, "output": 10 * turns}
        known = {"context_tokens": used, "context_window": 258_400, "branch": "main"}
        made = self.expected("codex", session, folder, asked, last, path, **known)
        made["usage"].update(usage)
        return made

    def cursor(self, folder: str, age: float, turns: int = 2, prompt: str = "") -> dict[str, Any]:
        """A conversation had in Cursor."""
        last = self.now - age
        session, asked = self.id(last), prompt or self.prompt()
        rows = []
        for turn in range(turns):
            words = "<user_query>\n%s\n</user_query>" % (asked if turn == 0 else self.prompt())
            stamp = "<timestamp>Sunday, Nov 29, 2026</timestamp>\n" if turn == 0 else ""
            rows.append({"role": "user", "message": {"content": [{"type": "text", "text": stamp + words}]}})
            blocks = [{"type": "text", "text": "done with turn %d" % turn}, {"type": "tool_use", "name": "Shell"}]
            rows.append({"role": "assistant", "message": {"content": blocks}})
        slug = self.home / ".cursor" / "projects" / re.sub(r"[^A-Za-z0-9]+", "-", folder).strip("-")
        path = slug / "agent-transcripts" / session / (session + ".jsonl")
        self.write(path, rows, last)
        (slug / ".workspace-trusted").write_text(json.dumps({"workspacePath": folder}))
        return self.expected("cursor", session, folder, asked, last, path)

    def row(self, at: float, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {"timestamp": iso(at), "ordinal": 0, "type": kind, "payload": payload}

    def item(self, at: float, kind: str, block: str, words: str) -> dict[str, Any]:
        item = {"type": kind, "content": [{"type": block, "text": words}]}
        return self.row(at, "event_msg", {"type": "item_completed", "item": item})

    def write(self, path: Path, rows: list[dict[str, Any]], last: float) -> None:
        """The lines, compact as the vendors have them; last written to at this time."""
        path.parent.mkdir(parents=True, exist_ok=True)
        said = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        path.write_bytes("".join(line + "\n" for line in said).encode("utf-8"))
        os.utime(path, (last, last))

    def expected(
        self, backend: str, session: str, folder: str, asked: str, last: float, path: Path, **known: Any
    ) -> dict[str, Any]:
        """What there is to say of it; without the times, which are in whole seconds."""
        usage = dict.fromkeys(("input", "cached", "output", "turns", "tool_calls", "cost_usd", "virtual_usd"))
        nothing = {"context_tokens": None, "context_window": None, "branch": "", "usage": usage}
        of_file = {"path": str(path), "last_active_at": iso(last)[:19] + "Z", "cwd": folder, "prompt": asked}
        return {"session_id": session, "backend": backend, "model": MODELS[backend], **nothing, **of_file, **known}


def iso(at: float) -> str:
    """As JavaScript has it, in milliseconds, of which none is lost."""
    whole = int(at * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole // 1000)) + ".%03dZ" % (whole % 1000)


if __name__ == "__main__":
    Vendors(Path(sys.argv[1])).many(int(sys.argv[2]), sys.argv[3:] or ["/home/user/shop"])
