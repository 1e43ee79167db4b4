"""Coded entries (PS3.3 section 8): a published code stays, its words are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_medlabel.deid.rules.made import Item, dataset_of
from napari_medlabel.deid.rules.options import method_meaning
from napari_medlabel.deid.rules.snomed import is_concept_id
from napari_medlabel.deid.rules.vocabulary import code_meaning, vocabulary

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CODE_TAGS = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120})
"""Value, designator, version, meaning, long value and URN of a code."""

CODE_VALUE_TAGS = (0x00080100, 0x00080119, 0x00080120)
"""Value, long value and URN: an item with one of them is a code."""

_SCHEME_TAG = 0x00080102
_VERSIONS = {"SCPECG": "1.3"}
"""Versions of schemes whose codes are ambiguous without one (PS3.16 section 8, CID 3001)."""


class Code(NamedTuple):
    """A coded entry that is written.

    Parameters
    ----------
    value, scheme, meaning : str
        Code Value, Coding Scheme Designator and Code Meaning.
    """

    value: str
    scheme: str
    meaning: str

    @property
    def item(self) -> Item:
        """The entry as an item of a sequence."""
        version = _VERSIONS.get(self.scheme)
        return {
            "CodeValue": self.value,
            "CodingSchemeDesignator": self.scheme,
            **({"CodingSchemeVersion": version} if version else {}),
            "CodeMeaning": self.meaning[:64],
        }


DUMMY_CODE = Code("ANON", "99ANON", "Anonymized")
"""A code that says nothing, for where one is required."""


def is_code(item: Dataset) -> bool:
    """Whether an item of a sequence holds a code."""
    return any(tag in item for tag in CODE_VALUE_TAGS)


def published(value: str, scheme: str) -> Code | None:
    """Return a code of a published scheme with its published meaning.

    Parameters
    ----------
    value, scheme : str
        Code value and coding scheme designator as found.

    Returns
    -------
    Code or None
        The meaning is PS3.16's, never the file's; where PS3.16 does not have the code but
        its form is right (SNOMED CT: its check digit too), the value stands for it. None
        when scheme or form are not known.
    """
    meaning = code_meaning(scheme, value)
    pattern = vocabulary().schemes.get(scheme)
    if meaning is None and (pattern is None or pattern.fullmatch(value) is None):
        return None
    if meaning is None and scheme == "SCT" and not is_concept_id(value):
        return None
    return Code(value, scheme, meaning or value)


def retained(value: str, scheme: str, meaning: str) -> Code:
    """Return a code as found, for a sequence that an option keeps."""
    return Code(value[:16], scheme[:16], meaning)


def method(value: str) -> Code:
    """Return a code of CID 7050, De-identification Method."""
    return Code(value, "DCM", method_meaning(value))


def published_code(value: str, scheme: str) -> Dataset | None:
    """Return what `published` does as a data set."""
    code = published(value, scheme)
    return None if code is None else dataset_of(code.item)
