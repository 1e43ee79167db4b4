"""Closing the window with unsaved work: one question, three answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMessageBox, QWidget


class CloseGuard(QObject):
    """Asks once before a main window closes over unsaved work.

    napari has a question of its own ("close the window?"). Where ours was answered, its is
    skipped: two questions for one click teach people to click without reading.

    Parameters
    ----------
    window : QWidget
        The main window.
    is_dirty : callable
        Whether there is unsaved work.
    save : callable
        Saves; returns whether that went well.
    finish : callable
        Called once before the window goes, with whether unsaved work is given up.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        is_dirty: Callable[[], bool],
        save: Callable[[], bool],
        finish: Callable[[bool], object],
    ) -> None:
        super().__init__(window)
        self._window: Any = window
        self._is_dirty, self._save, self._finish = is_dirty, save, finish
        self._finished = False
        self._window_close = window.close
        # Ctrl+Q comes as a call with arguments, the window's cross as an event.
        self._window.close = self._close
        window.installEventFilter(self)

    def release(self) -> None:
        """Let the window close as it likes."""
        self._window.removeEventFilter(self)
        # What was set on the instance goes; the class has its own.
        vars(self._window).pop("close", None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Catch the window's close event."""
        if watched is not self._window or event.type() != QEvent.Type.Close or self._finished:
            return False
        if not self._is_dirty():
            # napari may still ask, and the person may stay: the case stays open then.
            return False
        event.ignore()
        if self._settle():
            QTimer.singleShot(0, self._close_for_good)
        return True

    def _close(self, *args: Any, **keywords: Any) -> Any:
        if self._finished or not self._is_dirty():
            return self._window_close(*args, **keywords)
        if not self._settle():
            return False
        keywords.pop("confirm_need", None)
        return self._window_close(*args[:1], **keywords)

    def _close_for_good(self) -> None:
        self._window_close()

    def _settle(self) -> bool:
        """Ask, act, and return whether the window may go."""
        answer = ask_to_save(self._window)
        if answer == QMessageBox.StandardButton.Cancel:
            return False
        discard = answer == QMessageBox.StandardButton.Discard
        if not discard and not self._save():
            return False
        self._finished = True
        self._finish(discard)
        return True


def ask_to_save(parent: QWidget) -> QMessageBox.StandardButton:
    """Ask what to do with unsaved work."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Unsaved work")
    box.setText("There is unsaved work on this scan.")
    box.setInformativeText("Save it before closing?")
    box.setStandardButtons(
        QMessageBox.StandardButton.Save
        | QMessageBox.StandardButton.Discard
        | QMessageBox.StandardButton.Cancel
    )
    box.setDefaultButton(QMessageBox.StandardButton.Save)
    return QMessageBox.StandardButton(box.exec())
