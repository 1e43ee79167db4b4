"""Compressed frames: every transfer syntax, and what is refused."""

from __future__ import annotations

import time
import zlib

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.stored import SURPLUS
from tests.io.coded import JPEG, RLE, encoder, filled, grey, pattern, rle, save

LOSSLESS = [
    ("57", "lossless", "u1"),
    ("70", "lossless", "u2"),
    ("70", "lossless", "i2"),
    ("70", "lossless-12", "u2"),
    ("80", "jpeg-ls", "u1"),
    ("80", "jpeg-ls", "u2"),
    ("80", "jpeg-ls", "i2"),
    ("90", "jpeg-2000", "u1"),
    ("90", "jpeg-2000", "u2"),
    ("90", "jpeg-2000", "i2"),
    ("90", "jpeg-2000-jp2", "u2"),
    ("92", "jpeg-2000", "u2"),
    ("201", "htj2k", "u2"),
    ("202", "htj2k", "u1"),
    ("203", "htj2k", "i2"),
    ("110", "jpeg-xl", "u2"),
]


@pytest.mark.parametrize(("syntax", "codec", "dtype"), LOSSLESS)
def test_every_lossless_syntax_holds_the_same_voxels(tmp_path, syntax, codec, dtype):
    bits = 12 if codec.endswith("12") else 0
    stored = pattern((3, 40, 24), dtype, bits)
    source = stored
    if stored.dtype.kind == "i" and codec not in {"jpeg-2000", "htj2k"}:
        source = stored.view(f"u{stored.itemsize}")
    codes = [encoder(codec)(frame) for frame in source]
    ds = grey(stored, syntax=JPEG + syntax, codes=codes)
    if bits:
        ds.BitsStored, ds.HighBit = 12, 11
    result = filled(save(ds, tmp_path / "a.dcm"))
    assert result.array.dtype == stored.dtype
    np.testing.assert_array_equal(result.array[0], stored)
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("syntax", "codec", "bits", "most"),
    [("50", "jpeg", 8, 3), ("51", "jpeg-12", 12, 8), ("81", "jpeg-ls-near", 8, 2)],
)
def test_lossy_syntaxes_stay_near(tmp_path, syntax, codec, bits, most):
    stored = pattern((2, 32, 32), "u1" if bits == 8 else "u2", bits)
    codes = [encoder(codec)(frame) for frame in stored]
    ds = grey(stored, syntax=JPEG + syntax, codes=codes, BitsStored=bits, HighBit=bits - 1)
    array = filled(save(ds, tmp_path / "a.dcm")).array[0]
    assert np.abs(array.astype(int) - stored).max() <= most
    assert array.dtype == stored.dtype


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_run_lengths_of_every_width(tmp_path, dtype):
    stored = pattern((2, 7, 5), dtype)
    ds = grey(stored, syntax=RLE, codes=[rle(frame) for frame in stored])
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], stored)


def test_run_lengths_of_colours(tmp_path):
    stored = pattern((2, 6, 5, 3), "u1")
    ds = grey(stored, syntax=RLE, codes=[rle(frame) for frame in stored])
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).colour, stored)


@pytest.mark.parametrize("shape", [(2, 7, 5), (2, 7, 5, 3)])
def test_run_lengths_with_something_behind_the_last_pixel(tmp_path, shape):
    stored = pattern(shape, "u2" if len(shape) == 3 else "u1")
    wider = np.concatenate([stored, stored[:, -1:]], axis=1)
    ds = grey(stored, syntax=RLE, codes=[rle(frame) for frame in wider])
    result = filled(save(ds, tmp_path / "a.dcm"))
    found = result.array[0] if len(shape) == 3 else result.colour
    np.testing.assert_array_equal(found, stored)
    assert result.warnings == (SURPLUS.format(1),)


def test_runs_that_repeat_are_unfolded_also_with_something_behind(tmp_path):
    stored = np.full((1, 4, 5), 7, np.uint8)
    head = np.array([1, 64, *[0] * 14], "<u4").tobytes()
    for tail, said in ((b" ", ()), (b"\x80\x02abc", (SURPLUS.format(1),))):
        code = head + bytes([257 - 12, 7, 0, 7, 128, 257 - 7, 7]) + tail
        ds = grey(stored, syntax=RLE, codes=[code + b"\0" * (len(code) % 2)])
        result = filled(save(ds, tmp_path / "a.dcm"))
        np.testing.assert_array_equal(result.array[0], stored)
        assert result.warnings == said


def test_deflated_frames_of_single_bits(tmp_path):
    bits = (np.arange(2 * 5 * 3).reshape(2, 5, 3) % 3 == 0).astype(np.uint8)
    codes = []
    for frame in bits:
        packer = zlib.compressobj(wbits=-15)
        packed = np.packbits(frame.ravel(), bitorder="little").tobytes()
        codes.append(packer.compress(packed) + packer.flush())
    ds = grey(bits, syntax="1.2.840.10008.1.2.8.1", codes=codes)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], bits)


