"""Layers of marks that do not count where a view is fitted: the scan alone does."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.plugin.display import Display

_MADE: Final[dict[tuple[str, tuple[int, int, int]], Any]] = {}


def within_scan(kind: str, display: Display) -> Any:
    """Return a class of layers whose extent is that of a scan, whatever they hold.

    Names stand beside the scan where there is room, and marks have a size of their own on the
    screen: were they counted, the whole picture would be smaller the more there are of them.

    Parameters
    ----------
    kind : str
        ``"Points"`` or ``"Vectors"``; the class is called so too.
    display : Display
        How the scan is laid out.
    """
    from napari import layers

    shape = display.shape
    known = _MADE.get((kind, shape))
    if known is None:
        last = np.array(shape, dtype=np.float64) - 1.0

        def extent(_layer: Any) -> Any:
            return np.stack([np.zeros(3), last])

        def augmented(_layer: Any) -> Any:
            return np.stack([np.full(3, -0.5), last + 0.5])

        # napari asks these two of each kind of layer, and writes layers by their class's name.
        known = _MADE[kind, shape] = type(
            kind,
            (getattr(layers, kind),),
            {"_extent_data": property(extent), "_extent_data_augmented": property(augmented)},
        )
    return known
