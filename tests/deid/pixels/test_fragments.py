from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

from napari_medlabel.deid.dicom.file import clean_file, quiet
from napari_medlabel.deid.pixels.described import exact_pixels
from napari_medlabel.deid.pixels.fragments import (
    Shape,
    clean_fragments,
    fragments_in,
    item_of,
    plain_parts,
)
from napari_medlabel.deid.refusal import QuarantineError

imagecodecs = pytest.importorskip("imagecodecs", reason="decodes frames before and after")

SECRET = b"millicent FEATHERSTONE 19470316 MRN5550123"
JPEG, JPEG_LOSSLESS = "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_jpeg_gdcm.dcm"
JPEG_LS, J2K, RLE = (
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_RLE.dcm",
)
CODED = (
    JPEG, JPEG_LOSSLESS, JPEG_LS, J2K, "JPEGLSNearLossless_16.dcm", "SC_rgb_jls_lossy_line.dcm",
    "JPEG2000.dcm", "693_J2KI.dcm", "GDCMJ2K_TextGBR.dcm", "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_small_odd_jpeg.dcm", "examples_jpeg2k.dcm", "JPGExtended.dcm",
    "examples_ybr_color.dcm",
)  # fmt: skip
RUNS = (RLE, "SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_rle_32bit.dcm", "rtdose_rle_1frame.dcm")
ANY = Shape(1, 1, 1)


def shipped(name: str) -> pydicom.Dataset:
    with quiet():
        return pydicom.dcmread(Path(str(get_testdata_file(name, download=False))))


def frames_of(ds: pydicom.Dataset) -> list[bytes]:
    count = int(ds.get("NumberOfFrames", 1) or 1)
    return list(generate_frames(ds.PixelData, number_of_frames=count))


def shape_of(ds: pydicom.Dataset) -> Shape:
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    planes = ds.SamplesPerPixel * ds.BitsAllocated // 8
    return Shape(frames, planes, ds.Rows * ds.Columns)


def decoded(frame: bytes) -> np.ndarray:
    if frame.startswith(b"\xff\xd8"):
        decoders = ("jpegls_decode", "ljpeg_decode", "jpeg8_decode")
        for name in decoders[:1] if b"\xff\xf7" in frame[:80] else decoders[1:]:
            try:
                return np.asarray(getattr(imagecodecs, name)(frame))
            except (RuntimeError, ValueError):
                continue
    return np.asarray(imagecodecs.jpeg2k_decode(frame))


def with_comment(frame: bytes, secret: bytes = SECRET) -> bytes:
    """A frame that says a secret in a comment of its own coding."""
    if frame.startswith(b"\xff\xd8"):
        secret = b"\xff\xfe" + struct.pack(">H", len(secret) + 2) + secret
        secret += b"\xff\xe5" + secret[2:]
        return frame[:2] + secret + frame[2:]
    at = 4 + int.from_bytes(frame[4:6], "big")
    return (
        frame[:at] + b"\xff\x64" + struct.pack(">HH", len(secret) + 4, 1) + secret + frame[at:]
    )


@pytest.mark.parametrize("name", CODED)
def test_frames_decode_to_the_same_pixels(name):
    ds = shipped(name)
    cleaned = clean_fragments(ds.PixelData, shape_of(ds))
    before = frames_of(ds)
    after = list(generate_frames(cleaned, number_of_frames=len(before)))
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(decoded(old), decoded(new))
    assert cleaned[:8] == b"\xfe\xff\x00\xe0\0\0\0\0"
    assert clean_fragments(cleaned, shape_of(ds)) == cleaned


@pytest.mark.parametrize("name", RUNS)
def test_run_lengths_decode_to_the_same_pixels(name):
    ds = shipped(name)
    before = ds.pixel_array
    again = shipped(name)
    again.PixelData = clean_fragments(ds.PixelData, shape_of(ds))
    again["PixelData"].is_undefined_length = True
    assert np.array_equal(again.pixel_array, before)


@pytest.mark.parametrize("where", ["comment", "after the end", "surplus", "offset table"])
@pytest.mark.parametrize("name", [JPEG, JPEG_LOSSLESS, JPEG_LS, J2K, RLE])
def test_text_around_the_coded_pixels_is_gone(name, where):
    ds = shipped(name)
    (frame,) = frames_of(ds)
    fragments = [frame]
    if where == "comment" and name != RLE:
        fragments = [with_comment(frame)]
    elif where == "after the end":
        fragments = [frame + SECRET]
    elif where == "surplus":
        fragments = [frame, SECRET]
    value = encapsulate(fragments, has_bot=False)
    if where == "offset table":
        value = struct.pack("<HHL", 0xFFFE, 0xE000, len(SECRET)) + SECRET + value[8:]
    cleaned = clean_fragments(value, shape_of(ds))
    assert SECRET not in cleaned
    assert cleaned == clean_fragments(ds.PixelData, shape_of(ds))


