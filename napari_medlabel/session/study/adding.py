"""Adding scans to a study: through de-identification, always, one adding at a time."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as but
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.deid.batch.folder import Settings as Batch
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.report.counts import BatchReport, Note
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import RefusedError
from napari_medlabel.io.files import make_folder
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import read_settings
from napari_medlabel.session.deid_run import CodeSource, DeidJob, deidentify_logged
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.intake import Added, Intake, Naming
from napari_medlabel.session.study.originals import (
    find_originals,
    require_outside,
)
from napari_medlabel.session.study.setting_up import require_proven, require_role, user_of
from napari_medlabel.session.study.unfinished import tidy_up

__all__ = ["Added", "Cleaning", "Naming", "add_scans"]
_AS_IT_COMES: Final = Naming()
Progress = Callable[[int, int], None]


def _silent(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Cleaning:
    """How scans are de-identified on their way in.

    Parameters
    ----------
    profile : Profile
        The rules.
    key : bytes
        The project key.
    codes : CodeSource
        The link table of that key, open for writing.
    batch : Batch
        How it is run.
    """

    profile: Profile
    key: bytes = field(repr=False)
    codes: CodeSource = field(repr=False)
    batch: Batch = field(default_factory=Batch)


def add_scans(
    layout: Layout,
    source: Path,
    desk: Desk,
    cleaning: Cleaning,
    naming: Naming = _AS_IT_COMES,
    *,
    progress: Progress = _silent,
) -> Added:
    """De-identify a source and add each of its volumes as a case.

    Parameters
    ----------
    layout : Layout
        The study.
    source : Path
        A folder of DICOM files or one file, DICOM or NIfTI, outside the study.
    desk : Desk
        With the study's log; who sits there must be a manager of the study.
    cleaning : Cleaning
        By which rules, with which key.
    naming : Naming
        What somebody wants.
    progress : callable
        Called with (done, total) of the de-identification.

    Raises
    ------
    RefusedError
        When a file of the source could not be cleaned, or waits for eyes, or identity was
        found afterwards, or the study has the scan already: nothing of it is added then.
    InputError
        When there is no volume in the source.
    SaveError, LogError
        When something cannot be written; nothing half stays.
    """
    settings = read_settings(layout.project)
    require_role(settings, desk, "manager")
    require_proven(layout, {user_of(desk), *own_tokens(desk.state)}, "manager")
    require_outside(layout, source)
    pseudonyms = Pseudonyms(cleaning.key, patient_code_source=cleaning.codes.code_for)
    originals = find_originals(source, pseudonyms)
    with one_at_a_time(layout.own / ".adding.lock"):
        tidy_up(layout, desk)
        with _aside(layout) as work:
            job = DeidJob(
                source, work / "clean", cleaning.profile, cleaning.key, cleaning.batch
            )
            report = deidentify_logged(job, cleaning.codes, desk, progress=progress)
            _require_all_clean(report)
            intake = Intake(
                layout, settings, desk, cleaning.profile, pseudonyms, naming, originals, work
            )
            added = intake.add_all()
    return but(added, faces=report.notes.get(Note.FACE, 0))


@contextmanager
def _aside(layout: Layout) -> Iterator[Path]:
    make_folder(layout.adding)
    work = Path(mkdtemp(dir=layout.adding))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _require_all_clean(report: BatchReport) -> None:
    """Refuse a source of which a part was not passed on: a scan with holes is none."""
    if report.quarantined:
        reasons = Counter(one.reason.value for one in report.quarantined)
        told = ", ".join(f"{reason} ({n})" for reason, n in sorted(reasons.items()))
        raise RefusedError(
            f"{len(report.quarantined)} of {report.files} files could not be de-identified, "
            f"and nothing of this source was added: {told}.",
            hint="See medlabel deid SRC DST for what to do; or leave these files out.",
        )
    if report.review:
        raise RefusedError(
            f"{len(report.review)} cleaned files must be looked at by a person first, and "
            "nothing of this source was added.",
            hint="Clean them with medlabel deid, look at them with medlabel deid review, and "
            "add what was accepted.",
        )
