"""Help pages on what can be set up."""

from __future__ import annotations

BACKENDS = """\
  claude  Claude Code: `claude`
  codex   Codex CLI: `codex`
  cursor  Cursor CLI: `cursor-agent` or `agent`; for trusted projects only
  shell   any command after `--`; its exit code is the claim, the end of its
          output the summary:
          agentctl start --project p --backend shell --title tests -- make test
  goal    cycles of work and verification, set by `agentctl goal`; its worker
          is a driver of ours

Two more serve as a goal's orchestrator only. A worker of our own asks the
vendor's HTTP API, and the goal's tools are all that it can do:

  anthropic  Anthropic's Messages API: ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL
  gemini     the Gemini API: GEMINI_API_KEY or GOOGLE_API_KEY, GEMINI_BASE_URL

The key is in the environment, or in the file `.env` of the home, which nobody
else may be able to read: lines of NAME=value, `#` begins a comment. It is in no
argument list, no log and no run's folder, and goes over https:// to that host
only; http:// is for addresses of this machine. `--model` is the vendor's own id
(claude-opus-5-5 and gemini-4-argon, if none is named), `--effort` its own word.
Too many requests, overload and broken connections are waited out, eight tries
for one answer. A limit that lasts longer, or a key that is refused, ends the
run, which says so; a run that goes on in its session has the conversation as it
was, out of the lines of the runs before it.

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
  stream   what it prints: the lines of claude, codex or cursor, text, or
           events, one JSON object a line: {"kind": "message", "text": ...}.
           An event of the kind "news" goes to the orchestrator's inbox

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
  tmux_sendkeys_target   a pane to tell in place of one that called `start`
                         and that `orch` did not make
  wake                   the transports to try, in order:
                         ["pull", "hooks", "keys", "status"]; or an object of
                         such lists by orchestrator, "*" for the others
  wake_keys              false: no key is typed into any pane
  orch_allow             what an orchestrator made by `orch` may run unasked:
                         a list of Claude's permission rules
  idle_notice_s          a worker that printed nothing for so many seconds is
                         told of (900); 0: never
  stop_grace_s           seconds between the request to end and the kill (5)
  exit_grace_s           seconds a worker may live on after its report (15)
  verify_timeout_s       seconds for the --verify command (600)
  max_output_bytes       of a worker's output (256 MiB)
  max_parallel           how many runs work at a time: 8, or by backend:
                         {"*": 8, "codex": 2}; the others are queued in order.
                         Absent: no limit
  default_parallel       of those, how many of one `spawn`
  stagger_s              seconds between two starts of one vendor (1)
  port_base              AGENTCTL_PORT_BASE is this (20000) + AGENTCTL_SLOT x
  ports_per_slot         this (100)
  min_free_disk_mb       with less free than this nothing is started
  min_free_memory_mb     (512 and 256); 0: never look
  worktree_dir           where worktrees are made; absent: in the home
  branch_prefix          of their branches: PREFIX/fix-login-ab12 (agentctl)
  setup_timeout_s        seconds for a project's --setup command (600)
  hold_first_s           seconds for which an account is held that ran into a
                         limit whose end nobody names (60); doubled each time
  hold_at_most_s         a run whose account is held for longer fails (43200)
  day_limits             {"cost_usd": 20, "turns": 500, "tokens": 5000000}: what
                         the runs that begin on one day may use
  bypass_permissions     rules like "Bash(make:*)" that every profile which may
                         edit has besides its own `allow`
  rescue_ignored         false: a cleanup saves no ignored files (true)
  rescue_limit_mb        a worktree with more than this to save is kept (2048)
  keep_awake             false: the machine may go to sleep while a goal is at
                         work (true: `caffeinate` or `systemd-inhibit` holds
                         it awake, where there is one)
  notify                 whom a person is told by, away from the terminal:
                         `agentctl help notices`
  prices                 USD per million tokens by model, before those that are
                         shipped: `agentctl help figures`

How an orchestrator is told: `agentctl help orchestrators`.
A file that cannot be read is said, left as it is, and defaults are used; a key
that is no setting is said. A value of the wrong type is an error for whatever
starts or changes something; what only reads uses the default, and says so.
"""

PROFILES = """\
A profile is backend + model + effort + permissions + limits under a name.

  spark   quick, well-described edits
  deep    architecture, changes across many files, hard bugs
  review  a read-only second look
  glance  a quick, cheap look at what is there; no edits

`start --profile NAME` takes one; without it, that of the role (`--role`), else
the project's default profile, else `default_profile` of the home's config.json
(spark if it says nothing).
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
  prompt        the instructions in prompts/ that stand before the prompt; those
                of a role, where one is named, stand there instead
  limits        timeout_s, idle_timeout_s, max_turns, max_cost_usd, max_tokens,
                max_context_tokens, max_output_bytes; absent: no limit. A vendor
                that cannot count turns or money does not keep those limits
  escalate_to   the stronger profile
  escalate      true: a run that did not reach its goal is tried once more
                with that profile, as with `start --escalate`
  fallback      backends that go on, in order, where the vendor has no more to
                give: ["codex", "cursor"] (agentctl help limits)

The words for effort are the vendor's: claude low, medium, high, xhigh, max;
codex low, medium, high, xhigh; for Cursor it is part of the model's name.
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
