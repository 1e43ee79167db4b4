"""Whether a series holds as many images as its own headers count.

Number of Slices, of Time Slices and of Temporal Positions, Images in Acquisition, parts of a
concatenation (PS3.3 C.7.6.16.2.2.4), and Instance Numbers that leave some out.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.instance import (
    ACQUISITION_NUMBER,
    INSTANCE_NUMBER,
    TEMPORAL_POSITION,
    Instance,
    numbers,
    whole,
)

_IMAGES: Final = 0x00201002
_POSITIONS: Final = 0x00200105
_SLICES: Final = 0x00540081
_TIME_SLICES: Final = 0x00540101
_PART: Final = 0x00209162
_PARTS: Final = 0x00209163
_WHOLE: Final = 0x00209161
_SERIES_TYPE: Final = 0x00541000
_COUNTS: Final[Mapping[int, bytes]] = {
    _IMAGES: b"IS",
    _POSITIONS: b"IS",
    _SLICES: b"US",
    _TIME_SLICES: b"US",
    _SERIES_TYPE: b"CS",
}
_CONCATENATION: Final[Mapping[int, bytes]] = {_WHOLE: b"UI", _PART: b"US", _PARTS: b"US"}
_SCANS: Final = frozenset({"CT", "MR", "PT"})
_FEWEST: Final = 3
_REGULAR: Final = 0.5
_MOST_LOST: Final = 0.5
_SAME_MM: Final = 0.02


def losses(planes: Sequence[Plane]) -> tuple[str, ...]:
    """Say in words what the headers of one series count and its files do not hold.

    Parameters
    ----------
    planes : sequence of Plane
        All that was read of one Series Instance UID, whatever it was split into.

    Returns
    -------
    tuple of str
        () where nothing is known to be missing.
    """
    files = {id(one.instance): one.instance for one in planes}
    own = list(files.values())
    several = [one for one in own if one.frames > 1]
    if several:
        return _parts(several)
    if own[0].modality not in _SCANS or any(one.position_lps is None for one in planes):
        return ()
    counted = _counted(planes, own)
    return counted or _numbers(own)


def _counted(planes: Sequence[Plane], own: Sequence[Instance]) -> tuple[str, ...]:
    fields = dicom_odd.read_more(own[0].path, _COUNTS)
    found: list[str] = []
    if own[0].modality == "PT":
        places = _places(planes)
        found += _short("slices", whole(fields, _SLICES, 0), places)
        dynamic = fields.get(_SERIES_TYPE, b"").startswith(b"DYNAMIC")
        volumes = -(-len(planes) // places)
        found += _short("volumes", whole(fields, _TIME_SLICES, 0) if dynamic else 0, volumes)
    stated = numbers(fields.get(_POSITIONS, b""))[:1]
    at = {one.number(TEMPORAL_POSITION) for one in own}
    if stated and None not in at:
        found += _short("temporal positions", int(stated[0]), len(at))
    images = numbers(fields.get(_IMAGES, b""))[:1]
    if images and len({one.number(ACQUISITION_NUMBER) for one in own}) == 1:
        found += _short("images", int(images[0]), len(own))
    return tuple(found)


def _places(planes: Sequence[Plane]) -> int:
    """Count the places that images have along their own normal."""
    first = np.array(planes[0].orientation_lps)
    along = np.array([one.position_lps for one in planes]) @ np.cross(first[:3], first[3:])
    return 1 + int((np.diff(np.sort(along)) > _SAME_MM).sum())


def _short(what: str, stated: int, here: int) -> list[str]:
    if stated <= here:
        return []
    are = "is" if here == 1 else "are"
    return [
        f"The headers count {stated} {what}, {here} {are} here: the scan may be incomplete."
    ]


def _parts(files: Sequence[Instance]) -> tuple[str, ...]:
    """Count the parts of multi-frame images that were written as several files."""
    held: dict[bytes, set[int]] = defaultdict(set)
    totals: dict[bytes, int] = {}
    for one in files:
        fields = dicom_odd.read_more(one.path, _CONCATENATION)
        if len(fields.get(_PART, b"")) == struct.calcsize("<H"):
            held[fields.get(_WHOLE, b"")].add(whole(fields, _PART, 0))
            totals[fields.get(_WHOLE, b"")] = whole(fields, _PARTS, 0)
    found: list[str] = []
    for key, parts in held.items():
        found += _short("parts of one scan", max(totals[key], *parts), len(parts))
    return tuple(dict.fromkeys(found))


def _numbers(own: Sequence[Instance]) -> tuple[str, ...]:
    """Look for Instance Numbers that are left out of a regular count."""
    given = [one.number(INSTANCE_NUMBER) for one in own]
    known = sorted({int(one) for one in given if one is not None})
    if None in given or len(known) < _FEWEST:
        return ()
    steps = [b - a for a, b in pairwise(known)]
    step, often = Counter(steps).most_common(1)[0]
    if often < _REGULAR * len(steps) or any(one % step for one in steps):
        return ()
    between = sum(one // step - 1 for one in steps)
    before = (known[0] - 1) // step
    if between > _MOST_LOST * len(known):
        return ()  # Some scanners count images that they never write.
    found = []
    if between > 0:
        found.append(
            f"Instance Numbers leave {_images(between)} out between the others: the scan may "
            "be incomplete."
        )
    if 0 < before <= len(known):
        found.append(
            f"Instance Numbers leave {_images(before)} out before the first one: the scan may "
            "be incomplete."
        )
    return tuple(found)


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number} images"
