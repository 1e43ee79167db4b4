"""Files <-> model; formats do not know each other."""
