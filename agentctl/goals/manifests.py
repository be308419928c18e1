"""The manifests of build tools: as they were, with what the work needs besides. Pure.

A manifest names what the work depends on, and can also switch its tests off. So the check
has it as it was, and of what the work added only what is plainly a dependency (or a source
file) that was not there: not another version of one, nor one from another place, for that
may be the test runner. A lock goes with its manifest.
"""

from __future__ import annotations

import json
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Any

    Merge = Callable[[str, str], str]

_TOOLS = (
    (
        r"npm|npx|pnpm|yarn|node|bun",
        r"package\.json",
        r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml",
    ),
    (r"deno", r"deno\.jsonc?", r"deno\.lock"),
    (r"cargo", r"Cargo\.toml", r"Cargo\.lock"),
    (r"go", r"go\.(mod|work)", r"go\.sum"),
    (r"mvnw?|maven", r"pom\.xml", ""),
    (r"gradlew?", r".*\.gradle(\.kts)?|gradle\.properties|gradle-wrapper\.properties", r"gradle\.lockfile"),
    (r"composer|php|phpunit|pest", r"composer\.json", r"composer\.lock"),
    (r"bundle|bundler|rake|rspec|ruby", r"Gemfile|.*\.gemspec", r"Gemfile\.lock"),
    (r"mix", r"mix\.exs", r"mix\.lock"),
    (
        r"dotnet|msbuild",
        r".*\.(cs|fs|vb)proj|.*\.slnx?|Directory\..*\.(props|targets)|global\.json|nuget\.config",
        r"packages\.lock\.json",
    ),
    (r"cmake|ctest", r"CMakeLists\.txt|CMake(User)?Presets\.json|.*\.cmake", ""),
    (r"swift", r"Package\.swift", r"Package\.resolved"),
)
_FILES = tuple((re.compile("%s|%s" % (a, b or a), re.IGNORECASE), names) for names, a, b in _TOOLS)
_ANY = re.compile("|".join("(%s)" % names for _, *both in _TOOLS for names in both if names), re.IGNORECASE)
_LOCK = re.compile("|".join("(%s)" % lock for *_, lock in _TOOLS if lock), re.IGNORECASE)
_ELSEWHERE = re.compile(r"""(?:file|link|portal|git|patch)[+:][^\s"',]+|"link": *true|\.\.?/[^\s"',]+""")
_VERSION = r"[\w.+~^<>=|&*, -]+"
_NPM = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_LONGEST = 1 << 17
_CARGO_PART = re.compile(
    r"^\[((?:target\.[^\n]+\.)?(?:dev-|build-)?dependencies|workspace\.dependencies)\][^\n]*\n", re.MULTILINE
)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_CARGO_ENTRY = re.compile(r"""^([\w-]+)\s*=\s*("%s"|\{[^{}\n#]*\})[ \t]*$""" % _VERSION, re.MULTILINE)
_CARGO_KEYS = frozenset(("version", "features", "default-features", "optional", "workspace"))
_GO = re.compile(r"^(?:require)?[ \t]+([\w./~-]+)[ \t]+(v[\w.+-]+)(?:[ \t]*//[^\n]*)?$", re.MULTILINE)
_RELEASE = re.compile(r"v\d+\.\d+\.\d+(\+incompatible)?\Z")
_POM = re.compile(
    r"<dependency>\s*<groupId>([\w.-]+)</groupId>\s*<artifactId>([\w.-]+)</artifactId>"
    r"(?:\s*<(version|scope|type|optional)>[\w.-]+</\3>)*\s*</dependency>"
)
_POM_ASIDE = re.compile(r"<(!--|dependencyManagement|build|profiles|reporting)>?")
_GRADLE = re.compile(
    r"^[ \t]+(?:(?:test|debug)?[iI]mplementation|api|compileOnly|runtimeOnly|kapt|ksp|annotationProcessor)"
    r"""[ (]*["']([\w.-]+:[\w.-]+):[\w.+-]+["']\)?[ \t]*$""",
    re.MULTILINE,
)
_GEM = re.compile(r"""^gem\s+["']([\w-]+)["'](?:,\s*["']%s["'])*[ \t]*$""" % _VERSION, re.MULTILINE)
_HEX = re.compile(r"""\{:(\w+),\s*"%s"(?:,\s*(?:only|runtime):\s*(?:\[[:\w, ]*\]|:\w+|false|true))*\}""" % _VERSION)
_NUGET = re.compile(r"""<Package(?:Reference|Version)\s+Include="([\w.-]+)"(?:\s+Version="[\w.*-]+")?\s*/>""")
_CMAKE = re.compile(r"\b(add_library|add_executable|target_sources)(\s*\(\s*)([\w.+-]+)((?:\s+[\w./+-]+)*)(?=\s*\))")
_SOURCE = re.compile(r"[\w./+-]+\.(c|cc|cpp|cxx|m|mm|h|hh|hpp|hxx)\Z")


