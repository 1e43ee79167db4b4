"""The log of the open case: its last events in words, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.audit.report.case_events import CaseEvent, case_events
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.record import all_records
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.notice import Notice

if TYPE_CHECKING:
    import napari.viewer

NAME: Final = "Log of this case"
_COLUMNS: Final = ("When", "Who", "What")
_MOST: Final = 50
_MOST_OF_ALL: Final = 500
"""Events of a study's case that are looked through for one's own."""


def show_case_log(viewer: napari.viewer.Viewer) -> CaseLog:
    """Return the log panel of a window, in front and read anew; made where there is none.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose window.
    """
    for widget in dict(viewer.window.dock_widgets).values():
        if isinstance(widget, CaseLog):
            panel = widget
            panel.read()
            break
    else:
        panel = CaseLog(viewer)
        viewer.window.add_dock_widget(panel, name=NAME, area="right", tabify=True)
    frame = panel.parentWidget()
    if frame is not None:
        frame.show()
        frame.raise_()
    return panel


def refresh_case_log(viewer: napari.viewer.Viewer) -> None:
    """Read the log panel of a window anew where somebody has it in sight."""
    for widget in dict(viewer.window.dock_widgets).values():
        if isinstance(widget, CaseLog) and widget.isVisible():
            widget.read()


class CaseLog(QWidget):
    """The last events of the scan that was opened last. Who looks is in the log first.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Given by napari.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.setMinimumWidth(360)
        self.notice = Notice()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setWordWrap(True)
        self.table.setAccessibleName(NAME)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
            columns.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.read_button = QPushButton("Read again")
        self.read_button.clicked.connect(self.read)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.notice)
        column.addWidget(self.words)
        column.addWidget(self.table, 1)
        column.addWidget(self.read_button)
        self._background = Background(self)
        self.read()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._background.is_busy

    def read(self) -> None:
        """Read the log of the open case; no log line, no look."""
        if self._background.is_busy:
            return
        self.notice.clear()
        try:
            desk, subject, case, seat = _open_case()
        except MedlabelError as err:
            self._failed(err)
            return
        self.words.setText("Reading …")
        self._background.run(
            lambda: look_at(desk, subject, case, seat),
            lambda found: self.show_events(found, desk),
            self._failed,
        )

    def show_events(self, found: tuple[CaseEvent, ...], desk: Desk | None = None) -> None:
        """Show events, the newest first."""
        ours = own_user(desk)
        self.words.setText(
            f"The last {len(found)} events of this scan. Nothing is checked here: "
            "'medlabel audit verify' does that."
        )
        self.table.setRowCount(len(found))
        for row, event in enumerate(found):
            who = "you" if event.user == ours else event.user
            for column, text in enumerate((_when(event.at_ms), who, event.words)):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
                item.setToolTip(f"{event.event}: {event.file}, line {event.line}")
                self.table.setItem(row, column, item)

    def _failed(self, err: MedlabelError) -> None:
        self.words.clear()
        self.table.setRowCount(0)
        self.notice.say(
            "red", f"{err.message}\n{err.hint}".strip(), {"Dismiss": self.notice.clear}
        )


def look_at(
    desk: Desk, subject: str, case: str, seat: Seat | None = None
) -> tuple[CaseEvent, ...]:
    """Return the last events of a case, after the log has it that somebody looked.

    Parameters
    ----------
    desk : Desk
        Whose log it is.
    subject, case : str
        The patient's token and the content id of the scan.
    seat : Seat, optional
        In a study: its rater's own events alone are shown, others read the same scan blind.

    Raises
    ------
    LogError
        When the log cannot be written: then nothing is shown.
    InputError
        When it cannot be read.
    """
    found = case_events(desk.audit_root, subject, case=case, limit=_MOST)
    if seat is not None:
        found = _own_events(seat, subject, case)
    desk.log.append(
        "audit.view", subject=(subject,), detail={"view": "case", "events": len(found)}
    )
    return found


def _own_events(seat: Seat, subject: str, case: str) -> tuple[CaseEvent, ...]:
    """Return one's own events of a study's case: of its steps, and of the scan as opened."""
    known = {one.subject for one in all_records(seat.layout) if one.content == case}
    found = {
        (one.file, one.line): one
        for token in known | {subject}
        for one in case_events(seat.desk.audit_root, token, case=case, limit=_MOST_OF_ALL)
        if one.user in seat.users
    }
    newest = sorted(found.values(), key=lambda one: (one.at_ms, one.file, one.line))
    return tuple(reversed(newest[-_MOST:]))


def own_user(desk: Desk | None) -> str:
    """Return the token under which this person writes, as far as it is known."""
    from napari_medlabel.audit.keys.tokens import account_name

    tokens: Any = None if desk is None else desk.tokens
    make = getattr(tokens, "user_token", None)
    return "" if make is None else str(make(account_name()))


def _open_case() -> tuple[Desk, str, str, Seat | None]:
    known = WORKPLACE.newest()
    if known is None:
        raise InputError(
            "No scan is open, so there is no case whose log could be shown.",
            hint="Open a scan with napari-medlabel first.",
        )
    case, volume = known
    seat: Seat | None = WORKPLACE.study
    desk = WORKPLACE.desk() if seat is None else seat.desk
    return desk, desk.subject(volume.source)[0], case, seat


def _when(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")
