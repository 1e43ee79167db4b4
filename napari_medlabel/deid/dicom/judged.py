"""What becomes of the bytes of a data set, remembered for elements that are met again."""

from __future__ import annotations

import re

from napari_medlabel.deid.dicom.elements import (
    SEQUENCE,
    UNKNOWN,
    Element,
    OddError,
    items_of,
)
from napari_medlabel.deid.dicom.encode import encoded, encoded_elements, packed, packed_text
from napari_medlabel.deid.dicom.level import Level, Result, Unread
from napari_medlabel.deid.report.counts import Note
from napari_medlabel.deid.rules.actions import NUMBER_VRS, TEXT_VRS, Attribute
from napari_medlabel.deid.rules.codes import CODE_TAGS, CODE_VALUE_TAGS
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.judge import KEPT, components_of, judge, judged_code
from napari_medlabel.deid.rules.structured import CONCEPT_NAME, VALUE_TYPE, content_setting

BY_OPTION = "option "
"""Before the name of an option in what is counted."""

_SCHEME_TAG, _MEANING_TAG = 0x00080102, 0x00080104
_ITEM_TAG = 0xFFFEE000
_SIZES = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
_UNDEFINED = b"\xff\xff\xff\xff"
_ODD = 0x10000  # private attributes have it in their tag
_LIKE_A_UID = re.compile(rb"[0-9]\.[0-9]+\.[0-9]")
_DIGIT = re.compile(rb"[0-9]")
_WHOLE_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM"})


def clean_elements(
    elements: list[Element], level: Level, identity: frozenset[str]
) -> tuple[dict[int, bytes], list[str], bool]:
    """Return what takes the place of the elements of one level.

    Parameters
    ----------
    elements : list of Element
        From `walk_header` or `items_of`.
    level : Level
        Where they lie.
    identity : frozenset of str
        Everything that tells whose file it is, its UIDs included.

    Returns
    -------
    dict of int to bytes
        Bytes by tag, of the elements that stay.
    list of str
        What is counted of all of them.
    bool
        Whether another file of the scope would give the same.

    Raises
    ------
    OddError
        For what only the other reader can judge.
    QuarantineError
        For sequences nested too deeply.
    """
    kept: dict[int, bytes] = {}
    counted: list[str] = []
    portable = True
    known = level.known
    private = level.keeps_private
    creators = _creators(elements) if private else {}
    for element in elements:
        tag, key, creator = element[0], element[2], ""
        if tag & _ODD:
            if not private:
                counted.append(_private_gone(element))
                continue
            if creators:
                creator = creators.get(tag >> 16 << 16 | tag >> 8 & 0xFF, "")
                key += creator.encode("latin-1")
        result = known.get(key)
        if result is None:
            result = _of_its_tag(element, level)
        if result is None:
            result = _judged(element, creator, level, identity)
            if result[2]:
                level.remember(key, result, sequence=element[1] == SEQUENCE)
        if result[0]:
            kept[tag] = result[0]
        counted += result[1]
        portable = portable and result[2]
    return kept, counted, portable


def text_at(elements: dict[int, Element], tag: int) -> str:
    """Return a text attribute as found, without padding, as Latin-1; empty without one."""
    element = elements.get(tag)
    return "" if element is None else "\\".join(components_of(element[2][element[3] :]))


def _creators(elements: list[Element]) -> dict[int, str]:
    """Private creators by group and block."""
    return {
        tag: "\\".join(components_of(raw[start:]))
        for tag, _, raw, start in elements
        if _is_creator(tag)
    }


def _private_gone(element: Element) -> str:
    """Return what a private attribute is counted as where none may stay."""
    _, vr, raw, start = element
    if raw[start - 4 : start] == _UNDEFINED and vr not in {b"", UNKNOWN, SEQUENCE}:
        raise OddError
    return "private"


def _of_its_tag(element: Element, level: Level) -> Result | None:
    """Return what becomes of an element whatever its value is; None where that counts."""
    result = level.same.get(element[0])
    if result is None or element[2][element[3] - 4 : element[3]] == _UNDEFINED:
        return None
    return result


def _judged(element: Element, creator: str, level: Level, identity: frozenset[str]) -> Result:
    tag, _, raw, start = element
    attribute = _private(element, creator) if tag >> 16 & 1 else _attribute(element)
    setting = level.watched(identity)
    verdict = judge(attribute, setting, level.profile)
    portable = not setting.__dict__["asked"] or _is_portable(attribute.vr, raw[start:])
    counts: tuple[str, ...] = (verdict.counted,)
    if verdict.option:
        counts = (verdict.counted, BY_OPTION + verdict.option)
    if verdict.recurse:
        return _sequence(element, attribute, counts, level, identity)
    if verdict.made is None:
        content = b""
    elif not verdict.unchanged or _is_creator(tag):
        content = encoded(verdict.made, explicit=level.explicit)
    elif attribute.vr in TEXT_VRS:
        content = packed_text(tag, attribute.vr, attribute.components, explicit=level.explicit)
    elif attribute.found in TEXT_VRS:  # a private one
        parts = components_of(raw[start:])
        content = packed_text(tag, attribute.found, parts, explicit=level.explicit)
    else:
        found = attribute.found.encode("ascii") if level.explicit else b""
        content = packed(tag, found, raw[start:])
    result = content, counts, portable
    told = setting.__dict__["asked"] or attribute.__dict__.get("read", True)
    if not told:
        level.same[tag] = result
    return result


