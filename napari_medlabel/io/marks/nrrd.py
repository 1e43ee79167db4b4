"""Slicer's segmentations (.seg.nrrd): layers of labels with names, colours and codes.

teem.sourceforge.net/nrrd/format.html; 3D Slicer developer guide, "Segmentation file format".
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.found import (
    SIDES,
    Marks,
    NameList,
    colour_of,
    label_values,
    overlap_warning,
)
from napari_medlabel.io.marks.place import place
from napari_medlabel.io.voxels import as_labels, require_promise, require_room
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume

_LONGEST_HEADER: Final = 1 << 20
_AGAIN: Final = "The file is damaged; save the segmentation again."
_SEGMENT: Final = re.compile(r"^Segment(\d+)_(\w+):=(.*)$")
_RATIO: Final = {"raw": 1, "gzip": 1032, "gz": 1032, "bzip2": 50_000, "bz2": 50_000}
_TYPES: Final = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
}
# Signs that turn each of NRRD's anatomical spaces into RAS.
_SPACES: Final = {
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "lps": (-1.0, -1.0, 1.0),
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "ras": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "las": (-1.0, 1.0, 1.0),
}


@dataclass(frozen=True)
class _Header:
    grid: Grid
    sizes: tuple[int, ...]
    list_axis: int | None
    dtype: np.dtype[Any]
    encoding: str
    data: Path
    offset: int
    segments: dict[int, dict[str, str]]


def read_seg_nrrd(path: Path, volume: Volume) -> Marks:
    """Put a segmentation of Slicer's on its scan.

    Parameters
    ----------
    path : Path
        A ``.seg.nrrd`` file.
    volume : Volume
        The scan.

    Raises
    ------
    GeometryError
        When it does not lie on the scan.
    InputError
        When it is damaged.
    """
    header = _header(path)
    layers = _layers(header)
    segments = [header.segments[n] for n in sorted(header.segments)]
    owners = _owners(segments, len(layers))
    values = label_values(_numbers(owners))
    names = NameList()
    labels = [
        Label(value, names.own(s.get("Name"), f"Segment {value}"), _colour(s, value), _code(s))
        for s, value in zip(segments, values, strict=True)
    ]
    scheme = LabelScheme("Slicer segmentation", tuple(labels))
    maps: list[tuple[npt.NDArray[Any], set[int]]] = []
    unnamed = False
    is_part = False
    for n, stored in enumerate(layers):
        mine = {was: v for (layer, was), v in zip(owners, values, strict=True) if layer == n}
        renamed, strange = _renamed(stored, mine, scheme)
        unnamed |= bool(strange)
        scheme = scheme.with_unnamed(strange)
        array, part = place(renamed, header.grid, volume.grid, what="segmentation")
        is_part |= part
        _join(maps, array, set(mine.values()) | strange)
    found = _label_maps(maps, scheme, volume.grid)
    warnings = overlap_warning(found)
    if is_part:
        warnings += ("The segmentation covers a part of the scan; the rest is background.",)
    if unnamed:
        warnings += ("Some labels belong to no segment and got a name of their own.",)
    return Marks("NRRD segmentation", found, warnings=warnings)


def _renamed(
    stored: npt.NDArray[Any], mine: dict[int, int], scheme: LabelScheme
) -> tuple[npt.NDArray[Any], set[int]]:
    """Return a layer with the scheme's values, and those that no segment has."""
    present = np.flatnonzero(np.bincount(stored.ravel(order="K")))
    strange = {int(v) for v in present} - set(mine) - {0}
    table = np.zeros(int(stored.max()) + 1, np.uint16)
    taken = set(scheme.values)
    new = set()
    for was in sorted(strange):
        value = was
        while value in taken:
            value += 1
        taken.add(value)
        new.add(value)
        table[was] = value
    for was, value in mine.items():
        if was < len(table):
            table[was] = value
    return table[stored.T].T, new


def _join(
    maps: list[tuple[npt.NDArray[Any], set[int]]], array: npt.NDArray[Any], values: set[int]
) -> None:
    for earlier, own in maps:
        if not np.any((earlier.T != 0) & (array.T != 0)):
            np.bitwise_or(earlier, array, out=earlier)
            own.update(values)
            return
    maps.append((array, values))


