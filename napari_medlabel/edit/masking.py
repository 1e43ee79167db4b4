"""Where an edit may change what: the one place where area, intensity and locks are obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError

Area = Literal["everywhere", "inside", "outside"]
Overwrite = Literal["all", "visible", "none"]
BoolArray = npt.NDArray[np.bool_]
_AT_ONCE: Final = 1 << 20  # voxels


@dataclass(frozen=True)
class Masking:
    """The rules that every edit obeys, whatever tool makes it.

    Parameters
    ----------
    area : str
        ``everywhere``; ``inside`` or ``outside`` the labels of `segments`, as they are before
        the edit.
    segments : frozenset of int
        Label values that bound the area.
    low, high : float or None
        Intensities, both inside, between which voxels may change; None for no end. A voxel
        without a number lies in no range.
    overwrite : str
        Which other labels an edit may take voxels from: ``all``, the ``visible`` ones or
        ``none``. Background, and the labels that the edit is about, it may always change.
    hidden : frozenset of int
        Label values that are not shown.
    locked : frozenset of int
        Label values that neither lose nor gain a voxel.

    Raises
    ------
    InputError
        When the range is empty or no range, or an area has no segment.
    """

    area: Area = "everywhere"
    segments: frozenset[int] = frozenset()
    low: float | None = None
    high: float | None = None
    overwrite: Overwrite = "all"
    hidden: frozenset[int] = field(default_factory=frozenset)
    locked: frozenset[int] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if any(end is not None and np.isnan(end) for end in (self.low, self.high)):
            raise InputError(
                "An end of an intensity range is a number; got nan.",
                hint="Type a number, or leave that end open.",
            )
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise InputError(
                "An intensity range needs a lower end below the upper end; "
                f"got {self.low:g} to {self.high:g}.",
                hint="Swap the two.",
            )
        if self.area != "everywhere" and not self.segments:
            raise InputError(
                "The editable area is bound to a segment, and none was chosen.",
                hint="Choose the segment, or edit everywhere.",
            )

    @property
    def is_open(self) -> bool:
        """Whether it forbids nothing."""
        return (
            self.area == "everywhere"
            and self.low is None
            and self.high is None
            and self.overwrite == "all"
            and not self.locked
        )

    def editable(
        self, labels: LabelArray, image: npt.NDArray[Any], values: Iterable[int] = ()
    ) -> BoolArray:
        """Tell which voxels may change.

        Parameters
        ----------
        labels, image : ndarray, one shape (i, j, k)
            Labels before the edit and intensities, of the same crop.
        values : iterable of int
            The labels that the edit is about: their own voxels it may change whatever
            `overwrite` says, unless they are locked.

        Returns
        -------
        ndarray of bool, shape (i, j, k)
        """
        leave = self._may_leave(int(np.iinfo(labels.dtype).max), values)
        # The transposed view is walked in memory order.
        allowed: BoolArray = leave[labels.T]
        if self.area != "everywhere":
            inside = np.zeros(leave.size, dtype=bool)
            inside[[v for v in self.segments if v < leave.size]] = True
            allowed &= inside[labels.T] == (self.area == "inside")
        if self.low is not None:
            allowed &= self.low <= image.T
        if self.high is not None:
            allowed &= self.high >= image.T
        if (self.low is not None or self.high is not None) and image.dtype.kind == "f":
            allowed &= np.isfinite(image.T)
        return allowed.T

    def _may_leave(self, largest: int, values: Iterable[int]) -> BoolArray:
        """Return for each label value whether a voxel of it may become something else."""
        leave = np.full(largest + 1, self.overwrite != "none")
        if self.overwrite == "visible":
            leave[[v for v in self.hidden if v <= largest]] = False
        leave[[0, *(v for v in values if 0 <= v <= largest)]] = True
        leave[[v for v in self.locked if v <= largest]] = False
        return leave

    def clamp(
        self,
        before: LabelArray,
        after: LabelArray,
        image: npt.NDArray[Any],
        values: Iterable[int] = (),
    ) -> LabelArray:
        """Return what stands after an edit that obeys the rules.

        Parameters
        ----------
        before, after : ndarray, one shape (i, j, k)
            Labels before, and as the tool would have them.
        image : ndarray, shape (i, j, k)
            Intensities of the same crop.
        values : iterable of int
            As in `editable`.

        Returns
        -------
        ndarray, shape (i, j, k)
            A new array of the type of ``before``; ``before`` where nothing may change.
        """
        wanted = np.asarray(after, dtype=before.dtype)
        if self.is_open:
            return wanted.T.copy().T
        out: LabelArray = before.T.copy().T
        # Some slices at a time: what is only needed on the way stays small, and in the cache.
        step = max(_AT_ONCE // max(out.T[:1].size, 1), 1)
        for start in range(0, out.shape[2], step):
            part = slice(start, start + step)
            new, old = wanted[..., part], before[..., part]
            change = new.T != old.T
            if not change.any():
                continue
            change &= self.editable(old, image[..., part], values).T
            if self.locked:
                enter = np.ones(int(np.iinfo(before.dtype).max) + 1, dtype=bool)
                enter[[v for v in self.locked if v < enter.size]] = False
                change &= enter[new.T]
            np.copyto(out.T[part], new.T, where=change)
        return out
