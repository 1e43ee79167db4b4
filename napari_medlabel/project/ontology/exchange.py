"""The ontology in the words of other programs: Slicer terminology, ITK-SNAP, BIDS dseg.tsv."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unicodedata import category as category_of

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.label_table import code_as_text, read_coded_table
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.project.ontology.document import from_json
from napari_medlabel.project.ontology.labels import (
    Coding,
    Laterality,
    OntologyLabel,
    is_same_code,
)
from napari_medlabel.project.ontology.ontology import Ontology

_SCHEMA: Final = (
    "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/segment-context-schema.json#"
)
TISSUE: Final = Code("SCT", "85756007", "Tissue")
"""The category where a table has none, as Slicer has it."""
_ALTERED: Final = "49755003"  # SNOMED CT: Morphologically abnormal structure
_STANDARD: Final[Mapping[str, int]] = {
    "grey matter": 1,
    "white matter": 2,
    "cerebrospinal fluid": 3,
    "csf": 3,
    "bone": 4,
    "soft tissue": 5,
    "non brain": 6,
    "lesion": 7,
    "cortical grey matter": 8,
    "subcortical grey matter": 9,
    "brainstem": 10,
    "brain stem": 10,
    "cerebellum": 11,
}
"""BIDS 1.10, derivatives of imaging, common image-derived labels."""
Row = dict[str, Any]


# -- Slicer terminology ------------------------------------------------------------------


def to_terminology(ontology: Ontology) -> str:
    """Return the labels as a terminology that Slicer's Segment Editor offers.

    Labels without a code are left out: a terminology is made of codes. It has no regions:
    labels that differ in them alone are one entry.
    """
    categories: dict[tuple[str, str], Row] = {}
    for label in ontology.labels:
        coding = label.coding
        if coding is None:
            continue
        category = categories.setdefault(_key(coding.category), _coded(coding.category))
        kind = _entry(category.setdefault("Type", []), coding.type)
        entry = kind
        if coding.modifier is not None:
            entry = _entry(kind.setdefault("Modifier", []), coding.modifier)
        # Where labels share an entry, for they differ in region alone, the first colours it.
        entry.setdefault(
            "recommendedDisplayRGBValue",
            [round(255 * part) for part in Label(1, "x", label.colour).rgb],
        )
    document = {
        "SegmentationCategoryTypeContextName": ontology.name,
        "@schema": _SCHEMA,
        "SegmentationCodes": {"Category": list(categories.values())},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def from_terminology(text: str) -> Ontology:
    """Make an ontology of a Slicer terminology; values count from 1 in its order.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        data = json.loads(text)
        rows = list(_terms(data["SegmentationCodes"]["Category"]))
        name = str(data.get("SegmentationCategoryTypeContextName", "Terminology"))
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "This is no terminology of Slicer: expected SegmentationCodes with categories.",
            hint="Choose a file such as SegmentationCategoryTypeModifier-*.term.json.",
        ) from err
    ids: set[str] = set()
    labels = []
    for value, (coding, colour) in enumerate(rows, 1):
        title = coding.type.meaning.strip() or coding.type.value.strip() or f"Label {value}"
        if coding.modifier is not None:
            title = f"{title}, {coding.modifier.meaning.lower()}"
        key = make_id(title, ids)
        labels.append(OntologyLabel(key, value, title, colour, coding, laterality=coding.side))
    return Ontology(name, _own_names(labels))


def _key(code: Code) -> tuple[str, str]:
    return code.scheme, code.value


def _entry(rows: list[Row], code: Code) -> Row:
    """Return the row of a code among others; it is added where it is not there."""
    found = next((r for r in rows if is_same_code(_code(r), code)), None)
    if found is None:
        found = _coded(code)
        rows.append(found)
    return found


def _coded(code: Code) -> Row:
    return {
        "CodingSchemeDesignator": code.scheme,
        "CodeValue": code.value,
        "CodeMeaning": code.meaning,
    }


def _code(row: Mapping[str, Any]) -> Code:
    scheme, value, meaning = (
        str(row[key]) for key in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    )
    return Code(scheme, value, meaning)


def _terms(categories: list[Any]) -> Iterator[tuple[Coding, str]]:
    for category in categories:
        for kind in category["Type"]:
            coding = Coding(_code(category), _code(kind))
            modifiers = kind.get("Modifier", [])
            if not modifiers or "recommendedDisplayRGBValue" in kind:
                yield coding, _hex(kind)
            for modifier in modifiers:
                yield replace(coding, modifier=_code(modifier)), _hex(modifier)


def _hex(row: Mapping[str, Any]) -> str:
    red, green, blue = (int(v) for v in row.get("recommendedDisplayRGBValue", (128, 174, 128)))
    return f"#{red:02x}{green:02x}{blue:02x}"


