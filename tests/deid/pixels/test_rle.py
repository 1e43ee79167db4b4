from __future__ import annotations

import struct

import pytest

from napari_medlabel.deid.pixels.rle import clean_rle
from napari_medlabel.deid.refusal import QuarantineError

SECRET = b"Featherstone"


def frame(*planes: bytes, gap: bytes = b"", unused: int = 0) -> bytes:
    starts, at = [], 64
    for plane in planes:
        starts.append(at)
        at += len(plane) + len(gap)
    rest = [0] * (14 - len(planes)) + [unused]
    header = struct.pack("<16L", len(planes), *starts, *rest)
    return header + b"".join(plane + gap for plane in planes)


LITERAL, RUN = b"\3abcd", b"\xfd\7"  # four bytes each


def test_packets_stay_and_surplus_goes():
    clean = frame(LITERAL + b"\0", RUN)
    assert clean_rle(frame(LITERAL, RUN, gap=SECRET), 2, 4) == clean
    assert clean_rle(clean, 2, 4) == clean


def test_a_packet_that_says_nothing_is_passed_over():
    assert clean_rle(frame(b"\x80" + LITERAL), 1, 4) == frame(b"\x80" + LITERAL)


@pytest.mark.parametrize(
    ("content", "segments"),
    [
        (b"", 1),
        (SECRET * 6, 1),
        (frame(LITERAL), 2),
        (frame(LITERAL, unused=77), 1),
        (frame(*[RUN] * 2)[:64], 2),
        (frame(LITERAL)[:-1], 1),
        (frame(RUN)[:-1], 1),
        (frame(b"\4abcde"), 1),
        (frame(b"\1ab"), 1),
        (struct.pack("<16L", 2, 64, 60, *[0] * 13) + RUN, 2),
        (struct.pack("<16L", 1, 66, *[0] * 14) + RUN + RUN, 1),
        (struct.pack("<16L", 0, *[0] * 15), 0),
    ],
)
def test_what_is_not_as_described_is_refused(content, segments):
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_rle(content, segments, 4)
