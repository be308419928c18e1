"""Fetches the few things that the tests need, with nothing but the standard library.

Why not pip and npm: a bare Debian has neither, and there `tests/run` must ask for
nothing else. What is fetched is pinned and checked by its digest, so it does not
matter which mirror it comes from: pip's and npm's own settings say which to ask,
the public ones answer where there are none.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
import venv
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CACHE = Path(os.environ.get("AGENTCTL_TEST_CACHE") or Path(__file__).resolve().parent / ".cache")
TIMEOUT_S = 60.0

# The newest of each that still runs on Python 3.9; (name, file, sha256).
PYTEST = (
    ("pytest", "pytest-8.4.2-py3-none-any.whl", "872f880de3fc3a5bdc88a11b39c9710c3497a547cfa9320bc3c5e62fbf272e79"),
    ("pluggy", "pluggy-1.6.0-py3-none-any.whl", "e920276dd6813095e9377c0bc5566d94c932c33b27a3e3945d8389c374dd4746"),
    (
        "iniconfig",
        "iniconfig-2.1.0-py3-none-any.whl",
        "9deba5723312380e77435581c6bf4935c94cbfab9b1ed33ef8d238ea168eb760",
    ),
    (
        "packaging",
        "packaging-25.0-py3-none-any.whl",
        "29572ef2b1f17581046b3a2227d5c611fb25ec70ca1ba8554b24b0e69331a484",
    ),
    (
        "pygments",
        "pygments-2.19.2-py3-none-any.whl",
        "86540386c03d588bb81d44bc3928634ff26449851e99741617ecb9037ee5ec0b",
    ),
)
PYTEST_BEFORE_3_11 = (
    (
        "exceptiongroup",
        "exceptiongroup-1.3.0-py3-none-any.whl",
        "4d111e6e0c13d0644cad6ddaa7ed0261a0b36971f6d23e7ec9b4b9097da78a10",
    ),
    ("tomli", "tomli-2.2.1-py3-none-any.whl", "cb55c73c5f4408779d0cf3eef9f762b9c9f147a77de7b258bef0a5628adc85cc"),
    (
        "typing-extensions",
        "typing_extensions-4.15.0-py3-none-any.whl",
        "f0fa19c6845758ab08074a0cfa8b7aecb71c999ca73d62883bc25cc018c4e548",
    ),
)
PIP = ("pip", "pip-25.3-py3-none-any.whl", "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd")


class UnavailableError(Exception):
    """Something cannot be had here; the text says what and why."""


def pytest_environment() -> str:
    """The interpreter of a virtual environment with pytest for this Python, made where it is missing."""
    name = "venv-%d.%d.%d" % sys.version_info[:3]
    folder = CACHE / name
    with only_one(name):
        if not (folder / "complete").exists():
            print("making %s" % folder, file=sys.stderr)
            make_environment(folder, PYTEST + (PYTEST_BEFORE_3_11 if sys.version_info < (3, 11) else ()))
            (folder / "complete").touch()
    return str(folder / "bin" / "python3")


def make_environment(folder: Path, wheels: Iterable[tuple[str, str, str]]) -> None:
    """A virtual environment without pip, which Debian packs apart: unpacking wheels is all it takes."""
    venv.create(folder, with_pip=False, clear=True, symlinks=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    for pinned in wheels:
        unpack_wheel(wheel(*pinned), packages)


def wheel(name: str, filename: str, sha256: str) -> Path:
    """The path of a wheel in the cache, fetched from the package index where it is missing."""
    kept = CACHE / "wheels" / filename
    with only_one("wheels"):
        if not kept.exists():
            page = read_text("%s/%s/" % (index(), name))
            links = re.findall(r'<a\s[^>]*href="([^"]*/%s)(?:#[^"]*)?"' % re.escape(filename), page)
            if not links:
                raise UnavailableError("%s has no %s" % (index(), filename))
            url = urllib.parse.urljoin("%s/%s/" % (index(), name), html.unescape(links[0]))
            download(url, kept, "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode())
    return kept


def unpack_wheel(path: Path, into: Path) -> None:
    """Install a pure wheel: its files are laid out as they stand in site-packages."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(into)  # refuses nothing, but the digest has vouched for the content


def index() -> str:
    """The package index that pip is set to, else the public one."""
    return _setting("PIP_INDEX_URL", ["pip", "config", "get", "global.index-url"], "https://pypi.org/simple")


def registry() -> str:
    """The npm registry that npm is set to, else the public one."""
    return _setting("npm_config_registry", ["npm", "config", "get", "registry"], "https://registry.npmjs.org")


def _setting(variable: str, command: list[str], default: str) -> str:
    said = os.environ.get(variable, "")
    program = None if said else shutil.which(command[0])
    if program:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        said = done.stdout.strip() if done.returncode == 0 else ""
    return (said if said.startswith("http") else default).rstrip("/")


def download(url: str, to: Path, integrity: str) -> None:
    """Fetch a file; it appears complete and with the right digest ("sha256-BASE64"), or not at all."""
    kind, _, expected = integrity.partition("-")
    digest = hashlib.new(kind)
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(to.name + ".%d.part" % os.getpid())
    try:
        with _open(url) as answer, open(partial, "wb") as file:
            for block in iter(lambda: answer.read(1 << 20), b""):
                digest.update(block)
                file.write(block)
        if base64.b64encode(digest.digest()).decode() != expected:
            raise UnavailableError("%s is not what was pinned: its %s differs" % (url, kind))
        os.replace(partial, to)
    except OSError as e:
        raise UnavailableError("cannot fetch %s: %s" % (url, e)) from e
    finally:
        partial.unlink(missing_ok=True)


def read_text(url: str) -> str:
    try:
        with _open(url) as answer:
            return answer.read().decode("utf-8", "replace")
    except OSError as e:
        raise UnavailableError("cannot read %s: %s" % (url, e)) from e


def _open(url: str) -> IO[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "agentctl-tests"})
    answer: IO[bytes] = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return answer


@contextlib.contextmanager
def only_one(name: str) -> Iterator[None]:
    """Two test runs at once fetch a thing once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / (name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
