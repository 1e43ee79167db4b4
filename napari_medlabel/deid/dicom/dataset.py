"""Walk every level of a DICOM data set, apply the profile, and mark what was done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from napari_medlabel.deid.dicom.sweep import Identity, identity_of
from napari_medlabel.deid.faces.note import may_show_face
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.pixels.described import PIXEL_TAGS, check_complete, exact_pixels
from napari_medlabel.deid.pixels.risk import still_shows_identity
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Note, Reason
from napari_medlabel.deid.rules.actions import NUMBER_VRS, TEXT_VRS, Attribute, Setting
from napari_medlabel.deid.rules.codes import CODE_TAGS, CODE_VALUE_TAGS, is_code
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.judge import KEPT, components_of, judge, judge_code
from napari_medlabel.deid.rules.marks import marks
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.rules.structured import CONCEPT_NAME, VALUE_TYPE, content_setting
from napari_medlabel.deid.rules.vocabulary import is_instance_class

if TYPE_CHECKING:
    from napari_medlabel.deid.pixels.stage import CleanPixels

MAX_DEPTH = 64


@dataclass
class _Tally:
    """Counts while one instance is walked."""

    actions: Counter[str] = field(default_factory=Counter)
    options: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    notes: set[Note] = field(default_factory=set)


@dataclass(frozen=True)
class _Level:
    """One data set or item on the way down."""

    profile: Profile
    setting: Setting
    tally: _Tally
    depth: int = 0

    def below(self, sequence: str) -> _Level:
        """Return the level of an item in a sequence of this one."""
        if self.depth >= MAX_DEPTH:
            raise QuarantineError(Reason.UNREADABLE)
        setting = replace(self.setting, path=(*self.setting.path, sequence))
        return replace(self, setting=setting, depth=self.depth + 1)


def deidentify_dataset(
    dataset: Dataset,
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    encapsulated: bool = False,
    identity: Identity | None = None,
    pixels: CleanPixels | None = None,
) -> tuple[Dataset, DeidReport]:
    """Return a new data set that holds only what the profile and the vocabulary name.

    Parameters
    ----------
    dataset : Dataset
        The instance as read, without file meta information. Not modified.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of UIDs and codes.
    encapsulated : bool
        Whether the pixel data is encapsulated (PS3.5 A.4).
    identity : Identity, optional
        From `identity_of` where the caller has it already.
    pixels : CleanPixels, optional
        Its pixel data, where text or a face was removed from it.

    Returns
    -------
    Dataset
        The cleaned instance with the marks of PS3.15 E.1.1 and E.2.
    DeidReport
        Counts, without values.

    Raises
    ------
    QuarantineError
        When the instance cannot be cleaned: no standard SOP class or instance UID, pixels
        that may show identity, or pixel data that is not what the header describes.
    """
    sop_class, instance = text_of(dataset, 0x00080016), text_of(dataset, 0x00080018)
    if not sop_class or not instance:
        raise QuarantineError(Reason.NO_IDENTIFIERS)
    if not is_instance_class(sop_class):
        raise QuarantineError(Reason.PRIVATE_SOP_CLASS)
    done = frozenset[Option]() if pixels is None else pixels.work.done
    if still_shows_identity(dataset, done):
        raise QuarantineError(Reason.PIXELS_MAY_SHOW)
    check_complete(dataset)
    issuer, patient_id = patient_of(dataset)
    identity = identity or identity_of(
        dataset,
        uids=Option.RETAIN_UIDS not in profile.options,
        devices=Option.RETAIN_DEVICE not in profile.options,
    )
    setting = Setting(pseudonyms, sop_class, issuer, patient_id, identity.texts)
    level = _Level(profile, setting, _Tally())
    cleaned = _walked(dataset, level)
    for tag in PIXEL_TAGS:
        if tag in dataset:
            level.tally.kept += 1
            if pixels is None:
                raw = raw_element(dataset, tag)
                cleaned[tag] = exact_pixels(dataset, raw, encapsulated=encapsulated)
    if pixels is not None:
        pixels.put_into(cleaned)
    may_show = may_show_face(text_of(cleaned, 0x00080060), text_of(cleaned, 0x00180015))
    if may_show and Option.CLEAN_FACES not in done:
        level.tally.notes.add(Note.FACE)
    mark(cleaned, profile, setting.patient_code, done)
    report = DeidReport(
        actions=level.tally.actions,
        kept=level.tally.kept,
        notes=frozenset(level.tally.notes),
        patient_code=setting.patient_code,
        subject=pseudonyms.subject_token(issuer, patient_id),
        options=level.tally.options,
        pixels=None if pixels is None else pixels.work,
    )
    return cleaned, report


def mark(
    dataset: Dataset,
    profile: Profile,
    patient_code: str,
    done: frozenset[Option] = frozenset(),
) -> None:
    """Write the marks of PS3.15 E.1.1 into a cleaned data set, and the patient's code."""
    dataset.PatientName = patient_code
    dataset.PatientID = patient_code
    for keyword, value in marks(profile, done).items():
        setattr(dataset, keyword, value)


def patient_of(dataset: Dataset) -> tuple[str, str]:
    """Issuer and Patient ID as found; without an ID, the study's UID stands for the patient."""
    patient_id = text_of(dataset, 0x00100020)
    if patient_id:
        return text_of(dataset, 0x00100021), patient_id
    return "study", text_of(dataset, 0x0020000D) or text_of(dataset, 0x00080018)


