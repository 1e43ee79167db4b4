"""The brain and the head of a CT: soft tissue that bone closes in, and what is around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import STEP_MM, Bools, Field, Floats

SKIN_HU: Final = -300.0
BONE_HU: Final = 180.0
_TISSUE_HU: Final = (-25.0, 130.0)
_CORE_MM: Final = 8.0
_BACK_MM: Final = 11.0
_LEAST_AREA_MM2: Final = 1300.0
_STEM_MM: Final = 30.0
_METAL_HU: Final = 2950.0
_METAL_ML: Final = 0.1
_METAL_NEAR_MM: Final = 15.0
_CLOSED: Final = 0.95
_SKULL: Final = 0.6
_LEAST_CORE_MM3: Final = 100_000
_RAY_MM: Final = 22.0


@dataclass(frozen=True, eq=False)
class Found:
    """Brain, what runs down from it into the spinal canal, and head, shape (r, a, s)."""

    brain: Bools
    stem: Bools
    body: Bools


def is_hounsfield(values: npt.NDArray[Any]) -> bool:
    """Whether values look like Hounsfield units: air near -1000, and tissue around 0.

    Parameters
    ----------
    values : ndarray
        Of a scan, any shape.
    """
    every = max(1, round((values.size / 500_000) ** (1 / max(values.ndim, 1))))
    some = values[(slice(None, None, every),) * values.ndim].astype(np.float64)
    some = some[np.isfinite(some)]
    if some.size == 0 or some.min() > -900 or some.max() < 150 or some.max() > 40_000:
        return False
    air = np.mean((some > -1100) & (some < -900))
    tissue = np.mean((some > -150) & (some < 200))
    between = np.mean((some > -850) & (some < -250))
    return bool(air > 0.02 and tissue > 0.02 and between < 0.5)


def head_of(field: Field) -> Found:
    """Return brain and head.

    Raises
    ------
    FaceUnsure
        When no brain is closed in by bone.
    """
    brain, stem = _brain(field)
    return Found(brain, stem, body_around(field.values > SKIN_HU, brain))


def body_around(above: Bools, brain: Bools) -> Bools:
    """Return the part of what is brighter than air that hangs together with the brain.

    Thin things that touch it, as a headrest does, are left out.
    """
    from scipy import ndimage

    ball = ndimage.generate_binary_structure(3, 1)
    eroded = ndimage.binary_erosion(above, ball)
    labels, _ = ndimage.label(eroded)
    at = np.bincount(labels[brain & eroded], minlength=1)
    at[0] = 0
    if not at.any():
        raise FaceUnsure(Doubt.MASK_OUTSIDE)
    trunk = labels == int(at.argmax())
    near = ndimage.binary_dilation(trunk, ball, iterations=3)
    body: Bools = near & above
    return body


def _brain(field: Field) -> tuple[Bools, Bools]:
    from scipy import ndimage

    tissue = (field.values > _TISSUE_HU[0]) & (field.values < _TISSUE_HU[1]) & field.inside
    bone = field.values > BONE_HU
    free = ndimage.binary_closing(tissue) & ~bone & field.inside
    depth = ndimage.distance_transform_edt(free, sampling=STEP_MM)
    labels, count = ndimage.label(depth > _CORE_MM)
    if not count:
        raise FaceUnsure(Doubt.NO_SKULL)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    large = [n for n in np.argsort(sizes)[::-1][:3] if sizes[n] * STEP_MM**3 >= _LEAST_CORE_MM3]
    shares = [enclosed_share(labels == label, bone) for label in large]
    if not shares or max(shares) < _SKULL:
        raise FaceUnsure(Doubt.NO_SKULL)
    best = labels == large[int(np.argmax(shares))]
    near = ndimage.distance_transform_edt(~best, sampling=STEP_MM) <= _BACK_MM
    brain, stem = parted(ndimage.binary_fill_holes(near & free))
    if enclosed_share(brain, bone) < _CLOSED:
        raise FaceUnsure(Doubt.OPEN_SKULL)
    return brain, stem


def parted(brain: Bools) -> tuple[Bools, Bools]:
    """Part a brain from what is narrow below it.

    Parameters
    ----------
    brain : ndarray of bool, shape (r, a, s)
        All that hangs together inside the skull.

    Returns
    -------
    tuple of ndarray of bool
        The brain, and 30 mm of the stem: what leaves the skull.
    """
    area = np.count_nonzero(brain, axis=(0, 1)) * STEP_MM**2
    widest = int(area.argmax())
    narrow = np.flatnonzero(area[:widest] < _LEAST_AREA_MM2)
    neck = int(narrow[-1]) + 1 if narrow.size else 0
    upper, stem = brain.copy(), brain.copy()
    upper[:, :, :neck] = False
    stem[:, :, neck:] = False
    stem[:, :, : max(0, neck - round(_STEM_MM / STEP_MM))] = False
    return upper, stem


def enclosed_share(brain: Bools, bone: Bools) -> float:
    """Return the share of rays, level or upwards from the middle, that leave through bone.

    A ray counts when bone lies within 22 mm beyond the last voxel of the brain on it. Rays
    that leave the grid before that count as not closed.
    """
    at = np.argwhere(brain)
    middle = at.mean(axis=0)
    rays = _rays()
    reach = int(260 / STEP_MM)
    steps = np.arange(reach, dtype=np.float64)
    where = np.rint(middle + rays[:, None, :] * steps[:, None]).astype(int)
    limits = np.array(brain.shape)
    valid = np.all((where >= 0) & (where < limits), axis=2)
    where = np.clip(where, 0, limits - 1)
    on = tuple(np.moveaxis(where, 2, 0))
    in_brain, in_bone = brain[on] & valid, bone[on] & valid
    last = reach - 1 - in_brain[:, ::-1].argmax(axis=1)
    beyond = steps[None, :] - last[:, None]
    hit = in_bone & (beyond > 0) & (beyond * STEP_MM <= _RAY_MM)
    return float(hit.any(axis=1).mean())


def _rays() -> Floats:
    """Directions spread evenly over the upper half of a sphere, and level."""
    n = np.arange(400) + 0.5
    up = n / 400
    turn = np.pi * (1 + 5**0.5) * n
    flat = np.sqrt(1 - up**2)
    rays: Floats = np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)
    return rays


def require_no_metal(volume: npt.NDArray[Any], field: Field, brain: Bools) -> None:
    """Refuse metal at the brain: what is bone and what is tissue cannot be told there."""
    from scipy import ndimage

    voxel_ml = abs(float(np.linalg.det(field.matrix[:3, :3]))) / 1000
    metal = np.argwhere(volume >= _METAL_HU)
    if len(metal) * voxel_ml < _METAL_ML:
        return
    points = metal @ field.matrix[:3, :3].T + field.matrix[:3, 3]
    at = np.rint((points - field.origin_ras) / STEP_MM).astype(int)
    at = np.clip(at, 0, np.array(brain.shape) - 1)
    away = ndimage.distance_transform_edt(~brain, sampling=STEP_MM)
    near = np.count_nonzero(away[tuple(at.T)] < _METAL_NEAR_MM)
    if near * voxel_ml >= _METAL_ML:
        raise FaceUnsure(Doubt.METAL)
