"""Radiological display: which way the camera turns each view, and the sides at its edges."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import OPPOSITE
from napari_medlabel.plugin.display import AXES, PLANES
from napari_medlabel.plugin.layers import side_letters

VIEWS: Final = {"Axial": (0, 1, 2), "Coronal": (1, 0, 2), "Sagittal": (2, 0, 1)}
"""Order of the axes (S, P, L) that shows each plane; the last two are on the screen."""

_EDGES: Final = {
    "top": "top_center",
    "bottom": "bottom_center",
    "left": "middle_left",
    "right": "middle_right",
}
_EVEN: Final = frozenset({(0, 1, 2), (1, 2, 0), (2, 0, 1)})
_SMALL: Final = 0.3  # a side is named when its share of the direction is above this


class Orientation:
    """Keeps a viewer's camera and the letters on its canvas right for what it shows.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    radiological : bool
        Patient's left on the right of the screen; False for neurological display.
    named : bool
        Whether sides may be named: False when the scan's file does not say which is which.
    pictures : bool
        Whether these are pictures without a place: shown as they are, and without sides.
    letter_size : int
        Of the letters at the edges, in points; small views take smaller ones.
    """

    def __init__(
        self,
        viewer: Any,
        *,
        radiological: bool = True,
        named: bool = True,
        pictures: bool = False,
        letter_size: int = 16,
    ) -> None:
        self._viewer = viewer
        self._letter_size = letter_size
        self._radiological = radiological
        self._named = named
        self._pictures = pictures
        self._busy = False
        self._dims_events = (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.dims.events.ndim,
        )
        for event in self._dims_events:
            event.connect(self.update)
        viewer.scene.camera.events.angles.connect(self._name_sides)
        viewer.scene.camera.events.orientation.connect(self._on_turned)
        self._add_letters()
        self.update()

    @property
    def radiological(self) -> bool:
        """Whether the patient's left is on the right of the screen."""
        return self._radiological

    @radiological.setter
    def radiological(self, value: bool) -> None:
        self._radiological = value
        self.update()

    def _add_letters(self) -> None:
        from napari.components.overlays import TextOverlay

        for edge, position in _EDGES.items():
            self._viewer.canvas.overlays[f"medlabel_{edge}"] = TextOverlay(
                text="",
                position=position,
                font_size=self._letter_size,
                color="#ffd23f",
                visible=True,
            )

    @property
    def letters(self) -> dict[str, str]:
        """The letters now at the edges of the canvas; empty where none is shown."""
        overlays = self._viewer.canvas.overlays
        return {edge: str(overlays[f"medlabel_{edge}"].text) for edge in _EDGES}

    def update(self, _event: object = None) -> None:
        """Turn the camera for the axes now shown, and name the sides."""
        dims = self._viewer.dims
        if dims.ndim < 3 or self._busy:
            return
        self._busy = True
        try:
            self._keep_further_axes_on_sliders()
            camera = self._viewer.scene.camera
            order = self.places()
            shown = order[-2:]
            as_stored = self._pictures
            vertical = "up" if AXES[shown[0]] == "S" and not as_stored else "down"
            mirrored = AXES[shown[1]] == "L" and not self._radiological and not as_stored
            camera.orientation2d = (vertical, "left" if mirrored else "right")
            self._match_handedness(camera, order)
        finally:
            self._busy = False
        self._name_sides()

    def _on_turned(self, _event: object = None) -> None:
        """Follow a person who turns an axis in napari: the letters say what is seen.

        In 3D that would be a mirror image, so there it is turned back.
        """
        if self._busy:
            return
        if self._viewer.dims.ndisplay == 3:
            self.update()
        else:
            self._name_sides()

    def places(self) -> tuple[int, ...]:
        """Return the order of the three axes of place (0 = S, 1 = P, 2 = L)."""
        dims = self._viewer.dims
        before = dims.ndim - 3
        return tuple(int(a) - before for a in dims.order if a >= before)

    def _keep_further_axes_on_sliders(self) -> None:
        """Put times and echoes first: a view along them has no sides and no labels."""
        dims = self._viewer.dims
        before = dims.ndim - 3
        wanted = (*range(before), *(a + before for a in self.places()))
        if tuple(int(a) for a in dims.order) != wanted:
            dims.order = wanted

    @property
    def plane(self) -> str:
        """What is shown: a plane of `VIEWS`, or ``"3D"``."""
        if self._viewer.dims.ndisplay == 3:
            return "3D"
        return PLANES[self.places()[0]]

    def show_plane(self, plane: str) -> None:
        """Show a plane of `VIEWS`, or the volume in 3D from the front."""
        dims = self._viewer.dims
        before = dims.ndim - 3
        view = VIEWS["Coronal" if plane == "3D" else plane]
        order = (*range(before), *(a + before for a in view))
        if plane == "3D":
            dims.order = order
            dims.ndisplay = 3
        else:
            dims.ndisplay = 2
            dims.order = order

    def _match_handedness(self, camera: Any, order: tuple[int, ...]) -> None:
        """Choose the depth axis so that a 3D view is never a mirror image.

        (S, P, L) in this order is a left-handed frame, so even permutations need a
        left-handed camera.
        """
        wanted = "left" if order in _EVEN else "right"
        for depth in ("towards", "away"):
            camera.orientation = (depth, *camera.orientation2d)
            if str(camera.handedness) == wanted:
                return

    def _name_sides(self, _event: object = None) -> None:
        dims = self._viewer.dims
        if dims.ndim < 3:
            return
        if self._pictures:
            sides = dict.fromkeys(_EDGES, "")
        elif not self._named:
            sides = dict.fromkeys(_EDGES, "?")
        elif dims.ndisplay == 2:
            vertical, horizontal = (str(o) for o in self._viewer.scene.camera.orientation2d)
            _, first, second = self.places()
            sides = side_letters((first, second), vertical, horizontal)
        else:
            sides = self._sides_3d()
        for edge, letter in sides.items():
            self._viewer.canvas.overlays[f"medlabel_{edge}"].text = letter

    def _sides_3d(self) -> dict[str, str]:
        camera, order = self._viewer.scene.camera, list(self.places())
        up = np.array(camera.up_direction, dtype=np.float64)
        view = np.array(camera.view_direction, dtype=np.float64)
        # In the displayed frame, columns are the shown axes. Screen right is view x up in a
        # right-handed frame; the frame (S, P, L) is right-handed for odd orders only.
        to_spl = np.zeros((3, 3))
        to_spl[order, range(3)] = 1.0
        up_spl, view_spl = to_spl @ up, to_spl @ view
        right_spl = -np.cross(view_spl, up_spl)
        return {
            "top": compose_side(up_spl),
            "bottom": compose_side(-up_spl),
            "right": compose_side(right_spl),
            "left": compose_side(-right_spl),
        }

    def detach(self) -> None:
        """Let go of the viewer: letters away, events disconnected."""
        for event in self._dims_events:
            event.disconnect(self.update)
        self._viewer.scene.camera.events.angles.disconnect(self._name_sides)
        self._viewer.scene.camera.events.orientation.disconnect(self._on_turned)
        for edge in _EDGES:
            del self._viewer.canvas.overlays[f"medlabel_{edge}"]


def compose_side(direction_spl: npt.NDArray[np.float64]) -> str:
    """Name a direction by its sides, the strongest first, as radiologists do: ``"LA"``.

    Parameters
    ----------
    direction_spl : ndarray, shape (3,)
        A direction in (S, P, L).
    """
    length = float(np.linalg.norm(direction_spl))
    if length == 0:
        return ""
    share = direction_spl / length
    named = [axis for axis in np.argsort(-np.abs(share)) if abs(share[axis]) > _SMALL]
    return "".join(AXES[a] if share[a] > 0 else OPPOSITE[AXES[a]] for a in named)
