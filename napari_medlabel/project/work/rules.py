"""What is looked at before a submission: each complaint says what, and where to look.

A complaint is a question to the annotator, not a verdict. Those that block are of things that
only the annotator can say; the others may be submitted with a reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.components import connected_parts
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.boxes import Box, boxes_of
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import Answer, missing_answers

Rule = Literal[
    "empty",
    "drawn",
    "unknown",
    "range",
    "small",
    "parts",
    "side",
    "unseen",
    "answer",
    "unsaved",
]
MOST_OUTSIDE: Final = 0.02
"""Share of a label's voxels that may lie outside its range: noise and partial volume do."""
_MOST_NAMED: Final = 8
_SIDE_MM: Final = 5.0  # nearer to the middle than this, a label is on no side
_LOOKED_AT: Final = 200_000  # voxels that tell where the body is
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Complaint:
    """One thing that is not as the ontology wants it.

    Parameters
    ----------
    rule : str
        ``empty``, ``drawn`` (and said to be absent), ``unknown`` (a value without a label),
        ``range``, ``small``, ``parts``, ``side``, ``unseen``, ``answer`` or ``unsaved``.
    words : str
        For the annotator.
    label : int
        Value of the label; 0 where it is about none.
    place_ras : tuple of float or None
        A voxel to look at, RAS mm.
    slice : int or None
        Its slice k, or the first slice that was not shown.
    question : str
        Id of the question, for ``answer``.
    blocks : bool
        Whether it cannot be submitted like this, whatever the reason.
    layer : int or None
        The layer to open, for ``unsaved``.
    """

    rule: Rule
    words: str
    label: int = 0
    place_ras: tuple[float, float, float] | None = None
    slice: int | None = None
    question: str = ""
    blocks: bool = False
    layer: int | None = None


def check_before_submit(
    ontology: Ontology,
    labels: LabelMap,
    image: npt.NDArray[Any],
    shown_slices: Collection[int] | None = None,
    answers: Mapping[str, Answer] | None = None,
    *,
    absent: Collection[str] = (),
    oriented: bool = True,
) -> tuple[Complaint, ...]:
    """Return what should be looked at before a reading of one mask is submitted.

    Parameters
    ----------
    ontology : Ontology
        Whose rules count.
    labels : LabelMap
        What was drawn.
    image : ndarray, shape (i, j, k)
        The scan's values; for CT in HU.
    shown_slices : collection of int, optional
        Slices k that were on the screen; None where nobody recorded it.
    answers : mapping, optional
        Checked answers by question.
    absent : collection of str
        Ids of labels of which the annotator says that there is nothing.
    oriented : bool
        Whether the scan says which side is left; else no side is judged.
    """
    masks = {0: labels}
    return check_sheets(
        ontology, masks, image, shown_slices, answers, absent=absent, oriented=oriented
    )


def check_sheets(  # noqa: PLR0913 - what is said of a reading, each by its name
    ontology: Ontology,
    masks: Mapping[int, LabelMap],
    image: npt.NDArray[Any],
    shown_slices: Collection[int] | None = None,
    answers: Mapping[str, Answer] | None = None,
    *,
    absent: Collection[str] = (),
    oriented: bool = True,
    missing: Collection[int] = (),
) -> tuple[Complaint, ...]:
    """Return what `check_before_submit` does, of a reading with a mask for each layer.

    Parameters
    ----------
    masks : mapping of int to LabelMap
        By layer.
    ontology, image, shown_slices, answers, absent, oriented
        As there.
    missing : collection of int
        Slices k that no file holds: they have no values to be judged.
    """
    found: list[Complaint] = []
    everywhere: dict[int, Box] = {}
    for layer, mask in masks.items():
        own = ontology if len(masks) == 1 else _of_layer(ontology, layer)
        boxes = boxes_of(mask.array)
        everywhere |= boxes
        found += _about_presence(own, mask, boxes, set(absent))
        for label in own.labels:
            if label.value in boxes:
                found += _about_label(label, mask, image, boxes[label.value], missing)
        if oriented:
            found += _about_sides(own.labels, mask, image, boxes)
        if shown_slices is not None:
            found += _about_unseen(own.labels, mask, boxes, set(shown_slices))
    grid = next(iter(masks.values())).grid
    found += _about_answers(ontology, grid, everywhere, answers or {})
    return tuple(found)


def _of_layer(ontology: Ontology, layer: int) -> Ontology:
    """Return an ontology of one layer's labels alone, without what hangs on others."""
    own = tuple(label for label in ontology.labels if label.layer == layer)
    return replace(ontology, labels=own, questions=(), trees=(), boxes=())


