"""What the options' cells K and C make of a value; None where it must not pass as it is."""

from __future__ import annotations

import re

from napari_medlabel.deid.rules.actions import NUMBER_VRS, TEXT_VRS, Attribute, Setting
from napari_medlabel.deid.rules.descriptors import safe_text, words_of
from napari_medlabel.deid.rules.made import Made
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.tables import are_numbers, may_hold_words
from napari_medlabel.deid.rules.temporal import (
    OLDEST_YEARS,
    capped_age,
    days_back,
    is_offset,
    is_valid,
    shifted,
)
from napari_medlabel.deid.rules.vocabulary import vocabulary

TEMPORAL_VRS = frozenset({"DA", "DT", "TM"})
DESCRIPTIVE_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
WHOLE_VRS = frozenset({"LT", "ST", "UT"})
"""VRs in which a backslash is a letter like others."""

_TIMEZONE = 0x00080201
_CS = re.compile(r"[A-Z0-9_ ]{0,16}")
_UI = re.compile(r"[0-9.]{1,64}")
_WORD = re.compile(r"[^\W_]+")


def kept(attribute: Attribute, setting: Setting) -> Made | None:
    """K: the value as it is, where it is what its VR says and does not tell whose it is.

    Ages over 89 years become 090Y.
    """
    if attribute.vr not in TEXT_VRS:
        return _kept_binary(attribute)
    if not all(_is_sound(attribute, part, setting) for part in attribute.components):
        return None
    if attribute.tag == _TIMEZONE and not all(map(is_offset, attribute.components)):
        return None
    parts = list(attribute.components)
    if attribute.vr == "AS":
        parts = [capped_age(part) or "" for part in parts]
    return whole(attribute, parts)


def shifted_dates(attribute: Attribute, setting: Setting) -> Made | None:
    """C of shift-dates: dates earlier by the patient's days, times and offsets as they are."""
    if attribute.tag == _TIMEZONE and all(map(is_offset, attribute.components)):
        return whole(attribute, list(attribute.components))
    if attribute.vr not in TEMPORAL_VRS:
        return None
    days = days_back(setting.pseudonyms, setting.issuer, setting.patient_id)
    moved = [shifted(attribute.vr, part, days) for part in attribute.components]
    parts = [part for part in moved if part is not None]
    return whole(attribute, parts) if len(parts) == len(moved) else None


def coded_device(attribute: Attribute, setting: Setting) -> Made | None:
    """C of retain-device: a keyed code for each name of a device, the same everywhere."""
    if attribute.vr not in {"AE", "LO", "SH"}:
        return None
    codes = [
        "DEV-" + setting.pseudonyms.code("device", part) if part else ""
        for part in attribute.components
    ]
    return whole(attribute, codes)


def described(attribute: Attribute, setting: Setting, words: frozenset[str]) -> Made | None:
    """C of clean-descriptors: the safe words or terms; None where none is left of them."""
    if attribute.vr == "CS":
        terms = all(part in vocabulary().terms for part in attribute.components)
        return whole(attribute, list(attribute.components)) if terms else None
    if attribute.vr not in DESCRIPTIVE_VRS:
        return None
    parts = [safe_text(part, setting.identity, words) for part in attribute.components]
    return whole(attribute, parts) if any(parts) or not attribute.components else None


def capped_number(attribute: Attribute) -> Made | None:
    """Return an age in a content item, those over 89 as 90; None where it is no number."""
    try:
        numbers = [float(part) for part in attribute.components]
    except ValueError:
        return None
    capped = [
        str(OLDEST_YEARS + 1) if number > OLDEST_YEARS else part
        for number, part in zip(numbers, attribute.components, strict=True)
    ]
    return whole(attribute, capped)


def by_dates(attribute: Attribute, setting: Setting, options: frozenset[Option]) -> Made | None:
    """Return a date that no row names, as the dates' option says; None without one."""
    if Option.SHIFT_DATES in options:
        return shifted_dates(attribute, setting)
    return kept(attribute, setting) if Option.RETAIN_DATES in options else None


def whole(attribute: Attribute, parts: list[str]) -> Made:
    """Return an attribute with its components put together again."""
    if attribute.vr in WHOLE_VRS:
        return attribute.with_value("\\".join(parts))
    return attribute.with_value(parts)


def _is_sound(attribute: Attribute, part: str, setting: Setting) -> bool:
    """Whether one component is what its VR says and has no word of the patient's identity."""
    vr = attribute.vr
    if vr == "UI":
        return not part or _UI.fullmatch(part) is not None
    if part in setting.identity or vr == "PN":
        return False
    if vr in {*TEMPORAL_VRS, "AS"}:
        return is_valid(vr, part) and (vr != "DT" or part[:8] not in setting.identity)
    if vr in {"DS", "IS"}:
        return vocabulary().passes("", vr, part)
    if vr == "CS" and _CS.fullmatch(part) is None:
        return False
    told = words_of(setting.identity)
    return not any(word.lower() in told for word in _WORD.findall(part))


def _kept_binary(attribute: Attribute) -> Made | None:
    """Return numbers, and binary data in which no words can be."""
    if attribute.found in NUMBER_VRS:
        hidden = not are_numbers(attribute.tag, attribute.found, attribute.value)
    else:
        unfit = attribute.found in {"", "SQ", "UN", *TEXT_VRS}
        hidden = unfit or may_hold_words(attribute.value)
    return None if hidden else attribute.as_found()
