"""Landmarks of several readings as one set: where all placed one near enough, their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_medlabel.model.landmarks import LandmarkSet


def agreed_landmarks(
    readings: Sequence[LandmarkSet | None], limit_mm: float
) -> tuple[LandmarkSet | None, tuple[str, ...]]:
    """Return the landmarks that readings agree on.

    Parameters
    ----------
    readings : sequence of LandmarkSet or None
        In RAS mm.
    limit_mm : float
        How far each may lie from the mean of all.

    Returns
    -------
    landmarks : LandmarkSet or None
        The first set, each landmark at the mean of all, or without a place where somebody did
        not place it or placed it too far away; None where nobody has landmarks.
    words : tuple of str
        The rule and how many were left without a place, as a sentence; none without landmarks.
    """
    sets = [one for one in readings if one is not None]
    if not sets:
        return None, ()
    rows = []
    left = 0
    for mark in sets[0]:
        points = [one[mark.name].point_ras for one in sets if mark.name in one]
        placed = np.array([point for point in points if point is not None])
        mean = placed.mean(axis=0) if len(placed) == len(readings) else None
        if mean is None or np.linalg.norm(placed - mean, axis=1).max() > limit_mm:
            rows.append(replace(mark, point_ras=None))
            left += 1
        else:
            r, a, s = (float(mm) for mm in mean)
            rows.append(replace(mark, point_ras=(r, a, s)))
    words = (
        f"Landmarks: the mean of all where each lies within {limit_mm:g} mm of it; without a "
        f"place are {left} of {len(rows)}."
    )
    return replace(sets[0], landmarks=tuple(rows)), (words,)
