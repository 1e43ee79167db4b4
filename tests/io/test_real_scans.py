"""Scans of real machines: where they lie by their own headers, and what they hold.

They come with pydicom and nibabel, or lie in ``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pydicom.data
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti import write_mask_nifti
from napari_medlabel.io.registry import find_series, read_mask, read_volume
from tests.io.scans import worst_corner_mm

SHARED = Path(__file__).parents[3] / "shared" / "data"
PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
NIBABEL = Path(nib.__file__).parent / "tests" / "data"


def shared(name):
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"real scans '{name}' are not beside this checkout")
    return folder


def stored_truth(path):
    """Rescaled values of one file by pydicom alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True)
        slope, intercept = ds.get("RescaleSlope", 1), ds.get("RescaleIntercept", 0)
        return ds.pixel_array * float(slope) + float(intercept)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_RLE.dcm",
        "MR_small_expb.dcm",
        "MR_small_padded.dcm",
        "MR_small_jp2klossless.dcm",
        "693_J2KI.dcm",
        "J2K_pixelrep_mismatch.dcm",
        "examples_overlay.dcm",
    ],
)
def test_files_of_pydicom_hold_what_pydicom_says(name):
    path = PYDICOM / name
    try:
        truth = stored_truth(path)
    except RuntimeError:
        pytest.skip("pydicom has no decoder for this file here")
    volume = read_volume(path)
    np.testing.assert_allclose(volume.array[:, :, 0].T, truth)
    assert worst_corner_mm(volume) < 1e-4


def test_jpeg_ls_holds_what_the_uncompressed_twin_holds():
    packed = read_volume(PYDICOM / "MR_small_jpeg_ls_lossless.dcm")
    plain = read_volume(PYDICOM / "MR_small.dcm")
    np.testing.assert_array_equal(packed.array, plain.array)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MR_truncated.dcm", "pixel data in file 1 of 1 is shorter"),
        ("SC_rgb_rle.dcm", "colour images"),
        ("examples_palette.dcm", "colour images"),
        ("rtplan.dcm", "No image was found"),
        ("rtdose.dcm", "No image was found"),
        ("liver_1frame.dcm", "No image was found"),
        ("dicomdirtests/DICOMDIR", "No image was found"),
        ("JPEG2000.dcm", r"Image Position \(Patient\)"),
        ("image_dfl.dcm", r"Image Position \(Patient\)"),
        ("README.txt", "No image was found"),
    ],
)
def test_files_of_pydicom_that_are_no_volume_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        read_volume(PYDICOM / name)


def test_every_file_of_pydicom_is_read_or_refused_in_words(caplog):
    with caplog.at_level("DEBUG"):
        survey = find_series(PYDICOM)
    assert not caplog.records  # pydicom's own lines quote header values
    assert len(survey.series) > 40
    assert survey.skipped > 20
    for one in survey.series:
        assert (one.grid is None) == bool(one.problem)


@pytest.mark.parametrize(
    "name", ["anatomical.nii", "standard.nii.gz", "resampled_anat_moved.nii"]
)
def test_files_of_nibabel_lie_where_nibabel_puts_them(name, tmp_path):
    path = NIBABEL / name
    if not path.exists():
        pytest.skip("this nibabel came without its test data")
    volume, truth = read_volume(path), nib.load(path)
    np.testing.assert_array_equal(volume.grid.affine.matrix, truth.affine)
    np.testing.assert_allclose(volume.array, np.asarray(truth.dataobj), rtol=1e-6)
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[1, 2, 0] = 7
    target = tmp_path / "m.nii.gz"
    source = volume.source
    write_mask_nifti(target, mask, source.header, source.big_endian, volume.grid.affine)
    assert nib.load(target).affine.tobytes() == truth.affine.tobytes()
    np.testing.assert_array_equal(read_mask(target, volume.grid), mask)


@pytest.mark.parametrize(
    "name", ["example4d.nii.gz", "example_nifti2.nii.gz", "functional.nii"]
)
def test_series_over_time_of_nibabel_are_refused(name):
    if not (NIBABEL / name).exists():
        pytest.skip("this nibabel came without its test data")
    with pytest.raises(InputError, match=r"One volume is expected; the file holds \d+"):
        read_volume(NIBABEL / name)


def test_a_head_of_384_slices_lies_where_its_headers_say():
    volume = read_volume(shared("datalad-structural"), hashes=False)
    assert volume.grid.shape == (274, 384, 384)
    assert any("Oblique: the axes are turned by 7.7 degrees" in w for w in volume.warnings)
    assert worst_corner_mm(volume) < 1e-4
    for k in (0, 191, 383):
        truth = stored_truth(volume.source.files[k])
        np.testing.assert_array_equal(volume.array[:, :, k].T, truth)


def test_one_image_in_seven_transfer_syntaxes_is_read_alike_or_refused_alike():
    from napari_medlabel.io import dicom
    from napari_medlabel.io.dicom_pixels import fill

    folder = shared("dcm_qa_ts") / "In"
    syntaxes, first = set(), None
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        one = dicom.read_instance(path)
        if one is None or not one.has_pixels:
            continue
        syntaxes.add(one.transfer_syntax)
        # They are mosaics, which have no place as one slice: their pixels are compared.
        assert "mosaic" in find_series(path).series[0].problem
        array, _, _ = fill([one], progress=None, hashes=False)
        first = array if first is None else first
        np.testing.assert_array_equal(array, first)
    assert len(syntaxes) >= 7


def test_nrrd_scans_and_their_labels_share_a_grid():
    folder = shared("pyradiomics")
    for name in ("brain1", "breast1"):
        scan = read_volume(folder / f"{name}_image.nrrd")
        mask = read_mask(folder / f"{name}_label.nrrd", scan.grid)
        assert set(np.unique(mask)) == {0, 1}


def test_repeated_and_oblique_phantoms_lie_where_their_headers_say():
    survey = find_series(shared("rt-utils"))
    read = 0
    for one in survey.series:
        if one.problem:
            continue
        volume = read_volume(SHARED / "rt-utils", series=one.key)
        assert worst_corner_mm(volume) < 1e-4
        read += 1
    assert read >= 2


def test_niivue_scans_lie_where_nibabel_puts_them():
    for path in sorted(shared("niivue").glob("*.nii.gz")):
        truth = nib.load(path)
        if truth.ndim > 3 and truth.shape[3] > 1:
            with pytest.raises(InputError, match="One volume is expected"):
                read_volume(path)
            continue
        volume = read_volume(path, hashes=False)
        np.testing.assert_array_equal(volume.grid.affine.matrix, truth.affine)


def test_slices_of_dcmqi_lie_where_their_headers_say_and_match_their_nrrd():
    folder = shared("dcmqi")
    survey = find_series(folder)
    placed = [one for one in survey.series if one.format == "dicom" and not one.problem]
    assert placed
    for one in placed:
        assert worst_corner_mm(read_volume(folder, series=one.key)) < 1e-4
    scan = placed[0].grid
    assert any(
        one.format == "nrrd" and one.grid is not None and not scan.difference(one.grid)
        for one in survey.series
    )


def test_enhanced_series_are_refused_and_never_read_as_one_slice():
    for one in find_series(shared("dcm_qa_enh")).series:
        assert "come with a later version" in one.problem


def test_series_over_time_are_refused_and_never_interleaved():
    survey = find_series(shared("dcm_qa_nih"))
    assert survey.series
    for one in survey.series:
        assert (
            one.problem
            or worst_corner_mm(read_volume(SHARED / "dcm_qa_nih", series=one.key, hashes=False))
            < 1e-4
        )
