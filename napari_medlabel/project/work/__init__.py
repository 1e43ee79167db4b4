"""The work of a study: states, claims, and the worklist folded from the log."""
