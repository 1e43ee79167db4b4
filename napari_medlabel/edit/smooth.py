"""Smooth segments: several at once without gaps between them, or one alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.region_filters import (
    SLACK,
    TRUNCATE_SIGMAS,
    BoolArray,
    Three,
    closing,
    gaussian,
    median,
    opening,
)
from napari_medlabel.edit.scene import Proposal, Scene, Shape, Tick, around, quiet
from napari_medlabel.edit.skew import approximately
from napari_medlabel.errors import InputError

Kind = Literal["median", "opening", "closing", "gaussian"]
FloatArray = npt.NDArray[np.float32]

_TILE: Final = (64, 64, 32)  # voxels along i, j, k: small enough that most hold one label
_NOBODY: Final = np.float32(3.0)  # above every weight: a voxel that keeps its label
_BEYOND: Final = 4  # times the voxels of the scan: as far a size may reach beyond it
_ALWAYS: Final = 1 << 25  # voxels that may be looked at however small the scan is


def smooth_jointly(
    scene: Scene,
    box: Box,
    values: Sequence[int] = (),
    *,
    sigma_mm: float,
    tick: Tick = quiet,
) -> Proposal | None:
    """Propose smoother borders of several segments and the background, all at once.

    Each of them is weighted with a Gaussian, and a voxel goes to the heaviest: as weights add
    up to 1 everywhere, no gap opens and nothing overlaps. The weights are read from around the
    box as well, so that a small box under a brush gives what the whole would give there. Across
    a box of one slice nothing is weighted: a slice is smoothed in itself.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules.
    box : tuple of slice
        What is smoothed, in (i, j, k).
    values : sequence of int
        The segments; all that reach into the box when empty. Others, and locked ones, keep
        every voxel and gain none.
    sigma_mm : float
        Standard deviation of the Gaussian.
    tick : callable
        Told the progress; it raises to cancel.

    Raises
    ------
    InputError
        When sigma is not above 0 or far larger than the scan, or no segment of the box may be
        smoothed.
    """
    _above_nothing(sigma_mm)
    sigmas = _sigmas(box, scene.spacing_mm, sigma_mm)
    halo = [int(TRUNCATE_SIGMAS * sigma + 0.5) for sigma in sigmas]
    _refuse_beyond(scene, box, halo, sigma_mm)
    movable = _movable(scene, _clipped(box, halo, scene.shape), values)
    work = _inhabited(scene, box, halo)
    after = scene.labels[work].T.copy().T
    tiles = list(_tiles(work))
    for n, tile in enumerate(tiles):
        tick(n, len(tiles))
        read = _read(scene.labels, tile, halo)
        if read.min() != read.max():
            own = _relative(tile, work)
            after[own] = _heaviest(read, halo, sigmas, movable)
    tick(len(tiles), len(tiles))
    return scene.propose(
        work,
        after,
        name="Smooth jointly",
        values=sorted(movable),
        provider="classical",
        origin="assisted",
        words=_words(scene, work, after) + approximately(scene.skew_mm, sigma_mm, _thick(box)),
    )


def smooth_one(
    scene: Scene, box: Box, value: int, *, kind: Kind, size_mm: float
) -> Proposal | None:
    """Propose a smoother border of one segment; where it shrinks it leaves background.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules.
    box : tuple of slice
        What is smoothed, in (i, j, k); what lies around it is read too. In a box of one slice
        the slice is smoothed in itself.
    value : int
        The segment.
    kind : str
        ``median`` (what most voxels of a box are), ``opening`` (cuts off what no ball fits in),
        ``closing`` (fills what no ball fits in) or ``gaussian``.
    size_mm : float
        Edge of the box, diameter of the ball, or standard deviation of the Gaussian.

    Raises
    ------
    InputError
        When the kind is unknown, the size is not above 0 or far larger than the scan, or the
        segment is locked or not in the box.
    """
    _above_nothing(size_mm)
    filters: dict[str, Callable[[BoolArray, Three, float], BoolArray]] = {
        "median": median,
        "opening": partial(opening, skew_mm=scene.skew_mm),
        "closing": partial(closing, skew_mm=scene.skew_mm),
        "gaussian": gaussian,
    }
    if kind not in filters:
        raise InputError(
            f"A segment is smoothed by {', '.join(filters)}; got {kind!r}.",
            hint="Choose one of them.",
        )
    _movable(scene, box, (value,))
    # A Gaussian looks three sigmas far; a ball twice its radius, once in and once out.
    reach = TRUNCATE_SIGMAS * size_mm if kind == "gaussian" else size_mm
    thick = _thick(box)
    halo = [
        int(np.ceil(reach / mm)) + 1 if t else 0
        for t, mm in zip(thick, scene.apart_mm, strict=True)
    ]
    _refuse_beyond(scene, box, halo, size_mm)
    work = _inhabited(scene, box, halo, value)
    read = _read(scene.labels, work, halo) == value
    i, j, k = (mm if t else np.inf for t, mm in zip(thick, scene.spacing_mm, strict=True))
    smoothed = _inner(filters[kind](read, (i, j, k), size_mm), halo)
    is_exact = kind in {"opening", "closing"}
    about = "" if is_exact else approximately(scene.skew_mm, size_mm, thick)
    before = scene.labels[work].T
    after = np.where(smoothed.T, value, np.where(before == value, 0, before))
    after = after.astype(before.dtype).T
    return scene.propose(
        work,
        after,
        name=f"Smooth by {kind}",
        values=(value,),
        provider="classical",
        origin="assisted",
        words=_words(scene, work, after) + about,
    )


# -- where -------------------------------------------------------------------------------------


def _above_nothing(size_mm: float) -> None:
    if not size_mm > 0 or not np.isfinite(size_mm):
        raise InputError(
            f"Smoothing needs a size above 0 mm; got {size_mm:g}.",
            hint="Two or three voxels of the scan are a good start.",
        )


def _refuse_beyond(scene: Scene, box: Box, halo: Sequence[int], size_mm: float) -> None:
    """Refuse a size that would have more looked at, beyond the scan, than there is."""
    looked_at = 1.0
    for part, n in zip(box, halo, strict=True):
        looked_at *= part.stop - part.start + 2 * n
    if looked_at > max(_BEYOND * scene.labels.size, _ALWAYS):
        i, j, k = (n * mm for n, mm in zip(scene.shape, scene.spacing_mm, strict=True))
        raise InputError(
            f"A size of {size_mm:g} mm reaches far beyond the scan of {i:.0f} x {j:.0f} x "
            f"{k:.0f} mm.",
            hint="Two or three voxels of the scan are a good start.",
        )


def _movable(scene: Scene, box: Box, values: Sequence[int]) -> frozenset[int]:
    """Return the segments of the box whose border may move."""
    found = np.flatnonzero(_counts(scene.labels[box]))
    present = {int(v) for v in found if v > 0}
    wanted = present.intersection(values) if values else present
    if not wanted:
        raise InputError(
            "There is nothing of the chosen segments to smooth here.",
            hint="Choose a segment that is in this slice or box.",
        )
    movable = frozenset(wanted) - scene.masking.locked
    if not movable:
        raise InputError(
            "All segments that would be smoothed are locked.",
            hint="Unlock one in the table of segments.",
        )
    return movable


def _counts(labels: LabelArray) -> npt.NDArray[np.int64]:
    """Count the voxels of each value, one plane at a time: no copy of the whole."""
    out = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int64)
    for plane in labels.T:
        if plane.size and plane.max():
            out += np.bincount(plane.ravel(), minlength=out.size)
    return out


def _thick(box: Box) -> tuple[bool, bool, bool]:
    """Tell along which axes a box is more than a slice."""
    i, j, k = (part.stop - part.start > 1 for part in box)
    return i, j, k


def _sigmas(box: Box, spacing_mm: Three, sigma_mm: float) -> Three:
    """Return the standard deviations in voxels, 0 across a slice."""
    i, j, k = (
        sigma_mm / mm if t else 0.0 for t, mm in zip(_thick(box), spacing_mm, strict=True)
    )
    return i, j, k


def _inhabited(scene: Scene, box: Box, halo: Sequence[int], value: int | None = None) -> Box:
    """Return the part of a box that segments, or one segment, can reach."""
    wide = _clipped(box, halo, scene.shape)
    labels = scene.labels[wide].T
    region = (labels != 0 if value is None else labels == value).T
    inner = around(region)
    if inner is None:
        return box
    parts = []
    for part, outer, own, n in zip(inner, wide, box, halo, strict=True):
        start = max(part.start + outer.start - n, own.start)
        parts.append(slice(start, max(min(part.stop + outer.start + n, own.stop), start)))
    return parts[0], parts[1], parts[2]


def _clipped(box: Box, halo: Sequence[int], shape: Shape) -> Box:
    i, j, k = (
        slice(max(p.start - n, 0), min(p.stop + n, size))
        for p, n, size in zip(box, halo, shape, strict=True)
    )
    return i, j, k


def _tiles(box: Box) -> Iterator[Box]:
    starts = [range(p.start, p.stop, step) for p, step in zip(box, _TILE, strict=True)]
    for k in starts[2]:
        for j in starts[1]:
            for i in starts[0]:
                a, b, c = (
                    slice(start, min(start + step, p.stop))
                    for start, step, p in zip((i, j, k), _TILE, box, strict=True)
                )
                yield a, b, c


def _relative(tile: Box, box: Box) -> Box:
    i, j, k = (
        slice(t.start - b.start, t.stop - b.start) for t, b in zip(tile, box, strict=True)
    )
    return i, j, k


def _read(labels: LabelArray, box: Box, halo: Sequence[int]) -> LabelArray:
    """Return a box with its halo; beyond the ends of the scan the last voxels go on."""
    wide = _clipped(box, halo, (labels.shape[0], labels.shape[1], labels.shape[2]))
    part = labels[wide].T
    missing = [
        (n - (p.start - w.start), n - (w.stop - p.stop))
        for p, w, n in zip(box, wide, halo, strict=True)
    ]
    if any(before or after for before, after in missing):
        part = np.pad(part, missing[::-1], mode="edge")
    return part.T


def _inner(region: BoolArray, halo: Sequence[int]) -> BoolArray:
    i, j, k = (slice(n, size - n) for n, size in zip(halo, region.shape, strict=True))
    return region[i, j, k]


# -- several at once ---------------------------------------------------------------------------


def _heaviest(
    read: LabelArray, halo: Sequence[int], sigmas: Three, movable: frozenset[int]
) -> LabelArray:
    """Return for each voxel of a tile the label that weighs most there.

    Parameters
    ----------
    read : ndarray, shape of the tile with its halo
        Labels.
    halo : sequence of int
        Voxels on each side, along i, j and k.
    sigmas : tuple of float
        Standard deviations in voxels.
    movable : frozenset of int
        Segments that may gain and lose, beside the background.
    """
    present = [int(v) for v in np.flatnonzero(_counts_of_tile(read))]
    rivals = [v for v in present if v == 0 or v in movable]
    i, j, k = (slice(n, size - n) for n, size in zip(halo, read.shape, strict=True))
    tile = np.ascontiguousarray(read[i, j, k].T)
    weights = _weights(read, halo, sigmas, rivals, complete=len(rivals) == len(present))
    best = np.full(tile.shape, _NOBODY)
    for value, weight in weights.items():
        np.copyto(best, weight + np.float32(SLACK), where=tile == value)
    out = tile.copy()
    for value, weight in weights.items():
        better = weight > best
        out[better] = value
        np.copyto(best, weight, where=better)
    return out.T


def _weights(
    read: LabelArray, halo: Sequence[int], sigmas: Three, rivals: list[int], *, complete: bool
) -> dict[int, FloatArray]:
    """Return the weight of each rival in the tile, shape (k, j, i)."""
    last = rivals[0] if complete else -1  # what is left of 1 when nobody else is there
    weights = {v: _weight((read == v).T, halo[::-1], sigmas[::-1]) for v in rivals if v != last}
    if complete:
        rest = np.float32(1.0) - sum(weights.values(), start=np.float32(0.0))
        weights[last] = np.broadcast_to(rest, _tile_shape(read, halo))
    return {v: weights[v] for v in rivals}


def _tile_shape(read: LabelArray, halo: Sequence[int]) -> Shape:
    k, j, i = (size - 2 * n for n, size in zip(halo[::-1], read.shape[::-1], strict=True))
    return k, j, i


def _weight(region: BoolArray, halo: Sequence[int], sigmas: Sequence[float]) -> FloatArray:
    """Return a region under a Gaussian, without the halo: it is cut off axis by axis."""
    from scipy import ndimage

    out = np.ascontiguousarray(region).astype(np.float32)
    for axis, (n, sigma) in enumerate(zip(halo, sigmas, strict=True)):
        if n == 0:
            continue
        blurred = ndimage.gaussian_filter1d(out, sigma, axis, radius=n, mode="nearest")
        out = np.ascontiguousarray(np.take(blurred, range(n, out.shape[axis] - n), axis))
    return out


def _counts_of_tile(read: LabelArray) -> npt.NDArray[np.intp]:
    return np.bincount(np.ascontiguousarray(read.T).ravel())


# -- words -------------------------------------------------------------------------------------


def _words(scene: Scene, box: Box, after: LabelArray) -> str:
    """Say how much changes hands, and which segments would be gone."""
    before = scene.labels[box].T
    changed = before != after.T
    ml = int(np.count_nonzero(changed)) * scene.voxel_mm3 / 1000.0
    words = f"{ml:.2f} ml change."
    lost, gained = np.bincount(before[changed]), np.bincount(after.T[changed])
    losers = [int(v) for v in np.flatnonzero(lost) if v > 0 and lost[v] > 0]
    gone = [
        v
        for v in losers
        if (v >= gained.size or not gained[v]) and lost[v] == np.count_nonzero(before == v)
    ]
    if gone:
        words += f" Nothing would be left here of segment {', '.join(map(str, gone))}."
    return words
