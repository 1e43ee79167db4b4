"""Judge each element of a DICOM file: what tells whose it is, and what should not be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from napari_medlabel.deid.dicom.elements import SHORT_VRS, Element
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.scan.finding import DATE_OPTIONS, Allowance, Finding, Sign, path_text
from napari_medlabel.deid.scan.read import FileParts
from napari_medlabel.deid.scan.stays import is_kept, is_retained
from napari_medlabel.deid.scan.tables import (
    entry,
    is_code_value,
    is_common,
    is_meaning,
    is_scheme,
    is_standard_uid,
    is_term,
    row_for,
    safe_private,
)
from napari_medlabel.deid.scan.walk import (
    LONGEST_WHOLE,
    Around,
    Form,
    Leaf,
    Piece,
    charset_terms,
    creator_of,
    pieces_of,
)
from napari_medlabel.deid.scan.words import Needle, decoded, is_dummy, needles_of

TEMPORAL = frozenset({"DA", "DT", "TM"})
TEXT_VRS = frozenset(
    {
        "AE",
        "AS",
        "CS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "UC",
        "UR",
        "UT",
        "DS",
        "IS",
        "UI",
        *TEMPORAL,
    }
)
_FREE = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
_CHARSET, _CODE_VALUES = 0x00080005, frozenset({0x00080100, 0x00080119, 0x00080120})
_SCHEME, _MEANING = 0x00080102, 0x00080104
_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
Known = dict[Any, tuple[Any, ...]]
_BINARY = _NUMBERS | {"OB", "OD", "OF", "OL", "OV", "OW"}
_PLAIN = SHORT_VRS | {b"UC", b"UR", b"UT"}
"""What can never be a sequence."""

_ANSWERS: dict[tuple[object, ...], Known] = {}
_MOST_SETTINGS = 16
_MARKS = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x00280301, 0x00280302})
_WORD, _LONGEST_WORD = re.compile(rb"(?=.*[A-Za-z]{3})[0-9A-Za-z .^_-]{6,}"), 64
_LETTERS, _LONG_NUMBER = re.compile(r"[^\W0-9_]{4,}"), re.compile(r"[0-9]{6}")
_RUN = re.compile(rb"[0-9A-Za-z][0-9A-Za-z .^_-]{5,}")
_MOST_KNOWN, _LONGEST_TEXT = 8192, 4096
_META_TEXT = (0x0016, 0x0017, 0x0018, 0x0026, 0x0027, 0x0028, 0x0035, 0x0036, 0x0037)
_META_PRIVATE = (0x0100, 0x0102)


def charsets_of(parts: FileParts) -> tuple[str, ...]:
    """Return the defined terms of a file's character sets."""
    for tag, _, raw, start in parts.elements:
        if tag == _CHARSET:
            return charset_terms(raw[start:])
        if tag > _CHARSET:
            break
    return ()


def needle_groups(parts: FileParts, allowance: Allowance) -> Iterator[tuple[Needle, ...]]:
    """Yield what each top-level element of a file tells, where it tells something.

    Parameters
    ----------
    parts : FileParts
        The source.
    allowance : Allowance
        What may stay is no identity.

    Yields
    ------
    tuple of Needle
        The same object for the same bytes, so that files of a series share them.
    """
    charsets = charsets_of(parts)
    known = _known("told", parts.form, charsets, allowance)
    mute = _known("mute", allowance)
    for element in parts.elements:
        group = known.get(element)
        if group is None:
            if element[:2] in mute and len(element[2]) <= LONGEST_WHOLE:
                continue
            around: Around = (charsets, "", {})
            for group in _told_by(element, parts.form, around, allowance, known):
                if group:
                    yield group
        elif group:
            yield group
    for number in _META_TEXT:
        if number in parts.meta:
            yield needles_of(decoded(parts.meta[number], ()), Sign.IDENTIFIER, ())


def _known(*setting: object) -> Known:
    """Return the answers so far by element, of a question and all that they depend on."""
    if len(_ANSWERS) > _MOST_SETTINGS:
        _ANSWERS.clear()
    return _ANSWERS.setdefault(setting, {})


def _keep(known: Known, key: object, answer: tuple[Any, ...]) -> None:
    """Remember an answer; never more than some thousand."""
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = answer


def _told_by(
    element: Element, form: Form, around: Around, allowance: Allowance, known: Known
) -> Iterator[tuple[Needle, ...]]:
    """Yield what an element tells that was not met before, in pieces where it is long."""
    if len(element[2]) <= LONGEST_WHOLE:
        if element[1] in _PLAIN and _identity_sign(_bare(element, form), allowance) is None:
            _keep(_known("mute", allowance), element[:2], ())
            return
        group = _told(Piece((), element, 0, form, around), allowance)
        _keep(known, element, group)
        yield group
        return
    inner = _known("pieces told", allowance)
    for piece in pieces_of(element, form, around[0]):
        key = piece.key
        told = None if key is None else inner.get(key)
        if told is None:
            told = _told(piece, allowance)
            if key is not None:
                _keep(inner, key, told)
        yield told


