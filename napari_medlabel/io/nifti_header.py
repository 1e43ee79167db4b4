"""The header of a NIfTI-1 or NIfTI-2 file: checked, with the rule for its affine.

Fields and their meaning: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.voxels import turned

NIFTI1_BYTES: Final = 348
NIFTI2_BYTES: Final = 540
_LARGEST_HEADER: Final = 64 << 20
_DISAGREE_MM: Final = 0.1
_AGAIN: Final = "The file is damaged; export or copy it again from its source."
_DTYPES: Final = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_LATER: Final = {
    1: "packed bits",
    32: "complex numbers",
    128: "colours",
    1536: "128-bit numbers",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "colours",
}
_UNITS_MM: Final = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES: Final = {1: "metres", 3: "micrometres"}


NO_ORIENTATION: Final = "Orientation unknown: left and right cannot be told."


@dataclass(frozen=True)
class NiftiHeader:
    """What a header says, checked.

    Parameters
    ----------
    raw : bytes
        348 (NIfTI-1) or 540 (NIfTI-2) bytes as they stand in the file.
    big_endian : bool
        Their byte order.
    grid : Grid
        Shape, and the affine by the rule of `choose_affine`, in mm.
    dtype : dtype
        Of the values in the file, in the file's byte order.
    slope, intercept : float
        Scaling; 1 and 0 where there is none.
    offset : int
        Where the values begin.
    warnings : tuple of str
        Doubts in words.
    """

    raw: bytes
    big_endian: bool
    grid: Grid
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    offset: int
    warnings: tuple[str, ...]

    @property
    def is_oriented(self) -> bool:
        """Whether the header says which side is left."""
        return NO_ORIENTATION not in self.warnings

    @property
    def data_bytes(self) -> int:
        """Bytes that the values take."""
        return self.grid.size * self.dtype.itemsize


def byte_order(head: bytes) -> tuple[int, bool] | None:
    """Return the header's length (348 or 540) and whether it is big endian; None if neither."""
    if len(head) < 4:
        return None
    for order in "<>":
        size = struct.unpack_from(order + "i", head)[0]
        if size in (NIFTI1_BYTES, NIFTI2_BYTES):
            return size, order == ">"
    return None


def parse(raw: bytes) -> NiftiHeader:
    """Check the first 540 (or 348) bytes of a file and understand them.

    Raises
    ------
    InputError
        When they are no NIfTI header, contradict themselves, or describe something that
        comes with a later version.
    """
    found = byte_order(raw)
    if found is None or len(raw) < found[0]:
        raise InputError(
            "A NIfTI file is expected; its first bytes are not those of a NIfTI header.",
            hint=_AGAIN,
        )
    size, big_endian = found
    raw = raw[:size]
    _require_magic(raw, size)
    header = _nibabel_header(raw, big_endian=big_endian)
    shape = _shape(header)
    dtype = _dtype(header, big_endian=big_endian)
    slope, intercept = _scaling(header)
    offset = float(header["vox_offset"])
    if not (math.isfinite(offset) and size <= offset <= _LARGEST_HEADER):
        raise InputError(
            "The header says that the voxels begin outside of the file.", hint=_AGAIN
        )
    warnings: list[str] = []
    affine = choose_affine(header, shape, warnings)
    return NiftiHeader(
        raw=raw,
        big_endian=big_endian,
        grid=Grid(shape, affine),
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        offset=int(offset),
        warnings=(*warnings, *turned(affine)),
    )


def _require_magic(raw: bytes, size: int) -> None:
    magic = raw[344:348] if size == NIFTI1_BYTES else raw[4:8]
    if magic in (b"ni1\0", b"ni2\0"):
        raise InputError(
            "This is one half of a pair of files (.hdr and .img); single files are read.",
            hint="Convert the pair to one .nii file.",
        )
    if magic not in (b"n+1\0", b"n+2\0"):
        raise InputError(
            "A NIfTI file is expected; the mark (magic) in its header is wrong.",
            hint="It may be an ANALYZE file or damaged; convert or export it again.",
        )


def _nibabel_header(raw: bytes, *, big_endian: bool) -> Any:
    import nibabel as nib

    kind = nib.Nifti1Header if len(raw) == NIFTI1_BYTES else nib.Nifti2Header
    return kind(raw, endianness=">" if big_endian else "<", check=False)


def _shape(header: Any) -> tuple[int, int, int]:
    dim = [int(n) for n in header["dim"]]
    if not 1 <= dim[0] <= 7:
        raise InputError("The header's number of dimensions is not one of 1 to 7.", hint=_AGAIN)
    sizes = dim[1 : dim[0] + 1]
    if min(sizes) <= 0:
        raise InputError("The header has a dimension of size zero or less.", hint=_AGAIN)
    if len(sizes) < 2:
        raise InputError("A volume is expected; the header has one dimension.", hint=_AGAIN)
    if any(n != 1 for n in sizes[3:]):
        raise InputError(
            f"One volume is expected; the file holds {math.prod(sizes[3:])} (dimensions 4 and "
            "above), which come with a later version.",
            hint="Split it into one file per volume, for instance with fslsplit or "
            "nibabel.four_to_three.",
        )
    i, j, k = (*sizes[:3], 1)[:3]
    return i, j, k


def _dtype(header: Any, *, big_endian: bool) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code in _LATER:
        raise InputError(
            f"Grey values are expected; the file holds {_LATER[code]}, which come with a later "
            "version.",
            hint="Convert it to integers or float32.",
        )
    if code not in _DTYPES:
        raise InputError("The header's data type is not one that NIfTI knows.", hint=_AGAIN)
    dtype = np.dtype((">" if big_endian else "<") + _DTYPES[code])
    if int(header["bitpix"]) not in (0, dtype.itemsize * 8):
        raise InputError("The header's data type and bits per voxel disagree.", hint=_AGAIN)
    return dtype


def _scaling(header: Any) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0:  # the standard: no scaling, whatever the intercept
        return 1.0, 0.0
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise InputError(
            "The header's scaling (scl_slope, scl_inter) is not a finite number: the values "
            "are unknown.",
            hint="Export the file again from its source.",
        )
    return slope, intercept


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
        When the chosen matrix is not finite or spans no volume.
    """
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    scale = _unit(header, warnings)
    qform = _qform(header) if qform_code > 0 else None
    try:
        if sform_code > 0:
            affine = _scaled(header.get_sform(), scale)
            _compare_forms(affine, qform, shape, scale, warnings)
            return affine
        if qform_code > 0:
            if qform is None:
                raise InputError("The header's qform is damaged.", hint=_AGAIN)
            return _scaled(qform, scale)
        warnings.append(NO_ORIENTATION)
        return Affine.from_spacing(_voxel_size(header, scale))
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
    return Affine(out)


def _qform(header: Any) -> Any:
    """Return the qform's matrix, or None where the quaternion is no rotation."""
    from nibabel.spatialimages import HeaderDataError

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


def _voxel_size(header: Any, scale: float) -> tuple[float, float, float]:
    # Two-dimensional files have size 0; a sign means nothing without an orientation.
    sizes = [abs(float(size)) * scale for size in header["pixdim"][1:4]]
    if int(header["dim"][0]) < 3 and sizes[2] == 0:
        sizes[2] = 1.0
    return sizes[0], sizes[1], sizes[2]
