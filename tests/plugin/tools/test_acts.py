"""Tools with a button: what each computes from what was chosen, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, quiet
from napari_medlabel.errors import InputError
from napari_medlabel.plugin.tools.acts import ACTS, words_of, work_of
from napari_medlabel.plugin.tools.catalogue import TOOLS, options_of, tool
from napari_medlabel.plugin.tools.hands import HANDS
from napari_medlabel.plugin.tools.options import Choice
from napari_medlabel.plugin.tools.reasons import reasons_against
from napari_medlabel.session.volume_in_use import VolumeInUse
from tests.plugin.tools.conftest import Bench


def act(bench: Bench, name: str, **options: Any) -> Proposal | None:
    kit = bench.kit
    kit.choices.tool = name
    for option, value in options.items():
        if option == "extent":
            kit.choices.extents[name] = value
        else:
            kit.choices.put(name, option, value)
    return work_of(name, kit)(quiet)


def fill(bench: Bench, *spans: tuple[int, int], value: int = 1) -> None:
    i, j, k = (slice(a, b) for a, b in spans)
    shape = tuple(b - a for a, b in spans)
    bench.session.edit((i, j, k), np.full(shape, value, np.uint8), name="Fill")


def after(bench: Bench, proposal: Proposal | None) -> np.ndarray:
    assert proposal is not None
    whole = bench.labels.copy()
    whole[proposal.box] = proposal.after
    return whole


def test_every_tool_has_a_hand_or_a_button_and_no_key_is_given_twice() -> None:
    for known in TOOLS:
        assert (known.name in HANDS) == known.is_hand
        assert (known.name in ACTS) == (not known.is_hand)
    keys = [known.key for known in TOOLS if known.key]
    assert len(keys) == len(set(keys))
    # napari's own, on the labels, image and points layers.
    taken = set("1234567EPFLZMXBASCYON") | {"Shift-V", "Shift-A", "Shift-L", "Shift-P", "J"}
    assert not taken & set(keys)


def test_a_threshold_labels_its_range_where_the_tool_works(bench: Bench) -> None:
    ball = bench.session.volume.array == 200
    bench.show("Axial", 12, 10, 8)
    proposal = act(bench, "threshold", low=150.0, high=300.0)
    assert np.array_equal(after(bench, proposal) == 1, ball)
    assert np.array_equal(after(bench, act(bench, "threshold", preset="otsu")) == 1, ball)
    flat = after(bench, act(bench, "threshold", preset="", extent="slice"))
    assert np.flatnonzero(flat.any(axis=(0, 1))).tolist() == [8]
    presets = options_of(tool("threshold"))[0]
    assert isinstance(presets, Choice)
    assert ("bone", "bone") in presets.choices


def test_margin_islands_and_holes_work_on_what_they_are_told(bench: Bench) -> None:
    for name in ("margin", "islands", "holes"):
        pytest.importorskip(f"napari_medlabel.edit.{name}")
    fill(bench, (4, 9), (4, 9), (4, 9))
    fill(bench, (16, 18), (4, 6), (4, 6))
    bench.show("Axial", 6, 6, 6)
    grown = after(bench, act(bench, "margin", mm=1.0))
    assert grown[3, 6, 6] == 1
    assert grown[2, 6, 6] == 0
    largest = after(bench, act(bench, "islands", how="largest"))
    assert largest.sum() == 125
    small = after(bench, act(bench, "islands", how="small", smallest_mm3=20.0))
    assert small.sum() == 125
    parted = after(bench, act(bench, "islands", how="split"))
    assert sorted(np.unique(parted)) == [0, 1, 2]
    bench.labels[6, 6, 6] = 0
    bench.session.absorb(name="Pierce")
    assert after(bench, act(bench, "holes"))[6, 6, 6] == 1


def test_fill_between_and_next_slices_go_along_the_plane_that_is_seen(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.between")
    fill(bench, (6, 12), (5, 6), (4, 10))
    fill(bench, (6, 12), (9, 10), (4, 10))
    bench.show("Coronal", 8, 5, 6)
    proposal = act(bench, "between")
    assert after(bench, proposal)[8, 7, 6] == 1
    pytest.importorskip("napari_medlabel.edit.propagate")
    with pytest.raises(InputError, match="no slice to go to"):
        act(bench, "propagate", count=0)


def test_copy_mirror_shift_crop_and_renumber_move_labels(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.moving")
    fill(bench, (4, 7), (5, 8), (6, 7))
    bench.show("Axial", 5, 6, 6)
    copied = after(bench, act(bench, "copy", count=-2))
    assert np.flatnonzero(copied.any(axis=(0, 1))).tolist() == [4, 5, 6]
    mirrored = after(bench, act(bench, "mirror"))
    assert mirrored[24 - 1 - 5, 6, 6] == 1
    # The scan is LPS: i grows to the left, j to the back, k to the head.
    shifted = after(bench, act(bench, "translate", along_l=2, along_s=-1))
    assert np.argwhere(shifted).min(axis=0).tolist() == [6, 5, 5]
    with pytest.raises(InputError, match="Nothing is to be moved"):
        act(bench, "translate", along_l=0, along_s=0)
    fill(bench, (4, 7), (5, 8), (12, 13))
    cropped = after(bench, act(bench, "crop", extent="slice"))
    assert np.flatnonzero(cropped.any(axis=(0, 1))).tolist() == [6]
    renumbered = after(bench, act(bench, "renumber", other=3))
    assert sorted(np.unique(renumbered)) == [0, 3]


def test_a_mirrored_label_becomes_the_other_sides_and_a_wrong_side_is_said(
    bench: Bench,
) -> None:
    scheme = bench.session.labels.scheme
    names = {label.name: label.value for label in scheme.labels}
    left, right = names["Left kidney"], names["Right kidney"]
    fill(bench, (15, 18), (5, 8), (6, 7), value=left)  # LPS: the patient's left
    bench.kit.binding.labels.selected_label = left
    made = act(bench, "mirror")
    turned = after(bench, made)
    assert np.unique(turned[5:8]).tolist() == [0, right]
    assert not turned[15:18].any()
    assert made is not None
    said = "Left kidney is mirrored about index 11.5 and becomes Right kidney."
    assert bench.kit.bench.said(made.words) == said
    for by_grid in (False, True):
        made = act(bench, "mirror", keep=True, becomes=left, by_grid=by_grid)
        turned = after(bench, made)
        assert (turned == left).sum() == 2 * 27 // 3
        assert made is not None
        assert bench.kit.bench.said(made.words) == (
            "Left kidney is mirrored about index 11.5; the original stays. Mind the side: "
            "Left kidney would lie on the patient's right, and is called left."
        )
    with pytest.raises(InputError, match="Of all labels one would be left"):
        act(bench, "mirror", which="all")
    assert "Right kidney" not in bench.kit.bench.said(made.words)
    bench.session.bench.masking = Masking(locked=frozenset({right}))
    with pytest.raises(InputError, match="Right kidney is locked"):
        act(bench, "mirror", which="this", becomes=0)


def test_combine_needs_a_second_label_and_hollow_leaves_a_wall(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.logic")
    fill(bench, (4, 13), (4, 13), (4, 9))
    fill(bench, (14, 16), (4, 6), (4, 6), value=2)
    bench.show("Axial", 6, 6, 6)
    with pytest.raises(InputError, match="second label"):
        act(bench, "combine", how="add")
    added = after(bench, act(bench, "combine", how="add", other=2))
    assert added[15, 5, 5] == 1
    assert act(bench, "combine", how="clear", other=0) is not None
    hollow = after(bench, act(bench, "hollow", wall_mm=2.0))
    assert hollow[8, 8, 6] == 0
    assert hollow[4, 8, 6] == 1


def test_smoothing_and_refining_propose(bench: Bench) -> None:
    pytest.importorskip("napari_medlabel.edit.smooth")
    fill(bench, (6, 18), (5, 15), (5, 12))
    bench.labels[11, 15:18, 8] = 1
    bench.session.absorb(name="Spike")
    bench.show("Axial", 12, 10, 8)
    for kind in ("joint", "median", "opening"):
        smoothed = after(bench, act(bench, "smooth", kind=kind, size=2.0))
        assert smoothed[11, 17, 8] == 0, kind
    pytest.importorskip("napari_medlabel.edit.refine")
    assert act(bench, "refine", band_mm=6.0) is not None


def test_locked_labels_and_none_in_hand_are_refused_before_the_work(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    bench.session.bench.masking = Masking(locked=frozenset({1}))
    with pytest.raises(InputError, match="is locked"):
        act(bench, "threshold")
    every = frozenset(bench.session.labels.scheme.values)
    bench.session.bench.masking = Masking(locked=every)
    with pytest.raises(InputError, match="All labels are locked"):
        act(bench, "margin", which="all")
    bench.session.bench.masking = Masking()
    bench.kit.binding.labels.selected_label = 77
    with pytest.raises(InputError, match="no label 77"):
        act(bench, "threshold")


def test_in_3d_there_is_no_slice_and_the_palette_says_why(bench: Bench) -> None:
    assert reasons_against(bench.kit) == {}
    bench.kit.binding.orientation.show_plane("3D")
    why = reasons_against(bench.kit)
    assert set(why) == set(HANDS)
    with pytest.raises(InputError, match="3D view"):
        act(bench, "copy")


def test_the_words_of_a_proposal_say_what_comes_and_what_goes(bench: Bench) -> None:
    scene = bench.session.bench.scene()
    before = np.zeros((10, 10, 10), np.uint8)
    before[:5] = 1
    changed = before.copy()
    changed[5:7] = 2
    changed[0] = 0
    box = (slice(0, 10), slice(0, 10), slice(0, 10))
    words = words_of(Proposal(box, before, changed, "Try", (1, 2)), scene)
    assert words == "Try: + 0.4 ml, - 0.2 ml"
    told = Proposal(box, before, changed, "Try", (1, 2), words="2 parts.")
    assert words_of(told, scene).startswith("2 parts. (")


def test_ends_are_closed_and_borders_bound_when_that_is_chosen(bench: Bench) -> None:
    fill(bench, (4, 9), (4, 9), (4, 5))
    fill(bench, (4, 9), (4, 9), (8, 9))
    fill(bench, (14, 19), (4, 9), (0, 1), value=2)
    fill(bench, (14, 19), (4, 9), (12, 13), value=2)
    bench.show("Axial", 6, 6, 4)
    plain = after(bench, act(bench, "between", which="all"))
    closed = after(bench, act(bench, "between", which="all", close_ends=True))
    assert np.count_nonzero(closed == 1) > np.count_nonzero(plain == 1)


def test_a_border_is_carried_on_as_far_as_is_chosen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float | None] = []
    monkeypatch.setattr(
        "napari_medlabel.edit.propagate.propagate",
        lambda *_where, reach_mm, tick: told.append(reach_mm),
    )
    bench.show("Axial", 12, 10, 8)
    for reach in (0.0, 2.5):  # 0: as far as the slices lie apart
        act(bench, "propagate", count=1, reach_mm=reach)
    assert told == [None, 2.5]


def test_otsus_threshold_gets_over_padding(bench: Bench) -> None:
    bench.show("Axial", 12, 10, 8)
    image = bench.session.volume.array.astype(np.float32)
    image[:, :3] = np.nan
    bench.session.bench.in_use = VolumeInUse(replace(bench.session.volume, array=image))
    found = after(bench, act(bench, "threshold", preset="otsu"))
    assert np.array_equal(found == 1, bench.session.volume.array == 200)


def test_what_comes_on_a_tilted_scan_is_said_by_a_voxels_true_volume(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(tilt_deg=20.0)
    grid = bench.session.volume.grid
    assert bench.kit.scene().voxel_mm3 == pytest.approx(1000.0 * grid.affine.voxel_ml)
    proposal = act(bench, "threshold", low=150.0, high=250.0)
    assert proposal is not None
    ml = np.count_nonzero(proposal.changed) * grid.affine.voxel_ml
    assert f"(+ {ml:.3g} ml)" in words_of(proposal, bench.kit.scene())


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0])
def test_a_tool_whose_distances_are_approximate_says_so_on_a_tilted_scan_alone(
    make_bench: Callable[..., Bench], tilt_deg: float
) -> None:
    bench = make_bench(tilt_deg=tilt_deg)
    fill(bench, (8, 16), (6, 14), (5, 11))
    about = "not at right angles (tilt 20 degrees): distances across slices are approximate"
    for kind in ("joint", "gaussian", "opening"):
        proposal = act(bench, "smooth", kind=kind, size=5.0, extent="3D")
        assert proposal is not None
        # A ball is cut off and fitted in by true distances.
        assert (about in proposal.words) == (tilt_deg > 0 and kind != "opening")
