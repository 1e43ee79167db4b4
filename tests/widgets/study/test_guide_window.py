"""Guidelines, questions and boxes in a real window: one reading from its opening to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.ontology.labels import BoxKind
from napari_medlabel.project.ontology.ontology import Ontology, Template
from napari_medlabel.project.ontology.questions import Condition, Question
from napari_medlabel.project.ontology.trees import Node, Tree, Way
from napari_medlabel.project.work.rules import check_sheets
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import open_work
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from tests.session.study.small_study import CLEAR, LIVER, SPLEEN, SmallStudy, make_study

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ONTOLOGY = Ontology(
    "Small",
    (LIVER, SPLEEN),
    (
        Template("a", "First", LandmarkSet((Landmark("Top"),))),
        Template("b", "Second", LandmarkSet((Landmark("Base"),))),
    ),
    (BoxKind("lesion", "Lesion", "#e69f00"),),
    (
        CLEAR,
        Question("why", "Why not?", "study", "text", show_if=Condition("clear", ("false",))),
        Question("artefact", "An artefact?", "slice", "boolean"),
        Question("strong", "A strong one?", "slice", "boolean", required=True,
                 show_if=Condition("artefact", ("true",))),
        Question("size", "How large?", "label", "number", low=0, high=300, unit="mm"),
    ),
    (
        Tree(
            "rim",
            "Rim",
            (Node("n", "Like the liver?", (Way("Yes", "label:spleen"), Way("No", "problem"))),),
        ),
    ),
)  # fmt: skip
TEXT = "# Guidelines\n\nAll.\n\n## Liver\n\nDraw it.\n\n## Spleen\n\nDraw it, too.\n"


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    for _ in range(int(seconds * 50)):
        QApplication.processEvents()
        if what():
            return
        QTest.qWait(20)
    pytest.fail("what was waited for did not come")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01"), ontology=ONTOLOGY)
    made.layout.guidelines.write_text(TEXT, encoding="utf-8")
    start(made.seat("r01"), made.cases[0], "A")
    made.close()
    yield made
    made.close()


@pytest.fixture
def dock(
    make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch, study: SmallStudy
) -> Iterator[MedlabelDock]:
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Save,
    )
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r01"))
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 900)
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    yield dock
    dock.study_desk.close_study()
    WORKPLACE.close()


def open_it(dock: MedlabelDock, study: SmallStudy) -> None:
    assert dock.study_desk.open_reading("work", study.cases[0], "A")
    # Nothing can be answered before the notes of the work are there.
    wait_for(lambda: dock.study_desk.reading and dock.study_desk.work.notes is not None)


def pointer(dock: MedlabelDock, ijk: tuple[float, float, float]) -> Pointer:
    binding = dock.desk.binding
    index = np.array(ijk, dtype=float)
    point = binding.display.points_zyx(index)
    axis = binding.display.order.index(2)
    return Pointer(point, index, axis, 2, 1, frozenset(), binding.viewer)


def test_a_reading_is_guided_asked_and_boxed(  # noqa: PLR0915 - one story
    dock: MedlabelDock, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, case = dock.study_desk, study.cases[0]
    guide = desk.guide
    assert not guide.guidelines.is_shown
    assert desk.open_study(study.layout.root)
    wait_for(lambda: guide.guidelines.is_shown)  # a new annotator sees the guidelines
    page = guide.guidelines.panel
    assert "before you begin" in page.news.text()
    open_it(dock, study)
    session = desk.reading.session
    assert [mark.name for mark in session.landmarks] == ["Top", "Base"]

    # The section of the label in hand, and the way of the tree to it.
    assert page.headings.currentText() == "Liver"
    guide.questions.trees.answer("Yes")
    guide.questions.trees.buttons[0].click()
    assert dock.desk.binding.labels.selected_label == SPLEEN.value
    assert page.headings.currentText() == "Spleen"
    assert "Spleen" in page.rules.text()
    page.read_button.click()
    assert page.banner.isHidden()

    # Questions of the case, of the slice on the screen, of the label in hand.
    rows = guide.questions.panel.rows
    k = guide.questions._slice
    assert set(rows) == {("clear", ""), ("artefact", f"k{k}"), ("size", "spleen")}
    rows["clear", ""].field.buttons[1].click()
    assert ("why", "") in rows
    rows["why", ""].field.line.setPlainText("Motion")
    rows["artefact", f"k{k}"].field.buttons[0].click()
    rows["size", "spleen"].field.line.setText("400")
    assert "0 to 300 mm" in rows["size", "spleen"].problem.text()
    rows["size", "spleen"].field.line.setText("31,5")
    dock.viewer.dims.set_current_step(0, 5 if k != 0 else 4)
    other = guide.questions._slice
    assert other != k
    assert ("artefact", f"k{other}") in rows
    assert ("strong", f"k{other}") not in rows

    # What an answer about a slice brings up is asked there; its complaint leads to it.
    asked = check_sheets(
        ONTOLOGY, {0: session.labels}, session.volume.array, None, guide.questions.answers
    )
    (lacking,) = [one for one in asked if one.question == "strong"]
    assert lacking.slice == k
    desk.work.submitting.jump(lacking)
    assert guide.questions._slice == k
    assert ("strong", f"k{k}") in rows
    assert rows["strong", f"k{k}"].problem.text()
    guide.questions.panel.absent.item(0).setCheckState(
        guide.questions.panel.absent.item(0).checkState().__class__.Checked
    )

    # A box by dragging, pulled at its side, taken back and done again; one around a label.
    boxes, hand_desk = session.boxing, guide.boxes
    hand_desk.draw(True)
    hand = hand_desk.hand
    assert hand is not None
    hand.press(pointer(dock, (2, 2, 3)))
    hand.drag(pointer(dock, (5, 4, 3)))
    hand.release(pointer(dock, (5, 4, 3)))
    (box,) = boxes.boxes
    assert (box.kind, box.start, box.stop) == ("lesion", (2, 2, 3), (6, 5, 4))
    hand.press(pointer(dock, (5.5, 3, 3)))
    hand.drag(pointer(dock, (7.5, 3, 3)))
    hand.release(pointer(dock, (7.5, 3, 3)))
    assert boxes.boxes[1].stop == (8, 5, 4)
    assert dock.undo_button.text() == "Undo: resize box"
    dock.desk.undo()
    assert boxes.boxes[1].stop == (6, 5, 4)
    dock.desk.redo()
    hand_desk.draw(False)
    after = session.labels.array[0:2, 0:2, 1:3].copy()
    after[...] = SPLEEN.value
    session.edit((slice(0, 2), slice(0, 2), slice(1, 3)), after, name="Paint")
    guide.boxes.box_from_label()
    wait_for(lambda: len(boxes.boxes) == 2)
    assert (boxes.boxes[2].start, boxes.boxes[2].stop) == ((0, 0, 1), (2, 2, 3))
    layers = hand_desk.layers.layers_of(dock.sight_desk.views.first)
    assert all(layer in dock.viewer.layers for layer in layers)
    assert dock.desk.save_now()

    # All of it lies in the work's folder, and is what a submission takes.
    dock.desk.close_case()
    assert desk.reading is None
    notes = json.loads((study.layout.work("r01", case) / "notes.json").read_bytes())
    answers = {
        "clear": False,
        "why": "Motion",
        f"artefact@k{k}": True,
        "size@spleen": 31.5,
    }
    assert notes["answers"] == answers
    assert notes["absent"] == ["liver"]
    kept = open_work(study.layout, "r01", case, study.scan()).labelled
    assert kept.boxes is not None
    assert [one.id for one in kept.boxes] == [1, 2]
    open_it(dock, study)
    assert guide.questions.answers == answers
    assert len(desk.reading.session.boxing.boxes) == 2

    # New guidelines open again, and say what has changed.
    guide.guidelines.show(False)
    dock.desk.close_case()
    text = TEXT.replace("Draw it, too.", "Leave it.")
    study.layout.guidelines.write_text(text, encoding="utf-8")
    open_it(dock, study)
    wait_for(lambda: guide.guidelines.is_shown)
    assert "1 section" in page.news.text()
    page.changed_button.click()
    assert "Leave it." in page.page.toPlainText()
    assert "Draw it, too." in page.page.toPlainText()

    # A tree that ends nowhere raises a problem.
    monkeypatch.setattr(
        "napari_medlabel.widgets.study.guide_desk.ask_reason", lambda _parent: "PROTOCOL"
    )
    guide.questions.trees.answer("No")
    guide.questions.trees.buttons[0].click()
    seat = desk.seat
    wait_for(lambda: not desk.work.is_busy and desk.reading is None)
    assert look(seat, case, "A").now.state == "problem"
    desk.close_study()
    assert not guide.guidelines.is_shown
