"""DICOM series -> Volume: where it lies, what it holds, and when it is refused."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.scans import (
    ROOT,
    instance,
    orientation_of,
    save,
    voxels,
    worst_corner_mm,
    write_series,
    write_volumes,
)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=3, deadline=None)
@given(
    order=st.permutations(range(4)),
    origin=st.tuples(*[st.floats(-400, 400)] * 3),
    spacing=st.tuples(st.floats(0.1, 5), st.floats(0.1, 5)),
    gap=st.floats(0.2, 9),
)
def test_every_voxel_of_every_orientation_is_where_its_own_header_says(
    codes, order, origin, spacing, gap
):
    """All 48: k runs along the slice normal, whichever way slices were acquired or named."""
    stored = voxels(4)
    orientation = orientation_of(codes)
    # The third letter says which way the slices were acquired.
    third = np.diag([-1.0, -1.0, 1.0]) @ orientation_matrix(codes)[:, 2]
    with tempfile.TemporaryDirectory() as name:
        write_series(
            Path(name),
            stored,
            names=[f"{n}" for n in order],
            orientation=orientation,
            origin=origin,
            spacing=[float(f"{v:.8g}") for v in spacing],
            step=third * gap,
        )
        volume = read_volume(Path(name))
        assert worst_corner_mm(volume) < 1e-4
        assert volume.grid.affine.axis_codes[:2] == codes[:2]
        assert volume.grid.affine.shear_deg < 1e-3
        # rows x columns is the normal of PS3.3 C.7.6.2: k always grows along it
        assert np.linalg.det(volume.grid.affine.lps[:3, :3]) > 0
        for k, path in enumerate(volume.source.files):
            kept = pydicom.dcmread(path)
            assert kept.SOPInstanceUID == volume.source.sop_instance_uids[k]
            np.testing.assert_array_equal(volume.array[:, :, k].T, kept.pixel_array)


@settings(max_examples=25, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    shift=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
)
def test_an_oblique_and_tilted_series_keeps_its_sheared_affine(angles, shift):
    a, b, c = np.radians(angles)
    turn = (
        np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        @ np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        @ np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    )
    step = turn @ np.array([*shift, 3.0])
    with tempfile.TemporaryDirectory() as name:
        write_series(Path(name), voxels(3), orientation=(*turn[:, 0], *turn[:, 1]), step=step)
        volume = read_volume(Path(name), hashes=False)
        assert worst_corner_mm(volume) < 1e-4
        tilted = any("tilted by" in text for text in volume.warnings)
        assert tilted == (volume.grid.affine.shear_deg > 0.3)


def test_the_source_keeps_files_hashes_and_identifiers_in_slice_order(tmp_path):
    paths = write_series(
        tmp_path, voxels(3), names=["c", "a", "b"], WindowCenter=40, WindowWidth=400
    )
    volume = read_volume(tmp_path)
    from hashlib import sha256

    assert volume.source.files == tuple(paths)
    assert volume.source.sha256 == tuple(sha256(p.read_bytes()).hexdigest() for p in paths)
    assert volume.source.sop_instance_uids == tuple(f"{ROOT}1.{n}" for n in (1, 2, 3))
    assert volume.source.series_uid == ROOT + "1"
    assert (volume.source.patient_id, volume.source.issuer) == ("INVENTED-7", "HOUSE")
    assert volume.grid.frame_of_reference == ROOT + "8"
    assert volume.window == (40.0, 400.0)
    assert volume.modality == "CT"
    assert volume.warnings == ()
    assert volume.source.planes == ((0, 0), (1, 0), (2, 0))


def test_without_hashes_the_voxels_are_the_same_and_no_digest_is_kept(tmp_path):
    write_series(tmp_path, voxels(3), RescaleIntercept=-1024)
    with_hashes, without = read_volume(tmp_path), read_volume(tmp_path, hashes=False)
    np.testing.assert_array_equal(with_hashes.array, without.array)
    assert without.source.sha256 == ()


def test_progress_counts_slices_and_what_it_raises_ends_the_reading(tmp_path):
    write_series(tmp_path, voxels(3))
    seen = []
    read_volume(tmp_path, progress=lambda done, whole: seen.append((done, whole)))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def cancel(done, whole):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_volume(tmp_path, progress=cancel)


@pytest.mark.parametrize("hashes", [True, False])
@pytest.mark.parametrize(
    ("dtype", "values", "extra", "expected", "result"),
    [
        ("u2", [0, 4000], {"RescaleIntercept": -1024}, [-1024, 2976], "i2"),
        ("u2", [0, 65535], {"RescaleIntercept": -1024}, [-1024, 64511], "i4"),
        ("i2", [-32768, 5], {"RescaleIntercept": -1}, [-32769, 4], "i4"),
        ("u1", [0, 200], {}, [0, 200], "u1"),
        ("u1", [0, 200], {"RescaleIntercept": -100}, [-100, 100], "i1"),
        ("u1", [0, 255], {"RescaleIntercept": -1}, [-1, 254], "i2"),
        ("u2", [0, 65535], {}, [0, 65535], "u2"),
        ("i4", [-70000, 70000], {}, [-70000, 70000], "i4"),
        ("u2", [0, 10], {"RescaleSlope": 2, "RescaleIntercept": -5}, [-5, 15], "i4"),
        ("u2", [0, 10], {"RescaleSlope": 0.5}, [0, 5], "f4"),
        # 12 bits stored: what lies above is not the pixel's (PS3.5 8.1.1)
        ("u2", [0xF123, 5], {"BitsStored": 12, "HighBit": 11}, [0x123, 5], "u2"),
        ("i2", [0x0FFF, 5], {"BitsStored": 12, "HighBit": 11}, [-1, 5], "i2"),
        ("u2", [0x1230, 0x50], {"BitsStored": 12, "HighBit": 15}, [0x123, 5], "u2"),
        # MONOCHROME1 turns the display, never the values
        ("u2", [0, 7], {"PhotometricInterpretation": "MONOCHROME1"}, [0, 7], "u2"),
    ],
)
def test_values_are_exact_in_the_smallest_type(
    tmp_path, dtype, values, extra, expected, result, hashes
):
    stored = np.array(values, dtype=dtype).reshape(1, 1, 2)
    write_series(tmp_path, np.concatenate([stored, stored]), **extra)
    volume = read_volume(tmp_path, hashes=hashes)
    np.testing.assert_array_equal(volume.array[:, 0, 1], expected)
    np.testing.assert_array_equal(volume.array[:, 0, 0], expected)
    assert volume.array.dtype == np.dtype(result)


def test_slopes_that_differ_by_slice_are_applied_slice_by_slice(tmp_path):
    for k, slope in enumerate((0.5, 2.0)):
        plane = np.array([[10, 20]], np.uint16)
        save(instance(k, plane, position=(0, 0, k), RescaleSlope=slope), tmp_path / f"{k}")
    volume = read_volume(tmp_path)
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array[:, 0].T, [[5, 10], [20, 40]])


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian], ids=str
)
def test_other_native_syntaxes_hold_the_same_voxels(tmp_path, syntax):
    stored = voxels(2)
    for k, plane in enumerate(stored):
        ds = instance(k, plane, position=(0, 0, k))
        ds.file_meta.TransferSyntaxUID = syntax
        save(ds, tmp_path / f"{k}")
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, stored)


@pytest.mark.parametrize("cut", [128, 132])
def test_a_deflated_file_without_preamble_is_read(tmp_path, cut):
    stored = voxels(1)
    ds = instance(0, stored[0])
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(ds, tmp_path / "a")
    path.write_bytes(path.read_bytes()[cut:])
    np.testing.assert_array_equal(read_volume(path).array.T, stored)


def test_a_file_without_preamble_and_meta_group_is_read(tmp_path):
    stored = voxels(1)
    ds = instance(0, stored[0])
    del ds.file_meta
    ds.save_as(tmp_path / "bare", implicit_vr=True, little_endian=True)
    volume = read_volume(tmp_path / "bare")
    np.testing.assert_array_equal(volume.array.T, stored)


@pytest.mark.parametrize(
    ("syntax", "codec"),
    [
        ("1.2.840.10008.1.2.4.90", "jpeg2k_encode"),
        ("1.2.840.10008.1.2.4.80", "jpegls_encode"),
        ("1.2.840.10008.1.2.4.70", "ljpeg_encode"),
    ],
)
@pytest.mark.parametrize("dtype", ["u2", "i2"])
def test_compressed_slices_hold_the_same_voxels(tmp_path, syntax, codec, dtype):
    import imagecodecs

    stored = (voxels(2, 32, 24).astype(np.int32) * 3 - 1000 * (dtype == "i2")).astype(dtype)
    for k, plane in enumerate(stored):
        ds = instance(k, plane, position=(0, 0, k))
        options = {"reversible": True} if codec == "jpeg2k_encode" else {}
        source = plane if codec == "jpeg2k_encode" else plane.view("u2")
        if codec == "jpeg2k_encode":
            options["codecformat"] = "J2K"
        code = getattr(imagecodecs, codec)(source, **options)
        ds.PixelData = pydicom.encaps.encapsulate([bytes(code)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = syntax
        save(ds, tmp_path / f"{k}")
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, stored)


def test_a_rle_slice_is_decoded_by_pydicom(tmp_path):
    stored = voxels(1)
    ds = instance(0, stored[0])
    ds.compress(pydicom.uid.RLELossless)
    save(ds, tmp_path / "a")
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, stored)


def test_a_compressed_slice_without_its_end_is_refused(tmp_path):
    import imagecodecs

    ds = instance(0, voxels(1, 32, 24)[0])
    code = bytes(imagecodecs.jpeg2k_encode(voxels(1, 32, 24)[0], codecformat="J2K"))
    ds.PixelData = pydicom.encaps.encapsulate([code[: len(code) // 2]])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    save(ds, tmp_path / "a")
    with pytest.raises(InputError, match=r"compressed image of slice 1 of 1 has no end"):
        read_volume(tmp_path)


def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path):
    import imagecodecs

    ds = instance(0, voxels(1, 32, 24)[0])
    code = bytes(imagecodecs.jpegls_encode(voxels(1, 32, 24)[0].view("u2")))
    ds.PixelData = pydicom.encaps.encapsulate([code])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.80"
    path = save(ds, tmp_path / "a")
    os.truncate(path, path.stat().st_size - 60)
    with pytest.raises(InputError, match="compressed pixels of slice 1 of 1 are cut off"):
        read_volume(tmp_path)


def test_a_compressed_matrix_larger_than_its_file_can_hold_is_refused(tmp_path, monkeypatch):
    ds = instance(0, voxels(1)[0], Rows=30000, Columns=30000)
    ds.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    save(ds, tmp_path / "a")
    for name in ("empty", "zeros"):
        real = getattr(np, name)

        def small(shape, *more, real=real, **options):
            assert np.prod(shape) < 1e6
            return real(shape, *more, **options)

        monkeypatch.setattr(np, name, small)
    with pytest.raises(InputError, match="far larger than its file"):
        read_volume(tmp_path)


def test_copies_are_dropped_with_a_warning(tmp_path):
    write_series(tmp_path / "one", voxels(3))
    write_series(tmp_path / "two", voxels(3)[:1])
    volume = read_volume(tmp_path)
    assert volume.grid.shape == (4, 5, 3)
    assert "1 file repeated another one and was left out." in volume.warnings


def test_two_files_that_claim_to_be_one_image_and_differ_are_refused(tmp_path):
    write_series(tmp_path / "one", voxels(3))
    write_series(tmp_path / "two", voxels(3)[:1] + 1)
    with pytest.raises(InputError, match="claim to be the same image"):
        read_volume(tmp_path)


def test_the_same_image_in_another_coding_is_a_series_of_its_own(tmp_path):
    write_series(tmp_path / "one", voxels(3))
    ds = instance(1, voxels(3)[1], position=(-10, 20, 32.5))
    ds.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    save(ds, tmp_path / "two" / "a")
    whole, copy = find_series(tmp_path).series
    assert (whole.grid.shape[2], copy.grid.shape[2]) == (3, 1)
    assert "The same images as in another series, coded in another way." in copy.warnings
    np.testing.assert_array_equal(read_volume(tmp_path, series="2").array.T, voxels(3)[1:2])


def test_images_that_share_an_identifier_at_different_places_are_all_kept(tmp_path):
    write_series(tmp_path, voxels(3), SOPInstanceUID=ROOT + "5")
    volume = read_volume(tmp_path)
    assert volume.grid.shape[2] == 3
    assert any("share one SOP Instance UID" in text for text in volume.warnings)


def test_a_missing_frame_of_reference_is_said(tmp_path):
    write_series(tmp_path, voxels(2), FrameOfReferenceUID=None)
    volume = read_volume(tmp_path)
    assert volume.grid.frame_of_reference is None
    assert any("No frame of reference" in text for text in volume.warnings)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"ImagePositionPatient": None}, r"Image Position \(Patient\) missing in file 1 of 2"),
        ({"ImageOrientationPatient": None}, r"Image Orientation \(Patient\) missing"),
        ({"PixelSpacing": None}, "Pixel Spacing missing"),
        ({"PixelSpacing": [0, 0]}, "Pixel Spacing must be greater than zero"),
        ({"PixelSpacing": [-1, 1]}, "Pixel Spacing must be greater than zero"),
        (
            {"ImageOrientationPatient": [1, 0, 0, 0.5, 1, 0]},
            "at right angles and of length one",
        ),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "at right angles and of length one"),
        ({"SamplesPerPixel": 3}, r"Samples per Pixel \(3\) and Photometric Interpretation"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "Palette Color Lookup Tables are"),
        ({"NumberOfFrames": 4}, "does not say where they lie"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "nothing says how many slices"),
        ({"RescaleSlope": 0}, "Rescale Slope is zero"),
        ({"PixelData": None}, "file 1 of 2 has no pixel data"),
        ({"PixelData": b"\0" * 8}, "pixel data in file 1 of 2 is shorter"),
        ({"BitsStored": 17}, "contradict each other"),
        ({"HighBit": 3}, "contradict each other"),
        ({"BitsAllocated": 12}, "packed pixels"),
    ],
)
def test_a_header_that_leaves_no_truth_is_refused(tmp_path, extra, message):
    write_series(tmp_path, voxels(2), **extra)
    with pytest.raises(InputError, match=message) as caught:
        read_volume(tmp_path)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert "Invented" not in str(caught.value)


def test_decimal_commas_are_refused_by_the_attributes_name(tmp_path):
    path = write_series(tmp_path, voxels(1), spacing=(0.75, 0.75))[0]
    data = path.read_bytes()
    assert data.count(b"0.75\\0.75") == 1
    path.write_bytes(data.replace(b"0.75\\0.75", b"0,75\\0,75"))
    with pytest.raises(InputError, match=r"In file 1 of 1 Pixel Spacing is not 2 numbers"):
        read_volume(tmp_path)


def test_a_truncated_slice_is_refused_and_never_padded(tmp_path):
    path = write_series(tmp_path, voxels(3))[1]
    os.truncate(path, path.stat().st_size - 10)
    with pytest.raises(InputError, match="pixel data in file 2 of 3 is shorter"):
        read_volume(tmp_path)


def test_a_slice_that_shrinks_after_its_header_was_read_is_refused(tmp_path):
    from napari_medlabel.io.dicom import reading as dicom

    paths = write_series(tmp_path, voxels(2))
    series = dicom.find(paths).series[0]
    os.truncate(paths[1], paths[1].stat().st_size - 2)
    for hashes in (True, False):
        with pytest.raises(InputError, match="slice 2 of 2 ends inside its pixel data"):
            dicom.load(series, hashes=hashes)
    paths[1].unlink()
    with pytest.raises(InputError, match="file of slice 2 of 2 cannot be read"):
        dicom.load(series)


def test_a_header_cut_in_the_middle_is_counted_and_doubted(tmp_path):
    write_series(tmp_path, voxels(3))
    ds = instance(7, voxels(1)[0], position=(0, 0, 99))
    path = save(ds, tmp_path / "z.dcm")
    os.truncate(path, 200)
    survey = find_series(tmp_path)
    assert survey.unreadable == 1
    assert any("may be incomplete" in text for text in read_volume(tmp_path).warnings)


def test_an_explicit_file_that_claims_to_be_implicit_is_read_right_or_refused(tmp_path):
    stored = voxels(1)
    path = write_series(tmp_path, stored)[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0", 1))
    try:
        volume = read_volume(tmp_path)
    except InputError:
        return
    np.testing.assert_array_equal(volume.array.T, stored)


def test_series_are_told_apart_by_everything_that_makes_one_volume(tmp_path):
    plane = voxels(1)[0]
    kinds = {
        "series": {"series": "2"},
        "patient": {"PatientID": "OTHER"},
        "frame": {"FrameOfReferenceUID": ROOT + "77"},
        "matrix": {"Rows": 4, "Columns": 5},
        "turned": {"orientation": (0.0, 1.0, 0.0, 1.0, 0.0, 0.0)},
        "colour": {"SamplesPerPixel": 3},
    }
    save(instance(0, plane), tmp_path / "first")
    for n, (name, extra) in enumerate(kinds.items(), start=1):
        save(instance(n, plane, position=(0, 0, n), **extra), tmp_path / name)
        survey = find_series([tmp_path / "first", tmp_path / name])
        assert len(survey.series) == 2, name
    assert len(find_series(tmp_path).series) == 1 + len(kinds)


def test_two_series_are_listed_without_names_and_one_can_be_chosen(tmp_path):
    write_series(tmp_path / "a", voxels(2), SeriesDescription="SECRET OF SOMEBODY")
    write_series(tmp_path / "b", voxels(3), series="2", SeriesDescription="SECRET OF SOMEBODY")
    with pytest.raises(SeriesChoiceError) as caught:
        read_volume(tmp_path)
    message = str(caught.value)
    assert "1: CT, 4 x 5, 0.7 x 0.8 x 2.5 mm, 2 slices" in message
    assert "2: CT, 4 x 5, 0.7 x 0.8 x 2.5 mm, 3 slices" in message
    assert "SECRET" not in message
    assert ROOT not in message
    assert "--series" in caught.value.hint
    assert caught.value.choices == ("1", "2")
    assert read_volume(tmp_path, series="2").grid.shape[2] == 3
    assert read_volume(tmp_path, series=ROOT + "1").grid.shape[2] == 2
    with pytest.raises(SeriesChoiceError, match="no such series; 2 were found"):
        read_volume(tmp_path, series="3")


def test_reports_and_segmentations_are_marks_and_other_objects_are_counted(tmp_path):
    write_series(tmp_path, voxels(2))
    report = instance(9, voxels(1)[0])
    for name in ("PixelData", "Rows", "Columns", "ImagePositionPatient"):
        delattr(report, name)
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    save(report, tmp_path / "sub" / "report")
    plan = instance(11, voxels(1)[0], PixelData=None, Rows=None, ImagePositionPatient=None)
    plan.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"
    save(plan, tmp_path / "sub" / "plan")
    segmentation = instance(10, voxels(1)[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    save(segmentation, tmp_path / "sub" / "seg")
    (tmp_path / "notes.txt").write_text("nothing to see")
    survey = find_series(tmp_path)
    assert (len(survey.series), survey.skipped, survey.unreadable) == (1, 2, 0)
    assert sorted(one.kind for one in survey.marks) == ["report", "segmentation"]


def test_a_private_sequence_of_undefined_length_is_walked_over(tmp_path):
    ds = instance(0, voxels(1)[0])
    block = ds.private_block(0x0019, "INVENTED", create=True)
    inner = pydicom.Dataset()
    inner.PatientComments = "x"
    block.add_new(1, "SQ", [inner, pydicom.Dataset()])
    ds[0x0019, 0x1001].is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    save(ds, tmp_path / "a")
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, voxels(1))


def test_an_item_of_a_patient_id_in_another_alphabet_is_decoded(tmp_path):
    ds = instance(0, voxels(1)[0], SpecificCharacterSet="ISO_IR 192", PatientID="Ünvented")
    save(ds, tmp_path / "a")
    assert read_volume(tmp_path).source.patient_id == "Ünvented"


def test_junk_behind_a_preamble_is_unreadable_and_never_a_traceback(tmp_path):
    rng = np.random.default_rng(7)
    good = write_series(tmp_path / "good", voxels(1))[0].read_bytes()
    for n in range(60):
        data = bytearray(good)
        for place in rng.integers(132, len(data), 6):
            data[place] = rng.integers(256)
        path = tmp_path / "bad" / f"{n}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(data))
        # Any other exception is the failure this test looks for.
        with contextlib.suppress(InputError):
            assert read_volume(path).array.size
    (tmp_path / "deep").write_bytes(
        b"\0" * 128
        + b"DICM"
        + b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
        + (
            struct.pack("<HH", 8, 0x1140)
            + b"SQ\0\0"
            + b"\xff" * 4
            + b"\xfe\xff\0\xe0"
            + b"\xff" * 4
        )
        * 3000
    )
    with pytest.raises(InputError, match="looked like images and cannot be read"):
        read_volume(tmp_path / "deep")


def test_a_header_with_a_length_that_is_no_length_is_no_fault(tmp_path):
    import struct

    from napari_medlabel.io.dicom.header.odd import read_header

    body = struct.pack("<HH2sH3s", 0x0028, 0x0010, b"US", 3, b"abc")
    (tmp_path / "bent.dcm").write_bytes(b"\0" * 128 + b"DICM" + body)
    assert read_header(tmp_path / "bent.dcm") is None


def test_finding_tells_how_far_it_is_and_ends_when_it_is_asked_to(tmp_path):
    from napari_medlabel.io.dicom import reading as dicom

    paths = write_series(tmp_path, voxels(120, 2, 2))
    seen = []
    dicom.find(paths, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (120, 120)
    assert all(b - a <= 100 for (a, _), (b, _) in itertools.pairwise(seen))

    def cancel(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dicom.find(paths, progress=cancel)


@pytest.mark.parametrize("volumes", [1, 3])
def test_a_preview_comes_once_with_the_buffer_that_goes_on_filling(tmp_path, volumes):
    stored = voxels(volumes * 5).reshape(volumes, 5, 5, 4)
    write_volumes(tmp_path, stored, lambda t, k: {"EchoTime": t + 1})
    seen = []
    volume = read_volume(
        tmp_path,
        preview=lambda early: seen.append((early, early.array[:, :, 2].copy())),
    )
    ((early, middle),) = seen
    np.testing.assert_array_equal(middle.T, stored[0, 2])
    assert np.shares_memory(early.array, volume.array)
    assert early.source.sha256 == ()
    assert len(volume.source.sha256) == volumes * 5
    assert early.grid.shape == volume.grid.shape


def test_large_scans_of_several_volumes_stay_on_disk(tmp_path, monkeypatch):
    from napari_medlabel.io.dicom.pixels import lazy as dicom_lazy

    stored = voxels(12).reshape(3, 4, 5, 4)
    write_volumes(tmp_path, stored, lambda t, k: {"EchoTime": t + 1})
    at_once = read_volume(tmp_path)
    monkeypatch.setattr(dicom_lazy, "LAZY_BYTES", 100)
    counted = []
    lazy = read_volume(tmp_path, progress=lambda done, total: counted.append((done, total)))
    assert not isinstance(lazy.further.array, np.ndarray)
    np.testing.assert_array_equal(np.asarray(lazy.further.array), at_once.further.array)
    np.testing.assert_array_equal(lazy.array, at_once.array)
    assert lazy.source.sha256 == at_once.source.sha256
    assert counted[-1] == (12, 12)


def test_words_about_what_was_found_hold_no_identifier(tmp_path):
    from napari_medlabel.io.dicom import reading as dicom

    paths = write_series(tmp_path, voxels(2))
    survey = dicom.find(paths)
    one = survey.series[0]
    words = f"{survey!r}{one!r}{one.instances[0]!r}{one.planes[0]!r}{one.grid!r}"
    for secret in ("INVENTED", "Invented", ROOT, str(tmp_path)):
        assert secret not in words


def test_a_search_takes_files_that_are_open_already(tmp_path):
    from napari_medlabel.io.dicom import reading as dicom
    from napari_medlabel.io.dicom.header.walk import FIRST_BLOCK

    paths = write_series(tmp_path, voxels(3))
    (tmp_path / "junk").write_bytes(bytes(128) + b"DICM" + b"x" * 300)
    search = dicom.Search()
    for path in [*paths, tmp_path / "junk"]:
        with path.open("rb", buffering=0) as stream:
            search.add_open(str(path), stream.fileno(), stream.read(FIRST_BLOCK))
    survey = search.survey()
    assert survey == dicom.find([*paths, tmp_path / "junk"])
    assert (len(survey.series[0].planes), survey.unreadable) == (3, 1)
