"""From what the caller asked to a Spec: which backend, which limits, which words.

Pure but for looking programs up on the caller's PATH, reading the vendors' trust
records and the prompt and schema files that the request names.
"""

from __future__ import annotations

import os
import re

from . import backends
from . import config as configuration
from . import files
from . import paths
from . import serving
from . import text
from . import trust
from .errors import AgentctlError
from .errors import usage_error
from .model import READ_ONLY
from .model import Limits
from .model import Spec
from .model import narrower
from .record import Record
from .request import Request
from .settings import Profile
from .settings import Project
from .settings import Role
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from .backends import Adapter
    from .config import Config
    from .store import Home


_AS_ASKED = (
    *("agent", "parent", "after", "verify", "escalated_from", "session_id", "usage_before", "pane"),
    *("touches", "batch", "batch_parallel", "workflow", "step", "continue_on", "fresh", "conversation_limit"),
    *("goal", "mcp", "fallen_from"),
)
"""What a spec says in the words of its request."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Plan(Record):
    """A spec, the files that go with it into the run's folder, and the profile's environment."""

    spec: Spec = Spec()
    texts: dict[str, bytes] = {}
    env: dict[str, str] = {}


def plan(home: Home, config: Config, request: Request, project: Project, env: Mapping[str, str], now: float) -> Plan:
    """The spec of a new run. Raises AgentctlError for whatever cannot be served."""
    role = _role(home, request)
    name = request.profile or _profile_of(config, role) or project.default_profile or config.default_profile
    profile = _profile(config, request, name)
    profile = profile.replace(permissions=narrower(profile.permissions, role.permissions))
    choice, executable, custom = serving.backend(config, request, profile, env)
    spec = Spec(
        **{name: getattr(request, name) for name in _AS_ASKED},
        title=request.title or _title(request),
        project=project.name,
        cwd=request.cwd or project.path,
        top=paths.repository_top(request.cwd or project.path),
        backend=choice.backend,
        argv=serving.argv(choice.backend, request.argv),
        asked_backend=request.backend,
        asked_limits=request.limits,
        executable=executable,
        profile=profile.name,
        role=role.name,
        model=request.model or choice.model,
        effort=request.effort or choice.effort,
        permissions=profile.permissions,
        allow=_allowed(config, profile),
        custom=custom,
        trusted=project.trust or trust.by_vendor(choice.backend, project.path, env),
        verify_timeout_s=config.verify_timeout_s,
        limits=_limits(config, profile, request),
        escalate_to=_stronger(profile, request),
        fallback=_fallback(config, profile, request, choice.backend),
        resume=bool(request.session_id),
        default_schema=not request.schema,
        composed=request.parts is not None,
        created_at=now,
    )
    spec = _housed(home, config, request, profile, project, _delegating(spec, profile, env) if spec.mcp else spec)
    return _with_texts(home, spec, request, profile, role)


def _delegating(spec: Spec, profile: Profile, env: Mapping[str, str]) -> Spec:
    """With what Codex must be told by name: what its one MCP server needs of the environment, and all other servers."""
    if spec.backend != "codex":
        return spec
    from . import environ
    from . import toolservers

    known = {*environ.for_worker(env, "", "", ()), *(profile.env or {})}
    names = sorted(name for name in known if _VARIABLE.match(name))
    return spec.replace(mcp_env=tuple(names), mcp_closed=toolservers.of_codex({**env, **_texts(profile.env)}))


def _texts(values: Optional[dict[str, Any]]) -> dict[str, str]:
    return {name: str(value) for name, value in (values or {}).items()}


def _role(home: Home, request: Request) -> Role:
    """Nobody in particular, where none is asked for."""
    if request.role and request.argv:
        raise usage_error("a command has no role", "leave out --role, or give a prompt instead of a command")
    if not request.role:
        return Role()
    from . import roles  # which most runs do without

    return roles.named(home, request.role)


def _profile_of(config: Config, role: Role) -> str:
    """The profile that a role names. Raises AgentctlError that names the role's file where there is no such profile."""
    try:
        return role.profile and configuration.profile(config, role.profile).name
    except AgentctlError as e:
        raise AgentctlError("role `%s` (%s): %s" % (role.name, role.path, e), e.hint) from None


def _profile(config: Config, request: Request, name: str) -> Profile:
    """A command needs none; everything else has one."""
    if request.argv and not request.profile:
        return Profile()
    return configuration.profile(config, name)


def _housed(home: Home, config: Config, request: Request, profile: Profile, project: Project, spec: Spec) -> Spec:
    """With the worktree that it goes on in, or the plan of one of its own, where that is wished."""
    if request.within.run:
        return spec.replace(worktree=request.within, top=request.within.path)
    wishes = (request.worktree, profile.worktree, project.worktree)
    if not next(wish for wish in wishes if wish is not None):
        if request.base:
            raise usage_error("--base is where a worktree begins: none is asked for", "add --worktree")
        return spec
    from .trees import surveying  # which most runs do not need

    where = os.path.join(home.path, os.path.expanduser(config.worktree_dir)) if config.worktree_dir else home.worktrees
    base = _branch_of_run(home, request.base)
    planned = surveying.survey(spec.cwd, base, config.branch_prefix, spec.title, os.path.normpath(where))
    return spec.replace(worktree=planned, setup=project.setup)


def _branch_of_run(home: Home, base: str) -> str:
    """A base that is a run's id means its branch."""
    if not ID.match(base):
        return base
    from . import custody

    kept = custody.load(home, Run(home, base).spec().worktree.run or base)
    if kept is None:
        raise usage_error("run %s has no branch to begin from" % base, "name a branch, a tag or a commit")
    return "refs/heads/" + kept.worktree.branch


