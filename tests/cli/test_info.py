"""``medlabel info``: what lies in a folder, in words and in JSON, naming nobody."""

from __future__ import annotations

import argparse
import json

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.cli import info
from napari_medlabel.errors import InputError
from tests.io.scans import ROOT, voxels, write_series


def medlabel(*arguments):
    parser = argparse.ArgumentParser()
    info.add_parser(parser.add_subparsers())
    namespace = parser.parse_args(["info", *map(str, arguments)])
    return namespace.run(namespace)


@pytest.fixture
def folder(tmp_path):
    write_series(
        tmp_path / "ct",
        voxels(3),
        SeriesDescription="INVENTED DESCRIPTION",
        SeriesNumber=701,
        ImageType=["DERIVED", "SECONDARY", "MPR", "INVENTED TYPE"],
    )
    turned = np.array([[0.96, -0.28, 0, 0], [0.28, 0.96, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), turned), tmp_path / "mr.nii.gz")
    (tmp_path / "broken.nii").write_bytes(b"x" * 400)
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


def test_a_table_lists_series_geometry_warnings_and_problems(folder, capsys):
    assert medlabel(folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == (
        "no format modality series matrix slices spacing mm axes oblique more"
    )
    assert lines[1].split() == [
        "1",
        "dicom",
        "CT",
        "701",
        "4",
        "x",
        "5",
        "3",
        "0.7",
        "x",
        "0.8",
        "x",
        "2.5",
        "LPS",
        "0.0°",
        "reformatted",
    ]
    assert any("cannot be read: A NIfTI file is expected" in line for line in lines)
    assert any("note: Oblique: the axes are turned by 16.3 degrees" in line for line in lines)
    assert lines[-1] == "3 series, 1 other files skipped"


def test_json_is_one_document_with_exact_geometry(folder, capsys):
    assert medlabel(folder, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["skipped"] == 1
    assert document["unreadable"] == 0
    first, broken, turned = document["series"]
    assert first["series"] == "1"
    assert first["series_number"] == 701
    assert first["words"] == ["reformatted"]
    assert len(first["hash"]) == 12
    assert first["geometry"]["shape_ijk"] == [4, 5, 3]
    assert first["geometry"]["spacing_mm"] == pytest.approx([0.7, 0.8, 2.5])
    assert first["geometry"]["affine_ras"][0] == pytest.approx([-0.7, 0, 0, 10])
    assert broken["geometry"] is None
    assert broken["problem"]
    assert turned["hash"] is None
    assert turned["geometry"]["oblique_deg"] == pytest.approx(16.2602)


def test_neither_form_names_anybody(folder, capsys):
    medlabel(folder)
    medlabel(folder, "--json")
    said = "".join(capsys.readouterr())
    assert "INVENTED" not in said.upper()
    assert ROOT not in said


def test_unreadable_files_are_counted(folder, capsys):
    (folder / "cut.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\0\x10\0UI\x14\0001.2.840")
    medlabel(folder)
    assert capsys.readouterr().out.endswith("3 series, 1 other files skipped, 1 unreadable\n")


def test_several_paths_are_one_list(folder, capsys):
    medlabel(folder / "ct", folder / "mr.nii.gz")
    assert capsys.readouterr().out.endswith("2 series, 0 other files skipped\n")


def test_nothing_readable_is_refused(folder, tmp_path, capsys):
    with pytest.raises(InputError, match="No image was found in 1 file"):
        medlabel(folder / "notes.txt")
    with pytest.raises(
        InputError, match="None of the 1 series found can be read: A NIfTI"
    ) as err:
        medlabel(folder / "broken.nii")
    assert err.value.exit_code == 2
    assert err.value.hint
    assert "cannot be read" in capsys.readouterr().out


def test_several_volumes_missing_slices_and_marks_are_told(tmp_path, capsys):
    paths = write_series(tmp_path / "gap", voxels(8))
    paths[3].unlink()
    times = nib.Nifti1Image(np.zeros((3, 4, 5, 7), np.int16), np.eye(4))
    times.header.set_xyzt_units("mm", "sec")
    nib.save(times, tmp_path / "fmri.nii.gz")
    (tmp_path / "a.seg.nrrd").write_bytes(b"NRRD0004\ntype: uchar\n\n")
    assert medlabel(tmp_path) == 0
    table = capsys.readouterr().out
    assert "4D, 7 times" in table
    assert "1 missing" in table
    assert "no file holds slice 4 (counted from 1)" in table
    assert table.endswith("2 series, 1 segmentation, 0 other files skipped\n")
    assert medlabel(tmp_path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    gap, fmri = document["series"]
    assert gap["missing"] == [3]
    assert gap["geometry"]["shape_ijk"][2] == 8
    assert (fmri["volumes"], fmri["axis"]) == (7, {"name": "time", "unit": "s"})
    assert document["marks"] == {"segmentation": 1}
    assert document["notes"] == []


def test_pictures_have_no_sides(tmp_path, capsys):
    write_series(
        tmp_path,
        voxels(1),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.1",
        Modality="CR",
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        FrameOfReferenceUID=None,
    )
    medlabel(tmp_path)
    row = capsys.readouterr().out.splitlines()[1]
    assert row.endswith("-     -        pictures without a place")
    assert "LPS" not in row
    medlabel(tmp_path, "--json")
    assert json.loads(capsys.readouterr().out)["series"][0]["slices"] == "pictures"


def test_the_document_has_the_keys_that_the_reference_shows(folder, capsys):
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
    example = json.loads(page.read_text("utf-8").split("```json\n")[1].split("```")[0])
    medlabel(folder, "--json")
    document = json.loads(capsys.readouterr().out)
    assert list(document) == list(example)
    assert list(document["series"][0]) == list(example["series"][0])
    assert list(document["series"][0]["geometry"]) == list(example["series"][0]["geometry"])
