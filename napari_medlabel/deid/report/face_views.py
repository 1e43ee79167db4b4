"""A head from three sides, shaded by depth, and its middle slice: whether a face is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.ct import is_hounsfield
from napari_medlabel.deid.report.pictures import LARGE, Picture, shrunk
from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.registry import find_series, read_series
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.volume import Volume

_STEP_MM: Final = 1.5
_SKIN_HU: Final = -300.0
_MOST: Final = 1 << 24  # voxels of the head as it is drawn
_SMOOTH: Final = 0.8  # voxels
_FAR_MM: Final = 160.0  # behind the nearest skin: half as bright
_DARKEST: Final = 0.15
_MIDDLE: Final = (0.5, 99.5)  # per cent of a slice's values between black and white
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


def face_views(path: Path, alt: str, *, largest: int = LARGE) -> tuple[Picture, ...]:
    """Return pictures in which a face would be seen.

    Parameters
    ----------
    path : Path
        One file, or the folder of a series: CT, MR or PET with a place in the patient.
    alt : str
        What it is, in words.
    largest : int
        Rows and columns at most.

    Returns
    -------
    tuple of Picture
        The head from the front, from its left and from its right, nearer skin brighter; and a
        sagittal slice through the middle. Empty where the files are not one volume.
    """
    try:
        found = [info for info in find_series(path).series if info.slices == "places"]
        if len(found) != 1 or found[0].grid is None:
            return ()
        require_room(2 * found[0].grid.size)
        volume = read_series(found[0], hashes=False)
    except (MedlabelError, OSError):
        return ()
    return tuple(_drawn(volume, alt, largest))


def _drawn(volume: Volume, alt: str, largest: int) -> Iterator[Picture]:
    """Draw the views one after another."""
    head, step_mm = _along_ras(volume)
    if min(head.shape) < 2:
        return
    inside = head > _skin(volume, head)
    sides = (
        ("from the front", inside[::-1, ::-1, ::-1].transpose(1, 2, 0)),
        ("from its left", inside[:, ::-1, ::-1].transpose(0, 2, 1)),
        ("from its right", inside[::-1, :, ::-1].transpose(0, 2, 1)),
    )
    for words, towards in sides:
        yield shrunk(_shaded(towards, step_mm), f"{alt}, {words}", largest)
    middle = head[head.shape[0] // 2, ::-1, ::-1].T
    yield shrunk(_grey(middle), f"{alt}, slice through the middle", largest)


def _along_ras(volume: Volume) -> tuple[Floats, float]:
    """Return a scan on a grid along R, A and S, and the grid's step in mm."""
    from scipy import ndimage

    matrix = volume.grid.affine.matrix
    corners = volume.grid.corners_ras()
    low, extent = corners.min(axis=0), np.ptp(corners, axis=0)
    step_mm = max(_STEP_MM, float(np.cbrt(np.prod(np.maximum(extent, 1.0)) / _MOST)))
    inward = np.linalg.inv(matrix) @ np.block(
        [[np.eye(3) * step_mm, low[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]]
    )
    shape = tuple(int(size) for size in np.floor(extent / step_mm) + 1)
    values: Floats = ndimage.affine_transform(
        volume.array,
        inward[:3, :3],
        inward[:3, 3],
        shape,
        output=np.float32,
        order=1,
        mode="constant",
        cval=float(volume.array.min()),
        prefilter=False,
    )
    return np.nan_to_num(ndimage.gaussian_filter(values, _SMOOTH)), step_mm


def _skin(volume: Volume, head: Floats) -> float:
    """Return the value between air and skin."""
    from skimage.filters import threshold_otsu

    if volume.modality == "CT" or is_hounsfield(head):
        return _SKIN_HU
    low, high = (float(v) for v in np.percentile(head, (1, 98)))
    return 0.5 * (low + float(threshold_otsu(np.minimum(head, high))))


def _shaded(towards: Bools, step_mm: float) -> Bytes:
    """Return what is seen of a body, axis 0 leading away from the eye: near is bright."""
    seen = towards.any(axis=0)
    if not seen.any():
        return np.zeros(seen.shape, np.uint8)
    depth = towards.argmax(axis=0) * step_mm
    depth = np.where(seen, depth, depth[seen].max())
    down, across = (np.gradient(depth, step_mm, axis=axis) for axis in (0, 1))
    facing = 1 / np.sqrt(1 + down**2 + across**2)
    near = 1 - 0.5 * np.clip((depth - depth.min()) / _FAR_MM, 0, 1)
    light = np.where(seen, _DARKEST + (1 - _DARKEST) * facing * near, 0)
    result: Bytes = np.rint(255 * light).astype(np.uint8)
    return result


def _grey(values: Floats) -> Bytes:
    low, high = (float(v) for v in np.percentile(values, _MIDDLE))
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    result: Bytes = np.rint(255 * share).astype(np.uint8)
    return result
