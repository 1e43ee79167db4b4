"""What becomes of one attribute: pure, so that walkers only walk and may remember answers."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from napari_medlabel.deid.actions import (
    ACTIONS,
    NUMBER_VRS,
    TEXT_VRS,
    Attribute,
    Setting,
    clean,
    resolved,
)
from napari_medlabel.deid.pixels import PIXEL_TAGS
from napari_medlabel.deid.profile import BY_VR, Profile
from napari_medlabel.deid.tables import is_table, reads_as_text
from napari_medlabel.deid.vocabulary import vocabulary

KEPT = "kept"
"""What `Verdict.counted` says of an attribute that passes as it is."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one attribute.

    Parameters
    ----------
    counted : str
        As what the report counts it: `KEPT`, an action code ``D Z X K C U``, ``"private"``,
        ``"text"`` or ``"unknown"``.
    element : DataElement or None
        What takes its place; None when it is gone, or when `recurse`.
    unchanged : bool
        Whether the value passes as found, so that its bytes may be copied.
    recurse : bool
        Whether it is a sequence that stays with each of its items judged.
    """

    counted: str
    element: DataElement | None = None
    unchanged: bool = False
    recurse: bool = False


def judge(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Return what becomes of one attribute.

    Parameters
    ----------
    attribute : Attribute
        The attribute as found.
    setting : Setting
        The instance and the level it lies at.
    profile : Profile
        The rules.

    Returns
    -------
    Verdict
        Depends on nothing but the arguments.
    """
    code = profile.action_for(attribute.tag, attribute.vr)
    if code == "X":
        known = attribute.vr != "UN" or attribute.tag in profile.rules
        private = attribute.tag >> 16 & 1
        return Verdict("private" if private else "X" if known else "unknown")
    if code == BY_VR:
        return _by_vr(attribute, setting)
    simple = resolved(code, attribute.keyword, setting.sop_class)
    if attribute.vr == "SQ" and simple in {"U", "K", "C"}:
        return _sequence(attribute, simple)
    return Verdict(simple, ACTIONS[simple](attribute, setting))


def _by_vr(attribute: Attribute, setting: Setting) -> Verdict:
    """Judge what no row names: numbers and listed binaries pass, text by words."""
    if attribute.vr == "SQ":
        return _sequence(attribute, KEPT)
    if attribute.vr in TEXT_VRS:
        element = clean(attribute, setting)
        if element is not None and components_of(element.value) == attribute.components:
            return Verdict(KEPT, element, unchanged=True)
        return Verdict("U" if attribute.vr == "UI" else "text", element)
    if _fits(attribute):
        element = DataElement(attribute.tag, attribute.found, attribute.value)
        return Verdict(KEPT, element, unchanged=True)
    return Verdict("unknown")


def _sequence(attribute: Attribute, counted: str) -> Verdict:
    """Keep a sequence, with its items judged, unless it is none in the file."""
    if attribute.found != "SQ":
        return Verdict("unknown")
    return Verdict(counted, recurse=True)


def _fits(attribute: Attribute) -> bool:
    """Whether binary numbers are numbers, and bulk data is listed and no text."""
    found = attribute.found
    if attribute.vr in NUMBER_VRS or attribute.vr == "US or SS":
        return found in NUMBER_VRS or found == "US or SS"
    if attribute.keyword not in vocabulary().bulk or attribute.tag in PIXEL_TAGS:
        return False
    if found in TEXT_VRS or found in {"", "SQ", "UN"}:
        return False
    return not (is_table(attribute.keyword) and reads_as_text(attribute.value))


def components_of(value: object) -> tuple[str, ...]:
    """Return a value's components as text, without padding; bytes are read as Latin-1."""
    if value is None:
        return ()
    if isinstance(value, bytes | bytearray):
        text = bytes(value).decode("latin-1").rstrip("\0 ")
        return tuple(part.strip("\0 ") for part in text.split("\\")) if text else ()
    parts = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return tuple(str(part).strip("\0 ") for part in parts)
