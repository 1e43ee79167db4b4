"""Islands, against SciPy's labelling of each label; and the faults of the peers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit.islands import (
    keep_largest,
    keep_touched,
    parts,
    remove_small,
    remove_touched,
    split,
)
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Patch
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.errors import InputError

SPACING = (0.7, 1.0, 3.0)


def two_rooms() -> np.ndarray:
    """Label 1 in pieces of 24, 4 and 1 voxels, label 2 in one piece."""
    labels = np.zeros((12, 8, 4), np.uint8)
    labels[0:4, 0:3, 0:2] = 1
    labels[6:8, 0:2, 0] = 1
    labels[11, 7, 3] = 1
    labels[0:3, 5:8, :] = 2
    return labels


def a_scene(labels: np.ndarray, masking: Masking | None = None) -> Scene:
    return Scene(labels, np.zeros(labels.shape, np.int16), SPACING, masking or Masking())


def full(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


def test_the_largest_part_stays_and_the_words_count_the_rest() -> None:
    scene = a_scene(two_rooms())
    proposal = keep_largest(scene, whole(scene.shape), [1, 2])
    assert proposal is not None
    assert np.count_nonzero(full(scene, proposal) == 1) == 24
    assert np.array_equal(full(scene, proposal) == 2, scene.labels == 2)
    assert proposal.words.startswith("2 parts, 10 mm3, go; 2 parts, 126 mm3, stay.")
    assert (proposal.provider, proposal.origin) == ("classical", "assisted")


def test_a_label_of_many_pieces_is_warned_of() -> None:
    labels = np.zeros((20, 3, 3), np.uint8)
    for i in range(0, 20, 3):
        labels[i : i + 2] = 6  # vertebrae: keeping the largest would destroy them
    scene = a_scene(labels)
    proposal = keep_largest(scene, whole(scene.shape), [6])
    assert proposal is not None
    assert "Take care: Label 6 loses 86% of its volume with 6 of its 7 parts." in proposal.words


def test_of_equal_parts_the_first_stays() -> None:
    labels = np.zeros((5, 1, 1), np.uint8)
    labels[[0, 4]] = 1
    scene = a_scene(labels)
    assert full(scene, keep_largest(scene, whole(scene.shape), [1])).ravel().tolist() == [
        1, 0, 0, 0, 0,
    ]  # fmt: skip


def test_in_one_slice_parts_are_those_of_the_slice() -> None:
    labels = np.zeros((6, 3, 3), np.uint8)
    labels[:, :, 0] = 1
    labels[0:3, :, 1] = labels[4:5, :, 1] = 1  # joined through slice 0
    scene = a_scene(labels)
    assert keep_largest(scene, whole(scene.shape), [1]) is None
    proposal = keep_largest(scene, slab(scene.shape, 2, 1), [1])
    assert proposal is not None
    assert np.argwhere(full(scene, proposal) != labels)[:, 0].tolist() == [4, 4, 4]


def test_parts_below_a_volume_go_and_those_at_it_stay() -> None:
    scene = a_scene(two_rooms())
    four = 4 * 0.7 * 1.0 * 3.0
    proposal = remove_small(scene, whole(scene.shape), [1, 2], smallest_mm3=four)
    assert proposal is not None
    assert proposal.words == "1 part, 2.1 mm3, goes; 3 parts, 134 mm3, stay."
    more = remove_small(scene, whole(scene.shape), [1, 2], smallest_mm3=four + 0.01)
    assert np.count_nonzero(full(scene, more) == 1) == 24


def test_that_a_label_would_be_gone_is_said() -> None:
    scene = a_scene(two_rooms())
    proposal = remove_small(scene, whole(scene.shape), [1], smallest_mm3=1e5)
    assert proposal is not None
    assert "Nothing of label 1 stays." in proposal.words


def test_the_touched_part_stays_or_goes() -> None:
    scene = a_scene(two_rooms())
    kept = full(scene, keep_touched(scene, whole(scene.shape), (6, 0, 0)))
    gone = full(scene, remove_touched(scene, whole(scene.shape), (6, 0, 0)))
    assert np.count_nonzero(kept == 1) == 4
    assert np.count_nonzero(gone == 1) == 25
    assert np.array_equal((kept == 1) | (gone == 1), scene.labels == 1)


@pytest.mark.parametrize("seed", [(11, 0, 0), (0, 0, 3), (0, 0, 9), (-1, 0, 0), (0, 0)])
def test_where_no_segment_is_touched_is_refused(seed: tuple[int, ...]) -> None:
    scene = a_scene(two_rooms())
    box = (slice(0, 12), slice(0, 8), slice(0, 2))
    with pytest.raises(InputError, match="no segment at the voxel"):
        remove_touched(scene, box, seed)


def test_parts_get_labels_of_their_own_by_size() -> None:
    scene = a_scene(two_rooms())
    proposal = split(scene, whole(scene.shape), 1, [5, 4])
    after = full(scene, proposal)
    assert [np.count_nonzero(after == value) for value in (1, 5, 4)] == [24, 4, 1]
    fewer = split(scene, whole(scene.shape), 1, [9])
    assert fewer is not None
    assert fewer.words == (
        "1 part, 8.4 mm3, gets a label of its own. 1 smaller part stays in it."
    )


@pytest.mark.parametrize(
    ("value", "fresh", "message"),
    [
        (2, [5], "one part here"),
        (1, [2], "Label 2 is in use"),
        (1, [5, 5], "given twice"),
        (1, [1], "given twice"),
        (1, [300], "does not fit"),
        (7, [8], "Nothing of label 7"),
    ],
)
def test_splitting_into_labels_that_cannot_be_is_refused(
    value: int, fresh: list[int], message: str
) -> None:
    scene = a_scene(two_rooms())
    with pytest.raises(InputError, match=message):
        split(scene, whole(scene.shape), value, fresh)


def test_a_smallest_volume_of_nothing_is_refused() -> None:
    scene = a_scene(two_rooms())
    with pytest.raises(InputError, match="above 0 mm3; got 0"):
        remove_small(scene, whole(scene.shape), [1], smallest_mm3=0)


def test_parts_are_listed_by_size() -> None:
    listed = parts(two_rooms(), [1, 2], 2.1)
    assert [(part.value, part.voxels) for part in listed] == [(2, 36), (1, 24), (1, 4), (1, 1)]
    assert listed[3].box == (slice(11, 12), slice(7, 8), slice(3, 4))
    assert listed[3].mm3 == pytest.approx(2.1)
    assert len(parts(two_rooms(), [1, 2], 2.1, most=2)) == 2


# -- faults of peers --------------------------------------------------------------------------


def test_an_intensity_range_does_not_stop_it_from_working() -> None:
    """Islands did nothing once a range was set (Slicer#6043)."""
    labels = two_rooms()
    image = np.zeros(labels.shape, np.int16)
    image[6:, :, :] = 100
    scene = Scene(labels, image, SPACING, Masking(low=50, high=150))
    after = full(scene, keep_largest(scene, whole(scene.shape), [1]))
    assert np.count_nonzero(after == 1) == 24


def test_an_area_that_is_the_segment_itself_does_not_clear_it() -> None:
    """Islands once cleared all of it (Slicer PR#9292)."""
    scene = a_scene(two_rooms(), Masking(area="inside", segments=frozenset({1})))
    after = full(scene, keep_largest(scene, whole(scene.shape), [1]))
    assert np.count_nonzero(after == 1) == 24


def test_what_the_rules_forbid_is_said() -> None:
    labels = two_rooms()
    image = np.zeros(labels.shape, np.int16)
    image[6, :, :] = 100
    scene = Scene(labels, image, SPACING, Masking(low=50))
    proposal = keep_largest(scene, whole(scene.shape), [1])
    assert proposal is not None
    assert proposal.words.endswith(
        "Another 6.3 mm3 would change, but the rules for editing forbid it."
    )
    locked = a_scene(labels, Masking(locked=frozenset({1})))
    assert keep_largest(locked, whole(locked.shape), [1]) is None


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    seed=st.integers(0, 999),
    locked=st.sets(st.integers(1, 3)),
    area=st.sampled_from(("everywhere", "inside", "outside")),
    low=st.sampled_from((None, 20.0)),
    small=st.sampled_from((None, 3.0)),
)
def test_islands_are_those_of_a_slow_search_and_obey_the_rules(
    shape: tuple[int, int, int],
    seed: int,
    locked: set[int],
    area: str,
    low: float | None,
    small: float | None,
) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.integers(1, 4, shape) * (rng.random(shape) < 0.5)).astype(np.uint8)
    labels[0, 0, 0] = 1
    image = rng.integers(0, 100, shape)
    rules = Masking(area, frozenset({1, 2}), low, None, "all", locked=frozenset(locked))  # type: ignore[arg-type]
    scene = Scene(labels, image, (1.0, 1.0, 1.0), rules)
    box = whole(shape)
    wanted = labels.copy()
    for value in (1, 2):
        numbered, count = ndimage.label((labels == value).T, np.ones((3, 3, 3)))
        sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
        go = sizes < 3 if small else np.arange(count) != (np.argmax(sizes) if count else 0)
        wanted[np.isin(numbered.T, np.flatnonzero(go) + 1)] = 0
    if small:
        proposal = remove_small(scene, box, [1, 2], smallest_mm3=small)
    else:
        proposal = keep_largest(scene, box, [1, 2])
    after = full(scene, proposal)
    assert np.array_equal(after, rules.clamp(labels, wanted, image, (1, 2)))
    assert np.array_equal(after[labels == 3], labels[labels == 3])
    patch = Patch.between(labels, after)
    if patch is not None:
        undone = after.copy()
        patch.inverse().apply(undone)
        assert np.array_equal(undone, labels)
