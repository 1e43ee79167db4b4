"""Why a person must look at an image, and what to look for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from napari_medlabel.deid.report.counts import Look

LOOK_WORDS: Mapping[Look, str] = MappingProxyType(
    {
        Look.ULTRASOUND: "Ultrasound: names and dates are often written into the picture. Look "
        "at the edges and inside the fan.",
        Look.SECONDARY: "Secondary capture: a picture of a screen or a scanned page can hold "
        "any text.",
        Look.PHOTOGRAPH: "Photograph or endoscopy: look for faces, marks of the skin, labels "
        "and text.",
        Look.UNNAMED: "The image does not say what kind it is: look for text and faces.",
        Look.LOW_CONTRAST: "Faint writing would not have been found here: look at the picture "
        "with raised contrast.",
        Look.FACE: "A face was removed automatically: see that nothing of it is left and "
        "nothing else is missing.",
    }
)


def words_of(look: str) -> str:
    """Return what to look for; for a reason that is not known here, the reason itself."""
    return LOOK_WORDS[Look(look)] if look in Look.__members__.values() else look
