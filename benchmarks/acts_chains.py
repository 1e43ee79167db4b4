"""Tool chains as a person uses them: each yields its result after every act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from acts_person import Hand, largest_part, worst_slice

from napari_medlabel.edit.between import fill_between
from napari_medlabel.edit.flood import flood
from napari_medlabel.edit.grow.growth import Growth
from napari_medlabel.edit.holes import fill_holes
from napari_medlabel.edit.islands import keep_largest, keep_touched
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.edit.threshold import threshold_box

Array = npt.NDArray[Any]
OBJECT: Final = 1
OUTSIDE: Final = 2
PATIENCE: Final = 4
"""Strokes without a gain of a fifth after which growing is given up."""


@dataclass(frozen=True)
class Task:
    """One object to segment: what the tools see, and what only the person knows.

    Parameters
    ----------
    image : ndarray, shape (z, y, x)
        Intensities in a box around the object.
    truth : ndarray of bool, shape (z, y, x)
        The object; tools never see it.
    spacing_mm : tuple of float
        Along z, y and x.
    """

    image: Array
    truth: Array
    spacing_mm: tuple[float, float, float]

    def scene(self, labels: Array) -> Scene:
        """Return what a tool sees: image and labels so far, as (i, j, k)."""
        z, y, x = self.spacing_mm
        return Scene(labels.T, self.image.T, (x, y, z))

    def seed(self) -> tuple[int, int, int]:
        """Return a deep place of the object, (z, y, x)."""
        from scipy import ndimage

        z = worst_slice(self.truth)
        depth = ndimage.distance_transform_edt(self.truth[z])
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        return z, int(y), int(x)


Chain = Callable[[Task, Hand], Iterator[Array]]


def _taken(labels: Array, proposal: Proposal | None) -> Array:
    """Return labels with a proposal accepted."""
    if proposal is not None:
        box = labels.T[proposal.box]
        box[...] = proposal.onto(box)
    return labels


def paint(task: Task, hand: Hand) -> Iterator[Array]:
    """Outline one slice after the other, the worst first."""
    yield from _mend(task, hand, np.zeros(task.truth.shape, np.uint8))


def _mend(task: Task, hand: Hand, labels: Array) -> Iterator[Array]:
    """Outline the worst slice anew, again and again."""
    done = np.zeros(len(labels), bool)
    while not done.all():
        wrong = (labels == OBJECT) != task.truth
        wrong[done] = False
        if not wrong.any():
            return
        z = worst_slice(wrong)
        if task.truth[z].any():
            labels[z] = np.where(hand.outline(task.truth, z), OBJECT, 0)
        else:
            hand.go_to(z)
            hand.click()
            labels[z] = 0
        done[z] = True
        yield labels == OBJECT


def outline_and_fill(task: Task, hand: Hand) -> Iterator[Array]:
    """Outline both ends and the middle, fill between, then add the worst slice."""
    held = np.flatnonzero(task.truth.any(axis=(1, 2)))
    drawn = np.zeros(task.truth.shape, np.uint8)
    wanted = sorted({int(held[0]), int(held[len(held) // 2]), int(held[-1])})
    filled = drawn
    done: set[int] = set()
    while True:
        z = wanted.pop(0) if wanted else _next(task, filled, done)
        if z is None:
            return
        drawn[z] = np.where(hand.outline(task.truth, z), OBJECT, 0)
        done.add(z)
        filled = drawn.copy()
        if any(b - a > 1 for a, b in pairwise(sorted(done))):
            scene = task.scene(filled)
            filled = _taken(filled, fill_between(scene, whole(scene.shape), 2, (OBJECT,)))
        yield filled == OBJECT


def _next(task: Task, filled: Array, done: set[int]) -> int | None:
    wrong = (filled == OBJECT) != task.truth
    wrong[~task.truth.any(axis=(1, 2))] = False
    wrong[sorted(done)] = False
    return worst_slice(wrong) if wrong.any() else None


def grow_from_seeds(task: Task, hand: Hand) -> Iterator[Array]:
    """Drag a box, scribble in and round the object, then where it is wrong; then outline."""
    growth = Growth(task.image.T, task.spacing_mm[::-1])
    hand.drag(0.0)  # the box: what touches its faces is outside
    faces = np.ones(task.truth.shape, bool)
    faces[1:-1, 1:-1, 1:-1] = False
    growth.add((faces & ~task.truth).T, OUTSIDE)
    z = worst_slice(task.truth)
    growth.add(_on(task, hand.scribble(task.truth[z], z), z), OBJECT)
    growth.add(_on(task, _ring(task, hand, z), z), OUTSIDE)
    errors: list[int] = []
    while True:
        found = growth.labels.T == OBJECT
        yield found
        errors.append(np.count_nonzero(found != task.truth))
        if len(errors) > PATIENCE and errors[-1] > 0.8 * errors[-1 - PATIENCE]:
            # Strokes do not help any more: a person finishes with outlines.
            yield from _mend(task, hand, found.astype(np.uint8))
            return
        wrong = largest_part(found != task.truth)
        if not wrong.any():
            return
        z = worst_slice(wrong)
        missing = np.count_nonzero(wrong[z] & task.truth[z])
        value = OBJECT if missing * 2 > np.count_nonzero(wrong[z]) else OUTSIDE
        wanted = wrong[z] & (task.truth[z] if value == OBJECT else ~task.truth[z])
        growth.add(_on(task, hand.scribble(wanted, z), z), value)


def _on(task: Task, drawn: Array, z: int) -> Array:
    """Return a drawing on a slice as a region (i, j, k)."""
    region = np.zeros(task.truth.shape, bool)
    region[z] = drawn
    return region.T


def _ring(task: Task, hand: Hand, z: int) -> Array:
    """Draw a line round the object, 6 to 9 pixels away."""
    from scipy import ndimage

    far = ndimage.distance_transform_edt(~task.truth[z])
    ring = (far > 6) & (far < 9)
    hand.drag(float(np.count_nonzero(ring)) / 3)
    return hand.missed(ring)


def threshold_and_tidy(task: Task, hand: Hand) -> Iterator[Array]:
    """Find a range with the live preview, keep the touched island, fill holes, then outline."""
    inside = task.image[task.truth]
    low, high = (float(v) for v in np.percentile(inside, (3, 97)))
    labels = np.zeros(task.truth.shape, np.uint8)
    hand.go_to(worst_slice(task.truth))
    for _ in "low", "high":
        hand.drag(60.0)
    scene = task.scene(labels)
    labels = _taken(labels, threshold_box(scene, whole(scene.shape), low, high, OBJECT))
    yield labels == OBJECT
    z, y, x = task.seed()
    hand.click()
    scene = task.scene(labels)
    if labels[z, y, x] == OBJECT:
        kept = keep_touched(scene, whole(scene.shape), (x, y, z))
    else:
        kept = keep_largest(scene, whole(scene.shape), (OBJECT,))
    labels = _taken(labels, kept)
    yield labels == OBJECT
    yield from _filled_and_mended(task, hand, labels)


def _filled_and_mended(task: Task, hand: Hand, labels: Array) -> Iterator[Array]:
    """Fill holes by one click, then outline what is still wrong."""
    hand.click()
    scene = task.scene(labels)
    labels = _taken(labels, fill_holes(scene, whole(scene.shape), (OBJECT,)))
    yield labels == OBJECT
    yield from _mend(task, hand, labels)


def flood_and_mend(task: Task, hand: Hand) -> Iterator[Array]:
    """Click in the object with a tolerance chosen by eye, fill holes, then outline."""
    z, y, x = task.seed()
    inside = task.image[task.truth]
    tolerance = 2.5 * float(np.std(inside))
    labels = np.zeros(task.truth.shape, np.uint8)
    hand.go_to(z)
    hand.click()
    scene = task.scene(labels)
    grown = flood(scene, whole(scene.shape), (x, y, z), OBJECT, tolerance=tolerance)
    labels = _taken(labels, grown)
    yield labels == OBJECT
    yield from _filled_and_mended(task, hand, labels)


CHAINS: Final[dict[str, Chain]] = {
    "paint only": paint,
    "outline + fill between": outline_and_fill,
    "grow from seeds": grow_from_seeds,
    "threshold + tidy": threshold_and_tidy,
    "flood + mend": flood_and_mend,
}
