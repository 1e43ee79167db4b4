"""Label, landmark, de-identify and audit medical volumes, in napari or headless."""

__version__ = "0.1.0"
