"""Rows of the preview say what the engine does, attribute by attribute, without values."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_medlabel.deid.dicom.file import clean_file, looks_like_dicom, quiet, read
from napari_medlabel.deid.pixels.described import PIXEL_TAGS
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.report.explain import FILE_META, Outcome, Row, explain, values_of
from napari_medlabel.deid.rules.actions import TEXT_VRS, components_of
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.site_rules import site_rules
from napari_medlabel.errors import InputError
from tests.deid.planted import WORD, levels

OPTIONS = (
    (),
    ("shift-dates", "clean-descriptors", "retain-device", "clean-structured"),
    ("retain-dates", "retain-uids", "retain-safe-private", "clean-graphics"),
    ("retain-patient-characteristics", "retain-institution", "clean-structured", "retain-uids"),
)
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def told(level: Dataset, tag: int) -> str:
    """A value as text, however it was decoded."""
    _, vr = entry(tag)
    raw = level.get_item(tag)
    if vr in TEXT_VRS or (tag >> 16 & 1 and raw.VR in {None, "UN", *TEXT_VRS}):
        return "\\".join(components_of(raw.value))
    value = level[tag].value
    if level[tag].VR == "SQ":
        return "" if len(value) == 0 else str([str(item) for item in value])
    if isinstance(value, bytes):
        return value.hex()
    return "\\".join(components_of(value))


def assert_rows_say(rows: dict[str, Row], source: Dataset, cleaned: Dataset, prefix: str = ""):
    """Compare one level before and after with its rows; return how many were compared."""
    here = {
        row.tag: row
        for path, row in rows.items()
        if path.startswith(prefix) and "/" not in path[len(prefix) :] and not path.endswith("]")
    }
    here.pop(0x00020000, None)
    assert set(here) == {*source.keys(), *cleaned.keys()}
    compared = len(here)
    for tag, row in here.items():
        there = row.outcome not in {Outcome.REMOVED}
        assert (tag in cleaned) == there, row
        assert (tag in source) == (row.outcome is not Outcome.ADDED), row
        if tag in PIXEL_TAGS or row.outcome in {Outcome.REMOVED, Outcome.ADDED}:
            continue
        if row.outcome is Outcome.ITEMS:
            items = [
                (item, f"{row.path}[{number}]")
                for number, item in enumerate(source[tag].value, start=1)
            ]
            left = [(item, path) for item, path in items if path not in rows]
            assert len(left) == len(cleaned[tag].value)
            for (item, path), after in zip(left, cleaned[tag].value, strict=True):
                compared += assert_rows_say(rows, item, after, path + "/")
            continue
        before, after = told(source, tag), told(cleaned, tag)
        expected = {
            Outcome.KEPT: before == after != "",
            Outcome.EMPTY: before == after == "",
            Outcome.EMPTIED: before != "" == after,
            Outcome.CHANGED: before != after != "",
        }
        assert expected[row.outcome], row
    return compared


def assert_agrees(content: bytes, profile, pseudonyms) -> int:
    rows = explain(content, profile, pseudonyms)
    by_path = {row.path: row for row in rows}
    assert len(by_path) == len(rows)
    with quiet():
        cleaned = pydicom.dcmread(BytesIO(clean_file(content, profile, pseudonyms).content))
        return assert_rows_say(by_path, read(content), cleaned)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@SLOW
@given(level=levels(), chosen=st.sampled_from(OPTIONS))
def test_rows_of_random_data_sets_say_what_the_engine_does_at_every_depth(
    ct, as_file, pseudonyms, syntax, level, chosen
):
    source = ct()
    source.update({e.tag: e for e in level})
    with quiet():
        content = as_file(source, syntax)
    profile = load_profile(options=chosen)
    assert assert_agrees(content, profile, pseudonyms) > 20
    assert WORD not in str(explain(content, profile, pseudonyms))


@pytest.mark.parametrize("chosen", OPTIONS)
def test_rows_of_files_that_ship_with_pydicom_say_what_the_engine_does(pseudonyms, chosen):
    profile = load_profile(options=chosen)
    folder = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
    compared = 0
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if len(content) > 200_000 or not looks_like_dicom(content):
            continue
        try:
            clean_file(content, profile, pseudonyms)
        except QuarantineError:
            continue
        compared += assert_agrees(content, profile, pseudonyms)
    assert compared > 3000


def rows_of(
    source: bytes | Dataset, pseudonyms, *options: str, site: str = ""
) -> dict[str, Row]:
    rules = site_rules(site) if site else None
    profile = load_profile(options=options, site=rules)
    return {row.path: row for row in explain(source, profile, pseudonyms)}


def test_each_rule_is_named_with_its_place_in_the_standard(ct, as_file, pseudonyms):
    source = ct(
        PatientComments="a",
        OperatorsName="B^C",
        ManufacturerModelName="Secret",
        ICCProfile=b"ab",
        SmallestImagePixelValue=3,
        EncapsulatedDocument=b"ab",
        ContrastBolusStartTime="",
    )
    source.add(DataElement(0x00181152, "IS", "12 x", already_converted=True))
    source.add_new(0x00090010, "LO", "MAKER")
    source.add_new(0x50000005, "US", 1)
    source.add_new(0x60003000, "OW", b"ab")
    source.add_new(0x60000010, "US", 4)
    source.add_new(0x00080000, "UL", 1)
    source.add_new(0x00081199, "SQ", Sequence([Dataset()]))
    source.add_new(0x0008FFF0, "LO", "not in any dictionary")
    source.add_new(0x00281201, "OW", bytes(4))
    rows = {FILE_META: rows_of(as_file(ct()), pseudonyms)[FILE_META]}
    rows |= rows_of(source, pseudonyms)
    said = {path: (row.action, row.outcome.value, row.rule) for path, row in rows.items()}
    removed, kept = "removed", "kept"
    odd = "private: Table E.1-1, odd groups, X"
    assert said["PatientComments"] == ("X", removed, "Table E.1-1: X")
    assert said["OperatorsName"] == ("X", removed, "Table E.1-1: X/Z/D, here X")
    assert said["PatientName"] == ("Z", "replaced", "Table E.1-1: Z, the patient's code")
    assert said["ContrastBolusStartTime"][:2] == ("X", removed)
    assert said["KVP"] == ("kept", kept, "VR DS: numbers pass")
    assert said["Exposure"] == ("text", removed, "VR IS: not a plain number")
    assert said["Modality"] == ("kept", kept, "vocabulary of CS (Modality)")
    assert said["Manufacturer"] == ("kept", kept, "vocabulary of Manufacturer")
    assert said["ManufacturerModelName"][2] == ("VR LO: text that no rule or vocabulary allows")
    assert said["SOPClassUID"] == ("kept", kept, "VR UI: the standard's own stay")
    assert said["Rows"] == ("kept", kept, "VR US: binary numbers pass")
    assert said["SmallestImagePixelValue"][2] == "VR US or SS: binary numbers pass"
    assert said["RedPaletteColorLookupTableData"][2] == (
        "binary data on the list (RedPaletteColorLookupTableData)"
    )
    assert said["EncapsulatedDocument"][0] == "D"
    assert said["ICCProfile"][2].startswith("ICC profile: its numbers pass")
    assert said["(0009,0010)"] == ("private", removed, odd)
    assert said["(5000,0005)"][2] == "Table E.1-1: curves (50xx,xxxx), X"
    assert said["(6000,0010)"][2] == "goes with its overlay, X"
    assert said["(6000,3000)"][2] == "Table E.1-1: overlays (60xx), X"
    assert said["(0008,0000)"][2].startswith("E.1.1: commands")
    assert said["(0008,FFF0)"] == ("unknown", removed, "not in the dictionary of the standard")
    assert said["ReferencedSOPSequence"][2] == "no row: each item by the same rules"
    assert said["PixelData"][1:] == (
        kept, "pixels: bit for bit, as many as are described, nothing after them",
    )  # fmt: skip
    assert said[FILE_META][:2] == ("mark", "replaced")
    assert said["PatientIdentityRemoved"] == ("mark", "added", "E.1.1: written in any case")


def test_options_site_rules_and_codes_are_named_as_what_decided(ct, as_file, pseudonyms):
    source = ct(
        DeviceSerialNumber="778", StationName="AX", SeriesDescription="head Quincy",
        ProtocolName="Arm A", PatientAge="095Y",
    )  # fmt: skip
    source.add(DataElement(0x30080250, "DA", "2024", validation_mode=0))
    item = Dataset()
    item.TextValue, item.Manufacturer, item.StationName = "head", "SIEMENS", "AX"
    local, published = Dataset(), Dataset()
    local.CodeValue, local.CodingSchemeDesignator = "1", "99LOCAL"
    local.CodeMeaning, local.CodingSchemeVersion = "Quincy", "1"
    published.LongCodeValue, published.CodingSchemeDesignator = "113100", "DCM"
    source.AnatomicRegionSequence = Sequence([local, published, item])
    source.add_new(0x70530010, "LO", "Philips PET Private Group")
    source.add_new(0x70531000, "DS", "1.5")
    source.add_new(0x70531009, "DS", "1.5")
    source[0x70531009].value = "1"
    source.add_new(0x00290010, "LO", "SITE MAKER")
    source.add_new(0x00291004, "IS", "4")
    source.add_new(0x00291005, "LO", "Featherstone")
    site = """
    name = "a"
    version = "1"
    [[rule]]
    attribute = "StationName"
    action = "X"
    [[rule]]
    attribute = "AnatomicRegionSequence/StationName"
    action = "Z"
    [[private]]
    group = "0029"
    element = "04"
    creator = "SITE MAKER"
    vr = "IS"
    [[private]]
    group = "0029"
    element = "05"
    creator = "SITE MAKER"
    vr = "LO"
    [keep]
    ProtocolName = ["Arm A"]
    """
    options = (
        "retain-device", "retain-patient-characteristics", "retain-dates", "clean-descriptors",
        "retain-safe-private",
    )  # fmt: skip
    rows = rows_of(as_file(source), pseudonyms, *options, site=site)
    said = {path: (row.option, row.rule) for path, row in rows.items()}
    table, code = "Table E.1-1", "AnatomicRegionSequence"
    dummy = "code of a scheme that is not published: a dummy"
    assert said["DeviceSerialNumber"] == ("retain-device", f"option retain-device: {table}, K")
    assert said["StationName"] == ("site", "site rule for StationName: X")
    assert said[f"{code}[3]/StationName"] == ("site", "site rule for this path: Z")
    assert said["ProtocolName"] == ("site", "site list of values of ProtocolName")
    assert rows["PatientAge"].outcome is Outcome.CHANGED
    assert said["TreatmentDate"][1] == (
        f"{table}: X/D, here X (the value is not one that retain-dates lets pass)"
    )
    assert said[f"{code}[3]/TextValue"] == (
        "clean-descriptors", "option clean-descriptors: VR UT, no row, C",
    )  # fmt: skip
    assert said[f"{code}[1]/CodeMeaning"] == ("", dummy)
    assert rows[f"{code}[1]/CodingSchemeVersion"].outcome is Outcome.REMOVED
    assert said[f"{code}[2]/CodeValue"] == ("", "published code")
    assert rows[f"{code}[2]/CodeValue"].outcome is Outcome.ADDED
    assert said[f"{code}[2]/CodeMeaning"] == ("", "published code: PS3.16's own meaning")
    assert said["(7053,0010)"][1] == "private creator of attributes that are safe"
    assert said["(7053,1000)"][1] == "option retain-safe-private: Table E.3.10-1, K"
    assert said["(0029,1004)"][1] == "site rule: safe private attribute, K"
    assert said["(0029,1005)"][1] == (
        "private: named as safe, but the value is not of the form that is"
    )
    assert_agrees(
        as_file(source), load_profile(options=options, site=site_rules(site)), pseudonyms
    )


def test_values_are_shown_only_when_asked_for_by_path(ct, as_file, pseudonyms):
    inside = Dataset()
    inside.ReferencedSOPInstanceUID, inside.TextValue = "1.2.3", "x" * 300
    source = ct(ReferencedStudySequence=Sequence([inside]))
    source.add_new(0x00090010, "LO", "MAKER")
    content = as_file(source)
    rows = explain(content, load_profile(), pseudonyms)
    assert "Featherstone" not in repr(rows)
    assert values_of(content, "PatientName") == "Featherstone^Millicent"
    assert values_of(source, "ImageType") == "ORIGINAL\\PRIMARY\\AXIAL"
    assert values_of(content, "Rows") == "4"
    assert values_of(content, "(0009,0010)") == "MAKER"
    assert values_of(content, "PixelData") == "48 bytes"
    assert values_of(content, "ReferencedStudySequence") == "1 items"
    assert values_of(content, "ReferencedStudySequence[1]") == "2 attributes"
    path = "ReferencedStudySequence[1]/ReferencedSOPInstanceUID"
    assert values_of(content, path) == "1.2.3"
    assert values_of(content, "ReferencedStudySequence[1]/TextValue").endswith("x…")
    assert values_of(content, "PatientIdentityRemoved") == ""


@pytest.mark.parametrize(
    "path", ["", "a b", "ReferencedStudySequence[2]", "No[1]/PatientName", "PatientName/Rows"]
)
def test_a_path_that_no_row_has_is_refused(ct, path):
    source = ct(ReferencedStudySequence=Sequence([Dataset()]))
    with pytest.raises((InputError, QuarantineError)):
        values_of(source, path)


def test_what_is_cut_within_an_attribute_is_refused(ct, as_file, profile, pseudonyms):
    content = as_file(ct())
    cut = content[: content.index(b"Featherstone^") + 5]
    with pytest.raises(QuarantineError, match="unreadable"):
        values_of(cut, "PatientName")
    with pytest.raises(QuarantineError, match="unreadable"):
        explain(cut, profile, pseudonyms)


def test_what_the_engine_refuses_for_its_header_is_refused_with_the_same_reason(
    ct, as_file, profile, pseudonyms
):
    deep = Dataset()
    for _ in range(66):
        outer = Dataset()
        outer.ReferencedSOPSequence = Sequence([deep])
        deep = outer
    directory = ct()
    directory.add_new(0x00041220, "SQ", Sequence())
    cases = {
        Reason.NO_IDENTIFIERS: ct(SOPInstanceUID=""),
        Reason.PRIVATE_SOP_CLASS: ct(SOPClassUID="1.2.3"),
        Reason.PIXELS_MAY_SHOW: ct(Modality="US"),
        Reason.UNREADABLE: ct(ReferencedSOPSequence=Sequence([deep])),
    }
    for reason, source in cases.items():
        with pytest.raises(QuarantineError, match=reason.value):
            explain(source, profile, pseudonyms)
    file = pydicom.dcmread(BytesIO(as_file(directory)))
    with pytest.raises(QuarantineError, match=Reason.NO_IDENTIFIERS.value):
        explain(file, profile, pseudonyms)


def test_with_pixel_options_the_pixels_are_said_to_be_looked_at(ct, as_file, pseudonyms):
    content = as_file(ct(Modality="US"))
    row = rows_of(content, pseudonyms, "clean-pixels")["PixelData"]
    assert (row.outcome, row.option) == (Outcome.LOOKED, "clean-pixels")
    assert row.rule == "option clean-pixels: changed where something is found"
    mark = rows_of(content, pseudonyms, "clean-pixels")["BurnedInAnnotation"]
    assert (mark.outcome, mark.action) == (Outcome.ADDED, "mark")
    assert mark.rule == "option clean-pixels: written where the pixels were searched"
    without = ct(Modality="US")
    del without.PixelData
    assert "BurnedInAnnotation" not in rows_of(without, pseudonyms, "clean-pixels")


def test_rows_agree_with_the_engine_where_pixels_are_cleaned(ct, as_file, pseudonyms):
    pytest.importorskip("rapidocr_onnxruntime", reason="the text detector is not installed")
    profile = load_profile(options=["clean-pixels"])
    content = as_file(ct(Modality="US", Rows=64, Columns=64, PixelData=bytes(8192)))
    assert assert_agrees(content, profile, pseudonyms) > 20


def test_marks_that_are_there_already_are_rows_in_their_place(ct, as_file, pseudonyms):
    code = Dataset()
    code.CodeValue = "113100"
    source = ct(
        PatientIdentityRemoved="YES", LongitudinalTemporalInformationModified="MODIFIED",
        DeidentificationMethodCodeSequence=Sequence([code]),
    )  # fmt: skip
    rows = rows_of(as_file(source), pseudonyms)
    assert rows["PatientIdentityRemoved"].outcome is Outcome.KEPT
    assert rows["LongitudinalTemporalInformationModified"].outcome is Outcome.CHANGED
    assert rows["DeidentificationMethodCodeSequence"].outcome is Outcome.CHANGED
    assert "DeidentificationMethodCodeSequence[1]/CodeValue" not in rows


def test_what_is_not_as_its_kind_must_be_is_named(ct, pseudonyms):
    source = ct()
    source.add_new(0x00281201, "OW", b"Featherstone Millicent ")
    tag = BaseTag(0x00280106)
    source[tag] = RawDataElement(tag, "US", 3, b"abc", 0, False, True)
    source.add(DataElement(0x00081199, "OB", b"ab", already_converted=True))
    source.add_new(0x00081195, "UI", "1.2.3.4")
    source.add_new(0x00142006, "PN", "Quincy^Jack")
    source.add_new(0x00143077, "TM", "1212")
    rows = rows_of(source, pseudonyms)
    assert rows["RedPaletteColorLookupTableData"].rule == "VR OW: binary data not on the list"
    assert rows["SmallestImagePixelValue"].rule == (
        "VR US or SS: the bytes are not such numbers"
    )
    with pytest.raises(QuarantineError, match="unreadable"):
        values_of(source, "SmallestImagePixelValue")
    assert rows["ReferencedSOPSequence"].rule == "no sequence"
    assert rows["TransactionUID"].rule == "Table E.1-1: U"
    assert rows["EvaluatorName"].rule == "VR PN: no name passes"
    assert rows["TimeOfGainCalibration"].rule == "VR TM: dates and times pass by option only"
    below = rows_of(ct(CommandGroupLength=4), pseudonyms)["CommandGroupLength"]
    assert below.rule.startswith("E.1.1: commands")


def test_values_that_no_parser_understands_are_refused(ct, profile, pseudonyms, monkeypatch):
    monkeypatch.setattr("napari_medlabel.deid.report.explain.patient_of", lambda _: 1 / 0)
    with pytest.raises(QuarantineError, match="unreadable"):
        explain(ct(), profile, pseudonyms)


def test_content_items_go_or_stay_by_their_concept(ct, as_file, pseudonyms):
    def item(value: str, scheme: str, kind: str, text: str) -> Dataset:
        concept = Dataset()
        concept.CodeValue, concept.CodingSchemeDesignator = value, scheme
        result = Dataset()
        result.RelationshipType, result.ValueType = "CONTAINS", kind
        result.ConceptNameCodeSequence = Sequence([concept])
        result.TextValue = text
        return result

    accession = item("121022", "DCM", "TEXT", "ACC778899")
    finding = item("121071", "DCM", "TEXT", "Featherstone has")
    source = ct(ContentSequence=Sequence([accession, finding]))
    rows = rows_of(as_file(source), pseudonyms, "clean-structured", "retain-uids")
    gone = rows["ContentSequence[1]"]
    assert (gone.action, gone.outcome, gone.option) == (
        "X",
        Outcome.REMOVED,
        "clean-structured",
    )
    assert gone.rule == "option clean-structured: Table E.3.4-1 (2026c), X"
    assert "ContentSequence[1]/TextValue" not in rows
    assert rows["ContentSequence[2]/TextValue"].outcome is Outcome.CHANGED
    chosen = load_profile(options=["clean-structured"])
    assert assert_agrees(as_file(source), chosen, pseudonyms) > 30


def test_local_codes_in_a_sequence_that_an_option_keeps_are_named(ct, pseudonyms):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "12X", "99LOCAL", "ward"
    source = ct(InstitutionCodeSequence=Sequence([code]))
    rows = rows_of(source, pseudonyms, "retain-institution")
    assert rows["InstitutionCodeSequence[1]/CodeValue"].rule == (
        "code in a sequence that an option keeps"
    )
