"""Whether a version is what somebody hands in, on all layers and beside the masks."""

from __future__ import annotations

import numpy as np

from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.project.cases.version import (
    Pins,
    Version,
    read_answers,
    read_boxes,
    read_landmarks,
    read_provenance,
    read_version,
    whole_versions,
)
from napari_medlabel.project.cases.versions import Labelled, Sheet
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.telling import plain_answers


def find_same(seat: Seat, case: CaseId, labelled: Labelled, pins: Pins) -> Version | None:
    """Return the last whole version of this rater when it is what would be written."""
    numbers = whole_versions(seat.layout, seat.rater.code, case)
    if not numbers:
        return None
    version = read_version(seat.layout, seat.rater.code, case, numbers[-1])
    is_same = version.pins == pins and has_same_work(seat.layout, version, labelled)
    return version if is_same and _has_origins(seat.layout, version, labelled) else None


def has_same_work(layout: Layout, version: Version, labelled: Labelled) -> bool:
    """Tell whether a version has the same masks on all layers, and the same beside them.

    Raises
    ------
    InputError, GeometryError
        When the version is not there as it was submitted.
    """
    return (
        has_same_masks(version, labelled)
        and read_landmarks(layout, version) == labelled.landmarks
        and has_same_beside(layout, version, labelled)
    )


def has_same_masks(version: Version, labelled: Labelled) -> bool:
    """Tell whether a version has the same masks on all layers."""
    further = {n: one.labels.content_id() for n, one in labelled.sheets.items()}
    return version.content == labelled.labels.content_id() and version.sheets == further


def has_same_beside(layout: Layout, version: Version, labelled: Labelled) -> bool:
    """Tell whether a version has the same answers and boxes.

    Raises
    ------
    InputError, GeometryError
        When the version is not there as it was submitted.
    """
    answers = plain_answers(read_answers(layout, version))
    boxes = read_boxes(layout, version, labelled.labels.grid)
    return answers == plain_answers(labelled.answers or {}) and (boxes or BoxSet()) == (
        labelled.boxes or BoxSet()
    )


def _has_origins(layout: Layout, version: Version, labelled: Labelled) -> bool:
    """Tell whether a version has the same provenance maps."""
    grid = labelled.labels.grid
    sheets = {0: Sheet(labelled.labels, labelled.provenance), **labelled.sheets}
    for layer, sheet in sheets.items():
        origins = read_provenance(layout, version, grid, layer)
        if origins is None or sheet.provenance is None:
            if origins is not sheet.provenance:
                return False
        elif not np.array_equal(origins, sheet.provenance):
            return False
    return True
