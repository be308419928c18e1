"""The web page and its API: one process, the standard library, nothing that outlives it."""
