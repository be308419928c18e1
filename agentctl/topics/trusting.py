"""Help pages on who may do what, and who is told."""

from __future__ import annotations

NOTICES = """\
A notice is a word to you while you are away from the terminal. `notify` in the
home's config.json says by which ways it goes; without it nothing is sent:

  {"notify": {
      "desktop": true,
      "ntfy": {"url": "https://ntfy.sh/my-topic", "token": "tk_..."},
      "webhook": "https://example.org/hook?key=...",
      "command": ["/home/me/bin/told", "--quietly"],
      "on": ["needs", "failed", "done"]}}

  desktop   shown by notify-send, on macOS by osascript
  ntfy      a POST with the message as its body, as ntfy.sh takes it
  webhook   a POST of the notice as JSON
  command   a program of yours, never a shell: the JSON is on its standard input
  on        which of the three kinds; absent: all
  plain_http
            hosts that may be spoken to by http://, which else is for this
            machine alone. No redirect is followed

  needs     a run needs you: it was refused a permission, gets no answer, ran
            into a limit, has nearly spent its budget, is silent for long; or a
            goal was not accepted
  failed    a run failed, timed out, is lost, or did not reach its goal; not one
            that was escalated, nor one that works for a goal
  done      the last live run of the home has ended; a goal is accepted

The JSON has kind, event, run_id, title, project, status, goal_met, verified,
text, home and at: one line of each at most, never a prompt or a report.

Each event is told once by each way, whoever is killed. It is sent by a process
of its own after the end is published, so no run and no `wait` waits for it; ten
seconds are the most that a try takes, and none is repeated. A sender that
was killed while it sent may have lost that one: it is not sent twice.
`agentctl doctor` says what became of the last one, `doctor --notify` tries it.
"""

ORCHESTRATORS = """\
An orchestrator is whoever calls `agentctl` from a tmux pane: a Claude Code
that `orch` started, or you yourself, a Codex, a shell of yours. Each has an
inbox. What happens to a run that it started is an event in it:

  ended    the run has ended, however
  denied   its worker was refused a permission
  blocked  its vendor gives no answer, and it tries again and again
  limit    it ran into a limit of its vendor
  budget   it has used four fifths of its turns or its money
  idle     it has printed nothing for long (`idle_notice_s`)
  news     a backend of your own has something to say

An event is on disk before anybody is told of it, and stays until it is
acknowledged, once: by `inbox --all` or `inbox --ack`, or by the `wait` or
`show` of that orchestrator which showed it. So nothing is missed, whatever
dies: what follows are hints that there is something to look at. The first of
these that can tell does, in the order of `wake` in config.json:

  pull     a `wait` or `inbox --wait` that the orchestrator runs in the
           background ends, and its Claude is told by Claude Code itself
  hooks    `orch` gives Claude Code hooks of ours (by --settings, nothing of
           yours is changed): one waits, and wakes an idle Claude without a key
  keys     one constant line is typed into the pane: only where a live Claude
           Code is in the foreground, idle by its own account, its input box on
           the screen, nobody typing. A draft is put aside and comes back. Never
           into a shell, another program, a question. Codex gets it by
           `codex queue`, without keys
  status   the tmux status line, for you

`agentctl wake --test` tries each and says what arrived. `agentctl doctor` says
who is alive and what has not been told.

`orch` in the same directory shows the orchestrator that is there. After a crash
or a reboot, `orch --resume` goes on with its conversation; a new orchestrator
takes over what those that are gone have not acknowledged. One without a pane
(Codex outside tmux) keeps its inbox: nobody knows that it is gone.

`agentctl plugin DIR` makes a plugin that gives the same hooks to a Claude Code
which you start yourself, in tmux or elsewhere, once it has started a run; and a
skill and slash commands. In `~/.claude/skills/agentctl` it is loaded as it is.

tmux_sendkeys_target in config.json names a pane that is told of the runs which
no orchestrator of `orch` started; tmux_notify_target one whose status line is.

Codex as an orchestrator: its sandbox ends whatever a command starts. Put
  prefix_rule(pattern=["agentctl"], decision="allow")
into ~/.codex/rules/default.rules (with the path of agentctl as Codex calls it),
and have it call agentctl alone on its line, with --prompt-file. Without its
daemon (`codex --no-daemon`) it looks into its queue every ten seconds.
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

A caller who may run `agentctl start` may run any command: `--verify "CMD"`
and the shell backend are made for that. An orchestrator made by `orch` may,
unasked; `orch_allow` in config.json is the list, and [] makes it ask for each.
"""
