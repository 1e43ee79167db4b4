"""Keyword and VR of a tag: pydicom's dictionary, and the rows of Table E.1-1 newer than it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

DATA = Path(__file__).parents[1] / "data"
DICTIONARY = "dictionary.txt"
"""What `generate_dictionary` writes: a table of our own, since pydicom takes long to start."""

_NEWER = MappingProxyType(
    {
        0x00081301: ("PrincipalDiagnosisCodeSequence", "SQ"),
        0x00081302: ("PrimaryDiagnosisCodeSequence", "SQ"),
        0x00081303: ("SecondaryDiagnosesCodeSequence", "SQ"),
        0x00081304: ("HistologicalDiagnosesCodeSequence", "SQ"),
        0x00100011: ("PersonNamesToUseSequence", "SQ"),
        0x00100012: ("NameToUse", "LT"),
        0x00100013: ("NameToUseComment", "UT"),
        0x00100014: ("ThirdPersonPronounsSequence", "SQ"),
        0x00100015: ("PronounCodeSequence", "SQ"),
        0x00100016: ("PronounComment", "UT"),
        0x00100041: ("GenderIdentitySequence", "SQ"),
        0x00100042: ("SexParametersForClinicalUseCategoryComment", "UT"),
        0x00100043: ("SexParametersForClinicalUseCategorySequence", "SQ"),
        0x00100044: ("GenderIdentityCodeSequence", "SQ"),
        0x00100045: ("GenderIdentityComment", "UT"),
        0x00100046: ("SexParametersForClinicalUseCategoryCodeSequence", "SQ"),
        0x00100047: ("SexParametersForClinicalUseCategoryReference", "UR"),
        0x00102162: ("EthnicGroups", "UC"),
        0x0040A034: ("EffectiveStartDateTime", "DT"),
        0x0040A035: ("EffectiveStopDateTime", "DT"),
        0x0040B034: ("AnnotationDateTime", "DT"),
        0x0040B036: ("SegmentDefinitionDateTime", "DT"),
        0x0040B03B: ("MontageName", "LO"),
        0x0040B03F: ("MontageChannelLabel", "SH"),
        0x0040E012: ("DisplayURI", "UR"),
    }
)
UNKNOWN = ("", "UN")
"""What `entry` says of a tag that nobody knows."""


def entry(tag: int) -> tuple[str, str]:
    """Return keyword and VR of a standard attribute, or `UNKNOWN`.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE. Private tags are unknown.
    """
    return _entries().get(tag, UNKNOWN)


def tag_and_vr(keyword: str) -> tuple[int, str]:
    """Return tag and VR of a standard attribute.

    Raises
    ------
    KeyError
        For a keyword that the dictionary does not have.
    """
    return _by_keyword()[keyword]


def tags_of(vrs: frozenset[str]) -> frozenset[int]:
    """Return the tags of all attributes that have one of some VRs."""
    return frozenset(tag for tag, (_, vr) in _entries().items() if vr in vrs)


@cache
def _entries() -> Mapping[int, tuple[str, str]]:
    """Keyword and VR by tag. Rows without a keyword count as unknown, but keep their VR."""
    words = (DATA / DICTIONARY).read_text("ascii").replace("\n", "\t").split("\t")
    tags = [int(word, 16) for word in words[0:-1:3]]
    rows = zip(words[2::3], words[1::3], strict=False)
    return {**dict(zip(tags, rows, strict=True)), **_NEWER}


@cache
def _by_keyword() -> Mapping[str, tuple[int, str]]:
    return {keyword: (tag, vr) for tag, (keyword, vr) in _entries().items() if keyword}
