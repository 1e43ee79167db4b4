"""Paths -> series: what is found, skipped, refused, and never shown."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.io import behind
from napari_medlabel.io.registry import (
    VALUES,
    find_series,
    looks_medical,
    read_series,
    read_volume,
    thumbnail,
)
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


def test_a_pair_is_one_series_whichever_half_is_given(tmp_path):
    image = nib.Nifti1Pair(np.zeros((3, 4, 5), np.int16), np.diag([1, 1, 2, 1]))
    nib.save(image, tmp_path / "pair.hdr")
    for path in (tmp_path, tmp_path / "pair.hdr", tmp_path / "pair.img"):
        survey = find_series(path)
        assert [(one.format, one.files) for one in survey.series] == [("nifti", 2)]
        assert survey.skipped == 0
    assert read_volume(tmp_path / "pair.img").grid.shape == (3, 4, 5)


def test_analyze_is_told_from_nifti(tmp_path):
    image = nib.AnalyzeImage(np.zeros((3, 4, 5), np.int16), np.diag([1, 1, 2, 1]))
    nib.save(image, tmp_path / "old.hdr")
    (info,) = find_series(tmp_path).series
    assert info.format == "analyze"
    assert info.warnings


def test_other_headers_and_voxels_without_header_are_skipped(tmp_path):
    (tmp_path / "map.hdr").write_text("ENVI\nsamples = 3\n")
    (tmp_path / "lone.img").write_bytes(b"\1" * 600)
    (tmp_path / "lone.rec").write_bytes(b"\1" * 600)
    (tmp_path / "data.npz").write_bytes(b"PK\x03\x04" + b"\0" * 600)
    (tmp_path / "table.mnc.txt").write_text("CDF")
    survey = find_series(tmp_path)
    assert survey.series == ()
    assert survey.skipped == 5


def test_further_volumes_colours_and_missing_slices_are_told(tmp_path):
    times = nib.Nifti1Image(np.zeros((3, 4, 5, 7), np.int16), np.eye(4))
    times.header.set_xyzt_units("mm", "sec")
    nib.save(times, tmp_path / "a.nii.gz")
    rgb = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "b.nii.gz")
    paths = write_series(tmp_path / "dicom", voxels(8))
    paths[3].unlink()
    gap, four, colour = find_series(tmp_path).series
    assert gap.missing == (3,)
    assert gap.grid.shape[2] == 8
    assert gap.description == "1 missing"
    assert (four.volumes, four.axis) == (7, ("time", "s"))
    assert four.description == "4D, 7 times"
    assert colour.colour
    assert "colour" in colour.line()


def test_marks_are_counted_and_are_no_series(tmp_path):
    (tmp_path / "a.seg.nrrd").write_bytes(b"NRRD0004\ntype: uchar\n\n")
    (tmp_path / "b.seg.nrrd").write_bytes(b"NRRD0004\ntype: uchar\n\n")
    write_series(tmp_path / "ct", voxels(2))
    write_series(tmp_path, voxels(1), names=["rt"], SOPClassUID=STRUCTURES, series="5")
    survey = find_series(tmp_path)
    assert len(survey.series) == 1
    assert survey.marks_in_words() == "2 segmentations, 1 structure set"
    assert all(str(tmp_path) not in repr(mark) for mark in survey.marks)
    with pytest.raises(InputError, match="No image was found, only 1 segmentation") as caught:
        read_volume(tmp_path / "a.seg.nrrd")
    assert "--on SCAN" in caught.value.hint


STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"


def test_progress_grows_to_the_end_and_what_it_raises_ends_the_search(tmp_path):
    write_series(tmp_path, voxels(70, 2, 2))
    seen = []
    find_series(tmp_path, progress=lambda done, whole: seen.append((done, whole)))
    assert seen == sorted(seen)
    assert seen[-1] == (70, 70)

    def stop(done, whole):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_series(tmp_path, progress=stop)


def test_a_thumbnail_is_of_the_middle_slice_and_upright(tmp_path):
    stored = np.zeros((5, 40, 20), np.int16)
    stored[2, 30:, 15:] = 100
    write_series(tmp_path / "ct", stored, WindowCenter=50, WindowWidth=100)
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])  # to the right and front: flipped when shown
    array = np.zeros((20, 40, 5), np.int16)
    array[:5, :10, 2] = 100
    nib.save(nib.Nifti1Image(array, matrix), tmp_path / "a.nii.gz")
    for info in find_series(tmp_path).series:
        grey = thumbnail(info)
        assert max(grey.shape) == 128
        assert grey[-1, -1] == 255
        assert grey[0, 0] == grey[0, -1] == grey[-1, 0] == 0


def test_a_dark_is_bright_image_has_an_inverted_thumbnail(tmp_path):
    stored = np.zeros((1, 8, 8), np.int16)
    stored[0, 4:] = 100
    write_series(tmp_path, stored, PhotometricInterpretation="MONOCHROME1")
    grey = thumbnail(find_series(tmp_path).series[0])
    assert grey[0, 0] == 255
    assert grey[-1, -1] == 0


def test_what_cannot_be_read_has_no_thumbnail_and_no_volume(tmp_path):
    (tmp_path / "b.nii").write_bytes(b"x" * 400)
    (info,) = find_series(tmp_path).series
    for act in (thumbnail, read_series):
        with pytest.raises(InputError) as caught:
            act(info)
        assert caught.value.message == info.problem
        assert caught.value.hint


def test_values_that_do_not_exist_are_refused(tmp_path):
    nifti(tmp_path / "a.nii")
    with pytest.raises(InputError, match="no such way to read values"):
        read_volume(tmp_path, values="guessed")
    for values in VALUES[1:]:
        with pytest.raises(InputError, match=f"Values as {values} are defined for DICOM"):
            read_volume(tmp_path, values=values)


def test_a_file_that_vanishes_while_it_is_looked_at_is_counted(tmp_path, monkeypatch):
    paths = write_series(tmp_path, voxels(3))
    real = behind._look_into

    def vanishing(path, search):
        if str(path) == str(paths[1]):
            paths[1].unlink(missing_ok=True)
        return real(path, search)

    monkeypatch.setattr(behind, "_look_into", vanishing)
    survey = find_series(tmp_path)
    assert survey.unreadable == 1
    assert any("may be incomplete" in text for text in survey.series[0].warnings)


def test_a_series_that_vanishes_before_it_is_read_is_refused(tmp_path):
    paths = write_series(tmp_path, voxels(3))
    (info,) = find_series(tmp_path).series
    paths[1].unlink()
    with pytest.raises(InputError) as caught:
        read_series(info)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.message


@pytest.mark.skipif(os.name == "nt", reason="there, names are always Unicode")
def test_names_that_are_no_utf8_are_read(tmp_path):
    folder = tmp_path / os.fsdecode(b"Caf\xe9")
    folder.mkdir()
    path = write_series(tmp_path, voxels(1), names=["a.dcm"])[0]
    path.rename(folder / os.fsdecode(b"M\xfcller.dcm"))
    nifti(tmp_path / "b.nii.gz").rename(folder / os.fsdecode(b"\xff.nii.gz"))
    survey = find_series(tmp_path)
    assert [one.format for one in survey.series] == ["dicom", "nifti"]
    assert all(not one.problem for one in survey.series)
    assert read_volume(tmp_path, series="2").grid.shape == (3, 4, 5)


def test_a_file_among_others_in_a_folder_that_is_large_is_found_by_looks_medical(tmp_path):
    for number in range(50):
        (tmp_path / f"{number:03d}.json").write_text("{}")
    write_series(tmp_path, voxels(1), names=["z"])
    assert looks_medical(tmp_path)


def test_a_path_with_a_zero_byte_is_refused():
    with pytest.raises(InputError, match="does not exist"):
        find_series(Path("a\0b"))
