"""Paths -> series: what is found, skipped, refused, and never shown."""

from __future__ import annotations

import os

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.io.registry import find_series, looks_medical, read_volume
from tests.io.scans import ROOT, voxels, write_series


def nifti(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.eye(4)), path)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "missing", "A path does not exist"),
        (lambda p: p, "The folder is empty"),
        (lambda p: (p / "a.dcm").write_text("This is a text.") and p / "a.dcm", "No image was"),
        (
            lambda p: (p / "a.txt").write_text("This is a text.") and p,
            "No image was found in 1 f",
        ),
        (lambda p: (p / "a.dcm").write_bytes(b"") or p, "No image was found: 1 file looked"),
        (lambda p: os.mkfifo(p / "pipe") or p / "pipe", "this is neither"),
        (lambda p: os.mkfifo(p / "pipe") or p, "The folder is empty"),
        (lambda p: (p / "a").symlink_to(p / "nowhere") or p, "The folder is empty"),
    ],
    ids=["missing", "empty", "text.dcm", "text", "0 bytes", "pipe", "pipe within", "dangling"],
)
def test_a_path_without_an_image_is_refused(tmp_path, make, message):
    path = make(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_volume(path)
    assert caught.value.hint
    assert str(tmp_path) not in str(caught.value)


def test_links_in_a_circle_do_not_catch_us(tmp_path):
    write_series(tmp_path / "a", voxels(2))
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(find_series(tmp_path).series) == 1


def test_several_files_are_one_series_and_a_file_alone_is_one_slice(tmp_path):
    paths = write_series(tmp_path, voxels(3))
    assert read_volume(paths[::-1]).grid.shape[2] == 3
    assert read_volume([*paths, *paths]).warnings == ()
    assert read_volume(paths[0]).grid.shape[2] == 1


def test_every_format_is_listed_in_a_stable_order(tmp_path):
    write_series(tmp_path / "dicom" / "deep", voxels(2))
    nifti(tmp_path / "b.nii.gz")
    (tmp_path / "broken.nii").write_bytes(b"x" * 400)
    survey = find_series(tmp_path)
    assert [(one.key, one.format) for one in survey.series] == [
        ("1", "dicom"),
        ("2", "nifti"),
        ("3", "nifti"),
    ]
    assert survey.series[2].problem
    assert survey.series[2].grid is None
    assert survey.series[0].grid.shape == (4, 5, 2)
    assert survey.series[0].files == 2


def test_what_a_series_says_of_itself_names_nobody(tmp_path):
    write_series(tmp_path, voxels(2), Modality="INVENTED NAME", SeriesDescription="INVENTED")
    info = find_series(tmp_path).series[0]
    assert info.series_uid == ROOT + "1"
    for text in (repr(info), info.line(), info.modality, *info.warnings):
        assert "INVENTED" not in text.upper()
        assert ROOT not in text


def test_content_goes_before_the_suffix(tmp_path):
    path = write_series(tmp_path, voxels(1), names=["a.nii"])[0]
    assert find_series(path).series[0].format == "dicom"
    other = nifti(tmp_path / "b.nii").rename(tmp_path / "b.dat")
    assert find_series(other).series[0].format == "nifti"


def test_a_broken_file_among_several_series_is_listed_with_its_problem(tmp_path):
    nifti(tmp_path / "a.nii")
    (tmp_path / "b.nii").write_bytes(b"x" * 400)
    with pytest.raises(SeriesChoiceError, match=r"2: NIFTI, 1 file, cannot be read"):
        read_volume(tmp_path)


def test_an_empty_file_called_dicom_beside_a_series_is_doubted(tmp_path):
    write_series(tmp_path, voxels(2))
    (tmp_path / "slice3.dcm").write_bytes(b"")
    assert find_series(tmp_path).unreadable == 1
    assert any("may be incomplete" in text for text in read_volume(tmp_path).warnings)


def test_long_lists_are_shortened(tmp_path):
    for n in range(23):
        nifti(tmp_path / f"{n:02d}.nii")
    with pytest.raises(
        SeriesChoiceError, match="and 3 more: medlabel info lists them all"
    ) as err:
        read_volume(tmp_path)
    assert len(err.value.choices) == 23


def test_looks_medical_knows_files_and_folders(tmp_path):
    paths = write_series(tmp_path / "series", voxels(1), names=["IM1"])
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.dcm").write_text("This is a text.")
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 400)
    assert looks_medical(paths[0])
    assert looks_medical(tmp_path / "series")
    assert looks_medical(nifti(tmp_path / "n" / "a.nii.gz"))
    assert not looks_medical(tmp_path / "text")
    assert not looks_medical(tmp_path / "text" / "a.dcm")
    assert not looks_medical(tmp_path / "c.png")
    assert not looks_medical(tmp_path / "missing")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read_is_counted(tmp_path):
    write_series(tmp_path, voxels(2))
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    secret.chmod(0)
    assert find_series(tmp_path).unreadable == 1


def test_masks_saved_beside_their_scan_are_not_series(tmp_path):
    import json

    import nibabel as nib
    import numpy as np

    array = np.zeros((4, 4, 4), np.uint8)
    for name in ("scan", "mask"):
        nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / f"{name}.nii.gz")
    assert len(find_series(tmp_path).series) == 2
    (tmp_path / "mask.json").write_text(json.dumps({"format": "napari-medlabel mask"}))
    assert len(find_series(tmp_path).series) == 1
    assert len(find_series(tmp_path / "mask.nii.gz").series) == 1
