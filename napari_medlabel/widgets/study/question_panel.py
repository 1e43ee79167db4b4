"""The study's questions: one row each, with its answer and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.errors import InputError
from napari_medlabel.project.ontology.questions import Answer, Question

_FEW: Final = 5
"""More choices than this are a list that opens."""
_SHORT: Final = 60
_WORDS_PX: Final = 56
_ID: Final = int(Qt.ItemDataRole.UserRole)
_LIST_PX: Final = 150
_FITS: Final = (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show)


class QuestionRow(QWidget):
    """One question with its answer.

    Parameters
    ----------
    question : Question
        What is asked.
    """

    answered = Signal(str, object)
    """The question's id, and its answer as `Question.check` gives it; None for none."""
    fitted = Signal()
    """It is taller or less tall than before."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        star = " *" if question.required else ""
        self.title = QLabel(f"{question.text}{star}")
        self.title.setWordWrap(True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setToolTip("Needs an answer before it can be submitted" if star else "")
        self.field = _field(question)
        self.field.setAccessibleName(question.text)
        self.clear_button = QToolButton()
        self.clear_button.setText("Clear")
        self.clear_button.setAutoRaise(True)
        self.clear_button.setToolTip("Take the answer away")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 4)
        column.setSpacing(2)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.clear_button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(top)
        if question.hint:
            hint = QLabel(question.hint)
            hint.setWordWrap(True)
            hint.setTextFormat(Qt.TextFormat.PlainText)
            hint.setEnabled(False)
            column.addWidget(hint)
        column.addWidget(self.field)
        column.addWidget(self.problem)
        self.field.changed.connect(self._on_changed)
        self.clear_button.clicked.connect(self._clear)
        self.clear_button.hide()

    def show_answer(self, answer: Answer | None) -> None:
        """Show an answer that is there; None for none."""
        self.field.show_value(answer)
        self.clear_button.setVisible(answer is not None and self.field.isEnabled())
        self.say("")

    def say(self, words: str) -> None:
        """Say what is wrong with the answer; empty for nothing."""
        self.problem.setText(f"⚠ {words}" if words else "")
        self.problem.setVisible(bool(words))
        self._fit()

    def event(self, event: QEvent | None) -> bool:
        """Be as tall as what is in it needs at this width."""
        done = bool(super().event(event))
        if event is not None and event.type() in _FITS:
            self._fit()
        return done

    def hasHeightForWidth(self) -> bool:
        """Say no: layouts around it remember heights for widths too long."""
        return False

    def _fit(self) -> None:
        """Keep the height that is needed: a tab would squeeze lines that break."""
        rows = self.layout()
        if rows is not None:
            rows.activate()
            tall = rows.heightForWidth(self.width()) if rows.hasHeightForWidth() else -1
            tall = max(tall, rows.minimumSize().height())
            if tall != self.minimumHeight():
                self.setFixedHeight(tall)
                self.fitted.emit()

    def set_read_only(self, read_only: bool) -> None:
        """Let the answer be changed, or only looked at."""
        self.field.setEnabled(not read_only)
        if read_only:
            self.clear_button.hide()

    def _clear(self) -> None:
        self.show_answer(None)
        self.answered.emit(self.question.id, None)

    def _on_changed(self, value: object) -> None:
        if value is None:
            self.say("")
            self.clear_button.hide()
            self.answered.emit(self.question.id, None)
            return
        try:
            answer = self.question.check(value)
        except InputError:
            # What stood before would be another answer than the one on the screen.
            self.say(_expected(self.question))
            self.answered.emit(self.question.id, None)
            return
        self.say("")
        self.clear_button.setVisible(True)
        self.answered.emit(self.question.id, answer)


class _Field(QWidget):
    """Takes one answer."""

    changed = Signal(object)
    """What was entered, still unchecked; None for nothing."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 0, 0, 0)

    def show_value(self, value: Answer | None) -> None:
        """Show an answer without telling of it."""
        raise NotImplementedError


