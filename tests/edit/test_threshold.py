"""Thresholds: ranges, the ones the histogram gives, and the part that was clicked."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Scene, slab, whole
from napari_medlabel.edit.threshold import RANGES, Likeness, local_threshold, threshold_box
from napari_medlabel.errors import InputError


def two_rooms_and_a_door(masking: Masking | None = None) -> Scene:
    image = np.zeros((5, 20, 20), np.int16).T
    image[2:9, 5:15, 1:4] = 100
    image[11:18, 5:15, 1:4] = 100
    image[9:11, 9, 2] = 100  # one voxel wide
    return Scene(
        np.zeros(image.shape[::-1], np.uint8).T, image, (1.0, 1.0, 2.0), masking or Masking()
    )


def test_a_range_is_filled_in_a_slice_and_says_how_much() -> None:
    scene = two_rooms_and_a_door()
    proposal = threshold_box(scene, slab(scene.shape, 2, 2), 50, 100, 4)
    assert proposal is not None
    assert np.array_equal(proposal.after == 4, scene.image[:, :, 2:3] == 100)
    assert (proposal.provider, proposal.origin) == ("threshold", "assisted")
    assert proposal.words == "0.3 ml lie in the range."


def test_a_locked_label_is_kept_out_of_a_range() -> None:
    scene = two_rooms_and_a_door(Masking(locked=frozenset({2})))
    scene.labels[:10] = 2
    proposal = threshold_box(scene, whole(scene.shape), 50, 100, 4)
    assert proposal is not None
    assert (proposal.after[:10] == 2).all()
    assert (proposal.after == 4).sum() == (scene.image[10:] == 100).sum()


def test_an_empty_range_and_no_change() -> None:
    scene = two_rooms_and_a_door()
    with pytest.raises(InputError, match="lower end below the upper end"):
        threshold_box(scene, whole(scene.shape), 5, 1, 4)
    assert threshold_box(scene, whole(scene.shape), 500, 600, 4) is None


def test_every_preset_is_a_range() -> None:
    assert {"air", "lung", "fat", "water", "soft tissue", "blood", "bone", "metal"} == set(
        RANGES
    )
    assert all(low < high for low, high in RANGES.values())


def test_the_clicked_part_is_filled_and_the_other_is_not() -> None:
    scene = two_rooms_and_a_door()
    scene.image[9:11, 9, 2] = 0
    proposal = local_threshold(
        scene, whole(scene.shape), (4, 8, 2), 4, radius_mm=40, like=Likeness(low=50)
    )
    assert proposal is not None
    out = np.zeros(scene.shape, np.uint8)
    out[proposal.box] = proposal.after
    assert np.array_equal(out[:9] == 4, scene.image[:9] == 100)
    assert not out[9:].any()


def test_a_neck_is_cut_and_the_room_stays_whole() -> None:
    scene = two_rooms_and_a_door()
    through = local_threshold(
        scene, whole(scene.shape), (4, 8, 2), 4, radius_mm=40, like=Likeness(low=50)
    )
    assert through is not None
    assert through.changed[:, :, :].sum() == (scene.image == 100).sum()
    cut = local_threshold(
        scene,
        whole(scene.shape),
        (4, 8, 2),
        4,
        radius_mm=40,
        like=Likeness(low=50, neck_mm=2.5),
    )
    assert cut is not None
    out = np.zeros(scene.shape, bool)
    out[cut.box] = cut.changed
    assert not out[11:].any()
    assert out[2:9].sum() > 0.9 * (scene.image[2:9] == 100).sum()


@pytest.mark.parametrize("smooth_mm", [None, 0.5])
def test_the_range_of_the_clicked_class_is_found(smooth_mm) -> None:
    like = Likeness(classes=2, neck_mm=2.5, smooth_mm=smooth_mm)
    scene = two_rooms_and_a_door()
    rng = np.random.default_rng(0)
    scene.image[...] += rng.normal(0, 8, scene.shape).astype(np.int16)
    proposal = local_threshold(scene, whole(scene.shape), (4, 8, 2), 4, radius_mm=40, like=like)
    assert proposal is not None
    out = np.zeros(scene.shape, bool)
    out[proposal.box] = proposal.changed
    truth = np.zeros(scene.shape, bool)
    truth[2:9, 5:15, 1:4] = True
    assert 2 * (out & truth).sum() / (out.sum() + truth.sum()) > 0.95


def test_it_ends_at_the_radius_and_in_the_slice() -> None:
    scene = two_rooms_and_a_door()
    scene.image[...] = 100
    proposal = local_threshold(
        scene, slab(scene.shape, 2, 2), (10, 10, 2), 4, radius_mm=3, like=Likeness(low=50)
    )
    assert proposal is not None
    i, j, _ = np.nonzero(proposal.changed)
    assert np.hypot(i - 3, j - 3).max() == 3
    assert proposal.box[2] == slice(2, 3)


def test_clicks_beside_the_structure_are_refused() -> None:
    scene = two_rooms_and_a_door()
    with pytest.raises(InputError, match="outside of what is worked on"):
        local_threshold(scene, slab(scene.shape, 2, 2), (4, 8, 3), 4, like=Likeness(low=50))
    with pytest.raises(InputError, match="not in the range of 50 to inf"):
        local_threshold(scene, whole(scene.shape), (0, 0, 0), 4, like=Likeness(low=50))


def test_a_click_on_a_speck_takes_the_structure_around_it() -> None:
    scene = two_rooms_and_a_door()
    scene.image[4, 8, 2] = -500
    proposal = local_threshold(
        scene, whole(scene.shape), (4, 8, 2), 4, radius_mm=40, like=Likeness(low=50)
    )
    assert proposal is not None
    out = np.zeros(scene.shape, bool)
    out[proposal.box] = proposal.changed
    assert np.array_equal(out, scene.image == 100)


def test_the_usual_intensities_around_the_click_are_found() -> None:
    i, j, k = np.ogrid[:48, :44, :24]
    truth = ((i - 22) / 16) ** 2 + ((j - 21) / 15) ** 2 + ((k - 12) / 8) ** 2 < 1
    noise = np.random.default_rng(7).normal(0, 20, truth.shape)
    image = (np.where(truth, 118, 48) + noise).astype(np.int16)
    scene = Scene(np.zeros(truth.shape, np.uint8), image, (0.7, 0.7, 1.5))
    proposal = local_threshold(
        scene, whole(scene.shape), (20, 24, 11), 4, like=Likeness(neck_mm=2)
    )
    assert proposal is not None
    out = np.zeros(scene.shape, bool)
    out[proposal.box] = proposal.changed
    assert 2 * (out & truth).sum() / (out.sum() + truth.sum()) > 0.93
