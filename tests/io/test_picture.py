"""Single pictures: shown as they are stored, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from napari_medlabel import samples
from napari_medlabel.errors import InputError
from napari_medlabel.io.picture import read_picture


def test_the_ultrasound_sample_is_a_picture() -> None:
    picture = read_picture(samples.path("us_burned_in"))
    assert min(picture.shape[:2]) > 200
    assert picture.max() > 200


def test_colour_keeps_its_three_channels() -> None:
    path = get_testdata_file("SC_rgb_small_odd.dcm", download=False)
    assert read_picture(Path(path)).shape[-1] == 3


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_text("hello")
    with pytest.raises(InputError, match="cannot be decoded"):
        read_picture(tmp_path / "a.dcm")


def test_a_clip_is_refused() -> None:
    path = get_testdata_file("rtdose.dcm", download=False)
    with pytest.raises(InputError, match="15 frames"):
        read_picture(Path(path))
