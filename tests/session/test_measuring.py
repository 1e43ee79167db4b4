"""Measurements of a case: saved beside the landmarks, loaded again, undone, and not lost."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import from_markups
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import FurtherAxis, Volume
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.measuring import all_values, values_in
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.volume_in_use import VolumeInUse

LINE = Measurement("Line 1", "line", ((0, 0, 0), (3, 4, 0)))


def measured(session: Session) -> MeasurementSet:
    """Return a line and a box on a slice of the scan."""
    points = session.volume.grid.affine.apply([(2, 2, 1), (4, 2, 1), (2, 4, 1)])
    box = Measurement("Box 1", "box", tuple(tuple(p) for p in points))
    return MeasurementSet((LINE, box))


def test_measurements_are_steps_that_can_be_undone(session: Session) -> None:
    heard: list[MeasurementSet] = []
    session.measurements_changed.connect(heard.append)
    session.set_measurements(MeasurementSet((LINE,)), name="Draw line")
    assert session.history.undo_name == "Draw line"
    assert session.is_dirty
    session.set_measurements(MeasurementSet((LINE,)))
    assert len(session.history) == 1
    session.undo()
    assert len(session.measurements) == 0
    session.redo()
    assert session.measurements == MeasurementSet((LINE,))
    assert [len(one) for one in heard] == [1, 0, 1]


def test_measurements_load_again_exactly(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    drawn = measured(session)
    session.set_measurements(drawn)
    report = save(session)
    assert session.place.measurements in report.files
    assert not session.is_dirty
    session.close()
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    assert again.measurements == again.saved_measurements == drawn
    assert save(again).files == ()
    again.set_measurements(MeasurementSet())
    assert again.place.measurements in save(again).files
    again.close()


def test_the_table_has_a_row_for_each_number_in_the_scans_unit(session: Session) -> None:
    session.set_measurements(measured(session))
    save(session)
    table = session.place.measurements.with_name("measurements.csv")
    rows = {
        (r["name"], r["quantity"]): r for r in csv.DictReader(table.read_text().splitlines())
    }
    assert rows["Line 1", "length"]["value"] == "5.0"
    inside = session.volume.array[0:5, 0:5, 1].astype(float)
    assert float(rows["Box 1", "mean"]["value"]) == pytest.approx(inside.mean())
    assert rows["Box 1", "mean"]["unit"] == session.volume.quantity


def test_what_nobody_measured_makes_no_file(session: Session) -> None:
    save(session)
    assert not session.place.measurements.exists()


def test_measurements_survive_a_crash(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    session.set_measurements(measured(session))
    expected = session.measurements
    session.keeper.sweep()
    session.keeper.close(discard=False)
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    (found,) = again.recoveries
    assert len(again.measurements) == 0
    again.recover(found, from_markups(found.landmarks))
    assert again.measurements == expected
    again.undo()
    assert len(again.measurements) == 0
    again.close(discard=True)


def test_a_damaged_file_is_told_and_not_written_over(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    session.set_measurements(MeasurementSet((LINE,)))
    save(session)
    session.close()
    session.place.measurements.write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        open_case([scan], desk, wishes, fallback=tmp_path)


def test_between_pictures_there_are_no_lengths(session: Session) -> None:
    volume = replace(session.volume, slices="pictures")
    affine = volume.grid.affine
    along = Measurement(
        "a", "line", tuple(tuple(p) for p in affine.apply([(0, 0, 0), (0, 0, 2)]))
    )
    within = Measurement(
        "b", "line", tuple(tuple(p) for p in affine.apply([(0, 0, 1), (0, 2, 1)]))
    )
    values = all_values(volume, MeasurementSet((along, within)))
    assert values["a"] == ()
    assert values["b"][0].value == pytest.approx(2 * affine.spacing_mm[1])
    assert values_in(session.volume, along)[0].value == pytest.approx(2 * affine.spacing_mm[2])


def test_flags_of_landmarks_are_saved_with_the_case(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    names = [mark.name for mark in session.landmarks]
    session.marking.click((1.0, 2.0, 3.0), "axial")
    session.marking.commit()
    session.marking.doubt(names[0], 2.5)
    session.marking.skip("outside-field")
    session.marking.lock(names[0])
    expected = session.landmarks
    save(session)
    session.close()
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    assert again.landmarks == expected
    assert again.landmarks[names[0]].inspected == ("axial",)
    assert np.isclose(again.landmarks[names[0]].uncertain_mm, 2.5)
    again.close()


def of_times(session: Session) -> None:
    """Make the scan one of three volumes of 0, 10 and 20."""
    shape = session.volume.grid.shape[::-1]
    array = np.stack([np.full(shape, 10 * t, np.uint16) for t in range(3)])
    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0), array.T)
    session.volume = replace(session.volume, array=array[0].T, further=further)
    session.bench.in_use = VolumeInUse(session.volume)


def test_a_region_is_measured_on_the_volume_in_use_and_the_files_say_which(
    session: Session,
) -> None:
    of_times(session)
    session.bench.use_volume(2)
    session.set_measurements(measured(session))
    save(session)
    with session.place.measurements.with_name("measurements.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    told = {(r["name"], r["quantity"]): (float(r["value"]), r["scan_volume"]) for r in rows}
    assert told["Box 1", "mean"] == (20.0, "3 of 3")
    assert told["Box 1", "voxels"][1] == "3 of 3"
    assert told["Box 1", "area"][1] == told["Line 1", "length"][1] == ""
    line, box = json.loads(session.place.measurements.read_text())["markups"]
    assert (
        box["measurements"][-1] | {"name": "scan volume", "value": 3.0}
        == (box["measurements"][-1])
    )
    assert [one["name"] for one in line["measurements"]] == ["length"]


def test_the_table_of_a_scan_of_one_volume_has_no_column_for_volumes(session: Session) -> None:
    session.set_measurements(measured(session))
    save(session)
    path = session.place.measurements.with_name("measurements.csv")
    head = path.read_text().splitlines()[0]
    assert head == "name,kind,quantity,value,unit,points_lps_mm,description"


def test_slices_that_no_file_holds_are_no_part_of_a_region(volume: Volume) -> None:
    array = np.full(volume.grid.shape[::-1], 50, np.int16)
    array[[1, 3]] = 0
    gappy = replace(volume, array=array.T, missing=(1, 3))

    def told(*points: tuple[int, int, int], kind: str = "cuboid") -> dict[str, float]:
        at = volume.grid.affine.apply(points)
        one = Measurement("A", kind, tuple(tuple(p) for p in at))
        return {value.name: value.value for value in values_in(gappy, one)}

    cuboid = told((5, 5, 2), (7, 5, 2), (5, 7, 2), (5, 5, 4))
    assert (cuboid["mean"], cuboid["sd"], cuboid["min"]) == (50.0, 0.0, 50.0)
    assert (cuboid["voxels"], cuboid["slices left out"]) == (75.0, 2.0)
    flat = told((5, 5, 1), (7, 5, 1), (5, 7, 1), kind="box")
    assert sorted(flat) == ["area", "slices left out"]
    assert "slices left out" not in told((5, 5, 2), (7, 5, 2), (5, 7, 2), kind="box")
