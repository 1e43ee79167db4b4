"""Labels that overlap lie on layers, each with a mask of its own, from drawing to a version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.export.seg_nrrd import save_seg_nrrd
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.cases.version import read_labels, read_provenance, read_version
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.reading.provenance import HUMAN, KEPT
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session import outbox
from napari_medlabel.session.case import Session
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.importing import import_marks
from napari_medlabel.session.study.left_over import left_by_crash
from napari_medlabel.session.study.opening import open_to_look, open_to_work
from napari_medlabel.session.study.readings import ready_readings
from napari_medlabel.session.study.seat import at_reading, look
from napari_medlabel.session.study.settling import settle
from napari_medlabel.session.study.submitting import (
    ComplaintsError,
    look_before_submit,
    open_work,
    submit,
)
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import LIVER, ONTOLOGY, SmallStudy, make_study

LESION = OntologyLabel("lesion", 7, "Lesion", "#0072b2", layer=1)
TWO = replace(ONTOLOGY, labels=(LIVER, LESION))
RULES = ("sidecar", "files", "content", "scheme", "name", "hash", "geometry", "missing")
BOX = (slice(2, 4), slice(2, 4), slice(1, 3))


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01"), ontology=TWO)
    start(made.seat("r01"), made.cases[0], "A")
    yield made
    made.close()


def draw(study: SmallStudy, sheet: int, value: int) -> None:
    """Draw a block on a layer as the window does: the same place on each."""
    seat = study.seat("r01")
    opening = open_to_work(seat, study.cases[0], "A", sheet)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    assert session.labels.scheme.values == (value,)
    block = np.full((2, 2, 2), value, np.uint8)
    session.edit(BOX, block, name="Block", origin="assisted" if sheet else "human")
    save(session)
    session.close()


def test_overlapping_labels_are_drawn_checked_submitted_and_read(study: SmallStudy) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    draw(study, 0, 1)
    folder = study.layout.work("r01", case)
    write_notes(folder, WorkNotes(30.0, frozenset({0, 1, 2})))
    write_notes(
        folder / "sheet-1", WorkNotes(5.0, frozenset({3, 4, 5}), answers={"clear": True})
    )
    made = open_work(study.layout, "r01", case, scan)
    assert (made.notes.active_s, made.notes.shown) == (35.0, set(range(6)))
    (missing,) = look_before_submit(seat, scan, made)
    assert (missing.rule, missing.label) == ("empty", 7)
    with pytest.raises(ComplaintsError):
        submit(seat, case, "A", scan, made)
    draw(study, 1, 7)
    made = open_work(study.layout, "r01", case, scan)
    assert look_before_submit(seat, scan, made) == ()
    done = submit(seat, case, "A", scan, made)
    assert not submit(seat, case, "A", scan, made).is_new
    version = read_version(study.layout, "r01", case, 1)
    assert version == done.version
    assert set(version.sheets) == {1}
    for layer, value, origin in ((0, 1, HUMAN), (1, 7, KEPT)):
        scheme = TWO.scheme(layer)
        labels = read_labels(study.layout, version, scan.grid, scheme, layer)
        assert labels.voxel_counts() == {value: 8}
        assert (labels.array[BOX] == value).all()
        origins = read_provenance(study.layout, version, scan.grid, layer)
        assert origins is not None
        assert (origins[BOX] == origin).all()
    assert open_to_look(seat, case, "A", 1).wishes.mask == version.path(
        study.layout, "l1dseg.nii.gz"
    )
    with pytest.raises(InputError, match="has labels on several layers"):
        read_labels(study.layout, version, scan.grid, TWO.scheme())
    (reading,) = ready_readings(seat, look(seat, case, "A").row, scan.grid)
    assert (reading.on(1).content, reading.on(1).answers) == (version.sheets[1], {})
    with pytest.raises(InputError, match="Reading A has no mask of layer 2"):
        reading.on(2)
    with pytest.raises(InputError, match="no labels on that layer"):
        open_to_look(seat, case, "A", 2)
    with pytest.raises(InputError, match="no mask of layer 2"):
        read_labels(study.layout, version, scan.grid, TWO.scheme(), 2)
    found = validate(study.layout).findings
    assert [one for one in found if one.level == "error" and one.rule in RULES] == []
    assert study.is_sound()


def test_another_mask_on_a_further_layer_is_another_version(study: SmallStudy) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    draw(study, 0, 1)
    draw(study, 1, 7)
    write_notes(study.layout.work("r01", case), WorkNotes(30.0, answers={"clear": True}))
    made = open_work(study.layout, "r01", case, scan)
    lost = replace(made, labelled=replace(made.labelled, sheets={}))
    with pytest.raises(InputError, match="a mask is needed for each: 0, 1"):
        submit(seat, case, "A", scan, lost)
    sheet = made.labelled.sheets[1]
    wrong = replace(made.labelled, labels=sheet.labels)
    with pytest.raises(ComplaintsError, match="The value 7 is no label"):
        submit(seat, case, "A", scan, replace(made, labelled=wrong), reason="CORRECTION")
    assert submit(seat, case, "A", scan, made).version.number == 1


def test_a_file_with_overlapping_labels_is_imported_layer_by_layer(study: SmallStudy) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    masks = []
    for layer, value in ((0, 1), (1, 7)):
        mask = LabelMap.empty(scan.grid, TWO.scheme(layer))
        mask.array[BOX] = value
        masks.append(mask)
    file = study.tmp / "both.seg.nrrd"
    save_seg_nrrd(file, masks)
    first = import_marks(seat, case, "A", file)
    assert (first.labels, first.voxels) == (("Liver",), 8)
    assert "--layer 1" in first.warnings[-1]
    assert import_marks(seat, case, "A", file, layer=1).labels == ("Lesion",)
    made = open_work(study.layout, "r01", case, scan).labelled
    assert made.labels.voxel_counts() == {1: 8}
    assert made.sheets[1].labels.voxel_counts() == {7: 8}
    assert (made.sheets[1].labels.array[BOX] == 7).all()
    save_seg_nrrd(study.tmp / "one.seg.nrrd", masks[1:])
    with pytest.raises(InputError, match="lie on other layers of the ontology: 1"):
        import_marks(seat, case, "A", study.tmp / "one.seg.nrrd", replaces=True)


def test_a_conflict_on_a_further_layer_is_told_apart_and_settled(study: SmallStudy) -> None:
    """The same account on two copies of the folder: the first layer's mask is the same."""
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    draw(study, 0, 1)
    draw(study, 1, 7)
    write_notes(study.layout.work("r01", case), WorkNotes(30.0, answers={"clear": True}))
    made = open_work(study.layout, "r01", case, scan)
    done = submit(seat, case, "A", scan, made)
    first, other = done.version.content, f"sha256:{'e' * 64}"
    record = look(seat, case, "A").record
    seat.desk.log.append(
        "review.submit",
        subject=[record.subject],
        detail={"case": record.content, "slot": "A", "step": 2, "version": 2},
        objects=[ObjectRef(first, "new", "mask"), ObjectRef(other, "new", "mask")],
    )
    judge = study.seat("m1")
    now = look(judge, case, "A").now
    assert now.state == "conflict"
    chosen = done.version.sheets[1]
    assert {one.masks for one in now.rivals} == {(first, chosen), (first, other)}
    for unclear in (first, "r01"):
        with pytest.raises(InputError, match="they differ on another layer"):
            settle(judge, case, "A", unclear)
    assert settle(judge, case, "A", chosen) == settle(judge, case, "A", chosen) == "submitted"
    now = look(judge, case, "A").now
    assert (now.version, now.masks) == (1, (first, chosen))
    assert study.is_sound()


