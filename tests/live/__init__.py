"""Live tests: the real Claude Code and Codex against our own model server on loopback."""
