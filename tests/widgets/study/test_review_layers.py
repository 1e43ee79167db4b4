"""A review of overlapping labels at the dock: corrections of every layer are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.version import read_boxes, read_provenance, read_version
from napari_medlabel.session.study.readings import masks_of
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.seat import look
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.review_rows import Mark
from napari_medlabel.widgets.study.study_desk import StudyDesk
from tests.session.study.layered_study import (
    LESION_A,
    LESION_B,
    LIVER_A,
    LIVER_B,
    is_just,
    make_layered,
    read_layered,
)
from tests.session.study.small_study import SmallStudy

Show = Callable[[int], None]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    made = make_layered(tmp_path_factory.mktemp("layers"), cases=2, readings=1)
    read_layered(made, "r01", "A", LIVER_A, LESION_A, 1)
    for case in made.cases:
        begin_review(made.seat("r04"), case, "A")
    made.close()
    yield made
    made.close()


@pytest.fixture
def desk(
    qtbot: QtBot, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StudyDesk]:
    # Asking for a theme starts napari's plugins, which only a window does twice.
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r04"))
    dock = MedlabelDock(ViewerModel(title="napari-medlabel"))
    qtbot.addWidget(dock)
    made = dock.study_desk
    assert made.open_study(study.layout.root)
    yield made
    dock.desk.leave(discard=True)
    quiet(qtbot, made)
    made.close_study()
    quiet(qtbot, made)
    WORKPLACE.close()


def quiet(qtbot: QtBot, desk: StudyDesk) -> None:
    """Wait until nothing is under way."""
    work, review = desk.work, desk.review
    parts = (
        *(work._doer, work._reader, work.sheets._reader, desk.dock.desk.background),
        *(review.threads._background, review.decisions._background),
        review.decisions._comparing,
    )
    qtbot.waitUntil(
        lambda: (
            not any(part.is_busy for part in parts)
            and not review.decisions._compare.isActive()
            and not review.decisions._rows.isActive()
        ),
        timeout=10_000,
    )


def shown(qtbot: QtBot, desk: StudyDesk, sheet: int) -> None:
    """Wait until a layer is open and what is under review is known."""
    qtbot.waitUntil(
        lambda: (
            desk.reading is not None
            and desk.reading.sheet == sheet
            and desk.review.decisions.under is not None
        ),
        timeout=10_000,
    )
    quiet(qtbot, desk)


def put(desk: StudyDesk, place: tuple[slice, ...], value: int) -> None:
    """Make a label what a place is, and nothing else."""
    session = desk.reading.session
    after = np.zeros_like(session.labels.array)
    after[place] = value
    whole = tuple(slice(0, n) for n in after.shape)
    session.edit(whole, after, name="Draw", origin="human")


def names(desk: StudyDesk) -> list[str]:
    table = desk.review.decisions.panel.table
    return [table.item(row, 0).text() for row in range(table.rowCount())]


def test_corrections_of_all_layers_are_compared_and_sent(  # noqa: PLR0915 - one story
    qtbot: QtBot, desk: StudyDesk, study: SmallStudy
) -> None:
    case, panel, sheets = study.cases[0], desk.review.decisions.panel, desk.work.sheets
    assert desk.open_reading("review", case, "A")
    shown(qtbot, desk, 0)
    assert names(desk) == ["Whole reading", "Liver", "Lesion"]
    assert panel.table.item(2, 1).text() == "8"
    put(desk, LIVER_B, 1)
    desk.reading.session.boxing.add("lesion", (2, 2, 1), (4, 4, 3), 7)
    panel.set_mark(1, Mark("", ("boundary",), "The dome."))
    panel.set_mark(1, Mark("", (), "The dome."))
    panel.reason_box.setCurrentIndex(panel.reason_box.findData("PROTOCOL"))
    words = desk.review.threads.panel.text
    words.setText("Half a sen")
    sheets.choose(1)
    shown(qtbot, desk, 1)
    assert words.text() == "Half a sen"

    # What was changed and said on the first layer is known on the second.
    assert names(desk) == ["Whole reading", "Lesion", "Liver"]
    assert panel.table.item(2, 1).text() == "12"
    assert panel.mark(1).comment == "The dome."
    assert panel.reason == "PROTOCOL"
    assert panel.correct_button.isEnabled()
    assert panel.table.cellWidget(2, 3).currentText() == "✎ corrected"
    assert panel.table.cellWidget(1, 3).currentText() == "-"
    assert len(desk.reading.session.boxing.boxes) == 1
    desk.review.decisions.approve()
    quiet(qtbot, desk)
    assert "would be approved without that" in desk.dock.notice.text.text()
    assert look(desk.seat, case, "A").now.state == "in_review"

    put(desk, LESION_B, 7)
    quiet(qtbot, desk)
    # A click on a label of the other layer opens it.
    panel.label_chosen.emit(1)
    shown(qtbot, desk, 0)
    assert is_just(desk.reading.session.labels, 1, LIVER_B)
    assert panel.table.cellWidget(2, 3).currentText() == "✎ corrected"
    panel.correct_button.click()
    qtbot.waitUntil(lambda: desk.reading is None, timeout=10_000)
    quiet(qtbot, desk)
    now = look(desk.seat, case, "A").now
    version = read_version(study.layout, "r04", case, 1)
    grid = study.scan().grid
    masks = masks_of(study.layout, version, grid)
    assert (now.state, now.masks) == ("corrected", (version.content, version.sheets[1]))
    assert is_just(masks[0], 1, LIVER_B)
    assert is_just(masks[1], 7, LESION_B)
    origins = read_provenance(study.layout, version, grid, 1)
    assert origins[LESION_B].min() == 1
    assert [one.value for one in read_boxes(study.layout, version, grid)] == [7]


def test_what_was_corrected_on_a_layer_is_there_again_and_can_be_taken_back(
    qtbot: QtBot, desk: StudyDesk, study: SmallStudy
) -> None:
    case, panel, sheets = study.cases[1], desk.review.decisions.panel, desk.work.sheets
    assert desk.open_reading("review", case, "A", 1)
    shown(qtbot, desk, 1)
    put(desk, LESION_B, 7)
    sheets.choose(0)
    shown(qtbot, desk, 0)
    assert "You changed the mask" in panel.approve_button.toolTip()
    desk.dock.desk.close_case()
    assert desk.open_reading("review", case, "A")
    shown(qtbot, desk, 0)
    assert not panel.approve_button.isEnabled()
    sheets.choose(1)
    shown(qtbot, desk, 1)
    assert is_just(desk.reading.session.labels, 7, LESION_B)
    put(desk, LESION_A, 7)
    sheets.choose(0)
    shown(qtbot, desk, 0)
    qtbot.waitUntil(panel.approve_button.isEnabled, timeout=10_000)
    assert not panel.correct_button.isEnabled()
    panel.approve_button.click()
    qtbot.waitUntil(lambda: desk.reading is None, timeout=10_000)
    assert look(desk.seat, case, "A").now.state == "approved"
