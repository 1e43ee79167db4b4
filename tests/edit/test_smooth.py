"""Smoothing several segments at once, and one alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Box, Patch
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.edit.smooth import smooth_jointly, smooth_one
from napari_medlabel.errors import InputError

Three = tuple[float, float, float]


def scene_of(
    labels: np.ndarray, spacing: Three = (1.0, 1.0, 1.0), masking: Masking | None = None
) -> Scene:
    image = np.zeros(labels.shape, np.int16)
    return Scene(np.asfortranarray(labels), image, spacing, masking or Masking())


def after(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.onto(out[proposal.box])
    return out


def patchwork(seed: int, shape: tuple[int, int, int], values: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blobs = rng.integers(0, values, tuple(-(-n // 3) for n in shape))
    return np.kron(blobs, np.ones((3, 3, 3)))[tuple(slice(n) for n in shape)].astype(np.uint8)


def brute(labels: np.ndarray, spacing: Three, sigma_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the heaviest label by float64 over the whole, and by how much it leads."""
    values = np.unique(labels)
    sigmas = [sigma_mm / mm for mm in spacing]
    weights = np.stack(
        [
            ndimage.gaussian_filter((labels == v).astype(float), sigmas, truncate=3.0)
            for v in values
        ]
    )
    if len(values) == 1:
        return labels, np.ones(labels.shape)
    order = np.sort(weights, axis=0)
    # gaussian_filter goes on beyond the ends by reflection; there the two differ.
    return values[weights.argmax(axis=0)], order[-1] - order[-2]


@given(
    st.integers(0, 2**16),
    st.tuples(*[st.sampled_from([0.5, 1.0, 1.5])] * 3),
    st.sampled_from([0.6, 1.0]),
)
@settings(deadline=None, max_examples=20)
def test_joint_smoothing_is_that_of_the_whole_in_double_precision(
    seed: int, spacing: Three, sigma: float
) -> None:
    labels = np.pad(patchwork(seed, (9, 8, 7)), 7)
    scene = scene_of(labels, spacing)
    expected, lead = brute(labels, spacing, sigma)
    found = after(scene, smooth_jointly(scene, whole(scene.shape), sigma_mm=sigma))
    sure = lead > 1e-4
    np.testing.assert_array_equal(found[sure], expected[sure])


def test_between_two_segments_no_gap_opens() -> None:
    rng = np.random.default_rng(1)
    labels = np.zeros((40, 30, 20), np.uint8)
    labels[5:35, 5:25, 4:16] = 1
    jagged = 20 + rng.integers(-2, 3, (30, 20))
    labels[(np.arange(40)[:, None, None] >= jagged) & (labels > 0)] = 2
    scene = scene_of(labels)
    found = after(scene, smooth_jointly(scene, whole(scene.shape), sigma_mm=1.5))
    assert (found[10:30, 10:20, 8:12] > 0).all()
    rough, smooth = (np.abs(np.diff((a == 1).sum(axis=0)[5:25, 4:16], axis=0)).sum()
                     for a in (labels, found))  # fmt: skip
    assert smooth < rough / 2


@given(st.integers(0, 2**16), st.tuples(*[st.tuples(st.integers(0, 8), st.integers(2, 6))] * 3))
@settings(deadline=None, max_examples=25)
def test_under_a_brush_is_what_the_whole_gives_there(
    seed: int, spans: tuple[tuple[int, int], ...]
) -> None:
    labels = patchwork(seed, (14, 14, 14))
    scene = scene_of(labels, (1.0, 0.7, 2.0))
    i, j, k = (slice(start, min(start + n, 14)) for start, n in spans)
    box: Box = (i, j, k)
    everywhere = after(scene, smooth_jointly(scene, whole(scene.shape), sigma_mm=1.0))
    expected = labels.copy()
    expected[box] = everywhere[box]
    try:
        found = after(scene, smooth_jointly(scene, box, sigma_mm=1.0))
    except InputError:
        assert not labels[box].any()
        return
    np.testing.assert_array_equal(found, expected)
    outside = np.ones(labels.shape, bool)
    outside[box] = False
    np.testing.assert_array_equal(found[outside], labels[outside])


