"""The window of ``medlabel open``: napari with the dock, a scan and the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import napari
from qtpy.QtGui import QGuiApplication

from napari_medlabel.plugin.proven import require_proven_napari
from napari_medlabel.plugin.workplace import WORKPLACE, data_folder
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.widgets.dock import MedlabelDock


def annotate(paths: Sequence[Path], wishes: Wishes, *, audit: Path | None = None) -> None:
    """Open a scan in a napari window and return when the window was closed.

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
    try:
        session = open_case(paths, WORKPLACE.desk(), wishes, fallback=data_folder())
        _, dock = make_window()
        dock.desk.show_session(session)
        napari.run()
        # Where the window went without a question there was nothing unsaved to ask about.
        session.close()
    finally:
        WORKPLACE.close()


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
