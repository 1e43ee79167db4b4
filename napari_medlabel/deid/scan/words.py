"""The values that tell whose a file is, in every spelling in which bytes could hold them."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from napari_medlabel.deid.scan.finding import Sign
from napari_medlabel.deid.scan.tables import is_common, is_standard_uid, tag_of

SHORT_BYTES = 6
"""Fewer bytes than this prove something only in text, not in binary data."""

_SHORTEST_NAME, _SHORTEST_TEXT, _SHORTEST_NUMBER = 3, 4, 6
_SHORTEST_IDEOGRAMS, _SHORTEST_HEX = 2, 5
_ANYWHERE = 6
_SPLIT = re.compile(r"[\^=\\,;:/()\[\]<>\"'\s_|]+")
_NUMBER = re.compile(r"[0-9.+\-:/ ]*")
_DATE = re.compile(r"((?:1[89]|20)[0-9]{2})[-./]?(0[1-9]|1[0-2])[-./]?(0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(r"[0-9]{6}\.[0-9]{3,6}")
_PSEUDONYM = re.compile(r"[A-Z]{1,2}-[0-9A-HJKMNP-TV-Z]{8,16}|2\.25\.[0-9]{1,39}")
_DUMMY = re.compile(
    r"ANON|99ANON|ANONYM(?:OUS|I[SZ]ED)|DE-?IDENTIFIED|REMOVED|UNKNOWN|NONE|"
    r"[0.+:/\- ]*|0{1,3}[DWMY]|(?:0001|1900|2000)01010{0,6}(?:\.0+)?|"
    r"HTTPS://ANON\.INVALID|OTHER|OT|O",
    re.IGNORECASE,
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DESCRIPTIVE = frozenset({Sign.IDENTIFIER, Sign.TEXT})
_SINGLE = {
    "": "iso8859", "ISO_IR 6": "iso8859", "ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3", "ISO_IR 110": "iso8859_4", "ISO_IR 126": "iso_ir_126",
    "ISO_IR 127": "iso_ir_127", "ISO_IR 138": "iso_ir_138", "ISO_IR 144": "iso_ir_144",
    "ISO_IR 192": "UTF8", "GB18030": "GB18030", "GBK": "GBK",
}  # fmt: skip
"""What pydicom, which takes long to start, says of the character sets that are used alone."""

_IDEOGRAMS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")


@dataclass(frozen=True)
class Needle:
    """Bytes to be found.

    Parameters
    ----------
    pattern : bytes
        In lower case of ASCII.
    sign : Sign
        What finding them proves.
    alone : bool
        Whether they count only where no letter, digit or dot stands beside them.
    plain : bool
        Whether they can be searched among pixels: long, and no number or wide text.
    loose : bool
        Whether it is one word out of several of a description: prose may have it by chance.
    """

    pattern: bytes
    sign: Sign
    alone: bool
    plain: bool
    loose: bool = False


def is_dummy(text: str) -> bool:
    """Whether a component says nothing: empty, zero, a dummy or a pseudonym's form."""
    return _DUMMY.fullmatch(text) is not None or _PSEUDONYM.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a day of the last centuries, or begins with one."""
    return _DATE.match(text) is not None


def decoded(value: bytes, charsets: tuple[str, ...]) -> str:
    """Return the text of a value in a data set's character sets, padding removed.

    Parameters
    ----------
    value : bytes
        As in the file.
    charsets : tuple of str
        Defined terms. Bytes that they do not have are read as Latin-1.
    """
    value = value.rstrip(b"\0 ")
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    encodings = _encodings(charsets)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if b"\x1b" in value:
                from pydicom.charset import decode_bytes

                return decode_bytes(value, encodings, {0x5C, 0x5E, 0x3D, 9, 10, 12, 13})
            return value.decode(encodings[-1] if len(encodings) == 1 else encodings[0])
    except (UnicodeError, LookupError, ValueError):
        return _guessed(value)


def _guessed(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@lru_cache(maxsize=64)
def _encodings(charsets: tuple[str, ...]) -> tuple[str, ...]:
    """Python's names of character sets."""
    if len(charsets) < 2:
        single = _SINGLE.get(charsets[0] if charsets else "ISO_IR 100")
        if single is not None:
            return (single,)
    from pydicom.charset import convert_encodings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(convert_encodings(list(charsets)))
    except (LookupError, ValueError):
        return ("latin-1",)


@lru_cache(maxsize=8192)
def needles_of(text: str, sign: Sign, charsets: tuple[str, ...]) -> tuple[Needle, ...]:
    """Return what to look for because of one identifying text.

    Parameters
    ----------
    text : str
        The value, decoded; backslashes part it.
    sign : Sign
        What it is. A name counts from three letters, other text from four, a number from
        six digits, two characters of Chinese, Japanese or Korean; words that medicine
        shares, dummies and pseudonyms never.
    charsets : tuple of str
        Defined terms of the character sets that it could be written in.
    """
    found: dict[bytes, Needle] = {}
    for component in (part.strip(" \0") for part in text.split("\\")):
        if is_dummy(component):
            continue
        for part, how in _parts(component, sign):
            loose = part != component and how in _DESCRIPTIVE and part.isalpha()
            for needle in _spelled(part, how, charsets):
                found.setdefault(needle.pattern, replace(needle, loose=loose))
    return tuple(found.values())


