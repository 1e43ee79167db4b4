"""One small function for each action code of PS3.15 Table E.1-1a, and the rule by VR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.attribute_types import AttributeType, attribute_type
from napari_medlabel.deid.rules.codes import DUMMY_CODE
from napari_medlabel.deid.rules.made import Item, Made
from napari_medlabel.deid.rules.vocabulary import is_structural_uid, vocabulary

DUMMY_DATE = "20000101"
DUMMY_TEXT = "ANON"
INSERTED = frozenset(
    {DUMMY_TEXT, DUMMY_DATE, "000000", DUMMY_DATE + "000000", "REMOVED", "MODIFIED"}
)
"""Values that this module and the marks write, so that finding them proves nothing."""

TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI",
     "UR", "UT"}
)  # fmt: skip
NUMBER_VRS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_TEMPORAL_VRS = frozenset({"DA", "DT", "TM"})
_JUDGED_VRS = frozenset({"CS", "DS", "IS", "LO", "SH"})
_LONG_DUMMY = bytes(8)

DUMMIES: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), DUMMY_TEXT),
        **dict.fromkeys(("FD", "FL"), 0.0),
        **dict.fromkeys(("AT", "SL", "SS", "SV", "UL", "US", "UV"), 0),
        **dict.fromkeys(("OB", "OW", "UN"), bytes(2)),
        **dict.fromkeys(("OF", "OL"), bytes(4)),
        **dict.fromkeys(("OD", "OV"), _LONG_DUMMY),
        "AS": "000Y",
        "DA": DUMMY_DATE,
        "DS": "0",
        "DT": DUMMY_DATE + "000000",
        "IS": "0",
        "TM": "000000",
        "UR": "https://anon.invalid",
    }
)
_PICTURED_BY = frozenset(
    {
        "ActualFrameDuration", "ChannelBaseline", "ChannelSensitivity",
        "ChannelSensitivityCorrectionFactor", "ContourData", "DecayFactor",
        "DoseCalibrationFactor", "DoseGridScaling", "FrameOfReferenceTransformationMatrix",
        "FrameReferenceTime", "FrameTime", "FrameTimeVector", "GantryDetectorTilt",
        "GridFrameOffsetVector", "ImageOrientation", "ImageOrientationPatient",
        "ImageOrientationSlide", "ImagePlanePixelSpacing", "ImagePosition",
        "ImagePositionPatient", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
        "NumberOfFrames", "PixelAspectRatio", "PixelSpacing", "PresentationPixelAspectRatio",
        "PresentationPixelSpacing", "ROINumber", "RTImageOrientation", "RTImagePosition",
        "RTImageSID", "RadionuclideHalfLife", "RadionuclideTotalDose", "ReferencedFrameNumber",
        "ReferencedROINumber", "RescaleIntercept", "RescaleSlope", "SliceLocation",
        "SliceLocationVector", "SliceSensitivityFactor", "SliceThickness",
        "SpacingBetweenSlices", "WindowCenter", "WindowWidth",
        "XOffsetInSlideCoordinateSystem", "YOffsetInSlideCoordinateSystem",
        "ZOffsetInSlideCoordinateSystem",
    }
)  # fmt: skip
"""Numbers as text without which an image has other values, or lies elsewhere.

