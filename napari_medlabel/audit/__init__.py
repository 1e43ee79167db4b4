"""Who did what, and when: an append-only, signed log that shows when it was changed."""
