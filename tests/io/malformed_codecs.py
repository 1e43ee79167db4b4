"""Broken compressed pixels: cut streams, lying offsets and lengths, bombs."""

# ruff: noqa: E501 - a case is a line of a table

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tests.io.malformed import Case, block, deflated_zeros, probes
from tests.io.malformed_dicom import AFFINE, datasets, encoded, with_syntax, written

RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4.50"
LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K = "1.2.840.10008.1.2.4.90"
NATIVE = b"1.2.840.10008.1.2.1\0"
DEFLATED = "1.2.840.10008.1.2.1.99"
_ITEM = struct.Struct("<HHI")


def item(content: bytes) -> bytes:
    """Return an item of encapsulated pixel data."""
    content += b"\0" * (len(content) % 2)
    return _ITEM.pack(0xFFFE, 0xE000, len(content)) + content


def encapsulated(
    uid: str, items: bytes, *, k: int = 0, columns: int = 6, rows: int = 5
) -> bytes:
    """Return a slice's file with the items given as its pixel data."""
    ds = datasets()[k]
    ds.Rows, ds.Columns = rows, columns
    data = with_syntax(uid)(encoded(ds))
    head = data[: data.index(b"\xe0\x7f\x10\x00")]
    return head + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + items


END = _ITEM.pack(0xFFFE, 0xE0DD, 0)
NO_OFFSETS = item(b"")


def rle(plane: np.ndarray) -> bytes:
    """Return a plane of int16 as RLE of literal runs, PS3.5 annex G."""
    raw = plane.astype("<i2").tobytes()
    segments = []
    for part in (raw[1::2], raw[0::2]):
        runs = [part[n : n + 128] for n in range(0, len(part), 128)]
        body = b"".join(bytes([len(run) - 1]) + run for run in runs)
        segments.append(body + b"\0" * (len(body) % 2))
    offsets = [64, 64 + len(segments[0])]
    return struct.pack("<16I", 2, *offsets, *[0] * 13) + b"".join(segments)


def coded(uid: str, plane: np.ndarray) -> bytes:
    """Return a plane coded losslessly."""
    import imagecodecs

    if uid == RLE:
        return rle(plane)
    if uid == J2K:
        return bytes(
            imagecodecs.jpeg2k_encode(plane, codecformat="j2k", reversible=True, level=0)
        )
    if uid == JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(plane.astype(np.uint16)))
    if uid == LOSSLESS:
        return bytes(imagecodecs.ljpeg_encode(plane.astype(np.uint16), bitspersample=16))
    return bytes(imagecodecs.jpeg8_encode(plane.astype(np.uint8)))


Broken = Callable[[bytes], bytes]


def damaged(uid: str, change: Broken, folder: Path) -> Path:
    """Write a series of which one slice's code stream is damaged."""
    files = []
    for k, plane in enumerate(block()):
        stream = coded(uid, plane)
        stream = change(stream) if k == 2 else stream
        files.append(encapsulated(uid, NO_OFFSETS + item(stream) + END, k=k))
    return written(folder, files)


def framed(change: Callable[[bytes], bytes], folder: Path) -> Path:
    """Write an RLE series of which one slice's items are put together otherwise."""
    files = []
    for k, plane in enumerate(block()):
        stream = rle(plane)
        items = change(stream) if k == 2 else NO_OFFSETS + item(stream) + END
        files.append(encapsulated(RLE, items, k=k))
    return written(folder, files)


