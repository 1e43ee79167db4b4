"""The stored value of air in each frame, by the rescale of the frame (PS3.3 C.7.6.16.2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_medlabel.deid.faces.finding import air_value
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_RESCALE = "PixelValueTransformationSequence"


def frames_by_air(
    dataset: Dataset, numbers: Sequence[int], ends: tuple[int, int]
) -> dict[int, list[int]]:
    """Return frames by the stored value that is air in them.

    Parameters
    ----------
    dataset : Dataset
        The instance as found, with one frame or several.
    numbers : sequence of int
        Zero-based frames.
    ends : tuple of int
        Lowest and highest value that can be stored.

    Raises
    ------
    QuarantineError
        When a table or a broken rescale stands between stored values and Hounsfield units.
    """
    modality = str(dataset.get("Modality") or "")
    found: dict[int, list[int]] = {}
    try:
        if modality == "CT" and dataset.get("ModalityLUTSequence"):
            raise QuarantineError(Reason.FACE_UNSURE)
        for number in numbers:
            slope, intercept = _rescale(dataset, number)
            found.setdefault(air_value(modality, slope, intercept, ends), []).append(number)
    except PARSE_ERRORS as err:
        raise QuarantineError(Reason.FACE_UNSURE) from err
    return found


def _rescale(dataset: Dataset, number: int) -> tuple[float, float]:
    """Return slope and intercept of a frame: its own, the shared ones, or the header's."""
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    groups = [
        *frames[number : number + 1],
        *(_items(dataset, "SharedFunctionalGroupsSequence")),
    ]
    for place in (*(item for group in groups for item in _items(group, _RESCALE)), dataset):
        slope, intercept = place.get("RescaleSlope"), place.get("RescaleIntercept")
        if slope is not None or intercept is not None:
            return _number(slope, 1.0), _number(intercept, 0.0)
    return 1.0, 0.0


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    found: Sequence[Dataset] = list(dataset.get(keyword) or ())[:1]
    return found


def _number(value: object, default: float) -> float:
    return default if value in (None, "") else float(str(value))
