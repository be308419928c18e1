"""A served home for tests: the real program, spoken to over raw sockets."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

from conftest import World

AGENT = """#!/usr/bin/env python3
# A vendor's program in miniature: prints Claude's stream, and ends at once or when its prompt says so.
import json, re, sys, time
prompt, words = sys.stdin.read().partition("\\n\\n")[0], sys.argv[1:]
session = words[words.index("--session") + 1] if "--session" in words else "11111111-2222-4333-8444-555555555555"
def say(**line):
    print(json.dumps(line), flush=True)
def use(name, **given):
    call = {"type": "tool_use", "id": name, "name": name, "input": given}
    say(type="assistant", message={"id": name, "content": [call]})
say(type="system", subtype="init", session_id=session, model="mini-1", apiKeySource="ANTHROPIC_API_KEY")
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "I begin: " + prompt}]})
for path in re.findall(r"write (\\S+)", prompt):
    use("Write", file_path=path)
    with open(path, "a") as file:
        file.write("written\\n")
while re.search("for ever", prompt):
    time.sleep(0.1)
    if "chatter" in prompt:
        say(type="assistant", message={"id": "t", "content": [{"type": "text", "text": "it is %.1f" % time.time()}]})
report = {"goal_met": "fail" not in prompt, "summary": "did: " + prompt[:200], "followup_prompt": "", "notes": "n"}
say(type="result", subtype="success", is_error=False, session_id=session, num_turns=3, structured_output=report,
    result="done", total_cost_usd=0.25, usage={"input_tokens": 1200, "output_tokens": 340})
"""


def with_agents(world: World) -> World:
    """The backend `mini`, a program of ours in the place of a vendor's, and the profile of the same name."""
    program = world.root / "mini"
    program.write_text(AGENT)
    program.chmod(0o755)
    argv = [str(program), "{model}", "--session", "{session_id}"]
    world.config(
        backends={"mini": {"argv": argv, "stdin": True, "stream": "claude"}},
        profiles={"mini": {"backends": [{"backend": "mini", "model": "mini-1"}]}},
    )
    return world


class Answer:
    """What came back: status, fields by lower-case names, body."""

    def __init__(self, data: bytes) -> None:
        self.raw = data
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.fields = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in rest}

    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """`agentctl web` at work in a world, on a port of its own."""

    def __init__(self, world: World, *options: str, **how: Any) -> None:
        self.process = world.popen("web", "--port", "0", *options, stdin=subprocess.DEVNULL, **how)
        assert self.process.stdout
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url, self.process.stderr and self.process.stderr.read()
        address, _, self.token = self.url.partition("/#")
        self.host = address[len("http://") :]
        self.port = int(self.host.rpartition(":")[2])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 30)

    def raw(self, data: bytes) -> Answer:
        """Whatever is sent, and all that comes back until the server closes."""
        with self.connect() as sock:
            try:
                sock.sendall(data)
            except OSError:
                pass  # refused before it was all sent; the answer is there to be read
            return Answer(everything(sock))

    def head(self, first: str, *fields: str, host: str = "", token: str | None = None, body: bytes = b"") -> bytes:
        known = self.token if token is None else token
        lines = [first, *(["Host: " + (host or self.host)] if host != "-" else []), *fields]
        lines += ["Authorization: Bearer " + known] if known else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body

    def get(self, path: str) -> Any:
        answer = self.raw(self.head("GET %s HTTP/1.1" % path))
        assert answer.status == 200, (path, answer.raw[:2000])
        return answer.json()

    def post(self, path: str, _status: int = 200, **body: Any) -> Any:
        data = json.dumps(body).encode()
        fields = ("Content-Type: application/json", "Content-Length: %d" % len(data))
        answer = self.raw(self.head("POST %s HTTP/1.1" % path, *fields, body=data))
        assert answer.status == _status, (path, answer.raw[:2000])
        return answer.json()

    def stop(self) -> tuple[int, str, str]:
        self.process.terminate()
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out.decode(), err.decode()


def everything(sock: socket.socket) -> bytes:
    """All that is sent, until the other side closes."""
    chunks = []
    while True:
        try:
            chunk = sock.recv(1 << 16)
        except ConnectionResetError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


class Stream:
    """The messages of /api/live, taken in by a thread, as (kind, value)."""

    def __init__(self, served: Served, query: str = "") -> None:
        self.sock = served.connect()
        self.sock.settimeout(60)
        self.messages: list[tuple[str, Any]] = []
        self.ended = False
        self.sock.sendall(served.head("GET /api/live%s HTTP/1.1" % query))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        held = b""
        try:
            while True:
                chunk = self.sock.recv(1 << 16)
                if not chunk:
                    break
                held += chunk
                *parts, held = held.replace(b"\r\n\r\n", b"\n\n").split(b"\n\n")
                for part in parts:
                    if part.startswith(b"event: "):
                        kind, _, data = part[len(b"event: ") :].partition(b"\ndata: ")
                        self.messages.append((kind.decode(), json.loads(data)))
        except OSError:
            pass  # closed by the test
        self.ended = True

    def rows(self) -> dict[str, Any]:
        """The fleet as the messages so far tell it."""
        known: dict[str, Any] = {}
        for kind, value in list(self.messages):
            if kind in ("status", "runs"):
                known.update({row["run_id"]: row for row in value["runs"]})
                for gone in value.get("gone", ()):
                    known.pop(gone, None)
        return known

    def events(self) -> list[Any]:
        return [event for kind, value in list(self.messages) if kind == "events" for event in value["events"]]

    def close(self) -> None:
        self.sock.close()


