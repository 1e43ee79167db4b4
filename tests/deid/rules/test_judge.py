from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage

from napari_medlabel.deid.rules.actions import (
    NUMBER_VRS,
    TEXT_VRS,
    Attribute,
    Setting,
    resolved,
)
from napari_medlabel.deid.rules.dictionary import UNKNOWN, entry
from napari_medlabel.deid.rules.judge import KEPT, Verdict, components_of, judge, judge_code
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile, load_profile
from napari_medlabel.deid.rules.site_rules import site_rules
from napari_medlabel.deid.rules.structured import AGE, UNNAMED
from napari_medlabel.deid.rules.temporal import days_back, is_valid, shifted

WORD = "Zqxjkvian"
UID = "1.3.6.1.4.1.99999.88.1"
NESTED = ("ReferencedImageSequence", "PurposeOfReferenceCodeSequence")
GOOD = {
    "AE": "SCANNER1", "AS": "042Y", "CS": "LEFT", "DA": "20240229", "DS": "1.5",
    "DT": "20240229101112.5", "IS": "12", "LO": "left knee", "LT": "left knee",
    "SH": "left", "ST": "left knee", "TM": "101112", "UC": "left knee", "UI": UID,
    "UR": "left", "UT": "left knee", "PN": "Someone^Else",
}  # fmt: skip
OPTION_COLUMNS = [
    option
    for option in Option
    if option not in {Option.CLEAN_PIXELS, Option.CLEAN_FACES, Option.RETAIN_SAFE_PRIVATE}
]


def attribute(name: int | str, *components: str, **changed: object) -> Attribute:
    tag = name if isinstance(name, int) else tag_for_keyword(name)
    keyword, vr = entry(tag)
    found = changed.pop("found", vr)
    size = {"US": 2, "SS": 2, "FD": 8, "SV": 8, "UV": 8, "OB": 8, "OW": 8}.get(vr, 4)
    value = changed.pop("value", None if vr in TEXT_VRS else b"\1".ljust(size, b"\0"))
    return Attribute(tag, keyword, vr, components, str(found), value, **changed)


def planted(tag: int) -> Attribute:
    """An attribute whose value is valid for its VR and must not pass."""
    vr = entry(tag)[1]
    if vr not in TEXT_VRS:
        return attribute(tag)
    value = {"UI": UID, "DA": "19470316", "TM": "101112", "DT": "19470316101112"}.get(vr, WORD)
    return attribute(tag, value)


@pytest.fixture
def setting(pseudonyms):
    return Setting(pseudonyms, CTImageStorage, "", "MRN1", frozenset({"Featherstone", WORD}))


@pytest.mark.parametrize("path", [(), NESTED], ids=["top", "nested"])
def test_every_row_of_the_table_gives_its_action(profile, setting, path):
    setting = replace(setting, path=path)
    checked = 0
    for tag, code in profile.rules.items():
        one = planted(tag)
        verdict = judge(one, setting, profile)
        simple = resolved(code, one.keyword, setting.sop_class, path)
        if tag >> 16 < 8:
            simple = "X"
        checked += 1
        if simple == "X":
            assert verdict.element is None, one.keyword
            assert not verdict.recurse, one.keyword
            continue
        assert verdict.counted == simple, one.keyword
        if verdict.recurse:
            assert simple == "U", one.keyword
            continue
        text = str(verdict.element.value)
        assert verdict.element is not None
        assert WORD not in text, one.keyword
        assert UID not in text, one.keyword
        assert "1947" not in text, one.keyword
        assert not verdict.unchanged, one.keyword
        if simple in {"D", "U"}:
            assert verdict.element.value not in (None, ""), one.keyword
        if verdict.element.VR in {"DA", "DT", "TM"} and simple == "D":
            assert is_valid(verdict.element.VR, verdict.element.value), one.keyword
    assert checked == 652


