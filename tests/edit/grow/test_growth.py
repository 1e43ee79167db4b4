"""Growth from strokes: against a slow oracle, and the same after any history."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.grow import growth as growth_module
from napari_medlabel.edit.grow.field import INNER
from napari_medlabel.edit.grow.growth import Growth
from napari_medlabel.errors import InputError

SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.7, 1.5), (2.0, 0.5, 0.9)]


@pytest.fixture(params=["numba", "numpy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setitem(sys.modules, "numba", None)
    return request.param


def two_rooms(shape: tuple[int, int, int] = (12, 8, 6)) -> np.ndarray:
    """Return two rooms of different intensities that meet at half the length of i."""
    image = np.zeros(shape, np.int16, order="F")
    image[shape[0] // 2 :] = 200
    return image


def box_of(shape: tuple[int, ...], *index: slice | int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[index] = True
    return mask


def sides(at: tuple[int, ...], shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    for axis, sign in product(range(3), (-1, 1)):
        there = list(at)
        there[axis] += sign
        if 0 <= there[axis] < shape[axis]:
            yield tuple(there), axis


def oracle(
    growth: Growth, strokes: list[tuple[np.ndarray, int]], wall: np.ndarray
) -> np.ndarray:
    """Return labels by the definition: distances until nothing changes, then owners."""
    relief = growth._field.relief[INNER].T.astype(int)
    steps = growth._field.steps
    shape = relief.shape
    far = 10**9
    owner = np.zeros(shape, int)
    for number, (mask, _value) in enumerate(strokes, start=1):
        owner[mask & ~wall] = number
    distance = np.where(owner > 0, 0, far)
    free = [at for at in product(*(range(n) for n in shape)) if not wall[at]]

    def ways(at: tuple[int, ...]) -> list[tuple[int, int, int]]:
        """Return for each settled neighbour the distance by it, its own, and its stroke."""
        found = []
        for there, axis in sides(at, shape):
            if wall[there] or distance[there] == far:
                continue
            new = distance[there] + steps.along[2 - axis]
            if steps.mode == "additive":
                new += abs(relief[there] - relief[at])
            else:
                new = max(new, relief[at] * steps.per_level)
            found.append((int(new), int(distance[there]), -int(owner[there])))
        return found

    changes = True
    while changes:
        changes = False
        for at in free:
            new = min([way[0] for way in ways(at)], default=far)
            if new < distance[at]:
                distance[at], changes = new, True
    for at in sorted(
        (at for at in free if 0 < distance[at] < far), key=lambda at: distance[at]
    ):
        owner[at] = -min(ways(at))[2]
    return np.array([0] + [value for _mask, value in strokes])[owner]


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, int]]]:
    shape = draw(st.tuples(*[st.integers(1, 5)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    # Few intensities: plateaus and ties are what can go wrong.
    image = np.asfortranarray(rng.integers(0, draw(st.integers(1, 4)), shape) * 50)
    wall = rng.random(shape) < draw(st.sampled_from([0.0, 0.2]))
    strokes = []
    for _ in range(draw(st.integers(1, 4))):
        mask = rng.random(shape) < 0.15
        mask.flat[int(rng.integers(mask.size))] = True
        strokes.append((mask, draw(st.integers(0, 3))))
    return image.astype(np.int16), wall, strokes


@given(cases(), st.sampled_from(SPACINGS), st.sampled_from(["minimax", "additive"]))
@settings(max_examples=40, deadline=None)
def test_labels_are_those_of_the_definition(case, spacing, mode) -> None:
    image, wall, strokes = case
    growth = Growth(image, spacing, mode=mode)
    growth.set_wall(wall)
    growth.add_all(strokes)
    np.testing.assert_array_equal(growth.labels, oracle(growth, strokes, wall))


@given(cases(), st.sampled_from(SPACINGS), st.sampled_from(["minimax", "additive"]), st.data())
@settings(max_examples=40, deadline=None)
def test_adding_and_removing_equals_growing_anew(case, spacing, mode, data) -> None:
    image, wall, strokes = case
    growth = Growth(image, spacing, mode=mode)
    growth.set_wall(wall)
    there: dict[int, tuple[np.ndarray, int]] = {}
    for stroke in strokes:
        there[growth.add(*stroke)] = stroke
        if len(there) > 1 and data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(there)))
            growth.remove(gone)
            del there[gone]
    anew = Growth(image, spacing, mode=mode)
    anew.set_wall(wall)
    anew.add_all(list(there.values()))
    np.testing.assert_array_equal(growth.labels, anew.labels)
    np.testing.assert_array_equal(growth._field.distance, anew._field.distance)


@given(cases(), st.sampled_from(SPACINGS), st.sampled_from(["minimax", "additive"]))
@settings(max_examples=25, deadline=None)
def test_without_numba_the_result_is_the_same(case, spacing, mode) -> None:
    image, wall, strokes = case
    fields = []
    for hidden in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if hidden:
                patch.setitem(sys.modules, "numba", None)
            growth = Growth(image, spacing, mode=mode)
            growth.set_wall(wall)
            first, *others = growth.add_all(strokes)
            if others:
                growth.remove(first)
            fields.append(growth._field)
    np.testing.assert_array_equal(fields[0].distance, fields[1].distance)
    np.testing.assert_array_equal(fields[0].owner, fields[1].owner)


def test_two_rooms_meet_at_their_door(engine: str) -> None:
    image = two_rooms()
    growth = Growth(image, (1.0, 1.0, 2.0), gradient_mm=0.5)
    growth.add(box_of(image.shape, 1, 1, 1), 3)
    growth.add(box_of(image.shape, 10, 6, 4), 7)
    np.testing.assert_array_equal(growth.labels, np.where(image > 100, 7, 3))
    assert growth.labels.dtype == np.uint8


def test_a_removed_stroke_leaves_its_room_to_the_other(engine: str) -> None:
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    growth.add(box_of(growth.shape, 1, 1, 1), 3)
    other = growth.add(box_of(growth.shape, 10, 6, 4), 7)
    growth.remove(other)
    assert (growth.labels == 3).all()
    assert growth.strokes == (1,)


def test_the_later_stroke_has_a_shared_seed_and_gives_it_back(engine: str) -> None:
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    growth.add(box_of(growth.shape, slice(1, 4), 1, 1), 1)
    later = growth.add(box_of(growth.shape, slice(3, 6), 1, 1), 2)
    assert growth.labels[3, 1, 1] == 2
    growth.remove(later)
    assert growth.labels[3, 1, 1] == 1


def test_growth_does_not_pass_a_wall(engine: str) -> None:
    growth = Growth(np.zeros((9, 4, 3), np.int16), (1.0, 1.0, 1.0))
    wall = box_of(growth.shape, 4)
    growth.add(box_of(growth.shape, 1, 1, 1), 5)
    growth.set_wall(wall)
    assert (growth.labels[:4] == 5).all()
    assert not growth.labels[4:].any()
    assert not growth.reached_of(slice(0, 3))[4:].any()
    growth.set_wall(None)
    assert growth.changed == slice(0, growth.shape[2])
    assert (growth.labels == 5).all()


def test_a_seed_on_the_wall_does_not_count() -> None:
    growth = Growth(np.zeros((4, 4, 3), np.int16), (1.0, 1.0, 1.0))
    growth.set_wall(np.ones(growth.shape, bool))
    growth.add(box_of(growth.shape, 1, 1, 1), 5)
    assert not growth.labels.any()


def test_flat_indices_count_i_fastest() -> None:
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    by_mask = growth.add(box_of(growth.shape, 2, 3, 4), 1)
    by_index = growth.add(np.array([(4 * 8 + 3) * 12 + 2]), 2)
    places = [growth._strokes[n].places.tolist() for n in (by_mask, by_index)]
    assert places[0] == places[1]


def test_what_lies_outside_the_changed_slices_has_not_changed(engine: str) -> None:
    rng = np.random.default_rng(1)
    growth = Growth(rng.integers(0, 100, (10, 9, 20)).astype(np.int16), (1.0, 1.0, 1.0))
    growth.add(box_of(growth.shape, slice(None), slice(None), 0), 1)
    before = growth.labels
    number = growth.add(box_of(growth.shape, 5, 5, 15), 2)
    assert growth.changed is not None
    outside = np.ones(20, bool)
    outside[growth.changed] = False
    assert outside.any()
    np.testing.assert_array_equal(growth.labels[..., outside], before[..., outside])
    growth.remove(number)
    assert growth.changed is not None
    np.testing.assert_array_equal(growth.labels, before)


class StopError(Exception):
    """The person does not want it any more."""


def stop(_done: int, _total: int) -> None:
    raise StopError


@pytest.mark.parametrize("work", ["add", "remove"])
def test_work_that_is_cancelled_leaves_the_strokes_as_they_were(
    engine: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.edit.grow.field._BUDGET", 5)
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    growth.add(box_of(growth.shape, 1, 1, 1), 3)
    other = growth.add(box_of(growth.shape, 10, 6, 4), 7)
    before = growth.labels
    stroke = box_of(growth.shape, 6, 6, 4)
    do = {
        "add": lambda: growth.add(stroke, 9, tick=stop),
        "remove": lambda: growth.remove(other, tick=stop),
    }[work]
    with pytest.raises(StopError):
        do()
    assert growth.strokes == (1, 2)
    np.testing.assert_array_equal(growth.labels, before)


def test_a_long_queue_finds_room(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 1000, (60, 60, 30)).astype(np.int16)
    growth = Growth(image, (1.0, 1.0, 1.0))
    growth.add(rng.random(growth.shape) < 0.5, 1)
    growth.add(box_of(growth.shape, 30, 30, 15), 2)
    assert (growth.labels > 0).all()


def test_six_bytes_are_kept_for_a_voxel_and_seven_from_256_strokes_on(engine: str) -> None:
    growth = Growth(np.zeros((62, 62, 62), np.int16), (1.0, 1.0, 1.0))
    assert growth.nbytes == 6 * 64**3
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    count, one = int(np.prod(growth.shape)), growth.nbytes // 6
    numbers = [growth.add(np.array([n % count]), n % 200) for n in range(254)]
    growth.add(np.array([3]), 7)
    assert growth.nbytes == 6 * one
    before = growth.labels.copy()
    last = growth.add(np.array([5]), 8)
    assert growth.nbytes == 7 * one
    assert growth.labels.T.reshape(-1)[5] == 8
    growth.remove(last)
    assert np.array_equal(growth.labels, before)
    growth.remove(numbers[0])
    anew = Growth(two_rooms(), (1.0, 1.0, 1.0))
    anew.add_all([(np.array([n % count]), n % 200) for n in range(1, 254)])
    anew.add(np.array([3]), 7)
    assert np.array_equal(growth.labels, anew.labels)


def test_large_labels_are_kept(engine: str) -> None:
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    growth.add(box_of(growth.shape, 1, 1, 1), 300)
    assert growth.labels.dtype == np.uint16
    assert (growth.labels == 300).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mode": "magic"}, "'minimax' or 'additive'; got 'magic'"),
        ({"gradient_mm": "wide"}, "'auto' or a length in mm; got 'wide'"),
        ({"gradient_mm": 0.0}, "above 0 and up to 20 mm; got 0"),
        ({"spacing_mm": (1.0, 0.0, 1.0)}, "Spacings are above 0 mm"),
        (
            {"image_crop": np.zeros((3, 3))},
            r"needs a volume \(i, j, k\); got the shape \(3, 3\)",
        ),
    ],
)
def test_what_cannot_be_grown_on_is_refused(wrong: dict[str, object], message: str) -> None:
    given_: dict[str, object] = {"image_crop": two_rooms(), "spacing_mm": (1.0, 1.0, 1.0)}
    with pytest.raises(InputError, match=message):
        Growth(**{**given_, **wrong})


def test_strokes_that_are_none_are_refused() -> None:
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="needs voxels"):
        growth.add(np.zeros(growth.shape, bool), 1)
    with pytest.raises(InputError, match="needs voxels, all of them inside"):
        growth.add(np.array([10**6]), 1)
    with pytest.raises(InputError, match="crop's shape"):
        growth.add(np.ones((2, 2, 2), bool), 1)
    with pytest.raises(InputError, match="from 0 to 65535; got -1"):
        growth.add(box_of(growth.shape, 1, 1, 1), -1)
    with pytest.raises(InputError, match="no longer there"):
        growth.remove(1)
    with pytest.raises(InputError, match="A wall has the crop's shape"):
        growth.set_wall(np.ones((2, 2, 2), bool))


def test_more_strokes_than_have_a_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth_module, "_MOST_STROKES", 2)
    growth = Growth(two_rooms(), (1.0, 1.0, 1.0))
    growth.add_all([(np.array([0]), 1), (np.array([50]), 2)])
    with pytest.raises(InputError, match="At most 2 strokes"):
        growth.add(np.array([1]), 1)
