from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from napari_medlabel.deid.scan.read import (
    Recall,
    described_bytes,
    looks_like_dicom,
    read_parts,
)
from napari_medlabel.deid.scan.walk import BrokenError, Form, items, pieces_of, walk

EXPLICIT = Form()


def tags(content: bytes, recall: Recall | None = None) -> list[int]:
    return [element[0] for element in read_parts(BytesIO(content), recall).elements]


def element(tag: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_encoding_gives_the_same_elements(ct, as_file, syntax):
    ds = ct(PixelData=bytes(48))
    parts = read_parts(BytesIO(as_file(ds, syntax)))
    assert [e[0] for e in parts.elements] == sorted(
        int(t) for t in list(ds.keys()) if t != 0x7FE00010
    )
    assert parts.pixels is not None
    assert parts.pixels[2] == 48
    assert described_bytes(parts) == 48


def test_what_lies_behind_the_place_of_pixels_that_are_not_there_is_read(ct, as_file):
    padding = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<I", 4) + b"ROSE"
    ds = ct()
    del ds.PixelData
    assert 0xFFFCFFFC in tags(as_file(ds) + padding)


def test_files_of_a_series_are_read_alike_with_and_without_recall(ct, as_file):
    recall = Recall()
    for number in (1, 2, 3):
        content = as_file(ct(number))
        assert read_parts(BytesIO(content), recall) == read_parts(BytesIO(content))
    other = as_file(ct(PatientComments="more"))  # an element more
    assert tags(other, recall) == tags(other)
    undefined = ct(AnatomicRegionSequence=Sequence([Dataset()]))
    undefined["AnatomicRegionSequence"].is_undefined_length = True
    for content in (as_file(undefined), as_file(undefined)):
        assert tags(content, recall) == tags(content)
    again = ct(4, AnatomicRegionSequence=Sequence([Dataset(), Dataset()]))
    again["AnatomicRegionSequence"].is_undefined_length = True
    assert tags(as_file(again), recall) == tags(as_file(again))


def test_without_a_preamble_the_encoding_is_guessed():
    content = element(0x00080060, b"CS", b"CT") + element(0x00100010, b"PN", b"A^")
    assert looks_like_dicom(content)
    assert tags(content) == [0x00080060, 0x00100010]
    implicit = struct.pack("<HHL", 8, 0x60, 2) + b"CT"
    assert looks_like_dicom(implicit)
    assert tags(implicit) == [0x00080060]
    big = element(0x00080060, b"CS", b"CT", ">")
    assert looks_like_dicom(big)
    assert tags(big) == [0x00080060]
    assert not looks_like_dicom(b"\x08\0\0\0\xff\xff\xff\xff")
    assert not looks_like_dicom(b"plain text")


def test_meta_may_have_long_or_implicit_elements():
    meta = struct.pack("<HH2sHL", 2, 1, b"OB", 0, 2) + b"\0\1"
    meta += struct.pack("<HHL", 2, 2, 2) + b"1\0"
    content = bytes(128) + b"DICM" + meta + element(0x00080060, b"CS", b"CT")
    parts = read_parts(BytesIO(content))
    assert parts.meta == {1: b"\0\1", 2: b"1\0"}
    assert [e[0] for e in parts.elements] == [0x00080060]


def test_a_large_header_is_read_on(ct, as_file):
    ds = ct(TextValue="x" * 200_000)
    assert tags(as_file(ds)) == sorted(int(t) for t in list(ds.keys()) if t != 0x7FE00010)
    cut = as_file(ds)[:100_000]
    assert read_parts(BytesIO(cut)).broken


def test_what_ends_early_is_broken(ct, as_file):
    content = element(0x00080060, b"CS", b"CT")
    assert read_parts(BytesIO(content + b"\xff" * 20)).broken
    assert read_parts(BytesIO(content + struct.pack("<HHL", 0xFFFE, 0xE00D, 0))).broken
    with pytest.raises(BrokenError):
        read_parts(BytesIO(b"\xff" * 200))
    deflated = bytearray(as_file(ct(), DeflatedExplicitVRLittleEndian))
    assert read_parts(BytesIO(bytes(deflated) + b"Vorquilaz")).broken
    with pytest.raises(BrokenError):
        read_parts(
            BytesIO(bytes(deflated[:-200]).ljust(len(deflated), b"\xff")[:330] + b"\xff" * 99)
        )


def test_elements_that_do_not_add_up_are_refused():
    for content in (
        b"\x08\0\x60", b"\x08\0\x60\0xx\2\0CT", element(0x00080060, b"CS", b"CT")[:-1],
        struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF),
        struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + b"\x08\0\0\0" + bytes(9),
    ):  # fmt: skip
        with pytest.raises(BrokenError):
            list(walk(content, 0, len(content), EXPLICIT))


