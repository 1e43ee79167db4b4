"""An independent checker (dciodvfy of dicom3tools) finds no error that was not there before."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from napari_medlabel.deid.dicom.file import clean_file
from napari_medlabel.deid.rules.marks import PIXEL_OPTIONS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile

CHECKER = "dciodvfy"
pytestmark = pytest.mark.skipif(
    shutil.which(CHECKER) is None, reason=f"{CHECKER} (dicom3tools) is not installed"
)
ALONE = tuple((option,) for option in Option if option not in PIXEL_OPTIONS)
EIGHT = (
    Option.RETAIN_UIDS,
    Option.RETAIN_DEVICE,
    Option.RETAIN_INSTITUTION,
    Option.RETAIN_PATIENT_CHARACTERISTICS,
    Option.RETAIN_DATES,
    Option.RETAIN_SAFE_PRIVATE,
    Option.CLEAN_DESCRIPTORS,
    Option.CLEAN_STRUCTURED,
)
CHOSEN = ((), *ALONE, EIGHT)
FILES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "rtplan.dcm",
    "rtdose.dcm",
    "liver_1frame.dcm",
    "emri_small_RLE.dcm",
    "waveform_ecg.dcm",
    "emri_small_jpeg_ls_lossless.dcm",
    "eCT_Supplemental.dcm",
    "reportsi.dcm",
)
_UID = re.compile(r"\b[0-9]+(?:\.[0-9]+){2,}")
_VALUE = re.compile(r"= <[^>]*>")


def errors(content: bytes, folder: Path) -> set[str]:
    """Return the checker's errors without values, which are others after cleaning."""
    path = folder / "checked.dcm"
    path.write_bytes(content)
    done = subprocess.run([CHECKER, str(path)], capture_output=True, check=False, timeout=60)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    assert lines, "it says at least which IOD it is"
    return {_VALUE.sub("", _UID.sub("", line)) for line in lines if line.startswith("Error")}


def new_errors(content: bytes, chosen: tuple[str, ...], pseudonyms, folder: Path) -> set[str]:
    cleaned = clean_file(content, load_profile(options=chosen), pseudonyms)
    return errors(cleaned.content, folder) - errors(content, folder)


@pytest.mark.parametrize("name", FILES)
def test_cleaning_makes_no_file_invalid(name, pseudonyms, tmp_path):
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip("this file is not among those installed with pydicom")
    content = Path(str(found)).read_bytes()
    before, checked = errors(content, tmp_path), {}
    for chosen in CHOSEN:
        profile = load_profile(options=chosen)
        cleaned = clean_file(content, profile, pseudonyms).content
        if cleaned not in checked:
            checked[cleaned] = errors(cleaned, tmp_path)
        assert checked[cleaned] - before == set(), chosen


@pytest.mark.parametrize("chosen", [(), EIGHT], ids=["default", "eight options"])
def test_a_valid_image_with_many_rows_of_the_table_stays_valid(
    ct, as_file, pseudonyms, tmp_path, chosen
):
    source = ct(
        StudyTime="121314", SeriesDate="20240229", ContentDate="20240229",
        ReferringPhysicianName="", PositionReferenceIndicator="", AcquisitionNumber="1",
        PatientAge="076Y", PatientWeight="62", StudyDescription="Thorax routine",
        StationName="CT54321", ProtocolName="Thorax", PatientPosition="HFS",
        RescaleType="HU", DeviceSerialNumber="54321", SliceLocation="1",
        WindowCenter="40", WindowWidth="400",
    )  # fmt: skip
    content = as_file(source)
    assert errors(content, tmp_path) == set()
    assert new_errors(content, chosen, pseudonyms, tmp_path) == set()


def test_the_checker_sees_what_a_bad_value_would_do(ct, as_file, tmp_path):
    content = as_file(ct(Rows=0, PatientSex="Q"))
    assert errors(content, tmp_path)
