"""Masks out as NIfTI: on the source's own header where it has one, else on its affine."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.gzip_stream import write_gzip
from napari_medlabel.io.nifti_header import NIFTI1_BYTES

_SHEARED_DEG: Final = 0.01
_NO_EXTENSIONS: Final = b"\0\0\0\0"
_CODES: Final = {"uint8": 2, "uint16": 512}
_LARGEST_NIFTI1: Final = 32767

# name: offset and struct format, from nifti1.h and nifti2.h
_FIELDS1: Final = {
    "data_type": (4, "28s"),  # and db_name
    "dim": (40, "8h"),
    "intent_p": (56, "3f"),
    "intent_code": (68, "h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "vox_offset": (108, "f"),
    "scl": (112, "2f"),
    "cal": (124, "2f"),
    "gl": (140, "2i"),
    "descrip": (148, "104s"),  # and aux_file
    "intent_name": (328, "16s"),
}
_FIELDS2: Final = {
    "dim": (16, "8q"),
    "intent_p": (80, "3d"),
    "datatype": (12, "h"),
    "bitpix": (14, "h"),
    "vox_offset": (168, "q"),
    "scl": (176, "2d"),
    "cal": (192, "2d"),
    "descrip": (240, "104s"),
    "intent_code": (504, "i"),
    "intent_name": (508, "16s"),
}


def write_mask_nifti(
    path: Path,
    array_ijk: npt.NDArray[Any],
    header: bytes | None,
    big_endian: bool,
    affine: Affine,
) -> None:
    """Write a mask so that it lies on its scan bit for bit.

    Parameters
    ----------
    path : Path
        A file that does not exist yet; compressed where it ends in ``.gz``.
    array_ijk : ndarray, shape (i, j, k)
        uint8 or uint16.
    header : bytes or None
        The source's NIfTI header (348 or 540 bytes). Everything that says where voxels lie is
        kept as it is: dimensions, pixdim, sform, qform, codes and units. Data type, scaling,
        display range and intent are the mask's own, and the free texts, which may name the
        patient, are cleared. None builds a header of the affine.
    big_endian : bool
        Byte order of ``header``; the voxels are written in the same.
    affine : Affine
        Voxel to RAS mm, used without ``header``: sform and, where the axes are at right
        angles, qform; both code 1 (scanner), in mm.

    Raises
    ------
    GeometryError
        When array and header disagree, or the array is not a mask.
    FileExistsError, OSError
        When it cannot be written.
    """
    if array_ijk.dtype.name not in _CODES:
        raise GeometryError(
            f"A mask is uint8 or uint16; got {array_ijk.dtype}.",
            hint="Convert the mask to whole numbers from 0 to 65535.",
        )
    if header is None:
        raw, big_endian = _built_header(array_ijk.shape, affine), False
    else:
        raw = header
    order = ">" if big_endian else "<"
    head = _as_mask(raw, order, array_ijk)
    stored = np.dtype(f"{order}u{array_ijk.dtype.itemsize}")
    body = np.ascontiguousarray(array_ijk.T, dtype=stored).view(np.uint8).data.cast("B")
    if path.name.endswith(".gz"):
        write_gzip(path, head, body)
        return
    with path.open("xb") as stream:
        stream.write(head)
        stream.write(body)


def _as_mask(raw: bytes, order: str, array_ijk: npt.NDArray[Any]) -> bytes:
    """Return header and extension flag for a mask on the grid of ``raw``."""
    fields = _FIELDS1 if len(raw) == NIFTI1_BYTES else _FIELDS2
    dim = struct.unpack_from(order + fields["dim"][1], raw, fields["dim"][0])
    shape = (*dim[1 : dim[0] + 1], 1)[:3] if dim[0] < 3 else dim[1:4]
    if tuple(shape) != array_ijk.shape:
        raise GeometryError(
            "The mask's shape and the source header's dimensions differ.",
            hint="Open the scan this mask was made on.",
        )
    out = bytearray(raw)
    values: dict[str, tuple[Any, ...]] = {
        "intent_p": (0, 0, 0),
        "intent_code": (0,),
        "intent_name": (b"",),
        "datatype": (_CODES[array_ijk.dtype.name],),
        "bitpix": (array_ijk.dtype.itemsize * 8,),
        "vox_offset": (len(raw) + len(_NO_EXTENSIONS),),
        "scl": (1, 0),
        "cal": (0, 0),
        "gl": (0, 0),
        "descrip": (b"",),
        "data_type": (b"",),
    }
    for name, (offset, form) in fields.items():
        if name != "dim":
            struct.pack_into(order + form, out, offset, *values[name])
    return bytes(out) + _NO_EXTENSIONS


def _built_header(shape: tuple[int, ...], affine: Affine) -> bytes:
    import nibabel as nib

    header = nib.Nifti1Header() if max(shape) <= _LARGEST_NIFTI1 else nib.Nifti2Header()
    header.set_data_shape(shape)
    header.set_zooms(affine.spacing_mm)
    header.set_xyzt_units("mm")
    header.set_sform(affine.matrix, code=1)
    if affine.shear_deg <= _SHEARED_DEG:
        header.set_qform(affine.matrix, code=1)
    return bytes(header.as_byteswapped("<").binaryblock)
