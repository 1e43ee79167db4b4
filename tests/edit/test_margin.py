"""Margins in mm, against comparing every voxel with every other; and faults of the peers."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit import margin
from napari_medlabel.edit.margin import grow_margin, hollow
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.errors import InputError
from tests.tilted import STEPS, steps

SPACINGS = st.tuples(*[st.sampled_from((0.7, 1.0, 1.5, 3.0))] * 3)


def within(region: np.ndarray, spacing: tuple[float, ...], mm: float) -> np.ndarray:
    """Return the voxels at most some mm from a region's, centre to centre."""
    there = np.indices(region.shape).reshape(3, -1).T * spacing
    marked = np.argwhere(region) * spacing
    away = np.linalg.norm(there[:, None] - marked[None], axis=2).min(axis=1, initial=np.inf)
    return (away <= mm * (1 + 1e-6)).reshape(region.shape)


def a_scene(
    labels: np.ndarray, spacing: tuple[float, float, float], rules: Masking | None = None
) -> Scene:
    return Scene(labels, np.zeros(labels.shape, np.int16), spacing, rules or Masking())


def full(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


def blob(shape: tuple[int, int, int], seed: int, share: float = 0.3) -> np.ndarray:
    labels = (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)
    labels[tuple(n // 2 for n in shape)] = 1
    return labels


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(*[st.integers(2, 7)] * 3),
    spacing=SPACINGS,
    mm=st.sampled_from((3.0, 3.5, 5.0, -3.0, -4.4)),
    seed=st.integers(0, 99),
    rules=st.sampled_from(
        (
            Masking(),
            Masking("inside", frozenset({1})),
            Masking("outside", frozenset({2}), overwrite="none"),
            Masking(low=40, locked=frozenset({2})),
        )
    ),
)
def test_a_margin_is_exact_in_mm_and_obeys_the_rules(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    mm: float,
    seed: int,
    rules: Masking,
) -> None:
    labels = blob(shape, seed, 0.1 if mm > 0 else 0.95)
    labels[0, 0, 0] = 2
    image = np.random.default_rng(seed).integers(0, 100, shape)
    region = labels == 1
    if mm > 0:
        wanted = np.where(within(region, spacing, mm), 1, labels)
    else:
        wanted = np.where(region & within(~region, spacing, -mm), 0, labels)
    scene = Scene(labels, image, spacing, rules)
    after = full(scene, grow_margin(scene, whole(shape), [1], mm=mm))
    assert np.array_equal(after, rules.clamp(labels, wanted.astype(np.uint8), image, (1,)))


def test_without_edt_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = a_scene(blob((30, 25, 20), 1, 0.001), (0.7, 0.7, 1.5))
    fast = full(scene, grow_margin(scene, whole(scene.shape), [1], mm=3.5))
    monkeypatch.setitem(sys.modules, "edt", None)
    assert np.array_equal(
        full(scene, grow_margin(scene, whole(scene.shape), [1], mm=3.5)), fast
    )


@pytest.mark.parametrize("mm", [4.0, -2.0])
def test_in_pieces_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch, mm: float) -> None:
    labels = blob((12, 10, 40), 2, 0.01 if mm > 0 else 0.99)
    labels[2:4, 2:4, 5:30] = 2
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    once = full(scene, grow_margin(scene, whole(scene.shape), [1, 2], mm=mm))
    monkeypatch.setattr(margin, "_AT_ONCE", 1)
    told: list[tuple[int, int]] = []
    proposal = grow_margin(
        scene, whole(scene.shape), [1, 2], mm=mm, tick=lambda *done: told.append(done)
    )
    assert np.array_equal(full(scene, proposal), once)
    assert len(told) > 3
    assert told[-1][0] == told[-1][1]


def test_a_ball_is_one_in_mm_not_in_voxels() -> None:
    """Radii rounded to voxels are wrong by a twentieth of the shell (SimpleITK's ball)."""
    labels = np.zeros((21, 21, 11), np.uint8)
    labels[10, 10, 5] = 1
    scene = a_scene(labels, (0.7, 0.7, 1.5))
    grown = np.argwhere(full(scene, grow_margin(scene, whole(scene.shape), [1], mm=5)))
    away = np.linalg.norm((grown - (10, 10, 5)) * (0.7, 0.7, 1.5), axis=1)
    assert len(grown) == np.count_nonzero(within(labels == 1, (0.7, 0.7, 1.5), 5.0))
    assert away.max() <= 5
    assert grown.max(axis=0).tolist() == [17, 17, 8]


def test_a_voxel_at_exactly_the_margin_is_in_it() -> None:
    labels = np.zeros((9, 9, 3), np.uint8)
    labels[0, 0, 0] = 1
    scene = a_scene(labels, (0.1, 0.1, 0.1))
    grown = full(scene, grow_margin(scene, whole(scene.shape), [1], mm=0.5))
    assert grown[3, 4, 0] == 1  # 0.3 and 0.4 mm away
    assert grown[4, 4, 0] == 0


def test_labels_that_meet_share_by_the_nearest_and_lose_nothing_of_their_own() -> None:
    labels = np.zeros((12, 3, 3), np.uint8)
    labels[1] = 1
    labels[8] = 2
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    for order in ([1, 2], [2, 1]):
        after = full(scene, grow_margin(scene, whole(scene.shape), order, mm=6))
        # Index 4 is 3 mm from label 1 and 4 mm from label 2.
        assert after[:, 1, 1].tolist() == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    close = labels.copy()
    close[2] = 2
    near = a_scene(close, (1.0, 1.0, 1.0))
    after = full(near, grow_margin(near, whole(near.shape), [1, 2], mm=3))
    assert np.array_equal(after[1:3], close[1:3])


def test_what_other_labels_lose_is_said() -> None:
    labels = np.zeros((5, 1, 1), np.uint8)
    labels[:, 0, 0] = (0, 0, 1, 9, 0)
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    proposal = grow_margin(scene, whole(scene.shape), [1], mm=1)
    assert proposal is not None
    assert proposal.words == ("2 mm3 come around label 1. 1 mm3 of it is taken from label 9.")


def test_in_one_slice_the_margin_lies_in_the_slice() -> None:
    labels = np.zeros((9, 9, 3), np.uint8)
    labels[4, 4] = 1
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    proposal = grow_margin(scene, slab(scene.shape, 2, 1), [1], mm=2)
    assert np.argwhere(full(scene, proposal) != labels)[:, 2].tolist() == [1] * 12
    shrunk = full(scene, grow_margin(scene, slab(scene.shape, 2, 1), [1], mm=-1))
    assert shrunk[4, 4].tolist() == [1, 0, 1]


def test_the_end_of_the_scan_is_no_border() -> None:
    labels = np.ones((4, 4, 4), np.uint8)
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    assert grow_margin(scene, whole(scene.shape), [1], mm=-1) is None


def test_shrinking_does_not_leave_its_area() -> None:
    """Shrinking once went on outside of the editable area (Slicer#4984)."""
    labels = np.ones((9, 5, 5), np.uint8)
    labels[:, 0] = 0
    image = np.zeros(labels.shape, np.int16)
    image[:4] = 100
    scene = Scene(labels, image, (1.0, 1.0, 1.0), Masking(low=50))
    proposal = grow_margin(scene, whole(scene.shape), [1], mm=-1)
    assert proposal is not None
    assert np.argwhere(full(scene, proposal) != labels)[:, 0].max() == 3
    assert "the rules for editing forbid it" in proposal.words


@settings(deadline=None, max_examples=20)
@given(
    spacing=SPACINGS,
    wall=st.sampled_from((6.0, 7.0)),
    side=st.sampled_from(("inside", "middle", "outside")),
    seed=st.integers(0, 99),
)
def test_a_wall_is_exact_in_mm(
    spacing: tuple[float, float, float], wall: float, side: str, seed: int
) -> None:
    labels = blob((6, 7, 6), seed, 0.9 if side == "inside" else 0.5)
    region = labels == 1
    each = wall / 2 if side == "middle" else wall
    near_out, near_in = within(region, spacing, each), within(~region, spacing, each)
    shells = {
        "inside": region & near_in,
        "middle": (region & near_in) | (near_out & ~region),
        "outside": near_out & ~region,
    }
    scene = a_scene(labels, spacing)
    after = full(scene, hollow(scene, whole(scene.shape), [1], wall_mm=wall, side=side))  # type: ignore[arg-type]
    assert np.array_equal(after == 1, shells[side])


def test_a_wall_outside_takes_nothing_of_another_chosen_label() -> None:
    labels = np.zeros((12, 5, 5), np.uint8)
    labels[2:5] = 1
    labels[5:8] = 2
    scene = a_scene(labels, (1.0, 1.0, 1.0))
    after = full(scene, hollow(scene, whole(scene.shape), [1, 2], wall_mm=2, side="outside"))
    assert after[:, 2, 2].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0]


