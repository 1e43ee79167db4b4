"""A de-identification with every event in the log: no log, no export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from napari_medlabel.deid.batch.folder import (
    Listeners,
    Settings,
    deidentify_folder,
    preview_folder,
)
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.receipts import add_receipt

Progress = Callable[[int, int], None]
_DAY = len("2026-11-22")


def _silent(*_: object) -> None:
    return None


class CodeSource(Protocol):
    """Gives patients their codes: the link table, or one that forgets them."""

    def code_for(self, issuer: str, patient_id: str) -> str:
        """Return the code of a patient, a new one the first time."""
        ...

    def sync(self) -> None:
        """Return when every code that was given is on the disk."""
        ...


@dataclass(frozen=True)
class DeidJob:
    """What is to be de-identified, how, and with which key.

    Parameters
    ----------
    source, target : Path
        As for `deidentify_folder`.
    profile : Profile
        The rules, with options and those of the site.
    key : bytes
        The project key.
    settings : Settings
        How it is run.
    """

    source: Path
    target: Path
    profile: Profile
    key: bytes = field(repr=False)
    settings: Settings = field(default_factory=Settings)


def deidentify_logged(
    job: DeidJob,
    codes: CodeSource,
    desk: Desk,
    *,
    progress: Progress = _silent,
    planning: Progress = _silent,
    say: Callable[[str], None] = _silent,
) -> BatchReport:
    """De-identify a folder.

    Parameters
    ----------
    job : DeidJob
        What, and how.
    codes : CodeSource
        The link table, open for writing.
    desk : Desk
        Its log takes the events, its tokens name the patients in them, its clock dates the
        report.
    progress : callable
        Called with (done, total); what it raises ends the work and leaves nothing.
    planning : callable
        Called in the same way while heads are looked at.
    say : callable
        Told in words what was found of an earlier run.

    Returns
    -------
    BatchReport
        Also written into the target, where the receipt of the audit log follows.

    Raises
    ------
    InputError, SaveError, LogError
        As `deidentify_folder`.
    """
    pseudonyms = Pseudonyms(
        job.key,
        patient_code_source=codes.code_for,
        subject_token_source=desk.tokens.subject_token,
    )
    return deidentify_folder(
        job.source,
        job.target,
        job.profile,
        pseudonyms,
        replace(job.settings, date=desk.time()[:_DAY]),
        Listeners(
            desk.log,
            progress,
            planning,
            say,
            codes.sync,
            left=lambda manifest: add_receipt(desk.log, job.target / RECEIPT_NAME, manifest),
        ),
    )


def preview(job: DeidJob, codes: CodeSource, *, progress: Progress = _silent) -> BatchReport:
    """Return the report that `deidentify_logged` would give; nothing is written or logged.

    Parameters
    ----------
    job, codes, progress
        As for `deidentify_logged`; the codes should be of a source that forgets them.
    """
    pseudonyms = Pseudonyms(job.key, patient_code_source=codes.code_for)
    listeners = Listeners(progress=progress)
    return preview_folder(job.source, job.profile, pseudonyms, job.settings, listeners)
