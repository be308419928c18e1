"""A run's worktree: planned, made, filled, looked into; and the user's own checkouts."""
