"""agentctl: run many coding agents in tmux panes and trust what comes back."""

__version__ = "0.1.0"
