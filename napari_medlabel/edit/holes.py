"""Fill holes: background that a label encloses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_medlabel.edit.boxes import crop_of, hull, seen_from, shifted
from napari_medlabel.edit.components import (
    BoolArray,
    IntArray,
    Parts,
    boxes_of,
    connected_parts,
)
from napari_medlabel.edit.ledger import chosen, counted, not_here, with_words
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet
from napari_medlabel.errors import InputError


@dataclass(frozen=True, eq=False)
class _Holes:
    """The holes of one label: parts of what is not the label, in its box."""

    value: int
    box: Box
    found: Parts
    are_holes: BoolArray
    empty: IntArray  # voxels of background in each
    nest: BoolArray  # whether another chosen label lies in it


def fill_holes(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    largest_mm3: float | None = None,
    tick: Tick = quiet,
) -> Proposal | None:
    """Give background that is enclosed by a label to that label.

    A hole has no way out over voxel faces. What else lies in a hole, such as a tumour that has
    a label of its own, stays. Where a hole lies in the hole of another chosen label, the inner
    label gets it. The ends of the scan, and of the box, are open.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    box : tuple of slice
        Where, in (i, j, k): in one slice, holes are those of the slice.
    values : sequence of int
        Labels.
    largest_mm3 : float, optional
        Fill only holes with at most this volume of background; None for all.
    tick : callable
        Told the labels done.

    Returns
    -------
    Proposal or None
        None when there is no such hole.

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the volume is not above 0.
    """
    about = chosen(values)
    if largest_mm3 is not None and not largest_mm3 > 0:
        raise InputError(
            f"The largest hole to fill has a volume above 0 mm3; got {largest_mm3:g}.",
            hint="Leave it empty to fill all holes.",
        )
    most = np.inf
    if largest_mm3 is not None:
        most = largest_mm3 / scene.voxel_mm3 * (1 + 1e-9)
    labels = scene.labels[box]
    boxes = boxes_of(labels, about)
    if not boxes:
        raise not_here(about)
    all_holes = []
    for done, (value, inner) in enumerate(boxes.items(), start=1):
        all_holes.append(_holes_of(labels, value, inner, about, most))
        tick(done, len(boxes))
    inside = [hole_box for holes in all_holes if (hole_box := _around(holes))]
    if not inside:
        return None
    inner = hull(inside)
    where = shifted(inner, box)
    before = scene.labels[where]
    after = crop_of(scene.labels, where)
    for holes, which in _outer_first(all_holes):
        _fill(after, before, inner, holes, which)
    proposal = scene.propose(
        where,
        after,
        name="Fill holes",
        values=about,
        provider="classical",
        origin="assisted",
    )
    wanted = int(np.count_nonzero(after.T != before.T))
    return with_words(scene, proposal, _words(all_holes), wanted=wanted)


def _holes_of(
    labels: LabelArray, value: int, box: Box, values: Sequence[int], most: float
) -> _Holes:
    crop = labels[box]
    found = connected_parts(crop, connectivity=6, but=value)
    # Along an axis with one layer there is no way out, and none is needed.
    axes = [axis for axis in (0, 1, 2) if labels.shape[axis] > 1]
    enclosed = ~found.on_a_face(axes)
    others = [other for other in values if other != value]
    empty = np.zeros(len(found), dtype=np.intp)
    guests = np.zeros(len(found), dtype=np.intp)
    flat = crop_of(labels, box).T.reshape(-1) if enclosed.any() else np.zeros(0)
    whole = tuple(slice(0, n) for n in crop.shape)
    for where, part in found.voxels_of(enclosed, (whole[0], whole[1], whole[2])):
        held = flat[where]
        empty += np.bincount(part[held == 0], minlength=len(found))
        guests += np.bincount(part[np.isin(held, others)], minlength=len(found))
    fills = enclosed & (empty > 0) & (empty <= most)
    return _Holes(value, box, found.only(fills), fills, empty, guests > 0)


def _around(holes: _Holes) -> Box | None:
    inner = holes.found.box(holes.are_holes)
    return None if inner is None else shifted(inner, holes.box)


def _outer_first(all_holes: Sequence[_Holes]) -> list[tuple[_Holes, BoolArray]]:
    """Put holes that hold other chosen labels in front, the larger first."""
    nesting: list[tuple[int, _Holes, BoolArray]] = []
    plain: list[tuple[_Holes, BoolArray]] = []
    for holes in all_holes:
        for index in np.flatnonzero(holes.are_holes & holes.nest):
            only = np.arange(len(holes.found)) == index
            nesting.append((int(holes.found.voxels[index]), holes, only))
        plain.append((holes, holes.are_holes & ~holes.nest))
    nesting.sort(key=lambda entry: -entry[0])
    return [(holes, only) for _, holes, only in nesting] + plain


def _fill(
    after: LabelArray, before: LabelArray, box: Box, holes: _Holes, which: BoolArray
) -> None:
    inner = holes.found.box(which)
    if inner is None:
        return
    where = shifted(inner, holes.box)
    i, j, k = seen_from(box, where)
    empty = np.ascontiguousarray(before[i, j, k].T).reshape(-1) == 0
    part = crop_of(after, (i, j, k))
    flat = part.T.reshape(-1)
    for at, _ in holes.found.voxels_of(which, inner):
        flat[at[empty[at]]] = holes.value
    after[i, j, k] = part


def _words(all_holes: Sequence[_Holes]) -> str:
    count = sum(int(np.count_nonzero(holes.are_holes)) for holes in all_holes)
    words = f"{counted(count, 'hole')}, {{gained}}, {'is' if count == 1 else 'are'} filled."
    hosts = sum(
        int(np.count_nonzero(holes.are_holes & (holes.found.voxels > holes.empty)))
        for holes in all_holes
    )
    if hosts:
        words += f" {counted(hosts, 'hole')} {'has' if hosts == 1 else 'have'} another segment"
        words += " inside, which stays."
    return words
