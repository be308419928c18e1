"""The help page on the web page's API."""

from __future__ import annotations

WEB_API = """\
`agentctl web` serves one home to one person: a page, and this API. It listens
on 127.0.0.1 and prints an address with a token behind `#`, which no browser
sends and no server logs. Each request carries it in its head:

  curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8888/api/status

The token is in web.token of the home; remove the file and start the server
again to have another. Answers are JSON in ASCII; what is unknown is null; what
cannot be done is {"error": ..., "hint": ...} with a status of HTTP: 400 called
wrongly, 401 token, 403 another page's request, 404 no such thing, 409 cannot
be done, 421 a Host that is not ours, 503 too many at a time.

  GET /api/status             live runs, the newest ended ones, counts, slots
  GET /api/runs               newest first; ?limit=N (100, at most 500)
                              &project= &status=failed,lost &before=ID (the
                              answer's `before` gives the next piece)
  GET /api/runs/ID            all that `agentctl show` says, and what was asked
  GET /api/runs/ID/events     ?from=BYTE; negative: from so many bytes before
                              the end. `next` of the answer goes on
  GET /api/runs/ID/diff       ?from=BYTE, as above; a patch in pieces
  GET /api/stats              sums: all, by_day, by_agent, by_role, by_model,
                              by_project; ?days=N &project=
  GET /api/sessions           conversations that can be gone on with, ours and
                              those begun by hand; ?hours=N &project= &limit=
  GET /api/worktrees          as `agentctl worktrees --json`
  GET /api/goals, /api/goals/ID
                              as `agentctl goal list` and `goal show` tell it
  GET /api/choices            projects, profiles and roles to start runs with
  POST /api/spawn             {"project": ..., "prompts": [...]} or "prompt";
                              and profile, role, backend, model, effort, title,
                              verify, worktree, base, after, touches, timeout,
                              max_turns, max_cost, parallel, escalate
  POST /api/agents/ID/pause, /api/agents/ID/resume, /api/agents/ID/stop
                              ID: a run, a workflow, or an agent's name
  POST /api/runs/ID/continue  {"prompt": ...}: a new run goes on from an ended
                              one; {}: a paused one goes on
  POST /api/sessions/ID/resume
                              {"prompt": ...}: a run goes on with any of them
  POST /api/cleanup           {"all": true}, or merged, older_than, ids,
                              project. Only says what it would do, unless
                              "dry_run" is false

A row of `runs` has `needs`, which is "" or why a person should look: denied,
limit, blocked, rejected, failed, lost, timed_out, not_met, check_failed,
budget, idle; and `why`, which says it in words. `agentctl status` says the
same.

Live, as Server-Sent Events: GET /api/live, by a client that can send the token
(in a page that is `fetch`, not EventSource). First `status` as above, then
`runs` {"version", "runs", "gone"} with what changed; with ?run=ID&from=BYTE
also `events` of that run. Or by WebSocket: /ws/status, with the subprotocols
`agentctl` and `token.TOKEN`, or a first message {"token": ...}; the messages
are the same, and `type` says which.

A body has at most 1 MB and a Content-Length, a connection serves one request,
and whoever is slow for five seconds is cut. 32 may watch at a time; a socket
that says its token only then is closed with 1013 where they are that many.

Who has the token can run commands as you: a run of the shell backend is one.
On another machine use a tunnel: ssh -L 8888:127.0.0.1:8888 HOST. `--expose
ADDRESS` listens on that address of this machine too, without encryption;
`--name HOST` is a name by which a browser then reaches it.
"""
