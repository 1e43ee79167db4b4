"""Panels of the review show what they are given and ask; what cannot be says why."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_medlabel.audit.format.kinds import TAGS
from napari_medlabel.widgets.study.review_panel import ReviewPanel
from napari_medlabel.widgets.study.review_rows import WHOLE, Mark, ReviewRow
from napari_medlabel.widgets.study.score_panel import ScorePanel
from napari_medlabel.widgets.study.tag_row import REASON_WORDS, TAG_WORDS
from napari_medlabel.widgets.study.thread_panel import Line, ThreadPanel, ThreadView

ROWS = (
    ReviewRow(1, "Liver", "#d65f5f", 1200, 14.4),
    ReviewRow(2, "Spleen", "#5fd65f", 0, None),
)
ASKED = Line("Reviewer", "2026-11-23 04:37", "Is <b>this</b> the dome?")


@pytest.fixture
def panel(qtbot: QtBot) -> ReviewPanel:
    made = ReviewPanel()
    qtbot.addWidget(made)
    made.show_reading("sub-001_ct A", "Version 1, round 1: in review", "review")
    made.show_rows(ROWS)
    return made


@pytest.fixture
def threads(qtbot: QtBot) -> ThreadPanel:
    made = ThreadPanel()
    qtbot.addWidget(made)
    made.show_labels({1: "Liver"})
    about = ("Liver", "R 4 A 6 S 6 mm", ("boundary",))
    made.show_threads(
        [
            ThreadView("a" * 16, 1, "open", (ASKED,), *about),
            ThreadView("b" * 16, 2, "resolved", (Line("You", "", "", resolves=True),)),
        ]
    )
    return made


def test_tab_goes_from_the_table_through_its_marks_as_they_stand(panel: ReviewPanel) -> None:
    panel.show_rows((*ROWS, ReviewRow(3, "Node", "#5f5fd6", 8, 0.1)))  # made anew, all of them
    boxes = [panel.table.cellWidget(row, 3) for row in range(4)]
    chain, at = [], panel.table.nextInFocusChain()
    while at is not panel.table:
        if at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            chain.append(at)
        at = at.nextInFocusChain()
    assert chain[:4] == boxes
    assert panel.comment in chain[4:]


def test_every_tag_and_reason_of_the_log_has_words() -> None:
    assert all(TAGS.accepts(tag) for tag in TAG_WORDS)
    assert len(TAG_WORDS) == 8
    assert set(REASON_WORDS) >= {"CORRECTION", "QA_FEEDBACK", "OTHER"}


def test_a_label_is_marked_tagged_and_commented(panel: ReviewPanel) -> None:
    assert [panel.table.item(n, 0).text() for n in range(3)] == [
        *("Whole reading", "Liver", "Spleen"),
    ]
    assert (panel.table.item(1, 2).text(), panel.table.item(2, 2).text()) == ("14.40", "-")
    noted: list[int] = []
    panel.noted.connect(noted.append)
    panel.table.setCurrentCell(1, 0)
    panel.tags.buttons["missed"].click()
    panel.comment.setText("Tip")
    panel.comment.textEdited.emit("Tip")
    assert panel.mark(1) == Mark("fault", ("missed",), "Tip")
    assert noted == [1, 1]
    panel.table.setCurrentCell(2, 0)
    assert (panel.tags.tags, panel.comment.text(), panel.chosen) == ((), "", 2)
    # Counts follow the painting; marks stay.
    panel.show_rows((ReviewRow(1, "Liver", "#d65f5f", 1300, 15.6), ROWS[1]))
    assert panel.table.item(1, 1).text() == "1300"
    box = panel.table.cellWidget(1, 3)
    assert box.currentText() == "✖ fault"
    box.setCurrentIndex(box.findData("good"))
    box.activated.emit(box.currentIndex())
    assert panel.mark(1) == Mark("good", (), "Tip")


def test_what_cannot_be_done_says_why(panel: ReviewPanel) -> None:
    buttons = (panel.approve_button, panel.reject_button, panel.correct_button)
    assert [one.isEnabled() for one in buttons] == [True, False, False]
    assert "Say what is wrong" in panel.reject_button.toolTip()
    panel.set_mark(1, Mark("fault"))
    assert [one.isEnabled() for one in buttons] == [False, True, False]
    panel.set_mark(1, Mark("good"))
    panel.show_open(2)
    assert "2 open comments" in panel.despite_box.text()
    assert not panel.approve_button.isEnabled()
    panel.despite_box.setChecked(True)
    assert panel.approve_button.isEnabled()
    assert panel.is_despite
    panel.show_corrected(frozenset({2}))
    assert [one.isEnabled() for one in buttons] == [False, False, True]
    assert panel.table.cellWidget(2, 3).currentText() == "✎ corrected"
    panel.show_busy(True)
    assert not any(one.isEnabled() for one in (*buttons, panel.leave_button))


def test_an_approved_reading_is_only_unlocked(panel: ReviewPanel, qtbot: QtBot) -> None:
    panel.show_reading("sub-001_ct A", "approved", "unlock")
    hidden = (panel.approve_button, panel.reject_button, panel.table, panel.tags)
    assert not any(one.isVisibleTo(panel) for one in hidden)
    panel.reason_box.setCurrentIndex(panel.reason_box.findData("PROTOCOL"))
    with qtbot.waitSignal(panel.unlock_requested) as asked:
        panel.unlock_button.click()
    assert asked.args == ["PROTOCOL"]
    panel.show_reading("sub-001_ct A", "corrected", "second")
    assert panel.approve_button.isVisibleTo(panel)
    assert not panel.correct_button.isVisibleTo(panel)
    assert panel.mark(WHOLE) == Mark()


def test_a_thread_is_shown_jumped_to_and_answered(threads: ThreadPanel, qtbot: QtBot) -> None:
    item = threads.list.item(0)
    assert item.text() == "◆ 1  Is <b>this</b> the dome?\nLiver · boundary · R 4 A 6 S 6 mm"
    threads.choose("a" * 16)
    # What somebody wrote is text, and nothing of it is markup.
    assert "Is <b>this</b> the dome?" in threads.said.toPlainText()
    with qtbot.waitSignal(threads.jump_requested) as asked:
        threads.list.itemClicked.emit(item)
    assert asked.args == ["a" * 16]
    assert not threads.reply_button.isEnabled()
    threads.reply.setText(" Yes. ")
    with qtbot.waitSignal(threads.reply_requested) as asked:
        threads.reply_button.click()
    assert asked.args == ["a" * 16, "Yes."]
    assert threads.reply.text() == " Yes. "
    with qtbot.waitSignal(threads.resolve_requested):
        threads.resolve_button.click()
    threads.choose("b" * 16)
    assert threads.resolve_button.text() == "Reopen"
    with qtbot.waitSignal(threads.reopen_requested):
        threads.resolve_button.click()
    threads.resolved_box.setChecked(False)
    assert threads.list.count() == 1


def test_a_new_comment_is_pinned_or_not(threads: ThreadPanel, qtbot: QtBot) -> None:
    assert "Write the comment first" in threads.pin_button.toolTip()
    threads.text.setText("Motion")
    threads.show_label(1)
    threads.tags.buttons["other"].click()
    for button, pinned in ((threads.pin_button, True), (threads.add_button, False)):
        with qtbot.waitSignal(threads.add_requested) as asked:
            button.click()
        assert asked.args == ["Motion", 1, ("other",), pinned]
    threads.show_return("Sent back.")
    assert threads.banner.text.text() == "Sent back."
    threads.show_keys("Alt-N")
    assert "Alt-N" in threads.next_button.text()
    threads.show_threads((), can_write=False)
    assert not threads.pin_button.isEnabled()
    assert not threads.talk.isVisibleTo(threads)


def test_a_score_is_one_click(qtbot: QtBot) -> None:
    panel = ScorePanel()
    qtbot.addWidget(panel)
    panel.show_place("sub-001_ct A", 2, 59, "0 of 2 were faulty.")
    assert panel.bar.value() == 2
    with qtbot.waitSignal(panel.scored) as asked:
        panel.buttons[0].click()
    assert asked.args == [0]
    panel.show_busy(True)
    assert not any(button.isEnabled() for button in panel.buttons.values())
    assert "sends back" in panel.buttons[3].toolTip()
