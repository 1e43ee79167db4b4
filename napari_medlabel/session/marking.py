"""Placing landmarks one after the other: which one the next click is for, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from psygnal import Signal

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Absence, Landmark, LandmarkSet, Plane, Point

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session

Mode = Literal["sequential", "quick", "free"]

_EDGE: Final = 1e-6  # voxels: what is at the edge must not be rounded out of the scan


@dataclass(frozen=True)
class Draft:
    """A point that was clicked and is not committed yet.

    Parameters
    ----------
    name : str
        Which landmark it will be.
    point_ras : tuple of float
        RAS mm.
    inspected : frozenset of str
        The planes in which it has been looked at.
    """

    name: str
    point_ras: Point
    inspected: frozenset[Plane] = frozenset()


class Marking:
    """The order of placing. The name is known before the click (napari#7571).

    - ``sequential``: a click makes a draft for the next open landmark; looking at it in other
      planes and nudging come next; `commit` places it and aims at the next one.
    - ``quick``: a click places and aims at the next one.
    - ``free``: a click places what was aimed at, and the aim stays; without an aim it makes a
      new landmark "Point N".

    Every change goes through `Session.set_landmarks` as one step that can be undone. A draft is
    no step, is not saved, and is given up when another landmark is aimed at, or when its own
    one changes otherwise, by whatever act: so `current`, which the person is shown, is always
    the landmark that the next click or `commit` changes.

    Parameters
    ----------
    session : Session
        The open case.
    """

    changed = Signal()
    """The aim, the draft or the mode changed; or the landmarks did."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mode: Mode = "sequential"
        self._aim: str | None = None
        self._draft: Draft | None = None
        self._drafted: Landmark | None = None  # the draft's landmark as it was at the click
        session.landmarks_changed.connect(self._on_landmarks)

    # -- state -----------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """``"sequential"``, ``"quick"`` or ``"free"``; changing it gives a draft up."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        if mode != self._mode:
            self._mode, self._draft, self._aim = mode, None, None
            self.changed.emit()

    @property
    def draft(self) -> Draft | None:
        """The point that waits for `commit`."""
        return self._draft

    @property
    def current(self) -> Landmark | None:
        """The landmark that the next click is for; None when all are done (or, free, new).

        While there is a draft it is the draft's: a further click moves the draft.
        """
        name = self._aim if self._draft is None else self._draft.name
        if name is None and self._mode != "free":
            name = self._session.landmarks.next_name
        return None if name is None else self._session.landmarks[name]

    @property
    def progress(self) -> tuple[int, int]:
        """How many landmarks are placed or said to be absent, and how many there are."""
        marks = self._session.landmarks
        return sum(not mark.is_open for mark in marks), len(marks)

    # -- aiming ----------------------------------------------------------------------------

    def aim(self, name: str | None) -> None:
        """Say which landmark the next click is for; None for the next open one.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        if name is not None:
            _ = self._session.landmarks[name]
        self._aim, self._draft = name, None
        self.changed.emit()

    def aim_next(self, step: int = 1) -> None:
        """Aim at the landmark ``step`` places further in the list, open or not."""
        names = [mark.name for mark in self._session.landmarks]
        if not names:
            return
        current = self.current
        if current is None:
            self.aim(names[0] if step > 0 else names[-1])
            return
        self.aim(names[(names.index(current.name) + step) % len(names)])

    # -- placing ---------------------------------------------------------------------------

    def click(self, point_ras: Point, plane: Plane | None = None) -> str:
        """Place the current landmark, or make a draft of it; return its name.

        Parameters
        ----------
        point_ras : tuple of float
            Where, in RAS mm.
        plane : str, optional
            The plane that was clicked in: it counts as looked at.

        Raises
        ------
        InputError
            When nothing is left to place, or the landmark is locked.
        """
        name = self._name_for_click()
        _require_movable(self._session.landmarks, name)
        seen: frozenset[Plane] = frozenset() if plane is None else frozenset({plane})
        if self._draft is not None:
            seen |= self._draft.inspected
        draft = Draft(name, point_ras, seen)
        if self._mode == "sequential":
            self._draft, self._drafted = draft, self._session.landmarks[name]
            self.changed.emit()
        else:
            self._place(draft)
        return name

    def look(self, plane: Plane) -> None:
        """Note that the draft was looked at in a plane: the cross-hair was set on it there."""
        if self._draft is not None and plane not in self._draft.inspected:
            self._draft = replace(self._draft, inspected=self._draft.inspected | {plane})
            self.changed.emit()

    def commit(self) -> str | None:
        """Place the draft with the planes in which it was looked at; return its name.

        Returns
        -------
        str or None
            None when there is no draft.
        """
        draft = self._draft
        if draft is None:
            return None
        self._place(draft)
        return draft.name

    def cancel(self) -> None:
        """Give the draft up."""
        if self._draft is not None:
            self._draft = None
            self.changed.emit()

    # -- what else can be said ---------------------------------------------------------------

    def skip(self, reason: Absence) -> str | None:
        """Say that the current landmark is absent, and why; aim at the next one.

        A draft of it is given up.

        Returns
        -------
        str or None
            Its name, None when there is nothing left.

        Raises
        ------
        InputError
            When it is locked.
        """
        mark = self.current
        if mark is None:
            return None
        self._change(mark.missing(reason), "Skip landmark")
        self._draft = None  # also where it was absent for that reason before
        self.go_on()
        return mark.name

    def clear(self, name: str) -> None:
        """Take position, flags and draft of a landmark away: it is open again.

        Raises
        ------
        InputError
            When it is locked or not there.
        """
        self._change(self._session.landmarks[name].at(None), "Clear landmark")
        if self._draft is not None and self._draft.name == name:
            self.cancel()

    def doubt(self, name: str, radius_mm: float | None) -> None:
        """Say within how many mm a placed landmark lies; None: there is no doubt any more.

        Raises
        ------
        InputError
            When it is not placed, locked, or the radius not above 0.
        """
        mark = self._session.landmarks[name]
        if mark.uncertain_mm != radius_mm:
            _require_movable(self._session.landmarks, name)
        self._change(replace(mark, uncertain_mm=radius_mm), "Say how certain")

    def lock(self, name: str, locked: bool = True) -> None:
        """Keep a landmark from being moved, or let it go."""
        mark = self._session.landmarks[name]
        self._change(
            replace(mark, locked=locked), "Lock landmark" if locked else "Unlock landmark"
        )

    def lock_all(self) -> None:
        """Lock every landmark that is placed or absent: the person is done."""
        marks = LandmarkSet(
            tuple(
                mark if mark.is_open else replace(mark, locked=True)
                for mark in self._session.landmarks
            )
        )
        self._session.set_landmarks(marks, name="Lock landmarks")

    # -- nudging -----------------------------------------------------------------------------

    def nudge_mm(self, right_mm: float, front_mm: float, head_mm: float) -> Point | None:
        """Move the draft, or else the landmark aimed at, by millimetres along R, A and S.

        It goes no further than to the edge of the scan.

        Returns
        -------
        tuple of float or None
            Where it is now in RAS mm, None when there is nothing to move.

        Raises
        ------
        InputError
            When it is locked.
        """
        step = np.array((right_mm, front_mm, head_mm), dtype=np.float64)
        return self._nudge(lambda point: point + step)

    def nudge_voxels(self, i: float, j: float, k: float) -> Point | None:
        """Move the draft, or else the landmark aimed at, by voxels; see `nudge_mm`."""
        columns = self._session.volume.grid.affine.matrix[:3, :3]
        step = columns @ np.array((i, j, k), dtype=np.float64)
        return self._nudge(lambda point: point + step)

    def _nudge(self, shift: Callable[[np.ndarray], np.ndarray]) -> Point | None:
        if self._draft is not None:
            point = self._shifted(self._draft.point_ras, shift)
            self._draft = replace(self._draft, point_ras=point)
            self.changed.emit()
            return point
        mark = None if self._aim is None else self._session.landmarks[self._aim]
        if mark is None or mark.point_ras is None:
            return None
        point = self._shifted(mark.point_ras, shift)
        self._change(mark.moved(point), "Nudge landmark")
        return point

    def _shifted(self, point_ras: Point, shift: Callable[[np.ndarray], np.ndarray]) -> Point:
        """Return a point moved; along each axis of the scan it stops where the scan ends."""
        before = np.array(point_ras)
        grid = self._session.volume.grid
        at, to = (grid.affine.to_index(point) for point in (before, shift(before)))
        # One that a file put outside may come nearer, and goes no further away.
        low = np.minimum(_EDGE - 0.5, at)
        high = np.maximum(np.array(grid.shape) - 0.5 - _EDGE, at)
        kept = np.clip(to, low, high)
        return _point(shift(before) if np.array_equal(kept, to) else grid.affine.apply(kept))

    # -- inside --------------------------------------------------------------------------------

    def _name_for_click(self) -> str:
        if self._draft is not None:
            return self._draft.name
        mark = self.current
        if mark is not None:
            return mark.name
        if self._mode != "free":
            raise InputError(
                "All landmarks are placed or said to be absent.",
                hint="Choose one in the list to place it again, or the free mode.",
            )
        number = len(self._session.landmarks) + 1
        while f"Point {number}" in self._session.landmarks:
            number += 1
        return f"Point {number}"

    def _place(self, draft: Draft) -> None:
        marks = self._session.landmarks
        mark = marks[draft.name] if draft.name in marks else Landmark(draft.name)
        placed = mark.at(draft.point_ras, inspected=tuple(draft.inspected))
        # A refusal leaves the draft where it is; nothing changes where it is placed as before.
        self._change(placed, "Move landmark" if mark.is_placed else "Place landmark")
        self._draft = None
        if self._mode != "free":
            self.go_on()

    def go_on(self) -> None:
        """Aim at the next open landmark behind the one that was just done."""
        marks = list(self._session.landmarks)
        if self._aim is not None:
            at = next(n for n, mark in enumerate(marks) if mark.name == self._aim)
            behind = [mark.name for mark in marks[at + 1 :] if mark.is_open]
            self._aim = behind[0] if behind else None
        self.changed.emit()

    def _change(self, mark: Landmark, name: str) -> None:
        self._session.set_landmarks(self._session.landmarks.with_mark(mark), name=name)

    def _on_landmarks(self, marks: LandmarkSet) -> None:
        """Keep up with undo and with others: what is gone is neither aimed at nor a draft.

        Nor does a draft stay whose landmark is no longer as it was when it was clicked: placed,
        absent, locked or named anew meanwhile, it is for the person to look at it again.
        """
        if self._aim is not None and self._aim not in marks:
            self._aim = None
        draft = self._draft
        if draft is not None and not (
            draft.name in marks and marks[draft.name] == self._drafted
        ):
            self._draft = None
        self.changed.emit()


def _require_movable(marks: LandmarkSet, name: str) -> None:
    if name in marks and marks[name].locked:
        raise InputError(
            "This landmark is locked and stays where it is.", hint="Unlock it first."
        )


def _point(array: np.ndarray) -> Point:
    x, y, z = (float(v) for v in array)
    return x, y, z