def _about_presence(
    ontology: Ontology, labels: LabelMap, boxes: Mapping[int, Box], absent: set[str]
) -> Iterator[Complaint]:
    for label in ontology.labels:
        there, said = label.value in boxes, label.id in absent
        if not there and not said and label.value in labels.scheme.values:
            words = f"{label.name} is empty. Say that there is nothing of it, or draw it."
            yield Complaint("empty", words, label.value, blocks=True)
        if there and said:
            words = f"{label.name} was said to be absent, and something of it is drawn."
            place, k = _spot(labels, boxes[label.value], label.value)
            yield Complaint("drawn", words, label.value, place, k, blocks=True)
    known = {label.value for label in ontology.labels}
    for value in sorted(set(boxes) - known):
        place, k = _spot(labels, boxes[value], value)
        words = f"The value {value} is no label of this study."
        yield Complaint("unknown", words, value, place, k, blocks=True)


def _about_label(
    label: OntologyLabel,
    labels: LabelMap,
    image: npt.NDArray[Any],
    box: Box,
    missing: Collection[int],
) -> Iterator[Complaint]:
    """Judge one label in its own box: range, sizes and number of its parts."""
    mask = labels.array[box] == label.value
    if label.hu_range is not None:
        low, high = label.hu_range
        values, there = image[box], mask.copy()
        first, end = box[2].start, box[2].stop
        there[..., [k - first for k in missing if first <= k < end]] = False
        outside = there & ~((values >= low) & (values <= high))  # NaN is outside too
        share = np.count_nonzero(outside) / max(int(np.count_nonzero(there)), 1)
        if share > MOST_OUTSIDE:
            place, k = _spot_in(labels.grid, outside, box)
            words = f"{share:.0%} of {label.name} lie outside {low:g} to {high:g}."
            yield Complaint("range", words, label.value, place, k)
    if label.smallest_mm3 or label.most_parts:
        yield from _about_parts(label, labels, mask, box)


def _about_parts(
    label: OntologyLabel, labels: LabelMap, mask: BoolArray, box: Box
) -> Iterator[Complaint]:
    parts = connected_parts(mask)
    voxel_mm3 = labels.grid.affine.voxel_ml * 1000.0
    sizes_mm3 = parts.voxels * voxel_mm3
    order = np.argsort(sizes_mm3, kind="stable")

    def place(part: int) -> tuple[tuple[float, float, float], int]:
        chosen = np.zeros(len(parts), bool)
        chosen[part] = True
        inner = parts.box(chosen)
        if inner is None:  # a part without voxels does not occur
            return _spot_in(labels.grid, mask, box)
        return _spot_in(labels.grid, mask[inner], _inside(box, inner))

    small = [int(part) for part in order if sizes_mm3[part] < label.smallest_mm3 - 1e-9]
    for part in small[:_MOST_NAMED]:
        size = sizes_mm3[part]
        words = f"A part of {label.name} has {size:.3g} mm³, less than {label.smallest_mm3:g}."
        yield Complaint("small", words, label.value, *place(part))
    if len(small) > _MOST_NAMED:
        words = f"{len(small) - _MOST_NAMED} more parts of {label.name} are too small."
        yield Complaint("small", words, label.value, *place(small[_MOST_NAMED]))
    if label.most_parts and len(parts) > label.most_parts:
        words = f"{label.name} has {len(parts)} parts; at most {label.most_parts} are expected."
        # The largest that should not be there: it is the least likely to be a slip.
        yield Complaint("parts", words, label.value, *place(int(order[-label.most_parts - 1])))


def _about_sides(
    wanted: Iterable[OntologyLabel],
    labels: LabelMap,
    image: npt.NDArray[Any],
    boxes: Mapping[int, Box],
) -> Iterator[Complaint]:
    sided = [label for label in wanted if label.laterality and label.value in boxes]
    middle = body_middle_mm(image, labels.grid) if sided else None
    if middle is None:
        return
    for label in sided:
        box = boxes[label.value]
        mask = labels.array[box] == label.value
        right_mm = _right_mm(labels.grid, mask, box) - middle
        if label.laterality == "both":
            if right_mm.min() > _SIDE_MM or right_mm.max() < -_SIDE_MM:
                side = "right" if right_mm.min() > 0 else "left"
                words = f"{label.name} lies on both sides; only the {side} one is drawn."
                yield Complaint("side", words, label.value, *_spot_in(labels.grid, mask, box))
            continue
        is_right = label.laterality == "right"
        off_mm = float(right_mm.mean()) * (-1.0 if is_right else 1.0)
        if off_mm > _SIDE_MM:
            side = "left" if is_right else "right"
            words = (
                f"{label.name} belongs to the {label.laterality}; it lies {off_mm:.0f} mm to "
                f"the {side} of the body's middle."
            )
            yield Complaint("side", words, label.value, *_spot_in(labels.grid, mask, box))


