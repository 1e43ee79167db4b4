"""MetaImage without identity: a header by keep-list, attached to the voxels bit for bit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_medlabel.deid.images.clean_image import CleanParts
from napari_medlabel.deid.images.companion_faces import report_of
from napari_medlabel.deid.images.text_header import (
    Stored,
    broken,
    head_of,
    named_files,
    row,
    sizes,
    spelled,
    stored_voxels,
    whole,
)
from napari_medlabel.deid.images.voxel_copy import first_bytes
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.io.gzip_stream import MAGIC, zlibbed

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

_TYPES: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2",
    "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_TRUE: Final = ("true", "1", "t")
_SIDES: Final = re.compile(r"[RLAPIS?]{1,10}")
_MODALITIES: Final = re.compile(r"MET_MOD_(?:CT|MR|NM|US|OTHER|UNKNOWN)")
_UNITS: Final = re.compile(r'"?(?:mm|cm|m|um|micron|microns)"?')
_DATA: Final = re.compile(rb"^[ \t]*ElementDataFile[ \t]*=[^\n]*(?:\n|\Z)", re.MULTILINE)
_MOST_AXES: Final = 10
_MOST_CHANNELS: Final = 1 << 20
_SAME: Final = {
    "elementbyteordermsb": "binarydatabyteordermsb",
    "position": "offset",
    "origin": "offset",
    "rotation": "transformmatrix",
    "orientation": "transformmatrix",
}

Rule = Callable[[str, int], str]
"""A field's value and the number of axes -> the value as it is written."""


def meta_parts(path: Path, masks: BrainMasks | None = None) -> CleanParts:
    """Return a cleaned MetaImage file part by part.

    Parameters
    ----------
    path : Path
        A .mha file, or an .mhd file whose voxels lie in files of their own.
    masks : BrainMasks, optional
        When faces are to be removed: masks of brains, or none of them.

    Returns
    -------
    CleanParts
        One attached .mha file. The header holds sizes, type, channels, spacing, offset,
        directions, centre of rotation, the sides of the patient, unit, modality and the
        intensity function. No comment, name, date or other key. The voxels are those of the
        source, bit for bit; what was packed is packed by zlib, text becomes little-endian
        numbers.

    Raises
    ------
    QuarantineError
        When the header is none, contradicts itself, the voxels are fewer than described, or
        a face cannot be removed with certainty.
    """
    head = head_of(path)
    fields, names, end = _fields(head)
    if fields.get("objecttype", "image").lower() != "image":
        raise broken()
    count = whole(_needed(fields, "ndims"), 1, _MOST_AXES)
    shape = sizes(_needed(fields, "dimsize"), count)
    stored = _stored(path, fields, names, end, shape)
    is_packed = stored.packing in ("gzip", "zlib")
    is_big = stored.dtype.str[0] == ">"
    lines = [
        "ObjectType = Image",
        f"NDims = {count}",
        "BinaryData = True",
        f"BinaryDataByteOrderMSB = {is_big}",
        f"CompressedData = {is_packed}",
        *_kept_fields(fields, count),
        "DimSize = " + " ".join(map(str, shape)),
        f"ElementType = {_needed(fields, 'elementtype').upper().removesuffix('_ARRAY')}",
        "ElementDataFile = LOCAL",
    ]
    voxels, work = stored_voxels(path, stored, math.prod(shape[2:]), masks)
    report = report_of({"X": max(0, len(fields) - len(lines))}, len(lines), work)
    if is_packed:
        again = voxels if work else stored_voxels(path, stored, 1, None)[0]
        return CleanParts(".mha", report, _packed(lines, voxels, again))
    return CleanParts(".mha", report, chain((_joined(lines),), voxels))


def _packed(
    lines: list[str], voxels: Iterable[memoryview], again: Iterable[memoryview]
) -> Iterator[bytes]:
    """Yield header and packed voxels; packed twice, as ITK needs their size in front."""
    size = sum(map(len, zlibbed(voxels)))
    at = lines.index("CompressedData = True") + 1
    yield _joined([*lines[:at], f"CompressedDataSize = {size}", *lines[at:]])
    yield from zlibbed(again)


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("ascii")


