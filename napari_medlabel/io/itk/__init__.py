"""NRRD and MetaImage files -> volumes."""
