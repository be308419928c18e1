"""What `agentctl web` refuses, over raw sockets: each way in that is not the owner's own page."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import World
from conftest import eventually
from conftest import to_another_thread
from webbing import Served
from webbing import Socket
from webbing import everything

LONG = os.environ.get("AGENTCTL_LONG") == "1"
SLOW = 1000 if LONG else 450


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    made = Served(world)
    yield made
    code, out, err = made.stop()
    assert (code, err) == (0, ""), err
    assert made.token not in out, "said once, and not again"


def still_answers(served: Served) -> None:
    assert served.get("/api/status")["format"] == 1


def test_what_is_refused_and_with_what(served: Served) -> None:
    """Each alone is enough, with everything else right, the token too."""
    get, post = "GET /api/status HTTP/1.1", "POST /api/spawn HTTP/1.1"
    typed, here = "Content-Type: application/json", "http://" + served.host
    wanted: dict[str, tuple[int, bytes]] = {
        "rebinding: another name": (421, served.head(get, host="evil.example:%d" % served.port)),
        "rebinding: the right name, another port": (421, served.head(get, host="127.0.0.1:1")),
        "rebinding: no port": (421, served.head(get, host="127.0.0.1")),
        "rebinding: a name that begins like ours": (421, served.head(get, host=served.host + ".evil.example")),
        "no Host": (421, served.head(get, host="-")),
        "two Hosts": (421, served.head(get, "Host: evil.example")),
        "two Hosts of ours": (421, served.head(get, "Host: " + served.host)),
        "an absolute target": (400, served.head("GET http://%s/api/status HTTP/1.1" % served.host)),
        "another origin": (403, served.head(get, "Origin: http://evil.example")),
        "another port of this machine": (403, served.head(get, "Origin: http://127.0.0.1:3000")),
        "an opaque origin": (403, served.head(get, "Origin: null")),
        "a post from elsewhere": (403, served.head(post, "Origin: http://evil.example", typed, "Content-Length: 2")),
        "a browser says cross-site": (403, served.head(get, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors")),
        "a browser says same-site": (403, served.head(get, "Sec-Fetch-Site: same-site")),
        "a form, navigating": (
            403,
            served.head(
                post,
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Mode: navigate",
                "Sec-Fetch-Dest: document",
                typed,
                "Content-Length: 2",
            ),
        ),
        "two Origins": (400, served.head(get, "Origin: " + here, "Origin: http://evil.example")),
        "chunks": (400, served.head(post, typed, "Transfer-Encoding: chunked")),
        "chunks and a length": (400, served.head(post, typed, "Content-Length: 2", "Transfer-Encoding: chunked")),
        "chunks, hidden": (400, served.head(post, typed, "Content-Length: 2", "Transfer-Encoding: \tidentity")),
        "two lengths": (400, served.head(post, typed, "Content-Length: 2", "Content-Length: 2")),
        "two lengths in one": (400, served.head(post, typed, "Content-Length: 2, 2")),
        "no length": (411, served.head(post, typed)),
        "a length below nothing": (400, served.head(post, typed, "Content-Length: -1")),
        "a length that Python reads": (400, served.head(post, typed, "Content-Length: 1_0")),
        "a length with a plus": (400, served.head(post, typed, "Content-Length: +2")),
        "a length in other digits": (400, served.head(post, typed, "Content-Length: \xb2")),
        "a length that is none": (400, served.head(post, typed, "Content-Length: abc")),
        "a body too long": (413, served.head(post, typed, "Content-Length: 1048577")),
        "a body much too long": (413, served.head(post, typed, "Content-Length: 99999999999999999999")),
        "a GET with a body": (400, served.head(get, "Content-Length: 5", body=b"GET /")),
        "a second request behind the first": (400, served.head(get) + served.head(get)),
        "more body than was said": (400, served.head(post, typed, "Content-Length: 2", body=b"{}GET / HTTP/1.1\r\n")),
        "a form": (415, served.head(post, "Content-Type: application/x-www-form-urlencoded", "Content-Length: 2")),
        "plain text": (415, served.head(post, "Content-Type: text/plain", "Content-Length: 2")),
        "no type": (415, served.head(post, "Content-Length: 2")),
        "no token": (401, served.head(get, token="")),
        "a wrong token": (401, served.head(get, token="0" * 48)),
        "a longer token": (401, served.head(get, token=served.token + "0")),
        "the token's beginning": (401, served.head(get, token=served.token[:-1])),
        "the token by another scheme": (401, served.head(get, "Authorization: Basic " + served.token, token="")),
        "the token in the query": (401, served.head("GET /api/status?token=%s HTTP/1.1" % served.token, token="")),
        "the token in a cookie": (401, served.head(get, "Cookie: token=" + served.token, token="")),
        "the token as a subprotocol of no WebSocket": (
            401,
            served.head(get, "Sec-WebSocket-Protocol: token." + served.token, token=""),
        ),
        "two tokens": (400, served.head(get, "Authorization: Bearer " + "0" * 48)),
        "another method": (405, served.head("DELETE /api/status HTTP/1.1")),
        "OPTIONS, as a browser asks before a post": (405, served.head("OPTIONS /api/spawn HTTP/1.1", token="")),
        "a GET of what is posted": (405, served.head("GET /api/spawn HTTP/1.1")),
        "a POST of what is got": (405, served.head("POST /api/status HTTP/1.1", typed, "Content-Length: 2")),
        "nothing": (404, served.head("GET /nosuch HTTP/1.1")),
        "a body that is no JSON": (400, served.head(post, typed, "Content-Length: 2", body=b"{x")),
        "a body that is no object": (400, served.head(post, typed, "Content-Length: 2", body=b"[]")),
        "a body with NaN": (400, served.head(post, typed, "Content-Length: 9", body=b'{"a":NaN}')),
        "a query that is no UTF-8": (400, served.head("GET /api/runs?project=%ff HTTP/1.1")),
        "a query cut off": (400, served.head("GET /api/runs?project=%f HTTP/1.1")),
        "an unknown status": (400, served.head("GET /api/runs?status=bad HTTP/1.1")),
        "a limit that is none": (400, served.head("GET /api/runs?limit=0 HTTP/1.1")),
        "a stream of no run": (400, served.head("GET /api/live?run=x HTTP/1.1")),
    }
    for what, (status, request) in wanted.items():
        answer = served.raw(request)
        assert answer.status == status, (what, answer.raw[:500])
        assert served.token.encode() not in answer.raw and b"evil" not in answer.raw, what
        assert answer.fields["x-content-type-options"] == "nosniff" and answer.fields["connection"] == "close", what
    still_answers(served)


TRAVERSALS = (
    "/../../etc/passwd", "/page/../server.py", "/..%2f..%2fetc/passwd", "//etc/passwd", "/page.js/../../guard.py",
    "/api/runs/..", "/api/runs/../config.json", "/api/runs/%2e%2e%2fconfig.json/events", "/api/runs/..%00/events",
    "/api/runs/20260215-143022-ab12/../../config.json", "/api/runs/.20260215-143022-ab12/events",
    "/api/runs/20260215-143022-ab12%2fevents", "/api/runs/20260215-143022-ab12/result.json", "/index.html",
    "/api/goals/..", "/web.token", "/api/runs/20260215-143022-ab12\n/diff",
)  # fmt: skip


def test_no_path_leads_out_of_the_table(served: Served) -> None:
    for path in TRAVERSALS:
        answer = served.raw(served.head("GET %s HTTP/1.1" % path))
        assert answer.status in (400, 404, 405), (path, answer.raw)
        assert b"root:" not in answer.raw and b"tmux_socket" not in answer.raw
    for word in ("..%2fx", "..", ".x", "a/b"):
        data = b"{}"
        head = served.head("POST /api/agents/%s/stop HTTP/1.1" % word, "Content-Type: application/json",
                           "Content-Length: 2", body=data)  # fmt: skip
        assert served.raw(head).status in (400, 404, 409), word


HOSTILE = {
    "NUL": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an escape sequence": b"GET /\x1b]0;gotcha\x07 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes over 127 in the target": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare newlines": b"GET / HTTP/1.1\nHost: x\n\n",
    "a newline in a field": b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "a return in a field": b"GET / HTTP/1.1\r\nX: a\rHost: x\r\n\r\n",
    "a folded field": b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n",
    "a field without a name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "no version": b"GET /\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a thousand fields": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "a head that is too long": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
    "a head without an end": b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000,
    "a header to be split": b"GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: x%0d%0aX: y\r\n\r\n",
}


def test_a_head_of_hostile_bytes_is_refused_and_never_repeated(served: Served) -> None:
    for what, data in HOSTILE.items():
        answer = served.raw(data)
        assert answer.status in (400, 421, 431), (what, answer.raw[:300])
        assert b"\x1b" not in answer.raw and b"Set-Cookie" not in answer.raw, what
        still_answers(served)


def test_a_large_body_is_refused_before_it_is_read_and_the_reason_arrives(served: Served) -> None:
    request = served.head("POST /api/spawn HTTP/1.1", "Content-Type: application/json", "Content-Length: 9000000")
    answer = served.raw(request + b"x" * 9_000_000)
    assert answer.status == 413 and "longer" in answer.json()["error"]
    unknown = served.head("POST /api/spawn HTTP/1.1", "Content-Type: application/json", "Content-Length: 9", token="")
    with served.connect() as sock:
        sock.sendall(unknown)  # and no body: nothing of it is waited for
        assert b" 401 " in everything(sock)


def test_a_smuggled_request_is_not_done(served: Served, world: World) -> None:
    """Whatever two readers might disagree on, nothing behind the first request is ever begun."""
    body = json.dumps({"project": "p", "backend": "shell", "prompt": "true"}).encode()
    typed, length = "Content-Type: application/json", "Content-Length: %d" % len(body)
    inner = served.head("POST /api/spawn HTTP/1.1", typed, length, body=body)
    for field in ("Content-Length: %d" % len(inner), "Transfer-Encoding: chunked", "Content-Length: 0"):
        served.raw(served.head("GET /api/status HTTP/1.1", field, body=inner))
    served.raw(served.head("GET / HTTP/1.1", token="") + inner)
    assert served.get("/api/runs")["runs"] == []


def test_a_thousand_slow_connections_keep_nobody_out(served: Served) -> None:
    """Half a head each, and a byte more now and then: they are cut, and meanwhile everybody else is answered."""
    slow: list[socket.socket] = []
    for n in range(SLOW):
        sock = socket.socket()
        sock.settimeout(30)
        sock.connect(("127.0.0.1", served.port))
        sock.sendall(b"GET /api/status HTTP/1.1\r\nHost: %b\r\nX-%d: " % (served.host.encode(), n))
        slow.append(sock)
        if n % 50 == 0:
            still_answers(served)
    threads = Path("/proc/%d/status" % served.process.pid).read_text()
    assert int(threads.partition("Threads:")[2].split()[0]) < 20
    deadline = time.monotonic() + 30
    left = slow
    while left and time.monotonic() < deadline:
        left = [sock for sock in left if not cut(sock)]
        still_answers(served)
    assert not left, "%d were never cut" % len(left)
    eventually(lambda: len(os.listdir("/proc/%d/fd" % served.process.pid)) < 30)


def cut(sock: socket.socket) -> bool:
    """Whether the server has closed it; if not, it gets one more byte of its head."""
    try:
        sock.sendall(b"y")
        sock.setblocking(False)
        gone = sock.recv(1000) == b""
    except BlockingIOError:
        gone = False
        sock.setblocking(True)
    except OSError:
        gone = True
    if gone:
        sock.close()
    return gone


def test_a_client_that_does_not_read_is_cut(served: Served, world: World) -> None:
    run_id = world.shell("head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 900")
    world.result(run_id)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", served.port))
    sock.sendall(served.head("GET /api/live?run=%s&from=0 HTTP/1.1" % run_id))
    fds = "/proc/%d/fd" % served.process.pid
    eventually(lambda: len(os.listdir("/proc/%d/task" % served.process.pid)) > 1)

    def over() -> bool:
        return not any(str(sock.getsockname()[1]) in line for line in established(served.port))

    eventually(over, 30, 0.2)
    assert os.path.isdir(fds)
    sock.close()
    still_answers(served)


def established(port: int) -> list[str]:
    """The far ports of the server's open connections, as the kernel lists them."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(":%04X" % port) and words[3] == "01":
            found.append(str(int(words[2].rpartition(":")[2], 16)))
    return found


