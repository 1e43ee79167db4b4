"""The bytes of the log: canonical lines, the closed list of events, the tree, seals, notes."""
