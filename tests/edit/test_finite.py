"""Images with padding that holds no numbers: every tool obeys one rule."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit import finite
from napari_medlabel.edit.between import fill_between
from napari_medlabel.edit.brush import ball
from napari_medlabel.edit.edge_brush import edge_aware
from napari_medlabel.edit.flood import flood
from napari_medlabel.edit.grow.growth import Growth
from napari_medlabel.edit.grow.halving import averaged as halved
from napari_medlabel.edit.grow.seeds import grow_coarse, grow_from_seeds
from napari_medlabel.edit.grow.seeds import refine as refine_growth
from napari_medlabel.edit.livewire import LiveWire
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.otsu import otsu
from napari_medlabel.edit.propagate import propagate
from napari_medlabel.edit.refine import refine
from napari_medlabel.edit.region import threshold
from napari_medlabel.edit.scene import Scene, whole
from napari_medlabel.edit.snap import snap_to_edge, snap_to_extremum
from napari_medlabel.edit.threshold import Likeness, local_threshold, threshold_box
from napari_medlabel.edit.tracing import level_trace, outline_of
from napari_medlabel.errors import InputError

SHAPE = (24, 22, 12)
MM = (1.0, 1.0, 2.0)
HOLES = (np.nan, np.inf, -np.inf)


def phantom(kind: str = "f4") -> np.ndarray:
    """Return two halves, 0 and 100, with noise of 5, in memory order."""
    image = np.random.default_rng(0).normal(0, 5, SHAPE[::-1]).T
    image[12:] += 100
    return np.asfortranarray(image.astype(kind))


def padded(hole: float = np.nan) -> np.ndarray:
    image = phantom()
    image[:, :5] = hole
    return image


def scene_of(image: np.ndarray, labels: np.ndarray | None = None, **rules: object) -> Scene:
    if labels is None:
        labels = np.zeros(image.shape[::-1], np.uint8).T
    return Scene(labels, image, MM, Masking(**rules))  # type: ignore[arg-type]


def seeds() -> np.ndarray:
    out = np.zeros(SHAPE[::-1], np.uint8).T
    out[4, 12, 6], out[20, 12, 6] = 1, 2
    return out


def test_an_image_of_numbers_is_known_without_a_look_at_each() -> None:
    assert finite.numbers_in(phantom("i2")) is None
    assert finite.numbers_in(phantom()) is None
    found = finite.numbers_in(padded())
    assert found is not None
    assert np.array_equal(found, np.isfinite(padded()))


@pytest.mark.parametrize("hole", HOLES)
def test_voxels_without_a_number_become_the_lowest_one(hole: float) -> None:
    image = padded(hole)
    floats = finite.as_floats(image)
    lowest = image[np.isfinite(image)].min()
    assert finite.lowest(image) == lowest
    assert np.array_equal(floats, np.where(np.isfinite(image), image, lowest))
    assert finite.as_floats(np.full((2, 2, 2), np.nan)).max() == 0.0
    assert finite.as_floats(np.array([[[1e300, 1.0]]])).tolist() == [[[1.0, 1.0]]]


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("mode", ["minimax", "additive"])
def test_growing_takes_padding_for_the_lowest_number(hole: float, mode: str) -> None:
    image = padded(hole)
    grown = Growth(image, MM, mode=mode)  # type: ignore[arg-type]
    plain = Growth(finite.as_floats(image), MM, mode=mode)  # type: ignore[arg-type]
    for growth in (grown, plain):
        growth.add(np.flatnonzero(seeds().T == 1), 1)
        growth.add(np.flatnonzero(seeds().T == 2), 2)
    assert grown.gradient_mm == plain.gradient_mm
    assert np.array_equal(grown.labels, plain.labels)
    inside = grown.labels[:, 8:]
    assert np.mean(inside[:12] == 1) > 0.98
    assert np.mean(inside[12:] == 2) > 0.98


def test_growing_roughly_first_gets_over_padding_too() -> None:
    scene = scene_of(padded())
    coarse = grow_coarse(scene, whole(SHAPE), seeds())
    fine = refine_growth(scene, coarse)
    assert coarse.proposal is not None
    assert fine is not None
    halves = halved(padded(), (2, 2, 1))
    assert np.isnan(halves[:, 0]).all()
    assert np.isfinite(halves[:, 2]).all()  # rows 4 (without) and 5 (with numbers)
    assert np.allclose(halves[:, 2], (padded()[0::2, 5] + padded()[1::2, 5]) / 2)


@pytest.mark.parametrize("kind", ["?", "f2", ">i2", "f8", "u1"])
def test_growing_takes_every_type_of_voxel(kind: str) -> None:
    image = (phantom("f8") > 50) if kind == "?" else phantom("f8").clip(0, 200).astype(kind)
    for mode in ("minimax", "additive"):
        grown = grow_from_seeds(scene_of(image), whole(SHAPE), seeds(), mode=mode)
        assert grown is not None


def test_an_image_without_any_number_is_flat_to_growing() -> None:
    nothing = np.full(SHAPE, np.nan, np.float32)
    for mode in ("minimax", "additive"):
        assert grow_from_seeds(scene_of(nothing), whole(SHAPE), seeds(), mode=mode) is not None


@pytest.mark.parametrize("hole", HOLES)
def test_the_edge_brush_leaves_out_what_has_no_number(hole: float) -> None:
    image = phantom()
    mark = ball(SHAPE, (5, 11, 6), 4, MM)
    assert mark is not None
    before = edge_aware(scene_of(image), *mark, (5, 11, 6))
    image[mark[0]][0, 0, 0] = hole  # in the corner of its box, beside the ball
    assert np.array_equal(edge_aware(scene_of(image), *mark, (5, 11, 6)), before)
    image[6, 11, 6] = hole
    after = edge_aware(scene_of(image), *mark, (5, 11, 6))
    corner = [s.start for s in mark[0]]
    assert not after[6 - corner[0], 11 - corner[1], 6 - corner[2]]
    assert after.sum() > 0.8 * before.sum()
    image[5, 11, 6] = hole
    assert edge_aware(scene_of(image), *mark, (5, 11, 6)).sum() == 1


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("kind", ["max", "min"])
def test_an_extremum_is_always_a_number(hole: float, kind: str) -> None:
    image = np.zeros((9, 9, 9), np.float32)
    image[4, 4, 4] = 5 if kind == "max" else -5
    image[3, 4, 4] = image[5, 5, 5] = hole
    found = snap_to_extremum(image, (5, 5, 5), kind=kind, radius_mm=3, spacing_mm=(1, 1, 1))  # type: ignore[arg-type]
    assert found.tolist() == [4, 4, 4]
    image[:] = hole
    with pytest.raises(InputError, match="No voxel around the point holds a number"):
        snap_to_extremum(image, (5, 5, 5), kind=kind, radius_mm=3, spacing_mm=(1, 1, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("hole", HOLES)
def test_a_landmark_goes_to_an_edge_and_not_to_padding(hole: float) -> None:
    image = np.zeros((16, 12, 12), np.float32)
    image[8:] = 100
    plain = snap_to_edge(image, (6, 6, 6), radius_mm=3, spacing_mm=(1, 1, 1))
    image[:, :4] = hole
    found = snap_to_edge(image, (6, 6, 6), radius_mm=3, spacing_mm=(1, 1, 1))
    assert found[0] == pytest.approx(plain[0], abs=0.05)
    image[8:] = 0
    image[:, :4] = hole
    flat = snap_to_edge(image, (6, 5, 6), radius_mm=3, spacing_mm=(1, 1, 1))
    assert flat.tolist() == [6, 5, 6]


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize(
    "like", [Likeness(), Likeness(classes=2), Likeness(low=50.0), Likeness(high=50.0)]
)
def test_a_local_threshold_leaves_out_what_has_no_number(hole: float, like: Likeness) -> None:
    image = phantom()
    image[:, :5] = image[19, 12, 6] = image[5, 12, 6] = hole
    seed = (4, 11, 6) if like.high is not None else (20, 12, 6)
    found = local_threshold(scene_of(image), whole(SHAPE), seed, 1, like=like)
    assert found is not None
    taken = image[found.box][found.after == 1]
    assert np.isfinite(taken).all()
    assert taken.size > 1000
    with pytest.raises(InputError, match="holds no number"):
        local_threshold(scene_of(image), whole(SHAPE), (19, 12, 6), 1, like=like)


@pytest.mark.parametrize("kind", ["?", "f2"])
def test_a_local_threshold_takes_every_type_of_voxel(kind: str) -> None:
    image = (phantom("f8") > 50) if kind == "?" else phantom("f2")
    found = local_threshold(
        scene_of(image), whole(SHAPE), (20, 12, 6), 1, like=Likeness(classes=2)
    )
    assert found is not None
    assert np.count_nonzero(found.after) > 1000


@pytest.mark.parametrize("hole", HOLES)
def test_no_range_holds_what_has_no_number_however_open_it_is(hole: float) -> None:
    image = padded(hole)
    inside = np.isfinite(image)
    assert np.array_equal(threshold(image, -np.inf, np.inf), inside)
    assert np.array_equal(threshold(image, -np.inf, 1e9), inside)
    every = threshold_box(scene_of(image), whole(SHAPE), -np.inf, np.inf, 1)
    assert every is not None
    assert np.array_equal(every.after == 1, inside)
    for ends in ({"low": -1e9}, {"high": 1e9}):
        filled = flood(scene_of(image), whole(SHAPE), (4, 12, 6), 1, **ends)  # type: ignore[arg-type]
        assert filled is not None
        assert np.count_nonzero(filled.after) == inside.sum()
        rule = scene_of(image, **ends).masking  # type: ignore[arg-type]
        assert np.array_equal(rule.editable(scene_of(image).labels, image), inside)
    with pytest.raises(InputError, match="holds no number"):
        flood(scene_of(image), whole(SHAPE), (4, 1, 6), 1, tolerance=5)


def test_a_rule_whose_end_is_no_number_is_refused() -> None:
    for ends in ({"low": np.nan}, {"high": np.nan}, {"low": np.nan, "high": 3.0}):
        with pytest.raises(InputError, match="An end of an intensity range is a number"):
            Masking(**ends)  # type: ignore[arg-type]


@pytest.mark.parametrize("hole", HOLES)
def test_otsu_leaves_out_what_has_no_number(hole: float) -> None:
    image = padded(hole)
    assert otsu(image) == otsu(image[np.isfinite(image)])
    assert otsu(phantom("f8") > 50) == (0.5,)
    (border,) = otsu(phantom("f2"))
    assert 20 < border < 80


@pytest.mark.parametrize("hole", HOLES)
def test_level_tracing_leaves_out_what_has_no_number(hole: float) -> None:
    plane = padded(hole)[:, :, 6]
    plane[5, 12] = hole
    region = level_trace(plane, (4, 12), tolerance=25, filled=False)
    assert np.isfinite(plane[region]).all()
    assert region.sum() > 150
    nothing = level_trace(plane, (4, 1), tolerance=25)
    assert not nothing.any()
    assert outline_of(nothing) == []


@pytest.mark.parametrize("hole", HOLES)
def test_a_live_wire_runs_along_the_edge_beside_padding(hole: float) -> None:
    wire = LiveWire(padded(hole)[:, :, 6], MM[:2])
    wire.anchor((12, 8))
    path = wire.path_to((12, 20))
    assert np.abs(path[:, 0] - 11.5).max() <= 1.5


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("method", ["watershed", "random_walker"])
def test_refining_takes_padding_for_the_lowest_number(hole: float, method: str) -> None:
    image, labels = padded(hole), np.zeros(SHAPE[::-1], np.uint8).T
    labels[14:20, 7:18, 3:9] = 1
    some = refine(scene_of(image, labels), whole(SHAPE), [1], band_mm=3, method=method)  # type: ignore[arg-type]
    same = refine(
        scene_of(finite.as_floats(image), labels), whole(SHAPE), [1], band_mm=3, method=method  # type: ignore[arg-type]
    )  # fmt: skip
    assert some is not None
    assert same is not None
    if method == "watershed":  # the walk's blur has the lowest number of its own crop
        assert np.array_equal(some.after, same.after)


@pytest.mark.parametrize("hole", HOLES)
def test_a_slice_is_carried_on_beside_padding_and_not_into_it(hole: float) -> None:
    image, labels = phantom(), np.zeros(SHAPE[::-1], np.uint8).T
    image[12:, 4:9] -= 100
    labels[13:22, 10:20, 4] = 1
    image[:, :3] = image[16, 15, 5] = hole
    image[:, :, 8:] = hole
    found = propagate(scene_of(image, labels), 2, 4, 11, [1])
    assert found is not None
    assert found.box[2] == slice(5, 8)
    assert "its grey values stop" in found.words
    labels[:] = 0
    labels[13:22, 10:20, 9] = 1
    with pytest.raises(InputError, match="Nothing can be carried"):
        propagate(scene_of(image, labels), 2, 9, 11, [1])


def test_filling_between_slices_snaps_beside_padding() -> None:
    image, labels = padded(), np.zeros(SHAPE[::-1], np.uint8).T
    labels[13:22, 7:18, 2] = labels[13:22, 7:18, 8] = 1
    assert fill_between(scene_of(image, labels), whole(SHAPE), 2, snap_mm=2.0) is not None
