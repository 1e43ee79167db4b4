"""One compressed frame -> stored values, by what its code stream is.

The code stream's own header decides over the transfer syntax, which is wrong at times: which
codec, how many bits, and whether values are signed. imagecodecs lets other threads run while
it decodes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.coding import DEFLATED_FRAMES, RLE, Coding
from napari_medlabel.io.dicom.pixels.jpeg_end import is_cut
from napari_medlabel.io.dicom.pixels.jpeg_xl import CODE_STREAM, CONTAINER, size_of

Array = npt.NDArray[Any]
Kind = Literal["jpeg", "jpeg-ls", "jpeg 2000", "jpeg xl", "rle", "deflate"]
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOF_LS: Final = 0xF7
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_short = struct.Struct(">H").unpack_from
_long = struct.Struct(">I").unpack_from


@dataclass(frozen=True, slots=True)
class CodeStream:
    """What a code stream says of itself.

    Parameters
    ----------
    kind : str
        Family of formats.
    rows, columns, samples : int
        Of the image; zeros where the format does not say.
    precision : int
        Bits of one sample; 0 where the format does not say.
    signed : bool or None
        Whether it says that samples are signed; None where the format cannot.
    is_rgb : bool or None
        Whether three samples are red, green and blue when they have been decoded; None where
        it does not say.
    has_surplus : bool
        Whether it holds more than the image.
    """

    kind: Kind
    rows: int = 0
    columns: int = 0
    samples: int = 0
    precision: int = 0
    signed: bool | None = None
    is_rgb: bool | None = None
    has_surplus: bool = False


def decode_frame(code: bytes, coding: Coding, where: str) -> tuple[Array, CodeStream] | None:
    """Decode one frame.

    Parameters
    ----------
    code : bytes
        Its fragments, joined.
    coding : Coding
        What the file's header says.
    where : str
        Names the image in messages.

    Returns
    -------
    tuple of ndarray, shape (rows, columns) or (rows, columns, 3), and CodeStream, or None
        Stored values of the header's dtype, colours as they are coded; None where no codec
        here can decode it.

    Raises
    ------
    InputError
        When the frame is cut off, or is another image than the header says.
    """
    stream = examine(code, coding, where)
    if stream is None:
        return None
    _require_same(stream, coding, where)
    if stream.kind == "rle" and not coding.floats:
        unpacked, is_long = _unpack_rle(code, coding, where)
        return unpacked, replace(stream, has_surplus=is_long)
    frame = _run(stream, code, coding, where)
    if frame is None:
        return None
    shape = (coding.rows, coding.columns, coding.samples)[: 2 if coding.samples == 1 else 3]
    if frame.shape != shape or frame.dtype.kind not in "iu":
        return None
    if stream.kind == "jpeg" and is_cut(
        code, frame, lambda other: _run(stream, other, coding, where)
    ):
        raise _cut_off(where)
    return _as_stored(frame, stream, coding), stream


def examine(code: bytes, coding: Coding, where: str) -> CodeStream | None:
    """Read the header of a code stream; None where it is of no known kind.

    Raises
    ------
    InputError
        When it has no end.
    """
    if coding.syntax == RLE:
        return CodeStream("rle")
    if coding.syntax == DEFLATED_FRAMES:
        return CodeStream("deflate")
    if code.startswith((CODE_STREAM, CONTAINER)):
        size = size_of(code)
        return None if size is None else CodeStream("jpeg xl", *size, coding.samples)
    try:
        if code.startswith(b"\xff\xd8"):
            return _examine_jpeg(code, where)
        # A JP2 file has boxes around its code stream.
        at = 0 if code.startswith(_JPEG_2000) else code.find(_JPEG_2000, 0, 4096)
        if at >= 0:
            return _examine_jpeg_2000(code, at, where)
    except (struct.error, IndexError) as err:
        raise _cut_off(where) from err
    return None


def _examine_jpeg(code: bytes, where: str) -> CodeStream | None:
    """Walk the markers of ISO/IEC 10918-1 (and 14495-1) up to the frame header."""
    at, adobe, has_jfif = 2, -1, False
    while True:
        if code[at] != 0xFF:
            return None
        marker = code[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = _short(code, at + 2)[0]
        if marker in _SOF or marker == _SOF_LS:
            break
        if marker == 0xEE and code[at + 4 : at + 9] == b"Adobe" and length >= 14:
            adobe = code[at + 15]
        has_jfif |= marker == 0xE0 and code[at + 4 : at + 8] == b"JFIF"
        at += 2 + length
    # Behind the frame header this can only be the end: entropy-coded data cannot hold it.
    if code.rfind(b"\xff\xd9", at) < 0:
        raise _cut_off(where)
    precision, rows, columns, samples = struct.unpack_from(">BHHB", code, at + 4)
    names = bytes(code[at + 10 + 3 * n] for n in range(samples))
    is_rgb: bool | None = None
    if names in (b"RGB", b"rgb") or adobe == 0:
        is_rgb = True
    elif adobe == 1 or (has_jfif and marker in {0xC0, 0xC1, 0xC2}):
        is_rgb = False
    kind: Kind = "jpeg-ls" if marker == _SOF_LS else "jpeg"
    return CodeStream(kind, rows, columns, samples, precision, None, is_rgb)


def _examine_jpeg_2000(code: bytes, at: int, where: str) -> CodeStream:
    """Read SIZ and COD, and follow the tile parts to the end, ISO/IEC 15444-1 annex A."""
    right, bottom, left, top = struct.unpack_from(">4I", code, at + 8)
    samples = _short(code, at + 40)[0]
    size = code[at + 42]
    is_rgb, at = None, at + 2
    while code[at] == 0xFF and code[at + 1] != 0x90:
        if code[at + 1] == 0x52:
            is_rgb = True if code[at + 8] else None
        at += 2 + _short(code, at + 2)[0]
    while at + 12 <= len(code) and code[at : at + 2] == b"\xff\x90":
        length = _long(code, at + 6)[0]
        at = at + length if length else len(code.rstrip(b"\0")) - 2
    if code[at : at + 2] != b"\xff\xd9":
        raise _cut_off(where)
    return CodeStream(
        "jpeg 2000",
        bottom - top,
        right - left,
        samples,
        (size & 0x7F) + 1,
        bool(size & 0x80),
        is_rgb,
    )


def _require_same(stream: CodeStream, coding: Coding, where: str) -> None:
    """Refuse another image than the header's before anything is allocated for it."""
    if stream.rows == 0:
        return
    said = (coding.rows, coding.columns, coding.samples)
    if (stream.rows, stream.columns, stream.samples) != said:
        raise InputError(
            f"The compressed image of {where} has another matrix or number of samples than "
            "the header says.",
            hint="Export the series again, uncompressed if the archive allows it.",
        )
    if stream.precision > coding.allocated:
        raise InputError(
            f"The compressed image of {where} has {stream.precision} bits, more than Bits "
            f"Allocated ({coding.allocated}).",
            hint="Export the series again, uncompressed if the archive allows it.",
        )


