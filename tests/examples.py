"""The examples of the Python API: README.md's section "From Python", and its docstrings."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
SECTION = "\n## From Python\n"
VENDORS = re.compile(r"\b(ClaudeSession|CodexSession|CursorSession|ClaudeCodeOrchestrator)\b|\"claude\"|\"codex\"")


def every() -> dict[str, str]:
    """All examples by a name that says where they stand."""
    return {**dict(of_readme()), **dict(of_docstrings())}


def of_vendors() -> dict[str, str]:
    """Those that need a vendor's program."""
    return {name: code for name, code in every().items() if VENDORS.search(code)}


def of_readme() -> Iterator[tuple[str, str]]:
    """The fenced blocks of the section; none where there is no such section."""
    section = (REPO / "README.md").read_text(encoding="utf-8").partition(SECTION)[2].partition("\n## ")[0]
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", section, re.S | re.M), 1):
        yield "readme_%d" % number, code


def of_docstrings() -> Iterator[tuple[str, str]]:
    """The indented blocks of every docstring of it."""
    for path in sorted((REPO / "agentctl" / "python").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                name = "%s_%s" % (path.stem.strip("_"), getattr(node, "name", "module"))
                for number, code in enumerate(_indented(ast.get_docstring(node) or ""), 1):
                    yield "%s_%d" % (name, number), code


def _indented(docstring: str) -> Iterator[str]:
    for block in re.findall(r"^    .*\n(?:(?:    .*)?\n)*(?:    .*\n?)?", docstring + "\n", re.M):
        yield textwrap.dedent(block).strip() + "\n"
