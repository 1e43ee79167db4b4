"""What else single-frame images of one place differ in: numbers that are an axis, and texts.

Headers are opened again for it, of one place first: only where what is known already does not
tell images apart. Texts are compared as they stand and never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.instance import WANTED, numbers

NUMBERS: Final[Mapping[int, str]] = {0x00180080: "repetition", 0x00180060: "tube voltage"}
"""Attributes that are values of an axis, with the name of the axis."""
MADE: Final[Mapping[int, str]] = {
    0x00181210: "Convolution Kernel",
    0x00180024: "Sequence Name",
}
"""Texts that make images different scans, whatever else tells them apart."""
OTHER: Final[Mapping[int, str]] = {
    0x0020000D: "Study Instance UID",
    0x0008103E: "Series Description",
    0x00181030: "Protocol Name",
    0x00180010: "Contrast/Bolus Agent",
    0x00180020: "Scanning Sequence",
    0x00180021: "Sequence Variant",
    0x00180022: "Scan Options",
    0x00181160: "Filter Type",
    0x00181250: "Receive Coil Name",
    0x00181312: "In-plane Phase Encoding Direction",
    0x00181100: "Reconstruction Diameter",
    0x00180050: "Slice Thickness",
    0x00082111: "Derivation Description",
    0x00204000: "Image Comments",
    0x00281050: "Window Center",
    0x00281051: "Window Width",
}
"""Attributes that are asked only where nothing else tells images apart."""
MOST_MADE: Final = 6
MOST_OTHER: Final = 20
_SEQUENCE: Final = 0x00180024

Raw = Mapping[int, bytes]


@dataclass(frozen=True)
class Told:
    """One attribute in which images of one place differ.

    Parameters
    ----------
    name : str
        Of the attribute, or of the axis for a number.
    values : tuple of float
        One for each image; for texts a count of different ones.
    """

    name: str
    values: tuple[float, ...]


def numbers_told(planes: Sequence[Plane], place: Sequence[int]) -> list[Told]:
    """Look up numbers in which the images of one place differ.

    Parameters
    ----------
    planes : sequence of Plane
        Of single-frame files.
    place : sequence of int
        Which of them lie in one place.
    """
    found = []
    for tag, raw in _varying(planes, place, NUMBERS, len(place)).items():
        known = [numbers(value)[:1] for value in raw]
        if all(known):
            found.append(Told(NUMBERS[tag], tuple(value for (value,) in known)))
    return found


def texts_told(
    planes: Sequence[Plane], place: Sequence[int], names: Mapping[int, str], most: int
) -> list[Told]:
    """Look up texts in which the images of one place differ, most telling first.

    Texts of which that place has more than `most` count images, and are left out.
    """
    found = []
    for tag, raw in _varying(planes, place, names, most).items():
        seen: dict[bytes, float] = {}
        values = tuple(seen.setdefault(one, float(len(seen))) for one in raw)
        found.append(Told(names[tag], values))
    return found


def _varying(
    planes: Sequence[Plane], place: Sequence[int], names: Mapping[int, str], most: int
) -> dict[int, list[bytes]]:
    """Return the values, of every image, of those attributes that vary at one place."""
    first = [_looked_up(planes[n], names) for n in place]
    varying = {tag: name for tag, name in names.items() if 1 < _different(first, tag) <= most}
    if not varying:
        return {}
    every = [_looked_up(one, varying) for one in planes]
    return {tag: [_value(fields, tag) for fields in every] for tag in varying}


def _different(found: Sequence[Raw], tag: int) -> int:
    return len({_value(fields, tag) for fields in found})


def _value(fields: Raw, tag: int) -> bytes:
    value = fields.get(tag, b"").strip(b"\0 ")
    # Behind the hash, names of sequences count gradient directions.
    return value.split(b"#", 1)[0] if tag == _SEQUENCE else value


def _looked_up(one: Plane, names: Mapping[int, str]) -> Raw:
    if one.instance.frames > 1:
        return {}
    known = {tag: one.instance.fields.get(tag, b"") for tag in names if tag in WANTED}
    rest = dict.fromkeys((tag for tag in names if tag not in WANTED), b"DS")
    return {**known, **dicom_odd.read_more(one.instance.path, rest)} if rest else known