def nested(depth: int) -> bytes:
    """Sequences of undefined length in each other, unclosed."""
    head = struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    return (head + struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth


def test_sequences_too_deep_are_refused():
    with pytest.raises(BrokenError):
        list(walk(nested(80), 0, len(nested(80)), EXPLICIT))


def item(content: bytes, *, undefined: bool = False) -> bytes:
    if undefined:
        end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
        return struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + content + end
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content


def test_items_of_both_kinds_are_found():
    leaf = element(0x00100010, b"PN", b"A^")
    closing = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    content = item(leaf) + item(leaf, undefined=True) + item(b"", undefined=True) + closing
    found = list(items(content, 0, len(content), EXPLICIT))
    assert [content[a:b] for a, b in found] == [leaf, leaf, b""]
    whole = struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + content
    ((tag, _, _, stop, _),) = walk(whole, 0, len(whole), EXPLICIT)
    assert (tag, stop) == (0x00081140, len(whole))
    for broken in (leaf, item(leaf)[:-1]):
        with pytest.raises(BrokenError):
            list(items(broken, 0, len(broken), EXPLICIT))


def test_long_sequences_come_in_pieces_with_what_is_beside_them():
    leaf = element(0x00100010, b"PN", b"A^") + element(0x00104000, b"LT", b"x" * 600)
    inner = element(0x00080005, b"CS", b"ISO_IR 192") + leaf
    value = item(inner) * 9
    raw = struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, len(value)) + value
    pieces = pieces_of((0x00081140, b"SQ", raw, 12), EXPLICIT, ("ISO_IR 100",))
    assert len(pieces) == 27
    assert {piece.around[0] for piece in pieces} == {("ISO_IR 192",)}
    assert all(raw[p.offset :].startswith(p.element[2]) for p in pieces)
    assert {p.key for p in pieces} == {None}
    (leaf_of_name,) = pieces[1].leaves()
    assert leaf_of_name.path == (0x00081140, 0x00100010)
    broken = raw[:-1] + b""
    (whole,) = pieces_of((0x00081140, b"SQ", broken, 12), EXPLICIT, ())
    assert [one.path for one in whole.leaves()] == [(0x00081140,)]


def test_unknown_elements_that_look_like_sequences_are_walked():
    implicit = item(struct.pack("<HHL", 0x10, 0x10, 2) + b"A^")
    explicit = item(element(0x00100010, b"PN", b"A^"))
    for value in (implicit, explicit):
        raw = struct.pack("<HH2sHL", 0x19, 0x1001, b"UN", 0, len(value)) + value
        (piece,) = pieces_of((0x00191001, b"UN", raw, 12), EXPLICIT, ())
        assert [one.path for one in piece.leaves()] == [(0x00191001, 0x00100010)]
        assert piece.key is not None
    raw = struct.pack("<HHL", 8, 0x1140, len(implicit)) + implicit
    (piece,) = pieces_of((0x00081140, b"", raw, 8), Form(explicit=False), ())
    assert [one.path for one in piece.leaves()] == [(0x00081140, 0x00100010)]
    raw = struct.pack("<HHL", 8, 0x1140, 10) + b"no items.."
    (piece,) = pieces_of((0x00081140, b"", raw, 8), Form(explicit=False), ())
    assert [one.path for one in piece.leaves()] == [(0x00081140,)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"NumberOfFrames": "3"}, 144), ({"NumberOfFrames": "x"}, 48), ({"Rows": 0}, None),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422"}, 96),
        ({"BitsAllocated": 1, "Rows": 3, "Columns": 3}, 2),
    ],
)  # fmt: skip
def test_the_description_tells_how_many_bytes_there_are(ct, as_file, changed, expected):
    from pydicom import config

    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        ds = ct(**{k: v for k, v in changed.items() if v != "x"})
        content = as_file(ds)
    finally:
        config.settings.writing_validation_mode = before
    if changed.get("NumberOfFrames") == "x":
        content = content.replace(b"\x28\0\x02\0", b"\x28\0\x02\0")
    assert described_bytes(read_parts(BytesIO(content))) == expected


def test_deflated_bytes_that_are_none_are_refused():
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = element(0x00020010, b"UI", syntax)
    with pytest.raises(BrokenError):
        read_parts(BytesIO(bytes(128) + b"DICM" + meta + b"\xff" * 50))
    good = zlib.compress(element(0x00080060, b"CS", b"CT"), wbits=-15)
    assert tags(bytes(128) + b"DICM" + meta + good) == [0x00080060]


def test_compressed_pixels_and_delimiters_end_a_walk():
    pixels = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + item(b"")
    ((tag, _, start, stop, _),) = walk(pixels, 0, len(pixels), EXPLICIT)
    assert (tag, start) == (0x7FE00010, stop)
    end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
    assert list(walk(end, 0, len(end), EXPLICIT)) == []
    content = element(0x00080060, b"CS", b"CT") + pixels
    assert read_parts(BytesIO(content)).encapsulated
