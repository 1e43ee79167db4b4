"""Where the face is in a head scan, and when that is certain enough to remove it.

CT alone: the brain is what bone closes in. MR and PET: the brain is a mask that is given.
Everything else about the cut follows from the brain (`faces_cut`); what must hold before and
after is checked (`faces_check`), and any doubt is an answer too: `FaceUnsure`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces import check as faces_check
from napari_medlabel.deid.faces.ct import (
    SKIN_HU,
    body_around,
    head_of,
    is_hounsfield,
    require_no_metal,
)
from napari_medlabel.deid.faces.cut import FaceCut, cut_around
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import STEP_MM, Bools, Field, Floats, carried, coarse
from napari_medlabel.deid.faces.head_mask import brain_in, filled, is_head

__all__ = ["AIR_HU", "Doubt", "FaceCut", "FaceFound", "FaceUnsure", "air_value", "find_face"]

AIR_HU: Final = -1000.0
_FAR_MM: Final = 6.0
_INSIDE: Final = 0.8
_BONE_STEPS: Final = 4
_ROUND_STEPS: Final = 1  # around a mask of a head, and around the brain found in it


@dataclass(frozen=True, eq=False)
class FaceFound:
    """A face that can be removed.

    Parameters
    ----------
    cut : FaceCut
        What is blanked, in the patient.
    matrix : ndarray, shape (4, 4)
        Voxel index to RAS mm.
    shape : tuple of int
        Sizes i, j, k.
    surface : float
        Share of the face's surface that goes.
    brain_ml : float
        Volume of the brain that is kept, in ml.
    """

    cut: FaceCut
    matrix: Floats
    shape: tuple[int, int, int]
    surface: float
    brain_ml: float

    def mask(self) -> Bools:
        """Return the voxels to blank, shape (i, j, k)."""
        return self.cut.volume_mask(self.matrix, self.shape)


def find_face(
    volume: npt.NDArray[Any],
    matrix: npt.ArrayLike,
    *,
    modality: str,
    brain: npt.NDArray[Any] | None = None,
) -> FaceFound:
    """Find the face of a head scan.

    Parameters
    ----------
    volume : ndarray, shape (i, j, k)
        Hounsfield units for CT, else intensities.
    matrix : array_like, shape (4, 4)
        Voxel index to RAS mm: any of the 48 orientations, oblique or tilted.
    modality : str
        ``"CT"``, or anything else, which needs a mask.
    brain : ndarray, shape (i, j, k), optional
        Nonzero where a user says that the brain is; or all of the head, which is told by its
        volume: more than 2100 ml.

    Returns
    -------
    FaceFound
        The cut takes no voxel of the brain (of the mask, or of all soft tissue that bone
        closes in), and nearly all of the face's surface.

    Raises
    ------
    FaceUnsure
        With the reason, wherever that is not certain.
    """
    grid = np.asarray(matrix, dtype=np.float64)
    if volume.ndim != 3 or min(volume.shape) < 2:
        raise FaceUnsure(Doubt.NOT_A_VOLUME)
    if float(np.linalg.norm(grid[:3, :3], axis=0).max()) > _FAR_MM:
        raise FaceUnsure(Doubt.FAR_SLICES)
    if modality == "CT" and not is_hounsfield(volume):
        raise FaceUnsure(Doubt.NOT_HU)
    if brain is None and modality != "CT":
        raise FaceUnsure(Doubt.NEEDS_MASK)
    field = coarse(volume, grid)
    if brain is None:
        return _by_skull(volume, field)
    mask = np.asarray(brain) != 0
    if mask.shape == volume.shape and is_head(mask, grid):
        return _by_head(volume, field, filled(carried(mask, field)), modality)
    return _by_mask(volume, field, mask, modality)


def _by_skull(volume: npt.NDArray[Any], field: Field) -> FaceFound:
    """CT alone."""
    found = head_of(field)
    faces_check.require_brain(field, found.brain)
    faces_check.require_whole(field, found.brain)
    require_no_metal(volume, field, found.brain)
    faces_check.require_head(field, found.body, found.brain)
    faces_check.nose_of(field, found.body, found.brain)
    stem = field.points(found.stem)
    cut = cut_around(field.points(found.brain), ghosts=False, stem_ras=stem)
    return _checked(field, found.body, found.brain, cut)


def _by_mask(volume: npt.NDArray[Any], field: Field, brain: Bools, modality: str) -> FaceFound:
    """Any head, by the user's mask of the brain."""
    if brain.shape != volume.shape or not brain.any():
        raise FaceUnsure(Doubt.MASK_EMPTY)
    small = carried(brain, field)
    faces_check.require_brain(field, small)
    above = field.values > (SKIN_HU if modality == "CT" else _threshold(field))
    body = body_around(above | small if modality == "CT" else _filled(above | small), small)
    if np.count_nonzero(above & small) < _INSIDE * np.count_nonzero(small):
        raise FaceUnsure(Doubt.MASK_OUTSIDE)
    faces_check.require_head(field, body, small, front_only=True)
    if not faces_check.is_upright(small):
        try:
            faces_check.nose_of(field, body, small)
        except FaceUnsure as err:
            raise FaceUnsure(Doubt.UPRIGHT) from err
    cut = cut_around(_outline(brain, field), ghosts=modality != "CT")
    return _checked(field, body, small, cut)


