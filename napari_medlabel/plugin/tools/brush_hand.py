"""Brushes: paint, erase, paint up to an edge, and smooth where one paints."""

from __future__ import annotations

import numpy as np

from napari_medlabel.edit.brush import Mark, swept
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, widen
from napari_medlabel.errors import InputError
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.catalogue import SIZE
from napari_medlabel.plugin.tools.hand import LEFT, RIGHT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.sketch import Sketch
from napari_medlabel.session.bench import Stroke


class Brush(QuietHand):
    """Paints where the mouse goes, without a gap however fast; one stroke is one step."""

    circle = True
    paints = True
    erases = False
    verb = "Paint"

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._stroke: Stroke | None = None
        self._last: Pointer | None = None
        self._value = 0

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    def press(self, pointer: Pointer) -> bool:
        """Begin a stroke: the left button paints, the right one erases."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        if self._stroke is not None:
            return True  # the other button during a stroke changes nothing
        erases = self.erases or pointer.button == RIGHT
        if not erases and not self.kit.has_label():
            return True
        label = self.kit.label
        self._value = 0 if erases else label
        values = self.kit.erasable() if erases else (label,)
        self._stroke = self.kit.begin("Erase" if erases else self.verb, values)
        self._last = pointer
        if self._stroke is not None:
            self._put(pointer)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Paint from the last place to this one; a view that turned 3D ends the stroke."""
        if pointer.axis < 0:
            self._finish()
        elif self._stroke is not None:
            self._put(pointer)

    def release(self, _pointer: Pointer) -> None:
        """Make one step of the stroke."""
        self._finish()

    def leave(self) -> None:
        """Put the tool down: a stroke under way ends here, as its step."""
        self._finish()

    def _finish(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self.kit.finish(stroke, self._value or self.kit.label)

    def wheel(self, pointer: Pointer, steps: float) -> bool:
        """Change the size with Shift."""
        if "Shift" not in pointer.modifiers or not steps:
            return False
        self.kit.resize(1.0 if steps > 0 else -1.0)
        return True

    def cancel(self) -> bool:
        """Take the stroke back."""
        stroke, self._stroke = self._stroke, None
        if stroke is None:
            return False
        stroke.cancel()
        return True

    def _put(self, pointer: Pointer) -> None:
        before, self._last = self._last or pointer, pointer
        mark = mark_of(self.kit, before, pointer)
        if mark is None or self._stroke is None:
            return
        box, region = mark
        self._stroke.put(box, self._narrow(box, region, pointer), self._value)

    def _narrow(self, _box: Box, region: np.ndarray, _pointer: Pointer) -> np.ndarray:
        """Return which voxels under the brush are meant."""
        return region


class Eraser(Brush):
    """Takes labels away with either button."""

    erases = True
    verb = "Erase"


class EdgeBrush(Brush):
    """Paints what looks like the tissue under its middle; the right button erases plainly."""

    verb = "Paint to the edge"

    def _narrow(self, box: Box, region: np.ndarray, pointer: Pointer) -> np.ndarray:
        from napari_medlabel.edit.edge_brush import edge_aware

        if self._value == 0 or not _inside(pointer, box):
            return region
        scene = self.kit.scene()
        return edge_aware(
            scene,
            box,
            region,
            pointer.index_ijk,
            tolerance=float(self.kit.options["tolerance"]),
        )


class Smoother(QuietHand):
    """Smooths, at the end of a stroke, the surfaces that the stroke went over."""

    circle = True
    paints = True

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._sketch = Sketch(kit.binding)
        self._way: list[Pointer] = []

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return bool(self._way)

    def press(self, pointer: Pointer) -> bool:
        """Begin a stroke."""
        if pointer.button != LEFT or pointer.axis < 0:
            return False
        self._way = [pointer]
        return True

    def drag(self, pointer: Pointer) -> None:
        """Show where the stroke goes; a view that turned 3D ends it."""
        if pointer.axis < 0:
            self._finish()
        elif self._way:
            self._way.append(pointer)
            self._sketch.show(pointer.view, [np.array([p.index_ijk for p in self._way])])

    def release(self, _pointer: Pointer) -> None:
        """Smooth, as one step."""
        self._finish()

    def leave(self) -> None:
        """Put the tool down: a stroke under way ends here, as its step."""
        self._finish()

    def _finish(self) -> None:
        way, self._way = self._way, []
        self._sketch.clear()
        if way:
            self.kit.apply(lambda: self._smooth(way))

    def wheel(self, pointer: Pointer, steps: float) -> bool:
        """Change the size with Shift."""
        if "Shift" not in pointer.modifiers or not steps:
            return False
        self.kit.resize(1.0 if steps > 0 else -1.0)
        return True

    def cancel(self) -> bool:
        """Forget the stroke."""
        had, self._way = bool(self._way), []
        self._sketch.clear()
        return had

    def _smooth(self, way: list[Pointer]) -> Proposal | None:
        from napari_medlabel.edit.smooth import smooth_jointly

        kit = self.kit
        pairs = zip([way[0], *way], way, strict=False)
        marks = [mark for a, b in pairs if (mark := mark_of(kit, a, b)) is not None]
        if not marks:
            return None
        scene, sigma = kit.scene(), float(kit.options["sigma"])
        box, region = union(marks)
        # The smoothing needs to see what lies around; only what was painted over changes.
        wide = widen(box, 3 * sigma, scene.apart_mm, scene.shape) if _deep(box) else box
        values = kit.all_values()
        smoothed = smooth_jointly(scene, wide, values, sigma_mm=sigma)
        if smoothed is None:
            return None
        part = scene.labels[box].T.copy().T
        where = tuple(
            slice(max(s.start, b.start), min(s.stop, b.stop))
            for s, b in zip(smoothed.box, box, strict=True)
        )
        if any(s.start >= s.stop for s in where):
            return None
        in_box = tuple(
            slice(s.start - b.start, s.stop - b.start) for s, b in zip(where, box, strict=True)
        )
        in_smooth = tuple(
            slice(s.start - b.start, s.stop - b.start)
            for s, b in zip(where, smoothed.box, strict=True)
        )
        part[in_box] = np.where(region[in_box], smoothed.after[in_smooth], part[in_box])
        return scene.propose(box, part, name="Smooth", values=values, provider="classical",
                             origin="assisted")  # fmt: skip


def mark_of(kit: Kit, start: Pointer, end: Pointer) -> Mark | None:
    """Return what the brush touches between two places of the mouse, by the tool's extent."""
    radius = float(kit.options[SIZE]) / 2.0
    if kit.extent == "3D":
        return swept(
            kit.shape, start.index_ijk, end.index_ijk, None, radius, kit.spacing_mm,
            skew_mm=kit.skew_mm,
        )  # fmt: skip
    axis = end.voxel_axis
    if axis != start.voxel_axis:
        start = end
    return swept(
        kit.shape,
        start.index_ijk,
        end.index_ijk,
        axis,
        radius,
        kit.spacing_mm,
        slices=kit.slices,
        skew_mm=kit.skew_mm,
    )


def union(marks: list[Mark]) -> Mark:
    """Return one mark of several.

    Raises
    ------
    InputError
        When there is none.
    """
    if not marks:
        raise InputError("A stroke touched nothing.", hint="Paint inside the scan.")
    i, j, k = (
        slice(min(b[a].start for b, _ in marks), max(b[a].stop for b, _ in marks))
        for a in range(3)
    )
    box = i, j, k
    region = np.zeros([s.stop - s.start for s in reversed(box)], dtype=bool).T
    for part, touched in marks:
        at = tuple(
            slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True)
        )
        region[at] |= touched
    return box, region


def _deep(box: Box) -> bool:
    return all(s.stop - s.start > 1 for s in box)


def _inside(pointer: Pointer, box: Box) -> bool:
    return all(s.start <= v < s.stop for s, v in zip(box, pointer.voxel, strict=True))
