"""Logical operators: add, subtract, intersect, copy, invert, clear and fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np

from napari_medlabel.edit.boxes import crop_of
from napari_medlabel.edit.ledger import chosen, with_words
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, around
from napari_medlabel.errors import InputError

How = Literal["add", "subtract", "intersect", "copy", "invert", "clear", "fill"]

_Rule = Callable[[BoolArray, BoolArray], BoolArray]
# (what is of the label, what is of the other) -> what shall be of the label
_RULES: Final[dict[How, _Rule]] = {
    "add": np.logical_or,
    "subtract": lambda own, other: own & ~other,
    "intersect": np.logical_and,
    "copy": lambda _own, other: other,
    "invert": lambda own, _other: ~own,
    "clear": lambda own, _other: np.zeros_like(own),
    "fill": lambda own, _other: np.ones_like(own),
}
_NAMES: Final[dict[How, str]] = {
    "add": "Add segment",
    "subtract": "Subtract region",
    "intersect": "Intersect with region",
    "copy": "Copy segment",
    "invert": "Invert segment",
    "clear": "Clear segment",
    "fill": "Fill segment",
}
_LESS: Final = "{lost} of {label} go."
_MORE: Final = "{gained} come to {label}."
_BOTH: Final = "{lost} of {label} go, {gained} come."
_WORDS: Final[dict[How, str]] = {
    "add": _MORE,
    "subtract": _LESS,
    "intersect": _LESS,
    "copy": _BOTH,
    "invert": _BOTH,
    "clear": _LESS,
    "fill": _MORE,
}


def combine(
    scene: Scene,
    box: Box,
    value: int,
    other: int | BoolArray | None = None,
    *,
    how: How,
) -> Proposal | None:
    """Combine a label with another one, or with a region.

    A voxel has one label, so what a label gets another loses: ``add`` and ``copy`` empty the
    other label as far as the rules let them.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    box : tuple of slice
        Where, in (i, j, k).
    value : int
        The label that changes.
    other : int or ndarray of bool (shape of the box), optional
        Another label, or a region: a threshold, an earlier mask. ``invert``, ``clear`` and
        ``fill`` need none.
    how : str
        ``add``: own or other; ``subtract``: own but not other; ``intersect``: own and other;
        ``copy``: other in place of own; ``invert``: all but own; ``clear``: none; ``fill``:
        all of the box.

    Returns
    -------
    Proposal or None
        Its words say what comes and goes, and what further labels lose.

    Raises
    ------
    InputError
        When the operator is unknown, the other is missing, has another shape or is the label
        itself, or when two labels of one mask are to be subtracted or intersected.
    """
    (value,) = chosen((value,))
    if how not in _RULES:
        raise InputError(
            f"There is no operator {how!r}.", hint=f"Choose one of {', '.join(_RULES)}."
        )
    labels = scene.labels[box]
    region, about = _other_of(labels, value, other, how)

    def plane(k: int) -> tuple[BoolArray, BoolArray]:
        own = np.equal(labels.T[k], value)
        return own, _RULES[how](own, region(k))

    change = np.empty(labels.shape[::-1], dtype=bool)
    for number, out in enumerate(change):
        np.not_equal(*plane(number), out=out)
    inner = around(change.T)
    if inner is None:
        return None
    i, j, k = inner
    after = crop_of(labels, inner)
    for number, out in enumerate(after.T, start=k.start):
        out[change[number, j, i]] = 0
        out[plane(number)[1][j, i]] = value
    wanted = int(np.count_nonzero(change))
    where = tuple(
        slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, box, strict=True)
    )
    proposal = scene.propose(
        (where[0], where[1], where[2]), after, name=_NAMES[how], values=about
    )
    words = _WORDS[how].format(label=f"label {value}", lost="{lost}", gained="{gained}")
    words += "{others}"
    if len(about) > 1:
        words = f"What is label {about[1]} becomes label {value}: {{gained}}.{{others}}"
    return with_words(scene, proposal, words, wanted=wanted)


def _other_of(
    labels: LabelArray, value: int, other: int | BoolArray | None, how: How
) -> tuple[Callable[[int], BoolArray], tuple[int, ...]]:
    """Return slices (j, i) of what a label is combined with, and the labels it is about."""
    if how in ("invert", "clear", "fill"):
        nothing = np.zeros(labels.shape[1::-1], dtype=bool)
        return lambda _k: nothing, (value,)
    if other is None:
        raise InputError(
            f"To {how}, a second segment or a region is needed.", hint="Choose it under With."
        )
    if isinstance(other, np.ndarray):
        if other.shape != labels.shape or other.dtype != bool:
            raise InputError(
                f"A region is true or false on the shape {labels.shape} of the box; got "
                f"{other.dtype} on {other.shape}.",
                hint="Compute it on the scan that is open.",
            )
        return lambda k: other.T[k], (value,)
    (second,) = chosen((int(other),))
    if second == value:
        raise InputError(
            "A segment is combined with another one, not with itself.",
            hint="Choose another one under With.",
        )
    if how in ("subtract", "intersect"):
        raise InputError(
            f"Labels {value} and {second} share no voxel: a voxel has one label.",
            hint=f"To {how}, choose under With the range of Threshold, or a label of another "
            "layer; Only values, below the tools, bounds all edits to a range.",
        )
    return lambda k: np.equal(labels.T[k], second), (value, second)
