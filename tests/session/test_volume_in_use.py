"""The volume in use: counted, read when it is asked for, and without what no file holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from napari_medlabel.session.case import Session
from napari_medlabel.session.volume_in_use import VolumeInUse


class Lazy:
    """Volumes that stay in their files; counts how often one is read."""

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        self.reads = 0
        self._array = array

    def __getitem__(self, key: Any) -> Any:
        self.reads += 1
        return self._array[key]


def scan(make_grid: Callable[..., Grid], count: int, **more: Any) -> Volume:
    grid = make_grid()
    array = np.zeros((count, *grid.shape[::-1]), np.int16)
    array += np.arange(count, dtype=np.int16)[:, None, None, None]
    values = tuple(float(t) for t in range(count))
    further = FurtherAxis("time", "s", values, Lazy(array.T))
    return Volume(grid, array.T[..., 0], Source("nifti", ()), further=further, **more)


def test_a_scan_of_one_volume_has_nothing_to_choose(volume: Volume) -> None:
    in_use = VolumeInUse(volume)
    assert (in_use.count, in_use.number, in_use.words) == (1, 0, "")
    assert not in_use.use(3)
    assert in_use.image is in_use.values is volume.array
    assert in_use.now == ("", volume.array)


def test_a_volume_is_read_once_and_only_when_it_is_asked_for(
    make_grid: Callable[..., Grid],
) -> None:
    volume = scan(make_grid, 12)
    in_use = VolumeInUse(volume)
    assert [in_use.use(number) for number in (3, 4, 4)] == [True, True, False]
    assert volume.further.array.reads == 0
    assert in_use.words == "5 of 12"
    assert (in_use.values == 4).all()
    assert in_use.image is in_use.values is in_use.now[1]
    assert volume.further.array.reads == 1
    assert in_use.use(99)
    assert in_use.words == "12 of 12"
    assert in_use.use(-1)
    assert in_use.values is volume.array


@pytest.mark.parametrize("number", [0, 2])
def test_slices_that_no_file_holds_have_no_number_for_tools(
    make_grid: Callable[..., Grid], number: int
) -> None:
    in_use = VolumeInUse(scan(make_grid, 3, missing=(1, 4)))
    in_use.use(number)
    there = [0, 2, 3, 5]
    assert np.isnan(in_use.image[..., [1, 4]]).all()
    assert (in_use.image[..., there] == number).all()
    assert in_use.image.dtype == np.float32
    assert in_use.image is in_use.image
    assert (in_use.values == number).all()


def test_whole_numbers_that_a_float32_would_round_stay_what_they_are(volume: Volume) -> None:
    large = np.full(volume.grid.shape[::-1], 2**31 - 3, np.int32).T
    image = VolumeInUse(replace(volume, array=large, missing=(0,))).image
    assert (image[..., 1:] == 2**31 - 3).all()


def test_colours_are_used_as_they_are(volume: Volume) -> None:
    colour = np.zeros((*volume.grid.shape, 3), np.uint8)
    one = replace(volume, colour=colour, missing=(2,))
    assert VolumeInUse(one).image is volume.array
    grid, values = volume.grid, (0.0, 1.0)
    further = FurtherAxis("time", "s", values, np.zeros((*grid.shape, 2), np.uint16))
    assert VolumeInUse(replace(one, further=further)).count == 1


def test_another_volume_is_told_before_a_proposal_goes(session: Session) -> None:
    bench = session.bench
    array = np.zeros((2, *session.volume.grid.shape[::-1]), np.uint16).T
    further = FurtherAxis("time", "s", (0.0, 1.0), array)
    bench.in_use = VolumeInUse(replace(session.volume, further=further))
    scene = bench.scene()
    box = tuple(slice(0, n) for n in scene.shape)
    bench.show(scene.propose(box, np.ones_like(scene.labels), name="Fill", values=(1,)))
    told: list[tuple[int, bool]] = []
    bench.volume_changed.connect(lambda n: told.append((n, bench.preview is not None)))
    bench.use_volume(0)
    assert bench.preview is not None
    bench.use_volume(1)
    assert told == [(1, True)]
    assert bench.preview is None
    assert bench.accept() is None
    assert not session.labels.array.any()


def test_without_a_range_a_stroke_reads_no_volume(
    session: Session, make_grid: Callable[..., Grid]
) -> None:
    volume = scan(make_grid, 3)
    session.bench.in_use = VolumeInUse(volume)
    session.bench.use_volume(1)
    box = (slice(0, 2), slice(0, 2), slice(0, 1))
    stroke = session.bench.stroke("Paint", (1,))
    stroke.put(box, np.ones((2, 2, 1), bool), 1)
    assert volume.further.array.reads == 0
    assert stroke.finish() is not None


def test_what_follows_edges_sees_between_two_slices_what_lies_between_them(
    volume: Volume,
) -> None:
    shape = volume.grid.shape
    k = np.arange(shape[2], dtype=np.int16)
    array = np.zeros(shape[::-1], np.int16)
    array += 10 * k[:, None, None]
    array[[0, 2, 3, 5]] = -1000
    gappy = replace(volume, array=array.T, missing=(0, 2, 3, 5))
    in_use = VolumeInUse(gappy)
    assert in_use.bridged is in_use.bridged
    assert np.allclose(in_use.bridged[0, 0], [10, 10, 20, 30, 40, 40])
    assert VolumeInUse(volume).bridged is volume.array


@pytest.mark.parametrize("number", [0, 1])
def test_bridges_are_those_of_the_volume_in_use(
    make_grid: Callable[..., Grid], number: int
) -> None:
    in_use = VolumeInUse(scan(make_grid, 2, missing=(3,)))
    assert (in_use.bridged == 0).all()
    in_use.use(number)
    assert (in_use.bridged == number).all()
