"""Search written bytes for the identity of the file they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_medlabel.deid.dicom.silence import quiet
from napari_medlabel.deid.rules.actions import INSERTED, components_of
from napari_medlabel.deid.rules.dictionary import UNKNOWN, entry
from napari_medlabel.deid.rules.vocabulary import is_structural_uid, is_word

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

IDENTIFIERS = frozenset(
    {
        0x00080050,  # Accession Number
        0x00100020,  # Patient ID
        0x00100030,  # Patient's Birth Date
        0x00101000,  # Other Patient IDs
        0x00101040,  # Patient's Address
        0x00102154,  # Patient's Telephone Numbers
        0x00200010,  # Study ID
        0x00380010,  # Admission ID
        0x00401001,  # Requested Procedure ID
    }
)
_SHORTEST, _SHORTEST_NUMBER, _ANYWHERE = 4, 6, 6
_SPLIT = re.compile(r"[\^=\\,; ]+")
_BESIDE = re.compile(rb"[0-9A-Za-z.]")
_NEXT = re.compile(rb"[0-9]\0..[a-z]{2}", re.DOTALL)
_NUMBER = re.compile(rb"[0-9.\0]+")  # in UTF-16 as well
DEFAULT_CHARSETS = ("iso8859",)
_COMMON_CHARSETS: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType(
    {("ISO_IR 6",): ("iso8859",), ("ISO_IR 100",): ("latin_1",), ("ISO_IR 192",): ("UTF8",)}
)
"""What pydicom, which takes long to start, says of the most common ones."""
_DEVICE_UIDS = frozenset({0x00181002, 0x0018100B})


@dataclass(frozen=True)
class Identity:
    """What tells whose file it is.

    Parameters
    ----------
    texts : frozenset of str
        The values as text.
    tokens : frozenset of bytes
        The same in each encoding in which they could be written.
    """

    texts: frozenset[str] = field(default=frozenset(), repr=False)
    tokens: frozenset[bytes] = field(default=frozenset(), repr=False)

    @cached_property
    def lowered(self) -> frozenset[bytes]:
        """The tokens in lower case."""
        return frozenset(token.lower() for token in self.tokens)

    @cached_property
    def anywhere(self) -> frozenset[bytes]:
        """Those in lower case that count inside a word and in pixels."""
        return frozenset(token for token in self.lowered if _is_anywhere(token))


def tells_whose(tag: int, vr: str, *, uids: bool = True, devices: bool = True) -> bool:
    """Whether a value tells whose file it is, by the kind of its attribute.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE.
    vr : str
        Its VR.
    uids, devices : bool
        Whether UIDs do, and those of devices among them; not where an option keeps them.
    """
    if vr == "UI":
        return uids and (devices or tag not in _DEVICE_UIDS)
    return vr == "PN" or tag in IDENTIFIERS


def identity_of(dataset: Dataset, *, uids: bool = True, devices: bool = True) -> Identity:
    """Return the values that tell whose file it is.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    uids, devices : bool
        Whether UIDs tell it, and those of devices; not where they are to be kept.

    Returns
    -------
    Identity
        Name parts (every PN at every depth), IDs, accession number, address, phone, birth
        date, and UIDs that are not the standard's. Parts under four characters, numbers
        under six digits, and words of the vocabulary prove nothing and are left out.
    """
    return united(
        traces(tuple(_texts(value, encodings)), encodings, uid=vr == "UI")
        for vr, value, encodings in _values(dataset, DEFAULT_CHARSETS, (uids, devices))
    )


def identity_in(value: bytes, encodings: tuple[str, ...], *, uid: bool) -> Identity:
    """Return what one identifying value tells.

    Parameters
    ----------
    value : bytes
        As in the file.
    encodings : tuple of str
        Python's names of the data set's character sets.
    uid : bool
        Whether it is a UID, which has no parts.
    """
    return traces(tuple(_texts(value, encodings)), encodings, uid=uid)


@lru_cache(maxsize=4096)
def traces(texts: tuple[str, ...], encodings: tuple[str, ...], *, uid: bool) -> Identity:
    """Return what the readings of one identifying value tell."""
    found: set[str] = set()
    tokens: set[bytes] = set()
    for text in texts:
        parts = [text] if uid else [text, *_SPLIT.split(text)]
        for part in (p.strip("\0 ") for p in parts):
            if _tells(part, "UI" if uid else ""):
                found.add(part)
                tokens.update(_encoded(part, encodings))
    return Identity(frozenset(found), frozenset(tokens))


def united(parts: Iterable[Identity]) -> Identity:
    """Return all that several values tell."""
    each = list(parts)
    return Identity(
        frozenset().union(*(part.texts for part in each)),
        frozenset().union(*(part.tokens for part in each)),
    )


def find(identity: Identity, header: bytes, pixels: bytes) -> int:
    """How many identifying values are in written bytes.

    Parameters
    ----------
    identity : Identity
        From `identity_of`.
    header, pixels : bytes
        What was written: what can be read as text (compressed pixels have such parts too),
        and pixels. Case does not count. Numbers and short words count in the header only,
        and only where they stand alone.

    Returns
    -------
    int
        Count of values found; 0 is clean.
    """
    return len(in_header(identity, header) | in_pixels(identity, pixels))


def in_header(identity: Identity, header: bytes) -> set[bytes]:
    """Return the tokens found in what can be read as text."""
    from napari_medlabel.deid.dicom.grams import holds_wide_text

    lowered = header.lower()
    wide = holds_wide_text(lowered)
    return {
        token
        for token in identity.lowered
        if (wide or b"\0" not in token or not _is_wide(token))
        and token in lowered
        and (_is_anywhere(token) or _stands_alone(token, lowered))
    }


def in_pixels(identity: Identity, pixels: bytes) -> set[bytes]:
    """Return the tokens found in pixels, or in a part of them."""
    from napari_medlabel.deid.dicom.grams import grams_of

    tokens = identity.anywhere
    if not tokens or not pixels or not grams_of(tokens).may_hold(pixels):
        return set()
    lowered = pixels.lower()
    return {token for token in tokens if token in lowered}


@lru_cache(maxsize=4096)
def _is_wide(token: bytes) -> bool:
    """Whether every other byte of a token is zero, as of Latin letters in UTF-16."""
    return not any(token[0::2]) or not any(token[1::2])


@lru_cache(maxsize=4096)
def _is_anywhere(token: bytes) -> bool:
    """Whether a token proves something inside a word and in pixels."""
    return len(token) >= _ANYWHERE and _NUMBER.fullmatch(token) is None


def _stands_alone(token: bytes, lowered: bytes) -> bool:
    """Whether a token stands somewhere with no letter or digit beside it.

    A digit behind it is none where the next element starts: group ``30 00``, and a VR.
    """
    position = lowered.find(token)
    while position >= 0:
        after = position + len(token)
        before = lowered[position - 1 : position] if position else b""
        beside = _BESIDE.match(lowered, after) and not _NEXT.match(lowered, after)
        if not (_BESIDE.match(before) or beside):
            return True
        position = lowered.find(token, position + 1)
    return False


def _values(
    dataset: Dataset, encodings: tuple[str, ...], told: tuple[bool, bool]
) -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """VR, raw value and charsets of each identifying element at every depth."""
    from pydicom.sequence import Sequence

    if 0x00080005 in dataset:
        encodings = _charsets(dataset, encodings)
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        known = entry(int(tag))
        vr = raw.VR if known == UNKNOWN else known[1]
        if vr == "SQ" or isinstance(raw.value, Sequence):
            for item in _items(dataset, tag):
                yield from _values(item, encodings, told)
        elif raw.value is not None and tells_whose(
            int(tag), str(vr), uids=told[0], devices=told[1]
        ):
            yield str(vr), raw.value, encodings


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence; none where the file's bytes are not a sequence."""
    from pydicom.sequence import Sequence

    from napari_medlabel.deid.refusal import PARSE_ERRORS

    try:
        value = dataset[tag].value
    except PARSE_ERRORS:
        return []
    return list(value) if isinstance(value, Sequence) else []


