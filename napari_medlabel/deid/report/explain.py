"""What would become of each attribute of one file, and by which rule: no values in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import BaseTag

from napari_medlabel.deid.dicom.dataset import (
    MAX_DEPTH,
    attribute_of,
    code_in,
    first_code,
    mark,
    patient_of,
    text_of,
)
from napari_medlabel.deid.dicom.file import is_dicomdir, quiet, read
from napari_medlabel.deid.dicom.sweep import identity_of
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.pixels.described import PIXEL_TAGS, may_show_identity
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.report.explain_rule import rule_of, rule_of_code, rule_of_item
from napari_medlabel.deid.rules.actions import Attribute, Setting, components_of
from napari_medlabel.deid.rules.codes import CODE_TAGS, is_code, published_code
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.judge import KEPT, Verdict, judge, judge_code
from napari_medlabel.deid.rules.marks import PIXEL_OPTIONS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.rules.structured import content_setting
from napari_medlabel.deid.rules.vocabulary import is_instance_class
from napari_medlabel.errors import InputError

__all__ = ["FILE_META", "Outcome", "Row", "explain", "values_of"]

FILE_META = "FileMetaInformation"
"""Path of the one row for preamble and group 0002."""

_VALUE_TYPE, _MEANING = 0x0040A040, 0x00080104
_CODES = frozenset({0x00100010, 0x00100020})
_BURNED_IN = 0x00280301
_LONGEST = 120
_STEP = re.compile(r"([A-Za-z0-9]+|\([0-9A-F]{4},[0-9A-F]{4}\))(?:\[([0-9]+)\])?")


class Outcome(StrEnum):
    """What an attribute is afterwards."""

    KEPT = "kept"
    EMPTY = "empty as before"
    CHANGED = "replaced"
    EMPTIED = "emptied"
    REMOVED = "removed"
    ITEMS = "items by rule"
    ADDED = "added"
    LOOKED = "looked at"


@dataclass(frozen=True)
class Row:
    """What would become of one attribute.

    Parameters
    ----------
    path : str
        Keywords with item numbers from 1, for example
        ``"ReferencedStudySequence[1]/ReferencedSOPInstanceUID"``; ``(gggg,eeee)`` where an
        attribute has no keyword. A path that ends in an item number is the whole item.
    tag : int
        0xGGGGEEEE.
    vr : str
        By the dictionary; ``"UN"`` where it does not know the tag.
    action : str
        As the report counts it: ``D Z X K C U``, ``"private"``, ``"text"``, ``"unknown"`` or
        ``"kept"``; ``"mark"`` for what is written in any case.
    rule : str
        Which rule decided, in words, with its source.
    outcome : Outcome
        What it is afterwards; of a removed sequence the items are not named one by one.
    option : str
        Name of the option that decided; ``"site"`` for a site rule; else empty.
    """

    path: str
    tag: int
    vr: str
    action: str
    rule: str
    outcome: Outcome
    option: str = ""


@dataclass(frozen=True)
class _Place:
    """One level on the way down."""

    profile: Profile
    setting: Setting
    prefix: str = ""

    def below(self, attribute: Attribute, number: int) -> _Place:
        """Return the level of one item.

        Raises
        ------
        QuarantineError
            When it lies too deep.
        """
        path = (*self.setting.path, attribute.keyword or f"{attribute.tag:08X}")
        if len(path) > MAX_DEPTH:
            raise QuarantineError(Reason.UNREADABLE)
        prefix = f"{self.prefix}{_name(attribute.tag)}[{number}]/"
        return replace(self, setting=replace(self.setting, path=path), prefix=prefix)


def explain(
    source: Dataset | bytes, profile: Profile, pseudonyms: Pseudonyms
) -> tuple[Row, ...]:
    """Return what cleaning a file would do to each of its attributes.

    Parameters
    ----------
    source : Dataset or bytes
        An instance as read, or a whole file. Not modified.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of codes, which decide nothing here but which may equal what is there.

    Returns
    -------
    tuple of Row
        In order of the data set, items in their places, then what is added. Rows hold no
        values: see `values_of`.

    Raises
    ------
    QuarantineError
        When the file would not be passed on, for a reason that its header gives.
    """
    with quiet():
        try:
            dataset = read(source) if isinstance(source, bytes) else source
            return tuple(_rows(dataset, profile, pseudonyms))
        except PARSE_ERRORS as err:
            raise QuarantineError(Reason.UNREADABLE) from err


def values_of(source: Dataset | bytes, path: str) -> str:
    """Return the value at a row's path, for the eyes of who opened the scan.

    Whoever calls this shows identity: the call belongs in the audit log.

    Parameters
    ----------
    source : Dataset or bytes
        As for `explain`.
    path : str
        Of a `Row`.

    Returns
    -------
    str
        Text and numbers as they are, at most 120 characters; of binary data, sequences and
        items how much there is; empty where there is nothing.

    Raises
    ------
    InputError
        When the path is not one of a row.
    QuarantineError
        When the bytes cannot be read.
    """
    with quiet():
        try:
            level = read(source) if isinstance(source, bytes) else source
            return _value_at(level, path.split("/"))
        except PARSE_ERRORS as err:
            raise QuarantineError(Reason.UNREADABLE) from err


def _rows(dataset: Dataset, profile: Profile, pseudonyms: Pseudonyms) -> Iterator[Row]:
    sop_class = _checked(dataset, profile)
    issuer, patient_id = patient_of(dataset)
    identity = identity_of(
        dataset,
        uids=Option.RETAIN_UIDS not in profile.options,
        devices=Option.RETAIN_DEVICE not in profile.options,
    )
    setting = Setting(pseudonyms, sop_class, issuer, patient_id, identity.texts)
    marked = Dataset()
    shown = [tag for tag in PIXEL_TAGS if tag in dataset]
    done = {Option.CLEAN_PIXELS} & profile.options if shown else frozenset()
    mark(marked, profile, setting.patient_code, frozenset(done))
    if getattr(dataset, "file_meta", None):
        rule = "E.1.1: preamble and file meta information are written anew"
        yield Row(FILE_META, 0x00020000, "", "mark", rule, Outcome.CHANGED)
    anew = tuple(_name(element.tag) + "[" for element in marked if element.VR == "SQ")
    for row in _level(dataset, _Place(profile, setting)):
        if row.path == _name(row.tag) and row.tag in marked:
            yield _marked(row, dataset, marked)
        elif not row.path.startswith(anew):
            yield row
    for tag in shown:
        yield _pixels(tag, profile)
    for tag in sorted(marked.keys() - dataset.keys()):
        rule = "E.1.1: written in any case"
        if tag == _BURNED_IN:
            rule = f"option {Option.CLEAN_PIXELS}: written where the pixels were searched"
        yield _added(tag, "", "mark", rule)


def _checked(dataset: Dataset, profile: Profile) -> str:
    """Return the SOP class of an instance that the header gives no reason to refuse."""
    if isinstance(dataset, FileDataset) and is_dicomdir(dataset):
        raise QuarantineError(Reason.NO_IDENTIFIERS)
    sop_class = text_of(dataset, 0x00080016)
    if not sop_class or not text_of(dataset, 0x00080018):
        raise QuarantineError(Reason.NO_IDENTIFIERS)
    if not is_instance_class(sop_class):
        raise QuarantineError(Reason.PRIVATE_SOP_CLASS)
    if may_show_identity(dataset) and not PIXEL_OPTIONS & profile.options:
        raise QuarantineError(Reason.PIXELS_MAY_SHOW)
    return sop_class


def _level(dataset: Dataset, place: _Place) -> Iterator[Row]:
    """Rows of one data set or item, and of what lies in it."""
    for tag in sorted(dataset.keys()):
        if not place.prefix and tag in PIXEL_TAGS:
            continue
        attribute = attribute_of(dataset, tag)
        verdict = judge(attribute, place.setting, place.profile)
        yield Row(
            place.prefix + _name(tag),
            int(tag),
            attribute.vr,
            verdict.counted,
            rule_of(attribute, place.setting, place.profile, verdict),
            _outcome(dataset, attribute, verdict),
            str(verdict.option),
        )
        if verdict.recurse:
            for number, item in enumerate(dataset[tag].value, start=1):
                yield from _item(item, place.below(attribute, number), int(tag))


def _item(item: Dataset, place: _Place, sequence: int) -> Iterator[Row]:
    """Rows of an item; a content item may go with all that is in it."""
    if _VALUE_TYPE in item:
        kind = text_of(item, _VALUE_TYPE)
        setting = content_setting(first_code(item), kind, place.setting, place.profile)
        if setting is None:
            path, rule = place.prefix.removesuffix("/"), rule_of_item(place.profile)
            option = Option.CLEAN_STRUCTURED.value
            yield Row(path, sequence, "SQ", "X", rule, Outcome.REMOVED, option)
            return
        place = replace(place, setting=setting)
    if not is_code(item):
        yield from _level(item, place)
        return
    yield from _code(item, place)
    rest = Dataset()
    for tag in item.keys() - CODE_TAGS:
        rest[tag] = item.get_item(tag)
    yield from _level(rest, place)


def _code(item: Dataset, place: _Place) -> Iterator[Row]:
    """Rows of a coded entry, which is rebuilt from value and scheme."""
    found = code_in(item)
    code, same = judge_code(found, place.setting, place.profile)
    published = published_code(*found[:2]) is not None
    for tag in sorted({int(t) for t in (*(item.keys() & CODE_TAGS), *code.keys())}):
        rule = rule_of_code(published=published, same=same, meaning=tag == _MEANING)
        action = KEPT if same else "text"
        if tag not in item:
            yield _added(tag, place.prefix, action, rule)
            continue
        if tag not in code:
            outcome = Outcome.REMOVED
        else:
            equal = text_of(item, tag) == "\\".join(components_of(code[tag].value))
            outcome = Outcome.KEPT if equal else Outcome.CHANGED
        yield Row(place.prefix + _name(tag), tag, entry(tag)[1], action, rule, outcome)


def _marked(row: Row, dataset: Dataset, marked: Dataset) -> Row:
    """Return the row of an attribute that is written in any case."""
    after, tag = marked[row.tag], BaseTag(row.tag)
    if after.VR == "SQ":
        return replace(row, action="mark", rule="E.1.1: written anew", outcome=Outcome.CHANGED)
    same = text_of(dataset, tag) == "\\".join(components_of(after.value))
    outcome = Outcome.KEPT if same else Outcome.CHANGED
    if row.tag in _CODES:
        return replace(row, rule=f"{row.rule}, the patient's code", outcome=outcome)
    return replace(row, action="mark", rule="E.1.1: written anew", outcome=outcome)


def _added(tag: int, prefix: str, action: str, rule: str) -> Row:
    return Row(prefix + _name(tag), int(tag), entry(tag)[1], action, rule, Outcome.ADDED)


def _pixels(tag: int, profile: Profile) -> Row:
    chosen = sorted(PIXEL_OPTIONS & profile.options)
    if not chosen:
        rule = "pixels: bit for bit, as many as are described, nothing after them"
        return Row(_name(tag), tag, entry(tag)[1], KEPT, rule, Outcome.KEPT)
    rule = f"option {' and '.join(chosen)}: changed where something is found"
    return Row(_name(tag), tag, entry(tag)[1], "C", rule, Outcome.LOOKED, chosen[0])


def _outcome(dataset: Dataset, attribute: Attribute, verdict: Verdict) -> Outcome:
    """Say what an attribute is afterwards, by what takes its place."""
    if verdict.recurse:
        return Outcome.ITEMS
    if verdict.element is None:
        return Outcome.REMOVED
    before, after = _contents(dataset, attribute, verdict.element)
    if verdict.unchanged or before == after:
        return Outcome.KEPT if before else Outcome.EMPTY
    return Outcome.CHANGED if after else Outcome.EMPTIED


def _contents(
    dataset: Dataset, attribute: Attribute, element: DataElement
) -> tuple[object, object]:
    """Return a value before and after, so that they can be compared."""
    if element.VR == "SQ":
        there = attribute.found == "SQ" and len(dataset[attribute.tag].value) > 0
        return ("items as found" if there else ""), ("items" if len(element.value) else "")
    if isinstance(attribute.value, bytes | bytearray) and attribute.vr != "UN":
        return bytes(attribute.value), bytes(element.value or b"")
    components = attribute.components or components_of(attribute.value)
    return "\\".join(components), "\\".join(components_of(element.value))


def _name(tag: int) -> str:
    """Return an attribute's keyword, or its tag where it has none."""
    return entry(int(tag))[0] or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _value_at(level: Dataset, steps: list[str]) -> str:
    """Return what stands at a path, as text."""
    found = _STEP.fullmatch(steps[0])
    tag = None if found is None else _tag_in(level, found[1])
    if found is None or (len(steps) > 1 and (tag is None or found[2] is None)):
        raise _not_a_path()
    if tag is None:
        return ""
    value = level[tag].value
    if found[2] is not None:
        if not 1 <= int(found[2]) <= len(value):
            raise _not_a_path()
        item = value[int(found[2]) - 1]
        return _value_at(item, steps[1:]) if steps[1:] else f"{len(item)} attributes"
    if level[tag].VR == "SQ":
        return f"{len(value)} items"
    if isinstance(value, bytes | bytearray) and tag.group % 2 == 0:
        return f"{len(value)} bytes"
    text = "\\".join(components_of(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _tag_in(level: Dataset, name: str) -> BaseTag | None:
    """Return the tag of a name in a level; None where it is not there."""
    return next((tag for tag in sorted(level.keys()) if _name(tag) == name), None)


def _not_a_path() -> InputError:
    return InputError(
        "A path of an attribute was expected, and this is none of this file.",
        hint="Use the path of a row of the preview of the same file.",
    )
