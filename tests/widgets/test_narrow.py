"""Long names of labels and schemes make no dock wider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QWidget

from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.plugin.tools.catalogue import MENUS, TOOLS
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.ontology.questions import Choice, Question
from napari_medlabel.project.ontology.trees import Node, Tree, Way
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.label_panel import LabelPanel
from napari_medlabel.widgets.narrow import (
    BreakingCheck,
    BreakingRadio,
    FittingButton,
    breakable,
    narrow,
    shortened,
)
from napari_medlabel.widgets.study.box_panel import BoxPanel
from napari_medlabel.widgets.study.complaints_panel import ComplaintsPanel
from napari_medlabel.widgets.study.question_panel import QuestionPanel
from napari_medlabel.widgets.study.reading_bar import ReadingBar
from napari_medlabel.widgets.study.thread_panel import ThreadPanel
from napari_medlabel.widgets.study.tree_panel import TreePanel
from napari_medlabel.widgets.study.worklist_panel import WorklistPanel
from napari_medlabel.widgets.tool_panel import ToolPanel

NAME = "Left anterior descending coronary artery, distal part"


def width_of_panels(qtbot: QtBot, name: str) -> tuple[int, int]:
    """Return how wide labels and tools must be where a label and its scheme have a name."""
    labels, tools = (
        LabelPanel({"own": LabelScheme(name, (Label(1, name, "#d65f5f"),))}),
        ToolPanel(TOOLS, MENUS),
    )
    for panel in (labels, tools):
        qtbot.addWidget(panel)
    tools.show_nothing()
    tools.show_label(name, "#d65f5f")
    assert tools.title.toolTip() == name, "it can be read whole"
    return labels.minimumSizeHint().width(), tools.title.minimumSizeHint().width()


def test_a_long_name_takes_no_more_room_than_a_usual_one(qtbot: QtBot) -> None:
    labels, tools = width_of_panels(qtbot, "Aortic root, outlet")
    long_labels, long_tools = width_of_panels(qtbot, NAME)
    assert long_labels == labels
    assert max(tools, long_tools) <= 100, "words break into lines"
    box = narrow(QComboBox())
    qtbot.addWidget(box)
    before = box.minimumSizeHint().width()
    box.addItem(NAME)
    assert box.minimumSizeHint().width() == before


def test_a_short_name_stays_and_a_long_one_keeps_both_ends() -> None:
    assert shortened("Liver") == "Liver"
    cut = shortened(NAME)
    assert (cut.startswith("Left"), cut.endswith("part"), len(cut) <= 20) == (True, True, True)


# What is around a page takes some 30 of the dock's 330 pixels.
ROOM_PX = 300
CASE = "sub-MAASTRICHT003_ses-BASELINE02_run-1_ct A"
ASKED = "Which of these does the whole examination show, if it shows any of them at all?"


@pytest.fixture
def styled(qtbot: QtBot) -> Iterator[None]:
    """Look like napari with words of 125 %."""
    from napari._qt.qt_resources import get_stylesheet

    app = QApplication.instance()
    app.setStyleSheet(get_stylesheet("dark", extra_variables={"font_size": "11pt"}))
    yield
    app.setStyleSheet("")


def study_pages() -> list[QWidget]:
    bar, boxes, threads = ReadingBar(), BoxPanel(), ThreadPanel()
    bar.show_reading(CASE, "review")
    bar.show_guide_key("F9")
    bar.show_layers({0: NAME, 1: NAME}, 0)
    boxes.show_kinds([("lesion", (NAME, "#e69f00"))])
    threads.show_labels({1: NAME})
    threads.show_keys("Alt-N")
    threads.tags_button.setChecked(True)
    questions, tree = QuestionPanel(), TreePanel()
    choices = tuple(Choice(f"c{n}", f"{NAME}, {n}") for n in range(3))
    asked = tuple(Question(kind, ASKED, "study", kind, choices=choices) for kind in KINDS)
    questions.show_questions([(NAME, "", asked)], {})
    questions.show_absent([("liver", NAME)], ())
    tree.show_trees(
        [
            Tree(
                "rim", ASKED, (Node("n", ASKED, (Way(ASKED, "problem"), Way("No", "problem"))),)
            )
        ],
        {},
    )
    return [bar, boxes, threads, questions, tree, WorklistPanel(), ComplaintsPanel()]


def test_the_whole_dock_with_an_open_case_fits_with_large_words(
    styled: None, qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    dock = MedlabelDock(ViewerModel())
    qtbot.addWidget(dock)
    dock.resize(DOCK_PX, 1000)
    dock.show()
    dock.desk.show_session(session)
    tools = dock.tool_desk.panel.palette_
    for number in range(dock.tabs.count()):
        dock.tabs.setCurrentIndex(number)
        QApplication.processEvents()
        assert dock.minimumSizeHint().width() <= DOCK_PX, dock.tabs.tabText(number)
        assert dock.column.horizontalScrollBar().maximum() == 0
    dock.tabs.setCurrentIndex(0)
    words = tools.buttons["brush"].font
    qtbot.waitUntil(lambda: words().pointSizeF() > 9.5, timeout=3000)
    qtbot.waitUntil(
        lambda: all(b.width() >= b.sizeHint().width() for b in tools.buttons.values()),
        timeout=3000,
    )
    dock.desk.leave(discard=True)
    WORKPLACE.close()


DOCK_PX = 330
KINDS = ("choice", "multiple")


def test_every_page_of_a_study_fits_the_dock_with_long_names_and_large_words(
    styled: None, qtbot: QtBot
) -> None:
    for page in study_pages():
        qtbot.addWidget(page)
        page.resize(ROOM_PX, 800)
        page.show()
        QApplication.processEvents()
        assert page.minimumSizeHint().width() <= ROOM_PX, type(page).__name__


@pytest.mark.parametrize("kind", [BreakingRadio, BreakingCheck])
def test_a_long_answer_is_broken_into_lines_and_is_whole(
    kind: type[BreakingRadio | BreakingCheck], qtbot: QtBot
) -> None:
    around, button = QWidget(), kind(f"{NAME} & vein")
    qtbot.addWidget(around)
    button.setParent(around)
    around.resize(600, 300)
    around.show()
    button.resize(160, 120)
    shown = QAbstractButton.text(button)
    assert shown.replace("\n", " ") == f"{NAME} && vein", "an ampersand is no key"
    assert "\n" in shown
    assert button.text() == f"{NAME} & vein"
    assert button.minimumSizeHint().width() < 160


def test_a_button_that_is_too_narrow_has_its_words_in_its_tooltip(qtbot: QtBot) -> None:
    around, button = QWidget(), FittingButton("Undo: fill between slices")
    qtbot.addWidget(around)
    button.setParent(around)
    around.resize(600, 100)
    around.show()
    button.resize(90, 25)
    assert (button.text(), button.toolTip()) == (("Undo: fill between slices",) * 2)
    button.resize(400, 25)
    assert button.toolTip() == ""


def test_a_cases_name_breaks_between_its_parts_alone() -> None:
    assert breakable("sub-001_ct A") == "sub-001_ct A"
    assert breakable(CASE).split("\u200b") == [
        "sub-MAASTRICHT003_",
        "ses-BASELINE02_",
        "run-1_",
        "ct A",
    ]