def test_there_is_an_end_to_streams_and_the_rest_goes_on(served: Served) -> None:
    streams = []
    for _ in range(32):
        sock = served.connect()
        sock.sendall(served.head("GET /api/live HTTP/1.1"))
        streams.append(sock)
    assert all(b" 200 " in sock.recv(100) for sock in streams)
    full = served.raw(served.head("GET /api/live HTTP/1.1"))
    assert full.status == 503 and full.json()["hint"]
    still_answers(served)
    for sock in streams:
        sock.close()

    def free() -> bool:
        with served.connect() as sock:
            sock.sendall(served.head("GET /api/live HTTP/1.1"))
            return b" 200 " in sock.recv(100)

    eventually(free, 20, 0.2)


def test_those_who_keep_their_token_back_take_no_stream(served: Served) -> None:
    """A handshake needs no token; one that then says nothing may keep no page of the owner's out."""
    silent = [Socket(served) for _ in range(40)]
    with served.connect() as live:
        live.sendall(served.head("GET /api/live HTTP/1.1"))
        assert b" 200 " in live.recv(100)
    owner = Socket(served)
    owner.send(1, json.dumps({"token": served.token}).encode())
    assert owner.message()["type"] == "status"
    assert silent[0].take(2) == (-1, b""), "of too many the one that has waited longest goes, and at once"
    assert silent[-1].take(30) == (-1, b""), "cut, having said nothing"
    owner.send(9, b"still there?")
    assert owner.opening.status == 101 and owner.take() == (10, b"still there?")
    for one in (*silent, owner):
        one.close()
    still_answers(served)


