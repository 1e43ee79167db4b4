"""A folder of scans -> a new folder without identity; one bad file never stops the others."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from napari_medlabel.deid.dicom_file import (
    DICOMDIR_CLASS,
    clean_file,
    is_dicomdir,
    quiet,
    read,
    write_clean,
)
from napari_medlabel.deid.events import EventSink, Record
from napari_medlabel.deid.nifti import clean_nifti
from napari_medlabel.deid.profile import Profile
from napari_medlabel.deid.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report import (
    BatchReport,
    DeidReport,
    Quarantined,
    Reason,
    Skip,
    summed,
)
from napari_medlabel.deid.sources import Kind, SourceFile, source_files
from napari_medlabel.deid.target import (
    check_target,
    place,
    publish,
    remove_leftovers,
    staged,
    withdraw,
    write,
)
from napari_medlabel.errors import InputError, LogError, MedlabelError, SaveError

REPORT_NAME = "deid-report.json"
_CHUNK = 8
_META = 4096  # file meta information is shorter
_FEW = 64  # files for which each waits for the disk by itself


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    position : int
        As in `SourceFile`.
    token : str
        Keyed code of its relative path.
    result : Kind, Reason or Skip
        Which engine cleaned it, or why it was not passed on.
    name : tuple of str
        Folders and name under the target; empty when nothing was made.
    sha256 : str
        Of the cleaned bytes; empty when nothing was made, or what was made is on the disk.
    report : DeidReport
        What was done.
    """

    position: int
    token: str
    result: Kind | Reason | Skip
    name: tuple[str, ...] = ()
    sha256: str = ""
    report: DeidReport = field(default_factory=DeidReport)


@dataclass(frozen=True)
class _Job:
    """What a worker needs besides the file; `sync` is whether it waits for the disk."""

    profile: Profile
    pseudonyms: Pseudonyms
    staging: Path | None
    sync: bool = True


