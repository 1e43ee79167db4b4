"""Colour pixels of DICOM -> red, green and blue bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.coding import PALETTE, Coding
from napari_medlabel.io.dicom.quiet import little_words

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
_LARGEST_TABLE: Final = 1 << 16
NARROWED: Final = (
    "Colours of more than 8 bits per channel are shown with 8; their lowest bits are left out."
)
_CONVERTED: Final = frozenset({"YBR_FULL", "YBR_FULL_422"})


@dataclass(frozen=True, eq=False)
class Palette:
    """A colour look-up table, PS3.3 C.7.9.

    Parameters
    ----------
    first : int
        Stored value of the first entry; values below have its colour, those beyond the last
        entry the last one's.
    entries : ndarray of uint8, shape (n, 3)
        Red, green, blue.
    is_narrowed : bool
        Whether its 16-bit entries had more than their upper 8 bits.
    """

    first: int
    entries: Bytes
    is_narrowed: bool


def is_colour(coding: Coding) -> bool:
    """Tell whether pixels are colours."""
    return coding.samples == 3 or coding.photometric == PALETTE


def to_rgb(
    frame: Array, coding: Coding, *, is_rgb: bool | None, palette: Palette | None
) -> Bytes:
    """Return the colours of stored values.

    Parameters
    ----------
    frame : ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored values as they are coded.
    coding : Coding
        What the file's header says.
    is_rgb : bool or None
        What the code stream says of its samples; it decides over the header.
    palette : Palette or None
        For palette colours.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    if palette is not None:
        index = frame.astype(np.int64) - palette.first
        found: Bytes = palette.entries[np.clip(index, 0, len(palette.entries) - 1)]
        return found
    if frame.dtype.itemsize > 1 or coding.stored < 8:
        frame = _to_bytes(frame, coding.stored)
    values: Bytes = frame.view(np.uint8)
    if is_rgb is None:
        is_rgb = coding.photometric not in _CONVERTED
    return values if is_rgb else from_ybr(values)


def from_ybr(values: Bytes) -> Bytes:
    """Convert YBR_FULL to RGB, PS3.3 C.7.6.3.1.2: full range, ITU-R BT.601.

    Parameters
    ----------
    values : ndarray of uint8, shape (..., 3)

    Returns
    -------
    ndarray of uint8, shape (..., 3)
    """
    blue, red = values[..., 1].astype(np.float32) - 128, values[..., 2].astype(np.float32) - 128
    bright = values[..., 0].astype(np.float32)
    out = np.empty(values.shape, np.float32)
    out[..., 0] = bright + 1.402 * red
    out[..., 1] = bright - (0.114 * 1.772 / 0.587) * blue - (0.299 * 1.402 / 0.587) * red
    out[..., 2] = bright + 1.772 * blue
    rounded: Bytes = np.clip(np.rint(out), 0, 255).astype(np.uint8)
    return rounded


def read_palette(header: Any, coding: Coding) -> Palette:
    """Read the Palette Color Lookup Tables of a file's header, segmented ones too.

    Parameters
    ----------
    header : pydicom.Dataset
        With the tables' descriptors and data.
    coding : Coding
        How its pixels are coded.

    Raises
    ------
    InputError
        When a table is missing, or has another length than its descriptor says.
    """
    channels, firsts = [], set()
    wide = False
    for name in ("Red", "Green", "Blue"):
        descriptor = _descriptor(header, name)
        count = descriptor[0] or _LARGEST_TABLE
        first = descriptor[1]
        if coding.signed and first >= 1 << 15:
            first -= 1 << 16
        entries = _entries(header, name, count, descriptor[2])
        # A lower byte that repeats the upper one says nothing more than it.
        lower, upper = entries & 0xFF, entries >> 8
        wide |= descriptor[2] == 16 and bool(((lower != 0) & (lower != upper)).any())
        channels.append((entries >> 8 if descriptor[2] == 16 else entries).astype(np.uint8))
        firsts.add((first, count))
    if len(firsts) != 1:
        raise _bad_palette("differ in length or in their first value")
    return Palette(firsts.pop()[0], np.stack(channels, axis=1), is_narrowed=wide)


