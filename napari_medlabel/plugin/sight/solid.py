"""Segments as bodies: one smooth surface for each, made apart from the window."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.display import Display

Tick = Callable[[int, int], None]

_ALONG: Final = 64
"""A segment is thinned until no side of its box has more samples."""
_HALF: Final = 0.5
_LIGHT: Final = np.array([0.5, -0.8, -0.33])
"""Where the light comes from, (S, P, L)."""


@dataclass(frozen=True, eq=False)
class Body:
    """The surface of one segment.

    Parameters
    ----------
    value : int
        Of the segment.
    points_zyx : ndarray of float32, shape (n, 3)
        Corners in displayed data coordinates (S, P, L), in voxels: never mirrored, for the
        camera is turned to match (see `napari_medlabel.plugin.orientation`).
    faces : ndarray of int32, shape (m, 3)
        Triangles, as indices of the corners.
    light : ndarray of float32, shape (n,)
        How bright each corner is, 0 to 1. napari's own light shines away from the eye where
        the camera is left-handed, as it must be here.
    """

    value: int
    points_zyx: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]
    light: npt.NDArray[np.float32]


def make_bodies(labels: LabelMap, display: Display, tick: Tick) -> list[Body]:
    """Return the surface of every segment that has voxels: marching cubes (Lewiner 2003).

    A large segment is thinned by the mean of blocks of voxels first: the picture is for a
    look, nothing is measured on it.

    Parameters
    ----------
    labels : LabelMap
        The mask; it may be painted on meanwhile.
    display : Display
        How its grid is laid out.
    tick : callable
        Called with (done, total); what it raises ends the work.
    """
    from scipy.ndimage import find_objects

    shown = display.show(labels.array)
    # The array as it lies in memory: three times as fast.
    boxes = find_objects(labels.array.T)
    total = len(boxes)
    bodies = []
    for number, found in enumerate(boxes):
        tick(number, total)
        if found is None:
            continue
        k, j, i = found
        made = _body(shown, _shown_box(display, (i, j, k)), number + 1, display.scale)
        if made is not None:
            bodies.append(made)
    tick(total, total)
    return bodies


def _shown_box(display: Display, box: tuple[slice, slice, slice]) -> tuple[slice, slice, slice]:
    parts = []
    for axis, flip in zip(display.order, display.flipped, strict=True):
        start, stop, _ = box[axis].indices(display.grid.shape[axis])
        n = display.grid.shape[axis]
        parts.append(slice(n - stop, n - start) if flip else slice(start, stop))
    return parts[0], parts[1], parts[2]


def _body(
    shown: npt.NDArray[Any],
    box: tuple[slice, slice, slice],
    value: int,
    scale: tuple[float, float, float],
) -> Body | None:
    from skimage.measure import marching_cubes

    # About the same in mm along all axes, so that flat voxels are not thinned further.
    finest = max(
        max((part.stop - part.start) * mm for part, mm in zip(box, scale, strict=True))
        / _ALONG,
        min(scale),
    )
    steps = [max(1, int(finest / mm + 1e-6)) for mm in scale]
    filled = _thinned(shown[box] == value, steps)
    most = float(filled.max())
    if most == 0.0:
        return None
    padded = np.pad(filled, 1)
    corners, faces, normals, _ = marching_cubes(padded, level=min(_HALF, most / 2))
    start = np.array([part.start for part in box], dtype=np.float64)
    # Back from samples to voxels: the first sample is the middle of the first block.
    step = np.array(steps, dtype=np.float64)
    points = start + (corners - 1.0) * step + (step - 1.0) / 2.0
    return Body(
        value, points.astype(np.float32), faces.astype(np.int32), _light(normals, step, scale)
    )


def _light(
    normals: FloatArray, step: FloatArray, scale: tuple[float, float, float]
) -> npt.NDArray[np.float32]:
    """Return how bright each corner is, 0 to 1: light comes from the front and above."""
    inwards = normals / (step * np.array(scale))
    inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-12)
    bright: npt.NDArray[np.float32] = (0.55 + 0.45 * (inwards @ _LIGHT)).astype(np.float32)
    return bright


def _thinned(mask: npt.NDArray[np.bool_], steps: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return the part of each block that is filled, shape as many blocks, 0 to 1."""
    if max(steps) == 1:
        return mask.astype(np.float32)
    more = [(0, -n % step) for n, step in zip(mask.shape, steps, strict=True)]
    mask = np.pad(mask, more)
    z, y, x = (n // step for n, step in zip(mask.shape, steps, strict=True))
    blocks = mask.reshape(z, steps[0], y, steps[1], x, steps[2])
    mean: npt.NDArray[np.float32] = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return mean


def joined(
    bodies: Sequence[Body],
    colours: Mapping[int, tuple[float, ...]],
    hidden: Collection[int],
) -> tuple[FloatArray, npt.NDArray[np.int32], FloatArray] | None:
    """Return bodies as one: corners (n, 3), triangles (m, 3) and a colour (n, 4) for each.

    Parameters
    ----------
    bodies : sequence of Body
        Of the segments.
    colours : mapping
        Red, green, blue, 0 to 1, for each value.
    hidden : collection of int
        Values that are not to be seen.

    Returns
    -------
    tuple or None
        None when nothing is to be seen.
    """
    seen = [body for body in bodies if body.value not in hidden]
    if not seen:
        return None
    begins = np.cumsum([0, *(len(body.points_zyx) for body in seen[:-1])])
    points = np.concatenate([body.points_zyx for body in seen])
    faces = np.concatenate(
        [body.faces + int(begin) for body, begin in zip(seen, begins, strict=True)]
    )
    grey = (0.6, 0.6, 0.6)
    tints = [(*colours.get(body.value, grey)[:3], 1.0) for body in seen]
    each = np.repeat(np.array(tints), [len(body.points_zyx) for body in seen], axis=0)
    each[:, :3] *= np.concatenate([body.light for body in seen])[:, None]
    return points, faces.astype(np.int32), each
