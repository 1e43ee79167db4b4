"""Hands without a window: napari's events in, labels out, undo back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.brush import disc
from napari_medlabel.edit.masking import Masking
from napari_medlabel.plugin.tools.kit import next_size
from napari_medlabel.plugin.tools.seed_hand import Seeds
from napari_medlabel.plugin.tools.waiting import Waiting
from tests.plugin.tools.conftest import Bench

PLANES = {"Axial": 2, "Coronal": 1, "Sagittal": 0}


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PSL"])
def test_a_click_paints_the_voxel_under_it_in_every_plane(
    make_bench: Callable[..., Bench], codes: str
) -> None:
    bench = make_bench(codes)
    bench.take("brush", size_mm=0.2)
    place = (5, 12, 6)
    for plane in PLANES:
        bench.show(plane, *place)
        assert bench.mouse.click(*place)
        assert np.argwhere(bench.labels).tolist() == [list(place)], plane
        assert bench.session.history.undo_name == "Paint"
        bench.session.undo()
        assert not bench.labels.any()


@pytest.mark.parametrize("plane", PLANES)
def test_a_brush_is_round_in_mm_and_flat_in_the_plane_that_is_seen(
    bench: Bench, plane: str
) -> None:
    axis = PLANES[plane]
    bench.take("brush", size_mm=6.0)
    bench.show(plane, 12, 10, 8)
    bench.mouse.click(12, 10, 8)
    box, region = disc(bench.kit.shape, (12, 10, 8), axis, 3.0, bench.kit.spacing_mm)
    wanted = np.zeros(bench.kit.shape, bool)
    wanted[box] = region
    assert np.array_equal(bench.labels == 1, wanted)


def test_a_fast_stroke_has_no_gap_and_is_one_step(bench: Bench) -> None:
    bench.take("brush", size_mm=0.2)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.drag((2, 2, 8), (21, 17, 8))
    painted = np.argwhere(bench.labels[:, :, 8])
    assert set(range(2, 22)) == set(painted[:, 0])
    steps = np.abs(np.diff(painted[np.argsort(painted[:, 0])], axis=0))
    assert steps.max() <= 1
    assert bench.session.history.undo_name == "Paint"
    assert len(bench.session.history) == 1


def test_in_3d_the_brush_is_a_ball_and_in_a_slab_it_has_its_slices(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    bench.take("brush", size_mm=8.0, extent="3D")
    bench.mouse.click(12, 10, 8)
    ball = np.argwhere(bench.labels)
    assert (ball.max(axis=0) - ball.min(axis=0)).tolist() == [8, 8, 4]
    bench.session.undo()
    bench.take("brush", size_mm=2.0, extent="slab")
    bench.mouse.click(12, 10, 8)
    assert np.flatnonzero(bench.labels.any(axis=(0, 1))).tolist() == [7, 8, 9]


def test_the_right_button_erases_and_so_does_the_eraser(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    for tool, button in (("brush", 2), ("eraser", 1), ("edge", 2)):
        bench.take("brush", size_mm=6.0)
        bench.mouse.click(12, 10, 8)
        bench.take(tool, size_mm=6.0)
        bench.mouse.click(12, 10, 8, button=button)
        assert not bench.labels.any()
        assert bench.session.history.undo_name == "Erase"


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (Masking(), {}),
        (Masking(overwrite="none"), {2: 400, 3: 400}),
        (Masking(overwrite="visible", hidden=frozenset({1, 3})), {3: 400}),
        (Masking(locked=frozenset({2})), {2: 400}),
    ],
)
def test_the_eraser_takes_all_labels_that_the_rules_let_it(
    bench: Bench, rules: Masking, left: dict[int, int]
) -> None:
    bench.show("Axial", 12, 10, 8)
    for value, k in ((1, 7), (2, 8), (3, 9)):
        box = (slice(2, 22), slice(0, 20), slice(k, k + 1))
        bench.session.edit(box, np.full((20, 20, 1), value, np.uint8), name="Fill")
    bench.session.bench.masking = rules
    bench.take("eraser", size_mm=80.0, extent="3D")
    bench.mouse.click(12, 10, 8)
    assert bench.session.labels.voxel_counts() == left


def test_escape_takes_the_stroke_back_and_no_more_of_it_is_painted(bench: Bench) -> None:
    hand = bench.take("brush")
    bench.show("Axial", 12, 10, 8)
    bench.mouse.press(12, 10, 8)
    assert hand.is_busy
    assert bench.labels.any()
    assert hand.cancel()
    bench.mouse.move(3, 3, 8)
    bench.mouse.release(3, 3, 8)
    assert not bench.labels.any()
    assert len(bench.session.history) == 0


def test_a_locked_segment_is_not_painted_through_and_the_person_hears_it(bench: Bench) -> None:
    bench.session.edit(
        (slice(0, 24), slice(0, 20), slice(8, 9)),
        np.full((24, 20, 1), 2, np.uint8),
        name="Fill",
    )
    bench.session.bench.masking = Masking(locked=frozenset({2}))
    bench.take("brush", size_mm=6.0)
    bench.show("Axial", 12, 10, 8)
    before = bench.labels.copy()
    bench.mouse.drag((12, 10, 8), (15, 12, 8))
    assert np.array_equal(bench.labels, before)
    bench.kit.binding.labels.selected_label = 2
    bench.mouse.click(12, 10, 7)
    assert np.array_equal(bench.labels, before)
    assert "locked" in bench.said[-1]


def test_a_label_that_the_scheme_does_not_know_is_refused(bench: Bench) -> None:
    bench.take("brush")
    bench.show("Axial", 12, 10, 8)
    bench.kit.binding.labels.selected_label = 99
    bench.mouse.click(12, 10, 8)
    assert bench.errors
    assert not bench.labels.any()


def test_the_edge_brush_stays_in_the_ball_that_it_begins_in(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    bench.session.volume.array[...] += rng.integers(0, 5, bench.kit.shape).astype(np.int16)
    bench.take("edge", size_mm=18.0)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(12, 10, 8)
    inside = bench.session.volume.array >= 200
    assert bench.labels.any()
    assert not bench.labels[~inside].any()


def test_shift_and_the_wheel_change_the_size_and_the_wheel_alone_is_naparis(
    bench: Bench,
) -> None:
    bench.take("brush", size_mm=10.0)
    assert bench.mouse.wheel(12, 10, 8, steps=1.0, modifiers=("Shift",))
    assert bench.kit.choices.size_mm == 12.0
    assert bench.mouse.wheel(12, 10, 8, steps=-1.0, modifiers=("Shift",))
    assert bench.kit.choices.size_mm == 10.0
    assert not bench.mouse.wheel(12, 10, 8, steps=1.0)
    assert next_size(0.2, -1) == 0.2
    assert next_size(0.2, 1) == 0.3
    assert next_size(0.3, -1) == 0.2
    assert next_size(300, 1) == 300


def test_a_dragged_outline_is_filled_and_its_sketch_is_gone(bench: Bench) -> None:
    bench.take("outline")
    bench.show("Axial", 12, 10, 8)
    layers = list(bench.kit.binding.viewer.layers)
    way = [(5, 5, 8), (15, 5, 8), (15, 14, 8), (10, 14, 8), (5, 14, 8)]
    bench.mouse.press(*way[0])
    for place in way[1:]:
        bench.mouse.move(*place)
    assert len(bench.kit.binding.viewer.layers) == len(layers) + 1
    assert bench.kit.binding.viewer.layers.selection.active is bench.kit.binding.labels
    bench.mouse.release(*way[-1])
    assert list(bench.kit.binding.viewer.layers) == layers
    assert np.array_equal(bench.labels[:, :, 8] == 1, _rectangle(bench, (5, 5), (15, 14)))
    bench.mouse.drag(*way, button=2)
    assert not bench.labels.any()


def test_clicked_corners_are_closed_by_a_double_click_enter_or_the_right_button(
    bench: Bench,
) -> None:
    hand = bench.take("outline")
    bench.show("Coronal", 12, 10, 8)
    corners = [(5, 10, 3), (15, 10, 3), (15, 10, 12), (5, 10, 12)]
    closers: list[Callable[[], object]] = [
        hand.close,
        lambda: bench.mouse.double_click(5, 10, 12),
        lambda: bench.mouse.click(5, 10, 12, button=2),
    ]
    for close in closers:
        for corner in corners:
            bench.mouse.click(*corner)
        close()
        assert bench.labels[:, 10].sum() == 11 * 10
        assert bench.labels.sum() == 11 * 10
        bench.session.undo()
    assert not hand.is_busy


def test_backspace_takes_corners_back_and_escape_the_outline(bench: Bench) -> None:
    hand = bench.take("outline")
    bench.show("Axial", 12, 10, 8)
    for corner in ((5, 5, 8), (15, 5, 8)):
        bench.mouse.click(*corner)
    assert hand.close()  # two corners: it stays, and a word is said
    assert hand.is_busy
    assert "three corners" in bench.said[-1]
    assert hand.step_back()
    assert hand.step_back()
    assert not hand.step_back()
    bench.mouse.click(5, 5, 8)
    assert hand.cancel()
    assert not bench.labels.any()


def test_an_outline_in_another_slice_begins_anew(bench: Bench) -> None:
    hand = bench.take("outline")
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(5, 5, 8)
    bench.mouse.click(15, 5, 8)
    bench.show("Axial", 12, 10, 9)
    bench.mouse.click(5, 5, 9)
    assert hand.step_back()
    assert not hand.is_busy


@pytest.mark.parametrize("tool", ["outline", "wire", "scissors"])
def test_a_begun_outline_waits_on_its_slice_until_it_is_closed_or_given_up(
    bench: Bench, tool: str
) -> None:
    drafts = bench.session.drafts
    around = [(18, 10), (12, 16), (6, 10), (12, 4)]
    hand = bench.take(tool)
    waiting = Waiting(bench.kit.binding, lambda: hand.held)
    bench.show("Axial", 12, 10, 8)
    for i, j in around[:2]:
        bench.mouse.click(i, j, 8)
    bench.show("Axial", 12, 10, 9)
    assert not hand.is_busy  # Enter and Escape are for what is seen
    assert not hand.close()
    assert waiting.words == ""
    bench.mouse.click(5, 5, 9)
    assert bench.said[-1] == "The outline on axial slice 9 waits. Come back to it and go on."
    assert "axial slice 9" in waiting.words
    assert len(drafts) == 2
    hand.leave()
    assert [one.place for one in drafts.all] == [(tool, 2, 8)]  # one click is no outline
    bench.take("brush")
    layer = bench.kit.binding.viewer.layers["Begun outlines"]
    assert set(layer.data[:, 0, 0]) == {bench.kit.binding.display.points_zyx((0, 0, 8))[0]}
    bench.show("Axial", 12, 10, 8)
    hand = bench.take(tool)
    assert hand.is_busy
    for i, j in around[2:]:
        bench.mouse.click(i, j, 8)
    if tool == "scissors":
        assert hand.cancel()
    else:
        assert hand.close()
        assert bench.labels[:, :, 8].sum() > 60
    assert len(drafts) == 0
    waiting.detach()
    assert "Begun outlines" not in bench.kit.binding.viewer.layers


@pytest.mark.parametrize("tool", ["outline", "wire", "scissors"])
def test_an_outline_that_may_not_be_closed_waits_as_it_was_and_the_person_hears_why(
    bench: Bench, tool: str
) -> None:
    drafts, rules = bench.session.drafts, bench.kit.bench
    hand = bench.take(tool, **({"mode": "fill_inside"} if tool == "scissors" else {}))
    bench.show("Axial", 12, 10, 8)
    for i, j in [(18, 10), (12, 16), (6, 10), (12, 4)]:
        bench.mouse.click(i, j, 8)
    begun = drafts.all
    rules.masking = Masking(locked=frozenset({1}))
    assert hand.close()
    assert drafts.all == begun
    assert hand.is_busy
    assert hand.held == (tool, 2, 8)
    assert "is locked" in bench.errors[-1].message
    assert bench.said[-1] == (
        "The outline on axial slice 9 waits. Enter closes it again, Escape forgets it."
    )
    rules.masking = Masking(low=1000.0, high=2000.0)
    assert hand.close()
    assert drafts.all == begun
    assert bench.said[-1].startswith("Nothing changed: the rules below")
    assert not bench.labels.any()
    rules.masking = Masking()
    assert hand.close()
    assert bench.labels[:, :, 8].sum() > 60
    assert len(drafts) == 0


def test_a_drag_that_may_not_erase_waits_to_erase_also_after_another_tool(
    bench: Bench,
) -> None:
    bench.labels[...] = 1
    bench.session.reconcile()
    around = [(6, 4, 8), (16, 4, 8), (16, 14, 8), (6, 14, 8), (6, 5, 8)]
    bench.show("Axial", 12, 10, 8)
    hand = bench.take("outline")
    bench.kit.bench.masking = Masking(locked=frozenset({1}))
    bench.mouse.drag(*around, button=2)
    assert bench.said[-1].endswith("Enter erases with it again, Escape forgets it.")
    hand.leave()
    bench.kit.bench.masking = Masking()
    hand = bench.take("outline")
    assert hand.close()
    assert not bench.labels[10, 10, 8]
    assert bench.labels[2, 2, 8]


def test_an_outline_that_waits_is_taken_up_where_the_mouse_comes_over_it(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    hand = bench.take("wire")
    bench.mouse.click(18, 10, 8)
    bench.mouse.click(12, 16, 8)
    bench.show("Axial", 12, 10, 3)
    hand.leave()
    hand = bench.take("wire")
    assert hand.held is None
    bench.mouse.move(3, 3, 3)
    assert hand.held is None
    bench.show("Axial", 12, 10, 8)
    bench.mouse.move(6, 10, 8)
    assert hand.held == ("wire", 2, 8)
    assert hand.step_back()
    assert len(bench.session.drafts.all[0].corners) == 1
    assert hand.cancel()
    assert len(bench.session.drafts) == 0


def test_scissors_cut_through_all_slices_what_they_are_told_to(bench: Bench) -> None:
    full = np.full(bench.kit.shape, 1, np.uint8)
    bench.session.edit((slice(0, 24), slice(0, 20), slice(0, 16)), full, name="Fill")
    bench.show("Axial", 12, 10, 8)
    way = [(5, 5, 8), (15, 5, 8), (15, 14, 8), (10, 14, 8), (5, 14, 8)]
    inside = _rectangle(bench, (5, 5), (15, 14))[:, :, None]
    bench.take("scissors", mode="erase_inside")
    bench.mouse.drag(*way)
    assert np.array_equal(bench.labels == 0, np.broadcast_to(inside, bench.kit.shape))
    bench.session.undo()
    bench.take("scissors", mode="erase_outside", extent="slice")
    bench.mouse.drag(*way)
    assert np.array_equal(bench.labels[:, :, 8] == 1, inside[:, :, 0])
    assert (bench.labels[:, :, 7] == 1).all()


def test_the_live_wire_follows_the_edge_from_click_to_click(bench: Bench) -> None:
    hand = bench.take("wire")
    bench.show("Axial", 12, 10, 8)
    around = [(18, 10, 8), (12, 16, 8), (6, 10, 8), (12, 4, 8)]
    for corner in around:
        bench.mouse.move(*corner)
        bench.mouse.click(*corner)
    bench.mouse.move(14, 5, 8)
    assert hand.close()
    disc_ = bench.session.volume.array[:, :, 8] == 200
    got = bench.labels[:, :, 8] == 1
    assert 2 * (got & disc_).sum() / (got.sum() + disc_.sum()) > 0.9
    assert not hand.is_busy


def test_live_wire_anchors_are_taken_back_one_by_one(bench: Bench) -> None:
    hand = bench.take("wire")
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(18, 10, 8)
    bench.mouse.click(12, 16, 8)
    assert hand.step_back()
    assert hand.is_busy
    assert hand.step_back()
    assert not hand.is_busy
    assert not hand.close()


def test_the_live_wire_begins_on_the_edge_beside_the_first_click(bench: Bench) -> None:
    hand = bench.take("wire")
    bench.show("Axial", 12, 10, 8)
    around = [(19, 10, 8), (12, 16, 8), (6, 10, 8), (12, 4, 8)]  # the first beside it
    for corner in around:
        bench.mouse.click(*corner)
    assert hand.close()
    disc_ = bench.session.volume.array[:, :, 8] == 200
    got = bench.labels[:, :, 8] == 1
    assert not got[19].any()
    assert 2 * (got & disc_).sum() / (got.sum() + disc_.sum()) > 0.9


def test_level_tracing_takes_the_region_that_it_shows(bench: Bench) -> None:
    hand = bench.take("tracing", tolerance=20.0)
    bench.show("Sagittal", 12, 10, 8)
    bench.mouse.move(12, 10, 8)
    assert bench.kit.binding.viewer.layers[-1].name == "Drawing"
    bench.mouse.click(12, 10, 8)
    assert np.array_equal(bench.labels[12] == 1, bench.session.volume.array[12] == 200)
    bench.mouse.click(12, 10, 8, button=2)
    assert not bench.labels.any()
    hand.leave()
    assert bench.kit.binding.viewer.layers[-1].name != "Drawing"


def test_a_click_floods_what_hangs_together_and_proposes_it(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.flood")
    bench.take("flood", tolerance=20.0)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(12, 10, 8)
    (proposal,) = bench.proposals
    assert proposal is not None
    assert not bench.labels.any()
    bench.session.bench.apply(proposal)
    assert np.array_equal(bench.labels == 1, bench.session.volume.array == 200)


def test_a_flood_takes_a_range_and_passes_edges_when_told(bench: Bench) -> None:
    bench.take("flood", by="range", low=150.0, high=250.0)
    bench.mouse.click(12, 10, 8)
    (ball,) = bench.proposals
    assert ball is not None
    assert ball.changed.sum() == (bench.session.volume.array == 200).sum()
    bench.session.bench.masking = Masking(low=150.0)
    bench.session.volume.array.setflags(write=True)
    bench.session.volume.array[...] = 100
    bench.session.volume.array[4, 4, 4] = bench.session.volume.array[5, 5, 5] = 200
    for touching, voxels in (("1", 1), ("2", 1), ("3", 2)):
        bench.take("flood", by="tolerance", tolerance=10.0, touching=touching)
        bench.mouse.click(4, 4, 4)
        made = bench.proposals[-1]
        assert made is not None
        assert made.changed.sum() == voxels


def test_a_click_finds_a_structure_by_its_values_nearby(bench: Bench) -> None:
    rng = np.random.default_rng(2)
    bench.session.volume.array[...] += rng.integers(0, 9, bench.kit.shape).astype(np.int16)
    bench.take("local", radius_mm=9.0)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(12, 10, 8)
    (proposal,) = bench.proposals
    assert proposal is not None
    assert proposal.provider == "threshold"


def test_a_clicked_island_goes_or_stays_alone(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.islands")
    for corner in (2, 14):
        box = (slice(corner, corner + 3), slice(4, 7), slice(4, 7))
        bench.session.edit(box, np.ones((3, 3, 3), np.uint8), name="Fill")
    bench.show("Axial", 3, 5, 5)
    for how, left in (("remove", 14), ("keep", 2)):
        bench.take("touch", how=how)
        bench.mouse.click(3, 5, 5)
        proposal = bench.proposals[-1]
        assert proposal is not None
        bench.session.bench.apply(proposal)
        assert np.argwhere(bench.labels)[:, 0].min() == left
        bench.session.undo()


def test_a_click_beside_the_scan_says_so(bench: Bench) -> None:
    bench.take("flood")
    bench.show("Axial", 12, 10, 8)
    bench.mouse.click(-4, 10, 8)
    assert bench.said == ["Click inside the scan."]


def test_the_smoothing_brush_changes_only_what_it_went_over(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.smooth")
    box = (slice(4, 20), slice(4, 16), slice(2, 14))
    rough = (np.indices((16, 12, 12)).sum(axis=0) % 2 + 1).astype(np.uint8)
    bench.session.edit(box, rough, name="Fill")
    before = bench.labels.copy()
    bench.take("smoother", size_mm=6.0, sigma=1.5)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.drag((8, 8, 8), (14, 8, 8))
    changed = np.argwhere(bench.labels != before)
    assert len(changed)
    assert changed.min(axis=0)[0] >= 5
    assert changed.max(axis=0)[0] <= 17
    assert bench.session.history.undo_name == "Smooth"
    bench.session.undo()
    assert np.array_equal(bench.labels, before)


def test_seeds_grow_and_a_stroke_taken_back_leaves_no_trace(bench: Bench) -> None:
    hand = bench.take("grow", size_mm=3.0)
    viewer = bench.kit.binding.viewer
    assert "stroke into each segment" in bench.said[-1]
    bench.show("Axial", 12, 10, 8)
    bench.mouse.drag((11, 10, 8), (13, 10, 8))
    assert not bench.proposals
    assert "background" in bench.said[-1]
    bench.kit.choices.put("grow", "seed", "back")
    bench.mouse.drag((2, 2, 8), (21, 2, 8), (21, 17, 8), (2, 17, 8))
    first = bench.proposals[-1]
    assert first is not None
    assert not bench.labels.any()
    grown = np.zeros(bench.kit.shape, np.uint8)
    grown[first.box] = first.after
    ball = bench.session.volume.array == 200
    assert grown[12, 10, 8] == 1
    assert 2 * np.count_nonzero(ball & (grown == 1)) / (grown.sum() + ball.sum()) > 0.95
    assert viewer.layers[-1].name == "Seeds"
    assert viewer.layers.selection.active is bench.kit.binding.labels
    # One more stroke, taken back by a click on it, gives the same labels again.
    bench.mouse.drag((3, 8, 8), (3, 12, 8))
    bench.mouse.click(3, 10, 8, button=2)
    again = bench.proposals[-1]
    assert again is not None
    assert np.array_equal(again.after, first.after)
    bench.mouse.click(23, 10, 8, button=2)
    assert "no stroke here" in bench.said[-1]
    bench.session.bench.show(again)
    patch = hand.accept()
    assert patch is not None
    assert patch.origin == "assisted"
    assert np.array_equal(bench.labels, grown)
    hand.leave()
    assert "Seeds" not in [layer.name for layer in viewer.layers]


def test_seeds_grow_anew_when_how_they_grow_is_changed(bench: Bench) -> None:
    hand = bench.take("grow", size_mm=3.0)
    bench.show("Axial", 12, 10, 8)
    hand.retune("gradient_mm")  # no seeds yet: nothing to do
    bench.mouse.drag((11, 10, 8), (13, 10, 8))
    bench.kit.choices.put("grow", "seed", "back")
    hand.retune("seed")
    bench.mouse.drag((2, 2, 8), (21, 2, 8), (21, 17, 8), (2, 17, 8))
    assert len(bench.proposals) == 1
    assert isinstance(hand, Seeds)
    chosen = hand.growing.gradient_mm
    bench.kit.choices.put("grow", "gradient_mm", 2.5)
    hand.retune("gradient_mm")
    assert hand.growing.gradient_mm == 2.5 != chosen
    bench.kit.choices.put("grow", "gradient_mm", 0.0)
    hand.retune("gradient_mm")
    assert hand.growing.gradient_mm == chosen
    bench.kit.choices.put("grow", "mode", "additive")
    hand.retune("mode")
    assert len(bench.proposals) == 4
    hand.leave()


def test_a_local_threshold_cuts_necks_when_told(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    for neck in (0.0, 3.0):
        bench.take("local", radius_mm=30.0, neck_mm=neck)
        bench.mouse.click(12, 10, 8)
    every, cut = (np.count_nonzero(p.after) for p in bench.proposals if p is not None)
    assert 0 < cut <= every


def test_a_seed_in_the_making_is_cancelled_and_backspace_takes_the_latest(bench: Bench) -> None:
    hand = bench.take("grow", size_mm=3.0)
    bench.show("Axial", 12, 10, 8)
    bench.mouse.press(11, 10, 8)
    assert hand.is_busy
    assert hand.cancel()
    bench.mouse.release(11, 10, 8)
    assert not hand.step_back()
    bench.mouse.click(11, 10, 8)
    assert hand.step_back()
    shown = bench.kit.binding.viewer.layers["Seeds"].data
    assert not np.asarray(shown).any()
    hand.leave()


@settings(max_examples=12, deadline=None)
@given(
    way=st.lists(
        st.tuples(st.floats(-3, 26), st.floats(-3, 22), st.floats(0, 15)),
        min_size=2,
        max_size=5,
    ),
    size=st.floats(0.2, 12),
    plane=st.sampled_from(sorted(PLANES)),
    extent=st.sampled_from(["slice", "slab", "3D"]),
)
def test_any_stroke_obeys_the_rules_and_undo_gives_the_bytes_back(
    bench: Bench,
    way: list[tuple[float, float, float]],
    size: float,
    plane: str,
    extent: str,
) -> None:
    rules = Masking("inside", frozenset({0, 2}), low=150.0, locked=frozenset({3}))
    labels = bench.labels
    labels[...] = 0
    labels[10:14, 8:12, 6:10] = 3
    bench.session.absorb(name="Setup")
    bench.session.bench.masking = rules
    before = labels.copy()
    bench.take("brush", size_mm=size, extent=extent)
    bench.show(plane, 12, 10, 8)
    axis = PLANES[plane]
    here = (12, 10, 8)
    flat = [tuple(here[a] if a == axis else p[a] for a in range(3)) for p in way]
    bench.mouse.drag(*flat)
    may = rules.editable(before, bench.session.volume.array, (1,))
    assert np.array_equal(labels[~may], before[~may])
    if not np.array_equal(labels, before):
        bench.session.undo()
    assert np.array_equal(labels, before)
    bench.session.bench.masking = Masking()


def _rectangle(bench: Bench, low: tuple[int, int], high: tuple[int, int]) -> np.ndarray:
    wanted = np.zeros(bench.kit.shape[:2], bool)
    wanted[low[0] : high[0] + 1, low[1] : high[1] + 1] = True
    return wanted
