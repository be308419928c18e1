"""A bug of ours on the command line: one line for the user, the traceback where it can be sent from."""

from __future__ import annotations

import os
import sys
import time
import traceback

from . import __version__
from . import files
from . import paths
from . import text


def written_down(error: Exception) -> int:
    """Say it, and add it to crash.log with the versions; the exit code. AGENTCTL_DEBUG=1 shows the traceback."""
    if os.environ.get("AGENTCTL_DEBUG") == "1":
        traceback.print_exc()
        return 1
    said = text.one_line("%s: %s" % (type(error).__name__, error), 300)
    print("agentctl: unexpected error: %s" % said, file=sys.stderr)
    log = os.path.join(paths.home_folder("", os.environ), "crash.log")
    python, trace = sys.version.split()[0], traceback.format_exc()
    words = "%s agentctl %s, python %s on %s\n%s\n" % (time.ctime(), __version__, python, sys.platform, trace)
    try:
        fd = files.open_append(log)
        files.write_all(fd, words.encode("utf-8", "replace"))
        os.close(fd)
        print("hint: details are in %s" % log, file=sys.stderr)
    except OSError:
        print("hint: see it whole with AGENTCTL_DEBUG=1", file=sys.stderr)
    return 1
