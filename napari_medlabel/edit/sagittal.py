"""Mirror labels left and right about a sagittal plane of the patient, also on oblique grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.ledger import chosen
from napari_medlabel.edit.moving import (
    left_right_axis,
    mirror,
    place,
    refuse_too_large,
    renamed,
    taken_box,
)
from napari_medlabel.edit.moving_words import becoming
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine

_STRAIGHT: Final = 0.25  # voxels: so far from the grid's own mirror image nothing is resampled

Floats = npt.NDArray[np.float64]


def middle_mm(affine: Affine, shape: Sequence[int]) -> float:
    """Return where the sagittal plane through the middle of a scan lies, along x of RAS mm."""
    return float(affine.apply((np.asarray(shape, dtype=np.float64) - 1) / 2)[0])


def mirror_sagittal(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    affine: Affine,
    at_mm: float,
    keep: bool = False,
    becomes: Mapping[int, int] | None = None,
) -> Proposal | None:
    """Mirror labels about the patient's sagittal plane ``x = at_mm``.

    Where the grid stands straight to that plane, voxels fall on voxels as in
    `napari_medlabel.edit.moving.mirror`. On an oblique grid each voxel takes the label of the
    voxel nearest to its mirror image; the words say so.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    box : tuple of slice
        Where to take labels from, in (i, j, k); where they go is anywhere in the scan.
    values : sequence of int
        Labels.
    affine : Affine
        Of the scene's voxels, to RAS mm.
    at_mm : float
        Where the plane cuts the patient's left-right axis, RAS mm; see `middle_mm`.
    keep, becomes
        As in `napari_medlabel.edit.moving.mirror`.

    Returns
    -------
    Proposal or None
        Its words say what leaves the scan, and what other labels lose.

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the plane is at no number.
    """
    about = chosen(values)
    if not np.isfinite(at_mm):
        raise InputError(
            f"A sagittal plane lies at a number of mm; got {at_mm:g}.",
            hint="Choose a place in the scan.",
        )
    turn, start = _reflection(affine, at_mm)
    axis = left_right_axis(affine)
    middle = start[axis] / 2
    if _is_straight(turn, start, axis, scene.shape):
        return mirror(
            scene, box, values, axis=axis, centre_index=middle, keep=keep, becomes=becomes
        )
    names = {value: value for value in about} | dict(becomes or {})
    fresh = chosen(names[value] for value in about)
    refuse_too_large(scene, fresh)
    taken = taken_box(scene, box, about)
    goes = _image_of(taken, turn, start)

    def resampled(crop: LabelArray) -> LabelArray:
        return renamed(_nearest(crop, taken, goes, turn, start), names)

    how = f"mirrored about the sagittal plane {abs(at_mm):.1f} mm "
    how += f"{'right' if at_mm >= 0 else 'left'} of the origin, to the nearest voxel of an "
    how += f"oblique grid ({affine.oblique_deg:.1f} degrees)"
    return place(
        scene, taken, goes, (about, tuple(dict.fromkeys((*about, *fresh)))), resampled,
        keep=keep,
        say=("Mirror", "classical", "assisted",
             lambda found: how + becoming(found, names, keep)),
    )  # fmt: skip


def _reflection(affine: Affine, at_mm: float) -> tuple[Floats, Floats]:
    """Return the mirror image of a voxel index as a matrix and a start; its own inverse."""
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    flip[0, 3] = 2 * at_mm
    full: Floats = np.linalg.inv(affine.matrix) @ flip @ affine.matrix
    return full[:3, :3], full[:3, 3]


def _is_straight(turn: Floats, start: Floats, axis: int, shape: Sequence[int]) -> bool:
    """Tell whether the grid's own mirror image, at the nearest half voxel, is as good."""
    plain, begin = np.eye(3), np.zeros(3)
    plain[axis, axis], begin[axis] = -1.0, start[axis]
    corners = np.array(list(product(*[(0, n - 1) for n in shape])), dtype=np.float64)
    off = corners @ (turn - plain).T + (start - begin)
    return bool(np.abs(off).max() <= _STRAIGHT)


def _image_of(box: Box, turn: Floats, start: Floats) -> Box:
    """Return the box around the mirror image of a box; it may reach beyond the scan."""
    ends = [(part.start - 0.5, part.stop - 0.5) for part in box]
    corners = np.array(list(product(*ends))) @ turn.T + start
    i, j, k = (
        slice(int(np.floor(low)), int(np.ceil(high)) + 1)
        for low, high in zip(corners.min(axis=0), corners.max(axis=0), strict=True)
    )
    return i, j, k


def _nearest(
    crop: LabelArray, taken: Box, goes: Box, turn: Floats, start: Floats
) -> npt.NDArray[Any]:
    """Return the labels of a box, each that of the voxel nearest to its mirror image."""
    i, j = np.arange(goes[0].start, goes[0].stop), np.arange(goes[1].start, goes[1].stop)
    first = [part.start for part in taken]
    out = np.zeros([part.stop - part.start for part in goes[::-1]], dtype=crop.dtype)
    for plane, k in zip(out, range(goes[2].start, goes[2].stop), strict=True):
        at = [
            np.floor(
                turn[x, 0] * i[None, :] + turn[x, 1] * j[:, None] + turn[x, 2] * k + start[x]
                + 0.5
            ).astype(np.intp) - first[x]
            for x in (0, 1, 2)
        ]  # fmt: skip
        inside = np.ones(plane.shape, dtype=bool)
        for along, size in zip(at, crop.shape, strict=True):
            inside &= (along >= 0) & (along < size)
        plane[inside] = crop[tuple(along[inside] for along in at)]
    return out.T
