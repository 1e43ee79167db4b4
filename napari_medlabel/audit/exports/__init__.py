"""The log in the words of others: CSV, FHIR, DICOM, OCSF, a bundle that verifies itself."""
