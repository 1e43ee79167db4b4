"""A study whose labels overlap: two readings of a case, known voxel by voxel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.cases.versions import Labelled, Sheet
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.session.study.submitting import Submission, submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import LIVER, ONTOLOGY, SmallStudy, make_study

LESION = OntologyLabel("lesion", 7, "Lesion", "#0072b2", layer=1)
TWO = replace(ONTOLOGY, labels=(LIVER, LESION))
LIVER_A, LESION_A = np.s_[2:4, 2:4, 1:3], np.s_[2:4, 2:4, 1:3]
LIVER_B, LESION_B = np.s_[2:4, 2:4, 1:4], np.s_[3:5, 2:4, 1:3]
"""8 voxels each but the liver of B with 12; livers share 8, lesions 4, and all of a lesion of A
lies in the liver."""
Place = tuple[slice, ...]


def layered(study: SmallStudy, liver: Place, lesion: Place, number: int = 0) -> Submission:
    """Return a submission with a liver and a lesion, in the same voxels if need be."""
    scan = study.scan(number)
    first = LabelMap.empty(scan.grid, TWO.scheme())
    second = LabelMap.empty(scan.grid, TWO.scheme(1))
    first.array[liver], second.array[lesion] = 1, 7
    shown = frozenset(range(scan.grid.shape[2]))
    labelled = Labelled(
        first,
        None,
        {"clear": True},
        _origins(first.array),
        sheets={1: Sheet(second, _origins(second.array))},
    )
    return Submission(labelled, WorkNotes(60.0, shown))


def _origins(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    return (array != 0).astype(np.uint8)


def read_layered(
    study: SmallStudy, who: str, slot: str, liver: Place, lesion: Place, number: int = 0
) -> None:
    """Begin and submit a reading."""
    seat, case = study.seat(who), study.cases[number]
    start(seat, case, slot)
    submit(seat, case, slot, study.scan(number), layered(study, liver, lesion, number))


def is_just(labels: LabelMap, value: int, *places: Place) -> bool:
    """Tell whether a mask has a value in these places, and nothing elsewhere."""
    wanted = np.zeros(labels.array.shape, np.uint8)
    for place in places:
        wanted[place] = value
    return bool(np.array_equal(labels.array, wanted))


def make_layered(tmp: Path, *, cases: int = 1, readings: int = 2) -> SmallStudy:
    """Make a study with overlapping labels, of which the first case is read twice."""
    study = make_study(tmp, cases=cases, readings=readings, ontology=TWO)
    read_layered(study, "r01", "A", LIVER_A, LESION_A)
    if readings > 1:
        read_layered(study, "r02", "B", LIVER_B, LESION_B)
    return study
