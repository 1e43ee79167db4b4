"""Live wire: an outline that follows the edges of a slice between clicks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit import slice_loops
from napari_medlabel.edit.finite import as_floats
from napari_medlabel.errors import InputError

FloatArray = npt.NDArray[np.float64]

_LEAST: Final = 0.02  # cost of a mm along the strongest edge; a flat mm costs 1
_REACH: Final = 96  # pixels around an anchor that paths are first found in
_MARGIN: Final = 12  # pixels by which a window goes beyond the place looked for
_SMOOTH_MM: Final = 0.8


class LiveWire:
    """Cheapest paths along the edges of one slice.

    The costs are found once for a slice, all paths from an anchor once in a window around it
    (which grows when the mouse leaves it), and a path to the mouse by walking back.

    Parameters
    ----------
    image2d : ndarray, shape (n_u, n_v)
        Intensities of the slice, at least 2 by 2; what is no number counts as the lowest one.
    spacing_mm2 : sequence of float
        Distance of neighbouring pixels along u and v.
    smooth_mm : float
        Standard deviation of the smoothing before gradients are taken: more for more noise.

    Raises
    ------
    InputError
        When the slice is too small.

    References
    ----------
    W. Barrett, E. Mortensen, Interactive live-wire boundary extraction, Med. Image Anal. 1
    (1997) 331-341; E. Dijkstra, Numer. Math. 1 (1959) 269-271.
    """

    def __init__(
        self,
        image2d: npt.NDArray[Any],
        spacing_mm2: Sequence[float],
        *,
        smooth_mm: float = _SMOOTH_MM,
    ) -> None:
        if image2d.ndim != 2 or min(image2d.shape) < 2:
            raise InputError(
                f"A live wire needs a slice of at least 2 by 2 pixels; got {image2d.shape}.",
                hint="Use it in another plane.",
            )
        self._spacing = float(spacing_mm2[0]), float(spacing_mm2[1])
        self._strength = _edges(image2d, self._spacing, smooth_mm)
        self._costs = _LEAST + (1.0 - _LEAST) / (1.0 + self._strength**2)
        self._anchor: tuple[int, int] | None = None
        self._window = slice(0, 0), slice(0, 0)
        self._before: list[int] = []

    @property
    def shape(self) -> tuple[int, int]:
        """Number of pixels along u and v."""
        n_u, n_v = self._costs.shape
        return n_u, n_v

    def snapped(self, uv: Sequence[float], radius_mm: float = 2.0) -> tuple[int, int]:
        """Return the pixel with the strongest edge within a radius of a place.

        Parameters
        ----------
        uv : sequence of float
            Fractional pixels; outside the slice the nearest pixel counts.
        radius_mm : float
            How far it may be.
        """
        at = self._pixel(uv)
        spans = []
        for x, n, mm in zip(at, self.shape, self._spacing, strict=True):
            reach = int(radius_mm / mm)
            spans.append(np.arange(max(x - reach, 0), min(x + reach + 1, n)))
        u, v = spans[0][:, None], spans[1][None, :]
        far2 = ((u - at[0]) * self._spacing[0]) ** 2 + ((v - at[1]) * self._spacing[1]) ** 2
        near = np.where(far2 <= radius_mm**2 + 1e-9, self._strength[u, v], -1.0)
        # Of equals the nearest: a flat place stays where it is.
        best = int(np.argmin(np.where(near == near.max(), far2, np.inf)))
        return int(spans[0][best // v.size]), int(spans[1][best % v.size])

    def anchor(self, uv: Sequence[float]) -> None:
        """Begin paths at a place (fractional pixels; outside the slice the nearest pixel)."""
        self._anchor = self._pixel(uv)
        self._find(self._around(self._anchor, _REACH))

    def path_to(self, uv: Sequence[float]) -> FloatArray:
        """Return the cheapest path from the anchor to a place.

        Parameters
        ----------
        uv : sequence of float
            Fractional pixels; outside the slice the nearest pixel.

        Returns
        -------
        ndarray, shape (n, 2)
            Pixels, both ends among them, each one of the eight neighbours of the one before.

        Raises
        ------
        InputError
            When there is no anchor yet.
        """
        if self._anchor is None:
            raise InputError("A live wire has no anchor yet.", hint="Click on the edge first.")
        u, v = self._pixel(uv)
        if not self._holds(u, v):
            self._find(self._window_to(u, v))
        rows, columns = self._window
        width = columns.stop - columns.start
        at = (u - rows.start) * width + v - columns.start
        back = [at]
        before = self._before
        while before[at] != at:
            at = before[at]
            back.append(at)
        flat = np.array(back[::-1])
        return np.stack(
            (flat // width + rows.start, flat % width + columns.start), axis=1
        ).astype(np.float64)

    # -- windows ---------------------------------------------------------------------------

    def _pixel(self, uv: Sequence[float]) -> tuple[int, int]:
        u, v = (
            min(max(int(np.floor(x + 0.5)), 0), n - 1)
            for x, n in zip(uv, self.shape, strict=True)
        )
        return u, v

    def _holds(self, u: int, v: int) -> bool:
        rows, columns = self._window
        return rows.start <= u < rows.stop and columns.start <= v < columns.stop

    def _around(self, at: tuple[int, int], reach: int) -> tuple[slice, slice]:
        rows, columns = (
            slice(max(x - reach, 0), min(x + reach + 1, n))
            for x, n in zip(at, self.shape, strict=True)
        )
        return rows, columns

    def _window_to(self, u: int, v: int) -> tuple[slice, slice]:
        """Return the next window: at least twice the last, and beyond a place."""
        anchor = self._anchor or (u, v)
        reach = max(abs(u - anchor[0]), abs(v - anchor[1])) + _MARGIN
        rows, columns = self._window
        last = max(rows.stop - rows.start, columns.stop - columns.start)
        return self._around(anchor, max(reach, last))

    def _find(self, window: tuple[slice, slice]) -> None:
        """Find all paths from the anchor inside a window."""
        anchor = self._anchor or (0, 0)
        costs = np.ascontiguousarray(self._costs[window])
        start = anchor[0] - window[0].start, anchor[1] - window[1].start
        far = _distances(costs, start, self._spacing)
        self._window = window
        self._before = _steps_back(costs, far, self._spacing)


def _edges(
    image: npt.NDArray[Any], spacing: tuple[float, float], smooth_mm: float
) -> FloatArray:
    """Return the strength of edges, in units of what is common in the slice."""
    from scipy import ndimage

    floats = np.ascontiguousarray(as_floats(image))
    soft = ndimage.gaussian_filter(floats, [smooth_mm / mm for mm in spacing], mode="nearest")
    along_u, along_v = np.gradient(soft, *spacing)
    strength = np.hypot(along_u, along_v)
    # Half of the strong ones: a faint organ border counts nearly as much as bone beside air.
    usual = float(np.quantile(strength[::2, ::2], 0.9)) or float(strength.max()) or 1.0
    scaled: FloatArray = (strength / usual).astype(np.float64)
    return scaled


def _distances(
    costs: FloatArray, start: tuple[int, int], spacing: tuple[float, float]
) -> FloatArray:
    """Return the length of the cheapest path to each pixel; numba changes no bit."""
    if (loops := slice_loops.ready()) is not None:
        found: FloatArray = loops.distances(costs, *start, *spacing)
        return found
    from skimage.graph import MCP_Geometric

    far: FloatArray = MCP_Geometric(costs, sampling=spacing).find_costs([start])[0]
    return far


def _steps_back(costs: FloatArray, far: FloatArray, spacing: tuple[float, float]) -> list[int]:
    """Return for each pixel the one before it on its path, flat; the start has itself."""
    n_u, n_v = costs.shape
    best = np.where(far > 0, np.inf, 0.0)
    before = np.arange(n_u * n_v, dtype=np.int64).reshape(n_u, n_v)
    for du, dv in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        here = slice(max(-du, 0), n_u - max(du, 0)), slice(max(-dv, 0), n_v - max(dv, 0))
        there = slice(max(du, 0), n_u - max(-du, 0)), slice(max(dv, 0), n_v - max(-dv, 0))
        length = float(np.hypot(du * spacing[0], dv * spacing[1]))
        through = far[there] + length * 0.5 * (costs[there] + costs[here])
        better = through < best[here]
        best[here] = np.where(better, through, best[here])
        before[here] = np.where(better, _flat(there, n_v), before[here])
    flat: list[int] = before.ravel().tolist()
    return flat


def _flat(part: tuple[slice, slice], width: int) -> npt.NDArray[np.int64]:
    rows, columns = (
        np.arange(part[0].start, part[0].stop),
        np.arange(part[1].start, part[1].stop),
    )
    flat: npt.NDArray[np.int64] = rows[:, None] * width + columns
    return flat
