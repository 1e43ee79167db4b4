"""Multi-frame DICOM files whose frames each have a place: functional groups, NM, RT dose."""

from __future__ import annotations

from typing import Final

from napari_medlabel.io.dicom_header import Instance

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_GROUPED: Final = frozenset(
    {"2.1", "2.2"}  # Enhanced CT and Legacy Converted Enhanced CT
    | {"4.1", "4.3", "4.4"}  # Enhanced MR, MR Color, Legacy Converted Enhanced MR
    | {"130", "128.1"}  # Enhanced PET, Legacy Converted Enhanced PET
    | {"6.2"}  # Enhanced US Volume
    | {
        "13.1.1",
        "13.1.2",
        "13.1.3",
    }  # X-Ray 3D Angiographic, Craniofacial, Breast Tomosynthesis
    | {"30"}  # Parametric Map
    | {"77.1.5.4", "77.1.5.8"}  # Ophthalmic Tomography and its B-scan analysis
)
"""Storage classes with functional groups whose frames may have places, PS3.4 B.5."""
NUCLEAR: Final = f"{_STORAGE}20"
DOSE: Final = f"{_STORAGE}481.2"
_PLAIN: Final = frozenset({"2", "4", "128"})
"""Single-frame CT, MR and PET, which some programs write with several frames."""


def wants_enhanced(instance: Instance) -> bool:
    """Tell whether `planes_of` must say where the pixels of this file lie.

    Looks at the storage class, the frames and the position alone, so it costs nothing.
    """
    if not instance.sop_class.startswith(_STORAGE):
        return False
    short = instance.sop_class.removeprefix(_STORAGE)
    if short in _GROUPED or instance.sop_class == DOSE:
        return True
    if instance.sop_class == NUCLEAR:
        return instance.frames > 1 or instance.position_lps is None
    return short in _PLAIN and instance.frames > 1
