"""Volumes on one grid -> the axis on which they lie: what they differ in, or when."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.series.differences import Difference, happened, resolution_s

_BESIDE_B_VALUE: Final = frozenset({"b-value", "direction", "time", "volume", "trigger"})
_MERELY_COUNTED: Final = frozenset({"time", "volume", "direction"})

Axis = tuple[str, str, tuple[float, ...]]


def as_acquired(planes: Sequence[Plane], volumes: Sequence[list[int]]) -> list[list[int]]:
    """Put diffusion volumes in the order in which they were acquired, as gradient tables are.

    The first time or count decides that puts the images of every place in one order; without
    one the volumes stay as they are.
    """
    members = np.array(volumes)
    for one in happened(planes):
        values = np.array(one.values)[members]
        order = np.argsort(values, axis=0, kind="stable")
        rises = np.diff(np.take_along_axis(values, order, axis=0), axis=0) > 0
        if rises.all() and (order == order[:, :1]).all():
            return [volumes[n] for n in order[:, 0].tolist()]
    return list(volumes)


def axis_of(
    planes: Sequence[Plane], volumes: Sequence[Sequence[int]], used: Sequence[Difference]
) -> tuple[Axis, tuple[str, ...]]:
    """Return name, unit and values of the axis of volumes, and doubts in words.

    Parameters
    ----------
    planes : sequence of Plane
        All of them.
    volumes : sequence of sequence of int
        Which of them each volume holds, in order.
    used : sequence of Difference
        What tells the volumes apart, most important first.
    """
    names = {one.name for one in used}
    counted = tuple(float(n + 1) for n in range(len(volumes)))
    if len(names) > 1 and "b-value" in names and names <= _BESIDE_B_VALUE:
        used = [one for one in used if one.name == "b-value"]
    elif len(names) > 1 and not names <= _MERELY_COUNTED:
        listed = ", then by ".join(dict.fromkeys(one.name for one in used))
        doubt = f"The volumes differ in several things: they are listed by {listed}."
        return ("volume", "", counted), (doubt,)
    one = used[-1]
    if one.name in _MERELY_COUNTED:
        return _times(planes, volumes, one)
    values = tuple(one.values[members[0]] for members in volumes)
    if not one.is_exact:
        values = tuple(
            float(np.median([one.values[n] for n in members])) for members in volumes
        )
    return (one.name, one.unit, values), ()


def _times(
    planes: Sequence[Plane], volumes: Sequence[Sequence[int]], used: Difference
) -> tuple[Axis, tuple[str, ...]]:
    """Return when each volume began, in seconds from the first, where clocks agree."""
    in_seconds = [one for one in happened(planes) if one.name == "time" and one.unit == "s"]
    if used.name == "time" and used.unit == "s":
        in_seconds.insert(0, used)
    for one in in_seconds:
        began = [min(one.values[n] for n in members) for members in volumes]
        if all(a < b for a, b in pairwise(began)):
            doubts = (one.doubt,) if one.doubt else ()
            return ("time", "s", tuple(round(value - began[0], 6) for value in began)), doubts
    if used.are_positions:
        stands = tuple(used.values[members[0]] for members in volumes)
        step_s = resolution_s(planes[volumes[0][0]])
        if step_s is None:
            return ("time", "", stands), ()
        return ("time", "s", tuple(round((at - stands[0]) * step_s, 6) for at in stands)), ()
    name = "volume" if used.name == "direction" else used.name
    return (name, "", tuple(float(n + 1) for n in range(len(volumes)))), ()
