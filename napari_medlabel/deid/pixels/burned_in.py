"""What a header says of text in the pixels: ultrasound regions, and places of known devices."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Mask = npt.NDArray[np.bool_]
SCAN_FORMATS = frozenset({1, 2, 3, 4})
"""Region Spatial Format (0018,6012) of scans: 2D, M-mode, spectral, waveform. Not among them:
0 (none: thumbnails, bars) and 5 (graphics: tables, reports)."""

_CORNERS = (
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
)


def outside_regions(dataset: Dataset, rows: int, columns: int) -> tuple[Mask, int]:
    """Return what lies outside every ultrasound region that holds a scan, PS3.3 C.8.5.5.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    rows, columns : int
        Of the image.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        Nothing where no region is described, or none that could be right.
    int
        The regions that stay.
    """
    outside = np.ones((rows, columns), bool)
    count = 0
    for item in dataset.get("SequenceOfUltrasoundRegions") or ():
        if _number(item, "RegionSpatialFormat") not in SCAN_FORMATS:
            continue
        left, top, right, bottom = (_number(item, keyword) for keyword in _CORNERS)
        if not (0 <= left < right < columns + 1 and 0 <= top < bottom < rows + 1):
            continue
        outside[top : bottom + 1, left : right + 1] = False
        count += 1
    return (outside, count) if count else (np.zeros((rows, columns), bool), 0)


def device_places(dataset: Dataset, rows: int, columns: int) -> tuple[Mask, int]:
    """Return where the device that made an image is known to write, and how many places.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    rows, columns : int
        Of the image.
    """
    places = np.zeros((rows, columns), bool)
    count = 0
    for signature in signatures():
        if all(any(_holds(dataset, *one) for one in part) for part in signature["if"]):
            for left, top, right, bottom in signature["boxes"]:
                places[top:bottom, left:right] = True
                count += 1
    return places, count


@cache
def signatures() -> list[dict[str, Any]]:
    """Return the rules of ``data/burned_in.json``, see `generate_burned_in`."""
    source = files("napari_medlabel.deid") / "data" / "burned_in.json"
    found: list[dict[str, Any]] = json.loads(source.read_text("utf-8"))["signatures"]
    return found


def _holds(dataset: Dataset, keyword: str, how: str, values: list[str]) -> bool:
    """Whether an attribute contains or equals one of some values, whatever their case."""
    text = _text(dataset, keyword)
    if how == "equals":
        return text in {value.lower() for value in values}
    return any(value.lower() in text for value in values)


def _text(dataset: Dataset, keyword: str) -> str:
    """Return all values of an attribute, also of the file meta information."""
    value = dataset.get(keyword)
    if value is None:
        value = getattr(dataset, "file_meta", {}).get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str | int | float) else list(value)
    return "\\".join(str(part) for part in parts).strip("\0 ").lower()


def _number(item: Dataset, keyword: str) -> int:
    value = item.get(keyword)
    return int(value) if isinstance(value, int) else -1
