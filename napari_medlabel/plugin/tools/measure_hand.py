"""The hand that measures: clicks and drags become lines, angles, curves and regions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.lines import perpendicular_ras, values_of
from napari_medlabel.model.landmarks import Point
from napari_medlabel.model.measurements import Kind, Measurement
from napari_medlabel.plugin.measurement_drawing import chains_ras, value_words
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.aiming import clicked_zyx, ras_of, require_inside
from napari_medlabel.plugin.tools.hand import LEFT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.sketch import Sketch

CLICKS: Final[dict[Kind, float]] = {
    "line": 2,
    "angle": 3,
    "bidirectional": 4,
    "curve": math.inf,
    "closed-curve": math.inf,
    "ellipse": 2,
    "box": 2,
}
"""How many clicks each kind takes; a drag counts for two. Curves end by Enter."""

STEPS: Final[dict[Kind, tuple[str, ...]]] = {
    "line": ("Drag, or click both ends.",) * 2,
    "angle": ("Click one arm's end.", "Click the corner.", "Click the other arm's end."),
    "bidirectional": (
        "Drag the long axis, or click both ends.",
        "Click the long axis's other end.",
        "Drag the short axis: it is kept perpendicular.",
        "Click the short axis's other end.",
    ),
    "curve": ("Click along the curve, or draw it; Enter or a double click ends it.",),
    "closed-curve": ("Draw around the region, or click corners and press Enter.",),
    "ellipse": ("Drag a box around the ellipse.",) * 2,
    "box": ("Drag from corner to corner.",) * 2,
}
_FLAT: Final = ("bidirectional", "closed-curve", "ellipse", "box")
_NAMES: Final = {"closed-curve": "closed curve"}
_APART: Final = 0.75  # voxels: less is a click, not a drag


class MeasureHand(QuietHand):
    """Draws one kind of measurement, one after the other.

    Parameters
    ----------
    kit : Kit
        The case.
    kind : str
        A key of `CLICKS`.
    tell : callable
        Says what to do next, or the value so far.

    Attributes
    ----------
    left : callable
        Called when the hand is put down.
    """

    def __init__(self, kit: Kit, kind: Kind, tell: Callable[[str], object]) -> None:
        super().__init__(kit)
        self.kind = kind
        self._tell = tell
        self._sketch = Sketch(kit.binding)
        self._points: list[FloatArray] = []
        self._slice: tuple[int, float] | None = None
        self._down: FloatArray | None = None
        self._is_drawn = False
        self.left: Callable[[], object] = lambda: None
        self._say_step()

    @property
    def is_busy(self) -> bool:
        """Whether something is begun."""
        return bool(self._points)

    # -- the mouse -----------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Set the next point."""
        if pointer.button != LEFT or pointer.axis < 0 or pointer.modifiers:
            return False
        self._down, self._is_drawn = None, False
        try:
            point = self._point(pointer)
            self._down = point
            self._add(point, pointer)
        except MedlabelError as err:
            self._down = None
            self.kit.fail(err)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Draw on, or show what the next point would make."""
        if self._down is None or not self._points:
            return
        try:
            point = self._point(pointer)
        except MedlabelError:
            return  # over the edge of the picture: the line waits at the last place inside
        is_apart = float(np.abs(point - self._points[-1]).max()) >= _APART
        if math.isinf(CLICKS[self.kind]) and is_apart:
            self._points.append(point)
            self._is_drawn = True
        self._show(pointer.view, point)

    def release(self, pointer: Pointer) -> None:
        """Take the end of a drag as the next point; what was drawn around is closed."""
        down, self._down = self._down, None
        if down is None or not self._points:
            return
        try:
            if self._is_drawn:
                self.close()
                return
            point = self._point(pointer)
            is_drag = float(np.abs(point - down).max()) >= _APART
            if is_drag and not math.isinf(CLICKS[self.kind]):
                self._add(point, pointer)
        except MedlabelError as err:
            self.kit.fail(err)

    def hover(self, pointer: Pointer) -> None:
        """Show what a click here would make."""
        if not self._points or pointer.axis < 0:
            return
        try:
            point = self._point(pointer)
        except MedlabelError:
            return  # a move outside of the picture or to another slice is no mistake
        self._show(pointer.view, point)

    def double_click(self, pointer: Pointer) -> bool:
        """End a curve."""
        if pointer.axis >= 0 and math.isinf(CLICKS[self.kind]):
            self.close()
        return pointer.axis >= 0

    def put(self, point_zyx: FloatArray, pointer: Pointer) -> None:
        """Set the next point by the cross-hair, in displayed data coordinates."""
        try:
            require_inside(self.kit.binding.display, point_zyx)
            self._require_slice(point_zyx, pointer)
            self._add(point_zyx, pointer)
        except MedlabelError as err:
            self.kit.fail(err)

    # -- keys ----------------------------------------------------------------------------

    def close(self) -> bool:
        """End a curve; return whether anything was begun."""
        if not self._points:
            return False
        if math.isinf(CLICKS[self.kind]):
            self._finish(self._points)
        return True

    def step_back(self) -> bool:
        """Take the last point back."""
        if not self._points:
            return False
        self._points.pop()
        if not self._points:
            self.cancel()
        else:
            self._say_step()
            self._show(self.kit.view, None)
        return True

    def cancel(self) -> bool:
        """Take back what is begun."""
        busy = self.is_busy
        self._points.clear()
        self._slice = self._down = None
        self._sketch.clear()
        self._say_step()
        return busy

    def leave(self) -> None:
        """Put the hand down."""
        super().leave()
        self.left()

    # -- inside --------------------------------------------------------------------------

    def _point(self, pointer: Pointer) -> FloatArray:
        point = clicked_zyx(self.kit.binding.display, pointer)
        self._require_slice(point, pointer)
        return point

    def _require_slice(self, point_zyx: FloatArray, pointer: Pointer) -> None:
        """Keep flat things on the slice on which they were begun."""
        if self._slice is None or self.kind not in _FLAT:
            return
        axis, index = self._slice
        if axis != pointer.axis or point_zyx[axis] != index:
            raise InputError(
                "This measurement lies on one slice; it was begun on another one.",
                hint="Go back to that slice, or press Escape and begin anew.",
            )

    def _add(self, point_zyx: FloatArray, pointer: Pointer) -> None:
        if not self._points:
            self._slice = (pointer.axis, float(point_zyx[pointer.axis]))
        self._points.append(point_zyx)
        if len(self._points) >= CLICKS[self.kind]:
            self._finish(self._points)
            return
        self._say_step()
        self._show(pointer.view, None)

    def _finish(self, points: list[FloatArray]) -> None:
        """Make what is drawn a measurement: one step of the history."""
        session = self.kit.session
        try:
            made = self._made(points)
            word = _NAMES.get(self.kind, self.kind)
            session.set_measurements(session.measurements.with_one(made), name=f"Draw {word}")
        except MedlabelError as err:
            self.cancel()
            self.kit.fail(err)
            return
        self.cancel()

    def _made(self, points: list[FloatArray]) -> Measurement:
        """Return the measurement of some points, in displayed data coordinates."""
        name = self.kit.session.measurements.free_name(self.kind)
        display = self.kit.binding.display
        if self.kind in ("ellipse", "box"):
            axis = 0 if self._slice is None else self._slice[0]
            points = _half_axes(points[0], points[1], axis)
        ras: list[Point] = [ras_of(display, point) for point in points]
        if self.kind == "bidirectional":
            ras[2:] = perpendicular_ras(ras[:2], ras[2], ras[3])
        if self.kind in ("line", "bidirectional"):
            for start, end in zip(ras[::2], ras[1::2], strict=True):
                if math.dist(start, end) == 0.0:
                    raise InputError("This has no length.", hint="Draw it again, longer.")
        return Measurement(name, self.kind, tuple(ras)).long_first

    def _show(self, view: Any, point_zyx: FloatArray | None) -> None:
        """Show what is drawn, with a further point where there is one."""
        display = self.kit.binding.display
        points = [*self._points] if point_zyx is None else [*self._points, point_zyx]
        lines = [np.array(points)]
        try:
            if len(points) == CLICKS[self.kind] or (
                math.isinf(CLICKS[self.kind]) and len(points) > 2
            ):
                made = self._made(points)
                lines = [display.from_ras(chain) for chain in chains_ras(made)]
                self._tell(value_words(values_of(made)))
        except InputError:
            lines = [np.array(points)]  # not yet a thing of that kind
        if self.kind == "bidirectional" and len(points) == 3:
            lines = [np.array(points[:2])]
        self._sketch.show(view, [display.index_ijk(line) for line in lines])

    def _say_step(self) -> None:
        steps = STEPS[self.kind]
        self._tell(steps[min(len(self._points), len(steps) - 1)])


def _half_axes(first: FloatArray, second: FloatArray, axis: int) -> list[FloatArray]:
    """Return centre and ends of both half axes of a box on a slice, from two corners."""
    centre = (first + second) / 2
    ends = [centre]
    for across in range(3):
        if across != axis:
            end = centre.copy()
            end[across] = max(first[across], second[across])
            ends.append(end)
    return ends
