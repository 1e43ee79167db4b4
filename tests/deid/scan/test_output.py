from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000, ExplicitVRBigEndian, JPEGBaseline8Bit

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.site_rules import SiteRules
from napari_medlabel.deid.scan import dicom as scan_dicom
from napari_medlabel.deid.scan import file as scan_file
from napari_medlabel.deid.scan.dicom import charsets_of
from napari_medlabel.deid.scan.output import (
    Allowance,
    Searched,
    Sign,
    SourceIdentity,
    allowance_for,
    check_output,
    scan_output,
    source_identity,
)
from napari_medlabel.deid.scan.read import FileParts
from napari_medlabel.deid.scan.walk import Form
from napari_medlabel.deid.scan.words import Needle

NONE = Allowance()


@pytest.fixture
def clean(ct):
    """A slice as a cleaned one looks; keywords overwrite."""

    def make(number: int = 1, **changed):
        ds = ct(number)
        for word in ("AccessionNumber", "StudyID", "InstitutionName", "ReferringPhysicianName",
                     "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):  # fmt: skip
            setattr(ds, word, "")
        ds.PatientName = ds.PatientID = "P-ABCDEFGH"
        for place, word in enumerate(
            ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
        ):
            setattr(ds, word, f"2.25.{10**36 + 10 * number + place}")
        for word, value in changed.items():
            setattr(ds, word, value)
        return ds

    return make


@pytest.fixture
def found(as_file, tmp_path):
    """What the scan finds in a data set, with the source's data set where there is one."""

    def scan(ds, source=None, allowance=NONE, *, tail=b"", **words):
        path = tmp_path / "x.part"
        path.write_bytes(as_file(ds, **words).replace(b"FEATHERSTONE_AE ", b" " * 16) + tail)
        identity = SourceIdentity()
        if source is not None:
            (tmp_path / "source").write_bytes(as_file(source))
            identity = source_identity(tmp_path / "source", allowance=allowance)
        return {(f.sign, f.where) for f in scan_output(path, identity, allowance=allowance)}

    return scan


def test_a_clean_file_has_nothing(clean, found, ct):
    assert found(clean()) == set()
    assert found(clean(), ct()) == set()
    assert found(clean(), syntax=ExplicitVRBigEndian) == set()


@pytest.mark.parametrize(
    ("keyword", "value", "sign"),
    [
        ("PatientName", "Quincy^Jack", Sign.LISTED), ("PersonName", "Quincy", Sign.LISTED),
        ("DistributionName", "Quincy", Sign.LISTED), ("StudyDate", "19630412", Sign.LISTED),
        ("DateOfGainCalibration", "19630412", Sign.DATE),
        ("ScheduledStepAttributesSequence", None, None),
        ("ManufacturerModelName", "Quincy's own", Sign.TEXT),
        ("PatientAge", "093Y", Sign.LISTED), ("SelectorUIValue", "1.2.3.4", Sign.UID),
        ("ScanOptions", "QUINCY", Sign.TEXT), ("SliceThickness", "0.5", None),
        ("AcquisitionMatrix", [0, 1, 2, 0], None), ("PregnancyStatus", 3, Sign.LISTED),
        ("NameOfPhysiciansReadingStudy", "Quincy", Sign.LISTED),
        ("RadionuclideTotalDose", "1e6", None), ("SecondaryCaptureDeviceID", "", None),
        ("TableTopLongitudinalAdjustedPosition", 1.5, None),
    ],
)  # fmt: skip
def test_each_kind_of_value_is_judged(clean, found, keyword, value, sign):
    signs = {s for s, _ in found(clean(**{keyword: value}))}
    assert signs == ({sign} if sign else set())


def raw(ds: Dataset, tag: int, vr: str, value: bytes) -> Dataset:
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import BaseTag

    ds[BaseTag(tag)] = RawDataElement(BaseTag(tag), vr, len(value), value, 0, False, True)
    return ds


@pytest.mark.parametrize(
    ("tag", "vr", "value", "sign"),
    [
        (0x00189073, "FD", b"Featherb", Sign.UNKNOWN), (0x0018FFF1, "UN", b"\x01\x02", None),
        (0x0018FFF1, "LO", b"Quincy", Sign.UNKNOWN), (0x0018FFF1, "UI", b"1.2.3.4\0", Sign.UID),
        (0x00181314, "PN", b"Quincy", Sign.NAME), (0x00181314, "DA", b"19630412", Sign.DATE),
        (0x00400244, "DA", b"19630412", Sign.LISTED), (0x00189516, "DT", b"1963041212", None),
        (0x00280010, "AS", b"093Y", Sign.TEXT), (0x00091001, "LO", b"", Sign.PRIVATE),
        (0x60000022, "LO", b"QUINCY", Sign.TEXT), (0x60010022, "LO", b"QUINCY", Sign.PRIVATE),
        (0x50000022, "LO", b"QUINCY", Sign.LISTED), (0x60003000, "OW", b"\1\2", Sign.LISTED),
        (0x00720066, "SQ", b"", None),
    ],
)  # fmt: skip
def test_values_are_judged_by_their_own_vr_too(clean, found, tag, vr, value, sign):
    signs = {s for s, _ in found(raw(clean(), tag, vr, value))}
    if tag == 0x00189516:
        assert signs <= {Sign.LISTED, Sign.DATE}
        return
    assert signs == ({sign} if sign else set())


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


@pytest.mark.parametrize(
    ("entry", "clean_code"),
    [
        (("121071", "DCM", "Finding"), True), (("ANON", "99ANON", "Anonymized"), True),
        (("39607008", "SCT", "Lung"), True), (("39607008", "SCT", "39607008"), True),
        (("QUINCY", "DCM", "Finding"), False), (("121071", "99QUINCY", "Finding"), False),
        (("121071", "DCM", "Quincy's lung"), False),
    ],
)  # fmt: skip
def test_codes_are_published_or_say_nothing(clean, found, entry, clean_code):
    ds = clean(AnatomicRegionSequence=Sequence([code(*entry)]))
    assert (found(ds) == set()) is clean_code


def test_sequences_that_must_be_empty_are_named(clean, found):
    item = Dataset()
    item.CodeMeaning = "Finding"
    ds = clean(OriginalAttributesSequence=Sequence([item]))
    assert found(ds) == {(Sign.LISTED, "(0400,0561)/(0008,0104)")}
    ds = clean(ReferencedStudySequence=Sequence([item]))
    assert found(ds, allowance=Allowance(frozenset({Option.RETAIN_UIDS}))) == set()


def test_what_options_retain_may_stay(clean, found, ct):
    dates = Allowance(frozenset({Option.RETAIN_DATES}))
    ds = clean(StudyDate="20240229", ContentDate="20240229", DateOfGainCalibration="20240229")
    assert found(ds, ct(), dates) == set()
    moved = Allowance(frozenset({Option.SHIFT_DATES}))
    assert found(ds, ct(), moved) == set()  # which day it was, nobody can tell
    assert found(clean(LossyImageCompression="20240229"), ct(), moved) != set()
    uids = Allowance(frozenset({Option.RETAIN_UIDS}))
    assert found(clean(StudyInstanceUID=ct().StudyInstanceUID), ct(), uids) == set()
    place = Allowance(frozenset({Option.RETAIN_INSTITUTION}))
    assert (
        found(clean(InstitutionName="Quincy Hall"), ct(InstitutionName="Quincy Hall"), place)
        == set()
    )
    words = Allowance(frozenset({Option.CLEAN_DESCRIPTORS}))
    described = ct(StudyDescription="Thorax Vorquilaz", SeriesDescription="Zork thorax")
    ds = clean(StudyDescription="Thorax", SeriesDescription="Zork")
    assert found(ds, described, words) == set()
    assert found(clean(ReceiveCoilName="32Ch Head"), allowance=words) == set()
    assert found(clean(ReceiveCoilName="Vorquilaz"), allowance=words) != set()
    assert found(clean(ReceiveCoilName="Head 1234567"), allowance=words) != set()


def test_names_are_found_where_words_may_stay(clean, found, ct):
    words = Allowance(frozenset({Option.CLEAN_DESCRIPTORS}))
    ds = clean(StudyDescription="Featherstone thorax")
    assert (Sign.NAME, "(0008,1030)") in found(ds, ct(), words)
    told = ct(StudyDescription="Vorquilaz")
    assert found(clean(SeriesDescription="Vorquilaz"), told, words) == set()


def test_words_of_the_vocabulary_in_a_name_prove_nothing(clean, found, ct):
    assert found(clean(BodyPartExamined="HEAD"), ct(PatientName="Head^John")) == set()
    source = ct(InstitutionName="SIEMENS", PatientName="Feather^O", StudyID="MONOCHROME2")
    assert found(clean(), source) == set()


def test_safe_private_attributes_may_stay(clean, found):
    ds = clean()
    block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "1.5")
    kept = Allowance(frozenset({Option.RETAIN_SAFE_PRIVATE}))
    assert found(ds, allowance=kept) == set()
    assert {s for s, _ in found(ds)} == {Sign.PRIVATE}
    block.add_new(0x20, "DS", "1.5")
    assert found(ds, allowance=kept) == {(Sign.PRIVATE, "(7053,1020)")}
    named = clean()
    named.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0, "PN", "Q")
    assert found(named, allowance=kept) == {(Sign.NAME, "(7053,1000)")}


