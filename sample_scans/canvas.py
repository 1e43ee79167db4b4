"""One slice being painted: signed distances in mm become soft-edged values and hard labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from exact import F32, Array

Point = tuple[float, float, float]


class Window:
    """A part of the slice with the body coordinates (mm) of its pixels."""

    def __init__(self, at: tuple[slice, slice], x: Array, y: Array, z: float) -> None:
        self.at = at
        self.x = x
        self.y = y
        self.z = z

    def ellipsoid(self, centre: Point, radii: Point, lean: Point = (0.0, 0.0, 0.0)) -> Array:
        """Distance (mm, negative inside) to an ellipsoid.

        `lean` shears it: mm of x per mm of z, mm of y per mm of z, mm of y per mm of x.
        """
        dz = self.z - centre[2]
        px = self.x - F32(centre[0] + lean[0] * dz)
        py = self.y - F32(centre[1] + lean[1] * dz) - F32(lean[2]) * px
        ux, uy, uz = px * F32(1 / radii[0]), py * F32(1 / radii[1]), dz / radii[2]
        k0 = np.sqrt(ux * ux + uy * uy + F32(uz * uz))
        gx, gy, gz = ux * F32(1 / radii[0]), uy * F32(1 / radii[1]), uz / radii[2]
        k1 = np.sqrt(gx * gx + gy * gy + F32(gz * gz + 1e-12))
        return k0 * (k0 - F32(1)) / k1

    def capsule(self, a: Point, b: Point, ra: float, rb: float, flat: float = 1.0) -> Array:
        """Distance to a tube from `a` to `b` with radii `ra`, `rb`; `flat` stretches z."""
        ex, ey, ez = b[0] - a[0], b[1] - a[1], (b[2] - a[2]) / flat
        qx, qy = self.x - F32(a[0]), self.y - F32(a[1])
        qz = (self.z - a[2]) / flat
        length2 = ex * ex + ey * ey + ez * ez + 1e-9
        t = (qx * F32(ex) + qy * F32(ey) + F32(qz * ez)) * F32(1 / length2)
        t = np.minimum(np.maximum(t, F32(0)), F32(1))
        dx, dy, dz = qx - F32(ex) * t, qy - F32(ey) * t, F32(qz) - F32(ez) * t
        return np.sqrt(dx * dx + dy * dy + dz * dz) - (F32(ra) + F32(rb - ra) * t)


class Canvas:
    """Values (float32) and labels (uint8) of one axial slice at height `z` mm."""

    def __init__(self, x_mm: Array, y_mm: Array, z_mm: float, background: float) -> None:
        self.x = x_mm.astype(F32)
        self.y = y_mm.astype(F32)
        self.z = z_mm
        shape = (self.y.size, self.x.size)
        self.value = np.full(shape, background, F32)
        self.label = np.zeros(shape, np.uint8)
        self.whole = Window(
            (slice(None), slice(None)),
            self.x[None, :] + F32(0) * self.y[:, None],
            self.y[:, None] + F32(0) * self.x[None, :],
            z_mm,
        )

    def window(self, low: tuple[float, float], high: tuple[float, float]) -> Window | None:
        """Return the part between two corners (x, y in mm), or None where it is empty."""
        i = np.flatnonzero((self.x >= low[0]) & (self.x <= high[0]))
        j = np.flatnonzero((self.y >= low[1]) & (self.y <= high[1]))
        if i.size < 2 or j.size < 2:
            return None
        at = (slice(int(j[0]), int(j[-1]) + 1), slice(int(i[0]), int(i[-1]) + 1))
        whole = self.whole
        return Window(at, whole.x[at], whole.y[at], self.z)

    def around(self, centre: Point, radii: Point, margin: float = 4.0) -> Window | None:
        """Return the part around an ellipsoid, or None where this slice misses it."""
        if abs(self.z - centre[2]) > radii[2] + margin:
            return None
        rx, ry = radii[0] + margin, radii[1] + margin
        return self.window((centre[0] - rx, centre[1] - ry), (centre[0] + rx, centre[1] + ry))

    def paint(
        self,
        window: Window,
        distance: Array,
        value: Array | float,
        label: int | None = 0,
        width: float = 1.5,
    ) -> None:
        """Lay `value` where `distance` is negative, edge `width` mm; None keeps labels."""
        alpha = F32(0.5) - distance * F32(1 / width)
        alpha = np.minimum(np.maximum(alpha, F32(0)), F32(1))
        old = self.value[window.at]
        self.value[window.at] = old + (value - old) * alpha
        if label is not None:
            self.label[window.at][distance < 0] = label

    def ball(
        self,
        centre: Point,
        radii: Point,
        value: float,
        label: int | None = 0,
        lean: Point = (0.0, 0.0, 0.0),
        limit: Array | None = None,
    ) -> None:
        """Paint an ellipsoid where `limit` (a distance over the slice) is negative too."""
        reach = (
            radii[0] + abs(lean[0]) * radii[2],
            radii[1] + abs(lean[1]) * radii[2] + abs(lean[2]) * radii[0],
            radii[2],
        )
        window = self.around(centre, reach)
        if window is not None:
            distance = window.ellipsoid(centre, radii, lean)
            if limit is not None:
                distance = np.maximum(distance, limit[window.at])
            self.paint(window, distance, value, label)

    def tube(
        self,
        points: Sequence[Point],
        radii: Sequence[float],
        value: float,
        label: int | None = 0,
        flat: float = 1.0,
    ) -> None:
        """Paint a tube through `points` whose radii change from one to the next."""
        for k in range(len(points) - 1):
            a, b, ra, rb = points[k], points[k + 1], radii[k], radii[k + 1]
            r = max(ra, rb) + 2.0
            if not min(a[2], b[2]) - r * flat <= self.z <= max(a[2], b[2]) + r * flat:
                continue
            window = self.window(
                (min(a[0], b[0]) - r, min(a[1], b[1]) - r),
                (max(a[0], b[0]) + r, max(a[1], b[1]) + r),
            )
            if window is not None:
                self.paint(window, window.capsule(a, b, ra, rb, flat), value, label)
