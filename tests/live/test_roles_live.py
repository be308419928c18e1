"""Roles, with the real CLIs: the model is told the role, and a role that only reads cannot write."""

from __future__ import annotations

import pytest

from .arrow import Arrow

pytestmark = pytest.mark.live

ROLES = {"reviewer": ("# You are a reviewer", []), "worker_fast": ("# You are a quick worker", ["hello.txt"])}


@pytest.mark.parametrize("vendor", ["claude", "codex"])
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_told_and_a_read_only_one_cannot_write(arrow: Arrow, vendor: str, role: str) -> None:
    title, files = ROLES[role]
    word = "%s-%s" % (role, vendor)
    result = arrow.done("please @@stub:write@@ " + word, vendor, "--role", role)
    assert (result["status"], result["role"], result["profile"]) == ("finished", role, "spark")
    assert result["git_files"] == files
    first = arrow.stub.asked(word)[0]
    told = "\n".join([first.instructions, *(said for _, said in first.said)])
    assert title in told
    assert "# You are a worker: a quick, exact edit" not in told, "the profile's own prompt"


def test_a_resumed_run_keeps_its_role(arrow: Arrow) -> None:
    first = arrow.done("please @@stub:ok@@ kept-1", "claude", "--role", "reviewer")
    second = arrow.wait(arrow.resume(first["run_id"], "now @@stub:write@@ kept-2"))[0]
    assert (second["role"], second["session_id"], second["git_files"]) == ("reviewer", first["session_id"], [])
    assert "# You are a reviewer" in arrow.stub.asked("kept-2")[-1].instructions


def test_glance_is_a_small_model_that_reads(arrow: Arrow) -> None:
    result = arrow.done("please @@stub:write@@ glance-1", "claude", profile="glance")
    assert (result["status"], result["profile"], result["git_files"]) == ("finished", "glance", [])
    assert "haiku" in arrow.stub.asked("glance-1")[0].model
