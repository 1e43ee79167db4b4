"""Coded entries (PS3.3 section 8): a published code stays, its words are looked up."""

from __future__ import annotations

from pydicom.dataset import Dataset

from napari_medlabel.deid.options import method_meaning
from napari_medlabel.deid.snomed import is_concept_id
from napari_medlabel.deid.vocabulary import code_meaning, vocabulary

CODE_TAGS = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120})
"""Value, designator, version, meaning, long value and URN of a code."""

_VALUE_TAGS = (0x00080100, 0x00080119, 0x00080120)
_SCHEME_TAG = 0x00080102
_DUMMY = ("ANON", "99ANON", "Anonymized")


def is_code(item: Dataset) -> bool:
    """Whether an item of a sequence holds a code."""
    return any(tag in item for tag in _VALUE_TAGS)


def published_code(value: str, scheme: str) -> Dataset | None:
    """Return a code of a published scheme with its published meaning.

    Parameters
    ----------
    value, scheme : str
        Code value and coding scheme designator as found.

    Returns
    -------
    Dataset or None
        Value, designator and meaning. The meaning is PS3.16's, never the file's; where
        PS3.16 does not have the code but its form is right (SNOMED CT: its check digit
        too), the value stands for it. None
        when scheme or form are not known.
    """
    meaning = code_meaning(scheme, value)
    pattern = vocabulary().schemes.get(scheme)
    if meaning is None and (pattern is None or pattern.fullmatch(value) is None):
        return None
    if meaning is None and scheme == "SCT" and not is_concept_id(value):
        return None
    return _code(value, scheme, meaning or value)


def dummy_code() -> Dataset:
    """Return a code that says nothing, for where one is required."""
    return _code(*_DUMMY)


def method_code(value: str) -> Dataset:
    """Return a code of CID 7050, De-identification Method."""
    return _code(value, "DCM", method_meaning(value))


def retained_code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a code as found, for a sequence that an option keeps."""
    return _code(value[:16], scheme[:16], meaning)


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning[:64]
    return item
