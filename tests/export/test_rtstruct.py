"""RT structure sets: contours that fill to the same voxels, numbers that fit the standard."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export import rtstruct
from napari_medlabel.export.rtstruct import save_rtstruct
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from tests.export.leaving import ORGANS, findings, made, organs, series


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return series(tmp_path_factory.mktemp("scan") / "s", oblique=True)


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PIR", "ASL"])
@pytest.mark.parametrize("holes", ["keyhole", "separate"])
def test_contours_fill_to_the_same_voxels_in_any_orientation(
    codes: str, holes: str, tmp_path: Path
) -> None:
    scan = series(tmp_path / "s", codes)
    mask = organs(scan.grid)
    saved = save_rtstruct(tmp_path / "r.dcm", [mask], scan, made(), holes=holes)
    marks = read_marks(saved.path, scan)
    assert np.array_equal(marks.labels[0].array, mask.array)
    assert saved.numbers == {2: 2, 5: 5, 9: 9}
    assert marks.warnings == ("1 of 3 regions holds no contour.",)


def test_overlap_names_and_colours_come_back(volume: Volume, tmp_path: Path) -> None:
    layers = [organs(volume.grid), findings(volume.grid)]
    save_rtstruct(tmp_path / "r.dcm", layers, volume, made())
    first, second = read_marks(tmp_path / "r.dcm", volume).labels
    assert np.array_equal(first.array, layers[0].array)
    assert np.array_equal(second.array, layers[1].array)
    assert [(one.name, one.colour) for one in first.scheme.labels] == [
        (one.name, one.colour) for one in ORGANS.labels
    ][: len(first.scheme.labels)]


def test_no_number_is_longer_than_sixteen_characters_and_every_contour_names_its_image(
    volume: Volume, tmp_path: Path
) -> None:
    save_rtstruct(tmp_path / "r.dcm", [organs(volume.grid)], volume, made())
    ds = pydicom.dcmread(tmp_path / "r.dcm")
    contours = [c for r in ds.ROIContourSequence for c in r.get("ContourSequence", ())]
    raw = [str(v) for c in contours for v in c.ContourData]
    assert raw
    assert max(map(len, raw)) <= 16
    slices = {uid: k for k, uid in enumerate(volume.source.sop_instance_uids)}
    for one in contours:
        points = np.array(one.ContourData, float).reshape(-1, 3) * (-1, -1, 1)
        index = volume.grid.affine.to_index(points)
        k = slices[one.ContourImageSequence[0].ReferencedSOPInstanceUID]
        assert np.allclose(index[:, 2], k, atol=1e-5)
        # Corners lie half a voxel from the centres.
        assert np.allclose(index[:, :2] % 1.0, 0.5, atol=1e-5)
    frame = ds.ReferencedFrameOfReferenceSequence[0]
    series_ = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert frame.FrameOfReferenceUID == volume.grid.frame_of_reference
    assert len(series_.ContourImageSequence) == volume.grid.shape[2]


def test_the_validator_of_dicom3tools_finds_no_error(volume: Volume, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    layers = [organs(volume.grid), findings(volume.grid)]
    save_rtstruct(tmp_path / "r.dcm", layers, volume, made())
    ran = subprocess.run(
        ["dciodvfy", tmp_path / "r.dcm"], capture_output=True, text=True, check=False
    )
    assert "Error" not in ran.stderr + ran.stdout


def test_marks_of_de_identification_stay_and_nothing_else_of_the_header_leaves(
    tmp_path: Path,
) -> None:
    scan = series(tmp_path / "s")
    ds = pydicom.dcmread(scan.source.files[0])
    ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "Invented"
    ds.InstitutionName = "Invented house"
    ds.save_as(scan.source.files[0])
    save_rtstruct(tmp_path / "r.dcm", [organs(scan.grid)], scan, made())
    out = pydicom.dcmread(tmp_path / "r.dcm")
    assert (out.PatientIdentityRemoved, out.DeidentificationMethod) == ("YES", "Invented")
    assert "InstitutionName" not in out


def test_a_contour_that_would_fill_otherwise_is_never_published(
    volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(*args: object, **kwargs: object) -> list[object]:
        return [replace(one, corners=one.corners + 1) for one in made_before(*args, **kwargs)]

    made_before = rtstruct.outlines
    monkeypatch.setattr(rtstruct, "outlines", shifted)
    with pytest.raises(SaveError, match="did not read back"):
        save_rtstruct(tmp_path / "r.dcm", [organs(volume.grid)], volume, made())
    assert list(tmp_path.iterdir()) == []


def test_a_scan_that_is_no_dicom_and_a_scheme_without_labels_are_refused(
    volume: Volume, tmp_path: Path
) -> None:
    foreign = replace(volume, source=replace(volume.source, format="nifti"))
    with pytest.raises(InputError, match="this scan is none"):
        save_rtstruct(tmp_path / "r.dcm", [organs(volume.grid)], foreign, made())
    empty = LabelMap.empty(volume.grid, replace(ORGANS, labels=()))
    with pytest.raises(InputError, match="no labels"):
        save_rtstruct(tmp_path / "r.dcm", [empty], volume, made())
