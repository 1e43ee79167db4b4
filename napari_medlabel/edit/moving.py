"""Move labels: mirror on anatomy, translate, copy slices, crop and renumber; nothing wraps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from napari_medlabel.edit.boxes import clipped, crop_of, hull, is_empty, seen_from, shifted
from napari_medlabel.edit.components import boxes_of
from napari_medlabel.edit.ledger import (
    chosen,
    counted,
    label_words,
    not_here,
    volume_words,
    with_words,
)
from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.moving_words import becoming, directions
from napari_medlabel.edit.patch import Box, LabelArray, Origin
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.edit.table import among, looked_up
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import nearest_axes


def left_right_axis(affine: Affine) -> int:
    """Return the voxel axis (0 for i, 1 for j, 2 for k) that lies nearest to left-right."""
    world, _ = nearest_axes(affine.matrix[:3, :3])
    return world.index(0)


def mirror(
    scene: Scene,
    box: Box,
    values: Sequence[int],
    *,
    axis: int,
    centre_index: float,
    keep: bool = False,
    becomes: Mapping[int, int] | None = None,
) -> Proposal | None:
    """Mirror labels about a plane across a voxel axis.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    box : tuple of slice
        Where to take labels from, in (i, j, k); where they go is anywhere in the scan.
    values : sequence of int
        Labels.
    axis : int
        Voxel axis across the plane; `left_right_axis` finds the one for left and right.
    centre_index : float
        Where the plane cuts the axis, in voxels; taken to the nearest half, so that voxels
        fall on voxels: 10 mirrors about a voxel's centre, 10.5 between two.
    keep : bool
        Whether the labels also stay where they are.
    becomes : mapping of int to int, optional
        Labels that are another one on the other side, as left and right kidney are.

    Returns
    -------
    Proposal or None
        Its words say what leaves the scan, and what other labels lose.

    Raises
    ------
    InputError
        When no label is chosen, none is there, or there is no such axis.
    """
    about = chosen(values)
    if axis not in (0, 1, 2) or not np.isfinite(centre_index):
        raise InputError(
            f"There is no plane at {centre_index:g} across a voxel axis {axis}.",
            hint="Choose one of the axes 0, 1 and 2 and a place in the scan.",
        )
    names = {value: value for value in about} | dict(becomes or {})
    fresh = chosen(names[value] for value in about)
    refuse_too_large(scene, fresh)
    taken = taken_box(scene, box, about)
    twice = round(2 * centre_index)
    first, last = (twice - end for end in (taken[axis].stop - 1, taken[axis].start))
    goes = list(taken)
    goes[axis] = slice(first, last + 1)
    flip = [slice(None)] * 3
    flip[axis] = slice(None, None, -1)
    return place(
        scene,
        taken,
        (goes[0], goes[1], goes[2]),
        (about, tuple(dict.fromkeys((*about, *fresh)))),
        lambda crop: renamed(crop[tuple(flip)], names),
        keep=keep,
        say=(
            "Mirror",
            "classical",
            "assisted",
            lambda found: f"mirrored about index {twice / 2:g}{becoming(found, names, keep)}",
        ),
    )


def translate(
    scene: Scene,
    values: Sequence[int],
    *,
    shift_ijk: Sequence[int],
    affine: Affine | None = None,
) -> Proposal | None:
    """Move labels by whole voxels; what leaves the scan is gone, never on the other side.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    values : sequence of int
        Labels; they move together.
    shift_ijk : sequence of int
        Voxels along i, j and k.
    affine : Affine, optional
        Of the scene's voxels, to RAS mm: the words then say the patient's directions.

    Returns
    -------
    Proposal or None
        None for a shift of nothing. Its words say what leaves the scan, and what other labels
        lose.

    Raises
    ------
    InputError
        When no label is chosen, none is there, or the shift is not three whole numbers.
    """
    about = chosen(values)
    if len(shift_ijk) != 3 or any(step != int(step) for step in shift_ijk):
        raise InputError(
            f"A shift is three whole numbers of voxels; got {tuple(shift_ijk)}.",
            hint="Give the voxels along i, j and k.",
        )
    taken = taken_box(scene, whole(scene.shape), about)
    i, j, k = (
        slice(part.start + int(step), part.stop + int(step))
        for part, step in zip(taken, shift_ijk, strict=True)
    )
    moved = np.round(np.array(shift_ijk) * scene.spacing_mm, 2)
    by = directions(moved, affine)
    return place(
        scene,
        taken,
        (i, j, k),
        (about, about),
        lambda crop: crop,
        keep=False,
        say=("Translate", "", "human", lambda _found: f"moved {by}"),
    )


def copy_slice(
    scene: Scene,
    axis: int,
    from_index: int,
    to_indices: Iterable[int],
    values: Sequence[int],
    *,
    move: bool = False,
) -> Proposal | None:
    """Copy the labels of a slice to others, in place of what these have of the same labels.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    axis : int
        Voxel axis across the slices.
    from_index : int
        The slice to copy.
    to_indices : iterable of int
        Slices to copy to.
    values : sequence of int
        Labels.
    move : bool
        Whether they leave the slice that they come from.

    Returns
    -------
    Proposal or None

    Raises
    ------
    InputError
        When no label is chosen, none is in the slice, or a slice lies outside the scan.
    """
    about = chosen(values)
    targets = sorted({int(index) for index in to_indices} - {from_index})
    size = scene.shape[axis] if axis in (0, 1, 2) else 0
    if not targets or any(not 0 <= index < size for index in (from_index, *targets)):
        raise InputError(
            f"Slices to copy from and to are two different ones of {size}.",
            hint="Choose slices of the scan.",
        )
    parts = list(whole(scene.shape))
    parts[axis] = slice(min(from_index, *targets), max(from_index, *targets) + 1)
    where = (parts[0], parts[1], parts[2])
    after = crop_of(scene.labels, where)
    layers = np.moveaxis(after, axis, 0)
    first = where[axis].start
    drawn = layers[from_index - first].copy()
    copied = np.isin(drawn, about)
    if not copied.any():
        raise not_here(about)
    for index in targets:
        layer = layers[index - first]
        layer[np.isin(layer, about)] = 0
        layer[copied] = drawn[copied]
    if move:
        layers[from_index - first][copied] = 0
    words = f"Slice {from_index} is {'moved' if move else 'copied'} to "
    words += f"{counted(len(targets), 'slice')}: {{gained}} come, {{lost}} go.{{others}}"
    wanted = int(np.count_nonzero(after.T != scene.labels[where].T))
    proposal = scene.propose(
        where,
        after,
        name="Move slice" if move else "Copy slice",
        values=about,
        provider="classical",
        origin="assisted",
    )
    return with_words(scene, proposal, words, wanted=wanted)


def crop_to(scene: Scene, box: Box, values: Sequence[int]) -> Proposal | None:
    """Clear what chosen labels have outside a box (i, j, k).

    Returns
    -------
    Proposal or None
        None when they have nothing there.

    Raises
    ------
    InputError
        When no label is chosen or none is anywhere.
    """
    about = chosen(values)
    boxes = boxes_of(scene.labels, about)
    if not boxes:
        raise not_here(about)
    where = hull(list(boxes.values()))
    after = crop_of(scene.labels, where)
    inside = seen_from(where, clipped(box, where))
    gone = among(after, about)
    gone[inside] = False
    after.T[gone.T] = 0
    proposal = scene.propose(where, after, name="Crop", values=about)
    words = f"{{lost}} of {label_words([v for v in about if v in boxes])} outside the box go."
    return with_words(scene, proposal, words, wanted=int(np.count_nonzero(gone)))


def renumber(scene: Scene, mapping: Mapping[int, int]) -> Proposal | None:
    """Give labels other values, all at once: ``{1: 2, 2: 1}`` swaps.

    Parameters
    ----------
    scene : Scene
        Labels, image, spacing and rules.
    mapping : mapping of int to int
        Old value to new value.

    Returns
    -------
    Proposal or None
        None when none of them is in the mask.

    Raises
    ------
    InputError
        When two labels would become one, a value is background or too large, or the rules
        allow a part of it only: half a change of numbers would mix labels.
    """
    change = {old: new for old, new in mapping.items() if old != new}
    if not change:
        return None
    old, new = chosen(change), chosen(change.values())
    _refuse_collision(scene, change, len(new))
    boxes = boxes_of(scene.labels, old)
    if not boxes:
        return None
    where = hull(list(boxes.values()))
    after = renamed(scene.labels[where], change)
    about = tuple(dict.fromkeys((*old, *new)))
    proposal = scene.propose(where, after, name="Renumber", values=about)
    if proposal is None or not np.array_equal(proposal.after, after):
        raise InputError(
            "The rules for editing let only a part be renumbered, and that would mix labels.",
            hint="Unlock these segments, and edit everywhere in all intensities.",
        )
    pairs = ", ".join(f"label {before} becomes label {v}" for before, v in change.items())
    return with_words(scene, replace(proposal, whole=True), f"L{pairs[1:]}.")


def refuse_too_large(scene: Scene, values: Iterable[int]) -> None:
    """Refuse label values that the mask's type cannot hold."""
    most, largest = int(np.iinfo(scene.labels.dtype).max), max(values)
    if largest > most:
        raise InputError(
            f"A mask of {scene.labels.dtype} voxels has labels up to {most}; got {largest}.",
            hint=f"Choose a number up to {most}.",
        )


