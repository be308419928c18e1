"""The pinned real CLIs, fetched once into the git-ignored cache of the tests.

Straight from the npm registry, as the vendors' native binaries (see npm.py): neither
node nor npm is needed. Remove `tests/.cache` to fetch again.
"""

from __future__ import annotations

from pathlib import Path

import fetch
import npm
from fetch import UnavailableError

VERSIONS = {"claude": "2.1.197", "codex": "0.169.0"}

__all__ = ["VERSIONS", "UnavailableError", "bin_folder"]


def bin_folder() -> Path:
    """The folder with `claude` and `codex`, fetched now if need be; UnavailableError with a reason."""
    return npm.bin_folder(VERSIONS["claude"], VERSIONS["codex"], fetch.CACHE)
