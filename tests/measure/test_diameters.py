from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.measure.diameters import bidirectional, longest_line
from tests.tilted import STEPS

SPACINGS = st.tuples(*(st.floats(0.3, 4.0) for _ in range(3)))


def faces(mask: np.ndarray) -> np.ndarray:
    """Return the middle of every face between inside and outside."""
    padded = np.pad(mask, 1)
    found = []
    for at in np.argwhere(mask):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                near = at + 1
                near[axis] += step
                if not padded[tuple(near)]:
                    point = at.astype(float)
                    point[axis] += step / 2
                    found.append(point)
    return np.array(found)


def longest(points: np.ndarray) -> float:
    return max(float(np.linalg.norm(a - b)) for a, b in combinations(points, 2))


@given(arrays(np.bool_, (3, 4, 3)), SPACINGS)
@settings(max_examples=40)
def test_the_longest_line_is_that_of_a_search_through_all_faces(mask, spacing) -> None:
    found = longest_line(mask, spacing, (5, 6, 7))
    if not mask.any():
        assert found is None
        assert bidirectional(mask, spacing) is None
        return
    assert found.length_mm == pytest.approx(longest(faces(mask) * spacing))
    ends = np.array([found.start, found.end])
    assert np.linalg.norm((ends[1] - ends[0]) * spacing) == pytest.approx(found.length_mm)
    for end in ends - (5, 6, 7):
        assert np.linalg.norm(faces(mask) - end, axis=1).min() == pytest.approx(0.0, abs=1e-9)
    both = bidirectional(mask, spacing)
    by_slice = [
        longest(faces(mask[..., k]) * spacing[:2]) if mask[..., k].any() else 0.0
        for k in range(mask.shape[2])
    ]
    assert both.long.length_mm == pytest.approx(max(by_slice))
    assert by_slice[both.slice] == pytest.approx(max(by_slice))
    assert both.short.length_mm <= both.long.length_mm + 1e-9
    along, across = (
        (np.array(line.end) - line.start)[:2] * spacing[:2] for line in (both.long, both.short)
    )
    assert float(along @ across) == pytest.approx(0.0, abs=1e-6)


def test_one_voxel_is_as_long_as_it_is() -> None:
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 3, 1] = True
    assert longest_line(mask, (1.0, 2.0, 3.0)).length_mm == 3.0
    both = bidirectional(mask, (1.0, 2.0, 3.0))
    assert (both.slice, both.long.length_mm, both.short.length_mm) == (1, 2.0, 1.0)


def test_an_ellipse_has_its_two_axes() -> None:
    i, j, _ = np.indices((80, 80, 2))
    u, v = (i - 40 + j - 40) / np.sqrt(2), (i - 40 - j + 40) / np.sqrt(2)
    mask = (u / 30) ** 2 + (v / 12) ** 2 <= 1
    both = bidirectional(mask, (0.5, 0.5, 5.0))
    assert both.long.length_mm == pytest.approx(30.0, abs=0.6)
    assert both.short.length_mm == pytest.approx(12.0, abs=0.6)


@given(arrays(np.bool_, (3, 4, 3)), STEPS)
@settings(max_examples=40, deadline=None)
def test_on_a_tilted_scan_lines_are_the_longest_in_the_patient(mask, matrix) -> None:
    if not mask.any():
        return
    spacing = tuple(np.linalg.norm(matrix, axis=0))
    found = longest_line(mask, spacing, (5, 6, 7), skew_mm=matrix)
    assert found.length_mm == pytest.approx(longest(faces(mask) @ matrix.T))
    ends = np.array([found.start, found.end])
    assert np.linalg.norm(matrix @ (ends[1] - ends[0])) == pytest.approx(found.length_mm)
    both = bidirectional(mask, spacing, skew_mm=matrix)
    by_slice = [
        longest(faces(mask[..., k]) @ matrix[:, :2].T) if mask[..., k].any() else 0.0
        for k in range(mask.shape[2])
    ]
    assert both.long.length_mm == pytest.approx(max(by_slice))
    lines = [matrix @ np.subtract(line.end, line.start) for line in (both.long, both.short)]
    for line, mm in zip(lines, (both.long.length_mm, both.short.length_mm), strict=True):
        assert np.linalg.norm(line) == pytest.approx(mm)
    assert float(lines[0] @ lines[1]) == pytest.approx(0.0, abs=1e-6)
