"""Layers of a reading at the dock: switching saves, others are outlines, all is submitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.work.notes import read_notes
from napari_medlabel.session.study.readings import masks_of
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from tests.session.study.layered_study import LESION_B, LIVER_A, TWO, is_just
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01"), ontology=TWO)
    start(made.seat("r01"), made.cases[0], "A")
    made.close()
    yield made
    made.close()


@pytest.fixture
def dock(
    qtbot: QtBot, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MedlabelDock]:
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r01"))
    made = MedlabelDock(ViewerModel(title="napari-medlabel"))
    qtbot.addWidget(made)
    assert made.study_desk.take([study.layout.root])
    qtbot.waitUntil(lambda: made.study_desk.work.listing is not None)
    yield made
    made.desk.leave(discard=True)
    work = made.study_desk.work
    qtbot.waitUntil(lambda: not (work._doer.is_busy or work._reader.is_busy), timeout=10_000)
    made.study_desk.release()
    WORKPLACE.close()


def wait_open(qtbot: QtBot, dock: MedlabelDock, sheet: int) -> None:
    desk = dock.study_desk
    qtbot.waitUntil(
        lambda: (
            desk.reading is not None
            and desk.reading.sheet == sheet
            and desk.work.notes is not None
            and desk.work.sheets.layers is not None
        ),
        timeout=10_000,
    )


def draw(dock: MedlabelDock, place: tuple[slice, ...], value: int) -> None:
    shape = [part.stop - part.start for part in place]
    session = dock.study_desk.reading.session
    session.edit(place, np.full(shape, value, np.uint8), name="Block", origin="human")


def test_layers_are_switched_shown_and_submitted_together(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk, case = dock.study_desk, study.cases[0]
    work, bar = desk.work, desk.work.bar
    assert desk.open_reading("work", case, "A")
    wait_open(qtbot, dock, 0)
    assert [bar.layers.itemText(n) for n in range(2)] == ["Liver", "Lesion"]
    assert bar.layer_row.isVisibleTo(bar)
    assert work.sheets.layers.layers == [], "nothing is drawn there yet"
    draw(dock, LIVER_A, 1)
    work.put_answers({"clear": True})
    bar.layers.setCurrentIndex(1)
    bar.layers.activated.emit(1)
    wait_open(qtbot, dock, 1)
    assert bar.layers.currentText() == "Lesion"
    assert not desk.reading.session.labels.array.any()
    assert work.notes.answers == {"clear": True}, "answers are those of the whole reading"
    (liver,) = work.sheets.layers.layers
    assert (liver.name, liver.editable) == ("Other layer: Liver", False)
    assert np.count_nonzero(liver.data) == 8
    assert liver.data.shape == (4, 4, 4), "a rim of one voxel, where the outline is drawn"
    where = liver.data_to_world(np.ones(3))
    (labels,) = [one for one in dock.viewer.layers if one is desk.reading.binding.labels]
    k, j, i = np.round(labels.world_to_data(where)).astype(int)
    assert (liver.data[1:3, 1:3, 1:3] == 1).all()
    assert is_just_below(dock, liver, labels), "it hides nothing of what is drawn"
    box = desk.reading.binding.display.show(filled(study, LIVER_A))
    assert (box[k : k + 2, j : j + 2, i : i + 2] == 1).all()
    draw(dock, LESION_B, 7)
    work.submitting.submit("PROTOCOL")
    study_look = dock.study_desk.seat
    qtbot.waitUntil(
        lambda: look(study_look, case, "A").now.state == "submitted", timeout=10_000
    )
    qtbot.waitUntil(lambda: desk.reading is None, timeout=10_000)
    assert not any("Other layer" in one.name for one in dock.viewer.layers)
    version = read_version(study.layout, "r01", case, 1)
    masks = masks_of(study.layout, version, study.scan().grid)
    assert is_just(masks[0], 1, LIVER_A)
    assert is_just(masks[1], 7, LESION_B)
    assert not bar.layer_row.isVisibleTo(bar)
    folder = study.layout.work("r01", case)
    assert read_notes(folder / "sheet-1").answers == {}


def test_submit_waits_for_what_a_crash_left_of_a_layer_that_is_not_open(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk, work = dock.study_desk, dock.study_desk.work
    assert desk.open_reading("work", study.cases[0], "A", 1)
    wait_open(qtbot, dock, 1)
    dock.mark_desk.toggle()
    assert "first layer" in dock.notice.text.text(), "no landmark of this one is submitted"
    assert dock.mark_desk.hand is None
    assert not dock.landmark_panel.place_button.isChecked()
    draw(dock, LESION_B, 7)
    desk.reading.session.keeper.sweep()
    dock.desk.leave(discard=False)  # as after a crash: the journal stays
    assert desk.open_reading("work", study.cases[0], "A")
    wait_open(qtbot, dock, 0)
    assert not dock.recovery_notice.isVisibleTo(dock)
    draw(dock, LIVER_A, 1)
    work.put_answers({"clear": True})
    work.submitting.submit("PROTOCOL")
    qtbot.waitUntil(lambda: work.complaints.isVisibleTo(dock), timeout=10_000)
    rules = [one.rule for one in work.complaints._complaints]
    assert "unsaved" in rules
    assert not work.complaints.submit_button.isVisibleTo(dock), "no reason would do"
    work.complaints.table.cellClicked.emit(rules.index("unsaved"), 1)
    wait_open(qtbot, dock, 1)
    assert dock.recovery_notice.isVisibleTo(dock), "it is offered there"


def is_just_below(dock: MedlabelDock, layer: Any, other: Any) -> bool:
    shown = list(dock.viewer.layers)
    return shown.index(layer) == shown.index(other) - 1


def filled(study: SmallStudy, place: tuple[slice, ...]) -> np.ndarray:
    out = np.zeros(study.scan().grid.shape, np.uint8)
    out[place] = 1
    return out
