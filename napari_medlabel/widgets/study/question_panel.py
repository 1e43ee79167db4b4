"""The study's questions: one row each, with its answer and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.ontology.questions import Answer, Question
from napari_medlabel.widgets.study.question_row import FITS, QuestionRow, expected
from napari_medlabel.widgets.tab_order import in_order

_ID: Final = int(Qt.ItemDataRole.UserRole)
_LIST_PX: Final = 150


class QuestionPanel(QWidget):
    """Questions by what they are about, and labels of which there is nothing.

    Parameters
    ----------
    below : QWidget, optional
        Stands below them.
    """

    answered = Signal(str, str, object)
    """A question's id, the place it is about (``k12``, a label's id, or empty), the answer."""
    absent_changed = Signal(object)
    """Ids of the labels of which there is nothing (a frozenset)."""

    def __init__(self, below: QWidget | None = None) -> None:
        super().__init__()
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.hide()
        self.sections = QVBoxLayout()
        self.absent_title = QLabel("<b>Nothing to see of</b>")
        self.absent = QListWidget()
        self.absent.setMaximumHeight(_LIST_PX)
        self.absent.setToolTip("Tick what you looked for and what is not there")
        self.rows: dict[tuple[str, str], QuestionRow] = {}
        self._shape: tuple[Any, ...] = ()
        self._read_only = False
        self._titles: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addLayout(self.sections)
        column.addWidget(self.absent_title)
        column.addWidget(self.absent)
        if below is not None:
            column.addWidget(below)
        self.absent.itemChanged.connect(self._on_absent)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._settle)

    def show_questions(
        self,
        sections: Sequence[tuple[str, str, Sequence[Question]]],
        answers: Mapping[tuple[str, str], Answer],
    ) -> None:
        """Show questions; rows that are there already stay, and so does what is being typed.

        Parameters
        ----------
        sections : sequence of (title, place, questions)
            What is asked, by what it is about.
        answers : mapping
            By question's id and place.
        """
        shape = tuple((title, at, tuple(asked)) for title, at, asked in sections if asked)
        if shape != self._shape:
            self._build(shape)
        for key, row in self.rows.items():
            # What is being typed, or is no answer yet, stays for the person to mend.
            is_open = key not in answers and bool(row.problem.text())
            if not is_open and not row.field.isAncestorOf(_focused(self)):
                row.show_answer(answers.get(key))

    def show_absent(self, labels: Sequence[tuple[str, str]], absent: Collection[str]) -> None:
        """Show which labels can be absent: id and name of each, and which are."""
        self.absent.blockSignals(True)
        known = [self.absent.item(n).data(_ID) for n in range(self.absent.count())]
        if known != [key for key, _ in labels]:
            self.absent.clear()
            for key, name in labels:
                item = QListWidgetItem(name)
                item.setToolTip(name)
                item.setData(_ID, key)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                self.absent.addItem(item)
            tall = self.absent.sizeHintForRow(0) * len(labels) + 6
            self.absent.setFixedHeight(min(_LIST_PX, max(tall, 24)))
        for n in range(self.absent.count()):
            item = self.absent.item(n)
            on = item.data(_ID) in absent
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.absent.blockSignals(False)
        for part in (self.absent, self.absent_title):
            part.setVisible(bool(labels))

    def say(self, words: str) -> None:
        """Say something above the questions; empty for nothing."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    def set_read_only(self, read_only: bool) -> None:
        """Let answers be changed, or only looked at."""
        self._read_only = read_only
        self.absent.setEnabled(not read_only)
        for row in self.rows.values():
            row.set_read_only(read_only)

    def point_out(self, question: str) -> bool:
        """Put the focus on a question; return whether it is shown."""
        for (name, _), row in self.rows.items():
            if name == question:
                row.say(expected(row.question))
                row.field.setFocus()
                child = row.field.findChild(QWidget)
                if child is not None:
                    child.setFocus()
                return True
        return False

    def hasHeightForWidth(self) -> bool:
        """Say no: it has the height that its rows need, set by `_settle`."""
        return False

    def event(self, event: QEvent | None) -> bool:
        """Settle when something in it has changed."""
        done = bool(super().event(event))
        if event is not None and event.type() in FITS:
            self._soon.start()
        return done

    def _settle(self) -> None:
        """Be as tall as the rows are by now: a tab would squeeze them into less."""
        column = self.layout()
        if column is not None:
            self.sections.invalidate()
            column.invalidate()
            tall = column.minimumSize().height()
            if tall != self.minimumHeight():
                self.setMinimumHeight(tall)
            column.activate()

    # -- building ------------------------------------------------------------------------

    def _build(self, shape: tuple[Any, ...]) -> None:
        self._shape = shape
        kept = dict(self.rows)
        self.rows.clear()
        while self.sections.count():
            self.sections.takeAt(0)
        for title in self._titles:
            title.deleteLater()
        self._titles = []
        for name, place, questions in shape:
            title = QLabel(name)
            title.setTextFormat(Qt.TextFormat.PlainText)
            title.setWordWrap(True)
            font = title.font()
            font.setBold(True)
            title.setFont(font)
            self._titles.append(title)
            self.sections.addWidget(title)
            for question in questions:
                row = kept.pop((question.id, place), None)
                if row is None or row.question != question:
                    row = self._row(question, place)
                self.rows[question.id, place] = row
                self.sections.addWidget(row)
        self._soon.start()
        for row in kept.values():
            row.hide()
            row.deleteLater()
        last = in_order(self.absent, self.rows.values())
        QWidget.setTabOrder(last, self.absent)  # behind them; they are where it was

    def _row(self, question: Question, place: str) -> QuestionRow:
        row = QuestionRow(question)
        row.set_read_only(self._read_only)
        row.fitted.connect(self._soon.start)
        row.answered.connect(lambda name, answer: self.answered.emit(name, place, answer))
        return row

    def _on_absent(self, _item: object) -> None:
        items = (self.absent.item(n) for n in range(self.absent.count()))
        chosen = (i.data(_ID) for i in items if i.checkState() == Qt.CheckState.Checked)
        self.absent_changed.emit(frozenset(str(one) for one in chosen))


def _focused(panel: QWidget) -> QWidget | None:
    """Return what the person is typing into, where it is one of the panel's lines."""
    widget = panel.focusWidget()
    typing = isinstance(widget, (QLineEdit, QPlainTextEdit)) and widget.hasFocus()
    return widget if typing else None
