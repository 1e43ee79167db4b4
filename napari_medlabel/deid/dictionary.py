"""Keyword and VR of a tag: pydicom's dictionary, and the rows of Table E.1-1 newer than it."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR

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


@lru_cache(maxsize=8192)
def entry(tag: int) -> tuple[str, str]:
    """Return keyword and VR of a standard attribute, or `UNKNOWN`.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE. Private tags are unknown.
    """
    if tag in _NEWER:
        return _NEWER[tag]
    if tag >> 16 & 1 or not dictionary_has_tag(tag):
        return UNKNOWN
    return dictionary_keyword(tag), dictionary_VR(tag)
