"""DICOM segmentations: voxel by voxel in every orientation, and by other programs' eyes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import (
    GeometryError,
    InputError,
    MissingPackageError,
    SaveError,
)
from napari_medlabel.export.dicom_seg import save_dicom_seg
from napari_medlabel.export.segments import SegmentCoding
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.labelmap import Code, LabelMap
from napari_medlabel.model.volume import Volume
from tests.export.leaving import ORGANS, TIME, findings, made, organs, series

highdicom = pytest.importorskip("highdicom")
ORIENTATIONS = ("LPS", "RAI", "LSP", "PIR", "ASL", "IAR")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return series(tmp_path_factory.mktemp("scan") / "s", oblique=True)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_mask_comes_back_voxel_by_voxel_in_any_orientation(
    codes: str, tmp_path: Path
) -> None:
    scan = series(tmp_path / "s", codes)
    mask = organs(scan.grid)
    saved = save_dicom_seg(tmp_path / "m.dcm", [mask], scan, made())
    back = read_marks(saved.path, scan).labels[0]
    assert saved.numbers == {2: 1, 5: 2, 9: 3}
    for value, number in saved.numbers.items():
        assert np.array_equal(back.array == number, mask.array == value)
    # A foreign reader: highdicom puts each voxel where ours put it, in LPS mm.
    theirs = highdicom.seg.segread(saved.path).get_volume(combine_segments=True)
    points = np.argwhere(theirs.array)
    world = theirs.map_indices_to_reference(points) * (-1, -1, 1)
    index = np.rint(scan.grid.affine.to_index(world)).astype(int)
    numbers = theirs.array[tuple(points.T)]
    assert len(points) == np.count_nonzero(mask.array)
    values = np.array([0, 2, 5, 9])[numbers]
    assert np.array_equal(mask.array[tuple(index.T)], values)


def test_names_codes_sides_and_colours_come_back(volume: Volume, tmp_path: Path) -> None:
    save_dicom_seg(tmp_path / "m.dcm", [organs(volume.grid)], volume, made())
    back = read_marks(tmp_path / "m.dcm", volume).labels[0].scheme
    assert [(one.name, one.colour) for one in back.labels] == [
        (one.name, one.colour) for one in ORGANS.labels
    ]
    assert back[1].code == ORGANS[2].code
    assert back[2].code == ORGANS[5].code
    assert back[3].code == Code("SCT", "85756007", "Tissue")


def test_labels_that_overlap_come_back_as_two_maps(volume: Volume, tmp_path: Path) -> None:
    layers = [organs(volume.grid), findings(volume.grid)]
    save_dicom_seg(tmp_path / "m.dcm", layers, volume, made(), algorithm="SEMIAUTOMATIC")
    first, second = read_marks(tmp_path / "m.dcm", volume).labels
    assert np.array_equal(first.array == 2, layers[0].array == 5)
    assert np.array_equal(second.array == 4, layers[1].array == 7)


def test_a_label_map_keeps_its_values_and_holds_no_overlap(
    volume: Volume, tmp_path: Path
) -> None:
    mask = organs(volume.grid)
    saved = save_dicom_seg(tmp_path / "m.dcm", [mask], volume, made(), kind="LABELMAP")
    assert saved.numbers == {2: 2, 5: 5, 9: 9}
    assert np.array_equal(read_marks(saved.path, volume).labels[0].array, mask.array)
    with pytest.raises(InputError, match="one label for each voxel"):
        save_dicom_seg(
            tmp_path / "n.dcm", [mask, findings(volume.grid)], volume, made(), kind="LABELMAP"
        )


def test_a_mask_without_a_voxel_still_says_what_was_looked_for(
    volume: Volume, tmp_path: Path
) -> None:
    save_dicom_seg(tmp_path / "m.dcm", [LabelMap.empty(volume.grid, ORGANS)], volume, made())
    back = read_marks(tmp_path / "m.dcm", volume).labels[0]
    assert not back.array.any()
    assert [one.name for one in back.scheme.labels] == [one.name for one in ORGANS.labels]


def test_the_validator_of_dicom3tools_finds_no_error(volume: Volume, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    layers = [organs(volume.grid), findings(volume.grid)]
    for n, (masks, algorithm) in enumerate(((layers, "MANUAL"), (layers[:1], "AUTOMATIC"))):
        path = tmp_path / f"{n}.dcm"
        save_dicom_seg(path, masks, volume, made(n), algorithm=algorithm)
        ran = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        assert "Error" not in ran.stderr + ran.stdout


def test_equal_input_gives_equal_bytes_and_the_ontology_wins(
    volume: Volume, tmp_path: Path
) -> None:
    finding = Code("SCT", "49755003", "Morphologically Abnormal Structure")
    liver = Code("SCT", "10200004", "Liver")
    left = Code("SCT", "7771000", "Left")
    codings = {2: SegmentCoding(finding, Code("SCT", "4147007", "Mass"), None, liver, left)}
    paths = [tmp_path / "a.dcm", tmp_path / "b.dcm"]
    for path in paths:
        save_dicom_seg(path, [organs(volume.grid)], volume, made(), codings=codings)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    ds = pydicom.dcmread(paths[0])
    first = ds.SegmentSequence[0]
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeValue == finding.value
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "4147007"
    assert first.AnatomicRegionSequence[0].CodeValue == liver.value
    assert first.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeValue
    assert ds.FrameOfReferenceUID == volume.grid.frame_of_reference
    assert (ds.ContentDate, ds.ContentTime) == ("20261122", "123015")


def test_a_mask_with_its_axes_the_other_way_is_turned_and_another_scans_is_refused(
    volume: Volume, tmp_path: Path
) -> None:
    mask = organs(volume.grid)
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    flip[1, 3] = volume.grid.shape[1] - 1
    turned = Grid(volume.grid.shape, volume.grid.affine @ flip)
    flipped = LabelMap(turned, mask.array[:, ::-1].copy(), ORGANS)
    save_dicom_seg(tmp_path / "m.dcm", [flipped], volume, made())
    back = read_marks(tmp_path / "m.dcm", volume).labels[0]
    assert np.array_equal(back.array == 2, mask.array == 5)
    shift = np.eye(4)
    shift[0, 3] = 0.3
    beside = Grid(volume.grid.shape, volume.grid.affine @ shift)
    with pytest.raises(GeometryError, match="does not lie on this scan"):
        save_dicom_seg(
            tmp_path / "n.dcm", [LabelMap(beside, mask.array, ORGANS)], volume, made()
        )


def test_what_cannot_be_written_is_refused_in_words(
    volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = organs(volume.grid)
    path = tmp_path / "m.dcm"
    foreign = replace(volume, source=replace(volume.source, format="nifti"))
    with pytest.raises(InputError, match="this scan is none"):
        save_dicom_seg(path, [mask], foreign, made())
    bare = replace(volume, grid=Grid(volume.grid.shape, volume.grid.affine))
    with pytest.raises(GeometryError, match="no frame of reference"):
        save_dicom_seg(path, [mask], bare, made())
    with pytest.raises(GeometryError, match="no place there"):
        save_dicom_seg(path, [mask], replace(volume, slices="pictures"), made())
    uids = ("2.25.9", *volume.source.sop_instance_uids[1:])
    other = replace(volume, source=replace(volume.source, sop_instance_uids=uids))
    with pytest.raises(InputError, match="not the ones any more"):
        save_dicom_seg(path, [mask], other, made())
    planes = ((-1, -1), *volume.source.planes[1:])
    holed = replace(volume, source=replace(volume.source, planes=planes))
    with pytest.raises(GeometryError, match="no image of the scan holds"):
        save_dicom_seg(path, [mask], holed, made())
    mask.array[:, :, 0] = 0
    save_dicom_seg(path, [mask], holed, made())
    with pytest.raises(SaveError, match="exists already"):
        save_dicom_seg(path, [mask], volume, made())
    with pytest.raises(InputError, match="none came"):
        save_dicom_seg(tmp_path / "n.dcm", [], volume, made())
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingPackageError, match="highdicom"):
        save_dicom_seg(tmp_path / "n.dcm", [mask], volume, made())
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["m.dcm"]


def test_a_header_that_lacks_what_is_needed_is_no_traceback(tmp_path: Path) -> None:
    scan = series(tmp_path / "s")
    ds = pydicom.dcmread(scan.source.files[0])
    del ds.StudyInstanceUID
    ds.save_as(scan.source.files[0])
    with pytest.raises(InputError, match="lack what it needs"):
        save_dicom_seg(tmp_path / "m.dcm", [organs(scan.grid)], scan, made())


def test_uids_that_belong_to_an_object_are_valid_and_always_the_same() -> None:
    uid = made().further_uid("dimensions")
    assert uid == made().further_uid("dimensions") != made(2).further_uid("dimensions")
    assert pydicom.uid.UID(uid).is_valid
    assert made().time == TIME
