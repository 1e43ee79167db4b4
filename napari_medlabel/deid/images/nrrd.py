"""NRRD without identity: a header by keep-list, attached to the voxels bit for bit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel.deid.images.clean_image import CleanParts
from napari_medlabel.deid.images.companion_faces import report_of
from napari_medlabel.deid.images.nrrd_keys import clean_keys
from napari_medlabel.deid.images.text_header import (
    Stored,
    broken,
    head_of,
    named_files,
    sizes,
    spelled,
    stored_voxels,
    whole,
)
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.io.gzip_stream import Packing, gzipped

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

_MAGIC: Final = re.compile(r"NRRD000[1-6]")
_TYPES: Final = {
    "int8": ("i1", "signed char", "int8", "int8_t"),
    "uint8": ("u1", "uchar", "unsigned char", "uint8", "uint8_t"),
    "short": ("i2", "short", "short int", "signed short", "signed short int", "int16",
              "int16_t"),
    "ushort": ("u2", "ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int": ("i4", "int", "signed int", "int32", "int32_t"),
    "uint": ("u4", "uint", "unsigned int", "uint32", "uint32_t"),
    "longlong": ("i8", "longlong", "long long", "long long int", "signed long long",
                 "signed long long int", "int64", "int64_t"),
    "ulonglong": ("u8", "ulonglong", "unsigned long long", "unsigned long long int", "uint64",
                  "uint64_t"),
    "float": ("f4", "float"),
    "double": ("f8", "double"),
}  # fmt: skip
_NAMES: Final = {name: key for key, (_, *names) in _TYPES.items() for name in names}
_PACKINGS: Final[dict[str, Packing | str]] = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
    "ascii": "text", "text": "text", "txt": "text",
}  # fmt: skip
_SAME: Final = {
    "datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip",
    "centerings": "centers", "axismins": "axis mins", "axismaxs": "axis maxs",
}  # fmt: skip
_SPACES: Final = frozenset({
    "right-anterior-superior", "ras", "left-anterior-superior", "las",
    "left-posterior-superior", "lps", "right-anterior-superior-time", "rast",
    "left-anterior-superior-time", "last", "left-posterior-superior-time", "lpst",
    "scanner-xyz", "scanner-xyz-time", "3d-right-handed", "3d-left-handed",
    "3d-right-handed-time", "3d-left-handed-time",
})  # fmt: skip
_KINDS: Final = frozenset({
    "domain", "space", "time", "list", "point", "vector", "covariant-vector", "normal", "stub",
    "scalar", "complex", "2-vector", "3-color", "rgb-color", "hsv-color", "xyz-color",
    "4-color", "rgba-color", "3-vector", "3-gradient", "3-normal", "4-vector", "quaternion",
    "2d-symmetric-matrix", "2d-masked-symmetric-matrix", "2d-matrix", "2d-masked-matrix",
    "3d-symmetric-matrix", "3d-masked-symmetric-matrix", "3d-matrix", "3d-masked-matrix",
    "???", "none",
})  # fmt: skip
_CENTERS: Final = frozenset({"cell", "node", "???", "none"})
_UNITS: Final = frozenset({
    "mm", "millimeter", "millimeters", "cm", "m", "um", "\u00b5m", "\u03bcm", "micron",
    "microns", "s", "sec", "seconds", "ms", "msec", "us", "hz", "ppm", "rad", "",
})  # fmt: skip
_VECTOR: Final = re.compile(r"none|\(([^()]*)\)")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_MOST_AXES: Final = 16

Rule = Callable[[str, int], str]
"""A field's value and the number of axes -> the value as it is written."""


@dataclass(frozen=True)
class _Header:
    """The lines of a header, taken apart."""

    magic: str
    fields: dict[str, str]
    keys: dict[str, str]
    names: list[str]
    lines: int
    end: int


def nrrd_parts(path: Path, masks: BrainMasks | None = None) -> CleanParts:
    """Return a cleaned NRRD file part by part.

    Parameters
    ----------
    path : Path
        A .nrrd file, or an .nhdr file whose voxels lie in files of their own.
    masks : BrainMasks, optional
        When faces are to be removed: masks of brains, or none of them.

    Returns
    -------
    CleanParts
        One attached file. The header holds sizes, type, spacing, directions, origin, kinds,
        units and the measurement frame, diffusion gradients, and the extents, values and
        colours of segments; their names where each word is of the vocabulary. No comment,
        no other key. The voxels are those of the source, bit for bit; what was packed is
        packed by gzip, text becomes little-endian numbers.

    Raises
    ------
    QuarantineError
        When the header is none, contradicts itself, the voxels are fewer than described, or
        a face cannot be removed with certainty.
    """
    head = head_of(path)
    header = _taken_apart(head)
    count = whole(_needed(header, "dimension"), 1, _MOST_AXES)
    shape = sizes(_needed(header, "sizes"), count)
    stored = _stored(path, header, head, shape)
    lines = [header.magic, f"type: {_type(header)}", f"dimension: {count}"]
    lines.append("sizes: " + " ".join(map(str, shape)))
    lines += _kept_fields(header.fields, count)
    if stored.dtype.itemsize > 1:
        lines.append("endian: " + ("big" if stored.dtype.str[0] == ">" else "little"))
    is_packed = stored.packing not in ("raw", "text")
    lines.append("encoding: " + ("gzip" if is_packed else "raw"))
    keys, changed = clean_keys(header.keys)
    lines += [f"{key}:={value}" for key, value in keys.items()]
    text = ("\n".join(lines) + "\n\n").encode("utf-8")
    gone = max(0, header.lines - len(lines)) + changed
    voxels, work = stored_voxels(path, stored, math.prod(shape[2:]), masks)
    report = report_of({"X": gone}, len(lines), work)
    parts = gzipped(b"", voxels) if is_packed else voxels
    return CleanParts(".nrrd", report, chain((text,), parts))


