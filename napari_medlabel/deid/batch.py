"""A folder of scans -> a new folder without identity; one bad file never stops the others."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from napari_medlabel import __version__
from napari_medlabel.deid.events import EventSink, Record
from napari_medlabel.deid.journal import Journal
from napari_medlabel.deid.naming import Namer, Shelf, Trial
from napari_medlabel.deid.one_file import Job, KnownCodes, Outcome, stamp_of
from napari_medlabel.deid.profile import Profile
from napari_medlabel.deid.pseudonyms import Pseudonyms
from napari_medlabel.deid.report import BatchReport
from napari_medlabel.deid.sources import Listed, Sources, source_files
from napari_medlabel.deid.staging import (
    Staging,
    is_busy,
    publish,
    remove_leftovers,
    staged,
    unfinished,
    withdraw,
)
from napari_medlabel.deid.tally import Tally
from napari_medlabel.deid.target import check_target, write
from napari_medlabel.deid.workers import Crew, Processes, alone, together
from napari_medlabel.errors import InputError, LogError

REPORT_NAME = "deid-report.json"
_FEW = 64  # files for which each waits for the disk by itself


def _silent(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Settings:
    """How a batch is run; nothing here changes what becomes of a file.

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
    """

    jobs: int = 1
    scheduler: str = ""
    resume: bool = False
    scan: bool = True


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
    say : callable
        Told in words what was found of an earlier run.
    before_leaving : callable
        Called when all is written and nothing has its place yet, such as to bring a link
        table to the disk.
    """

    log: EventSink | None = None
    progress: Callable[[int, int], None] = _silent
    say: Callable[[str], None] = _silent
    before_leaving: Callable[[], None] = _silent


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
    """
    check_target(source, target)
    if is_busy(target):
        raise InputError(
            "Another run to the same target is at work.",
            hint="Wait for it, or choose another target folder.",
        )
    files = source_files(source)
    total = files.count()
    mark = _mark(files, profile, pseudonyms)
    again = _earlier(target, mark, settings, listeners)
    record = Record(listeners.log, profile)
    with (
        record.export(total, resumed=again is not None),
        staged(target, again=again, keep=settings.resume) as staging,
    ):
        at_once = total > _FEW and hasattr(os, "sync")
        job = Job(
            files.root,
            profile,
            pseudonyms,
            staging.parts,
            sync=bool(settings.scheduler) or not at_once,
            scan=settings.scan,
        )
        with closing(Journal(staging.journal, mark)) as journal:
            tally = Tally()
            shelf = Shelf(staging, journal, None)
            done = _take_over(journal, files, job, shelf, tally)
            if again is not None:
                listeners.say(f"An unfinished run was found: {done} of {total} files are done.")
            rest = (file for file in files if not 0 < file.position <= done)
            with _outcomes(job, rest, settings) as outcomes:
                _collect(outcomes, shelf, tally, total, listeners.progress)
        report = tally.report(profile, pseudonyms.key_id, scanned=job.scan)
        (staging.tree / REPORT_NAME).unlink(missing_ok=True)
        write(staging.tree / REPORT_NAME, _as_json(report))
        record.runs(tally.subjects, report)
        listeners.before_leaving()
        if at_once:
            os.sync()
        publish(staging, target, last=REPORT_NAME)
        try:
            record.done(report)
        except LogError:
            withdraw(staging, target)
            raise
    return report


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
    files = source_files(source)
    job = Job(files.root, profile, pseudonyms, None)
    tally = Tally()
    with _outcomes(job, files, settings) as outcomes:
        _collect(outcomes, Trial(), tally, files.count(), listeners.progress)
    return tally.report(profile, pseudonyms.key_id, dry_run=True)


def _mark(files: Sources, profile: Profile, pseudonyms: Pseudonyms) -> str:
    """Return a hash of everything that the result depends on, besides the files themselves."""
    source = pseudonyms.code("source", str((files.root / files.only).resolve()), length=32)
    parts = [__version__, profile.sha256, pseudonyms.key_id, source]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def _earlier(
    target: Path, mark: str, settings: Settings, listeners: Listeners
) -> Staging | None:
    """Return what an earlier run left, when this one goes on with it; the rest is removed."""
    again = None
    if settings.resume:
        fitting = (s for s in unfinished(target) if Journal(s.journal, mark).fits())
        again = next(fitting, None)
    removed = remove_leftovers(target, but=again)
    if removed:
        why = " It had other rules, another key or source." if settings.resume else ""
        listeners.say(f"An unfinished run to this folder was found and removed.{why}")
    return again


def _take_over(journal: Journal, files: Sources, job: Job, shelf: Shelf, tally: Tally) -> int:
    """Count what an earlier run has done, as far as it still holds; return how many files."""
    done = _still_true(journal, files, job, shelf)
    for name in journal.begin(done):
        shelf.discard(name)
    for position, outcome in enumerate(journal.finished(), start=1):
        tally.add(replace(outcome, position=position))
    return done


def _still_true(journal: Journal, files: Sources, job: Job, shelf: Shelf) -> int:
    """How many of the first files are as the journal says, in the source and written.

    Of a folder in which something changed none counts: its files may belong together.
    """
    count = start = 0
    folder = ""
    regular = (file for file in files if file.position)
    for outcome, file in zip(journal.finished(), regular, strict=False):
        parent = file.relative.rpartition("/")[0]
        if parent != folder:
            folder, start = parent, count
        changed = stamp_of(job.root / file.relative) != outcome.stamp
        if changed or outcome.token != job.token(file.relative):
            return start
        if outcome.name and not shelf.holds(outcome):
            return count
        count += 1
    return count


@contextmanager
def _outcomes(
    job: Job, files: Iterable[Listed], settings: Settings
) -> Iterator[Iterator[Outcome]]:
    """Each file's outcome in order, from this process, several, or a cluster."""
    if settings.jobs <= 1 and not settings.scheduler:
        yield alone(job, files)
        return
    code_for = job.pseudonyms.patient_code_source
    if code_for is not None:
        told = replace(job.pseudonyms, patient_code_source=KnownCodes())
        job = replace(job, pseudonyms=told)
    crew: Crew
    if settings.scheduler:
        from napari_medlabel.deid.cluster import Cluster

        crew = Cluster(job, settings.scheduler)
    else:
        crew = Processes(job, settings.jobs)
    with closing(crew):
        yield together(crew, job, files, code_for)


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


def _as_json(report: BatchReport) -> bytes:
    return (json.dumps(report.to_json(), indent=1) + "\n").encode("ascii")
