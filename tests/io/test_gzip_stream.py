"""Gzip: what is written is what any other reader finds, whatever its length."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.gzip_stream import GzipReader, write_gzip

BLOCK = 1 << 18


@pytest.mark.parametrize(
    "length", [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 12345]
)
@pytest.mark.parametrize("kind", ["zeros", "noise", "sparse"])
def test_every_length_unpacks_to_what_was_packed(tmp_path, length, kind):
    body = np.zeros(length, np.uint8)
    if kind == "noise":
        body[:] = np.random.default_rng(3).integers(0, 256, length)
    elif length:
        body[length // 2] = kind == "sparse"
    write_gzip(tmp_path / "a", b"head", body.data)
    # gzip checks the sum and the size at the end
    assert gzip.decompress((tmp_path / "a").read_bytes()) == b"head" + body.tobytes()


def test_a_reader_sees_every_byte_of_the_file_and_stops_at_the_end(tmp_path):
    data = gzip.compress(b"abcdef" * 1000)
    (tmp_path / "a").write_bytes(data + b"behind")
    seen = bytearray()
    with (tmp_path / "a").open("rb") as stream:
        reader = GzipReader(stream, compressed=True, see=seen.extend)
        target = bytearray(7000)
        assert reader.read_into(memoryview(target)) == 6000
        reader.finish()
    assert bytes(target[:6000]) == b"abcdef" * 1000
    assert bytes(seen) == data + b"behind"


def test_a_stream_far_longer_than_its_header_says_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(bytes(70 << 20), 1))
    with (tmp_path / "a").open("rb") as stream:
        reader = GzipReader(stream, compressed=True, see=lambda _: None)
        reader.read_into(memoryview(bytearray(10)))
        with pytest.raises(InputError, match="far more data than its header says"):
            reader.finish()


def test_zlib_streams_are_read_too(tmp_path):
    (tmp_path / "a").write_bytes(zlib.compress(b"abc"))
    with (tmp_path / "a").open("rb") as stream:
        reader = GzipReader(stream, compressed=True, see=lambda _: None, wbits=15)
        target = bytearray(3)
        assert reader.read_into(memoryview(target)) == 3
        reader.finish()
    assert target == b"abc"
