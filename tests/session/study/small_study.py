"""A small study in a test's own folder, and desks for the people who work in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.pixels import pixel_digest
from napari_medlabel.project.cases.record import CaseRecord, write_record
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import Question
from napari_medlabel.project.settings import Rater, Role, Settings
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.opening import case_id
from napari_medlabel.session.study.seat import Seat, sit_down
from napari_medlabel.session.study.setting_up import init_study, prepare_study
from napari_medlabel.session.study.submitting import Submission

LIVER = OntologyLabel("liver", 1, "Liver", "#d65f5f")
SPLEEN = OntologyLabel("spleen", 2, "Spleen", "#5fd65f")
CLEAR = Question("clear", "Is it clear?", "study", "boolean", required=True)
ONTOLOGY = Ontology("Small", (LIVER, SPLEEN), questions=(CLEAR,))
SUBJECT = f"s1-{'0' * 32}"
PEOPLE: dict[str, tuple[Role, ...]] = {
    "m1": ("manager", "adjudicator"),
    "r01": ("annotator",),
    "r02": ("annotator",),
    "r03": ("annotator", "reviewer"),
    "r04": ("reviewer",),
}
"""Codes and roles; each has a computer, and so a token, of their own."""


@dataclass
class SmallStudy:
    """A study with some cases, and who works in it."""

    layout: Layout
    tmp: Path
    cases: list[CaseId] = field(default_factory=list)
    desks: dict[str, Desk] = field(default_factory=dict)

    def desk(self, code: str) -> Desk:
        if code not in self.desks:
            state = self.tmp / f"pc-{code}"
            self.desks[code] = open_desk(self.layout.audit, state=state)
        return self.desks[code]

    def seat(self, code: str) -> Seat:
        return sit_down(self.desk(code), self.layout)

    def again(self, code: str) -> Seat:
        """Return the seat of somebody who starts the program anew."""
        self.desks.pop(code).log.close()
        return self.seat(code)

    def scan(self, number: int = 0) -> Volume:
        return load(self.layout.scan(self.cases[number]))

    def work(self, *values: int, number: int = 0, place: int = 2) -> Submission:
        """Return a submission with a small block for each value; labels left out are absent."""
        scan = self.scan(number)
        labels = LabelMap.empty(scan.grid, ONTOLOGY.scheme())
        for value in values:
            labels.array[place : place + 2, 2 * value : 2 * value + 2, 1:3] = value
        absent = frozenset(one.id for one in ONTOLOGY.labels if one.value not in values)
        shown = frozenset(range(scan.grid.shape[2]))
        labelled = Labelled(labels, answers={"clear": True})
        return Submission(labelled, WorkNotes(60.0, shown, absent))

    def findings(self) -> tuple[Finding, ...]:
        """Close all, and return what the check of the log finds."""
        self.close()
        return tuple(verify_log(self.layout.audit, state=None).findings)

    def is_sound(self) -> bool:
        """Tell whether the log is as several computers without a site leave it."""
        return {one.code for one in self.findings()} <= {"UNCERTIFIED", "UNREMEMBERED"}

    def close(self) -> None:
        for desk in self.desks.values():
            desk.log.close()
        self.desks.clear()


def make_study(
    tmp: Path,
    *,
    cases: int = 2,
    readings: int = 2,
    people: Iterable[str] = tuple(PEOPLE),
    ontology: Ontology = ONTOLOGY,
) -> SmallStudy:
    """Make a study with cases that need no de-identification: random numbers without names."""
    layout = prepare_study(tmp / "study")
    study = SmallStudy(layout, tmp)
    name = account_name()
    keys = {one: load_token_key(tmp / f"pc-{one}") for one in people}
    raters = tuple(Rater(one, keys[one].user_token(name), PEOPLE[one]) for one in people)
    settings = Settings("Small study", raters, readings=readings)
    init_study(layout, settings, ontology, study.desk("m1"))
    for number in range(1, cases + 1):
        study.cases.append(add_plain_case(layout, number))
    return study


def add_plain_case(layout: Layout, number: int) -> CaseId:
    """Add a case of random numbers, past the de-identification that it does not need."""
    case = CaseId(f"{number:03d}")
    path = layout.scan(case)
    path.parent.mkdir(parents=True)
    values = np.random.default_rng(number).integers(0, 200, (6, 8, 10), np.uint16).T
    write_mask_nifti(path, values, None, False, Affine(np.diag([2.0, 2.0, 3.0, 1.0])))
    scan = load(path)
    write_record(
        layout,
        CaseRecord(
            case,
            case_id(scan),
            SUBJECT,
            f"sha256:{sha256_file(path)}",
            pixel_digest(scan.array),
            (),
            "",
            "CT",
            scan.grid.shape,
            scan.grid.affine.spacing_mm,
            "2026-11-22T12:00:00Z",
        ),
    )
    return case
