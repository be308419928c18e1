"""Whether two globs can match one path: by table, and against every path of a small world."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from agentctl import globs

SEED = 20261120
LETTERS = "ab/"
PATHS = [
    path
    for size in range(1, 9)
    for path in map("".join, itertools.product(LETTERS, repeat=size))
    if not path.startswith("/") and not path.endswith("/") and "//" not in path
]


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/a/b/c.py", True),
        ("src/**", "src/a/b", True),
        ("src/", "src/a/b", True),
        ("src", "src/a/b", True),
        ("src", "srcs/a", False),
        ("src/", "src", True),
        ("docs", "src", False),
        ("*.py", "*.md", False),
        ("a*c", "ab*", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a[a-c]", "a[c-e]", True),
        ("a[a-c]", "a[d-e]", False),
        ("a[!a-c]", "a[a-d]", True),
        ("a[!a-d]", "a[a-d]", False),
        ("[]]", "]", True),
        ("[a", "[a", True),
        ("**/test_*.py", "tests/unit/test_overlap.py", True),
        ("**/test_*.py", "tests/unit/over*.py", False),
        ("./src//a.py", "src/a.py", True),
        ("/src", "src/x", True),
        ("", "anything/at/all", True),
        ("x/*/z", "x/**/z", True),
        ("*", "a/b", False),
        ("ä*", "ä/b", False),
        ("ä*", "äß", True),
    ],
)
def test_globs_that_meet(one: str, other: str, meets: bool) -> None:
    assert globs.meet(one, other) is meets
    assert globs.meet(other, one) is meets


def regex(glob: str) -> re.Pattern[str]:
    """The same meaning, said in another way."""
    parts = re.findall(r"(?:(?<=/)|^)\*\*/|\*\*|\*|\?|\[[!^]?.[^]]*\]|.", glob)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    said = "".join(words.get(p) or ("(?!/)" + p.replace("[!", "[^") if len(p) > 1 else re.escape(p)) for p in parts)
    if glob.endswith("/"):
        said += ".+"
    elif not re.search(r"[*?[][^/]*$", glob):
        said += "(?:/.*)?"
    return re.compile(said + r"\Z", re.S)


def test_against_every_path_of_a_small_world() -> None:
    chosen = random.Random(SEED)
    pieces = ["a", "b", "/", "/", "*", "**", "**/", "?", "[ab]", "[!a]"]
    made = {globs.plain("".join(chosen.choices(pieces, k=chosen.randint(1, 4)))) for _ in range(300)}
    known = {glob: {path for path in PATHS if regex(glob).match(path)} for glob in sorted(made)}
    wrong = []
    for one, other in itertools.combinations_with_replacement(known, 2):
        if globs.meet(one, other) != bool(known[one] & known[other]):
            wrong.append((one, other))
    assert not wrong, wrong[:10]
    met = sum(globs.meet(one, other) for one, other in itertools.combinations(known, 2))
    assert 0.1 < met / (len(known) * (len(known) - 1) / 2) < 0.95, "the sample says little"