def test_what_a_crash_left_is_told_though_another_has_the_same_first_mask(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, scan, seat = study.cases[0], study.scan(), study.seat("r01")
    draw(study, 0, 1)
    draw(study, 1, 7)
    write_notes(study.layout.work("r01", case), WorkNotes(30.0, answers={"clear": True}))
    made = open_work(study.layout, "r01", case, scan)

    def fail(*_: object) -> None:
        raise LogError("No.", hint="Wait.")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "tell", fail)
        with pytest.raises(LogError):
            submit(seat, case, "A", scan, made)
    content, other = made.labelled.labels.content_id(), f"sha256:{'e' * 64}"
    record = look(seat, case, "A").record
    study.desk("m1").log.append(
        "review.submit",
        subject=[record.subject],
        detail={"case": record.content, "slot": "A", "step": 2, "version": 1},
        objects=[ObjectRef(content, "new", "mask"), ObjectRef(other, "new", "mask")],
    )
    with at_reading(seat, case, "A") as at:
        assert at.now.state == "conflict"
        wanted = (content, made.labelled.sheets[1].labels.content_id())
        assert wanted in {one.masks for one in at.now.rivals}


def test_boxes_that_are_drawn_on_a_further_layer_are_submitted(study: SmallStudy) -> None:
    case, seat = study.cases[0], study.seat("r01")
    draw(study, 0, 1)
    opening = open_to_work(seat, case, "A", 1)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    session.boxing.open()
    session.boxing.add("lesion", (2, 2, 1), (4, 4, 3), 7)
    session.close()
    made = open_work(study.layout, "r01", case, study.scan()).labelled
    assert [one.kind for one in made.boxes] == ["lesion"]


