"""What a tool works on, and what it proposes: the contract of every editing tool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Box, LabelArray, Origin
from napari_medlabel.edit.skew import heights_mm
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import FloatArray

Tick = Callable[[int, int], object]
"""Told how much is done and how much there is; it raises to end the work."""

Shape = tuple[int, int, int]


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False, repr=False)
class Scene:
    """Labels and image on one grid, with the rules that edits obey.

    Tools read it and never write to it.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        uint8 or uint16; 0 is background.
    image : ndarray, shape (i, j, k)
        Intensities, for CT in HU.
    spacing_mm : tuple of float
        Distance of neighbouring voxels along i, j and k.
    masking : Masking
        Where an edit may change what.
    skew_mm : ndarray, shape (3, 3), optional
        The voxel steps, columns in mm, where they are not at right angles (gantry tilt);
        as `Affine.skew_mm`.

    Raises
    ------
    GeometryError
        When the shapes differ or a spacing is not above 0.
    """

    labels: LabelArray
    image: npt.NDArray[Any]
    spacing_mm: tuple[float, float, float]
    masking: Masking = field(default_factory=Masking)
    skew_mm: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.labels.shape != self.image.shape or self.labels.ndim != 3:
            raise GeometryError(
                f"Labels and image have one shape (i, j, k); got {self.labels.shape} and "
                f"{self.image.shape}.",
                hint="Open the scan that the mask was made on.",
            )
        if not all(0 < mm < np.inf for mm in self.spacing_mm):
            raise GeometryError(
                "Spacings are above 0 mm and finite.",
                hint="This is a fault in the program; report it.",
            )

    @property
    def shape(self) -> Shape:
        """Number of voxels along i, j and k."""
        i, j, k = self.labels.shape
        return i, j, k

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel: less than the product of its edges where the scan is tilted."""
        if self.skew_mm is None:
            return float(np.prod(self.spacing_mm))
        return abs(float(np.linalg.det(self.skew_mm)))

    @property
    def apart_mm(self) -> tuple[float, float, float]:
        """Distance in mm of neighbouring slices across i, j and k, at right angles to them."""
        return heights_mm(self.spacing_mm, self.skew_mm)

    def frozen(self) -> Scene:
        """Return the scene with a copy of its labels, for work in a thread while one paints.

        A proposal made on labels that change under it would take what was painted meanwhile
        for its own change, and take it back.
        """
        return replace(self, labels=self.labels.T.copy().T)

    def propose(
        self,
        box: Box,
        after: LabelArray,
        *,
        name: str,
        values: Sequence[int],
        provider: str = "",
        origin: Origin = "human",
        words: str = "",
    ) -> Proposal | None:
        """Make a proposal that obeys the rules.

        Parameters
        ----------
        box : tuple of slice
            Where, in (i, j, k).
        after : ndarray, shape of the box
            Labels as the tool would have them; they become the proposal's where nothing is
            forbidden, and are not written to again.
        name, values, provider, origin, words
            As in `Proposal`.

        Returns
        -------
        Proposal or None
            None when nothing would change.
        """
        before = self.labels[box]
        if self.masking.is_open and _is_its_own(after, self.labels):
            clamped = after  # a volume is not copied to forbid nothing
        else:
            clamped = self.masking.clamp(before, after, self.image[box], values)
        if all(np.array_equal(*pair) for pair in zip(clamped.T, before.T, strict=True)):
            return None
        kept = before.T.copy().T
        return Proposal(box, kept, clamped, name, tuple(values), provider, origin, words)


