"""Outlines enclose exactly the pixel centres that the even-odd rule says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.outline import fill_outline, polygon
from napari_medlabel.edit.scene import Scene
from napari_medlabel.errors import InputError

eighths = st.integers(-24, 80).map(lambda n: n / 8)
corners = st.lists(st.tuples(eighths, eighths), min_size=3, max_size=8)


def enclosed_exactly(points: list[tuple[float, float]], u: int, v: int) -> bool:
    """Even-odd rule in fractions; on the outline is inside."""
    exact = [(Fraction(a), Fraction(b)) for a, b in points]
    odd = False
    for (a0, b0), (a1, b1) in zip(exact, exact[1:] + exact[:1], strict=True):
        cross = (a1 - a0) * (v - b0) - (u - a0) * (b1 - b0)
        within = min(a0, a1) <= u <= max(a0, a1) and min(b0, b1) <= v <= max(b0, b1)
        if cross == 0 and within:
            return True
        if (a0 > u) != (a1 > u) and v < b0 + (u - a0) * (b1 - b0) / (a1 - a0):
            odd = not odd
    return odd


@given(corners)
@settings(max_examples=30)
def test_it_is_exact_at_every_pixel_centre(points) -> None:
    got = polygon((7, 8), points)
    for (u, v), inside in np.ndenumerate(got):
        assert inside == enclosed_exactly(points, u, v), (u, v)


@given(corners)
@settings(max_examples=20)
def test_a_mirrored_outline_encloses_the_mirrored_pixels(points) -> None:
    mirrored = [(8 - u, v) for u, v in points]
    assert np.array_equal(polygon((9, 10), points)[::-1], polygon((9, 10), mirrored))


@pytest.mark.parametrize("points", [[], [(1, 1)], [(1, 1), (2, 2)]])
def test_too_few_corners_are_refused(points) -> None:
    with pytest.raises(InputError, match="at least 3 corners"):
        polygon((9, 9), points)


def test_a_corner_that_is_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="is nowhere"):
        polygon((9, 9), [(0, 0), (1, np.nan), (2, 2)])


def scene(masking: Masking | None = None, value: int = 0) -> Scene:
    labels = np.full((5, 9, 10), value, np.uint8).T
    return Scene(labels, np.zeros((5, 9, 10), np.int16).T, (1, 1, 2), masking or Masking())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_square_is_filled_in_each_plane(axis) -> None:
    square = np.array([(1, 1), (1, 3.4), (3.4, 3.4), (3.4, 1)])
    points = np.insert(square, axis, 2.2, axis=1)
    proposal = fill_outline(scene(), points, axis, 7)
    assert proposal is not None
    got = np.zeros((10, 9, 5), np.uint8)
    got[proposal.box] = proposal.after
    expected = np.zeros_like(got)
    where = [slice(1, 4)] * 3
    where[axis] = slice(2, 3)
    expected[tuple(where)] = 7
    assert np.array_equal(got, expected)
    assert (proposal.provider, proposal.origin, proposal.values) == ("", "human", (7,))


def test_it_goes_through_several_slices() -> None:
    points = [(1, 1, 2), (1, 4, 2), (4, 4, 2)]
    proposal = fill_outline(scene(), points, 2, 7, slices=3)
    assert proposal is not None
    assert proposal.box[2] == slice(1, 4)
    assert proposal.changed.sum() == 3 * 10


def test_erasing_takes_one_label_and_leaves_the_others() -> None:
    around = [(-5, -5, 2), (-5, 50, 2), (50, 50, 2), (50, -5, 2)]
    here = scene(value=3)
    here.labels[:4] = 2
    proposal = fill_outline(here, around, 2, 3, erase=True)
    assert proposal is not None
    assert set(np.unique(proposal.after)) == {0, 2}
    every = fill_outline(here, around, 2, 0, erase=True)
    assert every is not None
    assert not every.after.any()


def test_a_locked_label_is_not_drawn_over() -> None:
    points = [(1, 1, 2), (1, 4, 2), (4, 4, 2)]
    assert fill_outline(scene(Masking(locked=frozenset({3})), 3), points, 2, 7) is None


def test_an_outline_beside_the_scan_changes_nothing() -> None:
    assert fill_outline(scene(), [(20, 20, 2), (20, 24, 2), (24, 24, 2)], 2, 7) is None
    assert fill_outline(scene(), [(1.2, 1.2, 2), (1.2, 1.4, 2), (1.4, 1.4, 2)], 2, 7) is None


def test_a_slice_outside_and_a_line_are_refused() -> None:
    with pytest.raises(InputError, match="no slice 9"):
        fill_outline(scene(), [(1, 1, 9), (1, 4, 9), (4, 4, 9)], 2, 7)
    with pytest.raises(InputError, match="at least 3 corners"):
        fill_outline(scene(), [(1, 1, 2), (1, 4, 2)], 2, 7)
