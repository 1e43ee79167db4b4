from __future__ import annotations

import struct

import pytest

from napari_medlabel.deid.pixels.jpeg2000 import BOXES, clean_jpeg2000
from napari_medlabel.deid.refusal import QuarantineError

SECRET = b"Featherstone"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">HH", marker, len(body) + 2) + body


def tile_part(
    headers: bytes = b"", data: bytes = b"\x11\x22", size: int | None = None
) -> bytes:
    size = 12 + len(headers) + 2 + len(data) if size is None else size
    return segment(0xFF90, struct.pack(">HLBB", 0, size, 0, 1)) + headers + b"\xff\x93" + data


def box(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">L4s", len(body) + 8 if length is None else length, kind) + body


SIZE = segment(0xFF51, struct.pack(">H8LH3B", 0, *[8] * 8, 1, 7, 1, 1))
CODING = segment(0xFF52, bytes(10))
COMMENT = segment(0xFF64, b"\0\1" + SECRET)
START, END = b"\xff\x4f", b"\xff\xd9"
HEAD = START + SIZE + CODING
PLAIN = HEAD + tile_part() + END


@pytest.mark.parametrize("frame", [PLAIN, HEAD + tile_part() + tile_part() + END])
def test_what_decoding_needs_stays_bit_for_bit(frame):
    content, plain = clean_jpeg2000(frame)
    assert content == frame
    assert SIZE in plain


def test_comments_and_what_follows_the_end_are_dropped():
    frame = START + SIZE + COMMENT + CODING + tile_part() + END + SECRET
    assert clean_jpeg2000(frame)[0] == PLAIN


@pytest.mark.parametrize("size", [None, 0])
@pytest.mark.parametrize("lost", [COMMENT, segment(0xFF58, SECRET)])
def test_a_tile_part_is_as_much_shorter_as_it_lost(lost, size):
    content, plain = clean_jpeg2000(HEAD + tile_part(lost + CODING, size=size) + END)
    assert content == HEAD + tile_part(CODING, size=size) + END
    assert SECRET not in plain


@pytest.mark.parametrize("marker", [0xFF55, 0xFF57, 0xFF59, 0xFF63])
def test_what_no_decoder_needs_is_dropped(marker):
    assert clean_jpeg2000(HEAD + segment(marker, SECRET) + tile_part() + END)[0] == PLAIN


def test_high_throughput_and_precincts_stay():
    head = START + SIZE + segment(0xFF50, b"\0\2\0\0\0\0")
    head += segment(0xFF52, b"\1\0\0\1\0\1\4\4\0\1\x88\x88")
    frame = head + tile_part() + END
    assert clean_jpeg2000(frame)[0] == frame


def test_a_tile_part_may_reach_to_the_end():
    frame = HEAD + tile_part(size=0) + END
    assert clean_jpeg2000(frame + SECRET)[0] == frame


@pytest.mark.parametrize("after", [b"", b"\0"])
def test_a_missing_end_is_added(after):
    assert clean_jpeg2000(HEAD + tile_part() + after)[0] == PLAIN


@pytest.mark.parametrize("length", [None, 0])
def test_boxes_around_the_codestream_are_left_out(length):
    frame = BOXES + box(b"xml ", SECRET) + box(b"jp2h", bytes(14)) + box(b"jp2c", PLAIN, length)
    assert clean_jpeg2000(frame)[0] == PLAIN


def test_a_box_may_have_a_long_length():
    long = struct.pack(">L4sQ", 1, b"jp2c", len(PLAIN) + 16) + PLAIN
    assert clean_jpeg2000(BOXES + long + SECRET)[0] == PLAIN


@pytest.mark.parametrize(
    "frame",
    [
        SECRET,
        HEAD,
        HEAD + SECRET,
        HEAD[:-1],
        HEAD + tile_part() + SECRET,
        HEAD + tile_part(size=10_000) + END,
        HEAD + tile_part(size=3) + END,
        HEAD + tile_part(size=0),
        HEAD + tile_part()[:9],
        HEAD + segment(0xFF90, bytes(9)) + b"\xff\x93" + END,
        HEAD + segment(0xFF74, SECRET) + tile_part() + END,
        HEAD + b"\xff\x52\0\1" + tile_part() + END,
        START + segment(0xFF51, SIZE[4:] + SECRET) + tile_part() + END,
        HEAD + segment(0xFF50, SECRET) + tile_part() + END,
        HEAD + segment(0xFF50, b"\0\2\0\0" + SECRET) + tile_part() + END,
        HEAD + segment(0xFF60, SECRET) + tile_part() + END,
        HEAD + tile_part(segment(0xFF61, SECRET)) + END,
        HEAD + segment(0xFF52, bytes(10) + SECRET) + tile_part() + END,
        HEAD + segment(0xFF52, bytes(4)) + tile_part() + END,
        HEAD + tile_part(data=bytes(9) + SECRET) + END,
        BOXES,
        BOXES + box(b"xml ", SECRET),
        BOXES + box(b"xml ", SECRET, 4),
        BOXES + box(b"xml ", SECRET, 4000),
        BOXES + box(b"xml ", SECRET, 1),
        BOXES + box(b"jp2h", box(b"pclr", bytes(8))) + box(b"jp2c", PLAIN),
    ],
)
def test_what_is_not_understood_is_refused(frame):
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_jpeg2000(frame)
