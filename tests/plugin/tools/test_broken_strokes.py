"""Strokes that something breaks into: a second press at once, a key, a view turned 3D."""

from __future__ import annotations

import numpy as np
import pytest

from tests.plugin.tools.conftest import Bench


def _fill(bench: Bench, value: int) -> None:
    """Give a rough block a label, so that there is something to smooth or to erase."""
    block = np.zeros(bench.kit.shape, np.uint8)
    block[4:20:2, 4:16, 4:12] = value
    bench.session.edit((slice(None, 24), slice(None, 20), slice(None, 16)), block, name="Fill")


def test_keys_held_in_a_window_reach_the_tool_by_their_names(bench: Bench) -> None:
    from vispy.util.keys import SHIFT

    bench.take("brush", size_mm=10.0)
    assert bench.mouse.wheel(12, 10, 8, steps=1.0, modifiers=(SHIFT,))
    assert bench.kit.choices.size_mm == 12.0


@pytest.mark.parametrize("tool", ["brush", "edge"])
def test_the_second_of_two_quick_strokes_is_painted_as_a_step_of_its_own(
    bench: Bench, tool: str
) -> None:
    bench.take(tool, size_mm=0.2)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(12, 8, 8)
    assert bench.mouse.press_again(12, 10, 8), "else the view is enlarged"
    bench.mouse.move(12, 12, 8)
    bench.mouse.release(12, 12, 8)
    assert np.flatnonzero(bench.labels[12, :, 8]).tolist() == [8, 10, 11, 12]
    assert len(bench.session.history) == 2


def test_a_quick_second_press_erases_and_smooths_too(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    _fill(bench, 1)
    for tool in ("eraser", "smoother"):
        hand = bench.take(tool, size_mm=6.0)
        assert bench.mouse.press_again(12, 10, 8)
        assert hand.is_busy
        bench.mouse.move(14, 12, 8)
        bench.mouse.release(14, 12, 8)
        assert not hand.is_busy
    assert [bench.session.history.undo_name, len(bench.session.history)] == ["Smooth", 3]


def test_a_quick_second_seed_is_a_seed(bench: Bench) -> None:
    hand = bench.take("grow", size_mm=3.0)
    bench.show("Axial", 12, 10, 8)
    assert bench.mouse.press_again(12, 10, 8)
    assert hand.is_busy
    bench.mouse.release(12, 10, 8)
    assert hand.step_back()
    hand.leave()


def test_a_quick_second_outline_is_drawn_and_a_begun_one_is_closed(bench: Bench) -> None:
    bench.take("outline")
    bench.show("Axial", 12, 10, 8)
    assert bench.mouse.press_again(5, 5, 8)
    for place in ((15, 5, 8), (15, 14, 8), (5, 14, 8)):
        bench.mouse.move(*place)
    bench.mouse.release(5, 14, 8)
    drawn = np.count_nonzero(bench.labels)
    assert drawn
    bench.session.undo()
    for corner in ((5, 5, 8), (15, 5, 8), (15, 14, 8), (5, 14, 8)):
        bench.mouse.click(*corner)
    assert bench.mouse.press_again(5, 14, 8)
    bench.mouse.release(5, 14, 8)
    assert np.count_nonzero(bench.labels) == drawn
    bench.session.undo()
    assert not bench.labels.any()


def test_a_tool_that_does_not_paint_leaves_the_double_click(bench: Bench) -> None:
    bench.take("flood")
    bench.show("Axial", 12, 10, 8)
    assert not bench.mouse.press_again(12, 10, 8)
    assert not bench.proposals


@pytest.mark.parametrize("tool", ["brush", "edge", "eraser", "smoother"])
def test_putting_a_tool_down_ends_its_stroke_as_a_step(bench: Bench, tool: str) -> None:
    _fill(bench, 1 if tool in {"eraser", "smoother"} else 2)
    hand = bench.take(tool, size_mm=6.0)
    bench.show("Axial", 12, 10, 8)
    before = bench.labels.copy()
    bench.mouse.press(12, 10, 8)
    bench.mouse.move(14, 10, 8)
    hand.leave()
    bench.holding.drop()
    assert not hand.is_busy
    after = bench.labels.copy()
    assert not np.array_equal(after, before)
    assert len(bench.session.history) == 2
    bench.mouse.move(18, 10, 8)
    bench.mouse.release(18, 10, 8)
    assert np.array_equal(bench.labels, after)
    bench.session.undo()
    assert np.array_equal(bench.labels, before)


@pytest.mark.parametrize("tool", ["brush", "eraser", "smoother", "grow", "outline"])
def test_a_view_turned_3d_ends_the_stroke_until_the_next_press(bench: Bench, tool: str) -> None:
    _fill(bench, 1)
    hand = bench.take(tool, size_mm=6.0)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.press(12, 10, 8)
    for place in ((14, 10, 8), (14, 12, 8), (12, 12, 8)):
        bench.mouse.move(*place)
    assert hand.is_busy
    bench.kit.binding.orientation.show_plane("3D")
    bench.mouse.move(16, 10, 8)
    assert not hand.is_busy
    after = bench.labels.copy()
    bench.kit.binding.orientation.show_plane("Axial")
    bench.mouse.move(18, 10, 8)
    bench.mouse.release(18, 10, 8)
    assert not hand.is_busy
    assert np.array_equal(bench.labels, after)
    assert not bench.errors
    hand.leave()


@pytest.mark.parametrize("tool", ["brush", "edge", "tracing", "outline", "flood"])
def test_label_0_paints_nothing_and_says_what_to_choose(bench: Bench, tool: str) -> None:
    bench.take(tool)
    bench.show("Axial", 12, 10, 8)
    bench.kit.binding.labels.selected_label = 0
    bench.mouse.drag((10, 8, 8), (14, 8, 8), (14, 12, 8), (10, 12, 8), (10, 10, 8))
    assert not bench.labels.any()
    assert "Label 0" in str(bench.errors[0])
    assert "eraser" in bench.errors[0].hint


def test_label_0_in_hand_still_erases(bench: Bench) -> None:
    _fill(bench, 1)
    bench.take("brush", size_mm=6.0)
    bench.show("Axial", 12, 10, 8)
    bench.kit.binding.labels.selected_label = 0
    assert bench.labels[12, 10, 8] == 1
    bench.mouse.click(12, 10, 8, button=2)
    assert bench.labels[12, 10, 8] == 0
    assert not bench.errors