def _descriptor(header: Any, name: str) -> tuple[int, int, int]:
    value = header.get(f"{name}PaletteColorLookupTableDescriptor")
    parts = tuple(value) if isinstance(value, list | tuple) or hasattr(value, "append") else ()
    if len(parts) != 3 or any(not isinstance(part, int) for part in parts):
        raise _bad_palette("are missing or have no descriptor")
    count, first, bits = (int(part) for part in parts)
    if bits not in (8, 16):
        raise _bad_palette(f"have entries of {bits} bits; 8 or 16 are expected")
    return count & 0xFFFF, first, bits


def _entries(header: Any, name: str, count: int, bits: int) -> Array:
    plain = header.get(f"{name}PaletteColorLookupTableData")
    if plain:
        return _whole_table(little_words(bytes(plain), header), count, bits)
    pieces = header.get(f"Segmented{name}PaletteColorLookupTableData")
    if not pieces:
        raise _bad_palette("have no entries")
    data = little_words(bytes(pieces), header)
    if bits == 8:
        words = np.frombuffer(data, np.uint8).astype(np.int64)
    else:
        words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").astype(np.int64)
    return _unfold(words, count, bits)


def _whole_table(data: bytes, count: int, bits: int) -> Array:
    if bits == 16 and len(data) // 2 >= count:
        return np.frombuffer(data, "<u2", count).astype(np.int64)
    if bits == 8 and len(data) >= 2 * count:
        # Each 8-bit entry in a word of its own, as some writers do.
        return np.frombuffer(data, "<u2", count).astype(np.int64) & 0xFF
    if bits == 8 and len(data) >= count:
        return np.frombuffer(data, np.uint8, count).astype(np.int64)
    if bits == 16 and len(data) in (count, count + count % 2):
        # The descriptor says 16 bits and the table has bytes, PS3.3 C.7.6.3.1.5's old note.
        return np.frombuffer(data, np.uint8, count).astype(np.int64) << 8
    raise _bad_palette("are shorter than their descriptor says")


def _unfold(words: Array, count: int, bits: int) -> Array:
    """Unfold discrete, linear and indirect segments, PS3.3 C.7.9.2."""
    table: list[int] = []
    at, starts = 0, []
    while at + 1 < len(words) and len(table) < count:
        starts.append(at)
        kind = int(words[at])
        if kind == 2:
            width = 4 if bits == 8 else 2
            back, shift = int(words[at + 1]), words[at + 2 : at + 2 + width]
            # In bytes, from the beginning of the data.
            offset = sum(int(part) << (bits * n) for n, part in enumerate(shift))
            _repeat(table, words, (back, offset * 8 // bits), starts, count)
            at += 2 + width
        else:
            at = _segment(table, words, at, count)
    if len(table) != count:
        raise _bad_palette("are shorter than their descriptor says")
    return np.array(table, np.int64)


def _repeat(
    table: list[int], words: Array, which: tuple[int, int], starts: list[int], count: int
) -> None:
    """Append the segments that an indirect one points to, by their offset in the data."""
    back, offset = which
    if offset not in starts[:-1]:
        raise _bad_palette("refer to a segment that does not exist")
    first = starts.index(offset)
    for at in starts[first : first + back]:
        if int(words[at]) == 2:
            raise _bad_palette("refer to a segment that refers to others")
        _segment(table, words, at, count)


def _segment(table: list[int], words: Array, at: int, count: int) -> int:
    """Append a discrete or a linear segment; return where the next one begins."""
    kind, length = int(words[at]), int(words[at + 1])
    if kind == 0 and at + 2 + length <= len(words):
        table.extend(int(value) for value in words[at + 2 : at + 2 + length])
        end = at + 2 + length
    elif kind == 1 and at + 3 <= len(words) and table:
        last, goal = table[-1], int(words[at + 2])
        steps = np.linspace(last, goal, length + 1)[1:]
        table.extend(int(value) for value in np.rint(steps))
        end = at + 3
    else:
        raise _bad_palette("have a segment of unknown kind or cut off")
    if len(table) > count:
        raise _bad_palette("are longer than their descriptor says")
    return end


def _to_bytes(frame: Array, stored: int) -> Bytes:
    """Scale channels to 8 bits: their upper ones, or all there are stretched."""
    if stored >= 8:
        return (frame >> (stored - 8)).astype(np.uint8)
    return (frame.astype(np.uint16) * 255 // ((1 << stored) - 1)).astype(np.uint8)


def _bad_palette(what: str) -> InputError:
    return InputError(
        f"The Palette Color Lookup Tables {what}.",
        hint="Export the series again as RGB.",
    )
