"""An executable that behaves like cursor-agent's documented stream, where the real one cannot be had.

From Cursor's CLI documentation and published event captures (agent 2026.08.11); it was not
compared with the real program. What the model says comes from the marker in the prompt
(stub_scenarios.py), with these further keys of a step:

    linger  true: print the result and never exit, a known fault of the real one
    mute    true: end with exit code 0 and without a result
    die     text: print it on stderr and exit 1 without a result

Kept from the documentation because agentctl depends on it: an unknown option is an error, a
folder needs `--trust`, commands are rejected without `--force`, edits in `--mode ask` or
`plan`; the model's JSON is prose to the CLI, there is no schema; a chat goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from typing import Optional

from .stub_scenarios import INPUT_TOKENS
from .stub_scenarios import OUTPUT_TOKENS
from .stub_scenarios import Step
from .stub_scenarios import chosen
from .stub_scenarios import step_at

VERSION = "2026.08.11-e8db854"
CALLS = ("write", "edit", "read", "run")


class Chat:
    """One conversation, kept in ~/.cursor/chats/<id>.json as {"users": [...], "turns": n}."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.path = Path.home() / ".cursor" / "chats" / (session_id + ".json")
        self.users: list[str] = []
        self.turns = 0

    def load(self) -> bool:
        """Whether there is such a chat."""
        if not self.path.exists():
            return False
        kept = json.loads(self.path.read_text())
        self.users, self.turns = kept["users"], kept["turns"]
        return True

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"users": self.users, "turns": self.turns}))

    def hear(self, prompt: str) -> None:
        """A new prompt; one with a marker begins its scenario, one without goes on in the last."""
        self.users.append(prompt)
        if chosen([prompt])[0] == 0:
            self.turns = 0
        self.save()

    def next_step(self) -> Step:
        step = step_at(chosen(self.users)[2], self.turns)
        self.turns += 1
        self.save()
        return step


