"""The handles of measurements: where they are, and what pulling at one makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.model.landmarks import Point
from napari_medlabel.model.measurements import Kind, Measurement
from napari_medlabel.plugin.display import Display

WHOLE: Final = -1
"""In place of a handle's number: all of the measurement."""

_CENTRED: Final[tuple[Kind, ...]] = ("ellipse", "box", "plane", "cuboid")
_CORNERED: Final[tuple[Kind, ...]] = ("box", "plane")
_FLAT: Final[tuple[Kind, ...]] = ("bidirectional", "closed-curve", "ellipse", "box", "plane")
_SIGNS: Final = ((1, 1), (1, -1), (-1, -1), (-1, 1))
_ON: Final = 0.5  # slices
_FREEHAND: Final = 24
"""A curve of more points was drawn free-hand: its neighbours follow the one that is pulled."""


@dataclass(frozen=True)
class Grip:
    """What of a measurement is held.

    Parameters
    ----------
    one : Measurement
        As it was when it was taken.
    handle : int
        Which of `handles_ras`; `WHOLE` for all of it.
    """

    one: Measurement
    handle: int = WHOLE


def handles_ras(one: Measurement) -> FloatArray:
    """Return the handles of a measurement, shape (n, 3) in RAS mm.

    Its points; of what has a centre that, both ends of each axis, and a box's four corners.
    """
    points = one.array
    if one.kind not in _CENTRED:
        return points
    centre, axes = points[0], points[1:] - points[0]
    made = [centre[None], *(np.stack([centre + a, centre - a]) for a in axes)]
    if one.kind in _CORNERED:
        u, v = axes
        made.append(np.array([centre + a * u + b * v for a, b in _SIGNS]))
    return np.concatenate(made)


def is_flat_across(handles_zyx: FloatArray, axis: int) -> bool:
    """Tell whether handles, displayed data coordinates, lie on one slice across an axis."""
    return bool(np.ptp(handles_zyx[:, axis]) < _ON)


