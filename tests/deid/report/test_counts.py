from __future__ import annotations

import copy
import json

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import (
    BatchReport,
    DeidReport,
    Note,
    Quarantined,
    Reason,
    summed,
)


def test_a_report_travels_to_another_process():
    report = DeidReport({"X": 2}, 3, frozenset({Note.FACE}), "P-1", "s1-2")
    assert copy.deepcopy(report) == report


def test_a_refusal_travels_to_another_process():
    again = copy.copy(QuarantineError(Reason.UNREADABLE))
    assert again.reason is Reason.UNREADABLE
    assert "unreadable" in again.message


def test_a_batch_report_is_json():
    report = BatchReport(
        profile="basic", edition="2026c", profile_sha256="0", key_id="1", dry_run=False,
        files=1, dicom=0, nifti=0, patients=0, actions={"X": 1}, kept=0, notes={}, skipped={},
        quarantined=(Quarantined(1, "F-1", Reason.UNREADABLE),),
    )  # fmt: skip
    document = json.loads(json.dumps(report.to_json()))
    assert document["quarantined"] == [{"position": 1, "token": "F-1", "reason": "unreadable"}]
    assert document["actions"] == {"X": 1}


def test_counts_add_up_by_name():
    assert summed([{"b": 1, "a": 1}, {"b": 2}]) == {"a": 1, "b": 3}
