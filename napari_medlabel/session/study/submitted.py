"""What was submitted of a reading, as a whole: what a correction begins with."""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.cases.version import (
    read_answers,
    read_boxes,
    read_labels,
    read_landmarks,
    read_provenance,
    read_version,
)
from napari_medlabel.project.cases.versions import Labelled, Sheet
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.provenance import Map
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.seat import Seat, look


def submitted_work(seat: Seat, case: CaseId, slot: str, grid: Grid) -> Labelled:
    """Return all that counts now of a reading: what a correction begins with.

    Parameters
    ----------
    grid : Grid
        Of the case's scan.

    Raises
    ------
    RefusedError
        When the rater is still blind to it.
    InputError, GeometryError
        When nothing was submitted, or the version is not there as it was.
    """
    at = look(seat, case, slot)
    maker = seat.code_of(at.now.maker)
    require_may_see(seat, at.row, maker)
    if not at.now.version or not maker:
        raise InputError(
            "Nothing was submitted of this reading, or by nobody whom the study knows.",
            hint="See how it stands in the list, or: medlabel project status STUDY",
        )
    layout = seat.layout
    version = read_version(layout, maker, case, at.now.version)
    ontology = read_ontology(layout.ontology)
    sheets = {
        layer: Sheet(
            read_labels(layout, version, grid, ontology.scheme(layer), layer),
            read_provenance(layout, version, grid, layer),
        )
        for layer in version.sheets
    }
    return Labelled(
        read_labels(layout, version, grid, ontology.scheme(), 0),
        read_landmarks(layout, version),
        read_answers(layout, version) or None,
        read_provenance(layout, version, grid),
        read_boxes(layout, version, grid),
        sheets,
    )


def with_sheet(work: Labelled, sheet: int, labels: LabelMap, origins: Map | None) -> Labelled:
    """Return work with another mask on one of its layers; the others stay as they are."""
    if sheet == 0:
        return replace(work, labels=labels, provenance=origins)
    return replace(work, sheets={**work.sheets, sheet: Sheet(labels, origins)})


def labels_on(work: Labelled, sheet: int) -> LabelMap:
    """Return the mask of one of the layers of work.

    Raises
    ------
    InputError
        When it has none there.
    """
    if sheet == 0:
        return work.labels
    if sheet not in work.sheets:
        raise InputError(
            f"What was submitted has no mask of layer {sheet}.",
            hint="It was made before the ontology had labels there: send it back.",
        )
    return work.sheets[sheet].labels
