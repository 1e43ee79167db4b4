"""Left and right of labels: by name, by code, and neither where it is not said."""

from __future__ import annotations

import pytest

from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.model.sides import partner_of, side_of

KIDNEY = ("SCT", "64033007", "Kidney")
LUNG = ("SCT", "39607008", "Lung")


def scheme(*rows: tuple[str, Code | None]) -> LabelScheme:
    labels = (Label(n, name, "#808080", code) for n, (name, code) in enumerate(rows, start=1))
    return LabelScheme("s", tuple(labels))


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("Left kidney", "left"),
        ("lung_RIGHT", "right"),
        ("Rt. lung", "right"),
        ("Left and right ventricle", ""),
        ("Bright spot", ""),
        ("Cleft", ""),
        ("L1", ""),
    ],
)
def test_a_name_says_a_side_as_a_word_of_its_own(name: str, side: str) -> None:
    assert side_of(Label(1, name, "#808080")) == side


def test_a_code_says_the_side_where_the_name_does_not() -> None:
    assert side_of(Label(1, "Nephros", "#808080", Code(*KIDNEY, "left"))) == "left"
    assert side_of(Label(1, "Left kidney", "#808080", Code(*KIDNEY, "right"))) == "left"


def test_the_partner_has_the_name_or_the_code_of_the_other_side() -> None:
    known = scheme(
        ("Left kidney", None), ("RIGHT Kidney", None), ("kidney_L", None), ("Kidney_R", None),
        ("A", Code(*KIDNEY, "left")), ("B", Code(*KIDNEY, "right")),
        ("C", Code(*LUNG, "left")), ("Liver", None), ("L1", None), ("R1", None),
    )  # fmt: skip
    found = [partner_of(known, value) for value in known.values]
    assert found == [2, 1, 4, 3, 6, 5, None, None, None, None]


def test_of_two_with_the_code_of_the_other_side_none_is_the_partner() -> None:
    right = Code(*KIDNEY, "right")
    known = scheme(("A", Code(*KIDNEY, "left")), ("B", right), ("C", right))
    assert partner_of(known, 1) is None
