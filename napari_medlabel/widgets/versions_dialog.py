"""The list of a mask's versions, with a look at one and a way back to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.errors import MedlabelError
from napari_medlabel.session.mask_log import Version
from napari_medlabel.widgets.notice import Notice

_COLUMNS: Final = ("No", "Written (UTC)", "Who", "+ voxels", "- voxels", "State")
_REASONS: Final = {
    "Correction": "CORRECTION",
    "Protocol": "PROTOCOL",
    "Feedback of a review": "QA_FEEDBACK",
    "Wrong patient": "WRONG_PATIENT",
    "Consent withdrawn": "CONSENT_WITHDRAWN",
    "Other": "OTHER",
}
_IN_WORDS: Final = "OTHER"
_LINES: Final = 3
_STATES: Final = {"kept": "kept", "damaged": "damaged", "missing": "not kept"}


class VersionsDialog(QDialog):
    """Asks which version to look at or to restore; changes nothing itself.

    Parameters
    ----------
    versions : sequence of Version
        Oldest first; shown newest first.
    user : str
        The token under which this person writes.
    """

    preview_requested = Signal(object)
    restore_requested = Signal(object, str, str)
    """Version, code of the reason, and a text where there is one."""

    def __init__(
        self, versions: Sequence[Version], user: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Versions of this mask")
        self.resize(640, 360)
        self._versions = tuple(reversed(versions))
        words = QLabel(
            "Every mask that was saved is kept. Restoring puts a version into the labels as one"
            " step, which can be undone; saving makes it the mask on the disk."
            if versions
            else "This mask was never saved: there is no version yet."
        )
        words.setWordWrap(True)
        self.table = QTableWidget(len(self._versions), len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.setAccessibleName("Versions, the newest first")
        self._fill(user)
        self.reason = QComboBox()
        self.reason.addItems(list(_REASONS))
        self.reason.setAccessibleName("Reason")
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText("Why? This may stay empty.")
        self.text.setAccessibleName("Why, in words")
        self.text.setTabChangesFocus(True)
        # napari's style gives it neither a border nor a ground of its own.
        self.text.setStyleSheet(
            "QPlainTextEdit { border: 1px solid #6a7280; border-radius: 3px; padding: 2px; }"
        )
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _LINES + 14)
        self.warning = QLabel(
            "Kept apart from the log, for the officer alone. Do not write who the patient is: "
            "a text with a name, number or date of the scan's header is refused."
        )
        self.warning.setWordWrap(True)
        self.notice = Notice()
        self.preview_button = QPushButton("Preview")
        self.restore_button = QPushButton("Restore")
        self._lay_out(words)
        self.preview_button.clicked.connect(self._preview)
        self.restore_button.clicked.connect(self._restore)
        self.table.itemSelectionChanged.connect(self._show_choice)
        self.reason.currentTextChanged.connect(self._show_text)
        self._show_choice()
        self._show_text()

    def _lay_out(self, words: QLabel) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.preview_button)
        buttons.addStretch(1)
        buttons.addWidget(QLabel("Why:"))
        buttons.addWidget(self.reason)
        buttons.addWidget(self.restore_button)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addWidget(self.table, 1)
        for part in (self.text, self.warning, self.notice):
            column.addWidget(part)
        column.addLayout(buttons)

    def _fill(self, user: str) -> None:
        for row, one in enumerate(self._versions):
            who = "you" if one.user and one.user == user else one.user or "-"
            cells = (
                f"{one.number}",
                one.time[:19].replace("T", " ") or "before the log",
                who,
                "-" if one.added is None else f"{one.added}",
                "-" if one.removed is None else f"{one.removed}",
                "on the disk" if one.is_current else _STATES[one.kept],
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column in (0, 3, 4):
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                item.setToolTip(one.id)
                self.table.setItem(row, column, item)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setStretchLastSection(True)

    @property
    def chosen(self) -> Version | None:
        """The version of the selected row."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        return self._versions[rows.pop()] if len(rows) == 1 else None

    def _show_choice(self) -> None:
        one = self.chosen
        can = one is not None and one.kept == "kept"
        self.preview_button.setEnabled(can)
        self.restore_button.setEnabled(can)

    def _preview(self) -> None:
        if self.chosen is not None:
            self.preview_requested.emit(self.chosen)

    @property
    def code(self) -> str:
        """The reason that is chosen, as the log codes it."""
        return _REASONS[self.reason.currentText()]

    def _show_text(self, _reason: str = "") -> None:
        """Ask for words with the one reason that takes them."""
        for part in (self.text, self.warning):
            part.setVisible(self.code == _IN_WORDS)

    def _restore(self) -> None:
        if self.chosen is not None:
            self.notice.clear()
            text = self.text.toPlainText().strip() if self.code == _IN_WORDS else ""
            self.restore_requested.emit(self.chosen, self.code, text)

    def refuse(self, err: MedlabelError) -> None:
        """Say why nothing was restored; what was typed stays."""
        self.notice.say("red", f"{err.message}\n{err.hint}".strip())
