"""Islands: keep the largest part of a label, drop small ones, keep what is touched, split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.edit.boxes import crop_of, shifted
from napari_medlabel.edit.components import (
    BoolArray,
    Connectivity,
    IntArray,
    Parts,
    connected_parts,
)
from napari_medlabel.edit.ledger import (
    chosen,
    counted,
    label_words,
    not_here,
    volume_words,
    with_words,
)
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet
from napari_medlabel.errors import InputError

_MUCH: Final = 0.05  # of a label's volume; a loss above it is said by name


@dataclass(frozen=True)
class Part:
    """One connected part of a label.

    Parameters
    ----------
    value : int
        The label.
    voxels : int
        Its size.
    mm3 : float
        Its volume.
    box : tuple of slice
        Around it, in (i, j, k).
    """

    value: int
    voxels: int
    mm3: float
    box: Box


def parts(
    labels: LabelArray,
    values: Sequence[int],
    voxel_mm3: float,
    *,
    connectivity: Connectivity = 26,
    most: int = 100,
) -> tuple[Part, ...]:
    """List the connected parts of labels, the largest first.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        The labels, or a crop of them.
    values : sequence of int
        Which labels.
    voxel_mm3 : float
        Volume of a voxel.
    connectivity : {26, 18, 6}
        As in `connected_parts`.
    most : int
        How many to list.
    """
    found = connected_parts(labels, values, connectivity=connectivity)
    out = []
    for index in _by_size(found.voxels)[:most]:
        box = found.box(np.arange(len(found)) == index)
        if box is not None:
            voxels = int(found.voxels[index])
            out.append(Part(int(found.values[index]), voxels, voxels * voxel_mm3, box))
    return tuple(out)


def keep_largest(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    connectivity: Connectivity = 26,
    tick: Tick = quiet,
) -> Proposal | None:
    """Clear all but the largest part of each chosen label; of equals the first stays.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules. Parts are found on the whole labels; the rules only
        say what may be cleared.
    box : tuple of slice
        Where, in (i, j, k): in one slice, parts are those of the slice.
    values : sequence of int
        Labels.
    connectivity : {26, 18, 6}
        As in `connected_parts`.
    tick : callable
        Told the slices done.

    Returns
    -------
    Proposal or None
        None when each has one part, or the rules forbid it. Its words warn where a label of
        many pieces, such as vertebrae, would be destroyed.

    Raises
    ------
    InputError
        When no label is chosen or none is there.
    """
    about = chosen(values)
    found = _found(scene, box, about, connectivity, tick)
    stays = np.zeros(len(found), dtype=bool)
    for value in np.unique(found.values):
        # argmax takes the first of equals: parts are in memory order.
        stays[np.argmax(np.where(found.values == value, found.voxels, 0))] = True
    warning = _warning(found, ~stays, "Remove small parts instead if they are wanted.")
    return _clear(scene, box, found, ~stays, about, name="Keep largest part", more=warning)


def remove_small(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    smallest_mm3: float,
    connectivity: Connectivity = 26,
    tick: Tick = quiet,
) -> Proposal | None:
    """Clear the parts of chosen labels that are smaller than a volume.

    Parameters
    ----------
    scene, box, values, connectivity, tick
        As in `keep_largest`.
    smallest_mm3 : float
        Volume of the smallest part that stays.

    Returns
    -------
    Proposal or None

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the volume is not above 0.
    """
    about = chosen(values)
    if not smallest_mm3 > 0:
        raise InputError(
            f"The smallest part that stays has a volume above 0 mm3; got {smallest_mm3:g}.",
            hint="Give a volume in mm3: a cube of 3 mm has 27.",
        )
    found = _found(scene, box, about, connectivity, tick)
    # A part of exactly that volume stays, whatever the last bit of the product.
    least = smallest_mm3 / scene.voxel_mm3 * (1 - 1e-9)
    go = found.voxels < least
    warning = _warning(found, go, "Choose a smaller volume if they are wanted.")
    return _clear(scene, box, found, go, about, name="Remove small parts", more=warning)


def keep_touched(
    scene: Scene,
    box: Box,
    seed_ijk: Sequence[int],
    *,
    connectivity: Connectivity = 26,
    tick: Tick = quiet,
) -> Proposal | None:
    """Clear all parts of a label but the one that is pointed at.

    Parameters
    ----------
    scene, box, connectivity, tick
        As in `keep_largest`.
    seed_ijk : sequence of int
        A voxel of the part, in the volume.

    Returns
    -------
    Proposal or None

    Raises
    ------
    InputError
        When the voxel lies outside the box or on background.
    """
    value, found, touched = _touched(scene, box, seed_ijk, connectivity, tick)
    warning = _warning(found, ~touched, "")
    return _clear(scene, box, found, ~touched, (value,), name="Keep this part", more=warning)


def remove_touched(
    scene: Scene,
    box: Box,
    seed_ijk: Sequence[int],
    *,
    connectivity: Connectivity = 26,
    tick: Tick = quiet,
) -> Proposal | None:
    """Clear the part of a label that is pointed at; parameters as in `keep_touched`."""
    value, found, touched = _touched(scene, box, seed_ijk, connectivity, tick)
    return _clear(scene, box, found, touched, (value,), name="Remove this part")


def split(
    scene: Scene,
    box: Box,
    value: int,
    new_values: Sequence[int],
    *,
    connectivity: Connectivity = 26,
    tick: Tick = quiet,
) -> Proposal | None:
    """Give the parts of a label labels of their own, by size.

    The largest part keeps the label, the next takes the first new one, and so on; parts
    beyond the new labels stay.

    Parameters
    ----------
    scene, box, connectivity, tick
        As in `keep_largest`.
    value : int
        The label to split.
    new_values : sequence of int
        Labels that are not in use.

    Returns
    -------
    Proposal or None

    Raises
    ------
    InputError
        When the label has one part only, or a new label is in use, given twice or too large.
    """
    (value,) = chosen((value,))
    fresh = chosen(new_values)
    found = _found(scene, box, (value,), connectivity, tick)
    if len(found) < 2:
        raise InputError(
            f"Label {value} has one part here, and splitting needs two.",
            hint="Cut it with the eraser or the scissors first.",
        )
    _refuse_used(scene.labels, value, fresh, len(new_values))
    order = _by_size(found.voxels)[1 : len(fresh) + 1]
    becomes = found.values.copy()
    becomes[order] = fresh[: len(order)]
    rest = len(found) - 1 - len(order)
    one = len(order) == 1
    words = f"{counted(len(order), 'part')}, {{lost}}, "
    words += "gets a label of its own." if one else "get labels of their own."
    if rest:
        words += f" {counted(rest, 'smaller part')} {'stays' if rest == 1 else 'stay'} in it."
    about = (value, *fresh)
    return _paint(scene, box, found, becomes, about, name="Split into segments", words=words)


def _refuse_used(labels: LabelArray, value: int, fresh: Sequence[int], given: int) -> None:
    if len(fresh) < given or value in fresh:
        raise InputError(
            "Each part gets a label of its own; one was given twice.",
            hint="Choose labels that are not in use.",
        )
    if max(fresh) > np.iinfo(labels.dtype).max:
        raise InputError(
            f"Label {max(fresh)} does not fit into a mask of {labels.dtype} voxels.",
            hint=f"Choose labels up to {np.iinfo(labels.dtype).max}.",
        )
    used = [new for new in fresh if np.any(new == labels.T)]
    if used:
        raise InputError(
            f"{label_words(used).capitalize()} is in use: parts would be lost in it.",
            hint="Choose labels that are not in use.",
        )


def _found(
    scene: Scene, box: Box, values: Sequence[int], connectivity: Connectivity, tick: Tick
) -> Parts:
    found = connected_parts(scene.labels[box], values, connectivity=connectivity, tick=tick)
    if not len(found):
        raise not_here(values)
    return found


def _touched(
    scene: Scene, box: Box, seed_ijk: Sequence[int], connectivity: Connectivity, tick: Tick
) -> tuple[int, Parts, BoolArray]:
    seed = tuple(int(at) for at in seed_ijk)
    inside = len(seed) == 3 and all(
        part.start <= at < part.stop for at, part in zip(seed, box, strict=True)
    )
    value = int(scene.labels[seed]) if inside else 0
    if not value:
        raise InputError(
            "There is no segment at the voxel that was pointed at.",
            hint="Point at the part itself, in the slice that is shown.",
        )
    found = _found(scene, box, (value,), connectivity, tick)
    here = found.at([at - part.start for at, part in zip(seed, box, strict=True)])
    return value, found, np.arange(len(found)) == here


def _by_size(voxels: IntArray) -> IntArray:
    order: IntArray = np.argsort(-voxels, kind="stable")
    return order


def _warning(found: Parts, go: BoolArray, advice: str) -> str:
    """Say which labels lose more than a little of themselves; "" for none."""
    lines = []
    for value in np.unique(found.values[go]):
        own = found.values == value
        lost, all_of_it = (int(found.voxels[own & which].sum()) for which in (go, own))
        if (own & go).sum() == own.sum():
            lines.append(f"Nothing of label {value} stays.")
        elif lost > _MUCH * all_of_it:
            lines.append(
                f"Label {value} loses {lost / all_of_it:.0%} of its volume with "
                f"{(own & go).sum()} of its {own.sum()} parts."
            )
    return " ".join(["", "Take care:", *lines, advice]).rstrip() if lines else ""


def _clear(
    scene: Scene,
    box: Box,
    found: Parts,
    go: BoolArray,
    values: Sequence[int],
    *,
    name: str,
    more: str = "",
) -> Proposal | None:
    stay = int(np.count_nonzero(~go))
    kept = volume_words(float(found.voxels[~go].sum() * scene.voxel_mm3))
    goes = counted(int(np.count_nonzero(go)), "part")
    words = f"{goes}, {{lost}}, {'goes' if go.sum() == 1 else 'go'}; "
    words += f"{counted(stay, 'part')}, {kept}, {'stays' if stay == 1 else 'stay'}."
    becomes = np.where(go, 0, found.values)
    return _paint(scene, box, found, becomes, values, name=name, words=words + more)


def _paint(
    scene: Scene,
    box: Box,
    found: Parts,
    becomes: IntArray,
    values: Sequence[int],
    *,
    name: str,
    words: str,
) -> Proposal | None:
    which = becomes != found.values
    inner = found.box(which)
    if inner is None:
        return None
    where = shifted(inner, box)
    after = crop_of(scene.labels, where)
    found.paint(after, inner, which, becomes)
    proposal = scene.propose(
        where, after, name=name, values=values, provider="classical", origin="assisted"
    )
    return with_words(scene, proposal, words, wanted=int(found.voxels[which].sum()))
