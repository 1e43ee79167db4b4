"""Lengths, angles and areas in mm, against closed forms and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.measure.lines import (
    angle_deg,
    area_mm2,
    diameters_ras,
    perpendicular_ras,
    values_of,
)
from napari_medlabel.model.measurements import Measurement

ANGLES = st.floats(0, 2 * math.pi)
LENGTHS = st.floats(0.1, 100)


def turned(seed: int) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q


def told(one: Measurement, *rest, **more) -> dict[str, float]:
    return {value.name: value.value for value in values_of(one, *rest, **more)}


def test_a_line_is_as_long_as_it_is():
    assert told(Measurement("a", "line", ((0, 0, 0), (3, 4, 12)))) == {"length": 13.0}
    assert told(Measurement("a", "curve", ((0, 0, 0), (3, 4, 0), (3, 4, 2)))) == {"length": 7.0}


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 180), LENGTHS, LENGTHS, st.integers(0, 99))
def test_angles_are_exact_near_0_and_180_too(angle, a, b, seed):
    turn, rad = turned(seed), math.radians(angle)
    first, second = turn @ (a, 0, 0), turn @ (b * math.cos(rad), b * math.sin(rad), 0)
    assert angle_deg(first + 5, (5, 5, 5), second + 5) == pytest.approx(angle, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(LENGTHS, LENGTHS, st.integers(0, 99))
def test_areas_and_volumes_hold_in_any_plane(a, b, seed):
    turn = turned(seed)
    centre = np.array((10.0, -20.0, 30.0))
    u, v, w = (centre + turn @ p for p in ((a, 0, 0), (0, b, 0), (0, 0, 2)))
    points = [tuple(p) for p in (centre, u, v)]
    assert told(Measurement("a", "ellipse", points))["area"] == pytest.approx(math.pi * a * b)
    box = Measurement("a", "box", points)
    assert told(box)["area"] == pytest.approx(4 * a * b)
    assert area_mm2(box.outline_ras()) == pytest.approx(4 * a * b)
    closed = Measurement("a", "closed-curve", tuple(map(tuple, box.outline_ras())))
    assert told(closed)["area"] == pytest.approx(4 * a * b)
    assert told(closed)["perimeter"] == pytest.approx(4 * (a + b))
    cuboid = Measurement("a", "cuboid", (*points, tuple(w)))
    assert told(cuboid)["volume"] == pytest.approx(16 * a * b)


def test_a_bidirectional_measurement_has_both_axes():
    one = Measurement("a", "bidirectional", ((0, 0, 0), (30, 0, 0), (10, -4, 0), (10, 8, 0)))
    assert told(one) == {"long axis": 30.0, "short axis": 12.0}


def test_a_short_axis_is_made_perpendicular():
    start, end = perpendicular_ras(((0, 0, 0), (10, 0, 0)), (5, 0, 0), (7, 3, 1))
    assert (start, end) == ((5, 0, 0), (5, 3, 1))
    with pytest.raises(InputError, match="no length"):
        perpendicular_ras(((0, 0, 0), (0, 0, 0)), (5, 0, 0), (7, 3, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ANGLES, st.just(0.0)), min_size=4, max_size=14), LENGTHS, LENGTHS)
def test_diameters_of_a_convex_outline_are_the_longest(angles, a, b):
    turns = sorted({round(t, 3) for t, _ in angles})
    assume(len(turns) >= 4)
    outline = np.array([(a * math.cos(t), b * math.sin(t), 3.0) for t in turns])
    assume(area_mm2(outline) > 1e-3 * a * b)
    p, q, r, s = (np.array(x) for x in diameters_ras(outline))
    longest = max(np.linalg.norm(x - y) for x, y in itertools.combinations(outline, 2))
    assert np.linalg.norm(p - q) == pytest.approx(longest)
    assert abs((q - p) @ (s - r)) <= 1e-6 * longest * max(np.linalg.norm(s - r), 1e-9)
    # Brute force: chords across the axis at many places, bounded by the outline's sides.
    along = (q - p) / longest
    across = np.cross((0, 0, 1), along)
    flat = np.stack([(outline - p) @ along, (outline - p) @ across], axis=1)
    best = 0.0
    for at in np.linspace(0, longest, 201)[1:-1]:
        hits = [
            y0 + (at - x0) / (x1 - x0) * (y1 - y0)
            for (x0, y0), (x1, y1) in zip(flat, np.roll(flat, -1, 0), strict=True)
            if (x0 > at) != (x1 > at)
        ]
        best = max(best, max(hits) - min(hits))
    short = np.linalg.norm(s - r)
    assert best - 1e-9 <= short
    assert short <= best * 1.2 + 1e-2 * longest


def test_a_chord_does_not_leave_a_dented_outline():
    # A horseshoe: across its gap there is nothing to measure.
    x = (0, 30, 30, 5, 5, 30, 30, 0)
    y = (0, 0, 10, 10, 15, 15, 20, 20)
    horseshoe = np.array([x, y, [0] * 8], dtype=float).T
    p, q, r, s = (np.array(x) for x in diameters_ras(horseshoe))
    assert np.linalg.norm(q - p) == pytest.approx(math.hypot(30, 20))
    middle = (r + s) / 2
    assert not (5 < middle[0] < 30 and 10 < middle[1] < 15)


@pytest.mark.parametrize(
    ("outline", "message"),
    [
        ([(0, 0, 0), (1, 0, 0)], "at least three points"),
        ([(0, 0, 0)] * 3, "no extent"),
        ([(0, 0, 0), (1, 0, 0), (2, 0, 0)], "no extent"),
    ],
)
def test_an_outline_without_extent_is_refused(outline, message):
    with pytest.raises(InputError, match=message):
        diameters_ras(outline)


def test_regions_have_numbers_in_the_images_unit():
    image = np.arange(5 * 6 * 7, dtype=np.int16).reshape(7, 6, 5).T
    affine = Affine.from_spacing((0.5, 1.0, 2.0), (10.0, 20.0, 30.0))
    centre, u, v = affine.apply([(2, 2, 3), (3, 2, 3), (2, 3, 3)])
    one = Measurement("a", "box", tuple(tuple(p) for p in (centre, u, v)))
    values = {value.name: value for value in values_of(one, image, affine, unit="HU")}
    inside = image[1:4, 1:4, 3].astype(float)
    assert values["voxels"].value == 9
    assert values["mean"].value == inside.mean()
    assert values["sd"].value == pytest.approx(inside.std())
    assert (values["min"].value, values["max"].value) == (inside.min(), inside.max())
    assert values["mean"].unit == "HU"
    assert values["area"].value == pytest.approx(4 * 0.5 * 1.0)


def test_what_cannot_be_said_is_left_out():
    image = np.full((4, 4, 4), np.nan)
    affine = Affine.from_spacing((1.0, 1.0, 1.0))
    slanted = Measurement("a", "box", ((1, 1, 1), (3, 1, 3), (1, 2, 1)))
    assert "mean" not in told(slanted, image, affine)
    tiny = Measurement("a", "box", ((1.5, 1.5, 1), (1.6, 1.5, 1), (1.5, 1.6, 1)))
    assert "mean" not in told(tiny, image, affine)
    inside = Measurement("a", "box", ((1, 1, 1), (2, 1, 1), (1, 2, 1)))
    assert set(told(inside, image, affine)) == {"area", "voxels"}


def test_the_long_axis_is_the_longer_one_whichever_a_file_names_first():
    ends = ((0, 0, 0), (10, 0, 0), (5, -10, 0), (5, 10, 0))
    assert told(Measurement("T", "bidirectional", ends)) == {
        "long axis": 20.0,
        "short axis": 10.0,
    }
