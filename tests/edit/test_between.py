"""Filling between drawn slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.between import Gap, fill_between, gaps_of
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Patch
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.errors import InputError

Three = tuple[float, float, float]


def scene_of(
    labels: np.ndarray,
    image: np.ndarray | None = None,
    spacing: Three = (1.0, 1.0, 1.0),
    masking: Masking | None = None,
) -> Scene:
    image = np.zeros(labels.shape, np.int16) if image is None else image
    return Scene(np.asfortranarray(labels), image, spacing, masking or Masking())


def after(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    assert proposal is not None
    out = scene.labels.copy()
    out[proposal.box] = proposal.onto(out[proposal.box])
    return out


def tube(across: int, *, step: float = 2.0, radius: float = 6.0, n: int = 21) -> np.ndarray:
    """Return a tube that moves along one axis while it runs across another."""
    u, v = np.ogrid[:24, :70]
    slices = [(u - 12) ** 2 + (v - 10 - step * s) ** 2 <= radius**2 for s in range(n)]
    return np.moveaxis(np.stack(slices).astype(np.uint8), 0, across)


def sparse(truth: np.ndarray, axis: int, every: int) -> np.ndarray:
    keep = np.arange(truth.shape[axis]) % every == 0
    shape = [1, 1, 1]
    shape[axis] = -1
    return np.where(keep.reshape(shape), truth, 0).astype(truth.dtype)


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & two) / (one.sum() + two.sum()))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_oblique_tube_survives_along_any_axis(axis: int) -> None:
    truth = tube(axis)
    scene = scene_of(sparse(truth, axis, 10))
    filled = after(scene, fill_between(scene, whole(scene.shape), axis))
    new = scene.labels != filled
    assert dice(new, (truth > 0) & (scene.labels == 0)) >= 0.95


def test_distances_are_those_of_the_spacing() -> None:
    labels = np.zeros((40, 40, 3), np.uint8)
    labels[18:22, 18:22, 0] = 1
    labels[10:30, 14:26, 2] = 1
    # The border moves 8 voxels along i and 4 along j: half of each on the slice between.
    scene = scene_of(labels, spacing=(0.5, 1.0, 3.0))
    middle = after(scene, fill_between(scene, whole(scene.shape), 2))[:, :, 1]
    assert middle[14:26, 20].all()
    assert middle[20, 16:24].all()
    assert not middle[12, 20]
    assert not middle[20, 14]


def two_neighbours() -> np.ndarray:
    labels = np.zeros((30, 30, 11), np.uint8)
    labels[5:15, 5:25, 0] = 1
    labels[15:25, 5:25, 0] = 2
    labels[5:20, 5:25, 10] = 1
    labels[20:25, 5:25, 10] = 2
    return labels


def test_two_segments_share_the_space_between_them_without_gap() -> None:
    scene = scene_of(two_neighbours())
    filled = after(scene, fill_between(scene, whole(scene.shape), 2))
    block = filled[5:25, 5:25]
    assert (block > 0).all()
    borders = (block == 1).sum(axis=0)
    assert (np.diff(borders, axis=1) >= 0).all()
    assert set(borders[:, 5]) <= {12, 13}


def test_drawn_slices_and_other_segments_stay() -> None:
    labels = two_neighbours()
    labels[10:18, 10:18, 3:6] = 7
    scene = scene_of(labels)
    filled = after(scene, fill_between(scene, whole(scene.shape), 2, (1, 2)))
    np.testing.assert_array_equal(filled[labels > 0], labels[labels > 0])
    np.testing.assert_array_equal(filled[..., [0, 10]], labels[..., [0, 10]])


def test_a_locked_segment_neither_grows_nor_takes_part() -> None:
    scene = scene_of(two_neighbours(), masking=Masking(locked=frozenset({2})))
    filled = after(scene, fill_between(scene, whole(scene.shape), 2))
    assert set(np.unique(filled[..., 1:10])) == {0, 1}
    with pytest.raises(InputError, match="All chosen segments are locked"):
        fill_between(scene, whole(scene.shape), 2, (2,))


def test_only_the_box_is_looked_at_and_filled() -> None:
    scene = scene_of(sparse(tube(2), 2, 5))
    box = (slice(2, 20), slice(0, 70), slice(5, 16))
    filled = after(scene, fill_between(scene, box, 2))
    changed = np.nonzero(filled != scene.labels)
    assert changed[2].min() == 6
    assert changed[2].max() == 14
    assert changed[0].min() >= 2


def test_segments_with_a_rhythm_of_their_own_are_filled_through_each_other() -> None:
    labels = np.zeros((30, 30, 21), np.uint8)
    labels[2:12, 5:25, ::10] = 1
    labels[14:25, 5:25, 8:13] = 2  # finished: on every slice
    scene = scene_of(labels)
    filled = after(scene, fill_between(scene, whole(scene.shape), 2))
    assert (filled[2:12, 5:25] == 1).all()


def test_a_slice_drawn_without_a_segment_ends_it_half_way() -> None:
    assert gaps_of({1: [0, 10, 20, 40, 50], 2: [0, 10, 20, 30, 40, 50]})[2:4] == [
        Gap(1, 20, 30, in_last=False),
        Gap(1, 30, 40, in_first=False),
    ]
    assert Gap(1, 20, 40) in gaps_of({1: [0, 10, 20, 40, 50]})


def test_ends_are_closed_on_request_and_only_towards_a_drawn_slice() -> None:
    drawn = {1: [10, 20], 2: [0, 10, 20, 30]}
    assert gaps_of({1: [10, 20]}, close_ends=True) == [Gap(1, 10, 20)]
    assert Gap(1, 0, 10, in_first=False) in gaps_of(drawn, close_ends=True)
    assert Gap(1, 20, 30, in_last=False) in gaps_of(drawn, close_ends=True)
    assert [gap for gap in gaps_of(drawn) if gap.value == 1] == [Gap(1, 10, 20)]


def test_words_say_how_much_and_what_was_assumed() -> None:
    labels = np.zeros((30, 30, 41), np.uint8)
    labels[5:15, 5:15, [0, 10, 30, 40]] = 1
    labels[20:25, 20:25, ::10] = 2
    scene = scene_of(labels)
    proposal = fill_between(scene, whole(scene.shape), 2)
    assert proposal is not None
    assert proposal.words.startswith("36 slices, ")
    assert "ml in 2 segments. 1 end half-way" in proposal.words
    assert (proposal.provider, proposal.origin) == ("interpolation", "interpolated")


@pytest.mark.parametrize("slices", [[], [4], [4, 5, 6]])
def test_nothing_to_fill_is_said(slices: list[int]) -> None:
    labels = np.zeros((9, 9, 12), np.uint8)
    labels[3:6, 3:6, slices] = 1
    with pytest.raises(InputError, match="drawn on two slices with empty ones between"):
        fill_between(scene_of(labels), whole((9, 9, 12)), 2)


def test_an_axis_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="A voxel axis is 0, 1 or 2; got 3"):
        fill_between(scene_of(two_neighbours()), whole((30, 30, 11)), 3)


def test_a_cancelled_filling_leaves_nothing() -> None:
    class CancelledError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done > 3:
            raise CancelledError

    labels = two_neighbours()
    scene = scene_of(labels)
    with pytest.raises(CancelledError):
        fill_between(scene, whole(scene.shape), 2, tick=stop)
    np.testing.assert_array_equal(scene.labels, labels)


def test_a_filling_snaps_to_the_edges_of_the_image() -> None:
    u, v = np.ogrid[:50, :50]
    radii = [12, 14, 15, 15, 15, 14, 12]  # bulges between the drawn slices
    truth = np.stack([(u - 25) ** 2 + (v - 25) ** 2 <= r * r for r in radii], axis=2)
    image = np.where(truth, 100, 0).astype(np.int16)
    scene = scene_of(sparse(truth.astype(np.uint8), 2, 6), image)
    plain = after(scene, fill_between(scene, whole(scene.shape), 2)) > 0
    box = whole(scene.shape)
    wide = scene_of(scene.labels.copy(), image)
    snapped = after(wide, fill_between(wide, box, 2, snap_mm=4.0)) > 0
    assert (
        dice(snapped[..., 1:6], truth[..., 1:6]) > 0.97 > dice(plain[..., 1:6], truth[..., 1:6])
    )
    np.testing.assert_array_equal(snapped[..., [0, 6]], truth[..., [0, 6]])


@st.composite
def drawings(draw: st.DrawFn) -> tuple[np.ndarray, int, Three, Masking]:
    shape = draw(st.tuples(*[st.integers(5, 11)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    blobs = rng.integers(0, 4, tuple(-(-n // 3) for n in shape))
    labels = np.kron(blobs, np.ones((3, 3, 3)))[tuple(slice(n) for n in shape)].astype(np.uint8)
    axis = draw(st.integers(0, 2))
    labels = sparse(labels, axis, draw(st.integers(2, 4)))
    spacing = draw(st.tuples(*[st.sampled_from([0.5, 1.0, 2.5])] * 3))
    locked = frozenset(draw(st.sets(st.integers(1, 3), max_size=1)))
    return labels, axis, spacing, Masking(locked=locked)


@given(drawings(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_only_background_between_drawn_slices_changes_and_undo_gives_it_back(
    drawing: tuple[np.ndarray, int, Three, Masking], close: bool
) -> None:
    labels, axis, spacing, masking = drawing
    scene = scene_of(labels, spacing=spacing, masking=masking)
    try:
        proposal = fill_between(scene, whole(scene.shape), axis, close_ends=close)
    except InputError:
        return
    if proposal is None:
        return
    filled = after(scene, proposal)
    np.testing.assert_array_equal(filled[labels > 0], labels[labels > 0])
    for value in masking.locked:
        np.testing.assert_array_equal(filled == value, labels == value)
    planes = np.moveaxis(labels, axis, 0)
    touched = np.flatnonzero((np.moveaxis(filled, axis, 0) != planes).any(axis=(1, 2)))
    unlocked = np.isin(planes, [v for v in (1, 2, 3) if v not in masking.locked])
    hold = np.flatnonzero(unlocked.any(axis=(1, 2)))
    assert touched.min() > hold.min()
    assert touched.max() < hold.max()
    patch = Patch.between(labels, filled)
    assert patch is not None
    patch.inverse().apply(filled)
    assert filled.tobytes(order="F") == labels.tobytes(order="F")


def test_a_scan_one_voxel_thick_is_filled_and_pulled_to_edges() -> None:
    labels = np.zeros((12, 1, 12), np.uint8)
    labels[4:8, 0, 2] = labels[5:9, 0, 6] = 1
    scene = Scene(labels, np.zeros(labels.shape), (1.0, 1.0, 1.0))
    assert fill_between(scene, whole(labels.shape), 2, [1], snap_mm=1.5) is not None


@pytest.mark.parametrize("snap", [float("inf"), float("nan"), -1.0])
def test_a_pull_without_end_is_refused(snap: float) -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    scene = Scene(labels, np.zeros(labels.shape), (1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="Borders move 0 mm or more"):
        fill_between(scene, whole(labels.shape), 2, snap_mm=snap)