def test_a_wall_that_is_open_between_slices_is_warned_of() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[2:7, 2:7, 2:7] = 1
    scene = a_scene(labels, (1.0, 1.0, 4.0))
    proposal = hollow(scene, whole(scene.shape), [1], wall_mm=1)
    assert proposal is not None
    assert proposal.words == (
        "180 mm3 inside label 1 go. "
        "The wall is open where slices lie 4 mm apart: it is thinner."
    )
    both = hollow(scene, whole(scene.shape), [1], wall_mm=8, side="middle")
    assert both is not None
    assert "come outside" in both.words


@pytest.mark.parametrize("mm", [0.0, 0.5, -0.6, float("nan"), float("inf")])
def test_a_margin_that_reaches_no_voxel_is_refused(mm: float) -> None:
    scene = a_scene(np.ones((3, 3, 3), np.uint8), (0.7, 0.7, 1.5))
    with pytest.raises(InputError, match=r"reaches no voxel|is no length"):
        grow_margin(scene, whole(scene.shape), [1], mm=mm)


def test_a_thin_wall_and_a_missing_label_are_refused() -> None:
    scene = a_scene(np.ones((3, 3, 3), np.uint8), (0.7, 0.7, 1.5))
    with pytest.raises(InputError, match=r"wall of 0.5 mm on one side reaches no voxel"):
        hollow(scene, whole(scene.shape), [1], wall_mm=1, side="middle")
    with pytest.raises(InputError, match="Nothing of label 3"):
        hollow(scene, whole(scene.shape), [3], wall_mm=1)
    with pytest.raises(InputError, match="inside, middle or outside"):
        hollow(scene, whole(scene.shape), [1], wall_mm=1, side="above")  # type: ignore[arg-type]


