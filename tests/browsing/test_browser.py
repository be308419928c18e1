"""The helper that drives the browser: what it says of a page is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import Browser
from browser import BrowserError
from conftest import eventually

PAGE = """<!doctype html><meta charset=utf-8><title>helper</title>
<meta http-equiv=Content-Security-Policy
 content="default-src 'none'; script-src 'sha256-%s'; img-src http:; style-src 'unsafe-inline'">
<meta name=viewport content="width=device-width, initial-scale=1">
<style>#wide { width: 700px }</style>
<p id=wide>wide</p><button>press</button><input><img src="http://elsewhere.invalid/a.png">
<script>%s</script><script>console.log("refused by the policy")</script>
"""
SCRIPT = (
    "console.log('said', 1); document.querySelector('button').onclick = e => "
    "{ document.title = e.isTrusted ? 'pressed' : 'faked'; };"
)


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    path = tmp_path / "page.html"
    path.write_text(PAGE % (digest, SCRIPT))
    return path


def test_a_page_is_seen_as_it_is(chromium: Browser, page_file: Path, tmp_path: Path) -> None:
    page = chromium.page()
    page.viewport(390, 844, phone=True)
    page.open(page_file.as_uri())
    assert page.js("[document.documentElement.clientWidth, devicePixelRatio]") == [390, 2]
    assert page.sideways() > 300
    assert (page.text("#wide"), page.count("button, input")) == ("wide", 2)
    page.click("button")
    assert page.js("document.title") == "pressed"
    page.click("input")
    page.type("words")
    assert page.js("document.querySelector('input').value") == "words"
    assert page.screenshot(tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    page.close()


def test_console_requests_and_refusals_are_told(chromium: Browser, page_file: Path) -> None:
    page = chromium.page()
    page.open(page_file.as_uri())
    page.until("document.images[0].complete")
    assert page.console[0] == "log: said 1"
    assert any("Content Security Policy" in words for words in page.console)
    assert page.requests == [page_file.as_uri(), "http://elsewhere.invalid/a.png"]
    assert eventually(lambda: page.js("1") and page.failed) == ["http://elsewhere.invalid/a.png"]
    page.close()


def test_what_throws_is_an_error(chromium: Browser) -> None:
    page = chromium.page()
    with pytest.raises(BrowserError, match="no such thing"):
        page.js("(() => { throw new Error('no such thing') })()")
    with pytest.raises(BrowserError, match="not within"):
        page.until("false", 0.1)
    with pytest.raises(BrowserError, match="nothing to be seen"):
        page.click("#nowhere")
    page.close()
