"""NIfTI and ANALYZE files <-> volumes and masks."""
