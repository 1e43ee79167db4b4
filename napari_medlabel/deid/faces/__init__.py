"""Faces of head scans: found, checked, planned for a batch."""
