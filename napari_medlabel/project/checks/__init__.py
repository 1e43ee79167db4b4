"""Checks of a study folder: what is there, whether it fits together, and what should not be."""
