"""The window of ``medlabel open``: napari with the dock, a scan and the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import napari
from qtpy.QtGui import QGuiApplication

from napari_medlabel.io.registry import choose, find_series
from napari_medlabel.io.series_info import Survey
from napari_medlabel.plugin.proven import require_proven_napari
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder
from napari_medlabel.session.denial import denials
from napari_medlabel.session.opening import Wishes, open_series
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.passphrase import ask_before_the_window
from napari_medlabel.widgets.study.study_desk import take_seat


def annotate(paths: Sequence[Path], wishes: Wishes, *, audit: Path | None = None) -> None:
    """Open a scan in a napari window and return when the window was closed.

    Where there are several series and none is wished for, the window asks which.

    Parameters
    ----------
    paths : sequence of Path
        A folder, a file or several.
    wishes : Wishes
        Series, folder, mask, scheme, template.
    audit : Path or None
        Folder of the audit log.

    Raises
    ------
    MedlabelError
        When the scan cannot be opened; then no window was shown.
    """
    require_proven_napari(napari.__version__)
    WORKPLACE.audit = audit
    WORKPLACE.ask = ask_before_the_window
    try:
        desk, session = WORKPLACE.desk(), None
        with denials(desk, paths):
            survey = find_series(list(paths) if len(paths) > 1 else paths[0])
        if wishes.series is not None or not can_ask(survey):
            with denials(desk, paths):
                info = choose(survey, wishes.series)
            session = open_series(info, paths, desk, wishes, fallback=data_folder())
        _, dock = make_window()
        if session is None:
            dock.desk.opening.offer(survey, paths, wishes, desk)
        else:
            dock.desk.show_session(session)
        napari.run()
        # Where the window went without a question there was nothing unsaved to ask about.
        for left in (session, dock.session):
            if left is not None:
                left.close()
        dock.study_desk.release()
    finally:
        WORKPLACE.close()


def annotate_study(folder: Path) -> None:
    """Open a napari window at a study and return when the window was closed.

    Parameters
    ----------
    folder : Path
        The study's, or one in it.

    Raises
    ------
    MedlabelError
        When it is no study, its log cannot be written, or the account is none of its raters';
        then no window was shown.
    """
    require_proven_napari(napari.__version__)
    WORKPLACE.ask = ask_before_the_window
    seat = take_seat(folder)
    try:
        _, dock = make_window()
        dock.study_desk.sit(seat)
        napari.run()
        if dock.session is not None:
            dock.session.close()
        dock.study_desk.release()
    finally:
        seat.desk.log.close()
        WORKPLACE.close()


def can_ask(survey: Survey) -> bool:
    """Tell whether there is something to choose from: several series, one of them readable."""
    return len(survey.series) > 1 and any(not info.problem for info in survey.series)


def make_window(*, show: bool = True) -> tuple[Any, MedlabelDock]:
    """Return a napari viewer with the dock in it."""
    viewer = napari.Viewer(title="napari-medlabel", show=show)
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    screen = QGuiApplication.primaryScreen()
    if screen is not None:
        # Room for scan and dock side by side; napari's own first size is small.
        free = screen.availableGeometry()
        viewer.window.resize(int(free.width() * 0.9), int(free.height() * 0.9))
    return viewer, dock
