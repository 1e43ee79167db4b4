"""The edge-aware brush stays in what it was set on."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit.brush import ball, disc
from napari_medlabel.edit.edge_brush import edge_aware
from napari_medlabel.edit.scene import Scene
from napari_medlabel.errors import InputError

SPACING = (0.7, 0.7, 1.5)


def organ(contrast: float = 70.0) -> tuple[Scene, np.ndarray]:
    """An organ on the left of a wavy border, with noise as in a CT."""
    i, j, k = np.ogrid[:70, :60, :24]
    truth = np.broadcast_to(i + 3 * np.sin(j / 7) + 2 * np.cos(k / 5) < 35, (70, 60, 24))
    noise = np.random.default_rng(2).normal(0, 20, truth.shape)
    image = (np.where(truth, 118.0, 118.0 - contrast) + noise).astype(np.int16)
    return Scene(np.zeros(truth.shape, np.uint8), image, SPACING), truth


def test_it_is_precise_and_nearly_full() -> None:
    scene, truth = organ()
    plain, right, found, wanted = 0, 0, 0, 0
    for centre in ((27, 20, 12), (28, 33, 10), (25, 45, 14)):
        box, region = ball(scene.shape, centre, 14.0, SPACING)
        part = edge_aware(scene, box, region, centre)
        plain += region.sum()
        found += part.sum()
        right += (part & truth[box]).sum()
        wanted += (region & truth[box]).sum()
    assert wanted / plain < 0.85
    assert right / found > 0.98
    assert right / wanted > 0.88


def test_in_one_slice_too() -> None:
    scene, truth = organ()
    box, region = disc(scene.shape, (27, 20, 12), 2, 14.0, SPACING)
    part = edge_aware(scene, box, region, (27, 20, 12))
    assert (part & truth[box]).sum() > 0.97 * part.sum()
    assert part.sum() > 0.8 * (region & truth[box]).sum()


@given(
    st.tuples(st.floats(0, 69), st.floats(0, 59), st.floats(0, 23)),
    st.floats(1, 12),
    st.floats(0.5, 5),
)
@settings(max_examples=15)
def test_it_is_a_connected_part_of_the_mark_with_its_centre(centre, radius, tolerance) -> None:
    scene, _ = organ()
    box, region = ball(scene.shape, centre, radius, SPACING)
    part = edge_aware(scene, box, region, centre, tolerance=tolerance)
    at = tuple(int(np.floor(x + 0.5)) - s.start for x, s in zip(centre, box, strict=True))
    assert part[at]
    assert not (part & ~region).any()
    _, parts = ndimage.label(part, np.ones((3, 3, 3)))
    assert parts == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cc3d", None)
        assert np.array_equal(edge_aware(scene, box, region, centre, tolerance=tolerance), part)


def test_a_flat_image_takes_the_whole_mark() -> None:
    scene = Scene(np.zeros((9, 9, 9), np.uint8), np.zeros((9, 9, 9)), (1, 1, 1))
    box, region = ball(scene.shape, (4, 4, 4), 3.0, (1, 1, 1))
    assert np.array_equal(edge_aware(scene, box, region, (4, 4, 4)), region)


def test_a_mark_without_its_centre_gives_nothing_and_bad_wishes_are_refused() -> None:
    scene = Scene(np.zeros((9, 9, 9), np.uint8), np.zeros((9, 9, 9)), (1, 1, 1))
    box, region = ball(scene.shape, (4, 4, 4), 3.0, (1, 1, 1))
    assert not edge_aware(scene, box, np.zeros_like(region), (4, 4, 4)).any()
    with pytest.raises(InputError, match="outside of its mark"):
        edge_aware(scene, box, region, (8, 8, 8))
    with pytest.raises(InputError, match="above 0; got 0"):
        edge_aware(scene, box, region, (4, 4, 4), tolerance=0)
