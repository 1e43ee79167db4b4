"""A window of napari's form that draws nothing: who calls whom is as in napari 0.9.2."""

from __future__ import annotations

from typing import Any


class VispyCanvas:
    def __init__(self, viewer: Any) -> None:
        self.viewer, self.drawn = viewer, 0

    def screenshot(self) -> str:
        self.drawn += 1
        return "picture"


class QtViewer:
    def __init__(self, viewer: Any) -> None:
        self.viewer, self.canvas = viewer, VispyCanvas(viewer)

    def _screenshot(self, flash: bool = True) -> str:
        return self.canvas.screenshot()

    def screenshot(self, path: object = None, flash: bool = True) -> str:
        return self._screenshot(flash)

    def export_figure(self, path: object = None) -> str:
        return self._screenshot()

    def export_rois(self, rois: list, paths: object = None) -> list[str]:
        return [self.screenshot(path=paths) for _ in rois]

    def clipboard(self) -> None:
        self._screenshot()


class Window:
    def __init__(self, viewer: Any) -> None:
        self._qt_viewer = QtViewer(viewer)

    def _screenshot(self, canvas_only: bool = True) -> str:
        return self._qt_viewer._screenshot() if canvas_only else "window"

    def screenshot(self, path: object = None, canvas_only: bool = True) -> str:
        return self._screenshot(canvas_only)

    def export_figure(self, path: object = None) -> str:
        return self._qt_viewer.export_figure(path)

    def export_rois(self, rois: list, paths: object = None) -> list[str]:
        return self._qt_viewer.export_rois(rois, paths=paths)

    def clipboard(self, canvas_only: bool = False) -> None:
        self._screenshot(canvas_only)