def _refuse_collision(scene: Scene, change: Mapping[int, int], distinct: int) -> None:
    refuse_too_large(scene, change.values())
    in_use = boxes_of(scene.labels, [new for new in change.values() if new not in change])
    if distinct < len(change) or in_use:
        raise InputError(
            "Two labels would become one.",
            hint="Renumber the label that has the number as well, or add one to the other.",
        )


def taken_box(scene: Scene, box: Box, values: Sequence[int]) -> Box:
    """Return the tightest box around labels, and refuse when none is there."""
    boxes = boxes_of(scene.labels[box], values)
    if not boxes:
        raise not_here(values)
    return shifted(hull(list(boxes.values())), box)


def place(
    scene: Scene,
    taken: Box,
    goes: Box,
    values: tuple[Sequence[int], Sequence[int]],
    turn: Callable[[LabelArray], LabelArray],
    *,
    keep: bool,
    say: tuple[str, str, Origin, Callable[[Sequence[int]], str]],
) -> Proposal | None:
    """Take labels from a box and put them into another one, as far as it is there.

    ``values`` are those taken, and all that the edit is about; ``turn`` makes the labels of
    the other box, in its shape, from those taken. ``say``: name, provider, origin, and
    how, in words that are given the labels that are there.
    """
    name, provider, origin, how = say
    about, everyone = values
    crop = scene.labels[taken]
    chosen_ones = np.where(among(crop, about).T, crop.T, 0).T
    moved = turn(chosen_ones)
    lands = clipped(goes, whole(scene.shape))
    there = not is_empty(lands)
    where = hull([taken, lands]) if there else taken
    after = crop_of(scene.labels, where)
    if not keep:
        _put(after[seen_from(where, taken)], (chosen_ones.T > 0).T, np.zeros_like(chosen_ones))
    landed = 0
    if there:
        arrives = moved[seen_from(goes, lands)]
        _put(after[seen_from(where, lands)], (arrives.T > 0).T, arrives)
        landed = int(np.count_nonzero(arrives))
    left = int(np.count_nonzero(moved)) - landed
    found = boxes_of(crop, about)
    there_are = [value for value in about if value in found]
    some = label_words(there_are).capitalize()
    words = f"{some} {'is' if len(there_are) == 1 else 'are'} {how(there_are)}.{{others}}"
    if left:
        volume = volume_words(left * scene.voxel_mm3)
        falls, is_ = ("falls", "is") if left == 1 else ("fall", "are")
        words += f" {counted(left, 'voxel')}, {volume}, {falls} outside the scan and {is_} "
        words += "left out." if keep else "lost."
    wanted = int(np.count_nonzero(after.T != scene.labels[where].T))
    proposal = scene.propose(
        where, after, name=name, values=everyone, provider=provider, origin=origin
    )
    return with_words(scene, proposal, words, wanted=wanted)


def _put(out: LabelArray, where: BoolArray, what: LabelArray) -> None:
    np.copyto(out.T, what.T, where=where.T)


def renamed(labels: LabelArray, names: Mapping[int, int]) -> LabelArray:
    """Return labels with other values, all at once."""
    table = np.arange(int(np.iinfo(labels.dtype).max) + 1, dtype=labels.dtype)
    for old, new in names.items():
        table[old] = new
    return looked_up(table, labels)
