"""Segmentations, structure sets, reports and masks -> labels on their scan."""
