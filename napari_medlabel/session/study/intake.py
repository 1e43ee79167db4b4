"""One cleaned source into the study: each volume a case, whole or not at all.

What is cleaned lies aside until it was searched once more; then scan, sidecar and record take
their names together, the record last. The log hears of it by the outbox, also after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.event import Event, ObjectRef
from napari_medlabel.deid.batch.delivery import REPORT_NAME
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.scan.output import Searched, allowance_for
from napari_medlabel.errors import InputError, LogError, MedlabelError, RefusedError
from napari_medlabel.export.volume import save_volume
from napari_medlabel.io.files import Staging, make_folder, sha256_file, write_bytes_aside
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.registry import find_series, nothing_found, read_series
from napari_medlabel.io.series_info import SeriesInfo
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.dataset import as_json
from napari_medlabel.project.cases.naming import (
    choose_subject,
    free_case,
    kind_of,
    require_code,
    require_kind,
)
from napari_medlabel.project.cases.participants import read_participants, to_tsv, with_patient
from napari_medlabel.project.cases.pixels import pixel_digest
from napari_medlabel.project.cases.record import CaseRecord, all_records
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.settings import Settings
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import case_id
from napari_medlabel.session.outbox import Outbox
from napari_medlabel.session.study.originals import (
    Originals,
    digests_in_order,
    digests_of,
    identity_of,
    keep_originals,
    patient_of,
)
from napari_medlabel.session.study.scan_facts import scan_facts
from napari_medlabel.session.study.unfinished import scans_in

_MODALITIES: Final[Mapping[str, str]] = {"ct": "CT", "pet": "PT", "nm": "NM", "us": "US"}
_OWN_CODE: Final = re.compile(r"P-[0-9A-HJKMNP-TV-Z]{8}")
_LINK: Final = "study-subject"
_LINK_SIGNS: Final = 26


@dataclass(frozen=True)
class Naming:
    """What somebody wants a case to be called, and whether its originals are kept.

    Parameters
    ----------
    subject, session : str
        Codes; empty for the next free one, and for no visit.
    kind : str
        Of `cases.naming.KINDS`; empty for what the modality says.
    keep_original : bool
        Whether the files as they came are copied into ``sourcedata``.
    keep_dicom : bool
        Whether the de-identified DICOM images of a scan are kept beside it: without them it
        cannot be exported as DICOM.

    Raises
    ------
    InputError
        When a code or the kind is none.
    """

    subject: str = ""
    session: str = ""
    kind: str = ""
    keep_original: bool = False
    keep_dicom: bool = True

    def __post_init__(self) -> None:
        if self.subject:
            require_code(self.subject, "patient")
        if self.session:
            require_code(self.session, "visit")
        if self.kind:
            require_kind(self.kind)


@dataclass(frozen=True)
class Added:
    """What came of a source.

    Parameters
    ----------
    cases : tuple of CaseId
        What the study has now.
    left_out : tuple of str
        A sentence for each series that was not added.
    faces : int
        Files in which a face may be recognised: it was not asked to remove it.
    unlogged : LogError or None
        Why the log was not told yet; it will be when the next scan is added.
    """

    cases: tuple[CaseId, ...]
    left_out: tuple[str, ...] = ()
    faces: int = 0
    unlogged: LogError | None = None


@dataclass(frozen=True)
class Intake:
    """Adds the volumes of one cleaned source.

    Parameters
    ----------
    layout : Layout
        The study.
    settings : Settings
        Its rules.
    desk : Desk
        With the study's log.
    profile : Profile
        By which rules it was cleaned.
    pseudonyms : Pseudonyms
        With which key.
    naming : Naming
        What somebody wants.
    originals : Originals
        The files as they came.
    work : Path
        A folder of the study for what is not whole yet; what was cleaned lies in ``clean``.
    """

    layout: Layout
    settings: Settings
    desk: Desk
    profile: Profile
    pseudonyms: Pseudonyms
    naming: Naming
    originals: Originals
    work: Path

    def add_all(self) -> Added:
        """Add what can be; where nothing can, say why."""
        clean = self.work / "clean"
        survey = find_series(clean)
        if not survey.series:
            raise nothing_found(survey)
        manifest = f"sha256:{sha256_file(clean / REPORT_NAME)}"
        cases: list[CaseId] = []
        left: list[str] = []
        unlogged: LogError | None = None
        first: MedlabelError | None = None
        for info in survey.series:
            try:
                case, problem = self._add(info, manifest)
            except LogError:
                raise
            except (InputError, RefusedError) as err:
                first = first or err
                left.append(f"{info.line()}. {err.message}")
            else:
                cases.append(case)
                unlogged = unlogged or problem
        if not cases and first is not None:
            kind = RefusedError if isinstance(first, RefusedError) else InputError
            words = f"None of {len(left)} series was added. Of the first one: "
            raise kind((words if len(left) > 1 else "") + first.message, hint=first.hint)
        return Added(tuple(cases), tuple(left), unlogged=unlogged)

    def _keep_report(self, manifest: str) -> None:
        """Keep the report of the de-identification under its digest."""
        kept = self.layout.cleanings / f"{manifest.removeprefix('sha256:')}.json"
        make_folder(kept.parent)
        write_bytes_aside(kept, (self.work / "clean" / REPORT_NAME).read_bytes())

    def _add(self, info: SeriesInfo, manifest: str) -> tuple[CaseId, LogError | None]:
        _require_volume(info)
        cleaned = read_series(info)
        files = self.originals.of(cleaned.source)
        prepared = self.work / f"{info.number}.nii.gz"
        saved = save_volume(prepared, cleaned)
        scan = load(prepared)
        records = all_records(self.layout)
        pixels = pixel_digest(scan.array)
        _require_unknown(pixels, records)
        subject, token, link = self._patient(files, scan, records)
        kind = self.naming.kind or kind_of(info.modality)
        # A scan without a record has its name, too: nothing is written over it.
        there = {case for case, _ in scans_in(self.layout.root, f"sub-{subject}")}
        taken = there | {record.case for record in records}
        case = free_case(taken, subject, self.naming.session, kind)
        modality = info.modality or _MODALITIES.get(kind, "MR" if self.naming.kind else "")
        said, cells = scan_facts(cleaned.source, modality)
        sidecar = self.work / f"{info.number}.json"
        write_bytes_aside(sidecar, as_json(said))
        record = CaseRecord(
            case,
            case_id(scan),
            token,
            f"sha256:{saved.sha256}",
            pixels,
            digests_of(files),
            manifest,
            modality,
            scan.grid.shape,
            _spacing(scan),
            self.desk.time(),
            link,
            self.pseudonyms.key_id if link else "",
            digests_in_order(cleaned.source.files) if self._keeps_dicom(info) else (),
            f"sha256:{sha256_file(sidecar)}",
        )
        self._search(files, case, (prepared, sidecar))
        self._keep_report(manifest)
        problem = self._publish(record, prepared, sidecar, cleaned.source.files)
        rows = with_patient(read_participants(self.layout.participants), subject, cells)
        write_bytes_aside(self.layout.participants, to_tsv(rows))
        if self.naming.keep_original:
            self._keep(case, files)
        return case, problem

    def _patient(
        self, files: tuple[Path, ...], scan: Volume, records: tuple[CaseRecord, ...]
    ) -> tuple[str, str, str]:
        """Return code in the study, token in the log, and link under the project key."""
        patient = patient_of(files)
        link = ""
        if patient is None:
            token = self.desk.tokens.content_token(scan.source.sha256[0])
        else:
            token = self.desk.tokens.subject_token(*patient)
            # What was cleaned before, to be looked at, carries the patient's code already.
            cleaned = _OWN_CODE.fullmatch(patient[1])
            code = patient[1] if cleaned else self.pseudonyms.patient_code(*patient)
            link = self.pseudonyms.code(_LINK, code, length=_LINK_SIGNS)
        key = self.pseudonyms.key_id
        subject = choose_subject(records, link=link, key=key, wanted=self.naming.subject)
        if patient is None:  # a scan that names nobody is that patient's whom somebody named
            known = (record for record in records if record.case.subject == subject)
            token = next((record.subject for record in known), token)
        return subject, token, link

    def _search(self, files: tuple[Path, ...], case: CaseId, made: tuple[Path, ...]) -> None:
        """Search the written bytes, and the name they are to get, for what the source tells."""
        allowance = allowance_for(self.profile.options, self.profile.site)
        searched = Searched(identity_of(files, allowance), allowance)
        findings = [one for path in made for one in searched.file(path)]
        findings += searched.name((*case.folder.parts, f"{case}.nii.gz"))
        if findings:
            told = ", ".join(dict.fromkeys(f"{one.sign} ({one.where})" for one in findings))
            raise RefusedError(
                f"Identity may be in what would be added: {told}.",
                hint="The scan was not added. If a code was given with --subject or "
                "--session, choose another.",
            )

    def _keeps_dicom(self, info: SeriesInfo) -> bool:
        return self.naming.keep_dicom and info.format == "dicom"

    def _publish(
        self, record: CaseRecord, scan: Path, sidecar: Path, cleaned: Sequence[Path]
    ) -> LogError | None:
        """Let a case take its names and tell the log; return why it could not be told."""
        target = self.layout.scan(record.case)
        make_folder(target.parent)
        event = Event(
            "study.case",
            (record.subject,),
            (ObjectRef(record.file, "new", "volume"),),
            {
                "case": record.content,
                "slots": len(self.settings.slots),
                "file": record.file,
                "sidecar": record.sidecar,
            },
        )
        outbox = Outbox(self.layout.outbox, record.content, self.desk.log)
        kept = self.layout.dicom_files(record.case, len(record.dicom))
        if kept:
            make_folder(kept[0].parent)
        with Staging() as staging:
            staging.add(target, partial(_moved, scan))
            for image, file in zip(kept, cleaned[: len(kept)], strict=True):
                staging.add(image, partial(_moved, file))
            staging.add_bytes(target.with_name(f"{record.case}.json"), sidecar.read_bytes())
            staging.add_bytes(self.layout.case_file(record.case), record.to_bytes())
            parcel = outbox.announce([event], new=record.content)
            try:
                staging.publish_new()
            except MedlabelError:
                parcel.remove()
                raise
        problem = outbox.deliver(parcel)
        outbox.close()
        return problem

    def _keep(self, case: CaseId, files: tuple[Path, ...]) -> None:
        """Copy the originals into ``sourcedata``; the log calls it what it is."""
        detail = {
            "destination": "folder",
            "files": len(files),
            "cases": 1,
            "deidentified": False,
        }
        self.desk.log.append("export.begin", detail=detail)
        keep_originals(self.layout, case, files, self.work / "originals")
        self.desk.log.append("export.done", detail=detail)


def _require_volume(info: SeriesInfo) -> None:
    """Refuse a series that is no single, complete volume."""
    why = info.problem
    if info.format not in ("dicom", "nifti"):
        why = "It is neither DICOM nor NIfTI"
    elif info.volumes > 1:
        why = f"It holds {info.volumes} volumes on one grid, and a case is one"
    elif info.missing:
        why = f"{len(info.missing)} of its slices are missing"
    if why:
        raise InputError(
            f"The series was not added: {why.rstrip('.')}.",
            hint=info.hint
            or "Convert one first: medlabel convert SOURCE one.nii.gz --volume N; then add "
            "that file, with --subject.",
        )


def _require_unknown(pixels: str, records: tuple[CaseRecord, ...]) -> None:
    known = next((record.case for record in records if record.pixels == pixels), None)
    if known is not None:
        raise RefusedError(
            f"The study has this scan already, as {known}: the voxels are the same.",
            hint="Each scan is added once; see participants.tsv for its patient.",
        )


def _moved(path: Path, aside: Path) -> None:
    path.replace(aside)


def _spacing(scan: Volume) -> tuple[float, float, float]:
    i, j, k = (float(mm) for mm in scan.grid.affine.spacing_mm)
    return i, j, k
