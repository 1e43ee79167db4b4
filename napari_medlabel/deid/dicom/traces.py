"""The identity of a file from the bytes of its elements; what is met again is remembered."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from napari_medlabel.deid.dicom.elements import (
    SEQUENCE,
    UNKNOWN,
    Element,
    OddError,
    items_of,
)
from napari_medlabel.deid.dicom.sweep import (
    DEFAULT_CHARSETS,
    IDENTIFIERS,
    Identity,
    charsets_of,
    identity_in,
    tells_whose,
    united,
)
from napari_medlabel.deid.rules.actions import components_of
from napari_medlabel.deid.rules.dictionary import UNKNOWN as UNKNOWN_ENTRY
from napari_medlabel.deid.rules.dictionary import entry, tags_of

_CHARACTER_SET = 0x00080005
_WATCHED_VRS = frozenset({"PN", "UI", "SQ"})
_WATCHED = IDENTIFIERS | tags_of(_WATCHED_VRS)
_FOUND_VRS = frozenset({b"PN", b"UI", b"SQ"})
_UNDEFINED = b"\xff\xff\xff\xff"
_PROPER_UID = re.compile(r"[0-9]+(?:\.[0-9]+){2,}")
_MOST_BYTES, _MOST_ENTRIES = 4096, 8192
_NOTHING = Identity()


class _Context(NamedTuple):
    """Character sets, whether VRs are written, and whether UIDs and those of devices count."""

    encodings: tuple[str, ...]
    explicit: bool
    uids: bool
    devices: bool


_known: dict[_Context, dict[bytes, Identity]] = {}


def identity_of_elements(
    elements: list[Element], *, explicit: bool, uids: bool, devices: bool = True
) -> tuple[Identity, frozenset[str]]:
    """Return what tells whose file it is.

    Parameters
    ----------
    elements : list of Element
        The top level.
    explicit : bool
        Whether VRs are written.
    uids, devices : bool
        Whether UIDs tell it, and those of devices; not where they are to be kept.

    Returns
    -------
    identity : Identity
        The same as `sweep.identity_of` says of the parsed data set.
    shared : frozenset of str
        Its texts without UIDs of numbers: a series has them in common.
    """
    parts = _parts(elements, _Context(DEFAULT_CHARSETS, explicit, uids, devices))
    identity = united(parts)
    return identity, frozenset().union(*map(_shared, parts))


@lru_cache(maxsize=8192)
def _is_proper_uid(text: str) -> bool:
    return _PROPER_UID.fullmatch(text) is not None


def _shared(part: Identity) -> frozenset[str]:
    """Return the texts that are no UIDs of numbers."""
    return frozenset(text for text in part.texts if not _is_proper_uid(text))


def _parts(elements: list[Element], context: _Context) -> list[Identity]:
    """Return what each identifying element tells."""
    for tag, _, raw, start in elements:
        if tag >= _CHARACTER_SET:
            if tag == _CHARACTER_SET:
                named = charsets_of(components_of(raw[start:]), context.encodings)
                context = context._replace(encodings=named)
            break
    known = _known.setdefault(context, {})
    told = [known.get(element[2]) for element in elements]
    if None in told:
        told = [
            _remembered(element, context) if part is None else part
            for element, part in zip(elements, told, strict=True)
        ]
    # by id: comparing all texts of two parts takes longer than uniting them
    return list({id(part): part for part in told if part is not None and part.texts}.values())


def _remembered(element: Element, context: _Context) -> Identity:
    """Return what one element tells, and keep it for the next of the same bytes."""
    told = _told(element, context) if _is_watched(element) else _NOTHING
    if len(element[2]) <= _MOST_BYTES:
        if sum(map(len, _known.values())) >= _MOST_ENTRIES:
            _known.clear()
        _known.setdefault(context, {})[element[2]] = told
    return told


def _is_watched(element: Element) -> bool:
    """Whether an element could tell whose file it is, or could hold one that does."""
    tag, vr, raw, start = element
    return tag in _WATCHED or vr in _FOUND_VRS or raw[start - 4 : start] == _UNDEFINED


def _told(element: Element, context: _Context) -> Identity:
    """Return what one element tells."""
    tag, found, raw, start = element
    known = entry(tag)
    vr = found.decode("ascii") if known == UNKNOWN_ENTRY else known[1]
    undefined = raw[start - 4 : start] == _UNDEFINED
    if vr == "SQ" or (undefined and found in {b"", UNKNOWN, SEQUENCE}):
        if found not in {b"", SEQUENCE} and not undefined and len(raw) > start:
            raise OddError
        inner = context._replace(explicit=context.explicit and found != UNKNOWN)
        each = [_parts(item, inner) for item in items_of(element, explicit=inner.explicit)]
        return united(part for parts in each for part in parts)
    if found == SEQUENCE:
        raise OddError
    if tells_whose(tag, vr, uids=context.uids, devices=context.devices) and not undefined:
        return identity_in(raw[start:], context.encodings, uid=vr == "UI")
    return _NOTHING
