"""A scan on the canvas while it is still being read: its buffer fills under the layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import scan_metadata, volume_to_layer
from napari_medlabel.plugin.leaving import watch_leaving
from napari_medlabel.plugin.orientation import Orientation
from napari_medlabel.plugin.plain import give_back, take_over
from napari_medlabel.plugin.windows import initial_window, is_first_inverted


class Preview:
    """Shows a volume whose voxels are still coming; nothing can be painted on it yet.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    volume : Volume
        As the reader handed it: its array is the buffer that is being filled.
    """

    def __init__(self, viewer: Any, volume: Volume) -> None:
        watch_leaving()
        self._viewer = viewer
        self._volume = volume
        window = initial_window(volume)
        self._limits = (window.low, window.high)
        data, keywords, _ = volume_to_layer(volume, "", self._limits)
        self.layer = viewer.add_image(data, **keywords)
        pictures = volume.slices == "pictures"
        take_over(viewer)
        self._orientation = Orientation(viewer, named=volume.is_oriented, pictures=pictures)
        # The plane of the slices: only there is one whole by now.
        display = Display.of(volume)
        self._orientation.show_plane(display.plane)
        show_middle(viewer, display)
        viewer.reset_view()

    def refresh(self) -> None:
        """Draw what has come since."""
        if self.layer in self._viewer.layers:
            self.layer.refresh(thumbnail=False, extent=False)

    def adopt(self, volume: Volume, case: str) -> Any:
        """Return the layer as that of the scan now read, or None when it is of another buffer.

        Parameters
        ----------
        volume : Volume
            The scan, read.
        case : str
            Its content id.
        """
        self._let_go()
        if self.layer not in self._viewer.layers:
            return None
        if not _same_buffer(self._volume, volume):
            self._viewer.layers.remove(self.layer)
            return None
        self.layer.metadata.update(scan_metadata(volume, case))
        untouched = tuple(self.layer.contrast_limits) == self._limits
        if volume.colour is None and untouched:
            window = initial_window(volume)
            self.layer.contrast_limits = (window.low, window.high)
            # What the values are is known only now.
            if is_first_inverted(volume):
                self.layer.colormap = "gray_r"
        self.layer.refresh()
        return self.layer

    def remove(self) -> None:
        """Take the layer away again: the reading was cancelled or failed."""
        self._let_go()
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def _let_go(self) -> None:
        self._orientation.detach()
        give_back(self._viewer)


def show_middle(viewer: Any, display: Display) -> None:
    """Show the first of several volumes, and the middle slice of every axis of place."""
    before = viewer.dims.ndim - 3
    for axis in range(before):
        viewer.dims.set_current_step(axis, 0)
    for axis in range(3):
        viewer.dims.set_current_step(before + axis, (display.shape[axis] - 1) // 2)


def _same_buffer(early: Volume, late: Volume) -> bool:
    if early.grid != late.grid or early.slices != late.slices:
        return False
    if (early.further is None) is not (late.further is None):
        return False
    if (early.colour is None) is not (late.colour is None):
        return False
    if early.colour is not None and late.colour is not None:
        return np.shares_memory(early.colour, late.colour)
    if early.further is not None and late.further is not None:
        one, other = early.further.array, late.further.array
        if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
            return one is other
        return one.dtype == other.dtype and np.may_share_memory(one, other)
    one, other = early.array, late.array
    return one.dtype == other.dtype and np.may_share_memory(one, other)
