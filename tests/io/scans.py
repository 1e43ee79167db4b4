"""Small invented scans, written with pydicom and nibabel, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from napari_medlabel.geometry.axes import orientation_matrix

ROOT = "1.2.826.0.1.3680043.10.511."
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def instance(
    k: int,
    pixels: np.ndarray,
    *,
    position: Sequence[float] = (0.0, 0.0, 0.0),
    orientation: Sequence[float] = AXIAL,
    spacing: Sequence[float] = (0.8, 0.7),
    series: str = "1",
    **extra: Any,
) -> Dataset:
    """Return one invented CT slice; `extra` sets or, with None, deletes attributes.

    Pixels of shape (rows, columns, 3) make it RGB.
    """
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{ROOT}{series}.{k + 1}"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.Modality = "CT"
    ds.PatientName = "Invented^Name"
    ds.PatientID = "INVENTED-7"
    ds.IssuerOfPatientID = "HOUSE"
    ds.StudyInstanceUID = ROOT + "9"
    ds.SeriesInstanceUID = ROOT + series
    ds.SeriesNumber = 3
    ds.InstanceNumber = k + 1
    ds.FrameOfReferenceUID = ROOT + "8"
    ds.ImagePositionPatient = [float(f"{v:.10g}") for v in position]
    ds.ImageOrientationPatient = [float(f"{v:.10g}") for v in orientation]
    ds.PixelSpacing = list(spacing)
    is_colour = pixels.ndim == 3
    ds.SamplesPerPixel = 3 if is_colour else 1
    ds.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    ds.BitsStored = ds.BitsAllocated
    ds.HighBit = ds.BitsAllocated - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.RescaleSlope, ds.RescaleIntercept = 1, 0
    ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    ds["PixelData"].VR = "OW"
    for name, value in extra.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write it as a DICOM file with preamble."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def voxels(count: int, rows: int = 5, columns: int = 4, dtype: Any = np.int16) -> np.ndarray:
    """Return distinct values, shape (k, j, i)."""
    return np.arange(count * rows * columns, dtype=dtype).reshape(count, rows, columns)


def write_series(
    folder: Path,
    stored: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    origin: Sequence[float] = (-10.0, 20.0, 30.0),
    orientation: Sequence[float] = AXIAL,
    step: Sequence[float] | None = None,
    **extra: Any,
) -> list[Path]:
    """Write one slice per plane of `stored` (k, j, i); `step` is the vector between slices."""
    if step is None:
        step = 2.5 * np.cross(orientation[:3], orientation[3:])
    paths = []
    for k, plane in enumerate(stored):
        position = np.array(origin) + k * np.asarray(step)
        ds = instance(k, plane, position=position, orientation=orientation, **extra)
        name = names[k] if names is not None else f"{k:03d}.dcm"
        paths.append(save(ds, folder / name))
    return paths


def write_volumes(
    folder: Path,
    stored: np.ndarray,
    differ: Callable[[int, int], dict[str, Any]],
    *,
    interleaved: bool = False,
    left_out: Sequence[tuple[int, int]] = (),
    step: Sequence[float] = (0.0, 0.0, 2.5),
    change: Callable[[Dataset, int, int], None] | None = None,
    **extra: Any,
) -> list[Path]:
    """Write several volumes under one series, one file for each slice of `stored` (t, k, j, i).

    `differ(t, k)` gives the attributes of a slice; Instance Numbers count volume after volume,
    or position after position where `interleaved`. File names say nothing about either.
    """
    volumes, slices = stored.shape[:2]
    paths = []
    for t in range(volumes):
        for k in range(slices):
            if (t, k) in left_out:
                continue
            number = k * volumes + t if interleaved else t * slices + k
            position = np.array((-10.0, 20.0, 30.0)) + k * np.asarray(step)
            own = {"Modality": "MR", **extra, **differ(t, k)}
            ds = instance(number, stored[t, k], position=position, **own)
            if change is not None:
                change(ds, t, k)
            paths.append(save(ds, folder / f"{(number * 7919) % 10007:05d}"))
    return paths


def orientation_of(codes: str) -> tuple[float, ...]:
    """Image Orientation (Patient), in LPS, of a scan whose i and j grow as the letters say."""
    ras = orientation_matrix(codes)
    lps = np.diag([-1.0, -1.0, 1.0]) @ ras
    return tuple(float(v) for v in (*lps[:, 0], *lps[:, 1]))


def truth_ras(ds: Dataset, column: float, row: float) -> np.ndarray:
    """Where a pixel lies, RAS mm, straight from the standard's equation C.7.6.2.1-1."""
    ipp = np.array([float(v) for v in ds.ImagePositionPatient])
    iop = np.array([float(v) for v in ds.ImageOrientationPatient])
    down, right = (float(v) for v in ds.PixelSpacing)
    lps = ipp + iop[:3] * right * column + iop[3:] * down * row
    return lps * (-1.0, -1.0, 1.0)


def worst_corner_mm(volume: Any) -> float:
    """Largest distance of any slice's corners from the truth of its own header.

    For series of single-frame files; those that have no place are passed over.
    """
    worst = 0.0
    columns, rows, slices = volume.grid.shape
    for number, (file, frame) in enumerate(volume.source.planes):
        if file < 0:
            continue
        ds = pydicom.dcmread(volume.source.files[file], stop_before_pixels=True)
        if frame or (ds.Columns, ds.Rows) != (columns, rows) or "NumberOfFrames" in ds:
            continue
        for i in (0, columns - 1):
            for j in (0, rows - 1):
                apart = volume.grid.affine.apply((i, j, number % slices)) - truth_ras(ds, i, j)
                worst = max(worst, float(np.linalg.norm(apart)))
    return worst
