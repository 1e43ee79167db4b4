"""The private headers of Siemens MR files that say how a mosaic is laid out.

CSA headers are lists of named texts, in two layouts, without a public description; what is
used here is what Siemens' own files show and what readers of them agree on. The measurement
protocol inside is a text of assignments between ``### ASCCONV BEGIN`` and ``END``.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import Final

from napari_medlabel.io.dicom.frames.nested import Item

IMAGE_HEADER: Final = 0x00290010
SERIES_HEADER: Final = 0x00290020
IMAGES_IN_MOSAIC: Final = 0x0019000A
B_VALUE: Final = 0x0019000C
PHOENIX: Final = 0x00210019
"""Elements as ``gg00ee``: the block is where their creator put them."""

_CSA = "SIEMENS CSA HEADER"
_MR = "SIEMENS MR HEADER"
_MOST_ITEMS: Final = 4096
_MOST_SLICES: Final = 4096
_MARKS: Final = frozenset({77, 205})
_tag = struct.Struct("<64si4siii")
_tag_head = _tag.unpack_from
_tag_head_size: Final = _tag.size
_item_head = struct.Struct("<4i").unpack_from
_count = re.compile(rb"^sSliceArray\.lSize\s*=\s*(0x[0-9a-fA-F]+|\d+)\s*$", re.MULTILINE)
_position = re.compile(
    rb"^sSliceArray\.asSlice\[(\d{1,4})\]\.sPosition\.d(Sag|Cor|Tra)\s*=\s*"
    rb"([-+]?\d[\d.eE+-]*)\s*$",
    re.MULTILINE,
)
_AXES: Final = {b"Sag": 0, b"Cor": 1, b"Tra": 2}


@dataclass(frozen=True)
class Mosaic:
    """What a file's private headers say about its mosaic; None where they are silent.

    Parameters
    ----------
    count : int or None
        Slices in the mosaic.
    normal_lps : tuple of float or None
        The direction in which one tile follows another.
    spacing_mm : float or None
        Distance between slices.
    centres_lps : tuple of tuple of float
        Planned centre of each slice, in the order of the protocol; mm, LPS.
    """

    count: int | None
    normal_lps: tuple[float, ...] | None
    spacing_mm: float | None
    centres_lps: tuple[tuple[float, ...], ...]


def read_mosaic(whole: Item) -> Mosaic:
    """Return what the private elements of one file say about its mosaic."""
    header = _private(whole, IMAGE_HEADER, _CSA)
    protocol = _private(whole, SERIES_HEADER, _CSA) or _private(
        whole, PHOENIX, "SIEMENS MR SDS 01"
    )
    count, centres = protocol_slices(protocol)
    numbers = (
        next(iter(_numbers(csa_texts(header, "NumberOfImagesInMosaic"))), None),
        _number(whole, IMAGES_IN_MOSAIC),
        count,
    )
    normal = _numbers(csa_texts(header, "SliceNormalVector"))
    spacing = next(iter(_numbers(csa_texts(header, "SpacingBetweenSlices"))), None)
    return Mosaic(
        count=next((int(n) for n in numbers if n is not None and n >= 1), None),
        normal_lps=normal if len(normal) == 3 else None,
        spacing_mm=spacing if spacing is not None and spacing > 0 else None,
        centres_lps=centres,
    )


def b_value(whole: Item) -> float | None:
    """Return the diffusion b-value of a mosaic in s/mm2, None where there is none."""
    return _number(whole, B_VALUE)


def _number(whole: Item, element: int) -> float | None:
    tag = _tag_of(whole, element, _MR)
    return whole.number(tag) if tag else None


def _private(whole: Item, element: int, creator: str) -> bytes:
    tag = _tag_of(whole, element, creator)
    return whole.raw(tag) if tag else b""


def _tag_of(whole: Item, element: int, creator: str) -> int:
    """Return where a private element lies; without any creator it is looked for in block 10.

    Programs that remove identity often drop creators and keep what they belong to.
    """
    group, low = element >> 16, element & 0xFF
    found = whole.private(group, creator, low)
    has_creators = any(tag >> 16 == group and tag & 0xFF00 == 0 for tag in whole.values)
    return found or (0 if has_creators else group << 16 | 0x1000 | low)


def csa_texts(data: bytes, name: str) -> tuple[str, ...]:
    """Return the texts that a CSA header has under a name; none where it is damaged.

    The first layout adds the first element's number of items to every length.
    """
    is_second = data[:4] == b"SV10"
    start = 16 if is_second else 8
    at = data.find(name.encode("ascii") + b"\0", start)
    if at < 0 or (at - start) % 4:
        return ()
    texts = []
    try:
        added = 0 if is_second else _tag_head(data, start)[4]
        *_, items, mark = _tag_head(data, at)
        at += _tag_head_size
        if mark not in _MARKS or not 0 <= items <= _MOST_ITEMS:
            return ()
        for _ in range(items):
            lengths = _item_head(data, at)
            length = lengths[1] if is_second else lengths[0] - added
            at += 16
            if length < 0 or at + length > len(data):
                break
            texts.append(data[at : at + length].split(b"\0")[0].decode("latin-1").strip())
            at += length + -length % 4
    except struct.error:
        return ()
    return tuple(text for text in texts if text)


def _numbers(texts: tuple[str, ...]) -> tuple[float, ...]:
    try:
        values = tuple(float(text) for text in texts)
    except ValueError:
        return ()
    return values if all(math.isfinite(value) for value in values) else ()


def protocol_slices(data: bytes) -> tuple[int | None, tuple[tuple[float, ...], ...]]:
    """Return how many slices a protocol plans, and the centre of each; mm, LPS."""
    # The last protocol in the header is the one that was measured.
    begins = data.rfind(b"### ASCCONV BEGIN")
    ends = data.find(b"### ASCCONV END", begins)
    if begins < 0 or ends < 0:
        return None, ()
    lines = data[begins:ends].replace(b"\r", b"").split(b"\n")
    text = b"\n".join(line for line in lines if line.startswith(b"sSliceArray."))
    counted = _count.search(text)
    centres: dict[int, list[float]] = {}
    for number, axis, value in _position.findall(text):
        try:
            centres.setdefault(int(number), [0.0, 0.0, 0.0])[_AXES[axis]] = float(value)
        except ValueError:
            return None, ()
    count = int(counted[1], 0) if counted else None
    if count is None or not 1 <= count <= _MOST_SLICES:
        return None, ()
    # A slice at the magnet's centre has no position written at all.
    return count, tuple(tuple(centres.get(n, (0.0, 0.0, 0.0))) for n in range(count))
