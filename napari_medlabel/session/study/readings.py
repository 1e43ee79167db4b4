"""The readings of a case for who may see them: the first ones, or those that count now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.version import (
    Version,
    read_answers,
    read_boxes,
    read_labels,
    read_landmarks,
    read_provenance,
    read_version,
)
from napari_medlabel.project.cases.versions import Sheet
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.project.work.states import State, named
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.serving import is_test

READY: Final[frozenset[State]] = frozenset({"submitted", "in_review", "approved", "corrected"})
"""States of a reading that can enter a consensus."""


@dataclass(frozen=True, eq=False)
class SlotReading:
    """One reading of a case, with the mask of one of its layers in front.

    Parameters
    ----------
    slot : str
        ``A`` to ``H``.
    rater : str
        Code of who read it.
    version : Version
        Whose mask it is: the reader's, or a reviewer's who corrected it.
    labels : LabelMap
        The mask of the layer.
    landmarks : LandmarkSet or None
        In RAS mm; they go with the first layer.
    answers : dict
        By question; they go with the first layer.
    provenance : ndarray of uint8 or None, shape (i, j, k)
        Where its voxels come from.
    sheets : mapping of int to Sheet
        Masks of the layers above 0.
    layer : int
        Which layer is in front.
    boxes : BoxSet or None
        Its boxes; they go with the first layer.
    """

    slot: str
    rater: str
    version: Version
    labels: LabelMap
    landmarks: LandmarkSet | None
    answers: dict[str, object]
    provenance: npt.NDArray[np.uint8] | None
    sheets: Mapping[int, Sheet] = field(default_factory=dict)
    layer: int = 0
    boxes: BoxSet | None = None

    @property
    def content(self) -> str:
        """Content id of the mask in front."""
        return self.version.sheets[self.layer] if self.layer else self.version.content

    def on(self, layer: int) -> SlotReading:
        """Return it with the mask of another layer in front, and nothing but that.

        Raises
        ------
        InputError
            When it has none there.
        """
        if layer == self.layer:
            return self
        if layer not in self.sheets:
            raise InputError(
                f"Reading {self.slot} has no mask of layer {layer}.",
                hint="It was made before the ontology had labels there: send it back.",
            )
        sheet = self.sheets[layer]
        return replace(
            self,
            labels=sheet.labels,
            provenance=sheet.provenance,
            landmarks=None,
            answers={},
            boxes=None,
            layer=layer,
        )


def layers_of(readings: Sequence[SlotReading]) -> tuple[int, ...]:
    """Return the layers that some reading has a mask of, ascending."""
    return tuple(sorted({0, *(layer for one in readings for layer in one.sheets)}))


def first_readings(seat: Seat, row: CaseRow, grid: Grid) -> tuple[SlotReading, ...]:
    """Return what each rater submitted first: before a review, or another's mask, was seen.

    Parameters
    ----------
    row : CaseRow
        The case.
    grid : Grid
        Of its scan.

    Raises
    ------
    RefusedError
        When it would end this rater's blindness.
    InputError, GeometryError
        When a version is not there as it was submitted.
    """
    found = []
    steps = [step for step in seat.reader.read() if step.case == row.content]
    for slot, now in row.slots.items():
        submits = [
            step
            for step in steps
            if (step.slot, step.action) == (slot, "submit")
            and seat.accounts.is_one(step.user, now.user)
        ]
        if slot == CONSENSUS or not submits or is_test(seat.settings, slot):
            continue
        first = min(submits, key=lambda step: step.number)
        rater = seat.code_of(first.user)
        if rater:
            require_may_see(seat, row, rater)
            found.append(_read(seat, row.case, slot, (rater, rater, first.version), grid))
    return tuple(found)


def ready_readings(seat: Seat, row: CaseRow, grid: Grid) -> tuple[SlotReading, ...]:
    """Return the readings of a case as they count now, reviewers' corrections among them.

    Raises
    ------
    RefusedError
        When one of them is not submitted, or it would end this rater's blindness.
    InputError, GeometryError
        When a version is not there as it was submitted.
    """
    found = []
    for slot, now in row.slots.items():
        if slot == CONSENSUS or now.state == "skipped" or is_test(seat.settings, slot):
            continue
        if now.state not in READY:
            raise RefusedError(
                f"Reading {slot} of this case is {named(now.state)}: a consensus needs all.",
                hint="See in the list where they stand, or: medlabel project status STUDY",
            )
        maker = seat.code_of(now.maker)
        require_may_see(seat, row, maker)
        key = (seat.code_of(now.user), maker, now.version)
        found.append(_read(seat, row.case, slot, key, grid))
    return tuple(found)


def read_twice(seat: Seat, row: CaseRow) -> list[tuple[Step, Step]]:
    """Return the first submissions of the first and of the second reading of each rater."""
    first: dict[tuple[str, str], Step] = {}
    for step in seat.reader.read():
        if step.case == row.content and step.action == "submit" and step.slot != CONSENSUS:
            key = (seat.code_of(step.user), step.slot)
            if key not in first or step.number < first[key].number:
                first[key] = step
    found: dict[str, list[Step]] = {}
    for (code, _), step in first.items():
        if code:
            found.setdefault(code, []).append(step)
    return [
        (one, other)
        for _, many in sorted(found.items())
        if len(many) > 1
        for one, other in [sorted(many, key=lambda step: step.version)[:2]]  # their own numbers
    ]


def masks_of(layout: Layout, version: Version, grid: Grid) -> dict[int, LabelMap]:
    """Return the masks of all layers of a version, by layer, with the study's labels.

    Raises
    ------
    InputError, GeometryError
        When one is not there as it was submitted.
    """
    ontology = read_ontology(layout.ontology)
    return {
        layer: read_labels(layout, version, grid, ontology.scheme(layer), layer)
        for layer in (0, *sorted(version.sheets))
    }


def _read(
    seat: Seat, case: CaseId, slot: str, key: tuple[str, str, int], grid: Grid
) -> SlotReading:
    (rater, maker, number), layout = key, seat.layout
    version = read_version(layout, maker, case, number)
    masks = masks_of(layout, version, grid)
    return SlotReading(
        slot,
        rater,
        version,
        masks.pop(0),
        read_landmarks(layout, version),
        read_answers(layout, version),
        read_provenance(layout, version, grid),
        {
            layer: Sheet(mask, read_provenance(layout, version, grid, layer))
            for layer, mask in masks.items()
        },
        boxes=read_boxes(layout, version, grid),
    )
