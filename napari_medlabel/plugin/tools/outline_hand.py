"""Outlines: drawn by dragging or corner by corner, closed, and filled or cut out."""

from __future__ import annotations

from typing import Final

import numpy as np

from napari_medlabel.edit.scene import Proposal
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.hand import LEFT, RIGHT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.sketch import Sketch

_STEP: Final = 0.5  # voxels: nearer points of a drag are one


class Outline(QuietHand):
    """Fills what an outline encloses.

    A drag draws it free-hand and closes it by letting go; clicks set its corners, and Enter, a
    double click or the right button close it. A drag with the right button erases.
    """

    paints = True

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._sketch = Sketch(kit.binding)
        self._points: list[FloatArray] = []
        self._at: Pointer | None = None  # where the outline lies: its view and plane
        self._pressed = 0
        self._dragged = False

    @property
    def is_busy(self) -> bool:
        """Whether an outline is begun."""
        return bool(self._points)

    def press(self, pointer: Pointer) -> bool:
        """Begin an outline, set a corner, or close it with the right button."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        if self._points and not self._is_here(pointer):
            self.cancel()  # another slice or view: the outline there is left
        if pointer.button == RIGHT and self._points:
            self.close()
            return True
        self._pressed, self._dragged = pointer.button, False
        self._at = pointer
        self._points.append(pointer.index_ijk)
        self._show()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Draw on; a view that turned 3D ends the drag."""
        if pointer.axis < 0:
            self.release(pointer)
            return
        if not self._pressed or not self._points:
            return
        if float(np.abs(pointer.index_ijk - self._points[-1]).max()) >= _STEP:
            self._points.append(pointer.index_ijk)
            self._dragged = True
            self._show()

    def release(self, _pointer: Pointer) -> None:
        """Close what was drawn by a drag; after a click wait for the next corner."""
        button, self._pressed = self._pressed, 0
        if not button or not self._points:
            return
        if self._dragged and len(self._points) > 3:
            self._finish(erase=button == RIGHT)
        elif button == RIGHT:
            self.cancel()

    def hover(self, pointer: Pointer) -> None:
        """Show the line to the next corner."""
        if self._points and self._is_here(pointer):
            self._show(pointer.index_ijk)

    def double_click(self, _pointer: Pointer) -> bool:
        """Close the outline."""
        return self.close()

    def close(self) -> bool:
        """Close the outline; return whether one was begun."""
        if not self._points:
            return False
        if len(self._points) < 3:
            self.kit.say("An outline needs three corners.")
            return True
        self._finish(erase=False)
        return True

    def step_back(self) -> bool:
        """Take the last corner back."""
        if not self._points:
            return False
        self._points.pop()
        if self._points:
            self._show()
        else:
            self.cancel()
        return True

    def cancel(self) -> bool:
        """Forget the outline."""
        had = bool(self._points)
        self._points, self._pressed, self._at = [], 0, None
        self._sketch.clear()
        return had

    def _is_here(self, pointer: Pointer) -> bool:
        at = self._at
        if at is None or at.view is not pointer.view or at.voxel_axis != pointer.voxel_axis:
            return False
        return at.voxel[at.voxel_axis] == pointer.voxel[at.voxel_axis]

    def _show(self, tip: FloatArray | None = None) -> None:
        if self._at is None:
            return
        points = [*self._points] if tip is None else [*self._points, tip]
        self._sketch.show(self._at.view, [np.array([*points, points[0]])])

    def _finish(self, *, erase: bool) -> None:
        points, at = np.array(self._points), self._at
        self.cancel()
        if at is not None:
            axis = at.voxel_axis
            self.kit.apply(lambda: self._propose(points, axis, erase=erase))

    def _propose(self, points: FloatArray, axis: int, *, erase: bool) -> Proposal | None:
        from napari_medlabel.edit.outline import fill_outline

        kit = self.kit
        value = kit.free_label()
        return fill_outline(
            kit.bench.scene(), points, axis, value, slices=kit.slices, erase=erase
        )


class Scissors(Outline):
    """Cuts through the slices of the tool's extent what an outline encloses."""

    def _propose(self, points: FloatArray, axis: int, *, erase: bool) -> Proposal | None:
        from napari_medlabel.edit.scissors import Cut, cut
        from napari_medlabel.plugin.tools.kit import Plane

        kit = self.kit
        mode: Cut = "erase_inside" if erase else kit.options["mode"]
        plane = Plane(axis, round(float(np.median(points[:, axis]))))
        value = kit.free_label() if mode == "fill_inside" else kit.label
        return cut(
            kit.bench.scene(),
            kit.box(plane),
            points,
            axis,
            mode=mode,
            value=value,
            values=kit.values(),
        )
