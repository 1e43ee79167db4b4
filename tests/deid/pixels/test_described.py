from __future__ import annotations

import struct

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from napari_medlabel.deid.pixels.described import (
    check_complete,
    described_length,
    exact_pixels,
    may_show_identity,
)
from napari_medlabel.deid.refusal import QuarantineError

ROOT = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize(
    ("changes", "risky"),
    [
        ({}, False),
        ({"BurnedInAnnotation": "NO"}, False),
        ({"BurnedInAnnotation": "YES"}, True),
        ({"RecognizableVisualFeatures": "YES"}, True),
        ({"SOPClassUID": ROOT + "6.1"}, True),
        ({"SOPClassUID": ROOT + "7"}, True),
        ({"SOPClassUID": ROOT + "77.1.4"}, True),
        ({"SOPClassUID": ROOT + "77.1.6", "Modality": "SM"}, False),
        ({"SOPClassUID": ROOT + "77.1.6", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL"]}, True),
        ({"Modality": "US"}, True),
        ({"Modality": "OT"}, True),
        ({"Modality": "OT", "BurnedInAnnotation": "NO"}, False),
        ({"ConversionType": "WSD"}, True),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, True),
        ({"ImageType": "SCREEN SAVE"}, True),
    ],
)
def test_pixels_that_may_show_who_it_is_are_known(ct, changes, risky):
    assert may_show_identity(ct(**changes)) is risky


def test_what_has_no_pixels_shows_nobody(ct):
    source = ct(Modality="US")
    del source.PixelData
    assert not may_show_identity(source)


def raw(value: bytes | None, *, vr: str | None = "OW", undefined: bool = False, tag=0x7FE00010):
    length = 0xFFFFFFFF if undefined else len(value or b"")
    return RawDataElement(Tag(tag), vr, length, value, 0, False, True)


def test_bytes_beyond_the_last_pixel_are_dropped(ct):
    source = ct()
    element = exact_pixels(source, raw(source.PixelData + b"QUINCY"), encapsulated=False)
    assert element.value == source.PixelData


def test_an_odd_length_is_made_even(ct):
    source = ct(Rows=3, Columns=3, BitsAllocated=8)
    element = exact_pixels(source, raw(b"123456789S", vr="OB"), encapsulated=False)
    assert element.value == b"123456789\0"


def test_fewer_bytes_than_described_are_refused(ct):
    with pytest.raises(QuarantineError, match="shorter"):
        exact_pixels(ct(), raw(b"12"), encapsulated=False)
    with pytest.raises(QuarantineError, match="shorter"):
        exact_pixels(ct(), raw(None), encapsulated=False)


@pytest.mark.parametrize(
    ("tag", "vr"), [(0x7FE00008, "OF"), (0x7FE00009, "OD"), (0x7FE00010, "OW")]
)
def test_pixels_without_a_vr_get_their_own(ct, tag, vr):
    element = exact_pixels(ct(), raw(bytes(24 * 8), vr=None, tag=tag), encapsulated=False)
    assert vr == element.VR


@pytest.mark.parametrize(
    ("changes", "tag", "size"),
    [
        ({}, 0x7FE00010, 48),
        ({"NumberOfFrames": "3"}, 0x7FE00010, 144),
        ({"SamplesPerPixel": 3, "BitsAllocated": 8}, 0x7FE00010, 72),
        ({"BitsAllocated": 1, "Rows": 3, "Columns": 3}, 0x7FE00010, 2),
        (
            {
                "PhotometricInterpretation": "YBR_FULL_422",
                "BitsAllocated": 8,
                "SamplesPerPixel": 3,
            },
            0x7FE00010,
            48,
        ),
        ({}, 0x7FE00008, 96),
        ({}, 0x7FE00009, 192),
    ],
)
def test_the_length_follows_from_the_header(ct, changes, tag, size):
    assert described_length(ct(**changes), tag) == size


@pytest.mark.parametrize(
    "changes",
    [{"Rows": None}, {"Columns": 0}, {"BitsAllocated": None}, {"NumberOfFrames": "0"}],
)
def test_pixels_without_a_description_are_refused(ct, changes):
    with pytest.raises(QuarantineError, match="without a description"):
        described_length(ct(**changes), 0x7FE00010)


def item(value: bytes) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(value)) + value


DELIMITER = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


RUNS = struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\xe9\7\xe9\0"  # 24 samples


@pytest.mark.parametrize("after", [b"", DELIMITER, DELIMITER + b"QUINCY.."])
def test_fragments_stay_and_nothing_after_the_delimiter(ct, after):
    fragments = item(b"") + item(RUNS)
    element = exact_pixels(ct(), raw(fragments + after, undefined=True), encapsulated=True)
    assert element.value == fragments
    assert element.is_undefined_length


@pytest.mark.parametrize(
    "value",
    [
        b"",
        DELIMITER,
        b"QUINCY..",
        item(b"jpeg")[:-1],
        item(b"jpeg") + b"QUINCY",
        item(b"") + b"12345678",
    ],
)
def test_broken_fragments_are_refused(ct, value):
    with pytest.raises(QuarantineError, match=r"broken|cannot be checked"):
        exact_pixels(ct(), raw(value, undefined=True), encapsulated=True)


def test_a_compressed_image_with_a_length_is_refused(ct):
    with pytest.raises(QuarantineError, match="broken"):
        exact_pixels(ct(), raw(item(b"jpeg")), encapsulated=True)


def test_an_image_without_its_pixels_is_refused(ct):
    source = ct()
    check_complete(source)
    del source.PixelData
    with pytest.raises(QuarantineError, match="shorter"):
        check_complete(source)


@pytest.mark.parametrize(
    ("sop_class", "gone", "refused"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", ["Rows", "Columns"], True),  # cut before them
        ("1.2.840.10008.5.1.4.1.1.2", ["BitsAllocated"], True),
        ("1.2.840.10008.5.1.4.1.1.66.4", ["Rows"], True),
        ("1.2.3", [], True),
        ("1.2.3", ["Rows"], False),
        ("1.2.840.10008.5.1.4.1.1.4.2", [], False),  # rows of spectra
        ("1.2.840.10008.5.1.4.1.1.481.2", [], True),
        ("1.2.840.10008.5.1.4.1.1.481.2", ["Rows", "Columns"], False),  # a histogram alone
        ("1.2.840.10008.5.1.4.1.1.88.11", ["Columns"], False),
    ],
)
def test_an_image_without_pixels_is_known_by_its_class_or_rows(ct, sop_class, gone, refused):
    source = ct(SOPClassUID=sop_class)
    for keyword in [*gone, "PixelData"]:
        del source[keyword]
    if refused:
        with pytest.raises(QuarantineError, match="shorter"):
            check_complete(source)
    else:
        check_complete(source)


def test_an_overlay_in_unused_bits_is_refused(ct):
    source = ct()
    source.add_new(0x60020102, "US", 12)
    with pytest.raises(QuarantineError, match="overlay"):
        check_complete(source)
    source.add_new(0x60023000, "OW", b"\0\0")
    check_complete(source)


def test_a_report_has_no_pixels_to_check():
    check_complete(Dataset())
