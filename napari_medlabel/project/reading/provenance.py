"""Where each voxel of a mask comes from, followed from the steps of a session's history.

The map holds, for each voxel: 0 nothing, or a label of unknown origin; 1 drawn by hand; 2
proposed by a tool and kept; 3 proposed by a tool and changed or taken away since; 4 filled in
between slices; 5 settled by adjudication; 6 unresolved in a consensus. What a hand takes away
of a proposal keeps its 3, though nothing is labelled there: only so is the share that was kept
an honest one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box, Origin, Patch, Pieces, Step
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


@dataclass(eq=False)
class Bookmark:
    """A place in a trail: `Trail.read` gives the map as it was there, whatever came since."""

    found: Map | None = None


@dataclass(frozen=True, eq=False)
class _Entry:
    step: Patch
    becomes: Map | None = None  # the whole map after it, where that is known


@dataclass(frozen=True, eq=False)
class _Done:
    step: Patch
    box: Box
    states: Pieces  # of the map in the box, before and after


class Trail:
    """The map of a session that goes on: it is told each step, and of undone ones too.

    Telling it costs nothing: steps wait until somebody asks, as a save or the keeper of unsaved
    work does in a thread of its own. What a step changed in the map is kept, packed, as long as
    the step can be undone.

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
        self._map = empty_map(shape) if start is None else start.copy(order="K")
        self._waiting: deque[_Entry | Bookmark] = deque()
        self._done: list[_Done] = []
        self._brought: list[_Done] = []  # steps with a map of their own, to be done again
        self._keep: int | None = None
        self._touched: set[int] = set()
        self._door = threading.Lock()  # of what waits: held for a moment
        self._room = threading.Lock()  # of the map: held while steps are worked in

    def follow(self, step: Step, becomes: Map | None = None) -> None:
        """Note a step that was just done, undone or redone.

        Parameters
        ----------
        step : Step
            Of labels; others are passed over.
        becomes : ndarray of uint8, shape (i, j, k), optional
            The whole map after it, for a step that brings its own.
        """
        if not isinstance(step, Patch):
            return
        with self._door:
            last = self._waiting[-1] if self._waiting else None
            if (
                isinstance(last, _Entry)
                and last.becomes is None
                and _takes_back(step, last.step)
            ):
                self._waiting.pop()  # as if neither had been
            else:
                self._waiting.append(_Entry(step, becomes))

    def settle(self, keep: int) -> None:
        """Say how many steps the history still holds: what is older cannot be undone."""
        self._keep = keep

    def bookmark(self) -> Bookmark:
        """Return a mark at the last step that was told; cheap, for a snapshot."""
        mark = Bookmark()
        with self._door:
            self._waiting.append(mark)
        return mark

    def read(self, mark: Bookmark) -> Map:
        """Return the map, shape (i, j, k), as it was at a mark."""
        if mark.found is None:
            with self._room:
                self._work()
        return empty_map(self._map.shape) if mark.found is None else mark.found

    def map(self) -> Map:
        """Return the map as it is now, shape (i, j, k); a copy."""
        with self._room:
            self._work()
            return self._map.copy(order="K")

    def planes(self) -> dict[int, Map]:
        """Return copies of all slices k, shape (j, i), that steps have ever changed."""
        with self._room:
            self._work()
            return {k: self._map.T[k].copy() for k in sorted(self._touched)}

    @property
    def nbytes(self) -> int:
        """Memory held beside the history's own, in bytes."""
        return self._map.nbytes + sum(one.states.nbytes for one in self._done)

    def _work(self) -> None:
        """Work in what waits; call with the room locked."""
        while True:
            with self._door:
                if not self._waiting:
                    break
                entry = self._waiting.popleft()
            if isinstance(entry, Bookmark):
                entry.found = self._map.copy(order="K")
            elif self._done and _takes_back(entry.step, self._done[-1].step):
                last = self._done.pop()
                last.states.write(self._map[last.box], 0)
            else:
                self._do(entry)
        if self._keep is not None and len(self._done) > self._keep:
            del self._done[: len(self._done) - self._keep]

    def _do(self, entry: _Entry) -> None:
        again = next((d for d in self._brought if _is_again(entry.step, d.step)), None)
        if again is not None:
            again.states.write(self._map[again.box], 1)
            self._done.append(again)
            return
        whole = entry.becomes is not None
        box = (slice(None), slice(None), slice(None)) if whole else entry.step.box
        was = self._map[box].copy(order="K")
        if entry.becomes is not None:
            self._map[...] = entry.becomes
        else:
            _work_in(self._map[box], entry.step)
        now = self._map[box]
        changed = np.flatnonzero([np.any(a != b) for a, b in zip(was.T, now.T, strict=True)])
        self._touched.update((changed + int(box[2].start or 0)).tolist())
        done = _Done(entry.step, box, Pieces(was, now))
        self._done.append(done)
        if whole:
            self._brought.append(done)


def _takes_back(step: Patch, last: Patch) -> bool:
    return last.pieces is step.pieces and last.is_back != step.is_back


def _is_again(step: Patch, done: Patch) -> bool:
    return done.pieces is step.pieces and done.is_back == step.is_back


def _work_in(out: Map, step: Patch) -> None:
    """Let a step change the map in its box (i, j, k), slice by slice."""
    sets = _SETS[step.origin]
    labelled, bare = np.full(256, sets, np.uint8), np.full(256, NONE, np.uint8)
    if step.origin in ("human", "interpolated"):
        # What a person changes of a proposal stays a changed proposal, labelled or not.
        labelled[list(_OF_A_TOOL)] = bare[list(_OF_A_TOOL)] = EDITED
    for plane, before, after in zip(out.T, step.before.T, step.after.T, strict=True):
        changed = before != after
        if changed.any():
            now = np.where(after != 0, labelled[plane], bare[plane])
            np.copyto(plane, now, where=changed)


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
