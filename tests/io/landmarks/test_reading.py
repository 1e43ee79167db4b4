"""One door to all formats of landmarks."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmark_tables import to_csv, to_fcsv, to_mps
from napari_medlabel.export.markups import to_markups
from napari_medlabel.io.landmarks import reading
from napari_medlabel.io.landmarks.reading import read_landmarks
from napari_medlabel.model import presets
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet


def test_a_sidecar_beside_a_table_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("name\tx\ty\tz\nA\t1\t2\t3\n")
    with pytest.raises(InputError, match="does not say whether"):
        read_landmarks(tmp_path / "a.tsv")
    told = {"LandmarkCoordinateSystem": "ScanRAS", "LandmarkCoordinateUnits": "mm"}
    (tmp_path / "a.json").write_text(json.dumps(told))
    assert read_landmarks(tmp_path / "a.tsv").landmarks["A"].point_ras == (1, 2, 3)
    (tmp_path / "a.json").write_text("{")
    assert read_landmarks(tmp_path / "a.tsv", frame="LPS").landmarks["A"].point_ras == (
        -1,
        -2,
        3,
    )


def test_a_template_names_what_is_numbered(tmp_path: Path) -> None:
    rows = "1,0,1,2,0,0,0,1,1,1,0,1,AC,\n2,3,4,5,0,0,0,1,1,1,0,2,pc,\n"
    text = "# Markups fiducial file version = 4.6\n# CoordinateSystem = 0\n" + rows
    (tmp_path / "afids.fcsv").write_text(text)
    found = read_landmarks(tmp_path / "afids.fcsv", template=presets.template("afids-32"))
    assert [m.name for m in found.landmarks.placed] == ["AC", "PC"]
    assert len(found.landmarks) == 32
    assert found.notes[-1] == "Named by acronym or description: 1 -> AC, 2 -> PC."


def test_the_first_renames_are_told_by_name_and_the_others_counted(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n},2,3,0,0,0,1,1,1,0,{n},L{n},\n" for n in range(8))
    text = "# Markups fiducial file version = 4.6\n# CoordinateSystem = 0\n" + rows
    (tmp_path / "a.fcsv").write_text(text)
    template = LandmarkSet(tuple(Landmark(f"L{n}") for n in range(8)))
    found = read_landmarks(tmp_path / "a.fcsv", template=template)
    assert found.notes[-1] == (
        "Named by acronym or description: 0 -> L0, 1 -> L1, 2 -> L2, 3 -> L3, 4 -> L4 "
        "and 3 more."
    )


@pytest.mark.parametrize("key", ["abdomen", "head", "points"])
def test_points_that_say_nothing_keep_their_names_under_a_template_without_acronyms(
    tmp_path: Path, key: str
) -> None:
    rows = "".join(f"{n},{n},2,3,0,0,0,1,1,1,0,F-{n},,\n" for n in (1, 2))
    text = "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n" + rows
    (tmp_path / "a.fcsv").write_text(text)
    template = presets.template(key)
    assert not all(mark.acronym for mark in template)
    found = read_landmarks(tmp_path / "a.fcsv", template=template)
    assert [mark.name for mark in found.landmarks.placed] == ["F-1", "F-2"]
    assert found.notes == ()


def test_a_template_passes_to_point_sets(tmp_path: Path) -> None:
    point = "<point><id>1</id><x>1</x><y>2</y><z>3</z></point>"
    xml = f"<point_set_file><point_set>{point}</point_set></point_set_file>"
    (tmp_path / "a.mps").write_text(xml)
    template = LandmarkSet((Landmark("a"), Landmark("b")))
    assert read_landmarks(tmp_path / "a.mps", template=template).landmarks["b"].is_placed


def test_files_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="ends otherwise"):
        read_landmarks(tmp_path / "a.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_landmarks(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_landmarks(tmp_path / "a.csv")
    monkeypatch.setattr(reading, "_LARGEST", 2)
    with pytest.raises(InputError, match="larger than 64 MiB"):
        read_landmarks(tmp_path / "a.csv")


WHOLE = LandmarkSet((Landmark("a", (1, 2, 3), "x", uncertain_mm=2.0), Landmark("b")))
FILES = {
    "a.mrk.json": json.dumps(to_markups(WHOLE, MeasurementSet((
        Measurement("E", "ellipse", ((5, 5, 5), (8, 5, 5), (5, 7, 5))),
        Measurement("R", "cuboid", ((5, 5, 5), (8, 5, 5), (5, 7, 5), (5, 5, 9))),
    )))).encode(),
    "a.csv": to_csv(WHOLE).encode(),
    "b.csv": b"name;x;y;z;status;uncertainty_mm;inspected\na;1;2;3;uncertain;2;axial\n",
    "a.fcsv": to_fcsv(WHOLE).encode(),
    "a.mps": to_mps(WHOLE).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    raw = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(
            st.sampled_from(
                [b"", b"\0", b'"', b"[", b"-", b"1e999", b"9" * 400, b"\xff", b"null,", b"{}"]
            )
        )
        raw[at : at + data.draw(st.integers(0, 9))] = piece
    (tmp_path / name).write_bytes(bytes(raw))
    with suppress(InputError):
        for mark in read_landmarks(tmp_path / name, frame="RAS").landmarks:
            assert mark.point_ras is None or len(mark.point_ras) == 3


@pytest.mark.parametrize("text", ["x" * 200_000, "label,l,p,s\0\n", '"' * 9])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError):
        read_landmarks(tmp_path / "a.csv")
