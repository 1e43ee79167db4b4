"""Images whose pixels cannot be cleaned here, and those that a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_medlabel.deid.pixels.described import may_show_identity
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Look, Reason
from napari_medlabel.deid.rules.options import Option

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_ROOT = "1.2.840.10008.5.1.4.1.1."
_ULTRASOUND = frozenset({"3", "3.1", "6", "6.1", "6.2", "6.3"})
_SECONDARY = frozenset({"7", "7.1", "7.2", "7.3", "7.4"})
_PHOTOGRAPHS = ("77.1.1", "77.1.2", "77.1.4")
_BY_MODALITY = {
    "US": Look.ULTRASOUND,
    "IVUS": Look.ULTRASOUND,
    "BDUS": Look.ULTRASOUND,
    "SC": Look.SECONDARY,
    "ES": Look.PHOTOGRAPH,
    "XC": Look.PHOTOGRAPH,
    "GM": Look.PHOTOGRAPH,
    "OT": Look.UNNAMED,
    "DOC": Look.UNNAMED,
    "": Look.UNNAMED,
}
_FACE_TAG = 0x00280302
_SCREENS = frozenset({"SCREEN SAVE", "SCREEN_SAVE", "SCREENSAVE", "SECONDARY CAPTURE"})
_LABELS = frozenset({"LABEL", "OVERVIEW"})


def check_cleanable(dataset: Dataset, *, face_removed: bool) -> None:
    """Refuse images of which more than text tells who it is.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    face_removed : bool
        Whether its face is removed as well.

    Raises
    ------
    QuarantineError
        For the label or the overview of a slide, whose bar code is no text, and for an image
        that says that a face can be recognized, unless that is removed.
    """
    if _values(dataset, "ImageType") & _LABELS:
        raise QuarantineError(Reason.PIXELS_MAY_SHOW)
    if "YES" in _values(dataset, "RecognizableVisualFeatures") and not face_removed:
        raise QuarantineError(Reason.PIXELS_MAY_SHOW)


def still_shows_identity(dataset: Dataset, done: frozenset[Option]) -> bool:
    """Whether pixels may show who it is after what was done to them.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    done : frozenset of Option
        Which of clean-pixels and clean-faces were carried out.
    """
    if Option.CLEAN_PIXELS in done:
        return False
    if Option.CLEAN_FACES in done and "RecognizableVisualFeatures" in dataset:
        rest = type(dataset)()
        for tag in dataset.keys() - {_FACE_TAG}:
            rest[tag] = dataset.get_item(tag)
        return may_show_identity(rest)
    return may_show_identity(dataset)


def look_at(dataset: Dataset) -> frozenset[Look]:
    """Return why a person must look at an image whose text was blanked.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    """
    found = set()
    tail = str(dataset.get("SOPClassUID") or "").removeprefix(_ROOT)
    if tail in _ULTRASOUND:
        found.add(Look.ULTRASOUND)
    if tail in _SECONDARY or "ConversionType" in dataset:
        found.add(Look.SECONDARY)
    if _values(dataset, "ImageType") & _SCREENS:
        found.add(Look.SECONDARY)
    if tail.startswith(_PHOTOGRAPHS):
        found.add(Look.PHOTOGRAPH)
    modality = next(iter(_values(dataset, "Modality")), "")
    if modality in _BY_MODALITY:
        found.add(_BY_MODALITY[modality])
    return frozenset(found)


def says_text(dataset: Dataset) -> bool:
    """Whether an image says of itself that text is burned in."""
    return "YES" in _values(dataset, "BurnedInAnnotation")


def _values(dataset: Dataset, keyword: str) -> frozenset[str]:
    value = dataset.get(keyword)
    if value is None:
        return frozenset()
    parts = [value] if isinstance(value, str) else list(value)
    return frozenset(str(part).strip("\0 ").upper() for part in parts)
