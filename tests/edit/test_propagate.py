"""Segments carried from slice to slice along the image's edges."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.propagate import propagate
from napari_medlabel.edit.scene import Scene
from napari_medlabel.errors import InputError


def cone(axis: int = 2, masking: Masking | None = None) -> tuple[Scene, np.ndarray]:
    """Return an organ that moves, shrinks and ends at slice 20 of 26, drawn on the first."""
    u, v, s = np.ogrid[:60, :60, :26]
    radius2 = np.where(s < 20, 15.0**2 * (1 - (s / 20.0) ** 2) + 9, 0)
    truth = ((u - 25 - 0.5 * s) ** 2 + (v - 28) ** 2 < radius2).astype(np.uint8)
    rng = np.random.default_rng(0)
    image = 100.0 * truth + rng.normal(0, 15, truth.shape)
    spacing = [1.0, 1.0, 1.5]
    truth, image = (np.moveaxis(a, 2, axis) for a in (truth, image))
    spacing.insert(axis, spacing.pop())
    labels = np.zeros_like(truth, order="F")
    first = [slice(None)] * 3
    first[axis] = slice(0, 1)
    labels[tuple(first)] = truth[tuple(first)]
    i, j, k = spacing
    return Scene(labels, image, (i, j, k), masking or Masking()), truth


def after(scene: Scene, proposal: object) -> np.ndarray:
    out = scene.labels.copy()
    out[proposal.box] = proposal.onto(out[proposal.box])  # type: ignore[attr-defined]
    return out


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & two) / (one.sum() + two.sum()))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_organ_is_followed_along_any_axis(axis: int) -> None:
    scene, truth = cone(axis)
    found = after(scene, propagate(scene, axis, 0, 15))
    new, wanted = (np.moveaxis(a, axis, 0)[1:16] > 0 for a in (found, truth))
    assert dice(new, wanted) > 0.96
    copied = np.repeat(np.moveaxis(truth, axis, 0)[:1] > 0, 15, axis=0)
    assert dice(copied, wanted) < 0.85


def test_the_way_may_go_down() -> None:
    scene, truth = cone()
    labels = np.zeros_like(scene.labels)
    labels[..., 12] = truth[..., 12]
    scene = Scene(labels, scene.image, scene.spacing_mm)
    found = after(scene, propagate(scene, 2, 12, 4))
    assert dice(found[..., 4:12] > 0, truth[..., 4:12] > 0) > 0.95
    assert not found[..., :4].any()


def test_it_stops_where_the_organ_ends_and_says_so() -> None:
    scene, _ = cone()
    proposal = propagate(scene, 2, 0, 25)
    assert proposal is not None
    assert not after(scene, proposal)[..., 21:].any()
    assert "Segment 1 stops after 1" in proposal.words
    assert "of 25 slices: its grey values stop." in proposal.words
    assert (proposal.provider, proposal.origin) == ("classical", "assisted")


def test_without_any_edge_it_never_runs_across_the_slice() -> None:
    scene, _ = cone()
    blind = Scene(scene.labels, np.zeros(scene.shape), scene.spacing_mm)
    proposal = propagate(blind, 2, 0, 20, reach_mm=4.0)
    assert proposal is not None
    found = after(blind, proposal)
    areas = (found > 0).sum(axis=(0, 1))
    assert areas.max() <= 2.0 * areas[0]


def test_other_segments_and_drawn_slices_stay() -> None:
    scene, _ = cone()
    scene.labels[20:26, 20:40, 3:9] = 7
    scene.labels[28:32, 26:30, 10] = 1
    found = after(scene, proposal := propagate(scene, 2, 0, 15))
    assert proposal is not None
    np.testing.assert_array_equal(found[scene.labels > 0], scene.labels[scene.labels > 0])
    np.testing.assert_array_equal(found[..., 10:], scene.labels[..., 10:])
    assert "Segment 1 stops after 9 of 15 slices: the next slice has it" in proposal.words


def test_two_neighbours_are_carried_together() -> None:
    truth = np.zeros((50, 50, 8), np.uint8)
    truth[10:25, 10:40], truth[25:40, 10:40] = 1, 2
    image = np.array([0.0, 80.0, 160.0])[truth]
    image += np.random.default_rng(0).normal(0, 8, truth.shape)
    labels = np.zeros_like(truth, order="F")
    labels[..., 0] = truth[..., 0]
    scene = Scene(labels, image, (1.0, 1.0, 1.0))
    found = after(scene, propagate(scene, 2, 0, 7))
    for value in (1, 2):
        assert dice(found == value, truth == value) > 0.98
    locked = Scene(labels, image, (1.0, 1.0, 1.0), Masking(locked=frozenset({2})))
    assert not (after(locked, propagate(locked, 2, 0, 7))[..., 1:] == 2).any()


def test_an_organ_that_ends_at_once_is_an_error_in_words() -> None:
    scene, truth = cone()
    labels = np.zeros_like(scene.labels)
    labels[..., 19] = truth[..., 10]
    image = np.where(np.arange(26) >= 20, -500.0, scene.image)
    with pytest.raises(InputError, match=r"next slice\. Segment 1 stops after 0 of 3 slices"):
        propagate(Scene(labels, image, scene.spacing_mm), 2, 19, 22)


def test_a_cancelled_way_leaves_the_labels_alone() -> None:
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    scene, _ = cone()
    kept = scene.labels.copy()
    with pytest.raises(KeyboardInterrupt):
        propagate(scene, 2, 0, 10, tick=stop)
    np.testing.assert_array_equal(scene.labels, kept)


def test_what_cannot_be_carried_is_refused() -> None:
    scene, _ = cone()
    with pytest.raises(InputError, match="Slices 0 to 26 of voxel axis 2 are not in the scan"):
        propagate(scene, 2, 0, 26)
    with pytest.raises(InputError, match="not to itself"):
        propagate(scene, 2, 0, 0)
    with pytest.raises(InputError, match="none of the chosen segments"):
        propagate(scene, 2, 0, 3, (5,))
    with pytest.raises(InputError, match="more than 0 mm; got -1"):
        propagate(scene, 2, 0, 3, reach_mm=-1.0)
    locked, _ = cone(masking=Masking(locked=frozenset({1})))
    with pytest.raises(InputError, match="segments of the slice are locked"):
        propagate(locked, 2, 0, 3)


def test_a_scan_one_voxel_thick_has_rows_to_go_on_in() -> None:
    labels = np.zeros((12, 1, 12), np.uint8)
    labels[4:8, 0, 2] = 1
    image = np.zeros(labels.shape)
    image[4:8] = 100
    scene = Scene(labels, image, (1.0, 1.0, 1.0))
    proposal = propagate(scene, 2, 2, 5, [1])
    assert proposal is not None
    assert proposal.box == (slice(4, 8), slice(0, 1), slice(3, 6))


def test_a_reach_without_end_is_refused() -> None:
    labels = np.ones((4, 4, 4), np.uint8)
    scene = Scene(labels, np.zeros(labels.shape), (1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="A border may move"):
        propagate(scene, 2, 0, 2, [1], reach_mm=float("inf"))
