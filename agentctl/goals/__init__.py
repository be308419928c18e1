"""Goals: cycles of work that an orchestrator of ours directs, each checked by others before it is accepted."""
