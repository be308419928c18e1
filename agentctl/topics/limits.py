"""The help page on what a run may use, and what happens where its vendor has no more to give."""

from __future__ import annotations

LIMITS = """\
A vendor that has no more to give says so: a usage limit, a rate limit,
overload. The run then does not fail. Its account is held until the moment that
the vendor named (or for a minute, then two, four, at most 30), and nothing
calls that vendor with that account meanwhile: a run that is queued, or only
started, waits as well. A held run is `queued`, says "held until 07:00: claude
usage limit", has no slot, and no clock of it runs. Then it goes on by itself,
in its session. `stop` and `pause` are heard.

  held once      its orchestrator is told once, with the time (agentctl inbox)
  held for long  longer than hold_at_most_s (12 h): the run fails and says so
  killed         `agentctl continue ID` goes on in the session, after the hold
  lifted         by removing its file in the home's holds/, or by itself as soon
                 as a worker of that account ends well

A login that is refused holds nobody: the run fails and says how to log in.

  start --fallback codex,cursor      or "fallback" in a profile: at such a limit
                 the work goes on at once, in the same directory, with the first
                 of these that is installed and not held. That is a new run; it
                 is told the prompt, what was said last and the diff. The first
                 one is `failed`, and `fell_back_to` in its result names the
                 other. Whatever waits for it with --after follows

Budgets: what a run reaches first stops it, resumable; the result says which.

  of a run       --timeout --max-turns --max-cost --max-tokens, or the profile's
                 `limits`
  of a day       `day_limits` in config.json, over the runs that began since
                 midnight: `start` refuses, what would begin fails, what works
                 is stopped. Commands (the shell backend) are not counted

It is looked at whenever a worker tells what it used, so at most one turn is too
much. What a vendor does not tell (Codex: money, turns) cannot be watched: give
a time limit, too. The result warns where a limit was not watched.
"""