def _bare(element: Element, form: Form) -> Leaf:
    """Return an element of the top level as a leaf without a value."""
    return Leaf((element[0],), element[1].decode("ascii"), 0, 0, b"", form)


def _told(piece: Piece, allowance: Allowance) -> tuple[Needle, ...]:
    """Return what a piece of an element tells."""
    found: dict[bytes, Needle] = {}
    for leaf in piece.leaves():
        sign = _identity_sign(leaf, allowance)
        if sign is None:
            continue
        for needle in needles_of(decoded(leaf.value, leaf.charsets), sign, leaf.charsets):
            found.setdefault(needle.pattern, needle)
    return tuple(found.values())


def _identity_sign(leaf: Leaf, allowance: Allowance) -> Sign | None:
    """Return what kind of identity a leaf of the source is; None where it is none."""
    known, keyword = entry(leaf.tag)
    vrs = {known, leaf.vr}
    options = allowance.options
    stays = any(is_retained(tag, allowance) for tag in leaf.path)
    if is_kept(leaf.tag, allowance) or (stays and not vrs & {"PN", "UI", "DA", "DT"}):
        return None
    if "PN" in vrs:
        return Sign.NAME
    if "UI" in vrs:
        return None if Option.RETAIN_UIDS in options else Sign.UID
    if vrs & {"DA", "DT"}:
        return None if Option.RETAIN_DATES in options else Sign.DATE
    row = row_for(leaf.tag)
    textual = bool(vrs & TEXT_VRS) or vrs <= {"", "UN"}
    if row is None or not textual or "TM" in vrs or len(leaf.value) > _LONGEST_TEXT:
        return None
    number = keyword.endswith(("ID", "IDs", "Number", "Numbers", "Identifier", "UID"))
    return Sign.IDENTIFIER if number else Sign.TEXT


def element_faults(parts: FileParts, allowance: Allowance) -> Iterator[Finding]:
    """Yield what should not be among the elements of a cleaned file.

    Parameters
    ----------
    parts : FileParts
        The file.
    allowance : Allowance
        What may stay.

    Yields
    ------
    Finding
        Attributes of Table E.1-1 with a value that is no dummy and no pseudonym, private
        ones, group 0004, names, dates and UIDs by VR, and text that is no term.
    """
    charsets = charsets_of(parts)
    known = _known("faults", parts.form, charsets, allowance)
    creators: dict[int, bytes] = {}
    for element in parts.elements:
        tag, _, raw, start = element
        if tag >> 16 & 1 and tag & 0xFFFF < 0x100:
            creators[tag] = raw[start:]
        answer = None if tag >> 16 & 1 else known.get(element)
        if answer is None:
            around: Around = (charsets, creator_of(tag, creators), {})
            answer = _faults(element, parts.form, around, allowance)
            if not tag >> 16 & 1 and len(raw) <= LONGEST_WHOLE:
                _keep(known, element, answer)
        if answer:
            yield from answer


def _faults(
    element: Element, form: Form, around: Around, allowance: Allowance
) -> tuple[Finding, ...]:
    """Return what should not be in one top-level element."""
    found: dict[Finding, None] = {}
    known = _known("pieces at fault", allowance)
    for piece in pieces_of(element, form, *around[:2]):
        key = piece.key if piece.path else None
        answer = None if key is None else known.get(key)
        if answer is None:
            answer = tuple(_piece_faults(piece, allowance))
            if key is not None:
                _keep(known, key, answer)
        found.update(dict.fromkeys(answer))
    return tuple(found)


def _piece_faults(piece: Piece, allowance: Allowance) -> Iterator[Finding]:
    for leaf in piece.leaves():
        sign = _fault(leaf, allowance)
        if sign is not None:
            yield Finding(sign, path_text(leaf.path))


def _fault(leaf: Leaf, allowance: Allowance) -> Sign | None:
    """Return what is wrong with a leaf; None where nothing is."""
    tag = leaf.tag
    if tag in _MARKS or leaf.path[0] in _MARKS:
        return None
    if tag >> 16 == 4:
        return Sign.DIRECTORY
    for place, part in enumerate(leaf.path):
        if part >> 16 & 1:
            inner = place == len(leaf.path) - 1
            if not _is_safe(part, leaf.creator if inner else None, leaf, allowance):
                return Sign.PRIVATE
    if not leaf.value.strip(b"\0 "):
        return None
    if tag >> 16 & 1:
        return Sign.NAME if leaf.vr == "PN" else None
    if tag not in allowance.tags and _is_listed_whole(leaf, allowance):
        return Sign.LISTED
    return _fault_of_value(leaf, allowance)


