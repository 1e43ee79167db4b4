"""Labels of other programs among a study's: what they say is taken, the rest stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.model.labelmap import Code
from napari_medlabel.project.ontology.document import from_json, to_json
from napari_medlabel.project.ontology.exchange import (
    from_table,
    from_terminology,
    to_dseg_tsv,
    to_snap,
    to_terminology,
)
from napari_medlabel.project.ontology.labels import Coding, OntologyLabel
from napari_medlabel.project.ontology.left_out import left_out, named
from napari_medlabel.project.ontology.merging import recoded, with_table, with_terms
from napari_medlabel.project.ontology.ontology import Ontology

ORGAN = Code("SCT", "123037004", "Anatomical Structure")
ALTERED = Code("SCT", "49755003", "Morphologically Altered Structure")
KIDNEY, LIVER, MASS, LEFT, RIGHT = (
    Code("SCT", *row)
    for row in (
        ("64033007", "Kidney"),
        ("10200004", "Liver"),
        ("4147007", "Mass"),
        ("7771000", "Left"),
        ("24028007", "Right"),
    )
)
KIDNEYS = (
    OntologyLabel("kidney_left", 1, "Left kidney", "#aa0000", Coding(ORGAN, KIDNEY, LEFT),
                  laterality="left"),
    OntologyLabel("kidney_right", 2, "Right kidney", "#aa0000", Coding(ORGAN, KIDNEY, RIGHT),
                  laterality="right"),
    OntologyLabel("cyst", 3, "Cyst", "#00aa00",
                  Coding(ALTERED, MASS, region=KIDNEY, region_modifier=LEFT)),
    OntologyLabel("rest", 4, "Rest", "#0000aa"),
)  # fmt: skip
PLAIN = (
    "LabelValue,Name,Color_R,Color_G,Color_B,Color_A,"
    "Type_CodingScheme,Type_CodeValue,Type_CodeMeaning"
)
PARTS = ("Category", "Type", "TypeModifier", "Region", "RegionModifier")
FULL = "LabelValue,Name," + ",".join(
    f"{part}_{cell}" for part in PARTS for cell in ("CodingScheme", "CodeValue", "CodeMeaning")
)


def full_row(value: int, name: str, *codes: Code | None) -> str:
    cells = [str(value), name]
    for code in codes:
        cells += ["", "", ""] if code is None else [code.scheme, code.value, code.meaning]
    return ",".join(cells)


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# -- tables ------------------------------------------------------------------------------


def test_a_table_with_types_alone_keeps_category_side_and_region(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        PLAIN,
        "1,Left kidney,1,2,3,255,SCT,64033007,A kidney",
        "2,Right kidney,170,0,0,255,SCT,64033007,Kidney",
        "3,Cyst,0,170,0,255,SCT,4147007,Mass",
    )
    merged = with_table(KIDNEYS, path)
    assert merged.labels == (replace(KIDNEYS[0], colour="#010203"), *KIDNEYS[1:])
    assert merged.said == ()
    assert recoded(KIDNEYS, merged.labels) == ()


def test_all_columns_of_a_table_are_read_and_changed_codes_are_told(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        FULL,
        full_row(3, "Cyst", ALTERED, MASS, None, LIVER, RIGHT),
        full_row(4, "Rest", ORGAN, KIDNEY, LEFT, None, None),
        full_row(9, "New", ORGAN, KIDNEY, RIGHT, None, None),
        full_row(1, "Left kidney", None, None, None, None, None),
    )
    merged = with_table(KIDNEYS, path)
    codings = {one.value: one.coding for one in merged.labels}
    assert codings == {
        1: KIDNEYS[0].coding,
        2: KIDNEYS[1].coding,
        3: Coding(ALTERED, MASS, None, LIVER, RIGHT),
        4: Coding(ORGAN, KIDNEY, LEFT),
        9: Coding(ORGAN, KIDNEY, RIGHT),
    }
    assert merged.labels[-1].laterality == "right"
    # A table without colours has none to bring.
    assert [one.colour for one in merged.labels[:4]] == [one.colour for one in KIDNEYS]
    assert merged.said == ()
    assert recoded(KIDNEYS, merged.labels) == ("Other codes than before: Cyst, Rest.",)


def test_another_type_keeps_the_category_where_nothing_hangs_on_it(tmp_path: Path) -> None:
    gland = OntologyLabel("gland", 1, "Gland", "#aa0000", Coding(ORGAN, KIDNEY))
    merged = with_table(
        (gland,), table(tmp_path, PLAIN, "1,Gland,1,2,3,255,SCT,10200004,Liver")
    )
    assert merged.labels[0].coding == Coding(ORGAN, LIVER)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (full_row(1, "Left kidney", ORGAN, LIVER, None, None, None), "another code, without"),
        (full_row(3, "Cyst", None, LIVER, None, None, None), "another code, without"),
        (full_row(3, "Cyst", None, MASS, None, LIVER, None), "another code, without"),
        (full_row(1, "Left kidney", ORGAN, KIDNEY, RIGHT, None, None), "on another side"),
        (full_row(1, "Liver", ORGAN, LIVER, None, None, None), "another label than"),
    ],
)
def test_codes_that_contradict_what_stays_are_refused(
    row: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match=words):
        with_table(KIDNEYS, table(tmp_path, FULL, row))


def test_codes_of_a_dseg_table_come_into_another_study(tmp_path: Path) -> None:
    there = (
        OntologyLabel("liver", 11, "Liver", "#aa0000", Coding(ORGAN, LIVER)),
        OntologyLabel(
            "own", 12, "Own", "#aa0000", Coding(ORGAN, Code("99OWN", "x1", "Own one"))
        ),
        OntologyLabel("bare", 13, "Bare", "#aa0000"),
    )
    path = table(tmp_path, *to_dseg_tsv(Ontology("There", there)).splitlines())
    merged = with_table(KIDNEYS, path)
    new = {one.value: one.coding.type for one in merged.labels[4:] if one.coding}
    assert new == {11: LIVER, 12: Code("99OWN", "x1", "Own")}
    assert merged.said == ("Of the category Tissue, for the table has none: Liver, Own.",)


# -- terminologies -----------------------------------------------------------------------


def test_an_entry_without_a_region_is_no_new_label() -> None:
    two = (*KIDNEYS[:3], replace(KIDNEYS[2], id="other", value=5, name="Other cyst",
           colour="#123456", coding=Coding(ALTERED, MASS, region=LIVER)))  # fmt: skip
    terms = from_terminology(to_terminology(Ontology("T", two))).labels
    assert len(terms) == 3
    merged = with_terms(two, terms)
    assert merged.labels == two
    assert "Cyst, Other cyst" in merged.said[0]
    one = with_terms(KIDNEYS, [replace(term, colour="#ffffff") for term in terms])
    assert [label.colour for label in one.labels] == ["#ffffff"] * 3 + ["#0000aa"]
    assert one.said == ()


def test_two_schemes_with_one_value_are_two_codes() -> None:
    labels = (
        OntologyLabel("a", 1, "A", "#aa0000", Coding(ORGAN, KIDNEY)),
        OntologyLabel("b", 2, "B", "#bb0000", Coding(ORGAN, replace(KIDNEY, scheme="99X"))),
    )
    back = from_terminology(to_terminology(Ontology("T", labels))).labels
    assert [one.coding for one in back] == [one.coding for one in labels]
    assert [one.colour for one in back] == ["#aa0000", "#bb0000"]


def test_no_more_labels_than_values_come_in() -> None:
    known = tuple(OntologyLabel(f"l{n}", n, f"L{n}", "#aa0000") for n in range(1, 65536))
    term = OntologyLabel("liver", 1, "Liver", "#aa0000", Coding(ORGAN, LIVER))
    with pytest.raises(InputError, match="No value is left"):
        with_terms(known, [term])


# -- there and back ----------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NAMES = st.one_of(WORDS, st.sampled_from(['A "b"', "A 'b'", "A\tb", "A b", "#x", "n/a"]))
CODES = st.one_of(
    st.sampled_from([KIDNEY, LIVER, MASS, LEFT, RIGHT, ORGAN, replace(KIDNEY, meaning="Ren")]),
    st.builds(
        Code, WORDS, WORDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    ),
)
CODINGS = st.builds(Coding, CODES, CODES, *([st.none() | CODES] * 3))
LABELS = st.tuples(
    NAMES.filter(str.strip),
    st.sampled_from(["#aa0000", "#00aa00", "#123456"]),
    st.none() | CODINGS,
    st.integers(0, 1),
    st.sampled_from(["", "left", "right"]),
)
ONTOLOGIES = st.lists(LABELS, max_size=6, unique_by=lambda row: row[0]).map(
    lambda rows: Ontology(
        "Any",
        tuple(
            OntologyLabel(f"l{value}", value, name, colour, coding, layer, laterality=side)
            for value, (name, colour, coding, layer, side) in enumerate(rows, 1)
        ),
    )
)


def key(code: Code | None) -> tuple[str, str] | None:
    return None if code is None else (code.scheme, code.value)


def keys(coding: Coding) -> tuple[object, ...]:
    return tuple(key(code) for code in (coding.category, coding.type, coding.modifier))


@settings(max_examples=60, deadline=None)
@given(ONTOLOGIES)
@example(
    Ontology(
        "Any",
        (
            OntologyLabel("a", 1, "A", "#aa0000", Coding(ORGAN, Code("A", "\0", ""))),
            OntologyLabel("b", 2, "\0", "#aa0000", Coding(ORGAN, Code("", "", ""))),
            OntologyLabel("c", 3, '"c', "#aa0000", Coding(ORGAN, Code("X", '"x', ""))),
        ),
    )
)
def test_what_is_exported_changes_nothing_when_it_comes_back(ontology: Ontology) -> None:
    known = ontology.labels
    assert from_json(json.loads(json.dumps(to_json(ontology)))) == ontology
    assert left_out(ontology, "ontology") == ()
    terms = from_terminology(to_terminology(ontology)).labels
    assert with_terms(known, terms).labels == known
    held = {keys(one.coding) for one in known if one.coding}
    assert {keys(one.coding) for one in terms if one.coding} == held
    assert len(terms) == len(held)
    for layer in ontology.layers:
        own = [one for one in known if one.layer == layer]
        for form in ("itksnap", "dseg"):
            snap = form == "itksnap"
            text = to_snap(ontology.scheme(layer)) if snap else to_dseg_tsv(ontology, layer)
            with TemporaryDirectory() as folder:
                path = Path(folder) / "table.txt"
                path.write_text(text, encoding="utf-8")
                assert with_table(known, path).labels == known
                back = from_table(path).labels
            assert [(one.value, one.colour) for one in back] == [
                (one.value, one.colour) for one in own
            ]
            words = " ".join(left_out(ontology, form, layer))
            for one, read in zip(own, back, strict=True):
                shown = named([one.name])
                if read.name != one.name:
                    assert "Written with other signs" in words
                    assert len(own) > 8 or shown in words
                if one.coding and (read.coding is None):
                    assert "Without their code" in words
                elif one.coding and read.coding:
                    assert key(read.coding.type) == key(one.coding.type)
                    lost = one.coding.modifier or one.coding.region
                    assert not lost or "Without their side or region" in words


def test_what_a_form_cannot_hold_is_told() -> None:
    hidden = OntologyLabel("over", 5, 'The "upper"', "#aa0000", layer=1)
    odd = OntologyLabel("odd", 6, "Odd", "#aa0000", Coding(ORGAN, Code("9 9", "a:b", "Odd")))
    twin = replace(KIDNEYS[2], id="twin", value=7, name="Twin", coding=Coding(ALTERED, MASS))
    ontology = Ontology("T", (*KIDNEYS, hidden, odd, twin))
    assert left_out(ontology, "terminology")[1:] == (
        'Left out, having no code: Rest, The "upper".',
        "Without their region: Cyst.",
        "One entry for all that have the same codes then: Cyst, Twin.",
    )
    assert left_out(ontology, "dseg")[1:] == (
        'Left out, on another layer: The "upper".',
        "Without their code: Odd.",
        "Without their side or region: Left kidney, Right kidney, Cyst.",
    )
    assert left_out(ontology, "itksnap", 1)[2] == 'Written with other signs: The "upper".'
    assert named([f"L{n}" for n in range(10)]).endswith("L7 and 2 more")
