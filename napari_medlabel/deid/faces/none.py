"""When a scan certainly shows no face: by the name of the part, or by its size.

Only what is certain counts. A chest that reaches up to the neck, a knee without a name, a
radiograph taken to plan a scan: all of them are looked at by a person.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from napari_medlabel.deid.faces.ct import SKIN_HU
from napari_medlabel.deid.faces.field import STEP_MM, Field

TOMOGRAPHY: Final = frozenset({"CT", "MR", "PT"})
THIN_MM: Final = 12.0
"""Planes that together reach over no more than this from head to feet show no face."""
_TRUNK_MM2: Final = 45_000.0
_TRUNK_TISSUE_MM2: Final = 33_000.0
_PARTS: Final = frozenset(
    {
        "ABDOMEN",
        "ABDOMENPELVIS",
        "ADRENAL",
        "ANKLE",
        "AORTA",
        "APPENDIX",
        "ARM",
        "BILE DUCT",
        "BLADDER",
        "BREAST",
        "BRONCHUS",
        "CALCANEUS",
        "CALF",
        "CHEST",
        "CHESTABDOMEN",
        "CHESTABDPELVIS",
        "COCCYX",
        "COLON",
        "CORONARYARTERY",
        "ELBOW",
        "EXTREMITY",
        "FEMUR",
        "FINGER",
        "FOOT",
        "FOREARM",
        "GALLBLADDER",
        "HAND",
        "HEART",
        "HIP",
        "HUMERUS",
        "ILIUM",
        "KIDNEY",
        "KNEE",
        "LEG",
        "LIVER",
        "LSPINE",
        "LUNG",
        "OVARY",
        "PANCREAS",
        "PATELLA",
        "PELVIS",
        "PROSTATE",
        "RECTUM",
        "RENALARTERY",
        "RIB",
        "SACRUM",
        "SCAPULA",
        "SHOULDER",
        "SIJOINT",
        "SPLEEN",
        "STERNUM",
        "STOMACH",
        "TESTIS",
        "THIGH",
        "THORAX",
        "TLSPINE",
        "TOE",
        "TSPINE",
        "UTERUS",
        "WRIST",
    }
)


def is_other_part(part: str) -> bool:
    """Whether Body Part Examined (PS3.16 Annex L) names a part that has no face in it.

    Parameters
    ----------
    part : str
        As in the header. Without a name, or with a name that is not known here, it may be a
        head: a neck, a whole body, an orbit.
    """
    return part.strip().upper() in _PARTS


def is_trunk(field: Field) -> bool:
    """Whether every level of a CT shows more body than any head has.

    Parameters
    ----------
    field : Field
        The CT in Hounsfield units.
    """
    from scipy import ndimage

    levels = np.flatnonzero(field.inside.any(axis=(0, 1)))
    for s in levels:
        body = field.values[:, :, s] > SKIN_HU
        labels, count = ndimage.label(body)
        if not count:
            return False
        largest = labels == int(np.bincount(labels.ravel())[1:].argmax()) + 1
        whole = np.count_nonzero(ndimage.binary_fill_holes(largest)) * STEP_MM**2
        if whole < _TRUNK_MM2 or np.count_nonzero(largest) * STEP_MM**2 < _TRUNK_TISSUE_MM2:
            return False
    return bool(len(levels))
