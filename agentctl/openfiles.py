"""How many files, locks and sockets this process may have open at a time.

macOS gives a process 256, Linux 1,024, and more to those who ask: hundreds of runs are
waited for by a lock each. What we start afterwards inherits the limit, so it is raised
only where it would be met.
"""

from __future__ import annotations

import errno
import os

SPENT = (errno.EMFILE, errno.ENFILE)
"""No room at this moment: some of it comes back as soon as something is closed."""
_USUAL, _OTHERS = 256, 32


def room_for(count: int) -> int:
    """Raise the limit, as far as the system allows, so that `count` more can be opened; how many of them can."""
    wanted = _next() + count + _OTHERS
    if wanted <= _USUAL:
        return count  # less than any system gives
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return count
    try:
        more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = more
    except (OSError, ValueError):
        pass  # macOS has one more limit, of the kernel's own
    return max(count - max(wanted - soft, 0), 0)


def _next() -> int:
    """The lowest number that is free: about how many are open."""
    try:
        number = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as e:
        if e.errno not in SPENT:
            raise
        return _USUAL
    os.close(number)
    return number
