"""Notices: a word to the person who is away from the terminal, sent once, by a process that nobody waits for."""
