"""The hand that draws boxes: drags make one, move it, or pull at its sides and corners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.errors import MedlabelError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.boxes import Box3D, Index, moved, resized
from napari_medlabel.plugin.box_layer import BoxLayers, cut_ijk, voxels_per_pixel
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.hand import LEFT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit

_GRAB_PX: Final = 8.0


@dataclass(frozen=True)
class Grip:
    """What of a box is held.

    Parameters
    ----------
    box : Box3D
        As it was when it was taken.
    sides : tuple of (int, bool)
        Voxel axis of each side that is pulled, and whether it is the far one; none: all of
        it is moved.
    """

    box: Box3D
    sides: tuple[tuple[int, bool], ...] = ()


def grip_at(
    box: Box3D, point_ijk: FloatArray, axis: int, reach: tuple[float, float, float]
) -> Grip | None:
    """Return what of a box a point of a slice takes hold of; None for nothing.

    Parameters
    ----------
    point_ijk : ndarray, shape (3,)
        In fractional voxels.
    axis : int
        Voxel axis across the slice.
    reach : tuple of float
        How near is near enough, in voxels along i, j and k.
    """
    index = round(float(point_ijk[axis]))
    if cut_ijk(box, axis, index) is None:
        return None
    sides = []
    for own in (a for a in range(3) if a != axis):
        low, high = box.start[own] - 0.5, box.stop[own] - 0.5
        at, near = float(point_ijk[own]), reach[own]
        if not low - near <= at <= high + near:
            return None
        # Of a small box the middle third moves it all the same.
        near = min(near, max((high - low) / 3.0, 0.5))
        if at >= high - near:
            sides.append((own, True))
        elif at <= low + near:
            sides.append((own, False))
    return Grip(box, tuple(sides))


def pulled(grip: Grip, start_ijk: FloatArray, to_ijk: FloatArray, shape: Index) -> Box3D:
    """Return a box as it is when what is held has come from one point to another."""
    by = np.rint(np.asarray(to_ijk) - np.asarray(start_ijk)).astype(int)
    if not grip.sides:
        return moved(grip.box, (int(by[0]), int(by[1]), int(by[2])), shape)
    box = grip.box
    for axis, far in grip.sides:
        edge = box.stop[axis] if far else box.start[axis]
        box = resized(box, axis, far, edge + int(by[axis]), shape)
    return box


def drawn(
    first_ijk: FloatArray,
    last_ijk: FloatArray,
    axis: int,
    spacing_mm: tuple[float, float, float],
    shape: Index,
) -> tuple[Index, Index]:
    """Return the box that a drag on a slice makes: as deep as its shorter side is long.

    Parameters
    ----------
    first_ijk, last_ijk : ndarray, shape (3,)
        Where the drag began and ended, in fractional voxels.
    axis : int
        Voxel axis across the slice.

    Returns
    -------
    start, stop : tuple of int
    """
    ends = np.rint(np.stack([first_ijk, last_ijk])).astype(int)
    limit = np.array(shape)
    low = np.clip(ends.min(axis=0), 0, limit - 1)
    high = np.clip(ends.max(axis=0), 0, limit - 1) + 1
    side_mm = min((high[a] - low[a]) * spacing_mm[a] for a in range(3) if a != axis)
    half = round((side_mm / spacing_mm[axis] - 1.0) / 2.0)
    low[axis] = max(low[axis] - half, 0)
    high[axis] = min(high[axis] + half, limit[axis])
    i, j, k = (int(v) for v in low)
    u, v, w = (int(v) for v in high)
    return (i, j, k), (u, v, w)


class BoxHand(QuietHand):
    """Draws and changes boxes.

    Parameters
    ----------
    kit : Kit
        The case.
    layers : BoxLayers
        Shows them.
    kind : callable
        Returns kind and value of a new box.
    choose : callable
        Told of the number of the box that was taken or drawn.

    Attributes
    ----------
    left : callable
        Called when the hand is put down.
    """

    def __init__(
        self,
        kit: Kit,
        layers: BoxLayers,
        kind: Callable[[], tuple[str, int]],
        choose: Callable[[int], object],
    ) -> None:
        super().__init__(kit)
        self._layers, self._kind, self._choose = layers, kind, choose
        self._grip: Grip | None = None
        self._from: FloatArray | None = None
        self._draft: Box3D | None = None
        self.left: Callable[[], object] = lambda: None

    @property
    def is_busy(self) -> bool:
        """Whether a drag is under way."""
        return self._from is not None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a box, or begin one."""
        if pointer.button != LEFT or pointer.axis < 0 or pointer.modifiers:
            return False
        boxing = self.kit.session.boxing
        self._from = np.array(pointer.index_ijk, dtype=np.float64)
        self._grip = self._taken(pointer)
        if self._grip is None and not boxing.is_open:
            self._from = None
            return False
        if self._grip is not None:
            self._choose(self._grip.box.id)
        return True

    def _taken(self, pointer: Pointer) -> Grip | None:
        """Return what is under the mouse: the box in hand first, then the smallest."""
        display = self.kit.binding.display
        pixels = _GRAB_PX * voxels_per_pixel(pointer.view, display)
        scale_mm = float(np.sqrt(min(display.scale) * max(display.scale)))
        i, j, k = (pixels * scale_mm / mm for mm in self.kit.spacing_mm)
        boxes = sorted(
            self.kit.session.boxing.boxes,
            key=lambda box: (box.id != self._layers.chosen, int(np.prod(box.shape))),
        )
        for box in boxes:
            grip = grip_at(box, pointer.index_ijk, pointer.voxel_axis, (i, j, k))
            if grip is not None:
                return grip
        return None

    def drag(self, pointer: Pointer) -> None:
        """Show the box as it would be."""
        if self._from is None or not self.kit.session.boxing.is_open:
            return
        to = np.array(pointer.index_ijk, dtype=np.float64)
        if self._grip is not None:
            to[pointer.voxel_axis] = self._from[pointer.voxel_axis]
            draft = pulled(self._grip, self._from, to, self.kit.shape)
            self._draft = None if draft == self._grip.box else draft
        else:
            ends = drawn(
                self._from, to, pointer.voxel_axis, self.kit.spacing_mm, self.kit.shape
            )
            kind, value = self._kind()
            number = self.kit.session.boxing.boxes.next_id
            is_drag = float(np.abs(to - self._from).max()) >= 1.0
            self._draft = Box3D(number, kind, *ends, value) if is_drag else None
        self._layers.show_draft(self._draft)

    def release(self, _pointer: Pointer) -> None:
        """Make it a step."""
        draft, grip = self._draft, self._grip
        self.cancel()
        if draft is None:
            if grip is None:
                self._choose(0)
            return
        boxing = self.kit.session.boxing
        name = "Draw box"
        if grip is not None:
            name = "Resize box" if grip.sides else "Move box"
        try:
            boxing.put(boxing.boxes.with_box(draft), name=name)
        except MedlabelError as err:
            self.kit.fail(err)
            return
        self._choose(draft.id)

    def cancel(self) -> bool:
        """Leave the box as it was."""
        was = self.is_busy
        self._grip = self._from = self._draft = None
        self._layers.show_draft(None)
        return was

    def leave(self) -> None:
        """Put the hand down."""
        super().leave()
        self.left()