def text_of(dataset: Dataset, tag: int) -> str:
    """Return a text attribute as found, without padding, undecoded bytes as Latin-1."""
    if tag not in dataset:
        return ""
    return "\\".join(components_of(dataset.get_item(BaseTag(tag)).value))


def _walked(dataset: Dataset, level: _Level) -> Dataset:
    """One level, cleaned."""
    result = Dataset()
    for tag in sorted(dataset.keys()):
        if level.depth == 0 and tag in PIXEL_TAGS:
            continue
        element = _applied(dataset, tag, level)
        if element is not None:
            result[tag] = element
    return result


def _applied(dataset: Dataset, tag: BaseTag, level: _Level) -> DataElement | None:
    """One attribute, after what is judged of it."""
    attribute = attribute_of(dataset, tag)
    verdict = judge(attribute, level.setting, level.profile)
    if verdict.counted == KEPT:
        level.tally.kept += 1
    else:
        level.tally.actions[verdict.counted] += 1
    if verdict.option:
        level.tally.options[str(verdict.option)] += 1
    if not verdict.recurse:
        return verdict.element
    below = level.below(attribute.keyword or f"{attribute.tag:08X}")
    items = [_item(item, below) for item in dataset[tag].value]
    kept = Sequence([item for item in items if item is not None])
    return DataElement(tag, "SQ", kept)


def _decoded(dataset: Dataset, tag: int) -> DataElement | None:
    """Return an element as pydicom understands it; None where its bytes make no sense."""
    try:
        return dataset[tag]
    except PARSE_ERRORS:
        return None


def _item(item: Dataset, level: _Level) -> Dataset | None:
    """One item; a code is rebuilt, and a content item may go with all that is in it."""
    if VALUE_TYPE in item:
        concept = first_code(item)
        kind = text_of(item, VALUE_TYPE)
        setting = content_setting(concept, kind, level.setting, level.profile)
        if setting is None:
            level.tally.actions["X"] += 1
            return None
        level = replace(level, setting=setting)
    if not is_code(item):
        return _walked(item, level)
    rest = Dataset()
    for tag in item.keys() - CODE_TAGS:
        rest[tag] = item.get_item(tag)
    code, same = judge_code(code_in(item), level.setting, level.profile)
    if same:
        level.tally.kept += 1
    else:
        level.tally.notes.add(Note.CODES_REPLACED)
        level.tally.actions["text"] += 1
    cleaned = _walked(rest, level)
    cleaned.update(code)
    return cleaned


def first_code(item: Dataset) -> tuple[str, str]:
    """Return value and scheme of a content item's concept; empty where it has none."""
    element = _decoded(item, CONCEPT_NAME) if CONCEPT_NAME in item else None
    if element is None or element.VR != "SQ" or not element.value:
        return "", ""
    return code_in(element.value[0])[:2]


def code_in(item: Dataset) -> tuple[str, str, str]:
    """Value, designator and meaning of a code as found."""
    value = next((text_of(item, tag) for tag in CODE_VALUE_TAGS if tag in item), "")
    return value, text_of(item, 0x00080102), text_of(item, 0x00080104)


def attribute_of(dataset: Dataset, tag: BaseTag) -> Attribute:
    """Return what is judged: keyword and VR by the dictionary, components for text."""
    keyword, vr = entry(int(tag))
    if tag.is_private:
        return _private(dataset, tag)
    if vr in TEXT_VRS:
        value = dataset.get_item(tag).value
        components = () if value == "" else components_of(value)
        return Attribute(int(tag), keyword, vr, components)
    if not keyword:
        return Attribute(int(tag), "", "UN")
    element = _decoded(dataset, tag)
    if element is None:
        return Attribute(int(tag), keyword, vr)
    if element.VR == "SQ":
        return Attribute(int(tag), keyword, vr, found="SQ")
    return Attribute(int(tag), keyword, vr, found=element.VR, value=element.value)


def _private(dataset: Dataset, tag: BaseTag) -> Attribute:
    """Return a private attribute with the creator that reserves its block."""
    raw = dataset.get_item(tag)
    found = "SQ" if isinstance(raw.value, Sequence) else raw.VR or ""
    block = BaseTag(tag.group << 16 | tag.element >> 8)
    creator = text_of(dataset, block) if tag.element >= 0x1000 else ""
    value: object = raw.value
    if found in TEXT_VRS:
        value = list(components_of(raw.value))
    elif found in NUMBER_VRS:
        decoded = _decoded(dataset, tag)
        found, value = ("", None) if decoded is None else (found, decoded.value)
    return Attribute(int(tag), "", "UN", found=found, value=value, creator=creator)


def raw_element(dataset: Dataset, tag: int) -> RawDataElement:
    """Return an element with its bytes, whether it was decoded before or not."""
    element: DataElement | RawDataElement = dataset.get_item(BaseTag(tag))
    if isinstance(element, RawDataElement):
        return element
    value = bytes(element.value or b"")
    length = 0xFFFFFFFF if element.is_undefined_length else len(value)
    return RawDataElement(BaseTag(tag), element.VR, length, value, 0, False, True)