def _unread(tag: int, keyword: str, vr: str, components: tuple[str, ...]) -> Unread:
    """Return a text attribute that nobody has read yet."""
    result = object.__new__(Unread)
    result.__dict__.update(tag=tag, keyword=keyword, vr=vr, parts=components, read=False)
    return result


def _is_portable(vr: str, value: bytes) -> bool:
    """Whether no UID that a file has for itself could have decided about an element's text."""
    if _LIKE_A_UID.search(value):
        return False
    # Words of descriptions are compared with the numbers that a UID is made of.
    return vr in _WHOLE_VRS or _DIGIT.search(value) is None


def _attribute(element: Element) -> Attribute:
    """Return what is judged of an element."""
    tag, vr, raw, start = element
    keyword, known = entry(tag)
    if not keyword:
        return Attribute(tag, "", "UN")
    undefined = raw[start - 4 : start] == _UNDEFINED
    if known in TEXT_VRS:
        if undefined:
            raise OddError
        return _unread(tag, keyword, known, components_of(raw[start:]))
    if known == "SQ":
        if vr not in {b"", SEQUENCE} and not undefined:
            raise OddError
        return Attribute(tag, keyword, known, found="SQ")
    value = raw[start:]
    if undefined or vr == SEQUENCE or len(value) & 1:
        raise OddError
    found = _found(vr, known)
    if found in NUMBER_VRS and known != "US or OW" and len(value) % _SIZES[found]:
        found = ""
    return Attribute(tag, keyword, known, found=found, value=value)


def _is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _private(element: Element, creator: str) -> Attribute:
    """Return a private attribute with the creator that reserves its block."""
    tag, vr, raw, start = element
    found = vr.decode("ascii")
    if raw[start - 4 : start] == _UNDEFINED:
        if vr not in {b"", UNKNOWN, SEQUENCE}:
            raise OddError
        found = "SQ"
    value = raw[start:]
    return Attribute(tag, "", "UN", found=found, value=value, creator=creator)


def _found(vr: bytes, known: str) -> str:
    """Return the VR of a value that is no text and no sequence."""
    if vr not in {b"", UNKNOWN}:
        return vr.decode("ascii")
    if " or " not in known:
        return known
    if vr == UNKNOWN:
        raise OddError
    return "US" if known == "US or SS" else "OW"


def _sequence(
    element: Element,
    attribute: Attribute,
    counted: tuple[str, ...],
    level: Level,
    identity: frozenset[str],
) -> Result:
    """Return a sequence with each of its items cleaned."""
    if level.explicit and element[1] != SEQUENCE:
        raise OddError
    below = level.below(attribute.keyword or f"{attribute.tag:08X}")
    counts, items, portable = [*counted], [], True
    for elements in items_of(element, explicit=level.explicit):
        kept, more, same = _item(elements, below, identity)
        if kept is not None:
            content = b"".join(kept[tag] for tag in sorted(kept))
            items.append(packed(_ITEM_TAG, b"", content))
        counts += more
        portable = portable and same
    vr = SEQUENCE if level.explicit else b""
    return packed(element[0], vr, b"".join(items)), tuple(counts), portable


def _item(
    elements: list[Element], level: Level, identity: frozenset[str]
) -> tuple[dict[int, bytes] | None, list[str], bool]:
    """One item; a code is rebuilt, and a content item may go with all that is in it."""
    by_tag = {element[0]: element for element in elements}
    if VALUE_TYPE in by_tag:
        concept = _concept(by_tag, level)
        kind = text_at(by_tag, VALUE_TYPE)
        setting = content_setting(concept, kind, level.setting, level.profile)
        if setting is None:
            return None, ["X"], True
        level = level.of_content(setting)
    if by_tag.keys().isdisjoint(CODE_VALUE_TAGS):
        return clean_elements(elements, level, identity)
    found = _code_in(by_tag)
    setting = level.watched(identity)
    code, same = judged_code(found, setting, level.profile)
    sure = not level.profile.keeps_items(setting.path) or _is_portable(
        "", "".join(found).encode("latin-1")
    )
    counts = [KEPT] if same else ["text", Note.CODES_REPLACED.value]
    rest = [element for element in elements if element[0] not in CODE_TAGS]
    kept, more, portable = clean_elements(rest, level, identity)
    kept |= encoded_elements(code.item, explicit=level.explicit)
    return kept, counts + more, portable and sure


def _concept(by_tag: dict[int, Element], level: Level) -> tuple[str, str]:
    """Value and scheme of a content item's concept; empty where it has none."""
    element = by_tag.get(CONCEPT_NAME)
    items = [] if element is None else items_of(element, explicit=level.explicit)
    return _code_in({e[0]: e for e in items[0]})[:2] if items else ("", "")


def _code_in(by_tag: dict[int, Element]) -> tuple[str, str, str]:
    """Value, designator and meaning of a code as found."""
    value = next((text_at(by_tag, tag) for tag in CODE_VALUE_TAGS if tag in by_tag), "")
    return value, text_at(by_tag, _SCHEME_TAG), text_at(by_tag, _MEANING_TAG)
