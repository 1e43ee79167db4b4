from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from napari_medlabel.deid.pixels.jpeg_blocks import (
    BlocksError,
    blank_blocks,
    blanked_pixels,
    is_lossless,
    is_sequential,
)

imagecodecs = pytest.importorskip("imagecodecs")


def smooth(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rng = np.random.default_rng(5)
    steps = rng.integers(-9, 10, shape).cumsum(axis=0).cumsum(axis=1)
    return (128 + steps % 100).astype(np.uint8)


@pytest.fixture(scope="module")
def mask() -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.zeros((50, 83), bool)
    mask[9:14, 20:40] = True
    mask[48, 80] = True
    return mask


@pytest.mark.parametrize("sampling", ["444", "422", "420"])
@pytest.mark.parametrize("quality", [40, 95])
def test_blocks_of_colours_turn_black_and_all_others_stay(mask, sampling, quality):
    before = imagecodecs.jpeg8_encode(smooth(50, 83, 3), quality, subsampling=sampling)
    after = blank_blocks(before, mask, (0, 128, 128))
    black = blanked_pixels(before, mask)
    assert black[mask].all()
    was, now = (imagecodecs.jpeg8_decode(code).astype(int) for code in (before, after))
    inner = black.copy()
    for axis in (0, 1):
        inner &= np.roll(black, 1, axis) & np.roll(black, -1, axis)
    assert now[inner].max(initial=0) == 0
    near = black.copy()
    for axis in (0, 1):
        near |= np.roll(near, 1, axis) | np.roll(near, -1, axis)
    assert (was == now)[~near].all()


def test_grey_blocks_turn_black_or_white_exactly(mask):
    before = imagecodecs.jpeg8_encode(smooth(50, 83), 90)
    black = blanked_pixels(before, mask)
    was = imagecodecs.jpeg8_decode(before)
    for value in (0, 255, 100):
        now = imagecodecs.jpeg8_decode(blank_blocks(before, mask, (value,)))
        assert (np.abs(now[black].astype(int) - value) <= 2).all()
        assert (now[~black] == was[~black]).all()


def test_twelve_bits_turn_black(mask):
    steps = (
        np.random.default_rng(3).integers(0, 4096, (7, 11)) >> np.arange(77).reshape(7, 11) % 12
    )
    # Even blocks of all sizes of steps, so that the coder has codes for each of them.
    values = np.kron(steps, np.ones((8, 8), int))[:50, :83].astype(np.uint16)
    before = imagecodecs.jpeg8_encode(values, 90, bitspersample=12)
    now = imagecodecs.jpeg_decode(blank_blocks(before, mask, (0,)))
    black = blanked_pixels(before, mask)
    assert now[black].max() == 0
    assert (now == imagecodecs.jpeg_decode(before))[~black].all()


@pytest.fixture(scope="module")
def restarting() -> bytes:
    image = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    image.fromarray(smooth(50, 83)).save(stream, "JPEG", quality=90, restart_marker_blocks=7)
    return stream.getvalue()


def test_tables_without_a_code_for_the_step_to_black_are_refused(mask):
    before = imagecodecs.jpeg8_encode(np.full((50, 83), 128, np.uint8), 90, optimize=True)
    with pytest.raises(BlocksError):
        blank_blocks(before, mask, (0,))


def test_restart_intervals_stay_apart(restarting, mask):
    black = blanked_pixels(restarting, mask)
    was = imagecodecs.jpeg8_decode(restarting)
    now = imagecodecs.jpeg8_decode(blank_blocks(restarting, mask, (0,)))
    assert now[black].max() == 0
    assert (now == was)[~black].all()


def test_an_empty_mask_changes_no_byte(restarting):
    assert blank_blocks(restarting, np.zeros((50, 83), bool), (0,)) == restarting


def test_missing_restart_markers_are_refused(restarting, mask):
    at = restarting.index(b"\xff\xd0", restarting.index(b"\xff\xda"))
    with pytest.raises(BlocksError):
        blank_blocks(restarting[:at] + restarting[at + 2 :], mask, (0,))


def test_kinds_of_jpeg_are_told_apart():
    grey = smooth(16, 16)
    plain = imagecodecs.jpeg8_encode(grey)
    lossless = imagecodecs.jpeg8_encode(grey, lossless=True, predictor=1)
    assert (is_sequential(plain), is_lossless(plain)) == (True, False)
    assert (is_sequential(lossless), is_lossless(lossless)) == (False, True)
    assert not is_sequential(b"\xff\xd8\xff")
    assert not is_sequential(b"\xff\xd8\x00\x00")


@pytest.fixture(scope="module")
def plain() -> bytes:
    return bytes(imagecodecs.jpeg8_encode(smooth(16, 16), 90))


def damaged(code: bytes, kind: str) -> bytes:
    scan = code.index(b"\xff\xda")
    frame = code.index(b"\xff\xc0")
    start = scan + 2 + int.from_bytes(code[scan + 2 : scan + 4], "big")
    end = code.rindex(b"\xff\xd9")
    if kind == "progressive":
        return code[: frame + 1] + b"\xc2" + code[frame + 2 :]
    if kind == "no end":
        return code[:start] + b"\x12"
    if kind == "other component":
        return code[: scan + 5] + b"\x09" + code[scan + 6 :]
    if kind == "marker inside":
        return code[:start] + b"\xff\x01" + code[start + 2 :]
    if kind == "cut":
        return code[: start + 4] + code[end:]
    if kind == "no code":
        return code[:start] + b"\xff\x00" * (end - start) + code[end:]
    return code[: scan - 3]


@pytest.mark.parametrize(
    "kind",
    ["progressive", "no end", "other component", "marker inside", "cut", "no code", "no scan"],
)
def test_what_cannot_be_replaced_is_refused(plain, kind):
    mask = np.zeros((16, 16), bool)
    mask[12:, 12:] = True
    with pytest.raises(BlocksError):
        blank_blocks(damaged(plain, kind), mask, (0,))


def test_a_mask_of_another_size_is_refused(plain):
    with pytest.raises(BlocksError):
        blank_blocks(plain, np.ones((8, 8), bool), (0,))
    with pytest.raises(BlocksError):
        blanked_pixels(plain[:40], np.ones((8, 8), bool))


def test_fill_bytes_and_wide_quantization_tables_are_read(plain):
    at = plain.index(b"\xff\xdb")
    length = int.from_bytes(plain[at + 2 : at + 4], "big")
    table = plain[at + 4 : at + 2 + length]
    wide = bytes((table[0] | 0x10,)) + b"".join(bytes((0, step)) for step in table[1:65])
    segment = b"\xff\xff\xdb" + (len(wide) + 2).to_bytes(2, "big") + wide
    code = plain[:at] + segment + plain[at + 2 + length :]
    mask = np.zeros((16, 16), bool)
    mask[0, 0] = True
    black = blanked_pixels(code, mask)
    assert black.sum() == 64
    assert len(blank_blocks(code, mask, (0,))) == len(blank_blocks(plain, mask, (0,))) + 65


def test_codes_that_no_table_has_are_refused(plain):
    scan = plain.index(b"\xff\xda")
    start = scan + 2 + int.from_bytes(plain[scan + 2 : scan + 4], "big")
    mask = np.ones((16, 16), bool)
    for first in (b"\xff\x00\xff\x00", b"\x00\xff\x00\xff\x00", b"\x3f\xff\x00\xff\x00"):
        code = plain[:start] + first + plain[start + len(first) :]
        with pytest.raises(BlocksError):
            blank_blocks(code, mask, (0,))


def test_a_scan_that_ends_within_a_block_is_refused(plain):
    flat = bytes(imagecodecs.jpeg8_encode(smooth(16, 16), 90))
    end = flat.rindex(b"\xff\xd9")
    mask = np.ones((16, 16), bool)
    with pytest.raises(BlocksError):
        blank_blocks(flat[: end - 1] + flat[end:], mask, (0,))


def test_text_beside_an_unchanged_block_leaves_its_bits_alone(plain):
    first, last = np.zeros((16, 16), bool), np.zeros((16, 16), bool)
    first[0, 0] = last[15, 15] = True
    was = imagecodecs.jpeg8_decode(plain)
    for mask in (first, last, first | last):
        now = imagecodecs.jpeg8_decode(blank_blocks(plain, mask, (0,)))
        black = blanked_pixels(plain, mask)
        assert (now == was)[~black].all()
