from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.images.sidecars import clean_gradients, clean_json
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.site_rules import site_rules
from napari_medlabel.deid.rules.temporal import days_back

KEPT = {
    "ConversionSoftware": "dcm2niix",
    "ConversionSoftwareVersion": "v1.0.20241127",
    "EchoTime": 0.03,
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "MTState": False,
    "MRAcquisitionType": "3D",
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "Modality": "MR",
    "PartialFourierDirection": "PHASE",
    "PhaseEncodingDirection": "j-",
    "ScanningSequence": "GR\\IR",
    "SeriesNumber": 5,
    "ShimSetting": [10740, -10626, 3088.5],
    "SliceTiming": [0, 0.5, 0.25],
    "UsePhilipsFloatNotDisplayScaling": 1,
}
IDENTITY = {
    "PatientName": "Featherstone^Millicent",
    "PatientID": "MRN5550123",
    "PatientBirthDate": "1947-03-16",
    "PatientSex": "F",
    "PatientAge": "092Y",
    "PatientWeight": 81.5,
    "AccessionNumber": "ACC778899",
    "ReferringPhysicianName": "Quincy^Jack",
    "InstitutionName": "St. Elsewhere Infirmary",
    "InstitutionAddress": "Elm Street 13",
    "StationName": "AWP166038",
    "DeviceSerialNumber": "166038",
    "SeriesDescription": "brain of Featherstone",
    "ProtocolName": "MPRAGE 1947",
    "ImageComments": "call Quincy",
    "StudyInstanceUID": "1.2.276.0.7230010.3.1.2.1",
    "AcquisitionTime": "15:30:31.312500",
    "AcquisitionDateTime": "2017-10-21T09:06:25.790000",
    "BidsGuess": ["anat", "_acq-featherstone"],
    "WipMemBlock": "fd9b3ad2||Featherstone",
    "Anything": {"nested": ["Featherstone"]},
}
PATIENT = ("PatientAge", "PatientSex", "PatientWeight")


def cleaned(found: dict, pseudonyms, *options: str, site=None) -> dict:
    profile = load_profile(options=options, site=site)
    made = clean_json(json.dumps(found).encode(), profile, pseudonyms)
    assert made.suffix == ".json"
    return json.loads(made.content)


def test_only_keys_of_the_list_pass(profile, pseudonyms):
    made = clean_json(json.dumps(IDENTITY | KEPT).encode(), profile, pseudonyms)
    assert json.loads(made.content) == KEPT
    assert list(json.loads(made.content)) == sorted(KEPT)
    assert made.report.actions == {"X": len(IDENTITY)}
    assert made.report.kept == len(KEPT)
    assert not made.report.notes
    swapped = json.dumps(dict(reversed((KEPT | IDENTITY).items()))).encode()
    assert clean_json(b"\xef\xbb\xbf" + swapped, profile, pseudonyms) == made


@pytest.mark.parametrize(
    ("option", "stays"),
    [
        ("retain-device", ["DeviceSerialNumber", "StationName"]),
        ("retain-institution", ["InstitutionName", "InstitutionAddress"]),
        ("retain-uids", ["StudyInstanceUID"]),
        ("retain-dates", ["AcquisitionTime", "AcquisitionDateTime"]),
    ],
)
def test_an_option_keeps_its_keys(option, stays, pseudonyms):
    expected = {key: IDENTITY[key] for key in stays}
    assert cleaned(IDENTITY, pseudonyms, option) == expected
    spoilt = dict.fromkeys(stays, "x" * 65)
    assert cleaned(spoilt, pseudonyms, option) == {}
    made = clean_json(json.dumps(IDENTITY).encode(), load_profile(options={option}), pseudonyms)
    assert made.report.options == {option: len(stays)}


def test_ages_over_89_are_one(pseudonyms):
    found = cleaned(IDENTITY, pseudonyms, "retain-patient-characteristics")
    assert found == {"PatientAge": "090Y", "PatientSex": "F", "PatientWeight": 81.5}
    assert cleaned({"PatientAge": 92}, pseudonyms, "retain-patient-characteristics") == {}
    told = {"PatientAge": "Featherstone", "PatientWeight": True}
    assert cleaned(told, pseudonyms, "retain-patient-characteristics") == {}