class _Radios(_Field):
    """One of few."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.group = QButtonGroup(self)
        self.values: list[Answer] = []
        self.buttons: list[QRadioButton] = []
        row = self._row if question.kind == "boolean" else column
        for value, name in _offered(question):
            button = QRadioButton(name)
            self.group.addButton(button, len(self.values))
            self.values.append(value)
            self.buttons.append(button)
            row.addWidget(button)
        if row is column:
            self._row.addLayout(column)
        self._row.addStretch(1)
        self.group.idClicked.connect(lambda n: self.changed.emit(self.values[n]))

    def show_value(self, value: Answer | None) -> None:
        self.group.setExclusive(False)
        for button, own in zip(self.buttons, self.values, strict=True):
            button.setChecked(value is not None and own == value)
        self.group.setExclusive(True)


class _Choice(_Field):
    """One of many."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.box = QComboBox()
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.addItem("(not answered)", None)
        for value, name in _offered(question):
            self.box.addItem(name, value)
        self._row.addWidget(self.box, 1)
        self.box.activated.connect(lambda n: self.changed.emit(self.box.itemData(n)))

    def show_value(self, value: Answer | None) -> None:
        self.box.setCurrentIndex(max(0, self.box.findData(value)))


class _Several(_Field):
    """Any of some."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.boxes: dict[str, QCheckBox] = {}
        for choice in question.choices:
            self.boxes[choice.id] = box = QCheckBox(choice.name)
            column.addWidget(box)
            box.clicked.connect(self._tell)
        self._row.addLayout(column, 1)

    def _tell(self) -> None:
        chosen = tuple(key for key, box in self.boxes.items() if box.isChecked())
        self.changed.emit(chosen or None)

    def show_value(self, value: Answer | None) -> None:
        chosen = value if isinstance(value, (tuple, list)) else ()
        for key, box in self.boxes.items():
            box.setChecked(key in chosen)


class _Typed(_Field):
    """A number, or words; told at every key, so that nothing waits when the case is left."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.line: Any
        if question.kind == "number":
            self.line = QLineEdit()
            self.line.setMaximumWidth(120)
            self.line.setPlaceholderText(_range(question))
            self._row.addWidget(self.line)
            self._row.addWidget(QLabel(question.unit))
            self._row.addStretch(1)
        else:
            self.line = QPlainTextEdit()
            self.line.setFixedHeight(_WORDS_PX)
            self.line.setStyleSheet("QPlainTextEdit { border: 1px solid gray; }")
            self.line.setTabChangesFocus(True)
            self.line.setPlaceholderText("No names, numbers or dates of patients")
            self._row.addWidget(self.line, 1)
        self.line.textChanged.connect(lambda *_: self._tell())

    @property
    def _text(self) -> str:
        is_line = isinstance(self.line, QLineEdit)
        return str(self.line.text() if is_line else self.line.toPlainText())

    def _tell(self) -> None:
        text = self._text.strip()
        if not text or self.question.kind == "text":
            self.changed.emit(text or None)
            return
        try:
            self.changed.emit(float(text.replace(",", ".")))
        except ValueError:
            self.changed.emit(text)  # which is no number, as the question will say

    def show_value(self, value: Answer | None) -> None:
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        if text != self._text:
            self.line.blockSignals(True)
            is_line = isinstance(self.line, QLineEdit)
            (self.line.setText if is_line else self.line.setPlainText)(text)
            self.line.blockSignals(False)


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
                row.say(_expected(row.question))
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
        if event is not None and event.type() in _FITS:
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


def _field(question: Question) -> _Field:
    if question.kind == "multiple":
        return _Several(question)
    if question.kind in ("number", "text"):
        return _Typed(question)
    names = [choice.name for choice in question.choices]
    if len(names) > _FEW or any(len(name) > _SHORT for name in names):
        return _Choice(question)
    return _Radios(question)


def _offered(question: Question) -> list[tuple[Answer, str]]:
    if question.kind == "boolean":
        return [(True, "Yes"), (False, "No")]
    return [(choice.id, choice.name) for choice in question.choices]


def _range(question: Question) -> str:
    low, high = question.low, question.high
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return "" if high is None else f"up to {high:g}"


def _expected(question: Question) -> str:
    """Say what an answer is."""
    if question.kind == "number":
        between = _range(question)
        unit = f" {question.unit}" if question.unit else ""
        return f"A number is expected{': ' if between else ''}{between}{unit}."
    if question.kind == "text":
        return "Some words are expected, at most 2000 signs."
    return "This question needs an answer."


def _focused(panel: QWidget) -> QWidget | None:
    """Return what the person is typing into, where it is one of the panel's lines."""
    widget = panel.focusWidget()
    typing = isinstance(widget, (QLineEdit, QPlainTextEdit)) and widget.hasFocus()
    return widget if typing else None
