"""Pixel data: exactly what the header describes, and which images may show who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_medlabel.deid.pixels.fragments import Shape, clean_fragments
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.attribute_types import AttributeType, attribute_type

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.dataset import Dataset

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, double float and integer Pixel Data."""

_ROOT = "1.2.840.10008.5.1.4.1.1."
_RISKY_CLASSES = ("3.1", "3", "6", "6.1", "6.2", "6.3", "7", "7.1", "7.2", "7.3", "7.4")
_RISKY_TREES = ("77.1.1", "77.1.2", "77.1.4")
_WHOLE_SLIDE = "77.1.6"
_SPECTROSCOPY, _DOSE = "4.2", "481.2"
"""Has rows of spectra; may be a histogram alone."""

_RISKY_MODALITIES = frozenset({"US", "SC", "ES", "XC", "IVUS", "BDUS"})
_DOUBTFUL_MODALITIES = frozenset({"OT", "DOC", "GM", "SM"})
_RISKY_IMAGE_TYPES = frozenset(
    {"SCREEN SAVE", "SCREEN_SAVE", "SCREENSAVE", "LABEL", "OVERVIEW", "SECONDARY CAPTURE"}
)
_FLOAT_BITS = {0x7FE00008: 32, 0x7FE00009: 64}


def may_show_identity(dataset: Dataset) -> bool:
    """Whether pixels may carry text or a face that this engine cannot remove.

    Parameters
    ----------
    dataset : Dataset
        The instance as found; without pixel data the answer is no.

    Returns
    -------
    bool
        True for ultrasound, secondary captures, photographs and endoscopy, for pictures of
        a screen or a slide's label, for what says that it has burned-in text or a
        recognizable face, and for modalities of last resort that do not deny it.
    """
    if not any(tag in dataset for tag in PIXEL_TAGS):
        return False
    burned_in = _text(dataset, "BurnedInAnnotation")
    if burned_in == "YES" or _text(dataset, "RecognizableVisualFeatures") == "YES":
        return True
    tail = _text(dataset, "SOPClassUID").removeprefix(_ROOT)
    if tail in _RISKY_CLASSES or tail.startswith(_RISKY_TREES):
        return True
    modality = _text(dataset, "Modality")
    if modality in _RISKY_MODALITIES or "ConversionType" in dataset:
        return True
    image_type = {part.strip() for part in _text(dataset, "ImageType").split("\\")}
    if image_type & _RISKY_IMAGE_TYPES:
        return True
    return modality in _DOUBTFUL_MODALITIES and tail != _WHOLE_SLIDE and burned_in != "NO"


def check_complete(dataset: Dataset) -> None:
    """Refuse an image without its pixels, or with an overlay hidden in them.

    Raises
    ------
    QuarantineError
        When rows and columns are described, or the SOP class is one of images, and no
        pixel data follows, or when an overlay plane (60xx) says that it lies in unused bits
        of the pixels.
    """
    if not any(tag in dataset for tag in PIXEL_TAGS) and _is_image(dataset):
        raise QuarantineError(Reason.PIXELS_INCOMPLETE)
    for group in range(0x6000, 0x6100, 2):
        position = (group << 16) | 0x0102
        if position in dataset and ((group << 16) | 0x3000) not in dataset:
            raise QuarantineError(Reason.OVERLAY_IN_PIXELS)


def _is_image(dataset: Dataset) -> bool:
    """Whether an instance is one that has pixels: by its rows, or by the IOD of its class."""
    sop_class = _text(dataset, "SOPClassUID")
    tail = sop_class.removeprefix(_ROOT)
    if "Rows" in dataset and "Columns" in dataset:
        return tail != _SPECTROSCOPY
    needed = attribute_type("PixelData", sop_class) is AttributeType.VALUE
    return needed and tail != _DOSE


def exact_pixels(dataset: Dataset, raw: RawDataElement, *, encapsulated: bool) -> DataElement:
    """Pixel data of exactly the described length, or the described frames without surplus.

    Parameters
    ----------
    dataset : Dataset
        The instance as found: rows, columns, samples, bits, frames.
    raw : RawDataElement
        The pixel data element as read.
    encapsulated : bool
        Whether the transfer syntax compresses pixels.

    Returns
    -------
    DataElement
        Native bytes bit for bit as found, none beyond the last pixel but one to make it
        even. Compressed frames decode to the same pixels, see `clean_fragments`.

    Raises
    ------
    QuarantineError
        When the description is missing, the bytes are fewer than described, or a
        compressed frame cannot be checked.
    """
    from pydicom.dataelem import DataElement

    value = bytes(raw.value or b"")
    vr = raw.VR if raw.VR in {"OB", "OW", "OF", "OD"} else None
    if encapsulated:
        if raw.length != 0xFFFFFFFF:
            raise QuarantineError(Reason.PIXELS_BROKEN)
        element = DataElement(raw.tag, "OB", clean_fragments(value, _shape(dataset)))
        element.is_undefined_length = True
        return element
    size = described_length(dataset, int(raw.tag))
    if len(value) < size:
        raise QuarantineError(Reason.PIXELS_INCOMPLETE)
    value = value[:size]
    fallback = {32: "OF", 64: "OD"}.get(_FLOAT_BITS.get(int(raw.tag), 0), "OW")
    return DataElement(raw.tag, vr or fallback, value + bytes(len(value) & 1))


def described_length(dataset: Dataset, tag: int) -> int:
    """Length of native pixel data in bytes, from the image pixel module (PS3.3 C.7.6.3).

    Raises
    ------
    QuarantineError
        When rows, columns or bits are missing or not positive.
    """
    rows, columns = _number(dataset, "Rows", 0), _number(dataset, "Columns", 0)
    bits = _FLOAT_BITS.get(tag) or _number(dataset, "BitsAllocated", 0)
    samples = _number(dataset, "SamplesPerPixel", 1)
    frames = _number(dataset, "NumberOfFrames", 1)
    if min(rows, columns, bits, samples, frames) < 1:
        raise QuarantineError(Reason.PIXELS_UNDESCRIBED)
    if _text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    return (rows * columns * samples * frames * bits + 7) // 8


def _shape(dataset: Dataset) -> Shape:
    rows, columns = _number(dataset, "Rows", 0), _number(dataset, "Columns", 0)
    samples, bits = _number(dataset, "SamplesPerPixel", 1), _number(dataset, "BitsAllocated", 0)
    return Shape(_number(dataset, "NumberOfFrames", 1), samples * (bits // 8), rows * columns)


def _number(dataset: Dataset, keyword: str, default: int) -> int:
    value = dataset.get(keyword)
    return default if value in (None, "") else int(value)


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) else list(value)
    return "\\".join(str(part) for part in parts).strip("\0 ").upper()
