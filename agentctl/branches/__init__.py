"""Target branches: merges as objects, the place where they are checked, and how a branch moves."""