def _allowed(config: Config, profile: Profile) -> tuple[str, ...]:
    """The profile's rules, and those of the home for every profile that may edit."""
    more = (config.bypass_permissions or ()) if profile.permissions != READ_ONLY else ()
    return tuple(dict.fromkeys((*profile.allow, *more)))


def _title(request: Request) -> str:
    first = request.prompt.strip().partition("\n")[0] if request.prompt.strip() else " ".join(request.argv)
    return text.one_line(first, 60) or "untitled"


def _limits(config: Config, profile: Profile, request: Request) -> Limits:
    """The request's, else the profile's, else the configuration's."""
    chosen = {n: v for n, v in request.limits.to_json().items() if v is not None}
    limits = profile.limits.replace(**chosen)
    if limits.max_output_bytes is None:
        limits = limits.replace(max_output_bytes=config.max_output_bytes)
    return limits


def _stronger(profile: Profile, request: Request) -> str:
    wished = profile.escalate if request.escalate is None else request.escalate
    if not wished:
        return ""
    if not profile.escalate_to and request.escalate:
        raise usage_error(
            "profile `%s` names no stronger one to escalate to" % profile.name,
            'set "escalate_to" for it in config.json',
        )
    return "" if profile.escalate_to in (*request.escalated_from, profile.name) else profile.escalate_to


def _fallback(config: Config, profile: Profile, request: Request, backend: str) -> tuple[str, ...]:
    """Who goes on where this vendor has no more to give: each at most once in a chain. Raises AgentctlError."""
    if request.argv:
        if request.fallback:
            raise usage_error("a command has no fallback", "leave out --fallback, or give a prompt")
        return ()
    wished = dict.fromkeys(request.fallback or profile.fallback)
    for name in wished:
        configuration.backend(config, name)  # a name that is none is said now, and not at night
        if name == "shell":
            raise usage_error("the shell backend cannot go on for another", "name one that has a model")
    return tuple(name for name in wished if name not in (*request.fallen_from, backend))


def _with_texts(home: Home, spec: Spec, request: Request, profile: Profile, role: Role) -> Plan:
    adapter = backends.adapter_of(spec)
    told = (role.text or _instructions(home, profile.prompt), request.instructions)
    instructions = "\n\n".join(words.strip() for words in told if words.strip())
    if adapter.PRESET_SESSION and not spec.resume:
        spec = spec.replace(session_id=new_session())
    spec = spec.replace(instructions=bool(instructions) and adapter.INSTRUCTIONS_FLAG)
    refused = adapter.refuse(spec)
    if refused:
        raise _refused(spec, refused, not adapter.refuse(spec.replace(trusted=True)))
    texts = {"prompt.md": request.prompt.encode("utf-8", "surrogateescape"), "schema.json": _schema(request.schema)}
    if request.parts is not None:
        texts["parts.json"] = files.dump(request.parts)
    if spec.asks_model:
        texts.update(_for_model(spec, adapter, texts["schema.json"], instructions, request.prompt))
    return Plan(spec=spec, texts=texts, env=_texts(profile.env))


def added_instructions(home: Home, config: Config, spec: Spec, whole: str) -> str:
    """What of a run's whole instructions was added to those of its role or profile. Raises AgentctlError."""
    role = _role(home, Request(role=spec.role))
    own = role.text or (_instructions(home, configuration.profile(config, spec.profile).prompt) if spec.profile else "")
    return whole[len(own.strip()) :].strip() if whole.startswith(own.strip()) else ""


def _for_model(spec: Spec, adapter: Adapter, schema: bytes, instructions: str, prompt: str) -> dict[str, bytes]:
    """What a model is told besides the prompt: by the vendor's flags where it has them, else on stdin."""
    from . import prompting
    from . import schema as schemas

    texts = {}
    if adapter.STRICT_SCHEMA:
        texts["vendor-schema.json"] = files.dump(schemas.strict(files.parse(schema)))
    if instructions:
        texts["instructions.md"] = instructions.encode("utf-8")
    words = prompting.compose_input(
        prompt, "" if adapter.INSTRUCTIONS_FLAG else instructions, "" if adapter.SCHEMA_FLAG else schema.decode("utf-8")
    )
    return {**texts, "input.md": words.encode("utf-8", "surrogateescape")}


def _refused(spec: Spec, reason: str, trust_would_do: bool) -> AgentctlError:
    if trust_would_do and spec.project:
        return AgentctlError(reason, "if you trust it: `agentctl add-project %s %s --trust`" % (spec.project, spec.cwd))
    return usage_error(reason, "see `agentctl help start`")


def new_session() -> str:
    """An id for a session that is to begin: a random UUID (version 4), as the vendors want a session id to be."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    h = bytes(raw).hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def _schema(path: str) -> bytes:
    if not path:
        return files.read(paths.asset("config", "report.schema.json"))
    from . import schema as schemas

    try:
        parsed = files.parse(files.read(path, 1 << 20))
        wrong = schemas.check_schema(parsed)
    except OSError as e:
        raise usage_error("cannot read the schema %s: %s" % (path, e.strerror), "give a JSON Schema file") from None
    except ValueError as e:
        raise usage_error("the schema %s is not JSON: %s" % (path, e), "give a JSON Schema file") from None
    if wrong:
        raise usage_error("the schema %s will not do: %s" % (path, wrong[0]), "see `agentctl help schema`")
    return files.dump(parsed)


def _instructions(home: Home, name: str) -> str:
    """The user's own prompt of that name wins over the shipped one."""
    if not name:
        return ""
    own = os.path.join(home.prompts, os.path.basename(name))
    path = own if os.path.isfile(own) else paths.asset("prompts", os.path.basename(name))
    return files.read(path, 1 << 20).decode("utf-8", "replace")
