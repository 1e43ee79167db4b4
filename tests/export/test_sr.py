"""Structured reports: points and numbers that come back, coded as the standard asks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.sr import save_sr
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.measure.lines import Value
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import Volume
from tests.export.leaving import made, series

pytest.importorskip("highdicom")
POINTS = LandmarkSet(
    (
        Landmark("Nasion", (1.123456, -2.5, 300.25), code=Code("SCT", "72382003", "Nasion")),
        Landmark("Sella", (-11.5, 22.25, 3.0)),
        Landmark("Not yet"),
    )
)
LINES = MeasurementSet(
    (
        Measurement("Line", "line", ((0, 0, 0), (3, 4, 0))),
        Measurement("Angle", "angle", ((1, 0, 0), (0, 0, 0), (0, 1, 0))),
        Measurement("Target", "bidirectional", ((0, 0, 0), (10, 0, 0), (5, -2, 0), (5, 2, 0))),
        Measurement("Region", "ellipse", ((0, 0, 0), (5, 0, 0), (0, 3, 0))),
        Measurement("Bent", "closed-curve", ((0, 0, 0), (5, 0, 0), (0, 3, 4), (1, 2, 9))),
        Measurement("Block", "cuboid", ((0, 0, 0), (5, 0, 0), (0, 3, 0), (0, 0, 2))),
    )
)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return series(tmp_path_factory.mktemp("scan") / "s", oblique=True)


def numbers(ds: pydicom.Dataset) -> list[tuple[str, float, str]]:
    """Every number of a report: meaning, value, unit."""
    found = []
    for item in ds.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            name = item.ConceptNameCodeSequence[0].CodeMeaning
            found.append((name, float(value.NumericValue), unit))
        found += numbers(item)
    return found


def test_points_and_outlines_come_back_under_their_names(
    volume: Volume, tmp_path: Path
) -> None:
    saved = save_sr(tmp_path / "s.dcm", POINTS, LINES, volume, made(), observer="r01")
    marks = read_marks(saved.path, volume)
    assert [one.name for one in marks.landmarks] == ["Nasion", "Sella"]
    back = np.array([one.point_ras for one in marks.landmarks])
    assert np.allclose(back, [one.point_ras for one in POINTS.placed], atol=1e-4)
    assert [(one.name, len(one.points_ras)) for one in marks.contours] == [
        ("Line", 2),
        ("Angle", 3),
        ("Target", 2),
        ("Target", 2),
        ("Region", 32),
        ("Bent", 4),
    ]
    assert saved.left_out == (
        "Landmarks without a position are not in the report: 1.",
        "Measurements whose shape the report cannot hold: 1.",
    )


def test_numbers_stand_with_their_codes_and_units(volume: Volume, tmp_path: Path) -> None:
    values = {
        "Region": (Value("mean", 41.5, "HU"), Value("voxels", 7.0), Value("area", 47.1, "mm2"))
    }
    saved = save_sr(tmp_path / "s.dcm", POINTS, LINES, volume, made(), values=values)
    found = numbers(pydicom.dcmread(saved.path))
    assert ("Length", 5.0, "mm") in found
    assert ("Angle", 90.0, "deg") in found
    assert ("Long Axis", 10.0, "mm") in found
    assert ("Short Axis", 4.0, "mm") in found
    assert ("Attenuation Coefficient", 41.5, "[hnsf'U]") in found
    assert ("Area", 47.1, "mm2") in found
    assert ("Volume", 240.0, "mm3") in found
    assert "Numbers without a standard code are not in the report: 1." in saved.left_out


def test_the_validator_finds_no_error_and_equal_input_gives_equal_bytes(
    volume: Volume, tmp_path: Path
) -> None:
    for n in "ab":
        save_sr(tmp_path / f"{n}.dcm", POINTS, LINES, volume, made(), observer="r01")
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    ran = subprocess.run(
        ["dciodvfy", tmp_path / "a.dcm"], capture_output=True, text=True, check=False
    )
    assert "Error" not in ran.stderr + ran.stdout


def test_nothing_to_say_and_a_name_that_is_taken_are_refused(
    volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="nothing to write"):
        save_sr(tmp_path / "s.dcm", LandmarkSet(), MeasurementSet(), volume, made())
    (tmp_path / "s.dcm").touch()
    with pytest.raises(SaveError, match="exists already"):
        save_sr(tmp_path / "s.dcm", POINTS, LINES, volume, made())
