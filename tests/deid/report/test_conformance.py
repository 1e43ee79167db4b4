"""The conformance statement has the headings of PS3.15 E.1.3 and tells the profile's rules."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from napari_medlabel.deid.report.conformance import as_html, as_text, statement, title
from napari_medlabel.deid.rules.option_words import KEEPS, OPTION_WORDS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.site_rules import site_rules

ASKED_FOR = (
    "removed",
    "replaced by dummy values, and how the dummy values are generated",
    "included in Encrypted Attributes Data Sets",
    "referential integrity of replacement values",
    "inserted during protection",
    "Transfer Syntaxes supported for Encrypted Attributes Data Sets",
    "Options supported",
    "Additional restrictions",
)
SITE = """
name = "Trial 7"
version = "3"
words = ["kopfspule"]
[[rule]]
attribute = "StationName"
action = "K"
[[rule]]
attribute = "DeviceSequence/DeviceSerialNumber"
action = "X"
[keep]
ProtocolName = ["Arm A"]
"""


def rows_of(profile, number: int, table: int = 0) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in statement(profile)[number - 1].tables[table].rows}


def test_it_has_exactly_the_eight_headings_of_the_standard_in_order(profile):
    headings = [section.heading for section in statement(profile)]
    assert len(headings) == 8
    assert all(asked in heading for asked, heading in zip(ASKED_FOR, headings, strict=True))


def test_each_row_of_the_table_is_listed_under_removed_replaced_or_kept(profile):
    removed, replaced = rows_of(profile, 1), rows_of(profile, 2)
    assert not removed.keys() & replaced.keys()
    assert len(removed) + len(replaced) == len(profile) == 656
    assert removed["(0010,4000)"] == ("Patient Comments", "X", "profile")
    assert removed["(0010,0016)"] == ("Pronoun Comment", "X", "profile")
    assert removed["(60xx,3000)"] == ("Overlay Data", "X", "profile")
    assert replaced["(0010,0010)"] == ("Patient's Name", "Z", "profile")
    assert len(statement(profile)[6].tables) == 1


def test_options_move_rows_and_say_what_they_keep_and_risk():
    profile = load_profile(options=["retain-uids", "shift-dates", "clean-descriptors"])
    kept = rows_of(profile, 7, 1)
    listed = len(kept) + len(rows_of(profile, 1)) + len(rows_of(profile, 2))
    assert listed == 656
    assert kept["(0008,0018)"] == ("SOP Instance UID", "K", "retain-uids")
    assert kept["(0008,0020)"] == ("Study Date", "C", "shift-dates")
    options = rows_of(profile, 7)
    assert options["retain-uids"][:3] == ("113110", "applied", "60 K, 0 C")
    assert options["retain-safe-private"][1:3] == ("not applied", "not in it")
    text = as_text(profile)
    assert "UIDs are kept as they are" in text
    assert "move back by the same 366 to 3652 days" in text
    assert OPTION_WORDS[Option.RETAIN_UIDS].risk in " ".join(text.split())


def test_marks_are_listed_as_they_are_written_and_pixels_only_where_done():
    rows = rows_of(load_profile(options=["clean-pixels", "clean-faces", "retain-dates"]), 5)
    assert rows["PatientIdentityRemoved"] == ("YES",)
    assert rows["LongitudinalTemporalInformationModified"] == ("UNMODIFIED",)
    codes = rows["DeidentificationMethodCodeSequence"][0]
    assert "113100 DCM Basic Application Confidentiality Profile" in codes
    assert "113101" not in codes
    assert rows["BurnedInAnnotation"] == ("NO, with 113101, where it was carried out",)
    assert rows["RecognizableVisualFeatures"][0].endswith("where it was carried out")


def test_site_rules_are_counted_and_change_rows_but_their_words_are_not_told():
    profile = load_profile(site=site_rules(SITE))
    restrictions = statement(profile)[7].paragraphs[-1]
    assert "2 rules for attributes, 0 safe private attributes, 1 lists" in restrictions
    assert rows_of(profile, 7, 1)["(0008,1010)"] == ("Station Name", "K", "site rule")
    assert "; site rules, profile sha256" in rows_of(profile, 5)["DeidentificationMethod"][0]
    assert "kopfspule" not in as_text(profile)


def test_the_text_is_narrow_and_names_profile_and_edition(profile):
    text = as_text(profile)
    lines = text.splitlines()
    assert lines[0] == title(profile)
    assert "PS3.15 2026c" in lines[0]
    assert profile.sha256 in lines[1]
    assert max(map(len, lines)) <= 130
    assert "ANON for AE, CS" in text


class Checker(HTMLParser):
    """Counts tags and finds those that were left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("options", [(), tuple(KEEPS - {Option.RETAIN_DATES})])
def test_the_html_is_well_formed_with_real_headings(options):
    page = as_html(load_profile(options=options))
    checker = Checker()
    checker.feed(page)
    assert not checker.open
    assert checker.seen.count("h3") == 8
    assert checker.seen.count("table") == checker.seen.count("caption") >= 4
    assert "Patient&#x27;s Name" in page


def test_every_option_has_words_for_people():
    assert set(OPTION_WORDS) == set(Option)
    assert len(KEEPS) == 6
    for words in OPTION_WORDS.values():
        assert words.does.endswith(".")
        assert words.risk.endswith(".")
