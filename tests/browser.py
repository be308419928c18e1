"""A real Chromium for tests: headless, driven over a pipe by the DevTools protocol.

    def test_it(chromium: Browser) -> None:
        page = chromium.page()
        page.viewport(390, 844, phone=True)
        page.open("file:///tmp/x.html")
        assert page.js("document.title") == "x"
        assert page.console == [] and page.requests == ["file:///tmp/x.html"]

The fixture `chromium` (conftest.py) is one browser for the whole session; each page has storage
of its own. Names resolve to nothing but the loopback address, and there is no proxy: whatever a
page asks of elsewhere fails, and stands in `requests` all the same.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad"),
    *("--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage", "--no-default-browser-check"),
    *("--metrics-recording-only", "--no-service-autorun", "--password-store=basic", "--use-mock-keychain"),
    *("--force-color-profile=srgb", "--no-proxy-server", "--remote-debugging-pipe"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]",
)
PATIENCE_S = 60.0
"""For one answer: a bound for what hangs, not a measure of what is quick."""


class BrowserError(AssertionError):
    """The browser said no, or nothing."""


def program() -> str:
    """The path of a Chromium, or ""."""
    return next((found for found in map(shutil.which, NAMES) if found), "")


class Browser:
    """One Chromium with a profile in `folder`, which is the whole of its home."""

    def __init__(self, path: str, folder: Path) -> None:
        self.pages: dict[str, Page] = {}
        self._count = 0
        self._held = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._pid, self._out, self._in = _spawned(path, folder)
        self.version = str(self.call("Browser.getVersion", {})["product"])

    def page(self) -> Page:
        """A fresh page, in a context of its own: no storage is shared."""
        context = self.call("Target.createBrowserContext", {"disposeOnDetach": True})["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        made = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            made.call(domain + ".enable")
        made.viewport(1280, 900)
        return made

    def call(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        """One command and its answer; what happens meanwhile goes to the pages."""
        self._count += 1
        number = self._count
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        self._write(json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while number not in self._answers:
            if not self.pump(deadline - time.monotonic()):
                raise BrowserError("no answer to %s within %d s" % (method, PATIENCE_S))
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError("%s: %s" % (method, answer["error"].get("message")))
        found: dict[str, Any] = answer["result"]
        return found

    def pump(self, seconds: float) -> bool:
        """Take in what the browser says next, within `seconds`; False where it says nothing."""
        if not select.select([self._out], [], [], max(seconds, 0))[0]:
            return False
        chunk = os.read(self._out, 1 << 20)
        if not chunk:
            raise BrowserError("the browser has ended")
        *messages, self._held = (self._held + chunk).split(b"\0") if b"\0" in chunk else [self._held + chunk]
        for message in messages:
            self._take(json.loads(message))
        return True

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
        elif message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].take(message["method"], message["params"])

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._in, data) :]

    def close(self) -> None:
        """End it and everything it started; never raises."""
        try:
            self._write(b'{"id":0,"method":"Browser.close"}\0')
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline and self.pump(deadline - time.monotonic()):
                pass
        except (OSError, ValueError, BrowserError):
            pass  # it has ended, as wished
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing of it is left
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)


class Page:
    """One page. `console` are its messages, errors and refusals (also by the page's own policy),
    `requests` the addresses it asked for, its own first; `failed` those of them that got nothing."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self.browser = browser
        self.console: list[str] = []
        self.requests: list[str] = []
        self.failed: list[str] = []
        self.loaded = 0
        self._session, self._target = session, target
        self._asked: dict[str, str] = {}
        self._size = (0, 0, False)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol, for what has no method here."""
        return self.browser.call(method, params, self._session)

    def take(self, method: str, params: dict[str, Any]) -> None:
        """Something happened in the page."""
        if method == "Runtime.consoleAPICalled":
            words = (str(one.get("value", one.get("description", ""))) for one in params["args"])
            self.console.append("%s: %s" % (params["type"], " ".join(words)))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(
                "exception: %s" % details.get("exception", {}).get("description", details.get("text", ""))
            )
        elif method == "Log.entryAdded":
            self.console.append("%s: %s" % (params["entry"]["level"], params["entry"]["text"]))
        elif method == "Network.requestWillBeSent":
            self._asked[params["requestId"]] = params["request"]["url"]
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif method == "Network.loadingFailed":
            self.failed.append(self._asked.get(params["requestId"], ""))
        elif method == "Page.loadEventFired":
            self.loaded += 1

    def viewport(self, width: int, height: int, phone: bool = False) -> None:
        """The size in CSS pixels; a phone has touch, two dots a pixel, and heeds the viewport's meta tag."""
        scale, self._size = 2 if phone else 1, (width, height, phone)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def scheme(self, name: str) -> None:
        """What the page is told that the user prefers: `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, url: str) -> None:
        """Go there, and wait until it has loaded. Console and requests begin anew."""
        self.console, self.requests, self.failed = [], [], []
        before = self.loaded
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError("%s: %s" % (url, answer["errorText"]))
        deadline = time.monotonic() + PATIENCE_S
        while answer.get("loaderId") and self.loaded == before:  # no loader: only the fragment was another
            if not self.browser.pump(deadline - time.monotonic()):
                raise BrowserError("%s has not loaded within %d s" % (url, PATIENCE_S))

    def js(self, expression: str) -> Any:
        """The value of an expression, or of what it promises, as JSON has it. Raises BrowserError where it throws."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 10.0) -> Any:
        """The first true value of an expression; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.js(expression)
            if value:
                return value
            if time.monotonic() > deadline:
                raise BrowserError("not within %.1f s: %s; console: %s" % (seconds, expression, self.console[:5]))
            self.browser.pump(0.02)

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return int(self.js("document.querySelectorAll(%s).length" % json.dumps(selector)))

    def text(self, selector: str = "body") -> str:
        """What a person reads in the first such element; "" where there is none."""
        return str(self.js("document.querySelector(%s)?.innerText ?? ''" % json.dumps(selector)))

    def click(self, selector: str) -> None:
        """A real click in the middle of the first such element. Raises BrowserError where there is none to be seen."""
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, selector)

    def mouse(self, kind: str, selector: str) -> None:
        """One half of a click: `mousePressed` or `mouseReleased`."""
        x, y = self._middle(selector)
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _middle(self, selector: str) -> tuple[float, float]:
        found = self.js(
            "(() => { const e = document.querySelector(%s); if (!e) return null;"
            " e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = e.getBoundingClientRect();"
            " return r.width && r.height ? [r.x + r.width / 2, r.y + r.height / 2] : null; })()" % json.dumps(selector)
        )
        if not found:
            raise BrowserError("nothing to be seen at %s" % selector)
        return found[0], found[1]

    def type(self, words: str) -> None:
        """Into whatever has the focus."""
        self.call("Input.insertText", text=words)

    def key(self, name: str) -> None:
        """One key down and up, by its name in the DOM: `Escape`, `j`."""
        text = {"text": name} if len(name) == 1 else {"text": "\r"} if name == "Enter" else {}
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(name, 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    def sideways(self) -> int:
        """By how many pixels the page is wider than the window: 0 where nobody has to scroll sideways."""
        return int(self.js("document.scrollingElement.scrollWidth - document.documentElement.clientWidth"))

    def screenshot(self, path: Path, whole: bool = False) -> Path:
        """A PNG of the window, or of the whole page: in a window as high as that, so that all of it is painted."""
        if whole:
            width, height, phone = self._size
            self.viewport(width, min(int(self.js("document.scrollingElement.scrollHeight")), 16000), phone)
            self.viewport(width, min(int(self.js("document.scrollingElement.scrollHeight")), 16000), phone)
            self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            self.screenshot(path)
            self.viewport(width, height, phone)
        else:
            path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path

    def close(self) -> None:
        self.browser.call("Target.closeTarget", {"targetId": self._target})
        self.browser.pages.pop(self._session, None)


def _spawned(path: str, folder: Path) -> tuple[int, int, int]:
    """Its pid, what it says, what it hears: it reads descriptor 3 and writes descriptor 4."""
    ours_in, theirs_out, theirs_in, ours_out = (_high(fd) for pair in (os.pipe(), os.pipe()) for fd in pair)
    argv = [path, *FLAGS, "--user-data-dir=%s" % (folder / "profile"), "about:blank"]
    env = {**{k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}, "HOME": str(folder)}
    log = str(folder / "chromium.log")
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, theirs_in, 3),
        (os.POSIX_SPAWN_DUP2, theirs_out, 4),
    ]
    pid = os.posix_spawn(path, argv, env, file_actions=actions, setpgroup=0)
    os.close(theirs_in)
    os.close(theirs_out)
    return pid, ours_in, ours_out


def _high(fd: int) -> int:
    """The same, out of the way of 3 and 4."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64)
    os.close(fd)
    return moved
