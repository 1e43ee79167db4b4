"""The rules of a de-identification profile as data: edition, name, hash, action for a tag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from napari_medlabel.errors import InputError

BY_VR = "VR"
"""What `Profile.action_for` says of an attribute that no row names: judge it by its VR."""

ACTION_CODES = frozenset({"D", "Z", "X", "K", "C", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"})
_FAMILIES = frozenset({"50xxxxxx", "60xx3000", "60xx4000", "odd"})
_LOWEST_GROUP = 0x0008
_ITEM_GROUP = 0xFFFE


@dataclass(frozen=True)
class Profile:
    """A profile of PS3.15 Annex E.

    Parameters
    ----------
    edition : str
        Edition of the standard the rows come from, for example ``"2026c"``.
    name : str
        ``"basic"`` for the Basic Application Level Confidentiality Profile.
    rules : mapping of int to str
        Action code (Table E.1-1a) by tag, for rows that name one attribute.
    families : mapping of str to str
        Action code of the rows that name many: ``"50xxxxxx"``, ``"60xx3000"``,
        ``"60xx4000"`` and ``"odd"``.

    Raises
    ------
    InputError
        For a code that is not in Table E.1-1a, or a family that is not known.
    """

    edition: str
    name: str
    rules: Mapping[int, str] = field(repr=False)
    families: Mapping[str, str] = field(repr=False)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        unknown = {*self.rules.values(), *self.families.values()} - ACTION_CODES
        if unknown or not set(self.families) <= _FAMILIES:
            raise InputError(
                f"A profile has {len(unknown)} action codes that Table E.1-1a does not know, "
                f"or a family of tags other than {len(_FAMILIES)} known ones.",
                hint="Use the codes D Z X K C U and their combinations.",
            )
        rows = sorted((f"{tag:08X}", code) for tag, code in self.rules.items())
        text = json.dumps([self.edition, self.name, rows, sorted(self.families.items())])
        object.__setattr__(self, "rules", MappingProxyType(dict(self.rules)))
        object.__setattr__(self, "families", MappingProxyType(dict(self.families)))
        object.__setattr__(self, "sha256", hashlib.sha256(text.encode("ascii")).hexdigest())

    def __reduce__(self) -> tuple[Any, ...]:
        return Profile, (self.edition, self.name, dict(self.rules), dict(self.families))

    def __len__(self) -> int:
        """Count of rows, families included."""
        return len(self.rules) + len(self.families)

    def action_for(self, tag: int, vr: str) -> str:
        """Return the action for one attribute.

        Parameters
        ----------
        tag : int
            Group and element as one number, 0xGGGGEEEE.
        vr : str
            Value representation; ``"UN"`` when it is not known.

        Returns
        -------
        str
            A code of Table E.1-1a, or `BY_VR` where no row names the attribute. Private
            groups, group lengths, groups below 0008 and above FFFC, curves, overlays and
            attributes of unknown VR are ``"X"``.
        """
        group, element = tag >> 16, tag & 0xFFFF
        if group & 1:
            return self.families.get("odd", "X")
        if group < _LOWEST_GROUP or group >= _ITEM_GROUP or element == 0:
            return "X"
        if 0x5000 <= group <= 0x50FF:
            return self.families.get("50xxxxxx", "X")
        if 0x6000 <= group <= 0x60FF:
            return self.families.get(f"60xx{element:04X}", "X")
        return self.rules.get(tag, "X" if vr == "UN" else BY_VR)


@cache
def basic_profile(edition: str = "2026c") -> Profile:
    """Return the Basic Application Level Confidentiality Profile (PS3.15 Table E.1-1).

    Raises
    ------
    InputError
        When the edition does not ship with this package.
    """
    source = files("napari_medlabel.deid") / "data" / f"basic_{edition}.json"
    if not source.is_file():
        raise InputError(
            "The edition of the de-identification profile is not one that ships.",
            hint="Use 2026c.",
        )
    document = json.loads(source.read_text("utf-8"))
    families = {tag: code for tag, _, code, _ in document["rules"] if tag in _FAMILIES}
    rules = {
        int(tag, 16): code for tag, _, code, _ in document["rules"] if tag not in _FAMILIES
    }
    return Profile(document["edition"], document["name"], rules, families)
