from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_medlabel.deid.dicom import pixel_facts as splice_pixels
from napari_medlabel.deid.dicom import plan as splice
from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.file import clean_file, looks_like_dicom, quiet
from napari_medlabel.deid.pixels.described import (
    check_complete,
    described_length,
    may_show_identity,
)
from napari_medlabel.deid.report.counts import Note, Reason
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from tests.deid.planted import ROOT, WORD, assert_same, levels, outcome, spliced

SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
OPTIONS = (
    (),
    ("shift-dates", "clean-descriptors", "retain-device", "clean-structured"),
    ("retain-dates", "retain-uids", "retain-safe-private"),
)
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.parametrize("syntax", SYNTAXES)
@SLOW
@given(level=levels(), chosen=st.sampled_from(OPTIONS))
def test_random_data_sets_come_out_as_from_the_parser_without_any_planted_word(
    ct, as_file, pseudonyms, syntax, level, chosen
):
    source = ct()
    source.update({e.tag: e for e in level})
    with quiet():
        content = as_file(source, syntax)
    written = assert_same(content, load_profile(options=chosen), pseudonyms)
    assert written is not None
    assert WORD.encode() not in written
    if "retain-uids" not in chosen:
        assert ROOT.encode() not in written
    assert pydicom.dcmread(BytesIO(written)).PixelData == source.PixelData


@pytest.mark.parametrize("chosen", OPTIONS)
def test_files_that_ship_with_pydicom_come_out_as_from_the_parser(pseudonyms, chosen):
    walked = 0
    profile = load_profile(options=chosen)
    folder = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if len(content) > 1_000_000 or not looks_like_dicom(content):
            continue
        try:
            walked += assert_same(content, profile, pseudonyms) is not None
        except OddError:
            continue
    assert walked > 40


@SLOW
@given(
    syntax=st.sampled_from(SYNTAXES),
    damages=st.lists(
        st.tuples(st.integers(0, 9999), st.integers(0, 9), st.binary(max_size=9)),
        min_size=1,
        max_size=4,
    ),
)
def test_damaged_bytes_are_refused_or_cleaned_but_never_passed_on(
    ct, as_file, profile, pseudonyms, syntax, damages
):
    item = Dataset()
    item.StationName, item.OperatorsName = f"{WORD}1", f"{WORD}2"
    source = ct(ReferencedInstanceSequence=Sequence([item]), ImageComments=WORD)
    content = bytearray(as_file(source, syntax))
    for number, removed, inserted in damages:
        place = 132 + number % (len(content) - 132)
        content[place : place + removed] = inserted
    made = outcome(clean_file, bytes(content), profile, pseudonyms)
    if not isinstance(made, Reason):
        with quiet():
            again = pydicom.dcmread(BytesIO(made.content))
        assert again.PatientIdentityRemoved == "YES"
        assert WORD.encode() not in made.content
        assert b"Featherstone" not in made.content


def test_nothing_of_one_file_is_found_in_the_next(ct, as_file, profile, pseudonyms):
    one, other = ct(), ct(2)
    for keyword, value in {
        "PatientName": "Abernathy^Bo", "PatientID": "OTHER99", "AccessionNumber": "ACC1",
        "StudyInstanceUID": ROOT + "5", "PatientBirthDate": "19991231",
    }.items():  # fmt: skip
        setattr(other, keyword, value)
    files = [as_file(ds) for ds in (one, other, ct(3), one, other)]
    alone = []
    for content in files:
        splice.level_for.__globals__["_levels"].clear()
        alone.append(spliced(content, profile, pseudonyms)[1])
    splice.level_for.__globals__["_levels"].clear()
    assert [spliced(content, profile, pseudonyms)[1] for content in files] == alone


def test_a_description_that_repeats_a_uids_number_is_judged_for_each_file(
    ct, as_file, pseudonyms
):
    profile = load_profile(options=["clean-descriptors"])
    for number in (7, 8, 9):
        source = ct(number, SeriesDescription=f"Chest {ROOT}4.8", ImageComments=ROOT + "4.7")
        assert assert_same(as_file(source), profile, pseudonyms) is not None


def test_a_series_is_remembered_and_its_results_are_the_same(ct, as_file, profile, pseudonyms):
    for number in range(1, 6):
        content = as_file(ct(number))
        assert spliced(content, profile, pseudonyms)[1] == assert_same(
            content, profile, pseudonyms
        )


def test_the_checks_of_pixels_look_at_nothing_but_what_they_are_given(ct):
    asked: set[int] = set()

    class Watched(Dataset):
        def get(self, key, default=None):
            asked.add(int(pydicom.datadict.tag_for_keyword(key)))
            return super().get(key, default)

        def __contains__(self, name):
            tag = pydicom.datadict.tag_for_keyword(name) if isinstance(name, str) else name
            asked.add(int(tag))
            return super().__contains__(name)

    for changes in ({}, {"Modality": "OT"}, {"ImageType": ["ORIGINAL"], "Modality": "SM"}):
        watched = Watched(ct(**changes))
        may_show_identity(watched)
        check_complete(watched)
        described_length(watched, 0x7FE00010)
        splice_pixels.shape_of(watched)
    assert all(splice_pixels.is_deciding(t) for t in asked if t >> 16 != 0x7FE0)


