"""Flood: what hangs together with the voxel clicked."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_medlabel.edit.flood import connected, flood
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Scene, slab, whole
from napari_medlabel.errors import InputError

MM = (1.0, 1.0, 2.0)


def scene_of(image: np.ndarray, masking: Masking | None = None) -> Scene:
    labels = np.zeros(image.shape, np.uint8, order="F")
    return Scene(labels, np.asfortranarray(image), MM, masking or Masking())


def rooms() -> np.ndarray:
    """Return two rooms of 100 with a door in slice 1 only."""
    image = np.zeros((20, 20, 3), np.int16)
    image[2:9, 5:15] = 100
    image[11:18, 5:15] = 100
    image[9:11, 9, 1] = 100
    return image


@given(
    st.tuples(*[st.integers(1, 9)] * 3), st.integers(0, 2**16), st.floats(0.2, 0.9),
    st.sampled_from([1, 2, 3]), st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_it_fills_what_numbering_the_parts_finds(
    shape, seed, share, connectivity, hide
) -> None:
    rng = np.random.default_rng(seed)
    inside = np.asfortranarray(rng.random(shape) < share)
    at = tuple(int(rng.integers(n)) for n in shape)
    inside[at] = True
    parts, _ = ndimage.label(inside, ndimage.generate_binary_structure(3, connectivity))
    expected = parts == parts[at]
    with pytest.MonkeyPatch.context() as patch:
        if hide:
            patch.setitem(sys.modules, "numba", None)
        region, box = connected(inside, at, connectivity=connectivity)
    found = np.zeros(shape, bool)
    found[box] = region
    np.testing.assert_array_equal(found, expected)
    assert all(region.any(axis=a).any() for a in range(3))
    assert region.shape == tuple(p.stop - p.start for p in box)


def test_it_goes_through_the_door_in_3d_and_not_in_a_slice_without_one() -> None:
    scene = scene_of(rooms())
    through = flood(scene, whole(scene.shape), (4, 10, 0), 3, tolerance=10)
    assert through is not None
    assert np.count_nonzero(through.after) == np.count_nonzero(rooms())
    assert (through.provider, through.origin) == ("region-grow", "assisted")
    assert through.words == "422 voxels, 0.8 ml, from 90 to 110."
    alone = flood(scene, slab(scene.shape, 2, 0), (4, 10, 0), 3, low=50, high=150)
    assert alone is not None
    assert np.count_nonzero(alone.after) == 70
    assert alone.box[2] == slice(0, 1)


def test_one_end_of_a_range_is_enough() -> None:
    scene = scene_of(rooms())
    found = flood(scene, whole(scene.shape), (0, 0, 0), 1, high=50)
    assert found is not None
    assert np.count_nonzero(found.after) == rooms().size - 422


def test_a_range_among_the_rules_stops_the_flood() -> None:
    image = rooms()
    image[9:11, 9, 1] = 80
    free = scene_of(image, Masking(locked=frozenset({9})))
    bound = scene_of(image, Masking(low=90.0))
    reach = [flood(scene, whole(scene.shape), (4, 10, 0), 3, low=50) for scene in (free, bound)]
    assert [np.count_nonzero(p.after) for p in reach if p] == [422, 210]


def test_what_is_locked_stays() -> None:
    scene = scene_of(rooms(), Masking(locked=frozenset({9})))
    scene.labels[2:4] = 9
    found = flood(scene, whole(scene.shape), (4, 10, 0), 3, tolerance=0)
    assert found is not None
    everywhere = scene.labels.copy()
    everywhere[found.box] = found.after
    assert (everywhere[2:4] == 9).all()


def test_a_flood_of_what_has_the_label_already_is_nothing() -> None:
    scene = scene_of(rooms())
    scene.labels[scene.image > 50] = 3
    assert flood(scene, whole(scene.shape), (4, 10, 0), 3, tolerance=0) is None


def test_a_crop_that_is_no_buffer_of_its_own_is_filled_too() -> None:
    scene = scene_of(rooms())
    box = (slice(1, 12), slice(4, 16), slice(0, 2))
    found = flood(scene, box, (4, 10, 0), 3, tolerance=0)
    assert found is not None
    assert np.count_nonzero(found.after) == 2 * 70 + 2 + 2 * 10


def test_many_short_runs_find_room() -> None:
    comb = np.zeros((60, 60, 60), bool, order="F")
    comb[::2] = True
    comb[:, ::2, ::2] = True
    region, _box = connected(comb.copy(order="F"), (0, 0, 0))
    assert np.count_nonzero(region) == np.count_nonzero(comb)


@given(arrays(bool, (6, 7, 8)), st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=30)
def test_plane_by_plane_is_all_that_hangs_together(mask: np.ndarray, connectivity: int) -> None:
    mask[3, 3, 4] = True
    parts, _ = ndimage.label(mask, ndimage.generate_binary_structure(3, connectivity))
    region, box = connected(np.asfortranarray(mask), (3, 3, 4), connectivity=connectivity)
    wanted = parts == parts[3, 3, 4]
    np.testing.assert_array_equal(region, wanted[box])
    assert np.count_nonzero(region) == np.count_nonzero(wanted)


def test_progress_is_told_and_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_medlabel.edit.grow.runs._PLANES", 1)
    told: list[int] = []

    def tick(done: int, total: int) -> None:
        told.append(done)
        if done > 100:
            raise KeyboardInterrupt

    scene = scene_of(rooms())
    with pytest.raises(KeyboardInterrupt):
        flood(scene, whole(scene.shape), (4, 10, 0), 3, tolerance=0, tick=tick)
    assert told == sorted(told)
    assert not scene.labels.any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed_ijk": (4, 10, 3)}, "outside the slices that the flood may fill"),
        ({"seed_ijk": (0, 0, 0)}, "outside the range 50 to 150"),
        ({"high": 20.0}, "lower end below the upper end; got 50 to 20"),
        ({"low": None, "high": None}, "a tolerance or a range; got neither"),
        ({"tolerance": 5.0}, "not both"),
        ({"tolerance": -1.0, "low": None, "high": None}, "0 or more"),
        ({"connectivity": 6}, "got 6"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], message: str) -> None:
    scene = scene_of(rooms())
    fine: dict[str, object] = {"seed_ijk": (4, 10, 0), "value": 1, "low": 50.0, "high": 150.0}
    with pytest.raises(InputError, match=message):
        flood(scene, whole(scene.shape), **{**fine, **wrong})


def test_a_click_where_the_rules_forbid_is_refused() -> None:
    scene = scene_of(rooms(), Masking(low=0.0, high=60.0))
    with pytest.raises(InputError, match="may not change under the rules"):
        flood(scene, whole(scene.shape), (4, 10, 0), 1, tolerance=5)
