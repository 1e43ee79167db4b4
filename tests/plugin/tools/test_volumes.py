"""Tools work on the volume that the slider shows, and on no slice that no file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.edit.scene import quiet
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.tools.acts import work_of
from napari_medlabel.plugin.tools.aiming import Snap
from napari_medlabel.plugin.tools.holding import Holding
from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.plugin.tools.mark_hand import MarkHand
from napari_medlabel.plugin.tools.seed_hand import Seeds
from napari_medlabel.session.case import Session
from napari_medlabel.session.volume_in_use import VolumeInUse
from tests.plugin.tools.conftest import Bench
from tests.plugin.tools.mouse import Mouse

SHAPE = (24, 20, 16)
SOURCE = Source("nifti", (), ("ab" * 32,))
Make = Callable[[Volume], Bench]


def ball() -> np.ndarray:
    """Return a ball of 200 in 100 at voxel (12, 10, 8), shape (k, j, i)."""
    k, j, i = np.ogrid[tuple(slice(0, n) for n in reversed(SHAPE))]
    inside = (i - 12) ** 2 + (j - 10) ** 2 + (2 * (k - 8)) ** 2 <= 36
    return np.where(inside, 200, 100).astype(np.int16)


def of_times(make_grid: Callable[..., Grid]) -> Volume:
    """Return two volumes: the first is even, the second has the ball."""
    grid = make_grid("LPS", SHAPE, (1.0, 1.0, 2.0))
    array = np.stack([np.full(SHAPE[::-1], 100, np.int16), ball()]).T
    further = FurtherAxis("time", "s", (0.0, 2.0), array)
    return Volume(grid, array[..., 0], SOURCE, modality="MR", further=further)


def with_gaps(make_grid: Callable[..., Grid]) -> Volume:
    """Return 100 everywhere, but for two slices that no file holds, which are blank."""
    array = np.full(SHAPE[::-1], 100, np.int16)
    array[[6, 9]] = 0
    grid = make_grid("LPS", SHAPE, (1.0, 1.0, 2.0))
    return Volume(grid, array.T, SOURCE, modality="CT", missing=(6, 9))


@pytest.fixture
def make(open_volume: Callable[[Volume], Session], viewer: ViewerModel) -> Iterator[Make]:
    """Return a function that opens a scan with tools."""
    made: list[Bench] = []

    def open_(volume: Volume) -> Bench:
        session = open_volume(volume)
        session.set_scheme(presets.scheme("abdomen"))
        binding = Binding(session, viewer)
        said, errors, proposals = [], [], []
        kit = Kit(
            binding,
            Choices(),
            lambda _words, *works: proposals.extend(work(quiet) for work in works),
            said.append,
            errors.append,
        )
        holding, mouse = Holding(binding, lambda: None), Mouse(binding)
        made.append(Bench(kit, holding, mouse, said, errors, proposals))
        return made[-1]

    yield open_
    for bench in made:
        bench.holding.detach()
        bench.kit.binding.detach()


@pytest.fixture
def timed(make: Make, make_grid: Callable[..., Grid]) -> Bench:
    return make(of_times(make_grid))


@pytest.fixture
def gappy(make: Make, make_grid: Callable[..., Grid]) -> Bench:
    return make(with_gaps(make_grid))


def show(bench: Bench, *ijk: int, volume: int | None = None) -> None:
    binding = bench.kit.binding
    binding.orientation.show_plane("Axial")
    shown = binding.display.points_zyx(np.array(ijk, dtype=float))
    before = binding.viewer.dims.ndim - 3
    for axis in range(3):
        binding.viewer.dims.set_current_step(before + axis, round(float(shown[axis])))
    if volume is not None:
        slide(bench, volume)


def slide(bench: Bench, volume: int) -> None:
    bench.kit.binding.viewer.dims.set_current_step(0, volume)


def lit() -> np.ndarray:
    return (ball() == 200).T


def test_a_flood_takes_what_is_shown(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=1)
    timed.take("flood", extent="3D", tolerance=40.0)
    timed.mouse.click(12, 10, 8)
    assert timed.errors == []
    whole = np.zeros(SHAPE, bool)
    whole[timed.proposals[-1].box] = timed.proposals[-1].after == 1
    assert np.array_equal(whole, lit())


def test_otsus_threshold_and_a_range_are_those_of_what_is_shown(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=1)
    timed.kit.choices.tool = "threshold"
    timed.kit.choices.extents["threshold"] = "3D"
    for option, value in {"preset": "otsu", "low": 0.0, "high": 1.0}.items():
        timed.kit.choices.put("threshold", option, value)
    found = work_of("threshold", timed.kit)(quiet)
    assert found is not None
    assert int((found.after == 1).sum()) == int(lit().sum())


def test_the_brightest_place_is_that_of_what_is_shown(timed: Bench) -> None:
    timed.session.set_landmarks(LandmarkSet((Landmark("AC"),)))
    show(timed, 5, 10, 8, volume=1)
    hand = MarkHand(timed.kit, timed.session.marking, lambda: Snap("max", 2.0))
    affine = timed.session.volume.grid.affine
    assert hand.put(tuple(float(v) for v in affine.apply((5.0, 10.0, 8.0))), None)
    hand.close()
    found = affine.to_index(np.array(timed.session.landmarks["AC"].point_ras))
    assert found[0] > 5.9


def test_a_live_wire_that_was_begun_before_follows_the_edges_of_what_is_shown(
    timed: Bench,
) -> None:
    show(timed, 12, 10, 8, volume=0)
    hand = timed.take("wire")
    timed.mouse.click(18, 10, 8)
    slide(timed, 1)
    for corner in [(12, 16, 8), (6, 10, 8), (12, 4, 8)]:
        timed.mouse.move(*corner)
        timed.mouse.click(*corner)
    assert hand.close()
    disc, got = lit()[:, :, 8], timed.labels[:, :, 8] == 1
    assert 2 * (got & disc).sum() / (got.sum() + disc.sum()) > 0.9


def test_level_tracing_takes_the_region_of_what_is_shown(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=0)
    hand = timed.take("tracing", tolerance=20.0)
    timed.mouse.move(12, 10, 8)
    slide(timed, 1)
    hand.look_anew()
    assert not hand.cancel()
    timed.mouse.click(12, 10, 8)
    assert np.array_equal(timed.labels[:, :, 8] == 1, lit()[:, :, 8])


def test_seeds_grow_anew_on_what_is_shown(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=0)
    hand = timed.take("grow")
    assert isinstance(hand, Seeds)
    hand.look_anew()  # nothing is drawn yet
    assert timed.proposals == []
    timed.kit.choices.put("grow", "seed", "this")
    timed.mouse.drag((12, 10, 8), (13, 10, 8))
    timed.kit.choices.put("grow", "seed", "back")
    timed.mouse.drag((3, 3, 8), (20, 3, 8))
    even = timed.proposals[-1]
    slide(timed, 1)
    hand.look_anew()
    grown = timed.proposals[-1]
    assert grown is not even
    found = np.zeros(SHAPE, bool)
    found[grown.box] = grown.after == 1
    assert found.sum() > 250
    assert (found & ~lit()).sum() < 0.1 * found.sum()
    assert int((even.after == 1).sum()) > 2 * int(found.sum())


def test_a_proposal_on_another_volume_is_not_applied(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=1)
    timed.take("flood", extent="3D", tolerance=40.0)
    timed.mouse.click(12, 10, 8)
    timed.kit.bench.show(timed.proposals[-1])
    slide(timed, 0)
    assert timed.kit.bench.accept() is None
    assert not timed.labels.any()


def test_a_range_among_the_rules_is_judged_on_what_is_shown(timed: Bench) -> None:
    show(timed, 12, 10, 8, volume=1)
    bench = timed.kit.bench
    bench.masking = replace(bench.masking, low=150.0, high=250.0)
    stroke = bench.stroke("Paint", (1,))
    box = tuple(slice(0, n) for n in SHAPE)
    stroke.put(box, np.ones(SHAPE, bool), 1)
    stroke.finish()
    assert np.array_equal(timed.labels == 1, lit())


def test_a_slice_that_no_file_holds_is_flooded_and_picked_by_nobody(gappy: Bench) -> None:
    show(gappy, 12, 10, 8)
    gappy.take("flood", extent="3D", tolerance=200.0)
    gappy.mouse.click(12, 10, 8)
    (found,) = gappy.proposals
    assert found.box[2] == slice(7, 9)
    show(gappy, 12, 10, 6)
    gappy.mouse.click(12, 10, 6)
    (err,) = gappy.errors
    assert "on a slice that no file holds" in err.message
    gappy.kit.choices.tool = "threshold"
    gappy.kit.choices.extents["threshold"] = "3D"
    for option, value in {"preset": "own", "low": -50.0, "high": 50.0}.items():
        gappy.kit.choices.put("threshold", option, value)
    assert work_of("threshold", gappy.kit)(quiet) is None


def test_nothing_snaps_to_a_slice_that_no_file_holds(gappy: Bench) -> None:
    affine = gappy.session.volume.grid.affine
    gappy.session.set_landmarks(LandmarkSet((Landmark("AC"),)))
    hand = MarkHand(gappy.kit, gappy.session.marking, lambda: Snap("min", 3.0))
    at = affine.apply((12.0, 10.0, 8.0))
    assert hand.put(tuple(float(v) for v in at), None)
    hand.close()
    assert gappy.session.landmarks["AC"].point_ras == pytest.approx(tuple(at))


def test_growing_and_refining_see_between_two_slices_what_lies_between_them(
    make: Make, make_grid: Callable[..., Grid]
) -> None:
    noise = np.random.default_rng(5).normal(0, 10, SHAPE[::-1])
    array = np.rint(ball() + noise).astype(np.int16)
    array[[7, 9]] = 0
    grid = make_grid("LPS", SHAPE, (1.0, 1.0, 2.0))
    bench = make(Volume(grid, array.T, SOURCE, modality="CT", missing=(7, 9)))
    between = array.astype(np.float32)
    for k in (7, 9):
        between[k] = (between[k - 1] + between[k + 1]) / 2
    whole = Volume(grid, between.T, SOURCE, modality="CT")
    rough = np.roll(lit(), 1, axis=0)
    bench.labels[rough] = 2
    bench.session.absorb(name="Paint")
    show(bench, 12, 10, 8)

    def both() -> list[np.ndarray]:
        bench.take("grow")
        bench.kit.choices.put("grow", "seed", "this")
        bench.mouse.drag((12, 10, 8), (13, 10, 8))
        bench.kit.choices.put("grow", "seed", "back")
        bench.mouse.drag((3, 3, 8), (20, 3, 8))
        bench.holding.drop()
        bench.kit.choices.tool = "refine"
        bench.kit.choices.extents["refine"] = "3D"
        for option, value in {"band_mm": 2.5, "which": "all"}.items():
            bench.kit.choices.put("refine", option, value)
        found = []
        for made in (bench.proposals[-1], work_of("refine", bench.kit)(quiet)):
            assert made is not None
            found.append(bench.labels.copy())
            found[-1][made.box] = made.after
        return found

    with_gaps_ = both()
    bench.session.bench.in_use = VolumeInUse(whole)
    for one, other in zip(with_gaps_, both(), strict=True):
        assert np.array_equal(one, other)
