"""What napari builds at first use, built while nobody waits: units, labels and points."""

from __future__ import annotations

import gc
from functools import cache

import numpy as np

from napari_medlabel.plugin.display import AXES, UNITS


@cache
def warm_up() -> int:
    """Make one layer of each kind that a case has, and drop them; the second call does nothing.

    napari reads its table of units and imports the parts for labels only when the first such
    layer is made: a second or so, which would otherwise pass between a click and the scan.

    Returns
    -------
    int
        How many layers were made.
    """
    from napari.layers import Image, Labels, Points

    where = {"units": UNITS, "axis_labels": AXES}
    made = (
        Image(np.zeros((2, 2, 2), np.uint8), contrast_limits=(0, 1), **where),
        Labels(np.zeros((2, 2, 2), np.uint8), colormap={0: "black", None: "red"}, **where),
        Points(np.zeros((0, 3)), ndim=3, text={"string": "{name}"}, features={"name": []},
               **where),
    )  # fmt: skip
    # What a window is made of stays: no search for garbage need walk through it.
    gc.collect()
    gc.freeze()
    return len(made)