def _half(stream: bytes) -> bytes:
    return stream[: len(stream) // 2]


def _segment_offsets(stream: bytes) -> bytes:
    return struct.pack("<16I", 2, 64, 0x7FFFFFFF, *[0] * 13) + stream[64:]


def _segments(count: int) -> Broken:
    return lambda stream: struct.pack("<I", count) + stream[4:]


def _long_runs(stream: bytes) -> bytes:
    """Return RLE that goes on for 30 MB."""
    body = b"\x81\7" * 120_000
    return struct.pack("<16I", 2, 64, 64 + len(body), *[0] * 13) + body + body


def _other_size(uid: str) -> Broken:
    return lambda _: coded(uid, block(columns=9, rows=8)[0])


def _huge_j2k(stream: bytes) -> bytes:
    """Let a code stream claim 30000 x 30000 pixels in one tile."""
    at = stream.index(b"\xff\x51") + 6
    sizes = struct.pack(">8I", 30000, 30000, 0, 0, 30000, 30000, 0, 0)
    return stream[:at] + sizes + stream[at + 32 :]


def _huge_jpeg(stream: bytes) -> bytes:
    at = next(
        n
        for n in range(len(stream))
        if stream[n : n + 2] in (b"\xff\xc0", b"\xff\xc3", b"\xff\xf7")
    )
    return stream[: at + 5] + struct.pack(">HH", 60000, 60000) + stream[at + 9 :]


def deflated(plain: bytes, zeros_mb: int = 0) -> bytes:
    """Return a file with its dataset deflated, and megabytes of zeros before the pixels.

    What is no such file, because it was changed, is deflated from its 145th byte on.
    """
    length = struct.unpack_from("<I", plain.ljust(144, b"\0"), 140)[0]
    at = 144 + length if length < len(plain) else 144
    head, body = plain[:at], plain[at:]
    if NATIVE in head:
        head = with_syntax(DEFLATED)(head)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    if not zeros_mb:
        return head + packer.compress(body) + packer.flush()
    cut = body.index(b"\xe0\x7f\x10\x00")
    lie = struct.pack("<HH2sHI", 0x5001, 0x1010, b"OB", 0, zeros_mb << 20)
    start = packer.compress(body[:cut] + lie) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(6, zlib.DEFLATED, -15)
    end = last.compress(body[cut:]) + last.flush()
    return head + start + deflated_zeros(zeros_mb) + end


def _deflated(change: Broken, zeros_mb: int, folder: Path) -> Path:
    files = [deflated(encoded(ds), zeros_mb) for ds in datasets()]
    return written(folder, [change(data) for data in files])


def _damaged() -> Sequence[tuple[str, str, Broken]]:
    found: list[tuple[str, str, Broken]] = [
        ("RLE with segment offsets beyond its end", RLE, _segment_offsets),
        ("RLE of no segments", RLE, _segments(0)),
        ("RLE of a billion segments", RLE, _segments(1 << 30)),
        ("JPEG 2000 that claims 900 million pixels", J2K, _huge_j2k),
        ("lossless JPEG that claims 3.6 billion pixels", LOSSLESS, _huge_jpeg),
        ("JPEG-LS that claims 3.6 billion pixels", JPEG_LS, _huge_jpeg),
    ]
    for words, uid in (
        ("RLE", RLE),
        ("JPEG 2000", J2K),
        ("JPEG-LS", JPEG_LS),
        ("lossless JPEG", LOSSLESS),
    ):
        found.append((f"{words} cut in the middle", uid, _half))
        found.append((f"{words} of no bytes", uid, lambda _: b""))
        found.append((f"{words} of zeros", uid, lambda stream: bytes(len(stream))))
        if uid != RLE:
            found.append((f"{words} of another size", uid, _other_size(uid)))
    return found


def _framings() -> Sequence[tuple[str, str, Callable[[bytes], bytes]]]:
    table = struct.pack("<2I", 0, 0x7FFFFFF0)
    return [
        ("no fragments", "refused", lambda s: NO_OFFSETS + END),
        ("not even an offset table", "refused", lambda s: b""),
        ("a fragment longer than the file", "refused", lambda s: NO_OFFSETS + _ITEM.pack(0xFFFE, 0xE000, 1 << 30) + s),
        ("a fragment of undefined length", "refused", lambda s: NO_OFFSETS + _ITEM.pack(0xFFFE, 0xE000, 0xFFFFFFFF) + s + END),
        ("an offset table that lies", "careful", lambda s: item(table) + item(s) + END),
        ("fragments without an end", "careful", lambda s: NO_OFFSETS + item(s)),
        ("bytes where an item belongs", "refused", lambda s: NO_OFFSETS + b"garbage!" * 9 + END),
    ]  # fmt: skip


def _unchanged(data: bytes) -> bytes:
    return data


def cases() -> list[Case]:
    """Return the cases about compressed pixels."""
    whole = probes(AFFINE, range(5))
    found = [
        Case(name, "refused", partial(damaged, uid, change)) for name, uid, change in _damaged()
    ]
    found += [
        Case(f"encapsulated: {name}", want, partial(framed, change), "", whole)
        for name, want, change in _framings()
    ]
    return [
        *found,
        # One slice decodes to far more than it has: the others are right, in little memory.
        Case(
            "RLE that does not end",
            "warned",
            partial(damaged, RLE, _long_runs),
            "more pixel data than",
            probes(AFFINE, (0, 1, 3, 4)),
        ),
        Case("whole RLE", "read", partial(damaged, RLE, _unchanged), "", whole),
        Case("whole JPEG 2000", "read", partial(damaged, J2K, _unchanged), "", whole),
        Case("whole JPEG-LS", "read", partial(damaged, JPEG_LS, _unchanged), "", whole),
        Case("whole lossless JPEG", "read", partial(damaged, LOSSLESS, _unchanged), "", whole),
        Case("whole deflated", "read", partial(_deflated, _unchanged, 0), "", whole),
        Case("deflated and cut", "refused", partial(_deflated, lambda data: data[:-40], 0)),
        Case(
            "half a gigabyte of zeros in each deflated slice",
            "refused",
            partial(_deflated, _unchanged, 512),
        ),
    ]
