"""The identity of a file from the bytes of its elements; what is met again is remembered."""

from __future__ import annotations

import re
from typing import NamedTuple

from napari_medlabel.deid.actions import components_of
from napari_medlabel.deid.dictionary import UNKNOWN as UNKNOWN_ENTRY
from napari_medlabel.deid.dictionary import entry, tags_of
from napari_medlabel.deid.splice_bytes import (
    SEQUENCE,
    UNKNOWN,
    Element,
    OddError,
    items_of,
)
from napari_medlabel.deid.sweep import (
    DEFAULT_CHARSETS,
    IDENTIFIERS,
    Identity,
    charsets_of,
    identity_in,
    united,
)

_CHARACTER_SET = 0x00080005
_WATCHED_VRS = frozenset({"PN", "UI", "SQ"})
_WATCHED = IDENTIFIERS | tags_of(_WATCHED_VRS)
_FOUND_VRS = frozenset({b"PN", b"UI", b"SQ"})
_UNDEFINED = b"\xff\xff\xff\xff"
_PROPER_UID = re.compile(r"[0-9]+(?:\.[0-9]+){2,}")
_MOST_BYTES, _MOST_ENTRIES = 16384, 4096
_NOTHING = Identity()


class _Context(NamedTuple):
    """Character sets, whether VRs are written, and whether UIDs count."""

    encodings: tuple[str, ...]
    explicit: bool
    uids: bool


_known: dict[tuple[bytes, _Context], Identity] = {}


def identity_of_elements(
    elements: list[Element], *, explicit: bool, uids: bool
) -> tuple[Identity, frozenset[str]]:
    """Return what tells whose file it is.

    Parameters
    ----------
    elements : list of Element
        The top level.
    explicit : bool
        Whether VRs are written.
    uids : bool
        Whether UIDs tell it; not where they are to be kept.

    Returns
    -------
    identity : Identity
        The same as `sweep.identity_of` says of the parsed data set.
    shared : frozenset of str
        Its texts without UIDs of numbers: a series has them in common.
    """
    parts = _parts(elements, _Context(DEFAULT_CHARSETS, explicit, uids))
    identity = united(parts)
    return identity, frozenset(t for t in identity.texts if not _PROPER_UID.fullmatch(t))


def _parts(elements: list[Element], context: _Context) -> set[Identity]:
    """Return what each identifying element tells."""
    watched = [
        e
        for e in elements
        if e[0] in _WATCHED or e[1] in _FOUND_VRS or e[2][e[3] - 4 : e[3]] == _UNDEFINED
    ]
    for tag, _, raw, start in elements:
        if tag >= _CHARACTER_SET:
            if tag == _CHARACTER_SET:
                named = charsets_of(components_of(raw[start:]), context.encodings)
                context = context._replace(encodings=named)
            break
    parts = set()
    for element in watched:
        key = (element[2], context)
        known = _known.get(key)
        if known is None:
            known = _told(element, context)
            if len(element[2]) <= _MOST_BYTES:
                if len(_known) >= _MOST_ENTRIES:
                    _known.clear()
                _known[key] = known
        parts.add(known)
    return parts


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
    tells = (vr == "UI" and context.uids) or vr == "PN" or tag in IDENTIFIERS
    if tells and not undefined:
        return identity_in(raw[start:], context.encodings, uid=vr == "UI")
    return _NOTHING
