"""The next landmark, told before it is placed: definition, side, plane, example, and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.model.landmarks import ABSENCES, Landmark
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows

MODES: Final = {
    "sequential": "Step by step: draft, look, Enter",
    "quick": "Quick: each click places the next",
    "free": "Free: place what is chosen, or new points",
}
_PICTURE_PX: Final = 140


class LandmarkDetail(QWidget):
    """Shows the landmark that the next click is for, and asks for what can be said of it.

    Parameters
    ----------
    snaps : dict of str to str
        What clicks may snap to: short name and words.
    """

    mode_requested = Signal(str)
    snap_requested = Signal(str, float)
    commit_requested = Signal()
    cancel_requested = Signal()
    step_requested = Signal(int)
    absent_requested = Signal(str)
    doubt_requested = Signal(object)
    lock_requested = Signal(bool)

    def __init__(self, snaps: dict[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.facts, self.definition, self.example = QLabel(), QLabel(), QLabel()
        self.picture, self.draft_line, self.doubts_line = QLabel(), QLabel(), QLabel()
        for words in (
            self.facts,
            self.definition,
            self.example,
            self.draft_line,
            self.doubts_line,
        ):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.mode_box = narrow(QComboBox())
        self.mode_box.setToolTip("What a click does")
        for key, mode in MODES.items():
            self.mode_box.addItem(mode, key)
        self.mode_box.activated.connect(
            lambda index: self.mode_requested.emit(self.mode_box.itemData(index))
        )
        self.snap_box = narrow(QComboBox())
        self.snap_box.setToolTip("Where a click goes: to the place itself or to what is near")
        for key, snap in snaps.items():
            self.snap_box.addItem(snap.capitalize(), key)
        self.snap_box.activated.connect(self._ask_snap)
        self.radius = _spin(3.0, "How far a click may go to snap, in mm", most=10.0)
        self.radius.valueChanged.connect(self._ask_snap)
        self._add_buttons()
        self._lay_out()
        self.show_landmark(None)
        self.show_draft("")
        self.show_doubts("")

    def _add_buttons(self) -> None:
        self.before_button = _button("◀ Before", "Aim at the landmark before", ",")
        self.after_button = _button("Skip ▶", "Aim at the landmark after this one", ".")
        self.commit_button = _button("Place here", "Place the draft for good", "Enter")
        self.cancel_button = _button("Discard", "Give the draft up", "Escape")
        self.absent_button = QPushButton("Absent…")
        self.absent_button.setToolTip("Say that there is nothing to place, and why")
        self.absent_menu = QMenu(self)
        for reason, words_of in ABSENCES.items():
            action = self.absent_menu.addAction(words_of.capitalize())
            action.triggered.connect(lambda _=False, r=reason: self.absent_requested.emit(r))
        self.absent_button.setMenu(self.absent_menu)
        self.doubt_mm = _spin(2.0, "Within how many mm of the point the true place lies")
        self.doubt_button = QPushButton("Uncertain")
        self.doubt_button.setCheckable(True)
        self.doubt_button.clicked.connect(
            lambda on: self.doubt_requested.emit(self.doubt_mm.value() if on else None)
        )
        self.lock_button = QPushButton("Lock")
        self.lock_button.setCheckable(True)
        self.lock_button.clicked.connect(self.lock_requested)
        self.before_button.clicked.connect(lambda: self.step_requested.emit(-1))
        self.after_button.clicked.connect(lambda: self.step_requested.emit(1))
        self.commit_button.clicked.connect(self.commit_requested)
        self.cancel_button.clicked.connect(self.cancel_requested)

    def _lay_out(self) -> None:
        said = QVBoxLayout()
        for words in (self.title, self.facts, self.definition, self.example):
            said.addWidget(words)
        said.addStretch(1)
        top = QHBoxLayout()
        top.addLayout(said, 1)
        top.addWidget(self.picture)
        choices = QGridLayout()
        choices.addWidget(QLabel("Click"), 0, 0)
        choices.addWidget(self.mode_box, 0, 1)
        choices.addWidget(QLabel("Goes to"), 1, 0)
        choices.addWidget(Rows(self.snap_box, self.radius, gap_px=6), 1, 1)
        choices.setColumnStretch(1, 1)
        rows = (
            Rows(self.commit_button, self.cancel_button, gap_px=6),
            Rows(self.before_button, self.after_button, self.absent_button, gap_px=6),
            Rows(self.doubt_button, self.doubt_mm, self.lock_button, gap_px=6),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self.draft_line)
        for row in rows:
            column.addWidget(row)
        column.addLayout(choices)
        column.addWidget(self.doubts_line)

    # -- showing -------------------------------------------------------------------------

    def show_landmark(self, mark: Landmark | None, picture: Path | None = None) -> None:
        """Show the landmark that the next click is for; None where there is none.

        Parameters
        ----------
        mark : Landmark or None
            With its definition.
        picture : Path, optional
            An example to show.
        """
        self.title.setText(f"Next: <b>{_plain(mark.name)}</b>" if mark else "Next: a new point")
        facts = []
        if mark is not None:
            if mark.acronym and mark.acronym != mark.name:
                facts.append(mark.acronym)
            if mark.laterality:
                side = "midline" if mark.laterality == "midline" else f"{mark.laterality} side"
                facts.append(side)
            if mark.plane:
                facts.append(f"best seen {mark.plane}")
        _tell(self.facts, "   ·   ".join(facts))
        _tell(self.definition, mark.description if mark else "")
        _tell(self.example, f"Look for: {mark.example}" if mark and mark.example else "")
        drawn = QPixmap(str(picture)) if picture is not None else QPixmap()
        self.picture.setVisible(not drawn.isNull())
        if not drawn.isNull():
            self.picture.setPixmap(
                drawn.scaled(
                    _PICTURE_PX,
                    _PICTURE_PX,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )
        self._show_flags(mark)

    def _show_flags(self, mark: Landmark | None) -> None:
        placed, locked = bool(mark and mark.is_placed), bool(mark and mark.locked)
        self.absent_button.setEnabled(mark is not None and not locked)
        self.doubt_button.setChecked(bool(mark and mark.uncertain_mm is not None))
        if mark is not None and mark.uncertain_mm is not None:
            self.doubt_mm.setValue(mark.uncertain_mm)
        self.lock_button.setChecked(locked)
        self.lock_button.setText("Unlock" if locked else "Lock")
        self.lock_button.setEnabled(mark is not None)
        self.lock_button.setToolTip(
            "Keep this landmark from being moved, or let it go"
            if mark is not None
            else "Choose a landmark in the list first."
        )
        why = ""
        if not placed:
            why = "Choose a placed landmark in the list first."
        elif locked:
            why = "This landmark is locked: unlock it first."
        for part in (self.doubt_button, self.doubt_mm):
            part.setEnabled(not why)
            part.setToolTip(why or "Within how many mm of the point the true place lies")

    def show_draft(self, words: str) -> None:
        """Say where the draft is and in which planes it was looked at; empty for no draft."""
        _tell(self.draft_line, words)
        for button in (self.commit_button, self.cancel_button):
            button.setEnabled(bool(words))
            told = button.property("told")
            button.setToolTip(told if words else f"{told}. Click on the picture first.")

    def show_doubts(self, words: str) -> None:
        """Say what may be mixed up; empty for nothing."""
        _tell(self.doubts_line, words)

    def show_mode(self, mode: str) -> None:
        """Show what a click does."""
        self.mode_box.setCurrentIndex(self.mode_box.findData(mode))

    def _ask_snap(self, _value: object = None) -> None:
        self.radius.setEnabled(bool(self.snap_box.currentData()))
        self.snap_requested.emit(self.snap_box.currentData(), self.radius.value())


def _tell(label: QLabel, words: str) -> None:
    label.setText(words)
    label.setVisible(bool(words))


def _plain(words: str) -> str:
    """Return words so that a label takes no letter of them for markup."""
    return words.replace("&", "&amp;").replace("<", "&lt;")


def _button(words: str, told: str, key: str) -> QPushButton:
    button = QPushButton(f"{words} ({key})")
    button.setToolTip(told)
    button.setProperty("told", told)
    return button


def _spin(value: float, told: str, most: float = 50.0) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(0.1, most)
    spin.setDecimals(1)
    spin.setSingleStep(0.5)
    spin.setSuffix(" mm")
    spin.setValue(value)
    spin.setToolTip(told)
    return spin
