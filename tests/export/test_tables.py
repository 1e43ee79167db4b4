"""Tables of many cases: units in the headers, every label and landmark, no formula."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.tables import (
    TableCase,
    answer_records,
    box_records,
    landmark_records,
    save_records,
    volume_records,
)
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from tests.export.leaving import ORGANS

MARKS = LandmarkSet(
    (
        Landmark("=Nasion", (1.123456789, -2.0, 1234.5), uncertain_mm=2.0),
        Landmark("Sella", absent="resected"),
    )
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_volumes_stand_for_every_label_also_for_those_that_nobody_found(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = LabelMap.empty(make_grid(), ORGANS)
    labels.array[0:2, 0:3, 0] = 2
    labels.array[5, 5, 5] = 77
    case = TableCase("sub-001_ct", (labels,), further={"rater": "r01"})
    save_records(tmp_path / "v.csv", volume_records([case]))
    first, second, _, last = rows(tmp_path / "v.csv")
    assert float(first.pop("volume (ml)")) == pytest.approx(6 * 0.8 * 0.9 * 3 / 1000)
    assert first == {
        "case": "sub-001_ct",
        "rater": "r01",
        "value": "2",
        "name": "Liver",
        "code": "SCT:10200004",
        "voxels": "6",
    }
    assert (second["voxels"], second["volume (ml)"]) == ("0", "0.0")
    assert (last["name"], last["voxels"]) == ("Label 77", "1")
    flat = TableCase("b", (labels,), slices="pictures")
    assert {one["volume (ml)"] for one in volume_records([flat])} == {None}


def test_landmarks_stand_with_all_digits_and_those_that_are_absent_too(tmp_path: Path) -> None:
    save_records(tmp_path / "l.csv", landmark_records([TableCase("a", landmarks=MARKS)]))
    first, second = rows(tmp_path / "l.csv")
    assert first["landmark"] == "'=Nasion"
    assert (first["x (mm RAS)"], first["z (mm RAS)"]) == ("1.123456789", "1234.5")
    assert (first["y (mm RAS)"], first["uncertainty (mm)"]) == ("-2.0", "2.0")
    assert (second["x (mm RAS)"], second["state"], second["reason"]) == (
        "",
        "absent",
        "resected",
    )


def test_boxes_stand_in_voxels_and_mm_and_answers_as_words(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = LabelMap.empty(make_grid(), ORGANS)
    boxes = BoxSet((Box3D(2, "cyst", (0, 1, 2), (2, 4, 3), 5),))
    given = (("clear", "", True), ("side", "k3", ("l", "r")), ("size", "", 1.5))
    case = TableCase("a", (labels,), boxes=boxes, answers=given)
    save_records(tmp_path / "b.csv", box_records([case]))
    (one,) = rows(tmp_path / "b.csv")
    assert (one["box"], one["kind"], one["value"]) == ("2", "cyst", "5")
    assert [one[f"{end} j"] for end in ("first", "last")] == ["1", "3"]
    sizes = [float(one[f"{axis} (mm)"]) for axis in "ijk"]
    assert sizes == pytest.approx(boxes[2].size_mm(labels.grid))
    assert float(one["volume (ml)"]) == pytest.approx(np.prod(sizes) / 1000)
    (flat,) = box_records([TableCase("a", (labels,), slices="pictures", boxes=boxes)])
    assert (flat["first i"], flat["i (mm)"], flat["x (mm RAS)"]) == (0, None, None)
    said = [(one["place"], one["answer"]) for one in answer_records([case])]
    assert said == [(None, "yes"), ("k3", "l r"), (None, 1.5)]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    good = landmark_records([TableCase("a", landmarks=MARKS)])
    with pytest.raises(InputError, match=r"\.csv"):
        save_records(tmp_path / "l.txt", good)
    with pytest.raises(InputError, match="same columns"):
        save_records(tmp_path / "l.csv", [])
    with pytest.raises(InputError, match="same columns"):
        save_records(tmp_path / "l.csv", [*good, {"case": "x"}])
    with pytest.raises(InputError, match="one of the table's own"):
        volume_records([TableCase("a", further={"name": "x"})])
    with pytest.raises(InputError, match="letters, digits"):
        landmark_records([TableCase("Ann Onym")])
    save_records(tmp_path / "l.csv", good)
    with pytest.raises(SaveError, match="exists already"):
        save_records(tmp_path / "l.csv", good)
