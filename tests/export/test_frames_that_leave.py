"""Marks on one object of many frames: each slice names its frame, in whatever order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medlabel.export.dicom_seg import save_dicom_seg
from napari_medlabel.export.rtstruct import save_rtstruct
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.volume import Volume
from tests.export.leaving import HEADER, made, organs
from tests.io import frames as many

pytest.importorskip("highdicom")
ORDER = (2, 0, 3, 1)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    said = [
        {"position": [0.0, 0.0, 5.0 * k], "stack": "1", "dimensions": [1, k + 1]} for k in ORDER
    ]
    header = {name: value for name, value in HEADER.items() if name != "SliceThickness"}
    ds = many.enhanced(
        said,
        {"thickness": 5.0},
        sop_class=many.STORAGE + "4.1",
        FrameOfReferenceUID="1.2.3.8",
        Modality="MR",
        **header,
    )
    many.save(tmp_path / "scan.dcm", ds)
    return read_volume(tmp_path / "scan.dcm")


def test_a_segmentation_and_contours_lie_on_the_frames(volume: Volume, tmp_path: Path) -> None:
    assert {file for file, _frame in volume.source.planes} == {0}
    mask = organs(volume.grid)
    saved = save_dicom_seg(tmp_path / "m.dcm", [mask], volume, made())
    back = read_marks(saved.path, volume).labels[0]
    for value, number in saved.numbers.items():
        assert np.array_equal(back.array == number, mask.array == value)
    save_rtstruct(tmp_path / "r.dcm", [mask], volume, made(2))
    assert np.array_equal(read_marks(tmp_path / "r.dcm", volume).labels[0].array, mask.array)
    named = {
        c.ContourImageSequence[0].ReferencedFrameNumber
        for roi in pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence
        for c in roi.get("ContourSequence", ())
    }
    assert named == {1, 2, 3, 4}
