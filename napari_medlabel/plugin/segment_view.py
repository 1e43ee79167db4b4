"""How segments look on the labels layer: hidden ones are transparent, in every view of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.layers import colours, names_table

OUTLINE_MAX: Final = 9
"""Widest outline, in pixels of the scan."""


def show_segments(layer: Any, labels: LabelMap, hidden: Collection[int]) -> None:
    """Give a labels layer the colours of a mask's segments, and their names.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    labels : LabelMap
        With the scheme to show.
    hidden : collection of int
        Values that are not to be seen.
    """
    table = colours(labels)
    for value in hidden:
        if value in table:
            red, green, blue, _ = table[value]
            table[value] = (red, green, blue, 0.0)
    layer.colormap = table
    layer.features = names_table(labels)


def set_look(layer: Any, *, opacity: float, outline: int) -> None:
    """Say how strongly segments cover the scan, filled or as outlines.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    opacity : float
        0 to 1.
    outline : int
        Width of the outlines in pixels of the scan; 0 fills the segments.

    Raises
    ------
    InputError
        When one of them is out of range.
    """
    if not 0.0 <= opacity <= 1.0 or not 0 <= outline <= OUTLINE_MAX:
        raise InputError(
            f"Segments cover the scan by 0 to 1, with outlines of 0 to {OUTLINE_MAX} pixels.",
            hint="0 pixels fills the segments.",
        )
    layer.opacity = opacity
    layer.contour = outline
