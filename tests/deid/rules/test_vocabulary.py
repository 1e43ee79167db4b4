from __future__ import annotations

import pytest
from pydicom.datadict import tag_for_keyword

from napari_medlabel.deid.dicom.dataset import deidentify_dataset
from napari_medlabel.deid.rules.vocabulary import (
    code_meaning,
    is_structural_uid,
    is_word,
    vocabulary,
)


@pytest.mark.parametrize(
    ("keyword", "vr", "component", "passes"),
    [
        ("PatientPosition", "CS", "HFS", True),
        ("PatientPosition", "CS", "QUINCY", False),
        ("BodyPartExamined", "CS", "KNEE", True),
        ("Modality", "CS", "", True),
        ("SliceThickness", "DS", "-2.5E+01", True),
        ("SliceThickness", "DS", "1.2.3", False),
        ("SliceThickness", "DS", "1" * 17, False),
        ("SliceThickness", "DS", "-91.4495864331908", True),
        ("SliceThickness", "DS", "0." + "3" * 40, False),
        ("SliceThickness", "DS", "nan", False),
        ("InstanceNumber", "IS", "-12", True),
        ("InstanceNumber", "IS", "12.0", False),
        ("InstanceNumber", "IS", "1" * 13, False),
        ("InstanceNumber", "IS", "19860611", False),  # a day
        ("InstanceNumber", "IS", "19861311", True),
        ("ExposureTime", "IS", "+64554615", False),  # a telephone
        ("ExposureTime", "IS", "0064554615", False),
        ("ExposureTime", "IS", "64554615", True),
        ("TableHeight", "DS", "19810503.0", False),
        ("TableHeight", "DS", "-20240229", False),
        ("TableHeight", "DS", "+4912345678.5", False),
        ("EnergyWindowLowerLimit", "DS", "000000000000375", True),
        ("ImagingFrequency", "DS", "128172331", True),
        ("Manufacturer", "LO", "SIEMENS", True),
        ("Manufacturer", "LO", "Dr. Quincy", False),
        ("StationName", "SH", "SIEMENS", False),
        ("ConvolutionKernel", "SH", "B30f", True),
        ("ConvolutionKernel", "SH", "Quincy", False),
        ("SequenceName", "SH", "*tfl3d1_16ns", True),
        ("SequenceName", "SH", "quincy", False),
        ("CodingSchemeDesignator", "SH", "SCT", True),
        ("CodingSchemeDesignator", "SH", "99LOCAL", False),
        ("PatientOrientation", "CS", "AFL", True),
        ("SpecificCharacterSet", "CS", "ISO_IR 192", True),
        ("SpecificCharacterSet", "CS", "ISO_IR QUINCY", False),
        ("SpatialPresaturation", "CS", "SLAB", True),
    ],
)
def test_a_component_passes_only_when_it_is_known(keyword, vr, component, passes):
    assert vocabulary().passes(keyword, vr, component) is passes


def test_every_keyword_of_the_vocabulary_exists():
    known = vocabulary()
    for keyword in (*known.by_keyword, *known.patterns, *known.bulk):
        assert tag_for_keyword(keyword) is not None, keyword


def test_no_text_that_a_row_names_is_in_the_vocabulary(profile):
    for keyword in vocabulary().by_keyword:
        assert tag_for_keyword(keyword) not in profile.rules, keyword


@pytest.mark.parametrize(
    ("uid", "structural"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", True),
        ("1.2.840.10008.1.2.4.50", True),
        ("1.2.840.10008", False),
        ("1.2.840.100081.2", False),
        ("1.2.840.10008.2.16.4", True),
        ("1.2.840.10008.5.1.4.1.1.66.7", True),
        ("1.2.840.10008.5.1.4.1.1.66.999", True),
        ("1.2.840.10008.5.1.4.1.1.66.1000", False),
        ("1.2.840.10008.5.1.4.1.1.194.703.16", False),
        ("1.2.840.10008.77", False),
        ("1.2.840.10008.6.1.4031", True),
        ("1.2.840.10008.6.1.47110", False),
        ("1.2.840.10008.1947.316", False),
        ("1.2.840.10008.5.1.4.1.1.2.4711", False),
        ("1.2.840.10008.01", False),
        ("1.3.6.1.4.1.5", False),
    ],
)
def test_only_the_standards_own_uids_are_structural(uid, structural):
    assert is_structural_uid(uid) is structural


@pytest.mark.parametrize(
    ("scheme", "value", "meaning"),
    [
        ("DCM", "113100", "Basic Application Confidentiality Profile"),
        ("SCT", "69536005", "Head"),
        ("SRT", "T-D1100", "Head"),
        ("SRT", "T-QUINCY", None),
        ("99LOCAL", "1", None),
    ],
)
def test_a_meaning_is_the_published_one(scheme, value, meaning):
    assert code_meaning(scheme, value) == meaning


def test_words_of_the_vocabulary_are_known_in_any_case():
    assert is_word("siemens")
    assert is_word("Medical")
    assert not is_word("Quincy")


def test_a_uid_that_only_begins_like_the_standards_is_replaced(ct, profile, pseudonyms):
    source = ct(FrameOfReferenceUID="1.2.840.10008.1947.316")
    cleaned, _ = deidentify_dataset(source, profile, pseudonyms)
    assert cleaned.FrameOfReferenceUID == pseudonyms.uid("1.2.840.10008.1947.316")


def test_a_code_with_letters_that_nobody_prints_has_no_meaning():
    assert code_meaning("SCT", "69536005") is not None
    assert code_meaning("SCT", "69536005\t") is None
    assert code_meaning("SCT\t69536005", "Head structure\nSCT") is None
