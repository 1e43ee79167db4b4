"""Worklist, reading bar and complaints as plain widgets: what they show and ask for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.rules import Complaint
from napari_medlabel.project.work.states import STATES
from napari_medlabel.session.study.listing import Line, Listing
from napari_medlabel.session.study.submitting import Submitted
from napari_medlabel.widgets.study.complaints_panel import ComplaintsPanel
from napari_medlabel.widgets.study.reading_bar import ReadingBar
from napari_medlabel.widgets.study.submit_desk import outcome
from napari_medlabel.widgets.study.worklist_panel import SIGNS, WorklistPanel, state_words

ONE, TWO, THREE = CaseId("001"), CaseId("002"), CaseId("003")
LINES = (
    Line(TWO, "A", "todo", "read", 0, 5, ("open", "skip", "problem")),
    Line(ONE, "B", "submitted", "read", can=("look", "withdraw", "problem"), outdated=True),
    Line(THREE, "A", "problem", "read", can=("resume",), reason="PROTOCOL"),
)
LISTING = Listing("Livers", "r01", ("annotator",), LINES, (TWO, "A"))


@pytest.fixture
def panel(qtbot: QtBot) -> WorklistPanel:
    made = WorklistPanel()
    qtbot.addWidget(made)
    made.resize(340, 500)
    made.show()
    made.show_listing(LISTING)
    return made


def shown(panel: WorklistPanel) -> list[str]:
    table = panel.table
    return [
        table.item(row, 0).text()
        for row in range(table.rowCount())
        if not table.isRowHidden(row)
    ]


def test_the_list_says_each_state_in_a_word_and_a_shape(panel: WorklistPanel) -> None:
    assert panel.title.text() == "Livers"
    assert panel.who.text() == "You are r01: annotator"
    assert panel.numbers.text().startswith("1 to do · 0 in progress · 1 submitted · 0 done")
    assert (panel.bar.value(), panel.bar.maximum()) == (1, 3)
    words = [panel.table.item(row, 2).text() for row in range(3)]
    assert words == ["○ to do", "● submitted · outdated", "▲ problem"]
    assert "reason: protocol" in panel.table.item(2, 0).toolTip()
    assert len(set(SIGNS.values())) == len(STATES) == len(SIGNS)
    review = Line(ONE, "A", "submitted", "review", 0)
    assert state_words(review) == "● to review"


def test_rows_are_sorted_and_filtered_and_stay_chosen(panel: WorklistPanel) -> None:
    panel.filter_box.setCurrentText("Problems")
    assert shown(panel) == ["sub-003_ct"]
    panel.filter_box.setCurrentText("All")
    panel.table.sortItems(0, Qt.SortOrder.DescendingOrder)
    assert shown(panel) == ["sub-003_ct", "sub-002_ct", "sub-001_ct"]
    panel.choose(ONE, "B")
    assert panel.chosen == LINES[1], "the row, not its number, is the reading"
    later = replace(LISTING, lines=(LINES[1], replace(LINES[0], priority=0)))
    panel.show_listing(later)
    assert panel.chosen == LINES[1]
    assert panel.table.isColumnHidden(3), "a column of noughts says nothing"


def test_only_what_can_be_done_is_offered(panel: WorklistPanel, qtbot: QtBot) -> None:
    assert not panel.open_button.isEnabled()
    assert panel.open_button.toolTip()
    asked: list[tuple[str, Line, str]] = []
    panel.step_requested.connect(lambda *what: asked.append(what))
    panel.choose(TWO, "A")
    assert [action.text() for action in panel.menu.actions()] == [
        "Skip…",
        "Raise a problem…",
    ]
    panel.menu.actions()[0].menu().actions()[1].trigger()
    panel.open_button.click()
    panel.choose(ONE, "B")
    assert panel.open_button.text() == "Look"
    panel.menu.actions()[1].trigger()
    panel.table.cellDoubleClicked.emit(panel.table.currentRow(), 0)
    assert asked == [
        ("skip", LINES[0], "PROTOCOL"),
        ("open", LINES[0], ""),
        ("withdraw", LINES[1], ""),
        ("look", LINES[1], ""),
    ]
    panel.choose(THREE, "A")
    assert "cannot be opened" in panel.open_button.toolTip()
    with qtbot.waitSignal(panel.next_requested) as got:
        panel.next_button.click()
    assert got.args == ["order"]
    panel.set_busy(True)
    assert not panel.next_button.isEnabled()
    panel.show_listing(replace(LISTING, next_read=None))
    assert panel.next_button.toolTip() == "Nothing is left for you."


def test_a_case_to_settle_has_a_button_that_says_so(panel: WorklistPanel, qtbot: QtBot) -> None:
    todo = Line(ONE, "consensus", "todo", "settle", 0, can=("settle",))
    done = replace(todo, case=TWO, state="approved", rank=-1)
    panel.show_listing(Listing("Livers", "a1", ("adjudicator",), (todo, done)))
    assert [panel.table.item(row, 2).text() for row in range(2)] == ["○ to settle", "✔ settled"]
    panel.choose(ONE, "consensus")
    assert panel.open_button.text() == "Settle"
    with qtbot.waitSignal(panel.step_requested) as got:
        panel.open_button.click()
    assert got.args == ["settle", todo, ""]
    own = replace(todo, can=(), rank=-1, why_not="You have read this case.")
    panel.show_listing(Listing("Livers", "a1", ("adjudicator",), (own, done)))
    panel.choose(ONE, "consensus")
    assert panel.table.item(0, 2).text() == "○ not yours to settle"
    assert "You have read this case." in panel.table.item(0, 2).toolTip()
    assert not panel.open_button.isEnabled()
    assert panel.open_button.toolTip() == "You have read this case."
    panel.filter_box.setCurrentText("Done")
    assert shown(panel) == ["sub-002_ct"]


def test_buttons_are_those_of_ones_roles(panel: WorklistPanel) -> None:
    assert panel.review_button.isHidden()
    panel.show_listing(Listing("Livers", "r04", ("reviewer",), (), next_review=(ONE, "A")))
    assert panel.next_button.isHidden()
    assert not panel.review_button.isHidden()
    assert panel.review_button.toolTip() == "Take into review and open sub-001_ct A"


def test_the_bar_names_case_and_slot_and_tells_the_time(qtbot: QtBot) -> None:
    bar = ReadingBar()
    qtbot.addWidget(bar)
    bar.show_reading("sub-001_ct A", "work")
    assert (bar.title.text(), bar.purpose.text()) == ("sub-001_ct A", "· you read it")
    bar.show_clock(75.9, is_running=True)
    assert bar.clock.text() == "▶ 1:15"
    bar.show_clock(3661, is_running=False)
    assert bar.clock.text() == "■ 1:01:01"
    bar.allow_submit("Somebody else has it.")
    assert not bar.submit_button.isEnabled()
    assert bar.submit_button.toolTip() == "Somebody else has it."
    with qtbot.waitSignal(bar.out_requested) as got:
        bar.menu.actions()[0].menu().actions()[3].trigger()
    assert got.args == ["problem", "WRONG_PATIENT"]
    bar.show_reading("sub-001_ct A", "review")
    assert bar.submit_button.isHidden()
    assert bar.clock.isHidden()


def test_complaints_jump_and_go_with_a_reason_where_none_blocks(qtbot: QtBot) -> None:
    panel = ComplaintsPanel()
    qtbot.addWidget(panel)
    small = Complaint("small", "A part of Liver is small.", 1, (1.0, 2.0, 3.0), 4)
    empty = Complaint("empty", "Spleen is empty.", 2, blocks=True)
    panel.show_complaints([small, empty], {1: "Liver", 2: "Spleen"})
    assert panel.table.item(0, 0).text() == "✖ empty", "what must be mended comes first"
    assert "1 (✖) needs an answer" in panel.words.text()
    assert panel.submit_button.isHidden()
    assert panel.reason.isHidden()
    with qtbot.waitSignal(panel.jump_requested) as got:
        panel.table.cellClicked.emit(1, 1)
    assert got.args == [small]
    assert "Label: Liver" in panel.table.item(1, 1).toolTip()
    panel.show_complaints([small], {1: "Liver"})
    assert not panel.submit_button.isHidden()
    assert not panel.submit_button.isEnabled(), "a reason first"
    panel.reason.setCurrentIndex(2)
    with qtbot.waitSignal(panel.submit_requested) as got:
        panel.submit_button.click()
    assert got.args == ["PROTOCOL"]


def test_a_score_is_told_to_who_may_know_it() -> None:
    version = SimpleNamespace(number=2)
    said = outcome("sub-001_ct A", Submitted(version, is_new=True))
    assert said == "sub-001_ct A is submitted: version 2."
    good = SimpleNamespace(passed=True, reasons=tuple)
    assert "agrees" in outcome("x", Submitted(version, is_new=True, gold=good))
    bad = SimpleNamespace(passed=False, reasons=lambda: ("Liver: Dice 0.50 below 0.85",))
    assert outcome("x", Submitted(version, is_new=True, gold=bad)).endswith(
        "The known answer differs: Liver: Dice 0.50 below 0.85."
    )
