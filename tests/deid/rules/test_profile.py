from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import BY_VR, Profile, basic_profile, load_profile
from napari_medlabel.deid.rules.site_rules import site_rules
from napari_medlabel.errors import InputError

STANDARD = Path(__file__).parents[4] / "shared" / "standard"


def test_every_row_of_the_table_is_a_rule(profile):
    assert len(profile) == 656
    assert (profile.edition, profile.name) == ("2026c", "basic")


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_the_rules_equal_the_standards_table(profile):
    table = json.loads((STANDARD / "table_E.1-1_2026c.json").read_text("utf-8"))
    for row in table["rows"]:
        digits = (row[1][1:5] + row[1][6:10]).replace("x", "0")
        if "odd" in row[1]:
            digits = "00090010"
        assert profile.action_for(int(digits, 16), "LO") in {row[4], "X"}, row[1]
        if "x" not in row[1] and "odd" not in row[1]:
            assert profile.rules[int(digits, 16)] == row[4]


@pytest.mark.parametrize(
    ("tag", "vr", "code"),
    [
        (0x00100010, "PN", "Z"),
        (0x00080018, "UI", "U"),
        (0x00091010, "LO", "X"),
        (0x50000010, "US", "X"),
        (0x60003000, "OW", "X"),
        (0x60004000, "LT", "X"),
        (0x60000010, "US", "X"),
        (0x00041220, "SQ", "X"),
        (0x00020010, "UI", "X"),
        (0x00080000, "UL", "X"),
        (0xFFFEE00D, "UN", "X"),
        (0xFFFCFFFC, "OB", "X"),
        (0xFFFAFFFA, "SQ", "X"),
        (0x0008ABCD, "UN", "X"),
        (0x00280010, "US", BY_VR),
        (0x00101304, "UN", "X"),
    ],
)
def test_a_tag_has_its_action(profile, tag, vr, code):
    assert profile.action_for(tag, vr) == code


def test_the_hash_names_the_rules():
    one = Profile("2026c", "basic", {0x00100010: "Z"}, {"odd": "X"})
    other = Profile("2026c", "basic", {0x00100010: "X"}, {"odd": "X"})
    assert one.sha256 != other.sha256
    assert one.sha256 == Profile("2026c", "basic", {0x00100010: "Z"}, {"odd": "X"}).sha256


def test_a_profile_travels_to_another_process(profile):
    again = copy.deepcopy(profile)  # the same protocol as a process pool's
    assert again == profile
    assert again.sha256 == profile.sha256


@pytest.mark.parametrize(
    ("rules", "families"), [({0x00100010: "Q"}, {}), ({}, {"70xx": "X"}), ({}, {"odd": "Q"})]
)
def test_an_action_or_family_that_nobody_knows_is_refused(rules, families):
    with pytest.raises(InputError, match="action codes"):
        Profile("2026c", "basic", rules, families)


def test_an_edition_that_does_not_ship_is_refused():
    with pytest.raises(InputError, match="edition"):
        basic_profile("1999a")
    with pytest.raises(InputError, match="edition"):
        load_profile(edition="../x")
    with pytest.raises(InputError, match="name"):
        load_profile("quincy")


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_the_options_cells_equal_the_standards_table(profile):
    table = json.loads((STANDARD / "table_E.1-1_2026c.json").read_text("utf-8"))
    columns = (
        "retain-safe-private", "retain-uids", "retain-device", "retain-institution",
        "retain-patient-characteristics", "retain-dates", "shift-dates", "clean-descriptors",
        "clean-structured", "clean-graphics",
    )  # fmt: skip
    for row in table["rows"]:
        if "x" in row[1] or "odd" in row[1]:
            continue
        tag = int(row[1][1:5] + row[1][6:10], 16)
        cells = dict(zip(columns, row[5:], strict=True))
        expected = {name: code for name, code in cells.items() if code}
        assert dict(profile.cells.get(tag, {})) == expected, row[1]


SITE = 'name = "s"\nversion = "1"\n[[rule]]\nattribute = "StationName"\naction = "K"\n'


def test_a_profile_takes_options_and_a_sites_file(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE, "utf-8")
    loaded = load_profile(options=["retain-dates"], site=path)
    assert loaded.options == {Option.RETAIN_DATES}
    assert loaded.action_for(0x00081010, "SH") == "K"
    assert loaded.action_for(0x00080020, "DA") == "K"
    assert loaded.option_for(0x00080020) is Option.RETAIN_DATES
    assert loaded.basic_action_for(0x00080020, "DA") == "Z"
    assert loaded == load_profile(options=["retain-dates"], site=site_rules(SITE))
    assert copy.deepcopy(loaded) == loaded


def test_options_and_site_rules_are_in_the_hash():
    hashes = {
        load_profile().sha256,
        load_profile(options=["retain-dates"]).sha256,
        load_profile(options=["shift-dates"]).sha256,
        load_profile(site=site_rules(SITE)).sha256,
        load_profile(site=site_rules(SITE.replace('"1"', '"2"'))).sha256,
    }
    assert len(hashes) == 5
    assert load_profile().sha256 == basic_profile().sha256


def test_options_that_exclude_each_other_make_no_profile():
    with pytest.raises(InputError, match="exclude"):
        load_profile(options=["retain-dates", "shift-dates"])


def test_options_never_reach_commands_and_meta_information():
    loaded = load_profile(options=["retain-uids"])
    assert loaded.action_for(0x00001000, "UI") == "X"
    assert loaded.action_for(0x00080018, "UI") == "K"
