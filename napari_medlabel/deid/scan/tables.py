"""What the standard lists and which words say nothing: the scan's own look at the tables."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

_FOLDER = Path(__file__).parents[1] / "data"
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?")
_CONTEXT_GROUP = re.compile(r"1\.2\.840\.10008\.6\.1\.[1-9][0-9]{0,3}")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008\.[0-9.]{1,24}")
_LONGEST_LAST, _OLDER = 3, "SRT"


@dataclass(frozen=True)
class Row:
    """A row of Table E.1-1.

    Parameters
    ----------
    code : str
        Action code of the Basic Profile, such as ``"X/Z/D"``.
    options : frozenset of str
        Options under which it may stay, whole or cleaned.
    keeps : frozenset of str
        Those under which it stays as it is.
    """

    code: str
    options: frozenset[str]
    keeps: frozenset[str]


def _data(name: str) -> Any:
    return json.loads((_FOLDER / name).read_bytes())


@cache
def _rows() -> tuple[Mapping[int, Row], tuple[tuple[int, int, Row], ...]]:
    """Rows by tag, and rows of families as (value, mask, row)."""
    by_tag, families = {}, []
    for tag, _, code, options in _data("basic_2026c.json")["rules"]:
        keeps = frozenset(name for name, cell in options.items() if cell == "K")
        row = Row(code, frozenset(options), keeps)
        if tag == "odd":
            continue
        if "x" in tag:
            mask = int("".join("0" if c == "x" else "F" for c in tag), 16)
            families.append((int(tag.replace("x", "0"), 16), mask, row))
        else:
            by_tag[int(tag, 16)] = row
    return by_tag, tuple(families)


@lru_cache(maxsize=8192)
def row_for(tag: int) -> Row | None:
    """Return the row of Table E.1-1 that names an attribute that is not private."""
    by_tag, families = _rows()
    if tag in by_tag:
        return by_tag[tag]
    return next((row for value, mask, row in families if tag & mask == value), None)


def listed_tags() -> Iterable[int]:
    """Return the tags of Table E.1-1, families left out."""
    return _rows()[0].keys()


@cache
def safe_private() -> frozenset[tuple[int, str, int]]:
    """Return group, creator and last two digits of the element in Table E.3.10-1."""
    rules = _data("safe_private_2026c.json")["rules"]
    return frozenset(
        (int(group, 16), creator, int(low, 16)) for group, low, creator, *_ in rules
    )


@cache
def _lines(name: str) -> list[str]:
    """Lines of a table in order; sorted by what they begin with."""
    return (_FOLDER / name).read_text("ascii").splitlines()


@lru_cache(maxsize=8192)
def entry(tag: int) -> tuple[str, str]:
    """Return VR and keyword of the standard's dictionary; two empty texts without one."""
    name, key = "dictionary.txt", f"{tag:08X}\t"
    if tag >> 24 in {0x50, 0x60} and not tag >> 16 & 1:
        name, key = "repeaters.txt", f"{tag >> 24:02X}xx{tag & 0xFFFF:04X}\t"
    lines = _lines(name)
    place = bisect_left(lines, key)
    if place == len(lines) or not lines[place].startswith(key):
        return "", ""
    _, vr, keyword = lines[place].split("\t")
    several = vr.split(" or ")
    return "OW" if "OW" in several else several[0], keyword


@cache
def _tags() -> Mapping[str, int]:
    rows = (line.split("\t") for line in _lines("dictionary.txt"))
    return {keyword: int(tag, 16) for tag, _, keyword in rows if keyword}


def tag_of(keyword: str) -> int | None:
    """Return the tag of a standard attribute; None without one."""
    return _tags().get(keyword)


@dataclass(frozen=True)
class _Words:
    terms: frozenset[str]
    by_keyword: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]
    schemes: Mapping[str, re.Pattern[str]]
    common: frozenset[str]


