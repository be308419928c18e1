"""Fixtures of the live tests: one server and one installation for all, one world for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arrow import Arrow
from .stub_server import StubServer
from .vendor_cli import UnavailableError
from .vendor_cli import bin_folder
from .world import World


@pytest.fixture(scope="session")
def clis() -> Path:
    """The folder with the pinned claude and codex. Without them: skipped here, failed in CI."""
    try:
        return bin_folder()
    except UnavailableError as reason:
        if os.environ.get("CI"):
            pytest.fail("live tests must run in CI: %s" % reason)
        pytest.skip("live tests need the real CLIs: %s" % reason)


@pytest.fixture(scope="session")
def stub() -> Iterator[StubServer]:
    """The model server that every live test shares; conversations do not meet."""
    with StubServer() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, clis: Path, stub: StubServer) -> World:
    """A fresh user with both real CLIs."""
    return World(tmp_path, clis, stub)


@pytest.fixture
def arrow(world: World) -> Iterator[Arrow]:
    """agentctl on a fresh home, with both real CLIs."""
    made = Arrow(world)
    yield made
    made.close()