def _charsets(dataset: Dataset, inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Python encodings of a data set's Specific Character Set."""
    value = dataset.get_item(0x00080005).value
    return charsets_of(components_of(value), inherited)


@lru_cache(maxsize=64)
def charsets_of(named: tuple[str, ...], inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Python's names of the character sets that an attribute names, or those from above."""
    if named in _COMMON_CHARSETS:
        return _COMMON_CHARSETS[named]
    from pydicom.charset import convert_encodings

    from napari_medlabel.deid.refusal import PARSE_ERRORS

    value = named[0] if len(named) == 1 else list(named)
    with quiet():  # it quotes the value
        try:
            return tuple(convert_encodings(value)) if any(named) else inherited
        except PARSE_ERRORS:
            return inherited


def _texts(value: object, encodings: tuple[str, ...]) -> Iterator[str]:
    """Return a raw value as text: bytes in each charset that decodes them."""
    if isinstance(value, bytes | bytearray):
        for encoding in dict.fromkeys((*encodings, "utf-8", "latin-1")):
            try:
                yield bytes(value).decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    else:
        several = isinstance(value, MutableSequence | tuple)
        parts = list(value) if several else [value]  # type: ignore[call-overload]
        yield from (str(part) for part in parts)


def _tells(part: str, vr: str) -> bool:
    """Whether finding a part would be evidence."""
    if vr == "UI":
        return len(part) >= _SHORTEST_NUMBER and not is_structural_uid(part)
    if len(part) < (_SHORTEST_NUMBER if part.isdigit() else _SHORTEST):
        return False
    return part.upper() not in INSERTED and not is_word(part)


def _encoded(part: str, encodings: tuple[str, ...]) -> Iterator[bytes]:
    """Return a part in each encoding in which it could have been written."""
    for encoding in dict.fromkeys((*encodings, "utf-8", "latin-1", "utf-16-le", "utf-16-be")):
        try:
            yield part.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