def _label_maps(
    maps: list[tuple[npt.NDArray[Any], set[int]]], scheme: LabelScheme, grid: Grid
) -> tuple[LabelMap, ...]:
    out = []
    for array, values in maps:
        own = scheme
        if len(maps) > 1:
            kept = tuple(one for one in scheme.labels if one.value in values)
            own = LabelScheme(scheme.name, kept)
        buffer = np.array(array.T, dtype=scheme.dtype, order="C")
        out.append(LabelMap(grid, buffer.T, own))
    return tuple(out)


def _owners(segments: list[dict[str, str]], layers: int) -> list[tuple[int, int]]:
    """Return layer and value of each segment; old files have one layer for each segment."""
    has_layers = any("Layer" in s for s in segments)
    owners = []
    for n, s in enumerate(segments):
        try:
            layer = int(s["Layer"]) if has_layers else (n if layers > 1 else 0)
            owners.append((layer, int(s.get("LabelValue", "1" if layers > 1 else str(n + 1)))))
        except (KeyError, ValueError) as err:
            raise InputError(
                f"Segment {n + 1} of {len(segments)} has no layer or no label value.",
                hint=_AGAIN,
            ) from err
    inside = all(0 <= layer < layers and value >= 1 for layer, value in owners)
    if not inside or len(set(owners)) != len(owners):
        raise InputError(
            "Two segments share a layer and a label value, or one names a layer that is not "
            "there.",
            hint=_AGAIN,
        )
    return owners


def _numbers(owners: list[tuple[int, int]]) -> list[int | None]:
    return [value for _, value in owners]


def _colour(segment: dict[str, str], value: int) -> str:
    try:
        rgb = [255.0 * float(part) for part in segment.get("Color", "").split()]
    except ValueError:
        rgb = []
    return colour_of(rgb or None, value)


def _code(segment: dict[str, str]) -> Code | None:
    """Return the type of a TerminologyEntry, the third of its parts."""
    found = re.search(r"TerminologyEntry:([^|]*)", segment.get("Tags", ""))
    parts = found[1].split("~") if found else []
    triplet = parts[2].split("^") if len(parts) > 2 else []
    if len(triplet) != 3 or not triplet[1]:
        return None
    modifier = parts[3].split("^") if len(parts) > 3 else []
    side = SIDES.get(modifier[1], "") if len(modifier) == 3 else ""
    return Code(triplet[0], triplet[1], triplet[2], side)


def _unescaped(value: str) -> str:
    return re.sub(r"\\\\|\\n", lambda m: "\n" if m[0] == "\\n" else "\\", value)


def _header(path: Path) -> _Header:
    try:
        with path.open("rb") as stream:
            head = stream.read(_LONGEST_HEADER)
    except OSError as err:
        raise _unreadable() from err
    ended = re.search(rb"\r?\n\r?\n", head)
    detached = re.search(
        rb"(?im)^data ?file:\s*(.+?)\s*$", head[: ended.start()] if ended else head
    )
    if not head.startswith(b"NRRD") or (ended is None and detached is None):
        raise InputError("An NRRD header is expected; this is none or has no end.", hint=_AGAIN)
    lines = head[: ended.start() if ended else None].decode("utf-8", "replace").splitlines()
    fields: dict[str, str] = {}
    segments: dict[int, dict[str, str]] = {}
    for line in lines[1:]:
        found = _SEGMENT.match(line)
        if found:
            segments.setdefault(int(found[1]), {})[found[2]] = _unescaped(found[3].strip())
        elif not line.startswith("#") and ":=" not in line and ":" in line:
            key, _, value = line.partition(":")
            fields[key.strip().lower()] = value.strip()
    data, offset = path, ended.end() if ended else 0
    if detached is not None:
        data, offset = _beside(path, detached[1].decode("utf-8", "replace")), 0
    return _understood(fields, segments, data, offset)


def _beside(path: Path, name: str) -> Path:
    plain = name.removeprefix("./")
    if not plain or Path(plain).name != plain or not (path.parent / plain).is_file():
        raise InputError(
            "The data file that the header names is not beside it.",
            hint="Keep both files together, under the names they had.",
        )
    return path.parent / plain


