"""The header of an ANALYZE 7.5 image: a grid of known size whose sides nobody knows.

Mayo's dbh.h; what SPM 99 and 2 put into its unused fields (scale factor, origin).
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import NOT_SCALED, UNORIENTED, Description
from napari_medlabel.io.nifti.affine import voxel_size
from napari_medlabel.io.nifti.header import (
    AGAIN,
    NIFTI1_BYTES,
    NiftiHeader,
    byte_order,
    data_offset,
    data_type,
    dimensions,
    nibabel_header,
)
from napari_medlabel.io.voxels import sound_affine

_CODES: Final = {2: 2, 4: 4, 8: 8, 16: 16, 32: 32, 64: 64, 130: 256, 132: 512, 136: 768}
_ORIGIN: Final = (253, "5h")
_UNITS: Final = (b"", b"mm")


def parse_analyze(raw: bytes) -> NiftiHeader:
    """Check the 348 bytes of a .hdr file without NIfTI's mark and understand them.

    Raises
    ------
    InputError
        When they are no ANALYZE header, contradict themselves, or describe something that is
        not read.
    """
    found = byte_order(raw)
    if found is None or found[0] != NIFTI1_BYTES or len(raw) < NIFTI1_BYTES:
        raise InputError(
            "A NIfTI or ANALYZE header is expected; these are not the bytes of one.", hint=AGAIN
        )
    raw, big_endian = raw[:NIFTI1_BYTES], found[1]
    # The fields that matter lie where NIfTI-1 has dim, datatype, pixdim, vox_offset, scl_slope.
    header = nibabel_header(raw, big_endian=big_endian)
    header["datatype"] = _known(int(header["datatype"]))
    header["xyzt_units"] = 2
    warnings = [UNORIENTED, "An ANALYZE image: it does not say how it lies in the patient."]
    shape, axis = dimensions(header, warnings)
    dtype, _ = data_type(header, big_endian=big_endian)
    scaling = _scaling(header, warnings)
    order = ">" if big_endian else "<"
    if any(struct.unpack_from(order + _ORIGIN[1], raw, _ORIGIN[0])[:3]):
        warnings.append("The origin that SPM wrote into the header was not used.")
    if raw[56:60].rstrip(b"\0 ").lower() not in _UNITS:
        warnings.append("The unit of length is unknown; millimetres are assumed.")
    try:
        affine = sound_affine(np.diag([*voxel_size(header), 1.0]))
    except GeometryError as err:
        raise InputError("The header's voxel sizes are no lengths.", hint=AGAIN) from err
    return NiftiHeader(
        raw=_as_nifti(header),
        big_endian=False,
        format="analyze",
        is_single=False,
        said=Description(Grid(shape, affine), axis, scaling, tuple(warnings)),
        dtype=dtype,
        samples=1,
        offset=data_offset(header, 0),
    )


def _known(code: int) -> int:
    if code == 128:
        raise InputError(
            "The file holds colours, and ANALYZE does not say in which order.",
            hint="Convert it to NIfTI with the program that wrote it.",
        )
    if code not in _CODES:
        raise InputError(
            "The header's data type is not one that ANALYZE images are read with.", hint=AGAIN
        )
    return _CODES[code]


def _scaling(header: Any, warnings: list[str]) -> tuple[float, float]:
    slope = float(header["scl_slope"])
    if slope in (0.0, 1.0) or not math.isfinite(slope):
        return NOT_SCALED
    warnings.append("The scale factor that SPM wrote into the header was applied.")
    return slope, 0.0


def _as_nifti(header: Any) -> bytes:
    """Return a NIfTI-1 header of the same dimensions that says no orientation."""
    import nibabel as nib

    out = nib.Nifti1Header()
    for name in ("dim", "pixdim", "datatype", "xyzt_units"):
        out[name] = header[name]
    out["pixdim"][0] = 1
    out["pixdim"][1:4] = voxel_size(header)
    out["bitpix"] = 8 * out.get_data_dtype().itemsize
    return bytes(out.as_byteswapped("<").binaryblock)
