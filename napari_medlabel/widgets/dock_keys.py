"""Keys while the dock has the focus: they do what they do over the picture."""

from __future__ import annotations

from typing import Final

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.keys import Keys

_LEFT_ALONE: Final = frozenset({"Enter", "Space", "Backspace", "[", "]", "Z", "6"})
"""These mean something to the fields and buttons of a dock."""


class DockKeys(QObject):
    """Lets a case's keys work in a dock too: a click into a list must not silence them.

    Fields for text and numbers keep what is typed into them.

    Parameters
    ----------
    dock : QWidget
        The dock.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._shortcuts: list[QShortcut] = []

    def serve(self, keys: Keys) -> None:
        """Begin to pass keys on."""
        self.end()
        for known in keys.listed:
            if known.key in _LEFT_ALONE:
                continue
            written = known.key.replace("Control-", "Ctrl+").replace("-", "+")
            shortcut = QShortcut(QKeySequence(written), self._dock)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda k=known.key: keys.press(k))
            self._shortcuts.append(shortcut)

    def end(self) -> None:
        """Pass nothing on any more."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []


def canvas_of(window: QWidget) -> QWidget | None:
    """Return the widget of a napari window on which the picture is drawn; None without one."""
    for child in window.findChildren(QWidget):
        if "Canvas" in type(child).__name__ and child.isVisible():
            return child
    return None
