"""What a header says of its pixels, for the checks that otherwise read pydicom's data set."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from napari_medlabel.deid.dicom.elements import Element, OddError
from napari_medlabel.deid.pixels.described import (
    check_complete,
    described_length,
    may_show_identity,
)
from napari_medlabel.deid.pixels.fragments import Shape, shape_of
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.actions import TEXT_VRS, components_of
from napari_medlabel.deid.rules.dictionary import entry, tag_and_vr

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DECIDING = (
    0x00080008,  # Image Type
    0x00080016,  # SOP Class UID
    0x00080060,  # Modality
    0x00080064,  # Conversion Type
    0x00280002,  # Samples per Pixel
    0x00280004,  # Photometric Interpretation
    0x00280008,  # Number of Frames
    0x00280010,  # Rows
    0x00280011,  # Columns
    0x00280100,  # Bits Allocated
    0x00280301,  # Burned In Annotation
    0x00280302,  # Recognizable Visual Features
)
"""All that the checks of pixels look at, besides overlays and pixel data themselves."""

_FIRST_OVERLAY = 0x60000000
_OVERLAYS = frozenset({0x0102, 0x3000})


class Verdict(NamedTuple):
    """What the checks of the pixels say: length of native ones, shape of compressed ones."""

    length: int = 0
    shape: Shape | None = None


def is_deciding(tag: int) -> bool:
    """Whether the checks look at an attribute."""
    return tag in DECIDING or (0x6000 <= tag >> 16 < 0x6100 and tag & 0xFFFF in _OVERLAYS)


def deciding_in(elements: Mapping[int, Element]) -> tuple[Element, ...]:
    """Return the elements that the checks look at; `elements` are in order of their tags."""
    found = [elements[tag] for tag in DECIDING if tag in elements]
    for tag in reversed(list(elements)):
        if tag < _FIRST_OVERLAY:
            break
        if is_deciding(tag):
            found.append(elements[tag])
    return tuple(found)


@lru_cache(maxsize=256)
def looked_at(
    deciding: tuple[Element, ...], pixels: int | None, *, encapsulated: bool
) -> Verdict:
    """Let the checks of pixels look at the elements that decide, and at nothing else.

    Parameters
    ----------
    deciding : tuple of Element
        Those of `is_deciding`.
    pixels : int or None
        Tag of the pixel data.
    encapsulated : bool
        Whether it is compressed.

    Raises
    ------
    QuarantineError
        As `may_show_identity`, `check_complete`, `described_length` say.
    OddError
        For values that are not what their VR says.
    """
    tags = {element[0]: _value(element) for element in deciding}
    if pixels is not None:
        tags[pixels] = b""
    header = cast("Dataset", Described(tags))
    if may_show_identity(header):
        raise QuarantineError(Reason.PIXELS_MAY_SHOW)
    check_complete(header)
    if pixels is None:
        return Verdict()
    if encapsulated:
        return Verdict(shape=shape_of(header))
    return Verdict(length=described_length(header, pixels))


class _Valued(NamedTuple):
    """An element with nothing but its value."""

    value: object


@dataclass(frozen=True)
class Described:
    """As much of pydicom's data set as the checks use.

    Parameters
    ----------
    values : mapping of int to object
        Value by tag.
    """

    values: Mapping[int, object]

    def __contains__(self, key: int | str) -> bool:
        return (key if isinstance(key, int) else tag_and_vr(key)[0]) in self.values

    def __getitem__(self, keyword: str) -> _Valued:
        return _Valued(self.values[tag_and_vr(keyword)[0]])

    def get(self, keyword: str) -> object:
        """Return a value, None where there is none."""
        return self.values.get(tag_and_vr(keyword)[0])


def _value(element: Element) -> object:
    """Return the value of an element: numbers of US, text of others."""
    tag, vr, raw, start = element
    value, known, found = raw[start:], entry(tag)[1], vr.decode("ascii")
    if tag not in DECIDING:
        return value
    if found not in {"", "UN", known} and not {found, known} <= TEXT_VRS:
        raise OddError
    if known == "US":
        if not value:
            return None
        if len(value) != 2:
            raise OddError
        return struct.unpack("<H", value)[0]
    parts = components_of(value)
    if known == "IS" and parts:
        return int(parts[0])
    return parts[0] if len(parts) == 1 else list(parts) or None