@pytest.mark.parametrize("option", OPTION_COLUMNS)
@pytest.mark.parametrize("path", [(), NESTED], ids=["top", "nested"])
def test_every_cell_of_an_option_gives_its_action(option, path, setting):
    profile = load_profile(options=[option])
    setting = replace(setting, path=path)
    days = days_back(setting.pseudonyms, "", "MRN1")
    cells = {tag: cell[option] for tag, cell in profile.cells.items() if option in cell}
    assert cells
    for tag, code in cells.items():
        vr = entry(tag)[1]
        one = attribute(tag, GOOD[vr]) if vr in TEXT_VRS else attribute(tag)
        if tag == 0x00080201:
            one = attribute(tag, "+0100")
        verdict = judge(one, setting, profile)
        if tag >> 16 < 8:
            assert verdict == Verdict("X")
            continue
        if code == "C" and vr == "OB":
            assert verdict.option == ""  # bytes of which the form is not known go
            assert judge(one, setting, load_profile()) == verdict
            continue
        assert verdict.option == option, one.keyword
        assert verdict.counted == code, one.keyword
        if vr == "SQ":
            assert verdict.recurse
        elif code == "K" or (option is Option.CLEAN_DESCRIPTORS and vr != "SQ"):
            assert verdict.unchanged, one.keyword
        elif option is Option.SHIFT_DATES and vr in {"DA", "DT", "TM"}:
            assert verdict.element.value == shifted(vr, one.components[0], days)
        elif option is Option.RETAIN_DEVICE:
            assert verdict.element.value.startswith("DEV-")
            assert verdict == judge(one, setting, profile)
        else:
            assert verdict.unchanged, one.keyword


@pytest.mark.parametrize("option", OPTION_COLUMNS)
def test_no_option_lets_the_patients_own_name_pass(option, setting):
    profile = load_profile(options=[option])
    for tag in profile.rules:
        vr = entry(tag)[1]
        if vr not in TEXT_VRS:
            continue
        verdict = judge(attribute(tag, f"left {WORD}"), setting, profile)
        assert verdict.element is None or WORD not in str(verdict.element.value), tag


def test_an_option_overrides_the_profile_only_where_the_value_is_sound(setting):
    profile = load_profile(options=["retain-dates"])
    assert judge(attribute("StudyDate", "20240229"), setting, profile).unchanged
    assert judge(attribute("StudyDate", "Quincy"), setting, profile).counted == "Z"
    shift = load_profile(options=["shift-dates"])
    assert judge(attribute("StudyDate", "00010101"), setting, shift).element.value is None
    assert judge(attribute("TimezoneOffsetFromUTC", "Quincy"), setting, shift).counted == "X"
    several = judge(attribute("DateOfSecondaryCapture", "20240229", "x"), setting, shift)
    assert several.element is None


def test_the_birth_date_is_kept_under_no_other_name(pseudonyms):
    own = Setting(pseudonyms, CTImageStorage, identity=frozenset({"19470316"}))
    profile = load_profile(options=["retain-dates"])
    for name, value in (
        ("StudyDate", "19470316"),
        ("AcquisitionDateTime", "19470316101112"),
        ("PresentationCreationDate", "19470316"),
    ):
        element = judge(attribute(name, value), own, profile).element
        assert element is None or "1947" not in str(element.value), name


def test_of_two_options_the_one_that_takes_more_away_decides(setting):
    profile = load_profile(options=["retain-device", "shift-dates"])
    verdict = judge(attribute("DateOfLastCalibration", "20240229"), setting, profile)
    assert verdict.option == "shift-dates"
    assert verdict.element.value < "20240229"
    both = load_profile(options=["retain-patient-characteristics", "clean-descriptors"])
    assert both.option_for(0x00380500) is Option.RETAIN_PATIENT_CHARACTERISTICS


def test_ages_over_89_are_capped(setting):
    profile = load_profile(options=["retain-patient-characteristics"])
    old = judge(attribute("PatientAge", "104Y"), setting, profile)
    assert old.element.value == "090Y"
    assert not old.unchanged
    assert judge(attribute("PatientAge", "042Y"), setting, profile).unchanged
    assert judge(attribute("PatientAge", "Zoe"), setting, profile).element is None
    assert judge(attribute("PatientWeight", "70.5"), setting, profile).unchanged
    assert judge(attribute("PatientWeight", "Zoe"), setting, profile).element is None
    assert judge(attribute("PatientSex", "F"), setting, profile).unchanged
    assert judge(attribute("PatientSex", "Zoe!"), setting, profile).element.value is None


