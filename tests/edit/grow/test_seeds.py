"""Grow from seeds in one go: region, background, rules, coarse and fine."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.grow.merging import merged
from napari_medlabel.edit.grow.relief import Mode
from napari_medlabel.edit.grow.seeds import (
    grow_coarse,
    grow_from_seeds,
    refine,
    region_of,
)
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Scene, whole
from napari_medlabel.errors import InputError

MM = (0.7, 0.7, 1.5)
SHAPE = (48, 40, 24)


def ball_scene(masking: Masking | None = None) -> tuple[Scene, np.ndarray, np.ndarray]:
    """Return a noisy scan of two balls, the truth, and seeds with 9 for background."""
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    truth = np.zeros(SHAPE, np.uint8, order="F")
    truth[((i - 16) * 0.7) ** 2 + ((j - 20) * 0.7) ** 2 + ((k - 12) * 1.5) ** 2 < 60] = 1
    truth[((i - 36) * 0.7) ** 2 + ((j - 20) * 0.7) ** 2 + ((k - 12) * 1.5) ** 2 < 30] = 2
    rng = np.random.default_rng(5)
    image = np.array([0, 100, 180])[truth] + rng.normal(0, 12, SHAPE)
    seeds = np.zeros(SHAPE, np.uint8, order="F")
    seeds[12:20, 20, 12] = 1
    seeds[34:38, 20, 12] = 2
    seeds[2:46, 2:38, [2, 21]] = 9
    seeds[[2, 45], 2:38, 2:22] = 9
    seeds[2:46, [2, 37], 2:22] = 9
    scene = Scene(
        np.zeros(SHAPE, np.uint8, order="F"), np.asfortranarray(image.astype(np.int16)), MM,
        masking or Masking(),
    )  # fmt: skip
    return scene, truth, seeds


def dice(found: np.ndarray, truth: np.ndarray, value: int) -> float:
    a, b = found == value, truth == value
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def labels_after(scene: Scene, proposal) -> np.ndarray:
    out = scene.labels.copy(order="F")
    out[proposal.box] = proposal.after
    return out


def test_two_organs_and_background_are_found() -> None:
    scene, truth, seeds = ball_scene()
    proposal = grow_from_seeds(scene, whole(SHAPE), seeds, background=9, gradient_mm=0.7)
    assert proposal is not None
    found = labels_after(scene, proposal)
    assert min(dice(found, truth, 1), dice(found, truth, 2)) > 0.95
    assert (proposal.provider, proposal.origin) == ("region-grow", "assisted")
    assert proposal.values == (1, 2)
    assert proposal.words.startswith("label 1: ")
    assert proposal.words.endswith(" ml.")


@pytest.mark.parametrize("hide", [False, True])
def test_a_coarse_answer_is_good_and_its_refinement_better(
    hide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hide:
        monkeypatch.setitem(sys.modules, "numba", None)
    scene, truth, seeds = ball_scene()
    coarse = grow_coarse(scene, whole(SHAPE), seeds, background=9, gradient_mm=0.7)
    fine = refine(scene, coarse, gradient_mm=0.7)
    assert coarse.proposal is not None
    assert fine is not None
    first, second = (labels_after(scene, p) for p in (coarse.proposal, fine))
    for value in (1, 2):
        assert dice(first, truth, value) > 0.85
        assert dice(second, truth, value) > 0.95
        assert dice(second, truth, value) >= dice(first, truth, value)


@pytest.mark.parametrize("deep", [slice(5, 12), slice(0, 16)])
@pytest.mark.parametrize("mode", ["minimax", "additive"])
def test_a_small_clean_ball_is_found_from_strokes_on_one_slice(deep: slice, mode: Mode) -> None:
    # Skirts of its own edges were taken for noise, and 2.8 mm of smoothing left 183 of 455.
    i, j, k = np.ogrid[:24, :20, :16]
    ball = ((i - 12) ** 2 + (j - 10) ** 2 + (2 * (k - 8)) ** 2 <= 36)[:, :, deep]
    image = np.asfortranarray(np.where(ball, 200, 100).astype(np.int16))
    seeds = np.zeros(ball.shape, np.uint8, order="F")
    middle = 8 - deep.start
    seeds[1:23, 1:19, middle] = 9
    seeds[4:20, 4:16, middle] = 0
    seeds[10:15, 9:12, middle] = 1
    scene = Scene(np.zeros_like(seeds), image, (1.0, 1.0, 2.0))
    box = whole(scene.shape)
    found = grow_from_seeds(scene, box, seeds, background=9, mode=mode)
    assert found is not None
    grown = np.zeros(scene.shape, bool)
    grown[found.box] = found.after == 1
    assert 2 * np.count_nonzero(grown & ball) / (grown.sum() + ball.sum()) > 0.95


def test_the_region_is_the_seeds_and_a_tenth_at_least_three_voxels() -> None:
    within = (slice(0, 100), slice(0, 100), slice(0, 10))
    box = (slice(20, 70), slice(50, 60), slice(4, 5))
    assert region_of(box, within) == (slice(15, 75), slice(47, 63), slice(1, 8))


def test_the_region_grows_no_further_than_the_box() -> None:
    scene, _truth, seeds = ball_scene()
    box = (slice(4, 44), slice(4, 36), slice(10, 15))
    part = seeds[box].copy(order="F")
    part[0] = 9
    proposal = grow_from_seeds(scene, box, part, background=9)
    assert proposal is not None
    assert all(
        b.start <= p.start and p.stop <= b.stop for p, b in zip(proposal.box, box, strict=True)
    )


def test_one_slice_is_enough() -> None:
    scene, truth, seeds = ball_scene()
    box = (slice(0, 48), slice(0, 40), slice(12, 13))
    proposal = grow_from_seeds(scene, box, seeds[box], background=9, gradient_mm=0.7)
    assert proposal is not None
    assert dice(labels_after(scene, proposal)[..., 12], truth[..., 12], 1) > 0.93


def test_other_segments_stay_where_background_grows_and_own_ones_are_renewed() -> None:
    before = np.array([[[1, 5, 1, 5, 1]]], np.uint8)
    grown = np.array([[[0, 0, 1, 1, 0]]], np.uint8)
    reached = np.array([[[True, True, True, True, False]]])
    assert merged(before, grown, reached, (1,)).ravel().tolist() == [0, 5, 1, 1, 1]


@pytest.mark.parametrize("way", ["at once", "coarse", "refined"])
def test_an_intensity_range_is_a_wall_and_lets_one_segment_grow_alone(way: str) -> None:
    scene, _truth, seeds = ball_scene(Masking(low=50.0, high=140.0))
    seeds[seeds != 1] = 0
    if way == "at once":
        proposal = grow_from_seeds(scene, whole(SHAPE), seeds)
    else:
        coarse = grow_coarse(scene, whole(SHAPE), seeds)
        proposal = coarse.proposal if way == "coarse" else refine(scene, coarse)
    assert proposal is not None
    found = labels_after(scene, proposal) == 1
    assert (scene.image[found] >= 50).all()
    assert (scene.image[found] <= 140).all()
    assert not found[30:].any()  # the other ball lies beyond the wall


@given(st.integers(0, 2**16), st.booleans())
@settings(max_examples=15, deadline=None)
def test_locked_and_what_the_rules_forbid_never_change(seed: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(4, 12, 3))
    labels = np.asfortranarray(rng.integers(0, 5, shape).astype(np.uint8))
    image = np.asfortranarray(rng.integers(0, 100, shape).astype(np.int16))
    rules = Masking(
        area="outside", segments=frozenset({4}), locked=frozenset({3}),
        low=float(rng.integers(0, 50)) if rng.random() < 0.5 else None,
    )  # fmt: skip
    scene = Scene(labels, image, MM, rules)
    seeds = np.zeros(shape, np.uint8, order="F")
    seeds[0, 0, 0], seeds[-1, -1, -1], seeds[1, 1, 1] = 1, 2, 3
    before = labels.copy()
    grow = grow_coarse if coarse else grow_from_seeds
    result = grow(scene, whole(scene.shape), seeds)
    proposal = result.proposal if coarse else result
    np.testing.assert_array_equal(labels, before)
    if proposal is not None:
        after = labels_after(scene, proposal)
        fixed = ~rules.editable(labels, image, (1, 2, 3))
        np.testing.assert_array_equal(after[fixed], before[fixed])
        np.testing.assert_array_equal(after == 3, before == 3)


def test_seeds_of_one_kind_and_none_are_refused() -> None:
    scene, _truth, seeds = ball_scene()
    with pytest.raises(InputError, match="There are no seeds"):
        grow_from_seeds(scene, whole(SHAPE), np.zeros_like(seeds))
    with pytest.raises(InputError, match="seeds of two segments"):
        grow_from_seeds(scene, whole(SHAPE), np.where(seeds == 1, seeds, 0))
    with pytest.raises(InputError, match="shape of their box"):
        grow_from_seeds(scene, whole(SHAPE), seeds[:5])


def test_progress_never_goes_back_and_ends_the_work() -> None:
    scene, _truth, seeds = ball_scene()
    told: list[float] = []
    grow_from_seeds(
        scene, whole(SHAPE), seeds, background=9,
        tick=lambda done, total: told.append(done / total),
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] <= 1.0

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grow_from_seeds(scene, whole(SHAPE), seeds, background=9, tick=stop)
    assert not scene.labels.any()
