"""The help page on goals: work that is directed, and verified before it is accepted."""

from __future__ import annotations

GOALS = """\
A goal is worked at in cycles until others have verified it, or a limit is
reached. It is a run like any other: `wait`, `show`, `stop`, `follow` and the
inbox are for it too.

  agentctl goal GOAL.md --verify "make test" --worktree --until 07:00 --yes
  agentctl goal show @last          cycles, checks, verdicts, who did what
  agentctl goal resume @last        after a crash, a stop, a limit

One cycle: an orchestrator (--orchestrator) is told the goal, the team and how
the last cycle ended. It asks members of the team, by tools alone, and claims
that it is done. Then it is verified:

  the check    --verify CMD, run by us in a fresh checkout of the work; with the
               project's --setup first. Then once more with the check's own
               files as they were when the goal began: tests, scripts that CMD
               reaches, settings of test runners, --protect GLOB; but not
               --may-change GLOB. New tests run the first time only. A
               manifest of a build tool (Cargo.toml, pom.xml) is as it was,
               too, but for new packages; more of it wants --may-change
  verifiers    members of the team with "verifies": true, each in a new
               conversation and a checkout of its own. They see the goal and
               the diff, and no claim. Each gives a verdict: accept, reasons,
               evidence

All agree: accepted. Otherwise the reasons are what the next cycle begins with.
Work that changed nothing is never accepted, and neither is a goal that nothing
and nobody verifies.

It ends early after three rejections for the same reason, when nothing changed
since the last one, when its orchestrator gives up, and at --max-cycles,
--max-cost, --max-tokens, --max-turns, --max-time, --until: then all that works
for it is stopped, in order, and can be gone on from with other limits.

--mode mission is one cycle. --worktree works on a branch of its own, which
`agentctl merge` brings home; without it a repository with uncommitted changes
is refused, or --commit commits them first.

A team is a file (--team FILE, or team.json in the home):

  {"format": 1, "members": {
    "builder": {"role": "builder", "backends": ["codex", "claude"],
                "description": "builds what is described"},
    "tester":  {"role": "tester", "verifies": true}}}

  role, profile        what it is asked to be, who serves (one of them)
  backends             in order of preference; the first installed one serves
  model, effort        instead of the profile's
  verifies             it judges claimed work
  max_context_tokens   a fuller conversation is followed by a fresh one
  max_turns timeout_s  for each of its runs
"""