def is_one(name: str, words: str) -> bool:
    """Whether it is the manifest, or the lock, of a tool that is among the words: the commands, and what they reach."""
    of = tool(name)
    return bool(of) and bool(re.search(r"(?<![\w-])(%s)(?![\w-])" % of, words))


def tool(name: str) -> str:
    """The tool that a manifest or lock is of, as a pattern of its commands; "" of any other file."""
    file = os.path.basename(name)
    if not _ANY.fullmatch(file):
        return ""  # as most of a hundred thousand
    return next((names for files, names in _FILES if files.fullmatch(file)), "")


def among(names: Iterable[str]) -> list[str]:
    """Those that are a manifest or a lock of any tool."""
    return [name for name in names if tool(name)]


def is_lock(name: str) -> bool:
    """Whether it holds which versions of packages are used, and no more."""
    return bool(_LOCK.fullmatch(os.path.basename(name)))


def kept(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """What the check has in place of each manifest and lock that the work changed, given what they held and hold."""
    changed = [name for name in then if now.get(name, then[name]) != then[name]]
    found = {name: merged(name, then[name], now[name]) for name in changed if not is_lock(name)}
    more = any(found[name] != then[name] for name in found)
    for name in filter(is_lock, changed):
        found[name] = now[name] if more and _at_home(then[name], now[name]) else then[name]
    return found


def _at_home(before: str, after: str) -> bool:
    """Whether a lock has no package from another place than packages come from, or none that it had not."""
    return set(_ELSEWHERE.findall(after)) <= set(_ELSEWHERE.findall(before))


def merged(name: str, before: str, after: str) -> str:
    """A manifest as it was, with the packages that the work needs besides; as it was where that cannot be told."""
    file = os.path.basename(name)
    for pattern, merge in _MERGES:
        if re.fullmatch(pattern, file) and len(after) <= _LONGEST:
            return merge(before, after)
    return before


# -- JSON


def _package(before: str, after: str) -> str:
    return _with_packages(before, after, _NPM, lambda name, said: not set(said) & set(":/"))


def _composer(before: str, after: str) -> str:
    return _with_packages(before, after, ("require", "require-dev"), lambda name, said: not set(said) & set(":/"))


def _deno(before: str, after: str) -> str:
    place = r"(jsr|npm):%s(@[\w.^~+-]+)?"
    return _with_packages(before, after, ("imports",), lambda name, s: bool(re.fullmatch(place % re.escape(name), s)))


def _with_packages(before: str, after: str, parts: tuple[str, ...], is_plain: Callable[[str, str], bool]) -> str:
    """By the keys of these parts that are new; each is a package, and its value the version."""
    then, now = _object(before), _object(after)
    known = {name for part in parts for name in _dict(then.get(part))}
    held = dict(then)
    for part in parts:
        has = _dict(now.get(part))
        new = {k: said for k, said in has.items() if k not in known and isinstance(said, str) and is_plain(k, said)}
        if new:
            held[part] = {**_dict(held.get(part)), **new}
    if held == then:
        return before
    return after if held == now else json.dumps(held, ensure_ascii=False, indent=2) + "\n"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _object(text: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(text))
    except ValueError:
        return {}


# -- text


def _cargo(before: str, after: str) -> str:
    for head, body in _cargo_parts(after):
        new = [e.group() for e in _CARGO_ENTRY.finditer(body) if _is_new_crate(before, e.group(1), e.group(2))]
        if new:
            lines = "".join(line + "\n" for line in new)
            at = re.search(r"(?m)^%s[^\n]*\n" % re.escape(head), before)
            cut = at.end() if at else len(before)
            before = before[:cut] + ("" if at else "\n%s\n" % head) + lines + before[cut:]
    return before


def _cargo_parts(text: str) -> list[tuple[str, str]]:
    """The tables of dependencies: their heads, and what stands in them."""
    found = []
    for head in _CARGO_PART.finditer(text):
        end = _TABLE.search(text, head.end())
        found.append(("[%s]" % head.group(1), text[head.end() : end.start() if end else len(text)]))
    return found


def _is_new_crate(before: str, name: str, said: str) -> bool:
    keys = set(re.findall(r"([\w-]+)\s*=", said)) if said.startswith("{") else set()
    known = re.search(r"(?m)^\s*%s[\s.]*=|dependencies\.%s\s*\]" % (name, name), before)
    return keys <= _CARGO_KEYS and not known


def _go(before: str, after: str) -> str:
    """With other versions too, which one more module can ask for: a release of a module is what its author made."""
    asked = dict(_GO.findall(after))
    had = dict(_GO.findall(before))
    for module, version in asked.items():
        if module in had and had[module] != version and _RELEASE.match(version):
            pattern = r"(?m)^((?:require)?[ \t]+%s[ \t]+)%s(?=\s)" % (re.escape(module), re.escape(had[module]))
            before = re.sub(pattern, r"\g<1>" + version, before + "\n")[:-1]
    new = ["\t%s %s\n" % one for one in asked.items() if one[0] not in had]
    return "%s\nrequire (\n%s)\n" % (before, "".join(new)) if new else before


def _pom(before: str, after: str) -> str:
    shown, then = _pom_itself(after), _pom_itself(before)
    new = [one.group() for one in _POM.finditer(shown) if "<artifactId>%s<" % one.group(2) not in before]
    place, said = then.rfind("</dependencies>"), "\n".join(new)
    if place < 0:
        place, said = then.rfind("</project>"), "<dependencies>\n%s\n</dependencies>\n" % said
    return before[:place] + said + "\n" + before[place:] if new and place >= 0 else before


def _pom_itself(text: str) -> str:
    """Blank where the dependencies are not the project's own, and of the same length."""
    aside = _POM_ASIDE.search(text)
    while aside:
        close = "-->" if aside.group(1) == "!--" else "</%s>" % aside.group(1)
        end = text.find(close, aside.end())
        end = len(text) if end < 0 else end
        text = text[: aside.start()] + " " * (end - aside.start()) + text[end:]
        aside = _POM_ASIDE.search(text, end)
    return text


def _after(entry: re.Pattern[str], place: str, more: str = "%s") -> Merge:
    """The new ones of such entries, behind the first that is like `place`."""

    def merge(before: str, after: str) -> str:
        known = {one.group(1).lower() for one in entry.finditer(before)}
        new = [one.group() for one in entry.finditer(after) if not _mentioned(one.group(1).lower(), before, known)]
        at = re.search(place, before, re.MULTILINE)
        return before[: at.end()] + "".join(more % one for one in new) + before[at.end() :] if new and at else before

    return merge


def _mentioned(name: str, before: str, known: set[str]) -> bool:
    return name in known or bool(re.search(r"(?<![\w.-])%s(?![\w.-])" % re.escape(name), before.lower()))


def _cmake(before: str, after: str) -> str:
    """With the source files that are new in what is built."""
    now = {(call, target): files.split() for call, _, target, files in _CMAKE.findall(after)}

    def more(found: re.Match[str]) -> str:
        call, _, target, files = found.groups()
        new = [one for one in now.get((call, target), ()) if one not in files.split() and _SOURCE.match(one)]
        return " ".join((found.group(), *new))

    return _CMAKE.sub(more, before)


_MERGES: tuple[tuple[str, Merge], ...] = (
    (r"package\.json", _package),
    (r"composer\.json", _composer),
    (r"deno\.json", _deno),
    (r"Cargo\.toml", _cargo),
    (r"go\.mod", _go),
    (r"pom\.xml", _pom),
    (r"build\.gradle(\.kts)?", _after(_GRADLE, r"^dependencies\s*\{[ \t]*$", "\n%s")),
    (r"Gemfile", _after(_GEM, r"\Z", "\n%s\n")),
    (r"mix\.exs", _after(_HEX, r"^[ \t]*defp? deps(\(\))? do\s*\[", "%s, ")),
    (
        r".*\.(cs|fs|vb)proj|Directory\.Packages\.props",
        _after(_NUGET, r"<Project\b[^<>]*>", "\n<ItemGroup>%s</ItemGroup>"),
    ),
    (r"CMakeLists\.txt", _cmake),
)
