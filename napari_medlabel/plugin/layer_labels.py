"""From a labels layer back to the mask that it shows, on its scan's exact grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.workplace import WORKPLACE


def labels_of_layer(data: Any, meta: dict[str, Any]) -> tuple[LabelMap, Volume]:
    """Return a layer's labels as a mask, and the scan it lies on.

    Parameters
    ----------
    data : array
        The layer's.
    meta : dict
        ``metadata`` and ``features`` of the layer.

    Raises
    ------
    InputError
        When the layer has no scan behind it, the scan is not open, or the values are no labels.
    """
    where = where_of(meta, "labels")
    known = WORKPLACE.recall(where["case"])
    if known is None:
        raise InputError(
            "The scan behind this labels layer is not open, so its grid is not known.",
            hint="Open the scan with napari-medlabel and save again.",
        )
    volume, _ = known
    array = np.asarray(Display.of(volume).hide(np.asarray(data)))
    return LabelMap(volume.grid, _as_labels(array), _scheme_of(meta, array)), volume


def where_of(meta: dict[str, Any], role: str) -> dict[str, Any]:
    """Return what a layer knows of its scan.

    Raises
    ------
    InputError
        When it knows none, or has another role.
    """
    where = meta.get("metadata", {}).get(KEY)
    if not isinstance(where, dict) or where.get("role") != role:
        raise InputError(
            f"This layer has no scan behind it, so the {role} have no place in a patient.",
            hint="Open the scan with napari-medlabel first; a layer made on it then knows it.",
        )
    return where


def _as_labels(array: Any) -> Any:
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if array.dtype.kind not in "iub" or low < 0 or high > 65535:
        raise InputError(
            "Labels are whole numbers from 0 to 65535.",
            hint="Give the labels of this layer other numbers.",
        )
    return np.array(array.T, dtype=np.uint8 if high < 256 else np.uint16, order="C").T


def _scheme_of(meta: dict[str, Any], array: Any) -> LabelScheme:
    """Return the names that the layer shows, for the values that occur."""
    features = meta.get("features", {})
    known = dict(zip(features.get("index", ()), features.get("name", ()), strict=False))
    bare = LabelScheme("Labels", ()).with_unnamed(int(v) for v in np.unique(array))
    return LabelScheme(
        "Labels",
        tuple(
            Label(label.value, str(known.get(label.value, label.name)), label.colour)
            for label in bare.labels
        ),
    )
