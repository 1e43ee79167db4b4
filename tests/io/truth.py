"""Where the pixels of DICOM images lie and what they are worth, from the headers alone.

Computed with pydicom and the equations of PS3.3 C.7.6.2.1.1, C.7.6.16.2 and C.11.1, and
shared with no reader: what judges a reader must not be made of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = 32
_CANDIDATES = 512
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
# Objects with pixels that are no images of a series: marks, doses, displays.
# Siemens CSA header, number of Siemens tiles, UIH grid: what tells the tiles of a mosaic.
_TILES = ((0x0029, 0x1010), (0x0019, 0x100A), (0x0065, 0x1050))
NO_IMAGES = frozenset({"SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "REG", "RWV"})
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_LOSSY = frozenset(
    {
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.81",
        "1.2.840.10008.1.2.4.91",
        "1.2.840.10008.1.2.4.203",
    }
)


@dataclass(frozen=True)
class Image:
    """One frame: where it lies, and the values of some of its pixels.

    Parameters
    ----------
    file, frame : Path, int
        Which one it is.
    uid, syntax : str
        SOP Instance UID and transfer syntax.
    tags : frozenset of str
        ``"mosaic"``, ``"tiles told"``, ``"multi-frame"``, ``"colour"``, ``"compressed"``,
        ``"lossy"``.
    rows, columns : int
        Its size.
    origin_ras, right_ras, down_ras : ndarray, shape (3,), or None
        Its first pixel, and the steps to the next column and the next row, RAS mm. None
        where the header does not say.
    points : ndarray of int, shape (n, 2)
        Column and row of the sampled pixels.
    values : ndarray, shape (n,) or (n, 3), or None
        Their rescaled values. None where pydicom cannot decode them.
    step : float
        What one stored step is worth; 0 for stored floating point. Of colours, how many of
        their steps make one of 256.
    """

    file: Path
    frame: int
    uid: str
    syntax: str
    tags: frozenset[str]
    rows: int
    columns: int
    origin_ras: np.ndarray | None
    right_ras: np.ndarray | None
    down_ras: np.ndarray | None
    points: np.ndarray
    values: np.ndarray | None
    step: float

    def world(self, points: np.ndarray) -> np.ndarray:
        """Return where pixels (column, row) lie, RAS mm, shape (n, 3)."""
        return self.origin_ras + points[:, :1] * self.right_ras + points[:, 1:] * self.down_ras

    def corners(self) -> np.ndarray:
        """Return column and row of the four corners."""
        right, down = self.columns - 1, self.rows - 1
        return np.array([(0, 0), (right, 0), (0, down), (right, down)])


def header(path: Path) -> Any:
    """Return a file's dataset when it holds an image; else None."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(path, force=True, defer_size=1024)
            sized = "Rows" in ds and "Columns" in ds
            modality = str(ds.get("Modality", ""))
        except Exception:  # noqa: BLE001 - not DICOM, or broken beyond pydicom: no truth there
            return None
    held = any(name in ds for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    return ds if sized and held and modality not in NO_IMAGES else None


def images(path: Path, *, most: int | None = None) -> list[Image]:
    """Return the truth about each frame of a file.

    Parameters
    ----------
    path : Path
        A DICOM file.
    most : int, optional
        Sample the pixels of no more frames than this, evenly chosen.
    """
    ds = header(path)
    if ds is None:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_frames(path, ds, most))


def _frames(path: Path, ds: Any, most: int | None) -> Iterator[Image]:
    try:
        count = max(int(ds.get("NumberOfFrames", 1) or 1), 1)
    except (TypeError, ValueError):
        count = 1
    pixels, colour = decoded(ds, count)
    tags = _tags(ds, count, colour)
    chosen = set(np.linspace(0, count - 1, min(most or count, count)).round().astype(int))
    for n in range(count):
        plane = None if pixels is None or n >= len(pixels) or n not in chosen else pixels[n]
        slope, intercept, table = _modality(ds, n)
        points = _points(ds, plane, n)
        values = None
        if plane is not None:
            stored = plane[points[:, 1], points[:, 0]]
            values = _rescaled(stored, slope, intercept, table, colour=colour)
        is_float = pixels is not None and pixels.dtype.kind == "f"
        yield Image(
            path,
            n,
            str(ds.get("SOPInstanceUID", "")),
            _syntax(ds),
            tags,
            int(ds.Rows),
            int(ds.Columns),
            *_place(ds, n),
            points,
            values,
            _step(ds, slope, plain=not (is_float or colour or table), colour=colour),
        )


def _step(ds: Any, slope: float, *, plain: bool, colour: bool) -> float:
    """Return what a stored step is worth; of colours, what one of 256 steps is worth."""
    if colour:
        deep = str(ds.get("PhotometricInterpretation", "")).strip() != "PALETTE COLOR"
        return float(1 << max(int(ds.get("BitsStored", 8)) - 8, 0)) if deep else 1.0
    return abs(slope) if plain else 1.0 if "PixelData" in ds else 0.0


