"""What an adding that was broken off left: finished in the log, or taken away as a whole."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import is_locked
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file, write_bytes_aside
from napari_medlabel.project.cases.participants import (
    read_participants,
    subjects_without_row,
    to_tsv,
    with_patient,
)
from napari_medlabel.project.cases.record import CaseRecord, all_records
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.outbox import Outbox

_PREFIX: Final = 24  # hex digits of the scan's content id with which a parcel's name begins
_ASIDE: Final = re.compile(r"\.[0-9a-f]{8}\.part\..+")


def tidy_up(layout: Layout, desk: Desk) -> None:
    """Deal with what earlier addings left; call while nobody else adds.

    A case whose record has its name is there: the log is told what it was not told yet. Of any
    other nothing stays. A scan without a record is taken away only when a note in the outbox
    names its bytes: somebody else's file is never touched.

    Parameters
    ----------
    layout : Layout
        The study.
    desk : Desk
        Its log is the study's.

    Raises
    ------
    LogError
        When the log cannot be told.
    """
    records = {record.content: record for record in all_records(layout)}
    _settle(layout, desk, records)
    _clear(layout)
    rows = read_participants(layout.participants)
    codes = (record.case.subject for record in records.values())
    missing = subjects_without_row(rows, codes)
    for code in missing:
        rows = with_patient(rows, code, {})
    if missing:
        write_bytes_aside(layout.participants, to_tsv(rows))


def _settle(layout: Layout, desk: Desk, records: Mapping[str, CaseRecord]) -> None:
    """Tell the log of cases that are there; take away what is left of others."""
    parcels = [path for path in sorted(layout.outbox.glob("*.json")) if not is_locked(path)]
    for prefix in dict.fromkeys(path.name[:_PREFIX] for path in parcels):
        content = next((c for c in records if c.partition(":")[2][:_PREFIX] == prefix), None)
        if content is None:
            for path in parcels:
                if path.name.startswith(prefix):
                    _take_away(layout, path)
        outbox = Outbox(layout.outbox, f"sha256:{prefix}", desk.log)
        outbox.settle(content, lambda _content: False)


def _clear(layout: Layout) -> None:
    """Remove what lay aside: nobody else adds now."""
    if layout.adding.is_dir():
        for left in layout.adding.iterdir():
            shutil.rmtree(left, ignore_errors=True)
    for folder in (
        *layout.root.glob("sub-*/**"),
        *layout.dicoms.glob("*"),
        layout.cases,
        layout.cleanings,
    ):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _ASIDE.fullmatch(path.name):
                path.unlink()


def _take_away(layout: Layout, parcel: Path) -> None:
    """Remove the scan that a parcel tells of and that has no record."""
    try:
        events = json.loads(parcel.read_bytes())["events"]
        digests = {event["detail"]["file"] for event in events}
    except (OSError, ValueError, KeyError, TypeError):
        return  # the outbox sets it aside as damaged
    for case, scan in scans_in(layout.root):
        if layout.case_file(case).exists():
            continue
        if f"sha256:{sha256_file(scan)}" in digests:
            shutil.rmtree(layout.dicoms / str(case), ignore_errors=True)
            scan.with_name(f"{case}.json").unlink(missing_ok=True)
            scan.unlink()


def scans_in(folder: Path, patients: str = "sub-*") -> Iterator[tuple[CaseId, Path]]:
    """Yield the scans of patients, whether records tell of them or not."""
    for path in sorted(folder.glob(f"{patients}/**/*.nii.gz")):
        try:
            yield CaseId.parse(path.name.removesuffix(".nii.gz")), path
        except InputError:
            continue  # no scan of a study; validation tells of it
