"""What napari calls: readers say no to others' files, writers refuse without a scan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.series_info import SeriesInfo, Survey
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin import contributions
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder
from tests.io.dicom.pixels.test_suv import series


@pytest.fixture(autouse=True)
def workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def viewer(scan: Path) -> ViewerModel:
    """Return a viewer with the small scan in it."""
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


def test_a_pet_alone_is_asked_about_its_values_and_read_as_they_were_chosen(
    tmp_path: Path,
) -> None:
    folder = series(tmp_path / "pet")
    asked: list[Survey] = []

    def as_uptake(survey: Survey) -> SeriesInfo:
        asked.append(survey)
        return replace(survey.series[0], values="suv-bw")

    ((data, keywords, _),) = contributions.read_layers(str(folder), ask=as_uptake)
    assert len(asked[0].series) == 1
    assert keywords["contrast_limits"] == (0.0, 10.0)
    assert keywords["colormap"] == "gray_r"
    assert 0 < float(data.max()) < 1
    bare = series(tmp_path / "bare", PatientWeight=None)
    contributions.read_layers(str(bare), ask=as_uptake)
    assert len(asked) == 1


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


@pytest.fixture
def two_scans(tmp_path: Path, make_grid: Callable[..., Grid]) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    for n in (1, 2):
        grid = make_grid(shape=(12, 10, 5 + n))
        ramp = np.arange(grid.size, dtype=np.uint16).reshape(grid.shape[::-1]).T
        write_mask_nifti(folder / f"{n}.nii", ramp, None, False, grid.affine)
    return folder


def test_several_series_are_asked_about_or_listed(two_scans: Path) -> None:
    asked: list[Survey] = []

    def second(survey: Survey) -> SeriesInfo:
        asked.append(survey)
        return survey.series[1]

    ((data, _, kind),) = contributions.read_layers(str(two_scans), ask=second)
    assert (kind, data.shape) == ("image", (7, 10, 12))
    assert len(asked[0].series) == 2
    none = contributions.read_layers(str(two_scans), ask=lambda _: None)
    assert none == [(None,)], "napari's word for nothing to add"
    opened = sum(e.get("event") == "volume.open" for e in logged())
    assert opened == 1, "what was not chosen was not opened"
    with pytest.raises(SeriesChoiceError, match="One series is expected; 2 were found"):
        contributions.read_layers(str(two_scans))


def test_a_mask_on_the_open_scan_becomes_labels_and_a_scan_stays_a_scan(
    viewer: ViewerModel, scan: Path, volume: Volume, tmp_path: Path
) -> None:
    grid = volume.grid
    mask = np.zeros(grid.shape[::-1], np.uint8)
    mask[2, 3, 4] = 7
    write_mask_nifti(tmp_path / "mask.nii.gz", mask.T, None, False, grid.affine)
    ((data, keywords, kind),) = contributions.read_layers(str(tmp_path / "mask.nii.gz"))
    assert kind == "labels"
    assert (
        keywords["metadata"]["medlabel"]["case"]
        == (viewer.layers[0].metadata["medlabel"]["case"])
    )
    z, y, x = (int(v) for v in Display(grid).points_zyx((4, 3, 2)))
    assert data[z, y, x] == 7
    # The scan itself, once more: as many numbers as voxels are no classes.
    ((_, _, kind),) = contributions.read_layers(str(scan))
    assert kind == "image"


def test_a_mask_of_another_grid_is_a_scan_of_its_own(
    viewer: ViewerModel, two_scans: Path
) -> None:
    ((_, _, kind),) = contributions.read_layers(str(two_scans / "1.nii"))
    assert kind == "image"


def test_marks_need_their_scan(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.seg.nrrd"
    file.write_bytes(b"NRRD0004\n")
    assert contributions.get_reader(str(file)) is contributions.read_layers
    with pytest.raises(InputError, match="no scan, only what was marked on one"):
        contributions.read_layers(str(file))
    contributions.read_layers(str(scan))
    asked: list[Path] = []

    def read(path: Path, volume: Volume) -> Marks:
        asked.append(path)
        array = np.ones(volume.grid.shape, np.uint8)
        scheme = LabelScheme("S", (Label(1, "Node", "#112233"),))
        return Marks("SEG", (LabelMap(volume.grid, array, scheme),))

    monkeypatch.setattr(contributions, "read_marks", read)
    ((_, keywords, kind),) = contributions.read_layers(str(file))
    assert (kind, keywords["name"]) == ("labels", "SEG")
    assert asked == [file]


def test_marks_found_with_a_scan_are_kept_for_one_offer(tmp_path: Path) -> None:
    WORKPLACE.remember_marks("case", (tmp_path,))
    assert WORKPLACE.take_marks("case") == (tmp_path,)
    assert WORKPLACE.take_marks("case") == ()
