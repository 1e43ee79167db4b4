"""A study in the window: worklist, guidelines, review, comparison, beside the open case."""
