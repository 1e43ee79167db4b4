"""The axis of further volumes in napari: its scale, its unit, and the volume in words."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.model.volume import FurtherAxis

_KNOWN_UNITS: Final = frozenset({"s", "ms", "us"})
"""Units that napari's registry of units understands and that mean time."""
_SIGNS: Final = {"s/mm2": "s/mm²", "us": "µs"}
_PLAIN: Final = "volume"


def axis_geometry(further: FurtherAxis) -> tuple[float, float, str]:
    """Return scale, start and unit of the axis for napari.

    Where the values grow in equal steps the axis is in their unit; else it counts volumes, so
    that nothing on the screen claims a distance that is not there.

    Parameters
    ----------
    further : FurtherAxis
        The volumes.
    """
    values = np.array(further.values, dtype=np.float64)
    if further.unit not in _KNOWN_UNITS or len(values) < 2 or not np.isfinite(values).all():
        return 1.0, 0.0, "pixel"
    steps = np.diff(values)
    step = float(steps.mean())
    if step <= 0 or np.abs(steps - step).max() > 1e-3 * step:
        return 1.0, 0.0, "pixel"
    return step, float(values[0]), further.unit


def shown_volume(dims: Any, further: FurtherAxis) -> int:
    """Return which volume is on the screen, from 0.

    Parameters
    ----------
    dims : napari.components.Dims
        The viewer's dims. The place in the world counts, not the slider's step: another layer
        may reach further.
    further : FurtherAxis
        The volumes.
    """
    if dims.ndim < 4:
        return 0
    scale, start, _ = axis_geometry(further)
    step = round((float(dims.point[dims.ndim - 4]) - start) / scale)
    return min(max(step, 0), len(further.values) - 1)


def volume_words(further: FurtherAxis, number: int) -> str:
    """Say which volume is shown: ``"volume 3 of 40: 6.0 s"``.

    Parameters
    ----------
    further : FurtherAxis
        The volumes.
    number : int
        Which one, from 0.
    """
    words = f"volume {number + 1} of {len(further.values)}"
    value = further.values[number]
    if not np.isfinite(value) or (further.name == _PLAIN and not further.unit):
        return words
    name = "" if further.name == "time" else f"{further.name} "
    unit = _SIGNS.get(further.unit, further.unit)
    # Seconds always with a decimal: 6.0 s and 6.5 s are of one series.
    whole = further.unit == "s"
    size = np.format_float_positional(round(value, 4), trim="0" if whole else "-")
    return f"{words}: {name}{size} {unit}".rstrip()
