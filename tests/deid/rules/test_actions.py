from __future__ import annotations

import re

import pytest
from pydicom.datadict import dictionary_keyword, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    PositronEmissionTomographyImageStorage,
)

from napari_medlabel.deid.rules.actions import (
    ACTIONS,
    DUMMIES,
    Attribute,
    Setting,
    dummy,
    replace_uid,
    resolved,
)
from napari_medlabel.deid.rules.attribute_types import AttributeType, attribute_type

CT, ENHANCED, PET = (
    CTImageStorage, EnhancedCTImageStorage, PositronEmissionTomographyImageStorage
)  # fmt: skip
OTHER = "1.2.840.10008.5.1.4.1.1.999"  # a class whose IOD is not known


@pytest.mark.parametrize(
    ("code", "keyword", "sop_class", "simple"),
    [
        ("X", "PatientAddress", CT, "X"),
        ("X/Z", "AcquisitionDate", CT, "X"),
        ("X/Z", "AcquisitionDate", PET, "Z"),
        ("X/Z", "AcquisitionDate", OTHER, "Z"),
        ("X/D", "SeriesDate", CT, "X"),
        ("X/D", "SeriesDate", PET, "D"),
        ("X/D", "SeriesDate", OTHER, "D"),
        ("X/D", "RTPlanDate", "1.2.840.10008.5.1.4.1.1.481.8", "D"),
        ("Z/D", "ContentDate", CT, "Z"),
        ("Z/D", "ContentDate", ENHANCED, "D"),
        ("Z/D", "InstructionPerformedDateTime", OTHER, "D"),
        ("X/Z/D", "InstitutionName", CT, "X"),
        ("X/Z/D", "AcquisitionDateTime", ENHANCED, "D"),
        ("X/Z/D", "InstitutionName", OTHER, "D"),
        ("X/Z/U*", "SourceImageSequence", CT, "U"),
        ("X/Z/D", "ReferencedPerformedProcedureStepSequence", CT, "U"),
    ],
)
def test_the_type_decides_what_a_composite_code_means(code, keyword, sop_class, simple):
    assert resolved(code, keyword, sop_class) == simple


def test_in_an_item_the_sequence_decides():
    path = ("PerFrameFunctionalGroupsSequence", "FrameContentSequence")
    assert resolved("X/Z/D", "FrameAcquisitionDateTime", ENHANCED, path) == "D"
    assert resolved("X/Z/D", "FrameAcquisitionDateTime", ENHANCED) == "X"
    assert attribute_type("ROIName", OTHER, "", ("StructureSetROISequence",)) == 2
    assert attribute_type("CodeMeaning", CT, "", ("AnatomicRegionSequence",)) == 1
    assert attribute_type("SeriesDate", CT, "X/Z", ("NoSuchSequence",)) == 2


def test_an_attribute_of_an_unknown_class_is_optional_unless_a_code_says_more():
    assert attribute_type("SeriesDescription", OTHER) is AttributeType.OPTIONAL


def attribute(keyword_or_tag: int, *components: str) -> Attribute:
    vr = dictionary_VR(keyword_or_tag)
    return Attribute(keyword_or_tag, dictionary_keyword(keyword_or_tag), vr, components)


def test_every_dummy_is_valid_for_its_vr(profile, pseudonyms):
    setting = Setting(pseudonyms, CT, "", "7")
    limits = {"AE": 16, "CS": 16, "SH": 16, "LO": 64, "PN": 64, "AS": 4, "DS": 16, "IS": 12}
    for tag, code in profile.rules.items():
        if "D" not in code or tag >> 16 < 8:
            continue
        element = dummy(attribute(tag), setting).element
        assert element.value not in (None, ""), element.keyword
        if element.VR in limits:
            assert len(str(element.value)) <= limits[element.VR]
        if element.VR == "SQ":
            assert len(element.value) == 1
    assert DUMMIES["DA"] == "20000101"
    assert re.fullmatch(r"[A-Z0-9_ ]{1,16}", DUMMIES["CS"])


@pytest.mark.parametrize(
    ("tag", "inside"),
    [
        (0x0040A730, "TextValue"),
        (0x0040A073, "VerifyingObserverName"),
        (0x00081072, "PersonIdentificationCodeSequence"),
        (0x00340001, "FlowIdentifier"),
        (0x00700001, "GraphicLayer"),
        (0x00401101, "CodeMeaning"),
        (0x0040B020, "UnformattedTextValue"),
        (0x00081041, "CodeMeaning"),
    ],
)
def test_a_dummy_sequence_has_one_item_of_its_kind(pseudonyms, tag, inside):
    element = dummy(attribute(tag), Setting(pseudonyms, OTHER)).element
    (item,) = element.value
    assert isinstance(item, Dataset)
    assert inside in item


@pytest.mark.parametrize("tag", [0x00080008, 0x00089007])
def test_of_the_type_of_an_image_only_what_is_not_known_is_replaced(pseudonyms, tag):
    one = attribute(tag, "ORIGINAL", "PRIMARY", "QUINCY", "NONE")
    element = ACTIONS["C"](one, Setting(pseudonyms, ENHANCED)).element
    assert list(element.value) == ["ORIGINAL", "PRIMARY", "OTHER", "NONE"]


def test_a_dummy_uid_is_keyed_by_the_original(pseudonyms):
    setting = Setting(pseudonyms, CT)
    one, other = (
        dummy(attribute(0x006A0003, uid), setting).value for uid in ("1.2.3", "1.2.4")
    )
    assert one == pseudonyms.uid("1.2.3") != other
    assert dummy(attribute(0x006A0003), setting).value == pseudonyms.uid("AnnotationGroupUID")


def test_a_reference_to_nothing_stays_one(pseudonyms):
    nested = Setting(pseudonyms, CT, path=("ReferencedSOPSequence",))
    uids = attribute(0x00081155, "0", "0.0", "1.0")
    assert replace_uid(uids, nested).value == ["0", "0.0", pseudonyms.uid("1.0")]
    own = attribute(0x00080018, "0")
    assert replace_uid(own, Setting(pseudonyms, CT)).value == [pseudonyms.uid("0")]


def test_a_dummy_of_the_patients_id_is_the_code(pseudonyms):
    setting = Setting(pseudonyms, CT, "A", "7")
    assert dummy(attribute(0x00100020, "7"), setting).value == setting.patient_code


@pytest.mark.parametrize(
    ("tag", "path", "value"),
    [(0x00080060, (), "OT"), (0x00620005, ("SegmentSequence",), "ANON")],
)
def test_required_text_that_is_not_known_gets_a_dummy(pseudonyms, tag, path, value):
    setting = Setting(pseudonyms, CT, path=path)
    element = ACTIONS["C"](attribute(tag, "Dr. Quincy"), setting)
    assert element.value == value
