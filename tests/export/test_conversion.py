"""From each format to each other, and what does not fit is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export import conversion
from napari_medlabel.export.conversion import convert_landmarks
from napari_medlabel.export.markups import measurements_to_markups, to_markups
from napari_medlabel.io.landmarks.reading import read_landmarks
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet

SUFFIXES = (".mrk.json", ".csv", ".tsv", ".fcsv", ".mps")
MARKS = LandmarkSet((Landmark("a", (0.1, 0.2, 0.3)), Landmark("b"), Landmark("c", (7, 8, 9))))
MEASURED = MeasurementSet((Measurement("L", "line", ((0, 0, 0), (3, 4, 0))),))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "in.mrk.json"
    path.write_text(json.dumps(to_markups(MARKS, MEASURED)))
    return path


@pytest.mark.parametrize("frame", ["LPS", "RAS"])
@pytest.mark.parametrize("there", SUFFIXES)
@pytest.mark.parametrize("back", SUFFIXES)
def test_from_any_format_through_any_other_points_stay(
    whole: Path, tmp_path: Path, there: str, back: str, frame: str
) -> None:
    convert_landmarks(read_landmarks(whole), tmp_path / f"there{there}", frame=frame)
    middle = read_landmarks(tmp_path / f"there{there}", template=MARKS)
    convert_landmarks(middle, tmp_path / f"back{back}", frame=frame)
    found = read_landmarks(tmp_path / f"back{back}", template=MARKS).landmarks
    assert [m.name for m in found.placed] == ["a", "c"]
    points = np.array([m.point_ras for m in found.placed])
    np.testing.assert_allclose(points, [(0.1, 0.2, 0.3), (7, 8, 9)], rtol=0, atol=1e-9)


def test_what_a_format_cannot_hold_is_told(whole: Path, tmp_path: Path) -> None:
    found = read_landmarks(whole)
    notes = convert_landmarks(found, tmp_path / "a.mps")
    assert [note.partition(":")[0] for note in notes] == [
        "Not placed and therefore not in the file",
        "MITK point sets hold no names; they are in the order of the landmarks.",
        "Measurements are not in the file",
    ]
    assert convert_landmarks(found, tmp_path / "a.mrk.json") == ()


def test_measurements_alone_go_where_they_can(tmp_path: Path) -> None:
    path = tmp_path / "m.mrk.json"
    path.write_text(json.dumps(measurements_to_markups(MEASURED)))
    found = read_landmarks(path)
    convert_landmarks(found, tmp_path / "n.mrk.json", frame="RAS")
    assert read_landmarks(tmp_path / "n.mrk.json").measurements == MEASURED
    assert '"Fiducial"' not in (tmp_path / "n.mrk.json").read_text()
    convert_landmarks(found, tmp_path / "n.csv")
    assert "length,5.0,mm" in (tmp_path / "n.csv").read_text()
    with pytest.raises(InputError, match="holds no landmarks"):
        convert_landmarks(found, tmp_path / "n.fcsv")


def test_nothing_is_overwritten(whole: Path, tmp_path: Path) -> None:
    found = read_landmarks(whole)
    (tmp_path / "a.json").write_text("mine")
    for name in ("in.mrk.json", "a.tsv"):
        with pytest.raises(InputError, match="exists already"):
            convert_landmarks(found, tmp_path / name)
    assert (tmp_path / "a.json").read_text() == "mine"
    with pytest.raises(InputError, match="ends otherwise"):
        convert_landmarks(found, tmp_path / "a.txt")


def test_a_file_that_reads_back_otherwise_is_told(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read_landmarks(whole)
    bent = to_markups(MARKS.with_point("a", (1, 1, 1)))
    monkeypatch.setattr(conversion, "_content", lambda *_: json.dumps(bent).encode())
    with pytest.raises(SaveError, match="did not read back"):
        convert_landmarks(found, tmp_path / "b.mrk.json")