def test_private_sequences_of_a_site_may_stay(clean, found):
    item = Dataset()
    item.CodeValue = "ANON"
    ds = clean()
    ds.private_block(0x0019, "MAKER", create=True).add_new(0x01, "SQ", Sequence([item]))
    site = SiteRules("s", "1", private=(("0019", "01", "MAKER", "SQ"),))
    assert found(ds, allowance=allowance_for(frozenset(), site)) == set()


def test_rules_of_a_site_are_allowed():
    site = SiteRules(
        "s", "1", {0x00081030: "K", 0x00100010: "X"},
        {("RequestAttributesSequence", "ScheduledProcedureStepID"): "C", ("Nonsense",): "K"},
        frozenset({"zork"}), {"StationName": frozenset({"CT1"})}, {"ProtocolName": "A+"},
        (("0019", "01", "MAKER", "LO"),),
    )  # fmt: skip
    allowed = allowance_for(frozenset({Option.RETAIN_UIDS}), site)
    assert allowed.tags == {0x00081030, 0x00400009, 0x00081010, 0x00181030}
    assert allowed.private == {(0x0019, "MAKER", 1)}
    assert allowance_for(frozenset()) == Allowance()


def test_what_a_site_keeps_is_no_identity(clean, found, ct):
    site = SiteRules("s", "1", {0x00081010: "K"}, words=frozenset({"vorquilaz"}))
    allowed = allowance_for(frozenset(), site)
    source = ct(StationName="Zorkhaven")
    assert found(clean(StationName="Zorkhaven"), source, allowed) == set()
    assert found(clean(ReceiveCoilName="Vorquilaz"), source, allowed) == set()


