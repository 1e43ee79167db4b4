"""Labels of other programs among those of a study: matched, taken in, and told in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.marks.label_table import LabelTable, read_coded_table
from napari_medlabel.model.labelmap import Code, Label
from napari_medlabel.project.ontology.exchange import (
    TISSUE,
    from_table,
    make_id,
    written_names,
)
from napari_medlabel.project.ontology.labels import Coding, OntologyLabel, is_same_code
from napari_medlabel.project.ontology.left_out import named

_LARGEST: Final = 65535
_BOUND: Final = ("modifier", "region", "region_modifier")
"""Parts of a coding that were said of its type."""


@dataclass(frozen=True)
class Merged:
    """What became of labels.

    Parameters
    ----------
    labels : tuple of OntologyLabel
        All of them.
    said : tuple of str
        What a manager is to know, in words.
    """

    labels: tuple[OntologyLabel, ...]
    said: tuple[str, ...] = ()


def with_table(known: Sequence[OntologyLabel], path: Path) -> Merged:
    """Add the labels of a table by their values, or take over what it says of known ones.

    Raises
    ------
    InputError
        When the file is no label table.
    RefusedError
        When a value is another label's, or a code would contradict what stays.
    """
    table = read_coded_table(path)
    found = {label.value: label for label in known}
    ids = {label.id for label in known}
    guessed = []
    for new, row in zip(from_table(path).labels, table.scheme.labels, strict=True):
        label = found.get(new.value)
        if label is None:
            found[new.value] = replace(new, id=make_id(new.name, ids))
        else:
            found[new.value] = _taken_over(label, row, table, known)
        now = found[new.value].coding
        had = None if label is None else label.coding
        if had is None and now is not None and "category" not in table.codes.get(new.value, {}):
            guessed.append(found[new.value].name)
    said = f"Of the category {TISSUE.meaning}, for the table has none: {named(guessed)}."
    return Merged(tuple(found.values()), (said,) if guessed else ())


def recoded(before: Sequence[OntologyLabel], after: Sequence[OntologyLabel]) -> tuple[str, ...]:
    """Return in words which labels have other codes than before; DICOM SEG is made of them."""
    had = {one.id: one.coding for one in before}
    names = [one.name for one in after if one.id in had and one.coding != had[one.id]]
    return (f"Other codes than before: {named(names)}.",) if names else ()


def _taken_over(
    label: OntologyLabel, row: Label, table: LabelTable, known: Iterable[OntologyLabel]
) -> OntologyLabel:
    """Return a label with name, colour and codes of a row, as far as the table says them."""
    layer = [one for one in known if one.layer == label.layer]
    written = {written_names(them)[label.value] for them in (layer, tuple(known))}
    own = {label.name, " ".join(label.name.split()), *written}
    if row.name.casefold() not in {name.casefold() for name in own}:
        raise RefusedError(
            f"In the file the value {row.value} is another label than in the study.",
            hint="Give that label a value that the study does not use.",
        )
    return replace(
        label,
        name=label.name if row.name in own else row.name,
        colour=row.colour if row.value in table.coloured else label.colour,
        coding=_recoded(label, row.code, table.codes.get(row.value, {})),
    )


def _recoded(
    label: OntologyLabel, kind: Code | None, further: Mapping[str, Code]
) -> Coding | None:
    """Return a label's coding with what a table says of it; what it does not say stays."""
    had = label.coding
    if kind is None:
        return had
    said = {**further, "type": kind}
    if had is None:
        coding = Coding(**{"category": TISSUE, **said})
    else:
        differ = {p: c for p, c in said.items() if not is_same_code(getattr(had, p), c)}
        bound = _BOUND if "type" in differ else _BOUND[2:] if "region" in differ else ()
        if any(getattr(had, part) is not None and part not in said for part in bound):
            raise RefusedError(
                f"In the file label {label.value} has another code, without the side or region "
                "that it has in the study.",
                hint="Add Slicer's columns TypeModifier, Region and RegionModifier to the "
                "table, or change the label in the ontology itself.",
            )
        coding = replace(had, **differ)
    if coding != had and coding.side and label.laterality not in ("", coding.side):
        raise RefusedError(
            f"In the file label {label.value} is on another side than in the study.",
            hint="Check value and code of left and right in the table.",
        )
    return coding


def with_terms(known: Sequence[OntologyLabel], terms: Sequence[OntologyLabel]) -> Merged:
    """Add labels of a terminology by their codes; it has no values, and no regions.

    An entry is each label that has its codes, whatever its region: those take over its colour
    where it is one label, and stay as they are where it is several.

    Raises
    ------
    InputError
        When no value is left.
    """
    labels = list(known)
    ids, values = {one.id for one in known}, {one.value for one in known}
    names = {one.name.casefold() for one in known}
    shared: list[str] = []
    for term in terms:
        same = [n for n, one in enumerate(labels) if _is_term(term, one)]
        if len(same) == 1:
            labels[same[0]] = replace(labels[same[0]], colour=term.colour)
        elif same:
            shared += (labels[n].name for n in same)
        if same:
            continue
        value = next((v for v in range(1, _LARGEST + 1) if v not in values), 0)
        if not value:
            raise InputError("No value is left for another label.", hint="Import fewer.")
        name, number = term.name, 2
        while name.casefold() in names:
            name, number = f"{term.name} {number}", number + 1
        values.add(value)
        names.add(name.casefold())
        labels.append(replace(term, id=make_id(name, ids), value=value, name=name))
    said = (f"One entry stands for several labels, which stay as they are: {named(shared)}.",)
    return Merged(tuple(labels), said if shared else ())


def _is_term(term: OntologyLabel, label: OntologyLabel) -> bool:
    return term.coding is not None and term.coding.is_alike(
        label.coding, "category", "type", "modifier"
    )
