"""One question with its answer: radio buttons, lists, ticks, a number, or words."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.errors import InputError
from napari_medlabel.project.ontology.questions import Answer, Question
from napari_medlabel.widgets.narrow import BreakingCheck, BreakingRadio, narrow

_FEW: Final = 5
"""More choices than this are a list that opens."""
_SHORT: Final = 60
_WORDS_PX: Final = 56
FITS: Final = (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show)
"""What a widget must measure itself anew after."""


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
            hint.setStyleSheet("font-style: italic;")
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
        if event is not None and event.type() in FITS:
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
            self.say(expected(self.question))
            self.answered.emit(self.question.id, None)
            return
        self.say("")
        self.clear_button.setVisible(True)
        self.answered.emit(self.question.id, answer)


class _Field(QWidget):
    """Takes one answer; each kind has a `show_value`, which shows one without telling of it."""

    changed = Signal(object)
    """What was entered, still unchecked; None for nothing."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 0, 0, 0)


class _Radios(_Field):
    """One of few."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.group = QButtonGroup(self)
        self.values: list[Answer] = []
        self.buttons: list[BreakingRadio] = []
        row = self._row if question.kind == "boolean" else column
        for value, name in _offered(question):
            button = BreakingRadio(name)
            self.group.addButton(button, len(self.values))
            self.values.append(value)
            self.buttons.append(button)
            row.addWidget(button)
        if row is column:
            self._row.addLayout(column, 1)
        else:
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
        self.box = narrow(QComboBox())
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
        self.boxes: dict[str, BreakingCheck] = {}
        for choice in question.choices:
            self.boxes[choice.id] = box = BreakingCheck(choice.name)
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


def _field(question: Question) -> _Radios | _Choice | _Several | _Typed:
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


def expected(question: Question) -> str:
    """Say what an answer is."""
    if question.kind == "number":
        between = _range(question)
        unit = f" {question.unit}" if question.unit else ""
        return f"A number is expected{': ' if between else ''}{between}{unit}."
    if question.kind == "text":
        return "Some words are expected, at most 2000 signs."
    return "This question needs an answer."
