"""Conversations that the vendors' programs keep on this machine, whoever began them.

Each vendor has a module (claude, codex, cursor) of two parts: where its files are, and what
the lines at a file's head and tail say. The lines are read by pure functions that never
raise; the files are the vendor's and may be anything. `finding` puts them together, `telling`
reads what was said, `adopting` makes a run that goes on with one.
"""
