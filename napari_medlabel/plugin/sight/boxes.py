"""Where labels changed, as a box of the displayed array: what must be drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.edit.patch import Box
from napari_medlabel.plugin.atoms import Shown
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.sight.crosshair import CrossHair
from napari_medlabel.plugin.sight.view import View


def shown_box(display: Display, box: Box) -> Shown:
    """Turn a box of voxels (i, j, k) into one of the displayed array: `Display.box`, undone."""
    parts = []
    for axis, flip in zip(display.order, display.flipped, strict=True):
        n = display.grid.shape[axis]
        start, stop, _ = box[axis].indices(n)
        parts.append(slice(n - stop, n - start) if flip else slice(start, stop))
    return parts[0], parts[1], parts[2]


def stroke_box(view: View, cross: CrossHair, layer: Any, event: Any) -> Shown:
    """Return where napari's own brush has just painted.

    Parameters
    ----------
    view : View
        Where it paints.
    cross : CrossHair
        Tells slices from world coordinates.
    layer : napari.layers.Labels
        What is painted.
    event : napari Event
        Its ``labels_update``: the part of the slice that is new, and where that begins.
    """
    parts = [slice(0, n) for n in view.display.shape]
    if view.axis >= 0:
        if int(layer.n_edit_dimensions) < 3:
            at = view.place(cross)[view.axis]
            parts[view.axis] = slice(at, at + 1)
        # napari slices in the order in which the axes are displayed.
        size = np.shape(event.data)[:2]
        for axis, start, length in zip(view.across, event.offset, size, strict=True):
            parts[axis] = slice(int(start), int(start) + int(length))
    return parts[0], parts[1], parts[2]