@cache
def _words() -> _Words:
    document = _data("vocabulary.json")
    terms = frozenset(document["terms"]) | frozenset(_data("body_parts.json"))
    by_keyword = {k: frozenset(v) for k, v in document["by_keyword"].items()}
    listed = [*terms, *(v for values in by_keyword.values() for v in values)]
    listed += [*_data("safe_words.json"), *_data("methods.json").values()]
    common = {w.upper() for v in listed for w in (v, *re.split(r"[^A-Za-z0-9]+", v))}
    return _Words(
        terms,
        by_keyword,
        {k: re.compile(v) for k, v in document["patterns"].items()},
        {k: re.compile(v) for k, v in document["schemes"].items()},
        frozenset(common),
    )


def is_common(word: str) -> bool:
    """Whether a word, in any case, is one that medicine shares and so proves nothing."""
    return word.upper() in _words().common


def is_term(keyword: str, vr: str, component: str) -> bool:
    """Whether one component of a value is a defined term, a listed one or a number.

    Parameters
    ----------
    keyword, vr : str
        Of the attribute, by the dictionary.
    component : str
        Without padding.
    """
    if not component:
        return True
    if vr in {"DS", "IS"}:
        return _NUMBER.fullmatch(component) is not None
    words = _words()
    pattern = words.patterns.get(keyword)
    return (
        component in words.by_keyword.get(keyword, frozenset())
        or (pattern is not None and pattern.fullmatch(component) is not None)
        or (vr == "CS" and component in words.terms)
    )


def is_code_value(scheme: str, value: str) -> bool:
    """Whether a code value is published, or has the form that its scheme gives codes."""
    pattern = _words().schemes.get(scheme)
    if pattern is not None and pattern.fullmatch(value) is not None:
        return True
    key = f"\n{scheme}\t{value}\t"
    return scheme != _OLDER and key[1:-1].count("\t") == 1 and key.encode() in _codes()


def is_scheme(name: str) -> bool:
    """Whether a coding scheme is one of those that are published."""
    return name in _words().schemes or f"\n{name}\t".encode() in _codes()


def is_meaning(text: str) -> bool:
    """Whether a text is the published meaning of some code."""
    if is_common(text) or (f"\t{text}\n".encode() in _codes() and not text.isdigit()):
        return True
    return text in _meanings()


@cache
def _codes() -> bytes:
    """Scheme, value and shortest meaning of the codes of PS3.16, between tabs and newlines.

    Of the older scheme SRT, it is the newer code instead of a meaning.
    """
    return b"\n" + (_FOLDER / "codes.txt").read_bytes()


@cache
def _meanings() -> frozenset[str]:
    """All meanings of codes of PS3.16, as pydicom carries them; it takes long to start."""
    from pydicom.sr._concepts_dict import concepts

    published = cast("dict[str, dict[str, dict[str, tuple[str, list[int]]]]]", concepts)
    found = {
        meaning[:64]
        for keywords in published.values()
        for entries in keywords.values()
        for meaning, _ in entries.values()
    }
    return frozenset(found) | frozenset(_data("methods.json").values())


@cache
def _uids() -> frozenset[str]:
    return frozenset(line.partition("\t")[0] for line in _lines("uids.txt"))


def is_listed_uid(uid: str) -> bool:
    """Whether a UID is one of PS3.6 Annex A."""
    return uid in _uids()


@lru_cache(maxsize=8192)
def is_standard_uid(uid: str) -> bool:
    """Whether a UID names something of the standard rather than an instance.

    The registered ones, context groups, and newer ones beside or below a registered one
    whose last number is short: nobody can hide a number of a patient in those.
    """
    if uid in _uids() or _CONTEXT_GROUP.fullmatch(uid) is not None:
        return True
    parent, _, last = uid.rpartition(".")
    if _STANDARD_UID.fullmatch(uid) is None or len(last) > _LONGEST_LAST:
        return False
    return any(known == parent or known.rpartition(".")[0] == parent for known in _uids())
