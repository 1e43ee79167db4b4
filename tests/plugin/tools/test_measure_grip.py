"""Pulling at the handles of measurements: what each kind becomes, on every grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.measurements import Measurement
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.tools.measure_grip import (
    Grip,
    can_hold,
    flat_step,
    handles_ras,
    pulled,
)

PLAIN = Display(Grid((40, 40, 20), Affine.from_spacing((1.0, 1.0, 2.0))))


def drawn(display: Display, kind: str, *zyx: tuple[float, float, float]) -> Measurement:
    ras = display.to_ras(np.array(zyx, float))
    return Measurement("One", kind, tuple(tuple(map(float, p)) for p in ras))


def zyx(display: Display, one: Measurement) -> np.ndarray:
    return display.from_ras(one.array)


def box(display: Display = PLAIN, kind: str = "box") -> Measurement:
    return drawn(display, kind, (5, 10, 10), (5, 10, 14), (5, 13, 10))


@pytest.mark.parametrize("codes", ["LPS", "RAI", "SRA"])
@pytest.mark.parametrize("kind", ["line", "angle", "curve"])
def test_a_point_goes_where_it_is_pulled_and_no_other_does(
    make_grid: Callable[..., Grid], codes: str, kind: str
) -> None:
    display = Display(make_grid(codes, (20, 20, 20), (0.8, 0.9, 3.0)))
    places = [(5, 4, 4), (5, 9, 4), (5, 9, 12)][: 2 if kind == "line" else 3]
    one = drawn(display, kind, *places)
    for handle in range(len(places)):
        by = np.array((0.0, 1.5, -2.25))
        expected = np.array(places, float)
        expected[handle] += by
        assert zyx(display, pulled(display, Grip(one, handle), by)) == pytest.approx(expected)
    whole = pulled(display, Grip(one), np.array((1.0, 2.0, 3.0)))
    assert zyx(display, whole) == pytest.approx(np.array(places) + np.array((1, 2, 3)))


def test_nothing_is_pulled_out_of_the_scan() -> None:
    one = drawn(PLAIN, "line", (5, 4, 4), (5, 9, 4))
    ended = zyx(PLAIN, pulled(PLAIN, Grip(one, 1), np.array((0.0, 100.0, -100.0))))
    assert ended[1] == pytest.approx((5, 39.5, -0.5), abs=1e-5)
    moved = zyx(PLAIN, pulled(PLAIN, Grip(one), np.array((0.0, 100.0, 0.0))))
    assert moved[1] - moved[0] == pytest.approx((0, 5, 0))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3), st.tuples(*[st.floats(-6, 6)] * 2))
def test_a_short_axis_stays_perpendicular_whatever_end_is_pulled(
    handle: int, way: tuple[float, float]
) -> None:
    one = drawn(PLAIN, "bidirectional", (5, 10, 10), (5, 10, 26), (5, 7, 16), (5, 14, 16))
    by = np.array((0.0, *way))
    made = pulled(PLAIN, Grip(one, handle), by)  # else it would refuse itself
    before, after = zyx(PLAIN, one), zyx(PLAIN, made)
    assert after[handle] == pytest.approx(before[handle] + by, abs=1e-9)
    assert after[:, 0] == pytest.approx(5.0)
    if handle < 2:
        assert after[1 - handle] == pytest.approx(before[1 - handle])
        short = np.linalg.norm(np.diff(made.array[2:], axis=0))
        assert short == pytest.approx(np.linalg.norm(np.diff(one.array[2:], axis=0)))
    else:
        assert after[:2] == pytest.approx(before[:2])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.tuples(*[st.floats(-5, 5)] * 2))
def test_what_lies_opposite_to_a_pulled_side_or_corner_stays(
    handle: int, way: tuple[float, float]
) -> None:
    one = box()
    by = np.array((0.0, *way))
    before = PLAIN.from_ras(handles_ras(one))
    opposite = {1: 2, 2: 1, 3: 4, 4: 3, 5: 7, 6: 8, 7: 5, 8: 6}[handle]
    after = PLAIN.from_ras(handles_ras(pulled(PLAIN, Grip(one, handle), by)))
    assert np.linalg.norm(after - before[opposite], axis=1).min() < 1e-9
    target = before[handle] + by
    if handle > 4:
        assert np.linalg.norm(after - target, axis=1).min() < 1e-9
    else:  # a side moves along its own axis alone
        axis = 2 if handle <= 2 else 1
        assert np.abs(after[:5, axis] - target[axis]).min() < 1e-9


def test_an_ellipse_moves_by_its_centre_and_keeps_its_size() -> None:
    one = box(kind="ellipse")
    moved = pulled(PLAIN, Grip(one, 0), np.array((0.0, 3.0, -2.0)))
    assert zyx(PLAIN, moved) == pytest.approx(zyx(PLAIN, one) + np.array((0, 3, -2)))
    assert len(handles_ras(one)) == 5
    with pytest.raises(InputError, match="longer than zero"):
        pulled(PLAIN, Grip(one, 1), np.array((0.0, 0.0, -8.0)))


def test_a_free_hand_curve_is_pulled_with_its_neighbours() -> None:
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    ring = [(5.0, 20 + 8 * np.sin(t), 20 + 8 * np.cos(t)) for t in turn]
    one = drawn(PLAIN, "closed-curve", *ring)
    gone = zyx(PLAIN, pulled(PLAIN, Grip(one, 0), np.array((0.0, 0.0, 4.0)))) - zyx(PLAIN, one)
    far = gone[:, 2]
    assert far[0] == pytest.approx(4.0)
    assert 0 < far[5] < far[1] < 4.0
    assert far[-3] == pytest.approx(far[3])
    assert not far[20:80].any()


def test_what_is_flat_is_held_on_its_own_slice_alone() -> None:
    handles = PLAIN.from_ras(handles_ras(box()))
    assert can_hold("box", handles, 0, 5.0).all()
    assert not can_hold("box", handles, 0, 6.0).any()
    assert not can_hold("box", handles, 1, 10.0).any()
    line = np.array([(5.0, 4.0, 4.0), (9.0, 4.0, 8.0)])
    assert list(can_hold("line", line, 0, 9.0)) == [False, True]
    assert can_hold("line", line, 1, 4.0).all()


def test_a_step_that_leaves_the_slice_takes_all_of_what_is_flat() -> None:
    grip = Grip(box(), 3)
    assert flat_step(PLAIN, grip, np.array((0.0, 1.0, 0.0))) == grip
    assert flat_step(PLAIN, grip, np.array((1.0, 0.0, 0.0))) == Grip(grip.one)
    line = Grip(drawn(PLAIN, "line", (5, 4, 4), (5, 9, 4)), 1)
    assert flat_step(PLAIN, line, np.array((1.0, 0.0, 0.0))) == line
