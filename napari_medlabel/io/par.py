"""Philips PAR/REC, V3 to V4.2, through nibabel's header: volumes in.

Values are those that the scanner's console displays: stored times rescale slope plus rescale
intercept, slice by slice ("DV" in the PAR file's own words; "FP", which divides by the scale
slope, is another unit).
"""

from __future__ import annotations

import math
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import Description
from napari_medlabel.io.stored import (
    Progress,
    Watch,
    read_block,
    see_whole,
    unreadable,
    volume_of,
)
from napari_medlabel.io.voxels import require_promise, require_room, sound_affine, turned
from napari_medlabel.model.volume import Source, Volume

_AGAIN: Final = "Export the scan again from the scanner, as DICOM if that is possible."
_NO_INDEX: Final = (
    "The PAR file's index does not fit its REC file: the order of its lines was used."
)
_LARGEST: Final = 64 << 20
_SLICES: Final = "image_type_mr"
# What varies from volume to volume: name, unit, where its values stand, and their factor.
_AXES: Final = {
    "dynamic scan number": ("time", "s", "dyn_scan_begin_time"),
    "echo number": ("echo", "ms", "echo_time"),
    "diffusion b value number": ("b-value", "s/mm2", "diffusion_b_factor"),
    "gradient orientation number": ("b-value", "s/mm2", "diffusion_b_factor"),
    "cardiac phase number": ("trigger", "ms", "trigger_time"),
}
_DIFFUSION: Final = {"diffusion b value number", "gradient orientation number"}


