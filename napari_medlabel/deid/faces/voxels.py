"""Faces out of voxels that are not DICOM: NIfTI as bytes, or any array with a description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.brain_masks import NO_MASKS, BrainMasks
from napari_medlabel.deid.faces.ct import is_hounsfield
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import coarse
from napari_medlabel.deid.faces.finding import AIR_HU, find_face
from napari_medlabel.deid.faces.none import THIN_MM, is_trunk
from napari_medlabel.deid.faces.store import Verdict
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.io.description import Description

_NUMBERS: Final = "iuf"


@dataclass(frozen=True)
class Defaced:
    """Voxels without a face.

    Parameters
    ----------
    voxels : bytes
        As many as before, of the same type, byte order and scaling.
    verdict : Verdict
        ``DONE``, or ``NO_FACE`` where they are as they were.
    """

    voxels: bytes
    verdict: Verdict


def deface_nifti_voxels(
    header: bytes, voxels: bytes | bytearray | memoryview, masks: BrainMasks = NO_MASKS
) -> Defaced:
    """Blank the face in the voxels of a NIfTI file.

    Parameters
    ----------
    header : bytes
        The header as it stands in the file, 348 or 540 bytes, either byte order.
    voxels : bytes-like
        What it describes, as it stands in the file: not compressed.
    masks : BrainMasks
        The user's masks, from `brain_masks.read_masks`.

    Raises
    ------
    FaceUnsure
        Wherever it is not certain; always, without a mask, for what is no CT.
    """
    from napari_medlabel.io.nifti.header import parse

    try:
        said = parse(bytes(header))
    except InputError as err:
        raise FaceUnsure(Doubt.NOT_A_VOLUME) from err
    if said.is_colour:
        raise FaceUnsure(Doubt.COLOUR)
    stored = np.frombuffer(voxels, dtype=said.dtype)
    if stored.size * said.dtype.itemsize != said.data_bytes:
        raise FaceUnsure(Doubt.NOT_A_VOLUME)
    stored = stored.reshape(said.shape)
    blanked = deface_stored(stored, said.said, masks)
    if blanked is None:
        return Defaced(bytes(voxels), Verdict.NO_FACE)
    return Defaced(blanked.tobytes(), Verdict.DONE)


def deface_stored(
    stored: npt.NDArray[Any], said: Description, masks: BrainMasks = NO_MASKS
) -> npt.NDArray[Any] | None:
    """Blank the face in stored values.

    Parameters
    ----------
    stored : ndarray, shape (t, k, j, i)
        Volumes on one grid, values as stored. The first one is looked at, all are blanked.
    said : Description
        Grid, scaling, and whether it is known which side is which.
    masks : BrainMasks
        The user's masks.

    Returns
    -------
    ndarray or None
        A copy; None where there certainly is no face.

    Raises
    ------
    FaceUnsure
        Wherever it is not certain.
    """
    if not said.is_oriented or said.slices != "places" or stored.dtype.kind not in _NUMBERS:
        raise FaceUnsure(Doubt.NOT_A_VOLUME)
    height = said.grid.corners_ras()[:, 2]
    if float(np.ptp(height)) <= THIN_MM:
        return None
    slope, intercept = said.scaling
    values = stored[0].T.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    matrix = said.grid.affine.matrix
    brain = masks.fitting(said.grid)
    modality = "CT" if is_hounsfield(values) else ""
    if brain is None and modality and is_trunk(coarse(values, matrix)):
        return None
    mask = find_face(values, matrix, modality=modality, brain=brain).mask()
    out = stored.copy()
    air = _air(modality, slope, intercept, stored.dtype)
    for volume in out:
        volume.T[mask] = air
    return out


def _air(modality: str, slope: float, intercept: float, dtype: np.dtype[Any]) -> Any:
    """Return the stored value of air, within what the type can hold."""
    wanted = ((AIR_HU if modality == "CT" else 0.0) - intercept) / slope
    if dtype.kind == "f":
        return wanted
    limits = np.iinfo(dtype)
    return int(np.clip(round(wanted), limits.min, limits.max))
