"""Marks for the open case: read in the background, taken in as steps, offered when found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog

from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.marks import marks_to_layers, take_in_marks
from napari_medlabel.session.study.blind import require_may_open
from napari_medlabel.widgets.background import Background


class MarksLoader:
    """Loads segmentations, structure sets and points into the case.

    Parameters
    ----------
    dock : MedlabelDock
        Shows what came of it.
    background : Background
        Where they are read.
    binding : callable
        Returns the open case in the viewer, or None.
    """

    def __init__(
        self, dock: Any, background: Background, binding: Callable[[], Binding | None]
    ) -> None:
        self._dock = dock
        self._background = background
        self._binding = binding

    def ask(self) -> None:
        """Ask for a file and load it."""
        path, _ = QFileDialog.getOpenFileName(self._dock, "Load a segmentation")
        if path:
            self.load([Path(path)])

    def offer(self, paths: Sequence[Path]) -> None:
        """Say that marks were found with the scan; nothing is taken in unasked."""
        count = "A file" if len(paths) == 1 else f"{len(paths)} files"
        self._dock.notice.say(
            "green",
            f"{count} with segmentations, structures or points lie with this scan.",
            {
                "Load into the case": lambda: self.load(paths),
                "Not now": self._dock.notice.clear,
            },
        )

    def load(self, paths: Sequence[Path]) -> None:
        """Read marks and take them in; what does not lie on this scan is refused in words."""
        binding = self._binding()
        if binding is None or self._background.is_busy:
            return
        volume, desk = binding.session.volume, binding.session.desk
        self._dock.notice.clear()
        self._dock.progress.begin("Reading the segmentation …")

        def work() -> list[Marks | MedlabelError]:
            found: list[Marks | MedlabelError] = []
            for number, path in enumerate(paths):
                self._background.tell(number, len(paths))
                try:
                    require_may_open(desk, path)
                    found.append(read_marks(path, volume))
                except MedlabelError as err:
                    found.append(err)
            return found

        self._background.run(
            work, lambda found: self._take_in(binding, found), self._failed, self._stopped
        )

    def _take_in(self, binding: Binding, found: Sequence[Marks | MedlabelError]) -> None:
        self._dock.progress.end()
        if self._binding() is not binding:
            return
        said: list[str] = []
        refused = 0
        for marks in found:
            if isinstance(marks, MedlabelError):
                refused += 1
                said.append(f"{marks.message} {marks.hint}".strip())
                continue
            try:
                steps = take_in_marks(binding.session, marks)
            except MedlabelError as err:
                refused += 1
                said.append(f"{err.message} {err.hint}".strip())
                continue
            self._add_aside(binding, marks)
            said.append(_words(marks, bool(steps)))
            said.extend(marks.warnings)
        colour = "red" if refused == len(found) else "amber" if refused else "green"
        self._dock.notice.say(colour, "\n".join(said), {"Dismiss": self._dock.notice.clear})

    def _add_aside(self, binding: Binding, marks: Marks) -> None:
        """Show what is no part of a mask: contours and probabilities."""
        case = binding.session.place.case
        for data, keywords, kind in marks_to_layers(marks, binding.display, case):
            if kind in ("shapes", "image"):
                layer = Layer.create(data, keywords, kind)
                layer.visible = kind == "shapes"
                binding.viewer.add_layer(layer)
        binding.viewer.layers.selection.active = binding.labels

    def _failed(self, err: MedlabelError) -> None:
        self._stopped()
        self._dock.show_error(err)

    def _stopped(self) -> None:
        self._dock.progress.end()


def _words(marks: Marks, changed: bool) -> str:
    """Say what was loaded, without names."""
    classes = sum(len(labels.scheme.labels) for labels in marks.labels)
    parts = []
    if classes:
        parts.append(f"{classes} classes" if classes > 1 else "1 class")
    if marks.landmarks.placed:
        parts.append(f"{len(marks.landmarks.placed)} points")
    if marks.contours:
        parts.append(f"{len(marks.contours)} contours")
    if marks.probabilities:
        parts.append(f"{len(marks.probabilities)} probability maps")
    words = f"Loaded from {marks.kind}: {', '.join(parts) or 'nothing'}."
    if classes and not changed:
        words += " Every voxel of it was labelled already: nothing changed."
    return words
