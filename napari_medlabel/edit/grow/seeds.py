"""Grow from seeds in one go: all at once, or coarse first and then refined at the borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.grow.band import Band
from napari_medlabel.edit.grow.growth import Growth
from napari_medlabel.edit.grow.halving import averaged, band_of, factors_for, plane_of
from napari_medlabel.edit.grow.merging import merged_by_planes, volume_words
from napari_medlabel.edit.grow.relief import Mode
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Shape, Tick, around, quiet
from napari_medlabel.errors import InputError

BoolArray = npt.NDArray[np.bool_]
NAME: Final = "Grow from seeds"
PROVIDER: Final = "region-grow"
_MARGIN: Final = 0.1
_LEAST_MARGIN: Final = 3


def region_of(box: Box, within: Box) -> Box:
    """Return the box in which seeds grow: their own and a tenth, at least 3 voxels, more.

    Parameters
    ----------
    box : tuple of slice
        Around the seeds.
    within : tuple of slice
        Where growth may go.

    Notes
    -----
    As 3D Slicer's effect chooses it.
    """
    parts = []
    for part, whole in zip(box, within, strict=True):
        more = max(round(_MARGIN * (part.stop - part.start)), _LEAST_MARGIN)
        parts.append(
            slice(max(part.start - more, whole.start), min(part.stop + more, whole.stop))
        )
    return parts[0], parts[1], parts[2]


def wall_of(scene: Scene, box: Box, values: Sequence[int]) -> BoolArray | None:
    """Return the voxels of a box that growth may not pass, None for none.

    They are those that the rules forbid, when an intensity range is part of the rules: as with
    Slicer's editable intensity range. Other rules bound what is changed, not how growth runs.
    """
    rules = scene.masking
    if rules.low is None and rules.high is None:
        return None
    wall: BoolArray = ~rules.editable(scene.labels[box], scene.image[box], values).T
    return wall.T


def need_two_kinds(kinds: int, *, has_wall: bool) -> None:
    """Refuse to grow one label alone, with nothing to stop it.

    Raises
    ------
    InputError
        When there is one kind of seed and no wall, or none.
    """
    if kinds == 0:
        raise InputError("There are no seeds yet.", hint="Draw a stroke into each segment.")
    if kinds == 1 and not has_wall:
        raise InputError(
            "Growing needs seeds of two segments, or of one and the background; got one.",
            hint="Draw a stroke around the segment as background, or set an intensity range.",
        )


def grow_from_seeds(
    scene: Scene,
    box: Box,
    seeds: LabelArray,
    *,
    background: int | None = None,
    mode: Mode = "minimax",
    gradient_mm: float | str = "auto",
    tick: Tick = quiet,
) -> Proposal | None:
    """Grow labels from seeds until they meet.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules. With an intensity range, growth does not pass what the rules
        forbid.
    box : tuple of slice
        Where the seeds lie and growth may go, in (i, j, k). It goes a tenth further than the
        seeds, at least 3 voxels.
    seeds : ndarray of int, shape of the box
        The label that grows from each voxel, 0 for none.
    background : int, optional
        The value in ``seeds`` that stands for background.
    mode, gradient_mm
        As for `Growth`.
    tick : callable
        Told the progress; it raises to end the work.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When seeds are missing or of another shape, or of one kind with nothing to stop them.
    """
    sown = _sown(scene, box, seeds, background)
    # The growth is gone before the proposal takes copies.
    return _propose(scene, sown, _grown(scene, sown, mode, gradient_mm, tick))


def _grown(
    scene: Scene, sown: _Sown, mode: Mode, gradient_mm: float | str, tick: Tick
) -> LabelArray:
    """Return the labels of the region after growth from its seeds."""
    growth = Growth(
        scene.image[sown.region], scene.spacing_mm, mode=mode, gradient_mm=gradient_mm,
        tick=_half(tick, 0),
    )  # fmt: skip
    if sown.wall is not None:
        growth.set_wall(sown.wall)
    growth.add_all(sown.strokes(), tick=_half(tick, 1))

    def plane(k: int) -> tuple[npt.NDArray[Any], BoolArray]:
        one = slice(k, k + 1)
        return growth.labels_of(one).T[0], growth.reached_of(one).T[0]

    return merged_by_planes(scene.labels[sown.region], plane, sown.grown)


@dataclass(frozen=True, eq=False, repr=False)
class Coarse:
    """A first answer, on a grid of half the resolution.

    Parameters
    ----------
    proposal : Proposal or None
        What it would change.
    gradient_mm : float
        The scale that was used.
    """

    proposal: Proposal | None
    gradient_mm: float
    _sown: _Sown
    _labels: LabelArray  # strokes' kinds, 1 and up, on the coarse grid (i, j, k); 0 where none
    _factors: tuple[int, int, int]


def grow_coarse(
    scene: Scene,
    box: Box,
    seeds: LabelArray,
    *,
    background: int | None = None,
    mode: Mode = "minimax",
    gradient_mm: float | str = "auto",
    tick: Tick = quiet,
) -> Coarse:
    """Grow labels on half the resolution where the spacing is fine: a first answer.

    Parameters and errors are those of `grow_from_seeds`. In-plane neighbours are averaged, so
    voxels of 0.7 x 0.7 x 1.5 mm become 1.4 x 1.4 x 1.5 mm; with equal spacings all axes are
    halved. On the CT phantom of 512 x 512 x 300 voxels it takes a third of the time. With an
    intensity range among the rules nothing is halved: thin walls must hold.

    Returns
    -------
    Coarse
        To show, and to give to `refine`.
    """
    sown = _sown(scene, box, seeds, background)
    image = scene.image[sown.region]
    # Thin walls would be lost on a coarse grid.
    factors = factors_for(image.shape, scene.spacing_mm) if sown.wall is None else (1, 1, 1)
    spacing = tuple(mm * f for mm, f in zip(scene.spacing_mm, factors, strict=True))
    small = averaged(image, factors)
    i, j, k = spacing
    growth = Growth(small, (i, j, k), mode=mode, gradient_mm=gradient_mm, tick=_half(tick, 0))
    if sown.wall is not None:
        growth.set_wall(sown.wall)
    growth.add_all(_coarse_strokes(sown, growth.shape, factors), tick=_half(tick, 1))
    kinds, scale_mm = growth.labels, growth.gradient_mm
    del growth  # before the proposal takes copies
    table = np.array([0, *sown.values], seeds.dtype)

    def plane(k: int) -> tuple[npt.NDArray[Any], BoolArray]:
        fine = plane_of(kinds, factors, image.shape, k)
        return table[fine], fine != 0

    after = merged_by_planes(scene.labels[sown.region], plane, sown.grown)
    proposal = _propose(scene, sown, after)
    return Coarse(proposal, scale_mm, sown, kinds, factors)


def refine(
    scene: Scene,
    coarse: Coarse,
    *,
    mode: Mode = "minimax",
    gradient_mm: float | str = "auto",
    tick: Tick = quiet,
) -> Proposal | None:
    """Grow anew at full resolution, only in a band around the borders of a first answer.

    Parameters
    ----------
    scene : Scene
        As it was for the first answer.
    coarse : Coarse
        The first answer.
    mode, gradient_mm, tick
        As in `grow_from_seeds`.

    Returns
    -------
    Proposal or None
        None when nothing would change.
    """
    after = _refined(scene, coarse, mode, gradient_mm, tick)
    return _propose(scene, coarse._sown, after)  # noqa: SLF001 - a class of this module


def _refined(
    scene: Scene, coarse: Coarse, mode: Mode, gradient_mm: float | str, tick: Tick
) -> LabelArray:
    """Return the labels of the region after growth in the band of a first answer."""
    sown, kinds = coarse._sown, coarse._labels  # noqa: SLF001 - a class of this module
    band = Band(kinds, band_of(kinds), coarse._factors, sown.shape)  # noqa: SLF001
    image = scene.image[sown.region]
    growth = Growth(
        image, scene.spacing_mm, mode=mode, gradient_mm=gradient_mm, tick=_half(tick, 0)
    )
    tick(1, 2)
    wall, around_it = band.wall()
    if sown.wall is not None:
        wall |= sown.wall
    growth.set_wall(wall)
    del wall
    tick(1, 2)
    growth.add_all(_by_kind(sown, around_it), tick=_half(tick, 1))
    tick(2, 2)
    table = np.array([0, *sown.values], scene.labels.dtype)

    def plane(k: int) -> tuple[npt.NDArray[Any], BoolArray]:
        owners, inside = growth.labels_of(slice(k, k + 1)).T[0], band.inside(k)
        fine = np.where(inside & (owners != 0), owners, band.kinds(k))
        return table[fine], fine != 0

    return merged_by_planes(scene.labels[sown.region], plane, sown.grown)


@dataclass(frozen=True, eq=False, repr=False)
class _Sown:
    """Seeds in their region.

    ``flat`` are flat indices of the region, i fastest; ``kinds`` number the values from 1 in
    the order of ``values``, where background is 0.
    """

    region: Box
    shape: Shape
    flat: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint16]
    values: tuple[int, ...]
    wall: BoolArray | None

    @property
    def grown(self) -> tuple[int, ...]:
        return tuple(v for v in self.values if v)

    def strokes(self) -> list[tuple[npt.NDArray[Any], int]]:
        return [(self.flat[self.kinds == n], v) for n, v in enumerate(self.values, start=1)]


def _sown(scene: Scene, box: Box, seeds: LabelArray, background: int | None) -> _Sown:
    """Find the region, the kinds of seeds and the wall."""
    shape = tuple(part.stop - part.start for part in box)
    if seeds.shape != shape:
        raise InputError(
            f"Seeds have the shape of their box {shape}; got {seeds.shape}.",
            hint="This is a fault in the program; please report it.",
        )
    tight = around((seeds.T != 0).T)
    if tight is None:
        need_two_kinds(0, has_wall=False)
        raise InputError("There are no seeds yet.", hint="Draw a stroke into each segment.")
    local = region_of(tight, _local(box))
    i, j, k = (
        slice(part.start + whole.start, part.stop + whole.start)
        for part, whole in zip(local, box, strict=True)
    )
    part = seeds[local]
    raw = np.ascontiguousarray(part.T).reshape(-1)
    flat = np.flatnonzero(raw)
    found, kinds = np.unique(raw[flat], return_inverse=True)
    values = tuple(0 if int(v) == background else int(v) for v in found)
    wall = wall_of(scene, (i, j, k), tuple(v for v in values if v))
    need_two_kinds(len(values), has_wall=wall is not None)
    a, b, c = part.shape
    return _Sown((i, j, k), (a, b, c), flat, (kinds + 1).astype(np.uint16), values, wall)


def _local(box: Box) -> Box:
    i, j, k = (slice(0, part.stop - part.start) for part in box)
    return i, j, k


def _propose(scene: Scene, sown: _Sown, after: LabelArray) -> Proposal | None:
    return scene.propose(
        sown.region, after, name=NAME, values=sown.grown, provider=PROVIDER, origin="assisted",
        words=volume_words(after, sown.grown, scene),
    )  # fmt: skip


def _half(tick: Tick, which: int) -> Tick:
    """Tell the progress of one of two halves."""

    def tell(done: int, total: int) -> None:
        tick(done + which * total, 2 * total)

    return tell


def _coarse_strokes(
    sown: _Sown, shape: Shape, factors: tuple[int, int, int]
) -> list[tuple[npt.NDArray[Any], int]]:
    """Return the seeds of each kind on the coarse grid; where two share a voxel, the later."""
    row, i = np.divmod(sown.flat, sown.shape[0])
    k, j = np.divmod(row, sown.shape[1])
    coarse = ((k // factors[2]) * shape[1] + j // factors[1]) * shape[0] + i // factors[0]
    return [(coarse[sown.kinds == n], n) for n in range(1, len(sown.values) + 1)]


def _by_kind(
    sown: _Sown, around_it: tuple[npt.NDArray[np.int32], npt.NDArray[Any]]
) -> list[tuple[npt.NDArray[Any], int]]:
    """Return the flat indices of each kind that there is: of seeds, and of what is no seed."""
    places, kinds = around_it
    # Seeds come in the order of their places.
    at = np.minimum(np.searchsorted(sown.flat, places), sown.flat.size - 1)
    other = sown.flat[at] != places
    places, kinds = places[other], kinds[other]
    found = [
        (np.concatenate([sown.flat[sown.kinds == n].astype(np.int32), places[kinds == n]]), n)
        for n in range(1, len(sown.values) + 1)
    ]
    return [(each, n) for each, n in found if each.size]
