"""What napari calls: readers, writers and sample data; thin, and logged like everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel import samples
from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import save_landmarks
from napari_medlabel.export.mask import require_not_source, save_mask, sidecar_path
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.marks.reading import kind_of_marks, read_marks
from napari_medlabel.io.registry import (
    can_be_uptake,
    choose,
    find_series,
    looks_medical,
    read_series,
)
from napari_medlabel.io.series_info import SeriesInfo, Survey
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.doubts import is_only_turned
from napari_medlabel.plugin.layer_labels import labels_of_layer, where_of
from napari_medlabel.plugin.layers import KEY, LayerTuple, volume_to_layer
from napari_medlabel.plugin.leaving import is_logged, watch_leaving
from napari_medlabel.plugin.marks import marks_to_layers, only_marks
from napari_medlabel.plugin.missing import missing_to_layer
from napari_medlabel.plugin.windows import initial_window
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.denial import denials
from napari_medlabel.session.logged import marks_imported
from napari_medlabel.session.opening import case_id, log_opening
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.study.blind import require_may_open

Paths = str | Sequence[str]
NOTHING: Final[tuple[LayerTuple, ...]] = ((None,),)  # type: ignore[assignment]
"""What napari takes for "read, and there is no layer"."""
_MANY: Final = 200
"""Classes of a mask; more different numbers are those of a scan."""


def get_reader(path: Paths) -> Callable[[Paths], list[LayerTuple]] | None:
    """Return the reader for a path, or None when it is none of ours.

    Folders are offered to every reader: this looks inside before it says yes.
    """
    paths = as_paths(path)
    return read_layers if all(looks_ours(p) for p in paths) else None


def looks_ours(path: Path) -> bool:
    """Tell cheaply whether a path may hold a scan, or marks on one."""
    if looks_medical(path):
        return True
    try:
        return path.is_file() and kind_of_marks(path) is not None
    except OSError:
        return False


def read_layers(
    path: Paths,
    *,
    ask: Callable[[Survey], SeriesInfo | None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[LayerTuple]:
    """Read a scan into an image layer, after its opening is in the log, and its marks.

    Parameters
    ----------
    path : str or sequence of str
        A folder, a file or several.
    ask : callable, optional
        Chooses one of several series; without it several are an error that lists them.
    progress : callable, optional
        Called with (done, total); what it raises ends the reading.

    Returns
    -------
    list of LayerTuple
        Nothing to add, `NOTHING`, when the person chose none. What is doubtful about a scan is
        in its metadata and told by napari; missing slices are a layer of their own.

    Raises
    ------
    InputError
        When there is nothing to read, or marks without their scan.
    """
    paths = as_paths(path)
    watch_leaving()
    with denials(WORKPLACE.desk(), paths):
        WORKPLACE.require_blind(paths)
        survey = find_series(paths if len(paths) > 1 else paths[0], progress=progress)
    marks = tuple(mark.path for mark in survey.marks)
    if not survey.series and survey.marks:
        return read_marks_layers(marks, only_marks(survey))
    on_open_scan = _mask_on_open_scan(survey, paths)
    if on_open_scan:
        return on_open_scan
    if ask is not None and (len(survey.series) > 1 or can_be_uptake(survey)):
        chosen = ask(survey)
        if chosen is None:
            return list(NOTHING)
    else:
        with denials(WORKPLACE.desk(), paths):
            chosen = choose(survey, None)
    desk = WORKPLACE.desk()
    with denials(desk, paths, kind=chosen.format):
        volume = read_series(chosen, progress=progress)
    subject, weak = desk.subject(volume.source)
    log_opening(desk, volume, subject, weak=weak)
    case = case_id(volume)
    WORKPLACE.remember(case, volume, paths)
    WORKPLACE.remember_marks(case, marks)
    window = initial_window(volume)
    made = [volume_to_layer(volume, case, (window.low, window.high))]
    if volume.missing:
        made.append(missing_to_layer(Display.of(volume), volume.missing, case))
    _tell(made[0][1]["metadata"][KEY]["warnings"])
    return made


def _tell(doubts: Sequence[str]) -> None:
    """Say what is doubtful in one of napari's notifications."""
    from napari.utils.notifications import show_info, show_warning

    if not doubts:
        return
    say = show_info if all(is_only_turned(doubt) for doubt in doubts) else show_warning
    say("About this scan:\n" + "\n".join(f"• {doubt}" for doubt in doubts))


def read_marks_layers(paths: Sequence[Path], without: InputError) -> list[LayerTuple]:
    """Read marks as layers on the scan that is open, the newest first where there are several.

    Parameters
    ----------
    paths : sequence of Path
        Files of marks.
    without : InputError
        What to raise when no scan is open.
    """
    known = WORKPLACE.newest()
    if known is None:
        raise without
    case, volume = known
    made: list[LayerTuple] = []
    require_may_open(WORKPLACE.desk(), *paths)
    for path in paths:
        made += _import(read_marks(path, volume), volume, case)
    return made