def test_group_0004_titles_and_preamble_are_named(clean, found, as_file, tmp_path):
    ds = raw(clean(), 0x00041130, "CS", b"X ")
    assert found(ds) == {(Sign.DIRECTORY, "(0004,1130)")}
    (tmp_path / "y").write_bytes(as_file(clean(), preamble=b"Featherstone"))
    (tmp_path / "source").write_bytes(as_file(clean(PatientName="Featherstone")))
    identity = source_identity(tmp_path / "source", allowance=NONE)
    signs = {f.sign for f in scan_output(tmp_path / "y", identity, allowance=NONE)}
    assert signs == {Sign.PREAMBLE, Sign.META, Sign.NAME, Sign.IDENTIFIER}


@pytest.mark.parametrize("tag", [0x00280106, 0x00281201])
def test_binary_values_prove_nothing_by_chance(clean, found, ct, tag):
    words = b"Kim\0" + b"Quinc" + b"\xfe"
    ds = raw(clean(), tag, "US" if tag == 0x00280106 else "OW", words)
    assert found(ds, ct(PatientName="Kim^Quinc")) == set()


def test_long_words_in_tables_count(clean, found, ct):
    ds = raw(clean(), 0x00281201, "OW", b"\xfe\xffFeatherstone\xfe\xff")
    assert (Sign.NAME, "(0028,1201)") in found(ds, ct())
    short = raw(clean(), 0x0018FFF1, "UN", b"\1Kim\2\3")
    assert (Sign.NAME, "(0018,FFF1)") in found(short, ct(PatientName="Kim^Oo"))


