from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from napari_medlabel.deid.dicom.dataset import MAX_DEPTH, deidentify_dataset
from napari_medlabel.deid.dicom.file import clean_file, quiet
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Note, Reason

SECRET = "Zqxjkv"  # noqa: S105 - a word to look for
TEXT_VRS = ("AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
KEPT = (
    "SOPClassUID", "ImageType", "Modality", "Manufacturer", "BodyPartExamined", "KVP",
    "SliceThickness", "SeriesNumber", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "Rows", "Columns", "PixelSpacing", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RescaleIntercept", "RescaleSlope",
    "PixelData",
)  # fmt: skip


def planted(tag: int, vr: str, number: int) -> tuple[DataElement, bytes]:
    """An attribute with a secret of its own, and the bytes to look for."""
    word = f"{SECRET}{number:04d}"
    if vr == "UI":
        value: object = f"1.3.6.1.4.1.99999.88.{number + 10_000}"
        word = str(value)
    elif vr in {"DA", "DT", "TM"}:
        word = {"DA": f"19{number % 90 + 10}0{number % 9 + 1}", "TM": "", "DT": "1"}[vr]
        value = {
            "DA": f"1{number:04d}0317"[:8],
            "DT": f"1{number:04d}031708"[:14],
            "TM": f"1112{number % 60:02d}.{number:06d}",
        }[vr]
        word = str(value)
    elif vr in {"DS", "IS"}:
        value = word = f"7{number:04d}9131"
    elif vr in {"OB", "OW", "UN", "OB or OW"}:
        value = word.encode() + b"  "[: len(word) % 2]
        vr = "OB" if vr == "OB or OW" else vr
    elif vr == "AS":
        value = word = f"{number % 1000:03d}Y"
    elif vr == "SQ":
        item = Dataset()
        item.add(DataElement(0x00081090, "LO", word))
        item.add(DataElement(0x00100010, "PN", word))
        value = Sequence([item])
    elif vr in TEXT_VRS:
        value = word
    else:
        value, word = 4242, ""
    return DataElement(tag, vr, value, validation_mode=0), word.encode()


@pytest.fixture(scope="module")
def every_row(profile):
    """One attribute for each row of Table E.1-1 that a data set can hold."""
    result = []
    for number, tag in enumerate(sorted(profile.rules), start=1):
        if tag >> 16 < 8 or tag in {0x00080016, 0x00080018}:
            continue
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UT"
        result.append(planted(tag, vr, number))
    for number, (tag, vr) in enumerate(
        [(0x50003000, "OB"), (0x60003000, "OB"), (0x60004000, "LT"), (0x00110010, "LO"),
         (0x00111001, "LO"), (0x60000022, "LO"), (0x60001500, "LO")], start=900
    ):  # fmt: skip
        result.append(planted(tag, vr, number))
    return result


@pytest.mark.parametrize("depth", [0, 1, 5])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
def test_no_row_of_the_table_leaves_a_value(
    ct, as_file, profile, pseudonyms, every_row, depth, syntax
):
    top = ct()
    level = top
    for _ in range(depth):
        item = Dataset()
        level.add_new(0x00082218, "SQ", Sequence([item]))  # a sequence that no row names
        level = item
    secrets = []
    for element, secret in every_row:
        level[element.tag] = copy.deepcopy(element)
        if secret:
            secrets.append(secret)
    cleaned = clean_file(as_file(top, syntax), profile, pseudonyms)
    left = [s for s in secrets if s in cleaned.content]
    dates = {b"000Y"}
    assert [s for s in left if s not in dates] == []
    assert len(secrets) > 550
    assert SECRET.encode() not in cleaned.content


UNLISTED = (
    0x00420010,  # Document Title
    0x00081190,  # Retrieve URL
    0x0040E010,  # Retrieve URI
    0x0040A160,  # Text Value
    0x00181020,  # Software Versions
    0x00081090,  # Manufacturer's Model Name
    0x00080070,  # Manufacturer
    0x00080060,  # Modality
    0x00080008,  # Image Type
    0x00180015,  # Body Part Examined
    0x00185100,  # Patient Position
    0x00181210,  # Convolution Kernel
    0x00280004,  # Photometric Interpretation
    0x00280301,  # Burned In Annotation
    0x00080104,  # Code Meaning
    0x00080005,  # Specific Character Set
    0x00120063,  # De-identification Method
    0x00180024,  # Sequence Name
    0x00541001,  # Units
    0x0008002A,  # Acquisition DateTime
    0x00409210,  # LUT Label
    0x00620005,  # Segment Label
    0x00282000,  # ICC Profile
    0x00200060,  # Laterality
    0x00181050,  # Spatial Resolution (DS)
    0x00201002,  # Images in Acquisition (IS)
    0x0018980B,  # a CS
    0x00080015,  # Instance Coercion DateTime
)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_no_text_outside_the_table_leaves_a_value(ct, as_file, profile, pseudonyms, depth):
    top = ct()
    level = top
    for _ in range(depth):
        item = Dataset()
        level.add_new(0x00082218, "SQ", Sequence([item]))
        level = item
    for tag in UNLISTED:
        vr = dictionary_VR(tag)
        level.add(planted(tag, "LT" if vr in {"DS", "IS"} else vr, 1)[0])
    if depth == 0:
        top.PhotometricInterpretation = "MONOCHROME2"
    content = clean_file(as_file(top), profile, pseudonyms).content
    assert SECRET.encode() not in content
    assert b"1000103" not in content


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_planted_word_survives_wherever_it_lies(data, ct, as_file, profile, pseudonyms):
    tags = data.draw(
        st.lists(
            st.one_of(
                st.sampled_from(sorted(t for t in profile.rules if t >> 16 > 8)),
                st.sampled_from(UNLISTED[:3] + UNLISTED[4:]),
                st.integers(0x0009, 0x00FF).map(lambda g: ((g | 1) << 16) | 0x1001),
                st.integers(0x0010, 0x7FDF).map(lambda g: ((g & 0xFFFE) << 16) | 0xABCD),
            ),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    word = data.draw(st.text("ZQXJKVzqxjkv", min_size=8, max_size=14))
    top = ct()
    for tag in tags:
        level = top
        for _ in range(data.draw(st.integers(0, 4))):
            if 0x00082218 not in level:
                level.add_new(0x00082218, "SQ", Sequence([Dataset()]))
            level = level[0x00082218].value[0]
        vr = data.draw(st.sampled_from((*TEXT_VRS, "OB")))
        value = word.encode() if vr == "OB" else word
        level.add(DataElement(tag, vr, value, validation_mode=0))
    top.PhotometricInterpretation = "MONOCHROME2"
    content = clean_file(as_file(top), profile, pseudonyms).content
    assert word.encode() not in content


def test_what_is_useful_stays(ct, profile, pseudonyms):
    source = ct()
    cleaned, _ = deidentify_dataset(source, profile, pseudonyms)
    for keyword in KEPT:
        assert cleaned[keyword].value == source[keyword].value, keyword


def test_the_marks_are_written(ct, profile, pseudonyms):
    cleaned, report = deidentify_dataset(ct(), profile, pseudonyms)
    assert cleaned.PatientIdentityRemoved == "YES"
    assert "napari-medlabel" in cleaned.DeidentificationMethod
    assert "2026c" in cleaned.DeidentificationMethod
    (code,) = cleaned.DeidentificationMethodCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")
    assert cleaned.LongitudinalTemporalInformationModified == "REMOVED"
    assert "BurnedInAnnotation" not in cleaned
    assert cleaned.PatientID == cleaned.PatientName == report.patient_code


def test_type_two_attributes_stay_and_are_empty(ct, profile, pseudonyms):
    cleaned, _ = deidentify_dataset(ct(), profile, pseudonyms)
    for keyword in (
        "StudyDate", "StudyTime", "PatientBirthDate", "PatientSex", "ReferringPhysicianName"
    ):  # fmt: skip
        assert keyword in cleaned
        assert not cleaned[keyword].value, keyword
    assert "InstitutionName" not in cleaned


def test_accession_and_study_id_become_codes(ct, profile, pseudonyms):
    cleaned, _ = deidentify_dataset(ct(), profile, pseudonyms)
    assert cleaned.AccessionNumber.startswith("A-")
    assert len(cleaned.AccessionNumber) <= 16
    assert cleaned.StudyID.startswith("S-")


def test_the_input_is_not_modified(ct, profile, pseudonyms):
    source = ct()
    before = copy.deepcopy(source)
    deidentify_dataset(source, profile, pseudonyms)
    assert source == before


def test_uids_agree_across_files_and_references(ct, profile, pseudonyms):
    first, second = ct(1), ct(2)
    reference = Dataset()
    reference.ReferencedSOPClassUID = first.SOPClassUID
    reference.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second.ReferencedImageSequence = Sequence([reference])
    one, _ = deidentify_dataset(first, profile, pseudonyms)
    two, _ = deidentify_dataset(second, profile, pseudonyms)
    assert one.StudyInstanceUID == two.StudyInstanceUID != first.StudyInstanceUID
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    (again,) = two.ReferencedImageSequence
    assert again.ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert again.ReferencedSOPClassUID == first.SOPClassUID


def test_counts_say_what_was_done(ct, profile, pseudonyms):
    source = ct()
    source.add_new(0x00110010, "LO", "ACME")
    source.add_new(0x0008ABCC, "UN", b"xx")
    source.SoftwareVersions = "by Dr. Quincy"
    _, report = deidentify_dataset(source, profile, pseudonyms)
    assert report.actions["private"] == 1
    assert report.actions["unknown"] == 1
    assert report.actions["text"] == 1
    assert report.actions["U"] == 4
    assert report.kept >= len(KEPT)


def test_a_patient_without_id_is_known_by_the_study(ct, profile, pseudonyms):
    source = ct(PatientID="")
    _, report = deidentify_dataset(source, profile, pseudonyms)
    assert report.patient_code == pseudonyms.patient_code("study", source.StudyInstanceUID)


@pytest.mark.parametrize(
    ("part", "noted"), [("HEAD", True), ("CHEST", False), (None, True), ("BRAIN", True)]
)
def test_a_face_that_may_be_in_the_volume_is_noted(ct, profile, pseudonyms, part, noted):
    _, report = deidentify_dataset(ct(BodyPartExamined=part), profile, pseudonyms)
    assert (Note.FACE in report.notes) is noted


def test_a_series_number_equal_to_the_patient_id_is_emptied(ct, profile, pseudonyms):
    cleaned, _ = deidentify_dataset(
        ct(PatientID="778812", SeriesNumber="778812"), profile, pseudonyms
    )
    assert cleaned.SeriesNumber is None


def test_an_unknown_word_in_image_type_alone_is_replaced(ct, profile, pseudonyms):
    source = ct(ImageType=["ORIGINAL", "PRIMARY", "DR_QUINCY"])
    cleaned, _ = deidentify_dataset(source, profile, pseudonyms)
    assert list(cleaned.ImageType) == ["ORIGINAL", "PRIMARY", "OTHER"]


def test_a_nested_patient_id_gets_its_own_code(ct, profile, pseudonyms):
    item = Dataset()
    item.PatientID, item.PatientName = "OTHER99887", "Someone^Else"
    cleaned, _ = deidentify_dataset(
        ct(SourceInstanceSequence=None, ReferencedInstanceSequence=Sequence([item])),
        profile,
        pseudonyms,
    )
    (nested,) = cleaned.ReferencedInstanceSequence
    assert nested.PatientID == pseudonyms.patient_code("", "OTHER99887")
    assert not nested.PatientName


def code(value: str, scheme: str, meaning: str, keyword: str = "CodeValue") -> Dataset:
    item = Dataset()
    setattr(item, keyword, value)
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    item.CodingSchemeVersion = "20240101"
    item.ContextIdentifier = "4031"
    return item


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (code("69536005", "SCT", "Jack Quincy"), ("69536005", "SCT", "Head")),
        (code("T-D1100", "SRT", "Jack Quincy"), ("T-D1100", "SRT", "Head")),
        (code("90000002", "SCT", "Jack Quincy"), ("90000002", "SCT", "90000002")),
        (code("999999999", "SCT", "Jack Quincy"), ("ANON", "99ANON", "Anonymized")),
        (code("69536006", "SCT", "Jack Quincy"), ("ANON", "99ANON", "Anonymized")),
        (code("QUINCY", "SCT", "Jack Quincy"), ("ANON", "99ANON", "Anonymized")),
        (code("JQ1", "99LOCAL", "Jack Quincy"), ("ANON", "99ANON", "Anonymized")),
        (code("JQ", "99LOCAL", "Q", "LongCodeValue"), ("ANON", "99ANON", "Anonymized")),
    ],
)
def test_a_code_keeps_its_value_and_gets_the_published_meaning(
    ct, profile, pseudonyms, item, expected
):
    source = ct(AnatomicRegionSequence=Sequence([item]))
    cleaned, report = deidentify_dataset(source, profile, pseudonyms)
    (got,) = cleaned.AnatomicRegionSequence
    assert (got.CodeValue, got.CodingSchemeDesignator, got.CodeMeaning) == expected
    assert "CodingSchemeVersion" not in got
    assert got.ContextIdentifier == "4031"
    assert (Note.CODES_REPLACED in report.notes) is (expected[0] == "ANON")


def test_bulk_data_passes_only_where_it_is_listed(ct, profile, pseudonyms):
    lut = Dataset()
    lut.LUTDescriptor = [2, 0, 16]
    lut.add_new(0x00283006, "OW", b"\1\0\2\0")
    source = ct(ModalityLUTSequence=Sequence([lut]), ICCProfile=b"Quincy")
    lut.PixelData = b"Quincy"
    cleaned, _ = deidentify_dataset(source, profile, pseudonyms)
    (kept,) = cleaned.ModalityLUTSequence
    assert kept[0x00283006].value == b"\1\0\2\0"
    assert list(kept.LUTDescriptor) == [2, 0, 16]
    assert "PixelData" not in kept
    assert "ICCProfile" not in cleaned


def test_a_number_or_sequence_of_another_vr_is_removed(ct, profile, pseudonyms):
    source = ct()
    source.add(DataElement(0x00280106, "LO", "Quincy", validation_mode=0))
    source.add(DataElement(0x00081140, "LO", "Quincy", validation_mode=0))
    source.add(DataElement(0x00082218, "OB", b"Quincy"))
    cleaned, report = deidentify_dataset(source, profile, pseudonyms)
    assert 0x00280106 not in cleaned
    assert 0x00081140 not in cleaned
    assert 0x00082218 not in cleaned
    assert report.actions["unknown"] == 3


def test_a_number_whose_bytes_make_no_sense_is_removed_and_the_file_goes_on(
    ct, profile, pseudonyms
):
    source = ct()
    for tag, vr in ((0x00280106, "US"), (0x00081140, "SQ")):
        source[tag] = RawDataElement(Tag(tag), vr, 3, b"QUI", 0, False, True)
    with quiet():
        cleaned, report = deidentify_dataset(source, profile, pseudonyms)
    assert 0x00280106 not in cleaned
    assert 0x00081140 not in cleaned
    assert report.actions["unknown"] == 2


def test_items_nested_too_deeply_are_refused(ct, profile, pseudonyms):
    source = ct()
    level = source
    for _ in range(MAX_DEPTH + 1):
        item = Dataset()
        level.add_new(0x00082218, "SQ", Sequence([item]))
        level = item
    with pytest.raises(QuarantineError) as caught:
        deidentify_dataset(source, profile, pseudonyms)
    assert caught.value.reason is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SOPClassUID": ""}, Reason.NO_IDENTIFIERS),
        ({"SOPInstanceUID": ""}, Reason.NO_IDENTIFIERS),
        ({"SOPClassUID": "1.3.12.2.1107.5.9.1"}, Reason.PRIVATE_SOP_CLASS),
        ({"BurnedInAnnotation": "YES"}, Reason.PIXELS_MAY_SHOW),
        ({"Modality": "US"}, Reason.PIXELS_MAY_SHOW),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_its_reason(
    ct, profile, pseudonyms, changes, reason
):
    with pytest.raises(QuarantineError, match=reason.value) as caught:
        deidentify_dataset(ct(**changes), profile, pseudonyms)
    assert caught.value.reason is reason
