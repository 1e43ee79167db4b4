"""Removing identity from DICOM and NIfTI: keep only what a rule names, at every depth."""

from __future__ import annotations
