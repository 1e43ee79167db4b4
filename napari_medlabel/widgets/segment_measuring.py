"""Measuring all segments aside, with progress, and showing the table that came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.export.segment_statistics import save_statistics, statistics_table
from napari_medlabel.measure.statistics import LabelStatistics, measure_labels
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.statistics_dialog import StatisticsDialog


class SegmentMeasuring(QObject):
    """Measures the segments of a case in the background.

    Parameters
    ----------
    dock : MedlabelDock
        Shows errors, and is the parent of the dialog.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self._dock = dock
        self.progress = ProgressRow()
        self.dialog: StatisticsDialog | None = None
        self.background = Background(self)
        self.background.progressed.connect(self.progress.show_progress)
        self.progress.cancel_requested.connect(self.background.cancel)

    def measure(self, session: Session) -> None:
        """Measure all segments as they are now, then show the table; painting may go on."""
        if self.background.is_busy:
            return
        volume, labels = session.volume, session.labels
        moment = LabelMap(labels.grid, labels.array.T.copy().T, labels.scheme)
        image = None if volume.colour is not None else volume.array
        has_place = volume.slices == "places"

        def done(rows: tuple[LabelStatistics, ...]) -> None:
            self.progress.end()
            table = statistics_table(rows, moment.grid, unit=volume.quantity)
            self.dialog = StatisticsDialog(table, self._dock)
            self.dialog.save_requested.connect(lambda path: self._save(path, table))
            self.dialog.open()

        def failed(err: MedlabelError) -> None:
            self.progress.end()
            self._dock.show_error(err)

        self.progress.begin("Measuring the segments …")
        self.background.run(
            lambda: measure_labels(
                moment, image, has_place=has_place, tick=self.background.tell
            ),
            done,
            failed,
            self.progress.end,
        )

    def _save(self, path: Path, table: list[dict[str, Any]]) -> None:
        try:
            save_statistics(path, table)
        except MedlabelError as err:
            words = f"{err.message} {err.hint}"
        else:
            words = f"Saved: {path.name}"
        if self.dialog is not None:
            self.dialog.say(words)
