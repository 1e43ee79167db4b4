"""Safe private attributes (PS3.15 Table E.3.10-1) by creator, element, VR and value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from functools import cache

from napari_medlabel.deid.rules.actions import Attribute, Setting, components_of
from napari_medlabel.deid.rules.descriptors import safe_text, words_of
from napari_medlabel.deid.rules.dictionary import DATA
from napari_medlabel.deid.rules.tables import RUN, hides_text, may_hold_words, number_bytes
from napari_medlabel.deid.rules.vocabulary import vocabulary

_SIZES: Mapping[str, int] = {
    "AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "UL": 4, "US": 2,
}  # fmt: skip
_BULK = frozenset({"OB", "OW", "OW/OB"})
_NUMBERS = frozenset({"DS", "IS"})
_TEXTS = frozenset({"CS", "LO", "SH", "ST", "LT"})
_RATIO = re.compile(r"[0-9](?:\.[0-9]{1,4})?:1")


@dataclass(frozen=True)
class PrivateRule:
    """A private attribute that is safe.

    Parameters
    ----------
    vr : str
        Its VR: only values of this form pass.
    fewest : int
        Least count of values.
    most : int or None
        Largest count of values; None for any.
    """

    vr: str
    fewest: int
    most: int | None


@cache
def private_rules(edition: str) -> Mapping[tuple[int, int, str], PrivateRule]:
    """Return Table E.3.10-1 by group, low byte of the element, and creator.

    Of the five rows without a VR only binary numbers pass.
    """
    source = DATA / f"safe_private_{edition}.json"
    document = json.loads(source.read_text("utf-8"))
    result = {}
    for group, element, creator, vr, vm, _ in document["rules"]:
        fewest, _, most = vm.partition("-")
        largest = None if most == "n" else int(most or fewest)
        key = (int(group, 16), int(element, 16), creator)
        result[key] = PrivateRule(vr, int(fewest), largest)
    return result


def is_safe_value(rule: PrivateRule, attribute: Attribute, setting: Setting) -> bool:
    """Whether a private attribute holds what its rule says, and nothing that could tell.

    Parameters
    ----------
    rule : PrivateRule
        Its row.
    attribute : Attribute
        With `found` (``"UN"`` or ``""`` where the file does not say) and `value`: bytes in
        little endian, or decoded values.
    setting : Setting
        Its `identity` passes nowhere.

    Returns
    -------
    bool
        True for a value of the row's VR and count: numbers of the right size, numbers as
        text, codes and texts of safe words, and binary data in which no words can be.
        Sequences are judged item by item, UIDs are replaced: neither is asked here.
    """
    value = attribute.value
    if not rule.vr:
        return attribute.found in _SIZES and not hides_text(attribute.found, value)
    if attribute.found not in {"", "UN", *rule.vr.split("/")}:
        return False
    if rule.vr in _SIZES:
        return _count_of_numbers(rule, value)
    if rule.vr in _BULK:
        return not may_hold_words(value)
    parts = components_of(value)
    if not parts:
        return True
    if rule.vr not in {"ST", "LT"} and not _within(rule, len(parts)):
        return False
    return all(_passes(rule.vr, part, setting) for part in parts)


def _count_of_numbers(rule: PrivateRule, value: object) -> bool:
    """Whether a value is so many binary numbers as the row allows."""
    if RUN.search(number_bytes(rule.vr, value)):
        return False  # a text in the clothes of numbers
    if isinstance(value, bytes | bytearray):
        size = _SIZES[rule.vr]
        return len(value) % size == 0 and (not value or _within(rule, len(value) // size))
    if isinstance(value, int | float):
        return _within(rule, 1)
    return value is None or (isinstance(value, Sized) and _within(rule, len(value)))


def _within(rule: PrivateRule, count: int) -> bool:
    return rule.fewest <= count and (rule.most is None or count <= rule.most)


def _passes(vr: str, part: str, setting: Setting) -> bool:
    """Whether one component is a number, or safe words."""
    if part in setting.identity:
        return False
    if vr in _NUMBERS:
        return vocabulary().passes("", vr, part)
    if vr not in _TEXTS or part.lower() in words_of(setting.identity):
        return False
    if vocabulary().passes("", vr, part) or _RATIO.fullmatch(part):
        return True
    return safe_text(part, setting.identity) == part
