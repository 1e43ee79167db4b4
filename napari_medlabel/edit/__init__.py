"""Pure edits: (label array, parameters) -> Patch, and the history of them."""
