"""Bytes of NIfTI headers to be written: a source's own with few fields changed, or a new one.

Offsets from nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid

NO_EXTENSIONS: Final = b"\0\0\0\0"
LARGEST_NIFTI1: Final = 32767
_NIFTI1_BYTES: Final = 348
_SHEARED_DEG: Final = 0.01
_MOVED_MM: Final = 1e-3
RGB: Final = 128
CODES: Final = {
    "uint8": 2,
    "int16": 4,
    "int32": 8,
    "float32": 16,
    "float64": 64,
    "int8": 256,
    "uint16": 512,
    "uint32": 768,
    "int64": 1024,
    "uint64": 1280,
}

# name: offset and struct format
_FIELDS1: Final = {
    "data_type": (4, "28s"),  # and db_name
    "dim": (40, "8h"),
    "intent_p": (56, "3f"),
    "intent_code": (68, "h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim4": (92, "f"),
    "vox_offset": (108, "f"),
    "scl": (112, "2f"),
    "xyzt_units": (123, "B"),
    "cal": (124, "2f"),
    "toffset": (136, "f"),
    "gl": (140, "2i"),
    "descrip": (148, "104s"),  # and aux_file
    "intent_name": (328, "16s"),
    "magic": (344, "4s"),
}
_FIELDS2: Final = {
    "magic": (4, "4s"),
    "dim": (16, "8q"),
    "intent_p": (80, "3d"),
    "datatype": (12, "h"),
    "bitpix": (14, "h"),
    "pixdim4": (136, "d"),
    "vox_offset": (168, "q"),
    "scl": (176, "2d"),
    "cal": (192, "2d"),
    "toffset": (216, "d"),
    "descrip": (240, "104s"),
    "xyzt_units": (500, "i"),
    "intent_code": (504, "i"),
    "intent_name": (508, "16s"),
}


def dim_of(raw: bytes, *, big_endian: bool) -> tuple[int, ...]:
    """Return a header's dim[1] to dim[dim[0]]."""
    offset, form = _fields(raw)["dim"]
    dim = struct.unpack_from((">" if big_endian else "<") + form, raw, offset)
    return dim[1 : dim[0] + 1]


def changed(raw: bytes, *, big_endian: bool, **values: tuple[Any, ...]) -> bytes:
    """Return a header with fields changed, as one of a single file, free texts cleared.

    Parameters
    ----------
    raw : bytes
        348 (NIfTI-1) or 540 (NIfTI-2) bytes.
    big_endian : bool
        Their byte order.
    **values : tuple
        Fields by name; those that only one version has are left out of the other.

    Returns
    -------
    bytes
        The header and the four bytes that say that no extensions follow.
    """
    fields, out = _fields(raw), bytearray(raw)
    values |= {
        "magic": (b"n+1\0" if len(raw) == _NIFTI1_BYTES else b"n+2\0",),
        "vox_offset": (len(raw) + len(NO_EXTENSIONS),),
        "scl": (1, 0),
        "gl": (0, 0),
        "descrip": (b"",),
        "data_type": (b"",),
        "intent_name": (b"",),
    }
    for name, new in values.items():
        if name in fields:
            offset, form = fields[name]
            struct.pack_into((">" if big_endian else "<") + form, out, offset, *new)
    return bytes(out) + NO_EXTENSIONS


def _fields(raw: bytes) -> dict[str, tuple[int, str]]:
    return _FIELDS1 if len(raw) == _NIFTI1_BYTES else _FIELDS2


def built(shape: tuple[int, ...], affine: Affine, *, oriented: bool = True) -> bytes:
    """Return a little-endian header of an affine, in mm and s.

    NIfTI-1, whose sform has float32; NIfTI-2 where a dimension does not fit or float32 would
    move a corner by more than a micrometre.

    Parameters
    ----------
    shape : tuple of int
        Voxels along i, j and k, and the number of volumes where there are several.
    affine : Affine
        Voxel to RAS mm: the sform and, where the axes are at right angles, the qform, both of
        code 1 (scanner). Where they are not, no qform can say it: code 0.
    oriented : bool
        False leaves both codes 0, so that no program takes a side for known; only where the
        affine is no more than voxel sizes.
    """
    import nibabel as nib

    small = max(shape) <= LARGEST_NIFTI1 and _rounds_to_mm(shape, affine) <= _MOVED_MM
    header = nib.Nifti1Header() if small else nib.Nifti2Header()
    header.set_data_shape(shape)
    header.set_zooms((*affine.spacing_mm, *(1.0,) * (len(shape) - 3)))
    header.set_xyzt_units("mm", "sec")
    if oriented or not _is_plain(affine):
        header.set_sform(affine.matrix, code=1)
        if affine.shear_deg <= _SHEARED_DEG:
            header.set_qform(affine.matrix, code=1)
    return bytes(header.as_byteswapped("<").binaryblock)


def _rounds_to_mm(shape: tuple[int, ...], affine: Affine) -> float:
    i, j, k = shape[:3]
    rounded = Affine(affine.matrix.astype(np.float32))
    apart = Grid((i, j, k), affine).corners_ras() - Grid((i, j, k), rounded).corners_ras()
    return float(np.abs(apart).max())


def _is_plain(affine: Affine) -> bool:
    return affine == Affine.from_spacing(affine.spacing_mm)
