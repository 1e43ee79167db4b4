"""Refine segments: let their borders settle on the image's edges in a band around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from napari_medlabel.edit.border import BoolArray, Method, settle
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick, around, quiet, widen
from napari_medlabel.edit.skew import approximately
from napari_medlabel.edit.table import among
from napari_medlabel.errors import InputError

_MARGIN: Final = 2.0  # bands around the segment that are looked at
_MUCH: Final = 0.25  # of a segment, lost or gained: a person is warned


def refine(
    scene: Scene,
    box: Box,
    values: Sequence[int] = (),
    *,
    band_mm: float,
    method: Method = "watershed",
    tick: Tick = quiet,
) -> Proposal | None:
    """Propose borders that lie on edges of the image, at most a band from where they lie.

    The strongest edge wins, whatever it is of: the words warn when a segment loses or gains
    more than a quarter.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules.
    box : tuple of slice
        What may change, in (i, j, k); a box of one slice is refined in itself, and the image
        and the segments around any other box are taken into account.
    values : sequence of int
        The segments; all in the box when empty. Others, and locked ones, keep every voxel and
        gain none: the border between them and a chosen one stays.
    band_mm : float
        How far a border may move.
    method : str
        ``watershed`` (fast, any size) or ``random_walker`` (slow, smoother where the edge is
        faint; small bands only).
    tick : callable
        Told the progress; it raises to cancel.

    Raises
    ------
    InputError
        When the band is not above 0, the method is unknown, nothing of the segments is in the
        box, all are locked, or the band is too large for a random walk.
    """
    if not 0 < band_mm < np.inf:
        raise InputError(
            f"A band is wider than 0 mm; got {band_mm:g}.", hint="Take two or three voxels."
        )
    if method not in {"watershed", "random_walker"}:
        raise InputError(
            f"Borders are refined by watershed or random_walker; got {method!r}.",
            hint="Choose one of the two.",
        )
    tick(0, 2)
    chosen, region = _chosen(scene, box, values)
    inner = around(region)
    del region  # a byte for each voxel of the box
    if inner is None:
        raise InputError(
            "There is nothing of the chosen segments to refine here.",
            hint="Choose a segment that is in this slice or box.",
        )
    start = (part.start for part in box)
    found = tuple(
        slice(part.start + n, part.stop + n) for part, n in zip(inner, start, strict=True)
    )
    flat = [part.stop - part.start == 1 for part in box]
    # Across a single slice nothing is looked at.
    steps = [np.inf if thin else mm for thin, mm in zip(flat, scene.spacing_mm, strict=True)]
    crop = widen((found[0], found[1], found[2]), _MARGIN * band_mm, steps, scene.shape)
    labels = scene.labels[crop]
    movable = among(labels, [0, *chosen])
    tick(1, 2)
    settled = settle(
        scene.image[crop], labels, movable, band_mm, scene.spacing_mm, method=method
    )
    tick(2, 2)
    where = _common(crop, box)
    after = settled[tuple(_inside(w, c) for w, c in zip(where, crop, strict=True))]
    return scene.propose(
        where,
        after,
        name="Refine border",
        values=chosen,
        provider="classical",
        origin="assisted",
        words=_words(scene, where, after, chosen)
        + approximately(scene.skew_mm, band_mm, [not thin for thin in flat]),
    )


def _chosen(scene: Scene, box: Box, values: Sequence[int]) -> tuple[list[int], BoolArray]:
    """Return the segments that may change, and where they are in the box."""
    labels = scene.labels[box]
    if values:
        wanted = {int(v) for v in values if v > 0}
    else:
        wanted = set(range(1, int(labels.max(initial=0)) + 1))
    movable = sorted(wanted - scene.masking.locked)
    if wanted and not movable:
        raise InputError(
            "All chosen segments are locked.", hint="Unlock one in the table of segments."
        )
    return movable, among(labels, movable)


def _common(one: Box, other: Box) -> Box:
    i, j, k = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(one, other, strict=True)
    )
    return i, j, k


def _inside(part: slice, whole: slice) -> slice:
    return slice(part.start - whole.start, part.stop - whole.start)


def _words(scene: Scene, where: Box, after: LabelArray, chosen: Sequence[int]) -> str:
    before = scene.labels[where].T
    voxel_ml = scene.voxel_mm3 / 1000.0
    own = among(before.T, chosen).T
    new = among(after, chosen).T
    gained = int(np.count_nonzero(new & ~own)) * voxel_ml
    lost = int(np.count_nonzero(own & ~new)) * voxel_ml
    words = f"{gained:.2f} ml added, {lost:.2f} ml taken away."
    much = [
        said for v in chosen if (said := _much(np.equal(before, v), np.equal(after.T, v), v))
    ]
    if much:
        words += f" Look twice: {', '.join(much)}. A narrower band moves less."
    return words


def _much(old: BoolArray, new: BoolArray, value: int) -> str:
    """Say that a segment loses or gains more than a quarter; else nothing.

    Where the image's strongest edges are not the segment's border, as inside many tumours in
    MRI, borders leave it; the share that goes is what tells.
    """
    had = max(int(np.count_nonzero(old)), 1)
    lost = int(np.count_nonzero(old & ~new)) / had
    gained = int(np.count_nonzero(new & ~old)) / had
    if lost > _MUCH:
        return f"label {value} loses {100 * lost:.0f} % of what it has here"
    return f"label {value} grows by {100 * gained:.0f} %" if gained > _MUCH else ""