def body_middle_mm(image: npt.NDArray[Any], grid: Grid) -> float | None:
    """Return where the middle of the body lies from left to right, R axis of RAS, in mm.

    The body is what is brighter than half-way between the scan's darkest and brightest
    hundredth; its middle is half-way between its sides.

    Returns
    -------
    float or None
        None where everything is equally bright.
    """
    step = max(1, int(np.ceil((image.size / _LOOKED_AT) ** (1 / 3))))
    coarse = image[::step, ::step, ::step]
    finite = coarse[np.isfinite(coarse)]
    if not finite.size:
        return None
    dark, bright = np.percentile(finite, (1, 99))
    body = coarse > (float(dark) + float(bright)) / 2.0
    if dark == bright or not body.any():
        return None
    ijk = np.argwhere(body) * step
    low, high = np.percentile(grid.affine.apply(ijk)[:, 0], (1, 99))
    return float(low + high) / 2.0


def _about_unseen(
    wanted: Iterable[OntologyLabel],
    labels: LabelMap,
    boxes: Mapping[int, Box],
    shown: set[int],
) -> Iterator[Complaint]:
    """Complain of slices that nobody saw, where it is said that something is not there."""
    count = labels.grid.shape[2]
    unseen = sorted(set(range(count)) - shown)
    empty = [
        label
        for label in wanted
        if label.value not in boxes and label.value in labels.scheme.values
    ]
    if not unseen or not empty:
        return
    names = ", ".join(label.name for label in empty)
    words = (
        f"{len(unseen)} of {count} slices were never shown, and nothing of {names} is said to "
        "be in them."
    )
    middle = _middle(labels.grid, unseen[0])
    yield Complaint("unseen", words, empty[0].value, middle, unseen[0])


def _middle(grid: Grid, k: int) -> tuple[float, float, float]:
    """Return the middle of a slice, RAS mm."""
    i, j, _ = grid.shape
    return _triple(grid.affine.apply(((i - 1) / 2.0, (j - 1) / 2.0, float(k))))


def _about_answers(
    ontology: Ontology, grid: Grid, boxes: Mapping[int, Box], answers: Mapping[str, Answer]
) -> Iterator[Complaint]:
    values = {label.id: label.value for label in ontology.labels}
    names = {label.id: label.name for label in ontology.labels}
    there = [key for key, value in values.items() if value in boxes]
    for question, place in missing_answers(ontology.questions, answers, there):
        value = values.get(place or question.label, 0) if question.level == "label" else 0
        if question.label and value not in boxes:
            continue  # there is nothing to ask about
        k = int(place[1:]) if place and question.level == "slice" else None
        of = "" if not place else f" ({names[place]})" if k is None else f" (slice k = {k})"
        words = f"This question needs an answer: {question.text}{of}"
        there_ras = None if k is None else _middle(grid, k)
        yield Complaint("answer", words, value, there_ras, k, question.id, blocks=True)


def _spot(labels: LabelMap, box: Box, value: int) -> tuple[tuple[float, float, float], int]:
    return _spot_in(labels.grid, labels.array[box] == value, box)


def _spot_in(grid: Grid, mask: BoolArray, box: Box) -> tuple[tuple[float, float, float], int]:
    """Return a voxel in the middle of the fullest slice of a mask, RAS mm, and that slice k."""
    k = int(np.argmax(np.count_nonzero(mask, axis=(0, 1))))
    ij = np.argwhere(mask[:, :, k])
    nearest = ij[np.argmin(((ij - ij.mean(axis=0)) ** 2).sum(axis=1))]
    index = (
        int(nearest[0]) + box[0].start,
        int(nearest[1]) + box[1].start,
        k + box[2].start,
    )
    return _triple(grid.affine.apply(index)), index[2]


def _right_mm(grid: Grid, mask: BoolArray, box: Box) -> npt.NDArray[np.float64]:
    """Return how far to the right each voxel of a mask lies, at most `_LOOKED_AT` of them."""
    flat = np.flatnonzero(mask)
    flat = flat[:: max(1, flat.size // _LOOKED_AT)]
    ijk = np.stack(np.unravel_index(flat, mask.shape), axis=1)
    ijk += [part.start for part in box]
    return np.asarray(grid.affine.apply(ijk)[:, 0], dtype=np.float64)


def _inside(outer: Box, inner: Box) -> Box:
    i, j, k = (
        slice(a.start + b.start, a.start + b.stop) for a, b in zip(outer, inner, strict=True)
    )
    return i, j, k


def _triple(point: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in point)
    return x, y, z
