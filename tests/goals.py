"""A goal in a test: a stand-in for Claude Code that directs, works and verifies as a script says.

The script is play.json beside it:

    cycles     what its director does in each cycle, the last list for all that follow: ["ask", to, prompt],
               ["ask_many", [to, prompt], …], ["start", to, prompt], ["wait_any"], ["done", words], ["give_up", words],
               ["sleep", seconds], ["end"]
    verdicts   by verifier, a shell command run where it is: 0 accepts, its output are the reasons
    cost       what each run costs

A director keeps, as the real one does, what was answered under its session: a resumed one goes
on there, a new one begins anew. What a worker does is the shell line behind "do:" in its prompt.
Each call is a line of calls.jsonl when it begins, and another when it ends.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from conftest import World
from conftest import git

CLAUDE = r"""#!/usr/bin/env python3
import json, os, subprocess, sys, time
HERE = os.path.dirname(os.path.realpath(__file__))
WORDS = sys.argv[1:]
if "--version" in WORDS:
    print("2.1.197 (Claude Code)")
    sys.exit()
PLAY = json.load(open(HERE + "/play.json"))
RUN = os.environ["AGENTCTL_RUN_ID"]
SPEC = json.load(open("%s/runs/%s/meta.json" % (os.environ["AI_ORCH_HOME"], RUN)))
CYCLE, _, PART = SPEC["step"].partition("/")
NUMBER = int(CYCLE.rpartition("-")[2])
SESSION = WORDS[WORDS.index("--resume" if "--resume" in WORDS else "--session-id") + 1]
PROMPT = sys.stdin.read()


def say(line):
    print(json.dumps(line), flush=True)


def log(what):
    with open(HERE + "/calls.jsonl", "a") as calls:
        said = {"what": what, "run": RUN, "step": SPEC["step"], "session": SESSION}
        calls.write(json.dumps({**said, "prompt": PROMPT, "cwd": os.getcwd()}) + "\n")


def end(report):
    log("end")
    used = {"input_tokens": 100, "output_tokens": 10}
    say({"type": "result", "subtype": "success", "is_error": False, "session_id": SESSION, "num_turns": 1,
         "structured_output": report, "result": "done", "total_cost_usd": PLAY.get("cost", 0.5), "usage": used})
    sys.exit()