One that is a patient's number as well stays: another number would falsify the image, and
where it is long enough to tell whose file it is, the search of what was written refuses it.
"""

_TYPES_OF_IMAGES = frozenset({"FrameType", "ImageType"})
_TYPICAL: Mapping[str, str] = MappingProxyType({"Modality": "OT", "ImageType": "OTHER"})


@dataclass(frozen=True)
class Attribute:
    """One attribute as it is judged.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE.
    keyword : str
        From the dictionary; empty when it has none.
    vr : str
        VR by the dictionary where it knows the tag, else as found.
    components : tuple of str
        The value's components without padding, for text VRs; empty for others.
    found : str
        VR as found, where it tells more than `vr`: of numbers, bulk data and sequences;
        empty when the bytes make no sense under it.
    value : object
        Bytes (in little endian) or numbers of an attribute that is no text and no sequence;
        of a private one whatever it is.
    creator : str
        Of a private attribute: the value of the private creator that reserves its block.
    """

    tag: int
    keyword: str
    vr: str
    components: tuple[str, ...] = ()
    found: str = ""
    value: Any = field(default=None, repr=False)
    creator: str = ""

    def as_found(self) -> Made:
        """Return the attribute as it is, bytes undecoded."""
        raw = isinstance(self.value, bytes | bytearray)
        return Made(self.tag, self.found or "UN", self.value, as_found=raw)

    def with_value(self, value: Any) -> Made:
        """Return the same attribute with another value."""
        return Made(self.tag, self.vr, value)


@dataclass(frozen=True)
class Setting:
    """What an action needs to know about the instance.

    Parameters
    ----------
    pseudonyms : Pseudonyms
        Source of everything keyed.
    sop_class : str
        SOP Class UID of the instance.
    issuer, patient_id : str
        The patient's identity as found, at the level of the instance.
    identity : frozenset of str
        Values that tell whose instance it is: they pass nowhere, not even as a number.
    path : tuple of str
        Keywords of the sequences that the attribute lies in (eight hexadecimal digits of
        the tag where a sequence has none), outermost first; empty at the top level.
    content : str
        What becomes of the value of the content item that the attribute lies in; empty
        outside of content items.
    """

    pseudonyms: Pseudonyms
    sop_class: str
    issuer: str = ""
    patient_id: str = ""
    identity: frozenset[str] = field(default=frozenset(), repr=False)
    path: tuple[str, ...] = ()
    content: str = ""

    @property
    def nested(self) -> bool:
        """Whether the attribute lies in a sequence."""
        return bool(self.path)

    @property
    def patient_code(self) -> str:
        """The pseudonym of the patient."""
        return self.pseudonyms.patient_code(self.issuer, self.patient_id)


Action = Callable[[Attribute, Setting], Made | None]


def remove(attribute: Attribute, setting: Setting) -> None:
    """X: the attribute goes, with all that is in it."""


def empty(attribute: Attribute, setting: Setting) -> Made:
    """Z: zero length, or the patient's, study's or order's pseudonym where there is one."""
    code = _pseudonym(attribute, setting)
    if code is not None:
        return attribute.with_value(code)
    return attribute.with_value(() if attribute.vr == "SQ" else None)


def dummy(attribute: Attribute, setting: Setting) -> Made:
    """D: a valid value of the VR that says nothing, or the pseudonym where there is one."""
    if attribute.vr == "SQ":
        return attribute.with_value((_dummy_item(attribute.keyword),))
    if attribute.vr == "UI":
        original = "\\".join(attribute.components) or attribute.keyword
        return attribute.with_value(setting.pseudonyms.uid(original))
    code = _pseudonym(attribute, setting)
    if code is None:
        code = _TYPICAL.get(attribute.keyword, DUMMIES[attribute.vr])
    return attribute.with_value(code)


def replace_uid(attribute: Attribute, setting: Setting) -> Made:
    """U: each UID becomes a keyed one; the standard's own and empty ones stay.

    In a sequence so does one of nothing but zeros: it is no UID (PS3.5 9.1), stands where a
    writer had none to name, and a keyed one would refer to an instance that there is not.
    """
    return attribute.with_value(
        [
            uid if _names_nothing(uid, setting) else setting.pseudonyms.uid(uid)
            for uid in attribute.components
        ]
    )


def _names_nothing(uid: str, setting: Setting) -> bool:
    """Whether a UID tells of no instance, study or device."""
    return not uid.strip("0." if setting.nested else "") or is_structural_uid(uid)


def clean(attribute: Attribute, setting: Setting) -> Made | None:
    """C and the rule by VR: the value stays where the vocabulary allows it.

    PN and dates never pass, UIDs are replaced, numbers and text in DS, IS, CS, LO and SH
    must be in the vocabulary. What fails is emptied or given a dummy where the IOD
    requires the attribute, and removed otherwise.

    Raises
    ------
    QuarantineError
        Where a dummy would stand for a number without which the image has other values.
    """
    if attribute.vr == "UI":
        return replace_uid(attribute, setting)
    if attribute.vr in _JUDGED_VRS:
        allowed = [
            (attribute.keyword in _PICTURED_BY or component not in setting.identity)
            and vocabulary().passes(attribute.keyword, attribute.vr, component)
            for component in attribute.components
        ]
        if all(allowed):
            return attribute.with_value(list(attribute.components))
        if attribute.keyword in _TYPES_OF_IMAGES:
            pairs = zip(attribute.components, allowed, strict=True)
            return attribute.with_value([c if ok else "OTHER" for c, ok in pairs])
    if attribute.keyword == "SpecificCharacterSet":
        return None  # no reader knows a dummy; all but text kept by options is ASCII
    required = attribute_type(attribute.keyword, setting.sop_class, path=setting.path)
    if required is AttributeType.VALUE and attribute.keyword in _PICTURED_BY:
        raise QuarantineError(Reason.UNREADABLE)
    return _BY_TYPE[required](attribute, setting)


