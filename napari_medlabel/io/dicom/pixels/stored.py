"""One DICOM file -> the stored values of its frames, whichever way they are encoded."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.header.instance import DEFLATED, EXPLICIT_BIG, Instance
from napari_medlabel.io.dicom.header.odd import inflated
from napari_medlabel.io.dicom.pixels.codecs import decode_frame, native_frame
from napari_medlabel.io.dicom.pixels.coding import HALVED, Coding, coding_of, is_native
from napari_medlabel.io.dicom.pixels.frames import (
    UNDEFINED,
    Fetch,
    Span,
    fragments,
    frames_of,
    from_bytes,
    from_file,
    join,
    read_into,
)
from napari_medlabel.io.dicom.quiet import failures, quietly

Array = npt.NDArray[Any]
LARGEST_RATIO: Final = 1000  # bytes out per byte in, beyond which a compressed image is a bomb
SURPLUS: Final = (
    "{} of the files hold more pixel data than Rows, Columns and Number of Frames say; what is "
    "too much was left out."
)
_DECODERS: Final = ("pylibjpeg", "pyjpegls", "pillow")
_CODE_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


@dataclass(frozen=True, eq=False)
class Frame:
    """Stored values of one frame.

    Parameters
    ----------
    values : ndarray, shape (rows, columns) or (rows, columns, 3)
        Of the header's dtype, native, without bits that are no part of them; colours as they
        are coded. May share memory with what the file was read from, and be read-only.
    is_rgb : bool or None
        Whether three samples are red, green and blue; None where only the header says.
    has_surplus : bool
        Whether its code stream holds more than the frame.
    """

    values: Array
    is_rgb: bool | None = None
    has_surplus: bool = False


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixel data of one file, with its frames found.

    Parameters
    ----------
    one : Instance
        The file.
    coding : Coding
        How its pixels are coded.
    fetch : callable
        Reads its bytes, or those of its pixel data.
    start : int
        Where native pixels begin in what ``fetch`` reads.
    parts : tuple of tuple of pair of int
        Fragments of each compressed frame; empty where pixels are native.
    where : str
        Names the file in messages.
    has_surplus : bool
        Whether there is more pixel data than the header accounts for.
    """

    one: Instance
    coding: Coding
    fetch: Fetch
    start: int
    parts: tuple[tuple[Span, ...], ...]
    where: str
    has_surplus: bool = False

    def frame(self, number: int) -> Frame:
        """Read one frame.

        Parameters
        ----------
        number : int
            Zero-based.

        Raises
        ------
        InputError
            When the file is cut off, damaged, or cannot be decoded.
        """
        self.require_frame(number)
        if not self.parts:
            return Frame(unmasked(self._native(number), self.coding)[0])
        code = join(self.fetch, self.parts[number])
        found = decode_frame(code, self.coding, self.where)
        if found is None:
            return Frame(_by_pydicom(self.one, self.coding, number, self.where))
        values, stream = found
        if stream.precision in (0, self.coding.allocated):
            values = unmasked(values, self.coding)[0]
        return Frame(values, stream.is_rgb, stream.has_surplus)

    def require_frame(self, number: int) -> None:
        """Refuse a frame that the file does not have."""
        if not 0 <= number < self.coding.frames:
            raise InputError(
                f"Frame {number + 1} of {self.coding.frames} was asked for.",
                hint="The header contradicts itself; export the series again.",
            )

    def _native(self, number: int) -> Array:
        bits = self.coding.frame_bits
        first, beyond = number * bits, (number + 1) * bits
        begin, end = first // 8, (beyond + 7) // 8
        data = np.frombuffer(self.fetch(self.start + begin, end - begin), np.uint8)
        return native_frame(data, first % 8, self.coding)


def open_pixels(one: Instance, where: str, data: memoryview | None = None) -> Pixels:
    """Find the frames of a file.

    Parameters
    ----------
    one : Instance
        The file.
    where : str
        Names it in messages.
    data : memoryview, optional
        All of its bytes, where they have been read already.

    Raises
    ------
    InputError
        When pixels are missing, cut off, of a kind that cannot be read, or when the header
        promises more than the file can hold.
    """
    coding = coding_of(one)
    require_possible(one, coding, where)
    if one.pixel_offset is None:
        return _open_odd(one, coding, where)
    fetch = from_file(one.file, where) if data is None else from_bytes(data, where)
    length = one.pixel_length
    if one.transfer_syntax == EXPLICIT_BIG and length != UNDEFINED:
        # The value representation stands 8 bytes before the value, PS3.5 7.1.2.
        vr = bytes(fetch(one.pixel_offset - 8, 2)).decode("latin-1")
        value = _turned(bytes(fetch(one.pixel_offset, length)), vr, coding)
        return _opened(one, coding, from_bytes(value, where), (0, length, length), where)
    return _opened(one, coding, fetch, (one.pixel_offset, length, one.size), where)


def stored_frames(one: Instance, where: str = "the file") -> Iterator[Frame]:
    """Yield the stored values of each frame of a file, in order.

    Parameters
    ----------
    one : Instance
        The file.
    where : str
        Names it in messages.

    Raises
    ------
    InputError
        As `open_pixels` and `Pixels.frame`.
    """
    pixels = open_pixels(one, where)
    for number in range(pixels.coding.frames):
        yield pixels.frame(number)


def require_possible(one: Instance, coding: Coding, where: str) -> None:
    """Refuse headers that promise far more than their file can hold, before allocating."""
    if coding.frame_bits // 8 * coding.frames > one.size * LARGEST_RATIO:
        raise InputError(
            f"The matrix of {where} is far larger than its file can hold.",
            hint="The header is damaged; export the series again from its source.",
        )


