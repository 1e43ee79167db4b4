from __future__ import annotations

import pytest

from napari_medlabel.deid.scan.tables import (
    entry,
    is_code_value,
    is_common,
    is_meaning,
    is_scheme,
    is_standard_uid,
    is_term,
    row_for,
    safe_private,
    tag_of,
)


def test_rows_are_found_by_tag_and_by_family():
    assert row_for(0x00100010).code == "Z"
    assert "retain-dates" in row_for(0x00080022).keeps
    assert row_for(0x601E3000).code == "X"
    assert row_for(0x50040022).code == "X"
    assert row_for(0x60000022) is None
    assert row_for(0x00280010) is None


def test_the_dictionary_knows_families_and_not_private_tags():
    assert entry(0x00100010) == ("PN", "PatientName")
    assert entry(0x601E0022) == ("LO", "OverlayDescription")
    assert entry(0x00280106)[0] == "US"
    assert entry(0x7FE00010)[0] == "OW"
    assert entry(0x00091001) == ("", "")
    assert entry(0x60010022) == ("", "")
    assert entry(0xFFFEE0FF) == ("", "")
    assert tag_of("PatientName") == 0x00100010
    assert tag_of("NoKeyword") is None


def test_safe_private_attributes_are_those_of_the_table():
    assert (0x7053, "Philips PET Private Group", 0x00) in safe_private()
    assert len(safe_private()) > 400


@pytest.mark.parametrize(
    ("keyword", "vr", "text", "fine"),
    [
        ("Modality", "CS", "CT", True), ("Modality", "CS", "QUINCY", False),
        ("SliceThickness", "DS", "1.5e-3", True), ("SliceThickness", "DS", "Quincy", False),
        ("Laterality", "CS", "L", True), ("Manufacturer", "LO", "SIEMENS", True),
        ("Anything", "LO", "", True),
    ],
)  # fmt: skip
def test_terms_are_told_from_other_text(keyword, vr, text, fine):
    assert is_term(keyword, vr, text) is fine


def test_codes_words_and_uids_of_the_standard_are_known():
    assert is_code_value("DCM", "121071")
    assert is_code_value("SCT", "39607008")
    assert not is_code_value("99LOCAL", "X1")
    assert is_scheme("UCUM")
    assert not is_scheme("99LOCAL")
    assert not is_code_value("SRT", "P5-09051")  # only its newer code is published
    assert not is_code_value("DCM\t121071", "x")
    assert not is_meaning("260787004")
    assert is_meaning("Finding")
    assert not is_meaning("Quincy's finding")
    assert is_common("thorax")
    assert not is_common("vorquilaz")
    for uid in ("1.2.840.10008.1.2", "1.2.840.10008.6.1.308", "1.2.840.10008.5.1.4.1.1.2.7"):
        assert is_standard_uid(uid)
    for uid in ("1.2.840.10008.1.2.19630412", "1.2.840.10008.99.1.2.3.4", "1.2.3"):
        assert not is_standard_uid(uid)
