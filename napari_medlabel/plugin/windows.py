"""Which range of values to show: the scan's own window, presets, or what the voxels say."""

from __future__ import annotations

import numpy as np

from napari_medlabel.model.presets import CT_WINDOWS, Window
from napari_medlabel.model.volume import Volume


def initial_window(volume: Volume) -> Window:
    """Choose what to show first: the scan's own window, else a preset by modality."""
    if volume.window is not None and volume.window[1] > 0:
        return Window.from_centre("As scanned", *volume.window)
    if volume.modality == "CT":
        return CT_WINDOWS[0]
    return percentile_window(volume)


def percentile_window(volume: Volume) -> Window:
    """Return the range between the 1st and 99.5th percentile of a sample of the voxels."""
    steps = tuple(slice(None, None, max(1, n // 64)) for n in volume.grid.shape)
    values = volume.array[steps]
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return Window("Full", 0.0, 1.0)
    low, high = (float(v) for v in np.percentile(finite, (1.0, 99.5)))
    return Window("Automatic", low, high if high > low else low + 1.0)


def value_range(volume: Volume, window: Window) -> tuple[float, float]:
    """Return how far the contrast slider should reach."""
    if volume.modality == "CT":
        low, high = -1024.0, 3071.0
    else:
        steps = tuple(slice(None, None, max(1, n // 64)) for n in volume.grid.shape)
        finite = volume.array[steps][np.isfinite(volume.array[steps])]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return min(low, window.low), max(high, window.high)


def offered_windows(volume: Volume) -> list[Window]:
    """Return the windows to offer for a scan; the first is what it is shown with."""
    offered = [initial_window(volume)]
    if volume.modality == "CT":
        offered += [w for w in CT_WINDOWS if w.name != offered[0].name]
    else:
        low, high = float(np.min(volume.array)), float(np.max(volume.array))
        full = Window("Full", low, high if high > low else low + 1.0)
        offered += [percentile_window(volume), full]
    return list({w.name: w for w in offered}.values())