def test_a_socket_is_told_to_come_again_where_the_streams_are_full(served: Served) -> None:
    """Also by way of first words there are no more of them."""
    word = json.dumps({"token": served.token}).encode()
    streams = []
    for _ in range(32):
        streams.append(Socket(served))
        streams[-1].send(1, word)
        assert streams[-1].message()["type"] == "status"
    late = Socket(served)
    late.send(1, word)
    assert late.take() == (8, (1013).to_bytes(2, "big"))
    for one in (*streams, late):
        one.close()

    def free() -> bool:
        again = Socket(served)
        again.send(1, word)
        opcode, _ = again.take()
        again.close()
        return opcode == 1

    eventually(free, 20, 0.2)


def test_it_ends_also_where_another_thread_takes_the_signal(served: Served) -> None:
    stream = Socket(served)
    stream.send(1, json.dumps({"token": served.token}).encode())
    assert stream.message()["type"] == "status"
    to_another_thread(served.process.pid, signal.SIGTERM)
    assert served.process.wait(10) == 0


# -- the token


def test_the_token_is_for_its_owner_alone_and_lasts(world: World) -> None:
    first = Served(world)
    kept = world.home / "web.token"
    assert kept.read_text().strip() == first.token and len(first.token) == 48
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    arguments = Path("/proc/%d/cmdline" % first.process.pid).read_bytes()
    first.raw(first.head("GET /nosuch HTTP/1.1"))
    code, out, err = first.stop()
    assert (code, out, err) == (0, "", "") and first.token.encode() not in arguments
    again = Served(world)
    assert again.stop()[0] == 0 and again.token == first.token
    kept.chmod(0o644)
    third = Served(world)
    third.stop()
    assert third.token != first.token, "one that others could read is used no more"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.unlink()
    kept.symlink_to(world.root / "elsewhere")
    fourth = Served(world)
    fourth.stop()
    assert not kept.is_symlink() and not (world.root / "elsewhere").exists()


