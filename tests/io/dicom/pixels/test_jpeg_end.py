"""JPEG whose data were cut and closed again: found wherever a pixel is lost, good ones kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels import jpeg_end
from tests.io.coded import JPEG, encoder, filled, grey, save

END = b"\xff\xd9"
ROWS, COLUMNS = 40, 48


def scan(dtype="u2", bits=0, background=0):
    """Return noise on a ramp, with rows of one value at the end, as air has it."""
    bits = bits or np.dtype(dtype).itemsize * 8
    ramp = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) * (1 << bits - 8)
    noise = np.random.default_rng(5).integers(0, 1 << bits - 5, ramp.shape)
    image = (ramp + noise).astype(dtype)
    image[ROWS - background :] = 7
    return image


def read(folder, code, stored, syntax="70"):
    return filled(
        save(grey(stored[None], syntax=JPEG + syntax, codes=[code]), folder / "a.dcm")
    )


def cut(code, count):
    at = code.rfind(END)
    return code[: at - count] + END


KINDS = [
    ("lossless", "u1", 0),
    ("lossless", "u2", 0),
    ("lossless-12", "u2", 12),
    ("other-14", "u2", 14),
    ("other-16", "u2", 16),
]


def coded(codec, stored, bits):
    if codec.startswith("other"):
        import imagecodecs

        return bytes(imagecodecs.ljpeg_encode(stored, bitspersample=bits))
    return encoder(codec)(stored)


@pytest.mark.parametrize("background", [0, 3, 39, 40])
@pytest.mark.parametrize(("codec", "dtype", "bits"), KINDS)
def test_lossless_data_that_are_cut_and_closed_are_refused(
    tmp_path, codec, dtype, bits, background
):
    stored = scan(dtype, bits, background)
    code = coded(codec, stored, bits)
    np.testing.assert_array_equal(read(tmp_path, code, stored).array[0, 0], stored)
    for count in (2, 3, 5, 20, len(code) // 2):
        if code.rfind(END) - count < 200 and background > 30:
            continue  # the tables would be cut
        with pytest.raises(InputError, match=r"has no end|cannot be decoded"):
            read(tmp_path, cut(code, count), stored)


@pytest.mark.parametrize("background", [0, 3, 40])
@pytest.mark.parametrize(("codec", "dtype", "bits"), KINDS)
def test_a_cut_inside_the_last_pixel_is_refused_or_costs_nothing(
    tmp_path, codec, dtype, bits, background
):
    stored = scan(dtype, bits, background)
    code = cut(coded(codec, stored, bits), 1)
    try:
        array = read(tmp_path, code, stored).array[0, 0]
    except InputError:
        return
    np.testing.assert_array_equal(array, stored)


def test_lossless_colours_that_are_cut_and_closed_are_refused(tmp_path):
    stored = np.stack([scan("u1"), scan("u1")[::-1], scan("u1")[:, ::-1]], axis=-1)
    code = encoder("lossless")(stored)
    np.testing.assert_array_equal(read(tmp_path, code, stored).colour[0], stored)
    for count in (2, 30, len(code) // 2):
        with pytest.raises(InputError, match="has no end"):
            read(tmp_path, cut(code, count), stored)


@pytest.mark.parametrize(
    ("syntax", "codec", "bits"), [("50", "jpeg", 8), ("51", "jpeg-12", 12)]
)
@pytest.mark.parametrize("share", [0.3, 0.66, 0.95])
def test_sequential_data_that_are_cut_and_closed_are_refused(
    tmp_path, syntax, codec, bits, share
):
    stored = scan("u1" if bits == 8 else "u2", bits)
    code = encoder(codec)(stored)
    wishes = {"syntax": syntax}
    head = code.rfind(b"\xff\xda")
    count = int((len(code) - head) * (1 - share))
    if bits == 8:
        read(tmp_path, code, stored, **wishes)
        with pytest.raises(InputError, match="has no end"):
            read(tmp_path, cut(code, count), stored, **wishes)
        return
    ds = grey(stored[None], syntax=JPEG + syntax, codes=[cut(code, count)])
    ds.BitsStored, ds.HighBit = 12, 11
    with pytest.raises(InputError, match="has no end"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_cut_sequential_colours_are_refused(tmp_path):
    stored = np.stack([scan("u1")] * 3, axis=-1)
    code = encoder("jpeg")(stored)
    with pytest.raises(InputError, match="has no end"):
        read(tmp_path, cut(code, len(code) // 4), stored, "50")


def test_an_image_that_ends_in_middle_grey_is_read(tmp_path):
    stored = scan("u1")
    stored[-8:, -8:] = 128
    array = read(tmp_path, encoder("jpeg")(stored), stored, "50").array[0, 0]
    assert np.abs(array.astype(int) - stored).max() <= 3


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("shift", [0, 3])
def test_what_was_coded_is_found_by_every_predictor(predictor, shift):
    """Decoding what `_differences` says gives the samples again, annex H.1.2."""
    samples = scan("u2")[:6, :7]
    one = jpeg_end._Scan(0xC3, 16, ((1, 1),), 0, (), predictor, shift, 0)
    found = jpeg_end._differences(samples[..., None], 0, one)[..., 0]
    assert found.min() >= -32767
    assert found.max() <= 32768
    again = np.zeros(samples.shape, int)
    for j, i in np.ndindex(samples.shape):
        a, b, c = again[j, i - 1], again[j - 1, i], again[j - 1, i - 1]
        formulas = (a, b, c, a + b - c, a + (b - c >> 1), b + (a - c >> 1), a + b >> 1)
        guess = formulas[predictor - 1] if i and j else a if i else b
        again[j, i] = (found[j, i] + (guess if i or j else 1 << 15 - shift)) & 0xFFFF
    np.testing.assert_array_equal(again, samples >> shift)
    # A part is found like the whole.
    part = jpeg_end._differences(samples[..., None], 4, one)[..., 0]
    np.testing.assert_array_equal(part, found[4:])


def with_restarts(code, stored, height):
    """Code the rows of a predictor-1 stream again, in intervals (annex H.1.2.1)."""
    one = jpeg_end._scan(code)
    table = jpeg_end._table(one.tables[0])
    data = b""
    bounds = [*range(0, ROWS, height), ROWS]
    for n, (first, last) in enumerate(pairwise(bounds)):
        found = jpeg_end._differences(stored[first:last, :, None], 0, one)
        bits = jpeg_end._coded(found.ravel(), table)
        bits = np.concatenate([bits, np.ones(-len(bits) % 8, np.uint8)])
        data += np.packbits(bits).tobytes().replace(b"\xff", b"\xff\0")
        data += bytes([0xFF, 0xD0 + n % 8]) * (last < ROWS)
    interval = b"\xff\xdd\0\4" + (height * COLUMNS).to_bytes(2, "big")
    start = code.rfind(b"\xff\xda", 0, one.begin)
    return code[:start] + interval + code[start : one.begin] + data + END


@pytest.mark.parametrize("height", [1, 7, 20])
def test_restart_intervals_are_counted(tmp_path, height):
    stored = scan("u1")
    # Restarts make differences that need a code: noise has them all.
    stored[:, 0] = np.random.default_rng(2).integers(0, 256, ROWS)
    code = with_restarts(encoder("lossless")(stored), stored, height)
    np.testing.assert_array_equal(read(tmp_path, code, stored).array[0, 0], stored)
    for count in (2, 10, len(code) // 2):
        with pytest.raises(InputError, match=r"has no end|cannot be decoded"):
            read(tmp_path, cut(code, count), stored)
