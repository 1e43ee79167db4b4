"""Overlays (60xx) that a scan's own DICOM files carry, as masks (PS3.3 C.9.2, C.9.3)."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.quiet import failures, quietly
from napari_medlabel.io.marks.dicom import DEFLATED, open_dataset, transfer_syntax
from napari_medlabel.io.marks.found import (
    Marks,
    NameList,
    counted,
    fallback_colour,
    overlap_warning,
)
from napari_medlabel.io.marks.place import Layers
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.model.volume import Volume

Progress = Callable[[int, int], None]
_GROUPS: Final = range(0x6000, 0x6020, 2)
# Overlay Rows in one of the sixteen groups, little or big endian.
_ROWS: Final = re.compile(rb"[\x00-\x1e]\x60\x10\x00|\x60[\x00-\x1e]\x00\x10")
_NATIVE: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "")


@dataclass(frozen=True)
class _Overlay:
    """One overlay of one file: which of its frames it lies on, and its bits."""

    group: int
    name: str
    is_region: bool
    origin: tuple[int, int]
    first_frame: int | None
    bits: npt.NDArray[np.bool_]  # (frame, row, column)

    def on_frame(self, frame: int) -> npt.NDArray[np.bool_] | None:
        """Return the bits for a frame, counted from 0; None where it has none."""
        if self.first_frame is None and len(self.bits) == 1:
            return np.asarray(self.bits[0])
        at = frame - ((self.first_frame or 1) - 1)
        return np.asarray(self.bits[at]) if 0 <= at < len(self.bits) else None


def read_overlays(volume: Volume, *, progress: Progress | None = None) -> Marks:
    """Return the overlays of a scan's files as label maps: one class for each group.

    Parameters
    ----------
    volume : Volume
        A scan read from DICOM. Of several volumes the first one's files are read.
    progress : callable, optional
        Called with slices done and slices in all. What it raises ends the reading.

    Returns
    -------
    Marks
        Without labels where no file carries an overlay.

    Raises
    ------
    InputError
        When a file or its overlay is damaged.
    """
    if volume.source.format != "dicom":
        return Marks("overlay")
    files = volume.source.files
    planes = volume.source.planes or tuple((n, 0) for n in range(len(files)))
    slices = volume.grid.shape[2]
    cache: dict[int, tuple[_Overlay, ...] | None] = {}
    found: dict[int, list[tuple[int, _Overlay, int]]] = {}
    for k, (file, frame) in enumerate(planes[:slices]):
        if file >= 0 and file not in cache:
            cache[file] = _of_file(files[file], f"file {file + 1} of {len(files)}", volume)
        for one in cache.get(file) or ():
            found.setdefault(one.group, []).append((k, one, frame))
        if progress is not None:
            progress(k + 1, slices)
    marks = _marks(found, volume)
    sheets = sum(one is None for one in cache.values())
    if not sheets:
        return marks
    doubt = f"Overlays of {sheets} files lie on images that are no slices, and are left out."
    return replace(marks, warnings=(*marks.warnings, doubt))


def _marks(found: dict[int, list[tuple[int, _Overlay, int]]], volume: Volume) -> Marks:
    names = NameList()
    labels = []
    for group in sorted(found):
        first = found[group][0][1]
        value = (group - 0x6000) // 2 + 1
        kind = "region" if first.is_region else "graphics"
        name = names.own(first.name, f"Overlay {value} ({kind})")
        labels.append(Label(value, name, fallback_colour(value)))
    if not labels:
        return Marks("overlay")
    scheme = LabelScheme("Overlays", tuple(labels))
    layers = Layers(volume.grid, scheme.dtype)
    cut = 0
    for label in labels:
        own = found[0x6000 + 2 * (label.value - 1)]
        cut += sum(_reaches_out(one, volume) for _, one, _ in own)

        def pieces(own: list[tuple[int, _Overlay, int]] = own) -> Iterator[tuple[Any, Any]]:
            for k, one, frame in own:
                yield from _piece(k, one, frame, volume)

        layers.put(label.value, pieces)
    maps = layers.label_maps(scheme)
    warnings = overlap_warning(maps)
    if any(not own[0][1].is_region for own in found.values()):
        warnings += ("Graphics overlays are drawings or text that somebody put on the image.",)
    if cut:
        words = "{} overlay(|s) (reaches|reach) out of (its|their) image; that part is cut off."
        warnings += (counted(cut, words),)
    return Marks("overlay", maps, warnings=warnings)


def _reaches_out(one: _Overlay, volume: Volume) -> bool:
    columns, rows, _ = volume.grid.shape
    _, high, wide = one.bits.shape
    row, column = one.origin
    return row < 0 or column < 0 or row + high > rows or column + wide > columns


def _piece(
    k: int, one: _Overlay, frame: int, volume: Volume
) -> Iterator[tuple[Any, npt.NDArray[np.bool_]]]:
    bits = one.on_frame(frame)
    if bits is None:
        return
    columns, rows, _ = volume.grid.shape
    row, column = one.origin
    seen = bits[max(0, -row) : max(0, rows - row), max(0, -column) : max(0, columns - column)]
    top, left = max(0, row), max(0, column)
    high, wide = seen.shape
    if high and wide:
        where = (slice(left, left + wide), slice(top, top + high), slice(k, k + 1))
        yield where, seen.T[:, :, np.newaxis]


def _of_file(path: Path, where: str, volume: Volume) -> tuple[_Overlay, ...] | None:
    """Return a file's overlays; None where it has some on an image that is no slice."""
    try:
        if not _may_have(path):
            return ()
        with quietly():
            dataset = open_dataset(path)
            columns, rows, _ = volume.grid.shape
            groups = [g for g in _GROUPS if (g, 0x0010) in dataset and (g, 0x0011) in dataset]
            if (dataset.get("Columns"), dataset.get("Rows")) != (columns, rows):
                return None if groups else ()
            return tuple(_overlay(dataset, group, where) for group in groups)
    except failures() as err:
        raise InputError(
            f"An overlay of {where} is damaged.", hint="Export the series again."
        ) from err


