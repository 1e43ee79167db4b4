"""What of napari's private parts the views in one window need: nothing else touches them.

napari 0.9 has no public way to a second canvas (napari#662, NAP-9). Each of these says in
words what is missing where another napari has it otherwise.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtWidgets import QBoxLayout, QWidget

from napari_medlabel.errors import RefusedError

_HINT = (
    "One view works without it. Install napari 0.9 for linked views: "
    "pip install 'napari>=0.9.2,<0.10'"
)


def main_canvas(viewer: Any) -> tuple[Any, QBoxLayout]:
    """Return the widget with napari's own canvas, and the layout that it lies in.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        With a window.

    Raises
    ------
    RefusedError
        When this napari lays its window out otherwise.
    """
    try:
        with_canvas = viewer.window._qt_viewer  # noqa: SLF001 - there is no public way
        layout = with_canvas.parentWidget().layout()
    except AttributeError as err:
        raise RefusedError(
            "This window has no canvas to lay views beside.", hint=_HINT
        ) from err
    if not isinstance(layout, QBoxLayout) or layout.indexOf(with_canvas) < 0:
        raise RefusedError(
            "This napari keeps its canvas elsewhere than is known here.", hint=_HINT
        )
    return with_canvas, layout


def make_canvas(model: Any, parent: QWidget) -> Any:
    """Return a widget that draws a ViewerModel.

    Raises
    ------
    RefusedError
        When this napari makes its canvas otherwise.
    """
    try:
        made = _canvas_class()(model)
    except (ImportError, TypeError, AttributeError) as err:
        raise RefusedError("This napari makes its canvas in another way.", hint=_HINT) from err
    made.setParent(parent)
    return made


def canvas_native(with_canvas: Any) -> Any:
    """Return what a widget of napari draws on, and what takes the mouse.

    Raises
    ------
    RefusedError
        When this napari draws on something else.
    """
    try:
        return with_canvas.canvas.native
    except AttributeError as err:
        raise RefusedError("This napari draws in another way.", hint=_HINT) from err


def native_of(viewer: Any) -> Any:
    """Return what napari's window draws a viewer on; None where there is none."""
    if getattr(viewer, "window", None) is None:
        return None
    try:
        return canvas_native(main_canvas(viewer)[0])
    except RefusedError:
        return None


@cache
def _canvas_class() -> type[Any]:
    from napari._qt.qt_viewer import QtViewer

    class SideCanvas(QtViewer):
        """A canvas of a further view: napari's keys are one for all, and are bound by now."""

        def _bind_shortcuts(self) -> None:
            """Leave them: to bind them again costs as much as all else of a canvas."""

    return SideCanvas


def side_panels(viewer: Any) -> tuple[QWidget, ...]:
    """Return napari's list of layers and their controls; empty where they are elsewhere."""
    with_canvas = getattr(viewer.window, "_qt_viewer", None)
    found = (
        getattr(with_canvas, name, None) for name in ("dockLayerControls", "dockLayerList")
    )
    return tuple(panel for panel in found if isinstance(panel, QWidget))


def close_canvas(with_canvas: Any) -> None:
    """Take a widget of `make_canvas` down: its threads end, its memory goes."""
    model = with_canvas.viewer
    with_canvas.hide()
    with_canvas.close()
    with_canvas.setParent(None)
    with_canvas.deleteLater()
    end_slicing(model)


def end_slicing(model: Any) -> None:
    """End the threads of a ViewerModel that is needed no more."""
    slicer = getattr(model, "_layer_slicer", None)
    if slicer is not None:
        slicer.shutdown()


class CrossLines:
    """Two lines through the cross-hair on a canvas, with a gap around the voxel itself.

    Parameters
    ----------
    with_canvas : QtViewer
        Where to draw.

    Raises
    ------
    RefusedError
        When this napari draws in another way.
    """

    _FAR = 1e5
    _GAP_PX = 14.0

    def __init__(self, with_canvas: Any) -> None:
        try:
            from vispy.scene.visuals import Line

            scene = with_canvas.canvas.view.scene
        except (ImportError, AttributeError) as err:
            raise RefusedError("This napari draws in another way.", hint=_HINT) from err
        self._line = Line(
            pos=np.zeros((8, 3), np.float32), connect="segments", method="gl", parent=scene
        )
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.order = 1_000_000
        self._line.visible = False
        self._known: tuple[object, ...] = ()

    def show(
        self, at: tuple[float, float], zoom: float, colours: tuple[str, str], opacity: float
    ) -> None:
        """Draw the lines.

        Parameters
        ----------
        at : tuple of float
            World coordinates of the vertical and the horizontal axis of the view.
        zoom : float
            Pixels for each world unit.
        colours : tuple of str
            Of the line that lies across (it stands for the vertical axis' slice) and of the
            one that stands upright.
        opacity : float
            0 to 1.
        """
        wanted = (*at, round(zoom, 6), *colours, opacity)
        if wanted == self._known and self._line.visible:
            return
        self._known = wanted
        y, x = at
        far, gap = self._FAR, self._GAP_PX / max(zoom, 1e-9)
        ends = [(-far, -gap), (gap, far)]
        pos = [(x + a, y, 0.0) for pair in ends for a in pair]
        pos += [(x, y + a, 0.0) for pair in ends for a in pair]
        across, upright = (_rgba(colour, opacity) for colour in colours)
        colour = np.array([across] * 4 + [upright] * 4, dtype=np.float32)
        self._line.set_data(pos=np.array(pos, dtype=np.float32), color=colour, width=1.0)
        self._line.visible = True

    def hide(self) -> None:
        """Draw nothing."""
        if self._line.visible:
            self._line.visible = False

    def detach(self) -> None:
        """Take the lines off the canvas."""
        self._line.parent = None


def _rgba(colour: str, opacity: float) -> npt.NDArray[np.float64]:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return np.array([*parts, opacity])
