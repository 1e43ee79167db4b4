"""The header of an NRRD file (.nrrd, .nhdr): its fields, types, and where the voxels lie.

teem.sourceforge.net/nrrd/format.html, versions 1 to 5; the axes are `io.nrrd_axes`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.io.description import Description
from napari_medlabel.io.gzip_stream import Packing
from napari_medlabel.io.itk.header import (
    AGAIN,
    ItkHeader,
    Packed,
    data_files,
    read_head,
    require_even,
    sizes_of,
    whole,
)
from napari_medlabel.io.itk.nrrd_axes import understand
from napari_medlabel.io.voxels import turned

_TYPES: Final = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": (
        "longlong",
        "long long",
        "long long int",
        "signed long long",
        "signed long long int",
        "int64",
        "int64_t",
    ),
    "u8": (
        "ulonglong",
        "unsigned long long",
        "unsigned long long int",
        "uint64",
        "uint64_t",
    ),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES: Final = {name: code for code, names in _TYPES.items() for name in names}
_PACKINGS: Final[dict[str, Packing]] = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
}
_TEXTS: Final = ("ascii", "text", "txt")
_SAME: Final = {
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "centerings": "centers",
}


def parse_nrrd(path: Path) -> ItkHeader:
    """Read and check the header.

    Raises
    ------
    InputError
        When it is none, contradicts itself, or describes something that is not read.
    """
    head = read_head(path)
    lines, end = _until_blank(head)
    if not lines or not lines[0].startswith("NRRD000"):
        raise InputError(
            "An NRRD or MetaImage file is expected; its header is neither.", hint=AGAIN
        )
    fields, keys, names = _fields(lines[1:])
    if "data file" not in fields and end < 0:
        raise InputError("The NRRD header has no end.", hint=AGAIN)
    count = whole(_needed(fields, "dimension"), "number of dimensions")
    if not 1 <= count <= 16:
        raise InputError("The header's number of dimensions is not one of 1 to 16.", hint=AGAIN)
    sizes = sizes_of(_needed(fields, "sizes"), count)
    dtype = _dtype(fields)
    packed = _packed(path, fields, names, head, max(end, 0))
    if len(packed.files) > 1:
        require_even(packed.files, sizes, _within(fields, count))
    axes = understand(fields, keys, sizes, dtype)
    return ItkHeader(
        format="nrrd",
        said=Description(
            axes.grid,
            axes.axis,
            warnings=(*axes.warnings, *turned(axes.grid.affine)),
            slices=axes.slices,
        ),
        dtype=dtype,
        sizes=sizes,
        spatial=axes.spatial,
        other=axes.other,
        role=axes.role,
        packed=packed,
        fields=fields,
        keys=keys,
    )


def _until_blank(head: bytes) -> tuple[list[str], int]:
    """Return the header's lines and where the first byte behind its blank line lies."""
    at = 0
    lines: list[str] = []
    while (stop := head.find(b"\n", at)) >= 0:
        line = head[at:stop].rstrip(b"\r")
        at = stop + 1
        if not line:
            return lines, at
        lines.append(line.decode("utf-8", "replace"))
    return [*lines, head[at:].decode("utf-8", "replace")], -1


def _fields(lines: list[str]) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return fields, key-value pairs, and the names behind ``data file: LIST``."""
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for number, line in enumerate(lines):
        if line.startswith("#"):
            continue
        # "name: value" is a field, "key:=value" a pair; a key may hold a colon, a field not.
        name, found, value = line.partition(":")
        if found and value.startswith("="):
            keys[name] = value[1:]
        elif found:
            name = name.strip().lower()
            fields[_SAME.get(name, name)] = value.strip()
            if _SAME.get(name, name) == "data file" and value.split()[:1] == ["LIST"]:
                return fields, keys, lines[number + 1 :]
    return fields, keys, []


def _needed(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise InputError(
            "The NRRD header lacks dimension, sizes, type or encoding.", hint=AGAIN
        )
    return fields[name]


def _dtype(fields: dict[str, str]) -> np.dtype[Any]:
    code = _CODES.get(_needed(fields, "type").lower())
    if code is None:
        raise InputError(
            "The header's type of voxels is not one that NRRD files are read with.", hint=AGAIN
        )
    endian = fields.get("endian", "").lower()
    is_text = _needed(fields, "encoding").lower() in _TEXTS
    if endian not in ("little", "big") and code[1] != "1" and not is_text:
        raise InputError("The header does not say the order of bytes (endian).", hint=AGAIN)
    return np.dtype((">" if endian == "big" else "<") + code)


def _packed(
    path: Path, fields: dict[str, str], names: list[str], head: bytes, end: int
) -> Packed:
    encoding = _needed(fields, "encoding").lower()
    is_text = encoding in _TEXTS
    if not is_text and encoding not in _PACKINGS:
        raise InputError(
            "The header's encoding is not raw, gzip, bzip2 or text.",
            hint="Save the volume as raw or gzip.",
        )
    named = fields.get("data file", "")
    files = data_files(path, named, names) if named else (path,)
    lines = whole(fields.get("line skip", "0"), "skip")
    skip = whole(fields.get("byte skip", "0"), "skip")
    packing = "text" if is_text else _PACKINGS[encoding]
    if lines < 0 or skip < -1 or (packing != "raw" and skip < 0):
        raise InputError("The header skips a negative number of lines or bytes.", hint=AGAIN)
    start = 0 if named else end
    if lines:
        start = _after_lines(read_head(files[0]) if named else head, start, lines)
    if is_text:
        start, skip = start + skip, 0
    return Packed(files, bool(named), packing, start, skip)


def _after_lines(head: bytes, at: int, lines: int) -> int:
    for _ in range(lines):
        at = head.find(b"\n", at) + 1
        if at <= 0:
            raise InputError("The header skips more lines than there are.", hint=AGAIN)
    return at


def _within(fields: dict[str, str], count: int) -> int:
    """Return how many axes one data file has: one less than all, if not said otherwise."""
    words = fields["data file"].split()
    last = words[1:] if words[0] == "LIST" else words[4:]
    within = whole(last[0], "number of dimensions of a data file") if last else count - 1
    if not 1 <= within <= count:
        raise InputError(
            "The header's number of dimensions of a data file is not one of the volume's.",
            hint=AGAIN,
        )
    return within