def _may_have(path: Path) -> bool:
    """Tell without parsing whether a file may carry an overlay."""
    with path.open("rb") as stream:
        if path.stat().st_size < 8:
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return DEFLATED in view[:2048] or _ROWS.search(view) is not None


def _overlay(dataset: Any, group: int, where: str) -> _Overlay:
    def value(element: int, default: Any) -> Any:
        found = dataset.get((group, element))
        return default if found is None or found.value in (None, "") else found.value

    rows, columns = int(value(0x0010, 0)), int(value(0x0011, 0))
    frames = int(value(0x0015, 1))
    if min(rows, columns, frames) < 1:
        raise ValueError
    if (group, 0x3000) in dataset:
        bits = _packed(dataset[group, 0x3000], dataset, (frames, rows, columns), where)
    elif int(value(0x0100, 1)) <= 1:
        bits = np.zeros((1, 1, 1), np.bool_)  # announced, and nothing drawn
    else:
        bits = _embedded(dataset, int(value(0x0102, 0)), (frames, rows, columns), where)
    row, column = (int(v) - 1 for v in value(0x0050, (1, 1)))
    origin = value(0x0051, None)
    name = str(value(0x1500, "") or value(0x0022, ""))
    is_region = str(value(0x0040, "G")).strip() == "R"
    first = None if origin is None else int(origin)
    return _Overlay(group, name, is_region, (row, column), first, bits)


def _packed(
    element: Any, dataset: Any, shape: tuple[int, int, int], where: str
) -> npt.NDArray[np.bool_]:
    raw = bytes(element.value or b"")
    count = shape[0] * shape[1] * shape[2]
    if len(raw) * 8 < count:
        raise InputError(
            f"The overlay of {where} is cut off.", hint="Copy or export the series again."
        )
    stored = np.frombuffer(raw, np.uint8)
    if not dataset.original_encoding[1] and element.VR == "OW":
        stored = np.frombuffer(raw + b"\0" * (len(raw) % 2), "<u2").byteswap().view(np.uint8)
    bits = np.unpackbits(stored, count=count, bitorder="little")
    return bits.view(np.bool_).reshape(shape)


def _embedded(
    dataset: Any, position: int, shape: tuple[int, int, int], where: str
) -> npt.NDArray[np.bool_]:
    """Read an overlay from a bit of the pixels that the image itself does not use."""
    allocated = int(dataset.BitsAllocated)
    count = shape[0] * shape[1] * shape[2]
    raw = dataset.PixelData if "PixelData" in dataset else b""
    is_native = transfer_syntax(dataset) in _NATIVE and allocated in (8, 16)
    if not is_native or not 0 <= position < allocated or len(raw) * 8 < count * allocated:
        raise InputError(
            f"The overlay of {where} should lie in unused bits of the pixels, and does not.",
            hint="Export the series again, uncompressed.",
        )
    pixels = np.frombuffer(raw, f"<u{allocated // 8}", count=count)
    return ((pixels >> position) & 1).astype(np.bool_).reshape(shape)
