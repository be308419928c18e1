"""A model server on loopback that speaks for the vendors, inside the test's own process.

    with StubServer() as stub:
        ... run a CLI with stub.url ...
        assert stub.asked("the earlier prompt")[-1].model == "..."

Claude Code: ANTHROPIC_BASE_URL = stub.url. Codex: base_url = stub.url + "/v1". Gemini: GEMINI_BASE_URL = stub.url.
The same facts by HTTP, for a test's subprocess: GET /__stub/requests and
GET /__stub/wait?text=...&timeout=S (answers once a request has contained the text).

Everything is bounded: requests are kept in whole, the oldest dropped beyond KEPT_CHARS;
threads are daemons and a hanging answer ends with the server or its client.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from types import ModuleType
from types import TracebackType
from typing import Any
from typing import Optional
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from . import stub_anthropic
from . import stub_gemini
from . import stub_openai
from .stub_scenarios import Step
from .stub_scenarios import chosen
from .stub_scenarios import step_at
from .stub_turn import Sent
from .stub_turn import Turn

DIALECTS: dict[str, ModuleType] = {d.PATH: d for d in (stub_anthropic, stub_openai)}
FAULTS = ("fail", "cut", "raw", "more", "hang")
KEPT_CHARS = 64_000_000
LONGEST_BODY = 64_000_000
GONE = (ConnectionError, TimeoutError, ValueError)
"""How a client that left shows itself while it is written to (ValueError: our own closed file)."""


Play = Callable[[Turn], Optional[Step]]
"""An answer worked out from the conversation so far; None leaves it to the markers."""


class StubServer(ThreadingHTTPServer):
    """Listens while the `with` block runs; `turns` are the requests for an answer so far.

    `plays` are asked before the markers are, in order; the first that has a step decides.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        self.stopping = threading.Event()
        self.turns: deque[Turn] = deque()
        self.other: deque[str] = deque(maxlen=1000)
        self.plays: list[Play] = []
        self._news = threading.Condition()
        self._failed: Counter[str] = Counter()
        self._count = 0

    def __enter__(self) -> StubServer:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that left: several tests kill theirs."""

    def asked(self, text: str = "", vendor: str = "") -> list[Turn]:
        """The requests whose conversation contains the text, oldest first, without side calls."""
        with self._news:
            return [t for t in self.turns if not t.side and vendor in t.vendor and t.heard(text)]

    def wait_for(self, text: str, timeout: float = 10.0, which: Callable[[Turn], bool] = lambda _: True) -> Turn:
        """The newest request that contains the text and passes `which`; TimeoutError when none comes."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                hits = [t for t in self.turns if not t.side and t.heard(text) and which(t)]
                left = deadline - time.monotonic()
                if hits:
                    return hits[-1]
                if left <= 0:
                    raise TimeoutError("no request with %r in %s s" % (text[:80], timeout))
                self._news.wait(left)

    def decide(self, turn: Turn) -> Step:
        """Keep the request and choose its answer."""
        users = [i for i, (role, _) in enumerate(turn.said) if role == "user"]
        which, turn.scenario, steps = chosen([turn.said[i][1] for i in users])
        turn.step = turn.model_turns_after(users[which]) if which >= 0 else 0
        played = [] if turn.side else [step for step in (play(turn) for play in self.plays) if step is not None]
        step = played[0] if played else step_at(steps, turn.step)
        with self._news:
            self._count += 1
            turn.number = self._count
            self.turns.append(turn)
            self._forget()
            step = self._failing(turn, step)
            self._news.notify_all()
        return step

    def _forget(self) -> None:
        while len(self.turns) > 1 and sum(len(text) for t in self.turns for _, text in t.said) > KEPT_CHARS:
            self.turns.popleft()

    def _failing(self, turn: Turn, step: Step) -> Step:
        """The step without its failure, once it has failed as often as it should, and for vendors it is not of."""
        if turn.side:
            return {"text": "OK"}
        sound = {k: v for k, v in step.items() if k not in FAULTS}
        if step.get("of", turn.vendor) != turn.vendor:
            return sound
        if "times" not in step:
            return step
        key = "%s/%s/%d" % (step.get("counted", turn.session), turn.scenario, turn.step)
        self._failed[key] += 1
        return step if self._failed[key] <= step["times"] else sound

    def noted(self, turn: Turn, ended: str) -> None:
        """Write down how the answer ended: "answered", "cut", or "client gone"."""
        with self._news:
            turn.ended = ended
            self._news.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    server: StubServer

    def log_message(self, format: str, *args: Any) -> None:
        """Keep pytest's output clean."""

    def do_GET(self) -> None:
        """Control calls; and what a client asks besides an answer."""
        parts = urlsplit(self.path)
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        if parts.path.startswith("/__stub/"):
            return self._control(parts.path, query)
        self.server.other.append("%s %s" % (self.command, self.path))
        if self.headers.get("upgrade"):
            return self._json(Sent(426, {}, {"error": {"message": "stub: no websockets"}}))
        return self._json(Sent(404 if parts.path != "/" else 200, {}, {"error": {"message": "stub: nothing here"}}))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """A request for an answer of the model, in the dialect of its path."""
        body = self._body()
        path = urlsplit(self.path).path
        named = stub_gemini.PATH.match(path)
        dialect = stub_gemini if named else DIALECTS.get(path)
        if dialect is None:
            self.server.other.append("POST %s" % self.path)
            return self._json(Sent(404, {}, {"error": {"message": "stub: nothing here"}}))
        turn: Turn = dialect.read(body, {k.lower(): v for k, v in self.headers.items()})
        turn.model = named.group(1) if named else turn.model
        step = self.server.decide(turn)
        wrong = stub_gemini.wrong_with(body) if named else ""
        step = {"fail": "bad_request", "message": wrong} if wrong else step
        try:
            self.server.noted(turn, self._answer(dialect, body, turn, step))
        except GONE:
            self.close_connection = True
            self.server.noted(turn, "client gone")

    def _answer(self, dialect: ModuleType, body: dict[str, Any], turn: Turn, step: Step) -> str:
        if step.get("delay"):
            self.server.stopping.wait(step["delay"])
        if "fail" in step:
            sent: Sent = dialect.failure(step, turn.number)
            turn.status = sent.status
            self._json(sent)
            return "answered"
        turn.status = 200
        whole = dialect.answer(step, turn, turn.number)
        if not body.get("stream"):
            return self._whole(whole, step)
        return self._stream(dialect, whole, step)

    def _whole(self, whole: dict[str, Any], step: Step) -> str:
        """An answer in one piece: as it is, cut in its middle, silent, or `raw` bytes that are no answer."""
        if step.get("hang"):
            self.server.stopping.wait(step["hang"])
        raw = step["raw"].encode() if "raw" in step else json.dumps(whole).encode()
        self.send_response(200)
        for name, value in {"content-type": "application/json", **step.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw) + step.get("more", 0)))
        self.end_headers()
        if step.get("cut"):
            self.wfile.write(raw[: len(raw) // 2])
            return self._cut()
        self.wfile.write(raw)
        left = step.get("more", 0)
        while left > 0:
            left -= self.wfile.write(b" " * min(left, 1 << 20))
        return "answered"

    def _stream(self, dialect: ModuleType, whole: dict[str, Any], step: Step) -> str:
        self.send_response(200)
        for name, value in {"content-type": "text/event-stream", **step.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        begun = False
        for event in dialect.events(whole):
            self._chunk("event: %s\ndata: %s\n\n" % (event["type"], json.dumps(event)))
            if not dialect.is_piece(event):
                continue
            if not begun and step.get("cut"):
                return self._cut()
            if not begun and step.get("hang"):
                self._hang(step["hang"])
            begun = True
            self.server.stopping.wait(step.get("pause", 0.0))
        self.wfile.write(b"0\r\n\r\n")
        return "answered"

    def _chunk(self, text: str) -> None:
        raw = text.encode("utf-8")
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def _hang(self, seconds: float) -> None:
        """Say nothing but comments; writing one is how we learn that the client left."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.stopping.wait(0.2):
            self._chunk(": still here\n\n")

    def _cut(self) -> str:
        """Drop the connection as a crash would: with a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return "cut"

    def _body(self) -> dict[str, Any]:
        size = int(self.headers.get("content-length") or 0)
        if size > LONGEST_BODY or "chunked" in (self.headers.get("transfer-encoding") or ""):
            raise ConnectionError("stub: a body that is too long or chunked")
        try:
            body = json.loads(self.rfile.read(size) or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def _json(self, sent: Sent) -> None:
        raw = json.dumps(sent.body).encode("utf-8")
        self.send_response(sent.status)
        for name, value in {"content-type": "application/json", **sent.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _control(self, path: str, query: dict[str, str]) -> None:
        text = query.get("text", "")
        if path == "/__stub/wait":
            try:
                self.server.wait_for(text, float(query.get("timeout", "10")))
            except TimeoutError as none:
                return self._json(Sent(408, {}, {"error": str(none)}))
        return self._json(Sent(200, {}, {"requests": [_short(t) for t in self.server.asked(text)]}))


def _short(turn: Turn) -> dict[str, Any]:
    """A request as JSON, its texts shortened."""
    return {**asdict(turn), "said": [(role, text[:2000]) for role, text in turn.said], "instructions": ""}
