"""The second reader: it agrees with what is right and refuses each thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import SaveError
from napari_medlabel.export.second_reader import can_judge, require_agreement
from napari_medlabel.export.volume import save_volume
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_volume_nifti
from napari_medlabel.model.volume import FurtherAxis, Source, Volume


def made(grid: Grid) -> Volume:
    array = np.arange(grid.size, dtype=np.int16).reshape(grid.shape[::-1]).T
    return Volume(grid, array, Source("dicom", (Path("a"),)))


@given(codes=st.sampled_from(ORIENTATIONS))
def test_it_agrees_in_all_48_orientations(
    codes: str, make_grid: Callable[..., Grid], tmp_path_factory
) -> None:
    path = tmp_path_factory.mktemp("s") / "v.nii"
    saved = save_volume(path, made(make_grid(codes)))
    assert saved.second_reader == "SimpleITK"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("the values differ", lambda v: replace(v, array=v.array + np.int16(1))),
        (
            "the corners lie elsewhere",
            lambda v: replace(
                v, grid=Grid(v.grid.shape, v.grid.affine @ np.diag([1.0, 1.0, 1.01, 1.0]))
            ),
        ),
        (
            "the shapes differ",
            lambda v: replace(
                v,
                grid=Grid((*v.grid.shape[:2], v.grid.shape[2] - 1), v.grid.affine),
                array=v.array[:, :, 1:],
            ),
        ),
    ],
)
def test_it_refuses_a_file_that_holds_something_else(
    reason: str,
    change: Callable[[Volume], Volume],
    make_grid: Callable[..., Grid],
    tmp_path: Path,
) -> None:
    volume = made(make_grid("LPS"))
    write_volume_nifti(tmp_path / "v.nii", volume)
    require_agreement(tmp_path / "v.nii", volume)
    with pytest.raises(SaveError, match=reason):
        require_agreement(tmp_path / "v.nii", change(volume))


def test_it_refuses_what_it_cannot_read(make_grid: Callable[..., Grid], tmp_path: Path) -> None:
    (tmp_path / "v.nii").write_bytes(b"no volume")
    with pytest.raises(SaveError, match="cannot read the file"):
        require_agreement(tmp_path / "v.nii", made(make_grid("LPS")))


def test_it_is_not_asked_where_it_cannot_judge(make_grid: Callable[..., Grid]) -> None:
    volume = made(make_grid("LPS"))
    assert can_judge(volume)
    sheared = volume.grid.affine.matrix.copy()
    sheared[:3, 2] += sheared[:3, 1] * 0.2
    axis = FurtherAxis("time", "s", (0.0, 1.0), np.stack([volume.array] * 2, axis=3))
    colour = np.zeros((*volume.grid.shape, 3), np.uint8)
    for other in (
        replace(volume, grid=Grid(volume.grid.shape, Affine(sheared))),
        replace(volume, further=axis),
        replace(volume, colour=colour),
        replace(volume, is_oriented=False),
        replace(volume, source=replace(volume.source, header=b"x")),
    ):
        assert not can_judge(other)
