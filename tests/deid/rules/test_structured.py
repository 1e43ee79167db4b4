from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.deid.rules.actions import Setting
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.structured import AGE, UNNAMED, content_setting

STANDARD = Path(__file__).parents[4] / "shared" / "standard"
SR = "1.2.840.10008.5.1.4.1.1.88.33"
COLUMNS = (
    "retain-uids", "retain-device", "retain-institution", "retain-patient-characteristics",
    "retain-dates", "shift-dates", "clean-descriptors",
)  # fmt: skip


@pytest.fixture
def setting(pseudonyms):
    return Setting(pseudonyms, SR)


def test_without_the_option_nothing_changes(setting, profile):
    got = content_setting(("121029", "DCM"), "PNAME", setting, profile)
    assert got is setting


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_every_row_of_the_table_gives_its_action(setting):
    table = json.loads((STANDARD / "table_E.3.4-1_2026c.json").read_text("utf-8"))
    assert len(table["rows"]) == 214
    basic = load_profile(options=["clean-structured"])
    chosen = {name: load_profile(options=["clean-structured", name]) for name in COLUMNS}
    for meaning, value, scheme, kind, _, _, code, *cells in table["rows"]:
        concept = (value, scheme.split()[0])
        got = content_setting(concept, kind, setting, basic)
        assert (got.content if got else "X") == ("X" if code == "X" else "D"), meaning
        for name, cell in zip(COLUMNS, cells, strict=True):
            if cell:
                got = content_setting(concept, kind, setting, chosen[name])
                assert got.content == (AGE if value == "121033" else cell), meaning


def test_a_concept_that_no_row_names_is_judged_by_its_value(setting):
    profile = load_profile(options=["clean-structured"])
    got = content_setting(("99", "99LOCAL"), "TEXT", setting, profile)
    assert got.content == UNNAMED
