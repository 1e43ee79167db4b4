"""Scans dropped on the window: all at once to us, and anything else to napari as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_medlabel.plugin.contributions import looks_ours
from napari_medlabel.project.layout import is_study
from napari_medlabel.widgets.reading import read_layers


class DropCatcher(QObject):
    """Takes folders and files that look like scans.

    napari itself opens several dropped files one by one: of a series that makes as many layers
    as it has slices.

    Parameters
    ----------
    window : QWidget
        The main window.
    opened : callable
        Gets the paths.
    """

    def __init__(self, window: QWidget, opened: Callable[[list[Path]], object]) -> None:
        super().__init__(window)
        self._opened = opened
        for part in window.findChildren(QWidget):
            if type(part).__name__ == "QtViewer":
                part.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Catch a drop of scans; everything else goes on."""
        if event.type() != QEvent.Type.Drop:
            return False
        paths = dropped_paths(event)
        if not paths or not all(is_study(path) or looks_ours(path) for path in paths):
            return False
        event.acceptProposedAction()
        # The drag ends first: a question would hold the other program's mouse.
        QTimer.singleShot(0, lambda: self._opened(paths))
        return True


def dropped_paths(event: Any) -> list[Path]:
    """Return the local files and folders of a drop; nothing when there is a web address."""
    urls = event.mimeData().urls()
    if not all(url.isLocalFile() for url in urls):
        return []
    return [Path(url.toLocalFile()) for url in urls]


def show_beside(viewer: Any, paths: list[Path]) -> None:
    """Add layers of scans or marks to a viewer in which a case is open.

    Raises
    ------
    MedlabelError
        When they cannot be read, or marks do not lie on the open scan.
    """
    from napari.layers import Layer

    names = [str(path) for path in paths]
    for made in read_layers(names[0] if len(names) == 1 else names):
        if made[0] is not None:
            viewer.add_layer(Layer.create(*made))
