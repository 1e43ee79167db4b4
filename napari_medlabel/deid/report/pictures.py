"""Small pictures of cleaned images, as PNG, for the report and for eyes that review."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.registry import find_series, read_series, thumbnail
from napari_medlabel.model.volume import Volume

SMALL, LARGE = 160, 420
"""Rows and columns at most: in the report, and for a review."""

MOST_SERIES = 12
_MOST_VALUES = 1 << 26  # of a file that is read as a whole
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TAIL = 0.5  # per cent of voxels at either end that may be clipped
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Picture:
    """One picture.

    Parameters
    ----------
    png : bytes
        The file.
    width, height : int
        Pixels.
    alt : str
        What it shows, in words without identity.
    """

    png: bytes = field(repr=False)
    width: int
    height: int
    alt: str

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + b64encode(self.png).decode("ascii")


def pictures_of(tree: Path, *, most: int = MOST_SERIES) -> tuple[Picture, ...]:
    """Return a picture of the middle image of each series in a target folder.

    Parameters
    ----------
    tree : Path
        A folder as `deidentify_folder` fills it: one folder for a series, or for NIfTI one for
        a folder of the source.
    most : int
        Count of pictures at most.

    Returns
    -------
    tuple of Picture
        In order of the folders' names; what cannot be drawn is left out.
    """
    return tuple(islice(_drawn(tree), most))


def picture_of(path: Path, alt: str, *, largest: int = SMALL) -> Picture | None:
    """Return a picture of the middle slice or frame of one file.

    Parameters
    ----------
    path : Path
        An image file of any format that is read here.
    alt : str
        What it shows, in words.
    largest : int
        Rows and columns at most.

    Returns
    -------
    Picture or None
        None for what is no image or cannot be read. Of files with very many voxels only one
        slice is read, and shown in grey.
    """
    found = _read(path)
    if isinstance(found, Volume):
        found = _shown(found, found.grid.shape[2] // 2)
    return None if found is None else shrunk(found, alt, largest)


def views_of(path: Path, alt: str, *, largest: int = LARGE) -> tuple[Picture, ...]:
    """Return pictures in which writing would be seen.

    Parameters
    ----------
    path, alt, largest
        As for `picture_of`.

    Returns
    -------
    tuple of Picture
        The middle frame; of several frames also the brightest and the darkest that each
        pixel gets; and the middle frame with its contrast raised until faint writing shows.
        Of files with very many voxels the middle frame alone, small.
    """
    found = _read(path)
    if found is None:
        return ()
    if not isinstance(found, Volume):
        return (shrunk(found, f"{alt}, middle frame, small: open the file to see it", largest),)
    frames = found.grid.shape[2]
    middle = _shown(found, frames // 2)
    views = [(middle, "middle frame" if frames > 1 else "as it is")]
    if frames > 1:
        grey = np.moveaxis(found.array, 2, 0).transpose(0, 2, 1)
        views.append((_windowed(grey.max(axis=0), found), f"brightest of {frames} frames"))
        views.append((_windowed(grey.min(axis=0), found), f"darkest of {frames} frames"))
    views.append((_equalised(found.array[:, :, frames // 2].T), "contrast raised"))
    return tuple(shrunk(view, f"{alt}, {what}", largest) for view, what in views)


def png_of(array: npt.NDArray[np.uint8]) -> bytes:
    """Return an array as a PNG file without any text in it.

    Parameters
    ----------
    array : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        Grey values, or red, green and blue.
    """
    rows, columns = array.shape[:2]
    colour_type = 2 if array.ndim == 3 else 0
    lines = np.ascontiguousarray(array).reshape(rows, -1)
    raw = np.concatenate([np.zeros((rows, 1), np.uint8), lines], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", columns, rows, 8, colour_type, 0, 0, 0)
    body = zlib.compress(raw, 9)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _drawn(tree: Path) -> Iterator[Picture]:
    """Draw the middle file of each folder that holds images."""
    number = 0
    for folder in sorted(path for path in tree.rglob("*") if path.is_dir()):
        names = sorted(path for path in folder.iterdir() if path.is_file())
        files = [path for path in names if path.suffix not in {".json", ".bval", ".bvec"}]
        if not files:
            continue
        number += 1
        alt = f"Series {number}: middle image of {len(files)}"
        picture = picture_of(files[len(files) // 2], alt)
        if picture is not None:
            yield picture


def _read(path: Path) -> Volume | npt.NDArray[np.uint8] | None:
    """Read a file alone; of a large one a small grey picture; None where there is no image."""
    try:
        found = find_series(path).series
        if len(found) != 1:
            return None
        info = found[0]
        values = info.volumes * (info.grid.size if info.grid else 0) * (3 if info.colour else 1)
        if values > _MOST_VALUES:
            return thumbnail(info)
        return read_series(info, hashes=False, values="stored")
    except (MedlabelError, OSError):
        return None


def _shown(volume: Volume, k: int) -> npt.NDArray[np.uint8]:
    """Return one slice, shape (rows, columns) or with colours, as it would be shown."""
    if volume.colour is not None:
        return np.asarray(volume.colour[:, :, k]).transpose(1, 0, 2)
    return _windowed(volume.array[:, :, k].T, volume)


def _windowed(grey: Array, volume: Volume) -> npt.NDArray[np.uint8]:
    """Return grey values between nearly the darkest and nearly the brightest."""
    values = np.nan_to_num(grey.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = (float(v) for v in np.percentile(values, (_TAIL, 100 - _TAIL)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    span = (high - low) or 1.0
    share = np.clip((values - low) / span, 0, 1)
    if volume.is_inverted:
        share = 1 - share
    result: npt.NDArray[np.uint8] = np.rint(share * 255).astype(np.uint8)
    return result


def _equalised(grey: Array) -> npt.NDArray[np.uint8]:
    """Return grey values spread so that each is as frequent, which shows faint writing."""
    _, places, counts = np.unique(grey, return_inverse=True, return_counts=True)
    share = (np.cumsum(counts) - counts) / max(grey.size - int(counts[-1]), 1)
    result: npt.NDArray[np.uint8] = np.rint(share * 255).astype(np.uint8)
    return result[places.reshape(grey.shape)]


def shrunk(array: npt.NDArray[np.uint8], alt: str, largest: int) -> Picture:
    """Return a picture, smaller by a whole number, each pixel the mean of those it stands for.

    Parameters
    ----------
    array : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        Grey values, or red, green and blue.
    alt : str
        What it shows, in words.
    largest : int
        Rows and columns at most.
    """
    step = -(-max(array.shape[:2]) // largest)
    if step > 1:
        rows, columns = (max(1, n // step) for n in array.shape[:2])
        height, width = (min(step, n) for n in array.shape[:2])
        cut = array[: rows * height, : columns * width].astype(np.float32)
        blocks = cut.reshape(rows, height, columns, width, *array.shape[2:])
        array = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return Picture(png_of(array), array.shape[1], array.shape[0], alt)
