"""agentctl web"""

from __future__ import annotations

import os
import signal

from .. import text
from .. import ui
from ..errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..store import Home

EXAMPLES = """  agentctl web
  agentctl web --port 0 --open
  agentctl web --expose 100.64.0.7

It prints the address to open, with the token that lets you in, and serves until ^C;
runs go on. The API is on the page `agentctl help web-api`. On another machine, a tunnel
is safe and needs no flag: ssh -L 8888:127.0.0.1:8888 HOST"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--port", metavar="N", type=int, default=8888, help="the port (default: 8888; 0: a free one)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument(
        "--expose",
        metavar="ADDRESS",
        default="",
        help="be reached by this address of this machine too: whoever can reach it and has seen the token runs"
        " commands as you, and what passes is not encrypted",
    )
    parser.add_argument(
        "--name", metavar="HOST", action="append", default=[], help="another name by which a browser reaches it"
    )


def run(args: Namespace) -> int:
    if not 0 <= args.port < 1 << 16:
        raise usage_error("--port wants a number from 0 to 65535")
    home = ui.open_home(args)
    ui.demand_config(home)
    os.environ.pop("TMUX_PANE", None)  # what is started from the page is not this pane's: nothing is typed into it
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        _serve(home, args)
    except KeyboardInterrupt:
        ui.say("the page is closed; runs go on")
    return 0


def _serve(home: Home, args: Namespace) -> None:
    """Until a signal. Raises AgentctlError where the address cannot be had."""
    from ..web import entrance
    from ..web import routes
    from ..web import server
    from ..web.guard import Gate
    from ..web.site import Site

    if args.expose in entrance.EVERYWHERE and not args.name:
        raise usage_error("--expose %s wants --name" % args.expose, "name the host that a browser will ask for")
    address = args.expose if args.expose in entrance.EVERYWHERE else entrance.LOOPBACK
    listeners = [server.listening(address, args.port)]
    port = int(listeners[0].getsockname()[1])
    if args.expose not in ("", address, entrance.LOOPBACK):
        listeners.append(server.listening(args.expose, port))
    gate = Gate(hosts=entrance.hosts(args.expose, port, args.name), token=entrance.token(home))
    made = server.Server(listeners, gate, Site(home, os.environ), routes.page())
    found = entrance.urls(args.expose, port, args.name, gate.token)
    ui.answer("\n".join(found), "the page is at %s, its token in the home" % found[0].partition("#")[0])
    ui.say("serves %s until ^C" % text.one_line(home.path))
    if args.open:
        _open(entrance.page_for_browser(home, found[0]))
    made.serve()


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        ui.say("no browser was found: open the address above")
