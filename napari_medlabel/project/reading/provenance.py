"""Where each voxel of a mask comes from, followed from the steps of a session's history.

The map holds, for each voxel: 0 nothing, or a label of unknown origin; 1 drawn by hand; 2
proposed by a tool and kept; 3 proposed by a tool and changed or taken away since; 4 filled in
between slices; 5 settled by adjudication; 6 unresolved in a consensus. What a hand takes away
of a proposal keeps its 3, though nothing is labelled there: only so is the share that was kept
an honest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box, Origin, Patch, Step
from napari_medlabel.errors import GeometryError

Map = npt.NDArray[np.uint8]
NONE, HUMAN, KEPT, EDITED, INTERPOLATED, ADJUDICATED, UNRESOLVED = range(7)
_SETS: Final[Mapping[Origin, int]] = {
    "human": HUMAN,
    "assisted": KEPT,
    "interpolated": INTERPOLATED,
    "unattributed": NONE,
    "restored": NONE,
}
_OF_A_TOOL: Final = (KEPT, EDITED)


@dataclass(frozen=True)
class Counts:
    """Voxels of a mask by where they come from.

    Parameters
    ----------
    human, assisted_kept, assisted_edited, interpolated, adjudicated : int
        Labelled voxels of each origin; ``assisted_edited`` counts with them what a hand took
        away of a proposal.
    unknown : int
        Labelled voxels that nothing is known of.
    """

    human: int
    assisted_kept: int
    assisted_edited: int
    interpolated: int
    adjudicated: int
    unknown: int

    def detail(self) -> dict[str, int]:
        """Return what ``review.submit`` says of it."""
        return {
            "human": self.human,
            "assisted_kept": self.assisted_kept,
            "assisted_edited": self.assisted_edited,
            "interpolated": self.interpolated,
        }

    @property
    def kept_share(self) -> float | None:
        """Share of what tools proposed that nobody touched; None without a proposal."""
        proposed = self.assisted_kept + self.assisted_edited
        return self.assisted_kept / proposed if proposed else None


def empty_map(shape: tuple[int, int, int]) -> Map:
    """Return a map (i, j, k) that knows nothing, in a file's byte order."""
    return np.zeros(shape[::-1], dtype=np.uint8).T


def provenance_of(
    steps: Iterable[Step], shape: tuple[int, int, int], start: Map | None = None
) -> Map:
    """Follow the steps of a history from its beginning.

    Parameters
    ----------
    steps : iterable of Step
        In order, undone and redone ones among them; only those of labels count.
    shape : tuple of int
        Of the mask, (i, j, k).
    start : ndarray of uint8, shape (i, j, k), optional
        The map of the mask that the session began with.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)

    Raises
    ------
    GeometryError
        When the map to start from is not of the mask's shape.
    """
    trail = Trail(shape, start)
    for step in steps:
        trail.follow(step)
    return trail.map()


class Trail:
    """The map of a session that goes on: it is told each step, and of undone ones too.

    It keeps the steps (which the history holds anyway) and works them in when asked. A step
    that the history has dropped is worked in for good.

    Parameters
    ----------
    shape : tuple of int
        Of the mask, (i, j, k).
    start : ndarray of uint8, shape (i, j, k), optional
        The map of the mask that the session began with; it is copied.

    Raises
    ------
    GeometryError
        When it is not of the mask's shape.
    """

    def __init__(self, shape: tuple[int, int, int], start: Map | None = None) -> None:
        if start is not None and start.shape != shape:
            raise GeometryError(
                f"A provenance map has its mask's shape {shape}; got {start.shape}.",
                hint="Open the map that lies beside the mask.",
            )
        self._base = empty_map(shape) if start is None else start.copy(order="K")
        self._steps: list[Patch] = []

    def follow(self, step: Step) -> None:
        """Note a step that was just done, undone or redone."""
        if not isinstance(step, Patch):
            return
        last = self._steps[-1] if self._steps else None
        if last is not None and last.pieces is step.pieces and last.is_back != step.is_back:
            self._steps.pop()  # it takes back the last one: as if neither had been
        else:
            self._steps.append(step)

    def settle(self, keep: int) -> None:
        """Work in all but the last steps for good: those that can no longer be undone.

        Parameters
        ----------
        keep : int
            How many steps the history still holds.
        """
        done = self._steps[: max(len(self._steps) - keep, 0)]
        for step in done:
            _work_in(self._base, step)
        del self._steps[: len(done)]

    def map(self) -> Map:
        """Return the map as it is now, shape (i, j, k); a copy."""
        out = self._base.copy(order="K")
        for step in self._steps:
            _work_in(out, step)
        return out


def _work_in(out: Map, step: Patch) -> None:
    """Let a step change the map in its box."""
    before, after = (step.pieces.state(side) for side in (step.is_back, not step.is_back))
    changed = before != after
    box = _box_of(step)
    was = out[box]
    sets = _SETS[step.origin]
    now = np.where(after != 0, np.uint8(sets), np.uint8(NONE))
    if step.origin in ("human", "interpolated"):
        # What a person changes of a proposal stays a changed proposal, labelled or not.
        now[np.isin(was, _OF_A_TOOL)] = EDITED
    np.copyto(was, now, where=changed)


def _box_of(step: Patch) -> Box:
    i, j, k = (slice(s, s + n) for s, n in zip(step.start, step.shape, strict=True))
    return i, j, k


def count_origins(
    labels: npt.NDArray[Any], provenance: Map, value: int | None = None
) -> Counts:
    """Count the voxels of a mask by where they come from.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        The mask.
    provenance : ndarray of uint8, shape (i, j, k)
        Its map.
    value : int, optional
        Of this label only; what was taken away belongs to none and is left out then.

    Raises
    ------
    GeometryError
        When they are not of one shape.
    """
    if labels.shape != provenance.shape:
        raise GeometryError(
            f"A provenance map has its mask's shape {labels.shape}; got {provenance.shape}.",
            hint="Open the map that lies beside the mask.",
        )
    counts = np.zeros(256, dtype=np.int64)
    gone = 0
    for plane, origin in zip(labels.T, provenance.T, strict=True):
        inside = plane != 0 if value is None else plane == value
        counts += np.bincount(origin[inside], minlength=256)
        if value is None:
            gone += int(np.count_nonzero(origin[~inside] == EDITED))
    return Counts(
        int(counts[HUMAN]),
        int(counts[KEPT]),
        int(counts[EDITED]) + gone,
        int(counts[INTERPOLATED]),
        int(counts[ADJUDICATED]),
        int(counts[NONE]),
    )
