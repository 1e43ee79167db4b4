"""Label tables of other programs: numbers, names, colours and codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.label_table import (
    code_as_text,
    only_used,
    parse_label_table,
    read_coded_table,
    read_label_table,
)
from napari_medlabel.model.labelmap import Code, Label, LabelScheme

SNAP = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Left kidney"
    2     0  255    0        0.5  1  0    "Tumour, second"
"""
FREESURFER = """#No. Label Name:                            R   G   B   A
0   Unknown                                 0   0   0   0
2   Left-Cerebral-White-Matter              245 245 245 0
17  Left-Hippocampus                        220 216 20  0
"""
BIDS = (
    "index\tname\tabbreviation\tcolor\n0\tbackground\tBG\t#000000\n"
    "1\tGrey Matter\tGM\t#FF53BB\n"
)
SLICER = (
    "LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Type_CodingScheme,Type_CodeValue,"
    'Type_CodeMeaning\n1,"Liver, left",221,130,101,255,SCT,10200004,Liver\n'
)
XML = (
    '<?xml version="1.0"?><CaretExtension><LabelTable><Label Key="1" Red="1" Green="0.5" '
    'Blue="0" Alpha="1"><![CDATA[spleen]]></Label>\n<Label Key="2" Red="0" Green="0" Blue="1">'
    "lung &amp; wall</Label></LabelTable></CaretExtension>"
)
OWN = (
    '{"format": "x", "scheme": {"name": "S", "labels": '
    '[{"value": 4, "name": "A", "colour": "#102030"}]}}'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SNAP, [(1, "Left kidney", "#ff0000"), (2, "Tumour, second", "#00ff00")]),
        (
            FREESURFER,
            [(2, "Left-Cerebral-White-Matter", "#f5f5f5"), (17, "Left-Hippocampus", "#dcd814")],
        ),
        (BIDS, [(1, "Grey Matter", "#ff53bb")]),
        (SLICER, [(1, "Liver, left", "#dd8265")]),
        (XML, [(1, "spleen", "#ff8000"), (2, "lung & wall", "#0000ff")]),
        (OWN, [(4, "A", "#102030")]),
    ],
    ids=["itk-snap", "freesurfer", "bids", "slicer-csv", "caret", "own"],
)
def test_every_kind_of_table_is_read(
    text: str, expected: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    scheme = read_label_table(path)
    assert [(one.value, one.name, one.colour) for one in scheme.labels] == expected


def test_tables_without_colours_get_some_and_codes_are_kept() -> None:
    scheme = parse_label_table('{"labels": {"background": 0, "liver": 1, "tumour": 2}}')
    assert [one.name for one in scheme.labels] == ["liver", "tumour"]
    assert scheme[1].colour != scheme[2].colour
    assert parse_label_table('{"1": "liver", "7": "liver"}')[7].name == "liver (2)"
    code = parse_label_table(SLICER)[1].code
    assert code is not None
    assert (code.scheme, code.value, code.meaning) == ("SCT", "10200004", "Liver")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("SCT:10200004", ("SCT", "10200004", "Liver")),  # as we know it
        ("99OWN:x1", ("99OWN", "x1", "My liver")),  # as its label is called
        ("n/a", None),
        ("", None),
        ("12:30", None),
        ("http://x.y", None),
        ("a b:c", None),
    ],
)
def test_a_code_in_one_column_is_read_and_written(
    cell: str, expected: tuple[str, str, str] | None
) -> None:
    code = parse_label_table(f"index\tname\tcode\n1\tMy liver\t{cell}\n")[1].code
    assert code == (None if expected is None else Code(*expected))
    assert code is None or code_as_text(code) == cell
    assert code_as_text(Code("A B", "1", "x")) == ""


def test_a_table_tells_what_it_says_of_colours_and_further_codes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "LabelValue,Name,Color,Category_CodingScheme,Category_CodeValue,Category_CodeMeaning,"
        "Type_CodingScheme,Type_CodeValue,Type_CodeMeaning,TypeModifier_CodingScheme,"
        "TypeModifier_CodeValue,TypeModifier_CodeMeaning\n"
        "1,A,#102030,SCT,123037004,Anatomical Structure,SCT,10200004,Liver,SCT,7771000,Left\n"
        "2,B,,,Tissue,,,,n/a,SCT,n/a,\n"
    )
    table = read_coded_table(path)
    assert table.coloured == {1}
    assert table.codes == {
        1: {
            "category": Code("SCT", "123037004", "Anatomical Structure"),
            "modifier": Code("SCT", "7771000", "Left"),
        },
        2: {},
    }
    assert table.scheme == read_label_table(path)
    for text, coloured in ((OWN, {4}), ('{"1": "liver"}', set())):
        path.write_text(text)
        assert read_coded_table(path).coloured == coloured


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A letter to Invented^Name\n", "no label table"),
        ("", "no label table"),
        ("{", "not valid JSON"),
        ('{"name": "Invented", "FlipAngle": 8}', "names no labels"),
        ("index\tname\nInvented\tA\n", "a row whose number is none"),
        ("70000 A 1 2 3 4\n", "goes beyond"),
        ("1 A 1 2 3 4\n1 B 1 2 3 4\n", "stands twice"),
        ("\0\1\2", "short text"),
    ],
)
def test_what_is_no_table_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=reason) as caught:
        read_label_table(path)
    assert "Invented" not in caught.value.message + caught.value.hint


def test_a_missing_or_huge_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_label_table(tmp_path / "none.txt")
    huge = tmp_path / "huge.txt"
    huge.write_bytes(b" " * (9 << 20))
    with pytest.raises(InputError, match="short text"):
        read_label_table(huge)


def test_of_an_atlas_only_what_occurs_is_kept() -> None:
    long = LabelScheme("atlas", tuple(Label(n, f"L{n}", "#ff0000") for n in range(1, 300)))
    assert only_used(long, [5, 250, 1000]).values == (5, 250)
    short = LabelScheme("few", long.labels[:10])
    assert only_used(short, [5]) is short
