"""dcmqi, the reader of DICOM SEG that 3D Slicer imports with, puts each voxel where ours is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.export.dicom_seg import save_dicom_seg
from napari_medlabel.export.sr import save_sr
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet
from tests.export.leaving import findings, made, organs, series

pytest.importorskip("highdicom")
dcmqi = pytest.importorskip("dcmqi", reason="dcmqi is not installed")

Found = dict[str, tuple[dict, np.ndarray]]
VALUES = {"Liver": 2, "Right kidney": 5, "Lesion": 7}


def asked(program: str, *words: object) -> None:
    """Run one of its programs, which has nothing to complain of."""
    path = dcmqi._lookup(program)
    ran = subprocess.run(
        [path, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    said = (ran.stdout + ran.stderr).splitlines()
    assert ran.returncode == 0, said
    assert not [line for line in said if line.startswith(("W:", "E:", "F:"))]


def read(path: Path, out: Path, grid: Grid, *words: str) -> Found:
    """Return what it tells of each segment, and its voxels on a grid, by the segment's name."""
    out.mkdir()
    where = ("--inputDICOM", path, "--outputDirectory", out, "-t", "nii", "-p", "s")
    asked("segimage2itkimage", *where, *words)
    told = json.loads((out / "s-meta.json").read_text())["segmentAttributes"]
    files = sorted(out.glob("s-*.nii.gz"))
    assert len(files) == len(told)
    found = {}
    for file, group in zip(files, told, strict=True):
        array = on_grid(file, grid)
        for one in group:
            found[one["SegmentLabel"]] = one, array == one["labelID"]
    return found


def on_grid(file: Path, grid: Grid) -> np.ndarray:
    """Return an image's voxels at a grid's voxels: by mm alone, wherever its axes run."""
    image = nib.load(file)
    out = np.zeros(grid.shape, np.uint8)
    array = np.asarray(image.dataobj)
    index = np.argwhere(array)
    ours = grid.affine.to_index(nib.affines.apply_affine(image.affine, index))
    assert np.abs(ours - np.rint(ours)).max(initial=0.0) < 1e-3
    out[tuple(np.rint(ours).astype(int).T)] = array[tuple(index.T)]
    return out


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PIR", "ASL", "oblique"])
def test_it_puts_every_voxel_where_ours_is(codes: str, tmp_path: Path) -> None:
    is_oblique = codes == "oblique"
    scan = series(tmp_path / "s", "LPS" if is_oblique else codes, oblique=is_oblique)
    layers = [organs(scan.grid), findings(scan.grid)]
    save_dicom_seg(tmp_path / "m.dcm", layers, scan, made())
    for words in ((), ("--mergeSegments",)):
        found = read(tmp_path / "m.dcm", tmp_path / f"o{len(words)}", scan.grid, *words)
        for name, value in VALUES.items():
            mask = layers[value == 7].array == value
            assert np.array_equal(found[name][1], mask), (name, words)


def test_it_tells_names_codes_sides_and_colours_as_the_scheme_does(tmp_path: Path) -> None:
    scan = series(tmp_path / "s")
    mask = organs(scan.grid)
    save_dicom_seg(tmp_path / "m.dcm", [mask], scan, made())
    found = read(tmp_path / "m.dcm", tmp_path / "o", scan.grid)
    for label in mask.scheme.labels[:2]:
        told = found[label.name][0]
        kind = told["SegmentedPropertyTypeCodeSequence"]
        assert (kind["CodingSchemeDesignator"], kind["CodeValue"]) == (
            label.code.scheme,
            label.code.value,
        )
    # It takes another white point than PS3.3 C.10.7.1.1: muted colours stay nearly the same.
    theirs = np.array(found["Liver"][0]["recommendedDisplayRGBValue"])
    assert np.abs(theirs - np.array(mask.scheme[2].rgb) * 255).max() <= 4
    side = found["Right kidney"][0]["SegmentedPropertyTypeModifierCodeSequence"]
    assert side["CodeMeaning"] == "Right"
    assert not found.get("Nothing there", (None, np.zeros(1)))[1].any()


def test_it_reads_a_label_map_with_its_values(tmp_path: Path) -> None:
    scan = series(tmp_path / "s", oblique=True)
    mask = organs(scan.grid)
    save_dicom_seg(tmp_path / "m.dcm", [mask], scan, made(), kind="LABELMAP")
    (tmp_path / "o").mkdir()
    where = ("--inputDICOM", tmp_path / "m.dcm", "--outputDirectory", tmp_path / "o")
    asked("segimage2itkimage", *where, "-t", "nii", "-p", "s")
    assert np.array_equal(on_grid(tmp_path / "o" / "s-1.nii.gz", scan.grid), mask.array)


def test_its_reader_of_reports_finds_the_landmark(tmp_path: Path) -> None:
    scan = series(tmp_path / "s")
    marks = LandmarkSet((Landmark("Porta", (1.0, 2.0, 3.0)),))
    save_sr(tmp_path / "m.dcm", marks, MeasurementSet(), scan, made())
    where = ("--inputDICOM", tmp_path / "m.dcm", "--outputMetadata", tmp_path / "m.json")
    asked("tid1500reader", *where)
    told = json.loads((tmp_path / "m.json").read_text())
    assert [one["TrackingIdentifier"] for one in told["Measurements"]] == ["Porta"]
    assert told["imageLibrary"] == list(scan.source.sop_instance_uids)