def _import(marks: Marks, volume: Volume, case: str) -> list[LayerTuple]:
    """Return marks as layers on their scan, after the log has it."""
    desk = WORKPLACE.desk()
    tell(desk.log, marks_imported(desk.subject(volume.source)[0], marks.kind))
    return marks_to_layers(marks, Display.of(volume), case)


def looks_like_mask(survey: Survey, paths: Sequence[Path], volume: Volume) -> bool:
    """Tell whether a file in the form of a scan is a mask of the open one."""
    if len(survey.series) != 1 or len(paths) != 1:
        return False
    info = survey.series[0]
    if info.format == "dicom" or info.grid is None or info.grid.shape != volume.grid.shape:
        return False
    try:
        marks = read_marks(paths[0], volume)
    except InputError:
        return False
    classes = sum(len(labels.scheme.labels) for labels in marks.labels)
    return 0 < classes <= _MANY


def _mask_on_open_scan(survey: Survey, paths: Sequence[Path]) -> list[LayerTuple]:
    """Return the layers of a file that is a mask on the open scan; nothing when it is a scan.

    A mask in NIfTI, NRRD or MetaImage has the form of a scan. What lies on the open scan's
    grid and holds few whole numbers is taken for a mask of it.
    """
    known = WORKPLACE.newest()
    if known is None or not looks_like_mask(survey, paths, known[1]):
        return []
    case, volume = known
    return _import(read_marks(paths[0], volume), volume, case)


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a labels layer as a NIfTI mask on its scan's exact grid, and log that it left.

    Raises
    ------
    InputError
        When the layer has no scan behind it, or the scan is not open.
    """
    labels, volume = labels_of_layer(data, meta)
    require_not_source((Path(path), sidecar_path(Path(path))), volume.source)
    desk = WORKPLACE.desk()
    if not is_logged():
        desk.log.append(
            "export.screen",
            subject=(desk.subject(volume.source)[0],),
            detail={"kind": "save-layer", "destination": "folder", "files": 2},
            objects=(ObjectRef(labels.content_id(), "output", "mask"),),
        )
    saved = save_mask(Path(path), labels, volume.source, time=desk.time())
    return [str(saved.path)]


def write_points(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a landmarks layer as Slicer Markups or CSV in patient millimetres.

    Raises
    ------
    InputError
        When the layer has no scan behind it.
    """
    where = where_of(meta, "landmarks")
    grid = Grid(tuple(where["shape_ijk"]), Affine(np.array(where["affine_ras_mm"])))
    points = Display(grid, bool(where.get("pictures"))).to_ras(
        np.asarray(data, dtype=np.float64).reshape(-1, 3)
    )
    names = [str(n) for n in meta.get("features", {}).get("name", [])]
    if len(names) != len(points):
        names = [f"Point {n}" for n in range(1, len(points) + 1)]
    marks = LandmarkSet(
        tuple(
            Landmark(n, (float(p[0]), float(p[1]), float(p[2])))
            for n, p in zip(names, points, strict=True)
        )
    )
    known = WORKPLACE.recall(where["case"])
    if known is not None:
        require_not_source((Path(path),), known[0].source)
    desk = WORKPLACE.desk()
    # First the log: what cannot be logged does not leave.
    if not is_logged():
        desk.log.append(
            "export.screen",
            subject=() if known is None else (desk.subject(known[0].source)[0],),
            detail={"kind": "save-layer", "destination": "folder", "files": 1},
        )
    save_landmarks(Path(path), marks)
    return [path]


def sample_ct() -> list[LayerTuple]:
    """Return the CT of the abdomen."""
    return read_layers(str(samples.path("ct_abdomen")))


def sample_ct_followup() -> list[LayerTuple]:
    """Return the CT of the abdomen a year later."""
    return read_layers(str(samples.path("ct_abdomen_followup")))


def sample_mr() -> list[LayerTuple]:
    """Return the oblique MR of the head."""
    return read_layers(str(samples.path("mr_head_oblique")))


def sample_us() -> list[LayerTuple]:
    """Return the ultrasound image with its burned-in text, as a picture.

    It has no place in a patient, so there is nothing to annotate in millimetres: it shows why
    de-identification holds such images back.
    """
    return read_layers(str(samples.path("us_burned_in")))


def as_paths(path: Paths) -> tuple[Path, ...]:
    """Return what napari calls a path, one or several, as paths."""
    return (Path(path),) if isinstance(path, str) else tuple(Path(p) for p in path)