def _taken_apart(head: bytes) -> _Header:
    """Return fields, key-value pairs, names behind ``data file: LIST``, and the end."""
    lines, end = _until_blank(head)
    if not lines or not _MAGIC.fullmatch(lines[0]):
        raise broken()
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    names: list[str] = []
    for at, line in enumerate(lines[1:], start=1):
        name, found, value = line.partition(":")
        if line.startswith("#") or not found:
            continue
        if value.startswith("="):
            keys[name] = value[1:].strip()
            continue
        name = name.strip().lower()
        name = _SAME.get(name, name)
        fields[name] = value.strip()
        if name == "data file" and value.split()[:1] == ["LIST"]:
            names = lines[at + 1 :]
            break
    if end < 0 and "data file" not in fields:
        raise broken()
    return _Header(lines[0], fields, keys, names, len(lines), max(end, 0))


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


def _kept_fields(fields: dict[str, str], count: int) -> list[str]:
    """Return the lines of the keep-list; what only hints goes where it is not understood."""
    lines = []
    for name, rule in _FIELDS.items():
        if name not in fields or (name == "space dimension" and "space" in fields):
            continue
        try:
            lines.append(f"{name}: {rule(fields[name], count)}")
        except QuarantineError:
            if name not in _HINTS:
                raise
    return lines


def _needed(header: _Header, name: str) -> str:
    if name not in header.fields:
        raise broken()
    return header.fields[name]


def _type(header: _Header) -> str:
    name = _NAMES.get(_needed(header, "type").lower())
    if name is None:
        raise broken()
    return name


def _stored(path: Path, header: _Header, head: bytes, shape: list[int]) -> Stored:
    """Say where the voxels lie, and how."""
    fields = header.fields
    packing = _PACKINGS.get(_needed(header, "encoding").lower())
    code = _TYPES[_type(header)][0]
    endian = fields.get("endian", "").lower()
    if packing is None or (
        endian not in ("little", "big") and code[1] != "1" and packing != "text"
    ):
        raise broken()
    is_big = endian == "big" and packing != "text"
    dtype = np.dtype((">" if is_big else "<") + code)
    named = fields.get("data file", "")
    files = named_files(path, named, header.names) if named else (path,)
    lines = whole(fields.get("line skip", "0"), 0, 1 << 20)
    skip = whole(fields.get("byte skip", "0"), -1 if packing == "raw" else 0, 1 << 40)
    start = 0 if named else header.end
    if lines:
        start = _after_lines(head_of(files[0]) if named else head, start, lines)
    if packing == "text":
        start, skip = start + skip, 0
    size = math.prod(shape) * dtype.itemsize
    return Stored(files, packing, start, skip, dtype, size)


def _after_lines(head: bytes, at: int, lines: int) -> int:
    for _ in range(lines):
        at = head.find(b"\n", at) + 1
        if at <= 0:
            raise broken()
    return at


def _space(text: str, _count: int) -> str:
    if text.lower() not in _SPACES:
        raise broken()
    return text.lower() if "-" in text else text.upper()


def _space_dimension(text: str, _count: int) -> str:
    return str(whole(text, 1, _MOST_AXES))


def _words(allowed: frozenset[str], unknown: str) -> Rule:
    """Return the rule for one word of a list for each axis."""

    def rule(text: str, count: int) -> str:
        words = text.split()
        if len(words) != count:
            raise broken()
        return " ".join(word if word.lower() in allowed else unknown for word in words)

    return rule


def _numbers(text: str, count: int) -> str:
    """Return one number for each axis; ``nan`` says that an axis has none."""
    words = text.split()
    if len(words) != count:
        raise broken()
    return " ".join("nan" if word.lower() == "nan" else spelled(word) for word in words)


def _one_number(text: str, _count: int) -> str:
    return spelled(text)


def _vectors(text: str, count: int) -> str:
    """Return one vector, or none, for each axis."""
    found = list(_VECTOR.finditer(text))
    if len(found) != count:
        raise broken()
    return _vector_row(text)


def _vector_row(text: str, _count: int = 0) -> str:
    found = list(_VECTOR.finditer(text))
    if not found or _VECTOR.sub("", text).strip() or len(found) > _MOST_AXES:
        raise broken()
    return " ".join("none" if one[1] is None else _vector(one[1]) for one in found)


def _vector(text: str) -> str:
    parts = text.split(",")
    if len(parts) > _MOST_AXES:
        raise broken()
    if all(part.strip().lower() == "nan" for part in parts):  # as old writers say none
        return "none"
    return f"({','.join(spelled(part.strip()) for part in parts)})"


def _units(text: str, _count: int) -> str:
    """Return units of the list; empty for any other word."""
    found: list[Any] = _QUOTED.findall(text)[:_MOST_AXES]
    return " ".join(f'"{unit if unit.strip().lower() in _UNITS else ""}"' for unit in found)


_FIELDS: Final[dict[str, Rule]] = {
    "space": _space,
    "space dimension": _space_dimension,
    "space directions": _vectors,
    "space origin": _vector_row,
    "measurement frame": _vector_row,
    "kinds": _words(_KINDS, "???"),
    "spacings": _numbers,
    "axis mins": _numbers,
    "axis maxs": _numbers,
    "thicknesses": _numbers,
    "centers": _words(_CENTERS, "???"),
    "units": _units,
    "space units": _units,
    "old min": _one_number,
    "old max": _one_number,
}
_HINTS: Final = frozenset(
    {"thicknesses", "centers", "units", "space units", "old min", "old max"}
)
