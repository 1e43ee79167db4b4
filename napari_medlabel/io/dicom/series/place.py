"""Sorted slices -> grids: where each slice lies, which are missing, and separate parts.

Only Image Position and Image Orientation (Patient) and Pixel Spacing say where a slice lies
(PS3.3 C.7.6.2); Slice Thickness, Slice Location and instance numbers never do. Every corner of
every slice is held against the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.dicom.frames.plane import Plane, table
from napari_medlabel.io.dicom.series.even import (
    TOLERANCE_MM,
    Corners,
    Whole,
    corners_of,
    line_through,
    tolerance_mm,
)
from napari_medlabel.io.voxels import turned

MOST_PARTS: Final = 50
_MOST_MISSING: Final = 0.2
_MOST_NAMED: Final = 8
_SAME_POSITION_MM: Final = 1e-3
_JITTER_MM: Final = 0.02
_SPLIT = "Split the series where the distance changes; it is never resampled silently."


@dataclass(frozen=True)
class Part:
    """Slices on one grid.

    Parameters
    ----------
    chosen : tuple of int
        Which of the places given they are, in slice order.
    grid : Grid
        Missing slices included.
    missing : tuple of int
        Slices (k) that none of the places fills.
    warnings : tuple of str
        Doubts in words.
    """

    chosen: tuple[int, ...]
    grid: Grid
    missing: tuple[int, ...]
    warnings: tuple[str, ...]


def normal_of(plane: Plane) -> FloatArray:
    """Return the direction in which slices are counted: rows x columns, LPS."""
    orientation = np.array(plane.orientation_lps)
    return np.cross(orientation[:3], orientation[3:])


def stations(planes: Sequence[Plane]) -> list[list[int]]:
    """Split images that lie side by side at one height into stacks, each in line.

    Returns
    -------
    list of list of int
        Indices; one list where nothing lies side by side.
    """
    positions = table([one.position_lps for one in planes], 3)
    normal = normal_of(planes[0])
    along = positions @ normal
    across = positions - along[:, None] * normal
    slots = slots_of(planes)
    low = np.full((int(slots.max()) + 1, 3), np.inf)
    high = -low
    np.minimum.at(low, slots, across)
    np.maximum.at(high, slots, across)
    if np.linalg.norm(high - low, axis=1).max() <= TOLERANCE_MM:
        return [list(range(len(planes)))]
    stacks: list[tuple[FloatArray, list[int]]] = []
    for n, place in enumerate(across):
        for centre, members in stacks:
            if np.linalg.norm(place - centre) <= TOLERANCE_MM:
                members.append(n)
                break
        else:
            stacks.append((place, [n]))
        if len(stacks) > MOST_PARTS:
            raise InputError(
                "Several images lie side by side at one height, and not in separate stacks.",
                hint="Split the series into parts whose slices lie in line.",
            )
    return [members for _, members in stacks]


def slots_of(planes: Sequence[Plane]) -> Whole:
    """Count the places of images along the normal, shape (n,): equal for equal places."""
    positions = table([one.position_lps for one in planes], 3)
    along = positions @ normal_of(planes[0])
    order = np.argsort(along, kind="stable")
    gaps = np.diff(along[order], prepend=along[order[0]])
    slots = _counted(order, gaps > _SAME_POSITION_MM)
    apart, together = gaps[gaps > _JITTER_MM], gaps[gaps <= _JITTER_MM]
    if not len(apart) or together.max() <= _SAME_POSITION_MM:
        return slots
    # Positions may be written a little differently from volume to volume.
    wider = _counted(order, gaps > _JITTER_MM)
    wide = np.bincount(wider)
    is_even = wide.min() == wide.max() > 1
    return wider if is_even and apart.min() > 10 * together.max() else slots


def _counted(order: Whole, is_new: npt.NDArray[np.bool_]) -> Whole:
    slots = np.empty(len(order), dtype=np.int64)
    slots[order] = np.cumsum(is_new)
    return slots


def place(planes: Sequence[Plane], volumes: int) -> list[Part]:
    """Find the grid, or the grids, on which slices lie.

    Parameters
    ----------
    planes : sequence of Plane
        Volume after volume, each in the order of the places along the normal.
    volumes : int
        How many there are.

    Returns
    -------
    list of Part
        One where slices are equally far from each other, up to a few that are missing.

    Raises
    ------
    InputError
        When they lie on no grid, nor on a few.
    """
    corners = corners_of(planes, volumes)
    count = len(planes) // volumes
    everything = np.arange(count)
    if count == 1:
        return [_lone(planes, corners, 0, ())]
    line = line_through(corners, everything, everything)
    if line.fits:
        return [_part(planes, corners, everything, everything)]
    found = _with_gaps(corners, everything)
    if found is not None:
        return [_part(planes, corners, everything, found)]
    return _in_parts(planes, corners, line.off_mm)


def _with_gaps(corners: Corners, chosen: Whole) -> Whole | None:
    """Return the k of each slice when all distances are multiples of the common one."""
    gaps = np.linalg.norm(np.diff(corners.positions[chosen], axis=0), axis=1)
    common = float(np.median(gaps))
    common = float(gaps[np.rint(gaps / common) == 1].mean())
    many = np.rint(gaps / common)
    rounded = 4 * corners.written_mm if corners.written_mm <= 0.2 * common else 0.0
    if (many < 1).any() or np.abs(gaps - many * common).max() > max(0.1 * common, rounded):
        return None
    index = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
    total = int(index[-1]) + 1
    if total - len(chosen) > _MOST_MISSING * total:
        return None
    return index if line_through(corners, chosen, index).fits else None


def _part(
    planes: Sequence[Plane],
    corners: Corners,
    chosen: Whole,
    index: Whole,
    doubts: tuple[str, ...] = (),
) -> Part:
    if len(chosen) == 1:
        return _lone(planes, corners, int(chosen[0]), doubts)
    first = planes[int(chosen[0])]
    line = line_through(corners, chosen, index)
    warnings = list(doubts)
    slices = int(index[-1] - index[0]) + 1
    missing = tuple(sorted(set(range(slices)) - set((index - index[0]).tolist())))
    if missing:
        warnings.append(
            f"{_slices(len(missing))} of {slices} missing ({_numbered(missing)}): the room "
            "between the others is left blank. Copy or export the whole series again."
        )
    warnings += _doubt_spacing(first, float(np.linalg.norm(line.step)))
    warnings += line.doubts
    grid = _grid(first, line.origin, line.step, slices, warnings)
    return Part(tuple(chosen.tolist()), grid, missing, tuple(warnings))


def _lone(
    planes: Sequence[Plane], corners: Corners, number: int, doubts: tuple[str, ...]
) -> Part:
    first = planes[number]
    off = np.linalg.norm(corners.points[:, number] - corners.points[0, number], axis=2).max()
    if off > TOLERANCE_MM:
        raise InputError(
            f"Images of one place are expected to cover each other; one lies {off:.3g} mm off.",
            hint="Split the series into volumes.",
        )
    thick, doubt = _lone_step(first)
    warnings = [*doubts, doubt]
    grid = _grid(first, np.array(first.position_lps), normal_of(first) * thick, 1, warnings)
    return Part((number,), grid, (), tuple(warnings))


def _lone_step(one: Plane) -> tuple[float, str]:
    for value, name in (
        (one.between_mm, "Spacing Between Slices"),
        (one.thickness_mm, "Slice Thickness"),
    ):
        if value is not None and value > 0:
            return value, f"A single slice: its thickness is taken from {name}."
    return 1.0, "A single slice of unknown thickness: 1 mm is assumed."


def _grid(
    first: Plane, origin: FloatArray, step: FloatArray, slices: int, warnings: list[str]
) -> Grid:
    """Build the voxel-to-world map of PS3.3 C.7.6.2.1.1 with i = column, j = row, k = slice."""
    orientation, spacing = np.array(first.orientation_lps), np.array(first.spacing_mm)
    matrix_lps = np.eye(4)
    matrix_lps[:3, 0] = orientation[:3] * spacing[1]
    matrix_lps[:3, 1] = orientation[3:] * spacing[0]
    matrix_lps[:3, 2] = step
    matrix_lps[:3, 3] = origin
    affine = Affine.from_lps(matrix_lps)
    warnings.extend(turned(affine))
    frame = first.instance.frame_of_reference or None
    if frame is None:
        warnings.append("No frame of reference: it cannot be aligned with other series.")
    return Grid((first.columns, first.rows, slices), affine, frame)


def _doubt_spacing(first: Plane, step_mm: float) -> list[str]:
    between = first.between_mm
    if between is None or between <= 0 or step_mm <= 1.5 * between:
        return []
    doubt = (
        f"The slices lie {step_mm:.4g} mm apart, but Spacing Between Slices says "
        f"{between:.4g} mm: slices in between may be missing."
    )
    return [doubt]


def _in_parts(planes: Sequence[Plane], corners: Corners, off: FloatArray) -> list[Part]:
    """Split slices into runs of constant distance, each exact."""
    gaps = np.linalg.norm(np.diff(corners.positions, axis=0), axis=1)
    tolerance = tolerance_mm(float(np.median(gaps)))
    is_even = bool(gaps.max() - gaps.min() <= 2 * tolerance)
    runs = _in_line(planes, corners) if is_even else _runs(corners, tolerance)
    fitting = runs is not None and all(
        len(run) == 1 or line_through(corners, run, np.arange(len(run))).fits for run in runs
    )
    if runs is None or not fitting or len(runs) > MOST_PARTS:
        raise _no_grid(gaps, off, tolerance)
    why = (
        _aside(runs, off)
        if is_even
        else f"slices lie {gaps.min():.4g} to {gaps.max():.4g} mm apart."
    )
    return [
        _part(
            planes,
            corners,
            run,
            np.arange(len(run)),
            (f"Part {number} of {len(runs)} of a series whose {why}",),
        )
        for number, run in enumerate(runs, start=1)
    ]


def _aside(runs: Sequence[Whole], off: FloatArray) -> str:
    """Say in words that slices are evenly spaced and do not lie in one line."""
    ordered = all(one[-1] < other[0] for one, other in pairwise(runs))
    how = "follow each other" if ordered else "interleave"
    return f"slices lie up to {off.max():.2g} mm aside of one line: its parts {how}."


def _in_line(planes: Sequence[Plane], corners: Corners) -> list[Whole] | None:
    """Split evenly spaced slices by the line on which they lie; None where one is alone."""
    normal = normal_of(planes[0])
    along = corners.positions @ normal
    across = corners.positions - along[:, None] * normal
    stacks: list[list[int]] = []
    for n, here in enumerate(across):
        for members in stacks:
            if np.linalg.norm(here - across[members[0]]) <= TOLERANCE_MM:
                members.append(n)
                break
        else:
            stacks.append([n])
    if len(stacks) == 1 or any(len(members) < 2 for members in stacks):
        return None
    return [np.array(members) for members in stacks]


def _runs(corners: Corners, tolerance: float) -> list[Whole]:
    """Cut where the step between slices changes; a slice of two runs goes to the longer."""
    steps = np.diff(corners.positions, axis=0)
    bounds = [0]
    for n in range(1, len(steps)):
        if np.linalg.norm(steps[n] - steps[bounds[-1]]) > tolerance:
            bounds.append(n)
    lengths = np.diff([*bounds, len(steps)])
    owner = np.empty(len(steps) + 1, dtype=np.int64)
    for run, start in enumerate(bounds):
        owner[start : start + lengths[run] + 1] = run
    for run, start in enumerate(bounds[1:], start=1):
        if lengths[run] <= lengths[run - 1]:
            owner[start] = run - 1
    return [np.flatnonzero(owner == run) for run in np.unique(owner)]


def _no_grid(gaps: FloatArray, off: FloatArray, tolerance: float) -> InputError:
    if gaps.max() - gaps.min() > 2 * tolerance:
        return InputError(
            f"Slices at equal distances are expected; they lie {gaps.min():.4g} to "
            f"{gaps.max():.4g} mm apart, in more than {MOST_PARTS} parts or not in line.",
            hint=_SPLIT,
        )
    worst = int(np.argmax(off))
    return InputError(
        f"Slices are expected in line; slice {worst + 1} of {len(off)} lies "
        f"{off[worst]:.3g} mm off the grid of the others.",
        hint="Split the series into parts whose slices lie in line.",
    )


def _slices(number: int) -> str:
    return "1 slice" if number == 1 else f"{number} slices"


def _numbered(missing: Sequence[int]) -> str:
    """Name missing slices, counted from 1."""
    listed = ", ".join(str(k + 1) for k in missing[:_MOST_NAMED])
    more = len(missing) - _MOST_NAMED
    if len(missing) == 1:
        return f"number {listed}"
    return f"numbers {listed}" + (f" and {more} more" if more > 0 else "")
