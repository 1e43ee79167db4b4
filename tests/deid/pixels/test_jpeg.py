from __future__ import annotations

import struct

import pytest

from napari_medlabel.deid.pixels.jpeg import clean_jpeg
from napari_medlabel.deid.refusal import QuarantineError

SECRET = b"Featherstone"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


TABLE = segment(0xDB, b"\0" + bytes(range(1, 65)))
WIDE = segment(0xDB, b"\x10" + bytes(128))
CODES = segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\5")
FRAME = segment(0xC0, bytes((8, 0, 8, 0, 8, 1, 1, 0x11, 0)))
FRAME_LS = segment(0xF7, bytes((8, 0, 8, 0, 8, 1, 1, 0x11, 0)))
SCAN = segment(0xDA, bytes((1, 1, 0, 0, 63, 0)))
CODED = b"\x12\xff\0\x34\xff\xd0\x56"
START, END = b"\xff\xd8", b"\xff\xd9"
JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")


def test_what_decoding_needs_stays_bit_for_bit():
    frame = START + TABLE + WIDE + CODES + FRAME + segment(0xDD, b"\0\4") + SCAN + CODED
    frame += CODES + SCAN + CODED + segment(0xDC, b"\0\10") + END
    content, plain = clean_jpeg(frame)
    assert content == frame
    assert TABLE in plain
    assert CODED not in plain


def test_jpeg_ls_has_its_own_stuffing_and_parameters():
    frame = START + FRAME_LS + segment(0xF8, b"\1" + bytes(10)) + SCAN
    frame += b"\x12\xff\x7f\x34" + END
    assert clean_jpeg(frame)[0] == frame


def test_tables_that_nothing_uses_are_dropped():
    hidden = segment(0xDB, b"\3" + SECRET.ljust(64, b"\1"))
    both = segment(0xDB, TABLE[4:] + hidden[4:])
    codes = segment(0xC4, b"\3" + b"\0\0\0\x0c" + bytes(12) + SECRET)
    rest = CODES + FRAME + SCAN + CODED
    for tables, kept in ((hidden, b""), (both, TABLE), (codes, b""), (TABLE, TABLE)):
        assert clean_jpeg(START + tables + rest + END)[0] == START + kept + rest + END
    late = START + CODES + FRAME + SCAN + CODED + TABLE + SCAN + CODED + END
    assert clean_jpeg(late)[0] == late


@pytest.mark.parametrize(
    "text", [b"Featherston", b"QUINCYJACK", b"51068887", b"12 Elm St., 9b\0"]
)
def test_a_scan_that_ends_in_text_is_refused(text):
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_jpeg(START + FRAME + SCAN + CODED + text + END)


def test_a_scan_that_ends_in_a_pattern_is_no_text():
    frame = START + FRAME + SCAN + CODED + b"3" * 40 + b"mYmY" * 9 + END
    assert clean_jpeg(frame)[0] == frame


@pytest.mark.parametrize("marker", [0xFE, 0xE0, 0xE1, 0xE8, 0xED, 0xEE, 0xEF])
@pytest.mark.parametrize("late", [False, True])
def test_comments_and_application_data_are_dropped(marker, late):
    body = segment(marker, SECRET)
    frame = START + b"%b" + FRAME + SCAN + CODED + b"%b" + END + SECRET
    content, _ = clean_jpeg(frame % ((b"", body) if late else (body, b"")))
    assert content == START + FRAME + SCAN + CODED + END


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (segment(0xE0, b"JFIF\0\1\1\1abcd\1\1" + SECRET[:3]), JFIF),
        (segment(0xEE, b"Adobe" + SECRET[:6] + b"\1"), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")),
        (segment(0xEE, b"Adobe" + SECRET + b"\1"), b""),
        (segment(0xE8, b"mrfx\1"), segment(0xE8, b"mrfx\1")),
        (segment(0xE8, b"SPIFF\0" + SECRET), b""),
    ],
)
def test_what_tells_the_colours_is_written_anew(found, kept):
    rest = FRAME + SCAN + CODED + END
    assert clean_jpeg(START + found + rest)[0] == START + kept + rest


def test_fill_bytes_before_a_marker_are_dropped():
    frame = START + b"\xff\xff" + FRAME + SCAN + CODED + END
    assert clean_jpeg(frame)[0] == START + FRAME + SCAN + CODED + END


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        SECRET,
        START,
        START + SECRET,
        START + b"\xff\xff",
        START + FRAME,
        START + FRAME + SCAN + CODED,
        START + FRAME[:-1],
        START + b"\xff\xc0\0\1",
        START + segment(0xC0, b"") + END,
        START + segment(0xC0, FRAME[4:] + SECRET) + END,
        START + segment(0xDA, b"") + CODED + END,
        START + segment(0xDA, SCAN[4:] + SECRET) + CODED + END,
        START + segment(0xDB, TABLE[4:] + SECRET) + END,
        START + segment(0xDB, b"") + END,
        START + segment(0xDB, TABLE[4:-1]) + END,
        START + segment(0xC4, CODES[4:] + b"\0") + END,
        START + segment(0xDD, SECRET) + END,
        START + segment(0xDC, SECRET) + END,
        START + segment(0xCC, b"") + END,
        START + segment(0xF8, b"\2" + SECRET[:10]) + END,
        START + segment(0xF8, SECRET) + END,
        START + segment(0xF0, SECRET) + END,
        START + START + END,
    ],
)
def test_what_is_not_understood_is_refused(frame):
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_jpeg(frame)
