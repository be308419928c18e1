"""Goals that are over, written by the program's own writers: runs that are staged, born and ended, and a journal."""

from __future__ import annotations

import os
from typing import Any

from agentctl import birth
from agentctl import files
from agentctl import notify
from agentctl import store
from agentctl.goals import journal
from agentctl.goals.asked import GoalAsked
from agentctl.measures import Usage
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.store import Home
from agentctl.store import Run

TEAM = {"worker_smart": {"backend": "claude"}, "architect": {"backend": "codex"}, "tester": {"backend": "claude"}}


class Maker:
    """Makes runs in a home, a second after one another, from `at` on."""

    def __init__(self, home: Home, at: float) -> None:
        self.home = home
        self.at = at
        self._locks: dict[str, int] = {}

    def begin(self, spec: Spec, **texts: bytes) -> Run:
        """A run that works: its lock is held by us."""
        self.at += 1
        names = {name.replace("__", "."): data for name, data in texts.items()}
        staged = birth.stage(self.home, spec.replace(created_at=self.at), {"prompt.md": b"do it\n", **names})
        born = birth.be_born(self.home, staged.id, "%d 1\n" % os.getpid())
        assert born is not None
        self._locks[staged.id] = born[1]
        return born[0]

    def end(self, run: Run, **facts: Any) -> Run:
        """Its result, its line in notify.log, its lock let go."""
        spec = run.spec()
        known = {"run_id": run.id, "status": "finished", "goal_met": True, "exit_code": 0, "title": spec.title}
        same = ("project", "cwd", "backend", "goal", "step", "role", "created_at")
        known.update({name: getattr(spec, name) for name in same})
        known.update(started_at=spec.created_at + 1, finished_at=spec.created_at + 61)
        result = Result(**{**known, **facts})
        store.end(run, result)
        notify.note_end(run, result)
        store.tidy(run)
        self.let_go(run)
        return run

    def let_go(self, run: Run) -> None:
        os.close(self._locks.pop(run.id))

    def ended(self, spec: Spec, **facts: Any) -> Run:
        return self.end(self.begin(spec), **facts)

    def goal(self, title: str = "a better cart", **wanted: Any) -> Run:
        """A goal whose driver works."""
        known = {"orchestrator": "claude", "model": "opus", "team": TEAM, "verify": "make test", "base": "a" * 40}
        given = GoalAsked(**{**known, "top": "/repo", **wanted})
        spec = Spec(backend="goal", title=title, argv=("x",), cwd="/repo", top="/repo", project="p")
        return self.begin(spec, goal__json=files.dump(given.to_json()))

    def write(self, run: Run, *entries: dict[str, Any]) -> None:
        """Lines of a driver's output, by its own writer."""
        fd = files.open_append(run.file("raw.jsonl"))
        for entry in entries:
            journal.write(fd, "step", str(entry.get("step")), entry)
        os.close(fd)

    def member(self, goal: Run, who: str, **facts: Any) -> Run:
        """A run that worked for it."""
        usage = Usage(input=1000, cached=200, output=50, turns=3, cost_usd=0.25)
        spec = Spec(
            backend="claude", title="part of it", goal=goal.id, step=who, cwd="/repo", project="p", model="opus"
        )
        return self.ended(spec, **{"usage": usage, "billing": "api", "model": "opus", **facts})


def night(maker: Maker, root: Run) -> None:
    """Three cycles: rejected by the check, rejected by the architect, accepted."""
    maker.write(root, {"step": "begun", "resumed": ""}, {"step": "cycle", "cycle": 1})
    work = maker.member(root, "worker_smart", denied=("Bash(rm -rf /)",))
    maker.write(
        root,
        {"step": "ended", "cycle": 1, "who": "orchestrator", "run": work.id, "claim": "done", "summary": "all done"},
        {"step": "checkpoint", "cycle": 1, "commit": "b" * 40, "files": 1, "diff_stat": " a.py | 2 +-"},
        failed_check(1),
        {"step": "judged", "cycle": 1, "accepted": False, "reasons": ["the check failed"], "key": "k1"},
        {"step": "cycle", "cycle": 2},
        {"step": "checkpoint", "cycle": 2, "commit": "c" * 40, "files": 2, "diff_stat": " a.py | 4 ++--\n b.py | 1 +"},
        passed_check(2),
        verdict(2, "architect", False, "src/cart.py forgets the limit"),
        {"step": "judged", "cycle": 2, "accepted": False, "reasons": ["architect: the limit"], "key": "k2"},
        {"step": "cycle", "cycle": 3},
    )
    maker.member(root, "architect", usage=Usage(input=10, output=2, virtual_usd=0.5), billing="subscription")
    maker.write(
        root,
        {"step": "checkpoint", "cycle": 3, "commit": "d" * 40, "files": 3, "diff_stat": " a.py | 9 ++++-----"},
        passed_check(3),
        verdict(3, "architect", True, "the limit is kept"),
        verdict(3, "tester", True, "I ran it"),
        {"step": "judged", "cycle": 3, "accepted": True, "reasons": [], "key": ""},
        {"step": "over", "outcome": "accepted", "why": "the check passed, and all verifiers accept"},
    )


def failed_check(cycle: int) -> dict[str, Any]:
    tail = "FAILED tests/test_cart.py::test_limit\n1 failed"
    return {**passed_check(cycle), "passed": False, "why": "exit code 2", "tail": tail}


def passed_check(cycle: int) -> dict[str, Any]:
    known = {"step": "check", "cycle": cycle, "of": "work", "command": "make test"}
    return {**known, "passed": True, "why": "exit code 0"}


def verdict(cycle: int, who: str, accept: bool, reason: str) -> dict[str, Any]:
    evidence = ["$ make test", "12 passed"]
    known = {"step": "verdict", "cycle": cycle, "who": who, "run": "", "accept": accept}
    return {**known, "reasons": [reason], "evidence": evidence}