def test_tiles_leave_no_seam() -> None:
    rng = np.random.default_rng(2)
    labels = (ndimage.gaussian_filter(rng.random((70, 66, 36)), 2) > 0.5).astype(np.uint8)
    labels[ndimage.gaussian_filter(rng.random(labels.shape), 2) > 0.51] = 2
    scene = scene_of(labels)
    expected, lead = brute(labels, scene.spacing_mm, 1.0)
    found = after(scene, smooth_jointly(scene, whole(scene.shape), sigma_mm=1.0))
    inner = (slice(4, -4),) * 3
    sure = lead[inner] > 1e-4
    np.testing.assert_array_equal(found[inner][sure], expected[inner][sure])


def test_a_slice_is_smoothed_in_itself() -> None:
    labels = np.zeros((20, 20, 3), np.uint8)
    labels[5:15, 5:15, 1] = 1
    labels[15, 10, 1] = 1
    scene = scene_of(labels, (1.0, 1.0, 0.5))
    found = after(scene, smooth_jointly(scene, slab(scene.shape, 2, 1), sigma_mm=1.0))
    assert found[7:13, 7:13, 1].all()  # the empty slices beside it do not weigh
    assert not found[15, 10, 1]


def test_the_border_of_a_locked_segment_does_not_move() -> None:
    labels = patchwork(5, (15, 15, 9))
    scene = scene_of(labels, masking=Masking(locked=frozenset({2})))
    found = after(scene, smooth_jointly(scene, whole(scene.shape), sigma_mm=1.0))
    np.testing.assert_array_equal(found == 2, labels == 2)
    assert (found != labels).any()


def test_a_segment_that_was_not_chosen_keeps_every_voxel() -> None:
    labels = patchwork(6, (15, 15, 9))
    scene = scene_of(labels)
    found = after(scene, smooth_jointly(scene, whole(scene.shape), (1, 3), sigma_mm=1.0))
    np.testing.assert_array_equal(found == 2, labels == 2)


def test_sigma_is_in_mm() -> None:
    labels = np.zeros((30, 30, 30), np.uint8)
    labels[10:20, 14:16, 10:20] = 1
    thin = smooth_jointly(scene_of(labels, (1.0, 0.4, 1.0)), whole((30, 30, 30)), sigma_mm=1.5)
    assert thin is not None
    assert "Nothing would be left here of segment 1." in thin.words
    thick = smooth_jointly(scene_of(labels, (1.0, 4.0, 1.0)), whole((30, 30, 30)), sigma_mm=1.5)
    assert thick is not None
    assert "Nothing" not in thick.words


@given(
    st.integers(0, 2**16),
    st.sampled_from(["joint", "median", "opening", "closing", "gaussian"]),
    st.sampled_from(["all", "none"]),
    st.sets(st.integers(2, 3), max_size=1),
)
@settings(deadline=None, max_examples=30)
def test_rules_are_kept_and_undo_gives_the_bytes_back(
    seed: int, how: str, overwrite: str, locked: set[int]
) -> None:
    labels = patchwork(seed, (10, 9, 8))
    labels[4, 4, 4] = 1
    masking = Masking(
        area="outside", segments=frozenset({3}), overwrite=overwrite, locked=frozenset(locked)
    )  # type: ignore[arg-type]
    scene = scene_of(labels, (0.8, 1.0, 2.0), masking)
    box = whole(scene.shape)
    if how == "joint":
        proposal = smooth_jointly(scene, box, sigma_mm=1.0)
    else:
        proposal = smooth_one(scene, box, 1, kind=how, size_mm=2.0)  # type: ignore[arg-type]
    found = after(scene, proposal)
    np.testing.assert_array_equal(found[labels == 3], 3)
    for value in locked:
        np.testing.assert_array_equal(found == value, labels == value)
    if overwrite == "none" and how != "joint":
        np.testing.assert_array_equal(found[labels == 2], 2)
    patch = Patch.between(labels, found)
    if patch is not None:
        patch.inverse().apply(found)
        assert found.tobytes(order="F") == labels.tobytes(order="F")


