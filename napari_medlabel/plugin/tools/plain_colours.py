"""Labels are coloured by NumPy: with numba, napari would colour small masks more slowly."""

from __future__ import annotations


def prefer_plain_colours() -> bool:
    """Have napari colour labels by NumPy where the person has not chosen otherwise.

    napari takes numba wherever it is installed. For masks of 8 and 16 bits that brings nothing
    per slice, and compiling costs over a second before the first one is seen.

    Returns
    -------
    bool
        Whether labels are coloured by NumPy now.
    """
    from napari.settings import get_settings
    from napari.utils.colormap_backend import ColormapBackend, get_backend, set_backend

    chosen = get_settings().experimental.colormap_backend
    if ColormapBackend(chosen) == ColormapBackend.fastest_available:
        set_backend(ColormapBackend.pure_python)
    return bool(get_backend() == ColormapBackend.pure_python)
