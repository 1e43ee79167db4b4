"""Which text may stay where no rule names the attribute: terms, patterns, numbers, codes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from pydicom._uid_dict import UID_dictionary

# PS3.5 6.2 allows 16 characters. Scanners write more decimals than fit, above all in positions
# and spacings: dropping those would take the scan out of its place.
_DS = re.compile(r"[+-]?(?:[0-9]{1,16}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_IS = re.compile(r"[+-]?[0-9]{1,11}")
_MAX_DS, _MAX_IS = 32, 12
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
            True for an empty component, a number in DS or IS, a defined term in CS, a
            value listed for the attribute or one that matches its pattern.
        """
        if not component:
            return True
        if vr == "DS":
            return len(component) <= _MAX_DS and _DS.fullmatch(component) is not None
        if vr == "IS":
            return len(component) <= _MAX_IS and _IS.fullmatch(component) is not None
        if component in self.by_keyword.get(keyword, frozenset()):
            return True
        pattern = self.patterns.get(keyword)
        if pattern is not None and pattern.fullmatch(component) is not None:
            return True
        return vr == "CS" and component in self.terms


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with the package."""
    folder = files("napari_medlabel.deid") / "data"
    document = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    body_parts = json.loads((folder / "body_parts.json").read_text("utf-8"))
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


def is_structural_uid(uid: str) -> bool:
    """Whether a UID is one of the standard's own and names no instance.

    Those are the ones of PS3.6 Annex A that pydicom lists, context groups
    (1.2.840.10008.6.1), and newer ones: beside or below a listed one, with a last number
    under 1000. Any other under 1.2.840.10008 could hide an identifier.
    """
    if uid in UID_dictionary or _CONTEXT_GROUP_UID.fullmatch(uid) is not None:
        return True
    parent, _, last = uid.rpartition(".")
    return _SHORT_NUMBER.fullmatch(last) is not None and parent in _structural_parents()


@cache
def _structural_parents() -> frozenset[str]:
    """Each listed UID that is longer than the root, and what it lies under."""
    listed = {*UID_dictionary, *(uid.rpartition(".")[0] for uid in UID_dictionary)}
    return frozenset(uid for uid in listed if uid.startswith("1.2.840.10008."))


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
    meanings, to_sct = _published_codes()
    if scheme in {"SRT", "SNM3", "99SDM"}:
        scheme, value = "SCT", to_sct.get(value, "")
    return meanings.get((scheme, value))


@cache
def _published_codes() -> tuple[Mapping[tuple[str, str], str], Mapping[str, str]]:
    """Meaning by (scheme, value) and SRT -> SCT, from the tables that pydicom carries."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    published = cast("dict[str, dict[str, dict[str, tuple[str, list[int]]]]]", concepts)
    listed = (
        (scheme, value, meaning)
        for scheme, keywords in published.items()
        for entries in keywords.values()
        for value, (meaning, _) in entries.items()
    )
    meanings: dict[tuple[str, str], str] = {}
    for (
        scheme,
        value,
        meaning,
    ) in listed:  # of several the shortest
        meanings[scheme, value] = min(meaning, meanings.get((scheme, value), meaning), key=len)
    return meanings, mapping["SRT"]
