"""The live wire's paths are the cheapest, and outline an organ with few clicks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.graph import MCP_Geometric

from napari_medlabel.edit import slice_loops
from napari_medlabel.edit.livewire import LiveWire
from napari_medlabel.edit.outline import polygon
from napari_medlabel.errors import InputError

slices = hnp.arrays(np.int16, (12, 9), elements=st.integers(-50, 200))
places = st.tuples(st.integers(0, 11), st.integers(0, 8))


def cost_of(wire: LiveWire, path: np.ndarray, spacing) -> float:
    costs = wire._costs[tuple(path.astype(int).T)]
    steps = np.hypot(*(np.diff(path, axis=0) * spacing).T)
    return float((steps * 0.5 * (costs[1:] + costs[:-1])).sum())


@given(slices, places, places, st.sampled_from(((1.0, 1.0), (0.5, 3.0), (0.7, 0.71))))
@settings(max_examples=30)
def test_no_path_is_cheaper_and_numba_changes_nothing(image, start, end, spacing) -> None:
    slice_loops.wait()
    wire = LiveWire(image, spacing)
    wire.anchor(start)
    path = wire.path_to(end)
    assert tuple(path[0]) == start
    assert tuple(path[-1]) == end
    assert (np.abs(np.diff(path, axis=0)).max(axis=1) == 1).all()
    best = MCP_Geometric(wire._costs, sampling=spacing).find_costs([start])[0][end]
    assert cost_of(wire, path, spacing) == pytest.approx(best, rel=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slice_loops, "ready", lambda: None)
        wire.anchor(start)
        assert np.array_equal(wire.path_to(end), path)


def organ(n: int = 160) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.mgrid[:n, :n]
    angle = np.arctan2(v - 80, u - 80)
    truth = np.hypot(u - 80, v - 80) < 48 + 5 * np.sin(3 * angle) + 3 * np.cos(5 * angle)
    image = np.where(truth, 108.0, 48.0) + np.random.default_rng(5).normal(0, 20, (n, n))
    return image.astype(np.int16), truth


def test_eight_clicks_outline_an_organ() -> None:
    image, truth = organ()
    wire = LiveWire(image, (0.7, 0.7))
    angles = np.arange(8) * np.pi / 4
    radius = 48 + 5 * np.sin(3 * angles) + 3 * np.cos(5 * angles)
    clicks = np.stack((80 + radius * np.cos(angles), 80 + radius * np.sin(angles)), axis=1)
    at = [wire.snapped(click) for click in clicks]
    paths = []
    for first, second in zip(at, at[1:] + at[:1], strict=True):
        wire.anchor(first)
        paths.append(wire.path_to(second)[:-1])

    def dice(found: np.ndarray) -> float:
        return 2 * (found & truth).sum() / (found.sum() + truth.sum())

    assert dice(polygon(truth.shape, np.concatenate(paths))) >= 0.99
    assert dice(polygon(truth.shape, clicks)) < 0.95


def test_the_window_grows_when_the_mouse_leaves_it() -> None:
    image = np.zeros((300, 260), np.int16)
    image[150:] = 100
    wire = LiveWire(image, (1, 1))
    wire.anchor((150, 3))
    near = wire.path_to((150, 60))
    far = wire.path_to((150, 255))
    assert set(far[:, 0]) <= {149, 150}
    assert len(far) == 253
    assert np.array_equal(wire.path_to((150, 60)), near)
    assert tuple(wire.path_to((1e6, -1e6))[-1]) == (299, 0)


def test_a_place_snaps_to_the_strongest_edge_near_it() -> None:
    image = np.zeros((40, 40), np.int16)
    image[20:] = 100
    wire = LiveWire(image, (1.0, 1.0))
    assert wire.snapped((17, 10), radius_mm=4)[0] in (19, 20)
    assert wire.snapped((17, 10), radius_mm=4)[1] == 10
    assert wire.snapped((5.2, 10), radius_mm=2) == (5, 10)


def test_a_flat_slice_gives_straight_paths() -> None:
    wire = LiveWire(np.zeros((30, 30)), (1, 1))
    wire.anchor((3, 4))
    assert len(wire.path_to((20, 4))) == 18


def test_paths_need_an_anchor_and_a_slice() -> None:
    with pytest.raises(InputError, match="no anchor yet"):
        LiveWire(np.zeros((5, 5)), (1, 1)).path_to((1, 1))
    with pytest.raises(InputError, match="at least 2 by 2 pixels"):
        LiveWire(np.zeros((1, 5)), (1, 1))


def test_values_that_are_no_number_are_no_edge() -> None:
    image = np.zeros((20, 20))
    image[3, 3] = np.nan
    wire = LiveWire(image, (1, 1))
    wire.anchor((0, 0))
    assert len(wire.path_to((19, 0))) == 20
