"""A small study made by hand, without log and de-identification: for tests of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.dataset import root_files
from napari_medlabel.project.cases.participants import read_participants, to_tsv, with_patient
from napari_medlabel.project.cases.pixels import pixel_digest
from napari_medlabel.project.cases.record import CaseRecord, write_record
from napari_medlabel.project.cases.versions import Labelled, Pins, Version, write_version
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import ontology_digest, write_ontology
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.settings import Rater, Settings, write_settings

ONTOLOGY = Ontology(
    "Livers",
    (
        OntologyLabel("liver", 1, "Liver", "#b5651d"),
        OntologyLabel("cyst", 2, "Cyst", "#d65f5f"),
    ),
)
SETTINGS = Settings("Livers", (Rater("r01", "u1-0123456789abcdef", ("manager",)), Rater("r02")))
PINS = Pins(ontology_digest(ONTOLOGY), f"sha256:{'0' * 64}")
NOON = "2026-11-22T12:00:00Z"


def token(text: str) -> str:
    return f"s1-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def make_study(root: Path) -> Layout:
    layout = Layout(root)
    layout.guidelines.parent.mkdir(parents=True)
    layout.guidelines.write_text("# Guidelines\n")
    for name, data in root_files("Livers").items():
        (root / name).write_bytes(data)
    write_ontology(layout.ontology, ONTOLOGY)
    write_settings(layout.project, SETTINGS)
    return layout


def add(layout: Layout, subject: str = "001", *, seed: int = 1, patient: str = "") -> CaseId:
    """Put an oblique scan of 6 x 5 x 4 voxels into a study."""
    case = CaseId(subject)
    path = layout.scan(case)
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 2000, (4, 5, 6), np.uint16).T
    turned = np.array(
        [[0.8, 0.1, 0, -11.5], [-0.1, 0.9, 0.2, 23.25], [0, -0.2, 3, 41], [0, 0, 0, 1]]
    )
    write_mask_nifti(path, array, None, False, Affine(turned))
    scan = load(path)
    i, j, k = (float(mm) for mm in scan.grid.affine.spacing_mm)
    digest = f"sha256:{sha256_file(path)}"
    record = CaseRecord(
        case,
        f"sha256:{hashlib.sha256(str(case).encode()).hexdigest()}",
        token(patient or subject),
        digest,
        pixel_digest(scan.array),
        (digest,),
        "",
        "CT",
        scan.grid.shape,
        (i, j, k),
        NOON,
    )
    write_record(layout, record)
    rows = with_patient(read_participants(layout.participants), subject, {})
    layout.participants.write_bytes(to_tsv(rows))
    return case


def scan_of(layout: Layout, case: CaseId) -> Volume:
    return load(layout.scan(case))


def labels_on(scan: Volume, value: int = 1) -> LabelMap:
    labels = LabelMap.empty(scan.grid, ONTOLOGY.scheme())
    labels.array[1:3, 2:4, 1:3] = value
    return labels


def submit(layout: Layout, case: CaseId, rater: str = "r02", number: int = 1) -> Version:
    scan = scan_of(layout, case)
    return write_version(
        layout, rater, case, number, Labelled(labels_on(scan)),
        scan=scan, ontology=ONTOLOGY, pins=PINS, time=NOON,
    )  # fmt: skip
