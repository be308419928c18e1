"""Is a vendor's CLI logged in, and who is billed? No key, token or address is ever repeated.

A key in the environment wins over a subscription, silently: people were billed hundreds of
dollars for what they had paid for. Seen with Claude Code 2.1.197 (`auth status --json`:
loggedIn, authMethod none | claude.ai | oauth_token | api_key | api_key_helper | third_party,
apiProvider, apiKeySource, subscriptionType) and codex-cli 0.169.0 (`login status`: exit code
1, or words about ChatGPT or an API key; OPENAI_API_KEY is not looked at). Cursor's `status` is
known from its documentation only.
"""

from __future__ import annotations

import os
import re

from .. import files
from .. import proc
from ..errors import AgentctlError
from .rows import Row
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

LIMIT_S = 4.0
"""For each answer. Claude Code 2.1.197 takes 0.3 s for its login state, codex-cli 0.169.0 0.01 s, on two idle cores."""
_STATUS = {"claude": ("auth", "status", "--json"), "codex": ("login", "status"), "cursor": ("status",)}
_LOGIN = {"claude": "auth login", "codex": "login", "cursor": "login"}
_PAID_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


def row(name: str, program: str, env: Mapping[str, str], used: bool) -> Row:
    """The login of one CLI. Not being logged in is bad where a default profile would take it (`used`)."""
    title = name + " login"
    command = "%s %s" % (quote(program), " ".join(_STATUS[name]))
    try:
        source, remedy = _SOURCES[name](program, env)
    except AgentctlError:
        return warn(title, "it gave no answer within %g s" % LIMIT_S, command)
    except OSError as e:
        return warn(title, "it cannot be asked: %s" % e.strerror, command)
    if not source:
        login = "%s %s" % (os.path.basename(program), _LOGIN[name])
        return (fail if used else warn)(title, remedy or "not logged in", login)
    return warn(title, source, remedy) if remedy else ok(title, source)


def answer(program: str, words: Sequence[str], env: Mapping[str, str]) -> proc.Done:
    """What a CLI answers. Raises AgentctlError where it takes too long, OSError where it cannot be started."""
    return proc.run([program, *words], env=env, timeout=LIMIT_S, limit=1 << 20)


def _claude(program: str, env: Mapping[str, str]) -> tuple[str, str]:
    status = _claude_status(program, env)
    if status is None:
        return _claude_unasked(env)
    source = claude_source(status, env)
    key = next((k for k in _PAID_KEYS if env.get(k)), "")
    if key and status.get("authMethod") in ("api_key", "oauth_token"):
        without = _claude_status(program, {k: v for k, v in env.items() if k not in _PAID_KEYS}) or {}
        if without.get("loggedIn") and without.get("authMethod") == "claude.ai":
            return "%s, although you are logged in with a subscription" % source, "unset %s" % " ".join(_PAID_KEYS)
    return source, ""


def _claude_status(program: str, env: Mapping[str, str]) -> Optional[dict[str, Any]]:
    """Its own words, or None from one that has none such."""
    try:
        raw = files.parse(answer(program, _STATUS["claude"], env).out)
    except ValueError:
        return None
    return raw if isinstance(raw, dict) and "loggedIn" in raw else None


def claude_source(status: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Who is billed, by the answer to `claude auth status --json`; "" where nobody is logged in."""
    method = status.get("authMethod")
    if not status.get("loggedIn") or method == "none":
        return ""
    token = "ANTHROPIC_AUTH_TOKEN" if env.get("ANTHROPIC_AUTH_TOKEN") else "CLAUDE_CODE_OAUTH_TOKEN"
    sources = {
        "claude.ai": "subscription (%s)" % _word(status.get("subscriptionType") or "kind unknown"),
        "oauth_token": "by %s" % token,
        "api_key": "billed per token, by %s" % _word(status.get("apiKeySource") or "an API key"),
        "api_key_helper": "billed per token, by apiKeyHelper of the settings",
        "third_party": "billed by %s" % _word(status.get("apiProvider") or "a third party"),
    }
    source = sources.get(str(method), "logged in")
    return source + (", at ANTHROPIC_BASE_URL" if env.get("ANTHROPIC_BASE_URL") else "")


def _word(value: object) -> str:
    """A name out of somebody's answer, never something as long as a key."""
    return re.sub(r"[^A-Za-z0-9_. /-]", "", str(value))[:30]


def _claude_unasked(env: Mapping[str, str]) -> tuple[str, str]:
    """An older one, that cannot be asked: by what it would find."""
    for name in ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", *_PAID_KEYS, "CLAUDE_CODE_OAUTH_TOKEN"):
        if env.get(name):
            return "by %s" % name, ""
    folder = env.get("CLAUDE_CONFIG_DIR") or os.path.join(env.get("HOME", ""), ".claude")
    if os.path.exists(os.path.join(folder, ".credentials.json")):
        return "by the credentials in %s" % folder, ""
    return "", ""


def _codex(program: str, env: Mapping[str, str]) -> tuple[str, str]:
    provider = codex_provider(env)
    if provider:
        return "by model provider `%s` of config.toml" % provider, ""
    done = answer(program, _STATUS["codex"], env)
    said = (done.out + done.err).decode("utf-8", "replace")
    stored = "subscription (ChatGPT)" if "ChatGPT" in said else "billed per token, by a stored API key"
    stored = "" if done.code else stored
    if env.get("CODEX_API_KEY"):
        key = "billed per token, by CODEX_API_KEY"
        if "ChatGPT" in stored:
            return "%s, although you are logged in with a subscription" % key, "unset CODEX_API_KEY"
        return key, ""
    if not stored and env.get("OPENAI_API_KEY"):
        return "", "not logged in; it does not look at OPENAI_API_KEY"
    return stored, ""


def codex_provider(env: Mapping[str, str]) -> str:
    """The model provider that config.toml chooses instead of OpenAI's, or "". Read line by line: see trust.py."""
    folder = env.get("CODEX_HOME") or os.path.join(env.get("HOME", ""), ".codex")
    try:
        lines = files.read(os.path.join(folder, "config.toml"), 1 << 20).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        if line.lstrip().startswith("["):
            return ""
        found = re.match(r"""\s*model_provider\s*=\s*["']([\w.-]{1,30})["']""", line)
        if found:
            return "" if found.group(1) == "openai" else found.group(1)
    return ""


def _cursor(program: str, env: Mapping[str, str]) -> tuple[str, str]:
    if env.get("CURSOR_API_KEY"):
        return "by CURSOR_API_KEY", ""
    done = answer(program, _STATUS["cursor"], env)
    said = (done.out + done.err).decode("utf-8", "replace")
    out = done.code or re.search(r"not (logged|signed) in|unauthenticated|not authenticated", said, re.I)
    return ("", "") if out else ("logged in", "")


_SOURCES = {"claude": _claude, "codex": _codex, "cursor": _cursor}
