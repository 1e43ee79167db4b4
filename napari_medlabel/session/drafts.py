"""Outlines that are begun and not closed: each waits on its slice, and a crash keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psygnal import Signal

Place = tuple[str, int, int]
"""Of which tool, voxel axis across the slice (0 for i, 1 for j, 2 for k), and which slice."""
Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Draft:
    """One begun outline.

    Parameters
    ----------
    tool : str
        The tool that goes on with it.
    axis, index : int
        Voxel axis across its slice, and which slice.
    points : tuple of tuple of float
        As drawn so far, in fractional voxels (i, j, k).
    corners : tuple of int
        How many points there were at each click; empty where each point is a click.
    erases : bool
        Whether it takes labels away when it is closed.
    """

    tool: str
    axis: int
    index: int
    points: tuple[Corner, ...]
    corners: tuple[int, ...] = ()
    erases: bool = False

    @property
    def place(self) -> Place:
        """Tool, axis and slice: there is one outline for each."""
        return self.tool, self.axis, self.index


class Drafts:
    """The begun outlines of a case. They are no steps of the history until they are closed."""

    changed = Signal()

    def __init__(self) -> None:
        self._all: dict[Place, Draft] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def all(self) -> tuple[Draft, ...]:
        """All of them, the first one begun first."""
        return tuple(self._all.values())

    def at(self, place: Place) -> Draft | None:
        """Return the outline that a tool has begun on a slice; None where there is none."""
        return self._all.get(place)

    def put(self, draft: Draft) -> None:
        """Keep an outline as it is now."""
        if self._all.get(draft.place) != draft:
            self._all[draft.place] = draft
            self.changed.emit()

    def drop(self, place: Place) -> bool:
        """Forget an outline; return whether there was one."""
        had = self._all.pop(place, None) is not None
        if had:
            self.changed.emit()
        return had

    # -- plain data ----------------------------------------------------------------------

    def document(self) -> Any:
        """Return all of them as plain data, for the recovery journal."""
        return [
            {
                "tool": one.tool,
                "axis": one.axis,
                "slice": one.index,
                "points": [list(point) for point in one.points],
                "corners": list(one.corners),
                "erases": one.erases,
            }
            for one in self.all
        ]

    def load(self, document: Any) -> None:
        """Take outlines of an earlier run up; one begun since in the same place stays."""
        for row in document:
            points = tuple((float(i), float(j), float(k)) for i, j, k in row["points"])
            corners = tuple(int(n) for n in row["corners"])
            place: Place = row["tool"], int(row["axis"]), int(row["slice"])
            draft = Draft(*place, points, corners, bool(row.get("erases", False)))
            if draft.place not in self._all:
                self.put(draft)
