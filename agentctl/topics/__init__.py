"""What `agentctl help TOPIC` says: the pages that belong to no single command.

Plain text in plain strings, so that help costs no parsing and a test can hold
it against the code. A page states what is so; README.md has the reasons.
"""

from __future__ import annotations

from .aiming import GOALS
from .keeping import ISOLATION
from .keeping import QUEUES
from .limits import LIMITS
from .reading import ENVIRONMENT
from .reading import EXIT_CODES
from .reading import HOME
from .reading import STATUSES
from .serving import WEB_API
from .setting import BACKENDS
from .setting import CONFIG
from .setting import PROFILES
from .setting import SCHEMA
from .teams import AGENTS
from .teams import ALIASES
from .teams import FIGURES
from .teams import WORKFLOWS
from .trusting import NOTICES
from .trusting import ORCHESTRATORS
from .trusting import TRUST

TOPICS: dict[str, tuple[str, str]] = {
    "agents": ("named workers that keep their conversation", AGENTS),
    "aliases": ("other names that some commands have", ALIASES),
    "backends": ("what can be a worker, and how to add a program of your own", BACKENDS),
    "config": ("config.json: every setting", CONFIG),
    "exit-codes": ("what the exit code of a command says", EXIT_CODES),
    "environment": ("variables that are read, and those a worker sees", ENVIRONMENT),
    "figures": ("what runs used, did and cost, and how far to believe it", FIGURES),
    "goals": ("work towards a goal, verified before it is accepted", GOALS),
    "home": ("the home, the run folder, every file in one line", HOME),
    "isolation": ("a worktree for each run, and the way back", ISOLATION),
    "limits": ("what a run may use, and what happens at a vendor's limit", LIMITS),
    "notices": ("a word to your desktop or phone: when, and by which way", NOTICES),
    "orchestrators": ("who is told what, how, and where it is kept until then", ORCHESTRATORS),
    "profiles": ("spark, deep, review, glance, and how to change them", PROFILES),
    "queues": ("many runs at once: limits, order, pause, overlap", QUEUES),
    "schema": ("the report, and a shape of your own for it", SCHEMA),
    "statuses": ("what became of a run: status, goal_met, verified", STATUSES),
    "trust": ("what a worker may do, and what is believed of what it says", TRUST),
    "web-api": ("what `agentctl web` answers, and to whom", WEB_API),
    "workflows": ("steps that follow each other, and how to write one", WORKFLOWS),
}
