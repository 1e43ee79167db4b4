"""Live wire and level tracing: outlines that the image draws and the person chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.hand import LEFT, RIGHT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.outline_hand import Outline
from napari_medlabel.plugin.tools.sketch import Sketch
from napari_medlabel.session.drafts import Draft

if TYPE_CHECKING:
    from napari_medlabel.edit.livewire import LiveWire


class Flat:
    """One slice of the image, and the way between its pixels and the scan's voxels.

    Parameters
    ----------
    kit : Kit
        Whose scene it is of.
    axis, index : int
        Voxel axis across the slice, and which slice.
    """

    def __init__(self, kit: Kit, axis: int, index: int) -> None:
        scene = kit.scene()
        self.axis, self.index = axis, index
        self._in_use, self._number = kit.bench.in_use, kit.bench.in_use.number
        u, v = (a for a in range(3) if a != axis)
        self.axes = u, v
        self.image: npt.NDArray[Any] = np.take(scene.image, index, axis=axis)
        self.spacing_mm = scene.spacing_mm[u], scene.spacing_mm[v]

    @classmethod
    def under(cls, kit: Kit, pointer: Pointer) -> Flat | None:
        """Return the slice under the mouse; None beside the scan."""
        index = pointer.voxel[pointer.voxel_axis]
        if not 0 <= index < kit.shape[pointer.voxel_axis]:
            return None
        return cls(kit, pointer.voxel_axis, index)

    def is_under(self, pointer: Pointer) -> bool:
        """Tell whether the mouse is over this slice, and it is of the volume that is shown."""
        same = self.axis == pointer.voxel_axis and self.index == pointer.voxel[self.axis]
        return same and not self.is_past

    @property
    def is_past(self) -> bool:
        """Whether another volume of the scan is shown meanwhile."""
        return self._number != self._in_use.number

    def uv(self, index_ijk: FloatArray) -> FloatArray:
        """Return the place in the slice of a voxel index, kept inside."""
        flat = np.array([index_ijk[a] for a in self.axes])
        inside: FloatArray = np.clip(flat, 0.0, np.array(self.image.shape) - 1.0)
        return inside

    def ijk(self, uv: npt.ArrayLike) -> FloatArray:
        """Return voxel indices, shape (n, 3), of places in the slice, shape (n, 2)."""
        flat = np.asarray(uv, dtype=np.float64).reshape(-1, 2)
        made = np.full((len(flat), 3), float(self.index))
        made[:, self.axes[0]], made[:, self.axes[1]] = flat[:, 0], flat[:, 1]
        return made


class Wire(Outline):
    """An outline whose lines follow edges of the image from click to click."""

    tool = "wire"

    def __init__(self, kit: Kit) -> None:
        self._flat: Flat | None = None
        self._wire: LiveWire | None = None
        self._corners: list[int] = []  # how many points there were at each click
        super().__init__(kit)

    def press(self, pointer: Pointer) -> bool:
        """Set an anchor: the line from the one before is kept. The first goes to the edge."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        self._go_to(pointer)
        if pointer.button == RIGHT:
            self.close()
            return True
        if not self._points and not self._begin(pointer):
            return True
        self._renew()
        flat, wire = self._flat, self._wire
        if flat is None or wire is None:
            return True
        self._begin_at(pointer)
        self._corners.append(len(self._points))
        here = _pair(flat.uv(pointer.index_ijk))
        if self._points:
            self._points.extend(self._way_to(pointer))
        else:  # the line closes here: beside the edge it would leave a spike
            here = wire.snapped(here)
        self._points.append(flat.ijk(here)[0])
        wire.anchor(here)
        self._keep()
        self._show()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Follow the edge as while hovering."""
        self.hover(pointer)

    def release(self, _pointer: Pointer) -> None:
        """Wait for the next anchor."""

    def hover(self, pointer: Pointer) -> None:
        """Show the line along the edge from the last anchor to the mouse."""
        super().hover(pointer)
        if self._points and self._is_here(pointer):
            line = [*self._points, *self._way_to(pointer)]
            self._sketch.show(self._view, [np.array(line)])

    def step_back(self) -> bool:
        """Take the last anchor back."""
        if not self._corners or not self.is_busy:
            return False
        del self._points[self._corners.pop() :]
        if self._points and self._flat is not None and self._wire is not None:
            self._wire.anchor(_pair(self._flat.uv(self._points[-1])))
            self._keep()
            self._show()
        else:
            self.cancel()
        return True

    def put_aside(self) -> None:
        """Let go of the line; it waits where it is."""
        super().put_aside()
        self._corners, self._flat, self._wire = [], None, None

    def _clicked(self) -> tuple[int, ...]:
        return tuple(self._corners)

    def _resume(self, draft: Draft) -> None:
        """Follow the edge from the last anchor on."""
        self._corners = list(draft.corners)
        self._follow(draft.axis, draft.index)

    def _renew(self) -> None:
        """Follow the edges of the volume that is shown now; what is drawn stays."""
        flat = self._flat
        if flat is not None and flat.is_past:
            self._follow(flat.axis, flat.index)

    def _follow(self, axis: int, index: int) -> None:
        """Follow the edges of a slice, from the last anchor on."""
        from napari_medlabel.edit.livewire import LiveWire

        self._flat = flat = Flat(self.kit, axis, index)
        self._wire = LiveWire(flat.image, flat.spacing_mm)
        if self._points:
            self._wire.anchor(_pair(flat.uv(self._points[-1])))

    def _closed(self) -> list[FloatArray]:
        """Return the points with the way back along the edge."""
        self._renew()
        if self._flat is None or self._wire is None or len(self._corners) < 2:
            return self._points
        first = _pair(self._flat.uv(self._points[0]))
        return [*self._points, *self._flat.ijk(self._wire.path_to(first))]

    def _begin(self, pointer: Pointer) -> bool:
        self._flat = Flat.under(self.kit, pointer)
        if self._flat is None:
            return False
        self._follow(self._flat.axis, self._flat.index)
        return True

    def _way_to(self, pointer: Pointer) -> list[FloatArray]:
        self._renew()
        if self._flat is None or self._wire is None:
            return []
        return list(self._flat.ijk(self._wire.path_to(_pair(self._flat.uv(pointer.index_ijk)))))

    def _show(self, tip: FloatArray | None = None) -> None:
        if self._at is not None and self._points:
            points = self._points if tip is None else [*self._points, tip]
            self._sketch.show(self._view, [np.array(points)])


class Tracing(QuietHand):
    """Shows the region of about the value under the mouse; a click takes it."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._sketch = Sketch(kit.binding)
        self._flat: Flat | None = None
        self._shown = False

    def hover(self, pointer: Pointer) -> None:
        """Show the outline of the region under the mouse."""
        from napari_medlabel.edit.tracing import outline_of

        region = self._region(pointer)
        flat = self._flat
        if region is None or flat is None:
            self.cancel()
            return
        lines = [flat.ijk(line) for line in outline_of(region)]
        longest = sorted(lines, key=len, reverse=True)[:8]
        self._sketch.show(pointer.view, list(longest))
        self._shown = True

    def press(self, pointer: Pointer) -> bool:
        """Give the region the label in hand; the right button takes labels away there."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        region = self._region(pointer)
        flat = self._flat
        if region is None or flat is None:
            return True
        label = self.kit.label
        erases = pointer.button == RIGHT
        if not erases and not self.kit.has_label():
            return True
        stroke = self.kit.begin("Erase" if erases else "Level tracing", (label,))
        if stroke is None:
            return True
        box = [slice(0, n) for n in self.kit.shape]
        box[flat.axis] = slice(flat.index, flat.index + 1)
        deep = np.expand_dims(region, flat.axis)
        stroke.put((box[0], box[1], box[2]), deep, 0 if erases else label)
        self.kit.finish(stroke, label)
        self.cancel()
        return True

    def cancel(self) -> bool:
        """Take the outline away."""
        had, self._shown = self._shown, False
        self._sketch.clear()
        return had

    def look_anew(self) -> None:
        """Take the outline away: it is of another volume."""
        self.cancel()

    def leave(self) -> None:
        """Put the tool down."""
        self.cancel()
        self._flat = None

    def _region(self, pointer: Pointer) -> npt.NDArray[np.bool_] | None:
        from napari_medlabel.edit.tracing import level_trace

        if pointer.axis < 0 or not all(
            0 <= v < n for v, n in zip(pointer.voxel, self.kit.shape, strict=True)
        ):
            return None
        if self._flat is None or not self._flat.is_under(pointer):
            self._flat = Flat.under(self.kit, pointer)
        if self._flat is None:
            return None
        return np.asarray(
            level_trace(
                self._flat.image,
                _pair(self._flat.uv(pointer.index_ijk)),
                tolerance=float(self.kit.options["tolerance"]),
            )
        )


def _pair(uv: FloatArray) -> tuple[float, float]:
    return float(uv[0]), float(uv[1])