# -- tilted scans -----------------------------------------------------------------------------


def a_tilted_scene(labels: np.ndarray, matrix: np.ndarray) -> Scene:
    i, j, k = (float(mm) for mm in np.linalg.norm(matrix, axis=0))
    return Scene(labels, np.zeros(labels.shape, np.int16), (i, j, k), skew_mm=matrix)


def within_mm(region: np.ndarray, matrix: np.ndarray, mm: float) -> np.ndarray:
    there = np.indices(region.shape).reshape(3, -1).T @ matrix.T
    marked = np.argwhere(region) @ matrix.T
    away = np.linalg.norm(there[:, None] - marked[None], axis=2).min(axis=1, initial=np.inf)
    return (away <= mm * (1 + 1e-6)).reshape(region.shape)


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(2, 7)] * 3),
    matrix=STEPS,
    mm=st.sampled_from((4.01, 6.5, -4.01)),
    seed=st.integers(0, 99),
)
def test_on_a_tilted_scan_a_margin_is_exact_in_the_patient(
    shape: tuple[int, int, int], matrix: np.ndarray, mm: float, seed: int
) -> None:
    labels = blob(shape, seed, 0.05 if mm > 0 else 0.95)
    region = labels == 1
    wanted = (
        within_mm(region, matrix, mm) if mm > 0 else region & ~within_mm(~region, matrix, -mm)
    )
    scene = a_tilted_scene(labels, matrix)
    after = full(scene, grow_margin(scene, whole(shape), [1], mm=mm))
    assert np.array_equal(after, wanted.astype(np.uint8))


@pytest.mark.parametrize("side", ["inside", "middle", "outside"])
def test_on_a_tilted_scan_a_wall_is_exact_in_the_patient(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(margin, "_AT_ONCE", 1)
    matrix, wall = steps((0.8, 0.8, 3.0), 25.0), 4.0
    labels = np.zeros((24, 24, 12), np.uint8)
    labels[6:18, 5:19, 3:9] = 1
    region = labels == 1
    each = wall / 2 if side == "middle" else wall
    inner = region & within_mm(~region, matrix, each) if side != "outside" else region & False
    outer = within_mm(region, matrix, each) & ~region if side != "inside" else region & False
    scene = a_tilted_scene(labels, matrix)
    after = full(scene, hollow(scene, whole(labels.shape), [1], wall_mm=wall, side=side))  # type: ignore[arg-type]
    assert np.array_equal(after == 1, inner | outer)