def test_descriptions_keep_their_safe_words(pseudonyms):
    found = cleaned(IDENTITY, pseudonyms, "clean-descriptors")
    assert found == {"SeriesDescription": "brain of", "ProtocolName": "MPRAGE"}
    told = {"SeriesDescription": "brain head", "PatientName": "Head^Jack"}
    assert cleaned(told, pseudonyms, "clean-descriptors") == {"SeriesDescription": "brain"}


def test_dates_move_as_those_of_the_patients_dicom_files(pseudonyms):
    days = days_back(pseudonyms, "", "MRN5550123")
    found = cleaned(IDENTITY | {"AcquisitionDate": "20171021"}, pseudonyms, "shift-dates")
    assert found.keys() == {"AcquisitionTime", "AcquisitionDateTime", "AcquisitionDate"}
    assert found["AcquisitionTime"] == IDENTITY["AcquisitionTime"]
    assert found["AcquisitionDateTime"].endswith("090625.790000")
    assert found["AcquisitionDateTime"][:8] == found["AcquisitionDate"] < "20170101"
    assert days > 365
    told = IDENTITY | {"IssuerOfPatientID": "Elsewhere"}
    assert cleaned(told, pseudonyms, "shift-dates") != found
    assert "AcquisitionDateTime" in cleaned(
        IDENTITY | {"IssuerOfPatientID": 7}, pseudonyms, "shift-dates"
    )


@pytest.mark.parametrize("patient", [{}, {"PatientID": " "}, {"PatientID": 7}])
def test_dates_of_nobody_known_go(patient, pseudonyms):
    told = {"AcquisitionDate": "20171021", "AcquisitionTime": "99:99", "StudyDate": 20171021}
    assert cleaned(told | patient, pseudonyms, "shift-dates") == {}


def test_words_of_a_text_that_goes_go_with_it(pseudonyms):
    told = {
        "ProtocolName": "DCM2NIIX of SENSE head",
        "ConversionSoftware": "dcm2niix",
        "ParallelAcquisitionTechnique": "SENSE",
        "BodyPartExamined": "HEAD",
        "EchoTime": 0.03,
    }
    found = cleaned(told, pseudonyms)
    assert "ConversionSoftware" not in found
    assert found["BodyPartExamined"] == "HEAD"  # a word of the vocabulary proves nothing


def test_a_site_lists_further_words(pseudonyms):
    told = {"ReceiveCoilName": "Head_32", "ScanOptions": "MINE"}
    assert cleaned(told, pseudonyms) == {}
    rules = site_rules('name = "site"\nversion = "1"\n[keep]\nReceiveCoilName = ["Head_32"]\n')
    assert cleaned(told, pseudonyms, site=rules) == {"ReceiveCoilName": "Head_32"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EchoTime", "Featherstone"),
        ("EchoTime", 5550123),
        ("RadionuclideTotalDose", 19860611),
        ("ConversionSoftwareVersion", "v1.0.33224216"),
        ("EchoTime", True),
        ("EchoTime", [1, "Featherstone"]),
        ("EchoTime", [[[[1]]]]),
        ("EchoTime", {"a": 1}),
        ("EchoTime", None),
        ("SeriesNumber", 5550123),
        ("ShimSetting", [1] * 100_001),
        ("MTState", 5550123),
        ("MTState", 1.0),
        ("MTState", "Featherstone"),
        ("PartialFourierDirection", "Featherstone"),
        ("PartialFourierDirection", ["PHASE"]),
        ("PhaseEncodingDirection", "Featherstone"),
        ("PhaseEncodingDirection", 7),
        ("ImageType", ["Featherstone"]),
        ("ImageType", [5550123]),
        ("Manufacturer", 5550123),
        ("Manufacturer", {"a": "Siemens"}),
        ("ScanningSequence", "GR\\Featherstone"),
    ],
)
def test_a_value_that_is_not_what_its_key_is_for_goes(key, value, pseudonyms):
    assert cleaned({key: value}, pseudonyms) == {}


def test_terms_of_a_list_pass_without_the_others(pseudonyms):
    told = {"ImageType": ["ORIGINAL", "Featherstone", "M"]}
    assert cleaned(told, pseudonyms) == {"ImageType": ["ORIGINAL", "M"]}


