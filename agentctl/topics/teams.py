"""Help pages on those who work under a name, on work that flows between them, and its figures."""

from __future__ import annotations

AGENTS = """\
An agent is a named, lasting worker: a role or profile, a project, and one
conversation. What it is told becomes a run like any other, so `wait`, `show`,
`list` and `stop` are for it too; only the conversation is its own.

  agentctl agent create ada --role reviewer --project shop
  agentctl agent send ada --wait < question.md
  agentctl agent list

It lasts from one prompt to the next, in other processes, after kill -9 and
after a restart of the machine. Prompts sent while it works are queued in the
order in which they came, each waiting for the one before it.

A fresh conversation begins

  send --new-conversation   told nothing of the one before
  reset                     the same, for the next prompt
  by itself                 where the conversation has used more context than
                            --max-context-tokens, or 80% of the model's window,
                            by the vendor's own last figures; where the vendor
                            no longer has it, or another one is to go on. It is
                            told what was asked and said so far, in a line each,
                            and the last report

The result says so, under `conversation`.

  create --prompt-file F    instructions of its own, added to those of its role
  create --max-turns N      for each of its runs
  create --ephemeral        it is gone after its first answer
  set                       changes all that; it holds from the next run on
  delete                    removes the agent; its runs stay. Not while it
                            works, except with --stop

Roles: `agentctl roles`. A role is what one is asked to be, a prompt; a profile
is who serves, and with how much leave. An agent is somebody with both.
"""

WORKFLOWS = """\
A workflow is a graph of steps. Each becomes a run; a step begins when those
that it comes `after` have ended well, and waits for them by their locks.

  agentctl workflow list                    those that are shipped, and your own
  agentctl workflow plan bug_fix            the graph, and what each is told
  agentctl workflow run bug_fix "the cart forgets its items" --worktree
  agentctl workflow show @last              the graph, with what became of it

`run auto` has a cheap model choose one, and says why. `run custom --roles
planner,builder,reviewer` puts one together of roles, in a row or --parallel.
`agentctl execute "..."` is `workflow run auto`; --task-type names another.

Your own is a file, workflows/NAME.json in the home or any path:

  {"description": "Plan, build, test", "steps": [
    {"id": "plan",  "role": "planner", "prompt": "{{prompt}}"},
    {"id": "build", "role": "builder", "after": ["plan"],
     "prompt": ["{{prompt}}", "", "{{steps.plan.followup_prompt}}"]},
    {"id": "test",  "command": "make test", "after": ["build"]},
    {"id": "look",  "role": "reviewer", "after": ["build"],
     "prompt": "Review this. Wanted: {{prompt}} {{steps.build.diff}}"}]}

A step has an `id`, and who does it: a `role`, an `agent`, a `profile`, or a
`command` for the shell. Besides: title, backend, model, effort, verify,
escalate, timeout, max_turns, max_cost, and

  prompt       a text or a list of lines. Filled in are {{prompt}}; {{set.KEY}},
               from `--set KEY=VALUE`; {{steps.ID.FIELD}} of an earlier step
               (report, summary, followup_prompt, notes or diff); {{before}},
               the reports of all those it comes after; {{{{ is two braces. What
               a worker wrote goes in as data, in a fence, and is not filled in
               again
  after        the steps that it waits for
  continue_on  ends of this step in spite of which the next begin: not_met,
               check_failed, failed, stopped, timed_out, skipped, lost. With any
               other of these, what comes after it is skipped
  worktree     true: one of its own; the id of an earlier step: in that one's.
               With `run --worktree` the steps that say nothing share one

All of it is checked before anything starts: unknown keys and steps, cycles,
templates, roles, profiles, programs. `run` prints an id, w-..., which `wait`,
`stop`, `pause` and `continue` take too. For `wait` an end that the workflow
continues on counts as good.

`agentctl workflow resume ID` starts what is missing after a crash, a stop or a
failure. Steps that ended well are not repeated, even where the folder of such
a run was removed; one that was interrupted goes on in its conversation; a
failed one begins anew, and so do those after it.
"""

FIGURES = """\
`agentctl stats` adds up what runs used, did and cost; `--by` agent, role,
profile, backend, model, project, day or workflow has a row for each, `--since`
7d or 2026-11-01 and `--project` take less. A run counts for the day of its
birth, in UTC. The figures come from what the workers' own programs printed,
and are the same from every process: what is kept to be quick (figures.cache)
can be removed at any time.

Nothing is made up. What a worker did not tell is `-`, or null, never 0; a sum
of which a part was not told has a `+`; UNPRICED says of how many runs the cost
is unknown. Money is in three columns, never mixed:

  BILLED   was paid by the token
  VIRTUAL  was covered by a subscription
  UNKNOWN  the vendor did not say which of the two

The vendor's own figure counts. Where it gives none (Codex), the tokens are
reckoned by the dated prices of config/prices.json, and before these by your own
in config.json, from the day `since` on, by model, in USD per million tokens:

  {"prices": {"gpt-5.5": {"since": "2026-11-01",
              "input": 5, "cached": 0.5, "output": 30}}}

What has no price is not guessed: its runs are counted under UNPRICED.

`agentctl files` shows who read and who wrote what, of all runs, some (`files
ID ID`) or a project's. What two runs wrote stands first, marked !. A ~ is a
file that the run's tools did not name, but git saw change meanwhile.

`agentctl stats --export-sqlite FILE` writes a database of it: the tables runs,
usage, tools, files, events, and `about`, which explains them. It is a copy for
your own questions; agentctl never reads it.
"""

ALIASES = """\
Names that other programs have for what agentctl does, and which work here too:

  task-details ID     show ID
  list-tasks          list
  agent-details NAME  agent show NAME
  list-agents         agent list

The name is all that differs: options, output and exit codes are those of the
command it stands for.
"""
