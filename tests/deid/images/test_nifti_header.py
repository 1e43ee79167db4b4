from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.images.nifti import clean_nifti
from napari_medlabel.deid.images.nifti_header import clean_header, has_magic, is_pair, layout_of
from napari_medlabel.deid.refusal import QuarantineError

WORD = b"Featherstone"


def header(order: str = "<") -> bytearray:
    """A NIfTI-1 header with every kept field filled; its qform and sform are in use."""
    raw = bytearray(348)
    pack = {
        0: ("i", 348), 39: ("B", 0x39), 40: ("8h", 4, 5, 4, 3, 2, 1, 1, 1),
        68: ("h", 0), 70: ("2h", 4, 16), 76: ("8f", -1, 0.9, 0.9, 3.25, 2.5, 0, 0, 0),
        74: ("h", 0), 108: ("f", 352), 112: ("2f", 0.5, -1024), 120: ("h", 2),
        122: ("b", 3), 123: ("B", 10), 124: ("2f", 1500, -200), 132: ("2f", 0.0675, 0.5),
        252: ("2h", 1, 4), 256: ("3f", 0.1, -0.2, 0.3), 268: ("3f", -90.5, 126, -72.25),
        280: ("12f", -0.9, 0.1, 0, 90.5, 0.1, 0.9, 1e-8, -126, 0, 0, 3.25, -72.25),
    }  # fmt: skip
    for at, (kind, *values) in pack.items():
        struct.pack_into(order + kind, raw, at, *values)
    raw[344:348] = b"n+1\0"
    return raw


def header2(order: str = "<") -> bytearray:
    """The same as NIfTI-2."""
    raw = bytearray(540)
    pack = {
        0: ("i", 540), 12: ("2h", 4, 16), 16: ("8q", 4, 5, 4, 3, 2, 1, 1, 1),
        104: ("8d", -1, 0.9, 0.9, 3.25, 2.5, 0, 0, 0), 168: ("q", 544),
        176: ("2d", 0.5, -1024), 192: ("2d", 1500, -200), 208: ("2d", 0.0675, 0.5),
        224: ("2q", 0, 2), 344: ("2i", 1, 4), 352: ("3d", 0.1, -0.2, 0.3),
        376: ("3d", -90.5, 126, -72.25),
        400: ("12d", -0.9, 0.1, 0, 90.5, 0.1, 0.9, 1e-8, -126, 0, 0, 3.25, -72.25),
        496: ("3i", 3, 10, 0), 524: ("B", 0x39),
    }  # fmt: skip
    for at, (kind, *values) in pack.items():
        struct.pack_into(order + kind, raw, at, *values)
    raw[4:12] = b"n+2\0\r\n\x1a\n"
    return raw


def put(raw: bytearray, at: int, kind: str, *values: object) -> bytes:
    struct.pack_into(kind, raw, at, *values)
    return bytes(raw)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("make", [header, header2])
def test_what_the_keep_list_names_passes_bit_for_bit(make, order):
    raw = bytes(make(order))
    clean = clean_header(raw)
    assert clean.content == raw + bytes(4)
    assert clean.start == len(raw) + 4
    assert clean.size == 5 * 4 * 3 * 2 * 2
    assert clean.emptied == 0


@pytest.mark.parametrize(
    ("at", "length"),
    [(4, 10), (14, 18), (32, 4), (36, 2), (38, 1), (140, 8), (148, 80), (228, 24),
     (328, 16)],
)  # fmt: skip
def test_fields_off_the_keep_list_are_empty(at, length):
    raw = header()
    raw[at : at + length] = bytes([77]) * length
    clean = clean_header(bytes(raw))
    assert clean.content == bytes(header()) + bytes(4)
    assert clean.emptied == length


@pytest.mark.parametrize(
    ("at", "kind", "value", "becomes"),
    [
        (39, "<B", 0xF9, 0x39),  # two bits of dim_info mean nothing
        (123, "<B", 0xCA, 0x0A),  # nor do two of the units
        (122, "<b", 77, 0),  # no order of slices
        (74, "<h", 4711, 0),  # a first slice that is none
        (120, "<h", -1, 0),
        (68, "<h", 3006, 0),  # CIFTI, whose axes stood in the extension
        (68, "<h", 4711, 0),
        (132, "<f", 1e20, 0.0),
        (136, "<f", 33415.5, 0.0),  # seconds since midnight
        (124, "<f", float("inf"), 0.0),
        (124, "4s", b"A17B", 0),  # letters where a number of the display range belongs
        (92, "4s", b"Jack", 0),
        (92, "<f", 7.2, pytest.approx(7.2)),
        (76, "<f", -3.5, -1.0),  # the side of the third axis
        (76, "<f", 0.0, 0.0),
        (252, "<h", 77, 1),  # a qform of an unknown kind is one
        (252, "<h", -1, 0),
        (50, "<h", 0, 0),  # some writers leave sizes beyond the last at nought
        (50, "<h", 9, 1),
    ],
)
def test_what_a_field_cannot_mean_is_emptied(at, kind, value, becomes):
    raw = put(header(), at, kind, value)
    kind = "<f" if kind == "4s" else kind
    assert struct.unpack_from(kind, clean_header(raw).content, at)[0] == becomes


