"""What a worker does with one file of a batch: clean it aside, or say why it cannot be."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.deid.batch.codes import Codes, KnownCodes, NeedsCodeError
from napari_medlabel.deid.batch.kinds import Kind, SourceFile, described
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.deid.dicom.file import (
    DICOMDIR_CLASS,
    clean_file,
    is_dicomdir,
    quiet,
    read,
    write_clean,
)
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import BYTE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Look, Reason, Skip
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import InputError, MedlabelError, SaveError

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks
    from napari_medlabel.deid.faces.store import FaceStore

_META = 4096  # file meta information is shorter
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True)
class Stamp:
    """By what a source file is known again: size in bytes, and time of its last change."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    position : int
        As in `Listed`.
    token : str
        Keyed code of its relative path.
    result : Kind, Reason or Skip
        Which engine cleaned it, or why it was not passed on.
    name : tuple of str
        Folders and name under the target; empty when nothing was made.
    report : DeidReport
        What was done.
    part : str
        Name of the cleaned file aside; empty when nothing was written.
    size : int
        Bytes of it.
    sha256 : str
        Of the cleaned bytes; empty where they lie on the disk.
    stamp : Stamp
        The source file's, before it was read.
    fault : str
        Class and place of a fault of ours, where that is the result.
    """

    position: int
    token: str
    result: Kind | Reason | Skip
    name: tuple[str, ...] = ()
    report: DeidReport = field(default_factory=DeidReport)
    part: str = ""
    size: int = 0
    sha256: str = ""
    stamp: Stamp = Stamp(-1, -1)
    fault: str = ""

    @property
    def look(self) -> frozenset[Look]:
        """Why a person must look at it before it leaves; empty when nobody must."""
        return self.report.pixels.look if self.report.pixels else frozenset()

    def refused(self, result: Reason | Skip) -> Outcome:
        """Return the outcome of the same file when nothing of it is passed on."""
        return Outcome(self.position, self.token, result, stamp=self.stamp)


@dataclass(frozen=True)
class Job:
    """What a worker needs besides the files.

    Parameters
    ----------
    root : Path
        The source folder.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        The keyed source of codes and UIDs.
    parts : Path or None
        Where cleaned files go; None cleans in memory and forgets.
    sync : bool
        Whether to wait for the disk after each file.
    scan : bool
        Whether the independent scan searches each written file; without it, the engine
        searches its own work.
    faces : FaceStore, optional
        What is to be blanked in DICOM, for ``clean-faces``.
    masks : BrainMasks, optional
        The user's masks of brains, for scans that are not DICOM.
    """

    root: Path = field(repr=False)
    profile: Profile
    pseudonyms: Pseudonyms
    parts: Path | None
    sync: bool = True
    scan: bool = True
    faces: FaceStore | None = None
    masks: BrainMasks | None = None

    def token(self, relative: str) -> str:
        """Return the keyed code of a file's relative path."""
        return "F-" + self.pseudonyms.code("file", relative, length=16)


@dataclass(frozen=True)
class Failure:
    """Why nothing can be written any more, without a path.

    Parameters
    ----------
    message, hint : str
        As in `SaveError`.
    number : int or None
        The system's number of the error.
    """

    message: str
    hint: str
    number: int | None

    def error(self) -> SaveError:
        """Return it as an error with its cause."""
        error = SaveError(self.message, hint=self.hint)
        if self.number is not None:
            error.__cause__ = OSError(self.number, os.strerror(self.number))
        return error


@dataclass(frozen=True)
class Worked:
    """What a worker gives back for some files.

    Parameters
    ----------
    outcomes : tuple of Outcome
        Of the first files, all unless something below came between.
    needs : tuple of str, optional
        Issuer and Patient ID of the patient whose code the next file needs.
    failure : Failure, optional
        Why the next file could not be written.
    """

    outcomes: tuple[Outcome, ...]
    needs: tuple[str, str] | None = None
    failure: Failure | None = None


def work(job: Job, files: Sequence[Listed], codes: Codes) -> Worked:
    """Clean files one after another.

    Parameters
    ----------
    job : Job
        Rules, key and place.
    files : sequence of Listed
        Regular files.
    codes : mapping
        Codes of patients that are expected, where the main process makes them.

    Returns
    -------
    Worked
        It never raises for what a file holds. A fault of ours, such as a name that is
        misspelt, ends the one file, which is not passed on, and is told by class and place.
    """
    source = job.pseudonyms.patient_code_source
    if isinstance(source, KnownCodes):
        source.learn(codes)
    made: list[Outcome] = []
    for file in files:
        try:
            made.append(cleaned(job, file))
        except NeedsCodeError as needed:
            return Worked(tuple(made), needs=needed.patient)
        except SaveError as err:
            number = getattr(err.__cause__, "errno", None)
            return Worked(tuple(made), failure=Failure(err.message, err.hint, number))
        except MedlabelError:
            raise
        except Exception as err:  # noqa: BLE001 - the door of one file: said without values
            made.append(_faulty(job, file, err))
    return Worked(tuple(made))


