"""Real scans keep their place: what says where a voxel lies passes as it was written."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from napari_medlabel.deid.dicom.file import deidentify_file

DATA = Path(__file__).parents[3] / "shared" / "data"
GEOMETRY = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "Rows",
    "Columns",
)


def images(folder: Path) -> list[Path]:
    """Return some DICOM images of a folder, spread over all of it."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    dicom = [p for p in found if p.read_bytes()[128:132] == b"DICM"]
    return dicom[:: max(1, len(dicom) // 12)]


@pytest.mark.parametrize(
    "name", ["datalad-structural", "dcm_qa_nih", "dcm_qa_ts", "dcmqi", "rt-utils"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_positions_and_spacings_pass_character_by_character(
    name: str, tmp_path: Path, profile, pseudonyms
) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"the real scans ../shared/data/{name} are not here")
    compared = 0
    for number, path in enumerate(images(DATA / name)):
        before = pydicom.dcmread(path, stop_before_pixels=True)
        if "PixelSpacing" not in before:
            continue
        target = tmp_path / f"{number}.dcm"
        deidentify_file(path, target, profile, pseudonyms)
        after = pydicom.dcmread(target, stop_before_pixels=True)
        for keyword in GEOMETRY:
            if keyword in before:
                assert str(after[keyword].value) == str(before[keyword].value), keyword
                compared += 1
    assert compared > 5
