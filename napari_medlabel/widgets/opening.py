"""Opening in the dock: look, choose, read in the background, first slice before the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import napari
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QDialog

from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.registry import can_be_uptake, choose, find_series, nothing_found
from napari_medlabel.io.series_info import SeriesInfo, Survey
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.marks import only_marks
from napari_medlabel.plugin.preview import Preview
from napari_medlabel.plugin.proven import require_proven_napari
from napari_medlabel.plugin.windows import look_through
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder
from napari_medlabel.session.case import Session
from napari_medlabel.session.denial import denials
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_series
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.chooser import SeriesChooser
from napari_medlabel.widgets.values_box import USUAL

_DRAW_MS: Final = 250
_FRAME_MS: Final = 40

Opened = Callable[[Session, Any], object]


class Opening(QObject):
    """Takes paths to an open session, one at a time.

    Parameters
    ----------
    dock : MedlabelDock
        Shows progress and errors.
    background : Background
        Where it is read.
    opened : callable
        Gets the session, and the layer that shows it already or None.
    """

    def __init__(self, dock: Any, background: Background, opened: Opened) -> None:
        super().__init__(dock)
        self._dock = dock
        self._background = background
        self._opened = opened
        self._preview: Preview | None = None
        self.chooser: SeriesChooser | None = None
        self._paths: tuple[Path, ...] = ()
        self._wish = Wishes()
        self._marks: tuple[Path, ...] = ()
        self._redraw = QTimer(self)
        self._redraw.setInterval(_DRAW_MS)
        self._redraw.timeout.connect(self._draw)
        background.progressed.connect(dock.progress.show_progress)
        background.reported.connect(self._show_early)
        dock.progress.cancel_requested.connect(self.cancel)

    def open_paths(self, paths: list[Path], **wishes: Any) -> None:
        """Look what is there, then read it."""
        self.open_wished(paths, Wishes(**wishes), None)

    def open_wished(self, paths: list[Path], wish: Wishes, desk: Desk | None) -> None:
        """Look what is there, then read it; a study's desk has a log of its own."""
        if self._background.is_busy or self.chooser is not None:
            return
        self._dock.desk.clearing.finish()
        self._paths, self._wish, is_study = tuple(paths), wish, desk is not None
        try:
            require_proven_napari(napari.__version__)
            desk = WORKPLACE.desk() if desk is None else desk
        except MedlabelError as err:
            self._dock.show_error(err)
            return
        self._begin("Looking for scans …")
        tell = self._background.tell

        def look() -> tuple[Survey, bool]:
            with denials(desk, paths):
                survey = find_series(paths if len(paths) > 1 else paths[0], progress=tell)
                # A study says what is opened, and as what.
                return survey, not is_study and can_be_uptake(survey)

        self._background.run(
            look,
            lambda found: self._found(found[0], desk, asks_values=found[1]),
            self._failed,
            self._stopped,
        )

    def offer(self, survey: Survey, paths: Sequence[Path], wish: Wishes, desk: Desk) -> None:
        """Go on with what was found before there was a window: ask which series to open."""
        self._paths, self._wish = tuple(paths), wish
        self._found(survey, desk)

    def cancel(self) -> None:
        """Stop what is under way, soon."""
        self._dock.progress.cancel_button.setEnabled(False)
        self._background.cancel()

    def _begin(self, words: str) -> None:
        self._dock.start.setEnabled(False)
        self._dock.notice.clear()
        self._dock.progress.begin(words)

    def _found(self, survey: Survey, desk: Desk, *, asks_values: bool = False) -> None:
        self._marks = tuple(mark.path for mark in survey.marks)
        wish = self._wish
        # Of a single PET a person is asked for the values.
        asks = asks_values and wish.values == USUAL
        if wish.series is None and (asks or len(survey.series) > 1):
            self._ask(survey, desk)
            return
        try:
            with denials(desk, self._paths):
                info = _choose(survey, self._wish.series)
        except MedlabelError as err:
            self._failed(err)
            return
        self._read(info, desk)

    def _ask(self, survey: Survey, desk: Desk) -> None:
        self._dock.progress.end()
        values = self._wish.values
        self.chooser = SeriesChooser(survey, self._dock.window(), values=values)
        self.chooser.finished.connect(lambda result: self._answered(result, desk))
        self.chooser.open()

    def _answered(self, result: int, desk: Desk) -> None:
        chooser, self.chooser = self.chooser, None
        chosen = None if chooser is None else chooser.chosen
        if chooser is not None:
            chooser.deleteLater()
        if chosen is None or result != QDialog.DialogCode.Accepted:
            self._dock.start.setEnabled(True)
            return
        self._wish = replace(self._wish, values=chosen.values)
        self._read(chosen, desk)

    def _read(self, info: SeriesInfo, desk: Desk) -> None:
        self._begin("Reading the scan …")
        background, paths, wish = self._background, self._paths, self._wish

        def read() -> Session:
            session = open_series(
                info,
                paths,
                desk,
                wish,
                fallback=data_folder(),
                progress=background.tell,
                # Of colours there is nothing to show before they are read.
                preview=None if info.colour else background.report,
            )
            look_through(session.volume)
            return session

        background.run(
            read,
            self._done,
            self._failed,
            self._stopped,
        )

    def _show_early(self, volume: object) -> None:
        """Show the first slice; its opening is in the log by now."""
        if isinstance(volume, Volume) and self._dock.session is None:
            self._preview = Preview(self._dock.viewer, volume)
            self._redraw.start()
        # A moment for the canvas to draw it.
        QTimer.singleShot(_FRAME_MS, self._background.seen)

    def _draw(self) -> None:
        if self._preview is not None:
            self._preview.refresh()

    def _done(self, session: Session) -> None:
        self._redraw.stop()
        self._dock.progress.end()
        self._dock.start.setEnabled(True)
        preview, self._preview = self._preview, None
        image = None
        if preview is not None:
            image = preview.adopt(session.volume, session.place.case)
        WORKPLACE.remember_marks(session.place.case, self._marks)
        self._opened(session, image)

    def _failed(self, err: MedlabelError) -> None:
        self._stopped()
        self._dock.show_error(err)

    def _stopped(self) -> None:
        self._redraw.stop()
        preview, self._preview = self._preview, None
        if preview is not None:
            preview.remove()
        self._dock.progress.end()
        self._dock.start.setEnabled(True)


def _choose(survey: Survey, wish: str | None) -> SeriesInfo:
    """Return the series that is meant, or say why there is none."""
    if not survey.series:
        raise only_marks(survey) if survey.marks else nothing_found(survey)
    return choose(survey, wish)