def _syntax(ds: Any) -> str:
    meta = getattr(ds, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""


def decoded(ds: Any, count: int) -> tuple[np.ndarray | None, bool]:
    """Return all frames as pydicom decodes them, (frame, row, column[, 3]), and if colour."""
    from pydicom.pixels import apply_color_lut, pixel_array

    try:
        if not _syntax(ds):
            ds.file_meta.TransferSyntaxUID = (
                "1.2.840.10008.1.2" if ds.original_encoding[0] else "1.2.840.10008.1.2.1"
            )
        array = pixel_array(ds)
        if str(ds.get("PhotometricInterpretation", "")).strip() == "PALETTE COLOR":
            array = apply_color_lut(array, ds)
            if _syntax(ds) == _BIG_ENDIAN and array.dtype == np.uint16:
                array = array.byteswap()  # pydicom 3.0 reads these tables as little endian
            if array.dtype == np.uint16:
                array = (array >> 8).astype(np.uint8)
            array = array[..., :3]
    except Exception:  # noqa: BLE001 - what pydicom cannot decode leaves no truth about values
        return None, int(ds.get("SamplesPerPixel", 1) or 1) == 3
    colour = array.ndim >= 3 and array.shape[-1] == 3 and array.ndim == 3 + (count > 1)
    if count == 1 and array.ndim == 2 + colour:
        array = array[None]
    return array, colour


def _tags(ds: Any, count: int, colour: bool) -> frozenset[str]:
    syntax = _syntax(ds)
    kinds = [str(v).upper() for v in (ds.get("ImageType") or [])]
    tiled = "MOSAIC" in kinds or "VFRAME" in kinds or (0x0065, 0x1050) in ds
    found = {
        "mosaic": tiled and count == 1,
        "tiles told": tiled and any(tag in ds for tag in _TILES),
        "multi-frame": count > 1 or "PerFrameFunctionalGroupsSequence" in ds,
        "colour": colour,
        "compressed": syntax.startswith(("1.2.840.10008.1.2.4", "1.2.840.10008.1.2.5")),
        "lossy": syntax in _LOSSY,
    }
    return frozenset(name for name, holds in found.items() if holds)


def _group(ds: Any, frame: int, name: str) -> Any:
    """Return a functional group of a frame: its own, else the shared one."""
    frames = ds.get("PerFrameFunctionalGroupsSequence") or []
    shared = ds.get("SharedFunctionalGroupsSequence") or []
    for item in (*(frames[frame : frame + 1]), *shared):
        found = item.get(name)
        if found:
            return found[0]
    return None


def _numbers(ds: Any, name: str, count: int) -> np.ndarray | None:
    if ds is None:
        return None
    try:
        found = np.array([float(v) for v in ds.get(name)], dtype=float)
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None


def _place(ds: Any, frame: int) -> tuple[np.ndarray | None, ...]:
    """Return first pixel, step to the next column and to the next row, RAS mm."""
    nothing = (None, None, None)
    if "PerFrameFunctionalGroupsSequence" in ds:
        holders = tuple(
            _group(ds, frame, f"{name}Sequence")
            for name in ("PlanePosition", "PlaneOrientation", "PixelMeasures")
        )
    elif int(ds.get("NumberOfFrames", 1) or 1) > 1:
        return nothing
    else:
        holders = (ds, ds, ds)
    position = _numbers(holders[0], "ImagePositionPatient", 3)
    orientation = _numbers(holders[1], "ImageOrientationPatient", 6)
    spacing = _numbers(holders[2], "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None or min(spacing) <= 0:
        return nothing
    right, down = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(right @ down) > 0.01:
        return nothing
    return (
        LPS_TO_RAS @ position,
        LPS_TO_RAS @ right * spacing[1],
        LPS_TO_RAS @ down * spacing[0],
    )


def _modality(ds: Any, frame: int) -> tuple[float, float, Any]:
    """Return slope, intercept, and the modality LUT where it has one."""
    tables = ds.get("ModalityLUTSequence")
    if tables and tables[0].get("LUTDescriptor") and tables[0].get("LUTData"):
        return 1.0, 0.0, ds
    holder = _group(ds, frame, "PixelValueTransformationSequence")
    holder = ds if holder is None else holder
    try:
        return (
            float(holder.get("RescaleSlope", 1)),
            float(holder.get("RescaleIntercept", 0)),
            None,
        )
    except (TypeError, ValueError):
        return 1.0, 0.0, None


def _rescaled(
    stored: np.ndarray, slope: float, intercept: float, table: Any, *, colour: bool
) -> np.ndarray:
    if table is not None:
        from pydicom.pixels import apply_modality_lut

        return apply_modality_lut(stored, table).astype(float)
    return stored.astype(float) if colour else stored.astype(float) * slope + intercept


def _points(ds: Any, plane: np.ndarray | None, number: int) -> np.ndarray:
    """Return pixels to look at: corners, some by chance, and those that stand out."""
    rows, columns = int(ds.Rows), int(ds.Columns)
    if plane is not None:
        rows, columns = plane.shape[:2]
    draw = np.random.default_rng([rows, columns, number])
    found = np.stack(
        [draw.integers(0, columns, _CANDIDATES), draw.integers(0, rows, _CANDIDATES)], axis=1
    )
    found[:4] = [(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)]
    if plane is None:
        return found[:SAMPLES]
    seen = plane[found[:, 1], found[:, 0]].astype(float).reshape(_CANDIDATES, -1).sum(axis=1)
    striking = np.argsort(-np.abs(seen - np.median(seen)), kind="stable")
    return np.concatenate([found[: SAMPLES // 2], found[striking[: SAMPLES // 2]]])


def of_files(files: Sequence[Path], *, most: int | None = None) -> list[Image]:
    """Return the truth about every image in some files.

    Parameters
    ----------
    files : sequence of Path
        Of one series.
    most : int, optional
        Sample the pixels of no more frames per file than this.
    """
    return [one for path in files for one in images(path, most=most)]
