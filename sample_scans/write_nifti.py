"""NIfTI-1 files written field by field, so that the header's bits are the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from deflate import gzip_bytes
from exact import Array
from identity import Plant

EXTENSIONS = (  # code, text, what the code means
    (2, "EXNII DICOM MUSTER^ERIKA EX-4711-0815", "DICOM"),
    (4, "<AFNI_atr>EXNII HISTORY erika@ex-console-7:/home/muster/scan</AFNI_atr>", "AFNI"),
    (6, "EXNII COMMENT FRAU MUSTER, MUSTERWEG 12, TEL 555-0147", "comment"),
    (44, '{"PatientName": "EXNII^ERIKA", "AccessionNumber": "EXACCMR-9"}', "MRS JSON"),
)
FIELDS = (
    ("descrip", "EXNII MUSTER ERIKA 19630412 TE=3.2;Time=101502"),
    ("aux_file", "EXNII-0815-MUSTER"),
    ("intent_name", "EXNII ERIKA M"),
    ("db_name", "EXNII-DB-4711"),
)


@dataclass(frozen=True)
class Grid:
    """Where the voxels lie: affine (RAS mm, 4x4), spacing, and the rotation as a quaternion."""

    affine_ras: list[list[float]]
    spacing_mm: tuple[float, float, float]
    quaternion_bcd: tuple[float, float, float]


def _header(shape: tuple[int, ...], dtype: str, grid: Grid) -> nibabel.Nifti1Header:
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    header["pixdim"][:4] = (1.0, *grid.spacing_mm)
    header["xyzt_units"] = 2
    header["qform_code"] = header["sform_code"] = 1
    for name, value in zip(
        ("quatern_b", "quatern_c", "quatern_d"), grid.quaternion_bcd, strict=True
    ):
        header[name] = value
    for name, row in zip("xyz", grid.affine_ras[:3], strict=True):
        header[f"srow_{name}"] = row
        header[f"qoffset_{name}"] = row[3]
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    return header


def write_volume(path: Path, voxels_kji: Array, grid: Grid, *, identities: bool) -> list[Plant]:
    """Write an array (k, j, i) and return the identities put into the header and extensions."""
    shape = voxels_kji.shape[::-1]
    header = _header(shape, voxels_kji.dtype.newbyteorder("<").str, grid)
    found = []
    extensions = b"\0\0\0\0"
    if identities:
        for name, value in FIELDS:
            header[name] = value.encode()
            found.append(Plant(f"header {name}", value, "header", path.name))
        extensions = b"\1\0\0\0"
        for code, text, meaning in EXTENSIONS:
            raw = text.encode()
            size = (len(raw) + 8 + 15) // 16 * 16
            extensions += size.to_bytes(4, "little") + code.to_bytes(4, "little")
            extensions += raw + bytes(size - 8 - len(raw))
            found.append(Plant(f"extension {code} ({meaning})", text, "extension", path.name))
    header["magic"] = b"n+1"
    header["vox_offset"] = 348 + len(extensions)
    raw = header.binaryblock + extensions + np.ascontiguousarray(voxels_kji).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip_bytes(raw))
    return found
