"""Reasons, actions and notes of a report in words: what they mean, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from napari_medlabel.deid.report.counts import Note, Reason, Skip
from napari_medlabel.deid.rules.options import Option

_VIEWER = "Look at the file in a viewer; only a person can clear it."
_SOURCE = "Get the file again from where it came; it is not as it should be."
_PIXELS = f"Run again with --option {Option.CLEAN_PIXELS}: it blanks writing and asks for eyes."

WHAT_TO_DO: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNREADABLE: _SOURCE,
        Reason.NOT_WHAT_IT_SAYS: "Nothing, if the file is no scan; else get it again.",
        Reason.NO_IDENTIFIERS: _SOURCE,
        Reason.PRIVATE_SOP_CLASS: "Export the images from the scanner in a standard form.",
        Reason.PIXELS_MAY_SHOW: _PIXELS,
        Reason.OVERLAY_IN_PIXELS: "Export the image with its overlay apart from the pixels.",
        Reason.PIXELS_INCOMPLETE: _SOURCE,
        Reason.PIXELS_UNDESCRIBED: _SOURCE,
        Reason.PIXELS_BROKEN: _SOURCE,
        Reason.PIXELS_UNCHECKED: "Convert it to an uncompressed form, and run again.",
        Reason.NIFTI_BROKEN: "Convert it again from the original scan.",
        Reason.NIFTI_INCOMPLETE: _SOURCE,
        Reason.HEADER_BROKEN: "Convert it again from the original scan.",
        Reason.SIDECAR_BROKEN: "Nothing, if it is not needed; else convert the scan again.",
        Reason.FACE_UNSURE: "Give a brain mask with --brain-masks, and run again.",
        Reason.TEXT_LEFT: _VIEWER,
        Reason.DUPLICATE: "Find out which of the two files is right, and remove the other.",
        Reason.CHANGED: "Wait until nobody writes to the source, and run again.",
        Reason.FOLDER_SHUT: "Get the right to read the folder, and run again.",
        Reason.WORKER_ENDED: "Run again with fewer --jobs: most often memory ran out.",
        Reason.FAULT: "Report it, with the class and place that are named below.",
        Reason.IDENTITY_LEFT: _VIEWER,
    }
)
"""What to do about a file that was not passed on."""

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "X": "removed, with all that was in it (Table E.1-1)",
        "Z": "emptied, or given a code (Table E.1-1)",
        "D": "replaced by a dummy value (Table E.1-1)",
        "U": "identifiers replaced by keyed ones",
        "K": "kept by an option",
        "C": "cleaned by an option: only safe parts stay",
        "private": "makers' private attributes removed",
        "text": "text removed that no rule or list allows",
        "unknown": "removed: not in the dictionary, or not of its kind",
    }
)
"""What becomes of attributes, by the code that the report counts."""

NOTES: Mapping[Note, str] = MappingProxyType(
    {
        Note.FACE: "Files from which a face could be drawn: heads in CT, MR or PET, and "
        "volumes of an unnamed part. Option clean-faces removes faces.",
        Note.CODES_REPLACED: "Files in which codes of local schemes became dummies.",
    }
)
"""What a person should know about cleaned files."""

LEFT_OUT: Mapping[Skip, str] = MappingProxyType(
    {
        Skip.DICOMDIR: "Directories of a medium, which hold names and paths.",
        Skip.SIDECAR: "Files beside scans that are not passed on.",
        Skip.VOXELS_OF_A_PAIR: "Halves of pairs: they are within the new single files.",
        Skip.NOT_AN_IMAGE: "Files that are no scans.",
        Skip.LINK: "Links, which are not followed.",
        Skip.SAME_INSTANCE: "Second copies of the same image.",
    }
)
"""Why a file was left out without being a failure."""

SITE = "site rules"


def option_meaning(name: str, titles: Mapping[str, str]) -> str:
    """Return an option's title; of ``"site"`` that the rules are the site's own."""
    return titles.get(name, SITE if name == "site" else name)