@pytest.mark.parametrize("chosen", [(), ("clean-pixels",)])
def test_pixels_that_may_show_identity_are_refused_or_left_to_who_cleans_them(
    ct, as_file, pseudonyms, chosen
):
    profile = load_profile(options=chosen)
    content = as_file(ct(Modality="US"))
    if chosen:
        with pytest.raises(OddError):
            spliced(content, profile, pseudonyms)
    else:
        assert outcome(spliced, content, profile, pseudonyms) is Reason.PIXELS_MAY_SHOW


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SOPClassUID": ""}, Reason.NO_IDENTIFIERS),
        ({"SOPInstanceUID": ""}, Reason.NO_IDENTIFIERS),
        ({"SOPClassUID": "1.3.12.2.1107.5.9.1"}, Reason.PRIVATE_SOP_CLASS),
        ({"Rows": 400}, Reason.PIXELS_INCOMPLETE),
        ({"Rows": 0}, Reason.PIXELS_UNDESCRIBED),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_its_reason(
    ct, as_file, profile, pseudonyms, changes, reason
):
    source = ct()
    content = as_file(source)
    for keyword, value in changes.items():
        setattr(source, keyword, value)
    with quiet():
        source.file_meta = None
        body = as_file(ct(**{k: v for k, v in changes.items() if k == "Rows"}))
        if "Rows" not in changes:
            body = content.replace(*_swapped(content, changes))
    assert outcome(spliced, body, profile, pseudonyms) is reason


def _swapped(content: bytes, changes: dict[str, str]) -> tuple[bytes, bytes]:
    """The bytes of the one changed UID of the data set, before and after."""
    ((keyword, value),) = changes.items()
    tag = b"\x08\0\x16\0" if keyword == "SOPClassUID" else b"\x08\0\x18\0"
    place = content.index(tag + b"UI")
    length = struct.unpack_from("<H", content, place + 6)[0]
    new = value.encode() + b"\0" * (len(value) & 1)
    return content[place : place + 8 + length], tag + b"UI" + struct.pack("<H", len(new)) + new


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c[132:],
        lambda c: c.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"),
        lambda c: c.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0"),
        lambda c: c.replace(b"1.2.840.10008.1.2.1\0", b"\xff\xfe.840.10008.1.2.1\0"),
        lambda c: c[:138] + b"u" + c[139:],
        lambda c: c[:136] + b"12" + c[138:],
        lambda c: c[:200],
        lambda c: c[:144],
        lambda c: c[:-62],
        lambda c: c.replace(b"(\0\x02\0US", b"(\0\x02\0QQ"),
        lambda c: c.replace(b"\x08\0\x60\0CS", b"\x08\0\x05\0CS"),
    ],
)
def test_odd_files_are_left_to_the_parser(ct, as_file, profile, pseudonyms, damage):
    with pytest.raises(OddError):
        spliced(damage(as_file(ct())), profile, pseudonyms)


def test_a_dicomdir_is_left_to_the_parser(ct, as_file, profile, pseudonyms):
    content = as_file(ct()).replace(
        b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.1.3.10\0\0\0\0\0\0", 1
    )
    with pytest.raises(OddError):
        spliced(content, profile, pseudonyms)


def test_a_header_longer_than_the_first_read_is_walked(ct, as_file, profile, pseudonyms):
    source = ct()
    block = source.private_block(0x0029, "LARGE", create=True)
    block.add_new(1, "OB", bytes(100_000))
    nested = [Dataset() for _ in range(4000)]
    for item in nested:
        item.SliceThickness = "1"
    source.ReferencedInstanceSequence = Sequence(nested)
    source["ReferencedInstanceSequence"].is_undefined_length = True
    source.WaveformData = b""
    for syntax in SYNTAXES:
        assert assert_same(as_file(source, syntax), profile, pseudonyms) is not None


def test_a_file_without_pixels_and_one_with_signatures_after_its_end(
    ct, as_file, profile, pseudonyms
):
    source = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    del source.PixelData, source.Rows
    assert assert_same(as_file(source), profile, pseudonyms) is not None
    trailing = struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, 4) + b"Jack"
    written = assert_same(as_file(source) + trailing, profile, pseudonyms)
    assert written is not None
    assert b"Jack" not in written


@pytest.mark.parametrize("part", ["CHEST", "HEAD"])
def test_a_face_and_replaced_codes_are_noted(ct, as_file, profile, pseudonyms, part):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X", "99LOCAL", "Quincy"
    source = ct(BodyPartExamined=part, AnatomicRegionSequence=Sequence([code]))
    plan, _ = spliced(as_file(source), profile, pseudonyms)
    faces = {Note.FACE} if part == "HEAD" else set()
    assert plan.report.notes == {Note.CODES_REPLACED, *faces}


def test_a_patient_without_an_id_is_told_by_the_study(ct, as_file, profile, pseudonyms):
    assert assert_same(as_file(ct(PatientID="")), profile, pseudonyms) is not None


def test_options_are_part_of_what_is_remembered(ct, as_file, pseudonyms):
    for chosen in ([], [Option.RETAIN_DATES], [], [Option.SHIFT_DATES]):
        content = as_file(ct())
        assert assert_same(content, load_profile(options=chosen), pseudonyms) is not None


def test_a_directory_is_no_image_whatever_its_meta_information_says(
    ct, as_file, profile, pseudonyms
):
    content = as_file(ct(SOPClassUID="1.2.840.10008.1.3.10"))
    content = content.replace(
        b"\2\0\2\0UI\x14\x001.2.840.10008.1.3.10", b"\2\0\2\0UI\x14\x001.2.840.10008.1.2.10"
    )
    assert outcome(spliced, content, profile, pseudonyms) is Reason.PRIVATE_SOP_CLASS
    assert assert_same(content, profile, pseudonyms) is None
