"""What a removed worktree is kept in, byte for byte, and its way back: refs/agentctl/rescue."""
