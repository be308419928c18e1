"""From ended runs to a branch that holds their work: collected, stacked, verified, landed."""