def test_dates_and_uids_that_no_row_names_follow_their_option(setting):
    uid = "RelatedFrameOfReferenceUID"
    unlisted = attribute("PresentationCreationDate", "20240229")
    plain = load_profile()
    free = replace(plain, rules={}, cells={})
    for options, check in (
        (["retain-dates"], "20240229"),
        (["shift-dates"], shifted("DA", "20240229", days_back(setting.pseudonyms, "", "MRN1"))),
    ):
        profile = replace(free, options=frozenset(Option(o) for o in options))
        assert judge(unlisted, setting, profile).element.value == check
    assert "20240229" not in str(judge(unlisted, setting, free).element)
    kept = replace(free, options=frozenset({Option.RETAIN_UIDS}))
    assert judge(attribute(uid, UID), setting, kept).unchanged
    assert judge(attribute(uid, "Quincy"), setting, kept).counted == "U"
    assert judge(attribute(uid, UID), setting, free).counted == "U"


def test_descriptions_that_no_row_names_keep_their_safe_words(setting):
    profile = load_profile(options=["clean-descriptors"])
    verdict = judge(attribute("DocumentTitle", "left knee of Quincy"), setting, profile)
    assert verdict.element.value == "left knee of"
    assert (verdict.counted, verdict.option) == ("C", "clean-descriptors")
    assert judge(attribute("DocumentTitle", "Quincy"), setting, profile).counted == "text"
    reason = "ReasonForTheAttributeModification"
    assert judge(attribute(reason, "CORRECT"), setting, profile).option == "clean-descriptors"
    assert judge(attribute(reason, "QUINCY"), setting, profile).counted == "D"
    strict = judge(attribute("DocumentTitle", "left knee"), setting, load_profile())
    assert strict.element is None
    several = judge(attribute("ImageComments", "left\\Quincy"), setting, profile)
    assert several.element.value == "left"
    assert judge(attribute("ImageComments", "a", "b"), setting, profile).counted == "X"


def private(tag: int, value: object, found: str = "UN", creator: str = "") -> Attribute:
    return Attribute(tag, "", "UN", found=found, value=value, creator=creator)


MR = "SIEMENS MR HEADER"


def test_safe_private_attributes_stay_with_their_creator(setting):
    profile = load_profile(options=["retain-safe-private", "retain-dates"])
    creator = judge(private(0x00190010, MR.encode() + b" ", "LO"), setting, profile)
    assert (creator.counted, creator.option) == ("K", "retain-safe-private")
    assert creator.unchanged
    value = judge(private(0x0019100C, b"1000", "IS", MR), setting, profile)
    assert value.unchanged
    assert value.element.VR == "IS"
    assert judge(private(0x0019100C, b"1000", "", MR), setting, profile).element.VR == "UN"
    for gone in (
        private(0x0019100C, b"1000", "IS", "SOMEBODY ELSE"),
        private(0x0019100C, b"Quincy", "IS", MR),
        private(0x00191099, b"1000", "IS", MR),
        private(0x00190010, b"QUINCY", "LO"),
        private(0x00190010, b"A\\B", "LO"),
        private(0x0019000C, b"1000", "IS", MR),
        private(0x0019010C, b"1000", "IS", MR),
    ):
        assert judge(gone, setting, profile) == Verdict("private")
    assert judge(private(0x0019100C, b"1000", "IS", MR), setting, load_profile()) == Verdict(
        "private"
    )


def test_safe_private_sequences_are_walked_and_uids_replaced(setting):
    profile = load_profile(options=["retain-safe-private"])
    philips = "Philips Imaging DD 001"
    tag = next(
        0x20011000 + low
        for (group, low, creator), rule in profile._private.items()
        if (group, creator, rule.vr) == (0x2001, philips, "SQ")
    )
    assert judge(private(tag, Sequence(), "SQ", philips), setting, profile).recurse
    assert judge(private(tag, b"x", "UN", philips), setting, profile) == Verdict("private")
    uid = private(0x00991002, UID.encode(), "UI", "NQHeader")
    verdict = judge(uid, setting, profile)
    assert verdict.element.value == setting.pseudonyms.uid(UID)
    both = load_profile(options=["retain-safe-private", "retain-uids"])
    assert judge(uid, setting, both).element.value == UID
    assert judge(replace(uid, value=b"Quincy"), setting, both).counted == "U"
    assert judge(replace(uid, found="LO"), setting, both) == Verdict("private")


SITE = """
name = "s"
version = "1"
words = ["kopfspule"]
[[rule]]
attribute = "StationName"
action = "K"
[[rule]]
attribute = "SeriesDescription"
action = "C"
[[rule]]
attribute = "Manufacturer"
action = "Z"
[[rule]]
attribute = "Modality"
action = "C"
[[rule]]
attribute = "RequestAttributesSequence"
action = "K"
[[rule]]
attribute = "RequestAttributesSequence/ScheduledProcedureStepID"
action = "K"
[keep]
ProtocolName = ["Arm A"]
[[private]]
group = "0021"
element = "05"
creator = "MAKER"
vr = "SH"
"""


