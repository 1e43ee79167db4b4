"""Why a face was not removed: reasons in words, without values."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from napari_medlabel.errors import RefusedError


class Doubt(StrEnum):
    """What keeps the method from being sure."""

    NEEDS_MASK = "only CT can be done without a mask of the brain"
    NOT_HU = "the values are not Hounsfield units"
    NOT_A_VOLUME = "the images do not make up one volume with a place in the patient"
    MISSING_SLICES = "slices are missing"
    FAR_SLICES = "the slices lie too far apart"
    TOO_LARGE = "the scan covers too much of the body"
    NO_SKULL = "no brain closed in by bone was found"
    OPEN_SKULL = "the skull is open or not whole"
    BRAIN_SIZE = "the brain has not the size or shape of a grown person's"
    BRAIN_CUT = "the brain is cut off by the field of view"
    HEAD_CUT = "the head is cut off by the field of view"
    METAL = "metal lies at the brain"
    NECK = "the scan reaches below the neck"
    NO_NOSE = "no nose was found where the axes say the front is"
    NOSE_CUT = "the nose lies at the edge of the field of view"
    FACE_LEFT = "part of the face's surface would be left"
    MASK_EMPTY = "the mask given holds no brain"
    HEAD_MASK = "in the mask of a head given, the brain cannot be told with certainty"
    MASK_OUTSIDE = "the mask given does not lie inside the head"
    MASKS_DIFFER = "several masks given lie on this grid"
    UPRIGHT = "neither nose nor brain show which side is the front"
    UNCOVERED = "frames belong to no volume that was looked at"
    COPIES = "the same instance was met in two places"
    COLOUR = "the images are in colour"


class FaceUnsure(RefusedError):  # noqa: N818 - it is the answer of a method, not a fault
    """The face could not be removed with certainty.

    Parameters
    ----------
    doubt : Doubt
        Why.
    """

    def __init__(self, doubt: Doubt) -> None:
        super().__init__(
            f"The face was not removed: {doubt.value}.",
            hint="Give a mask of the brain (or of the whole head) on the scan's grid with "
            "--brain-masks, or let a person look at the scan.",
        )
        self.doubt = doubt

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.doubt,)
