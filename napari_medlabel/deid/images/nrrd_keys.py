"""Key-value pairs of NRRD headers that may stay: diffusion, several volumes, segments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from napari_medlabel.deid.images.text_header import broken, number, row, spelled, whole
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.descriptors import safe_text
from napari_medlabel.deid.rules.vocabulary import code_meaning

_SEGMENT: Final = re.compile(r"Segment([0-9]{1,5})_(\w+)")
_STATUS: Final = re.compile(r"Segmentation\.Status:(?:notstarted|inprogress|completed|flagged)")
_TERMINOLOGY: Final = "TerminologyEntry:"
_CONTEXTS: Final = frozenset(
    {
        "Segmentation category and type - 3D Slicer General Anatomy list",
        "Segmentation category and type - DICOM master list",
        "Anatomic codes - DICOM master list",
    }
)
_REPRESENTATIONS: Final = frozenset(
    {"Binary labelmap", "Closed surface", "Fractional labelmap", "Planar contour"}
)
_FRAME_TAGS: Final = frozenset(
    {
        "AcquisitionTime", "ContentTime", "TriggerTime", "EchoTime", "FlipAngle",
        "InversionTime", "RepetitionTime", "DiffusionBValue", "SeriesTime",
    }
)  # fmt: skip
_FRAME_UNITS: Final = frozenset({"ms", "s", "sec", "min", "deg", "mm", "s/mm2"})
_LARGEST_FIRST: Final = 1000.0
_MOST: Final = 1_000_000
_LONGEST_SHADE: Final = len("0.501961")

Rule = Callable[[str], str]
"""A pair's value -> the value as it is written; QuarantineError where the pair goes."""


def clean_keys(keys: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """Return the pairs that may stay, with values that are what the key is for.

    Parameters
    ----------
    keys : mapping of str to str
        The header's, as they are spelled.

    Returns
    -------
    pairs : dict of str to str
        Gradients, b-values and what the volumes of a file differ in, as numbers; extents,
        values, layers and colours of segments. Segments are called ``Segment_1`` and so on
        where a word of their name is not in the vocabulary; their codes have the published
        meanings.
    changed : int
        How many of them are not as they were.
    """
    kept: dict[str, str] = {}
    changed = 0
    for key, value in keys.items():
        try:
            passed = _rule(key)(value)
        except QuarantineError:  # of this pair, which is not needed
            continue
        kept[key] = passed
        changed += passed != value.strip()
    return kept, changed


def _rule(key: str) -> Rule:
    if key in _RULES:
        return _RULES[key]
    for form, rule in _FORMS.items():
        if form.fullmatch(key):
            return rule
    segment = _SEGMENT.fullmatch(key)
    if segment is not None:
        return _of_segment(int(segment[1]), segment[2])
    raise broken()


def _of_segment(index: int, field: str) -> Rule:
    """Return the rule for one field of a segment."""
    if field == "ID":
        return lambda _: f"Segment_{index + 1}"
    if field == "Name":
        return lambda text: _name(text, index)
    if field not in _SEGMENTS:
        raise broken()
    return _SEGMENTS[field]


def _name(text: str, index: int) -> str:
    is_safe = bool(text) and safe_text(text, frozenset()) == text
    return text if is_safe else f"Segment_{index + 1}"


def _tags(text: str) -> str:
    """Return the state and the codes, with published meanings."""
    kept = []
    for part in text.split("|"):
        if _STATUS.fullmatch(part):
            kept.append(part)
        elif part.startswith(_TERMINOLOGY):
            kept.append(_terminology(part.removeprefix(_TERMINOLOGY)))
    return "".join(f"{part}|" for part in kept if part)


def _terminology(text: str) -> str:
    words = []
    for part in text.split("~"):
        if part in _CONTEXTS:
            words.append(part)
            continue
        scheme, value, _ = [*part.split("^"), "", ""][:3]
        meaning = code_meaning(scheme, value)
        words.append(
            "" if "^" not in part else f"{scheme}^{value}^{meaning}" if meaning else "^^"
        )
    known = any(word.strip("^") for word in words)
    return _TERMINOLOGY + "~".join(words[:7]) if known else ""


def _one_of(allowed: frozenset[str]) -> Rule:
    def rule(text: str) -> str:
        if text not in allowed:
            raise broken()
        return text

    return rule


def _count(text: str) -> str:
    return str(whole(text, -_MOST, _MOST))


def _counts(expected: int) -> Rule:
    def rule(text: str) -> str:
        words = text.split()
        if len(words) != expected:
            raise broken()
        return " ".join(map(_count, words))

    return rule


def _row_of(expected: int) -> Rule:
    return lambda text: row(text, expected)


def _colour(text: str) -> str:
    """Return a colour; of more digits than a screen shows, in steps of one 255th."""
    words = row(text, 3).split()
    if not all(0 <= number(word) <= 1 for word in words):
        raise broken()
    return " ".join(
        word if len(word) <= _LONGEST_SHADE else f"{round(255 * number(word)) / 255:.6g}"
        for word in words
    )


def _labels(text: str) -> str:
    """Return what volumes differ in; not where it may be a time of day."""
    is_listed = "," in text
    words = text.replace(",", " ").split()
    if not words or min(abs(number(word)) for word in words) > _LARGEST_FIRST:
        raise broken()
    return ("," if is_listed else " ").join(map(spelled, words))


def _representations(text: str) -> str:
    return "".join(f"{name}|" for name in text.split("|") if name in _REPRESENTATIONS)


_RULES: Final[dict[str, Rule]] = {
    "modality": _one_of(frozenset({"DWMRI"})),
    "DWMRI_b-value": spelled,
    "MultiVolume.NumberOfFrames": _count,
    "MultiVolume.FrameLabels": _labels,
    "MultiVolume.FrameIdentifyingDICOMTagName": _one_of(_FRAME_TAGS),
    "MultiVolume.FrameIdentifyingDICOMTagUnits": _one_of(_FRAME_UNITS),
    "MultiVolume.DICOM.EchoTime": spelled,
    "MultiVolume.DICOM.FlipAngle": spelled,
    "MultiVolume.DICOM.RepetitionTime": spelled,
    "Segmentation_ContainedRepresentationNames": _representations,
    "Segmentation_MasterRepresentation": _one_of(_REPRESENTATIONS),
    "Segmentation_SourceRepresentation": _one_of(_REPRESENTATIONS),
    "Segmentation_ReferenceImageExtentOffset": _counts(3),
}
_FORMS: Final[dict[re.Pattern[str], Rule]] = {
    re.compile(r"DWMRI_gradient_[0-9]{4,5}"): _row_of(3),
    re.compile(r"DWMRI_B-matrix_[0-9]{4,5}"): _row_of(6),
    re.compile(r"DWMRI_NEX_[0-9]{4,5}"): _count,
    re.compile(r"axis [0-9]{1,2} index type"): _one_of(frozenset({"numeric"})),
    re.compile(r"axis [0-9]{1,2} index values"): _labels,
}
_SEGMENTS: Final[dict[str, Rule]] = {
    "Extent": _counts(6),
    "LabelValue": _count,
    "Layer": _count,
    "Color": _colour,
    "ColorAutoGenerated": _one_of(frozenset({"0", "1"})),
    "NameAutoGenerated": _one_of(frozenset({"0", "1"})),
    "Tags": _tags,
}
