"""What must hold before a face is removed, and after: size, field of view, nose, surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.faces.cut import FaceCut
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import STEP_MM, Bools, Field, Floats

BRAIN_ML: Final = (850.0, 2100.0)
"""Volume of what the skull holds (or of a mask given) that is taken for a grown brain."""
_BRAIN_MM: Final = ((105.0, 180.0), (130.0, 215.0), (75.0, 190.0))
_EDGE_MM2: Final = 250.0
_TOP_EDGE_MM2: Final = 60.0
_NECK_MM: Final = 135.0
_NOSE_WIDE_MM: Final = 25.0
_NOSE_ASIDE_MM: Final = 40.0
_NOSE_OUT_MM: Final = 9.0
_NOSE_BELOW_MM: Final = 95.0
_NOSE_ROOM_MM: Final = 10.0
_SURFACE_WIDE_MM: Final = 55.0
_BROW_MM: Final = 8.0
_SURFACE_DOWN_MM: Final = 130.0
_DEEP_MM: Final = 12.0
_DEEP_FROM_MM: Final = 45.0
SURFACE_SHARE: Final = 0.98
"""Least share of the face's surface, sampled from the front, that the cut must take."""
DEEP_SHARE: Final = 0.90
"""Least share of what lies 12 mm behind the surface below the eyes."""
_FRONT_HIGHER_MM: Final = 12.0


@dataclass(frozen=True)
class Nose:
    """The tip of a nose, RAS mm."""

    x_mm: float
    y_mm: float
    z_mm: float


@dataclass(frozen=True)
class Surface:
    """Shares of the face that go: of its surface, and 12 mm behind it below the eyes."""

    skin: float
    deep: float

    def require_gone(self) -> None:
        """Refuse a cut that leaves more than the method may."""
        if self.skin < SURFACE_SHARE or self.deep < DEEP_SHARE:
            raise FaceUnsure(Doubt.FACE_LEFT)


def require_brain(field: Field, brain: Bools) -> None:
    """Refuse a brain that has not the size of a grown person's."""
    ml = np.count_nonzero(brain) * STEP_MM**3 / 1000
    if not BRAIN_ML[0] <= ml <= BRAIN_ML[1]:
        raise FaceUnsure(Doubt.BRAIN_SIZE)
    points = field.points(brain)
    extent = np.ptp(points, axis=0) + STEP_MM
    for size, (least, most) in zip(extent, _BRAIN_MM, strict=True):
        if not least <= size <= most:
            raise FaceUnsure(Doubt.BRAIN_SIZE)


def require_whole(field: Field, brain: Bools) -> None:
    """Refuse a brain that is cut off by the field, other than from below."""
    if field.edge_mm2(brain) > _TOP_EDGE_MM2:
        raise FaceUnsure(Doubt.BRAIN_CUT)


def require_head(field: Field, body: Bools, brain: Bools, *, front_only: bool = False) -> None:
    """Refuse a head that is cut off by the field, other than at the neck; and a whole neck.

    Parameters
    ----------
    field, body, brain
        The scan, the head and the brain, shape (r, a, s).
    front_only : bool
        Whether ears, vertex or occiput may be missing: where a person said where the brain
        is, they are not needed to find the face.
    """
    bottom = float(field.points(brain)[:, 2].min())
    points = field.points(body)
    if float(points[:, 2].min()) < bottom - _NECK_MM:
        raise FaceUnsure(Doubt.NECK)
    if field.edge_mm2(body, front_only=front_only) > _EDGE_MM2:
        raise FaceUnsure(Doubt.HEAD_CUT)


def front_of(body: Bools, field: Field) -> Floats:
    """Return the foremost voxel of each line of sight, shape (r, s): coordinate A in mm.

    Not a number where there is none.
    """
    any_there = body.any(axis=1)
    last = body.shape[1] - 1 - body[:, ::-1].argmax(axis=1)
    front: Floats = np.where(any_there, last * STEP_MM + field.origin_ras[1], np.nan)
    return front


