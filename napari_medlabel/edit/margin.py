"""Margins in mm: grow, shrink and hollow labels by exact distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from napari_medlabel.edit.boxes import clipped, crop_of, hull, is_empty, seen_from, shifted
from napari_medlabel.edit.components import boxes_of
from napari_medlabel.edit.distance import distance_mm
from napari_medlabel.edit.ledger import chosen, label_words, not_here, with_words
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet, widen
from napari_medlabel.errors import InputError

Side = Literal["inside", "middle", "outside"]

_AT_ONCE: Final = 3_000_000  # voxels whose distances are held at once: 12 MB
_THOSE: Final = "{those}"
_ROUNDING: Final = 1e-5  # of a length: float32 distances of voxels at exactly that length count


@dataclass(frozen=True)
class _Rim:
    """What of a label stays, and how far around it is added.

    Parameters
    ----------
    outward_mm : float
        Voxels up to here from the label become it; 0 for none.
    above_mm, up_to_mm : float
        Voxels of the label stay where their depth lies between.
    """

    outward_mm: float
    above_mm: float
    up_to_mm: float

    @property
    def reach_mm(self) -> float:
        """How far one needs to look around a voxel."""
        ends = (self.outward_mm, self.above_mm, self.up_to_mm)
        return max(mm for mm in ends if np.isfinite(mm))


def grow_margin(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    mm: float,
    tick: Tick = quiet,
) -> Proposal | None:
    """Grow labels by a margin, or shrink them by a negative one.

    A voxel is within the margin when its centre is at most ``mm`` from the centre of a voxel
    of the label; shrinking takes those within the margin of a voxel that is not of the label.
    Between chosen labels that meet the nearest wins (of equals the first chosen), and none
    loses a voxel of its own. The ends of the scan, and of the box, are no border: a label that
    reaches them goes on there.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    box : tuple of slice
        Where, in (i, j, k): in one slice, the margin lies in the slice.
    values : sequence of int
        Labels.
    mm : float
        Above 0 to grow, below 0 to shrink.
    tick : callable
        Told the pieces of work done.

    Returns
    -------
    Proposal or None
        Its words say what comes, and what other labels lose.

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the margin reaches no neighbouring voxel.
    """
    about = chosen(values)
    _refuse_below_a_voxel(scene, box, abs(mm), f"A margin of {mm:g} mm")
    if mm > 0:
        rim = _Rim(mm, 0.0, np.inf)
        name = "Grow by a margin"
        words = f"{{gained}} come around {_THOSE}.{{others}}"
    else:
        rim = _Rim(0.0, -mm, np.inf)
        name = "Shrink by a margin"
        words = f"{{lost}} of {_THOSE} go."
    return _reshape(scene, box, about, rim, name=name, words=words, tick=tick)


def hollow(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    wall_mm: float,
    side: Side = "inside",
    tick: Tick = quiet,
) -> Proposal | None:
    """Turn labels into shells; what they hold becomes background.

    Parameters
    ----------
    scene, box, values, tick
        As in `grow_margin`.
    wall_mm : float
        Thickness of the wall.
    side : {"inside", "middle", "outside"}
        Where the wall lies: on the inside of the label's surface, half and half, or outside.

    Returns
    -------
    Proposal or None

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the wall is thinner than a voxel.
    """
    about = chosen(values)
    if side not in ("inside", "middle", "outside"):
        raise InputError(
            f"A wall lies inside, middle or outside; got {side!r}.", hint="Choose one of them."
        )
    each = wall_mm / 2 if side == "middle" else wall_mm
    _refuse_below_a_voxel(scene, box, each, f"A wall of {each:g} mm on one side")
    rims: dict[Side, _Rim] = {
        "inside": _Rim(0.0, 0.0, each),
        "middle": _Rim(each, 0.0, each),
        "outside": _Rim(each, 0.0, 0.0),
    }
    words = f"{{lost}} inside {_THOSE} go"
    words += ".{others}" if side == "inside" else ", {gained} come outside.{others}"
    steps = _steps(scene, box)
    if each < max(steps) * (1 - _ROUNDING):
        words += f" The wall is open where slices lie {max(steps):g} mm apart: it is thinner."
    return _reshape(scene, box, about, rims[side], name="Hollow", words=words, tick=tick)


def _steps(scene: Scene, box: Box) -> list[float]:
    """Return the distances of neighbouring voxels along the axes that the box has room in."""
    room = [mm for mm, n in zip(scene.spacing_mm, box, strict=True) if n.stop - n.start > 1]
    return room or list(scene.spacing_mm)


def _refuse_below_a_voxel(scene: Scene, box: Box, mm: float, what: str) -> None:
    least = min(_steps(scene, box))
    if not (np.isfinite(mm) and mm >= least * (1 - _ROUNDING)):
        raise InputError(
            f"{what} reaches no voxel: neighbours lie {least:g} mm apart or more.",
            hint=f"Give {least:g} mm or more.",
        )


def _reshape(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    rim: _Rim,
    *,
    name: str,
    words: str,
    tick: Tick,
) -> Proposal | None:
    labels = scene.labels[box]
    boxes = boxes_of(labels, values)
    if not boxes:
        raise not_here(values)
    inner = widen(hull(list(boxes.values())), rim.outward_mm, scene.apart_mm, _size(labels))
    after = crop_of(labels, inner)
    pieces = list(_pieces(inner, rim, scene.apart_mm))
    for done, piece in enumerate(pieces, start=1):
        _work(scene, labels, boxes, rim, piece, after[seen_from(inner, piece)])
        tick(done, len(pieces))
    where = shifted(inner, box)
    before = scene.labels[where]
    wanted = int(np.count_nonzero(after.T != before.T))
    proposal = scene.propose(
        where, after, name=name, values=values, provider="classical", origin="assisted"
    )
    there = label_words([value for value in values if value in boxes])
    return with_words(scene, proposal, words.replace(_THOSE, there), wanted=wanted)


def _size(labels: LabelArray) -> tuple[int, int, int]:
    i, j, k = labels.shape
    return i, j, k


def _pieces(box: Box, rim: _Rim, apart_mm: Sequence[float]) -> Iterator[Box]:
    """Cut a box along k, so that distances of a piece and its surroundings fit in memory."""
    i, j, k = box
    around = 2 * int(np.ceil(rim.reach_mm / apart_mm[2]))
    fits = _AT_ONCE // max((i.stop - i.start) * (j.stop - j.start), 1) - around
    # Thinner pieces than their surroundings would be more work than memory is worth.
    thick = max(fits, around, 1)
    for start in range(k.start, k.stop, thick):
        yield i, j, slice(start, min(start + thick, k.stop))


def _work(
    scene: Scene,
    labels: LabelArray,
    boxes: dict[int, Box],
    rim: _Rim,
    piece: Box,
    after: LabelArray,
) -> None:
    """Write the labels of one piece into ``after``, a view of the piece's shape."""
    # Voxels of chosen labels, and those that a nearer label has taken, have a distance.
    apart, skew = scene.apart_mm, scene.skew_mm
    far = rim.reach_mm * (1 + 2 * _ROUNDING)
    best = np.full(after.shape[::-1], np.inf, dtype=np.float32).T
    parts = {
        value: clipped(widen(box, rim.outward_mm, apart, _size(labels)), piece)
        for value, box in boxes.items()
    }
    shared = {value: part for value, part in parts.items() if not is_empty(part)}
    for value, part in shared.items():
        own = np.equal(labels[part].T, value).T
        best[seen_from(piece, part)].T[own.T] = 0.0
    for value, part in shared.items():
        # One layer around a label is all of its outside that matters.
        layer = min(apart) if skew is None else float(np.linalg.norm(scene.spacing_mm))
        rind = widen(boxes[value], layer, apart, _size(labels))
        around = hull([part, clipped(rind, widen(part, rim.reach_mm, apart, _size(labels)))])
        region = np.equal(labels[around].T, value).T
        here = seen_from(around, part)
        held = after[seen_from(piece, part)]
        if rim.outward_mm > 0:
            away = distance_mm(~region, scene.spacing_mm, skew, up_to_mm=far)[here].T
            near = best[seen_from(piece, part)].T
            closer = (rim.outward_mm * (1 + _ROUNDING) >= away) & (away < near)
            held.T[closer] = value
            np.copyto(near, away, where=closer)
        if rim.above_mm > 0 or np.isfinite(rim.up_to_mm):
            depth = distance_mm(region, scene.spacing_mm, skew, up_to_mm=far)[here].T
            stays = rim.above_mm * (1 + _ROUNDING) < depth
            stays &= rim.up_to_mm * (1 + _ROUNDING) >= depth
            held.T[region[here].T & ~stays] = 0
