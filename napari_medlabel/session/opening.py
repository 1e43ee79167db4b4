"""Opening a case: read, log, load what was saved, and look for work that a crash left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.export.landmarks import load_landmarks, to_markups
from napari_medlabel.export.mask import load_mask, require_not_source
from napari_medlabel.io.files import probe_writable, sha256_file
from napari_medlabel.io.registry import choose, find_series, read_series
from napari_medlabel.io.series_info import SeriesInfo
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.layout import study_around
from napari_medlabel.session.case import MASK_FILE, Place, Session
from napari_medlabel.session.denial import denials
from napari_medlabel.session.desk import Desk, default_folder
from napari_medlabel.session.logged import LOGGED_AS
from napari_medlabel.session.lookback import look_back
from napari_medlabel.session.measuring import load_measurements
from napari_medlabel.session.naming import name_case
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.recovery import find_recoveries

Progress = Callable[[int, int], None]
Preview = Callable[[Volume], None]


@dataclass(frozen=True)
class Wishes:
    """What the person asked for when opening a scan; nothing is a good answer.

    Parameters
    ----------
    scheme : LabelScheme or None
        The classes; chosen by the scan's modality when None.
    template : LandmarkSet or None
        The landmarks to place; chosen by the scan's modality when None.
    series : str or None
        Which series of several.
    folder : Path or None
        Where to save; chosen beside the scan when None.
    mask : Path or None
        A mask to begin with, instead of the one saved in the folder.
    landmarks : Path or None
        Landmarks to begin with, instead of those saved in the folder.
    values : str
        Which values the voxels get: ``"rescaled"``, ``"stored"``, ``"real-world"``,
        ``"philips-precise"``, ``"suv-bw"``, ``"suv-lbm"`` or ``"suv-bsa"``.
    modality : str
        What kind of scan it is, said where its file cannot: NIfTI has no place for it.
    follows : bool
        Whether it is followed where each voxel comes from, as a study needs it.
    origins : Path or None
        Provenance map of the mask to begin with, where that has one.
    """

    scheme: LabelScheme | None = None
    template: LandmarkSet | None = None
    series: str | None = None
    folder: Path | None = None
    mask: Path | None = None
    landmarks: Path | None = None
    values: str = "rescaled"
    modality: str = ""
    follows: bool = False
    origins: Path | None = None


def open_case(
    paths: Sequence[Path],
    desk: Desk,
    wishes: Wishes,
    *,
    fallback: Path,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Session:
    """Read a scan and everything saved for it.

    Parameters
    ----------
    paths : sequence of Path
        A folder, a file or several.
    desk : Desk
        Log, tokens and folders.
    wishes : Wishes
        Series, folder, mask, scheme, template.
    fallback : Path
        The user's data folder, for scans in folders that cannot be written to.
    progress : callable, optional
        Called with (done, total); what it raises ends the reading.
    preview : callable, optional
        Called once, in this thread, with a volume whose middle slice is there and whose other
        voxels are still coming. The opening is in the log by then.

    Returns
    -------
    Session
        Its opening is in the log. Work of a crash is in ``recoveries``.

    Raises
    ------
    InputError, GeometryError
        When the scan or a mask cannot be read, or the mask is of another grid.
    SaveError
        When the chosen folder cannot be written to.
    LogError
        When the opening cannot be logged: then nothing is shown.
    """
    with denials(desk, paths):
        info = choose(find_series(list(paths) if len(paths) > 1 else paths[0]), wishes.series)
    return open_series(
        info, paths, desk, wishes, fallback=fallback, progress=progress, preview=preview
    )


def open_series(
    info: SeriesInfo,
    paths: Sequence[Path],
    desk: Desk,
    wishes: Wishes,
    *,
    fallback: Path,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Session:
    """Read one of the series that were found, and everything saved for it; see `open_case`."""
    early = _Early(desk, preview)
    with denials(desk, paths, kind=info.format, opened=lambda: early.logged):
        volume = read_series(
            info,
            progress=progress,
            values=wishes.values,
            preview=None if preview is None else early,
        )
    if wishes.modality and not volume.modality:
        volume = replace(volume, modality=wishes.modality)
    return adopt_volume(volume, paths, desk, wishes, fallback=fallback, logged=early.logged)


class _Early:
    """Logs an opening before the first slice is shown, while the others are still read."""

    def __init__(self, desk: Desk, show: Preview | None) -> None:
        self._desk, self._show = desk, show
        self.logged = False

    def __call__(self, volume: Volume) -> None:
        source = volume.source
        if not source.sha256 and not (source.patient_id or "").strip():
            # A scan that names no patient is known by its first file's content.
            source = replace(source, sha256=(_first_hash(source.files[0]),))
        subject, weak = self._desk.subject(source)
        log_opening(self._desk, volume, subject, weak=weak)
        self.logged = True
        if self._show is not None:
            self._show(volume)


def _first_hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as err:
        raise InputError(
            "The scan's first file cannot be read any more.",
            hint="Check that the disk or the share is still there, and open it again.",
        ) from err


def adopt_volume(
    volume: Volume,
    paths: Sequence[Path],
    desk: Desk,
    wishes: Wishes,
    *,
    fallback: Path,
    logged: bool = False,
) -> Session:
    """Make a session of a volume that has been read; see `open_case`.

    Parameters
    ----------
    logged : bool
        Whether its opening is in the log already.
    """
    subject, weak = desk.subject(volume.source)
    case = case_id(volume)
    folder = wishes.folder or default_folder(paths, case, fallback)
    kind = volume.source.format
    with denials(desk, paths, kind=kind, subject=subject, opened=lambda: logged):
        _require_not_blind(desk, folder, volume, wishes)
        labels, saved_mask = _labels(volume, folder, wishes)
        template = wishes.template or presets.template(presets.usual_for(volume.modality)[1])
        marks, saved_marks = _landmarks(folder, wishes.landmarks, template)
        measured = load_measurements(folder / "measurements.mrk.json")
        if wishes.folder is not None:
            probe_writable(wishes.folder)
    if not logged:
        log_opening(desk, volume, subject, weak=weak)
    place = Place(case, subject, folder, study_around(folder))
    session = Session(
        volume, labels, marks, desk, place, saved_mask=saved_mask, measurements=measured
    )
    if saved_mask is None and wishes.mask is not None:
        tell(desk.log, session.events.imported("".join(wishes.mask.suffixes)))
    session.found = look_back(session)
    if wishes.follows:
        session.found = f"{session.found} {_begin_trail(session, wishes)}".strip()
    session.saved_landmarks = saved_marks
    session.recoveries = find_recoveries(
        desk.journals,
        place.journal,
        labels,
        landmarks=to_markups(saved_marks, measured),
        version=session.versions.read,
    )
    session.start_journal()
    _take_up_drafts(session)
    return session


def _take_up_drafts(session: Session) -> None:
    """Let outlines wait again that were begun and not closed when the case was left."""
    alone = [one for one in session.recoveries if one.is_drafts_alone]
    for recovery in alone:
        session.drafts.load(recovery.drafts)
    if alone:
        session.recoveries = tuple(r for r in session.recoveries if not r.is_drafts_alone)
        session.keeper.sweep()
    for recovery in alone:
        if session.keeper.problem is None:
            recovery.path.unlink(missing_ok=True)


def _require_not_blind(desk: Desk, folder: Path, volume: Volume, wishes: Wishes) -> None:
    """Refuse somebody else's reading of a study's case that the own is not submitted of."""
    from napari_medlabel.session.study.blind import require_may_open

    given = (folder, wishes.mask, wishes.landmarks, *volume.source.files)
    require_may_open(desk, *(path for path in given if path is not None))


def _begin_trail(session: Session, wishes: Wishes) -> str:
    from napari_medlabel.session.trailing import begin_trail

    return begin_trail(session, wishes.origins)


def log_opening(desk: Desk, volume: Volume, subject: str, *, weak: bool) -> None:
    """Log that a scan is opened, before its pixels are shown.

    Raises
    ------
    RefusedError
        When it is another's reading in a study, and whoever opens it is to be blind to it.
    LogError
        When the log cannot be written.
    """
    from napari_medlabel.session.study.blind import require_may_open

    require_may_open(desk, *volume.source.files)
    desk.log.append(
        "volume.open",
        subject=(subject,),
        detail={
            "format": LOGGED_AS.get(volume.source.format, "other"),
            "slices": volume.grid.shape[2],
            "files": len(volume.source.files),
            "oblique": volume.grid.affine.oblique_deg > 0.01,
            "warnings": len(volume.warnings),
            "weak": weak,
        },
    )


def case_id(volume: Volume) -> str:
    """Return the content id of a scan: its files' hashes in slice order, and its grid.

    Raises
    ------
    InputError
        When the volume was read without hashes.
    """
    source = volume.source
    if not source.sha256:
        raise InputError(
            "A case needs the hashes of its scan's files and they were not computed.",
            hint="This is a fault in the program; please report it.",
        )
    # One file may hold several scans on one grid: magnitude and phase, for instance.
    planes = None if source.is_slice_by_slice else source.planes
    return name_case(volume.grid, source.sha256, planes)


def _labels(volume: Volume, folder: Path, wishes: Wishes) -> tuple[LabelMap, str | None]:
    """Return the labels to begin with and the content id of the mask on the disk."""
    saved = folder / MASK_FILE
    require_not_source((saved, folder / "landmarks.mrk.json"), volume.source)
    scheme = wishes.scheme or presets.scheme(presets.usual_for(volume.modality)[0])
    if wishes.mask is None and not saved.is_file():
        return LabelMap.empty(volume.grid, scheme), None
    labels = _load(wishes.mask or saved, volume, scheme)
    is_saved_one = wishes.mask is None or wishes.mask.resolve() == saved.resolve()
    return labels, labels.content_id() if is_saved_one else None


def _load(path: Path, volume: Volume, scheme: LabelScheme) -> LabelMap:
    if not path.is_file():
        raise InputError(
            "The mask file does not exist.", hint="Check the path given with --mask."
        )
    try:
        return load_mask(path, volume.grid, scheme=scheme)
    except GeometryError as err:
        raise GeometryError(
            err.message,
            hint=f"{err.hint} To begin an empty mask, move that file away, or choose "
            "another folder with --out.",
        ) from err


def _landmarks(
    folder: Path, given: Path | None, template: LandmarkSet
) -> tuple[LandmarkSet, LandmarkSet]:
    """Return the landmarks to begin with, and those on the disk in the same order."""
    saved = folder / "landmarks.mrk.json"
    path = given or (saved if saved.is_file() else None)
    if path is None:
        return template, template
    marks = load_landmarks(path).merged_into(template)
    return (marks, marks) if given is None else (marks, template)
