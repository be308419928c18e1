"""A plugin for Claude Code: a folder with a skill, slash commands and our hooks, made for this very installation."""