def can_hold(kind: Kind, handles_zyx: FloatArray, axis: int, index: float) -> FloatArray:
    """Return which handles can be held on a slice: those that lie on it.

    What is flat is held on its own slice alone: pulled elsewhere, it would no longer be flat.

    Parameters
    ----------
    handles_zyx : ndarray, shape (n, 3)
        Displayed data coordinates.
    axis : int
        Displayed axis across the slice.
    index : float
        Which slice.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    on = np.abs(handles_zyx[:, axis] - index) <= _ON + 1e-6
    if kind in _FLAT and not on.all():
        on[:] = False
    return np.asarray(on)


def kept_inside(display: Display, points_zyx: FloatArray, by_zyx: FloatArray) -> FloatArray:
    """Return how far points may go of a way, so that all that were in the scan stay in it."""
    low = np.minimum(-0.5 - points_zyx.min(axis=0), 0.0)
    high = np.maximum(np.array(display.shape) - 0.5 - 1e-6 - points_zyx.max(axis=0), 0.0)
    return np.asarray(np.clip(by_zyx, low, high), dtype=np.float64)


def pulled(display: Display, grip: Grip, by_zyx: FloatArray) -> Measurement:
    """Return a measurement as it is when what is held has gone some way.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    grip : Grip
        What is held.
    by_zyx : ndarray, shape (3,)
        The way, in displayed data coordinates; it ends at the edge of the scan.

    Raises
    ------
    InputError
        When nothing of that kind is left of it.
    """
    one = grip.one
    handles = display.from_ras(handles_ras(one))
    is_whole = grip.handle == WHOLE or (one.kind in _CENTRED and grip.handle == 0)
    held = handles if is_whole else handles[[grip.handle]]
    by = kept_inside(display, held, np.asarray(by_zyx, dtype=np.float64))
    way = display.to_ras(by) - display.to_ras(np.zeros(3))
    if is_whole:
        points = one.array + way
    elif one.kind in _CENTRED:
        points = _stretched(one, grip.handle, way)
    elif one.kind == "bidirectional":
        points = _crossed(one.array, grip.handle, way)
    else:
        points = one.array + _share(one, grip.handle)[:, None] * way
    return replace(one, points_ras=tuple(_point(p) for p in points))


def flat_step(display: Display, grip: Grip, by_zyx: FloatArray) -> Grip:
    """Return what a step by keys moves: what is flat as a whole, where it leaves its slice."""
    if grip.handle == WHOLE or grip.one.kind not in _FLAT:
        return grip
    handles = display.from_ras(handles_ras(grip.one))
    leaves = all(by_zyx[a] != 0.0 for a in range(3) if is_flat_across(handles, a))
    return Grip(grip.one) if leaves else grip


def _stretched(one: Measurement, handle: int, way: FloatArray) -> FloatArray:
    """Pull at an end or a corner of what has a centre: what lies opposite stays."""
    centre, axes = one.array[0], one.array[1:] - one.array[0]
    ends = 2 * len(axes)
    signs = np.zeros(len(axes))
    if handle <= ends:
        signs[(handle - 1) // 2] = 1 if handle % 2 else -1
    else:
        signs[:] = _SIGNS[handle - 1 - ends]
    # How much longer each pulled axis becomes, whole axis in units of itself.
    lengths = np.linalg.norm(axes, axis=1)
    units = axes / lengths[:, None]
    along = np.linalg.lstsq(units.T, way, rcond=None)[0] * signs
    full = np.where(signs != 0, 2 * lengths + along, 2 * lengths)
    centre = centre + ((full / 2 - lengths) * signs) @ units
    return np.concatenate([centre[None], centre + units * np.abs(full / 2)[:, None]])


def _crossed(points: FloatArray, handle: int, way: FloatArray) -> FloatArray:
    """Pull at an end of two axes; they stay perpendicular."""
    long, short = points[:2].copy(), points[2:].copy()
    length = float(np.linalg.norm(long[1] - long[0]))
    along = (long[1] - long[0]) / length
    places = (short - long[0]) @ along
    offsets = short - long[0] - places[:, None] * along
    if handle >= 2:  # it follows the mouse along the long axis too, and takes the other along
        end = short[handle - 2] + way
        place = float((end - long[0]) @ along)
        offsets[handle - 2] = end - long[0] - place * along
        return np.concatenate([long, long[0] + place * along + offsets])
    long[handle] += way
    new = long[1] - long[0]
    turned = float(np.linalg.norm(new))
    if turned == 0.0:
        turned, new = 1.0, along * 1e-9  # refused as a thing without length
    new = new / turned
    # The short axis turns with the long one, about the normal of both, and keeps its lengths.
    normal = np.cross(along, offsets[1] - offsets[0])
    normal /= max(float(np.linalg.norm(normal)), 1e-12)
    side = np.cross(normal, along)
    across = np.cross(normal, new)
    across /= max(float(np.linalg.norm(across)), 1e-12)
    far = offsets @ side
    short = long[0] + (places * turned / length)[:, None] * new + far[:, None] * across
    return np.concatenate([long, short])


def _share(one: Measurement, handle: int) -> FloatArray:
    """Return how far each point goes with the one that is pulled, from 0 to 1, shape (n,)."""
    points = one.array
    share = np.zeros(len(points))
    share[handle] = 1.0
    if one.kind not in ("curve", "closed-curve") or len(points) <= _FREEHAND:
        return share
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    away = np.abs(at - at[handle])
    length = at[-1]
    if one.is_closed:
        length += float(np.linalg.norm(points[0] - points[-1]))
        away = np.minimum(away, length - away)
    reach = 2.0 * length / _FREEHAND
    return np.asarray(np.where(away < reach, np.cos(np.pi / 2 * away / reach) ** 2, 0.0))


def _point(point: FloatArray) -> Point:
    x, y, z = (float(v) for v in point)
    return x, y, z
