"""Gates of an export that look at a case: where it comes from, and whether it is clean."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from napari_medlabel.deid.rules.options import checked
from napari_medlabel.deid.scan.finding import Allowance
from napari_medlabel.deid.scan.output import Searched, SourceIdentity
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.sidecar import leaving_sidecar, sidecar_path
from napari_medlabel.project.cases.version import Version, sheet_kind
from napari_medlabel.project.cases.version_words import strange_words
from napari_medlabel.project.layout import Layout
from napari_medlabel.session.study.exporting.logbook import Told
from napari_medlabel.session.study.exporting.plan import GateFinding

_PREFIX: Final = "sha256:"


def judge_origin(layout: Layout, record: CaseRecord, told: Told) -> Iterator[GateFinding]:
    """Yield what speaks against a scan having come through this study's de-identification.

    Parameters
    ----------
    layout : Layout
        The study.
    record : CaseRecord
        The case.
    told : Told
        What the study's log tells.
    """

    def because(words: str) -> GateFinding:
        return GateFinding("deidentified", words, record.case)

    if told.files.get(record.content) != record.file:
        yield because("The log does not tell that this scan was added to the study.")
    elif told.sidecars.get(record.content, "") != record.sidecar:
        yield because("The log tells of another sidecar of this scan than its record.")
    if not record.manifest:
        yield because("Its record names no report of a de-identification.")
    elif _report(layout, record) is None:
        yield because("The report of its de-identification is missing, or was changed.")


def judge_files(layout: Layout, record: CaseRecord, *, dicom: bool) -> Iterator[GateFinding]:
    """Yield what is not clean in the files of a case.

    Parameters
    ----------
    layout : Layout
        The study.
    record : CaseRecord
        The case.
    dicom : bool
        Whether its DICOM images are looked at, too.
    """

    def because(words: str) -> GateFinding:
        return GateFinding("clean", words, record.case)

    scan = layout.scan(record.case)
    digests = {scan: record.file}
    if dicom:
        images = layout.dicom_files(record.case, len(record.dicom))
        digests |= dict(zip(images, record.dicom, strict=True))
    for path, wanted in digests.items():
        found = digest_of(path)
        if found != wanted:
            what = "Its scan" if path == scan else "A DICOM image of it"
            yield because(f"{what} is missing, or is not the one that was added.")
    try:
        leaving_sidecar(layout, record)
    except RefusedError as err:
        yield because(err.message)
    sidecar = sidecar_path(layout, record.case)
    searched = Searched(SourceIdentity(), allowance_of(layout, record))
    told: dict[str, None] = {}
    for path in (*digests, sidecar):
        if path.is_file():
            told |= {f"{one.sign} ({one.where})": None for one in searched.file(path)}
    if told:
        yield because(f"Identity may be in its files: {', '.join(told)}.")


def judge_version(
    layout: Layout, record: CaseRecord, version: Version, known: Collection[str]
) -> Iterator[GateFinding]:
    """Yield what is not clean in the files of a version: words that somebody put there.

    Parameters
    ----------
    layout : Layout
        The study.
    record : CaseRecord
        The case.
    version : Version
        Whose masks and sidecar may leave.
    known : collection of str
        All words of the ontology.
    """
    strange = strange_words(layout, version, known)
    if strange:
        words = f"The sidecar of its mask has entries that saving does not write: {strange}."
        yield GateFinding("clean", words, record.case)
    searched = Searched(SourceIdentity(), allowance_of(layout, record))
    kinds = [sheet_kind(layer) for layer in (0, *sorted(version.sheets))]
    paths = [path for kind in kinds if (path := version.path(layout, kind)) is not None]
    told = dict.fromkeys(
        f"{one.sign} ({one.where})"
        for path in paths
        if path.is_file()
        for one in searched.file(path)
    )
    if told:
        words = f"Identity may be in its mask: {', '.join(told)}."
        yield GateFinding("clean", words, record.case)


def allowance_of(layout: Layout, record: CaseRecord) -> Allowance:
    """Return what may stay in a case's files by the options it was cleaned with."""
    report = _report(layout, record) or {}
    try:
        return Allowance(checked(str(one) for one in report.get("chosen", ())))
    except InputError:  # options of another edition: then nothing may stay
        return Allowance()


def digest_of(path: Path) -> str:
    """Return ``sha256:<hex>`` of a file, empty where it cannot be read."""
    try:
        return f"{_PREFIX}{sha256_file(path)}"
    except OSError:
        return ""


def _report(layout: Layout, record: CaseRecord) -> dict[str, Any] | None:
    """Return the report of a case's de-identification, when it is the one of its record."""
    path = layout.cleanings / f"{record.manifest.removeprefix(_PREFIX)}.json"
    if digest_of(path) != record.manifest:
        return None
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "profile" in found else None
