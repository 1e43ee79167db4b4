"""Scans of real machines lie where their own headers say, and hold what their headers say.

They come with pydicom and nibabel, or lie in ``../shared/data`` beside the checkout. The truth
about DICOM comes from `tests.io.truth`, which shares nothing with the reader.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pydicom.data
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.nifti.reading import write_mask_nifti
from napari_medlabel.io.registry import find_series, read_mask, read_series, read_volume
from tests.io import truth
from tests.io.verdict import Answer, judge

SHARED = Path(__file__).parents[3] / "shared" / "data"
PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
NIBABEL = Path(nib.__file__).parent / "tests" / "data"
MOSAICS = Path(nib.__file__).parent / "nicom" / "tests" / "data"
CORNER_MM = 1e-4


def shared(name):
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"real scans '{name}' are not beside this checkout")
    return folder


def answer(volume):
    """Return a volume as what is judged."""
    array = volume.array if volume.further is None else volume.further.array
    return Answer(
        array if volume.colour is None else volume.colour,
        volume.grid.affine.matrix,
        is_colour=volume.colour is not None,
        missing=volume.missing,
        has_places=volume.slices == "places",
    )


@cache
def read_all(folder):
    """Return the volumes by series, and the reasons why others were refused."""
    volumes, refused = {}, {}
    for one in find_series(folder).series:
        try:
            volume = read_series(one, hashes=False)
        except InputError as err:
            refused.setdefault(one.series_uid, []).append(err.message)
        else:
            volumes.setdefault(one.series_uid, []).append(volume)
    return volumes, refused


@cache
def truth_of(folder):
    """Return the images of each series, by the headers alone."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            ds = truth.header(path)
            if ds is not None:
                uid = str(ds.get("SeriesInstanceUID", "")) or None
                found.setdefault(uid, []).extend(truth.images(path))
    return found


@pytest.mark.parametrize(
    "name", ["datalad-structural", "dcm_qa_nih", "dcm_qa_enh", "dcmqi", "rt-utils"]
)
def test_every_image_is_where_its_header_says(name):
    folder = shared(name)
    volumes, refused = read_all(folder)
    judged = 0
    for uid, images in truth_of(folder).items():
        if any("mosaic" in one.tags for one in images):
            continue  # plain headers do not tell where their tiles lie
        assert uid not in refused, refused[uid]
        verdict = judge([answer(one) for one in volumes[uid]], images)
        assert verdict.word == "exact"
        assert verdict.corner_mm < CORNER_MM
        assert verdict.invented == 0
        judged += 1
    assert judged


@pytest.mark.parametrize("name", ["dcm_qa_nih", "dcm_qa_ts"])
def test_tiles_of_mosaics_are_where_dcm2niix_puts_them(name, tmp_path):
    folder = shared(name)
    program = Path(sys.executable).with_name("dcm2niix")
    if not program.exists():
        pytest.skip("dcm2niix is not installed")
    uids = {
        uid
        for uid, images in truth_of(folder).items()
        if any("mosaic" in o.tags for o in images)
    }
    assert uids
    command = [program, "-z", "n", "-b", "n", "-f", "%s_%j", "-o", tmp_path, folder]
    subprocess.run(command, check=True, capture_output=True)
    volumes, refused = read_all(folder)
    for uid in uids:
        assert uid not in refused
        # Copies in several codings are several outputs there, and one series here.
        theirs = [nib.load(path) for path in tmp_path.glob(f"*_{uid}*.nii")]
        assert theirs
        for image in theirs:
            voxels = np.asarray(image.dataobj)
            assert any(same_in_world(one, voxels, image.affine) for one in volumes[uid])


def same_in_world(volume, voxels, affine):
    """Tell whether every voxel of another array is here, with its place and its value."""
    index = np.stack(np.indices(voxels.shape[:3]), axis=-1).reshape(-1, 3)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    inverse = np.linalg.inv(volume.grid.affine.matrix)
    found = world @ inverse[:3, :3].T + inverse[:3, 3]
    near = np.round(found).astype(int)
    if (
        np.abs(found - near).max() > 0.02
        or (near < 0).any()
        or (near >= volume.grid.shape).any()
    ):
        return False
    whole = volume.array[..., None] if volume.further is None else volume.further.array
    mine = np.asarray(whole)[near[:, 0], near[:, 1], near[:, 2]]
    theirs = voxels.reshape(len(index), -1)
    return all((mine == theirs[:, [t]]).all(axis=0).any() for t in range(theirs.shape[1]))


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
        values = stored_truth(path)
    except RuntimeError:
        pytest.skip("pydicom has no decoder for this file here")
    volume = read_volume(path)
    np.testing.assert_allclose(volume.array[:, :, 0].T, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = truth.images(path)
    verdict = judge([answer(volume)], images)
    assert verdict.word == "exact"
    assert verdict.corner_mm < CORNER_MM


def test_jpeg_ls_holds_what_the_uncompressed_twin_holds():
    packed = read_volume(PYDICOM / "MR_small_jpeg_ls_lossless.dcm")
    plain = read_volume(PYDICOM / "MR_small.dcm")
    np.testing.assert_array_equal(packed.array, plain.array)


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("SC_rgb_rle.dcm", True),
        ("SC_rgb_jpeg_dcmtk.dcm", True),
        ("examples_palette.dcm", True),
        ("examples_rgb_color.dcm", True),
        ("examples_ybr_color.dcm", True),
        ("image_dfl.dcm", False),
        ("JPEG2000.dcm", False),
    ],
)
def test_images_without_a_place_are_pictures_with_their_values(name, colour):
    path = PYDICOM / name
    if not path.exists():
        pytest.skip("this pydicom came without the file")
    volume = read_volume(path)
    assert (volume.colour is not None) == colour
    if volume.slices == "pictures":
        assert not volume.is_oriented
        assert volume.warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = truth.images(path)
    if images[0].values is not None:
        assert judge([answer(volume)], images).word == "exact"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MR_truncated.dcm", "pixel data in file 1 of 1 is shorter"),
        ("rtplan.dcm", "No image was found"),
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
    assert survey.skipped > 10
    for one in survey.series:
        assert (one.grid is None) == bool(one.problem)


