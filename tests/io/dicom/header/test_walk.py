"""Headers -> Instances: the fast walk, odd encodings, and what must not hang or grow."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom import reading as dicom
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.elements import OddFileError
from napari_medlabel.io.dicom.header.instance import WANTED, looks_like_dicom, numbers
from napari_medlabel.io.dicom.header.vr import as_wanted
from napari_medlabel.io.dicom.header.walk import walk
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.scans import instance, save, voxels, write_series


def in_syntax(tmp_path, syntax, **extra):
    ds = instance(0, voxels(1)[0], WindowCenter=40, WindowWidth=400, **extra)
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = voxels(1)[0].byteswap().tobytes()
    path = tmp_path / str(syntax)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
    ids=["implicit", "big endian", "deflated"],
)
def test_every_encoding_gives_the_same_values(tmp_path, syntax):
    plain = dicom.read_instance(in_syntax(tmp_path, ExplicitVRLittleEndian, EchoTime=7.5))
    other = dicom.read_instance(in_syntax(tmp_path, syntax, EchoTime=7.5))
    assert dict(other.fields) == dict(plain.fields)
    assert other.pixel_length == plain.pixel_length
    assert other.transfer_syntax == syntax
    volume = read_volume(tmp_path / str(syntax))
    np.testing.assert_array_equal(volume.array.T, voxels(1))


def test_no_pydicom_is_needed_for_any_standard_encoding(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_odd, "_by_pydicom", lambda *_: pytest.fail("asked pydicom"))
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        assert dicom.read_instance(in_syntax(tmp_path, syntax)).rows == 5


@pytest.mark.parametrize("skipped", [128, 132], ids=["prefix", "group 2"])
def test_files_that_begin_with_the_prefix_or_the_meta_group_are_read(tmp_path, skipped):
    path = write_series(tmp_path, voxels(1))[0]
    path.write_bytes(path.read_bytes()[skipped:])
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, voxels(1))


@pytest.mark.parametrize("encoded", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("claimed", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_the_data_set_decides_how_it_is_encoded_and_not_its_meta_group(
    tmp_path, encoded, claimed
):
    path = in_syntax(tmp_path, encoded)
    data = path.read_bytes()
    at = data.index(b"\x02\x00\x10\x00UI")
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    group = int.from_bytes(data[140:144], "little")
    uid = claimed.encode() + b"\0" * (len(claimed) % 2)
    head = data[: at + 6] + struct.pack("<H", len(uid)) + uid
    data = head + data[at + 8 + length :]
    data = data[:140] + struct.pack("<I", group + len(uid) - length) + data[144:]
    path.write_bytes(data)
    np.testing.assert_array_equal(read_volume(path).array.T, voxels(1))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_headers_that_share_stretches_are_walked_to_the_same_values(tmp_path_factory, data):
    """What one file leaves in memory never shows in the values of another."""
    folder = tmp_path_factory.mktemp("walk")
    memory = {}
    text = st.text("ABC1", max_size=6)
    for n in range(3):
        ds = instance(
            data.draw(st.integers(0, 3)),
            voxels(1)[0],
            series=data.draw(st.sampled_from(["1", "2"])),
            position=(0, 0, data.draw(st.integers(0, 5))),
            SeriesDescription=data.draw(text),
            PatientID=data.draw(text),
            EchoTime=data.draw(st.integers(0, 3)),
            ContentTime=data.draw(st.sampled_from(["101010", "101011.5"])),
            SliceLocation=data.draw(st.integers(0, 99)),
        )
        path = save(ds, folder / f"{n}")
        assert dict(walk(path, memory).fields) == dict(walk(path).fields)


@pytest.mark.parametrize(
    ("value", "vr", "wanted", "expected"),
    [
        (b"512 ", b"IS", b"US", struct.pack("<H", 512)),
        (struct.pack("<I", 512), b"UL", b"US", struct.pack("<H", 512)),
        (struct.pack("<I", 70000), b"UL", b"US", b""),
        (b"many", b"LO", b"US", b""),
        (struct.pack("<d", 2.5), b"FD", b"DS", b"2.5"),
        (struct.pack("<2f", 0.5, 2), b"FL", b"DS", b"0.5\\2.0"),
        (b"1000", b"IS", b"FD", struct.pack("<d", 1000)),
        (struct.pack("<H", 7), b"UN", b"US", struct.pack("<H", 7)),
        (b"1.5\\2", b"UN", b"DS", b"1.5\\2"),
        (b"AXIAL", b"LO", b"CS", b"AXIAL"),
    ],
)
def test_values_of_another_representation_are_converted_or_dropped(value, vr, wanted, expected):
    assert as_wanted(value, vr, wanted, big=False) == expected


def test_rows_written_as_text_are_understood(tmp_path):
    path = write_series(tmp_path, voxels(1))[0]
    data = path.read_bytes()
    old = struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 5)
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, struct.pack("<HH2sH2s", 0x28, 0x10, b"IS", 2, b"5 ")))
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, voxels(1))


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"1\\2 \\ 3", (1, 2, 3)),
        (b"-1.5e-3\0", (-0.0015,)),
        (b"", ()),
        (b"1\\", ()),
        (b"nan\\1", ()),
        (b"inf", ()),
        (b"1,5", ()),
        (b"1_0", ()),
        (b"0x10", ()),
        (b"\xff", ()),
    ],
)
def test_decimal_strings_are_finite_numbers_or_nothing(raw, values):
    assert numbers(raw) == values


def test_a_pipe_a_folder_and_a_dangling_link_end_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    start = time.monotonic()
    survey = dicom.find([tmp_path / name for name in ("pipe", "link", ".")])
    assert (survey.unreadable, survey.series) == (3, ())
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("kind", ["empty", "short", "zeros", "meta only", "prefix only"])
def test_files_of_nothing_are_unreadable_and_no_fault(tmp_path, kind):
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", 18) + b"1.2.840.10008.1.2\0"
    content = {
        "empty": b"",
        "short": b"\x08\0\x05\0CS",
        "zeros": bytes(5000),
        "prefix only": bytes(128) + b"DICM",
        "meta only": bytes(128) + b"DICM" + meta,
    }[kind]
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    survey = dicom.find([path])
    assert (survey.unreadable, len(survey.series)) == (1, 0)


@pytest.mark.parametrize("depth", [20, 40, 20000])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_nested_sequences_are_followed_or_given_up_quickly(tmp_path, depth, syntax):
    path = in_syntax(tmp_path, syntax)
    data = path.read_bytes()
    explicit = syntax == ExplicitVRLittleEndian
    at = 144 + int.from_bytes(data[140:144], "little")
    opening = struct.pack("<HH", 8, 0x0006) + (b"SQ\0\0" if explicit else b"") + b"\xff" * 4
    level = opening + b"\xfe\xff\0\xe0" + b"\xff" * 4
    closing = b"\xfe\xff\r\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    nested = data[:at] + level * depth + closing * depth + data[at:]
    path.write_bytes(nested)
    start = time.monotonic()
    one = dicom.read_instance(path)
    assert time.monotonic() - start < 2
    assert (one is not None and one.rows == 5) or depth > 32


def test_a_deflated_bomb_is_never_inflated_whole(tmp_path):
    path = in_syntax(tmp_path, DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    at = 144 + int.from_bytes(data[140:144], "little")
    plain = zlib.decompress(data[at:], -15)
    cut = plain.index(b"\xe0\x7f\x10\x00")
    lie = struct.pack("<HH2sHI", 0x5001, 0x1010, b"OB", 0, 1 << 30)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(plain[:cut] + lie) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = zeros.compress(bytes(1 << 20)) + zeros.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(data[:at] + bomb + block * 1024)
    tracemalloc.start()
    try:
        assert dicom.read_instance(path) is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6
    with pytest.raises(InputError, match="cut off or damaged"):
        dicom_odd.inflated(path.read_bytes())


def test_deflated_pixels_that_are_cut_are_refused_before_they_are_read(tmp_path):
    path = in_syntax(tmp_path, DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    at = 144 + int.from_bytes(data[140:144], "little")
    plain = zlib.decompress(data[at:], -15)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    path.write_bytes(data[:at] + packer.compress(plain[:-20]) + packer.flush())
    (info,) = find_series(path).series
    assert "shorter than its rows and columns need" in info.problem


def test_wanted_attributes_in_the_wrong_order_are_left_to_pydicom(tmp_path):
    path = write_series(tmp_path, voxels(1))[0]
    data = path.read_bytes()
    rows = struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 5)
    columns = struct.pack("<HH2sHH", 0x28, 0x11, b"US", 2, 4)
    path.write_bytes(data.replace(rows + columns, columns + rows))
    with pytest.raises(OddFileError):
        walk(path)
    np.testing.assert_array_equal(read_volume(tmp_path).array.T, voxels(1))


def test_what_dicom_looks_like():
    assert looks_like_dicom(bytes(128) + b"DICM")
    assert looks_like_dicom(b"DICM\x02\0\0\0UL\x04\0")
    assert looks_like_dicom(b"\x08\0\x05\0CS\x0a\0ISO_IR 100")
    assert looks_like_dicom(b"\0\x08\0\x05CS\0\x0aISO_IR 100")
    assert not looks_like_dicom(b"<html><body></body></html>")
    assert not looks_like_dicom(b"")


def test_every_attribute_that_is_wanted_has_the_representation_of_the_dictionary():
    from pydicom.datadict import dictionary_VR

    for tag, vr in WANTED.items():
        if (tag >> 16) % 2 == 0:
            assert dictionary_VR(tag).encode()[:2] == vr, hex(tag)
