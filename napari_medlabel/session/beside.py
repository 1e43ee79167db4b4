"""Another scan read to be looked at beside the open case: its opening is in the log first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_medlabel.io.registry import read_series
from napari_medlabel.io.series_info import SeriesInfo
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.denial import denials
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Progress, case_id, log_opening


def read_beside(
    info: SeriesInfo, paths: Sequence[Path], desk: Desk, *, progress: Progress | None = None
) -> tuple[Volume, str]:
    """Read a scan to look at; nothing of it can be changed or saved.

    Parameters
    ----------
    info : SeriesInfo
        The series that was chosen; its ``values`` say what stored values are turned into.
    paths : sequence of Path
        Where it was looked for.
    desk : Desk
        Log and tokens.
    progress : callable, optional
        Called with (done, total); what it raises ends the reading.

    Returns
    -------
    tuple
        The scan, and its content id.

    Raises
    ------
    InputError, GeometryError
        When it cannot be read: the log has the refusal.
    LogError
        When its opening cannot be logged: then nothing is shown.
    """
    with denials(desk, paths, kind=info.format):
        volume = read_series(info, progress=progress)
    subject, weak = desk.subject(volume.source)
    log_opening(desk, volume, subject, weak=weak)
    return volume, case_id(volume)