@pytest.mark.parametrize(
    "name", ["anatomical.nii", "standard.nii.gz", "resampled_anat_moved.nii"]
)
def test_files_of_nibabel_lie_where_nibabel_puts_them(name, tmp_path):
    path = NIBABEL / name
    if not path.exists():
        pytest.skip("this nibabel came without its test data")
    volume, known = read_volume(path), nib.load(path)
    np.testing.assert_array_equal(volume.grid.affine.matrix, known.affine)
    np.testing.assert_allclose(volume.array, np.asarray(known.dataobj), rtol=1e-6)
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[1, 2, 0] = 7
    target = tmp_path / "m.nii.gz"
    source = volume.source
    write_mask_nifti(target, mask, source.header, source.big_endian, volume.grid.affine)
    assert nib.load(target).affine.tobytes() == known.affine.tobytes()
    np.testing.assert_array_equal(read_mask(target, volume.grid), mask)


@pytest.mark.parametrize(
    "name", ["example4d.nii.gz", "example_nifti2.nii.gz", "functional.nii"]
)
def test_series_over_time_of_nibabel_keep_all_their_volumes(name):
    path = NIBABEL / name
    if not path.exists():
        pytest.skip("this nibabel came without its test data")
    volume, known = read_volume(path), nib.load(path)
    assert volume.further is not None
    np.testing.assert_array_equal(volume.grid.affine.matrix, known.affine)
    np.testing.assert_allclose(
        np.asarray(volume.further.array), np.asarray(known.dataobj), rtol=1e-6
    )


def test_a_mosaic_of_nibabel_is_taken_apart_as_nibabel_does():
    with warnings.catch_warnings():  # nibabel calls these readers experimental
        warnings.simplefilter("ignore")
        from nibabel.nicom import dicomwrappers

    path = MOSAICS / "0.dcm.gz"
    if not path.exists():
        pytest.skip("this nibabel came without its test data")
    import gzip
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        plain = Path(name, "0.dcm")
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        with warnings.catch_warnings():  # nibabel calls these readers experimental
            warnings.simplefilter("ignore")
            known = dicomwrappers.wrapper_from_file(plain)
        volume = read_volume(plain)
        # Their affine counts rows first and is LPS.
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ known.affine
        assert same_in_world(volume, known.get_data(), affine)


def test_one_image_in_seven_transfer_syntaxes_is_read_alike():
    folder = shared("dcm_qa_ts") / "In"
    syntaxes, first = set(), None
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        images = truth.images(path)
        if not images:
            continue
        syntaxes.add(images[0].syntax)
        volume = read_volume(path, hashes=False)
        first = volume.array if first is None else first
        np.testing.assert_array_equal(volume.array, first)
    assert len(syntaxes) >= 7


def test_nrrd_scans_and_their_labels_share_a_grid():
    folder = shared("pyradiomics")
    for name in ("brain1", "breast1"):
        scan = read_volume(folder / f"{name}_image.nrrd")
        mask = read_mask(folder / f"{name}_label.nrrd", scan.grid)
        assert set(np.unique(mask)) == {0, 1}


def test_niivue_scans_lie_where_nibabel_puts_them():
    for path in sorted(shared("niivue").glob("*.nii.gz")):
        known = nib.load(path)
        volume = read_volume(path, hashes=False)
        np.testing.assert_array_equal(volume.grid.affine.matrix, known.affine)
        if known.ndim > 3 and known.shape[3] > 1:
            assert volume.further is not None
            assert volume.further.array.shape == known.shape


def test_slices_of_dcmqi_match_their_nrrd():
    folder = shared("dcmqi")
    survey = find_series(folder)
    scans = [one.grid for one in survey.series if one.format == "dicom" and one.grid]
    assert any(
        one.format == "nrrd" and one.grid is not None and not scan.difference(one.grid)
        for one in survey.series
        for scan in scans
    )
