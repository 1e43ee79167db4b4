"""Slices that no file holds: tinted in every view, named on the canvas where one is shown."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY, LayerTuple, metadata

NAME: Final = "Missing slices"
_OVERLAY: Final = "medlabel_missing"
_ALONG: Final = 2


def missing_to_layer(display: Display, missing: tuple[int, ...], case: str) -> LayerTuple:
    """Return the layer that tints the missing slices.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    missing : tuple of int
        Slices (k) that no file holds.
    case : str
        Content id of the scan.
    """
    keywords = {
        "name": NAME,
        "colormap": "red",
        "contrast_limits": (0, 1),
        "blending": "additive",
        "opacity": 0.35,
        "rgb": False,
        "metadata": metadata(display, "missing", case),
        **display.geometry(),
    }
    return _flags(display, missing), keywords, "image"


class SliceWords:
    """Says on the canvas where there is no image, so that blank is never taken for a finding.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    display : Display
        How the scan is laid out.
    missing : tuple of int
        Slices (k) that no file holds.
    """

    def __init__(self, viewer: Any, display: Display, missing: tuple[int, ...]) -> None:
        from napari.components.overlays import TextOverlay

        self._viewer = viewer
        self._missing = frozenset(missing)
        self._axis = display.order.index(_ALONG)
        self._backwards = display.flipped[self._axis]
        self._slices = display.shape[self._axis]
        self._start, self._scale = display.translate[self._axis], display.scale[self._axis]
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
        # The place in the world, not the slider's step: another layer may reach further.
        step = round((float(dims.point[axis]) - self._start) / self._scale)
        if not 0 <= step < self._slices:
            return None
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
        """Let go of the viewer; layers stay until they are removed."""
        for event in self._events:
            event.disconnect(self.update)
        del self._viewer.canvas.overlays[_OVERLAY]


class MissingSlices(SliceWords):
    """The layer and the words of one scan; a layer that is there already is taken.

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
        layer = _layer_of(viewer, case)
        if layer is None:
            data, keywords, _ = missing_to_layer(display, missing, case)
            layer = viewer.add_image(data, **keywords)
        self.layer = layer
        super().__init__(viewer, display, missing)


def _layer_of(viewer: Any, case: str) -> Any:
    for layer in viewer.layers:
        where = layer.metadata.get(KEY)
        if isinstance(where, dict) and (where.get("role"), where.get("case")) == (
            "missing",
            case,
        ):
            return layer
    return None


def _flags(display: Display, missing: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return 1 on the missing slices, in the displayed shape: one byte for each slice."""
    along = np.zeros(display.grid.shape[_ALONG], np.uint8)
    along[list(missing)] = 1
    return display.show(np.broadcast_to(along, display.grid.shape))
