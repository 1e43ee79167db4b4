"""Outlines of two slices and those between them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import napari_medlabel.edit as package
from napari_medlabel.edit import morph
from napari_medlabel.edit.morph import blank, blend, evenly, fill, morphs, render


def drawn(
    first: np.ndarray, last: np.ndarray, at: float, spacing: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    claim = np.zeros(first.shape, np.uint8)
    score, nowhere = blank(first.shape), np.zeros(first.shape, bool)
    for shape in morphs(first, last, spacing):
        render(shape, at, 1, claim, score)
    out = np.zeros_like(claim)
    assert fill(out, claim, score, nowhere) == np.count_nonzero(out)
    return out > 0


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    u, v = np.ogrid[: shape[0], : shape[1]]
    return (u - centre[0]) ** 2 + (v - centre[1]) ** 2 <= radius**2


def brute_blend(
    first: np.ndarray, last: np.ndarray, spacing: tuple[float, float]
) -> np.ndarray:
    """Return the margin half-way by looking at all pairs of pixels."""
    at = np.stack(np.nonzero(np.ones_like(first)), axis=1) * np.asarray(spacing)
    away = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    signed = []
    for part in (first.ravel(), last.ravel()):
        other = np.where(part[:, None] != part[None], away, np.inf).min(axis=1)
        signed.append(np.where(part, 1, -1) * (other - min(spacing) / 2))
    one, two = signed
    differ = first.ravel() != last.ravel()
    margin = 0.5 * (one + two) / (abs(one) + abs(two))
    plain = np.where(first & last, 1.0, -1.0).ravel()
    return np.where(differ, margin, plain).reshape(first.shape)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    shape = draw(st.tuples(st.integers(3, 9), st.integers(3, 9)))
    first, last = draw(arrays(bool, shape)), draw(arrays(bool, shape))
    spacing = draw(st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 1.3, 2.0])] * 2))
    return first, last, spacing


@given(pairs())
@settings(deadline=None, max_examples=25)
def test_margins_are_those_of_a_search_through_all_pixels(
    pair: tuple[np.ndarray, np.ndarray, tuple[float, float]],
) -> None:
    first, last = (np.pad(part, 1) for part in pair[:2])
    first[1, 1] = last[2, 2] = True
    one, two = blend(first, last, pair[2])
    np.testing.assert_allclose((one + two) / 2, brute_blend(first, last, pair[2]), atol=1e-5)


@given(pairs(), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]))
@settings(deadline=None, max_examples=25)
def test_without_numba_the_answer_is_the_same(
    pair: tuple[np.ndarray, np.ndarray, tuple[float, float]], at: float
) -> None:
    first, last, spacing = pair
    fast = drawn(first, last, at, spacing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(morph, "_kernels", lambda: None)
        slow = drawn(first, last, at, spacing)
    np.testing.assert_array_equal(fast, slow)


def test_a_missing_numba_is_noticed_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "napari_medlabel.edit.morph_kernels", raising=False)
    monkeypatch.delattr(package, "morph_kernels", raising=False)
    morph._kernels.cache_clear()
    try:
        assert morph._kernels() is None
    finally:
        morph._kernels.cache_clear()


@given(pairs())
@settings(deadline=None, max_examples=25)
def test_at_both_ends_the_drawn_shapes_come_back(
    pair: tuple[np.ndarray, np.ndarray, tuple[float, float]],
) -> None:
    first, last, spacing = pair
    np.testing.assert_array_equal(drawn(first, last, 0.0, spacing), first)
    np.testing.assert_array_equal(drawn(first, last, 1.0, spacing), last)


@pytest.mark.parametrize("at", [0.25, 0.5, 0.75])
def test_a_disc_that_grows_keeps_round_and_its_area_grows_evenly(at: float) -> None:
    shape = (61, 61)
    first, last = disc(shape, (30, 30), 8), disc(shape, (30, 30), 24)
    between = drawn(first, last, at)
    wanted = (1 - at) * first.sum() + at * last.sum()
    assert between.sum() == pytest.approx(wanted, rel=0.02)
    radius = np.sqrt(wanted / np.pi)
    assert not (between & ~disc(shape, (30, 30), radius + 1)).any()
    assert not (disc(shape, (30, 30), radius - 1) & ~between).any()


@given(pairs())
@settings(deadline=None, max_examples=25)
def test_the_order_of_the_pixels_stays_when_their_pace_is_evened(
    pair: tuple[np.ndarray, np.ndarray, tuple[float, float]],
) -> None:
    first, last = (np.pad(part, 1) for part in pair[:2])
    first[1, 1] = last[2, 2] = True
    one, two = blend(first, last, pair[2])
    even_one, even_two = one.copy(), two.copy()
    evenly(even_one, even_two)
    for changes in (first & ~last, last & ~first):
        then, now = np.abs(one[changes]), np.abs(even_one[changes])
        assert (np.diff(now[np.argsort(then, kind="stable")]) >= 0).all()
        assert not changes.any() or now.mean() == pytest.approx(0.5, abs=1e-4)
    for one_way, other in ((one, even_one), (two, even_two)):
        np.testing.assert_array_equal(np.sign(one_way), np.sign(other))
        np.testing.assert_array_equal(one_way[first == last], other[first == last])


def test_where_two_want_a_pixel_the_one_before_keeps_it() -> None:
    claim, score = np.zeros((9, 9), np.uint8), blank((9, 9))
    small, large = disc((9, 9), (4, 4), 1), disc((9, 9), (4, 4), 3)
    for value, part in ((2, small), (1, large)):
        for shape in morphs(part, part, (1.0, 1.0)):
            render(shape, 0.5, value, claim, score)
    np.testing.assert_array_equal(claim == 2, small)
    np.testing.assert_array_equal(claim == 1, large & ~small)


def test_a_disc_that_moved_away_is_carried_along() -> None:
    shape = (30, 60)
    middle = drawn(disc(shape, (15, 10), 6), disc(shape, (15, 30), 6), 0.5)
    np.testing.assert_array_equal(middle, disc(shape, (15, 20), 6))


def test_two_discs_side_by_side_each_go_their_way() -> None:
    shape = (40, 60)
    first = disc(shape, (8, 10), 5) | disc(shape, (30, 10), 5)
    last = disc(shape, (8, 24), 5) | disc(shape, (30, 24), 5)
    expected = disc(shape, (8, 17), 5) | disc(shape, (30, 17), 5)
    np.testing.assert_array_equal(drawn(first, last, 0.5), expected)


def test_spacing_decides_which_part_is_near() -> None:
    lone = np.zeros((30, 60), bool)
    lone[14:17, 5:8] = True
    moved = np.roll(lone, 6, axis=1)
    assert drawn(lone, moved, 0.5)[14:17, 8:11].all()
    # The same pixels, six times as far apart for their size.
    assert drawn(lone, moved, 0.5, (0.05, 1.0)).sum() == 0


def test_one_part_that_becomes_two_reaches_both() -> None:
    shape = (60, 40)
    trunk = disc(shape, (30, 20), 9)
    branches = disc(shape, (19, 20), 6) | disc(shape, (41, 20), 6)
    for at in (0.25, 0.5, 0.75):
        middle = drawn(trunk, branches, at)
        assert middle[30 - round(11 * at), 20]
        assert middle[30 + round(11 * at), 20]
        assert 0.6 * branches.sum() < middle.sum() < 1.6 * trunk.sum()
        np.testing.assert_array_equal(middle, drawn(branches, trunk, 1 - at))
    assert drawn(trunk, branches, 0.2)[30, 20]  # no crack where the trunk is shared


def test_a_part_without_a_partner_ends_half_way_and_round() -> None:
    part = disc((31, 31), (15, 15), 10)
    sizes = [int(drawn(part, np.zeros_like(part), at).sum()) for at in (0.1, 0.3, 0.49, 0.6)]
    assert part.sum() > sizes[0] > sizes[1] > sizes[2]
    assert sizes[3] == 0
    # The area of an ellipsoid's section falls in proportion.
    assert sizes[1] == pytest.approx(0.4 * part.sum(), rel=0.15)


def test_a_speck_beside_an_organ_is_not_made_a_branch() -> None:
    shape = (80, 80)
    organ, speck = disc(shape, (30, 30), 25), disc(shape, (62, 62), 2)
    middle = drawn(organ, organ | speck, 0.25)
    np.testing.assert_array_equal(middle, organ)
    assert drawn(organ, organ | speck, 0.9)[62, 62]


def test_a_voxel_that_is_taken_is_not_drawn_on() -> None:
    part = disc((21, 21), (10, 10), 6)
    claim, taken = np.zeros(part.shape, np.uint8), np.zeros(part.shape, bool)
    taken[:, :10] = True
    score, out = blank(taken.shape), np.where(taken, 9, 0).astype(np.uint8)
    for shape in morphs(part, part, (1.0, 1.0)):
        render(shape, 0.5, 1, claim, score)
    fill(out, claim, score, ~taken & ~part)
    np.testing.assert_array_equal(out == 1, part & ~taken)
    assert (out[taken] == 9).all()


def test_many_parts_are_paired_in_reasonable_time() -> None:
    rng = np.random.default_rng(3)
    first, last = (rng.random((60, 60)) < 0.2 for _ in range(2))
    assert drawn(first, last, 0.5).any()
