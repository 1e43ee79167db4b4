"""Slices that no file holds: tinted in every view, named on the canvas where one is shown."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import metadata

NAME: Final = "Missing slices"
_OVERLAY: Final = "medlabel_missing"
_ALONG: Final = 2


class MissingSlices:
    """Shows where there is no image, so that blank is never taken for a finding.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    display : Display
        How the scan is laid out.
    missing : tuple of int
        Slices (k) that no file holds.
    case : str
        Content id of the scan.
    """

    def __init__(
        self, viewer: Any, display: Display, missing: tuple[int, ...], case: str
    ) -> None:
        from napari.components.overlays import TextOverlay

        self._viewer = viewer
        self._missing = frozenset(missing)
        self._axis = display.order.index(_ALONG)
        self._backwards = display.flipped[self._axis]
        self._slices = display.shape[self._axis]
        self.layer = viewer.add_image(
            _flags(display, missing),
            name=NAME,
            colormap="red",
            contrast_limits=(0, 1),
            blending="additive",
            opacity=0.35,
            metadata=metadata(display, "aside", case),
            **display.geometry(),
        )
        viewer.canvas.overlays[_OVERLAY] = TextOverlay(
            text="", position="middle_center", font_size=18, color="#ff6b6b", visible=True
        )
        self._events = (viewer.dims.events.current_step, viewer.dims.events.order,
                        viewer.dims.events.ndisplay)  # fmt: skip
        for event in self._events:
            event.connect(self.update)
        self.update()

    def shown(self) -> int | None:
        """Return the slice (k) on the screen; None where the view is not of one slice."""
        dims = self._viewer.dims
        axis = self._axis + dims.ndim - 3
        if axis in dims.displayed or axis < 0:
            return None
        step = int(np.clip(dims.current_step[axis], 0, self._slices - 1))
        return self._slices - 1 - step if self._backwards else step

    @property
    def words(self) -> str:
        """What stands on the canvas; empty where the slice shown has an image."""
        return str(self._viewer.canvas.overlays[_OVERLAY].text)

    def update(self, _event: object = None) -> None:
        """Say it on the canvas where the slice shown has no image."""
        k = self.shown()
        words = (
            f"Slice {k + 1}: no image in the files"
            if k in self._missing and k is not None
            else ""
        )
        self._viewer.canvas.overlays[_OVERLAY].text = words

    def touched(self, box: Box) -> list[int]:
        """Return the missing slices (k) that a box of voxels lies on."""
        start, stop, _ = box[_ALONG].indices(self._slices)
        return [k for k in sorted(self._missing) if start <= k < stop]

    def detach(self) -> None:
        """Let go of the viewer; the layer stays until it is removed."""
        for event in self._events:
            event.disconnect(self.update)
        del self._viewer.canvas.overlays[_OVERLAY]


def _flags(display: Display, missing: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return 1 on the missing slices, in the displayed shape: one byte for each slice."""
    along = np.zeros(display.grid.shape[_ALONG], np.uint8)
    along[list(missing)] = 1
    return display.show(np.broadcast_to(along, display.grid.shape))
