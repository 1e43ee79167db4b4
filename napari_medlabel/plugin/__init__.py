"""napari without Qt: readers, writers, layers and what ties them to a session."""
