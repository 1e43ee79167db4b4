"""Which values a series can be read as, by the header of its first image: asked beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.pixels.suv import KINDS
from napari_medlabel.io.dicom.pixels.values import meaning_of


def why_not(planes: Sequence[Plane], values: str) -> str:
    """Say why a series cannot be read as some values; empty where its first image allows it.

    Reading may still refuse: only there each file is looked at.

    Parameters
    ----------
    planes : sequence of Plane
        Of the series.
    values : str
        One of `values.VALUES`.
    """
    if values in KINDS and planes[0].instance.modality != "PT":
        return "Uptake values are for PET; this series is none."
    try:
        meaning_of(planes[:1], values)
    except InputError as err:
        return err.message
    return ""