def deidentify_folder(
    source: Path,
    target: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    jobs: int = 1,
    log: EventSink | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> BatchReport:
    """Write a copy of a folder that tells of nobody.

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
    jobs : int
        Processes; 1 works in this one.
    log : EventSink, optional
        Takes ``export.begin`` before the first byte, ``deid.run`` for each patient before
        the target gets its name, then ``export.done``, or ``export.fail``.
    progress : callable
        ``(done, total)`` after each file.

    Returns
    -------
    BatchReport
        Also written into the target as ``deid-report.json``.

    Raises
    ------
    InputError
        For a source without scans or a target that is not empty or not outside.
    SaveError
        When the target cannot be written. Nothing is left behind.
    LogError
        When the log cannot be written. Nothing is left behind.
    """
    check_target(source, target)
    files = source_files(source)
    record = Record(log, profile)
    remove_leftovers(target)
    record.begin(len(files))
    try:
        with staged(target) as staging:
            at_once = len(files) > _FEW and hasattr(os, "sync")
            job = _Job(profile, pseudonyms, staging, sync=not at_once)
            outcomes = _collected(job, _outcomes(job, files, jobs), len(files), progress)
            report = _report(job, outcomes)
            write(staging / REPORT_NAME, _as_json(report))
            record.runs([o.report for o in outcomes if isinstance(o.result, Kind)], report)
            if at_once:
                os.sync()
            publish(staging, target, last=REPORT_NAME)
            try:
                record.done(report)
            except LogError:
                withdraw(staging, target)
                raise
    except MedlabelError as err:
        record.fail(err)
        raise
    return report


def preview_folder(
    source: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> BatchReport:
    """Return the report that `deidentify_folder` would give; nothing is written or logged.

    Parameters
    ----------
    source, profile, pseudonyms, jobs, progress
        As for `deidentify_folder`.

    Returns
    -------
    BatchReport
        With ``dry_run`` true.
    """
    files = source_files(source)
    job = _Job(profile, pseudonyms, None)
    outcomes = _collected(job, _outcomes(job, files, jobs), len(files), progress)
    return _report(job, outcomes)


def _outcomes(job: _Job, files: Sequence[SourceFile], jobs: int) -> Iterator[Outcome]:
    """Each file's outcome in order, from this process or from several."""
    work = partial(_cleaned_one, job)
    if jobs <= 1:
        yield from map(work, files)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool:
        try:
            yield from pool.map(work, files, chunksize=_CHUNK)
        except BrokenProcessPool as err:
            raise SaveError(
                "A worker process ended before its work was done.",
                hint="Most often memory ran out: try again with fewer --jobs.",
            ) from err


def _cleaned_one(job: _Job, file: SourceFile) -> Outcome:
    """Clean one file into the staging folder, under its position as a name."""
    token = "F-" + job.pseudonyms.code("file", file.relative, length=16)
    if not isinstance(file.kind, Kind):
        return Outcome(file.position, token, file.kind)
    try:
        if file.kind is Kind.DICOM:
            return _cleaned_dicom(job, file, token)
        voxels = file.voxels.read_bytes() if file.voxels else None
        image = clean_nifti(file.path.read_bytes(), voxels)
    except (OSError, InputError):
        return Outcome(file.position, token, Reason.UNREADABLE)
    except QuarantineError as refused:
        return Outcome(file.position, token, refused.reason)
    if job.staging is not None:
        write(_part(job.staging, file.position), image.content)
    name, digest = _nifti_name(job, file, image.suffix), _digest(image.content)
    return Outcome(file.position, token, Kind.NIFTI, name, digest, image.report)


def _cleaned_dicom(job: _Job, file: SourceFile, token: str) -> Outcome:
    """Clean a DICOM file; without a staging folder, in memory."""
    with file.path.open("rb") as stream:
        head = stream.read(_META)
    if DICOMDIR_CLASS.encode() in head:
        with quiet():
            if is_dicomdir(read(file.path.read_bytes())):
                return Outcome(file.position, token, Skip.DICOMDIR)
    if job.staging is None:
        made = clean_file(file.path.read_bytes(), job.profile, job.pseudonyms)
        digest = _digest(made.content)
        return Outcome(file.position, token, Kind.DICOM, made.name, digest, made.report)
    part = _part(job.staging, file.position)
    written = write_clean(file.path, part, job.profile, job.pseudonyms, sync=job.sync)
    return Outcome(file.position, token, Kind.DICOM, written.name, report=written.report)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _nifti_name(job: _Job, file: SourceFile, suffix: str) -> tuple[str, ...]:
    """Codes for the folder and the file: files of one folder stay together."""
    parent = file.relative.rpartition("/")[0]
    folder = "G-" + job.pseudonyms.code("folder", parent)
    name = "N-" + job.pseudonyms.code("nifti", file.relative, length=16)
    return "nifti", folder, name + suffix


def _part(staging: Path, position: int) -> Path:
    return staging / f"{position}.part"


def _collected(
    job: _Job, outcomes: Iterable[Outcome], total: int, progress: Callable[[int, int], None]
) -> list[Outcome]:
    """Outcomes in order; each part gets its name, and an instance met twice is found."""
    seen: dict[tuple[str, ...], Outcome] = {}
    result = []
    for done, outcome in enumerate(outcomes, start=1):
        result.append(_placed(job.staging, outcome, seen) if outcome.name else outcome)
        progress(done, total)
    return result


def _placed(
    staging: Path | None, outcome: Outcome, seen: dict[tuple[str, ...], Outcome]
) -> Outcome:
    """Put one part in its place, unless a file of that name came before it."""
    first = seen.setdefault(outcome.name, outcome)
    part = None if staging is None else _part(staging, outcome.position)
    if first is outcome:
        if staging is not None and part is not None:
            place(part, staging, outcome.name)
        return outcome
    same = first.sha256 == outcome.sha256
    if part is not None and staging is not None:
        same = filecmp.cmp(part, staging.joinpath(*outcome.name), shallow=False)
        part.unlink()
    result = Skip.SAME_INSTANCE if same else Reason.DUPLICATE
    return replace(outcome, result=result, name=(), report=DeidReport())


def _report(job: _Job, outcomes: Sequence[Outcome]) -> BatchReport:
    """Everything counted."""
    cleaned = [o for o in outcomes if isinstance(o.result, Kind)]
    kinds = Counter(o.result for o in cleaned)
    return BatchReport(
        profile=job.profile.name,
        edition=job.profile.edition,
        profile_sha256=job.profile.sha256,
        key_id=job.pseudonyms.key_id,
        dry_run=job.staging is None,
        files=len(outcomes),
        dicom=kinds[Kind.DICOM],
        nifti=kinds[Kind.NIFTI],
        patients=len({o.report.patient_code for o in cleaned if o.report.patient_code}),
        actions=summed(o.report.actions for o in cleaned),
        kept=sum(o.report.kept for o in cleaned),
        notes=summed({note.value: 1} for o in cleaned for note in o.report.notes),
        skipped=summed({o.result.value: 1} for o in outcomes if isinstance(o.result, Skip)),
        quarantined=tuple(
            Quarantined(o.position, o.token, o.result)
            for o in outcomes
            if isinstance(o.result, Reason)
        ),
    )


def _as_json(report: BatchReport) -> bytes:
    return (json.dumps(report.to_json(), indent=1) + "\n").encode("ascii")