def inspect(path: Path) -> Description:
    """Read and check the header alone.

    Parameters
    ----------
    path : Path
        Either file of the pair.

    Raises
    ------
    InputError
        When it cannot be read or used, or its other half is missing.
    """
    return _described(_header(pair_of(path)[0]))


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume, or several on one grid.

    Parameters
    ----------
    path : Path
        Either file of the pair.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of both files.

    Raises
    ------
    InputError
        When a file is damaged, cut off or too large.
    """
    files = pair_of(path)
    header = _header(files[0])
    said = _described(header)
    dtype = header.get_data_dtype()
    picture = math.prod(said.grid.shape[:2]) * dtype.itemsize
    try:
        sizes = [file.stat().st_size for file in files]
    except OSError as err:
        raise unreadable() from err
    places, doubts = _places(header, sizes[1] // picture)
    count = int(places.max()) + 1
    require_promise(count * picture, sizes[1], 1)
    require_room(3 * count * picture)
    stored = np.empty((count, *said.grid.shape[1::-1]), dtype)
    with Watch(sum(sizes), progress, hashes=hashes) as watch:
        see_whole(files[0], watch)
        read_block(files[1], "raw", 0, stored, watch)
    order = np.asarray(header.get_sorted_slice_indices(), dtype=np.intp)
    values = _scaled(stored, places[order], header).reshape(-1, *said.grid.shape[::-1])
    source = Source(format="par", files=files, sha256=watch.digests())
    return volume_of(values, replace(said, warnings=said.warnings + doubts), source)


def _places(header: Any, pictures: int) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """Return where in the REC file each line's picture lies; nibabel takes the lines' order."""
    lines = np.arange(len(header.image_defs))
    if "index in REC file" not in (header.image_defs.dtype.fields or {}):
        return lines, ()
    places = np.asarray(header.image_defs["index in REC file"], dtype=np.intp)
    is_sound = len(np.unique(places)) == len(places) and places.min() >= 0
    if is_sound and places.max() < max(pictures, len(lines)):
        return places, ()
    return lines, (_NO_INDEX,)


def pair_of(path: Path) -> tuple[Path, Path]:
    """Return the PAR file and the REC file, whichever of them is given.

    Raises
    ------
    InputError
        When the other one is missing.
    """
    found = []
    for wanted in (".par", ".rec"):
        names = (path.suffix, wanted, wanted.upper(), wanted.capitalize())
        beside = (path.with_suffix(name) for name in names if name.lower() == wanted)
        file = next((one for one in beside if one.is_file()), None)
        if file is None:
            raise InputError(
                f"This is one half of a PAR/REC pair; the {wanted.upper()} file is missing.",
                hint="Keep both files together, under the same name.",
            )
        found.append(file)
    return found[0], found[1]


def _header(file: Path) -> Any:
    from nibabel.parrec import PARRECError, PARRECHeader

    try:
        if file.stat().st_size > _LARGEST:
            raise InputError("The PAR file is far too long for a header.", hint=_AGAIN)
        # Its warnings quote the header, and patients' names are not always ASCII.
        with file.open(encoding="latin-1") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PARRECHeader.from_fileobj(stream, permit_truncated=False, strict_sort=True)
    except PARRECError as err:
        raise InputError(
            "The PAR file is cut off, of an unknown version, or contradicts itself.",
            hint=_AGAIN,
        ) from err
    except OSError as err:
        raise unreadable() from err
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as err:
        raise InputError("The PAR file cannot be read.", hint=_AGAIN) from err


def _described(header: Any) -> Description:
    from nibabel.parrec import PARRECError

    try:
        shape = tuple(int(n) for n in header.get_data_shape())
        matrix = header.get_affine(origin="scanner")
        labels = dict(header.get_volume_labels())
        affine = sound_affine(matrix)
        grid = Grid((shape[0], shape[1], shape[2]), affine)
    except GeometryError as err:
        raise InputError("The PAR file's geometry spans no volume.", hint=_AGAIN) from err
    except (PARRECError, ValueError, KeyError, IndexError, TypeError) as err:
        raise InputError(
            "The slices of the PAR file differ in size, spacing or direction: they are no "
            "volume.",
            hint=_AGAIN,
        ) from err
    count = shape[3] if len(shape) > 3 else 1
    doubts: list[str] = []
    axis = _axis(header, labels, count, doubts) if count > 1 else None
    return Description(grid, axis, warnings=(*doubts, *turned(affine)))


def _axis(
    header: Any, labels: dict[str, Any], count: int, doubts: list[str]
) -> tuple[str, str, tuple[float, ...]]:
    if _SLICES in labels:
        kinds = len(np.unique(labels[_SLICES]))
        doubts.append(
            f"The volumes are of {kinds} kinds, such as magnitude and phase: they follow each "
            "other in one series."
        )
    names = set(labels)
    if len(names) == 1 or (names and names <= _DIFFUSION):
        name, unit, key = _AXES.get(next(iter(names)), ("volume", "", ""))
        if key in (header.image_defs.dtype.fields or {}):
            order = header.get_sorted_slice_indices()
            firsts = header.image_defs[key][order][:: len(order) // count]
            values = tuple(float(value) for value in firsts)
            if all(map(math.isfinite, values)) and len(set(values)) > 1:
                return name, unit, values
    elif names - {_SLICES}:
        doubts.append("The volumes differ in several things: they are only counted.")
    return "volume", "", tuple(float(n) for n in range(count))


def _scaled(
    stored: npt.NDArray[Any], order: npt.NDArray[np.intp], header: Any
) -> npt.NDArray[Any]:
    """Return the slices in order, scaled as displayed; integers where nothing scales them."""
    slopes, intercepts = (
        np.asarray(one, dtype=np.float64).ravel(order="F")
        for one in header.get_data_scaling("dv")
    )
    if not (np.isfinite(slopes).all() and np.isfinite(intercepts).all() and slopes.all()):
        raise InputError(
            "The PAR file's rescale slope or intercept is no number, or zero: the values are "
            "unknown.",
            hint=_AGAIN,
        )
    if (slopes == 1).all() and (intercepts == 0).all():
        return stored[order]
    out = np.empty((len(order), *stored.shape[1:]), np.float32)
    for n, place in enumerate(order):
        np.copyto(out[n], stored[place] * slopes[n] + intercepts[n], casting="unsafe")
    return out
