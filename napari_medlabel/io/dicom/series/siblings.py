"""Groups of one series that lie in nearly one direction: what is to be said of each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from napari_medlabel.io.dicom.frames.plane import Plane, table
from napari_medlabel.io.dicom.series.group import group_key, have_same_spacing
from napari_medlabel.io.dicom.series.place import normal_of

_DRIFT_DEG: Final = 5.0
_SAME_DEG: Final = 0.1
_SAME_HEIGHT_MM: Final = 0.1


def sibling_doubts(groups: Sequence[Sequence[Plane]]) -> list[tuple[str, ...]]:
    """Say of groups of images which others of their series they were split from.

    Parameters
    ----------
    groups : sequence of sequence of Plane
        As `series.group.group` returned them.

    Returns
    -------
    list of tuple of str
        One for each group.
    """
    families: dict[Hashable, list[int]] = defaultdict(list)
    for n, planes in enumerate(groups):
        if planes[0].orientation_lps is not None and planes[0].spacing_mm is not None:
            families[group_key(planes[0])].append(n)
    doubts: list[tuple[str, ...]] = [()] * len(groups)
    for members in families.values():
        if len(members) > 1:
            for n in members:
                others = [groups[m] for m in members if m != n]
                doubts[n] = _doubts(groups[n], others)
    return doubts


def _doubts(own: Sequence[Plane], others: Sequence[Sequence[Plane]]) -> tuple[str, ...]:
    turned: list[float] = []
    scaled: list[Plane] = []
    for other in others:
        angle = _angle_deg(own[0], other[0])
        if have_same_spacing(own[0], other[0]):
            turned += [angle] if angle < _DRIFT_DEG else []
        elif angle < _SAME_DEG:
            scaled += other
    found = []
    if turned:
        found.append(
            f"The images of this series are turned against each other by {max(turned):.2g} "
            f"degrees and less: they are listed as {len(turned) + 1} series, one for each "
            "direction."
        )
    if scaled:
        has = "1 image of this series has" if len(scaled) == 1 else f"{len(scaled)} images have"
        listed = "is listed apart" if len(scaled) == 1 else "are listed apart"
        missing = ": a slice that is missing here may be there." if _fill(own, scaled) else "."
        found.append(f"{has} another Pixel Spacing and {listed}{missing}")
    return tuple(found)


def _fill(own: Sequence[Plane], scaled: Sequence[Plane]) -> bool:
    """Tell whether one of the images lies between a series' slices, at a height of its own."""
    normal = normal_of(own[0])
    known = [one.position_lps for one in own if one.position_lps is not None]
    heights = table(known, 3) @ normal
    for one in scaled:
        if one.position_lps is not None:
            here = float(np.array(one.position_lps) @ normal)
            is_between = heights.min() < here < heights.max()
            if is_between and np.abs(heights - here).min() > _SAME_HEIGHT_MM:
                return True
    return False


def _angle_deg(one: Plane, other: Plane) -> float:
    """Return the larger of the angles between two images' rows and between their columns."""
    first, second = (
        np.reshape(plane.orientation_lps or (0.0,) * 6, (2, 3)) for plane in (one, other)
    )
    across = np.linalg.norm(np.cross(first, second), axis=1)
    return float(np.degrees(np.arctan2(across, (first * second).sum(axis=1))).max())
