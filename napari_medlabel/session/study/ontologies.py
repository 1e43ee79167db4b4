"""A study's ontology by its manager: another one, or labels that a file brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.ontology.document import (
    ontology_digest,
    read_ontology,
    write_ontology,
)
from napari_medlabel.project.ontology.exchange import from_table, make_id, read_json
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.seat import Seat, require_role, worklist

_LARGEST: Final = 65535


def set_ontology(seat: Seat, ontology: Ontology) -> tuple[str, str]:
    """Give a study another ontology; readings made under the old one become outdated.

    What an id or a value means never changes: masks hold the values for ever.

    Parameters
    ----------
    ontology : Ontology
        The whole of it.

    Returns
    -------
    old, new : str
        Digests; equal where nothing changed, and then nothing was written.

    Raises
    ------
    RefusedError
        When the rater is no manager; when a value or an id would mean something else; when a
        label would go that submitted masks may hold.
    LogError, SaveError
        When the log or the file cannot be written: nothing is changed.
    """
    require_role(seat, "manager")
    with one_at_a_time(seat.layout.own / ".project.lock"):
        before = read_ontology(seat.layout.ontology)
        old, new = ontology_digest(before), ontology_digest(ontology)
        if new != old:
            _require_same_meaning(before, ontology)
            _require_none_lost(seat, before, ontology)
            detail = {"setting": "ontology", "new": new, "old": old}
            seat.desk.log.append("study.rules", detail=detail)
            write_ontology(seat.layout.ontology, ontology)
    return old, new


def taken_in(before: Ontology, path: Path) -> Ontology:
    """Return an ontology with what a file brings.

    Parameters
    ----------
    before : Ontology
        The study's.
    path : Path
        A whole ontology (JSON) takes its place. Labels alone (a Slicer terminology, a label
        table of ITK-SNAP or 3D Slicer, a BIDS ``dseg.tsv``) are added to it, or bring name,
        colour and code of those that it has; rules and everything else stay.

    Raises
    ------
    InputError
        When the file is none of these.
    RefusedError
        When a value of a table is another label's in the study.
    """
    if path.suffix.lower() == ".json":
        found, is_whole = read_json(path)
        if is_whole:
            return found
        return replace(before, labels=_with_terms(before.labels, found.labels))
    return replace(before, labels=_with_rows(before.labels, from_table(path).labels))


def _with_rows(
    known: Sequence[OntologyLabel], rows: Sequence[OntologyLabel]
) -> tuple[OntologyLabel, ...]:
    """Add labels of a table by their values."""
    found = {label.value: label for label in known}
    ids = {label.id for label in known}
    for row in rows:
        label = found.get(row.value)
        if label is None:
            found[row.value] = replace(row, id=make_id(row.name, ids))
        elif label.name.casefold() == row.name.casefold():
            found[row.value] = replace(
                label, name=row.name, colour=row.colour, coding=row.coding or label.coding
            )
        else:
            raise RefusedError(
                f"In the file the value {row.value} is another label than in the study.",
                hint="Give that label a value that the study does not use.",
            )
    return tuple(found.values())


def _with_terms(
    known: Sequence[OntologyLabel], terms: Sequence[OntologyLabel]
) -> tuple[OntologyLabel, ...]:
    """Add labels of a terminology by their codes; it has no values."""
    labels = list(known)
    ids, values = {one.id for one in known}, {one.value for one in known}
    names = {one.name.casefold() for one in known}
    for term in terms:
        same = next((n for n, one in enumerate(labels) if one.coding == term.coding), None)
        if same is not None:
            labels[same] = replace(labels[same], colour=term.colour)
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
    return tuple(labels)


def _require_same_meaning(before: Ontology, after: Ontology) -> None:
    by_value = {one.value: one.id for one in before.labels}
    by_id = {one.id: one.value for one in before.labels}
    for one in after.labels:
        if (
            by_value.get(one.value, one.id) != one.id
            or by_id.get(one.id, one.value) != one.value
        ):
            raise RefusedError(
                f"The value {one.value}, or the id that it has here, is another label's in the "
                "study, and masks hold it.",
                hint="Keep id and value of each label; give a new label new ones.",
            )


def _require_none_lost(seat: Seat, before: Ontology, after: Ontology) -> None:
    lost = {one.id for one in before.labels} - {one.id for one in after.labels}
    if not lost:
        return
    if any(now.version for row in worklist(seat).rows for now in row.slots.values()):
        raise RefusedError(
            f"{len(lost)} labels of the study are not in the new ontology, and masks were "
            "submitted that may hold them.",
            hint="Keep them; the guidelines can say that they are no longer drawn.",
        )
