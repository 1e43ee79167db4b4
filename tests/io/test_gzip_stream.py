"""Gzip: what is written is what any other reader finds, whatever its length."""

from __future__ import annotations

import bz2
import gzip
import zlib
from hashlib import sha256

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.gzip_stream import GzipReader, gzipped, write_gzip, zlibbed

BLOCK = 1 << 20
PACK = {"gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress, "raw": bytes}
NOISE = np.random.default_rng(4).integers(0, 200, 50_000, np.uint8).tobytes()


def unpacked(path, packing, length, see=lambda _: None):
    with path.open("rb", buffering=0) as stream:
        reader = GzipReader(stream, packing=packing, see=see)
        target = bytearray(length)
        done = reader.read_into(memoryview(target))
        reader.finish()
    return bytes(target[:done])


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
    write_gzip(tmp_path / "a", b"head", [body.data, body[: length // 3].data])
    whole = b"head" + body.tobytes() + body[: length // 3].tobytes()
    # gzip checks the sum and the size at the end
    assert gzip.decompress((tmp_path / "a").read_bytes()) == whole
    assert unpacked(tmp_path / "a", "gzip", len(whole) + 5) == whole


@pytest.mark.parametrize("packing", PACK)
def test_a_reader_sees_every_byte_of_the_file_and_stops_at_the_end(tmp_path, packing):
    data = PACK[packing](NOISE) + (b"" if packing == "raw" else b"behind")
    (tmp_path / "a").write_bytes(data)
    digest = sha256()
    assert unpacked(tmp_path / "a", packing, 60_000, digest.update) == NOISE
    assert digest.digest() == sha256(data).digest()


@pytest.mark.parametrize("packing", ["gzip", "bzip2"])
def test_several_members_are_one_stream(tmp_path, packing):
    pack = PACK[packing]
    (tmp_path / "a").write_bytes(b"".join(pack(part) for part in (NOISE, b"", b"abc")))
    assert unpacked(tmp_path / "a", packing, 60_000) == NOISE + b"abc"


@pytest.mark.parametrize("packing", ["gzip", "zlib", "bzip2"])
def test_a_cut_at_any_place_is_found(tmp_path, packing):
    data = PACK[packing](NOISE)
    for length in [*range(3, 30), len(data) // 2, *range(len(data) - 9, len(data))]:
        (tmp_path / "a").write_bytes(data[:length])
        with pytest.raises(InputError, match="cut off"):
            unpacked(tmp_path / "a", packing, 60_000)


@pytest.mark.parametrize("packing", ["gzip", "zlib", "bzip2"])
def test_a_changed_byte_is_found(tmp_path, packing):
    data = bytearray(PACK[packing](NOISE))
    data[len(data) // 2] ^= 0x55
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match=r"damaged|cut off"):
        unpacked(tmp_path / "a", packing, 60_000)


def test_bytes_are_passed_over(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(NOISE))
    with (tmp_path / "a").open("rb") as stream:
        reader = GzipReader(stream, packing="gzip", see=lambda _: None)
        assert reader.skip(1000) == 1000
        target = bytearray(10)
        reader.read_into(memoryview(target))
        assert target == NOISE[1000:1010]
        assert reader.skip(1 << 30) == len(NOISE) - 1010


def test_a_stream_far_longer_than_its_header_says_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(bytes(70 << 20), 1))
    with pytest.raises(InputError, match="far more data than its header says"):
        unpacked(tmp_path / "a", "gzip", 10)


@pytest.mark.parametrize("length", [0, 7, BLOCK + 1])
def test_parts_of_a_stream_are_those_of_the_file(tmp_path, length):
    body = np.random.default_rng(5).integers(0, 9, length, np.uint8)
    write_gzip(tmp_path / "a", b"head", [body.data])
    assert b"".join(gzipped(b"head", [body.data])) == (tmp_path / "a").read_bytes()
    packed = b"".join(zlibbed([body.data, body[: length // 2].data]))
    assert zlib.decompress(packed) == body.tobytes() + body[: length // 2].tobytes()