def _is_safe(tag: int, creator: str | None, leaf: Leaf, allowance: Allowance) -> bool:
    """Whether a private attribute may stay: it is of Table E.3.10-1, or the site's."""
    safe = allowance.private
    if Option.RETAIN_SAFE_PRIVATE in allowance.options:
        safe = safe | safe_private()
    group, low = tag >> 16, tag & 0xFFFF
    if low < 0x100:
        name = decoded(leaf.value, ())
        return any(g == group and c == name for g, c, _ in safe)
    if creator is None:  # a sequence around the leaf, whose creator is not told
        return any(g == group and n == low & 0xFF for g, _, n in safe)
    return (group, creator, low & 0xFF) in safe


def _is_listed_whole(leaf: Leaf, allowance: Allowance) -> bool:
    """Whether the leaf lies in a sequence that the table wants gone or empty."""
    for tag in leaf.path[:-1]:
        row = row_for(tag)
        if (
            row is not None
            and not is_retained(tag, allowance)
            and not set(row.code) & set("DU")
        ):
            return True
    return False


def _fault_of_value(leaf: Leaf, allowance: Allowance) -> Sign | None:
    """Return what a value with content tells that it should not."""
    known = entry(leaf.tag)[0]
    vrs = {known, leaf.vr}
    if is_retained(leaf.tag, allowance):
        return None
    if vrs & _BINARY and not vrs & TEXT_VRS:
        if row_for(leaf.tag) is not None and leaf.value.strip(b"\0"):
            return Sign.LISTED
        return _readable(leaf) if not known or _is_word(leaf.value) else None
    texts = [part.strip(" \0") for part in decoded(leaf.value, leaf.charsets).split("\\")]
    if "UI" in vrs:
        kept = Option.RETAIN_UIDS in allowance.options
        fine = all(is_standard_uid(t) or is_dummy(t) for t in texts)
        return None if kept or fine else Sign.UID
    if all(is_dummy(text) for text in texts):
        return None
    return _fault_of_words(leaf, vrs, texts, allowance)


def _fault_of_words(
    leaf: Leaf, vrs: set[str], texts: list[str], allowance: Allowance
) -> Sign | None:
    """Return what text tells that is no dummy and no UID."""
    known, keyword = entry(leaf.tag)
    if row_for(leaf.tag) is not None:
        return Sign.LISTED
    if "PN" in vrs:
        return Sign.NAME
    if vrs & TEMPORAL:
        return None if DATE_OPTIONS & allowance.options else Sign.DATE
    if not known:
        return _readable(leaf)
    vr = leaf.vr if known in _BINARY else known
    return _fault_of_text(leaf, vr, keyword, texts, allowance)


def _fault_of_text(
    leaf: Leaf, vr: str, keyword: str, texts: list[str], allowance: Allowance
) -> Sign | None:
    """Whether text that no row names is something else than terms, numbers and codes."""
    if vr not in _FREE and vr not in {"AS", "DS", "IS"}:
        return None
    if any(is_retained(tag, allowance) for tag in leaf.path):
        return None
    scheme = decoded(leaf.siblings.get(_SCHEME, b""), ())
    if leaf.tag in _CODE_VALUES:
        fine = all(is_code_value(scheme, text) or is_dummy(text) for text in texts)
    elif leaf.tag == _SCHEME:
        fine = all(is_scheme(text) or is_dummy(text) for text in texts)
    elif leaf.tag == _MEANING:
        value = decoded(leaf.siblings.get(0x00080100, b""), ())
        plain = (is_plain(keyword, vr, text, allowance) for text in texts)
        fine = all(p or is_meaning(t) or t == value for p, t in zip(plain, texts, strict=True))
    elif vr == "AS":
        fine = False
    else:
        fine = all(is_plain(keyword, vr, text, allowance) for text in texts)
    return None if fine else Sign.TEXT


def is_plain(keyword: str, vr: str, text: str, allowance: Allowance) -> bool:
    """Whether a component is a term, a dummy, or made of words that may stay."""
    if is_dummy(text) or is_term(keyword, vr, text):
        return True
    if vr in {"DS", "IS"}:
        return False
    if Option.CLEAN_DESCRIPTORS not in allowance.options and not allowance.words:
        return False
    return _LONG_NUMBER.search(text) is None and all(
        is_common(word) or word.lower() in allowance.words for word in _LETTERS.findall(text)
    )


def _is_word(value: bytes) -> bool:
    """Whether bytes that should be numbers are letters."""
    return len(value) <= _LONGEST_WORD and _WORD.fullmatch(value.rstrip(b"\0 ")) is not None


def _readable(leaf: Leaf) -> Sign | None:
    """Whether an attribute that no dictionary knows holds what can be read."""
    return Sign.UNKNOWN if _RUN.search(leaf.value.replace(b"\0", b"")) else None


def meta_faults(parts: FileParts) -> Iterator[Finding]:
    """Yield what should not be before the data set: a preamble, titles, private information."""
    if parts.preamble.strip(b"\0"):
        yield Finding(Sign.PREAMBLE, "preamble")
    for number in (*_META_TEXT, *_META_PRIVATE):
        if parts.meta.get(number, b"").strip(b"\0 "):
            yield Finding(Sign.META, path_text((0x00020000 | number,)))