class Server:
    def __init__(self):
        entry = json.loads(WORDS[WORDS.index("--mcp-config") + 1])["mcpServers"]["agentctl"]
        argv, pipe = [entry["command"], *entry["args"]], subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe)
        self.count = 0
        about = {"name": "stand-in", "version": "0"}
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about})
        self.send({"method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self.count:
                return answer.get("result") or {"isError": True, "content": [{"text": json.dumps(answer["error"])}]}

    def call(self, name, **given):
        answer = self.ask("tools/call", {"name": name, "arguments": given})
        with open(HERE + "/answers.jsonl", "a") as answers:
            said = {"run": RUN, "tool": name, "error": bool(answer.get("isError"))}
            answers.write(json.dumps({**said, "text": answer["content"][0]["text"]}) + "\n")
        return answer["content"][0]["text"]

    def ask_until_answered(self, asks):
        # As somebody who is told that a worker was lost would do: that one alone is asked again.
        for _ in range(5):
            if len(asks) == 1:
                told = [json.loads(self.call("ask", to=asks[0][0], prompt=asks[0][1]))]
            else:
                told = json.loads(self.call("ask_many", asks=[{"to": to, "prompt": prompt} for to, prompt in asks]))
            asks = [ask for ask, one in zip(asks, told) if one.get("status") in ("lost", "stopped", "at work")]
            if not asks:
                return


def direct():
    acts = PLAY["cycles"][min(NUMBER, len(PLAY["cycles"])) - 1]
    memory = HERE + "/session-" + SESSION
    done = int(open(memory).read()) if os.path.exists(memory) else 0
    server = Server()
    for n, act in enumerate(acts):
        if n < done:
            continue
        verb, *rest = act
        if verb == "start":
            server.call("ask", to=rest[0], prompt=rest[1], wait=False)
        elif verb in ("ask", "ask_many"):
            server.ask_until_answered([rest] if verb == "ask" else rest)
        elif verb == "wait_any":
            server.call("wait_any")
        elif verb == "done":
            server.call("done", summary=rest[0])
        elif verb == "give_up":
            server.call("give_up", reason=rest[0])
        elif verb == "sleep":
            time.sleep(rest[0])
        with open(memory + ".new", "w") as f:
            f.write(str(n + 1))
        os.replace(memory + ".new", memory)
        say({"type": "assistant", "message": {"id": "m%d" % n, "content": [{"type": "text", "text": "did %s" % verb}]}})
    end({"goal_met": True, "summary": "directed", "followup_prompt": "", "notes": ""})


def verify():
    command = PLAY.get("verdicts", {}).get(PART.partition("-")[2], "true")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    reasons = done.stdout.splitlines() or ["%s exits with %d" % (command, done.returncode)]
    end({"accept": done.returncode == 0, "reasons": reasons, "evidence": ["ran " + command]})


def work():
    for line in PROMPT.splitlines():
        if line.startswith("do:"):
            subprocess.run(["sh", "-c", line[3:]], stdout=subprocess.DEVNULL)
    end({"goal_met": True, "summary": "did what was asked", "followup_prompt": "", "notes": ""})


log("begin")
say({"type": "system", "subtype": "init", "session_id": SESSION, "model": "m", "apiKeySource": "none"})
direct() if PART == "orchestrator" else verify() if PART.startswith("verifies-") else work()
"""
TEAM = {
    "format": 1,
    "members": {
        "worker": {"role": "worker_smart", "backends": ["claude"], "description": "works"},
        "other": {"role": "worker_fast", "backends": ["claude"], "description": "works too"},
        "architect": {"role": "architect", "backends": ["claude"], "description": "looks", "verifies": True},
        "tester": {"role": "tester", "backends": ["claude"], "description": "tries", "verifies": True},
    },
}


class Stage:
    """A repository with a check that wants `want` to hold `yes`, a team, and whoever plays in it."""

    def __init__(self, world: World, **play: Any) -> None:
        self.world = world
        self.folder = world.root / "stage"
        self.folder.mkdir()
        program = self.folder / "claude"
        program.write_text(CLAUDE)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        world.config(executables={"claude": str(program)}, stagger_s=0, stop_grace_s=1.0)
        self.play(**play)
        (world.root / "team.json").write_text(json.dumps(TEAM))
        self.repo = world.project
        git(self.repo, "init", "-q", "-b", "main")
        (self.repo / "tests").mkdir()
        (self.repo / "tests" / "test_want.sh").write_text('test "$(cat want)" = yes\n')
        (self.repo / "check.sh").write_text("for t in tests/test_*.sh; do sh $t || exit 1; done\n")
        (self.repo / "want").write_text("no\n")
        git(self.repo, "add", "-A")
        git(self.repo, "commit", "-q", "-m", "first")
        self.text = world.root / "GOAL.md"
        self.text.write_text("Have want hold yes.\n")

    def play(self, **play: Any) -> None:
        """Another script from now on."""
        (self.folder / "play.json").write_text(json.dumps(play))

    def words(self, *options: str) -> list[str]:
        """`goal` with all that it needs."""
        team = ["--team", str(self.world.root / "team.json")]
        return ["goal", str(self.text), "--project", "p", *team, "--orchestrator", "claude", "--yes", *options]

    def set(self, *options: str) -> str:
        """Set the goal; its run's id."""
        return self.world.ok(*self.words(*options))

    def reached(self, *options: str) -> dict[str, Any]:
        """Set the goal and wait for its end; all that `goal show` tells, and the result."""
        return self.known(self.set(*options))

    def known(self, run: str) -> dict[str, Any]:
        result = self.world.result(run, "120")
        shown: dict[str, Any] = json.loads(self.world.ok("goal", "show", run, "--json"))
        return {**shown, "result": result}

    def lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def calls(self, part: str = "", what: str = "begin") -> list[dict[str, Any]]:
        """The calls of the stand-in, as it logged them, of one part."""
        found = [line for line in self.lines("calls.jsonl") if line["what"] == what]
        return [line for line in found if part in line["step"]]

    def answers(self, tool: str = "") -> list[dict[str, Any]]:
        """What the tools answered."""
        return [line for line in self.lines("answers.jsonl") if tool in line["tool"]]


def script(path: Path, words: str) -> str:
    """A shell script; the line that runs it."""
    path.write_text(words)
    return "sh %s" % path
