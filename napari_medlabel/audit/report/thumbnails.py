"""Small pictures of two versions of a mask: colours of labels alone, no pixel of a scan."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.audit.format.layout import object_file
from napari_medlabel.audit.report.deeds import LateChange
from napari_medlabel.errors import InputError

MOST_SLICES: Final = 3
"""Pictures of one change."""

MOST_PICTURED: Final = 24
"""Changes that get pictures in one page, the latest; each means reading two masks."""

_SIDE: Final = 120  # pixels of one version
_GAP: Final = 4
_MARGIN: Final = 4  # voxels around what is labelled
_BACK, _BETWEEN = (30, 34, 42), (255, 255, 255)
_COLOURS: Final = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167),
    (213, 94, 0), (0, 114, 178), (200, 200, 200),
)  # fmt: skip
_LAST: Final = 1 + len(_COLOURS)

Labels = npt.NDArray[Any]


def png_uri(pixels: npt.NDArray[np.uint8], palette: tuple[tuple[int, int, int], ...]) -> str:
    """Return a picture with a palette as a data URI.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
        Places in the palette.
    palette : tuple
        Red, green, blue of each.
    """

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    rows, columns = pixels.shape
    head = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    colours = b"".join(bytes(colour) for colour in palette)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"PLTE", colours)
    raw += chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(raw).decode("ascii")


def _most_changed(before: Labels, after: Labels) -> list[int]:
    """Return the slices k with most voxels that differ, in order of place."""
    counts = [
        int(np.count_nonzero(old != new)) for old, new in zip(before.T, after.T, strict=True)
    ]
    ranked = sorted(range(len(counts)), key=lambda k: -counts[k])[:MOST_SLICES]
    return sorted(k for k in ranked if counts[k])


def _box(plane: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns that hold what is labelled, with a margin."""
    rows, columns = np.nonzero(plane)
    return (
        slice(max(int(rows.min()) - _MARGIN, 0), int(rows.max()) + _MARGIN + 1),
        slice(max(int(columns.min()) - _MARGIN, 0), int(columns.max()) + _MARGIN + 1),
    )


def _coloured(plane: Labels) -> npt.NDArray[np.uint8]:
    step = max(1, -(-max(plane.shape) // _SIDE))
    grow = max(1, _SIDE // max(plane.shape))
    small = plane[::step, ::step].repeat(grow, axis=0).repeat(grow, axis=1)
    shown = np.where(small > 0, 2 + (small.astype(np.int64) - 1) % len(_COLOURS), 1)
    return shown.astype(np.uint8)


def pictures(before: Labels, after: Labels) -> tuple[str, ...]:
    """Return the slices that changed most, each version beside the other.

    Parameters
    ----------
    before, after : ndarray, shape (i, j, k)
        Labels of one shape.

    Returns
    -------
    tuple of str
        At most `MOST_SLICES` data URIs of PNG.
    """
    found = []
    for k in _most_changed(before, after):
        old, new = before[:, :, k].T, after[:, :, k].T
        box = _box((old != 0) | (new != 0))
        left, right = _coloured(old[box]), _coloured(new[box])
        between = np.zeros((left.shape[0], _GAP), dtype=np.uint8)
        pixels = np.hstack((left, between, right))
        found.append(png_uri(pixels, (_BETWEEN, _BACK, *_COLOURS)))
    return tuple(found)


def _as_looked_at(array: Labels, codes: str) -> Labels:
    """Return labels with columns that grow to the patient's left (or back), rows downwards.

    So an axial slice is shown as radiologists look at it: from the feet, the patient's
    right side on the left.
    """
    columns = -1 if codes[0] in "RA" else 1
    rows = -1 if codes[1] in "AS" else 1
    return array[::columns, ::rows]


def _kept(root: Path, content_id: str) -> Labels | None:
    """Return a kept version, or None where none is kept or it cannot be read."""
    from napari_medlabel.io.nifti.reading import read_labels_nifti

    path = root / object_file(content_id)
    if not content_id or not path.is_file():
        return None
    try:
        array, grid = read_labels_nifti(path)
    except InputError:
        return None  # that it is damaged is said by the verification
    return _as_looked_at(array, grid.affine.axis_codes)


def _counted(array: Labels | None) -> int | None:
    return None if array is None else int(np.count_nonzero(array))


def with_pictures(change: LateChange, root: Path) -> LateChange:
    """Return a change with what the kept versions tell: counts, overlap, pictures.

    Parameters
    ----------
    change : LateChange
        As the log tells it.
    root : Path
        Folder of the log, where superseded versions are kept.

    Returns
    -------
    LateChange
        Where one version alone is kept, the other's count and the overlap follow from what
        was added, removed and changed; the pictures need both.
    """
    if change.event == "landmark.save":
        return change
    old, new = _kept(root, change.old), _kept(root, change.new)
    before, after = _counted(old), _counted(new)
    grown = change.voxels_added - change.voxels_removed
    if before is None and after is not None:
        before = after - grown
    elif after is None and before is not None:
        after = 0 if change.event == "mask.delete" else before + grown
    told = replace(change, before=before, after=after, dice_milli=_dice(change, before, after))
    if old is None or new is None or old.shape != new.shape:
        return told
    same = int(np.count_nonzero((old == new) & (old != 0)))
    return replace(
        told,
        dice_milli=_milli(same, int(np.count_nonzero(old) + np.count_nonzero(new))),
        thumbnails=pictures(old, new),
    )


def _dice(change: LateChange, before: int | None, after: int | None) -> int | None:
    """Return the overlap as counts alone tell it."""
    if before is None or after is None or change.voxels_changed is None:
        return None
    lost = change.voxels_changed - change.voxels_added  # removed, or of another label now
    return _milli(before - lost, before + after)


def _milli(same: int, total: int) -> int:
    return 2000 * same // total if total else 1000
