"""What is free, read from the system's own words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentctl import capacity
from agentctl import stagger
from agentctl import store
from agentctl.config import Config
from agentctl.errors import AgentctlError

MEMINFO = "MemTotal:       24683520 kB\nMemFree:        19607692 kB\nMemAvailable:   %d kB\nBuffers: 1 kB\n"
MB = 1 << 20


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 1000 MB to be had, and no control group that limits."""
    (tmp_path / "meminfo").write_text(MEMINFO % (1000 * 1024))
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "sys").mkdir()
    monkeypatch.setattr(capacity, "_MEMINFO", str(tmp_path / "meminfo"))
    monkeypatch.setattr(capacity, "_CGROUPS", str(tmp_path / "cgroup"))
    monkeypatch.setattr(capacity, "_CGROUP_ROOT", str(tmp_path / "sys"))
    return tmp_path


def group(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name.replace("__", ".")).write_text("%s\n" % value)


def free_mb() -> int:
    return (capacity.free_memory(256 * MB) or 0) // MB


def test_of_the_machine(system: Path) -> None:
    assert free_mb() == 1000


def test_nothing_is_told_where_there_is_no_proc(system: Path) -> None:
    (system / "meminfo").unlink()
    (system / "cgroup").unlink()
    assert capacity.free_memory(MB) is None
    capacity.check(store.create_home(str(system / "home")), Config(min_free_memory_mb=1 << 40, min_free_disk_mb=1))


def test_of_a_group_and_those_above_it(system: Path) -> None:
    (system / "cgroup").write_text("0::/user.slice/session.scope\n")
    group(system / "sys" / "user.slice" / "session.scope", memory__max="max", memory__current=5)
    assert free_mb() == 1000
    group(system / "sys" / "user.slice", memory__max=900 * MB, memory__current=200 * MB)
    assert free_mb() == 700


def test_file_cache_counts_as_free(system: Path) -> None:
    stat = "anon 5\ninactive_file %d\nactive_file %d\nslab_reclaimable 0" % (300 * MB, 100 * MB)
    group(system / "sys", memory__max=900 * MB, memory__current=890 * MB, memory__stat=stat)
    assert free_mb() == 410


def test_the_first_version_of_control_groups(system: Path) -> None:
    (system / "cgroup").write_text("9:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n")
    stat = "cache 1\ninactive_file 0\ntotal_inactive_file %d\ntotal_active_file 0" % (100 * MB)
    root = system / "sys" / "memory"
    group(root, memory__limit_in_bytes=300 * MB, memory__usage_in_bytes=290 * MB, memory__stat=stat)
    assert free_mb() == 110, "in a container the path is the host's, and the root is ours"
    group(root, memory__limit_in_bytes=9223372036854771712)
    assert free_mb() == 1000


@pytest.mark.parametrize("damage", ["", "MemAvailable:\n", "MemAvailable: x kB\n", "\xff\0\n"])
def test_words_that_tell_nothing(system: Path, damage: str) -> None:
    (system / "meminfo").write_text(damage, encoding="latin-1")
    (system / "cgroup").write_text(damage, encoding="latin-1")
    group(system / "sys", memory__max="many", memory__current="")
    assert capacity.free_memory(MB) is None


def test_the_floors(system: Path) -> None:
    home = store.create_home(str(system / "home"))
    capacity.check(home, Config(min_free_memory_mb=1000, min_free_disk_mb=1), str(system / "not" / "yet" / "there"))
    with pytest.raises(AgentctlError, match="only 1000 MB of memory are free, and 1001 are wanted"):
        capacity.check(home, Config(min_free_memory_mb=1001))
    with pytest.raises(AgentctlError, match="on the disk of"):
        capacity.check(home, Config(min_free_disk_mb=1 << 40))
    with pytest.raises(AgentctlError, match="/proc"):
        capacity.check(home, Config(min_free_disk_mb=1), "/proc/not/there")
    capacity.check(home, Config(min_free_disk_mb=0, min_free_memory_mb=0), "/proc")


def test_this_machine_is_read(tmp_path: Path) -> None:
    if os.path.exists("/proc/meminfo"):
        assert (capacity.free_memory(MB) or 0) > MB


def test_the_moment_of_the_next_start() -> None:
    """Kept: the moment, and what the clock lies behind the calendar."""
    assert stagger.next_after(b"100.000000 5000.000000", 1.5, now=101.0, calendar=5101.0) == 101.5
    assert stagger.next_after(b"100.000000 5000.000000", 1.5, now=3.0, calendar=6000.0) == 0.0, "another boot"
    for junk in (b"", b"x", b"1", b"1 2 3", b"nan nan", b"\xff \xff"):
        assert not stagger.next_after(junk, 1.5, now=3.0, calendar=6000.0) > 3.0