def test_names_in_pixels_and_after_them_are_found(clean, found, ct):
    pixels = b"\xfe\xfe" + b"Featherstone" + b"\xfe" * 34
    ds = clean(PixelData=pixels)
    ds["PixelData"].VR = "OW"
    assert (Sign.NAME, "pixel data") in found(ds, ct())
    assert found(clean(), ct(), tail=b"\0") == set()
    after = found(clean(), ct(), tail=b"\0\0\0 Featherstone")
    assert after >= {(Sign.TRAILING, "after the last element"), (Sign.NAME, "after pixel data")}
    more = clean(PixelData=bytes(60))
    more["PixelData"].VR = "OW"
    assert (Sign.OVERHANG, "pixel data") in found(more)


def test_large_pixels_are_searched_in_parts(clean, found, ct):
    side = 1024
    content = bytearray(b"\xfe" * (2 * side * side))
    content[(1 << 20) - 5 : (1 << 20) + 7] = b"Featherstone"
    ds = clean(Rows=side, Columns=side, PixelData=bytes(content))
    ds["PixelData"].VR = "OW"
    assert (Sign.NAME, "pixel data") in found(ds, ct())


def compressed(ds: Dataset, frame: bytes) -> Dataset:
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


def test_compressed_frames_are_searched(clean, found, ct):
    jpeg = b"\xff\xd8\xff\xe0\0\4ab\xff\xda\0\4" + b"\1\2\3\4\xff\xd9"
    assert found(compressed(clean(), jpeg), ct(), syntax=JPEGBaseline8Bit) == set()
    named = b"\xff\xd8\xff\xfe\0\7Quinc\xff\xda\0\4\1\2\xff\xd9\1"
    signs = found(compressed(clean(), named), ct(PatientName="Quinc"), syntax=JPEGBaseline8Bit)
    assert signs == {
        (Sign.FIELD, "comment in a compressed frame"),
        (Sign.TRAILING, "after a compressed frame"),
        (Sign.NAME, "pixel data"),
    }
    wavelet = b"\xff\x4f\xff\x51\0\4ab\xff\x64\0\x09\0\1Quinc\xff\x93" + b"\1\2"
    signs = found(compressed(clean(), wavelet), ct(PatientName="Quinc"), syntax=JPEG2000)
    assert signs == {(Sign.NAME, "pixel data")}


def test_broken_fragments_are_named(clean, as_file, tmp_path):
    content = as_file(compressed(clean(), b"\xff\xd8\xff\xd9"), JPEGBaseline8Bit)
    content = content.replace(b"FEATHERSTONE_AE ", b" " * 16)
    place = content.rindex(b"\xfe\xff\xdd\xe0")
    for broken in (content[:place], content[:place] + b"\xfe\xff\0\xe0\xff\xff\xff\0",
                   content[:place] + b"\1" * 8):  # fmt: skip
        (tmp_path / "x").write_bytes(broken)
        signs = {f.sign for f in scan_output(tmp_path / "x", SourceIdentity(), allowance=NONE)}
        assert Sign.UNREADABLE in signs


def test_pixels_that_end_early_are_searched_all_the_same(clean, as_file, tmp_path):
    side = 2048
    ds = clean(Rows=side, Columns=side, PixelData=bytes(2 * side * side))
    ds["PixelData"].VR = "OW"
    content = as_file(ds).replace(b"FEATHERSTONE_AE ", b" " * 16)
    (tmp_path / "x").write_bytes(content[: -(3 << 20)])
    assert scan_output(tmp_path / "x", SourceIdentity(), allowance=NONE) == ()


