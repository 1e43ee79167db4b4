"""Volumes and masks out as NIfTI: on the source's own header where it has one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.gzip_stream import write_gzip
from napari_medlabel.io.nifti.fields import (
    CODES,
    RGB,
    built,
    changed,
    dim_of,
)
from napari_medlabel.io.nifti.header import parse
from napari_medlabel.model.volume import FurtherAxis, Volume

_TO_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_MM, _MM_S = (2,), (10,)


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
        kept as it is: pixdim, sform, qform, codes and units, and the dimensions up to the
        third. Data type, scaling, display range and intent are the mask's own, and the free
        texts, which may name the patient, are cleared. None builds a header of the affine.
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
    if array_ijk.dtype.name not in ("uint8", "uint16"):
        raise GeometryError(
            f"A mask is uint8 or uint16; got {array_ijk.dtype}.",
            hint="Convert the mask to whole numbers from 0 to 65535.",
        )
    own: dict[str, tuple[Any, ...]] = {"intent_p": (0, 0, 0), "intent_code": (0,)}
    if header is None:
        raw, big_endian, own["xyzt_units"] = built(array_ijk.shape, affine), False, _MM
    else:
        raw = header
        sizes = dim_of(raw, big_endian=big_endian)
        if (*sizes, 1)[:3] != array_ijk.shape:
            raise GeometryError(
                "The mask's shape and the source header's dimensions differ.",
                hint="Open the scan this mask was made on.",
            )
        if math.prod(sizes[3:]) > 1:  # a mask of a scan with several volumes has one
            own["dim"] = (3, *sizes[:3], 1, 1, 1, 1)
    head = changed(
        raw,
        big_endian=big_endian,
        datatype=(CODES[array_ijk.dtype.name],),
        bitpix=(array_ijk.dtype.itemsize * 8,),
        cal=(0, 0),
        **own,
    )
    stored = array_ijk.dtype.newbyteorder(">" if big_endian else "<")
    _write(path, head, iter([_bytes(array_ijk.T, stored)]))


def write_volume_nifti(path: Path, volume: Volume) -> None:
    """Write a volume, all its volumes or its colours, without a word about the patient.

    Of several volumes in colours the brightness is written.

    Values and their type stay exact; slices that no file held stay blank. A volume from NIfTI
    keeps its own header: affine, codes, units and dimensions are bit-equal, free texts and
    extensions are left out. Any other gets the header of `nifti_fields.built`. Lazy volumes
    are written one after the other.

    Parameters
    ----------
    path : Path
        A file that does not exist yet; compressed where it ends in ``.gz``.
    volume : Volume
        Of several volumes all are written: times in seconds where they are regular.

    Raises
    ------
    GeometryError
        When NIfTI has no such type of voxels.
    FileExistsError, OSError
        When it cannot be written.
    """
    further = volume.further
    colour = None if further is not None else volume.colour
    dtype = np.dtype(volume.array.dtype if further is None else further.array.dtype)
    if dtype.name not in CODES:
        raise GeometryError(
            f"NIfTI has no voxels of the type {dtype.name}.",
            hint="Convert them to float32 first.",
        )
    raw = _own_header(volume)
    big_endian = volume.source.big_endian and raw is not None
    own: dict[str, tuple[Any, ...]] = {}
    if raw is None:
        shape = (*volume.grid.shape, *(() if further is None else further.array.shape[3:]))
        raw = built(shape, volume.grid.affine, oriented=volume.is_oriented)
        if further is not None:
            own = _time_fields(further)
    head = changed(
        raw,
        big_endian=big_endian,
        datatype=(CODES[dtype.name] if colour is None else RGB,),
        bitpix=(dtype.itemsize * 8 if colour is None else 24,),
        **own,
    )
    stored = dtype.newbyteorder(">" if big_endian else "<")
    if colour is not None:
        parts = iter([_bytes(colour.transpose(2, 1, 0, 3), np.dtype(np.uint8))])
    elif further is None:
        parts = iter([_bytes(volume.array.T, stored)])
    else:
        parts = _volumes(further, stored)
    _write(path, head, parts)


def _own_header(volume: Volume) -> bytes | None:
    """Return the source's header where the volume still lies where it says."""
    source = volume.source
    if source.header is None:
        return None
    said = parse(source.header).said
    same = said.grid.shape == volume.grid.shape and said.grid.affine == volume.grid.affine
    volumes = 1 if volume.further is None else len(volume.further.values)
    return source.header if same and said.volumes == volumes else None


def _time_fields(further: FurtherAxis) -> dict[str, tuple[Any, ...]]:
    """Say a regular time axis in pixdim[4]; of any other that its unit is unknown."""
    factor = _TO_SECONDS.get(further.unit) if further.name == "time" else None
    steps = np.diff(further.values)
    regular = steps.size > 0 and steps.min() > 0 and np.ptp(steps) <= 1e-3 * steps.mean()
    if factor is None or not regular:
        return {"pixdim4": (1.0,), "xyzt_units": _MM, "toffset": (0.0,)}
    return {
        "pixdim4": (float(steps.mean()) * factor,),
        "xyzt_units": _MM_S,
        "toffset": (further.values[0] * factor,),
    }


def _volumes(further: FurtherAxis, stored: np.dtype[Any]) -> Iterator[memoryview]:
    for number in range(len(further.values)):
        yield _bytes(np.asarray(further.array[..., number]).T, stored)


def _bytes(values: npt.NDArray[Any], stored: np.dtype[Any]) -> memoryview:
    whole = np.ascontiguousarray(values, dtype=stored)
    return whole.reshape(-1).view(np.uint8).data.cast("B")


def _write(path: Path, head: bytes, parts: Iterator[memoryview]) -> None:
    if path.name.endswith(".gz"):
        write_gzip(path, head, parts)
        return
    with path.open("xb") as stream:
        stream.write(head)
        for part in parts:
            stream.write(part)
