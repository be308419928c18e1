"""agentctl report"""

from __future__ import annotations

import sys
import time

from .. import files
from .. import text
from .. import ui
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import FORMAT
from ..reporting import as_text
from ..reporting import choosing
from ..reporting import composing
from ..reporting import facts
from . import _since

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..reporting.facts import Report
    from ..store import Home

EXAMPLES = """  agentctl report                      everything since the last report
  agentctl report --since 8h
  agentctl report @last --format md    one goal, from its first run to its last
  agentctl report -o morning.html

It is put together from files alone: no model is asked, and nothing is changed. What an
agent wrote is shown as data. A goal is accepted only where its own driver says so at its
end; billed was paid by the token, virtual a subscription covered, of the third nobody
said which. What a report without GOAL and time has shown, the next one leaves out."""

_FORMATS = ("text", "md", "html")
_LAST = "last"


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("goal", metavar="GOAL", nargs="?", default="", help="a run of a goal, a unique prefix, or @last")
    add("--since", metavar="WHEN", default="", help="what ended since: last, 8h, 7d, 2026-11-01 (default: last)")
    add("--format", choices=_FORMATS, default="", help="(default: by the file's name, else text)")
    add("-o", metavar="FILE", dest="out", default="", help="write it to a file, which is replaced")
    add("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.goal and args.since:
        raise usage_error("a goal and --since do not go together", "a report on a goal tells all of it")
    if args.json and args.format:
        raise usage_error("--json and --format do not go together")
    now = time.time()
    home = ui.open_home(args)
    ui.warn_of_config(home)
    report = _report(home, args, now)
    if args.out:
        _write(args.out, _words(args, report))
        ui.say("the report is in %s" % args.out)
    elif args.json:
        ui.data({"format": FORMAT, **facts.public(report)})
    else:
        sys.stdout.write(_coloured(report) if _format(args) == "text" else _words(args, report))
        sys.stdout.flush()
    if not args.goal and args.since in ("", _LAST):
        choosing.remember(home, report)
    return 0


def _report(home: Home, args: Namespace, now: float) -> Report:
    if args.goal:
        return choosing.on_goal(home, args.goal, now)
    if args.since in ("", _LAST):
        return choosing.since_last(home, now)
    return choosing.since(home, _since.moment(args.since, now), now)


def _format(args: Namespace) -> str:
    """As asked, else by the ending of the file's name."""
    ending = args.out.rpartition(".")[2].lower()
    return args.format or {"md": "md", "markdown": "md", "html": "html", "htm": "html"}.get(ending, "text")


def _words(args: Namespace, report: Report) -> str:
    """The report as a file has it."""
    if args.json:
        return files.dump({"format": FORMAT, **facts.public(report)}).decode("ascii")
    page, form = composing.page(report), _format(args)
    if form == "md":
        from ..reporting import as_md

        return as_md.whole(page)
    if form == "html":
        from ..reporting import as_html

        return as_html.whole(page)
    return as_text.whole(page)


def _coloured(report: Report) -> str:
    """For a terminal; without colours where none are seen."""
    page = composing.page(report)
    if not ui.coloured():
        return as_text.whole(page)
    codes = ((words, text.STYLES.get(style, "")) for words, style in as_text.lines(page))
    return "".join("\033[%sm%s\033[0m\n" % (code, words) if code else words + "\n" for words, code in codes)


def _write(path: str, words: str) -> None:
    """Complete or not at all. Raises AgentctlError."""
    try:
        files.replace(path, words.encode("utf-8", "replace"))
    except OSError as e:
        raise AgentctlError("cannot write %s: %s" % (path, e.strerror), "give another name") from None
