"""Flood: all voxels of a range of intensities that hang together with the one clicked."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import require
from napari_medlabel.edit.finite import need_number
from napari_medlabel.edit.label_value import of_mask
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, Scene, Tick, around, quiet
from napari_medlabel.errors import InputError, MissingPackageError

BoolArray = npt.NDArray[np.bool_]
PROVIDER: Final = "region-grow"


def flood(  # noqa: PLR0913 - a tolerance or a range, as the person likes
    scene: Scene,
    box: Box,
    seed_ijk: tuple[int, int, int],
    value: int,
    *,
    tolerance: float | None = None,
    low: float | None = None,
    high: float | None = None,
    connectivity: int = 1,
    tick: Tick = quiet,
) -> Proposal | None:
    """Give one label to what hangs together with a voxel and has intensities like it.

    Parameters
    ----------
    scene : Scene
        Labels, image and rules. With an intensity range among the rules, the flood does not
        pass what they forbid.
    box : tuple of slice
        Where it may go, in (i, j, k): a slice, a slab, the volume.
    seed_ijk : tuple of int
        The voxel clicked, in the volume.
    value : int
        The label it gives; 0 erases.
    tolerance : float, optional
        The range reaches this far to both sides of the seed's intensity.
    low, high : float, optional
        The range itself, both ends inside; None for no end. Instead of ``tolerance``.
    connectivity : int
        1: voxels that share a face hang together; 2: an edge; 3: a corner.
    tick : callable
        Told the voxels filled, of all in the box; it raises to end the work.

    Returns
    -------
    Proposal or None
        None when nothing would change.

    Raises
    ------
    InputError
        When the seed lies outside the box or the range or where the rules forbid or holds no
        number, there is no range or an empty one, the connectivity is none of the three, or
        the mask has no such label.
    """
    local = _within(box, seed_ijk)
    image = scene.image[box]
    need_number(float(image[local]))
    ends = _range(float(image[local]), tolerance, low, high)
    if connectivity not in (1, 2, 3):
        raise InputError(
            f"Voxels hang together by faces (1), edges (2) or corners (3); got {connectivity}.",
            hint="Choose one of the three.",
        )
    inside = _between(image, ends)
    if not inside[local]:
        raise InputError(
            f"The voxel clicked lies outside the range {ends[0]:g} to {ends[1]:g}.",
            hint="Click inside what the range selects, or widen the range.",
        )
    if scene.masking.low is not None or scene.masking.high is not None:
        inside &= scene.masking.editable(scene.labels[box], image, (value,))
        if not inside[local]:
            raise InputError(
                "The voxel clicked may not change under the rules that are set.",
                hint="Click inside the editable area and intensity range, or widen them.",
            )
    region, tight = connected(inside, local, connectivity=connectivity, tick=tick)
    i, j, k = (
        slice(part.start + whole.start, part.stop + whole.start)
        for part, whole in zip(tight, box, strict=True)
    )
    after = scene.labels[i, j, k].T.copy().T
    np.copyto(after.T, of_mask(value, after.dtype), where=region.T)
    count = int(np.count_nonzero(region.T))
    ml = count * scene.voxel_mm3 / 1000.0
    return scene.propose(
        (i, j, k), after, name="Flood", values=(value,), provider=PROVIDER, origin="assisted",
        words=f"{count} voxels, {ml:.1f} ml, from {ends[0]:g} to {ends[1]:g}.",
    )  # fmt: skip


def connected(
    inside: BoolArray,
    seed: tuple[int, int, int],
    *,
    connectivity: int = 1,
    tick: Tick = quiet,
) -> tuple[BoolArray, Box]:
    """Return what of a mask hangs together with one voxel of it, and the box around that.

    Parameters
    ----------
    inside : ndarray of bool, shape (i, j, k)
        The mask; it is used up: afterwards it holds anything.
    seed : tuple of int
        A voxel of the mask.
    connectivity : int
        1, 2 or 3, as in `flood`.
    tick : callable
        Told the voxels filled, of all.

    Returns
    -------
    region : ndarray of bool, shape of the box
        What hangs together.
    box : tuple of slice
        Where it lies in the mask.

    Notes
    -----
    Rows are filled run by run: A. R. Smith, SIGGRAPH 1979, 276. Without numba all parts of the
    mask are numbered instead, to the same result.
    """
    state = inside.T.view(np.uint8)
    if not state.flags.c_contiguous:
        state = np.ascontiguousarray(state)
    try:
        require("numba", extra="tools")
    except MissingPackageError:
        return _numbered(state.view(bool), seed, connectivity)
    from napari_medlabel.edit.grow import runs

    extent = runs.fill(state, seed[::-1], connectivity, tick)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(extent[:3], extent[3:], strict=True))
    part = state[box]
    region = (part == runs.FILLED).T
    k, j, i = box
    return region, (i, j, k)


def _numbered(
    inside: BoolArray, seed: tuple[int, int, int], connectivity: int
) -> tuple[BoolArray, Box]:
    from scipy import ndimage

    structure = ndimage.generate_binary_structure(3, connectivity)
    parts, _count = ndimage.label(inside, structure)
    region = (parts == parts[seed[::-1]]).T
    tight = around(region)
    if tight is None:
        raise InputError(
            "The voxel clicked lies outside the mask.",
            hint="This is a fault in the program; please report it.",
        )
    return region[tight], tight


def _within(box: Box, seed_ijk: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the seed's index in the box."""
    if not all(part.start <= at < part.stop for part, at in zip(box, seed_ijk, strict=True)):
        raise InputError(
            "The voxel clicked lies outside the slices that the flood may fill.",
            hint="Click inside the scan, on a slice that is being worked on.",
        )
    i, j, k = (at - part.start for part, at in zip(box, seed_ijk, strict=True))
    return i, j, k


def _range(
    at_seed: float, tolerance: float | None, low: float | None, high: float | None
) -> tuple[float, float]:
    """Return the ends of the range."""
    if tolerance is not None:
        if tolerance < 0 or low is not None or high is not None:
            raise InputError(
                "A flood needs a tolerance of 0 or more, or a range, not both.",
                hint="Give one of the two.",
            )
        return at_seed - tolerance, at_seed + tolerance
    if low is None and high is None:
        raise InputError(
            "A flood needs a tolerance or a range; got neither.", hint="Give one of the two."
        )
    ends = (-np.inf if low is None else low, np.inf if high is None else high)
    if not ends[0] <= ends[1]:
        raise InputError(
            f"A range needs a lower end below the upper end; got {ends[0]:g} to {ends[1]:g}.",
            hint="Swap the two.",
        )
    return ends


def _between(image: npt.NDArray[Any], ends: tuple[float, float]) -> BoolArray:
    """Select a range of intensities, both ends inside; walks the buffer in memory order."""
    inside: BoolArray = np.empty(image.shape[::-1], dtype=bool)
    is_open = ends[0] == -np.inf and image.dtype.kind == "f"
    np.greater_equal(image.T, np.finfo(image.dtype).min if is_open else ends[0], out=inside)
    # No end takes all numbers, and nothing else: largest finite instead of infinite.
    top = ends[1] if ends[1] < np.inf or image.dtype.kind != "f" else np.finfo(image.dtype).max
    if top < np.inf:
        for k, values in enumerate(image.T):
            inside[k] &= values <= top
    return inside.T
