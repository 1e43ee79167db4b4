from __future__ import annotations

import re
from itertools import combinations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.model.palette import PALETTE, difference, spare_colour
from napari_medlabel.model.terminology import categories, colour_of, concepts, find_concepts


def test_there_are_many_concepts_each_once_with_a_code_and_a_safe_colour() -> None:
    known = concepts()
    assert len(known) >= 120
    assert len({c.code.value for c in known}) == len(known)
    assert len({c.code.meaning for c in known}) == len(known)
    for concept in known:
        assert re.fullmatch(r"[1-9][0-9]{5,17}", concept.code.value)
        assert is_valid_sctid(concept.code.value)
        assert concept.colour in PALETTE
    assert "Findings" in categories()


def is_valid_sctid(code: str) -> bool:
    """Check the last digit by Verhoeff's dihedral scheme, as SNOMED CT identifiers have it."""

    def times(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
        return 5 + (a - b) % 5 if b < 5 else (a - b) % 5

    turn = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(map(int, reversed(code))):
        turned = digit
        for _ in range(place % 8):
            turned = turn[turned]
        check = times(check, turned)
    return check == 0


def test_codes_are_those_that_pydicom_knows() -> None:
    sct = pytest.importorskip("pydicom.sr._concepts_dict").concepts["SCT"]
    known = {code for entry in sct.values() for code in entry}
    assert {c.code.value for c in concepts()} <= known


def test_the_search_takes_words_and_codes_and_knows_sides() -> None:
    (kidney,) = find_concepts("kidney")
    assert find_concepts(kidney.code.value) == (kidney,)
    assert find_concepts("KID", "Organs") == (kidney,)
    assert find_concepts("kidney", "Findings") == ()
    assert find_concepts("artery renal")[0].code.meaning == "Renal artery"
    assert find_concepts("lung")[0].code.meaning == "Lung"
    name, code = kidney.named("left")
    assert (name, code) == ("Left kidney", Code("SCT", "64033007", "Kidney", "left"))
    assert kidney.named() == ("Kidney", kidney.code)
    with pytest.raises(InputError, match="has no right side"):
        find_concepts("liver")[0].named("right")


def test_a_side_goes_through_json_and_back() -> None:
    code = Code("SCT", "64033007", "Kidney", "left")
    scheme = LabelScheme("One", (Label(1, "Left kidney", "#112233", code),))
    assert LabelScheme.from_json(scheme.to_json()) == scheme
    with pytest.raises(InputError, match="right, left or none"):
        Code("SCT", "64033007", "Kidney", "both")


def test_the_palette_can_be_told_apart_by_colour_blind_eyes() -> None:
    assert min(difference(a, b) for a, b in combinations(PALETTE, 2)) > 8
    assert difference("#ff0000", "#ff0000") == 0.0
    # Red and green of one lightness: far apart for most, close for some.
    assert difference("#c03030", "#2f7a2f") < 30


def test_new_colours_are_new_and_look_unlike_the_others() -> None:
    assert spare_colour(()) == PALETTE[0]
    taken: list[str] = []
    for _ in range(40):
        fresh = spare_colour(taken)
        assert len(taken) >= 42 or fresh not in taken[:14]
        taken.append(fresh)
    assert len(set(taken[:14])) == 14
    (kidney,) = find_concepts("kidney")
    assert colour_of(kidney, ()) == kidney.colour
    assert colour_of(kidney, (kidney.colour,)) != kidney.colour


def test_a_scheme_is_changed_one_label_at_a_time() -> None:
    one, two, three = (Label(n, f"L{n}", "#112233") for n in (1, 2, 3))
    scheme = LabelScheme("S", (one, two, three))
    assert scheme.moved(3, -1).values == (1, 3, 2)
    assert scheme.moved(1, -1).values == (1, 2, 3)
    assert scheme.moved(1, 9).values == (2, 3, 1)
    assert scheme.without(2).values == (1, 3)
    assert scheme.with_label(Label(2, "New", "#000000"))[2].name == "New"
    assert scheme.without(2).with_label(two, 0).values == (2, 1, 3)
    assert scheme.without(2).free_label("A", "#000000").value == 2
    with pytest.raises(InputError, match="of that name already"):
        scheme.free_label("L1", "#000000")
    with pytest.raises(InputError, match="are taken"):
        scheme.free_label("A", "#000000", largest=3)