@dataclass(frozen=True, eq=False, repr=False)
class Proposal:
    """What a tool would do: shown apart, and an edit only when a person says yes.

    Parameters
    ----------
    box : tuple of slice
        Where, in (i, j, k), with whole starts and stops.
    before, after : ndarray, shape of the box
        Labels that it was computed on, and labels as they would be; outside the rules of the
        scene's masking they are equal.
    name : str
        What the step is called on the undo button, in the imperative: ``"Keep largest"``.
    values : tuple of int
        The labels that it is about.
    provider : str
        Who proposes, by the log's list (``threshold``, ``region-grow``, ``classical``,
        ``interpolation``); empty for what a hand has drawn.
    origin : str
        Where its voxels come from: human, assisted or interpolated.
    words : str
        What the person should know before saying yes: ``"3 parts, 12.4 ml, go."``
    whole : bool
        Whether a part of it would do harm, as half a change of numbers mixes two organs. It is
        done only while it `still_holds` and the rules allow all of it.
    """

    box: Box
    before: LabelArray
    after: LabelArray
    name: str
    values: tuple[int, ...]
    provider: str = ""
    origin: Origin = "human"
    words: str = ""
    whole: bool = False

    def __repr__(self) -> str:
        return f"Proposal({self.name!r}, {self.after.shape}, {self.origin})"

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Which voxels of the box it would change."""
        differ: npt.NDArray[np.bool_] = (self.after.T != self.before.T).T
        return differ

    def onto(self, now: LabelArray) -> LabelArray:
        """Return its changes on labels that may have been painted since.

        A voxel changes only where it still is what the proposal was computed on: what was
        painted or erased since stays.

        Parameters
        ----------
        now : ndarray, shape of the box
            The labels as they are.
        """
        untouched = now.T == self.before.T
        out: LabelArray = np.where(untouched, self.after.T, now.T).T
        return out

    def still_holds(self, labels: LabelArray) -> bool:
        """Tell whether the labels that it is about lie where they lay, and nowhere else.

        Parameters
        ----------
        labels : ndarray, shape (i, j, k)
            The labels of the whole scan as they are.
        """
        about = np.zeros(int(np.iinfo(labels.dtype).max) + 1, dtype=bool)
        about[[v for v in self.values if 0 < v < about.size]] = True
        k = self.box[2]
        for at, plane in enumerate(labels.T):
            theirs = about[plane]
            if k.start <= at < k.stop:
                inner = plane[self.box[1], self.box[0]]
                was = self.before.T[at - k.start]
                mine = theirs[self.box[1], self.box[0]]
                if not np.array_equal(np.where(mine, inner, 0), np.where(about[was], was, 0)):
                    return False
                mine[...] = False
            if theirs.any():
                return False
        return True


def _is_its_own(after: LabelArray, labels: LabelArray) -> bool:
    """Tell whether labels are an array made for this, of the mask's type, and all of it."""
    base: object = after if after.base is None else after.base
    return (
        after.dtype == labels.dtype
        and after.T.flags.c_contiguous
        and after.flags.writeable
        and isinstance(base, np.ndarray)
        and base.nbytes == after.nbytes
        and not np.may_share_memory(after, labels)
    )


def whole(shape: Shape) -> Box:
    """Return the box of all voxels."""
    i, j, k = (slice(0, n) for n in shape)
    return i, j, k


def slab(shape: Shape, axis: int, index: int, thickness: int = 1) -> Box:
    """Return the box of one slice, or of some around it.

    Parameters
    ----------
    shape : tuple of int
        Of the volume.
    axis : int
        Voxel axis across the slice: 0 for i, 1 for j, 2 for k.
    index : int
        The slice.
    thickness : int
        How many slices; the middle one is ``index``. Clipped at the ends.

    Raises
    ------
    InputError
        When the slice lies outside.
    """
    if not 0 <= index < shape[axis] or thickness < 1:
        raise InputError(
            f"There is no slice {index} of thickness {thickness} on an axis of {shape[axis]}.",
            hint="Choose a slice of the scan.",
        )
    first = index - (thickness - 1) // 2
    parts = list(whole(shape))
    parts[axis] = slice(max(first, 0), min(first + thickness, shape[axis]))
    return parts[0], parts[1], parts[2]


def around(region: npt.NDArray[np.bool_]) -> Box | None:
    """Return the tightest box around a region (i, j, k); None when it is empty."""
    spans = []
    part = region.T  # (k, j, i): memory order, halved by the first look
    for axis in (0, 1, 2):
        hits = np.flatnonzero(part.any(axis=tuple(a for a in (0, 1, 2) if a != axis)))
        if not hits.size:
            return None
        span = slice(int(hits[0]), int(hits[-1]) + 1)
        spans.append(span)
        cut: list[slice] = [slice(None)] * 3
        cut[axis] = span
        part = part[tuple(cut)]
    return spans[2], spans[1], spans[0]


def widen(box: Box, margin_mm: float, spacing_mm: Sequence[float], shape: Shape) -> Box:
    """Return a box with a margin on every side, clipped to the volume.

    Parameters
    ----------
    box : tuple of slice
        In (i, j, k).
    margin_mm : float
        Rounded up to whole voxels along each axis.
    spacing_mm : sequence of float
        Along i, j and k.
    shape : tuple of int
        Of the volume.
    """
    parts = []
    for part, mm, n in zip(box, spacing_mm, shape, strict=True):
        voxels = int(np.ceil(margin_mm / mm - 1e-9))
        parts.append(slice(max(part.start - voxels, 0), min(part.stop + voxels, n)))
    return parts[0], parts[1], parts[2]
