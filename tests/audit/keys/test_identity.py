"""Whether a text names the patient: names, numbers and dates in other spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.keys.identity import check_text, found_values
from napari_medlabel.errors import RefusedError

HEADER = ("Example^J\u00f6rg^Dr", "EX-4711-0815", "19620314", "Ab")


@pytest.mark.parametrize(
    "text",
    [
        "the mask of jorg was wrong",
        "EXAMPLE's scan",
        "wrong number 47110815",
        "see 4711.0815, please",
        "born 14.03.1962",
        "born 1962-03-14",
        "born 03/14/1962",
    ],
)
def test_a_value_is_found_however_it_is_spelt(text: str) -> None:
    assert found_values(text, HEADER) == 1


@pytest.mark.parametrize(
    "text",
    [
        "the guideline changed in 2026",
        "an exemplary jorgensen",
        "abdomen",
        "dr. said so",
        "slices 112-140",
        "",
    ],
)
def test_a_text_without_identity_passes(text: str) -> None:
    assert found_values(text, HEADER) == 0
    check_text(text, HEADER)


def test_the_refusal_counts_and_does_not_repeat() -> None:
    with pytest.raises(RefusedError, match=r"holds 2 value\(s\)") as caught:
        check_text("Example, 1962-03-14", HEADER)
    assert "1962" not in caught.value.message + caught.value.hint


_WORD = st.text("abcdefghijklmnopqrstuvwxyz\u00e4\u00e9\u0142", min_size=3, max_size=9)


@given(_WORD, _WORD, st.sampled_from(["{}", "for {}.", "({})", "see {}'s scan", "{}-{}"]))
def test_a_part_of_a_name_is_found_wherever_it_stands(
    first: str, last: str, frame: str
) -> None:
    text = frame.format(last.upper(), first)
    assert found_values(text, [f"{last}^{first}"]) == 1


@given(st.integers(1000, 10**9), st.sampled_from([" ", "-", ".", "/", ": "]), st.integers(1, 3))
def test_a_number_is_found_however_it_is_parted(number: int, mark: str, at: int) -> None:
    digits = str(number)
    assert found_values(f"no. {digits[:at]}{mark}{digits[at:]}!", [f"HOSP {digits}"]) == 1


@given(st.dates())
def test_a_date_is_found_in_every_order(day: object) -> None:
    value = day.strftime("%Y%m%d").zfill(8)  # type: ignore[attr-defined]
    year, month, date = value[:4], value[4:6], value[6:]
    for text in (f"{year}-{month}-{date}", f"{date}.{month}.{year}", f"{month}/{date}/{year}"):
        assert found_values(f"born {text}", [value]) == 1
