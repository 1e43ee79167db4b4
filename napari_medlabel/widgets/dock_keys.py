"""Keys while the dock has the focus: they do what they do over the picture."""

from __future__ import annotations

from typing import Final

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.keys import Keys
from napari_medlabel.widgets.text_focus import is_typing

_LEFT_ALONE: Final = frozenset({"Enter", "Space", "Backspace", "[", "]", "Z", "6"})
"""These mean something to the fields and buttons of a dock."""
_QT_NAMES: Final = {
    "Control": "Ctrl",
    "Enter": "Return",
    "PageUp": "PgUp",
    "PageDown": "PgDown",
    "Delete": "Del",
    "Escape": "Esc",
}


def as_qt(key: str) -> QKeySequence:
    """Return a key as Qt has it; ``key`` as napari writes it: ``"Shift-PageUp"``.

    Qt takes names that it does not know without a word, and hears nothing ever after.
    """
    return QKeySequence("+".join(_QT_NAMES.get(part, part) for part in key.split("-")))


class DockKeys(QObject):
    """Lets a case's keys work in a dock too: a click into a list must not silence them.

    Fields for text and numbers keep what is typed into them: what they leave goes nowhere,
    neither to the case's keys nor to napari's own.

    Parameters
    ----------
    dock : QWidget
        The dock.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._shortcuts: list[QShortcut] = []
        self._keys: Keys | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._renew)

    def serve(self, keys: Keys) -> None:
        """Begin to pass keys on, those that are bound later, too: desks open one by one."""
        self.end()
        self._keys = keys
        keys.changed.connect(self._on_changed)
        self._dock.installEventFilter(self)
        self._renew()

    def _on_changed(self) -> None:
        if isalive(self):
            self._soon.start()

    def _renew(self) -> None:
        self._drop()
        if self._keys is None:
            return
        keys = self._keys
        for known in keys.listed:
            if known.key in _LEFT_ALONE:
                continue
            shortcut = QShortcut(as_qt(known.key), self._dock)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda k=known.key: keys.press(k))
            self._shortcuts.append(shortcut)

    def end(self) -> None:
        """Pass nothing on any more."""
        self._dock.removeEventFilter(self)
        self._soon.stop()
        keys, self._keys = self._keys, None
        if keys is not None:
            keys.changed.disconnect(self._on_changed)
        self._drop()

    def _drop(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep from the window what comes up from a field in which somebody types."""
        kinds = (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
        if event is not None and event.type() in kinds and is_typing():
            event.accept()
            return True
        return bool(super().eventFilter(watched, event))


def canvas_of(window: QWidget) -> QWidget | None:
    """Return the widget of a napari window on which the picture is drawn; None without one."""
    for child in window.findChildren(QWidget):
        if "Canvas" in type(child).__name__ and child.isVisible():
            return child
    return None
