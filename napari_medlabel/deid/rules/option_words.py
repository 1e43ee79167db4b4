"""Each option in words for a person: what it keeps or does, and what risk comes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from napari_medlabel.deid.rules.options import Option


@dataclass(frozen=True)
class Words:
    """An option in words.

    Parameters
    ----------
    title : str
        Two to four words.
    does : str
        What stays or is done, in a sentence.
    risk : str
        What could tell about a person because of it, in a sentence.
    """

    title: str
    does: str
    risk: str


OPTION_WORDS: Mapping[Option, Words] = MappingProxyType(
    {
        Option.RETAIN_UIDS: Words(
            "Keep UIDs",
            "Keeps the identifiers of studies, series and images as they are.",
            "Who can look into the archive that the scans came from finds the patient at once.",
        ),
        Option.RETAIN_DEVICE: Words(
            "Keep device",
            "Keeps serial numbers, station names and calibration dates; network names get a "
            "code.",
            "Tells which scanner it was, and so at which place the patient was.",
        ),
        Option.RETAIN_INSTITUTION: Words(
            "Keep institution",
            "Keeps names, addresses and departments of institutions.",
            "Tells where the patient was treated.",
        ),
        Option.RETAIN_PATIENT_CHARACTERISTICS: Words(
            "Keep patient characteristics",
            "Keeps sex, size, weight, ethnic group and ages (those over 89 years as 90).",
            "Rare combinations can single out a person; birth dates go in any case.",
        ),
        Option.RETAIN_DATES: Words(
            "Keep dates",
            "Keeps dates and times as they are.",
            "Whoever knows when somebody was examined can find the scan.",
        ),
        Option.SHIFT_DATES: Words(
            "Shift dates",
            "Moves all dates of a patient back by the same secret number of days; intervals "
            "and times of day stay.",
            "The time of day and the distance between examinations stay visible.",
        ),
        Option.RETAIN_SAFE_PRIVATE: Words(
            "Keep safe private attributes",
            "Keeps the makers' own attributes that the standard lists as safe (E.3.10).",
            "Makers can change what they write into such attributes.",
        ),
        Option.CLEAN_DESCRIPTORS: Words(
            "Keep safe words of descriptions",
            "Keeps words of descriptions and comments that are on a list; all others go.",
            "A name that is also an ordinary word could stay, unless the file itself names it.",
        ),
        Option.CLEAN_STRUCTURED: Words(
            "Keep codes and numbers of reports",
            "Keeps the content of structured reports item by item (Table E.3.4-1).",
            "Rare findings can single out a person.",
        ),
        Option.CLEAN_GRAPHICS: Words(
            "Keep graphics",
            "Keeps lines and points that were drawn on images; overlays go.",
            "Hand-drawn marks can be recognized by who drew them.",
        ),
        Option.CLEAN_PIXELS: Words(
            "Blank text in images",
            "Looks for writing in the pixels and blanks it; what is doubtful waits for eyes.",
            "Faint or unusual writing can be missed: look at the review queue.",
        ),
        Option.CLEAN_FACES: Words(
            "Remove faces",
            "Removes the face from CT and MR of the head; refuses a scan when not sure.",
            "Other features, such as ears or the shape of the skull, can stay.",
        ),
    }
)
"""Words of all options."""

KEEPS = frozenset(option for option in Option if option.value.startswith("retain-"))
"""Options that let more stay; the others do or clean something."""
