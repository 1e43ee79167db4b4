"""Whether a text names the patient: names, numbers and dates in other spellings."""

from __future__ import annotations

import pytest

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
