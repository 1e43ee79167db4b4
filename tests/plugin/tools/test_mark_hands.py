"""Hands that place landmarks and measure: never on another voxel than the one clicked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_medlabel.measure.lines import values_of
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Kind
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.aiming import Snap, snapped_ras
from napari_medlabel.plugin.tools.mark_hand import MarkHand
from napari_medlabel.plugin.tools.measure_hand import CLICKS, MeasureHand
from napari_medlabel.plugin.tools.nudging import WAYS, Way, shown_step, step_ijk, step_mm
from tests.plugin.tools.conftest import Bench

MARKS = LandmarkSet((Landmark("A", None, "First"), Landmark("B"), Landmark("C", locked=True)))
ORDERS = ["LPS", "RAI", "SRA"]
FLIPPED = ["RAI", "PIR"]
PLANES = ["Axial", "Coronal", "Sagittal"]


def marked(bench: Bench, mode: str = "quick", snap: Snap | None = None) -> MarkHand:
    bench.session.set_landmarks(MARKS)
    bench.session.marking.mode = mode
    hand = MarkHand(bench.kit, bench.session.marking, lambda: snap or Snap())
    bench.holding.take(hand, None)
    return hand


def measuring(bench: Bench, kind: Kind) -> tuple[MeasureHand, list[str]]:
    told: list[str] = []
    hand = MeasureHand(bench.kit, kind, told.append)
    bench.holding.take(hand, None)
    return hand, told


def ras(bench: Bench, *ijk: float) -> tuple[float, ...]:
    return tuple(bench.session.volume.grid.affine.apply(np.array(ijk, float)))


# -- landmarks -----------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ORDERS)
@pytest.mark.parametrize("plane", PLANES)
def test_a_landmark_lies_on_the_voxel_that_was_clicked(
    make_bench: Callable[..., Bench], codes: str, plane: str
) -> None:
    bench = make_bench(codes)
    marked(bench)
    bench.show(plane, 7, 5, 3)
    assert bench.mouse.click(7, 5, 3)
    assert bench.session.landmarks["A"].point_ras == pytest.approx(ras(bench, 7, 5, 3))
    assert bench.session.landmarks["A"].inspected == (plane.lower(),)
    assert bench.session.landmarks["A"].description == "First"
    bench.show(plane, 9, 6, 4)
    bench.mouse.drag((8, 6, 4), (9, 6, 4))
    # Moving across the slice does nothing: the slice that is seen counts.
    assert bench.session.landmarks["B"].point_ras == pytest.approx(ras(bench, 9, 6, 4))


def test_a_draft_is_refined_in_another_plane_and_keeps_its_place_across_it(
    bench: Bench,
) -> None:
    hand = marked(bench, "sequential")
    bench.show("Axial", 7, 5, 3)
    bench.mouse.click(7.2, 5.3, 3)
    assert not bench.session.landmarks["A"].is_placed
    bench.show("Coronal", 7, 5, 3)
    bench.mouse.click(8.4, 5, 4.2)
    draft = bench.session.marking.draft
    assert draft is not None
    assert draft.inspected == {"axial", "coronal"}
    assert draft.point_ras == pytest.approx(ras(bench, 8.4, 5.3, 4.2))
    assert hand.close()
    assert bench.session.landmarks["A"].point_ras == pytest.approx(ras(bench, 8.4, 5.3, 4.2))
    assert bench.session.landmarks["A"].inspected == ("axial", "coronal")
    assert not hand.close()
    assert len(bench.session.history) == 2


def test_hovering_over_the_draft_in_another_plane_counts_as_looking(bench: Bench) -> None:
    marked(bench, "sequential")
    bench.show("Axial", 7, 5, 3)
    bench.mouse.click(7, 5, 3)
    bench.show("Sagittal", 2, 5, 3)
    bench.mouse.move(2, 5, 3)
    draft = bench.session.marking.draft
    assert draft is not None
    assert draft.inspected == {"axial"}
    bench.show("Sagittal", 7, 5, 3)
    bench.mouse.move(7, 9, 3)
    draft = bench.session.marking.draft
    assert draft is not None
    assert draft.inspected == {"axial", "sagittal"}


def test_a_locked_landmark_and_a_click_outside_are_refused_in_words(bench: Bench) -> None:
    marked(bench)
    bench.session.marking.aim("C")
    bench.show("Axial", 7, 5, 3)
    bench.mouse.click(7, 5, 3)
    bench.session.marking.aim(None)
    bench.mouse.click(-2, 5, 3)
    assert [err.message for err in bench.errors] == [
        "This landmark is locked and stays where it is.",
        "The point lies outside of the scan.",
    ]
    assert bench.session.landmarks == MARKS


def test_escape_and_leaving_give_a_draft_up(bench: Bench) -> None:
    hand = marked(bench, "sequential")
    left: list[bool] = []
    hand.left = lambda: left.append(True)
    bench.show("Axial", 7, 5, 3)
    bench.mouse.click(7, 5, 3)
    assert hand.is_busy
    assert hand.cancel()
    assert not hand.is_busy
    bench.mouse.click(7, 5, 3)
    hand.leave()
    assert left == [True]
    assert bench.session.marking.draft is None
    assert bench.session.landmarks == MARKS


@pytest.mark.parametrize("codes", ["LPS", "RAI"])
def test_a_click_snaps_to_the_brightest_place_and_to_an_edge(
    make_bench: Callable[..., Bench], codes: str
) -> None:
    bench = make_bench(codes)
    volume = bench.session.volume
    volume.array[9, 8, 7] = 900
    start = ras(bench, 7, 8, 7)
    found = snapped_ras(volume, start, Snap("max", 4.0))
    index = volume.grid.affine.to_index(np.array(found))
    assert np.abs(index - (9, 8, 7)).max() < 0.5
    volume.array[9, 8, 7] = 100
    edge = snapped_ras(volume, ras(bench, 4, 10, 8), Snap("edge", 6.0))
    # The ball's edge lies between voxels 5 and 6 of i.
    index = volume.grid.affine.to_index(np.array(edge))
    assert abs(np.linalg.norm((index - (12, 10, 8)) * (1, 1, 2)) - 6.0) < 1.0
    marked(bench, snap=Snap("max", 4.0))
    volume.array[9, 8, 7] = 900
    bench.show("Axial", 7, 8, 7)
    bench.mouse.click(7, 8, 7)
    assert bench.session.landmarks["A"].point_ras == pytest.approx(found)


@pytest.mark.parametrize("codes", FLIPPED)
@pytest.mark.parametrize("plane", PLANES)
def test_nudges_go_one_voxel_the_way_the_screen_has_it(
    make_bench: Callable[..., Bench], codes: str, plane: str
) -> None:
    bench = make_bench(codes)
    views = Views(bench.session, bench.kit.binding)
    bench.kit.binding.orientation.show_plane(plane)
    letters = bench.kit.binding.orientation.letters
    sides = {"Left": "left", "Right": "right", "Up": "top", "Down": "bottom"}
    ras_of = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0)}
    ras_of |= {"S": (0, 0, 1), "I": (0, 0, -1)}
    for way in WAYS:
        step = shown_step(views.first, way)
        ijk = step_ijk(views.display, step)
        assert sorted(map(abs, ijk)) == [0, 0, 1]
        mm = step_mm(views.display, step, 0.1)
        assert np.linalg.norm(mm) == pytest.approx(0.1)
        if way in sides:
            wanted = np.array(ras_of[letters[sides[way]]]) * 0.1
            assert mm == pytest.approx(tuple(wanted), abs=1e-9)
    views.detach()


def test_nothing_is_nudged_in_3d(bench: Bench) -> None:
    views = Views(bench.session, bench.kit.binding)
    views.show_plane("3D")
    ways: list[Way] = ["Left", "PageUp"]
    assert all(not shown_step(views.first, way).any() for way in ways)
    assert step_mm(views.display, np.zeros(3), 0.1) == (0.0, 0.0, 0.0)
    views.detach()


# -- measurements --------------------------------------------------------------------------

WAY = {
    "Axial": ((4, 5, 3), (10, 5, 3), (7, 4, 3), (7, 9, 3)),
    "Coronal": ((4, 5, 3), (10, 5, 3), (7, 5, 2), (7, 5, 6)),
    "Sagittal": ((7, 2, 3), (7, 9, 3), (7, 5, 1), (7, 5, 6)),
}


@pytest.mark.parametrize("codes", FLIPPED)
@pytest.mark.parametrize("plane", PLANES)
def test_a_dragged_line_has_its_ends_at_the_voxels(
    make_bench: Callable[..., Bench], codes: str, plane: str
) -> None:
    bench = make_bench(codes)
    measuring(bench, "line")
    start, end = WAY[plane][:2]
    bench.show(plane, *start)
    bench.mouse.drag(start, end)
    (one,) = bench.session.measurements
    assert one.array == pytest.approx(np.array([ras(bench, *start), ras(bench, *end)]))
    bench.mouse.click(*start)
    bench.mouse.click(*end)
    assert len(bench.session.measurements) == 2
    bench.session.undo()
    bench.session.undo()
    assert len(bench.session.measurements) == 0


@pytest.mark.parametrize("plane", PLANES)
def test_the_second_pair_is_made_perpendicular(
    make_bench: Callable[..., Bench], plane: str
) -> None:
    bench = make_bench("RAI")
    measuring(bench, "bidirectional")
    start, end, short, other = (np.array(p, float) for p in WAY[plane])
    bench.show(plane, *start.astype(int))
    bench.mouse.drag(tuple(start), tuple(end))
    bench.mouse.drag(tuple(short), tuple(other + 0.2 * (end - start)))
    (one,) = bench.session.measurements
    long_axis, short_axis = np.diff(one.array.reshape(2, 2, 3), axis=1)[:, 0]
    assert long_axis @ short_axis == pytest.approx(0, abs=1e-9)
    # The longer one is the long axis, whichever was drawn first.
    spacing = np.array(bench.kit.spacing_mm)
    drawn = [np.abs((b - a) * spacing).max() for a, b in ((start, end), (short, other))]
    second = 2 if drawn[1] <= drawn[0] else 0
    assert one.array[second] == pytest.approx(np.array(ras(bench, *short)))
    assert [v.value for v in values_of(one)] == pytest.approx(sorted(drawn, reverse=True))


def test_regions_angles_and_curves_are_drawn(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    measuring(bench, "ellipse")
    bench.mouse.drag((9, 7, 8), (15, 13, 8))
    measuring(bench, "box")
    bench.mouse.drag((15, 13, 8), (9, 7, 8))
    measuring(bench, "angle")
    for place in ((9, 7, 8), (9, 13, 8), (15, 13, 8)):
        bench.mouse.click(*place)
    hand, told = measuring(bench, "curve")
    for place in ((9, 7, 8), (9, 13, 8), (15, 13, 8)):
        bench.mouse.click(*place)
    assert hand.close()
    measuring(bench, "closed-curve")
    bench.mouse.drag((9, 7, 8), (15, 7, 8), (15, 13, 8), (9, 13, 8))
    found = {one.kind: one for one in bench.session.measurements}
    assert list(found) == ["ellipse", "box", "angle", "curve", "closed-curve"]
    values = {
        kind: values_of(one, bench.session.volume.array, bench.session.volume.grid.affine)
        for kind, one in found.items()
    }
    assert values["ellipse"][0].value == pytest.approx(np.pi * 9)
    assert values["box"][0].value == pytest.approx(36)
    assert values["angle"][0].value == pytest.approx(90)
    assert values["curve"][0].value == pytest.approx(12)
    assert values["closed-curve"][1].value == pytest.approx(36)
    assert {v.name: v.value for v in values["ellipse"]}["mean"] == 200
    assert bench.session.history.undo_name == "Draw closed curve"
    assert any("mm" in words for words in told)
    assert not bench.errors


def test_a_region_stays_on_its_slice_and_a_line_may_leave_it(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    measuring(bench, "ellipse")
    bench.mouse.click(9, 7, 8)
    bench.show("Axial", 12, 10, 9)
    bench.mouse.move(12, 10, 9)
    bench.mouse.click(15, 13, 9)
    assert [err.message for err in bench.errors] == [
        "This measurement lies on one slice; it was begun on another one."
    ]
    assert not len(bench.session.measurements)
    measuring(bench, "line")
    bench.mouse.click(9, 7, 9)
    bench.show("Axial", 12, 10, 2)
    bench.mouse.click(9, 7, 2)
    (one,) = bench.session.measurements
    assert values_of(one)[0].value == pytest.approx(14.0)


@pytest.mark.parametrize("kind", list(CLICKS))
def test_what_is_begun_can_be_taken_back_point_by_point(bench: Bench, kind: Kind) -> None:
    bench.show("Axial", 12, 10, 8)
    hand, _ = measuring(bench, kind)
    assert not hand.step_back()
    assert not hand.close()
    bench.mouse.click(9, 7, 8)
    bench.mouse.move(12, 9, 8)
    assert hand.is_busy
    assert hand.step_back()
    assert not hand.is_busy
    bench.mouse.click(9, 7, 8)
    assert hand.cancel()
    hand.leave()
    assert not len(bench.session.measurements)
    assert [type(layer).__name__ for layer in bench.kit.binding.viewer.layers] == [
        "Image",
        "Labels",
        "Points",
    ]


def test_a_line_of_no_length_is_refused(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    measuring(bench, "line")
    bench.mouse.click(9, 7, 8)
    bench.mouse.click(9, 7, 8)
    assert [err.message for err in bench.errors] == ["This has no length."]
    assert not len(bench.session.measurements)
