"""Frames of one pixel data element: decoded to stored values, some blanked, written again.

Only frames that are blanked change. Native pixels are overwritten where they lie. A compressed
frame is coded again without loss in the family of formats that it came in; of a baseline or
extended JPEG the blanked blocks alone are replaced (`jpeg_blocks`). Where neither is possible
all frames become JPEG-LS without loss, and the transfer syntax says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID, HTJ2KLossless, HTJ2KLosslessRPCL, JPEGLSLossless

from napari_medlabel.deid.pixels.fragments import clean_fragments, frames_in, item_of, shape_of
from napari_medlabel.deid.pixels.frames_encode import EncodeError, encoded_frame
from napari_medlabel.deid.pixels.jpeg_blocks import (
    BlocksError,
    blank_blocks,
    blanked_pixels,
    is_lossless,
    is_sequential,
)
from napari_medlabel.deid.pixels.native_frames import NativeFrames
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.codecs import CodeStream, decode_frame
from napari_medlabel.io.dicom.pixels.coding import Coding

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
_FLOAT_BITS = {0x7FE00008: 32, 0x7FE00009: 64}
_SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_420", "YBR_PARTIAL_422")


@dataclass(frozen=True)
class Rewritten:
    """Pixel data with blanked frames.

    Parameters
    ----------
    value : bytes
        The element's value; of compressed pixels an empty offset table and one fragment for
        each frame.
    syntax : UID
        Its transfer syntax.
    attributes : mapping of str to object
        What the header must say otherwise than before, by keyword.
    """

    value: bytes
    syntax: UID
    attributes: Mapping[str, Any] = field(default_factory=dict)


def coding_from(
    dataset: Dataset, syntax: UID, tag: int, changed: Mapping[str, Any] | None = None
) -> Coding:
    """Return how the pixels of a data set are coded.

    Parameters
    ----------
    dataset : Dataset
        What describes them.
    syntax : UID
        Their transfer syntax.
    tag : int
        Of the pixel data element.
    changed : mapping of str to object, optional
        What is described otherwise now: its photometric interpretation.

    Raises
    ------
    QuarantineError
        Where what the header says is no coding of pixels.
    """
    named = (changed or {}).get("PhotometricInterpretation")
    named = named or dataset.get("PhotometricInterpretation") or ""
    floats = tag in _FLOAT_BITS
    allocated = _FLOAT_BITS.get(tag) or _number(dataset, "BitsAllocated", 16)
    stored = allocated if floats else _number(dataset, "BitsStored", allocated)
    high_bit = stored - 1 if floats else _number(dataset, "HighBit", stored - 1)
    coding = Coding(
        syntax=str(syntax),
        rows=_number(dataset, "Rows", 0),
        columns=_number(dataset, "Columns", 0),
        samples=_number(dataset, "SamplesPerPixel", 1),
        frames=max(1, _number(dataset, "NumberOfFrames", 1)),
        planar=_number(dataset, "PlanarConfiguration", 0),
        photometric=str(named).strip("\0 ").upper(),
        allocated=allocated,
        stored=stored,
        high_bit=high_bit,
        signed=not floats and _number(dataset, "PixelRepresentation", 0) == 1,
        floats=floats,
    )
    if not 1 <= stored <= high_bit + 1 <= allocated or allocated not in {1, 8, 16, 32, 64}:
        raise QuarantineError(Reason.PIXELS_UNDESCRIBED)
    if min(coding.rows, coding.columns) < 1 or coding.samples not in {1, 3}:
        raise QuarantineError(Reason.PIXELS_UNDESCRIBED)
    return coding


def _number(dataset: Dataset, keyword: str, default: int) -> int:
    value = dataset.get(keyword)
    return default if value in (None, "") else int(value)


class CompressedFrames:
    """The frames of encapsulated pixel data.

    Parameters
    ----------
    value : bytes
        Cleaned: an empty offset table, and one fragment for each frame.
    coding : Coding
        How they are coded.
    """

    def __init__(self, value: bytes, coding: Coding) -> None:
        self.coding = coding
        self._codes = list(frames_in(value))
        self.softens = coding.samples == 3 and any(map(is_sequential, self._codes[:1]))
        """Whether decoders smooth colours over the edges of blocks."""

    def __len__(self) -> int:
        return len(self._codes)

    def frame(self, number: int) -> Array:
        """Return the stored values of a frame, colours as they are coded.

        Raises
        ------
        QuarantineError
            Where no codec here can decode it.
        """
        return self._decoded(number)[0]

    def is_rgb(self) -> bool | None:
        """Whether the first frame's code stream says that its samples are RGB."""
        return self._decoded(0)[1].is_rgb

    def _decoded(self, number: int) -> tuple[Array, CodeStream]:
        return _decoded(self._codes[number], self.coding)

    def covered(self, number: int, mask: Mask) -> Mask:
        """Return what becomes black of a frame where a mask is to: whole blocks of a JPEG."""
        code = self._codes[number]
        if not mask.any() or not is_sequential(code):
            return mask
        try:
            return blanked_pixels(code, mask)
        except BlocksError:
            return mask

    def blanked(
        self,
        masks: Mapping[int, Mask],
        black: tuple[float, ...],
        dataset: Dataset,
        *,
        exact: bool = False,
    ) -> Rewritten:
        """Return the element with the masked pixels of some frames black.

        Parameters
        ----------
        masks : mapping of int to ndarray of bool, shape (rows, columns)
            By number of the frame.
        black : tuple of float
            A value for each sample.
        dataset : Dataset
            What describes the frames.
        exact : bool
            Whether no pixel beside the mask may change, not even in the same block.

        Raises
        ------
        QuarantineError
            Where a frame cannot be decoded, or what was written does not decode to the same.
        """
        syntax = UID(self.coding.syntax)
        try:
            codes = {
                n: self._reencoded(n, mask, black, exact=exact) for n, mask in masks.items()
            }
        except (EncodeError, BlocksError):
            return self._converted(masks, black, dataset)
        parts = [codes.get(n, code) for n, code in enumerate(self._codes)]
        if codes and syntax == HTJ2KLosslessRPCL:
            syntax = HTJ2KLossless  # what is coded again keeps no such order of packets
        changes = self._by_reversible(codes)
        value = b"".join(map(item_of, (b"", *parts)))
        return Rewritten(clean_fragments(value, shape_of(dataset)), syntax, changes)

    def _reencoded(
        self, number: int, mask: Mask, black: tuple[float, ...], *, exact: bool
    ) -> bytes:
        code = self._codes[number]
        frame, stream = self._decoded(number)
        if stream.kind == "jpeg" and not is_lossless(code):
            if exact:
                raise BlocksError
            return blank_blocks(code, mask, black)
        return encoded_frame(_painted(frame, mask, black), stream, self.coding)

    def _by_reversible(self, codes: Mapping[int, bytes]) -> dict[str, Any]:
        """Name the colour transform of JPEG 2000 without loss where all frames have it now."""
        if self.coding.photometric != "YBR_ICT" or not codes:
            return {}
        if len(codes) != len(self._codes):
            return {}
        return {"PhotometricInterpretation": "YBR_RCT"}

    def _converted(
        self, masks: Mapping[int, Mask], black: tuple[float, ...], dataset: Dataset
    ) -> Rewritten:
        """All frames as JPEG-LS without loss, with what they lost before still said."""
        codes = []
        stream = CodeStream("jpeg-ls", precision=self.coding.stored)
        for number in range(len(self)):
            frame = self.frame(number)
            if number in masks:
                frame = _painted(frame, masks[number], black)
            try:
                codes.append(encoded_frame(frame, stream, self.coding))
            except EncodeError as err:
                raise QuarantineError(Reason.PIXELS_UNCHECKED) from err
        attributes: dict[str, Any] = {"LossyImageCompression": "01"}
        if "LossyImageCompressionMethod" not in dataset:
            attributes["LossyImageCompressionMethod"] = "ISO_10918_1"
        if self.coding.samples == 3:
            attributes["PlanarConfiguration"] = 0
            attributes["PhotometricInterpretation"] = self._named()
        value = b"".join(map(item_of, (b"", *codes)))
        return Rewritten(clean_fragments(value, shape_of(dataset)), JPEGLSLossless, attributes)

    def _named(self) -> str:
        """Return what the colours are once they have been decoded."""
        if self.is_rgb():
            return "RGB"
        named = self.coding.photometric
        return "YBR_FULL" if named in _SUBSAMPLED else named


def frames_of(
    value: bytes, coding: Coding, syntax: UID, vr: str = "OW"
) -> NativeFrames | CompressedFrames:
    """Return the frames of a cleaned pixel data element.

    Parameters
    ----------
    value : bytes
        The element's value, of exactly the described length or frames.
    coding : Coding
        How they are coded.
    syntax : UID
        The file's transfer syntax.
    vr : str
        Of the element: words of two bytes are swapped in big endian.
    """
    if syntax.is_encapsulated:
        return CompressedFrames(value, coding)
    little = bool(syntax.is_little_endian)
    swapped = not little and vr == "OW" and coding.allocated == 8
    return NativeFrames(value, coding, little=little, swapped=swapped)


def _decoded(code: bytes, coding: Coding) -> tuple[Array, CodeStream]:
    try:
        found = decode_frame(code, coding, "the image")
    except (InputError, *PARSE_ERRORS) as err:
        raise QuarantineError(Reason.PIXELS_UNCHECKED) from err
    if found is None:
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    return found


def _painted(frame: Array, mask: Mask, black: tuple[float, ...]) -> Array:
    """Return a frame with masked pixels black."""
    painted = frame.copy()
    painted[mask] = black if frame.ndim == 3 else black[0]
    return painted
