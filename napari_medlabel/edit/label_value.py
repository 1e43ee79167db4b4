"""A label's value in the type of a mask."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError


def of_mask(value: int, dtype: npt.DTypeLike) -> np.integer[Any]:
    """Return a label as a mask holds it.

    Parameters
    ----------
    value : int
        The label; 0 is background.
    dtype : dtype
        Of the mask's voxels, whole numbers.

    Raises
    ------
    InputError
        When such voxels cannot hold it.
    """
    kind = np.dtype(dtype)
    top = int(np.iinfo(kind).max)
    if not 0 <= value <= top:
        raise InputError(
            f"A mask of {kind} voxels has labels from 0 to {top}; got {value}.",
            hint="Choose a segment of the scheme.",
        )
    return cast("np.integer[Any]", kind.type(value))
