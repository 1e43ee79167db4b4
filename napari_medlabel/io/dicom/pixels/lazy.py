"""Several volumes of one scan, read when they are looked at: mapped from disk, or by dask."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import require
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.pixels.coding import Coding, coding_of
from napari_medlabel.io.dicom.pixels.colour import is_colour
from napari_medlabel.io.dicom.pixels.fill import Progress, fill
from napari_medlabel.io.dicom.pixels.frames import read_into
from napari_medlabel.io.dicom.pixels.scaling import linear, result_type
from napari_medlabel.io.dicom.pixels.stored import open_pixels
from napari_medlabel.io.dicom.pixels.values import meaning_of

Array = npt.NDArray[Any]
LAZY_BYTES: Final = 512 << 20
"""Scans of several volumes that take more than this are read when they are looked at."""
_VOLUMES_KEPT: Final = 2
_HASHED_AT_ONCE: Final = 1 << 20
_MOST_THREADS: Final = 8


def is_lazy(planes: Sequence[Plane], volumes: int, slices: int) -> bool:
    """Tell whether the volumes of a scan are so large that they should stay on disk.

    Parameters
    ----------
    planes : sequence of Plane
        All of them.
    volumes, slices : int
        Sizes along t and k.
    """
    if volumes < 2:
        return False
    size = volumes * slices * planes[0].rows * planes[0].columns
    return size * coding_of(planes[0].instance).dtype.itemsize > LAZY_BYTES


def lazy_volumes(
    planes: Sequence[Plane],
    *,
    volumes: int,
    slices: int,
    missing: tuple[int, ...] = (),
    values: str = "rescaled",
) -> Any:
    """Return all volumes of a scan without reading them.

    Parameters
    ----------
    planes : sequence of Plane
        Volume after volume, each in slice order, without those that are missing.
    volumes, slices : int
        Sizes along t and k.
    missing : tuple of int
        Slices that no volume has; blank in each, by the rule of `io.dicom_pixels.fill`.
    values : str
        What values are wanted, see `io.dicom_values.meaning_of`.

    Returns
    -------
    array, shape (i, j, k, t)
        A memory map where one file holds all pixels as they are wanted; else a dask array of
        one chunk for each volume. Of a type that holds whatever the stored bits can say.

    Raises
    ------
    InputError
        When the headers do not give what is asked for. Damaged pixels raise it when they are
        looked at.
    MissingPackageError
        When dask is needed and not installed.
    """
    mapped = _mapped(planes, volumes, slices, values)
    if mapped is not None:
        return mapped
    codings = [coding_of(plane.instance) for plane in planes]
    if is_colour(codings[0]):
        dtype = np.dtype(np.uint8)
    else:
        dtype = result_type(codings, meaning_of(planes, values).scalings)
    count = slices - len(missing)

    @lru_cache(maxsize=_VOLUMES_KEPT)
    def volume(number: int) -> Array:
        part = planes[number * count : (number + 1) * count]
        filled = fill(
            part,
            volumes=1,
            slices=slices,
            missing=missing,
            progress=None,
            hashes=False,
            values=values,
        )
        array: Array = filled.array[0].astype(dtype, copy=False)
        array.flags.writeable = False  # it is kept for the next who looks
        return array

    return _chunked(volume, (slices, planes[0].rows, planes[0].columns), volumes, dtype)


def hash_files(
    instances: Sequence[Instance], *, progress: Progress | None = None
) -> tuple[str, ...]:
    """Return the SHA-256 of each file, for scans whose pixels are not read at once.

    Parameters
    ----------
    instances : sequence of Instance
        The files.
    progress : callable, optional
        Called with files done and files in all. What it raises ends the work.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    count = len(instances)
    named = [(one, f"file {n} of {count}") for n, one in enumerate(instances, start=1)]
    digests = []
    pool = ThreadPoolExecutor(max_workers=min(_MOST_THREADS, os.cpu_count() or 1))
    try:
        for digest in pool.map(_hash, named):
            digests.append(digest)
            if progress is not None:
                progress(len(digests), count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return tuple(digests)


def _hash(named: tuple[Instance, str]) -> str:
    one, where = named
    digest = sha256()
    buffer = np.empty(min(_HASHED_AT_ONCE, one.size), np.uint8)
    for at in range(0, one.size, _HASHED_AT_ONCE):
        part = buffer[: min(len(buffer), one.size - at)]
        read_into(one.file, at, part, where)
        digest.update(part.data)
    return digest.hexdigest()


def _mapped(planes: Sequence[Plane], volumes: int, slices: int, values: str) -> Array | None:
    """Map the file where its bytes are the volumes as they are wanted."""
    one, coding = planes[0].instance, coding_of(planes[0].instance)
    if len(planes) != volumes * slices or not _is_plain(one, coding):
        return None
    if any(
        plane.instance is not one or plane.tile is not None or plane.frame != number
        for number, plane in enumerate(planes)
    ):
        return None
    meaning = meaning_of(planes, values)
    if any(scaling is not linear(1.0, 0.0) for scaling in meaning.scalings):
        return None
    pixels = open_pixels(one, "the file")
    shape = (volumes, slices, coding.rows, coding.columns)
    if pixels.parts or pixels.start + math.prod(shape) * coding.dtype.itemsize > one.size:
        return None
    return np.memmap(one.path, coding.dtype, "r", pixels.start, shape).T


def _is_plain(one: Instance, coding: Coding) -> bool:
    if not one.is_native or sys.byteorder != "little" or coding.dtype == np.float64:
        return False
    return coding.is_plain and not coding.has_spare_bits


def _chunked(volume: Any, shape: tuple[int, int, int], volumes: int, dtype: Any) -> Any:
    """Return a dask array (i, j, k, t) that reads one volume (k, j, i) at a time."""
    dask = require("dask", extra="gui")
    arrays = require("dask.array", extra="gui")
    parts = [
        arrays.from_delayed(dask.delayed(volume, pure=False)(number), shape, dtype)
        for number in range(volumes)
    ]
    return arrays.stack(parts).transpose(3, 2, 1, 0)
