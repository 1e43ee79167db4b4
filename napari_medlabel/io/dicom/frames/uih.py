"""UIH grids: a picture of tiles whose private sequence has the position of each slice."""

from __future__ import annotations

import math
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.nested import Item

COUNT: Final = 0x00650050
SLICES: Final = 0x00650051
_CREATOR = "IMAGE PRIVATE HEADER"
_POSITION = 0x00200032
_AGAIN = "Export the series again, as one file for each slice."


def slice_positions(whole: Item) -> tuple[tuple[float, ...], ...]:
    """Return Image Position (Patient) of each tile, in the order of the tiles; mm, LPS.

    Raises
    ------
    InputError
        When the private sequence is missing, or contradicts its own count.
    """
    items = whole.sequences.get(whole.private(0x0065, _CREATOR, SLICES & 0xFF), [])
    if not items:
        raise InputError(
            "The picture is a grid of slices and nothing says where they lie: the private "
            "sequence with their positions is missing.",
            hint=_AGAIN,
        )
    count = whole.number(whole.private(0x0065, _CREATOR, COUNT & 0xFF))
    if count is not None and int(count) != len(items):
        raise InputError(
            f"The grid is expected to have {len(items)} slices by its list of positions and "
            f"{int(count)} by its count.",
            hint=_AGAIN,
        )
    positions = tuple(item.numbers(_POSITION) for item in items)
    if any(len(position) != 3 for position in positions):
        raise InputError(
            "Image Position (Patient) is expected for each slice of the grid; it is missing "
            "for some.",
            hint=_AGAIN,
        )
    return positions


def tile_layout(count: int) -> tuple[int, int]:
    """Return how many rows and columns of tiles a grid of that many slices has."""
    across = math.isqrt(count - 1) + 1
    return -(-count // across), across
