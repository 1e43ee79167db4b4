"""The marks of PS3.15 E.1.1 to E.3: what was really done to an instance."""

from __future__ import annotations

from typing import Any

from napari_medlabel import __version__
from napari_medlabel.deid.rules.codes import method
from napari_medlabel.deid.rules.made import dataset_of
from napari_medlabel.deid.rules.options import BASIC_CODE, Option
from napari_medlabel.deid.rules.profile import Profile

PIXEL_OPTIONS = frozenset({Option.CLEAN_PIXELS, Option.CLEAN_FACES})
"""Options that change pixels: chosen is not done."""

_CODES = "DeidentificationMethodCodeSequence"


def marks(profile: Profile, done: frozenset[Option] = frozenset()) -> dict[str, Any]:
    """Return the marks of an instance that was cleaned.

    Parameters
    ----------
    profile : Profile
        The rules that were applied.
    done : frozenset of Option
        Which of clean-pixels and clean-faces were carried out on this instance; those that
        were only chosen are not marked.

    Returns
    -------
    dict of str to object
        Value by keyword: Patient Identity Removed, De-identification Method and its Code
        Sequence (CID 7050), Longitudinal Temporal Information Modified; Burned In
        Annotation NO and Recognizable Visual Features NO only where they are done.
    """
    from pydicom.sequence import Sequence

    values = plain_marks(profile, done)
    items = [dataset_of(item) for item in values[_CODES]]
    return {**values, _CODES: Sequence(items)}


def plain_marks(profile: Profile, done: frozenset[Option] = frozenset()) -> dict[str, Any]:
    """Return what `marks` does, the codes as a tuple of `Item`: without pydicom."""
    options = (profile.options - PIXEL_OPTIONS) | (done & PIXEL_OPTIONS)
    codes = [BASIC_CODE, *sorted(option.code for option in options)]
    words = [f"napari-medlabel {__version__}, PS3.15 {profile.edition} {profile.name}"[:64]]
    if profile.site is not None:
        words.append(f"site rules, profile sha256 {profile.sha256[:16]}")
    result: dict[str, Any] = {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": words if len(words) > 1 else words[0],
        _CODES: tuple(method(code).item for code in codes),
        "LongitudinalTemporalInformationModified": temporal_mark(profile.options),
    }
    if Option.CLEAN_PIXELS in options:
        result["BurnedInAnnotation"] = "NO"
    if Option.CLEAN_FACES in options:
        result["RecognizableVisualFeatures"] = "NO"
    return result


def temporal_mark(options: frozenset[Option]) -> str:
    """Return the value of Longitudinal Temporal Information Modified (0028,0303)."""
    if Option.SHIFT_DATES in options:
        return "MODIFIED"
    return "UNMODIFIED" if Option.RETAIN_DATES in options else "REMOVED"
