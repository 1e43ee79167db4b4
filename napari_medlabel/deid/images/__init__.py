"""Scans that are not DICOM, and the sidecars beside them."""
