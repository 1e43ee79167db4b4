"""The ontology as a file: JSON in a form that a shipped schema describes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.landmarks import definition_of, template_from_json
from napari_medlabel.project.ontology.labels import BoxKind, Coding, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology, Template
from napari_medlabel.project.ontology.questions import Choice, Condition, Question
from napari_medlabel.project.ontology.trees import Node, Tree, Way

VERSION: Final = 1
_CODINGS: Final = ("category", "type", "modifier", "region", "region_modifier")
_HINT: Final = "See docs/reference/ontology.md; the form is in ontology.schema.json."
Row = dict[str, Any]
T = TypeVar("T")


def schema() -> Row:
    """Return the JSON schema (draft 2020-12) of the file."""
    text = resources.files("napari_medlabel.project.ontology").joinpath("ontology.schema.json")
    found: Row = json.loads(text.read_text(encoding="utf-8"))
    return found


def read_ontology(path: Path) -> Ontology:
    """Read an ontology.

    Raises
    ------
    InputError
        When it cannot be read or is not one; the place in the file is named.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise InputError("The ontology cannot be read, or is not JSON.", hint=_HINT) from err
    return from_json(data)


def write_ontology(path: Path, ontology: Ontology) -> None:
    """Write an ontology, aside and renamed.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    text = json.dumps(to_json(ontology), indent=1, ensure_ascii=False) + "\n"
    write_bytes_aside(path, text.encode("utf-8"))


def ontology_digest(ontology: Ontology) -> str:
    """Return ``sha256:<hex>`` of what it says; blanks and the order of keys do not count."""
    text = json.dumps(to_json(ontology), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


# -- writing -----------------------------------------------------------------------------


def to_json(ontology: Ontology) -> Row:
    """Return plain data; what is empty is left out."""
    return {
        "medlabel": "ontology",
        "v": VERSION,
        "name": ontology.name,
        "labels": [_label_row(one) for one in ontology.labels],
        "templates": [_template_row(one) for one in ontology.templates],
        "boxes": [
            _full({"id": b.id, "name": b.name, "colour": b.colour, "coding": _coding(b.coding)})
            for b in ontology.boxes
        ],
        "questions": [_question_row(one) for one in ontology.questions],
        "trees": [_tree_row(one) for one in ontology.trees],
    }


def _full(row: Row) -> Row:
    return {k: v for k, v in row.items() if v not in (None, "", (), [], {}, 0) or v is False}


def _code(code: Code | None) -> Row | None:
    if code is None:
        return None
    return {"scheme": code.scheme, "value": code.value, "meaning": code.meaning}


def _coding(coding: Coding | None) -> Row:
    if coding is None:
        return {}
    return _full({key: _code(getattr(coding, key)) for key in _CODINGS})


def _label_row(label: OntologyLabel) -> Row:
    row = {
        "id": label.id,
        "value": label.value,
        "name": label.name,
        "colour": label.colour,
        "coding": _coding(label.coding),
        "layer": label.layer,
        "hu_range": None if label.hu_range is None else list(label.hu_range),
        "smallest_mm3": label.smallest_mm3,
        "most_parts": label.most_parts,
        "laterality": label.laterality,
        "guide": label.guide,
    }
    return _full(row)


def _template_row(template: Template) -> Row:
    marks = [{"name": m.name, **definition_of(m)} for m in template.landmarks]
    for mark in marks:
        code = mark.get("code")
        if isinstance(code, Code):
            mark["code"] = _code(code)
    return {"id": template.id, "name": template.name, "landmarks": marks}


def _question_row(question: Question) -> Row:
    row: Row = {
        "id": question.id,
        "text": question.text,
        "level": question.level,
        "kind": question.kind,
        "choices": [{"id": c.id, "name": c.name} for c in question.choices],
        "label": question.label,
        "unit": question.unit,
        "hint": question.hint,
    }
    row = _full(row)
    if question.required:
        row["required"] = True
    for key in ("low", "high"):
        if getattr(question, key) is not None:
            row[key] = getattr(question, key)
    if question.show_if is not None:
        row["show_if"] = _full(
            {"question": question.show_if.question, "any_of": list(question.show_if.any_of)}
        )
    return row


def _tree_row(tree: Tree) -> Row:
    nodes = [
        {
            "id": node.id,
            "text": node.text,
            "ways": [{"answer": way.answer, "to": way.to} for way in node.ways],
        }
        for node in tree.nodes
    ]
    return {"id": tree.id, "name": tree.name, "nodes": nodes}


# -- reading -----------------------------------------------------------------------------


def from_json(data: object) -> Ontology:
    """Build from plain data.

    Raises
    ------
    InputError
        When it is no ontology, of a later version, or a part is not valid.
    """
    if not isinstance(data, Mapping) or data.get("medlabel") != "ontology":
        raise InputError("This is not a study's ontology.", hint=_HINT)
    if data.get("v") != VERSION:
        raise InputError(
            f"The ontology is of version {data.get('v')!r}; this program knows {VERSION}.",
            hint="Update the program.",
        )
    return Ontology(
        _text(data, "name", "the ontology"),
        _rows(data, "labels", _read_label),
        _rows(data, "templates", _read_template),
        _rows(data, "boxes", _read_box),
        _rows(data, "questions", _read_question),
        _rows(data, "trees", _read_tree),
    )


def _rows(data: Mapping[str, Any], key: str, read: Callable[[Row], T]) -> tuple[T, ...]:
    """Read a list of rows; an error names the list and the number of the row."""
    found = data.get(key, [])
    if not isinstance(found, list):
        raise InputError(f"In the ontology, {key} is a list.", hint=_HINT)
    made = []
    for number, row in enumerate(found, 1):
        try:
            made.append(read(dict(row)))
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise InputError(
                f"In the ontology, entry {number} of {key} lacks a part or has one of a wrong "
                "kind.",
                hint=_HINT,
            ) from err
        except InputError as err:
            raise InputError(
                f"In the ontology, entry {number} of {key}: {err.message}", hint=err.hint
            ) from err
    return tuple(made)


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{key} of {where} is a text.", hint=_HINT)
    return value


def _only(row: Row, known: Iterable[str]) -> None:
    """Refuse keys that are not known: a misspelt rule would be no rule."""
    if set(row) - set(known):
        raise InputError("It has a part that is not known.", hint=_HINT)


def _read_code(row: Any) -> Code:
    return Code(str(row["scheme"]), str(row["value"]), str(row["meaning"]))


def _read_coding(row: Any) -> Coding | None:
    if row is None:
        return None
    _only(row, _CODINGS)
    parts = {key: _read_code(value) for key, value in row.items()}
    return Coding(**parts)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _read_label(row: Row) -> OntologyLabel:
    _only(row, OntologyLabel.__dataclass_fields__)
    low_high = row.get("hu_range")
    if low_high is not None:
        low, high = (_number(v) for v in low_high)
        row["hu_range"] = (low, high)
    row["coding"] = _read_coding(row.get("coding"))
    for key, kind in (("value", _whole), ("layer", _whole), ("most_parts", _whole)):
        if key in row:
            row[key] = kind(row[key])
    row["smallest_mm3"] = _number(row.get("smallest_mm3", 0.0))
    for key in ("id", "name", "colour"):
        row[key] = _text(row, key, "a label")
    row["colour"] = row["colour"].lower()
    return OntologyLabel(**row)


def _read_template(row: Row) -> Template:
    _only(row, ("id", "name", "landmarks"))
    marks = template_from_json({"landmarks": row["landmarks"]})
    return Template(_text(row, "id", "a template"), _text(row, "name", "a template"), marks)


def _read_box(row: Row) -> BoxKind:
    _only(row, BoxKind.__dataclass_fields__)
    key, name, colour = (_text(row, part, "a box") for part in ("id", "name", "colour"))
    return BoxKind(key, name, colour, _read_coding(row.get("coding")))


def _read_question(row: Row) -> Question:
    _only(row, Question.__dataclass_fields__)
    row["choices"] = tuple(
        Choice(_text(c, "id", "a choice"), _text(c, "name", "a choice"))
        for c in row.get("choices", [])
    )
    for key in ("low", "high"):
        if row.get(key) is not None:
            row[key] = _number(row[key])
    condition = row.get("show_if")
    if condition is not None:
        _only(dict(condition), ("question", "any_of"))
        wanted = tuple(str(one) for one in condition.get("any_of", []))
        row["show_if"] = Condition(_text(condition, "question", "a condition"), wanted)
    if not isinstance(row.get("required", False), bool):
        raise TypeError
    for key in ("id", "text"):
        row[key] = _text(row, key, "a question")
    return Question(**row)


def _read_tree(row: Row) -> Tree:
    _only(row, ("id", "name", "nodes"))
    nodes = tuple(
        Node(
            _text(node, "id", "a node"),
            _text(node, "text", "a node"),
            tuple(
                Way(_text(way, "answer", "a way"), _text(way, "to", "a way"))
                for way in node["ways"]
            ),
        )
        for node in row["nodes"]
    )
    return Tree(_text(row, "id", "a tree"), _text(row, "name", "a tree"), nodes)
