"""What moved labels become and where they go, in words for a proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.ledger import label_words
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import nearest_axes

_ENDS: Final = (("right", "left"), ("front", "back"), ("head", "feet"))
"""Where the axes of RAS grow to, and where they come from."""


def becoming(values: Sequence[int], names: Mapping[int, int], keep: bool) -> str:
    """Say what mirrored labels become, and that they stay, as the end of a sentence."""
    new = [value for value in values if names[value] != value]
    if len(values) == 1 and new:
        words = f" and becomes {label_words([names[values[0]]])}"
    else:
        pairs = (f"{label_words([v])} becomes {label_words([names[v]])}" for v in new)
        words = "".join(f", {pair}" for pair in pairs)
    stays = "the original stays" if len(values) == 1 else "the originals stay"
    return f"{words}; {stays}" if keep else words


def directions(moved_mm: npt.ArrayLike, affine: Affine | None) -> str:
    """Say how far something moves: ``"2 mm to the left, 5 mm to the head"``.

    Parameters
    ----------
    moved_mm : array_like, shape (3,)
        Along the voxel axes i, j and k, in mm.
    affine : Affine, optional
        Of the voxels, to RAS mm; without one the voxel axes are named.
    """
    moved = np.asarray(moved_mm, dtype=np.float64)
    if affine is None:
        return f"by {', '.join(f'{mm:g}' for mm in moved)} mm along i, j, k"
    axes, signs = nearest_axes(affine.matrix[:3, :3])
    parts = []
    for world, ends in enumerate(_ENDS):
        own = axes.index(world)
        mm = float(moved[own]) * signs[own]
        if mm:
            parts.append(f"{abs(mm):g} mm to the {ends[mm < 0]}")
    return ", ".join(parts)
