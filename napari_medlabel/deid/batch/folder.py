"""A folder of scans -> a new folder without identity; one bad file never stops the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_medlabel.deid.batch.delivery import (
    REPORT_NAME,
    Delivery,
    check_places,
    delivered,
    review_beside,
)
from napari_medlabel.deid.batch.disk_sync import sync_disks_of
from napari_medlabel.deid.batch.events import EventSink, Record
from napari_medlabel.deid.batch.journal import Journal
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.naming import Namer, Shelf, Trial
from napari_medlabel.deid.batch.one_file import Job, Outcome
from napari_medlabel.deid.batch.resume import earlier_run, mark_of, take_over
from napari_medlabel.deid.batch.sources import Listed, Sources, source_files
from napari_medlabel.deid.batch.staging import remove_leftovers
from napari_medlabel.deid.batch.tally import Tally
from napari_medlabel.deid.batch.workers import outcomes_of
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import LogError
from napari_medlabel.io.manifest import manifest_of

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks
    from napari_medlabel.deid.faces.store import FaceStore

__all__ = [
    "REPORT_NAME",
    "Listeners",
    "Settings",
    "check_job",
    "deidentify_folder",
    "preview_folder",
]
_LOOKED_AT = frozenset({Option.CLEAN_PIXELS, Option.CLEAN_FACES})
_FEW = 64  # files for which each waits for the disk by itself


def _silent(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Settings:
    """How a batch is run.

    Parameters
    ----------
    jobs : int
        Processes on this computer; 1 works in this one.
    scheduler : str
        Address of a Dask cluster that does the work instead.
    resume : bool
        Whether to go on with an unfinished run to the same target, and to leave what is
        done when this one is broken off.
    scan : bool
        Whether the independent scan searches each file before it gets its name. Only a
        benchmark goes without.
    review : Path, optional
        Where cleaned images go that a person must look at; beside the target when None.
    brain_masks : Path, optional
        Folder with masks of brains (NIfTI) for ``clean-faces``.
    mappings : Path, optional
        Folder for two files that say which identifier became which, as MIDI-B reads them.
    pictures : bool
        Whether the report page shows some of the cleaned images; it does in any case where
        pixels were to be cleaned.
    date : str
        Day of the run, which the report tells; nothing where it is empty.
    """

    jobs: int = 1
    scheduler: str = ""
    resume: bool = False
    scan: bool = True
    review: Path | None = None
    brain_masks: Path | None = None
    mappings: Path | None = None
    pictures: bool = False
    date: str = ""

    def review_for(self, target: Path, profile: Profile) -> Path | None:
        """Return the review folder of a run; None when nothing will have to be looked at."""
        if _LOOKED_AT.isdisjoint(profile.options):
            return None
        return self.review or review_beside(target)

    def outcomes(
        self, job: Job, files: Iterable[Listed]
    ) -> AbstractContextManager[Iterator[Outcome]]:
        """Let each file be cleaned as the settings say."""
        return outcomes_of(job, files, jobs=self.jobs, scheduler=self.scheduler)


@dataclass(frozen=True)
class Listeners:
    """Who hears of a batch.

    Parameters
    ----------
    log : EventSink, optional
        Takes ``export.begin`` before the first byte, ``deid.run`` for each patient before
        the target gets its name, then ``export.done``, or ``export.fail``.
    progress : callable
        ``(done, total)`` after each file.
    planning : callable
        ``(done, total)`` while heads are looked at, which comes first with ``clean-faces``.
    say : callable
        Told in words what was found of an earlier run.
    before_leaving : callable
        Called when all is written and nothing has its place yet, and before what is done is
        brought to the disk on the way: such as to bring a link table there.
    left : callable
        Told the manifest of the target, once ``export.done`` is in the log: such as to put a
        receipt beside the report.
    """

    log: EventSink | None = None
    progress: Callable[[int, int], None] = _silent
    planning: Callable[[int, int], None] = _silent
    say: Callable[[str], None] = _silent
    before_leaving: Callable[[], None] = _silent
    left: Callable[[str], None] = _silent


def check_job(
    source: Path, target: Path, profile: Profile, settings: Settings = Settings()
) -> None:
    """Refuse a job that could not begin, before a key is made for it.

    Parameters
    ----------
    source, target, profile, settings
        As for `deidentify_folder`.

    Raises
    ------
    InputError, MissingPackageError
        As `deidentify_folder` would.
    """
    check_places(source, target, settings.review_for(target, profile), settings.mappings)
    _require_extras(profile)
    _masks(profile, settings)
    source_files(source)
    if settings.scheduler:
        from napari_medlabel.deid.batch.cluster import check_scheduler

        check_scheduler(settings.scheduler)


def deidentify_folder(
    source: Path,
    target: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    settings: Settings = Settings(),
    listeners: Listeners = Listeners(),
) -> BatchReport:
    """Write a copy of a folder that tells of nobody.

    Memory does not grow with the number of files: they are listed, cleaned and counted one
    after another.

    Parameters
    ----------
    source : Path
        A folder or a file; never written to.
    target : Path
        A folder that does not exist or is empty, outside the source.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        The keyed source of codes and UIDs.
    settings : Settings
        How it is run.
    listeners : Listeners
        Who hears of it.

    Returns
    -------
    BatchReport
        Also written into the target as ``deid-report.json``.

    Raises
    ------
    InputError
        For a source without scans, a target that is not empty or not outside, or another
        run to the same target at the same time.
    SaveError
        When the target cannot be written. Nothing is left behind, unless to resume.
    LogError
        When the log cannot be written. Nothing is left behind, unless to resume.
    MissingPackageError
        When clean-pixels is chosen without the extra ``[pixels]``.
    """
    review = settings.review_for(target, profile)
    check_places(source, target, review, settings.mappings)
    _require_extras(profile)
    masks = _masks(profile, settings)
    files = source_files(source)
    total = files.count()
    mark = mark_of(files, profile, pseudonyms, settings.brain_masks)
    again = earlier_run(target, mark, listeners.say, resume=settings.resume)
    if review is not None and again is None:
        remove_leftovers(review)
    record = Record(listeners.log, profile, pseudonyms.key_id)
    with (
        record.export(total, resumed=again is not None),
        delivered(
            target, review, settings.mappings, again=again, keep=settings.resume
        ) as delivery,
    ):
        staging = delivery.staging
        at_once = total > _FEW and hasattr(os, "sync")
        job = Job(
            files.root,
            profile,
            pseudonyms,
            staging.parts,
            sync=bool(settings.scheduler) or not at_once,
            scan=settings.scan,
            faces=_faces(files, staging.folder, profile, settings, listeners),
            masks=masks,
        )
        codes_first = listeners.before_leaving
        with closing(Journal(staging.journal, mark, before_sync=codes_first)) as journal:
            tally = Tally(faces=job.faces.series() if job.faces else {})
            shelf = Shelf(staging, journal, delivery.waiting)
            done = take_over(journal, files, job, shelf, tally)
            if again is not None:
                listeners.say(f"An unfinished run goes on: {done} of {total} files are done.")
            rest = (file for file in files if not 0 < file.position <= done)
            with settings.outcomes(job, rest) as outcomes:
                _collect(outcomes, shelf, tally, total, listeners.progress)
            report = tally.report(
                profile, pseudonyms.key_id, scanned=job.scan, date=settings.date
            )
            shows = settings.pictures or review is not None
            delivery.write_lists(report, profile, pictures=shows)
            record.runs(tally.subjects, report)
            delivery.write_mappings(_written(files, journal, shelf), pseudonyms, record)
        listeners.before_leaving()
        if at_once:
            sync_disks_of(filter(None, (staging.folder, review, settings.mappings)))
        manifest = _leave(delivery, report, record)
    if manifest:
        listeners.left(manifest)
    return report


def _leave(delivery: Delivery, report: BatchReport, record: Record) -> str:
    """Put all in its place, with the manifest of it in the log, and return that."""
    manifest = manifest_of(delivery.staging.tree) if record.log is not None else ""
    delivery.publish(report)
    try:
        record.done(report, manifest)
    except LogError:
        delivery.withdraw()
        raise
    return manifest


def preview_folder(
    source: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    settings: Settings = Settings(),
    listeners: Listeners = Listeners(),
) -> BatchReport:
    """Return the report that `deidentify_folder` would give; nothing is written or logged.

    Parameters
    ----------
    source, profile, pseudonyms, settings, listeners
        As for `deidentify_folder`.

    Returns
    -------
    BatchReport
        With ``dry_run`` true.
    """
    _require_extras(profile)
    masks = _masks(profile, settings)
    files = source_files(source)
    tally = Tally()
    with TemporaryDirectory(prefix="medlabel-") as folder:
        faces = _faces(files, Path(folder), profile, settings, listeners)
        job = Job(files.root, profile, pseudonyms, None, faces=faces, masks=masks)
        tally.faces = faces.series() if faces else {}
        with settings.outcomes(job, files) as outcomes:
            _collect(outcomes, Trial(), tally, files.count(), listeners.progress)
    return tally.report(profile, pseudonyms.key_id, dry_run=True)


def _collect(
    outcomes: Iterable[Outcome],
    namer: Namer,
    tally: Tally,
    total: int,
    progress: Callable[[int, int], None],
) -> None:
    for outcome in outcomes:
        tally.add(namer.named(outcome))
        progress(tally.files, max(total, tally.files))


def _require_extras(profile: Profile) -> None:
    """Refuse an option whose optional packages are missing, before anything is written."""
    if Option.CLEAN_PIXELS in profile.options:
        from napari_medlabel.deid.pixels.text_boxes import require_detector

        require_detector()


def _masks(profile: Profile, settings: Settings) -> BrainMasks | None:
    """Return the user's masks of brains; None where no face is to be removed."""
    if Option.CLEAN_FACES not in profile.options:
        return None
    from napari_medlabel.deid.faces.brain_masks import read_masks

    return read_masks(settings.brain_masks)


def _faces(
    files: Sources, folder: Path, profile: Profile, settings: Settings, listeners: Listeners
) -> FaceStore | None:
    """Find the faces of all series at once; None where no face is to be removed."""
    if Option.CLEAN_FACES not in profile.options:
        return None
    from napari_medlabel.deid.faces.plan import plan_faces

    paths = (files.root / file.relative for file in files if file.position)
    return plan_faces(
        paths, folder, brain_masks=settings.brain_masks, progress=listeners.planning
    )


def _written(files: Sources, journal: Journal, shelf: Shelf) -> Iterator[tuple[Path, Path]]:
    """Each DICOM file that was cleaned, and where what was made of it lies."""
    regular = (file for file in files if file.position)
    for file, outcome in zip(regular, journal.finished(), strict=False):
        if outcome.result is Kind.DICOM:
            yield files.root / file.relative, shelf.path_of(outcome)
