"""What a crash left of a reading, and nobody has decided on: submitting waits for it."""

from __future__ import annotations

from pathlib import Path

from napari_medlabel.export.landmarks import load_landmarks, to_markups
from napari_medlabel.export.mask import load_mask
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.work.rules import Complaint
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.measuring import load_measurements
from napari_medlabel.session.opening import case_id
from napari_medlabel.session.place import journal_key
from napari_medlabel.session.recovery import find_recoveries
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.study.serving import work_folder
from napari_medlabel.session.study.sheets import sheet_folder


def left_by_crash(
    seat: Seat, case: CaseId, slot: str, scan: Volume, besides: int | None = None
) -> tuple[Complaint, ...]:
    """Return a complaint for each layer of which unsaved work waits on this computer.

    Parameters
    ----------
    scan : Volume
        The study's scan.
    besides : int, optional
        The layer that is open: what was left of that one is offered there.

    Raises
    ------
    InputError, GeometryError
        When saved work cannot be read, or lies on another grid.
    """
    ontology = read_ontology(seat.layout.ontology)
    first = work_folder(seat.layout, seat.rater.code, case, slot, seat.settings.slots)
    layers = sorted({0, *ontology.layers} - {besides})
    return tuple(
        _complaint(ontology, layer)
        for layer in layers
        if _is_left(seat, scan, ontology, sheet_folder(first, layer), layer)
    )


def _is_left(seat: Seat, scan: Volume, ontology: Ontology, folder: Path, layer: int) -> bool:
    key = journal_key(case_id(scan), folder)
    if not any(seat.desk.journals.glob(f"{key.removeprefix('sha256:')[:24]}-*.journal")):
        return False
    scheme, mask = ontology.scheme(layer), folder / MASK_FILE
    labels = LabelMap.empty(scan.grid, scheme)
    if mask.is_file():
        labels = load_mask(mask, scan.grid, scheme=scheme)
    # As a case is opened: only what differs from what lies on the disk is left over.
    template = LandmarkSet() if layer else ontology.landmarks
    marks = template or presets.template(presets.usual_for(scan.modality)[1])
    saved = folder / "landmarks.mrk.json"
    if saved.is_file():
        marks = load_landmarks(saved).merged_into(marks)
    measured = load_measurements(folder / "measurements.mrk.json")
    found = find_recoveries(
        seat.desk.journals,
        key,
        labels,
        landmarks=to_markups(marks, measured),
        version=lambda _content: None,
    )
    return any(not one.is_drafts_alone for one in found)


def _complaint(ontology: Ontology, layer: int) -> Complaint:
    labels = [label for label in ontology.labels if label.layer == layer]
    names = ", ".join(label.name for label in labels)
    where = f"of the layer of {names}" if len(ontology.layers) > 1 and names else "of it"
    words = (
        f"A crash left work {where} that is not saved and would not be submitted: open it, "
        "and take the work back or leave it."
    )
    return Complaint("unsaved", words, blocks=True, layer=layer)
