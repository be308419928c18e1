"""What `agentctl help TOPIC` says: the pages that belong to no single command.

Plain text in plain strings, so that help costs no parsing and a test can hold
it against the code. A page states what is so; README.md has the reasons.
"""

from __future__ import annotations

BACKENDS = """\
  claude  Claude Code: `claude`
  codex   Codex CLI: `codex`
  cursor  Cursor CLI: `cursor-agent` or `agent`; for trusted projects only
  shell   any command after `--`; its exit code is the claim, the end of its
          output the summary:
          agentctl start --project p --backend shell --title tests -- make test

A backend of your own is an entry in the home's config.json:

  {"backends": {"mycli": {
      "argv": ["mycli", "--in", "{prompt_file}", "--model", "{model}"],
      "stdin": true,
      "stream": "text"}}}

  argv     what to run. Placeholders: {prompt_file} {schema_file} {model}
           {effort} {instructions_file} {session_id} {cwd}.
           An argument whose placeholder stands for nothing is left out, with
           the flag before it. Without {session_id} it cannot be resumed
  stdin    true: the prompt is on its standard input
  stream   what it prints: the lines of claude, codex or cursor, or text

Nothing in a repository can name what runs: only your own config.json can.
"""

CONFIG = """\
config.json in the home is yours to edit. Every key may be absent.

  default_profile        for projects without their own (spark)
  profiles               your own profiles: `agentctl help profiles`
  backends               your own backends: `agentctl help backends`
  executables            where a program is, if not on your PATH:
                         {"codex": "/opt/codex/bin/codex"}
  tmux_session           where worker panes go; absent: the tmux session you are
                         in, else one named `ai`. `.` and `:` in it become `_`
  tmux_socket            the tmux server: a name or the path of its socket
  panes_per_window       (6)
  keep_panes             which panes stay after the end: "failed" (those that
                         did not reach their goal), "always", "never"
  tmux_notify_target     a pane whose status line is told of each end
  tmux_sendkeys_target   a pane to wake besides the one that called `start`
  wake_keys              false: no key is typed into any pane
  stop_grace_s           seconds between the request to end and the kill (5)
  exit_grace_s           seconds a worker may live on after its report (15)
  verify_timeout_s       seconds for the --verify command (600)
  max_output_bytes       of a worker's output (256 MiB)

The wake: when a run ends, one constant line is typed into the pane that called
`start`, if a live Claude Code is seen there with an empty input box and no open
question. It is a hint; `agentctl wait` and the files do not depend on it.
A file that cannot be read is said, left as it is, and defaults are used. So are
keys that are no setting, or whose value has the wrong type.
"""

EXIT_CODES = """\
The exit code is the verdict; it is a contract and does not change.

    0  done; for `wait`: every run finished, its goal was met, no check failed
    1  agentctl could not do it; one line says what, a `hint:` says what helps
    2  called wrongly: an unknown option, a missing argument, no prompt
    3  `wait`: a run finished with goal_met false, or its check failed
    4  `wait`: a run failed, was stopped, timed out, was skipped or is lost
  124  `wait --timeout` ran out; the run goes on
  130  interrupted with ^C; the run goes on

Where several runs end differently, `wait` exits with the highest of 0, 3 and 4.
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
  PATH            where the workers' programs are looked for, at `start`

Set for a worker and for its verify command:

  AGENTCTL_RUN_ID  the id of their run; it also marks the run's processes
  AI_ORCH_HOME     the home of that run

A worker otherwise gets the environment of the `start` that asked for it, not
that of the tmux server; without TMUX*, what Claude Code sets for its own
children, and GIT_* other than names, mail addresses and ssh. It travels in a
private file that the runner removes as it is born: no key of yours stands in an
argument list or stays in the run folder.
"""

FILES = """\
The home is readable by you alone; `agentctl help environment` says where it is.

  config.json      settings, yours to edit: `agentctl help config`
  projects.json    registered directories
  prompts/         your own orchestrator.md, spark.md, deep.md, review.md; they
                   come before those that are shipped
  notify.log       one JSON line per ended run: at, run_id, status, goal_met,
                   verified
  journal, active/ hints that keep `list` quick; the folders below are the truth
  crash.log        tracebacks of unexpected errors
  runs/ID/         one folder per run; ID is YYYYmmdd-HHMMSS-xxxx in UTC

A run folder. `start` writes the first five, the run's own process the others:

  meta.json        what was asked: project, backend, model, limits, parents
  prompt.md        the prompt, byte for byte
  schema.json      the shape the report must have
  instructions.md  the profile's instructions, where the vendor takes them apart
  input.md         what the worker reads on its standard input
  lock             held for as long as the run lives; its content is for people
  raw.jsonl        the worker's standard output, exactly as it came
  stderr.log       the worker's standard error
  verify.log       what the --verify command printed
  events.jsonl     what it did, in the same words for every backend
  status.json      what it is doing now; may be absent, may be a second old
  diff.stat        what changed against the commit at the start, in short
  diff.patch       the same in full, new files included
  result.json      written once, last: it is there if and only if the run ended

A finished run never changes. Removing a run's folder forgets the run.
"""