def test_a_browser_is_led_to_the_page_without_a_token_in_its_arguments(world: World) -> None:
    """What a program is started with is seen by everybody on the machine."""
    browser, given = world.root / "browser", world.root / "given"
    browser.write_text('#!/bin/sh\necho "$1" > %s.new && mv %s.new %s\n' % (given, given, given))
    browser.chmod(0o755)
    world.env["BROWSER"] = "%s %%s" % browser
    served = Served(world, "--open")
    url = eventually(lambda: given.exists() and given.read_text().strip())
    assert url == "file://%s" % (world.home / "web.html")
    leads = world.home / "web.html"
    assert "url=%s" % served.url in leads.read_text() and stat.S_IMODE(leads.stat().st_mode) == 0o600
    assert served.stop() == (0, "", "")


def test_only_loopback_unless_it_is_said_what_that_means(world: World) -> None:
    served = Served(world)
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()
                 if line.split()[3] == "0A" and line.split()[1].endswith(":%04X" % served.port)]  # fmt: skip
    assert listening == ["0100007F:%04X" % served.port]
    taken = world.run("web", "--port", str(served.port))
    assert taken.returncode == 1 and "cannot listen" in taken.stderr and "hint: " in taken.stderr
    served.stop()
    for words, said in {
        ("--expose", "0.0.0.0"): "--expose 0.0.0.0 wants --name",
        ("--expose", "no.such.host.invalid"): "cannot listen",
        ("--name", "a b"): "--name wants a host",
        ("--port", "70000"): "--port wants a number",
    }.items():
        refused = world.run("web", *(words if "--port" in words else ("--port", "0", *words)))
        assert refused.returncode in (1, 2) and said in refused.stderr, refused
    exposed = Served(world, "--expose", "127.0.0.2", "--name", "Box.lan")
    for host, status in {"127.0.0.2": 200, "box.lan": 200, "BOX.lan": 200, "localhost": 200, "127.0.0.3": 421}.items():
        answer = exposed.raw(exposed.head("GET / HTTP/1.1", host="%s:%d" % (host, exposed.port), token=""))
        assert answer.status == status, host
    with socket.create_connection(("127.0.0.2", exposed.port), 10) as sock:
        sock.sendall(exposed.head("GET /api/status HTTP/1.1", host="127.0.0.2:%d" % exposed.port))
        assert b" 200 " in everything(sock)
    assert "run commands as you" in " ".join(world.ok("web", "--help").replace("runs commands", "run commands").split())
    exposed.stop()


