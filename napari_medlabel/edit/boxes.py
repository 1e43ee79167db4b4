"""Sums with boxes (i, j, k): shift, hull, clip, and copies of what lies in them."""

from __future__ import annotations

from collections.abc import Sequence

from napari_medlabel.edit.patch import Box, LabelArray


def shifted(inner: Box, outer: Box) -> Box:
    """Return a box that is given within another, in the array that the other one is in."""
    i, j, k = (
        slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, outer, strict=True)
    )
    return i, j, k


def seen_from(outer: Box, inner: Box) -> Box:
    """Return a box as seen from the start of another that holds it."""
    i, j, k = (
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True)
    )
    return i, j, k


def hull(boxes: Sequence[Box]) -> Box:
    """Return the tightest box around some boxes, at least one."""
    i, j, k = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
        for axis in (0, 1, 2)
    )
    return i, j, k


def clipped(box: Box, within: Box) -> Box:
    """Return what of a box lies within another: an empty box at its end where nothing does."""
    i, j, k = (
        slice(min(max(a.start, b.start), b.stop), max(min(a.stop, b.stop), b.start))
        for a, b in zip(box, within, strict=True)
    )
    return i, j, k


def is_empty(box: Box) -> bool:
    """Return whether a box holds no voxel."""
    return any(part.start >= part.stop for part in box)


def crop_of(labels: LabelArray, box: Box) -> LabelArray:
    """Return a copy of a box of labels (i, j, k) whose transpose is C-contiguous."""
    return labels[box].T.copy().T