def test_the_next_file_of_a_series_has_its_own_identity(ct, clean, as_file, tmp_path):
    for number in (1, 2, 3, 4):
        (tmp_path / "source").write_bytes(
            as_file(ct(number, AccessionNumber=f"ACC77{number}99"))
        )
        ds = clean(number)
        if number == 4:
            ds.LossyImageCompressionMethod = "ACC77499"
        part = tmp_path / f"{number}.part"
        part.write_bytes(as_file(ds).replace(b"FEATHERSTONE_AE ", b" " * 16))
        name = ("P-ABCDEFGH", "I-0123456789ABCDEF.dcm")
        found = check_output(tmp_path / "source", part, name, allowance=NONE)
        assert bool(found) is (number == 4)
    told = check_output(
        tmp_path / "source", tmp_path / "1.part", ("Featherstone.dcm",), allowance=NONE
    )
    assert [f.sign for f in told] == [Sign.FILE_NAME]


def test_many_new_patterns_build_a_search_of_their_own(ct, clean, as_file, tmp_path):
    (tmp_path / "part").write_bytes(as_file(clean()).replace(b"FEATHERSTONE_AE ", b" " * 16))
    for number in (1, 2, 3):
        names = [f"Quincy{number}{i:03}^X" for i in range(60 * number)]
        items = []
        for name in names:
            item = Dataset()
            item.PatientName = name
            items.append(item)
        ds = ct(number, ReferencedPatientSequence=Sequence(items))
        (tmp_path / "source").write_bytes(as_file(ds))
        assert check_output(tmp_path / "source", tmp_path / "part", (), allowance=NONE) == ()


def test_answers_are_forgotten_when_there_are_many(monkeypatch, clean, found, ct):
    monkeypatch.setattr(scan_dicom, "_MOST_KNOWN", 3)
    monkeypatch.setattr(scan_dicom, "_MOST_SETTINGS", 0)
    assert found(clean(), ct()) == set()
    assert found(clean(PatientSex="F"), ct()) == {(Sign.LISTED, "(0010,0040)")}


def test_enhanced_files_are_judged_by_frame(clean, found, ct):
    frames = []
    for number in range(60):
        content, frame = Dataset(), Dataset()
        content.FrameAcquisitionDateTime = ""
        content.FrameComments = "Vorquilaz" if number == 40 else ""
        content.DimensionIndexValues = [1, number, 3, 4, 5, 6, 7, 8, 9]
        frame.FrameContentSequence = Sequence([content])
        frame.AnatomicRegionSequence = Sequence([code("39607008", "SCT", "Lung")])
        frames.append(frame)
    ds = clean(PerFrameFunctionalGroupsSequence=Sequence(frames))
    places = {where for _, where in found(ds, ct())}
    assert places == {"(5200,9230)/(0020,9111)/(0020,9158)"}
    named = ct(PatientName="Vorquilaz", PerFrameFunctionalGroupsSequence=Sequence(frames))
    assert (Sign.NAME, "(5200,9230)/(0020,9111)/(0020,9158)") in found(ds, named)


