"""Closing the window with unsaved work: one question, three answers."""

from __future__ import annotations

import weakref
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
        # The window owns this guard: only weak ways back, or neither is ever freed.
        self._window = weakref.ref(window)
        self._is_dirty, self._save, self._finish = is_dirty, save, finish
        self._finished = False
        guard = weakref.ref(self)

        def close(*args: Any, **keywords: Any) -> Any:
            return _close(window_ref(), guard(), args, keywords)

        window_ref = self._window
        # Ctrl+Q comes as a call with arguments, the window's cross as an event.
        vars(window)["close"] = close
        window.installEventFilter(self)

    def release(self) -> None:
        """Let the window close as it likes."""
        window = self._window()
        if window is not None:
            window.removeEventFilter(self)
            # What was set on the instance goes; the class has its own.
            vars(window).pop("close", None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Catch the window's close event."""
        window = self._window()
        if watched is not window or event.type() != QEvent.Type.Close or self._finished:
            return False
        if not self._is_dirty():
            # napari may still ask, and the person may stay: the case stays open then.
            return False
        event.ignore()
        if self.settle():
            QTimer.singleShot(0, lambda: _close(self._window(), None, (), {}))
        return True

    @property
    def is_needed(self) -> bool:
        """Whether closing now would leave unsaved work behind."""
        return not self._finished and self._is_dirty()

    def settle(self) -> bool:
        """Ask, act, and return whether the window may go."""
        answer = ask_to_save(self._window())
        if answer == QMessageBox.StandardButton.Cancel:
            return False
        discard = answer == QMessageBox.StandardButton.Discard
        if not discard and not self._save():
            return False
        self._finished = True
        self._finish(discard)
        return True


def guard(window: QWidget, desk: Any) -> CloseGuard:
    """Guard a main window for the desk of a case, see `CaseDesk`."""
    return CloseGuard(
        window,
        is_dirty=lambda: desk.has_unsaved,
        save=desk.save_now,
        finish=lambda discard: desk.leave(discard=discard),
    )


def _close(
    window: Any, guard: CloseGuard | None, args: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Close a window as napari would, after the guard's question where it is needed."""
    if window is None:
        return False
    if guard is not None and guard.is_needed:
        if not guard.settle():
            return False
        # One question is enough: napari's own is skipped.
        keywords["confirm_need"] = False
        args = args[:1]
    return type(window).close(window, *args, **keywords)


def ask_to_save(parent: QWidget | None) -> QMessageBox.StandardButton:
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
