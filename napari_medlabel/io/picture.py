"""A single DICOM picture without a place in a patient: ultrasound, photographs, scouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError


def read_picture(path: Path) -> npt.NDArray[Any]:
    """Read the pixels of one single-frame DICOM file as they are stored.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored values.

    Raises
    ------
    InputError
        When it is not one picture that can be decoded.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        data = pydicom.dcmread(path)
        frames = int(data.get("NumberOfFrames") or 1)
        pixels: npt.NDArray[Any] = np.asarray(data.pixel_array) if frames == 1 else np.empty(0)
    except (InvalidDicomError, OSError, AttributeError, ValueError, RuntimeError) as err:
        raise InputError(
            "The picture cannot be decoded.",
            hint="Export it again, uncompressed, from its source.",
        ) from err
    if pixels.ndim not in (2, 3):
        raise InputError(
            f"One picture is expected; the file holds {frames} frames.",
            hint="Clips cannot be shown yet; export single images.",
        )
    return pixels
