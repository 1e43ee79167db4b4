"""Elements that the walk over bytes leaves to the parser, and the ends of what it remembers."""

from __future__ import annotations

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_medlabel.deid.dicom import level as splice_level
from napari_medlabel.deid.dicom import traces as splice_traces
from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.file import clean_file
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.profile import load_profile
from tests.deid.planted import assert_same, outcome, spliced

END = b"\xfe\xff\xdd\xe0\0\0\0\0"
UNDEFINED = b"\xff\xff\xff\xff"
NAME, PIXELS = b"\x10\0\x10\0PN", b"\xe0\x7f\x10\0OW"
RESCALE = b"\x28\0\x52\x10DS"
ROWS, MODALITY = b"\x28\0\x10\0US\2\0\4\0", b"\x08\0\x60\0CS\2\0CT"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MODALITY, b"\x08\0\x60\0UN\0\0" + UNDEFINED + END),  # text of undefined length
        (NAME, b"\x08\0\x40\x11UN\0\0\2\0\0\0QU" + NAME),  # a sequence that is none
        (NAME, b"\x08\0\x40\x11UN\0\0\0\0\0\0" + NAME),  # nor is this
        (NAME, b"\x08\0\x48\x10SQ\0\0\0\0\0\0" + NAME),  # a name that is a sequence
        (ROWS, b"\x28\0\x09\0SQ\0\0\0\0\0\0" + ROWS),  # a tag that is a sequence
        (ROWS, b"\x28\0\x09\0AT\3\0abc" + ROWS),  # an odd number of bytes
        (RESCALE, b"\x28\0\x06\1UN\0\0\2\0\0\0\1\0" + RESCALE),  # US or SS, nobody knows
        (PIXELS, b"\x29\0\x10\1OB\0\0" + UNDEFINED + END + PIXELS),  # private, encapsulated
        (NAME, b"\x08\0\x12\x21UN\0\0" + UNDEFINED + END + NAME),  # implicit inside
    ],
)  # fmt: skip
def test_elements_that_only_the_parser_can_judge_are_left_to_it(
    ct, as_file, profile, pseudonyms, before, after
):
    content = as_file(ct()).replace(before, after)
    assert after in content
    with pytest.raises(OddError):
        spliced(content, profile, pseudonyms)
    assert b"Featherstone" not in getattr(
        outcome(clean_file, content, profile, pseudonyms), "content", b""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (RESCALE, b"\x28\0\x06\1US\4\0\1\0\1\0" + RESCALE),
        (RESCALE, b"\x28\0\x20\1DS\2\0\x31 " + RESCALE),
        (b"\x28\0\x02\0US\2\0\1\0", b"\x28\0\x02\0UN\0\0\2\0\0\0\1\0"),
        (ROWS, b"\x28\0\x09\0AT\4\0\x18\0\x63\x10" + ROWS),
        (MODALITY, b"\x08\0\x60\0LO\2\0CT"),
        (MODALITY, b"\x08\0\x60\0UN\0\0\2\0\0\0CT"),
    ],
)
def test_values_under_another_vr_come_out_as_from_the_parser(
    ct, as_file, profile, pseudonyms, before, after
):
    content = as_file(ct()).replace(before, after)
    assert after in content
    assert assert_same(content, profile, pseudonyms) is not None


def test_numbers_that_are_cut_go(ct, as_file, profile, pseudonyms):
    content = as_file(ct()).replace(ROWS, b"\x28\0\x09\0AT\2\0ab" + ROWS)
    assert b"\x28\0\x09\0AT" not in spliced(content, profile, pseudonyms)[1]


def test_implicit_numbers_of_two_kinds_come_out_as_from_the_parser(
    ct, as_file, profile, pseudonyms
):
    source = ct(SmallestImagePixelValue=3)
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [2, 0, 16], [1, 2]
    item["LUTData"].VR = "US"
    source.VOILUTSequence = Sequence([item])
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        assert assert_same(as_file(source, syntax), profile, pseudonyms) is not None


def test_a_file_longer_than_the_first_read_that_ends_early_is_left_to_the_parser(
    ct, as_file, profile, pseudonyms
):
    source = ct()
    source.private_block(0x0029, "LARGE", create=True).add_new(1, "OB", bytes(200_000))
    with pytest.raises(OddError):
        spliced(as_file(source)[:150_000], profile, pseudonyms)


def test_pixels_and_syntax_must_fit_each_other(ct, as_file, profile, pseudonyms):
    content = as_file(ct())
    syntax = content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    assert outcome(spliced, syntax, profile, pseudonyms) is Reason.PIXELS_BROKEN
    head = b"\xe0\x7f\x10\0OW\0\0"
    undefined = content.replace(head + struct.pack("<L", 48), head + UNDEFINED)
    with pytest.raises(OddError):
        spliced(undefined, profile, pseudonyms)


def test_sequences_nested_too_deeply_are_refused(ct, as_file, profile, pseudonyms):
    source = ct()
    level = source
    for _ in range(65):
        item = Dataset()
        level.add_new(0x00082218, "SQ", Sequence([item]))
        level = item
    content = as_file(source)
    assert outcome(spliced, content, profile, pseudonyms) is Reason.UNREADABLE
    assert outcome(clean_file, content, profile, pseudonyms) is Reason.UNREADABLE


