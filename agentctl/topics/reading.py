"""Help pages on what commands print and leave behind."""

from __future__ import annotations

EXIT_CODES = """\
The exit code is the verdict; it is a contract and does not change.

    0  done; for `wait`: every run finished, its goal was met, no check failed
    1  agentctl could not do it; one line says what, a `hint:` says what helps
    2  called wrongly: an unknown option, a missing argument, no prompt
    3  `wait`: a run finished with goal_met false, or its check failed;
       `merge`: something was left out, or a checkout did not follow
    4  `wait`: a run failed, was stopped, timed out, was skipped or is lost
  124  `wait --timeout` ran out; the run goes on
  130  interrupted with ^C; the run goes on

Where several runs end differently, `wait` exits with the highest of 0, 3 and 4.
`agent send`, `workflow run` and `execute` exit like it when they wait: --wait.
`show` and `list` exit 0 whenever they could read: reading about a failure is
not failing. To act on an outcome use `wait`; it takes ended runs too.
"""

ENVIRONMENT = """\
Read by agentctl:

  AI_ORCH_HOME    the home directory; --home comes before it. With neither:
                  .ai-orch beside bin/ in a checkout, else ~/.ai-orch
  AGENTCTL_DEBUG  1: an error prints its traceback
  NO_COLOR        anything but empty: no colour
  TERM            dumb: no colour, no cursor movement
  TMUX            the tmux server whose windows show the workers; without it the
                  default server
  TMUX_PANE       the pane that called `start`: it is told when the run ends
  AGENTCTL_ORCHESTRATOR, CODEX_THREAD_ID
                  whose inbox the caller's runs report to, where `orch` or Codex
                  says so; see `agentctl help orchestrators`
  PATH            where the workers' programs are looked for, at `start`
  CLAUDE_CONFIG_DIR, CODEX_HOME
                  where the vendors keep the conversations that `sessions`
                  finds; else ~/.claude, ~/.codex
  ANTHROPIC_API_KEY, GEMINI_API_KEY, GOOGLE_API_KEY, ANTHROPIC_BASE_URL,
  GEMINI_BASE_URL the key and the address for an orchestrator that is an API,
                  before those in the home's .env: `agentctl help backends`

Set for a worker, and for the setup and verify commands:

  AGENTCTL_RUN_ID  the id of their run; it also marks the run's processes
  AI_ORCH_HOME     the home of that run
  AGENTCTL_SLOT, AGENTCTL_PORT_BASE
                   a number that no other run at work has, and the first of
                   100 ports that are its own: `agentctl help isolation`
  AGENTCTL_SOURCE  for setup: the checkout that the worktree was asked from

A worker otherwise gets the environment of the `start` that asked for it, not
that of the tmux server; without TMUX*, what Claude Code sets for its own
children, and GIT_* other than names, mail addresses and ssh. It travels in a
private file that the runner removes as it is born: no key of yours stands in an
argument list or stays in the run folder.
"""

HOME = """\
The home is readable by you alone; `agentctl help environment` says where it is.

  config.json      settings, yours to edit: `agentctl help config`
  projects.json    registered directories
  .env             keys of APIs, if you put some there: `agentctl help backends`
  prompts/         your own orchestrator.md, spark.md, deep.md, review.md,
                   glance.md, and roles/NAME.md; they come before those that
                   are shipped
  notify.log       one JSON line per ended run: at, run_id, status, goal_met,
                   verified
  inbox/NAME/      one orchestrator: about.json says which pane it is, events/
                   holds what nobody has acknowledged
  inbox/acked/     what was acknowledged
  notices/         what is to be sent to you, marks of what was, and what became
                   of the last by each way: `agentctl help notices`
  agents/          NAME.json for each agent: how it works, its newest run
  workflows/       your own, NAME.json; started/ID.json: which runs the steps of
                   one that was started have had
  journal, active/ hints that keep `list` quick; the folders below are the truth
  worktrees/ID/    the checkout of a run, unless `worktree_dir` says elsewhere
  custody/         what was made of each worktree, where its work is, and logs
                   of merges whose check failed
  slots/           locks: who may work, and who waits for it
  reported.json    when the last `report` was made, and what lived then
  holds/           accounts that ran into a limit, and until when nothing calls
                   their vendor: `agentctl help limits`
  figures.cache    keeps `stats` quick; it can be removed at any time
  web.token        lets in who opens the page: `agentctl help web-api`
  web.html         leads a browser there, for `web --open`
  crash.log        tracebacks of unexpected errors
  runs/ID/         one folder per run; ID is YYYYmmdd-HHMMSS-xxxx in UTC

A run folder. `start` writes the first five, the run's own process the others:

  meta.json        what was asked: project, backend, model, limits, parents
  prompt.md        the prompt, byte for byte
  schema.json      the shape the report must have
  instructions.md  the instructions of the role or profile
  input.md         what the worker reads on its standard input
  parts.json       of a workflow: what prompt.md is put together of, when its
                   turn has come
  conversation.json
                   of an agent: the session that it went on with
  lock             held for as long as the run lives; its content is for people
  raw.jsonl        the worker's standard output, exactly as it came
  stderr.log       the worker's standard error; a command (shell, --verify,
                   --setup) has pipes for both: `> /dev/stderr` cuts nothing off
  starts           where in raw.jsonl a further worker of the run begins
  held             it waits for the end of its vendor's limit
  continue.md      what its worker was told after that
  setup.log        what git and the project's --setup printed, in a worktree
  verify.log       what the --verify command printed
  events.jsonl     what it did, in the same words for every backend
  status.json      what it is doing now; may be absent, may be a second old
  diff.stat        what changed against the commit at the start, in short
  diff.patch       the same in full, new files included
  notified         the line is in notify.log, the event was posted
  result.json      written once, last: it is there if and only if the run ended

A finished run never changes. Removing a run's folder forgets the run.
"""

STATUSES = """\
Three things are told apart: `status` is what happened to the process,
`goal_met` what the worker claims, `verified` (passed, failed, none) what the
check command found.

  queued     waiting for the runs named by --after, for the other run of its
             conversation, for a slot, or for the end of its vendor's limit
  running    its worker is at work, or its check
  paused     stands still until `continue`: no process of it runs, no time
             limit either, and its slot is free
  finished   the worker ended by itself and gave a valid report
  failed     it ended without one, or could not be started; `error` says why
  stopped    ended by `stop`, by ^C in its pane, or because its pane was closed
  timed_out  over its time limit
  skipped    a run that it was to come after did not end well; no worker started
  lost       its own process vanished (power cut, kill -9) and left no result

The status comes from two facts: is there a result.json, and is the lock held?
The kernel drops the lock when its holder dies, so no run is "running" for ever.
A run that is lost, stopped or timed out can be resumed where the vendor kept
the conversation; one that was lost or stopped while it was paused, or waited
for the end of a limit, by `agentctl continue`.
"""
