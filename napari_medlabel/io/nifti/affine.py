"""Where NIfTI voxels lie: sform, else qform, else their sizes alone, in RAS millimetres.

nifti1.h, "METHOD 1" to "METHOD 3" of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import UNORIENTED
from napari_medlabel.io.voxels import sound_affine

_DISAGREE_MM: Final = 0.1
_AGAIN: Final = "The file is damaged; export or copy it again from its source."
_UNITS_MM: Final = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES: Final = {1: "metres", 3: "micrometres"}


def choose_affine(header: Any, shape: tuple[int, int, int], warnings: list[str]) -> Affine:
    """Return the voxel-to-RAS affine in mm: sform, else qform, else voxel sizes alone.

    Parameters
    ----------
    header : nibabel header
        NIfTI-1 or NIfTI-2.
    shape : tuple of int
        Voxels along i, j and k.
    warnings : list of str
        Doubts are added.

    Raises
    ------
    InputError
        When no matrix that the header claims to have is finite and spans a volume.
    """
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    scale = _unit(header, warnings)
    qform = _qform(header) if qform_code > 0 else None
    try:
        sform = _sform(header, scale, may_fail=qform is not None) if sform_code > 0 else None
        if sform is not None:
            _compare_forms(sform, qform, shape, scale, warnings)
            return sform
        if sform_code > 0:
            warnings.append("The sform is damaged; the qform was used.")
        if qform_code > 0:
            if qform is None:
                raise InputError("The header's qform is damaged.", hint=_AGAIN)
            return _scaled(qform, scale)
        warnings.append(UNORIENTED)
        return sound_affine(np.diag([*voxel_size(header, scale), 1.0]))
    except GeometryError as err:
        raise InputError(
            "The header's voxel-to-world matrix is not finite or spans no volume.", hint=_AGAIN
        ) from err


def _unit(header: Any, warnings: list[str]) -> float:
    code = int(header["xyzt_units"]) & 7
    if code not in _UNITS_MM:
        warnings.append("The unit of length is unknown; millimetres are assumed.")
        return 1.0
    if code in _UNIT_NAMES:
        warnings.append(f"The header is in {_UNIT_NAMES[code]}; converted to millimetres.")
    return _UNITS_MM[code]


def _scaled(matrix: Any, scale: float) -> Affine:
    out = np.array(matrix, dtype=np.float64)
    out[:3] *= scale
    return sound_affine(out)


def _sform(header: Any, scale: float, *, may_fail: bool) -> Affine | None:
    """Return the sform; None where it places nothing and something else may be asked."""
    try:
        return _scaled(header.get_sform(), scale)
    except GeometryError:
        if may_fail:
            return None
        raise


def _qform(header: Any) -> Any:
    """Return the qform's matrix, or None where the quaternion is no rotation."""
    from nibabel.spatialimages import HeaderDataError

    if header["pixdim"][0] == 0:  # nifti1.h: then qfac is 1
        header = header.copy()
        header["pixdim"][0] = 1
    try:
        with np.errstate(all="ignore"):
            return header.get_qform()
    except (HeaderDataError, ValueError):
        return None


def _compare_forms(
    affine: Affine, qform: Any, shape: tuple[int, int, int], scale: float, warnings: list[str]
) -> None:
    if qform is None:
        return
    try:
        other = Grid(shape, _scaled(qform, scale))
    except GeometryError:
        warnings.append("The qform is damaged; the sform was used.")
        return
    apart = np.linalg.norm(Grid(shape, affine).corners_ras() - other.corners_ras(), axis=1)
    if not apart.max() <= _DISAGREE_MM:
        warnings.append(
            f"sform and qform place the corners up to {apart.max():.3g} mm apart; the sform "
            "was used."
        )


def voxel_size(header: Any, scale: float = 1.0) -> tuple[float, float, float]:
    """Return pixdim[1] to [3] times ``scale``: mm along i, j and k."""
    # Two-dimensional files have size 0; a sign means nothing without an orientation.
    sizes = [abs(float(size)) * scale for size in header["pixdim"][1:4]]
    if int(header["dim"][0]) < 3 and sizes[2] == 0:
        sizes[2] = 1.0
    return sizes[0], sizes[1], sizes[2]