PROFILES = """\
A profile is backend + model + effort + permissions + limits under a name.

  spark   quick, well-described edits
  deep    architecture, changes across many files, hard bugs
  review  a read-only second look

`start --profile NAME` takes one; without it, the project's default profile,
else `default_profile` of the home's config.json (spark if it says nothing).
`--backend`, `--model`, `--effort`, `--timeout`, `--max-turns` and `--max-cost`
change one thing for one run.

Your own stand in the home's config.json and come before those that are shipped
in config/profiles.json. Of one that exists, give only the fields that differ:

  {"profiles": {"spark": {"limits": {"timeout_s": 1800}}}}

A field that you give replaces the whole field. The fields:

  description   one line for people
  backends      in order of preference, each with its own model and effort;
                the first that is installed serves
  permissions   read-only, edit or full. `full` switches the vendor's protection
                off; no profile that comes with agentctl has it
  allow         commands a Claude worker may run unasked, in Claude's own words:
                "Bash(make:*)". With `edit` it may change files, and commands
                that write are refused unless they stand here; with `read-only`
                it has no shell at all. Other vendors ignore this list
  prompt        the instructions in prompts/ that stand before the prompt
  limits        timeout_s, idle_timeout_s, max_turns, max_cost_usd,
                max_context_tokens, max_output_bytes; absent: no limit. A vendor
                that cannot count turns or money does not keep those limits
  escalate_to   the stronger profile
  escalate      true: a run that did not reach its goal is tried once more
                with that profile, as with `start --escalate`

The words for effort are the vendor's: claude low, medium, high, xhigh, max;
codex low, medium, high, xhigh; for Cursor it is part of the model's name.
"""

TRUST = """\
What may act on your machine, and on whose word.

A worker is a program that runs with your rights. `permissions` of its profile
become the vendor's own flags; how much these hold back is the vendor's doing:
  codex    a sandbox of the operating system: writes in its directory and /tmp
           (`edit`) or nowhere (`read-only`), no network; it can read what you
           can read. .git is read-only in it: a Codex worker cannot commit
  claude   rules, not a sandbox: with `read-only` it can read and search files,
           and has no shell; with `edit`, commands that write and are not in
           `allow` are refused. An allowed interpreter (python3, node, make)
           can do whatever you can
  cursor   rules, as documented by Cursor; not measured by us. With `edit` its
           shell calls are rejected. Untrusted projects are refused: it has no
           flag that leaves a repository's own settings out
  shell    none: the command is yours

A project is not trusted until you say so: `add-project NAME PATH --trust`.
Without trust, workers do not load what the repository configures (hooks, tool
servers, settings), as far as the vendor has a flag for it: reading a repository
must not run its code. With trust they load it as if you had started them there.
Claude's flag leaves the repository's CLAUDE.md out as well: what a worker
should know of it belongs in the prompt then. Codex is told to distrust the
directory and those above it up to the repository's top, whatever its own
config.toml says of those.
The very folder that you trusted in the vendor's own dialog counts as trusted
for it.

Whatever a worker wrote is data. agentctl types none of it into a shell, passes
none of it to tmux, strips control characters before showing it, and believes
of it only what the schema allows. `goal_met` is a claim; `verified` is what
your command found.

A caller who may run `agentctl` may run any command: `--verify "CMD"` and the
shell backend are made for that. Keep it in mind before you allow
`Bash(agentctl:*)` to an orchestrator.
"""

SCHEMA = """\
A worker's report is one JSON object, checked by agentctl whoever enforced it.
Without `--schema FILE` it is config/report.schema.json:

  goal_met         true or false: the worker's own claim
  summary          what is true now that was not before
  followup_prompt  the prompt that would finish the work, or ""
  notes            assumptions, refusals, risks, or ""

With `--schema FILE` it is what your JSON Schema says: an object, 64 KB at most;
a goal_met in it must be a boolean. The result has it under `report`, and takes
over the fields with the four names above. Without a goal_met the claim stays
null, and `wait` counts the run as done unless its check failed.

Checked: type, properties, required, additionalProperties, items, enum, const,
minLength, maxLength, minimum, maximum, anyOf. Allowed, not checked: title,
description, default, examples, format, $schema, $id, $comment. Any other
keyword is refused before the run starts.
"""

STATUSES = """\
Three things are told apart: `status` is what happened to the process,
`goal_met` what the worker claims, `verified` (passed, failed, none) what the
check command found.

  queued     waiting for the runs named by --after
  running    its worker is at work
  finished   the worker ended by itself and gave a valid report
  failed     it ended without one, or could not be started; `error` says why
  stopped    ended by `stop`, by ^C in its pane, or because its pane was closed
  timed_out  over its time limit
  skipped    a run that it was to come after did not end well; no worker started
  lost       its own process vanished (power cut, kill -9) and left no result

The status comes from two facts: is there a result.json, and is the lock held?
The kernel drops the lock when its holder dies, so no run is "running" for ever.
A run that is lost, stopped or timed out can be resumed where the vendor kept
the conversation.
"""

TOPICS: dict[str, tuple[str, str]] = {
    "backends": ("what can be a worker, and how to add a program of your own", BACKENDS),
    "config": ("config.json: every setting, and the wake", CONFIG),
    "exit-codes": ("what the exit code of a command says", EXIT_CODES),
    "environment": ("variables that are read, and those a worker sees", ENVIRONMENT),
    "files": ("the home, the run folder, every file in one line", FILES),
    "profiles": ("spark, deep, review, and how to change them", PROFILES),
    "schema": ("the report, and a shape of your own for it", SCHEMA),
    "statuses": ("what became of a run: status, goal_met, verified", STATUSES),
    "trust": ("what a worker may do, and what is believed of what it says", TRUST),
}
