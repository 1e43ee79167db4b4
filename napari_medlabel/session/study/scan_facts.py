"""What a cleaned scan's header may still say: vendor, field, thickness, sex and age."""

from __future__ import annotations

import math
import os
from typing import Any, Final

from napari_medlabel import __version__
from napari_medlabel.model.volume import Source
from napari_medlabel.project.cases.participants import sex_and_age

_TEXTS: Final = {"Manufacturer": "Manufacturer", "ManufacturersModelName":
                 "ManufacturerModelName"}  # fmt: skip
_NUMBERS: Final = {
    "MagneticFieldStrength": "MagneticFieldStrength",
    "SliceThickness": "SliceThickness",
}
_PATIENT: Final = ("PatientSex", "PatientAge")


def scan_facts(source: Source, modality: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the sidecar of a scan in BIDS' words, and the cells of its patient.

    Parameters
    ----------
    source : Source
        Of the de-identified scan: what the rules removed is not there any more.
    modality : str
        As DICOM has it; empty when unknown.
    """
    said: dict[str, Any] = {
        "ConversionSoftware": "napari-medlabel",
        "ConversionSoftwareVersion": __version__,
    }
    if modality:
        said["Modality"] = modality
    if source.format != "dicom":
        return said, {}
    import pydicom

    keywords = [*_TEXTS.values(), *_NUMBERS.values(), *_PATIENT]
    head = pydicom.dcmread(
        os.fspath(source.files[0]), stop_before_pixels=True, specific_tags=keywords
    )
    for key, keyword in _TEXTS.items():
        text = str(head.get(keyword) or "").strip()
        if text:
            said[key] = text
    for key, keyword in _NUMBERS.items():
        number = head.get(keyword)
        if number is not None and math.isfinite(float(number)):
            said[key] = float(number)
    sex, age = (str(head.get(keyword) or "").strip() for keyword in _PATIENT)
    return said, sex_and_age(sex, age)
