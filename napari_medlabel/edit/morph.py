"""How the outlines of one segment on two slices become those between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.morph_parts import BoolArray, Point, partners

FloatPlane = npt.NDArray[np.float32]

_SLACK: Final = 1e-5  # of the way between two slices: equal means equal to this
_NOTHING: Final = np.float32(-1.0)
_ALMOST: Final = 0.999  # on the very middle nothing is left
_STEPS: Final = 1024  # of the way between two slices: pixels change in as many
_OFF: Final = 0.37  # of a step: so that no plain share of the way falls between two of them


@dataclass(frozen=True, eq=False, repr=False)
class Morph:
    """A shape on the way from one slice to another, in a frame that moves with it.

    Parameters
    ----------
    at_first, at_last : ndarray of float32, shape (u, v)
        Signed margins on the two slices. A pixel is inside at a fraction ``t`` of the way when
        ``(1 - t) * at_first + t * at_last`` is not below 0; inside on both slices it is 1, and
        else the sizes of the two add up to 1.
    corner : tuple of int
        Pixel (u, v) of the first slice on which the frame's first pixel lies.
    shift : tuple of int
        How many pixels (u, v) the frame moves until the last slice.
    """

    at_first: FloatPlane
    at_last: FloatPlane
    corner: tuple[int, int]
    shift: tuple[int, int]


def morphs(
    first: BoolArray, last: BoolArray, spacing_mm: Point, corner: tuple[int, int] = (0, 0)
) -> list[Morph]:
    """Pair the parts of a segment on two slices and say how each becomes the other.

    Parts that overlap belong together, and so does a part that overlaps none with the nearest
    one not far away. One part and one part: the outlines are laid on each other by their
    centroids where that makes them overlap more, and their signed distances are blended
    (Raya and Udupa 1990, shape-based interpolation; the alignment is what keeps an oblique
    vessel alive), and the area goes evenly from one to the other, see `evenly`. One part and
    several: each of the several takes its nearest share of the one.
    A part without a partner ends half-way, round like the pole of an ellipsoid.

    Parameters
    ----------
    first, last : ndarray of bool, one shape (u, v)
        The segment on the two slices, or in one window of both.
    spacing_mm : tuple of float
        Distance of pixels along u and v.
    corner : tuple of int
        Where the window begins in the slices.
    """
    out = []
    for here, there in partners(first, last, spacing_mm):
        if not there.any():
            out.append(_ending(here, spacing_mm, corner))
        elif not here.any():
            end = _ending(there, spacing_mm, corner)
            out.append(Morph(end.at_last, end.at_first, end.corner, end.shift))
        else:
            out.append(_moving(here, there, spacing_mm, corner))
    return out


def render(
    morph: Morph,
    fraction: float,
    value: int,
    claim: npt.NDArray[Any],
    score: FloatPlane,
) -> None:
    """Let a shape claim the pixels of a slice that no other has and it is better placed for.

    Shapes are rendered from the smallest to the largest: where two lie over each other the
    smaller one keeps its area, of which it would lose the larger share.

    Parameters
    ----------
    morph : Morph
        The shape.
    fraction : float
        0 on the first slice, 1 on the last one.
    value : int
        Its label value.
    claim : ndarray, shape (u, v)
        Whose pixel it would be; written where the shape's margin is the largest, and no shape
        before it holds the pixel.
    score : ndarray of float32, shape (u, v)
        The largest margin so far, see `blank`.
    """
    target, source = [], []
    for axis in (0, 1):
        start = morph.corner[axis] + int(np.floor(fraction * morph.shift[axis] + 0.5))
        low = max(start, 0)
        high = max(min(start + morph.at_first.shape[axis], claim.shape[axis]), low)
        target.append(slice(low, high))
        source.append(slice(low - start, high - start))
    window, part = (target[0], target[1]), (source[0], source[1])
    t = np.float32(fraction)
    fast = _kernels()
    if fast is not None:
        at = morph.at_first[part], morph.at_last[part]
        fast.render(*at, t, value, claim[window], score[window], _SLACK)
        return
    margin = (np.float32(1.0) - t) * morph.at_first[part] + t * morph.at_last[part]
    wins = (score[window] <= -_SLACK) & (margin > score[window] + _SLACK)
    claim[window][wins] = value
    score[window][wins] = margin[wins]


def blank(shape: tuple[int, ...]) -> FloatPlane:
    """Return the score of a slice (u, v) on which nothing is rendered yet."""
    return np.full(shape, _NOTHING)


def fill(
    plane: npt.NDArray[Any], claim: npt.NDArray[Any], score: FloatPlane, between: BoolArray
) -> int:
    """Write what is claimed into the background of a slice, after every shape was rendered.

    Parameters
    ----------
    plane : ndarray, shape (u, v)
        The slice, C-contiguous; what is not 0 stays.
    claim, score : ndarray, shape (u, v)
        As `render` left them: a claim holds inside its shape.
    between : ndarray of bool, shape (u, v)
        Where the best claim holds even a little outside of its shape.

    Returns
    -------
    int
        How many pixels were filled.
    """
    fast = _kernels()
    if fast is not None:
        return int(fast.fill(plane, claim, score, between, _SLACK))
    wins = ((score > -_SLACK) | between) & (claim > 0) & (plane == 0)
    plane[wins] = claim[wins]
    return int(np.count_nonzero(wins))


@cache
def _kernels() -> ModuleType | None:
    """Return the compiled loops, or None without numba: SciPy gives the same answer."""
    try:
        from napari_medlabel.edit import morph_kernels
    except ModuleNotFoundError as err:
        if err.name != "numba":
            raise
        return None
    return morph_kernels


# -- one part to one part ----------------------------------------------------------------------


def blend(
    first: BoolArray, last: BoolArray, spacing_mm: Point
) -> tuple[FloatPlane, FloatPlane]:
    """Return the signed margins of a `Morph` whose two shapes are laid on each other.

    Parameters
    ----------
    first, last : ndarray of bool, one shape (u, v)
        Both with something inside; the rim of the array is outside.
    spacing_mm : tuple of float
        Distance of pixels along u and v.
    """
    fast = _kernels()
    if fast is not None:
        at_first, at_last = fast.blend(first, last, *spacing_mm)
        return at_first, at_last
    from scipy import ndimage

    half = 0.5 * min(spacing_mm)
    one, two = (
        np.where(
            part,
            ndimage.distance_transform_edt(part, spacing_mm),
            ndimage.distance_transform_edt(~part, spacing_mm),
        )
        - half
        for part in (first, last)
    )
    differ = first != last
    signs = np.where(first, 1.0, -1.0)
    both = np.where(first & last, 1.0, -1.0)
    out_first = np.where(differ, signs * one / (one + two), both).astype(np.float32)
    out_last = np.where(differ, -signs * two / (one + two), both).astype(np.float32)
    return out_first, out_last


def evenly(at_first: FloatPlane, at_last: FloatPlane) -> None:
    """Let the area of a `Morph` go evenly from one slice to the other, in place.

    Blended distances say in which order pixels are lost and won. Their pace is that of a cone:
    the least that any convex body can have between two of its slices (Brunn and Minkowski),
    and too little for organs, which bulge. Here as many are lost, and won, in each part of the
    way.

    Parameters
    ----------
    at_first, at_last : ndarray of float32, shape (u, v)
        Signed margins, see `Morph`.
    """
    for sign in (1, -1):  # those that are lost, those that are won
        changes = (np.sign(at_first) == sign) & (np.sign(at_last) == -sign)
        at = np.abs(at_first[changes])
        if not at.size:
            continue
        step = (at * _STEPS + _OFF).astype(np.intp)
        until = np.cumsum(np.bincount(step, minlength=_STEPS + 2))
        before = until - np.bincount(step, minlength=_STEPS + 2)
        share = ((until + before)[step] / (2.0 * at.size)).astype(np.float32)
        at_first[changes] = sign * share
        at_last[changes] = sign * (share - 1)


def _moving(
    here: BoolArray, there: BoolArray, spacing_mm: Point, corner: tuple[int, int]
) -> Morph:
    """Lay two parts on each other, by their centroids where that serves, and blend them."""
    aligned = tuple(
        int(np.floor(b - a + 0.5)) for a, b in zip(_centre(here), _centre(there), strict=True)
    )
    shift = (0, 0)
    if aligned != (0, 0):
        plain = np.count_nonzero(here & there)
        one, two, _ = _frames(here, there, (aligned[0], aligned[1]))
        if np.count_nonzero(one & two) > plain:
            shift = (aligned[0], aligned[1])
    one, two, start = _frames(here, there, shift)
    at_first, at_last = blend(one, two, spacing_mm)
    evenly(at_first, at_last)
    return Morph(at_first, at_last, (corner[0] + start[0], corner[1] + start[1]), shift)


def _frames(
    here: BoolArray, there: BoolArray, shift: tuple[int, int]
) -> tuple[BoolArray, BoolArray, tuple[int, int]]:
    """Cut both to one frame with a rim, the second one moved back by the shift."""
    a, b = _window(here), _window(there)
    starts, shape = [], []
    for axis in (0, 1):
        start = min(a[axis].start, b[axis].start - shift[axis]) - 1
        starts.append(start)
        shape.append(max(a[axis].stop, b[axis].stop - shift[axis]) + 1 - start)
    out = []
    for part, window, moved in ((here, a, (0, 0)), (there, b, shift)):
        frame = np.zeros((shape[0], shape[1]), dtype=bool)
        to = tuple(
            slice(window[x].start - moved[x] - starts[x], window[x].stop - moved[x] - starts[x])
            for x in (0, 1)
        )
        frame[to] = part[window]
        out.append(frame)
    return out[0], out[1], (starts[0], starts[1])


def _ending(part: BoolArray, spacing_mm: Point, corner: tuple[int, int]) -> Morph:
    """Let a part end half-way to a slice that has none of it."""
    frame, _, start = _frames(part, part, (0, 0))
    fast = _kernels()
    if fast is not None:
        inner = fast.depth(frame, *spacing_mm)
    else:
        from scipy import ndimage

        inner = ndimage.distance_transform_edt(frame, spacing_mm)
    # The pole of an ellipsoid: the radius falls with the root of what is left of the way.
    outward = 1.0 - inner / inner.max()
    until = _ALMOST * (1.0 - outward**2) / 2
    at_first = np.where(frame, until, -1.0).astype(np.float32)
    at_last = np.where(frame, until - 1.0, -1.0).astype(np.float32)
    return Morph(at_first, at_last, (corner[0] + start[0], corner[1] + start[1]), (0, 0))


def _centre(part: BoolArray) -> Point:
    """Return the centroid in pixels (u, v)."""
    u, v = np.nonzero(part)
    return float(u.mean()), float(v.mean())


def _window(part: BoolArray) -> tuple[slice, slice]:
    """Return the tightest window around a part that has something."""
    u, v = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return slice(int(u[0]), int(u[-1]) + 1), slice(int(v[0]), int(v[-1]) + 1)
