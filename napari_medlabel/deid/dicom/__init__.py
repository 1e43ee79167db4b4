"""One DICOM file: walked as bytes or parsed, cleaned, written and read back."""