def nose_of(field: Field, body: Bools, brain: Bools) -> Nose:
    """Return the tip of the nose: what stands out between brow and chin.

    Raises
    ------
    FaceUnsure
        When nothing stands out in front, within 40 mm of the brain's middle (so a head that
        is turned to the side has no nose), or when it lies at the edge of the field.
    """
    points = field.points(brain)
    pole = points[points[:, 1].argmax()]
    centre = points.mean(axis=0)
    front = front_of(body, field)
    best, tip = 0.0, (0, 0)
    wide = round(_NOSE_WIDE_MM / STEP_MM)
    columns = range(
        field.index(centre[0] - _NOSE_ASIDE_MM, 0),
        field.index(centre[0] + _NOSE_ASIDE_MM, 0) + 1,
    )
    heights = range(field.index(pole[2] - _NOSE_BELOW_MM, 2), field.index(pole[2], 2) + 1)
    for s in heights:
        for r in columns:
            out = _stands_out(front[:, s], r, wide)
            if out > best:
                best, tip = out, (r, s)
    if best < _NOSE_OUT_MM:
        raise FaceUnsure(Doubt.NO_NOSE)
    at = np.array([tip[0] * STEP_MM, 0, tip[1] * STEP_MM]) + field.origin_ras
    nose = Nose(float(at[0]), float(front[tip]), float(at[2]))
    below = body[:, :, max(0, tip[1] - round(_NOSE_ROOM_MM / STEP_MM))]
    if tip[1] * STEP_MM < _NOSE_ROOM_MM or not below.any():
        raise FaceUnsure(Doubt.NOSE_CUT)
    return nose


def _stands_out(profile: npt.NDArray[np.float64], at: int, wide: int) -> float:
    """By how much one point of a level profile lies in front of both its sides."""
    if at < wide or at + wide >= len(profile) or np.isnan(profile[at]):
        return 0.0
    sides = profile[at - wide], profile[at + wide]
    if np.isnan(sides).any():
        return 0.0
    return float(profile[at] - max(sides))


def surface_of(field: Field, body: Bools, brain: Bools, cut: FaceCut) -> Surface:
    """Return how much of the face's surface goes.

    The surface is sampled on lines of sight from the front, 55 mm to both sides,
    from 8 mm to 130 mm below the brain's foremost point; the depth where it lies 45 mm
    or more below that level.
    """
    points = field.points(brain)
    pole, centre = points[points[:, 1].argmax()], points.mean(axis=0)
    front = front_of(body, field)
    r, s = np.nonzero(np.isfinite(front))
    x = r * STEP_MM + field.origin_ras[0]
    z = s * STEP_MM + field.origin_ras[2]
    y = front[r, s]
    zone = (
        (np.abs(x - centre[0]) <= _SURFACE_WIDE_MM)
        & (z <= pole[2] - _BROW_MM)
        & (z >= pole[2] - _SURFACE_DOWN_MM)
        & (y > centre[1] + 25)
    )
    if not zone.any():
        return Surface(0.0, 0.0)
    seen = np.stack([x, y, z], axis=1)[zone]
    lower = seen[seen[:, 2] <= pole[2] - _DEEP_FROM_MM]
    if not len(lower):
        return Surface(float(cut.takes(seen).mean()), 1.0)
    deep = cut.takes(lower - (0, _DEEP_MM, 0)).mean()
    return Surface(float(cut.takes(seen).mean()), float(deep))


def is_upright(brain: Bools) -> bool:
    """Whether a brain's underside is higher in front than behind, as it is in a person.

    The frontal lobes lie on the orbits, well above the cerebellum.
    """
    any_there = brain.any(axis=2)
    bottom = np.where(any_there, brain.argmax(axis=2), 10**6) * STEP_MM
    columns = np.where(any_there.any(axis=0), bottom.min(axis=0), np.nan)
    length = np.flatnonzero(np.isfinite(columns))
    fifth = max(1, len(length) // 5)
    behind = float(np.nanmin(columns[length[fifth : 2 * fifth]]))
    ahead = float(np.nanmin(columns[length[-2 * fifth : -fifth]]))
    return ahead - behind > _FRONT_HIGHER_MM