def test_what_is_no_data_set_has_no_identity(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(128) + b"DICM" + b"\xff" * 80)
    assert source_identity(path, allowance=NONE) == SourceIdentity()
    assert [f.sign for f in scan_output(path, SourceIdentity(), allowance=NONE)] == [
        Sign.UNREADABLE
    ]
    assert [f.sign for f in Searched(SourceIdentity(), NONE).file(path)] == [Sign.UNREADABLE]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_are_searched_without_a_crash(ct, as_file, tmp_path, data):
    ds = ct(AnatomicRegionSequence=Sequence([code("1", "DCM", "x")]))
    content = bytearray(as_file(ds, data.draw(st.sampled_from(
        ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]))))  # fmt: skip
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    path = Path(tmp_path / "damaged")
    path.write_bytes(bytes(content[: len(content) - cut // 3]))
    identity = source_identity(path, allowance=NONE)
    assert isinstance(scan_output(path, identity, allowance=NONE), tuple)


def test_words_of_our_own_marks_prove_nothing(clean, found, ct):
    ds = clean(DeidentificationMethod="napari-medlabel 0.1.0, PS3.15 2026c basic")
    assert found(ds, ct(StudyDescription="Basicx^napari-medlabel^profile")) == set()
    ds = clean(DeidentificationMethod="by Vorquilaz")
    assert found(ds, ct(StationName="Vorquilaz")) == {(Sign.TEXT, "(0012,0063)")}


def test_a_place_in_a_description_is_found_though_words_may_stay(clean, found, ct):
    words = Allowance(frozenset({Option.CLEAN_DESCRIPTORS}))
    source = ct(InstitutionName="Zorkhaven Thorax")
    assert found(clean(StudyDescription="Zorkhaven"), source, words) == {
        (Sign.TEXT, "(0008,1030)")
    }
    assert found(clean(StudyDescription="Thorax"), source, words) == set()


def test_a_number_in_a_table_proves_nothing(clean, found, ct):
    ds = raw(clean(), 0x00281201, "OW", b"\xfe\xff7788991\xfe\xff\xfe")
    assert found(ds, ct(AccessionNumber="7788991")) == set()


def test_what_is_between_values_is_still_in_the_element(clean, found, ct):
    item = Dataset()
    item.CodeMeaning = "Finding"
    ds = clean(AnatomicRegionSequence=Sequence([item, item]))
    element = (0x00082218, b"SQ", b"\x08\0\x18\x22SQ\0\0\4\0\0\0Kimx", 12)
    needle = Needle(b"sq", Sign.NAME, alone=False, plain=False)
    parts = FileParts(b"", {}, b"", 0, [element], Form(), None, False, 0)
    assert scan_file._proof_in(element, 4, parts, needle, NONE) == "(0008,2218)"
    assert scan_file._proof_in(element, 12, parts, needle, NONE) == "(0008,2218)"
    assert charsets_of(parts) == ()
    assert found(ds, ct()) == set()


def test_elements_after_the_pixels_are_judged(clean, found):
    padding = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<L", 8) + b"Vorquila"
    assert found(clean(), tail=padding) == {(Sign.LISTED, "(FFFC,FFFC)")}


def test_bytes_that_no_element_explains_are_searched(clean, as_file, tmp_path, ct):
    ds = clean()
    del ds.PixelData
    (tmp_path / "x").write_bytes(as_file(ds) + b"\xff\xffFeatherstone\xff\xff")
    (tmp_path / "source").write_bytes(as_file(ct()))
    identity = source_identity(tmp_path / "source", allowance=NONE)
    found = {(f.sign, f.where) for f in scan_output(tmp_path / "x", identity, allowance=NONE)}
    where = "after the last element"
    assert {(Sign.TRAILING, where), (Sign.NAME, where)} <= found


def test_marks_are_no_findings(clean, found):
    ds = clean(PatientIdentityRemoved="YES", LongitudinalTemporalInformationModified="REMOVED")
    ds.DeidentificationMethodCodeSequence = Sequence(
        [code("113100", "DCM", "Basic Application Confidentiality Profile")]
    )
    assert found(ds) == set()


def test_the_character_set_of_a_file_is_used(clean, found, ct):
    name = "\u5c71\u7530^\u592a\u90ce"
    source = ct(SpecificCharacterSet="GB18030", PatientName=name)
    ds = clean(SpecificCharacterSet="GB18030", ReceiveCoilName="by \u592a\u90ce")
    assert (Sign.NAME, "(0018,1250)") in found(ds, source)


def test_published_meanings_are_nobodys(clean, found, ct):
    meaning = "ACR Accreditation Phantom - CT"
    ds = clean(AnatomicRegionSequence=Sequence([code("113682", "DCM", meaning)]))
    assert found(ds, ct(StudyDescription="Accreditation")) == set()
    ds = clean(
        AnatomicRegionSequence=Sequence([code("113682", "DCM", "Accreditation of Zork")])
    )
    assert (Sign.TEXT, "(0008,2218)/(0008,0104)") in found(
        ds, ct(StudyDescription="Accreditation")
    )
