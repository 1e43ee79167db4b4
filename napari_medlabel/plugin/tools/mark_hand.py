"""The hand that places landmarks: each click is for the landmark whose name is shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_medlabel.errors import MedlabelError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.landmarks import Plane, Point
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.aiming import (
    Snap,
    clicked_zyx,
    plane_of,
    ras_of,
    require_inside,
    snapped_ras,
)
from napari_medlabel.plugin.tools.hand import LEFT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.session.marking import Marking


def _nothing(*_told: object) -> None:
    """Do nothing."""


class MarkHand(QuietHand):
    """Places landmarks where the button is let go.

    A draft that lies on the slice clicked in keeps its place across that slice, so a point
    that was refined in one plane stays refined there.

    Parameters
    ----------
    kit : Kit
        The case.
    marking : Marking
        Which landmark is next.
    snap : callable
        Returns what clicks snap to.

    Attributes
    ----------
    pointed : callable
        Told where the mouse is (RAS mm) while the button is down, and None when it is up.
    placed : callable
        Told the name of a landmark that was placed or drafted.
    left : callable
        Called when the hand is put down.
    """

    def __init__(self, kit: Kit, marking: Marking, snap: Callable[[], Snap]) -> None:
        super().__init__(kit)
        self.marking = marking
        self._snap = snap
        self._at: tuple[Point, Plane] | None = None
        self.pointed: Callable[[Point | None], object] = _nothing
        self.placed: Callable[[str], object] = _nothing
        self.left: Callable[[], object] = _nothing

    @property
    def is_busy(self) -> bool:
        """Whether Escape would take back a draft or a press."""
        return self._at is not None or self.marking.draft is not None

    def press(self, pointer: Pointer) -> bool:
        """Begin to place."""
        if pointer.button != LEFT or pointer.axis < 0 or pointer.modifiers:
            return False
        self._follow(pointer, tell=True)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Show where it would be placed."""
        if self._at is not None:
            self._follow(pointer, tell=False)

    def release(self, _pointer: Pointer) -> None:
        """Place it where it is shown."""
        at, self._at = self._at, None
        self.pointed(None)
        if at is not None:
            self.put(*at)

    def hover(self, pointer: Pointer) -> None:
        """Count a plane as looked at where the mouse passes over the draft's slice in it."""
        draft = self.marking.draft
        if draft is None or pointer.axis < 0:
            return
        shown = self.kit.binding.display.from_ras(draft.point_ras)
        if _is_on_slice(shown, pointer):
            self.marking.look(plane_of(pointer.axis))

    def double_click(self, pointer: Pointer) -> bool:
        """Keep a second click from enlarging the view."""
        return pointer.axis >= 0

    def put(self, point_ras: Point, plane: Plane | None) -> bool:
        """Place the current landmark, or make a draft of it, at a point in RAS mm.

        Returns
        -------
        bool
            Whether it was; else the person has been told why not.
        """
        display, volume = self.kit.binding.display, self.kit.session.volume
        image = self.kit.bench.in_use.image
        try:
            require_inside(display, display.from_ras(point_ras))
            at = snapped_ras(volume, point_ras, self._snap(), image)
            name = self.marking.click(at, plane)
        except MedlabelError as err:
            self.kit.fail(err)
            return False
        self.placed(name)
        return True

    def close(self) -> bool:
        """Place the draft for good."""
        try:
            return self.marking.commit() is not None
        except MedlabelError as err:
            self.kit.fail(err)
            return True

    def step_back(self) -> bool:
        """Give the draft up."""
        return self.cancel()

    def cancel(self) -> bool:
        """Give the draft up."""
        busy = self.is_busy
        self._at = None
        self.pointed(None)
        self.marking.cancel()
        return busy

    def leave(self) -> None:
        """Put the hand down; a draft is given up."""
        super().leave()
        self.left()

    def _follow(self, pointer: Pointer, *, tell: bool) -> None:
        display = self.kit.binding.display
        try:
            point = clicked_zyx(display, pointer)
        except MedlabelError as err:
            if tell:
                self.kit.fail(err)
            return
        draft = self.marking.draft
        if draft is not None:
            known = display.from_ras(draft.point_ras)
            if _is_on_slice(known, pointer):
                point[pointer.axis] = known[pointer.axis]
        self._at = (ras_of(display, point), plane_of(pointer.axis))
        self.pointed(self._at[0])


def _is_on_slice(point_zyx: FloatArray, pointer: Pointer) -> bool:
    axis = pointer.axis
    return bool(np.rint(point_zyx[axis]) == np.rint(pointer.point_zyx[axis]))
