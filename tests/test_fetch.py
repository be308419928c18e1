"""What the tests fetch is what was pinned, complete, or not there at all."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

import fetch
import npm


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fetch, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_a_download_with_another_digest_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"abc")
    to = tmp_path / "to" / "file"
    with pytest.raises(fetch.UnavailableError, match="not what was pinned"):
        fetch.download((tmp_path / "source").as_uri(), to, integrity(b"abd"))
    assert list(to.parent.iterdir()) == []
    fetch.download((tmp_path / "source").as_uri(), to, integrity(b"abc"))
    assert to.read_bytes() == b"abc"


def test_a_missing_address_is_named(tmp_path: Path) -> None:
    url = (tmp_path / "nothing").as_uri()
    with pytest.raises(fetch.UnavailableError, match="cannot fetch %s" % url):
        fetch.download(url, tmp_path / "to", integrity(b""))


def test_settings_of_the_clients_name_the_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("npm_config_registry", "https://mirror.example/npm/")
    assert (fetch.index(), fetch.registry()) == ("https://pypi.org/simple", "https://mirror.example/npm")


def test_a_wheel_comes_from_the_index_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing-1-py3-none-any.whl").write_bytes(b"wheel")
    (tmp_path / "thing" / "index.html").write_text('<a data-x="1" href="../thing-1-py3-none-any.whl#sha256=0">x</a>')
    monkeypatch.setattr(fetch, "index", tmp_path.as_uri)
    monkeypatch.setattr(fetch, "read_text", lambda url: (tmp_path / "thing" / "index.html").read_text())
    pinned = ("thing", "thing-1-py3-none-any.whl", hashlib.sha256(b"wheel").hexdigest())
    assert fetch.wheel(*pinned) == cache / "wheels" / "thing-1-py3-none-any.whl"
    (tmp_path / "thing-1-py3-none-any.whl").unlink()
    assert fetch.wheel(*pinned).read_bytes() == b"wheel"
    with pytest.raises(fetch.UnavailableError, match="has no thing-2"):
        fetch.wheel("thing", "thing-2-py3-none-any.whl", pinned[2])


def test_a_package_is_unpacked_below_its_folder_only(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, mode in (
            ("package/bin/tool", 0o755),
            ("package/a.txt", 0o600),
            ("package/../../out", 0o644),
            ("/package/up/../../x", 0o644),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mode = 4, mode
            archive.addfile(member, io.BytesIO(b"text"))
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "t.tgz").write_bytes(packed.getvalue())
    dist = {"tarball": (tmp_path / "t.tgz").as_uri(), "integrity": integrity(packed.getvalue())}
    monkeypatch.setattr(npm, "read_text", lambda url: json.dumps({"dist": dist}))
    dest = npm.fetch_npm("@a/tool", "1", cache / "tool")
    assert sorted(p.relative_to(dest).as_posix() for p in dest.rglob("*")) == ["a.txt", "bin", "bin/tool"]
    assert (dest / "bin" / "tool").stat().st_mode & 0o111
    assert sorted(p.name for p in cache.iterdir()) == ["tool", "tool.lock"]
    with pytest.raises(fetch.UnavailableError):
        npm.fetch_npm("@a/tool", "1", cache / "other", integrity(b"pinned otherwise"))
    assert not (cache / "other").exists()
