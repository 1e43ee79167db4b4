"""DICOM files -> series -> volumes."""
