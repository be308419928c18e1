"""Help pages on many runs at once, and on what becomes of their work."""

from __future__ import annotations

ISOLATION = """\
`start --worktree` gives a run a checkout of its own, so that runs of one
repository do not tread on each other: a git worktree in the home's worktrees/
(`worktree_dir` says elsewhere) on a new branch, agentctl/fix-login-ab12, from
`--base REF` or else from the commit your checkout is on. What is uncommitted
in your checkout is not in it. `add-project --worktree`, or "worktree": true in
a profile, makes that the rule; `--no-worktree` is the exception.

  .worktreeinclude   in the top of your checkout, patterns as in .gitignore:
                     untracked files that match (.env) are copied into it
  submodules         are filled from those of your checkout
  add-project --setup CMD
                     is run in each new worktree first; where it fails, the run
                     has failed before any token is spent (setup.log)
  AGENTCTL_SLOT      a number no other run at work has: 0, 1, 2 ...
  AGENTCTL_PORT_BASE 100 ports for this run alone: 20000, 20100, 20200 ...

A run that resumes another goes on in its worktree. Filters, merge drivers and
hooks of the repository's own configuration do not run when agentctl makes,
saves or merges a worktree: a worker could have written them. Yours do.

The way back:

  agentctl worktrees             what there is: ahead, behind, dirty, merged
  agentctl collect               what ended runs made, which of them meet in the
                                 same files, and what would conflict; what a run
                                 left uncommitted is committed to its branch
  agentctl merge A B --verify "make test"
                                 merges both in a worktree of its own, runs the
                                 check there, and only then moves your branch.
                                 Where the check fails it finds the culprit,
                                 leaves it out, and lands the others
  agentctl cleanup --merged      removes worktrees and branches, after saving
                                 all that is in no other branch
  agentctl undo ID               brings it all back, byte for byte

Exit codes of merge: 0 all landed; 3 something was left out, and is named, or
a checkout did not follow; 1 nothing could be done, or the target itself fails
the check. A checkout of yours follows only if it is clean and nothing stands
in the way: nothing is written over, ignored files neither. Meanwhile its index
is locked, so that no commit comes between. A merge that was killed may leave it
so: the next `merge` or `collect` finishes what was begun, and unlocks it.

`merge --pr` pushes the branches by https, ssh or git, with your own settings
and none of the repository's, and only to where the remote led before the run's
worker came. Where it leads elsewhere by now nothing is pushed, and you get the
command for where it led. In a folder of this machine neither the hooks nor the
programs of the repository there are run: it may be one that a worker can write
to. What an earlier worker wrote before the run began is not seen: merge says
where it pushes.

A cleanup saves the whole worktree (uncommitted, untracked and ignored files,
the index, commits that only its reflog knew, submodules) as a commit under
refs/agentctl/rescue/ID of the repository: `git show refs/agentctl/rescue/ID:F`
prints a file of it. Names, bytes, modes and links come back; times and owners
do not. `agentctl rescue list` shows them, `rescue drop` ends one
for good. What cannot be saved is not removed, and the reason is said. A plain
push does not publish these refs; `git push --mirror` would, with what is in
them: ignored files too, unless "rescue_ignored" is false.
"""

QUEUES = """\
`agentctl spawn "one" "two" "three"` starts a run for each prompt, and prints
their ids. `max_parallel` in config.json says how many runs work at a time:

  {"max_parallel": 8}                      in this home
  {"max_parallel": {"*": 8, "codex": 2}}   and two of them with Codex

The others are queued, in the order in which they were started, and begin the
moment a slot is free: nothing schedules them, each waits for the one before
it. A queue survives whatever is killed. `spawn --parallel N`, or
`default_parallel`, holds back the runs of one spawn. A run that a worker
started or waits for takes no slot: the worker has one. A worker that would wait
for itself is told so.

  agentctl pause ID      stops the worker and all its processes where they
                         stand; its slot is free for another; no time limit runs
  agentctl continue ID   takes a slot again, and goes on. After a reboot it goes
                         on with the worker's conversation, as a new run
  agentctl status        who works, is queued, is paused; who needs you
  agentctl status --watch
                         the same, as it changes

Two starts of one vendor are a second apart (`stagger_s`): at the same moment
they spoil each other's login and settings. With too little disk or memory
(`min_free_disk_mb`, `min_free_memory_mb`) `start` refuses.

`start --touches "src/api/**"` says what a run is going to change; a second one
that would touch the same is started with a warning.
"""