def unmasked(
    values: Array, coding: Coding, *, in_place: bool = False
) -> tuple[Array, int, int]:
    """Clear or sign-extend the bits outside of Bits Stored, PS3.5 8.1.1.

    Parameters
    ----------
    values : ndarray
        Stored values.
    coding : Coding
        What the header says.
    in_place : bool
        Whether to change ``values``; else a copy is made where bits are set that should not.

    Returns
    -------
    tuple of ndarray, int, int
        The values, and their lowest (0 where they have no signs) and highest; both 0 where no
        bits are spare.
    """
    if not coding.has_spare_bits:
        return values, 0, 0
    low, high = int(values.min()) if coding.signed else 0, int(values.max())
    least, most = coding.ends
    if coding.high_bit == coding.stored - 1 and least <= low and high <= most:
        return values, low, high
    # Shifting left drops what lies above High Bit; shifting back drops what lies below, and
    # copies the sign where the type is signed.
    out = values if in_place else np.empty_like(values)
    np.left_shift(values, coding.allocated - 1 - coding.high_bit, out=out)
    np.right_shift(out, coding.allocated - coding.stored, out=out)
    return out, int(out.min()), int(out.max())


def _opened(
    one: Instance, coding: Coding, fetch: Fetch, place: tuple[int, int, int], where: str
) -> Pixels:
    """Find frames in pixel data that begins at and is as long as ``place`` says."""
    start, length, size = place
    if length == UNDEFINED:
        items = fragments(fetch, start, size, where)
        parts = frames_of(fetch, items, coding.frames, where)
        return Pixels(one, coding, fetch, start, parts, where)
    head = bytes(fetch(start, min(8, max(0, length))))
    if not is_native(coding) and head.startswith(_CODE_STARTS) and coding.frames == 1:
        # A code stream without items around it.
        return Pixels(one, coding, fetch, start, (((start, length),),), where)
    needed = (coding.frame_bits * coding.frames + 7) // 8
    full = dataclasses.replace(coding, photometric="YBR_FULL")
    if coding.photometric == HALVED and length >= full.frame_bits * coding.frames // 8:
        coding, needed = full, full.frame_bits * coding.frames // 8
    if length < needed:
        raise InputError(
            f"The pixel data of {where} is shorter than Rows, Columns and the bits of a pixel "
            "ask for.",
            hint="The file was cut off or its header is wrong; export the series again.",
        )
    return Pixels(one, coding, fetch, start, (), where, has_surplus=length > needed + 1)


def _open_odd(one: Instance, coding: Coding, where: str) -> Pixels:
    """Let pydicom find the pixels of a big endian, deflated or otherwise odd file."""
    import pydicom

    source: Path | io.BytesIO = one.path
    if one.transfer_syntax == DEFLATED:
        whole = np.empty(one.size, np.uint8)
        read_into(one.file, 0, whole, where)
        source = io.BytesIO(inflated(whole.data))
    with quietly():
        try:
            dataset = pydicom.dcmread(source, force=True)
            name = next(
                name
                for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
                if name in dataset
            )
            element = dataset.get_item(name)
            value = bytes(element.value or b"")
            is_little = bool(dataset.original_encoding[1])
            is_open = getattr(element, "length", 0) == UNDEFINED
            vr = str(element.VR or "OW")
        except StopIteration as err:
            raise InputError(
                f"The file of {where} has no pixel data.",
                hint="Copy or export the series again.",
            ) from err
        except failures() as err:
            raise InputError(
                f"The pixels of {where} cannot be found: the file is damaged.",
                hint="Copy or export the series again.",
            ) from err
    if not is_little and not is_open:
        value = _turned(value, vr, coding)
    length = UNDEFINED if is_open else len(value)
    return _opened(one, coding, from_bytes(value, where), (0, length, len(value)), where)


def _turned(value: bytes, vr: str, coding: Coding) -> bytes:
    """Return big-endian pixels as little-endian ones, PS3.5 annex D."""
    width = max(2, coding.allocated // 8) if vr != "OB" else coding.allocated // 8
    if width <= 1:
        return value
    whole = len(value) // width * width
    return np.frombuffer(value, np.uint8, whole).view(f"u{width}").byteswap().tobytes()


def _by_pydicom(one: Instance, coding: Coding, number: int, where: str) -> Array:
    """Ask pydicom's decoders for a frame that no codec here can decode.

    GDCM is not asked: it ends the whole process on some damaged frames.
    """
    shape = (coding.rows, coding.columns, coding.samples)[: 2 if coding.samples == 1 else 3]
    for decoder in _DECODERS:
        found = _decoded(one, number, decoder)
        if found is None:
            continue
        if found.shape == shape and found.dtype.itemsize == coding.dtype.itemsize:
            native = found.astype(found.dtype.newbyteorder("="), copy=False)
            return native.view(coding.dtype)
    raise InputError(
        f"The pixels of {where} cannot be decoded: they are damaged, or compressed in a way "
        "that is not supported.",
        hint="Export the series again, uncompressed if the archive allows it.",
    )


def _decoded(one: Instance, number: int, decoder: str) -> Array | None:
    from pydicom.pixels.utils import pixel_array

    with quietly():
        try:
            return np.asarray(
                pixel_array(one.path, index=number, raw=True, decoding_plugin=decoder)
            )
        except failures():
            return None  # the next one is asked, and the caller says it when none can
