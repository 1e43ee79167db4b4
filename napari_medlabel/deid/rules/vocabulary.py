"""Which text may stay where no rule names the attribute: terms, patterns, numbers, codes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from napari_medlabel.deid.rules.dictionary import DATA

UIDS, CODES = "uids.txt", "codes.txt"
"""What `generate_dictionary` writes."""

# PS3.5 6.2 allows 16 characters. Scanners write more decimals than fit, above all in positions
# and spacings: dropping those would take the scan out of its place.
_DS = re.compile(r"[+-]?(?:[0-9]{1,16}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_IS = re.compile(r"[+-]?[0-9]{1,11}")
_MAX_DS, _MAX_IS = 32, 12
_TELLING = re.compile(
    r"[+-]?(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:\.0*)?"
    r"|\+[0-9]{8,}(?:\.[0-9]*)?"
    r"|0+[1-9][0-9]{7,}(?:\.[0-9]*)?"
)
"""Days of our two centuries, and numbers as of telephones: no machine measures those."""

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage: a DICOMDIR, which is never passed on."""

_OLDER = "SRT"
_STANDARD = "1.2.840.10008."
_SHORT_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")
_CONTEXT_GROUP_UID = re.compile(r"1\.2\.840\.10008\.6\.1\.[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class Vocabulary:
    """The words that may stay.

    Parameters
    ----------
    terms : frozenset of str
        Defined terms of CS attributes, in upper case; body parts are among them.
    by_keyword : mapping of str to frozenset of str
        Whole values that may stay in one attribute.
    patterns : mapping of str to compiled pattern
        What a component of one attribute may look like.
    schemes : mapping of str to compiled pattern
        Form of a code value by coding scheme designator.
    bulk : frozenset of str
        Keywords of binary attributes (OB, OW, OF ...) that may stay.
    """

    terms: frozenset[str]
    by_keyword: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]
    schemes: Mapping[str, re.Pattern[str]]
    bulk: frozenset[str]

    def passes(self, keyword: str, vr: str, component: str) -> bool:
        """Whether one component of a value may stay.

        Parameters
        ----------
        keyword : str
            The attribute's keyword.
        vr : str
            Its VR in the dictionary: text VRs, DS or IS.
        component : str
            One component (no backslash), without padding.

        Returns
        -------
        bool
            True for an empty component, a number in DS or IS (but `is_telling_number`), a
            defined term in CS, a value listed for the attribute or one that matches its
            pattern.
        """
        if not component:
            return True
        if vr == "DS":
            fits = len(component) <= _MAX_DS and _DS.fullmatch(component) is not None
            return fits and not is_telling_number(component)
        if vr == "IS":
            fits = len(component) <= _MAX_IS and _IS.fullmatch(component) is not None
            return fits and not is_telling_number(component)
        if component in self.by_keyword.get(keyword, frozenset()):
            return True
        pattern = self.patterns.get(keyword)
        if pattern is not None and pattern.fullmatch(component) is not None:
            return True
        return vr == "CS" and component in self.terms


def is_telling_number(text: str) -> bool:
    """Whether a number is written as a date (YYYYMMDD), or as a telephone's.

    That is one with a plus before eight or more digits, or with zeros before them.
    """
    return _TELLING.fullmatch(text) is not None


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with the package."""
    document = json.loads((DATA / "vocabulary.json").read_text("utf-8"))
    body_parts = json.loads((DATA / "body_parts.json").read_text("utf-8"))
    schemes = {k: re.compile(v) for k, v in document["schemes"].items()}
    by_keyword = {k: frozenset(v) for k, v in document["by_keyword"].items()}
    by_keyword["CodingSchemeDesignator"] = frozenset(schemes)
    return Vocabulary(
        terms=frozenset(document["terms"]) | frozenset(body_parts),
        by_keyword=by_keyword,
        patterns={k: re.compile(v) for k, v in document["patterns"].items()},
        schemes=schemes,
        bulk=frozenset(document["bulk"]),
    )


def is_word(text: str) -> bool:
    """Whether a word, in any case, is one of the vocabulary and so proves nothing."""
    return text.upper() in _words()


@cache
def _words() -> frozenset[str]:
    """Every word of the vocabulary in upper case, split at what is not a letter or digit."""
    known = vocabulary()
    values = [*known.terms, *(v for values in known.by_keyword.values() for v in values)]
    return frozenset(
        word.upper() for value in values for word in (value, *re.split(r"[^A-Za-z0-9]+", value))
    )


@lru_cache(maxsize=4096)
def is_structural_uid(uid: str) -> bool:
    """Whether a UID is one of the standard's own and names no instance.

    Those are the ones of PS3.6 Annex A that pydicom lists, context groups
    (1.2.840.10008.6.1), and newer ones: beside or below a listed one, with a last number
    under 1000. Any other under 1.2.840.10008 could hide an identifier.
    """
    if not uid.startswith(_STANDARD):
        return False
    if uid in _listed_uids() or _CONTEXT_GROUP_UID.fullmatch(uid) is not None:
        return True
    parent, _, last = uid.rpartition(".")
    return _SHORT_NUMBER.fullmatch(last) is not None and parent in _structural_parents()


def is_instance_class(sop_class: str) -> bool:
    """Whether a SOP class is one of the standard's own, and not the one of directories."""
    return is_structural_uid(sop_class) and sop_class != DICOMDIR_CLASS


def is_transfer_syntax(uid: str) -> bool:
    """Whether a UID is one of a transfer syntax of PS3.6 Annex A."""
    return _listed_uids().get(uid, False)


@cache
def _listed_uids() -> Mapping[str, bool]:
    """Each UID that is listed, and whether it is a transfer syntax."""
    rows = (DATA / UIDS).read_text("ascii").splitlines()
    return {uid: kind == "T" for uid, _, kind in (row.partition("\t") for row in rows)}


@cache
def _structural_parents() -> frozenset[str]:
    """Each listed UID that is longer than the root, and what it lies under."""
    listed = {*_listed_uids(), *(uid.rpartition(".")[0] for uid in _listed_uids())}
    return frozenset(uid for uid in listed if uid.startswith(_STANDARD))


def code_meaning(scheme: str, value: str) -> str | None:
    """Return the published meaning of a code, never the file's own text.

    Parameters
    ----------
    scheme : str
        Coding scheme designator, for example ``"SCT"``.
    value : str
        Code value.

    Returns
    -------
    str or None
        The meaning in PS3.16, or None when the code is not in the dictionary.
    """
    if scheme in {_OLDER, "SNM3", "99SDM"}:
        newer = _published(_OLDER, value)
        return None if newer is None else _published("SCT", newer)
    return _published(scheme, value)


@lru_cache(maxsize=4096)
def _published(scheme: str, value: str) -> str | None:
    """Return what the table of codes says of a scheme and a value."""
    key = f"\n{scheme}\t{value}\t"
    if not key[1:-1].replace("\t", "", 1).isprintable():
        return None
    codes = _codes()
    start = codes.find(key.encode("utf-8"))
    if start < 0:
        return None
    start += len(key.encode("utf-8"))
    return codes[start : codes.index(b"\n", start)].decode("utf-8")


@cache
def _codes() -> bytes:
    return b"\n" + (DATA / CODES).read_bytes()
