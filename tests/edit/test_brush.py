"""Brush marks are round in mm and leave no gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.edit import brush
from napari_medlabel.edit.brush import Mark, ball, cylinder, disc, swept
from napari_medlabel.errors import InputError
from tests.tilted import STEPS, steps

SHAPE = (13, 11, 9)
spacings = st.tuples(*[st.sampled_from((0.5, 0.7, 1.0, 3.0))] * 3)
places = st.tuples(*[st.floats(-4, 16)] * 3)


def whole(mark: Mark | None, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    out = np.zeros(shape, bool)
    if mark is not None:
        box, region = mark
        assert region.any()
        assert region.shape == tuple(s.stop - s.start for s in box)
        assert region.T.flags.c_contiguous
        out[box] = region
    return out


def distance_mm(start, end, axis, spacing) -> np.ndarray:
    """Distance of every voxel centre to a line, one voxel at a time."""
    out = np.empty(SHAPE)
    used = [a for a in range(3) if a != axis]
    a, b = (np.array(p)[used] * np.array(spacing)[used] for p in (start, end))
    for index in np.ndindex(*SHAPE):
        p = np.array(index)[used] * np.array(spacing)[used]
        d = b - a
        t = 0.0 if not d @ d > 0 else min(max((p - a) @ d / (d @ d), 0.0), 1.0)
        out[index] = np.linalg.norm(p - a - t * d)
    return out


@given(places, places, st.sampled_from((None, 0, 1, 2)), st.floats(0.2, 6), spacings)
@settings(max_examples=25)
def test_a_stroke_is_the_union_of_all_its_marks_and_its_line(
    start, end, axis, radius, spacing
) -> None:
    got = whole(swept(SHAPE, start, end, axis, radius, spacing))
    far = distance_mm(start, end, axis, spacing)
    in_slice = np.ones(SHAPE, bool)
    if axis is not None:
        in_slice = np.indices(SHAPE)[axis] == np.floor(end[axis] + 0.5)
    assert not (in_slice & (far <= radius - 1e-6) & ~got).any()
    half_a_voxel = np.linalg.norm(spacing) / 2
    assert not (got & (far > max(radius, half_a_voxel) + 1e-6)).any()
    assert not (got & ~in_slice).any()


@given(st.tuples(*[st.floats(0, 8)] * 3), st.tuples(*[st.floats(0, 8)] * 3), spacings)
@settings(max_examples=25)
def test_a_fast_thin_stroke_has_no_gap(start, end, spacing) -> None:
    got = whole(swept(SHAPE, start, end, None, 0.01, spacing))
    _, parts = ndimage.label(got, np.ones((3, 3, 3)))
    assert parts == 1
    for place in (start, end):
        assert got[tuple(int(np.floor(x + 0.5)) for x in place)]


def test_a_ball_is_round_in_mm_and_not_in_voxels() -> None:
    _, region = ball((99, 99, 99), (50, 50, 50), 9.0, (0.5, 1.0, 3.0))
    assert region.shape == (37, 19, 7)
    _, seen = disc((99, 99, 99), (50, 50, 50), 1, 9.0, (0.5, 1.0, 3.0))
    assert seen.shape == (37, 1, 7)


def test_the_voxel_under_the_centre_is_always_touched() -> None:
    box, region = disc(SHAPE, (3.4, 5.6, 2.2), 2, 0.001, (1, 1, 1))
    assert box == (slice(3, 4), slice(6, 7), slice(2, 3))
    assert region.all()


@pytest.mark.parametrize("centre", [(-30, 5, 5), (5, 5, 40), (5, 50, 5)])
def test_outside_the_scan_nothing_is_touched(centre) -> None:
    assert disc(SHAPE, centre, 2, 2.0, (1, 1, 1)) is None
    assert ball(SHAPE, centre, 2.0, (1, 1, 1)) is None


def test_at_the_rim_a_mark_is_clipped() -> None:
    box, region = ball(SHAPE, (0, 0, 0), 2.0, (1, 1, 1))
    assert box == (slice(0, 3),) * 3
    assert region.sum() == 4 + 6 + 1


def test_a_cylinder_is_one_disc_in_several_slices() -> None:
    box, region = cylinder(SHAPE, (5, 5, 4), 0, 2.0, (1, 1, 1), slices=4)
    assert box[0] == slice(4, 8)
    _, one = disc(SHAPE, (5, 5, 4), 0, 2.0, (1, 1, 1))
    assert all(np.array_equal(part, one[0]) for part in region)
    clipped, _ = cylinder(SHAPE, (0, 5, 4), 0, 2.0, (1, 1, 1), slices=5)
    assert clipped[0] == slice(0, 3)


@pytest.mark.parametrize(("radius", "slices"), [(0.0, 1), (-1.0, 1), (float("nan"), 1), (1, 0)])
def test_a_brush_without_size_is_refused(radius, slices) -> None:
    with pytest.raises(InputError, match="radius above 0 mm and at least one slice"):
        swept(SHAPE, (1, 1, 1), (1, 1, 1), 2, radius, (1, 1, 1), slices=slices)


def test_a_place_that_is_no_number_is_not_painted() -> None:
    assert ball((5, 5, 5), (float("nan"), 1, 1), 2, (1, 1, 1)) is None
    assert disc((5, 5, 5), (1, float("inf"), 1), 2, 2, (1, 1, 1)) is None
    with pytest.raises(InputError, match="radius above 0"):
        ball((5, 5, 5), (1, 1, 1), float("inf"), (1, 1, 1))


# -- tilted scans ---------------------------------------------------------------------------


@given(places, places, st.sampled_from((None, 0, 1, 2)), st.floats(0.6, 6), STEPS)
@settings(max_examples=40, deadline=None)
def test_on_a_tilted_scan_a_mark_is_round_in_the_patient(
    start, end, axis, radius, matrix
) -> None:
    spacing = tuple(np.linalg.norm(matrix, axis=0))
    got = whole(swept(SHAPE, start, end, axis, radius, spacing, skew_mm=matrix))
    used = [a for a in range(3) if a != axis]
    places_mm = np.indices(SHAPE).reshape(3, -1)[used].T @ matrix[:, used].T
    a, b = (matrix[:, used] @ np.array(p)[used] for p in (start, end))
    d = b - a
    t = np.clip((places_mm - a) @ d / max(d @ d, 1e-30), 0.0, 1.0)
    far = np.linalg.norm(places_mm - a - t[:, None] * d, axis=1).reshape(SHAPE)
    in_slice = np.ones(SHAPE, bool)
    if axis is not None:
        in_slice = np.indices(SHAPE)[axis] == np.floor(end[axis] + 0.5)
    assert not (in_slice & (far <= radius - 1e-6) & ~got).any()
    # Beyond the radius there are only voxels that the line runs through.
    half_a_voxel = np.linalg.norm(spacing) * 1.5 / 2
    assert not (got & (far > max(radius, half_a_voxel) + 1e-6)).any()
    assert not (got & ~in_slice).any()


def test_a_ball_on_a_tilted_scan_reaches_its_radius_and_leaves_out_nothing_within() -> None:
    shape, spacing, centre = (121, 121, 41), (0.8, 0.8, 5.0), (60, 60, 20)
    matrix = steps(spacing, 20.0)
    box, region = ball(shape, centre, 20.0, spacing, skew_mm=matrix)
    got = np.zeros(shape, bool)
    got[box] = region
    away = (np.indices(shape).reshape(3, -1).T - centre) @ matrix.T
    within = np.linalg.norm(away, axis=1).reshape(shape) <= 20.0 + 1e-9
    assert np.array_equal(got, within)


@given(places, places, st.sampled_from((None, 0, 1, 2)), st.floats(0.2, 6), spacings)
@settings(max_examples=40)
def test_at_right_angles_a_mark_has_the_bytes_that_it_always_had(
    start, end, axis, radius, spacing
) -> None:
    mark = swept(SHAPE, start, end, axis, radius, spacing)
    if mark is None:
        return
    box, region = mark
    axes = [a for a in (2, 1, 0) if a != axis]
    lines, way = [], []
    for place, a in enumerate(axes):
        line = (np.arange(box[a].start, box[a].stop) - np.float64(start[a])) * spacing[a]
        lines.append(line.reshape([-1 if place == p else 1 for p in range(len(axes))]))
        way.append(float((np.float64(end[a]) - start[a]) * spacing[a]))
    length2 = sum(w * w for w in way)
    if length2 > 0:
        along = sum(s * (w / length2) for s, w in zip(lines, way, strict=True))
        part = np.clip(along, 0.0, 1.0)
        lines = [s - part * w for s, w in zip(lines, way, strict=True)]
    near = sum(s * s for s in lines) <= radius * radius + 1e-9
    brush._add_line(near, box, np.array(start), np.array(end), axes)
    one = region.T if axis is None else np.take(region.T, 0, axis=2 - axis)
    assert np.array_equal(one, near)