def read_json(path: Path) -> tuple[Ontology, bool]:
    """Read an ontology or a Slicer terminology.

    Returns
    -------
    ontology : Ontology
        What the file says.
    is_whole : bool
        Whether it is an ontology, which says everything; else labels alone.

    Raises
    ------
    InputError
        When it cannot be read or is none of these.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, ValueError) as err:
        raise InputError(
            "The ontology's file cannot be read, or is not JSON.",
            hint="See docs/reference/ontology.md for its form.",
        ) from err
    if isinstance(data, dict) and "SegmentationCodes" in data:
        return from_terminology(text), False
    return from_json(data), True


# -- tables ------------------------------------------------------------------------------


def to_snap(scheme: LabelScheme) -> str:
    """Return a scheme as ITK-SNAP's label descriptions."""
    lines = [
        "################################################",
        "# ITK-SnAP Label Description File",
        "# File format: ",
        "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL",
        "################################################",
        '    0     0    0    0        0  0  0    "Clear Label"',
    ]
    names = written_names(scheme.labels)
    for label in scheme.labels:
        red, green, blue = (round(255 * part) for part in label.rgb)
        name = names[label.value]
        lines.append(
            f'{label.value:>5}   {red:>3}  {green:>3}  {blue:>3}        1  1  1    "{name}"'
        )
    return "\n".join(lines) + "\n"


def to_dseg_tsv(ontology: Ontology, layer: int = 0) -> str:
    """Return the labels of a layer as BIDS has it beside ``_dseg.nii.gz``.

    The column ``mapping`` holds the value that a label has in BIDS's own list of tissues
    (`standard_value`), and ``n/a`` for what that list does not have: most of the body.
    """
    lines = ["index\tname\tabbreviation\tcolor\tmapping\tcode"]
    lines.append("0\tbackground\tbackground\t#000000\t0\tn/a")
    own = [label for label in ontology.labels if label.layer == layer]
    names = written_names(own)
    for label in own:
        said = "" if label.coding is None else code_as_text(label.coding.type)
        mapping = standard_value(label) or "n/a"
        cells = (
            label.value,
            names[label.value],
            label.id,
            label.colour,
            mapping,
            said or "n/a",
        )
        lines.append("\t".join(str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def standard_value(label: OntologyLabel) -> int:
    """Return a label's value in BIDS's list of common image-derived labels; 0 for none."""
    if label.coding is not None and label.coding.category.value == _ALTERED:
        return _STANDARD["lesion"]
    words = re.sub(r"[^a-z]+", " ", label.name.lower()).split()
    plain = " ".join(word for word in words if word not in ("left", "right"))
    return _STANDARD.get(plain.replace("gray", "grey"), 0)


def from_table(path: Path, name: str = "Labels") -> Ontology:
    """Make an ontology of any label table that is read beside masks.

    Raises
    ------
    InputError
        When it is none.
    """
    table = read_coded_table(path)
    ids: set[str] = set()
    labels = []
    for label in table.scheme.labels:
        coding: Coding | None = None
        side: Laterality = ""
        if label.code is not None:
            said = {"category": TISSUE, **table.codes.get(label.value, {})}
            coding = Coding(type=label.code, **said)
            side = coding.side
        key = make_id(label.name, ids)
        labels.append(
            OntologyLabel(key, label.value, label.name, label.colour, coding, laterality=side)
        )
    return Ontology(name, tuple(labels))


def written_names(labels: Iterable[Label | OntologyLabel]) -> dict[int, str]:
    """Return the names of labels as a line of a table holds them, by value.

    Without line ends, tabs and quotation marks; names that become alike are numbered.
    """
    names: dict[int, str] = {}
    for label in labels:
        signs = (" " if category_of(sign) in ("Cc", "Cs") else sign for sign in label.name)
        plain = " ".join("".join(signs).replace('"', "'").split()) or f"Label {label.value}"
        name, number = plain, 1
        while name in names.values():
            number += 1
            name = f"{plain} ({number})"
        names[label.value] = name
    return names


def make_id(name: str, taken: set[str]) -> str:
    """Make an id of a name, and note it as taken."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "label"
    word = (word if word[0].isalpha() else f"label_{word}")[:56]
    found, number = word, 2
    while found in taken:
        found, number = f"{word}_{number}", number + 1
    taken.add(found)
    return found


def _own_names(labels: list[OntologyLabel]) -> tuple[OntologyLabel, ...]:
    """Give each label a name of its own: two categories may have one structure."""
    names: set[str] = set()
    out = []
    for label in labels:
        name, number = label.name, 2
        while name in names:
            name, number = f"{label.name} {number}", number + 1
        names.add(name)
        out.append(replace(label, name=name))
    return tuple(out)