def test_site_rules_come_before_options_and_profile(setting):
    profile = load_profile(site=site_rules(SITE), options=["retain-institution"])

    def judged(name: str, *parts: str, path: tuple[str, ...] = ()) -> Verdict:
        return judge(attribute(name, *parts), replace(setting, path=path), profile)

    station = judged("StationName", "CT-7")
    assert (station.counted, station.option, station.unchanged) == ("K", "site", True)
    assert judged("StationName", WORD).element is None
    assert judged("SeriesDescription", "Kopfspule Quincy").element.value == "Kopfspule"
    assert judged("SeriesDescription", "Quincy").element is None
    assert judged("Manufacturer", "SIEMENS").counted == "Z"
    assert judged("Modality", "CT").element.value == "CT"
    sequence = judged("RequestAttributesSequence")
    assert sequence.recurse
    assert sequence.option == "site"
    inside = judged("ScheduledProcedureStepID", "SPS1", path=("RequestAttributesSequence",))
    assert inside.unchanged
    assert judged("ScheduledProcedureStepID", "SPS1").element is None
    assert judged("ProtocolName", "Arm A").unchanged
    assert judged("ProtocolName", "Arm B").element is None
    assert judged("InstitutionName", "Elsewhere").option == "retain-institution"
    assert judge(private(0x00211005, b"left", "SH", "MAKER"), setting, profile).unchanged
    assert profile.action_for(0x00081010, "SH") == "K"
    assert profile.option_for(0x00081010) is None


def test_the_patients_own_values_are_on_no_list(pseudonyms):
    own = Setting(pseudonyms, CTImageStorage, identity=frozenset({"Arm A"}))
    profile = load_profile(site=site_rules(SITE))
    assert judge(attribute("ProtocolName", "Arm A"), own, profile).element is None


@pytest.mark.parametrize(
    ("content", "name", "value", "left"),
    [
        ("K", "TextValue", "CT-7", "CT-7"),
        ("K", "TextValue", WORD, "ANON"),
        ("K", "UID", UID, UID),
        ("D", "TextValue", "left knee", "ANON"),
        ("D", "PersonName", "Quincy^Jack", "ANON"),
        ("D", "Date", "20240229", "20000101"),
        ("C", "TextValue", "left knee Quincy", "left knee"),
        ("C", "TextValue", "Quincy", "ANON"),
        ("C", "DateTime", "20240229", "shifted"),
        (UNNAMED, "TextValue", "left knee Quincy", "left knee"),
        (UNNAMED, "PersonName", "Quincy^Jack", "ANON"),
        (UNNAMED, "Date", "20240229", "shifted"),
        (UNNAMED, "UID", UID, "keyed"),
        (UNNAMED, "NumericValue", "91.5", "91.5"),
        (AGE, "NumericValue", "91", "90"),
        (AGE, "NumericValue", "42", "42"),
        (AGE, "NumericValue", "Quincy", "0"),
    ],
)
def test_the_value_of_a_content_item_follows_its_concept(setting, content, name, value, left):
    profile = load_profile(options=["clean-structured", "clean-descriptors", "shift-dates"])
    one = attribute(name, value)
    verdict = judge(one, replace(setting, content=content), profile)
    days = days_back(setting.pseudonyms, "", "MRN1")
    expected = {
        "shifted": lambda: shifted(one.vr, value, days),
        "keyed": lambda: setting.pseudonyms.uid(UID),
    }.get(left, lambda: left)()
    assert str(verdict.element.value) == expected
    assert verdict.option == "clean-structured"


def test_content_without_other_options_is_a_dummy_and_uids_may_stay(setting):
    inside = replace(setting, content=UNNAMED)
    profile = load_profile(options=["clean-structured"])
    assert judge(attribute("TextValue", "left"), inside, profile).element.value == "ANON"
    assert judge(attribute("Date", "20240229"), inside, profile).element.value == "20000101"
    both = load_profile(options=["clean-structured", "retain-uids"])
    assert judge(attribute("UID", UID), inside, both).element.value == UID
    value = attribute("FloatingPointValue", found="FD")
    assert judge(value, inside, profile).unchanged


