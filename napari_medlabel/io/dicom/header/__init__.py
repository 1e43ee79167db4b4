"""What a DICOM file says, read fast or, where it is odd, by pydicom."""
