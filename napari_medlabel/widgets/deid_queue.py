"""The review queue: images that wait for eyes, each with views, accepted or rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.deid.report.look_words import words_of
from napari_medlabel.deid.report.pictures import Picture
from napari_medlabel.deid.report.review import Waiting
from napari_medlabel.widgets.deid_setup import PathRow

_SIDE: Final = 72
_ACCEPT, _REJECT, _OPEN = "accept", "reject", ""
_SIGNS: Final = {_ACCEPT: "✓ accept", _REJECT: "✗ reject", _OPEN: "not decided"}


class ReviewQueue(QWidget):
    """Collects decisions; carries out none."""

    load_requested = Signal()
    views_requested = Signal(object)
    decided = Signal(list, list)
    """Tokens to accept and to reject."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = PathRow("review folder", "Choose a review folder")
        self.target = PathRow("folder of the batch", "Choose where accepted images go")
        self.load_button = QPushButton("Show what waits")
        self.words = QLabel("Images whose pixels a person must see before they leave.")
        self.words.setWordWrap(True)
        self.list = QListWidget()
        self.list.setIconSize(QSize(_SIDE, _SIDE))
        self.list.setWordWrap(True)
        self.accept_button = QPushButton("Accept")
        self.reject_button = QPushButton("Reject")
        self.rest_button = QPushButton("Accept all not rejected")
        self.carry_button = QPushButton("Nothing decided yet")
        self._views = QVBoxLayout()
        self._waiting: tuple[Waiting, ...] = ()
        self._decisions: dict[str, str] = {}
        self._lay_out()
        self.load_button.clicked.connect(self.load_requested)
        self.accept_button.clicked.connect(lambda: self._decide(_ACCEPT))
        self.reject_button.clicked.connect(lambda: self._decide(_REJECT))
        self.rest_button.clicked.connect(self._accept_rest)
        self.carry_button.clicked.connect(self._carry_out)
        self.list.currentRowChanged.connect(self._selected)
        self._show_counts()

    def _lay_out(self) -> None:
        where, buttons = QFormLayout(), QHBoxLayout()
        where.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        where.addRow("From", self.folder)
        where.addRow("To", self.target)
        for button in (self.accept_button, self.reject_button, self.rest_button):
            buttons.addWidget(button)
        inside = QWidget()
        inside.setLayout(self._views)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.addLayout(where)
        for widget in (self.load_button, self.words):
            column.addWidget(widget)
        column.addWidget(self.list, 2)
        column.addWidget(scroll, 3)
        column.addLayout(buttons)
        column.addWidget(self.carry_button)

    @property
    def current(self) -> Waiting | None:
        """The image under the cursor."""
        row = self.list.currentRow()
        return self._waiting[row] if 0 <= row < len(self._waiting) else None

    def show_waiting(self, waiting: Sequence[Waiting]) -> None:
        """List what waits; earlier decisions are forgotten."""
        self._waiting, self._decisions = tuple(waiting), {}
        self.list.clear()
        self._clear_views()
        for number, each in enumerate(self._waiting, start=1):
            item = QListWidgetItem(self._words(number, each))
            item.setToolTip("\n".join(words_of(look) for look in each.look))
            self.list.addItem(item)
        count = len(self._waiting)
        self.words.setText(
            f"{count} image{'' if count == 1 else 's'} waiting: is there a name, a number, a "
            "date, a face?"
            if count
            else "Nothing waits."
        )
        self._show_counts()
        if count:
            self.list.setCurrentRow(0)

    def show_views(self, token: str, views: Sequence[Picture]) -> None:
        """Show an image's views when it is still the current one, and its thumbnail."""
        row = next((n for n, w in enumerate(self._waiting) if w.token == token), None)
        if row is None:
            return
        if views:
            self.list.item(row).setIcon(QIcon(pixmap_of(views[0])))
        if self.current is None or self.current.token != token:
            return
        self._clear_views()
        for view in views:
            picture = QLabel()
            picture.setPixmap(pixmap_of(view))
            picture.setAccessibleName(view.alt)
            self._views.addWidget(QLabel(view.alt.partition(", ")[2]))
            self._views.addWidget(picture)
        if not views:
            self._views.addWidget(QLabel("No picture could be drawn: open it in a viewer."))
        self._views.addStretch(1)

    def _selected(self, _row: int) -> None:
        self._clear_views()
        if self.current is not None:
            self.views_requested.emit(self.current)

    def _clear_views(self) -> None:
        while (item := self._views.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()

    def _decide(self, decision: str) -> None:
        """Note a decision about the current image and go to the next open one."""
        current = self.current
        if current is None:
            return
        self._decisions[current.token] = decision
        self._show_counts()
        after = range(self.list.currentRow() + 1, len(self._waiting))
        following = [n for n in after if self._waiting[n].token not in self._decisions]
        if following:
            self.list.setCurrentRow(following[0])

    def _accept_rest(self) -> None:
        for each in self._waiting:
            self._decisions.setdefault(each.token, _ACCEPT)
        self._show_counts()

    def _tokens(self, decision: str) -> list[str]:
        return [w.token for w in self._waiting if self._decisions.get(w.token) == decision]

    def _carry_out(self) -> None:
        self.decided.emit(self._tokens(_ACCEPT), self._tokens(_REJECT))

    def _words(self, number: int, each: Waiting) -> str:
        sign = _SIGNS[self._decisions.get(each.token, _OPEN)]
        return f"Image {number}: {sign}\n{', '.join(each.look)}"

    def _show_counts(self) -> None:
        for number, each in enumerate(self._waiting, start=1):
            self.list.item(number - 1).setText(self._words(number, each))
        accepted, rejected = len(self._tokens(_ACCEPT)), len(self._tokens(_REJECT))
        any_decided, any_waits = bool(accepted or rejected), bool(self._waiting)
        self.carry_button.setEnabled(any_decided)
        self.carry_button.setText(
            f"Move {accepted} accepted, delete {rejected} rejected"
            if any_decided
            else "Nothing decided yet"
        )
        for button in (self.accept_button, self.reject_button, self.rest_button):
            button.setEnabled(any_waits)


def pixmap_of(picture: Picture) -> Any:
    """Return a picture for Qt."""
    pixmap = QPixmap()
    pixmap.loadFromData(picture.png, "PNG")
    return pixmap.scaled(
        pixmap.size(),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation,
    )
