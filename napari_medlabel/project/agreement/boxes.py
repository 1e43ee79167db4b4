"""Boxes of several readings as one set: what all of them mark is at the mean of its faces.

Boxes are of one thing where kind and label are equal and they overlap by intersection over
union of 0.5 or more, as detectors are judged (Everingham et al., The Pascal VOC challenge,
2010). A box that a reading lacks is left out, and counted in words: nobody can say whose a box
in a union would be without ending the blindness of who reads it later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from napari_medlabel.model.boxes import Box3D, BoxSet, Index

LEAST_IOU: Final = 0.5
"""From here on two boxes are of one thing."""


def iou(first: Box3D, second: Box3D) -> float:
    """Return the intersection over union of two boxes in voxels, 0 to 1."""
    common = 1
    for a, b, c, d in zip(first.start, first.stop, second.start, second.stop, strict=True):
        common *= max(0, min(b, d) - max(a, c))
    sizes = int(np.prod(first.shape)) + int(np.prod(second.shape))
    return common / (sizes - common)


def agreed_boxes(
    readings: Mapping[str, BoxSet | None],
) -> tuple[BoxSet | None, tuple[str, ...]]:
    """Return the boxes that all readings have.

    Parameters
    ----------
    readings : mapping of str to BoxSet or None
        By name, on one grid.

    Returns
    -------
    boxes : BoxSet or None
        In the order of the first reading, numbered from 1; None where no box is agreed on.
    words : tuple of str
        The rule, and how many each reading has beyond what is agreed; none without boxes.
    """
    sets = {name: tuple(one or ()) for name, one in readings.items()}
    if not any(sets.values()):
        return None, ()
    first, *others = sets.values()
    partners = [_partners(first, other) for other in others]
    found: list[Box3D] = []
    for box in first:
        group = [box, *(held[box.id] for held in partners if box.id in held)]
        if len(group) == len(sets) and _is_one(group):
            found.append(_mean(group, len(found) + 1))
    left = [f"{len(boxes) - len(found)} of {name}" for name, boxes in sets.items()]
    words = (
        f"Boxes: those of one kind that overlap by an IoU of {LEAST_IOU:g} in all readings, "
        f"at the mean of their faces: {len(found)}. Left out are {', '.join(left)}."
    )
    return BoxSet(tuple(found)) if found else None, (words,)


def _partners(first: Sequence[Box3D], other: Sequence[Box3D]) -> dict[int, Box3D]:
    """Return for boxes of the first, by id, that of the other: the best overlap comes first."""
    pairs = sorted(
        (
            (-iou(a, b), a.id, b.id, b)
            for a in first
            for b in other
            if (a.kind, a.value) == (b.kind, b.value) and iou(a, b) >= LEAST_IOU
        ),
        key=lambda pair: pair[:3],
    )
    found: dict[int, Box3D] = {}
    taken: set[int] = set()
    for _, own, its, box in pairs:
        if own not in found and its not in taken:
            found[own] = box
            taken.add(its)
    return found


def _is_one(group: Sequence[Box3D]) -> bool:
    """Tell whether all boxes of a group overlap one another enough."""
    return all(iou(a, b) >= LEAST_IOU for a, b in combinations(group, 2))


def _mean(group: Sequence[Box3D], number: int) -> Box3D:
    """Return the box at the mean of the faces, rounded to whole voxels, halves up."""
    start = _rounded([box.start for box in group])
    stop = _rounded([box.stop for box in group])
    return Box3D(number, group[0].kind, start, stop, group[0].value)


def _rounded(corners: Sequence[Index]) -> Index:
    i, j, k = (int(x) for x in np.floor(np.mean(corners, axis=0) + 0.5))
    return i, j, k