def test_content_items_go_as_from_the_parser(ct, as_file, pseudonyms):
    def item(value, kind, **more):
        concept, result = Dataset(), Dataset()
        concept.CodeValue, concept.CodingSchemeDesignator = value, "DCM"
        concept.CodeMeaning = "A concept"
        result.ValueType = kind
        result.ConceptNameCodeSequence = Sequence([concept] if value else [])
        for keyword, text in more.items():
            setattr(result, keyword, text)
        return result

    profile = load_profile(options=["clean-structured"])
    items = [
        item("121120", "COMPOSITE"),
        item("121033", "NUM", NumericValue="93"),
        item("121029", "PNAME", PersonName="Quincy^Jack"),
        item("", "TEXT", TextValue="Quincy"),
    ]
    del items[3].ConceptNameCodeSequence
    items.append(item("", "TEXT", TextValue="Quincy"))
    content = as_file(ct(ContentSequence=Sequence(items)))
    written = assert_same(content, profile, pseudonyms)
    assert written is not None
    assert b"Quincy" not in written
    assert assert_same(content, load_profile(), pseudonyms) is not None


def test_what_is_remembered_has_an_end(ct, as_file, profile, pseudonyms, monkeypatch):
    monkeypatch.setattr(splice_level, "_MOST_KNOWN_BYTES", 500)
    monkeypatch.setattr(splice_traces, "_MOST_ENTRIES", 5)
    monkeypatch.setattr(splice_level, "_MOST_SCOPES", 1)
    for number in range(1, 4):
        content = as_file(ct(number, PatientID=f"MRN555012{number}"))
        assert assert_same(content, profile, pseudonyms) is not None
    assert len(splice_level._levels) == 1
    assert len(splice_traces._known) <= 5


def test_what_is_long_is_not_remembered(ct, as_file, profile, pseudonyms):
    item = Dataset()
    item.OperatorsName = "Abernathy^Bo"
    source = ct(ReferencedInstanceSequence=Sequence([item] * 600), ImageComments="x" * 2000)
    written = assert_same(as_file(source), profile, pseudonyms)
    assert written is not None
    assert b"Abernathy" not in written
    assert max(map(len, (key[0] for key in splice_traces._known))) <= 16384


def private(tag: bytes, vr: bytes, length: bytes, value: bytes = b"") -> bytes:
    return tag + vr + length + value


@pytest.mark.parametrize("chosen", [(), ("retain-safe-private",)])
def test_private_attributes_without_a_creator_go(ct, as_file, pseudonyms, chosen):
    profile = load_profile(options=chosen)
    content = as_file(ct())
    place = content.index(b"\x10\0\x10\0PN")
    orphan = private(b"\x09\0\1\x10", b"LO", b"\6\0", b"Quincy")
    written = assert_same(content[:place] + orphan + content[place:], profile, pseudonyms)
    assert b"Quincy" not in written
    endless = private(b"\x09\0\1\x10", b"OB\0\0", b"\xff" * 4, b"\xfe\xff\xdd\xe0\0\0\0\0")
    with pytest.raises(OddError):
        spliced(content[:place] + endless + content[place:], profile, pseudonyms)


def test_padding_before_a_private_number_goes_as_from_the_parser(ct, as_file, pseudonyms):
    profile = load_profile(options=["retain-safe-private"])
    ds = ct()
    ds.add_new(0x00190010, "LO", "GEMS_ACQU_01")
    ds.add_new(0x00191024, "DS", "1.5")
    content = as_file(ds)
    number = b"\x19\0\x24\x10DS\4\0" + b"1.5 "
    padded = content.replace(number, b"\x19\0\x24\x10DS\x08\0" + b"   1.5  ")
    assert padded != content
    assert number in assert_same(padded, profile, pseudonyms)


@pytest.mark.parametrize("name", ["BOGUS 9", "ISO 2022 IR 6\\BOGUS 9"])
def test_a_character_set_that_nobody_knows_goes(ct, as_file, profile, pseudonyms, name):
    ds = ct()
    ds.SpecificCharacterSet = "ISO_IR 100"
    bogus = name.encode().ljust(len(name) + len(name) % 2)
    head = b"\x08\0\x05\0CS"
    known = head + b"\x0a\0ISO_IR 100"
    content = as_file(ds)
    assert known in assert_same(content, profile, pseudonyms)
    content = content.replace(known, head + struct.pack("<H", len(bogus)) + bogus)
    assert head not in assert_same(content, profile, pseudonyms)


@pytest.mark.parametrize("number", ["-1024", "-7"])
def test_a_patients_number_that_is_the_images_too_is_never_another(
    ct, as_file, profile, pseudonyms, number
):
    ds = ct()
    ds.PatientID, ds.RescaleIntercept = number, number
    told = outcome(clean_file, as_file(ds), profile, pseudonyms)
    if number == "-7":
        assert b"\x28\0\x52\x10DS\2\0-7" in told.content
    else:
        assert told is Reason.IDENTITY_LEFT


@pytest.mark.parametrize("text", [b"1,0 ", b"+0012345678 "])
def test_no_dummy_stands_for_a_number_that_makes_the_image(
    ct, as_file, profile, pseudonyms, text
):
    content = as_file(ct(RescaleIntercept="-7"))
    before = RESCALE + b"\2\0-7"
    assert before in content
    content = content.replace(before, RESCALE + struct.pack("<H", len(text)) + text)
    assert assert_same(content, profile, pseudonyms) is None
    assert outcome(clean_file, content, profile, pseudonyms) is Reason.UNREADABLE
