from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.deid.rules.options import BASIC_CODE, Option, checked, method_meaning
from napari_medlabel.errors import InputError

STANDARD = Path(__file__).parents[4] / "shared" / "standard"


def test_the_twelve_options_have_the_twelve_codes_of_cid_7050():
    assert len(Option) == 12
    codes = {option.code for option in Option}
    assert codes == {str(number) for number in range(113101, 113113)}
    assert BASIC_CODE not in codes


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_the_meanings_are_the_standards():
    listed = json.loads((STANDARD / "CID7050.json").read_text("utf-8"))["codes"]
    for code in listed:
        assert method_meaning(code["value"]) == code["meaning"]
    assert len(listed) == 13


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (Option.CLEAN_PIXELS, "Clean Pixel Data"),
        (Option.CLEAN_FACES, "Clean Recognizable Visual Features"),
        (Option.CLEAN_GRAPHICS, "Clean Graphics"),
        (Option.CLEAN_STRUCTURED, "Clean Structured Content"),
        (Option.CLEAN_DESCRIPTORS, "Clean Descriptors"),
        (Option.RETAIN_DATES, "Full Dates"),
        (Option.SHIFT_DATES, "Modified Dates"),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "Patient Characteristics"),
        (Option.RETAIN_DEVICE, "Device Identity"),
        (Option.RETAIN_UIDS, "Retain UIDs"),
        (Option.RETAIN_SAFE_PRIVATE, "Safe Private"),
        (Option.RETAIN_INSTITUTION, "Institution Identity"),
    ],
)
def test_an_option_means_what_its_code_says(option, words):
    assert words in option.meaning


def test_names_of_the_command_line_are_options():
    assert checked(["shift-dates", Option.RETAIN_UIDS]) == {
        Option.SHIFT_DATES,
        Option.RETAIN_UIDS,
    }
    assert checked([]) == frozenset()


def test_an_unknown_option_is_refused_without_being_quoted():
    with pytest.raises(InputError, match=r"1 of 2 .* options are not known") as caught:
        checked(["retain-dates", "Quincy"])
    assert "Quincy" not in str(caught.value)
    assert "shift-dates" in caught.value.hint


def test_dates_are_not_kept_and_moved_at_once():
    with pytest.raises(InputError, match="exclude each other"):
        checked(["retain-dates", "shift-dates"])