def _parts(component: str, sign: Sign) -> Iterator[tuple[str, Sign]]:
    """Yield the component, its parts, and each day in it."""
    if sign is Sign.UID:
        if len(component) >= _SHORTEST_NUMBER and not is_standard_uid(component):
            yield component, sign
        return
    for match in _DATE.finditer(component):
        if _real_day(match) and not is_dummy("".join(match.groups())):
            yield from ((spelling, Sign.DATE) for spelling in _days(*map(int, match.groups())))
    if sign is Sign.DATE:
        if _TIME.search(component) or len(component) > len("20240229"):
            yield component, sign
        return
    for part in dict.fromkeys((component, *_SPLIT.split(component))):
        bare = part.strip(".,- ")
        if _tells(bare, sign):
            yield bare, sign


def _real_day(match: re.Match[str]) -> bool:
    try:
        date(*map(int, match.groups()))
    except ValueError:
        return False
    return True


def _days(year: int, month: int, day: int) -> tuple[str, ...]:
    """Return the spellings of a day."""
    name = _MONTHS[month - 1]
    return (
        f"{year}{month:02}{day:02}",
        *(f"{year}{s}{month:02}{s}{day:02}" for s in "-./"),
        *(f"{day:02}{s}{month:02}{s}{year}" for s in "-./"),
        *(f"{month:02}{s}{day:02}{s}{year}" for s in "-/"),
        *dict.fromkeys((f"{day}.{month}.{year}", f"{month}/{day}/{year}")),
        *(f"{day} {m} {year}" for m in (name, name[:3])),
        *(f"{m} {day}, {year}" for m in (name, name[:3])),
        f"{day:02}-{name[:3]}-{year}",
    )


def _tells(part: str, sign: Sign) -> bool:
    """Whether finding a part would be evidence."""
    if _NUMBER.fullmatch(part) is not None:
        return sum(map(str.isdigit, part)) >= _SHORTEST_NUMBER and not is_dummy(part)
    if any(_is_ideogram(c) for c in part):
        return len(part) >= _SHORTEST_IDEOGRAMS
    if len(part) < (_SHORTEST_NAME if sign is Sign.NAME else _SHORTEST_TEXT):
        return False
    if not part[1:].islower() and tag_of(part) is not None:
        return False  # "PatientName" is an attribute, and nobody's name
    words = [word for word in re.split(r"[^0-9A-Za-z\u0080-\uffff]+", part) if word]
    return not is_dummy(part) and not all(is_common(w) or w.isdigit() for w in words)


def _is_ideogram(character: str) -> bool:
    return not character.isascii() and unicodedata.name(character, "").startswith(_IDEOGRAMS)


def _spelled(part: str, sign: Sign, charsets: tuple[str, ...]) -> Iterator[Needle]:
    """Yield a part in each case and encoding."""
    is_number = _NUMBER.fullmatch(part) is not None
    is_wide = any(_is_ideogram(c) for c in part)
    alone = is_number or (len(part) < _ANYWHERE and not is_wide)
    if sign is Sign.UID:
        alone = len(part) < 20
    for folded in _folded(part):
        narrow = {encoded.lower() for encoded in _encoded(folded, charsets)}
        for pattern in narrow:
            if len(pattern) < _SHORTEST_NAME:
                continue
            plain = len(pattern) >= SHORT_BYTES and (not is_number or sign is Sign.UID)
            yield Needle(pattern, sign, alone, plain)
        if len(folded) >= _SHORTEST_HEX:
            for form in {folded, folded.upper(), folded.lower()}:
                digits = form.encode("utf-8", "replace").hex().encode("ascii")
                yield Needle(digits, sign, False, False)
        for codec in ("utf-16-le", "utf-16-be"):
            yield Needle(folded.encode(codec, "replace").lower(), sign, alone, False)


def _folded(part: str) -> list[str]:
    """Return a text as it is, in other cases, composed and not, and without accents."""
    if part.isascii():
        return [part]
    composed = unicodedata.normalize("NFC", part)
    apart = unicodedata.normalize("NFKD", part)
    bare = "".join(c for c in apart if not unicodedata.combining(c)).replace("\u00df", "ss")
    spelt = composed
    for letter, plain in zip(
        "\u00e4\u00f6\u00fc\u00c4\u00d6\u00dc\u00df",
        ("ae", "oe", "ue", "Ae", "Oe", "Ue", "ss"),
        strict=True,
    ):
        spelt = spelt.replace(letter, plain)
    forms = (part, composed, apart, composed.lower(), composed.upper(), composed.title())
    return list(dict.fromkeys((*forms, bare, spelt)))


def _encoded(part: str, charsets: tuple[str, ...]) -> Iterator[bytes]:
    """Yield a text in each encoding in which it could have been written."""
    if part.isascii():
        yield part.encode("ascii")
        return
    for encoding in dict.fromkeys((*_encodings(charsets), "utf-8", "latin-1")):
        try:
            encoded = part.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
        if encoding.startswith("iso2022"):
            encoded = encoded.removesuffix(b"\x1b(B").removesuffix(b"\x1b(J")
        yield encoded
