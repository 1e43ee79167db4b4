"""Uptake values: right by hand, and refused with the name of what is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.suv import KINDS
from napari_medlabel.io.registry import choose, find_series, read_series, why_not_as
from tests.io.coded import filled, save
from tests.io.scans import instance

HALF_LIFE = 6586.2
STORED = np.arange(12, dtype=np.int16).reshape(3, 4)


def pet(k: int = 0, **extra: object) -> Dataset:
    """Return a PET slice: injected at 12:00, scanned at 13:00, 400 MBq, 80 kg, 1.8 m."""
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime = "120000.00"
    tracer.RadionuclideTotalDose = 4e8
    tracer.RadionuclideHalfLife = HALF_LIFE
    values = {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "DecayCorrection": "START",
        "PatientWeight": 80,
        "PatientSize": 1.8,
        "PatientSex": "M",
        "SeriesDate": "20240102",
        "SeriesTime": "130000",
        "AcquisitionDate": "20240102",
        "AcquisitionTime": "130500",
        "RescaleSlope": 2.5 + k,
        "RadiopharmaceuticalInformationSequence": Sequence([tracer]),
    }
    ds = instance(k, STORED)
    for name, value in (values | extra).items():
        if value is None:
            continue
        if name.startswith("Radio") and name != "RadiopharmaceuticalInformationSequence":
            setattr(tracer, name, value)
        else:
            setattr(ds, name, value)
    return ds


def uptake(folder: Path, kind: str = "suv-bw", **extra: object):
    paths = [save(pet(k, **extra), folder / f"{k}.dcm") for k in range(2)]
    return filled(paths, values=kind)


def factor(folder: Path, kind: str = "suv-bw", **extra: object) -> float:
    """Return what rescaled values were multiplied by."""
    array = uptake(folder, kind, **extra).array[0]
    slopes = array[:, 2, 3] / STORED[2, 3]
    assert slopes[1] / slopes[0] == pytest.approx(3.5 / 2.5, rel=1e-6)
    return float(slopes[0] / 2.5)


def series(folder: Path, **extra: object) -> Path:
    """Write two slices of PET, 3 mm apart."""
    folder.mkdir()
    for k in range(2):
        save(pet(k, ImagePositionPatient=[0, 0, 3.0 * k], **extra), folder / f"{k}.dcm")
    return folder


def test_the_window_of_the_header_is_kept_only_for_the_values_that_it_is_of(tmp_path):
    window = {"WindowCenter": 16000, "WindowWidth": 32000}
    series(tmp_path / "uneven", **window)
    series(tmp_path / "even", **window, RescaleSlope=2.0)

    def window_of(folder: str, values: str):
        info = choose(find_series(tmp_path / folder), None)
        return read_series(info, values=values).window

    for folder in ("uneven", "even"):
        assert window_of(folder, "rescaled") == (16000, 32000)
        assert window_of(folder, "suv-bw") is None
    assert window_of("uneven", "stored") is None
    assert window_of("even", "stored") == (8000, 16000)


def test_which_values_a_header_allows_is_known_before_reading(tmp_path):
    whole = series(tmp_path / "whole")
    bare = series(tmp_path / "bare", PatientWeight=None)
    other = series(tmp_path / "other", Modality="MR")

    def why(folder: Path, values: str) -> str:
        return why_not_as(choose(find_series(folder), None), values)

    for values in ("rescaled", "stored", *KINDS):
        assert why(whole, values) == ""
    assert "Real World Value Mapping Sequence is missing" in why(whole, "real-world")
    assert "Scale Slope (2005,100E), which is missing" in why(whole, "philips-precise")
    for kind in KINDS:
        assert why(bare, kind) == (
            "Uptake values need Patient's Weight (0010,1030), which is missing or cannot be "
            "understood."
        )
        assert why(other, kind) == "Uptake values are for PET; this series is none."
    info = choose(find_series(whole), None)
    assert read_series(replace(info, values="suv-bw")).quantity == "SUVbw g/ml"
    assert why_not_as(replace(info, problem="Broken."), "stored")
    assert why_not_as(replace(info, colour=True), "stored") == ""
    assert "grey images" in why_not_as(replace(info, colour=True), "suv-bw")
    assert "defined for DICOM" in why_not_as(replace(info, why_not=None), "stored")


DECAYED = 4e8 * 2 ** (-3600 / HALF_LIFE)


def test_uptake_by_body_weight(tmp_path):
    assert factor(tmp_path) == pytest.approx(80000 / DECAYED, rel=1e-6)
    assert uptake(tmp_path).quantity == "SUVbw g/ml"


@pytest.mark.parametrize(
    ("sex", "lean"),
    [("M", 1.10 * 80 - 128 * (80 / 180) ** 2), ("F", 1.07 * 80 - 148 * (80 / 180) ** 2)],
)
def test_uptake_by_lean_body_mass(tmp_path, sex, lean):
    found = factor(tmp_path, "suv-lbm", PatientSex=sex)
    assert found == pytest.approx(lean * 1000 / DECAYED, rel=1e-6)


def test_uptake_by_body_surface(tmp_path):
    surface = 0.007184 * 80**0.425 * 180**0.725 * 1e4
    assert factor(tmp_path, "suv-bsa") == pytest.approx(surface / DECAYED, rel=1e-6)


def test_corrected_to_the_injection_nothing_decays(tmp_path):
    assert factor(tmp_path, DecayCorrection="ADMIN") == pytest.approx(80000 / 4e8, rel=1e-6)


def test_an_injection_before_midnight(tmp_path):
    times = {
        "RadiopharmaceuticalStartTime": "233000",
        "SeriesTime": "003000",
        "AcquisitionTime": "004000",
    }
    assert factor(tmp_path, **times) == pytest.approx(80000 / DECAYED, rel=1e-6)


def test_a_full_date_of_the_injection_comes_first(tmp_path):
    found = factor(tmp_path, RadiopharmaceuticalStartDateTime="20240102110000.00")
    dose = 4e8 * 2 ** (-7200 / HALF_LIFE)
    assert found == pytest.approx(80000 / dose, rel=1e-6)


@pytest.mark.parametrize(
    ("injected", "scanner", "time"),
    [
        ("20240102110000.00+0000", "+0100", "120000"),
        ("20240102110000.00+0000", "+0100", None),
        ("20240102120000+0100", "+0100", None),
        ("20240101233000-1130", "+0100", None),
        ("20240102120000", "-0500", None),
        # The scanner's offset is that between both ways of saying the same moment.
        ("20240102110000.00+0000", None, "120000"),
        ("20240101210000-1000", None, "120000"),
        ("20240102120000-0500", None, "120000.00"),
    ],
)
def test_offsets_from_utc_are_honoured(tmp_path, injected, scanner, time):
    times = {
        "RadiopharmaceuticalStartDateTime": injected,
        "RadiopharmaceuticalStartTime": time or "",
        "TimezoneOffsetFromUTC": scanner,
    }
    assert factor(tmp_path, **times) == pytest.approx(80000 / DECAYED, rel=1e-6)


@pytest.mark.parametrize("time", ["", "120730"])
def test_clocks_that_nothing_joins_are_refused(tmp_path, time):
    times = {
        "RadiopharmaceuticalStartDateTime": "20240102110000+0000",
        "RadiopharmaceuticalStartTime": time,
    }
    with pytest.raises(InputError, match="hours may lie between their clocks") as refused:
        uptake(tmp_path, **times)
    assert "Timezone Offset From UTC (0008,0201)" in refused.value.hint
    # Without decay the time does not matter.
    assert factor(tmp_path, DecayCorrection="ADMIN", **times) == pytest.approx(2e-4, rel=1e-6)


def test_files_on_clocks_of_two_zones_are_refused(tmp_path):
    zones = ("+0100", "+0200")
    paths = [
        save(pet(k, TimezoneOffsetFromUTC=zones[k]), tmp_path / f"{k}.dcm") for k in range(2)
    ]
    with pytest.raises(InputError, match=r"disagree about Timezone Offset From UTC"):
        filled(paths, values="suv-bw")


def nuclide(code: str, half_life: float) -> Sequence:
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime = "120000"
    tracer.RadionuclideTotalDose = 4e8
    tracer.RadionuclideHalfLife = half_life
    named = Dataset()
    named.CodeValue, named.CodingSchemeDesignator, named.CodeMeaning = code, "SCT", "invented"
    tracer.RadionuclideCodeSequence = Sequence([named])
    return Sequence([tracer])


@pytest.mark.parametrize("code", ["77004003", "C-111A1"])
def test_the_half_life_is_that_of_the_nuclide(tmp_path, code):
    sequence = {"RadiopharmaceuticalInformationSequence": nuclide(code, 6588)}
    dose = 4e8 * 2 ** (-3600 / 6588)
    assert factor(tmp_path, **sequence) == pytest.approx(80000 / dose, rel=1e-6)
    wrong = {"RadiopharmaceuticalInformationSequence": nuclide(code, 7000)}
    with pytest.raises(InputError, match=r"Half Life \(0018,1075\) must be within 1 %"):
        uptake(tmp_path, **wrong)


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"RadionuclideHalfLife": 59}, r"Half Life \(0018,1075\) in s, from 60 to 1e\+07"),
        ({"RadionuclideHalfLife": 2e7}, r"Half Life \(0018,1075\) in s, from 60 to 1e\+07"),
        ({"RadionuclideTotalDose": 370}, r"Total Dose \(0018,1074\) in Bq, from"),
        ({"RadionuclideTotalDose": 2e11}, r"Total Dose \(0018,1074\) in Bq, from"),
        ({"PatientWeight": 70000}, r"Weight \(0010,1030\) in kg, from 0.3 to 500"),
        ({"PatientWeight": 0.2}, r"Weight \(0010,1030\) in kg, from 0.3 to 500"),
    ],
)
def test_numbers_in_another_unit_are_refused(tmp_path, extra, reason):
    with pytest.raises(InputError, match=reason) as refused:
        uptake(tmp_path, **extra)
    assert "another unit" in refused.value.hint


def test_minutes_for_seconds_are_found_by_the_time_from_the_injection(tmp_path):
    with pytest.raises(InputError, match=r"more than 10 times Radionuclide Half Life"):
        uptake(tmp_path, RadionuclideHalfLife=109.77)


def test_minutes_for_seconds_are_found_by_the_nuclide(tmp_path):
    sequence = {"RadiopharmaceuticalInformationSequence": nuclide("77004003", 109.77)}
    with pytest.raises(InputError, match="must be within 1 %"):
        uptake(tmp_path, **sequence)


def test_a_series_made_later_counts_back_from_the_mean_time_of_its_frame(tmp_path):
    times = {"SeriesTime": "180000", "FrameReferenceTime": 330000, "ActualFrameDuration": 60000}
    decay = math.log(2) / HALF_LIFE
    mean = math.log(decay * 60 / (1 - math.exp(-decay * 60))) / decay
    start = 3600 + 300 + mean - 330
    dose = 4e8 * 2 ** (-start / HALF_LIFE)
    assert factor(tmp_path, **times) == pytest.approx(80000 / dose, rel=1e-6)


def test_a_series_made_later_without_frame_times_uses_its_earliest_image(tmp_path):
    dose = 4e8 * 2 ** (-3900 / HALF_LIFE)
    assert factor(tmp_path, SeriesTime="180000") == pytest.approx(80000 / dose, rel=1e-6)


def with_private(folder: Path, group: int, creator: str, element: int, value: object, **extra):
    paths = []
    for k in range(2):
        ds = pet(k, **extra)
        block = ds.private_block(group, creator, create=True)
        block.add_new(element, "DT" if group == 9 else "DS", value)
        paths.append(save(ds, folder / f"{k}.dcm"))
    array = filled(paths, values="suv-bw").array[0]
    return float(array[0, 2, 3] / STORED[2, 3] / 2.5)


def test_the_scan_time_of_ge_is_used_for_series_made_later(tmp_path):
    found = with_private(
        tmp_path, 9, "GEMS_PETD_01", 0x0D, "20240102130000.00", SeriesTime="180000"
    )
    assert found == pytest.approx(80000 / DECAYED, rel=1e-6)


def test_counts_of_philips_by_their_uptake_factor(tmp_path):
    creator = "Philips PET Private Group"
    assert with_private(
        tmp_path, 0x7053, creator, 0x00, "0.000551", Units="CNTS"
    ) == pytest.approx(0.000551, rel=1e-6)


def test_counts_of_philips_by_their_activity_factor(tmp_path):
    creator = "Philips PET Private Group"
    found = with_private(tmp_path, 0x7053, creator, 0x09, "1.5", Units="CNTS")
    assert found == pytest.approx(1.5 * 80000 / DECAYED, rel=1e-6)


def test_values_that_are_uptake_already_stay(tmp_path):
    assert factor(tmp_path, Units="GML", SUVType="BW") == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "extra", "reason"),
    [
        ("suv-bw", {"CorrectedImage": ["DECY"]}, "lacks ATTN"),
        ("suv-bw", {"CorrectedImage": "ATTN"}, "lacks DECY"),
        ("suv-bw", {"CorrectedImage": None}, "lacks ATTN"),
        ("suv-bw", {"DecayCorrection": "NONE"}, r"Decay Correction \(0054,1102\)"),
        ("suv-bw", {"Units": "CNTS"}, r"Units \(0054,1001\) of BQML"),
        ("suv-bw", {"Units": None}, r"Units \(0054,1001\) of BQML"),
        (
            "suv-bw",
            {"PatientWeight": None},
            r"Patient's Weight \(0010,1030\), which is missing",
        ),
        ("suv-bw", {"PatientWeight": 0}, r"Patient's Weight \(0010,1030\) in kg"),
        ("suv-lbm", {"PatientSize": None}, r"Patient's Size \(0010,1020\)"),
        (
            "suv-lbm",
            {"PatientSize": 180},
            r"Patient's Size \(0010,1020\) in m, from 0.2 to 2.7",
        ),
        ("suv-lbm", {"PatientSex": "O"}, r"Patient's Sex \(0010,0040\)"),
        ("suv-bsa", {"PatientSize": None}, r"Patient's Size \(0010,1020\)"),
        ("suv-bw", {"RadionuclideTotalDose": 0}, r"Radionuclide Total Dose \(0018,1074\)"),
        ("suv-bw", {"RadionuclideHalfLife": ""}, r"Radionuclide Half Life \(0018,1075\)"),
        ("suv-bw", {"RadiopharmaceuticalStartTime": ""}, r"Start Time \(0018,1072\)"),
        ("suv-bw", {"AcquisitionTime": None}, r"Acquisition Date and Time"),
        ("suv-bw", {"RadiopharmaceuticalInformationSequence": Sequence([])}, "there are 0"),
        (
            "suv-bw",
            {"RadiopharmaceuticalStartDateTime": "20240103120000"},
            "lies after the scan",
        ),
        ("suv-bw", {"RadiopharmaceuticalStartDateTime": "20231225120000"}, "too long before"),
        ("suv-lbm", {"Units": "GML", "SUVType": "BW"}, "of another kind"),
    ],
)
def test_what_is_missing_is_named(tmp_path, kind, extra, reason):
    with pytest.raises(InputError, match=reason) as refused:
        uptake(tmp_path, kind, **extra)
    assert refused.value.hint


def test_files_that_disagree_are_refused(tmp_path):
    paths = [save(pet(k, PatientWeight=80 + k), tmp_path / f"{k}.dcm") for k in range(2)]
    with pytest.raises(InputError, match=r"disagree about Patient's Weight"):
        filled(paths, values="suv-bw")
