"""What kind of image a series shows, in words: of Image Type only values that are known.

A value outside of this list might be a text that names somebody, and is not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.io.dicom.frames.plane import Plane

_WORDS: Final[Mapping[str, str]] = {
    "LOCALIZER": "localizer",
    "SCOUT": "localizer",
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real part",
    "REAL": "real part",
    "I": "imaginary part",
    "IMAGINARY": "imaginary part",
    "ADC": "ADC map",
    "FA": "FA map",
    "EADC": "eADC map",
    "TRACEW": "trace",
    "TRACE": "trace",
    "T1 MAP": "T1 map",
    "T2 MAP": "T2 map",
    "T2_STAR MAP": "T2* map",
    "B0 MAP": "B0 map",
    "B1 MAP": "B1 map",
    "WATER": "water",
    "FAT": "fat",
    "W": "water",
    "F": "fat",
    "IN_PHASE": "in phase",
    "OUT_PHASE": "opposed phase",
    "IP": "in phase",
    "OP": "opposed phase",
    "PERFUSION": "perfusion",
    "ASL": "ASL",
    "SUBTRACTION": "subtraction",
    "SUB": "subtraction",
    "MPR": "reformatted",
    "RESAMPLED": "resampled",
    "MIP": "MIP",
    "MIN_IP": "MinIP",
    "MAX_IP": "MIP",
    "PROJECTION IMAGE": "projection",
    "SCREEN SAVE": "screen capture",
    "STATIC": "static",
    "DYNAMIC": "dynamic",
    "GATED": "gated",
    "MOSAIC": "mosaic",
}
_MADE: Final = {"DERIVED": "derived"}


def words_of(planes: tuple[Plane, ...]) -> tuple[str, ...]:
    """Return what is known of the kind of a series' images, for instance ``("phase",)``.

    Parameters
    ----------
    planes : tuple of Plane
        Of one series.
    """
    if not planes:
        return ()
    first = planes[0]
    said = [value.strip().upper() for value in first.instance.image_type.split("\\")]
    said += [value.strip().upper() for value in first.kind]
    found = [_WORDS[value] for value in said if value in _WORDS]
    found = found or [_MADE[value] for value in said if value in _MADE]
    return tuple(dict.fromkeys(found))
