"""Scans of every kind made by hand: what the readers hand over, without files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, adopt_volume

SOURCE = Source("dicom", (Path("scan.dcm"),), ("ab" * 32,))


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def scan_of_times(make_grid: Callable[..., Grid]) -> Callable[..., Volume]:
    """Return a function that makes five volumes, each with a light in another place."""

    def make(codes: str = "LPS", wrap: Callable[[Any], Any] = lambda a: a) -> Volume:
        grid = make_grid(codes, (24, 20, 16), (1.0, 1.2, 1.5))
        array = np.zeros((5, *grid.shape[::-1]), np.uint16)
        for t in range(5):
            i, j, k = 4 + 2 * t, 3 + 2 * t, 2 + 2 * t
            array[t, k : k + 3, j : j + 3, i : i + 3] = 1000
        further = FurtherAxis("time", "s", tuple(2.0 * t for t in range(5)), wrap(array.T))
        return Volume(grid, array.T[..., 0], SOURCE, modality="MR", further=further)

    return make


@pytest.fixture
def colour_scan(make_grid: Callable[..., Grid]) -> Volume:
    """Return colours on a grid of patient places: red grows to the left of the patient."""
    grid = make_grid("LPS")
    colour = np.zeros((*grid.shape[::-1], 3), np.uint8)
    colour[..., 0] = np.arange(grid.shape[0])
    colour[1, 2, 3] = (9, 200, 30)
    array = np.zeros(grid.shape[::-1], np.uint8)
    return Volume(grid, array.T, SOURCE, modality="PT", colour=colour.transpose(2, 1, 0, 3))


@pytest.fixture
def pictures() -> Volume:
    """Return four ultrasound pictures in colour, which have no place in a patient."""
    grid = Grid((12, 10, 4), Affine(np.diag([0.3, 0.4, 1.0, 1.0])))
    colour = np.zeros((4, 10, 12, 3), np.uint8)
    colour[2, 1, 5] = (10, 20, 30)
    return Volume(
        grid,
        colour[..., 0].T,
        SOURCE,
        modality="US",
        is_oriented=False,
        colour=colour.transpose(2, 1, 0, 3),
        slices="pictures",
        warnings=("The pictures have no position.",),
    )


@pytest.fixture
def gappy_scan(make_grid: Callable[..., Grid]) -> Volume:
    """Return a scan in which slices 2 and 4 (from 0) are missing; k runs to the feet."""
    grid = make_grid("LPI")
    array = np.full(grid.shape[::-1], 50, np.int16)
    array[[2, 4]] = 0
    return Volume(grid, array.T, SOURCE, modality="CT", missing=(2, 4))


@pytest.fixture
def open_volume(desk: Desk, tmp_path: Path) -> Callable[[Volume], Session]:
    """Return a function that makes an open session of a volume."""
    opened: list[Session] = []

    def make(volume: Volume) -> Session:
        wishes = Wishes(folder=tmp_path / f"case-{len(opened)}")
        opened.append(
            adopt_volume(volume, [tmp_path / "scan.dcm"], desk, wishes, fallback=tmp_path)
        )
        return opened[-1]

    yield make
    for session in opened:
        session.close(discard=True)
