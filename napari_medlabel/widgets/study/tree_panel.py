"""Decision trees for doubtful cases: one question after the other, until there is a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.ontology.trees import PROBLEM, Tree
from napari_medlabel.widgets.narrow import BreakingButton, narrow
from napari_medlabel.widgets.tab_order import in_order


class TreePanel(QGroupBox):
    """Walks through a decision tree."""

    label_reached = Signal(str)
    """The person takes the label (its id) that the answers led to."""
    problem_reached = Signal()
    """The person raises the problem that the answers led to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("In doubt", parent)
        self.title_words = QLabel()
        self.choice = narrow(QComboBox())
        self.choice.setToolTip("Which doubt")
        self.steps, self.text = QLabel(), QLabel()
        for words in (self.title_words, self.steps, self.text):
            words.setWordWrap(True)
            words.setTextFormat(Qt.TextFormat.PlainText)
        self.steps.setStyleSheet("font-style: italic;")
        self.ways = QVBoxLayout()
        self.buttons: list[QPushButton] = []
        self.back_button, self.anew_button = QPushButton("Back"), QPushButton("Begin again")
        self._trees: tuple[Tree, ...] = ()
        self._labels: Mapping[str, str] = {}
        self._answers: list[str] = []
        self._read_only = False
        column = QVBoxLayout(self)
        for part in (self.title_words, self.choice, self.steps, self.text):
            column.addWidget(part)
        column.addLayout(self.ways)
        row = QHBoxLayout()
        row.addWidget(self.back_button)
        row.addWidget(self.anew_button)
        row.addStretch(1)
        column.addLayout(row)
        self.choice.activated.connect(lambda _n: self.begin())
        self.back_button.clicked.connect(self.back)
        self.anew_button.clicked.connect(self.begin)

    def hasHeightForWidth(self) -> bool:
        """Say no: a tab would squeeze it by what it was told of another width."""
        return False

    def show_trees(self, trees: Sequence[Tree], labels: Mapping[str, str]) -> None:
        """Offer trees.

        Parameters
        ----------
        labels : mapping
            Names of labels by their ids.
        """
        self._trees, self._labels = tuple(trees), dict(labels)
        self.choice.clear()
        for tree in trees:
            self.choice.addItem(tree.name)
        self.choice.setVisible(len(self._trees) > 1)
        only = self._trees[0].name if len(self._trees) == 1 else ""
        self.title_words.setText(only)
        self.title_words.setVisible(bool(only))
        self.setVisible(bool(self._trees))
        self.begin()

    def set_read_only(self, read_only: bool) -> None:
        """Let ends be taken, or only looked at."""
        self._read_only = read_only
        self._show()

    @property
    def tree(self) -> Tree | None:
        """The tree that is walked."""
        at = self.choice.currentIndex()
        return self._trees[at] if 0 <= at < len(self._trees) else None

    @property
    def at(self) -> str:
        """Id of the node that is asked, or the end that is reached."""
        tree = self.tree
        return "" if tree is None else tree.decide(self._answers)

    def begin(self) -> None:
        """Begin at the first question."""
        self._answers.clear()
        self._show()

    def back(self) -> None:
        """Take the last answer back."""
        if self._answers:
            self._answers.pop()
            self._show()

    def answer(self, words: str) -> None:
        """Give an answer."""
        self._answers.append(words)
        self._show()

    def _show(self) -> None:
        tree = self.tree
        if tree is None:
            return
        for old in self.buttons:
            self.ways.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = []
        self.steps.setText(" → ".join(self._answers))
        self.steps.setVisible(bool(self._answers))
        for button in (self.back_button, self.anew_button):
            button.setVisible(bool(self._answers))
        node = next((one for one in tree.nodes if one.id == self.at), None)
        if node is None:
            self._show_end(self.at)
            return
        self.text.setText(node.text)
        for way in node.ways:
            self._add(way.answer).clicked.connect(
                lambda _on=False, words=way.answer: self.answer(words)
            )

    def _show_end(self, end: str) -> None:
        if end == PROBLEM:
            self.text.setText("No label fits: this is a problem for the study's manager.")
            self._end("Raise a problem…").clicked.connect(self.problem_reached)
            return
        key = end.removeprefix("label:")
        name = self._labels.get(key, key)
        self.text.setText(f"This is: {name}.")
        self._end(f"Label as {name}").clicked.connect(lambda: self.label_reached.emit(key))

    def _end(self, words: str) -> QPushButton:
        button = self._add(words)
        button.setEnabled(not self._read_only)
        if self._read_only:
            button.setToolTip("This reading is only looked at")
        return button

    def _add(self, words: str) -> QPushButton:
        button = BreakingButton(words)
        before = self.buttons[-1] if self.buttons else self.choice
        self.buttons.append(button)
        self.ways.addWidget(button)
        in_order(before, (button, self.back_button, self.anew_button))
        return button
