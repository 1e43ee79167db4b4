"""Scissors: an outline drawn on one slice cuts through all slices of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.label_value import of_mask
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.outline import enclosed
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene
from napari_medlabel.errors import InputError

Cut = Literal["erase_inside", "erase_outside", "fill_inside"]

_NAMES: Final[dict[Cut, str]] = {
    "erase_inside": "Cut away inside",
    "erase_outside": "Cut away outside",
    "fill_inside": "Fill cut",
}


def cut(
    scene: Scene,
    box: Box,
    points_ijk: npt.ArrayLike,
    axis: int,
    *,
    mode: Cut,
    value: int = 0,
    values: Sequence[int] = (),
) -> Proposal | None:
    """Cut along an outline, straight along a voxel axis, through all slices of a box.

    Parameters
    ----------
    scene : Scene
        What is worked on.
    box : tuple of slice
        Where, in (i, j, k): a slice, a slab or all.
    points_ijk : array_like, shape (n, 3)
        Corners of the closed outline in fractional voxels; only their place across ``axis``
        counts.
    axis : int
        Voxel axis that the cut goes along: 0 for i, 1 for j, 2 for k.
    mode : str
        ``erase_inside``, ``erase_outside`` (within the box) or ``fill_inside``.
    value : int
        With ``fill_inside``: the label to give.
    values : sequence of int
        When erasing: the labels to take away; empty for all.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the mode is none of the three, the outline has fewer than 3 corners, or there is
        no label to fill with.
    """
    if mode not in get_args(Cut):
        raise InputError(
            "Scissors erase inside, erase outside or fill inside.",
            hint="mode: " + ", ".join(get_args(Cut)),
        )
    if mode == "fill_inside" and value < 1:
        raise InputError("There is no label to fill with.", hint="Choose a segment first.")
    before = scene.labels[box]
    inside = np.broadcast_to(enclosed(points_ijk, axis, within=box), before.shape)
    if mode == "fill_inside":
        after = np.where(inside.T, of_mask(value, before.dtype), before.T).T
        return scene.propose(box, after, name=_NAMES[mode], values=(value,))
    gone = (inside if mode == "erase_inside" else ~inside).T
    chosen = tuple(v for v in values if v)
    if chosen:
        gone = gone & _having(before, chosen)
    after = np.where(gone, before.dtype.type(0), before.T).T
    # Without a choice it is about all labels, so that only locks and areas hold it back.
    about = chosen or tuple(
        int(v) for v in np.unique(before[inside != (mode != "erase_inside")])
    )
    return scene.propose(box, after, name=_NAMES[mode], values=about)


def _having(labels: LabelArray, values: Sequence[int]) -> BoolArray:
    """Return which voxels have one of some labels, in memory order (k, j, i)."""
    table = np.zeros(int(np.iinfo(labels.dtype).max) + 1, dtype=bool)
    table[[v for v in values if v < table.size]] = True
    having: BoolArray = table[labels.T]
    return having
