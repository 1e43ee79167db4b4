"""Whether to believe it: one file from its first byte, then all files against all anchors."""
