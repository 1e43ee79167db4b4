"""What napari calls: readers say no to others' files, writers refuse without a scan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.plugin import contributions
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder


@pytest.fixture(autouse=True)
def workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def viewer(scan: Path) -> ViewerModel:
    model = ViewerModel()
    ((data, keywords, _),) = contributions.read_layers(str(scan))
    model.add_image(data, **keywords)
    return model


def logged() -> list[dict]:
    lines = WORKPLACE.desk().audit_root.rglob("*.jsonl")
    return [json.loads(x) for path in lines for x in path.read_text().splitlines()]


def test_the_reader_takes_scans_and_leaves_the_rest(scan: Path, tmp_path: Path) -> None:
    assert contributions.get_reader(str(scan)) is contributions.read_layers
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    assert contributions.get_reader(str(tmp_path / "notes.txt")) is None
    assert contributions.get_reader(str(tmp_path / "empty")) is None
    assert contributions.get_reader([str(scan), str(tmp_path / "notes.txt")]) is None


def test_reading_is_logged_before_the_layer_exists(viewer: ViewerModel) -> None:
    assert [e["event"] for e in logged() if "event" in e][-1] == "volume.open"
    case = viewer.layers[0].metadata["medlabel"]["case"]
    assert WORKPLACE.recall(case) is not None
    WORKPLACE.forget(case)
    assert WORKPLACE.recall(case) is None


def stamped(viewer: ViewerModel, role: str) -> dict:
    where = dict(viewer.layers[0].metadata["medlabel"])
    return {"metadata": {"medlabel": {**where, "role": role}}}


def test_labels_save_on_the_scans_grid_and_are_logged(
    viewer: ViewerModel, scan: Path, tmp_path: Path
) -> None:
    data = np.zeros(viewer.layers[0].data.shape, np.int64)
    data[2, 3, 4] = 300
    meta = stamped(viewer, "labels")
    meta["features"] = {"index": [0, 300], "name": ["background", "Big one"]}
    target = tmp_path / "mine.nii.gz"
    assert contributions.write_labels(str(target), data, meta) == [str(target)]
    mask = nib.load(target)
    assert mask.affine.tobytes() == nib.load(scan).affine.tobytes()
    assert np.asarray(mask.dataobj).max() == 300
    sidecar = json.loads((tmp_path / "mine.json").read_text())
    assert sidecar["scheme"]["labels"][0]["name"] == "Big one"
    assert "export.screen" in {e.get("event") for e in logged()}


def test_points_save_in_patient_millimetres(viewer: ViewerModel, tmp_path: Path) -> None:
    meta = stamped(viewer, "landmarks")
    target = tmp_path / "mine.csv"
    contributions.write_points(str(target), np.array([[2.0, 3.0, 4.0]]), meta)
    (mark,) = load_landmarks(target)
    assert mark.name == "Point 1"
    assert mark.point_ras is not None


def test_layers_without_a_scan_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scan behind it"):
        contributions.write_labels(str(tmp_path / "a.nii"), np.zeros((2, 2, 2), int), {})
    with pytest.raises(InputError, match="no scan behind it"):
        contributions.write_points(str(tmp_path / "a.csv"), np.zeros((1, 3)), {})
    assert not list(tmp_path.glob("a.*"))


def test_a_scan_that_was_closed_is_said(viewer: ViewerModel, tmp_path: Path) -> None:
    WORKPLACE.forget(viewer.layers[0].metadata["medlabel"]["case"])
    with pytest.raises(InputError, match="not open"):
        contributions.write_labels(
            str(tmp_path / "a.nii"), viewer.layers[0].data, stamped(viewer, "labels")
        )


@pytest.mark.parametrize("bad", [np.float32(1), np.int32(-1), np.int32(70000)])
def test_values_that_are_no_labels_are_refused(
    viewer: ViewerModel, tmp_path: Path, bad: np.generic
) -> None:
    data = np.full(viewer.layers[0].data.shape, bad)
    with pytest.raises(InputError, match="whole numbers from 0 to 65535"):
        contributions.write_labels(str(tmp_path / "a.nii"), data, stamped(viewer, "labels"))


@pytest.mark.slow
def test_every_sample_opens() -> None:
    for sample in (contributions.sample_ct_followup, contributions.sample_us):
        ((data, keywords, kind),) = sample()
        assert kind == "image"
        assert data.size > 10_000
        assert "name" in keywords


def test_masks_of_read_only_folders_go_to_the_users_data(tmp_path: Path) -> None:
    assert data_folder() == tmp_path / "own-data" / "napari-medlabel"
