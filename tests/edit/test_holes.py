"""Holes, against SciPy's filling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit.holes import fill_holes
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.errors import InputError


def a_scene(labels: np.ndarray, masking: Masking | None = None) -> Scene:
    image = np.zeros(labels.shape, np.int16)
    return Scene(labels, image, (1.0, 1.0, 2.0), masking or Masking())


def full(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


def a_shell() -> np.ndarray:
    """Label 1 with a hole of 27 and one of 1 voxel."""
    labels = np.zeros((12, 9, 9), np.uint8)
    labels[1:11, 1:8, 1:8] = 1
    labels[3:6, 3:6, 3:6] = 0
    labels[8, 4, 4] = 0
    return labels


def test_holes_are_filled_and_counted() -> None:
    scene = a_scene(a_shell())
    proposal = fill_holes(scene, whole(scene.shape), [1])
    assert proposal is not None
    assert np.count_nonzero(full(scene, proposal)) == 10 * 7 * 7
    assert proposal.words == "2 holes, 56 mm3, are filled."


def test_only_holes_up_to_a_volume_are_filled() -> None:
    scene = a_scene(a_shell())
    proposal = fill_holes(scene, whole(scene.shape), [1], largest_mm3=2.0)
    assert proposal is not None
    assert proposal.words == "1 hole, 2 mm3, is filled."
    assert full(scene, proposal)[8, 4, 4] == 1


def test_a_tumour_in_a_hole_stays() -> None:
    labels = a_shell()
    labels[4, 4, 4] = 9
    scene = a_scene(labels)
    proposal = fill_holes(scene, whole(scene.shape), [1])
    assert proposal is not None
    assert full(scene, proposal)[4, 4, 4] == 9
    assert "1 hole has another segment inside, which stays." in proposal.words
    labels[8, 4, 4] = 1
    both = full(scene, fill_holes(scene, whole(scene.shape), [1, 9]))
    assert np.count_nonzero(both == 1) == 10 * 7 * 7 - 1
    assert np.count_nonzero(both == 9) == 1
    labels[3:6, 3:6, 3:6] = 9
    assert fill_holes(scene, whole(scene.shape), [1]) is None


def test_a_way_out_over_a_face_is_no_hole_and_over_an_edge_it_is() -> None:
    labels = np.ones((5, 5, 5), np.uint8)
    labels[2, 2, 2] = labels[1, 1, 2] = labels[0, 0, 2] = 0
    scene = a_scene(labels)
    assert full(scene, fill_holes(scene, whole(scene.shape), [1]))[2, 2, 2] == 1
    labels[1, 2, 2] = labels[0, 2, 2] = 0
    assert full(scene, fill_holes(scene, whole(scene.shape), [1]))[2, 2, 2] == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_in_one_slice_a_tube_has_a_hole(axis: int) -> None:
    labels = np.ones((5, 5, 5), np.uint8)
    bore = [slice(2, 3)] * 3
    bore[axis] = slice(0, 5)
    labels[tuple(bore)] = 0
    scene = a_scene(labels)
    assert fill_holes(scene, whole(scene.shape), [1]) is None
    after = full(scene, fill_holes(scene, slab(scene.shape, axis, 3), [1]))
    assert np.argwhere(after != labels).tolist() == [[3 if a == axis else 2 for a in (0, 1, 2)]]


def test_of_labels_in_each_other_the_inner_one_gets_the_hole() -> None:
    """A shell of 1 around a shell of 2 around a hole, and the other way round beside it."""
    labels = np.zeros((22, 11, 11), np.uint8)
    for start, outer, inner in ((0, 1, 2), (11, 2, 1)):
        labels[start : start + 11, :, :] = outer
        labels[start + 2 : start + 9, 2:9, 2:9] = 0
        labels[start + 3 : start + 8, 3:8, 3:8] = inner
        labels[start + 5, 5, 5] = 0
    scene = a_scene(labels)
    for order in ([1, 2], [2, 1]):
        after = full(scene, fill_holes(scene, whole(scene.shape), order))
        assert (after[5, 5, 5], after[2, 5, 5]) == (2, 1)
        assert (after[16, 5, 5], after[13, 5, 5]) == (1, 2)


def test_locked_labels_get_no_voxel() -> None:
    scene = a_scene(a_shell(), Masking(locked=frozenset({1})))
    assert fill_holes(scene, whole(scene.shape), [1]) is None


def test_what_cannot_be_filled_is_refused() -> None:
    scene = a_scene(a_shell())
    with pytest.raises(InputError, match="above 0 mm3; got -1"):
        fill_holes(scene, whole(scene.shape), [1], largest_mm3=-1)
    with pytest.raises(InputError, match="Nothing of label 4"):
        fill_holes(scene, whole(scene.shape), [4])


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 8)] * 3),
    seed=st.integers(0, 999),
    rules=st.sampled_from(
        (
            Masking(),
            Masking(low=30),
            Masking("outside", frozenset({2})),
            Masking(overwrite="none", locked=frozenset({2})),
        )
    ),
)
def test_holes_are_those_of_a_slow_search_and_obey_the_rules(
    shape: tuple[int, int, int], seed: int, rules: Masking
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 1, 1, 1, 2], shape).astype(np.uint8)
    labels[0, 0, 0] = 1
    image = rng.integers(0, 100, shape)
    scene = Scene(labels, image, (1.0, 2.0, 3.0), rules)
    region = labels == 1
    thick = tuple(slice(None) if n > 1 else 0 for n in shape)
    # A whole box of one voxel along an axis is a slice: holes are found in what is left.
    filled = region.copy()
    filled[thick] = (
        ndimage.binary_fill_holes(region[thick]) if max(shape) > 1 else region[thick]
    )
    wanted = np.where(filled & (labels == 0), 1, labels).astype(np.uint8)
    after = full(scene, fill_holes(scene, whole(shape), [1]))
    assert np.array_equal(after, rules.clamp(labels, wanted, image, (1,)))
