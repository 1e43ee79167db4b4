"""The header of a MetaImage file (.mha, .mhd).

itk.org/Wiki/ITK/MetaIO/Documentation. Positions are LPS, as ITK reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import UNORIENTED, Description
from napari_medlabel.io.gzip_stream import MAGIC
from napari_medlabel.io.itk.header import (
    AGAIN,
    LENGTHS_MM,
    ItkHeader,
    Packed,
    Role,
    checked_affine,
    data_files,
    numbers,
    read_head,
    require_even,
    sizes_of,
    whole,
)
from napari_medlabel.io.stored import unreadable
from napari_medlabel.io.voxels import turned

_TYPES: Final = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_STARTS: Final = (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType")


def parse_meta(path: Path) -> ItkHeader:
    """Read and check the header.

    Raises
    ------
    InputError
        When it is none, contradicts itself, or describes something that is not read.
    """
    fields, lines, end = _fields(read_head(path))
    if fields.get("objecttype", "image").lower() != "image":
        raise InputError(
            "A MetaImage is expected; this is another object of MetaIO.", hint=AGAIN
        )
    count = whole(_needed(fields, "ndims"), "number of dimensions")
    if not 2 <= count <= 10:
        raise InputError("The header's number of dimensions is not one of 2 to 10.", hint=AGAIN)
    dims = sizes_of(_needed(fields, "dimsize"), count)
    if any(n > 1 for n in dims[4:]):
        raise InputError(
            "At most four dimensions are read; this file has more.",
            hint="Split it into one file per series of volumes.",
        )
    dtype = _dtype(fields)
    packed = _packed(path, fields, lines, end)
    warnings: list[str] = []
    grid = _grid(fields, dims, warnings)
    channels = whole(fields.get("elementnumberofchannels", "1"), "number of channels")
    times = dims[3] if count > 3 else 1
    role, volumes = _role(channels, times, dtype, warnings)
    sizes = (*((channels,) if channels > 1 else ()), *dims)
    first = len(sizes) - count
    if len(packed.files) > 1:
        require_even(packed.files, sizes, first + _within(fields, count))
    axis = ("volume", "", tuple(float(n) for n in range(volumes))) if volumes > 1 else None
    return ItkHeader(
        format="mha",
        said=Description(
            grid,
            axis,
            warnings=(*warnings, *turned(grid.affine)),
            slices="pictures" if count == 2 else "places",
        ),
        dtype=dtype,
        sizes=sizes,
        spatial=tuple(range(first, first + min(count, 3))),
        other=None if role == "none" else 0 if channels > 1 else first + 3,
        role=role,
        packed=packed,
        fields=fields,
    )


def _fields(head: bytes) -> tuple[dict[str, str], list[str], int]:
    """Return the fields, the lines behind them, and where the bytes behind them begin."""
    marker = head.find(b"ElementDataFile")
    if marker < 0 or not head.lstrip().startswith(_STARTS):
        raise InputError(
            "An NRRD or MetaImage file is expected; its header is neither.", hint=AGAIN
        )
    end = head.find(b"\n", marker)
    end = len(head) if end < 0 else end
    fields: dict[str, str] = {}
    for line in head[:end].decode("latin-1").splitlines():
        name, found, value = line.partition("=")
        if found:
            fields[name.strip().lower()] = value.strip()
    named = fields.get("elementdatafile", "")
    lines = []
    if named.split()[:1] == ["LIST"]:
        lines = head[end:].decode("latin-1").splitlines()
    return fields, lines, min(end + 1, len(head))


def _needed(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise InputError("The MetaImage header lacks sizes, type or data file.", hint=AGAIN)
    return fields[name]


def _is_true(fields: dict[str, str], *names: str, default: str = "false") -> bool:
    value = next((fields[name] for name in names if name in fields), default)
    return value.lower() in ("true", "1", "t")


def _dtype(fields: dict[str, str]) -> np.dtype[Any]:
    name = _needed(fields, "elementtype").upper().removesuffix("_ARRAY")
    if name not in _TYPES:
        raise InputError(
            "The header's type of voxels is not one that MetaImage files are read with.",
            hint=AGAIN,
        )
    slope = numbers(fields.get("elementtointensityfunctionslope", "1"), 1, "intensity function")
    offset = numbers(
        fields.get("elementtointensityfunctionoffset", "0"), 1, "intensity function"
    )
    if slope != [1.0] or offset != [0.0]:
        raise InputError(
            "The header has an intensity function, which programs do not agree on applying.",
            hint="Apply it and save the image again.",
        )
    is_big = _is_true(fields, "binarydatabyteordermsb", "elementbyteordermsb")
    return np.dtype((">" if is_big else "<") + _TYPES[name])


def _packed(path: Path, fields: dict[str, str], lines: list[str], end: int) -> Packed:
    named = _needed(fields, "elementdatafile")
    is_local = named.upper() == "LOCAL"
    files = (path,) if is_local else data_files(path, named, lines)
    skip = whole(fields.get("headersize", "0"), "skip")
    start = end if is_local else 0
    if not _is_true(fields, "binarydata", default="true"):
        return Packed(files, not is_local, "text", start + max(skip, 0), 0)
    if not _is_true(fields, "compresseddata"):
        # A skip of -1: the voxels are the last bytes, whatever lies in front of them.
        return Packed(files, not is_local, "raw", start, -1 if skip < 0 else skip)
    start += max(skip, 0)
    try:
        with files[0].open("rb") as stream:
            stream.seek(start)
            is_gzip = stream.read(2) == MAGIC
    except OSError as err:
        raise unreadable() from err
    return Packed(files, not is_local, "gzip" if is_gzip else "zlib", start, 0)


def _within(fields: dict[str, str], count: int) -> int:
    words = fields["elementdatafile"].upper().split()
    if words[0] == "LIST" and len(words) > 1 and words[1].removesuffix("D").isdigit():
        return int(words[1].removesuffix("D"))
    return count - 1


def _grid(fields: dict[str, str], dims: tuple[int, ...], warnings: list[str]) -> Grid:
    count = len(dims)
    spacing = fields.get("elementspacing", fields.get("elementsize"))
    if spacing is None:
        warnings.append("The header has no voxel sizes: 1 mm is assumed.")
    steps = numbers(spacing or "1 " * count, count, "voxel sizes")
    origin = _first(fields, ("offset", "position", "origin"), "0 " * count)
    place = numbers(origin, count, "positions")
    turn = _first(fields, ("transformmatrix", "rotation", "orientation"), "")
    if not turn or count == 2:
        warnings.append(UNORIENTED)
    axes = np.eye(count)
    if turn:
        axes = np.array(numbers(turn, count * count, "directions")).reshape(count, count)
    if count > 3 and np.abs(axes[:3, 3:]).max() + np.abs(axes[3:, :3]).max() > 1e-6:
        raise InputError(
            "The header turns space into another dimension, which has no place in millimetres.",
            hint=AGAIN,
        )
    lps = np.eye(4)
    n = min(count, 3)
    lps[:n, :n] = (axes[:n, :n] * np.array(steps[:n])[:, None]).T  # rows are the axes
    lps[:n, 3] = place[:n]
    factor = LENGTHS_MM.get(fields.get("distanceunits", "mm").strip('"').lower())
    if factor is None:
        warnings.append("The unit of length is unknown; millimetres are assumed.")
    elif factor != 1:
        warnings.append("The header is in another unit of length; converted to millimetres.")
        lps[:n] *= factor
    if n == 2:
        warnings.append("One picture: it has no thickness and no place along the third axis.")
    shape = (*dims, 1)[:3]
    return Grid((shape[0], shape[1], shape[2]), checked_affine(lps, is_lps=True))


def _first(fields: dict[str, str], names: tuple[str, ...], default: str) -> str:
    return next((fields[name] for name in names if name in fields), default)


def _role(
    channels: int, times: int, dtype: np.dtype[Any], warnings: list[str]
) -> tuple[Role, int]:
    """Return what the axis is that is not space, and how many volumes it makes."""
    if channels < 1:
        raise InputError("The header's number of channels is less than one.", hint=AGAIN)
    if channels > 1 and times > 1:
        raise InputError(
            "Several numbers for each voxel and several volumes are not read from one file.",
            hint="Split it into one file per volume.",
        )
    if channels in (3, 4) and dtype.str[1:] == "u1":
        return "colour", 1
    if channels > 1:
        warnings.append(
            f"Each voxel holds {channels} numbers: they are shown as {channels} volumes."
        )
        return "volumes", channels
    return ("volumes", times) if times > 1 else ("none", 1)
