"""Measuring all segments aside, with progress, and showing the table that came of it."""

from __future__ import annotations

from collections.abc import Sequence
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
        which, values = session.bench.in_use.now  # what is shown now, whatever comes then
        image = None if volume.colour is not None else values
        has_place = volume.slices == "places"

        def done(rows: tuple[LabelStatistics, ...]) -> None:
            self.progress.end()
            table = statistics_table(rows, moment.grid, unit=volume.quantity, volume=which)
            self.dialog = StatisticsDialog(table, self._dock, intensities_of(rows, which))
            self.dialog.save_requested.connect(lambda path: self._save(path, table))
            self.dialog.open()

        def failed(err: MedlabelError) -> None:
            self.progress.end()
            self._dock.show_error(err)

        self.progress.begin("Measuring the segments …")
        self.background.run(
            lambda: measure_labels(
                moment,
                image,
                has_place=has_place,
                missing=volume.missing,
                tick=self.background.tell,
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


def intensities_of(rows: Sequence[LabelStatistics], which: str) -> str:
    """Say which volume intensities are of, and what they leave out; empty for all of one."""
    said = f"Intensities are those of volume {which}. " if which else ""
    most = max((row.left_out for row in rows), default=0)
    if most:
        slices = "1 slice" if most == 1 else f"up to {most} slices"
        said += f"Of a segment {slices} that no file holds count in ml, not in intensities."
    return said.strip()
