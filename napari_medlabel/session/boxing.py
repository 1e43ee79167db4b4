"""Bounding boxes of an open case: each change is a step of its history and on the disk at once.

Boxes are few and small, so they do not wait for a save: what was drawn outlives a crash.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from psygnal import Signal

from napari_medlabel.edit.boxes import shifted
from napari_medlabel.edit.components import boxes_of, connected_parts
from napari_medlabel.edit.patch import BoxChange
from napari_medlabel.errors import GeometryError, InputError, RefusedError, SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.model.boxes import Box3D, BoxSet, Index
from napari_medlabel.project.cases.boxes import FILE, decode_boxes, encode_boxes

if TYPE_CHECKING:
    from napari_medlabel.edit.patch import LabelArray
    from napari_medlabel.session.case import Session

_SHEET: Final = re.compile("sheet-[1-9][0-9]*")  # the folder of a further layer


class Boxing:
    """The boxes of a session.

    Parameters
    ----------
    session : Session
        The open case.
    """

    changed = Signal(object)
    """The boxes are others (a `BoxSet`), by whatever way."""
    failed = Signal(object)
    """They could not be written (a `SaveError`); they are still there in memory."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.boxes = BoxSet()
        self.is_open = False
        """Whether boxes may be drawn: they were read, and are written at each change."""

    # -- the file ------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """Where they are written: with the first layer of open work, for they are of all."""
        folder = self._session.place.folder
        return (folder.parent if _SHEET.fullmatch(folder.name) else folder) / FILE

    def open(self, first: BoxSet | None = None, *, writable: bool = True) -> BoxSet:
        """Read the boxes beside the mask, and return them.

        Parameters
        ----------
        first : BoxSet, optional
            To begin with where none were written yet.
        writable : bool
            Whether they may be changed.

        Raises
        ------
        InputError, GeometryError
            When the file cannot be read; it is left alone, and nothing can be drawn.
        """
        found = open_boxes(self.path.parent, self._session.volume.grid)
        self.boxes = found if found is not None else first or BoxSet()
        self.is_open = writable
        self.changed.emit(self.boxes)
        return self.boxes

    def _write(self) -> None:
        try:
            self._session.place.make()
            data = encode_boxes(self.boxes, self._session.volume.grid)
            write_bytes_aside(self.path, data)
        except SaveError as err:
            self.failed.emit(err)

    # -- changing ------------------------------------------------------------------------

    def put(self, boxes: BoxSet, *, name: str) -> None:
        """Replace the boxes as one step of the history.

        Raises
        ------
        RefusedError
            When they are only looked at.
        GeometryError
            When one reaches out of the scan.
        """
        if boxes == self.boxes:
            return
        if not self.is_open:
            raise RefusedError(
                "The boxes of this case are only looked at.",
                hint="Open your own reading to draw boxes.",
            )
        if not all(box.is_within(self._session.volume.grid.shape) for box in boxes):
            raise GeometryError("A box reaches out of the scan.", hint="Draw it inside.")
        change = BoxChange(self.boxes, boxes, name)
        self.follow(change)
        self._session.add_step(change)

    def follow(self, change: BoxChange) -> None:
        """Take a step of the history over, back or forth."""
        self.boxes = change.after
        self._write()
        self.changed.emit(self.boxes)

    def add(self, kind: str, start: Index, stop: Index, value: int = 0) -> Box3D:
        """Add a box, and return it.

        Raises
        ------
        InputError, GeometryError, RefusedError
            When it is none, or cannot be put.
        """
        box = Box3D(self.boxes.next_id, kind, start, stop, value)
        self.put(self.boxes.with_box(box), name="Draw box")
        return box

    def change(self, box: Box3D, *, name: str = "Change box") -> None:
        """Put a box in the place of the one with its number."""
        self.boxes[box.id]  # there must be one
        self.put(self.boxes.with_box(box), name=name)

    def rename(self, number: int, kind: str, value: int = 0) -> None:
        """Give a box another kind."""
        self.change(replace(self.boxes[number], kind=kind, value=value), name="Change box")

    def remove(self, number: int) -> None:
        """Take a box away."""
        self.put(self.boxes.without(number), name="Remove box")


def open_boxes(folder: Path, grid: Grid) -> BoxSet | None:
    """Return the boxes in a folder of work; None where none were written.

    Parameters
    ----------
    grid : Grid
        The scan's.

    Raises
    ------
    InputError
        When the file cannot be read, or is none.
    GeometryError
        When it is of another grid.
    """
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        raise InputError(
            "The boxes beside the mask cannot be read.", hint="Check the disk, and open again."
        ) from err
    return decode_boxes(data, grid)


def box_around(labels: LabelArray, value: int, at: Index | None = None) -> tuple[Index, Index]:
    """Return the tightest box around a part of a label.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        The mask.
    value : int
        Of the label.
    at : tuple of int, optional
        A voxel (i, j, k); where it lies in a part of the label, that part is taken, else the
        largest.

    Returns
    -------
    start, stop : tuple of int
        First voxel, and one after the last.

    Raises
    ------
    InputError
        When nothing of the label is drawn.
    """
    around = boxes_of(labels, [value]).get(value) if value else None
    if around is None:
        raise InputError(
            "Nothing of this label is drawn, so there is no box around it.",
            hint="Draw it first, or drag a box by hand.",
        )
    parts = connected_parts(np.asfortranarray(labels[around] == value))
    chosen = None
    if at is not None and all(s.start <= n < s.stop for s, n in zip(around, at, strict=True)):
        chosen = parts.at([n - s.start for s, n in zip(around, at, strict=True)])
    number = int(np.argmax(parts.voxels)) if chosen is None else chosen
    wanted = np.zeros(len(parts), dtype=bool)
    wanted[number] = True
    inner = parts.box(wanted)
    box = around if inner is None else shifted(inner, around)
    i, j, k = (int(part.start) for part in box)
    u, v, w = (int(part.stop) for part in box)
    return (i, j, k), (u, v, w)
