"""A small study that is ready to leave: a DICOM-born and a NIfTI-born case, both approved."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from napari_medlabel.io.nifti.reading import load
from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.model.labelmap import Code, LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.labels import BoxKind, Coding, OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology, Template
from napari_medlabel.project.ontology.questions import Choice, Question
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.session.study import reviewing, working
from napari_medlabel.session.study.adding import Naming, add_scans
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.submitting import Submission, submit
from tests.export.leaving import HEADER
from tests.io.scans import voxels, write_series
from tests.session.study.a_study import cleaning
from tests.session.study.small_study import SmallStudy, make_study

ORGAN = Code("SCT", "123037004", "Anatomical Structure")
LABELS = Ontology(
    "Organs",
    (
        OntologyLabel(
            "liver", 3, "Liver", "#d65f5f", Coding(ORGAN, Code("SCT", "10200004", "Liver"))
        ),
        OntologyLabel(
            "spleen", 7, "Spleen", "#5fd65f", Coding(ORGAN, Code("SCT", "78961009", "Spleen"))
        ),
    ),
    (Template("liver", "Liver", LandmarkSet((Landmark("Porta", description="Its middle."),))),),
    questions=(
        Question("clear", "Is it clear?", "study", "boolean"),
        Question(
            "focal", "Is it focal?", "slice", "multiple", (Choice("a", "A"), Choice("b", "B"))
        ),
        Question("note", "A remark?", "study", "text"),
    ),
    boxes=(BoxKind("lesion", "Lesion", "#e69f00"),),
)
ANSWERS = {"clear": True, "focal@k1": ["a", "b"], "note": "typed by a person"}
BOXES = BoxSet(
    (Box3D(1, "lesion", (1, 0, 1), (3, 4, 3)), Box3D(4, "liver", (0, 0, 0), (2, 2, 1), 3))
)
OBLIQUE = (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)
READERS = ("r01", "r02")


def make_leaving(tmp: Path, *, readings: int = 1) -> SmallStudy:
    """Make a study with two cases, each read and approved.

    With two readings the first case has a consensus of which nothing is decided, the second one
    by a rule.
    """
    study = make_study(tmp, cases=0, readings=readings, ontology=LABELS)
    write_series(tmp / "in", voxels(4), orientation=OBLIQUE, **HEADER)
    array = np.random.default_rng(3).integers(0, 99, (6, 5, 4)).astype(np.int16)
    nib.save(nib.Nifti1Image(array, np.diag([2.0, 2.0, 3.0, 1.0])), tmp / "one.nii")
    desk, how = study.desk("m1"), cleaning()
    study.cases += add_scans(study.layout, tmp / "in", desk, how).cases
    naming = Naming(subject="002", kind="ct")
    study.cases += add_scans(study.layout, tmp / "one.nii", desk, how, naming).cases
    for case in study.cases:
        for number, slot in enumerate("AB"[:readings]):
            read(study, READERS[number], case, slot, shift=number)
    if readings > 1:
        for case, way in zip(study.cases, ("adjudicate", "union"), strict=True):
            reach(study.seat("m1"), case, way, load(study.layout.scan(case)))
    return study


def read(study: SmallStudy, rater: str, case: CaseId, slot: str, *, shift: int = 0) -> None:
    """Read a case, and approve it."""
    seat, scan = study.seat(rater), load(study.layout.scan(case))
    working.start(seat, case, slot)
    labels = LabelMap.empty(scan.grid, LABELS.scheme())
    labels.array[1:3, 1 + shift : 3 + shift, 0:2] = 3
    labels.array[3, 3:5, 2] = 7
    places = scan.grid.affine.matrix @ np.array([1.0, 2.0, 1.0, 1.0])
    marks = LandmarkSet((Landmark("Porta", tuple(map(float, places[:3]))),))
    notes = WorkNotes(60.0, frozenset(range(scan.grid.shape[2])))
    work = Submission(Labelled(labels, marks, ANSWERS, boxes=BOXES), notes)
    submit(seat, case, slot, scan, work, reason="PROTOCOL")
    reviewer = study.seat("r04")
    reviewing.begin_review(reviewer, case, slot)
    reviewing.approve(reviewer, case, slot)