@pytest.mark.parametrize(
    ("slope", "intercept", "kept"),
    [
        (0.0, 4711.0, (0.0, 0.0)),
        (math.nan, 4711.0, (math.nan, math.nan)),
        (math.inf, 0.0, (math.nan, math.nan)),
        (1e-10, -3142.0, (pytest.approx(1e-10), -3142.0)),
    ],
)
def test_an_intercept_without_a_slope_is_nobodys(slope, intercept, kept):
    raw = put(header(), 112, "<2f", slope, intercept)
    found = struct.unpack_from("<2f", clean_header(raw).content, 112)
    assert found == pytest.approx(kept, nan_ok=True) or found == kept


@pytest.mark.parametrize(
    "broken",
    [
        put(header(), 112, "<2f", 1.0, math.nan),
        put(header(), 112, "4s", b"JACK"),
        put(header(), 116, "4s", b"JACK"),
        put(header(), 80, "<f", math.nan),
        put(header(), 80, "<f", 1e9),
        put(header(), 256, "<f", 1.5),  # no part of a quaternion
        put(header(), 268, "<f", 1e7),
        put(header(), 280, "<f", math.inf),
        put(header(), 40, "<h", 0),
        put(header(), 40, "<h", 8),
        put(header(), 42, "<h", 0),
        put(header(), 70, "<h", 77),
        put(header(), 72, "<h", 8),
        put(header(), 108, "<f", math.nan),
        put(header(), 108, "<f", 100.0),
        put(header(), 344, "4s", b"n+9\0"),
        bytes(header())[:347],
        put(header2(), 168, "<q", 2**60),
        put(header2(), 4, "8s", b"n+2\0\n\n\n\n"),
        b"",
    ],
)  # fmt: skip
def test_a_header_that_contradicts_itself_is_refused(broken):
    with pytest.raises(QuarantineError, match="header is broken"):
        clean_header(broken)


def test_a_geometry_that_nobody_uses_hides_nothing():
    raw = header()
    struct.pack_into("<2h", raw, 252, 0, 0)
    kept = clean_header(bytes(raw)).content
    assert kept[256:328] == raw[256:328]
    raw[256:268] = b"FeatherstonX"
    raw[280:284] = b"1947"
    kept = clean_header(bytes(raw)).content
    assert kept[256:268] == bytes(12)
    assert kept[268:280] == raw[268:280]
    assert kept[280:328] == bytes(48)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (268, b"xyzBabcCdefD"),  # small enough to be millimetres
        (256, b"44630951"),
        (268, b"44630951"),
        (312, b"44630951"),
    ],
)
def test_letters_or_digits_in_a_row_are_no_geometry(at, text):
    raw = header()
    raw[at : at + len(text)] = text
    with pytest.raises(QuarantineError, match="header is broken"):
        clean_header(bytes(raw))


def test_other_bytes_are_no_nifti():
    assert layout_of(b"NRRD") is None
    assert not has_magic(b"NRRD")
    assert not is_pair(b"NRRD")
    assert is_pair(put(header(), 344, "4s", b"ni1\0"))


@pytest.mark.parametrize("make", [header, header2])
@pytest.mark.parametrize("codes", [(0, 0), (1, 4)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_word_at_any_place_of_the_header_does_not_pass(make, codes, order):
    for at in range(len(make()) - len(WORD)):
        raw = make(order)
        place, kind = (252, "2h") if make is header else (344, "2i")
        struct.pack_into(order + kind, raw, place, *codes)
        raw[at : at + len(WORD)] = WORD
        voxels = bytes(range(240))
        try:
            made = clean_nifti(bytes(raw) + bytes(4) + voxels)
        except QuarantineError:
            continue
        assert WORD not in made.content
        assert WORD[:8] not in made.content
        assert made.content.endswith(voxels)


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=348, max_size=348), st.booleans())
@example(bytes(348), True)
def test_any_header_is_cleaned_or_refused(noise, is_big):
    order = ">" if is_big else "<"
    raw, sound = bytearray(noise), header(order)
    raw[0:4], raw[344:348] = sound[0:4], b"n+1\0"
    for start, end in ((40, 56), (70, 92), (108, 120), (252, 254), (254, 256)):
        raw[start:end] = sound[start:end]
    struct.pack_into(order + "2h", raw, 252, 0, 0)
    clean = clean_header(bytes(raw))
    assert clean.content[4:39] == bytes(35)
    assert clean.content[140:252] == bytes(112)
    assert clean.content[328:344] == bytes(16)
    assert clean.size == 240


def test_a_start_without_a_time_axis_goes():
    raw = put(header(), 40, "<8h", 3, 5, 4, 3, 1, 1, 1, 1)
    assert clean_header(raw).content[136:140] == bytes(4)