def _understood(
    fields: dict[str, str], segments: dict[int, dict[str, str]], data: Path, offset: int
) -> _Header:
    name = fields.get("type", "").lower()
    kind = next((k for k, names in _TYPES.items() if name in names.split("|")), None)
    encoding = fields.get("encoding", "").lower()
    sizes = tuple(int(n) for n in fields.get("sizes", "").split() if n.isdecimal())
    if kind is None or encoding not in _RATIO or len(sizes) not in (3, 4) or min(sizes) < 1:
        raise InputError(
            "A segmentation has three axes, perhaps a fourth for layers, of whole numbers, "
            "raw or as gzip or bzip2; this file has not.",
            hint="Save the segmentation again in 3D Slicer.",
        )
    if any(fields.get(skip, "0") != "0" for skip in ("line skip", "byte skip")):
        raise InputError("The header skips bytes, which is not read here.", hint=_AGAIN)
    matrix, list_axis = _matrix(fields, len(sizes))
    spatial = [n for axis, n in enumerate(sizes) if axis != list_axis]
    order = ">" if fields.get("endian", "little").lower() == "big" else "<"
    return _Header(
        Grid((spatial[0], spatial[1], spatial[2]), _affine(matrix)),
        sizes,
        list_axis,
        np.dtype(order + kind),
        encoding,
        data,
        offset,
        segments,
    )


def _affine(matrix_ras: FloatArray) -> Affine:
    try:
        return Affine(matrix_ras)
    except GeometryError as err:
        raise InputError(
            "The header's directions are not finite or span no volume.", hint=_AGAIN
        ) from err


def _matrix(fields: dict[str, str], axes: int) -> tuple[FloatArray, int | None]:
    sign = _SPACES.get(fields.get("space", "").lower())
    vectors = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    origin = fields.get("space origin", "")
    lists = [n for n, vector in enumerate(vectors) if vector == "none"]
    if sign is None or len(vectors) != axes or len(lists) != axes - 3:
        raise InputError(
            "The header does not say where the segmentation lies.",
            hint="Save the segmentation again in 3D Slicer.",
        )
    try:
        rows = [_vector(v) for v in (*(v for v in vectors if v != "none"), origin)]
    except ValueError as err:
        raise InputError(
            "A direction in the header is not three numbers.", hint=_AGAIN
        ) from err
    matrix = np.eye(4)
    matrix[:3] = np.column_stack(rows) * np.array(sign)[:, np.newaxis]
    return matrix, lists[0] if lists else None


def _vector(text: str) -> list[float]:
    numbers = [float(part) for part in text.strip("() ").split(",")]
    if len(numbers) != 3:
        raise ValueError
    return numbers


def _layers(header: _Header) -> list[npt.NDArray[Any]]:
    """Return each layer as uint8 or uint16, shape (i, j, k)."""
    needed = int(np.prod(header.sizes, dtype=np.int64)) * header.dtype.itemsize
    require_room(needed)
    try:
        size = header.data.stat().st_size - header.offset
        require_promise(needed, max(size, 0), _RATIO[header.encoding])
        with header.data.open("rb") as stream:
            stream.seek(header.offset)
            stored = _unpacked(stream, header, needed)
    except OSError as err:
        raise _unreadable() from err
    if header.list_axis is None:
        return [as_labels(stored).T]
    by_layer = np.moveaxis(stored, stored.ndim - 1 - header.list_axis, 0)
    return [as_labels(layer).T for layer in by_layer]


def _unpacked(stream: IO[bytes], header: _Header, needed: int) -> npt.NDArray[Any]:
    out = np.empty(header.sizes[::-1], header.dtype)
    target = out.view(np.uint8).reshape(-1).data
    source: Any = stream
    if header.encoding.startswith("gz"):
        source = gzip.GzipFile(fileobj=stream)
    elif header.encoding.startswith("bz"):
        source = bz2.BZ2File(stream)
    done = 0
    try:
        while done < needed:
            got = source.readinto(target[done : done + (1 << 24)])
            if not got:
                break
            done += got
    except (EOFError, OSError, zlib.error) as err:
        raise InputError("The compressed voxels are damaged or cut off.", hint=_AGAIN) from err
    if done < needed:
        raise InputError(
            "The file is cut off: it holds fewer voxels than its header says.",
            hint="The copy was interrupted; copy or save the file again.",
        )
    return out.astype(out.dtype.newbyteorder("="), copy=False)


def _unreadable() -> InputError:
    return InputError(
        "The file, or the data file that its header names, cannot be opened.",
        hint="Keep both files together, under the names they had.",
    )
