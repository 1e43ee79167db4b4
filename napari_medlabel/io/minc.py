"""MINC 1 and 2 (.mnc) through nibabel: volumes in.

Values are real ones, scaled slice by slice as the file says; MINC's world is RAS mm.
"""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel._optional import require
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import Description
from napari_medlabel.io.stored import Progress, Watch, see_whole, unreadable, volume_of
from napari_medlabel.io.voxels import (
    require_no_bomb,
    require_promise,
    require_room,
    sound_affine,
    turned,
)
from napari_medlabel.model.volume import Source, Volume

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_NETCDF: Final = (b"CDF\x01", b"CDF\x02")
_AGAIN: Final = "The file is damaged; export it again from its source, as NIfTI if possible."
_LARGEST_RATIO: Final = 1032
_TIMES: Final = {"s": "s", "sec": "s", "seconds": "s", "ms": "ms", "us": "us"}
_DAMAGED: Final = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    RuntimeError,
    EOFError,
    struct.error,
)
"""What nibabel, its netCDF reader and h5py raise for files that lie."""


def inspect(path: Path) -> Description:
    """Read and check the header alone.

    Raises
    ------
    InputError
        When it cannot be read or used.
    MissingPackageError
        When it is MINC 2 and h5py is not installed.
    """
    with _opened(path) as file:
        return _described(file, path)


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume, or several on one grid, as float32.

    Parameters
    ----------
    path : Path
        A .mnc file.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of the file.

    Raises
    ------
    InputError
        When the file is damaged, cut off or too large.
    MissingPackageError
        When it is MINC 2 and h5py is not installed.
    """
    with _opened(path) as file:
        said = _described(file, path)
        shape = tuple(int(n) for n in file.get_data_shape())
        require_room(4 * math.prod(shape))
        whole = np.empty(shape, np.float32)
        for n in range(shape[0]):
            part = file.get_scaled_data((slice(n, n + 1), *[slice(None)] * (len(shape) - 1)))
            with np.errstate(over="ignore"):
                np.copyto(whole[n], part[0], casting="unsafe")
        names = _names(file)
    last = [n for n, name in enumerate(names) if not name.endswith("space")]
    stored = whole.transpose(*last, *[n for n in range(len(names)) if n not in last])
    stored = np.ascontiguousarray(stored.reshape(said.volumes, *said.grid.shape[::-1]))
    try:
        size = path.stat().st_size
    except OSError as err:
        raise unreadable() from err
    with Watch(size, progress, hashes=hashes) as watch:
        see_whole(path, watch)
    source = Source(format="minc", files=(path,), sha256=watch.digests())
    return volume_of(stored, said, source)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open the file as nibabel's Minc1File or Minc2File, and say in words what goes wrong."""
    from nibabel.minc1 import MincError

    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the header
            head = stream.read(8)
            stream.seek(0)
            if head == _HDF5:
                h5py = require("h5py", extra="minc")
                from nibabel.minc2 import Minc2File

                with h5py.File(stream, "r") as tree:
                    yield Minc2File(tree)
            elif head[:4] in _NETCDF:
                from nibabel.externals.netcdf import netcdf_file
                from nibabel.minc1 import Minc1File

                yield Minc1File(netcdf_file(stream))
            else:
                raise InputError(
                    "A MINC file is expected; its first bytes are neither netCDF nor HDF5.",
                    hint=_AGAIN,
                )
    except (MincError, *_DAMAGED) as err:
        raise InputError(
            "The file cannot be read as MINC: it is cut off, damaged, irregularly spaced or of "
            "an unknown kind.",
            hint=_AGAIN,
        ) from err
    except OSError as err:
        if err.errno is None:  # h5py, of what is inside
            raise InputError("The MINC file is cut off or damaged.", hint=_AGAIN) from err
        raise unreadable() from err


def _names(file: Any) -> list[str]:
    return list(file._dim_names)  # noqa: SLF001 - nibabel has no public name for it


def _described(file: Any, path: Path) -> Description:
    names, shape = _names(file), [int(n) for n in file.get_data_shape()]
    space = [n for n, name in enumerate(names) if name.endswith("space")]
    others = [n for n in range(len(names)) if n not in space]
    if len(space) != 3 or len(names) != len(shape) or sum(shape[n] > 1 for n in others) > 1:
        raise InputError(
            "Three axes of space and at most one other are expected; this file has others.",
            hint="Convert it to NIfTI first.",
        )
    needed = math.prod(shape) * file.get_data_dtype().itemsize
    size = path.stat().st_size
    require_promise(needed, size, _LARGEST_RATIO)
    require_no_bomb(needed, size)
    # nibabel's columns are z, y, x in the order of the file; the first voxel is the same.
    matrix = np.array(file.get_affine(), dtype=np.float64)[:, [2, 1, 0, 3]]
    k, j, i = (shape[n] for n in space)
    try:
        affine = sound_affine(matrix)
        grid = Grid((i, j, k), affine)
    except GeometryError as err:
        raise InputError("The MINC file's geometry spans no volume.", hint=_AGAIN) from err
    other = next((n for n in others if shape[n] > 1), None)
    axis = None if other is None else _axis(file, names[other], other, shape[other])
    return Description(grid, axis, warnings=turned(affine))


def _axis(file: Any, name: str, number: int, count: int) -> tuple[str, str, tuple[float, ...]]:
    about = file._dims[number]  # noqa: SLF001 - nibabel has no public name for it
    given = getattr(about, "units", b"")
    unit = _TIMES.get((given.decode("latin-1") if isinstance(given, bytes) else str(given)), "")
    step = float(getattr(about, "step", math.nan))
    start = float(getattr(about, "start", 0.0))
    if name == "time" and unit and math.isfinite(start) and math.isfinite(step) and step > 0:
        return "time", unit, tuple(round(start + n * step, 9) for n in range(count))
    return "volume", "", tuple(float(n) for n in range(count))
