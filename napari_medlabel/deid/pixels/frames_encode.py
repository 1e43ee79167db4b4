"""One frame of stored values -> a code stream without loss, of the family of another."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.io.dicom.pixels.codecs import CodeStream
from napari_medlabel.io.dicom.pixels.coding import Coding

Array = npt.NDArray[Any]
_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203))
_FIRST_SEGMENT, _MOST_SEGMENTS = 64, 15


class EncodeError(ValueError):
    """No encoder of that family can take such a frame."""


def encoded_frame(frame: Array, stream: CodeStream, coding: Coding) -> bytes:
    """Return a frame coded without loss.

    Parameters
    ----------
    frame : ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored values, colours as they are coded.
    stream : CodeStream
        What it was decoded from: its family, precision and sign are kept.
    coding : Coding
        What the header says.

    Raises
    ------
    EncodeError
        When no encoder of that family can take it.
    """
    if stream.kind == "rle":
        return _rle(frame)
    values = _unsigned(frame, stream, coding)
    try:
        return _run(values, stream, coding)
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as err:
        raise EncodeError from err


def _run(values: Array, stream: CodeStream, coding: Coding) -> bytes:
    import imagecodecs

    bits = stream.precision or coding.stored
    if stream.kind == "jpeg-ls":
        return bytes(imagecodecs.jpegls_encode(values))
    if stream.kind == "jpeg":
        return _lossless_jpeg(values, stream, bits)
    if stream.kind != "jpeg 2000":
        raise EncodeError
    is_mixed = stream.is_rgb is True
    if coding.syntax in _HTJ2K:
        return bytes(imagecodecs.htj2k_encode(values, reversible=True, rgb=is_mixed))
    return bytes(
        imagecodecs.jpeg2k_encode(
            values, codecformat="j2k", reversible=True, mct=is_mixed, bitspersample=bits
        )
    )


def _lossless_jpeg(values: Array, stream: CodeStream, bits: int) -> bytes:
    """Process 14 with first-order prediction (selection value 1)."""
    import imagecodecs

    if values.ndim == 2:
        return bytes(
            imagecodecs.jpeg8_encode(values, lossless=True, predictor=1, bitspersample=bits)
        )
    # Named alike on both sides, so that samples stay as they are.
    space = "YCBCR" if stream.is_rgb is False else "RGB"
    return bytes(
        imagecodecs.jpeg8_encode(
            values,
            lossless=True,
            predictor=1,
            bitspersample=bits,
            colorspace=space,
            outcolorspace=space,
            subsampling="444",
        )
    )


def _unsigned(frame: Array, stream: CodeStream, coding: Coding) -> Array:
    """Values as their code stream counts them: negative ones only where it has a sign."""
    bits = stream.precision or coding.stored
    if stream.kind == "jpeg-ls" or coding.syntax in _HTJ2K:
        bits = 8 if bits <= 8 else 16  # their encoders here know no other precision
    if stream.signed or frame.dtype.kind == "u":
        narrow = frame
    else:
        narrow = frame.view(f"u{frame.dtype.itemsize}") & ((1 << bits) - 1)
    if bits <= 8 and narrow.dtype.itemsize > 1:
        narrow = narrow.astype(f"{narrow.dtype.kind}1")
    return np.ascontiguousarray(narrow)


def _rle(frame: Array) -> bytes:
    """PS3.5 annex G: a segment for each byte of each sample, high bytes first, row by row."""
    import imagecodecs

    samples = frame[..., None] if frame.ndim == 2 else frame
    width = frame.dtype.itemsize
    if samples.shape[2] * width > _MOST_SEGMENTS:
        raise EncodeError
    segments = []
    for n in range(samples.shape[2]):
        big = samples[..., n].astype(samples.dtype.newbyteorder(">"))
        planes = np.ascontiguousarray(big).view(np.uint8).reshape(*big.shape, width)
        for byte in range(width):
            plane = np.ascontiguousarray(planes[..., byte])
            packed = bytes(imagecodecs.packbits_encode(plane, axis=-1))
            segments.append(packed + bytes(len(packed) & 1))
    starts, at = [], _FIRST_SEGMENT
    for segment in segments:
        starts.append(at)
        at += len(segment)
    unused = [0] * (_MOST_SEGMENTS - len(segments))
    return struct.pack("<16L", len(segments), *starts, *unused) + b"".join(segments)
