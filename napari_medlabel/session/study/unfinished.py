"""What an adding that was broken off left: finished in the log, or taken away as a whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from napari_medlabel.audit.disk import is_locked
from napari_medlabel.io.files import sha256_file, write_bytes_aside
from napari_medlabel.project.cases.participants import (
    read_participants,
    subjects_without_row,
    to_tsv,
    with_patient,
)
from napari_medlabel.project.cases.record import all_records
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.outbox import Outbox

_PREFIX = 24  # hex digits of the scan's content id with which a parcel's name begins


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
    parcels = [path for path in sorted(layout.outbox.glob("*.json")) if not is_locked(path)]
    for prefix in dict.fromkeys(path.name[:_PREFIX] for path in parcels):
        content = next((c for c in records if c.partition(":")[2][:_PREFIX] == prefix), None)
        if content is None:
            for path in parcels:
                if path.name.startswith(prefix):
                    _take_away(layout, path)
        outbox = Outbox(layout.outbox, f"sha256:{prefix}", desk.log)
        outbox.settle(content, lambda _content: False)
    if layout.adding.is_dir():
        for left in layout.adding.iterdir():
            shutil.rmtree(left, ignore_errors=True)
    rows = read_participants(layout.participants)
    codes = (record.case.subject for record in records.values())
    missing = subjects_without_row(rows, codes)
    for code in missing:
        rows = with_patient(rows, code, {})
    if missing:
        write_bytes_aside(layout.participants, to_tsv(rows))


def _take_away(layout: Layout, parcel: Path) -> None:
    """Remove the scan that a parcel tells of and that has no record."""
    try:
        events = json.loads(parcel.read_bytes())["events"]
        digests = {event["detail"]["file"] for event in events}
    except (OSError, ValueError, KeyError, TypeError):
        return  # the outbox sets it aside as damaged
    for scan in layout.root.glob("sub-*/**/*.nii.gz"):
        name = scan.name.removesuffix(".nii.gz")
        if layout.case_file(CaseId.parse(name)).exists():
            continue
        if f"sha256:{sha256_file(scan)}" in digests:
            scan.with_name(f"{name}.json").unlink(missing_ok=True)
            scan.unlink()