def cleaned(job: Job, listed: Listed) -> Outcome:
    """Clean one file aside.

    Parameters
    ----------
    job : Job
        Rules, key and place.
    listed : Listed
        Which file.

    Returns
    -------
    Outcome
        With the reason where it cannot be cleaned, or changed meanwhile.

    Raises
    ------
    NeedsCodeError
        When its patient's code must come from the main process.
    SaveError
        When the disk is full or fails.
    """
    path = job.root / listed.relative
    blank = Outcome(listed.position, job.token(listed.relative), Reason.UNREADABLE)
    if listed.result is not None:
        return blank.refused(listed.result)
    stamp = stamp_of(path)
    blank = replace(blank, stamp=stamp)
    file = described(listed.position, path, job.root)
    if not isinstance(file.kind, Kind):
        return blank.refused(file.kind)
    # A name of its own for each try: a worker that was given up may still be writing.
    part = f"{listed.position}.{secrets.token_hex(4)}.part" if job.parts else ""
    done = False
    try:
        outcome = _by_engine(job, file, file.kind, replace(blank, part=part))
        if isinstance(outcome.result, Kind) and stamp_of(path) != stamp:
            outcome = blank.refused(Reason.CHANGED)
        done = isinstance(outcome.result, Kind)
        return outcome
    finally:
        if part and job.parts and not done:
            (job.parts / part).unlink(missing_ok=True)


def _faulty(job: Job, file: Listed, err: Exception) -> Outcome:
    """Return that a fault of ours ended the cleaning; its text may quote a header."""
    place = traceback.extract_tb(err.__traceback__)[-1]
    return Outcome(
        file.position,
        job.token(file.relative),
        Reason.FAULT,
        stamp=stamp_of(job.root / file.relative),
        fault=f"{type(err).__name__}, {place.name}, line {place.lineno}",
    )


def stamp_of(path: Path) -> Stamp:
    """Return by what a file is known again; of one that is gone, what none has."""
    try:
        found = path.stat()
    except OSError:
        return Stamp(-1, -1)
    return Stamp(found.st_size, found.st_mtime_ns)


def _by_engine(job: Job, file: SourceFile, kind: Kind, blank: Outcome) -> Outcome:
    try:
        clean = _dicom if kind is Kind.DICOM else _companion
        outcome = clean(job, file, kind, blank)
        return _scanned(job, file, outcome) if job.scan else outcome
    except QuarantineError as refused:
        return blank.refused(refused.reason)
    except InputError:
        return blank.refused(Reason.UNREADABLE)
    except BYTE_ERRORS as err:
        if isinstance(err, OSError) and err.errno in _DISK:
            raise SaveError(
                f"A file could not be written ({err.strerror}).", hint="Free some space."
            ) from err
        return blank.refused(Reason.UNREADABLE)


def _dicom(job: Job, file: SourceFile, kind: Kind, blank: Outcome) -> Outcome:
    """Clean a DICOM file; without a place for it, in memory."""
    with file.path.open("rb", buffering=0) as stream:
        head = stream.read(_META)
    if DICOMDIR_CLASS.encode() in head:
        with quiet():
            if is_dicomdir(read(file.path.read_bytes())):
                return blank.refused(Skip.DICOMDIR)
    if job.parts is None:
        made = clean_file(file.path.read_bytes(), job.profile, job.pseudonyms, faces=job.faces)
        return _made(blank, kind, made.name, made.report, made.content)
    part = job.parts / blank.part
    written = write_clean(
        file.path,
        part,
        job.profile,
        job.pseudonyms,
        sync=job.sync,
        search=not job.scan,
        faces=job.faces,
    )
    size = part.stat().st_size
    return replace(blank, result=kind, name=written.name, report=written.report, size=size)


def _companion(job: Job, file: SourceFile, kind: Kind, blank: Outcome) -> Outcome:
    """Clean what is not DICOM; without a place for it, in memory."""
    from napari_medlabel.deid.images.companions import (
        clean_companion,
        target_name,
        write_companion,
    )

    name = target_name(file, job.pseudonyms)
    if job.parts is None:
        made = clean_companion(file, job.profile, job.pseudonyms, job.masks)
        return _made(blank, kind, name, made.report, made.content)
    part = job.parts / blank.part
    written = write_companion(
        file, part, job.profile, job.pseudonyms, sync=job.sync, masks=job.masks
    )
    size = part.stat().st_size
    return replace(blank, result=kind, name=name, report=written.report, size=size)


def _scanned(job: Job, file: SourceFile, outcome: Outcome) -> Outcome:
    """Let the independent scan search what was written, and the name it is to get."""
    if job.parts is None or not outcome.name:
        return outcome
    from napari_medlabel.deid.scan.output import allowance_for, check_output

    allowance = allowance_for(job.profile.options, job.profile.site)
    part = job.parts / outcome.part
    found = check_output(file.path, part, outcome.name, allowance=allowance)
    return outcome.refused(Reason.IDENTITY_LEFT) if found else outcome


def _made(
    blank: Outcome, kind: Kind, name: tuple[str, ...], report: DeidReport, content: bytes
) -> Outcome:
    digest = hashlib.sha256(content).hexdigest()
    return replace(
        blank, result=kind, name=name, report=report, size=len(content), sha256=digest
    )
