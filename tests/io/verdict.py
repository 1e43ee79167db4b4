"""Judges what a reader returned against the truth: exact, wrong or short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tests.io.truth import Image

PLACE_MM = 0.1
_RELATIVE = 1e-6
_HALF_STEP = 0.499


Slot = tuple[int, int, int]
"""Which answer, which slice, which volume."""


@dataclass(frozen=True)
class Answer:
    """A volume as some reader returned it.

    Parameters
    ----------
    array : array, shape (i, j, k), (i, j, k, t), or either with 3 colours behind
        Its voxels.
    affine : ndarray, shape (4, 4)
        Voxel to RAS mm.
    is_colour : bool
        Whether the last axis holds red, green and blue.
    missing : tuple of int
        Slices (k) that it says to be blank.
    has_places : bool
        False where it says itself that its slices have no place.
    """

    array: Any
    affine: np.ndarray
    is_colour: bool = False
    missing: tuple[int, ...] = ()
    has_places: bool = True

    def volumes(self) -> np.ndarray:
        """Return the voxels as (i, j, k, t) or (i, j, k, t, 3)."""
        whole = np.asarray(self.array)
        plain = 4 if self.is_colour else 3
        if whole.ndim == plain:
            whole = np.expand_dims(whole, 3)
        if whole.ndim > plain + 1:  # a fifth axis and more: one after the other
            tail = (3,) if self.is_colour else ()
            whole = whole.reshape(*whole.shape[:3], -1, *tail, order="F")
        return whole


@dataclass(frozen=True)
class Verdict:
    """What came of a series.

    Parameters
    ----------
    word : str
        ``"exact"``, ``"wrong"`` (something is not where or what it is) or ``"short"``
        (something was left out, the rest is right).
    found, images : int
        Images that were found, and images there are.
    corner_mm : float
        Largest distance of a found image's corner from its true place, less what the headers
        leave open: how far the true places themselves are from any one evenly spaced grid.
    invented : int
        Slices that no image lies in and that were not said to be missing.
    slots : tuple of (int, int, int)
        For each image that was found: which answer, slice and volume.
    """

    word: Literal["exact", "wrong", "short"]
    found: int
    images: int
    corner_mm: float = 0.0
    invented: int = 0
    slots: tuple[Slot | None, ...] = field(default=(), repr=False)


def judge(answers: Sequence[Answer], truth: Sequence[Image]) -> Verdict:
    """Look for every image in what a reader returned.

    An image is found where one volume holds each of its sampled pixels within 0.1 mm, with
    its value (to 1e-6 of it, or half a stored step).

    Parameters
    ----------
    answers : sequence of Answer
        All volumes that the reader returned.
    truth : sequence of Image
        All images of the series.
    """
    whole = [(one, one.volumes(), np.linalg.pinv(one.affine)) for one in answers]
    slots: list[Slot | None] = []
    taken: set[Slot | None] = set()
    found: set[Slot] = set()
    elsewhere: list[set[Slot]] = []
    for image in truth:
        equal, others = _find(image, whole)
        # Of several that hold it, one that no image has yet: copies lie where the image lies.
        slots.append(next((s for s in equal if s not in taken), equal[0] if equal else None))
        taken.add(slots[-1])
        found |= set(equal)
        if not equal:
            elsewhere.append(others)
    count = sum(slot is not None for slot in slots)
    held = sum(int(np.prod(v.shape[:4])) for _, v, _ in whole)
    slices = sum((v.shape[2] - len(one.missing)) * v.shape[3] for one, v, _ in whole)
    if count == len(truth):
        word: Any = "exact"
    else:
        asked = sum(image.rows * image.columns for image in truth)
        # Voxels enough, or one in an image's place that is of no image: wrong, not left out.
        word = "wrong" if held >= asked or any(o - found for o in elsewhere) else "short"
    worst = max(
        (_corner_mm(n, whole[n][0], slots, truth) for n in range(len(whole))), default=0
    )
    return Verdict(word, count, len(truth), worst, max(slices - len(found), 0), tuple(slots))


def _find(
    image: Image, answers: Sequence[tuple[Answer, np.ndarray, np.ndarray]]
) -> tuple[list[Slot], set[Slot]]:
    """Return the slices that hold an image, and all those in whose place it should be."""
    places: set[Slot] = set()
    equal: list[Slot] = []
    for n, (answer, voxels, inverse) in enumerate(answers):
        for index in _indices(image, answer, voxels, inverse):
            same = _equal(image, voxels[index[:, 0], index[:, 1], index[:, 2]], answer)
            k = int(index[0, 2])
            if image.origin_ras is not None:
                places |= {(n, k, t) for t in range(len(same))}
            equal += [(n, k, int(t)) for t in np.flatnonzero(same)]
    return equal, places


def _indices(
    image: Image, answer: Answer, voxels: np.ndarray, inverse: np.ndarray
) -> list[np.ndarray]:
    """Return the voxels at the sampled pixels, (n, 3); several where only pixels count."""
    shape = voxels.shape[:3]
    if image.origin_ras is None:
        if shape[:2] != (image.columns, image.rows):
            return []
        found = []
        for k in range(shape[2]):
            index = np.column_stack([image.points, np.full(len(image.points), k)])
            found.append(index)
            if answer.has_places:  # readers that put rows the other way round
                turned = index.copy()
                turned[:, 1] = image.rows - 1 - turned[:, 1]
                found.append(turned)
        return found
    if not answer.has_places:
        return []
    world = image.world(image.points)
    index = np.round(world @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.int64)
    if (index < 0).any() or (index >= shape).any():
        return []
    apart = index @ answer.affine[:3, :3].T + answer.affine[:3, 3] - world
    return [index] if np.abs(apart).max() <= PLACE_MM else []


def _equal(image: Image, got: np.ndarray, answer: Answer) -> np.ndarray:
    """Tell for each volume whether it holds the image's values; got is (n, t[, 3])."""
    want = image.values
    if want is None:
        return np.ones(got.shape[1], dtype=bool)
    if (want.ndim == 2) != answer.is_colour:
        return np.zeros(got.shape[1], dtype=bool)
    step = image.step or 1.0
    if answer.is_colour and step > 1 and got.dtype == np.uint8:
        # Deep colours in 256 steps: whether cut or rounded, within one of them.
        return (np.abs(got - want[:, None] / step) <= 1).all(axis=(0, 2))
    apart = np.abs(got.astype(float) - want[:, None])
    if "lossy" in image.tags:
        near = np.sort(apart.reshape(len(want), got.shape[1], -1).max(axis=2), axis=0)
        return (near[len(want) // 2] <= 2 * step) & (near[len(want) * 9 // 10] <= 8 * step)
    limit = np.maximum(_RELATIVE * np.abs(want), _HALF_STEP * image.step)[:, None]
    axes = (0, 2) if answer.is_colour else (0,)
    return (apart <= limit).all(axis=axes)


def _corner_mm(
    number: int, answer: Answer, slots: Sequence[Slot | None], truth: Sequence[Image]
) -> float:
    """Return how far the corners of the images in an answer are off, less what is open."""
    pairs = [
        (slot[1], image)
        for slot, image in zip(slots, truth, strict=True)
        if slot is not None and slot[0] == number and image.origin_ras is not None
    ]
    if not pairs:
        return 0.0
    world = np.array([image.world(image.corners()) for _, image in pairs])
    flat = world.reshape(-1, 3)
    inverse = np.linalg.pinv(answer.affine)
    index = np.round(flat @ inverse[:3, :3].T + inverse[:3, 3])
    apart = index @ answer.affine[:3, :3].T + answer.affine[:3, 3] - flat
    # The best grid there is: corners as a straight line over the slices.
    line = np.column_stack([np.ones(len(pairs)), [k for k, _ in pairs]])
    corners = world.reshape(len(pairs), 12)
    best = line @ np.linalg.lstsq(line, corners, rcond=None)[0] - corners
    open_mm = np.linalg.norm(best.reshape(-1, 3), axis=1).max()
    return max(float(np.linalg.norm(apart, axis=1).max() - 2 * open_mm), 0.0)
