"""Landmarks and measurements of files: asked for, taken in, and written elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.export.landmarks import left_out, save_landmarks
from napari_medlabel.io.landmarks.found import renames_in_words
from napari_medlabel.io.landmarks.reading import read_landmarks
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.session.case import Session
from napari_medlabel.session.study.blind import require_may_open

_READ: Final = "Landmarks (*.mrk.json *.json *.fcsv *.csv *.tsv *.mps)"
_WRITTEN: Final = ";;".join(
    (
        "3D Slicer Markups (*.mrk.json)",
        "3D Slicer, old (*.fcsv)",
        "Table (*.csv)",
        "BIDS table (*.tsv)",
        "MITK (*.mps)",
    )
)


class MarkFiles(QObject):
    """Loads landmarks into the case and writes them as other programs read them.

    Parameters
    ----------
    dock : MedlabelDock
        Shows what came of it.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self._dock = dock

    def ask_load(self, session: Session | None) -> None:
        """Ask for a file and take it in."""
        if session is None:
            return
        path, _ = QFileDialog.getOpenFileName(self._dock, "Load landmarks", filter=_READ)
        if path:
            self.load(session, Path(path))

    def load(self, session: Session, path: Path) -> None:
        """Take in a file's landmarks and measurements; locked ones stay as they are."""
        try:
            require_may_open(session.desk, path)
            found = read_landmarks(path)
            renamed = self._take_marks(session, found.landmarks)
            self._take_measured(session, found.measurements)
        except MedlabelError as err:
            self._dock.show_error(err)
            return
        points, measured = len(found.landmarks.placed), len(found.measurements)
        doubts = [*([renamed] if renamed else ()), *found.notes]
        said = [f"Loaded {points} points and {measured} measurements.", *doubts]
        self._dock.notice.say(
            "amber" if doubts else "green",
            "\n".join(said),
            {"Dismiss": self._dock.notice.clear},
        )

    def _take_marks(self, session: Session, given: LandmarkSet) -> str:
        """Take landmarks in under the list's names; return in words which were renamed."""
        present = session.landmarks
        locked = {mark.name for mark in present if mark.locked}
        named = given.named_as(present)
        fresh = LandmarkSet(tuple(m for m in named if m.name not in locked and not m.is_open))
        session.set_landmarks(fresh.merged_into(present), name="Load landmarks")
        taken = [(old, new) for old, new in zip(given, named, strict=True) if new.name in fresh]
        return renames_in_words((old for old, _ in taken), (new for _, new in taken))

    def _take_measured(self, session: Session, given: MeasurementSet) -> None:
        measured = session.measurements
        for one in given:
            name, number = one.name, 2
            if name in measured and measured[name] == one:
                continue
            while name in measured:
                name, number = f"{one.name} ({number})", number + 1
            measured = measured.with_one(replace(one, name=name))
        session.set_measurements(measured, name="Load measurements")

    def ask_save(self, session: Session | None) -> None:
        """Ask for a file's name and write the landmarks."""
        if session is None:
            return
        path, chosen = QFileDialog.getSaveFileName(
            self._dock, "Save landmarks as", "landmarks.mrk.json", _WRITTEN
        )
        if not path:
            return
        named = _named(Path(path), chosen)
        if named != Path(path) and named.exists():
            # The dialog asked about the name as it was typed, not about this file.
            self._dock.show_error(
                InputError(
                    "A file of that name is there already, and nothing is overwritten.",
                    hint="Choose another name, or that file itself.",
                )
            )
            return
        self.save(session, named)

    def save(self, session: Session, path: Path) -> None:
        """Write the landmarks, and say what the format cannot hold."""
        try:
            save_landmarks(path, session.landmarks)
        except MedlabelError as err:
            self._dock.show_error(err)
            return
        told = left_out(path, session.landmarks)
        words = "\n".join((f"Landmarks written: {len(session.landmarks.placed)}.", *told))
        self._dock.notice.say(
            "amber" if told else "green", words, {"Dismiss": self._dock.notice.clear}
        )


def _named(path: Path, chosen: str) -> Path:
    """Return a path with the suffix of the chosen kind where the person typed none."""
    if path.suffix:
        return path
    suffix = chosen.partition("*")[2].rstrip(")") or ".mrk.json"
    return path.with_name(path.name + suffix)