@pytest.mark.parametrize("text", [b'{"EchoTime": NaN}', b'{"EchoTime": 1e999}', b"{}"])
def test_numbers_without_a_size_go(text, profile, pseudonyms):
    assert clean_json(text, profile, pseudonyms).content == b"{}\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"[1, 2]", b'"text"', b"{", b"[" * 100_000, b'{"EchoTime": ' + b"9" * 5000 + b"}",
     b" " * ((16 << 20) + 1)],
)  # fmt: skip
def test_what_is_no_object_is_refused(content, profile, pseudonyms):
    with pytest.raises(QuarantineError, match="sidecar cannot be read"):
        clean_json(content, profile, pseudonyms)


def test_characters_of_another_encoding_pass_no_check(profile, pseudonyms):
    content = '{"Manufacturer": "Siemens \xfc", "EchoTime": 0.03}'.encode("latin-1")
    assert clean_json(content, profile, pseudonyms).content == b'{\n "EchoTime": 0.03\n}\n'


def test_every_key_of_the_list_is_listed_once():
    source = files("napari_medlabel.deid") / "data" / "sidecar_keys.json"
    document = json.loads(source.read_text("utf-8"))
    groups = [
        set(document[name]) for name in ("numbers", "flags", "terms", "patterns", "dicom")
    ]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert not set.union(*groups[:4]) & set(document["identity"])
    from pydicom.datadict import tag_for_keyword

    for keyword in document["dicom"].values():
        assert entry(tag_for_keyword(keyword))[0] == keyword


@pytest.mark.parametrize(
    ("content", "suffix", "becomes"),
    [
        (b"0 1000\t1000.5  2e3\r\n", ".bval", b"0 1000 1000.5 2000\n"),
        (b"0,1000\n", ".bval", b"0 1000\n"),
        (
            b"0 0.7071067811865475\n0 -0.5\n\n1 1\n",
            ".bvec",
            b"0 0.7071067811865475\n0 -0.5\n1 1\n",
        ),
    ],
)
def test_gradients_are_numbers(content, suffix, becomes):
    made = clean_gradients(content, suffix)
    assert (made.content, made.suffix) == (becomes, suffix)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"", ".bval"),
        (b"0 Featherstone", ".bval"),
        (b"# Featherstone\n0 1", ".bvec"),
        (b"0 5550123", ".bval"),
        (b"0 nan", ".bvec"),
        (b"0 11", ".bvec"),
        (b"0 1\n1", ".bvec"),
        (b"\xff\xfe", ".bval"),
        (b" " * ((16 << 20) + 1), ".bval"),
    ],
)
def test_other_text_is_no_gradients(content, suffix):
    with pytest.raises(QuarantineError, match="sidecar cannot be read"):
        clean_gradients(content, suffix)


PROFILES = [
    load_profile(options=names) for names in ((), ("clean-descriptors",), ("shift-dates",))
]
WORDS = st.sampled_from(["Featherstone", "Featherstone^Millicent", "19470316"])
VALUES = st.recursive(
    WORDS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*KEPT, *IDENTITY, "ReceiveCoilName", "Featherstone"]), VALUES
    )
)
def test_no_planted_word_passes_whatever_the_key(pseudonyms, found):
    content = json.dumps(found).encode()
    for chosen in PROFILES:
        made = clean_json(content, chosen, pseudonyms).content
        assert b"eatherstone" not in made
        assert b"illicent" not in made
        assert b"19470316" not in made


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_cleaned_or_refused(profile, pseudonyms, content):
    for clean in (
        lambda: clean_json(content, profile, pseudonyms),
        lambda: clean_gradients(content, ".bval"),
    ):
        try:
            assert clean().content.isascii()
        except QuarantineError:
            continue


def test_every_key_is_in_the_reference():
    source = files("napari_medlabel.deid") / "data" / "sidecar_keys.json"
    document = json.loads(source.read_text("utf-8"))
    page = Path(__file__).parents[3] / "docs" / "reference" / "companions.md"
    text = page.read_text("utf-8")
    listed = (key for name in document if name != "identity" for key in document[name])
    assert not [key for key in listed if f"`{key}`" not in text]
