"""Checks of the cases: each record has its scan, bit for bit, and each scan its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import inspect
from napari_medlabel.project.cases.record import CaseRecord, read_record
from napari_medlabel.project.cases.sidecar import leaving_sidecar, sidecar_path
from napari_medlabel.project.checks.finding import Finding, place
from napari_medlabel.project.layout import CaseId, Layout

Grids = Mapping[CaseId, Grid]
_SAME_MM = 1e-6


def read_records(layout: Layout) -> tuple[list[CaseRecord], list[Finding]]:
    """Return the records that can be read, and a finding for each of the others."""
    records, findings = [], []
    for path in sorted(layout.cases.glob("[!.]*.json")):
        try:
            record = read_record(path)
        except InputError as err:
            where = place(layout.relative(path))
            findings.append(Finding("error", "record", where, err.message))
            continue
        if path == layout.case_file(record.case):
            records.append(record)
        else:
            words = "A record lies under the name of another case."
            where = place(layout.relative(path))
            findings.append(Finding("error", "record", where, words))
    return records, findings


def check_scans(
    layout: Layout, records: Sequence[CaseRecord]
) -> tuple[dict[CaseId, Grid], list[Finding]]:
    """Compare scans with their records.

    Parameters
    ----------
    layout : Layout
        The study.
    records : sequence of CaseRecord
        Those that could be read.

    Returns
    -------
    grids : dict of CaseId to Grid
        Where each scan that is whole lies.
    findings : list of Finding
    """
    grids: dict[CaseId, Grid] = {}
    findings = [*_twice(records), *_strangers(layout, records), *_images(layout, records)]
    for record in records:
        where = layout.relative(layout.scan(record.case))
        grid, found = _scan(layout, record, where)
        findings += found
        if grid is not None:
            grids[record.case] = grid
        try:
            leaving_sidecar(layout, record)
        except RefusedError as err:
            beside = layout.relative(sidecar_path(layout, record.case))
            findings.append(Finding("error", "sidecar", beside, err.message))
        report = record.manifest.partition(":")[2]
        if report and not (layout.cleanings / f"{report}.json").is_file():
            words = "The report of its de-identification is not in medlabel/deid."
            findings.append(Finding("warning", "manifest", where, words))
    return grids, findings


def check_reports(layout: Layout) -> Iterator[Finding]:
    """Yield reports of de-identification that are not what their name says."""
    for path in sorted(layout.cleanings.glob("[!.]*.json")):
        if sha256_file(path) != path.stem:
            words = "A report of a de-identification was changed."
            yield Finding("error", "hash", place(layout.relative(path.parent)), words)


def _scan(layout: Layout, record: CaseRecord, where: str) -> tuple[Grid | None, list[Finding]]:
    path = layout.scan(record.case)
    try:
        digest = f"sha256:{sha256_file(path)}"
    except OSError:
        words = "The scan of this case is missing, or cannot be read."
        return None, [Finding("error", "missing", where, words)]
    found = []
    if digest != record.file:
        words = "The scan is not the one that was added: its bytes have changed."
        found.append(Finding("error", "hash", where, words))
    try:
        grid = inspect(path).said.grid
    except InputError as err:
        return None, [*found, Finding("error", "unreadable", where, err.message)]
    spacing = grid.affine.spacing_mm
    same = all(
        abs(one - other) <= _SAME_MM
        for one, other in zip(spacing, record.spacing_mm, strict=True)
    )
    if grid.shape != record.shape or not same:
        words = "Shape or spacing are not those that its record tells."
        found.append(Finding("error", "geometry", where, words))
    return grid, found


def _images(layout: Layout, records: Sequence[CaseRecord]) -> Iterator[Finding]:
    """Yield kept DICOM images that are not what the records tell of."""
    known: set[Path] = set()
    for record in records:
        files = layout.dicom_files(record.case, len(record.dicom))
        known.update(files)
        for path, wanted in zip(files, record.dicom, strict=True):
            where = place(layout.relative(path))
            if not path.is_file():
                yield Finding("error", "missing", where, "A kept DICOM image is missing.")
            elif f"sha256:{sha256_file(path)}" != wanted:
                words = "A kept DICOM image is not the one that was added."
                yield Finding("error", "hash", where, words)
    for path in sorted(layout.dicoms.glob("*/[!.]*")):
        if path not in known:
            words = "No record tells of this DICOM image: it did not come through adding."
            yield Finding("error", "stranger", place(layout.relative(path)), words)


def _twice(records: Sequence[CaseRecord]) -> Iterator[Finding]:
    """Yield scans that the study has under two names."""
    first: dict[str, CaseRecord] = {}
    for record in records:
        known = first.setdefault(record.pixels, record)
        if known is not record:
            words = f"The voxels are those of {known.case}."
            yield Finding("error", "duplicate", f"{record.case}", words)


def _strangers(layout: Layout, records: Sequence[CaseRecord]) -> Iterator[Finding]:
    """Yield scans that no record tells of."""
    known = {layout.scan(record.case) for record in records}
    for path in sorted(layout.root.glob("sub-*/**/[!.]*.nii*")):
        if path not in known:
            words = "No record tells of this scan: it did not come through adding."
            yield Finding("error", "stranger", place(layout.relative(path)), words)