class Stream:
    """Prints events as JSON lines, each with the chat's id."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.calls = 0

    def say(self, kind: str, **fields: Any) -> None:
        print(json.dumps({"type": kind, **fields, "session_id": self.session_id}), flush=True)

    def message(self, text: str, last: bool) -> None:
        """The final message carries neither model_call_id nor time."""
        middle = {} if last else {"model_call_id": "m%d" % self.calls, "timestamp_ms": int(time.time() * 1000)}
        self.say("assistant", message={"role": "assistant", "content": [{"type": "text", "text": text}]}, **middle)

    def call(self, tool: str, given: dict[str, Any], result: dict[str, Any]) -> None:
        self.calls += 1
        call_id = "toolu_%d\nfc_%d" % (self.calls, self.calls)  # the real ids hold a newline too
        self.say("tool_call", subtype="started", call_id=call_id, tool_call={tool: {"args": given}})
        done = {tool: {"args": given, "result": result}}
        self.say("tool_call", subtype="completed", call_id=call_id, tool_call=done)


def main(argv: list[str]) -> int:
    """Exit code as documented: 0 with a result, else non-zero and a message on stderr."""
    if argv[:1] == ["create-chat"]:
        chat = Chat(str(uuid.uuid4()))
        chat.save()
        print(chat.session_id)
        return 0
    asked = _arguments(argv)
    if not asked.trust:
        return _refuse("Workspace Trust Required: run again with --trust")
    chat = Chat(asked.resume or str(uuid.uuid4()))
    if asked.resume and not chat.load():
        return _refuse("No such chat: %s" % asked.resume)
    prompt = " ".join(asked.prompt) or sys.stdin.read()
    if not prompt.strip():
        return _refuse("No prompt provided for print mode")
    return _converse(asked, chat, prompt)


def _arguments(argv: list[str]) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="cursor-agent", allow_abbrev=False)
    options.add_argument("--version", "-v", action="version", version=VERSION)
    options.add_argument("-p", "--print", action="store_true", required=True)
    options.add_argument("--output-format", choices=["stream-json"], required=True)
    options.add_argument("--stream-partial-output", action="store_true")
    options.add_argument("--trust", action="store_true")
    options.add_argument("-f", "--force", "--yolo", action="store_true")
    options.add_argument("--approve-mcps", action="store_true")
    options.add_argument("--sandbox", choices=["enabled", "disabled"])
    options.add_argument("--mode", choices=["plan", "ask"])
    options.add_argument("--model", default="auto")
    options.add_argument("--workspace", default=".")
    options.add_argument("--resume", default="")
    options.add_argument("prompt", nargs="*")
    return options.parse_args(argv)


def _refuse(words: str) -> int:
    print(words, file=sys.stderr)
    return 1


def _converse(asked: argparse.Namespace, chat: Chat, prompt: str) -> int:
    os.chdir(asked.workspace)
    began = time.monotonic()
    stream = Stream(chat.session_id)
    stream.say(
        "system", subtype="init", apiKeySource="env", cwd=os.getcwd(), model=asked.model, permissionMode="default"
    )
    chat.hear(prompt)
    stream.say("user", message={"role": "user", "content": [{"type": "text", "text": prompt}]})
    for spoken in range(1, 100):
        step = chat.next_step()
        text = _spoken(step)
        if "die" in step:
            return _refuse(step["die"])
        if text:
            stream.message(text, last=not step.keys() & set(CALLS))
        _work(asked, stream, step)
        if step.get("mute"):
            return 0
        if not step.keys() & set(CALLS):
            return _finish(stream, step, text, spoken, time.monotonic() - began)
    return _refuse("too many turns")


def _spoken(step: Step) -> str:
    if "report" not in step:
        return str(step.get("text", ""))
    return "Here is the report:\n```json\n%s\n```" % json.dumps(step["report"])


def _work(asked: argparse.Namespace, stream: Stream, step: Step) -> None:
    for path in step.get("read", ()):
        text = Path(path).read_text()
        stream.call("readToolCall", {"path": os.path.abspath(path)}, {"success": {"content": text}})
    for path, text in step.get("write", {}).items():
        _edit(asked, stream, path, text)
    for path, (old, new) in step.get("edit", {}).items():
        _edit(asked, stream, path, Path(path).read_text().replace(old, new))
    if "run" in step:
        _command(asked, stream, step["run"])


def _edit(asked: argparse.Namespace, stream: Stream, path: str, text: str) -> None:
    given = {"path": os.path.abspath(path), "streamContent": text}
    if asked.mode:
        return stream.call("editToolCall", given, {"rejected": {"path": path, "reason": "read-only mode"}})
    Path(path).write_text(text)
    done = {"path": os.path.abspath(path), "linesAdded": text.count("\n"), "linesRemoved": 0, "diffString": "+" + text}
    return stream.call("editToolCall", given, {"success": done})


def _command(asked: argparse.Namespace, stream: Stream, command: str) -> None:
    if asked.mode or not asked.force:
        refused = {"command": command, "workingDirectory": os.getcwd(), "reason": "", "isReadonly": False}
        return stream.call("shellToolCall", {"command": command}, {"rejected": refused})
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = {"command": command, "exitCode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
    return stream.call("shellToolCall", {"command": command}, {"success": said})


def _finish(stream: Stream, step: Step, text: str, turns: int, seconds: float) -> int:
    usage = {
        "inputTokens": INPUT_TOKENS * turns,
        "outputTokens": OUTPUT_TOKENS * turns,
        "cacheReadTokens": 0,
        "cacheWriteTokens": 0,
    }
    spent = int(seconds * 1000)
    stream.say(
        "result",
        subtype="success",
        is_error=False,
        duration_ms=spent,
        duration_api_ms=spent,
        result=text,
        request_id=str(uuid.uuid4()),
        usage=usage,
    )
    while step.get("linger"):
        time.sleep(60)
    return 0


def install(folder: Path, python: Optional[str] = None) -> None:
    """Put the stand-in into a folder of PATH, as `cursor-agent`."""
    package = (__package__ or "live").split(".")
    root = Path(__file__).resolve().parents[len(package)]
    script = folder / "cursor-agent"
    script.write_text(
        "#!/bin/sh\nPYTHONPATH='%s' exec '%s' -m %s.cursor_stand_in \"$@\"\n"
        % (root, python or sys.executable, ".".join(package))
    )
    script.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
