"""Writes one and the same array and affine in every format that is read, by other hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.io.scans import instance

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
Writer = Callable[[Path, np.ndarray, np.ndarray], Path]


@dataclass(frozen=True)
class Kind:
    """A format.

    Parameters
    ----------
    name : str
        In words.
    write : callable
        Writes (folder, array (i, j, k), affine to RAS mm); returns what to open.
    dtypes : tuple of str
        Types of voxels that it holds.
    keeps_axes : bool
        Whether axes come back as they were written; DICOM sorts its slices itself.
    place_mm : float
        How exactly it says where a voxel lies, for places within half a metre.
    """

    name: str
    write: Writer
    dtypes: tuple[str, ...]
    keeps_axes: bool = True
    place_mm: float = 1e-4


def _text(value: float) -> str:
    """Return a decimal string of DICOM: at most 16 characters."""
    return next(t for n in range(16, 5, -1) if len(t := f"{value:.{n}g}") <= 16)


def _parts(affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return steps (columns), sizes and origin, LPS."""
    lps = LPS_TO_RAS @ affine
    return lps[:3, :3], np.linalg.norm(lps[:3, :3], axis=0), lps[:3, 3]


def _slice(k: int, plane: np.ndarray, affine: np.ndarray) -> Dataset:
    steps, sizes, origin = _parts(affine)
    ds = instance(k, np.ascontiguousarray(plane))
    ds.ImagePositionPatient = [_text(v) for v in origin + k * steps[:, 2]]
    turned = np.concatenate([steps[:, 0] / sizes[0], steps[:, 1] / sizes[1]])
    ds.ImageOrientationPatient = [_text(v) for v in turned]
    ds.PixelSpacing = [_text(sizes[1]), _text(sizes[0])]
    return ds


def dicom(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """One file for each slice, names in no order."""
    for k in range(array.shape[2]):
        ds = _slice(k, array[:, :, k].T, affine)
        pydicom.dcmwrite(folder / f"{(k * 7) % 97:02d}", ds, enforce_file_format=True)
    return folder


def _item(**values: Any) -> Items:
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return Items([item])


def enhanced(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """One file with a frame for each slice and functional groups."""
    first = _slice(0, array[:, :, 0].T, affine)
    groups = []
    for k in range(array.shape[2]):
        one = _slice(k, array[:, :, k].T, affine)
        group = Dataset()
        group.PlanePositionSequence = _item(ImagePositionPatient=one.ImagePositionPatient)
        group.FrameContentSequence = _item(
            StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1]
        )
        groups.append(group)
    shared = Dataset()
    shared.PlaneOrientationSequence = _item(
        ImageOrientationPatient=first.ImageOrientationPatient
    )
    shared.PixelMeasuresSequence = _item(PixelSpacing=first.PixelSpacing, SliceThickness=1)
    shared.PixelValueTransformationSequence = _item(
        RescaleSlope=1, RescaleIntercept=0, RescaleType="US"
    )
    for name in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(first, name)
    first.SOPClassUID = first.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    first.Modality = "MR"
    first.NumberOfFrames = array.shape[2]
    first.SharedFunctionalGroupsSequence = Items([shared])
    first.PerFrameFunctionalGroupsSequence = Items(groups)
    first.PixelData = np.ascontiguousarray(array.T).tobytes()
    first.PixelData += b"\0" * (len(first.PixelData) % 2)
    pydicom.dcmwrite(folder / "frames.dcm", first, enforce_file_format=True)
    return folder / "frames.dcm"


def _nibabel(made: Any, name: str) -> Writer:
    def write(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
        image = made(array, affine)
        image.header.set_xyzt_units("mm")
        image.header.set_slope_inter(1, 0)
        nib.save(image, folder / name)
        return folder / name

    return write


def _pair(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    nib.save(nib.Nifti1Pair(array, affine), folder / "pair.img")
    return folder / "pair.img"


_NRRD = {
    "uint8": "uchar",
    "int8": "signed char",
    "int16": "short",
    "uint16": "ushort",
    "int32": "int",
    "float32": "float",
    "float64": "double",
}
_META = {
    "uint8": "MET_UCHAR",
    "int8": "MET_CHAR",
    "int16": "MET_SHORT",
    "uint16": "MET_USHORT",
    "int32": "MET_INT",
    "float32": "MET_FLOAT",
    "float64": "MET_DOUBLE",
}


def _row(vector: np.ndarray, between: str = " ") -> str:
    return between.join(f"{v:.17g}" for v in vector)


def _nrrd_head(array: np.ndarray, affine: np.ndarray) -> str:
    vectors = " ".join(f"({_row(column, ',')})" for column in affine[:3, :3].T)
    return (
        f"NRRD0005\ntype: {_NRRD[array.dtype.name]}\ndimension: 3\n"
        "space: right-anterior-superior\n"
        f"sizes: {_row(np.array(array.shape))}\nspace directions: {vectors}\n"
        f"kinds: domain domain domain\nendian: little\nencoding: raw\n"
        f"space origin: ({_row(affine[:3, 3], ',')})\n"
    )


def nrrd(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Header and voxels in one file."""
    content = _nrrd_head(array, affine).encode() + b"\n" + array.T.tobytes()
    (folder / "scan.nrrd").write_bytes(content)
    return folder / "scan.nrrd"


def nhdr(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Header and voxels in two files."""
    (folder / "scan.raw").write_bytes(array.T.tobytes())
    head = _nrrd_head(array, affine) + "data file: scan.raw\n"
    (folder / "scan.nhdr").write_text(head)
    return folder / "scan.nhdr"


def _meta_head(array: np.ndarray, affine: np.ndarray, data: str) -> str:
    steps, sizes, origin = _parts(affine)
    return (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"CompressedData = False\nTransformMatrix = {_row((steps / sizes).T.ravel())}\n"
        f"Offset = {_row(origin)}\nCenterOfRotation = 0 0 0\n"
        f"ElementSpacing = {_row(sizes)}\nDimSize = {_row(np.array(array.shape))}\n"
        f"ElementType = {_META[array.dtype.name]}\nElementDataFile = {data}\n"
    )


def mha(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Header and voxels in one file."""
    head = _meta_head(array, affine, "LOCAL").encode()
    (folder / "scan.mha").write_bytes(head + array.T.tobytes())
    return folder / "scan.mha"


def mhd(folder: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Header and voxels in two files."""
    (folder / "scan.raw").write_bytes(array.T.tobytes())
    (folder / "scan.mhd").write_text(_meta_head(array, affine, "scan.raw"))
    return folder / "scan.mhd"


_WHOLE = ("uint8", "int16", "uint16")
_ALL = (*_WHOLE, "int8", "int32", "float32", "float64")
KINDS = (
    Kind("DICOM", dicom, _WHOLE, keeps_axes=False),
    Kind("DICOM enhanced", enhanced, _WHOLE, keeps_axes=False),
    Kind("NIfTI-1", _nibabel(nib.Nifti1Image, "scan.nii"), _ALL),
    Kind("NIfTI-1, compressed", _nibabel(nib.Nifti1Image, "scan.nii.gz"), _ALL),
    Kind("NIfTI-2", _nibabel(nib.Nifti2Image, "scan.nii"), _ALL),
    Kind("NIfTI-1 pair", _pair, _ALL),
    Kind("NRRD", nrrd, _ALL),
    Kind("NRRD in two files", nhdr, _ALL),
    Kind("MetaImage", mha, _ALL),
    Kind("MetaImage in two files", mhd, _ALL),
)
