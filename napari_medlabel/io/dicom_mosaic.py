"""Siemens mosaics and UIH grids: one picture that holds all slices of a volume as tiles."""

from __future__ import annotations

from napari_medlabel.io.dicom_header import Instance


def wants_mosaic(instance: Instance) -> bool:
    """Tell whether the file's picture is a sheet of tiles, by its Image Type alone.

    Siemens writes ``MOSAIC``; UIH ``VFRAME`` (with no position in the data set) or ``GRID``.
    """
    kinds = instance.image_type.upper().split("\\")
    if "MOSAIC" in kinds:
        return instance.frames <= 1
    return instance.position_lps is None and not {"VFRAME", "GRID"}.isdisjoint(kinds)
