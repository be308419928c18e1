"""A stdio server of the Model Context Protocol: any `Toolset`, for any client that speaks it."""
