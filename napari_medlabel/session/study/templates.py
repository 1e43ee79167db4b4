"""What a new study begins with: an ontology of a preset or a file, guidelines to fill in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.project.ontology.document import from_json
from napari_medlabel.project.ontology.exchange import from_table, from_terminology, make_id
from napari_medlabel.project.ontology.labels import Coding, Laterality, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology, Template

_STRUCTURE: Final = Code("SCT", "123037004", "Anatomical Structure")  # PS3.16 CID 7150
_SIDES: Final[Mapping[str, Code]] = {
    "right": Code("SCT", "24028007", "Right"),
    "left": Code("SCT", "7771000", "Left"),
}


def find_ontology(named: str, templates: Iterable[str] = ()) -> Ontology:
    """Return the ontology that a name or a file means.

    Parameters
    ----------
    named : str
        A label scheme that comes with the program, or a file: an ontology, a label scheme or
        a Slicer terminology (JSON), or a label table (ITK-SNAP, 3D Slicer, BIDS dseg.tsv).
    templates : iterable of str
        Landmark templates to add, by name or file.

    Raises
    ------
    InputError
        When there is none of that name, or the file is none.
    """
    path = Path(named)
    if named in presets.schemes() or not path.is_file():
        found = ontology_of(presets.scheme(named))
    elif path.suffix.lower() == ".json":
        found = _from_file(path)
    else:
        found = from_table(path)
    added = list(found.templates)
    for name in templates:
        ids = {one.id for one in added}
        title = name if name in presets.templates() else "Landmarks"
        added.append(Template(make_id(title, ids), title, presets.find_template(name)))
    return Ontology(
        found.name, found.labels, tuple(added), found.boxes, found.questions, found.trees
    )


def ontology_of(scheme: LabelScheme) -> Ontology:
    """Return the ontology with the labels of a scheme, without rules."""
    ids: set[str] = set()
    labels = tuple(_label(one, make_id(one.name, ids)) for one in scheme.labels)
    return Ontology(scheme.name, labels)


def guidelines_for(name: str, ontology: Ontology) -> str:
    """Return guidelines to fill in: what every annotator asks sooner or later, label by label.

    Parameters
    ----------
    name : str
        Of the study.
    ontology : Ontology
        Each of its labels gets a section, which the program shows beside the label in hand.
    """
    sections = [_GENERAL.format(name=name)]
    sections += [_LABEL.format(name=one.guide or one.name) for one in ontology.labels]
    if ontology.templates:
        listed = "\n".join(f"- {one.name}: {len(one.landmarks)}" for one in ontology.templates)
        sections.append(f"{_LANDMARKS}\n{listed}\n")
    return "\n".join(sections)


def _label(label: Label, key: str) -> OntologyLabel:
    coding, side = None, ""
    if label.code is not None:
        side = label.code.side
        kind = Code(label.code.scheme, label.code.value, label.code.meaning)
        coding = Coding(_STRUCTURE, kind, _SIDES.get(side))
    laterality: Laterality = "right" if side == "right" else "left" if side == "left" else ""
    return OntologyLabel(
        key, label.value, label.name, label.colour, coding, laterality=laterality
    )


def _from_file(path: Path) -> Ontology:
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, ValueError) as err:
        raise InputError(
            "The ontology's file cannot be read, or is not JSON.",
            hint="See docs/reference/ontology.md for its form.",
        ) from err
    if isinstance(data, dict) and "SegmentationCodes" in data:
        return from_terminology(text)
    if isinstance(data, dict) and data.get("medlabel") != "ontology" and "labels" in data:
        return ontology_of(LabelScheme.from_json(data))
    return from_json(data)


_GENERAL: Final = """# Guidelines: {name}

Replace what stands in brackets. Pictures lie in this folder and are shown as in any Markdown.
Each change makes a new version; what was submitted under an older one is listed as stale.

## In general

- Purpose: [What will the labels be used for? What decision hangs on them?]
- Which scans: [Series, contrast phase, time point. Which ones are skipped, and why.]
- Window: [Level and width in HU at which borders are drawn.]
- Border: [Does a voxel that is half inside belong to it? Capsule, wall, fat, vessels?]
- Plane: [In which plane is drawn, in which is checked? Every slice, or some and between?]
- Overlap: [Where two labels touch or overlap, which one wins?]
- Occlusion and artefacts: [Metal, motion, cut off by the field of view: draw what is seen, what
  must be there, or nothing?]
- Unsure: [When to raise a problem, when to skip, when to ask.]
- Nothing found: [How is that said? Which slices must have been looked at?]
- Names: [No name, number or date of a patient in comments or answers.]
"""
_LABEL: Final = """## {name}

- Belongs to it: [...]
- Does not belong to it: [...]
- Smallest size that counts: [in mm or ml]
- Occluded or cut off: [...]
- Overlap with neighbours: [...]
- Edge cases: [variants, after surgery, several parts]
- Example: [picture of a good one, picture of a frequent fault]
"""
_LANDMARKS: Final = """## Landmarks

- Accuracy: [How near is near enough, in mm?]
- Not to be seen: [Mark it as absent, with the reason; never guess.]
"""
