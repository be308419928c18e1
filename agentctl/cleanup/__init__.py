"""Removing worktrees, branches, panes and run folders of ended runs, and bringing them back."""
