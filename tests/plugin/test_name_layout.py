"""Names beside points: none covers another or a point, near ones stay near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.plugin.name_layout import laid_out, line_ends, text_size_px

HEIGHT = 18.0


def overlaps(centres: np.ndarray, widths: np.ndarray) -> int:
    """Count the pairs of names that cover each other."""
    count = 0
    for n in range(len(centres)):
        for m in range(n):
            row, column = np.abs(centres[n] - centres[m])
            count += row < HEIGHT - 1e-6 and column < (widths[n] + widths[m]) / 2 - 1e-6
    return count


def test_a_point_alone_has_its_name_on_the_right_without_a_line() -> None:
    (centre,), (apart,) = laid_out([(50.0, 80.0)], [40.0], HEIGHT)
    assert centre == pytest.approx((50, 80 + 20 + 7))
    assert not apart


def test_of_two_neighbours_one_has_its_name_on_the_left() -> None:
    centres, apart = laid_out([(50.0, 80.0), (50.0, 92.0)], [40.0, 40.0], HEIGHT)
    assert centres[0, 1] < 80
    assert centres[1, 1] > 92
    assert not apart.any()


def test_points_in_one_place_get_lines_to_names_further_away() -> None:
    points = np.full((12, 2), 100.0)
    widths = np.full(12, 60.0)
    centres, apart = laid_out(points, widths, HEIGHT)
    assert overlaps(centres, widths) == 0
    assert apart.any()
    ends = line_ends(points, centres, widths, HEIGHT)
    inside = np.abs(ends - centres) <= np.array((HEIGHT / 2, 30.0)) + 1e-6
    assert inside.all()
    assert np.isclose(np.abs(ends - centres), (HEIGHT / 2, 30.0)).any(axis=1).all()


def test_a_name_stays_on_the_screen_where_it_can() -> None:
    screen = [(0.0, 0.0), (200.0, 200.0)]
    points, widths = [(100.0, 190.0), (5.0, 100.0), (300.0, 100.0)], [60.0, 40.0, 40.0]
    centres, apart = laid_out(points, widths, HEIGHT, screen_px=screen)
    assert centres[0] == pytest.approx((100, 190 - 37))
    assert centres[1, 0] - HEIGHT / 2 >= 0
    assert centres[2] == pytest.approx((300, 127))
    assert not apart[[0, 2]].any()


def test_two_names_have_a_gap_between_them_that_is_seen() -> None:
    points = [(50.0, 80.0), (50.0, 170.0), (90.0, 60.0), (90.0, 140.0)]
    widths = np.array([text_size_px(name)[1] for name in ("PMJ", "PC", "VOH", "MB")])
    centres, _ = laid_out(points, widths, HEIGHT)
    for n in range(4):
        for m in range(n):
            row, column = np.abs(centres[n] - centres[m])
            assert row >= HEIGHT + 2 or column >= (widths[n] + widths[m]) / 2 + 8


def test_names_of_several_lines_leave_each_other_and_lines_free() -> None:
    points = [(100.0, 100.0), (110.0, 100.0), (104.0, 90.0)]
    sizes = np.array([text_size_px(w) for w in ("Lesion 1\nlong 15.6 mm", "Node", "L1 top")])
    assert sizes[0, 0] == sizes[1, 0] + 25
    line = np.stack([np.full(30, 100.0), np.linspace(100, 300, 30)], axis=1)
    centres, _ = laid_out(points, sizes[:, 1], sizes[:, 0], [5, 5, 10], None, line)
    for n in range(3):
        assert not (np.abs(line - centres[n]) < sizes[n] / 2).all(axis=1).any()
        for m in range(n):
            assert (np.abs(centres[n] - centres[m]) >= (sizes[n] + sizes[m]) / 2).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 32), st.integers(0, 1000))
def test_no_name_covers_another_however_the_points_lie(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.uniform(0, 200, (count, 2))
    widths = random.uniform(20, 70, count)
    centres, apart = laid_out(points, widths, HEIGHT)
    assert overlaps(centres, widths) == 0
    for centre, width in zip(centres, widths, strict=True):
        covered = np.abs(points - centre) < np.array((HEIGHT / 2 + 4, width / 2 + 4)) - 1e-6
        assert not covered.all(axis=1).any()
    assert (laid_out(points, widths, HEIGHT)[0] == centres).all()
    far = np.linalg.norm(centres - points, axis=1)
    assert (far[~apart] <= widths[~apart] / 2 + 7 + HEIGHT).all()
