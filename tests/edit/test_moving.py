"""Moving labels: on anatomy, in whole voxels, and never around the end of the scan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.moving import (
    copy_slice,
    crop_to,
    left_right_axis,
    mirror,
    renumber,
    translate,
)
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix


def a_scene(labels: np.ndarray, rules: Masking | None = None) -> Scene:
    image = np.arange(labels.size).reshape(labels.shape)
    return Scene(labels, image, (1.0, 2.0, 3.0), rules or Masking())


def row(*values: int) -> np.ndarray:
    return np.array(values, np.uint8).reshape(-1, 1, 1)


def full(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


def flat(scene: Scene, proposal: Proposal | None) -> list[int]:
    return [int(value) for value in full(scene, proposal).ravel()]


def oriented(codes: str, tilt_deg: float = 0.0) -> Affine:
    turn = np.eye(3)
    angle = np.radians(tilt_deg)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ orientation_matrix(codes) * (0.7, 0.9, 3.0)
    return Affine(matrix)


# -- mirror -----------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_left_and_right_are_found_in_every_orientation(codes: str) -> None:
    axis = left_right_axis(oriented(codes))
    assert codes[axis] in "LR"
    assert left_right_axis(oriented(codes, 25.0)) == axis


@settings(deadline=None, max_examples=40)
@given(
    codes=st.sampled_from(ORIENTATIONS),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    twice=st.integers(-3, 14),
    seed=st.integers(0, 99),
    keep=st.booleans(),
)
def test_a_mirrored_voxel_lies_as_far_on_the_other_side_in_mm(
    codes: str, shape: tuple[int, int, int], twice: int, seed: int, keep: bool
) -> None:
    labels = (np.random.default_rng(seed).random(shape) < 0.4).astype(np.uint8)
    labels[tuple(n // 2 for n in shape)] = 1
    affine = oriented(codes)
    axis = left_right_axis(affine)
    scene = a_scene(labels)
    proposal = mirror(scene, whole(shape), [1], axis=axis, centre_index=twice / 2, keep=keep)
    plane = np.zeros(3)
    plane[axis] = twice / 2
    x_mm = affine.apply(plane)[0]
    wanted = labels.copy() if keep else np.zeros_like(labels)
    left = 0
    for voxel in np.argwhere(labels):
        world = affine.apply(voxel)
        world[0] = 2 * x_mm - world[0]
        there = np.rint(affine.to_index(world)).astype(int)
        if np.all(there >= 0) and np.all(there < shape):
            wanted[tuple(there)] = 1
        else:
            left += 1
    assert np.array_equal(full(scene, proposal), wanted)
    if left and proposal is not None:
        assert f" {left} voxel" in proposal.words


def test_a_plane_between_two_voxels_mirrors_all_of_a_scan_onto_itself() -> None:
    scene = a_scene(row(1, 0, 0, 2))
    assert flat(scene, mirror(scene, whole(scene.shape), [1, 2], axis=0, centre_index=1.5)) == [
        2, 0, 0, 1,
    ]  # fmt: skip


def test_the_plane_is_taken_to_the_nearest_half_and_said() -> None:
    scene = a_scene(row(1, 0, 0, 0, 0))
    proposal = mirror(scene, whole(scene.shape), [1], axis=0, centre_index=1.62)
    assert proposal is not None
    assert "about index 1.5" in proposal.words
    assert flat(scene, proposal) == [0, 0, 0, 1, 0]


def test_a_right_organ_becomes_the_left_one_on_the_other_side() -> None:
    scene = a_scene(row(3, 3, 0, 0, 0, 9))
    proposal = mirror(
        scene, whole(scene.shape), [3], axis=0, centre_index=2.5, keep=True, becomes={3: 4}
    )
    assert flat(scene, proposal) == [3, 3, 0, 0, 4, 4]
    assert proposal is not None
    assert proposal.words.endswith("6 mm3 of it is taken from label 9.")
    assert (proposal.provider, proposal.origin) == ("classical", "assisted")


def test_what_is_mirrored_out_of_the_scan_is_counted_and_never_wraps() -> None:
    scene = a_scene(row(1, 1, 1, 0))
    proposal = mirror(scene, whole(scene.shape), [1], axis=0, centre_index=0)
    assert flat(scene, proposal) == [1, 0, 0, 0]
    assert proposal is not None
    assert "2 voxels, 12 mm3, fall outside the scan and are lost." in proposal.words


def test_a_mirror_in_one_slice_takes_from_that_slice() -> None:
    labels = np.zeros((4, 2, 3), np.uint8)
    labels[0] = 1
    scene = a_scene(labels)
    after = full(scene, mirror(scene, slab(scene.shape, 2, 1), [1], axis=0, centre_index=1.5))
    assert np.argwhere(after != labels)[:, 2].tolist() == [1] * 4


@pytest.mark.parametrize(
    ("values", "axis", "centre", "message"),
    [
        ([1], 3, 1.0, "no plane at 1 across a voxel axis 3"),
        ([1], 0, float("nan"), "no plane at nan"),
        ([5], 0, 1.0, "Nothing of label 5"),
        ([], 0, 1.0, "one segment or more"),
    ],
)
def test_a_mirror_that_cannot_be_is_refused(
    values: list[int], axis: int, centre: float, message: str
) -> None:
    scene = a_scene(row(1, 0))
    with pytest.raises(InputError, match=message):
        mirror(scene, whole(scene.shape), values, axis=axis, centre_index=centre)
    with pytest.raises(InputError, match="up to 255; got 300"):
        mirror(scene, whole(scene.shape), [1], axis=0, centre_index=0.5, becomes={1: 300})


# -- translate --------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    shift=st.tuples(*[st.integers(-6, 6)] * 3),
    seed=st.integers(0, 99),
    rules=st.sampled_from(
        (Masking(), Masking(low=20), Masking(locked=frozenset({3})), Masking(overwrite="none"))
    ),
)
def test_labels_move_by_whole_voxels_and_never_wrap(
    shape: tuple[int, int, int], shift: tuple[int, int, int], seed: int, rules: Masking
) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, shape).astype(np.uint8)
    labels[0, 0, 0] = 1
    scene = a_scene(labels, rules)
    wanted = np.where(np.isin(labels, (1, 2)), 0, labels)
    for voxel in np.argwhere(np.isin(labels, (1, 2))):
        there = voxel + shift
        if np.all(there >= 0) and np.all(there < shape):
            wanted[tuple(there)] = labels[tuple(voxel)]
    after = full(scene, translate(scene, [1, 2], shift_ijk=shift))
    assert np.array_equal(
        after, rules.clamp(labels, wanted.astype(np.uint8), scene.image, (1, 2))
    )


def test_what_leaves_the_scan_is_counted() -> None:
    scene = a_scene(row(0, 1, 1, 2))
    proposal = translate(scene, [1], shift_ijk=(2, 0, 0))
    assert proposal is not None
    assert flat(scene, proposal) == [0, 0, 0, 1]
    assert proposal.words == (
        "Label 1 is moved by 2, 0, 0 mm along i, j, k. 6 mm3 of it is taken from label 2. "
        "1 voxel, 6 mm3, falls outside the scan and is lost."
    )
    assert translate(scene, [1], shift_ijk=(0, 0, 0)) is None


@pytest.mark.parametrize(
    ("codes", "shift", "said"),
    [
        ("LPS", (1, 0, 0), "1 mm to the left"),
        ("RAS", (1, 0, -1), "1 mm to the right, 3 mm to the feet"),
        ("SPL", (1, 1, 0), "2 mm to the back, 1 mm to the head"),
        ("RAI", (0, -1, 1), "2 mm to the back, 3 mm to the feet"),
    ],
)
def test_a_shift_is_told_in_the_patients_directions(
    codes: str, shift: tuple[int, int, int], said: str
) -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 1, 1] = 1
    made = translate(a_scene(labels), [1], shift_ijk=shift, affine=oriented(codes))
    assert made is not None
    assert made.words == f"Label 1 is moved {said}."


def test_words_name_the_labels_that_are_there_and_what_they_become() -> None:
    scene = a_scene(row(1, 0, 0, 0, 0, 2))
    every = [1, 2, 3]
    swap = {1: 2, 2: 1, 3: 4}
    made = mirror(scene, whole(scene.shape), every, axis=0, centre_index=2.5, becomes={1: 3})
    assert made is not None
    assert made.words == "Labels 1 and 2 are mirrored about index 2.5, label 1 becomes label 3."
    one = mirror(
        scene, whole(scene.shape), [1], axis=0, centre_index=2, keep=True, becomes=swap
    )
    assert flat(scene, one) == [1, 0, 0, 0, 2, 2]
    assert one is not None
    assert one.words == (
        "Label 1 is mirrored about index 2 and becomes label 2; the original stays."
    )
    cropped = crop_to(scene, (slice(0, 3), slice(0, 1), slice(0, 1)), every)
    assert cropped is not None
    assert cropped.words == "6 mm3 of labels 1 and 2 outside the box go."


def test_a_shift_by_parts_of_voxels_is_refused() -> None:
    scene = a_scene(row(1, 0))
    with pytest.raises(InputError, match="three whole numbers"):
        translate(scene, [1], shift_ijk=(0.5, 0, 0))  # type: ignore[arg-type]


# -- copy, crop, renumber ---------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("move", [False, True])
def test_a_slice_is_copied_in_place_of_the_same_labels(axis: int, move: bool) -> None:
    labels = np.random.default_rng(axis).integers(0, 4, (5, 5, 5)).astype(np.uint8)
    scene = a_scene(labels)
    proposal = copy_slice(scene, axis, 1, [2, 4], [1, 2], move=move)
    wanted = np.moveaxis(labels.copy(), axis, 0)
    drawn = np.isin(wanted[1], (1, 2))
    for index in (2, 4):
        wanted[index][np.isin(wanted[index], (1, 2))] = 0
        wanted[index][drawn] = wanted[1][drawn]
    if move:
        wanted[1][drawn] = 0
    assert np.array_equal(full(scene, proposal), np.moveaxis(wanted, 0, axis))
    assert proposal is not None
    assert proposal.name == ("Move slice" if move else "Copy slice")


@pytest.mark.parametrize(
    ("axis", "start", "ends"), [(0, 1, []), (0, 1, [1]), (0, 1, [2]), (0, 9, [1]), (3, 0, [1])]
)
def test_slices_that_are_not_there_are_refused(axis: int, start: int, ends: list[int]) -> None:
    scene = a_scene(row(1, 2))
    with pytest.raises(InputError, match="Slices to copy from and to"):
        copy_slice(scene, axis, start, ends, [1])


def test_a_slice_without_the_label_is_refused() -> None:
    scene = a_scene(row(1, 2))
    with pytest.raises(InputError, match="Nothing of label 1"):
        copy_slice(scene, 0, 1, [0], [1])


@pytest.mark.parametrize("start", [0, 1, 3, 5])
def test_a_crop_clears_what_lies_outside(start: int) -> None:
    scene = a_scene(row(0, 1, 1, 2, 1, 0))
    box = (slice(start, start + 1), slice(0, 1), slice(0, 1))
    wanted = [v if v == 2 or i == start else 0 for i, v in enumerate((0, 1, 1, 2, 1, 0))]
    assert flat(scene, crop_to(scene, box, [1])) == wanted
    assert crop_to(scene, whole(scene.shape), [1]) is None
    with pytest.raises(InputError, match="Nothing of label 7"):
        crop_to(scene, box, [7])


def test_numbers_are_swapped_at_once() -> None:
    scene = a_scene(row(0, 1, 2, 3))
    proposal = renumber(scene, {1: 2, 2: 1})
    assert flat(scene, proposal) == [0, 2, 1, 3]
    assert proposal is not None
    assert proposal.words == "Label 1 becomes label 2, label 2 becomes label 1."
    assert flat(scene, renumber(scene, {1: 2, 2: 3, 3: 1})) == [0, 2, 3, 1]
    assert flat(scene, renumber(scene, {1: 200})) == [0, 200, 2, 3]


@pytest.mark.parametrize("mapping", [{}, {1: 1}, {8: 9}])
def test_numbers_that_change_nothing_propose_nothing(mapping: dict[int, int]) -> None:
    assert renumber(a_scene(row(0, 1, 2, 3)), mapping) is None


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({1: 2}, "Two labels would become one"),
        ({1: 5, 2: 5}, "Two labels would become one"),
        ({1: 0}, "one segment or more"),
        ({0: 5}, "one segment or more"),
        ({1: 256}, "up to 255; got 256"),
    ],
)
def test_numbers_that_collide_are_refused(mapping: dict[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        renumber(a_scene(row(0, 1, 2, 3)), mapping)


@pytest.mark.parametrize("rules", [Masking(low=2), Masking(locked=frozenset({2}))])
def test_half_a_change_of_numbers_is_refused(rules: Masking) -> None:
    scene = a_scene(row(0, 1, 2, 3), rules)
    with pytest.raises(InputError, match="would mix labels"):
        renumber(scene, {1: 2, 2: 1})
