"""Planes of every coding -> one array: bits, byte orders, places, previews, hashes."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.fill import fill
from napari_medlabel.io.voxels import ROUNDED
from tests.io.coded import encoder, filled, grey, pattern, planes_of_file, save
from tests.io.scans import instance

BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"


@st.composite
def codings(draw):
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(1, allocated))
    high = draw(st.integers(stored - 1, allocated - 1))
    signed = draw(st.booleans())
    slope = draw(st.sampled_from([1.0, 1.0, 2.0, -3.0, 0.5, 1.29035409]))
    intercept = draw(st.sampled_from([0.0, -1024.0, 7.0, 40000.0, -0.25, 1e9]))
    noise = draw(st.integers(0, 2**32 - 1))
    wishes = {"hashes": draw(st.booleans()), "preview": draw(st.sampled_from([None, len]))}
    frames = draw(st.integers(1, 2))
    return (allocated, stored, high, signed), (slope, intercept), noise, frames, wishes


@settings(max_examples=150, deadline=None)
@given(codings())
def test_any_bits_slope_and_intercept_give_the_values_of_the_standard(coding):
    (allocated, stored, high, signed), (slope, intercept), noise, frames, wishes = coding
    random = np.random.default_rng(noise)
    raw = random.integers(0, 1 << allocated, (frames, 4, 5), dtype=np.uint64)
    numbers = (raw >> np.uint64(high + 1 - stored)).astype(object) & ((1 << stored) - 1)
    if signed:
        sign = 1 << stored - 1
        numbers = (numbers ^ sign) - sign
    truth = numbers.astype(object) * slope + intercept
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        ds = grey(raw.astype(f"u{allocated // 8}"), BitsAllocated=allocated)
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = stored, high, int(signed)
        ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
        save(ds, path)
        result = filled(path, **wishes)
    array = result.array[0]
    if array.dtype == np.float32:
        np.testing.assert_array_equal(array, truth.astype(np.float64).astype(np.float32))
    else:
        np.testing.assert_array_equal(array.astype(object), truth)
    whole = slope.is_integer() and intercept.is_integer()
    if allocated < 32 and whole and abs(intercept) < 1e6:
        assert array.dtype.kind in "iu"


@pytest.mark.parametrize("syntax", [BIG, DEFLATED, IMPLICIT])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u4"])
def test_other_encodings_hold_the_same_voxels(tmp_path, syntax, dtype):
    stored = pattern((3, 5, 4), dtype)
    ds = grey(stored, syntax=syntax)
    if syntax == BIG:
        raw = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
        # Words of 16 bits: the first of two bytes is the lower half (PS3.5 annex D).
        ds.PixelData = raw if dtype != "u1" else stored.view("<u2").astype(">u2").tobytes()
    array = filled(save(ds, tmp_path / "a.dcm"), hashes=True).array
    np.testing.assert_array_equal(array[0], stored)


@pytest.mark.parametrize("columns", [3, 8])
def test_single_bits_run_on_across_frames(tmp_path, columns):
    bits = (np.arange(4 * 5 * columns).reshape(4, 5, columns) % 3 == 0).astype(np.uint8)
    ds = grey(bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    ds.PixelData = packed + b"\0" * (len(packed) % 2)
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], bits)


@pytest.mark.parametrize(("name", "dtype"), [("Float", "f4"), ("DoubleFloat", "f8")])
def test_floating_point_pixels(tmp_path, name, dtype):
    values = (np.arange(40).reshape(2, 5, 4) / 8 - 2).astype(dtype)
    values[0, 0, 0] = np.nan
    ds = grey(np.zeros(values.shape, "u2"), BitsAllocated=values.itemsize * 8)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    setattr(ds, f"{name}PixelData", values.tobytes())
    result = filled(save(ds, tmp_path / "a.dcm"))
    assert result.array.dtype == np.float32
    np.testing.assert_array_equal(result.array[0], values)
    assert result.warnings == ()


def test_doubles_that_float32_cannot_hold_are_said(tmp_path):
    values = np.full((1, 4, 4), 0.1)
    ds = grey(np.zeros(values.shape, "u2"), BitsAllocated=64)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.DoubleFloatPixelData = values.tobytes()
    assert filled(save(ds, tmp_path / "a.dcm")).warnings == (ROUNDED,)


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        ({"BitsAllocated": 12}, r"this file has 12 \(packed"),
        ({"BitsAllocated": 24}, "this file has 24"),
        ({"BitsStored": 17}, r"Bits Stored \(17\)"),
        ({"BitsStored": 0}, "contradict"),
        ({"HighBit": 16}, "contradict"),
        ({"Rows": 0}, "at least 1"),
        ({"SamplesPerPixel": 4, "PhotometricInterpretation": "CMYK"}, "do not go together"),
        ({"SamplesPerPixel": 3}, "do not go together"),
    ],
)
def test_bits_that_contradict_each_other_are_refused(tmp_path, bits, reason):
    ds = grey(pattern((1, 5, 4), "u2"), **bits)
    with pytest.raises(InputError, match=reason):
        filled(save(ds, tmp_path / "a.dcm"))


def series(folder: Path, stored: np.ndarray, **extra: object) -> list[Path]:
    return [
        save(instance(k, plane, **extra), folder / f"{k}.dcm") for k, plane in enumerate(stored)
    ]


@pytest.mark.parametrize("hashes", [False, True])
def test_a_common_offset_that_overflows_is_widened(tmp_path, hashes):
    stored = np.array([[[-32768, 5]], [[0, 32767]]], np.int16)
    paths = series(tmp_path, stored, RescaleIntercept=-1024)
    result = filled(paths, hashes=hashes)
    assert result.array.dtype == np.int32
    np.testing.assert_array_equal(result.array[0], stored.astype(int) - 1024)


def test_slices_stored_in_different_ways_come_together(tmp_path):
    first = save(instance(0, pattern((5, 4), "u2", 12)), tmp_path / "a.dcm")
    second = save(instance(1, pattern((5, 4), "i2")), tmp_path / "b.dcm")
    result = filled([first, second])
    assert result.array.dtype == np.int32
    np.testing.assert_array_equal(result.array[0, 0], pattern((5, 4), "u2", 12))
    np.testing.assert_array_equal(result.array[0, 1], pattern((5, 4), "i2"))


def test_each_slice_has_its_own_slope(tmp_path):
    stored = pattern((2, 5, 4), "i2")
    paths = [
        save(instance(k, stored[k], RescaleSlope=k + 0.5), tmp_path / f"{k}.dcm")
        for k in range(2)
    ]
    array = filled(paths).array[0]
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, stored * np.float32([[[0.5]], [[1.5]]]))


def test_volumes_follow_each_other_and_missing_slices_get_the_smallest_value(tmp_path):
    stored = pattern((4, 3, 2), "i2") // 2
    paths = series(tmp_path, stored, RescaleIntercept=-7)
    result = filled(paths, volumes=2, slices=3, missing=(1,))
    truth = stored.astype(int) - 7
    np.testing.assert_array_equal(result.array[0, [0, 2]], truth[:2])
    np.testing.assert_array_equal(result.array[1, [0, 2]], truth[2:])
    assert (result.array[:, 1] == truth.min()).all()


def test_the_blank_of_a_scan_with_nan_is_a_number(tmp_path):
    values = np.array([[[np.nan, 3.0]], [[2.0, 9.0]]], np.float32)
    ds = grey(np.zeros(values.shape, "u2"), BitsAllocated=32)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.FloatPixelData = values.tobytes()
    result = filled(save(ds, tmp_path / "a.dcm"), slices=3, missing=(2,))
    assert (result.array[0, 2] == 2.0).all()


def test_tiles_of_a_mosaic_are_cut_out(tmp_path):
    sheet = pattern((1, 6, 8), "u2")
    plane = planes_of_file(save(grey(sheet), tmp_path / "a.dcm"))[0]
    corners = [(0, 0), (0, 4), (3, 0), (3, 4)]
    tiles = [dataclasses.replace(plane, tile=corner, rows=3, columns=4) for corner in corners]
    array = fill(tiles, volumes=1, slices=4, progress=None, hashes=False).array[0]
    for tile, (top, left) in zip(array, corners, strict=True):
        np.testing.assert_array_equal(tile, sheet[0, top : top + 3, left : left + 4])
    outside = dataclasses.replace(plane, tile=(4, 0), rows=3, columns=4)
    with pytest.raises(InputError, match="slice 1 of 1 differs"):
        fill([outside], volumes=1, slices=1, progress=None, hashes=False)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", BIG, "1.2.840.10008.1.2.4.80"])
def test_hashes_are_those_of_the_files_in_order_of_first_use(tmp_path, syntax):
    stored = pattern((3, 16, 16), "u2")
    paths = []
    for n in range(2):
        codes = [encoder("jpeg-ls")(one) for one in stored] if syntax.endswith("80") else None
        paths.append(save(grey(stored, syntax=syntax, codes=codes), tmp_path / f"{n}.dcm"))
    result = filled([paths[1], paths[0]], hashes=True)
    assert result.sha256 == tuple(
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (paths[1], paths[0])
    )
    assert filled(paths).sha256 == ()


@pytest.mark.parametrize("in_one_file", [False, True])
def test_the_middle_slice_is_shown_first_in_the_buffer_that_is_returned(tmp_path, in_one_file):
    stored = pattern((7, 16, 16), "u2") + np.uint16(1)
    paths = (
        [save(grey(stored), tmp_path / "a.dcm")] if in_one_file else series(tmp_path, stored)
    )
    seen = []

    def preview(array: np.ndarray) -> None:
        seen.append((array, array[0, 3].copy(), int((array[0].max(axis=(1, 2)) > 0).sum())))

    counts = []
    result = filled(
        paths, preview=preview, hashes=True, progress=lambda done, whole: counts.append(done)
    )
    ((array, middle, present),) = seen
    assert array is result.array
    np.testing.assert_array_equal(middle, stored[3])
    assert present == 1
    assert counts == list(range(1, 8))
    np.testing.assert_array_equal(result.array[0], stored)


def test_what_progress_raises_ends_the_reading(tmp_path):
    paths = series(tmp_path, pattern((9, 4, 4), "u2"))

    def stop(done: int, whole: int) -> None:
        assert whole == 9
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled(paths, progress=stop)


def test_a_wrong_number_of_planes_is_refused(tmp_path):
    paths = series(tmp_path, pattern((3, 4, 4), "u2"))
    with pytest.raises(InputError, match="2 volumes of 2 slices are expected; there are 3"):
        filled(paths, volumes=2, slices=2)


def test_another_matrix_among_the_slices_is_refused(tmp_path):
    first = save(instance(0, pattern((5, 4), "u2")), tmp_path / "a.dcm")
    second = save(instance(1, pattern((5, 5), "u2")), tmp_path / "b.dcm")
    with pytest.raises(InputError, match="slice 2 of 2 differs"):
        filled([first, second])


def test_a_volume_that_no_computer_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_medlabel.io.voxels.memory_bytes", lambda: 1000)
    paths = series(tmp_path, pattern((9, 16, 16), "u2"))
    with pytest.raises(InputError, match="more than this computer can hold"):
        filled(paths)
