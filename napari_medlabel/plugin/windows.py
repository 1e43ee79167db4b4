"""Which range of values to show: the scan's own window, presets, or what the voxels say."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_medlabel.model.presets import CT_WINDOWS, Window
from napari_medlabel.model.volume import Volume

PET_WINDOWS: Final = (
    Window("SUV 0-5", 0.0, 5.0),
    Window("SUV 0-10", 0.0, 10.0),
    Window("SUV 0-15", 0.0, 15.0),
)
"""Of uptake values, shown inverted: much is black, as on paper."""
_BY_SURFACE: Final = "SUVbsa"
"""In cm2/ml: other numbers than by weight, for which no preset is in use."""
_PERCENTILES: Final = (
    ("Narrow 5-95 %", 5.0, 95.0),
    ("Bright tissue", 50.0, 99.9),
    ("Dark tissue", 0.5, 70.0),
)
"""Of MR, whose values have no unit: parts of the voxels."""

_ALONG: Final = 64
"""Of each axis at least so many places are looked at; a large scan is not read whole."""
_WHOLE: Final = 1 << 22
"""Voxels that are looked at one and all."""


_SAMPLES: Final[WeakKeyDictionary[Volume, npt.NDArray[Any]]] = WeakKeyDictionary()


def look_through(volume: Volume) -> None:
    """Take the sample of a scan whose voxels are all there, before a window asks for it."""
    _SAMPLES[volume] = _sample(volume)


def sample(volume: Volume) -> npt.NDArray[Any]:
    """Return finite values of voxels spread over the scan, over the first volume of several."""
    known = _SAMPLES.get(volume)
    return _sample(volume) if known is None else known


def _sample(volume: Volume) -> npt.NDArray[Any]:
    steps = tuple(slice(None, None, max(1, n // _ALONG)) for n in volume.grid.shape)
    values: npt.NDArray[Any] = np.asarray(volume.array[steps])
    finite: npt.NDArray[Any] = values[np.isfinite(values)]
    return finite


def initial_window(volume: Volume) -> Window:
    """Choose what to show first: the scan's own window, else a preset by what is measured."""
    if volume.window is not None and volume.window[1] > 0:
        return Window.from_centre("As scanned", *volume.window)
    if is_uptake(volume) and not volume.quantity.startswith(_BY_SURFACE):
        return PET_WINDOWS[1]
    if volume.modality == "CT" and volume.slices == "places":
        return CT_WINDOWS[0]
    return percentile_window(volume)


def percentile_window(volume: Volume) -> Window:
    """Return the range between the 1st and 99.5th percentile of a sample of the voxels."""
    values = sample(volume)
    if values.size == 0:
        return Window("Full", 0.0, 1.0)
    low, high = (float(v) for v in np.percentile(values, (1.0, 99.5)))
    return Window("Automatic", low, high if high > low else low + 1.0)


def value_range(volume: Volume, window: Window) -> tuple[float, float]:
    """Return how far the contrast slider should reach."""
    low, high = (-1024.0, 3071.0) if volume.modality == "CT" else _reach(sample(volume))
    return min(low, window.low), max(high, window.high)


def offered_windows(volume: Volume) -> list[Window]:
    """Return the windows to offer for a scan; the first is what it is shown with.

    Colours are shown as they are: for them there is none.
    """
    if volume.colour is not None:
        return []
    offered = [initial_window(volume)]
    if volume.modality == "CT":
        offered += [w for w in CT_WINDOWS if w.name != offered[0].name]
    else:
        if is_uptake(volume):
            offered += PET_WINDOWS
        elif volume.modality == "MR":
            offered += _parts(volume)
        small = volume.grid.size <= _WHOLE
        values = volume.array[np.isfinite(volume.array)] if small else sample(volume)
        offered += [percentile_window(volume), Window("Full", *_reach(values))]
    return list({w.name: w for w in offered}.values())


def is_inverted(window: Window) -> bool:
    """Tell whether a window is one in which much is black."""
    return window in PET_WINDOWS


def is_uptake(volume: Volume) -> bool:
    """Tell whether a scan's values are standardized uptake values."""
    return volume.quantity.startswith("SUV")


def is_first_inverted(volume: Volume) -> bool:
    """Tell whether a scan is first shown with much black."""
    # Other windows may have to be looked for in the voxels.
    return volume.is_inverted or (is_uptake(volume) and is_inverted(initial_window(volume)))


def _parts(volume: Volume) -> list[Window]:
    """Return the windows of MR; none where the values do not tell them apart."""
    values = sample(volume)
    if values.size == 0:
        return []
    wanted = [part for _, *ends in _PERCENTILES for part in ends]
    found = np.percentile(values, wanted).reshape(-1, 2)
    return [
        Window(name, float(low), float(high))
        for (name, _, _), (low, high) in zip(_PERCENTILES, found, strict=True)
        if high > low
    ]


def _reach(values: npt.NDArray[Any]) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return low, high if high > low else low + 1.0