# -- WebSocket


def test_a_websocket_needs_the_token_and_our_own_page(served: Served) -> None:
    page = "Origin: http://" + served.host
    elsewhere = Socket(served, "Origin: http://evil.example", "Sec-WebSocket-Protocol: token." + served.token)
    assert elsewhere.opening.status == 403
    silent = Socket(served, page)
    assert silent.opening.status == 101 and "sec-websocket-protocol" not in silent.opening.fields
    for words in (b"hello", b"[]", b'{"token":"%s"}' % (b"0" * 48), b'{"token":null}', b"\xff"):
        wrong = Socket(served, page)
        wrong.send(1, words)
        assert wrong.take() == (8, (1008).to_bytes(2, "big")), words
        wrong.close()
    assert silent.take(30) == (-1, b""), "cut, having said nothing"
    for fields in (("GET /ws/status HTTP/1.1", "Upgrade: h2c", "Connection: Upgrade"),
                   ("GET /ws/status HTTP/1.1", "Upgrade: websocket", "Connection: close"),
                   ("GET /ws/status HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8"),
                   ("GET /api/live HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
                   ("GET /ws/status HTTP/1.1",)):  # fmt: skip
        assert served.raw(served.head(*fields)).status == 400, fields


def test_what_a_websocket_must_not_send_ends_it(served: Served) -> None:
    word = "Sec-WebSocket-Protocol: agentctl, token." + served.token
    for what, (opcode, payload, mask, final, code) in {
        "not masked": (1, b"x", False, True, 1002),
        "in pieces": (1, b"x", True, False, 1003),
        "bytes": (2, b"x", True, True, 1003),
        "an unknown kind": (3, b"x", True, True, 1002),
        "too long": (1, b"x" * 5000, True, True, 1009),
        "a long ping": (9, b"x" * 126, True, True, 1002),
    }.items():
        client = Socket(served, word)
        assert client.opening.fields["sec-websocket-protocol"] == "agentctl"
        assert client.message()["type"] == "status"
        client.send(opcode, payload, mask, final)
        assert client.take() == (8, code.to_bytes(2, "big")), what
        client.close()
    still_answers(served)