def _by_head(volume: npt.NDArray[Any], field: Field, head: Bools, modality: str) -> FaceFound:
    """Any head, by the user's mask of all of it: what lies outside of it is air."""
    from scipy import ndimage

    around = ndimage.binary_dilation(head, iterations=_ROUND_STEPS)
    lowest = AIR_HU if modality == "CT" else float(field.values.min())
    apart = replace(field, values=np.where(around, field.values, np.float32(lowest)))
    if modality == "CT":
        return _by_skull(volume, apart)
    brain, stem = brain_in(apart, head)
    faces_check.require_brain(field, brain)
    faces_check.require_whole(field, brain)
    faces_check.require_head(field, head, brain)
    faces_check.nose_of(field, head, brain)
    if not faces_check.is_upright(brain):
        raise FaceUnsure(Doubt.UPRIGHT)
    larger = ndimage.binary_dilation(brain, iterations=_ROUND_STEPS)
    cut = cut_around(field.points(larger), ghosts=True, stem_ras=field.points(stem))
    body = body_around(_filled((apart.values > _threshold(apart)) | brain), brain) | head
    return _checked(field, body, brain, cut)


def _checked(field: Field, body: Bools, brain: Bools, cut: FaceCut) -> FaceFound:
    surface = faces_check.surface_of(field, body, brain, cut)
    surface.require_gone()
    ml = np.count_nonzero(brain) * STEP_MM**3 / 1000
    return FaceFound(cut, field.matrix, field.shape, surface.skin, ml)


def _outline(brain: Bools, field: Field) -> Floats:
    """Return the first and last voxel of each line of a mask: their hull is the mask's."""
    there = brain.any(axis=0)
    first = brain.argmax(axis=0)
    last = brain.shape[0] - 1 - brain[::-1].argmax(axis=0)
    j, k = np.nonzero(there)
    ends = [np.stack([at[j, k], j, k], axis=1) for at in (first, last)]
    points: Floats = np.concatenate(ends) @ field.matrix[:3, :3].T + field.matrix[:3, 3]
    return points


def _filled(above: Bools) -> Bools:
    """Return a head with its bone, which MR shows as dark as air."""
    from scipy import ndimage

    ball = ndimage.generate_binary_structure(3, 1)
    padded = np.pad(above, _BONE_STEPS, mode="edge")
    closed = ndimage.binary_closing(padded, ball, iterations=_BONE_STEPS)
    inner = closed[(slice(_BONE_STEPS, -_BONE_STEPS),) * 3]
    filled: Bools = ndimage.binary_fill_holes(inner) | above
    return filled


def _threshold(field: Field) -> float:
    """Return the intensity between air and body, by Otsu's method on the dark half."""
    from skimage.filters import threshold_otsu

    values = field.values[field.inside]
    high = float(np.percentile(values, 98))
    return 0.5 * float(threshold_otsu(np.clip(values, None, high)))


def air_value(modality: str, slope: float, intercept: float, range_: tuple[int, int]) -> int:
    """Return the stored value that stands for air.

    Parameters
    ----------
    modality : str
        ``"CT"`` means -1000 HU; anything else means 0.
    slope, intercept : float
        Linear modality rescale of the frame.
    range_ : tuple of int
        Lowest and highest value that can be stored.
    """
    wanted = AIR_HU if modality == "CT" else 0.0
    stored = round((wanted - intercept) / slope) if slope else 0
    return min(max(stored, range_[0]), range_[1])