class Socket:
    """A client of /ws/status, as much of RFC 6455 as that needs."""

    def __init__(self, served: Served, *fields: str, path: str = "/ws/status") -> None:
        self.sock = served.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ("Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13")
        self.sock.sendall(served.head("GET %s HTTP/1.1" % path, *lines, "Sec-WebSocket-Key: " + key, *fields, token=""))
        self.held = b""
        while b"\r\n\r\n" not in self.held and self._more():
            pass
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        self.opening = Answer(head + b"\r\n\r\n" + self.held)

    def _more(self) -> bool:
        chunk = self.sock.recv(1 << 16)
        self.held += chunk
        return bool(chunk)

    def send(self, opcode: int, payload: bytes, mask: bool = True, final: bool = True) -> None:
        key = os.urandom(4)
        body = bytes(b ^ key[n % 4] for n, b in enumerate(payload)) if mask else payload
        size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
        size = bytes([size[0] | (0x80 if mask else 0)]) + size[1:]
        self.sock.sendall(bytes([opcode | (0x80 if final else 0)]) + size + (key if mask else b"") + body)

    def take(self, seconds: float = 20) -> tuple[int, bytes]:
        """The next frame that is no ping: (opcode, payload); (-1, b"") at the end."""
        self.sock.settimeout(seconds)
        deadline = time.monotonic() + 2 * seconds
        for opcode, payload in self._frames():
            if opcode != 9:
                return opcode, payload
            assert time.monotonic() < deadline, "nothing but pings"
        return -1, b""

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        while True:
            while len(self.held) < 2:
                if not self._more():
                    return
            size, at = self.held[1] & 0x7F, 2
            if size > 125:
                at = 4 if size == 126 else 10
                while len(self.held) < at:
                    if not self._more():
                        return
                size = int.from_bytes(self.held[2:at], "big")
            while len(self.held) < at + size:
                if not self._more():
                    return
            opcode, payload = self.held[0] & 15, self.held[at : at + size]
            self.held = self.held[at + size :]
            yield opcode, payload

    def message(self) -> Any:
        opcode, payload = self.take()
        assert opcode == 1, (opcode, payload)
        return json.loads(payload)

    def close(self) -> None:
        self.sock.close()


def many(world: World, template: str, count: int, day_s: float = 86400.0) -> list[str]:
    """Copies of a run that ended, one an hour back from now, that tell different things: oldest first."""
    made = []
    source = world.folder(template)
    result, meta = (json.loads((source / name).read_text()) for name in ("result.json", "meta.json"))
    now = time.time()
    for n in range(count):
        at = now - 2 * day_s - (count - n) * 3600
        run_id = time.strftime("%Y%m%d-%H%M%S-", time.gmtime(at)) + "%04x" % n
        folder = world.home / "runs" / run_id
        folder.mkdir(mode=0o700)
        told = facts(n, at, run_id)
        for name, value in (("result.json", {**result, **told}), ("meta.json", {**meta, **told, "id": run_id})):
            (folder / name).write_text(json.dumps(value))
        for name in ("prompt.md", "events.jsonl", "notified", "lock", "diff.patch"):
            if (source / name).exists():
                os.link(source / name, folder / name)
        made.append(run_id)
    with (world.home / "journal").open() as file:
        newer = file.read()
    (world.home / "journal").write_text("".join("%s\tp\n" % one for one in made) + newer)
    return made


def facts(n: int, at: float, run_id: str) -> dict[str, Any]:
    """What the n-th copy tells: a third of it failed, half is billed, each seventh has no figures."""
    cost = None if n % 7 == 0 else round(0.01 * (n % 50 + 1), 2)
    return {
        "run_id": run_id,
        "title": "piece %d: %s" % (n, ("limit for uploads", "dark theme", "search index")[n % 3]),
        "status": ("finished", "failed", "finished")[n % 3],
        "goal_met": (True, None, n % 2 == 0)[n % 3],
        "agent": ("ada", "bob", "")[n % 3],
        "role": ("builder", "reviewer", "tester")[n % 3],
        "model": ("opus", "gpt-5.5")[n % 2],
        "billing": ("api", "subscription")[n % 2],
        "usage": {"cost_usd": cost} if n % 2 == 0 else {"virtual_usd": cost},
        "created_at": at,
        "started_at": at + 2,
        "finished_at": at + 62,
    }