def _run(stream: CodeStream, code: bytes, coding: Coding, where: str) -> Array | None:
    if stream.kind == "deflate":
        return _inflate(code, coding, where)
    if coding.floats or coding.allocated < 8:
        return None
    import imagecodecs

    if stream.kind == "jpeg" and stream.precision not in {8, 12, 16}:
        return _try(imagecodecs.ljpeg_decode, code)
    if stream.kind == "jpeg" and stream.samples == 3:
        # Named alike on both sides, so that samples come as they are coded.
        return _try(
            lambda data: imagecodecs.jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB"),
            code,
        )
    codecs: dict[Kind, Callable[[bytes], Array]] = {
        "jpeg": imagecodecs.jpeg_decode,
        "jpeg-ls": imagecodecs.jpegls_decode,
        "jpeg 2000": imagecodecs.jpeg2k_decode,
        "jpeg xl": imagecodecs.jpegxl_decode,
    }
    return _try(codecs[stream.kind], code)


def _try(codec: Callable[[bytes], Array], code: bytes) -> Array | None:
    try:
        return np.asarray(codec(code))
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError):
        return None  # the caller asks pydicom, and says it when that cannot either


def _unpack_rle(code: bytes, coding: Coding, where: str) -> tuple[Array, bool]:
    """Decode PS3.5 annex G: one segment for each byte of each sample, high bytes first.

    Returns the stored values, and whether there is something behind the last of them.
    """
    is_bits = coding.allocated == 1
    segments = 1 if is_bits else coding.samples * coding.allocated // 8
    if len(code) < 64 or struct.unpack_from("<I", code)[0] != segments:
        raise _cut_off(where)
    import imagecodecs

    dtype = coding.dtype.newbyteorder("<")
    needed = coding.rows * coding.columns * coding.samples * dtype.itemsize
    if is_bits:
        needed = (coding.frame_bits + 7) // 8
    is_long = False
    try:
        data = imagecodecs.dicomrle_decode(code, dtype, out=needed)
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError):
        data, is_long = _unpack_loosely(code, segments, dtype.itemsize, needed // segments)
    if len(data) != needed:
        raise _cut_off(where)
    if is_bits:
        return native_frame(np.frombuffer(data, np.uint8), 0, coding), is_long
    flat = np.frombuffer(data, dtype).astype(coding.dtype, copy=False)
    if coding.samples == 1:
        return flat.reshape(coding.rows, coding.columns), is_long
    planes = flat.reshape(coding.samples, coding.rows, coding.columns)
    return np.moveaxis(planes, 0, 2), is_long


def _unpack_loosely(code: bytes, segments: int, width: int, size: int) -> tuple[bytes, bool]:
    """Decode segments that have something behind their last pixel; shorter where one is cut.

    Returns the values, and whether more of them follow: a byte that pads is none.
    """
    is_long = False
    offsets = [*struct.unpack_from(f"<{segments}I", code, 4), len(code)]
    planes = []
    for at, end in pairwise(offsets):
        plane = _segment(code, at, end, size)
        if len(plane) < size:
            return b"", False
        is_long |= len(plane) > size
        planes.append(np.frombuffer(plane[:size], np.uint8))
    # High bytes come first; little-endian numbers begin with the low one.
    samples = np.stack(planes).reshape(segments // width, width, size)
    return np.ascontiguousarray(np.moveaxis(samples[:, ::-1], 1, 2)).tobytes(), is_long


def _segment(code: bytes, at: int, end: int, size: int) -> bytearray:
    """Decode one segment until there are more than enough bytes, PS3.5 G.3.2."""
    plane = bytearray()
    while at + 1 < end <= len(code) and len(plane) <= size:
        count = code[at]
        if count < 128:
            plane += code[at + 1 : min(at + 2 + count, end)]
            at += 2 + count
        elif count > 128:
            plane += code[at + 1 : at + 2] * (257 - count)
            at += 2
        else:
            at += 1
    return plane


def _inflate(code: bytes, coding: Coding, where: str) -> Array | None:
    """Decode one frame of Deflated Image Frame Compression, PS3.5 A.4.13."""
    needed = (coding.frame_bits + 7) // 8
    try:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(code, needed)
    except zlib.error:
        return None
    if len(data) != needed:
        raise _cut_off(where)
    return native_frame(np.frombuffer(data, np.uint8), 0, coding)


def native_frame(data: npt.NDArray[np.uint8], first_bit: int, coding: Coding) -> Array:
    """Return one native little-endian frame, PS3.5 8.1.1 and 8.2, and PS3.3 C.7.6.3.1.3.

    Parameters
    ----------
    data : ndarray of uint8
        Bytes of the frame.
    first_bit : int
        Bits of the first byte that belong to the frame before; for single bits only.
    coding : Coding
        What the file's header says.

    Returns
    -------
    ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored values of the header's dtype, native; colours as they are coded. May share
        memory with ``data``.
    """
    rows, columns, samples = coding.rows, coding.columns, coding.samples
    if coding.allocated == 1:
        bits = np.unpackbits(data, count=first_bit + rows * columns, bitorder="little")
        return bits[first_bit:].reshape(rows, columns)
    values = data.view(coding.dtype.newbyteorder("<")).astype(coding.dtype, copy=False)
    if coding.photometric == "YBR_FULL_422":
        return _spread(values, rows, columns)
    if samples == 1:
        return values.reshape(rows, columns)
    if coding.planar == 1:
        return np.moveaxis(values.reshape(samples, rows, columns), 0, 2)
    return values.reshape(rows, columns, samples)


def _spread(values: Array, rows: int, columns: int) -> Array:
    """Give both pixels of a pair their common colour: Y Y Cb Cr, PS3.3 C.7.6.3.1.2."""
    pairs = values.reshape(-1, 4)
    out = np.empty((len(pairs), 2, 3), values.dtype)
    out[:, :, 0] = pairs[:, :2]
    out[:, :, 1] = pairs[:, 2:3]
    out[:, :, 2] = pairs[:, 3:]
    return out.reshape(rows, columns, 3)


def _as_stored(frame: Array, stream: CodeStream, coding: Coding) -> Array:
    """Return decoded values in the header's dtype, with the sign where the stream has it."""
    dtype = coding.dtype
    if frame.dtype.kind == "i" and frame.dtype.itemsize < dtype.itemsize:
        frame = frame.view(f"u{frame.dtype.itemsize}")
    frame = frame.astype(f"u{dtype.itemsize}", copy=False).view(dtype)
    spare = dtype.itemsize * 8 - stream.precision
    if stream.precision == 0 or spare == 0:
        return frame
    if coding.signed or stream.signed:
        # The code stream's own precision says where the sign is (PS3.5 8.2.4).
        frame = (frame << spare) >> spare
    return frame


def _cut_off(where: str) -> InputError:
    return InputError(
        f"The series is damaged: the compressed image of {where} has no end.",
        hint="Copy or export the series again.",
    )