@pytest.mark.parametrize("codec", ["lossless-12", "jpeg-2000-12"])
def test_the_code_stream_says_where_the_sign_is(tmp_path, codec):
    """12-bit two's complement written as unsigned numbers, header says 16 bits signed."""
    stored = pattern((1, 32, 24), "i2", 12)
    code = encoder(codec)((stored[0] & 0xFFF).astype(np.uint16))
    syntax = "90" if codec == "jpeg-2000-12" else "70"
    ds = grey(stored, syntax=JPEG + syntax, codes=[code])
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], stored)


def test_a_signed_code_stream_in_an_unsigned_file_gives_the_bits_as_stored(tmp_path):
    signed = pattern((1, 32, 24), "i2")
    ds = grey(signed.view("u2"), syntax=JPEG + "90", codes=[encoder("jpeg-2000")(signed[0])])
    array = filled(save(ds, tmp_path / "a.dcm")).array[0]
    np.testing.assert_array_equal(array, signed.view("u2"))


def test_the_code_stream_decides_over_the_transfer_syntax(tmp_path):
    stored = pattern((1, 32, 24), "u2")
    ds = grey(stored, syntax=JPEG + "50", codes=[encoder("jpeg-ls")(stored[0])])
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], stored)


@pytest.mark.parametrize("tail", [b"\0", b"\xff", b" \0", b"\x00\xd3\x0c\x99\xfa\0"])
def test_padding_behind_a_code_stream_is_left_out(tmp_path, tail):
    stored = pattern((1, 32, 24), "u2")
    ds = grey(stored, syntax=JPEG + "70", codes=[encoder("lossless")(stored[0]) + tail])
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], stored)


@pytest.mark.parametrize(
    ("syntax", "codec"),
    [("70", "lossless"), ("80", "jpeg-ls"), ("90", "jpeg-2000"), ("201", "htj2k")],
)
@pytest.mark.parametrize("share", [0.03, 0.4, 0.99])
def test_a_cut_off_code_stream_is_refused(tmp_path, syntax, codec, share):
    stored = pattern((1, 64, 48), "u2")
    code = encoder(codec)(stored[0])
    ds = grey(stored, syntax=JPEG + syntax, codes=[code[: int(len(code) * share)]])
    with pytest.raises(InputError, match=r"has no end|cannot be decoded"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_a_cut_off_run_length_frame_is_refused(tmp_path):
    stored = pattern((1, 64, 48), "u2")
    ds = grey(stored, syntax=RLE, codes=[rle(stored[0])[:2000]])
    with pytest.raises(InputError, match=r"has no end|cannot be decoded"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_noise_instead_of_a_code_stream_is_refused(tmp_path):
    stored = pattern((1, 32, 24), "u2")
    ds = grey(stored, syntax=JPEG + "70", codes=[bytes(range(256)) * 4])
    with pytest.raises(InputError, match="cannot be decoded"):
        filled(save(ds, tmp_path / "a.dcm"))


@pytest.mark.parametrize("codec", ["lossless", "jpeg-ls", "jpeg-2000", "jpeg-xl"])
def test_another_matrix_than_the_headers_is_refused_before_it_is_decoded(tmp_path, codec):
    stored = pattern((1, 32, 24), "u2")
    code = encoder(codec)(pattern((64, 48), "u2"))
    ds = grey(stored, syntax=JPEG + "70", codes=[code])
    with pytest.raises(InputError, match="another matrix"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_more_bits_than_allocated_are_refused(tmp_path):
    stored = pattern((1, 32, 24), "u1")
    ds = grey(stored, syntax=JPEG + "70", codes=[encoder("lossless")(pattern((32, 24), "u2"))])
    with pytest.raises(InputError, match="16 bits, more than Bits Allocated"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_a_matrix_that_a_small_file_cannot_hold_is_refused_at_once(tmp_path):
    stored = pattern((1, 32, 24), "u2")
    ds = grey(stored, syntax=JPEG + "70", codes=[encoder("lossless")(stored[0])])
    ds.Rows = ds.Columns = 60000
    path = save(ds, tmp_path / "a.dcm")
    start = time.monotonic()
    with pytest.raises(InputError, match="far larger than its file"):
        filled(path)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [("100", "video"), ("102", "video"), ("107", "video"), ("94", "server")],
)
def test_video_and_references_are_refused_with_the_reason(tmp_path, syntax, reason):
    stored = pattern((2, 8, 8), "u1")
    ds = grey(stored, syntax=JPEG + syntax, codes=[b"\0\0\1\xb3" * 8, b"\0\0\1\xb3" * 8])
    with pytest.raises(InputError, match=reason):
        filled(save(ds, tmp_path / "a.dcm"))
