"""A mask of the whole head: told from one of the brain, and the brain that must lie in it.

The mask says where the skin is. The brain is then what the scan shows as one large piece deep
inside: never nearer to the skin than its bone, and as far out to all sides as a brain is. Where
one of that is not so, nothing is decided.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.check import BRAIN_ML
from napari_medlabel.deid.faces.ct import parted
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import STEP_MM, Bools, Field, Floats

MOST_BRAIN_ML: Final = BRAIN_ML[1]
"""A mask of more than this is one of a head: no brain is as large, no head as small."""
_CORE_MM: Final = 7.0
_BACK_MM: Final = 9.0
_BONE_MM: Final = 4.0
_DEEP_MM: Final = 25.0
_FULL: Final = 0.98
_SOLID: Final = 0.80
_GAP_MM: Final = (4.0, 32.0)
_BRIGHT: Final = (0.5, 2.0)


def is_head(mask: Bools, matrix: Floats) -> bool:
    """Whether a mask given is one of the head, by its volume.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Of a brain or a head.
    matrix : ndarray, shape (4, 4)
        Voxel index to RAS mm.
    """
    voxel_ml = abs(float(np.linalg.det(matrix[:3, :3]))) / 1000
    return float(np.count_nonzero(mask)) * voxel_ml > MOST_BRAIN_ML


def filled(head: Bools) -> Bools:
    """Return a mask of a head without hollows."""
    from scipy import ndimage

    whole: Bools = ndimage.binary_fill_holes(head)
    return whole


def brain_in(field: Field, head: Bools) -> tuple[Bools, Bools]:
    """Return the brain that a scan shows inside a head, generously, and its stem.

    Parameters
    ----------
    field : Field
        The scan: MR or PET, where bone is dark.
    head : ndarray of bool, shape (r, a, s)
        All of the head, without hollows.

    Raises
    ------
    FaceUnsure
        When that is not one solid piece, behind bone everywhere, and near to it everywhere.
    """
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(head, sampling=STEP_MM)
    inner = field.values[depth > _DEEP_MM + 15]
    if not inner.size:
        raise FaceUnsure(Doubt.HEAD_MASK)
    usual = float(np.median(inner))
    free = (field.values > _BRIGHT[0] * usual) & (field.values < _BRIGHT[1] * usual) & head
    inside = ndimage.distance_transform_edt(free, sampling=STEP_MM)
    labels, count = ndimage.label(inside > _CORE_MM)
    if not count:
        raise FaceUnsure(Doubt.HEAD_MASK)
    core = labels == int(np.bincount(labels.ravel())[1:].argmax()) + 1
    near = ndimage.distance_transform_edt(~core, sampling=STEP_MM) <= _BACK_MM
    brain, stem = parted(filled(near & free))
    _require_likely(brain, head, depth)
    return brain, stem


def _require_likely(brain: Bools, head: Bools, depth: npt.NDArray[Any]) -> None:
    """Refuse what touches the skin, has gaps, or ends far from the skin to any side."""
    points = np.argwhere(brain)
    low, high = points.min(axis=0), points.max(axis=0)
    upper = np.zeros_like(head)
    front = int(points[points[:, 1].argmax()][2])
    upper[:, :, front + 2 :] = depth[:, :, front + 2 :] > _DEEP_MM
    fits = (
        np.mean(depth[brain] > _BONE_MM) >= _FULL
        and upper.any()
        and np.mean(brain[upper]) >= _FULL
        and len(points) >= _SOLID * _hull_voxels(points)
    )
    for axis, ends in ((0, (low[0], high[0])), (1, (low[1], high[1])), (2, (high[2],))):
        for end in ends:
            level = points[points[:, axis] == end].mean(axis=0).round().astype(int)
            level[axis] = end
            gap = float(depth[tuple(level)])
            fits = fits and _GAP_MM[0] <= gap <= _GAP_MM[1]
    if not fits:
        raise FaceUnsure(Doubt.HEAD_MASK)


def _hull_voxels(points: npt.NDArray[Any]) -> float:
    """Return the volume of the hull around voxels, in voxels."""
    from scipy.spatial import ConvexHull

    return float(ConvexHull(points).volume)