def test_codes_of_published_schemes_stay_and_others_only_where_an_option_keeps_them(setting):
    local = ("I1", "99LOCAL", "Elsewhere")
    plain, keeps = load_profile(), load_profile(options=["retain-institution"])
    below = replace(setting, path=("InstitutionCodeSequence",))
    code, same = judge_code(("69536005", "SCT", "Quincy"), below, plain)
    assert (code.CodeMeaning, same) == ("Head", True)
    for got, same in (
        judge_code(local, below, plain),
        judge_code(local, setting, keeps),
        judge_code(("", "99LOCAL", "Elsewhere"), below, keeps),
        judge_code(("I1", "99LOCAL", WORD), below, keeps),
    ):
        assert (got.CodeValue, same) == ("ANON", False)
    got, same = judge_code(local, below, keeps)
    assert (got.CodeValue, got.CodeMeaning, same) == ("I1", "Elsewhere", True)


def test_binary_attributes_pass_by_row_only_where_they_are_no_text(setting):
    profile = load_profile(options=["retain-dates"])
    stamp = "CertifiedTimestamp"
    assert judge(attribute(stamp), setting, profile).unchanged
    text = attribute(stamp, value=b"Millicent Featherstone")
    assert judge(text, setting, profile).element is None
    assert judge(attribute(stamp, found="UN"), setting, profile).element is None
    device = load_profile(options=["retain-device"])
    assert judge(attribute("SelectorAEValue", "X"), setting, device).counted == "C"
    gone = replace(attribute("NetworkID", "X"), vr="LT")
    assert judge(gone, setting, device).counted == "X"
    empty = judge(attribute("NetworkID", ""), setting, device)
    assert not empty.element.value
    odd = replace(attribute("DeviceDescription", "left"), vr="PN")
    assert judge(odd, setting, device).element is None
    words = load_profile(options=["clean-descriptors"])
    assert judge(replace(odd, tag=0x0008103E), setting, words).element is None


def test_unlisted_numbers_pass_and_what_is_no_number_goes(setting, profile):
    assert judge(attribute("Rows", value=4), setting, profile).counted == KEPT
    assert judge(attribute("AnatomicRegionSequence"), setting, profile) == (
        Verdict(KEPT, recurse=True)
    )
    assert judge(attribute("SliceThickness", "2.5"), setting, profile).unchanged
    assert judge(attribute("Rows", found="LO"), setting, profile) == Verdict("unknown")
    assert judge(attribute("ICCProfile"), setting, profile) == Verdict("unknown")
    assert judge(attribute("LUTData", found="OW"), setting, profile).unchanged
    assert judge(attribute("WaveformData", found=""), setting, profile) == Verdict("unknown")
    assert judge(attribute("PixelData", found="OW"), setting, profile) == Verdict("unknown")
    assert judge(attribute(0x0008ABCD), setting, profile) == Verdict("unknown")
    assert judge(attribute("ReferencedImageSequence", found="UN"), setting, profile) == (
        Verdict("unknown")
    )


def test_components_are_without_padding():
    assert components_of(None) == ()
    assert components_of(b"a \\b\0") == ("a", "b")
    assert components_of(b"") == ()
    assert components_of(["a ", "b"]) == ("a", "b")
    assert components_of(7) == ("7",)


PROFILES = {
    "plain": load_profile(),
    "all": load_profile(
        options=[o for o in Option if o not in {Option.RETAIN_DATES, Option.RETAIN_UIDS}]
    ),
    "kept": load_profile(options=[o for o in Option if o is not Option.SHIFT_DATES]),
}
TAGS = sorted(PROFILES["plain"].rules)


@settings(max_examples=300, deadline=None)
@given(
    tag=st.one_of(
        st.sampled_from(TAGS),
        st.integers(0x00080001, 0x7FDFFFFF),
        st.integers(0x0008, 0x00FF).map(lambda g: (g | 1) << 16 | 0x1003),
    ),
    name=st.sampled_from(sorted(PROFILES)),
    nested=st.booleans(),
    content=st.sampled_from(["", "K", "C", "D", UNNAMED, AGE]),
    word=st.text("zqxjkvZQXJKV", min_size=6, max_size=14),
    vr=st.sampled_from(sorted(TEXT_VRS | NUMBER_VRS | {"OB", "UN", "SQ"})),
)
def test_nothing_that_is_not_named_passes(tag, name, nested, content, word, vr, pseudonyms):
    keyword, known = entry(tag)
    found = "UN" if (keyword, known) == UNKNOWN else known
    components = (word,) if found in TEXT_VRS else ()
    value = word.encode() if vr not in NUMBER_VRS else 7
    path = NESTED if nested else ()
    own = frozenset({word})
    setting = Setting(pseudonyms, CTImageStorage, "", "MRN1", own, path, content)
    one = Attribute(tag, keyword, found, components, vr, value, "Philips Imaging DD 001")
    verdict = judge(one, setting, PROFILES[name])
    if verdict.element is not None and found in TEXT_VRS | {"UN"}:
        assert word not in str(verdict.element.value)
    assert verdict == judge(one, setting, PROFILES[name])


