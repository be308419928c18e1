"""What must be free before another worker is started: space on the disk, and memory.

A worker that runs into a full disk loses its own work, and one that fills the memory may
take the others with it. Looked at by `start` and `resume` only: what runs is left alone.
"""

from __future__ import annotations

import os

from . import files
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

    from .config import Config
    from .store import Home

_MB = 1 << 20
_MEMINFO, _CGROUPS, _CGROUP_ROOT = "/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup"


def check(home: Home, config: Config, worktree: str = "") -> None:
    """Raises AgentctlError where less is free than the configuration wants; `worktree` is where files would be put."""
    for folder in (home.runs, worktree):
        if folder and config.min_free_disk_mb > 0:
            _check_disk(folder, config.min_free_disk_mb)
    free = free_memory(config.min_free_memory_mb * _MB) if config.min_free_memory_mb > 0 else None
    if free is not None and free < config.min_free_memory_mb * _MB:
        raise AgentctlError(
            "only %d MB of memory are free, and %d are wanted" % (free // _MB, config.min_free_memory_mb),
            'see what runs with `agentctl list --running`; the floor is "min_free_memory_mb" in config.json',
        )


def _check_disk(folder: str, floor: int) -> None:
    free = _free_disk(folder)
    if free is not None and free < floor * _MB:
        raise AgentctlError(
            "only %d MB are free on the disk of %s, and %d are wanted" % (free // _MB, folder, floor),
            'free space there; the floor is "min_free_disk_mb" in config.json',
        )


def _free_disk(folder: str) -> Optional[int]:
    """Bytes that we may still write; the nearest folder that exists tells of one that does not yet."""
    while True:
        try:
            found = os.statvfs(folder)
            return found.f_bavail * found.f_frsize
        except FileNotFoundError:
            above = os.path.dirname(folder)
        except OSError:
            return None  # whoever writes there will say what is wrong with it
        if above == folder:
            return None
        folder = above


def free_memory(enough: int) -> Optional[int]:
    """Bytes that can be had, by the machine and by our control groups; None where neither is told (macOS).

    A group that has `enough` is not asked how much of what it uses could be given up.
    """
    said = [_number_of(_MEMINFO, b"MemAvailable:", 1024)]
    said += [_free_in_group(folder, enough) for folder in _groups()]
    known = [number for number in said if number is not None]
    return min(known) if known else None


def _groups() -> Iterator[str]:
    """The folders of our memory control groups, ours and those above it, of cgroup v2 or v1.

    In a container the path may be one of the host's, which is not there: its root is.
    """
    for line in _read(_CGROUPS).decode("utf-8", "replace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _CGROUP_ROOT + ("/memory" if controllers else "")
        while path.strip("/"):
            yield root + path
            path = os.path.dirname(path)
        yield root


def _free_in_group(folder: str, enough: int) -> Optional[int]:
    """What is left of a group's limit; file cache counts as free, as the kernel gives it up. None: no limit."""
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        most = _read(os.path.join(folder, limit)).strip()
        if most.isdigit() and int(most) < 1 << 60:  # v1 says "no limit" by a number
            in_use = _read(os.path.join(folder, used)).strip()
            left = int(most) - (int(in_use) if in_use.isdigit() else 0)
            return left if left >= enough else left + _given_up(os.path.join(folder, "memory.stat"))
    return None


def _given_up(path: str) -> int:
    """Bytes of file cache and of kernel memory that is reclaimed when it is needed."""
    said = _read(path)
    total = "total_" if b"\ntotal_inactive_file" in said else ""
    names = [total + name for name in ("inactive_file", "active_file")] + ["slab_reclaimable"]
    return sum(_number_in(said, name.encode() + b" ", 1) or 0 for name in names)


def _number_of(path: str, name: bytes, unit: int) -> Optional[int]:
    return _number_in(_read(path), name, unit)


def _number_in(said: bytes, name: bytes, unit: int) -> Optional[int]:
    for line in said.splitlines():
        if line.startswith(name):
            number = line[len(name) :].split()[:1]
            return int(number[0]) * unit if number and number[0].isdigit() else None
    return None


def _read(path: str) -> bytes:
    try:
        return files.read(path, 1 << 14)
    except OSError:
        return b""  # not on this system, or not for us: then it limits nothing that we could see
