"""A study's ontology by its manager: another one, or labels that a file brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import RefusedError
from napari_medlabel.project.ontology.document import (
    ontology_digest,
    read_ontology,
    write_ontology,
)
from napari_medlabel.project.ontology.exchange import read_json
from napari_medlabel.project.ontology.merging import recoded, with_table, with_terms
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.seat import Seat, require_role, worklist


def set_ontology(seat: Seat, ontology: Ontology) -> tuple[str, str]:
    """Give a study another ontology; readings made under the old one become outdated.

    What an id or a value means never changes once work on a case has begun: masks hold the
    values for ever.

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
            _require_same_meaning(seat, before, ontology)
            _require_none_lost(seat, before, ontology)
            detail = {"setting": "ontology", "new": new, "old": old}
            seat.desk.log.append("study.rules", detail=detail)
            write_ontology(seat.layout.ontology, ontology)
    return old, new


@dataclass(frozen=True)
class TakenIn:
    """An ontology with what a file brings.

    Parameters
    ----------
    ontology : Ontology
        All of it.
    said : tuple of str
        What a manager is to know of the labels, in words.
    """

    ontology: Ontology
    said: tuple[str, ...] = ()


def taken_in(before: Ontology, path: Path) -> TakenIn:
    """Return an ontology with what a file brings.

    Parameters
    ----------
    before : Ontology
        The study's.
    path : Path
        A whole ontology (JSON) takes its place. Labels alone (a Slicer terminology, a label
        table of ITK-SNAP or 3D Slicer, a BIDS ``dseg.tsv``) are added to it, or bring name,
        colour and codes of those that it has, as far as they say them; rules and everything
        else stay.

    Raises
    ------
    InputError
        When the file is none of these.
    RefusedError
        When a value of a table is another label's in the study, or its code contradicts it.
    """
    if path.suffix.lower() == ".json":
        found, is_whole = read_json(path)
        if is_whole:
            return TakenIn(found, recoded(before.labels, found.labels))
        merged = with_terms(before.labels, found.labels)
    else:
        merged = with_table(before.labels, path)
    said = (*recoded(before.labels, merged.labels), *merged.said)
    return TakenIn(replace(before, labels=merged.labels), said)


def _require_same_meaning(seat: Seat, before: Ontology, after: Ontology) -> None:
    by_value = {one.value: one.id for one in before.labels}
    by_id = {one.id: one.value for one in before.labels}
    moved = [
        one.value
        for one in after.labels
        if by_value.get(one.value, one.id) != one.id
        or by_id.get(one.id, one.value) != one.value
    ]
    if moved and _is_drawn_on(seat):
        raise RefusedError(
            f"The value {moved[0]}, or the id that it has here, is another label's in the "
            "study, and work on its cases has begun: masks may hold it.",
            hint="Keep id and value of each label; give a new label new ones.",
        )


def _is_drawn_on(seat: Seat) -> bool:
    """Tell whether a mask of the study may hold labels: begun by anybody, or a known truth."""
    if any(now.steps for row in worklist(seat).rows for now in row.slots.values()):
        return True
    places = (seat.layout.root / "derivatives", seat.layout.gold)
    return any(next(place.rglob("*.nii*"), None) is not None for place in places)


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
