"""Content items of structured reports by their concept (PS3.15 Table E.3.4-1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from napari_medlabel.deid.rules.actions import Setting
from napari_medlabel.deid.rules.dictionary import DATA
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile

VALUE_TYPE, CONCEPT_NAME = 0x0040A040, 0x0040A043
UNNAMED = "VT"
"""`Setting.content` of an item that no row names: judged by its value type."""

CONTENT_TAGS = frozenset(
    {
        0x0040A120,  # DateTime
        0x0040A121,  # Date
        0x0040A122,  # Time
        0x0040A123,  # Person Name
        0x0040A124,  # UID
        0x0040A160,  # Text Value
        0x0040A30A,  # Numeric Value
        0x0040A161,  # Floating Point Value
    }
)
"""Attributes that hold the value of a content item."""

_FIRST = (
    Option.SHIFT_DATES,
    Option.RETAIN_UIDS,
    Option.RETAIN_DEVICE,
    Option.RETAIN_INSTITUTION,
    Option.RETAIN_PATIENT_CHARACTERISTICS,
    Option.RETAIN_DATES,
    Option.CLEAN_DESCRIPTORS,
)
AGE = "AGE"
"""`Setting.content` of Subject Age: years over 89 are one category."""

_AGES = ("121033", "DCM")
Row = tuple[str, Mapping[str, str]]


def content_setting(
    concept: tuple[str, str], value_type: str, setting: Setting, profile: Profile
) -> Setting | None:
    """Return how the attributes of a content item are judged.

    Parameters
    ----------
    concept : tuple of str
        Code value and coding scheme designator of the item's concept name.
    value_type : str
        Its Value Type (0040,A040), for example ``"TEXT"``.
    setting : Setting
        That of the level the item lies at.
    profile : Profile
        The rules.

    Returns
    -------
    Setting or None
        None where the item goes with all that is in it; otherwise the setting for the
        item's attributes, whose `content` tells what becomes of its value. Without
        clean-structured the setting is returned as it is. A row with ``X/D`` is taken as
        ``D``, since templates are not known.
    """
    if Option.CLEAN_STRUCTURED not in profile.options:
        return setting
    row = _rows(profile.edition).get((*concept, value_type))
    if row is None:
        return replace(setting, content=UNNAMED)
    basic, cells = row
    for option in _FIRST:
        if option in profile.options and option in cells:
            kind = AGE if concept == _AGES else cells[option]
            return replace(setting, content=kind)
    return None if basic == "X" else replace(setting, content="D")


@cache
def _rows(edition: str) -> Mapping[tuple[str, str, str], Row]:
    """Return Table E.3.4-1 by code value, designator and value type."""
    source = DATA / f"structured_content_{edition}.json"
    document = json.loads(source.read_text("utf-8"))
    return MappingProxyType(
        {
            (value, scheme.partition(" ")[0], kind): (basic, cells)
            for value, scheme, kind, _, basic, cells in document["rules"]
        }
    )