def test_what_a_crash_left_of_a_layer_is_offered_on_that_layer_alone(study: SmallStudy) -> None:
    case, seat = study.cases[0], study.seat("r01")

    def opened(sheet: int) -> Session:
        opening = open_to_work(seat, case, "A", sheet)
        return open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)

    session = opened(1)
    session.edit(BOX, np.full((2, 2, 2), 7, np.uint8), name="Block", origin="human")
    session.keeper.sweep()
    session.close()
    first = opened(0)
    assert first.recoveries == ()
    first.close()
    (found,) = (again := opened(1)).recoveries
    assert (found.array[BOX] == 7).all()
    again.close()


def test_what_a_crash_left_of_a_layer_keeps_the_reading_from_being_submitted(
    study: SmallStudy,
) -> None:
    case, seat, scan = study.cases[0], study.seat("r01"), study.scan()
    draw(study, 0, 1)
    draw(study, 1, 7)
    folder = study.layout.work("r01", case)
    write_notes(folder, WorkNotes(30.0, frozenset(range(6)), answers={"clear": True}))

    def opened() -> Session:
        opening = open_to_work(seat, case, "A", 1)
        return open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)

    session = opened()
    session.edit(BOX, np.zeros((2, 2, 2), np.uint8), name="Block", origin="human")
    session.keeper.sweep()
    session.close()
    made = open_work(study.layout, "r01", case, scan)
    assert look_before_submit(seat, scan, made) == ()
    with pytest.raises(ComplaintsError, match="of the layer of Lesion") as caught:
        submit(seat, case, "A", scan, made, reason="PROTOCOL")
    (left,) = caught.value.complaints
    assert (left.rule, left.layer, left.blocks) == ("unsaved", 1, True)
    assert left_by_crash(seat, case, "A", scan, besides=1) == (), "there it is offered"
    session = opened()
    session.decline(session.recoveries[0])
    session.close()
    assert submit(seat, case, "A", scan, made).is_new


def test_landmarks_are_refused_where_they_would_not_be_submitted(study: SmallStudy) -> None:
    case, seat = study.cases[0], study.seat("r01")
    opening = open_to_work(seat, case, "A", 1)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    session.marking.mode = "free"
    with pytest.raises(InputError, match="first layer") as caught:
        session.marking.click((1.0, 2.0, 3.0))
    assert "top of the dock" in caught.value.hint
    assert session.landmarks.placed == ()
    assert session.undo() is None
    session.close()
    opening = open_to_work(seat, case, "A")
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    session.marking.mode = "free"
    assert session.marking.click((1.0, 2.0, 3.0))
    session.close()