@pytest.mark.parametrize("name", [JPEG_LS, J2K])
def test_a_file_with_the_patient_in_a_comment_tells_of_nobody(
    ct, as_file, profile, pseudonyms, name
):
    other = shipped(name)
    (frame,) = frames_of(other)
    source = ct(Rows=other.Rows, Columns=other.Columns)
    source.PixelData = encapsulate([with_comment(frame), SECRET])
    source["PixelData"].VR = "OB"
    source["PixelData"].is_undefined_length = True
    source.ExtendedOffsetTable = SECRET[:40]
    source.ExtendedOffsetTableLengths = SECRET[:40]
    content = clean_file(
        as_file(source, other.file_meta.TransferSyntaxUID), profile, pseudonyms
    ).content
    lowered = content.lower()
    assert not [word for word in SECRET.lower().split() if word in lowered]
    (after,) = frames_of(pydicom.dcmread(BytesIO(content)))
    assert np.array_equal(decoded(after), decoded(frame))


def test_a_number_where_decoders_look_for_tables_is_found(ct, as_file, profile, pseudonyms):
    (frame,) = frames_of(shipped(JPEG))
    table = (b"\0" + b" MRN5550123 19470316 ").ljust(65, b"\1")
    hidden = frame[:2] + b"\xff\xdb\0\x43" + table + frame[2:]
    source = ct()
    source.PixelData = encapsulate([hidden])
    source["PixelData"].VR = "OB"
    source["PixelData"].is_undefined_length = True
    with pytest.raises(QuarantineError, match="identity found"):
        clean_file(as_file(source, UID("1.2.840.10008.1.2.4.50")), profile, pseudonyms)


def test_several_frames_are_found_by_where_they_begin():
    ds = shipped(JPEG_LS)
    (frame,) = frames_of(ds)
    half = len(frame) // 4 * 2
    pieces = [frame[:half], frame[half:], frame, SECRET, frame]
    cleaned = clean_fragments(encapsulate(pieces, has_bot=False), Shape(2, 2, 4096))
    one = clean_fragments(encapsulate([frame]), Shape(1, 2, 4096))[8:]
    assert cleaned == one[:0] + b"\xfe\xff\x00\xe0\0\0\0\0" + one + one
    assert plain_parts(cleaned) == 2 * plain_parts(b"\xfe\xff\x00\xe0\0\0\0\0" + one)


@pytest.mark.parametrize(
    ("fragments", "frames", "said"),
    [
        ([], 1, "cannot be checked"),
        ([], 2, "broken"),
        ([b"\xff\xd8\xff\xd9"], 2, "broken"),
        ([b"\0\0\1\xba MPEG or so "], 1, "cannot be checked"),
        ([b"\xff\x0a JPEG XL "], 1, "cannot be checked"),
    ],
)
def test_what_cannot_be_checked_is_refused(fragments, frames, said):
    value = (
        encapsulate(fragments, has_bot=False)
        if fragments
        else bytes.fromhex("feff00e000000000")
    )
    with pytest.raises(QuarantineError, match=said):
        clean_fragments(value, Shape(frames, 1, 16))


@pytest.mark.parametrize("sample", ["CT_small.dcm"])
def test_native_pixels_are_not_touched(sample):
    ds = shipped(sample)
    element = exact_pixels(ds, ds.get_item("PixelData"), encapsulated=False)
    assert element.value == ds.PixelData


@pytest.mark.parametrize(
    "content",
    [b"", b"\xfe\xff", b"\xfe\xff\x00\xe0\x09\0\0\0short", b"\x08\0\x05\0\0\0\0\0"],
)
def test_items_in_a_file_that_do_not_add_up_are_refused(content):
    with pytest.raises(QuarantineError, match="broken"):
        list(fragments_in(BytesIO(b"..." + content), 3))


def test_items_in_a_file_are_read_one_by_one():
    content = item_of(b"") + item_of(b"ab") + b"\xfe\xff\xdd\xe0\0\0\0\0rest"
    assert list(fragments_in(BytesIO(content), 0)) == [b"", b"ab"]
