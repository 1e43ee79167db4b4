"""The ontology in the words of other programs: Slicer terminology, ITK-SNAP, BIDS dseg.tsv."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.label_table import read_label_table
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.project.ontology.document import from_json
from napari_medlabel.project.ontology.labels import Coding, Laterality, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology

_SCHEMA: Final = (
    "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/segment-context-schema.json#"
)
_TISSUE: Final = Code("SCT", "85756007", "Tissue")
_SIDES: Final[Mapping[str, Laterality]] = {
    "7771000": "left",
    "24028007": "right",
    "51440002": "both",
}
"""SNOMED CT: Left, Right, Right and left."""
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

    Labels without a code are left out: a terminology is made of codes.
    """
    categories: dict[Code, Row] = {}
    for label in ontology.labels:
        coding = label.coding
        if coding is None:
            continue
        category = categories.setdefault(
            coding.category, {**_coded(coding.category), "Type": []}
        )
        types: list[Row] = category["Type"]
        known = next((t for t in types if t["CodeValue"] == coding.type.value), None)
        colour = [round(255 * part) for part in Label(1, "x", label.colour).rgb]
        if known is None:
            known = _coded(coding.type)
            types.append(known)
        if coding.modifier is None:
            known["recommendedDisplayRGBValue"] = colour
        else:
            known.setdefault("Modifier", []).append(
                {**_coded(coding.modifier), "recommendedDisplayRGBValue": colour}
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
        title = coding.type.meaning
        side: Laterality = ""
        if coding.modifier is not None:
            title = f"{title}, {coding.modifier.meaning.lower()}"
            side = _SIDES.get(coding.modifier.value, "")
        labels.append(
            OntologyLabel(make_id(title, ids), value, title, colour, coding, laterality=side)
        )
    return Ontology(name, _own_names(labels))


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
    for label in scheme.labels:
        red, green, blue = (round(255 * part) for part in label.rgb)
        name = label.name.replace('"', "'")
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
    for label in ontology.labels:
        if label.layer == layer:
            name = re.sub(r"\s+", " ", label.name)
            code = label.coding.type if label.coding is not None else None
            said = "n/a" if code is None else f"{code.scheme}:{code.value}"
            mapping = standard_value(label) or "n/a"
            cells = (label.value, name, label.id, label.colour, mapping, said)
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
    ids: set[str] = set()
    labels = []
    for label in read_label_table(path).labels:
        coding = None if label.code is None else Coding(_TISSUE, label.code)
        labels.append(
            OntologyLabel(
                make_id(label.name, ids), label.value, label.name, label.colour, coding
            )
        )
    return Ontology(name, tuple(labels))


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
