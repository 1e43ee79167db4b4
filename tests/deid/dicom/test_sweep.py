from __future__ import annotations

import pytest
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from napari_medlabel.deid.dicom.file import clean_file, clean_parsed
from napari_medlabel.deid.dicom.sweep import Identity, charsets_of, find, identity_of
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile


def test_names_ids_dates_and_uids_tell_whose_it_is(ct):
    texts = identity_of(ct()).texts
    assert {"Featherstone", "Millicent", "MRN5550123", "ACC778899", "19470316"} <= texts
    assert "1.3.6.1.4.1.99999.7.1" in texts


def test_names_at_depth_count(ct):
    item = Dataset()
    item.OperatorsName = "Abernathy^Bo"
    texts = identity_of(ct(ReferencedInstanceSequence=Sequence([item]))).texts
    assert "Abernathy" in texts
    assert "Bo" not in texts


def test_short_parts_vocabulary_and_the_standards_uids_prove_nothing(ct):
    texts = identity_of(ct(PatientName="Head^Lee", PatientID="Removed", StudyID="ANON")).texts
    assert texts.isdisjoint({"Head", "Lee", "Removed", "ANON", ct().SOPClassUID})


def test_bytes_are_read_in_the_files_character_set():
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.add(DataElement(0x00100020, "LO", "Größe77", validation_mode=0))
    tokens = identity_of(ds).tokens
    assert "Größe77".encode() in tokens
    assert "Größe77".encode("utf-16-le") in tokens
    assert "Größe77".encode("latin-1") in tokens


def test_bytes_that_cannot_be_parsed_do_not_stop_the_search():
    ds = Dataset()
    ds[0x00081140] = RawDataElement(Tag(0x00081140), "SQ", 6, b"Quincy", 0, False, True)
    ds[0x00080005] = RawDataElement(Tag(0x00080005), "US", 3, b"123", 0, False, True)
    ds[0x00100020] = RawDataElement(Tag(0x00100020), "LO", 10, b"MRN5550123", 0, False, True)
    ds.PatientName = None
    assert "MRN5550123" in identity_of(ds).texts


def test_a_broken_sequence_or_character_set_does_not_stop_the_search():
    ds = Dataset()
    ds.add(DataElement(0x00081140, "OB", b"Quincy"))
    ds.SpecificCharacterSet = ""
    ds.PatientID = "MRN5550123"
    assert "MRN5550123" in identity_of(ds).texts


@pytest.mark.parametrize(
    ("token", "header", "pixels", "hits"),
    [
        (b"Featherstone", b"xxFEATHERSTONExx", b"", 1),
        (b"Featherstone", b"", b"..Featherstone", 1),
        (b"Featherstone", b"", b"..FEATHERSTONE", 1),
        (b"Mary", b"Rosemary", b"", 0),
        (b"Mary", b"LO\x04\0Mary", b"", 1),
        (b"Mary", b"", b"Mary", 0),
        (b"778812", b"IS 778812 ", b"", 1),
        (b"778812", b"0.7788123", b"", 0),
        (b"778812", b"IS\6\x00778812\x30\0\x10\0LO", b"", 1),  # the next group is 0030
        (b"778812", b"UI\x08\x007788125\0\x30\0\x10\0LO", b"", 0),
        (b"Name", b"CS\6\0PNAME ", b"", 0),
        (b"778812", b"5778812 0", b"", 0),
        ("778812".encode("utf-16-le"), "7788123".encode("utf-16-le"), b"", 0),
        ("778812".encode("utf-16-le"), "778812 ".encode("utf-16-le"), b"", 1),
        (b"1.2.3.4", b"1.2.3.45", b"", 0),
        (b"1.2.3.4", b"UI 1.2.3.4\0", b"", 1),
        (b"Quincy", b"nothing", b"nothing", 0),
    ],
)
def test_a_value_is_found_where_it_is_one(token, header, pixels, hits):
    assert find(Identity(tokens=frozenset({token})), header, pixels) == hits


def test_what_was_found_is_not_shown(ct):
    assert "Featherstone" not in repr(identity_of(ct()))


@pytest.mark.parametrize("named", [("a\0b",), ("",), ()])
def test_character_sets_that_are_none_are_the_ones_from_above(named):
    assert charsets_of(named, ("utf_8",)) == ("utf_8",)


def test_uids_that_are_kept_are_no_identity(ct):
    texts = identity_of(ct(), uids=False).texts
    assert "MRN5550123" in texts
    assert not [text for text in texts if text.startswith("1.3.6")]


def test_uids_of_devices_tell_whose_file_it_is_unless_they_are_kept(ct):
    device = "1.3.6.1.4.1.99999.7.77"
    assert device in identity_of(ct(DeviceUID=device)).texts
    assert identity_of(ct(DeviceUID=device), devices=False) == identity_of(ct())


@pytest.mark.parametrize("whole", [clean_file, clean_parsed])
def test_a_device_uid_that_stands_elsewhere_too_is_found(ct, as_file, pseudonyms, whole):
    device = "1.3.6.1.4.1.99999.7.77"
    kept = load_profile(options=[Option.RETAIN_DEVICE])
    source = as_file(ct(DeviceUID=device))
    assert device.encode() in whole(source, kept, pseudonyms).content
    assert device.encode() not in whole(source, load_profile(), pseudonyms).content
