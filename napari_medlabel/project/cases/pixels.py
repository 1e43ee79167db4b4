"""A digest of a scan's voxels: one scan under two names has one."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt


def pixel_digest(array: npt.NDArray[Any]) -> str:
    """Return ``sha256:<hex>`` of voxels as (k, j, i) little endian.

    Parameters
    ----------
    array : ndarray, shape (i, j, k)
        Voxel values.
    """
    digest = hashlib.sha256()
    order = array.dtype.newbyteorder("<")
    # A slice at a time: no second copy of the scan.
    for plane in array.T:
        digest.update(np.ascontiguousarray(plane, dtype=order).data)
    return f"sha256:{digest.hexdigest()}"
