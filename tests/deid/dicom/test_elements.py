from __future__ import annotations

import struct

import pytest

from napari_medlabel.deid.dicom.elements import (
    UNDEFINED,
    OddError,
    ShortError,
    items_of,
    walk_header,
    walk_level,
)

ITEM, ITEM_END, END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def head(tag: int, length: int = 0) -> bytes:
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, length)


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    length = len(value) if length is None else length
    if vr in {b"SQ", b"UN", b"OB", b"UT"}:
        return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, length) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, length) + value


LEAF = element(0x00080060, b"CS", b"CT")
IMPLICIT_LEAF = head(0x00080060, 2) + b"CT"
OPEN_ITEM = head(ITEM, UNDEFINED) + LEAF + head(ITEM_END)


def sequence(*parts: bytes, vr: bytes = b"SQ") -> bytes:
    content = b"".join(parts)
    return element(0x00081140, vr, content + head(END), UNDEFINED)


def test_elements_are_told_with_where_their_values_start():
    header = walk_header(LEAF + element(0x00081140, b"SQ", b""), 0, explicit=True, whole=True)
    assert header.elements == [
        (0x00080060, b"CS", LEAF, 8),
        (0x00081140, b"SQ", element(0x00081140, b"SQ", b""), 12),
    ]
    assert header.pixels is None
    implicit = walk_header(IMPLICIT_LEAF, 0, explicit=False, whole=True)
    assert implicit.elements == [(0x00080060, b"", IMPLICIT_LEAF, 8)]


def test_pixel_data_ends_the_walk_and_is_not_looked_into():
    content = LEAF + element(0x7FE00010, b"OB", b"", 10**9)
    header = walk_header(content, 0, explicit=True, whole=False)
    assert header.pixels_length == 10**9
    assert header.pixels is not None
    assert header.pixels[0] == 0x7FE00010
    assert header.pixels[3] == len(content)


def test_what_lies_behind_pixel_tags_ends_the_walk():
    content = LEAF + element(0xFFFCFFFC, b"OB", b"Jack") + b"rubbish"
    assert len(walk_header(content, 0, explicit=True, whole=True).elements) == 1


@pytest.mark.parametrize(
    ("content", "explicit"),
    [
        (sequence(head(ITEM, len(LEAF)) + LEAF, OPEN_ITEM), True),
        (sequence(head(ITEM, UNDEFINED) + sequence(OPEN_ITEM) + head(ITEM_END)), True),
        (sequence(head(ITEM, len(IMPLICIT_LEAF)) + IMPLICIT_LEAF, vr=b"UN"), True),
        (head(0x00081140, UNDEFINED) + head(ITEM) + head(END), False),
    ],
)
def test_sequences_of_undefined_length_are_one_element(content, explicit):
    (found,) = walk_header(content, 0, explicit=explicit, whole=True).elements
    assert found[2] == content


def test_items_are_told_one_by_one():
    content = sequence(head(ITEM, len(LEAF)) + LEAF, OPEN_ITEM, head(ITEM))
    (found,) = walk_level(content, explicit=True)
    leaf = (0x00080060, b"CS", LEAF, 8)
    assert items_of(found, explicit=True) == [[leaf], [leaf], []]
    defined = element(0x00081140, b"SQ", head(ITEM, UNDEFINED) + LEAF + head(ITEM_END))
    (found,) = walk_level(defined, explicit=True)
    assert items_of(found, explicit=True) == [[leaf]]
    nested = element(0x00081140, b"SQ", head(ITEM, len(content)) + content)
    (found,) = walk_level(nested, explicit=True)
    assert items_of(found, explicit=True)[0][0][2] == content


@pytest.mark.parametrize(
    "content",
    [
        LEAF + LEAF,  # twice
        LEAF + element(0x00080005, b"CS", b""),  # backwards
        LEAF + b"\x18\0",  # cut in a head
        LEAF + head(ITEM) + element(0x7FE00010, b"OB", b""),  # an item of nothing
        LEAF + element(0x00180050, b"DS", b"2", 40),  # beyond the end
        LEAF + element(0x00180050, b"??", b""),
        sequence(LEAF),  # no item
        sequence(head(ITEM, UNDEFINED) + LEAF + head(END, 4)),
        sequence(head(ITEM, UNDEFINED) + LEAF + head(ITEM_END, 2) + head(END)),
        sequence(head(ITEM, UNDEFINED) + LEAF),
        sequence()[:-2],
        sequence()[:-8],
        sequence()[:-4] + b"\2\0\0\0",
        sequence(head(ITEM, 4000)),
        sequence(head(ITEM, UNDEFINED) + element(0x00180050, b"DS", b"", 9000)),
    ],
)
def test_what_does_not_add_up_is_odd_or_needs_more_of_the_file(content):
    with pytest.raises(OddError):
        walk_header(content, 0, explicit=True, whole=True)


@pytest.mark.parametrize("cut", [3, 9, 11, 14, 20, 30, 38, 46])
def test_more_of_the_file_is_asked_for(cut):
    content = LEAF + sequence(OPEN_ITEM) + element(0x00180050, b"DS", b"2 ")
    with pytest.raises(ShortError) as caught:
        walk_header(content[:cut], 0, explicit=True, whole=False)
    assert caught.value.needed > cut
    with pytest.raises(ShortError):
        walk_header(content, 0, explicit=True, whole=False)


def nested(depth: int) -> bytes:
    content = LEAF
    for _ in range(depth):
        content = sequence(head(ITEM, UNDEFINED) + content + head(ITEM_END))
    return content


def test_depth_has_an_end():
    assert walk_header(nested(64), 0, explicit=True, whole=True).elements
    with pytest.raises(OddError):
        walk_header(nested(65), 0, explicit=True, whole=True)


@pytest.mark.parametrize(
    "value",
    [
        LEAF,
        head(ITEM, 4) + LEAF,
        head(ITEM, 400) + LEAF,
        head(ITEM, UNDEFINED) + LEAF,
        head(ITEM, UNDEFINED) + LEAF + head(ITEM_END, 1),
        head(ITEM, UNDEFINED) + LEAF + head(END),
        head(ITEM, 2 * len(LEAF)) + LEAF + LEAF,
        head(ITEM, len(LEAF)) + LEAF + b"\0\0",
        head(ITEM, 9) + LEAF[:9],
        head(ITEM, len(LEAF)) + LEAF[:-1] + b"",
    ],
)
def test_items_that_do_not_add_up_are_odd(value):
    with pytest.raises(OddError):
        items_of((0x00081140, b"SQ", element(0x00081140, b"SQ", value), 12), explicit=True)


def test_a_sequence_whose_last_item_is_longer_than_it_is_odd():
    raw = element(0x00081140, b"SQ", head(ITEM, 4) + b"\x08\0\x60\0" + head(END), UNDEFINED)
    with pytest.raises(OddError):
        items_of((0x00081140, b"SQ", raw, 12), explicit=True)
    cut = element(0x00081140, b"SQ", head(ITEM, UNDEFINED) + b"\x08\0" + head(END), UNDEFINED)
    with pytest.raises(OddError):
        items_of((0x00081140, b"SQ", cut, 12), explicit=True)


@pytest.mark.parametrize("content", [LEAF + b"\0", LEAF + head(END), LEAF[:-1]])
def test_a_level_must_fill_its_bytes(content):
    with pytest.raises(OddError):
        walk_level(content, explicit=True)
