"""What `git merge-tree --name-only -z` says of a merge that is in conflict."""

from __future__ import annotations

import os


def in_conflict(out: bytes) -> tuple[str, ...]:
    """The names of the first section; of a conflict about folders alone, that is empty, those of the messages.

    A message is the number of its paths, these, its kind, and words for a person.
    """
    fields = [os.fsdecode(field) for field in out.split(b"\0")[1:]]
    end = fields.index("") if "" in fields else len(fields)
    names, rest = fields[:end], fields[end + 1 :]
    while not fields[:end] and rest and rest[0].isdigit():
        count = int(rest[0])
        kind = rest[count + 1] if len(rest) > count + 1 else ""
        names += rest[1 : count + 1] if kind.startswith("CONFLICT") else []
        rest = rest[count + 3 :]
    return tuple(dict.fromkeys(names))
