"""Search written bytes for the identity of the file they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from napari_medlabel.deid.actions import INSERTED
from napari_medlabel.deid.refusal import PARSE_ERRORS
from napari_medlabel.deid.vocabulary import is_structural_uid, is_word

_IDENTIFIERS = frozenset(
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
_BESIDE = rb"[0-9A-Za-z.]"


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


def identity_of(dataset: Dataset) -> Identity:
    """Return the values that tell whose file it is.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.

    Returns
    -------
    Identity
        Name parts (every PN at every depth), IDs, accession number, address, phone, birth
        date, and UIDs that are not the standard's. Parts under four characters, numbers
        under six digits, and words of the vocabulary prove nothing and are left out.
    """
    texts: set[str] = set()
    tokens: set[bytes] = set()
    for vr, value, encodings in _values(dataset, ("iso8859",)):
        for text in _texts(value, encodings):
            parts = [text] if vr == "UI" else [text, *_SPLIT.split(text)]
            for part in (p.strip("\0 ") for p in parts):
                if _tells(part, vr):
                    texts.add(part)
                    tokens.update(_encoded(part, encodings))
    return Identity(frozenset(texts), frozenset(tokens))


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
    lowered, coded = header.lower(), pixels.lower()
    hits = 0
    for token in {token.lower() for token in identity.tokens}:
        alone = len(token) < _ANYWHERE or re.fullmatch(rb"[0-9.]+", token) is not None
        if alone:
            pattern = rb"(?<!%b)%b(?!%b)" % (_BESIDE, re.escape(token), _BESIDE)
            hits += re.search(pattern, lowered) is not None
        else:
            hits += token in lowered or token in coded
    return hits


def _values(
    dataset: Dataset, encodings: tuple[str, ...]
) -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """VR, raw value and charsets of each identifying element at every depth."""
    if 0x00080005 in dataset:
        encodings = _charsets(dataset, encodings)
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else raw.VR
        if vr == "SQ" or isinstance(raw.value, Sequence):
            for item in _items(dataset, tag):
                yield from _values(item, encodings)
        elif raw.value is not None and (vr in {"PN", "UI"} or tag in _IDENTIFIERS):
            yield str(vr), raw.value, encodings


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence; none where the file's bytes are not a sequence."""
    try:
        value = dataset[tag].value
    except PARSE_ERRORS:
        return []
    return list(value) if isinstance(value, Sequence) else []


def _charsets(dataset: Dataset, inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Python encodings of a data set's Specific Character Set."""
    try:
        value = dataset[0x00080005].value
        return tuple(convert_encodings(value)) if value else inherited
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
        parts = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
        yield from (str(part) for part in parts)


def _tells(part: str, vr: str) -> bool:
    """Whether finding a part would be evidence."""
    if vr == "UI":
        return len(part) >= _SHORTEST_NUMBER and not is_structural_uid(part)
    if len(part) < (_SHORTEST_NUMBER if part.isdigit() else _SHORTEST):
        return False
    return part not in INSERTED and not is_word(part)


def _encoded(part: str, encodings: tuple[str, ...]) -> Iterator[bytes]:
    """Return a part in each encoding in which it could have been written."""
    for encoding in dict.fromkeys((*encodings, "utf-8", "latin-1", "utf-16-le", "utf-16-be")):
        try:
            yield part.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
