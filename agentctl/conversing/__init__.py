"""The worker that talks to a vendor's HTTP API by itself: a goal's orchestrator without a command line of its own."""
