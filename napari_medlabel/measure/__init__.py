"""Measures: volumes, agreement, distances, statistics; numbers in, numbers out."""
