"""The reader that napari calls, where there is nobody to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import SeriesChoiceError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.widgets import reading


@pytest.fixture(autouse=True)
def workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


def test_without_a_window_several_series_are_listed(
    tmp_path: Path, make_grid: Callable[..., Grid], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "has_window", lambda: False)
    for n in (1, 2):
        grid = make_grid(shape=(12, 10, 5 + n))
        write_mask_nifti(
            tmp_path / f"{n}.nii", np.zeros(grid.shape, np.uint8), None, False, grid.affine
        )
    assert reading.get_reader(str(tmp_path)) is reading.read_layers
    assert reading.get_reader(str(tmp_path / "none.txt")) is None
    with pytest.raises(SeriesChoiceError, match="2 were found"):
        reading.read_layers(str(tmp_path))
    ((data, _, _),) = reading.read_layers(str(tmp_path / "1.nii"))
    assert data.shape == (6, 10, 12)
