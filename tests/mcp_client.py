"""An MCP client over a real subprocess: speaks the protocol, rightly or wrongly, and waits for what comes back."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import Any

from conftest import World

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
PATIENCE_S = 30.0


class Client:
    """`agentctl mcp` as a child, and what it has said that nobody took yet."""

    def __init__(self, world: World, *words: str, hello: bool = True) -> None:
        self.process = world.popen("mcp", *words, stdin=subprocess.PIPE)
        self._said: queue.Queue[Any] = queue.Queue()
        self._kept: list[dict[str, Any]] = []
        self._next = 0
        threading.Thread(target=self._listen, daemon=True).start()
        if hello:
            self.ask("initialize", **HELLO)
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _listen(self) -> None:
        """Every line must be JSON: nothing else may ever be on stdout."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._said.put(json.loads(line))
        self._said.put(None)

    def send(self, message: Any) -> None:
        """A message, or bytes as they are."""
        assert self.process.stdin
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(data + b"\n")
        self.process.stdin.flush()

    def begin(self, method: str, **params: Any) -> int:
        """Send a request; its id."""
        self._next += 1
        self.send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        return self._next

    def begin_call(self, name: str, /, token: Any = None, **arguments: Any) -> int:
        """Send a call of a tool; its id."""
        meta = {} if token is None else {"_meta": {"progressToken": token}}
        return self.begin("tools/call", name=name, arguments=arguments, **meta)

    def take(self, **wanted: Any) -> dict[str, Any]:
        """The first message with these entries; others are kept for later."""
        for n, message in enumerate(self._kept):
            if wanted.items() <= message.items():
                return self._kept.pop(n)
        while True:
            message = self._said.get(timeout=PATIENCE_S)
            assert message is not None, "the server has ended"
            if wanted.items() <= message.items():
                found: dict[str, Any] = message
                return found
            self._kept.append(message)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """A request, and what it is answered."""
        return self.take(id=self.begin(method, **params))

    def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """A call of a tool that must go well: its answer, read."""
        return self.read(self.begin_call(name, **arguments))

    def read(self, of: int) -> dict[str, Any]:
        """The answer to a call that must have gone well."""
        answer = self.take(id=of)
        assert not answer["result"]["isError"], answer
        found: dict[str, Any] = json.loads(answer["result"]["content"][0]["text"])
        return found

    def failed(self, name: str, /, **arguments: Any) -> str:
        """A call of a tool that must not go well: what the model is told."""
        answer = self.take(id=self.begin_call(name, **arguments))
        assert answer["result"]["isError"], answer
        return str(answer["result"]["content"][0]["text"])

    def rest(self) -> list[dict[str, Any]]:
        """What it says up to its end."""
        found = list(self._kept)
        while True:
            message = self._said.get(timeout=PATIENCE_S)
            if message is None:
                return found
            found.append(message)

    def end(self) -> int:
        """Close its stdin; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)