@settings(max_examples=200, deadline=None)
@given(
    tag=st.sampled_from([t for t in TAGS if entry(t)[1] in TEXT_VRS]),
    word=st.text("zqxjkvZQXJKV", min_size=6, max_size=14),
    nested=st.booleans(),
)
def test_without_options_no_text_that_a_row_names_passes(tag, word, nested, pseudonyms):
    setting = Setting(pseudonyms, CTImageStorage, path=NESTED if nested else ())
    verdict = judge(attribute(tag, word), setting, PROFILES["plain"])
    assert verdict.element is None or word not in str(verdict.element.value)


def test_a_profile_is_not_needed_to_be_the_standards(setting):
    own = Profile("x", "own", {0x00080060: "K"}, {})
    assert judge(attribute("Modality", "CT"), setting, own).unchanged
    other = judge(attribute("Modality", "Quincy!"), setting, own)
    assert isinstance(other.element, DataElement)
    assert (other.counted, other.element.value) == ("C", "OT")


@pytest.mark.parametrize("zone", ["Bapubeda", "+0100 Pumepetu", "0100", "+01:00"])
def test_an_offset_from_utc_stays_only_as_an_offset(setting, zone):
    profile = load_profile(options=["retain-dates"])
    assert judge(attribute("TimezoneOffsetFromUTC", zone), setting, profile) == Verdict("X")
    assert judge(attribute("TimezoneOffsetFromUTC", "-0730"), setting, profile).unchanged


def test_a_small_number_of_pregnancy_holds_no_letters(setting):
    profile = load_profile(options=["retain-patient-characteristics"])
    name = attribute("PregnancyStatus", value=b"Kogukapu")
    assert judge(name, setting, profile) == Verdict("X")
    assert judge(attribute("PregnancyStatus"), setting, profile).unchanged


def test_the_images_own_numbers_stay_though_the_patient_has_the_same(pseudonyms):
    setting = Setting(pseudonyms, CTImageStorage, "", "-1024", frozenset({"-1024"}))
    for name in ("RescaleIntercept", "WindowCenter", "SliceLocation"):
        verdict = judge(attribute(name, "-1024"), setting, load_profile())
        assert verdict.unchanged, name
        assert str(verdict.element.value) in {"-1024", "-1024.0"}
    assert not judge(attribute("KVP", "-1024"), setting, load_profile()).unchanged


@pytest.mark.parametrize(
    ("scheme", "sound", "unsound"),
    [
        ("SCPECG", ["5.6.3-9-1", "5.6.3-9-64", "5.10.3-11"], ["5.6.3-9-471", "47.11.8-15"]),
        ("RFC3066", ["en", "de-AT", "pt-BR"], ["xq", "en-QQ", "quincy", "en-US-x-quincy"]),
        ("ISO3166_1", ["DE", "DEU", "US"], ["QQ", "QUI", "de", "Germany"]),
    ],
)
def test_codes_of_leads_languages_and_countries_stay_in_their_strict_form(
    setting, scheme, sound, unsound
):
    for value in sound:
        code, same = judge_code((value, scheme, WORD), setting, load_profile())
        assert (code.CodeValue, code.CodeMeaning, same) == (value, value, True)
    for value in unsound:
        code, same = judge_code((value, scheme, WORD), setting, load_profile())
        assert (code.CodeValue, same) == ("ANON", False)


def test_a_code_of_a_scheme_that_needs_its_version_gets_the_standards():
    from napari_medlabel.deid.rules.codes import Code

    assert Code("5.6.3-9-1", "SCPECG", "Lead I").item["CodingSchemeVersion"] == "1.3"
    assert "CodingSchemeVersion" not in Code("T-D1100", "SRT", "Head").item