_BY_TYPE: Mapping[AttributeType, Action] = MappingProxyType(
    {
        AttributeType.VALUE: dummy,
        AttributeType.PRESENT: empty,
        AttributeType.OPTIONAL: remove,
    }
)
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"X": remove, "Z": empty, "D": dummy, "U": replace_uid, "C": clean}
)


def resolved(code: str, keyword: str, sop_class: str, path: tuple[str, ...] = ()) -> str:
    """Return a composite action code as one of ``D Z X K C U``.

    Parameters
    ----------
    code : str
        A code of Table E.1-1a.
    keyword : str
        The attribute's keyword, whose type in the IOD decides.
    sop_class : str
        SOP Class UID of the instance.
    path : tuple of str, optional
        Keywords of the sequences that it lies in.

    Returns
    -------
    str
        The last code named that the attribute's type requires; ``X/D`` of one that must be
        present, with or without a value, is ``D``. ``X/Z/U*`` is always ``U``:
        the references stay, with keyed UIDs, and so does the one to a performed step.
    """
    if code == "X/Z/U*":
        return "U"
    if "/" not in code:
        return code
    if keyword == "ReferencedPerformedProcedureStepSequence":
        return "U"  # a reference with a keyed UID says as little as a dummy, and is valid
    choices = code.split("/")
    required = attribute_type(keyword, sop_class, code, path)
    if required is AttributeType.VALUE:
        return choices[-1]
    if required is AttributeType.PRESENT:
        return "Z" if "Z" in choices else choices[-1]
    return choices[0]


def components_of(value: object) -> tuple[str, ...]:
    """Return a value's components as text, without padding; bytes are read as Latin-1."""
    if value is None:
        return ()
    if isinstance(value, bytes | bytearray):
        text = bytes(value).decode("latin-1").rstrip("\0 ")
        return tuple(part.strip("\0 ") for part in text.split("\\")) if text else ()
    # pydicom's MultiValue is neither a list nor a tuple
    several = isinstance(value, MutableSequence | tuple)
    parts = list(value) if several else [value]  # type: ignore[call-overload]
    return tuple(str(part).strip("\0 ") for part in parts)


def _pseudonym(attribute: Attribute, setting: Setting) -> str | None:
    """Return the keyed code that takes an identifier's place, or None where there is none."""
    keyword = attribute.keyword
    if keyword in {"PatientName", "PatientID"} and not setting.nested:
        return setting.patient_code
    if keyword not in {"PatientID", "AccessionNumber", "StudyID"}:
        return None
    value = "\\".join(attribute.components)
    if not value:
        return None
    if keyword == "PatientID":
        return setting.pseudonyms.patient_code(setting.issuer, value)
    if keyword == "AccessionNumber":
        return "A-" + setting.pseudonyms.code("accession", value)
    return "S-" + setting.pseudonyms.code("study-id", value)


def _dummy_item(keyword: str) -> Item:
    """Return the smallest item that makes sense in a sequence of this name."""
    if keyword.endswith("CodeSequence"):
        return DUMMY_CODE.item
    return _DUMMY_ITEMS.get(keyword, {})


_DUMMY_ITEMS: Mapping[str, Item] = MappingProxyType(
    {
        "ContentSequence": {
            "RelationshipType": "CONTAINS",
            "ValueType": "TEXT",
            "ConceptNameCodeSequence": (DUMMY_CODE.item,),
            "TextValue": DUMMY_TEXT,
        },
        "VerifyingObserverSequence": {
            "VerifyingOrganization": DUMMY_TEXT,
            "VerificationDateTime": DUMMIES["DT"],
            "VerifyingObserverName": DUMMY_TEXT,
            "VerifyingObserverIdentificationCodeSequence": (),
        },
        "OperatorIdentificationSequence": {
            "PersonIdentificationCodeSequence": (DUMMY_CODE.item,)
        },
        "FlowIdentifierSequence": {"FlowIdentifier": DUMMIES["OB"]},
        "GraphicAnnotationSequence": {"GraphicLayer": DUMMY_TEXT},
        "WaveformAnnotationSequence": {
            "UnformattedTextValue": DUMMY_TEXT,
            "ReferencedWaveformChannels": [1, 0],
        },
    }
)