def _fields(head: bytes) -> tuple[dict[str, str], list[str], int]:
    """Return the fields, the lines behind them, and where the bytes behind them begin."""
    last = _DATA.search(head)
    if last is None:
        raise broken()
    fields: dict[str, str] = {}
    for line in head[: last.end()].decode("latin-1").splitlines():
        name, found, value = line.partition("=")
        if found:
            name = name.strip().lower()
            fields[_SAME.get(name, name)] = value.strip()
    lines = []
    if fields["elementdatafile"].split()[:1] == ["LIST"]:
        lines = head[last.end() :].decode("latin-1").splitlines()
    return fields, lines, last.end()


def _needed(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise broken()
    return fields[name]


def _stored(
    path: Path, fields: dict[str, str], names: list[str], end: int, shape: list[int]
) -> Stored:
    """Say where the voxels lie, and how."""
    code = _TYPES.get(_needed(fields, "elementtype").upper().removesuffix("_ARRAY"))
    if code is None:
        raise broken()
    is_text = not _is_true(fields, "binarydata", default="true")
    is_big = _is_true(fields, "binarydatabyteordermsb") and not is_text
    dtype = np.dtype((">" if is_big else "<") + code)
    channels = whole(fields.get("elementnumberofchannels", "1"), 1, _MOST_CHANNELS)
    size = math.prod(shape) * channels * dtype.itemsize
    named = fields["elementdatafile"]
    is_local = named.upper() == "LOCAL"
    if not named:
        raise broken()
    files = (path,) if is_local else named_files(path, named, names)
    skip = whole(fields.get("headersize", "0"), -1, 1 << 40)
    start = end if is_local else 0
    if is_text:
        return Stored(files, "text", start + max(skip, 0), 0, dtype, size)
    if not _is_true(fields, "compresseddata"):
        return Stored(files, "raw", start, skip, dtype, size)
    start += max(skip, 0)
    packing = "gzip" if first_bytes(files[0], 2, "raw", start) == MAGIC else "zlib"
    return Stored(files, packing, start, 0, dtype, size)


def _is_true(fields: dict[str, str], name: str, default: str = "false") -> bool:
    return fields.get(name, default).lower() in _TRUE


def _kept_fields(fields: dict[str, str], count: int) -> list[str]:
    """Return the lines of the keep-list; what only hints goes where it is not understood."""
    lines = []
    for name, (written, rule, is_hint) in _FIELDS.items():
        if name in fields:
            try:
                lines.append(f"{written} = {rule(fields[name], count)}")
            except QuarantineError:
                if not is_hint:
                    raise
    return lines


def _each(text: str, count: int) -> str:
    return row(text, count)


def _square(text: str, count: int) -> str:
    return row(text, count * count)


def _one(text: str, _count: int) -> str:
    return spelled(text)


def _channels(text: str, _count: int) -> str:
    return str(whole(text, 1, _MOST_CHANNELS))


def _form(pattern: re.Pattern[str]) -> Rule:
    """Return the rule for a word of some form."""

    def rule(text: str, _count: int) -> str:
        if not pattern.fullmatch(text):
            raise broken()
        return text

    return rule


_FIELDS: Final[dict[str, tuple[str, Rule, bool]]] = {
    "transformmatrix": ("TransformMatrix", _square, False),
    "offset": ("Offset", _each, False),
    "centerofrotation": ("CenterOfRotation", _each, True),
    "anatomicalorientation": ("AnatomicalOrientation", _form(_SIDES), True),
    "elementspacing": ("ElementSpacing", _each, False),
    "elementsize": ("ElementSize", _each, False),
    "distanceunits": ("DistanceUnits", _form(_UNITS), True),
    "modality": ("Modality", _form(_MODALITIES), True),
    "elementnumberofchannels": ("ElementNumberOfChannels", _channels, False),
    "elementtointensityfunctionslope": ("ElementToIntensityFunctionSlope", _one, False),
    "elementtointensityfunctionoffset": ("ElementToIntensityFunctionOffset", _one, False),
    "elementmin": ("ElementMin", _one, True),
    "elementmax": ("ElementMax", _one, True),
}
