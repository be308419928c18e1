"""Workflows: steps joined by `after`, each of which becomes a run."""