def ball(radius_mm: float, spacing: Three) -> np.ndarray:
    reach = [int(radius_mm / mm + 1e-6) for mm in spacing]
    lines = [np.arange(-n, n + 1) * mm for n, mm in zip(reach, spacing, strict=True)]
    grids = np.meshgrid(*lines, indexing="ij")
    return sum(g**2 for g in grids) <= radius_mm**2 + 1e-6


@pytest.mark.parametrize("kind", ["opening", "closing"])
def test_opening_and_closing_are_those_with_a_ball_in_mm(kind: str) -> None:
    rng = np.random.default_rng(4)
    spacing = (0.7, 1.0, 1.5)
    region = np.pad(ndimage.gaussian_filter(rng.random((14, 14, 10)), 1) > 0.48, 6)
    scene = scene_of(region.astype(np.uint8), spacing)
    found = after(scene, smooth_one(scene, whole(scene.shape), 1, kind=kind, size_mm=3.2))  # type: ignore[arg-type]
    filters = {"opening": ndimage.binary_opening, "closing": ndimage.binary_closing}
    np.testing.assert_array_equal(found > 0, filters[kind](region, ball(1.6, spacing)))


def test_a_median_is_what_most_voxels_of_a_box_are() -> None:
    region = np.pad(np.random.default_rng(5).random((8, 8, 8)) < 0.5, 3)
    scene = scene_of(region.astype(np.uint8), (1.0, 1.0, 2.0))
    found = after(scene, smooth_one(scene, whole(scene.shape), 1, kind="median", size_mm=3.0))
    expected = ndimage.median_filter(region.astype(np.uint8), (3, 3, 1))
    np.testing.assert_array_equal(found, expected)


def test_without_edt_openings_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    region = np.pad(np.random.default_rng(6).random((9, 9, 9)) < 0.7, 4)
    scene = scene_of(region.astype(np.uint8), (0.7, 0.7, 1.5))
    box = whole(scene.shape)
    fast = after(scene, smooth_one(scene, box, 1, kind="closing", size_mm=3.0))
    monkeypatch.setitem(__import__("sys").modules, "edt", None)
    slow = after(scene, smooth_one(scene, box, 1, kind="closing", size_mm=3.0))
    np.testing.assert_array_equal(fast, slow)


def test_a_slice_is_opened_in_itself() -> None:
    labels = np.zeros((30, 30, 3), np.uint8)
    labels[5:25, 5:25, 1] = 1
    labels[14, 25:29, 1] = 1
    scene = scene_of(labels)
    box = slab(scene.shape, 2, 1)
    found = after(scene, smooth_one(scene, box, 1, kind="opening", size_mm=4.0))
    assert found[10:20, 10:20, 1].all()
    assert not found[14, 26:, 1].any()


def test_what_cannot_be_smoothed_is_refused() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[3:6, 3:6, 3:6] = 1
    scene, box = scene_of(labels), whole((9, 9, 9))
    with pytest.raises(InputError, match="size above 0 mm; got 0"):
        smooth_jointly(scene, box, sigma_mm=0.0)
    with pytest.raises(InputError, match="nothing of the chosen segments"):
        smooth_jointly(scene, box, (2,), sigma_mm=1.0)
    with pytest.raises(InputError, match="got 'mean'"):
        smooth_one(scene, box, 1, kind="mean", size_mm=1.0)  # type: ignore[arg-type]
    locked = scene_of(labels, masking=Masking(locked=frozenset({1})))
    with pytest.raises(InputError, match="are locked"):
        smooth_one(locked, box, 1, kind="median", size_mm=3.0)


@pytest.mark.parametrize("size_mm", [1e4, 1e6])
def test_sizes_far_beyond_the_scan_are_refused(size_mm: float) -> None:
    scene = scene_of(np.ones((5, 5, 5), np.uint8))
    with pytest.raises(InputError, match="far beyond the scan of 5 x 5 x 5 mm"):
        smooth_jointly(scene, whole(scene.shape), [1], sigma_mm=size_mm)
    for kind in ("median", "opening", "closing", "gaussian"):
        with pytest.raises(InputError, match="far beyond the scan of 5 x 5 x 5 mm"):
            smooth_one(scene, whole(scene.shape), 1, kind=kind, size_mm=size_mm)  # type: ignore[arg-type]
    assert smooth_jointly(scene, whole(scene.shape), [1], sigma_mm=20.0) is None
