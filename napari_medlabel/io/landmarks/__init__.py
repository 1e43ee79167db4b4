"""Landmarks and measurements in the files of other programs: one module for each format."""
