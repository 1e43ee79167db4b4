from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_medlabel.deid.pixels.native_frames import NativeFrames
from napari_medlabel.io.dicom.pixels.coding import Coding

GREY = Coding("", 2, 4, 1, 1, 0, "MONOCHROME2", 16, 12, 11, False, False)
CORNER = np.array([[True, False, False, False], [False] * 4])


def test_grey_values_lose_spare_bits_and_gain_their_sign():
    words = np.array([0xF001, 0x0FFF, 0x0800, 0x07FF, 0, 1, 2, 3], "<u2")
    frames = NativeFrames(words.tobytes(), GREY)
    assert frames.frame(0).ravel().tolist() == [1, 4095, 2048, 2047, 0, 1, 2, 3]
    signed = NativeFrames(words.tobytes(), replace(GREY, signed=True))
    assert signed.frame(0).ravel().tolist() == [1, -1, -2048, 2047, 0, 1, 2, 3]
    assert frames.is_rgb() is None


@pytest.mark.parametrize("little", [True, False])
def test_only_masked_words_change(little):
    order = "<" if little else ">"
    words = np.arange(8).astype(f"{order}u2")
    frames = NativeFrames(words.tobytes() + b"\x09", GREY, little=little)
    made = frames.blanked({0: CORNER}, (4095,))
    assert np.frombuffer(made[:-1], f"{order}u2").tolist() == [4095, 1, 2, 3, 4, 5, 6, 7]
    assert made[-1:] == b"\x09"


def test_negative_black_is_written_in_the_header_s_bits():
    coding = replace(GREY, signed=True, stored=12, high_bit=15)
    words = (np.arange(8) << 4).astype("<u2")
    made = NativeFrames(words.tobytes(), coding).blanked({0: CORNER}, (-1000,))
    again = NativeFrames(made, coding).frame(0)
    assert again.ravel().tolist() == [-1000, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_are_blanked_in_either_order(planar):
    coding = replace(
        GREY,
        samples=3,
        planar=planar,
        photometric="YBR_FULL",
        allocated=8,
        stored=8,
        high_bit=7,
    )
    value = bytes(range(24)) * 2
    frames = NativeFrames(value, replace(coding, frames=2))
    made = NativeFrames(frames.blanked({1: CORNER}, (0, 128, 128)), replace(coding, frames=2))
    assert (made.frame(0) == frames.frame(0)).all()
    assert made.frame(1)[0, 0].tolist() == [0, 128, 128]
    assert (made.frame(1)[~CORNER] == frames.frame(1)[~CORNER]).all()
    assert len(made) == 2


def test_pairs_that_share_colours_are_blanked_together():
    coding = replace(
        GREY, samples=3, photometric="YBR_FULL_422", allocated=8, stored=8, high_bit=7
    )
    frames = NativeFrames(bytes(range(16)), coding)
    covered = frames.covered(0, CORNER)
    assert covered[0].tolist() == [True, True, False, False]
    made = NativeFrames(frames.blanked({0: covered}, (0, 128, 128)), coding)
    assert (made.frame(0)[covered] == (0, 128, 128)).all()
    assert (made.frame(0)[~covered] == frames.frame(0)[~covered]).all()
    assert frames.frame(0)[0, 3].tolist() == [5, 6, 7]


def test_single_bits_and_floating_point_numbers_are_blanked():
    bits = NativeFrames(b"\xff", replace(GREY, allocated=1, stored=1, high_bit=0))
    assert bits.blanked({0: CORNER}, (0,)) == b"\xfe"
    assert bits.frame(0).sum() == 8
    numbers = np.arange(8, dtype="<f4") - 0.5
    floats = replace(GREY, allocated=32, stored=32, high_bit=31, floats=True)
    made = NativeFrames(numbers.tobytes(), floats).blanked({0: CORNER}, (-3.0,))
    assert NativeFrames(made, floats).frame(0).ravel()[:2].tolist() == [-3.0, 0.5]


def test_bytes_in_swapped_pairs_are_read_and_written_so():
    coding = replace(GREY, rows=1, columns=3, allocated=8, stored=8, high_bit=7)
    frames = NativeFrames(b"\x02\x01\x00\x03", coding, little=False, swapped=True)
    assert frames.frame(0).ravel().tolist() == [1, 2, 3]
    made = frames.blanked({0: np.array([[False, True, False]])}, (9,))
    assert made == b"\x09\x01\x00\x03"
    assert frames.covered(0, CORNER) is CORNER
