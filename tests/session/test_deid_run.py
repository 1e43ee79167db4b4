from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.deid.scan.tree import scan_path
from napari_medlabel.samples import path
from napari_medlabel.session.deid_run import DeidJob, deidentify_logged
from napari_medlabel.session.desk import open_desk


class Codes:
    """A link table that forgets."""

    def code_for(self, issuer: str, patient_id: str) -> str:
        return f"P-{len(issuer + patient_id):08d}"

    def sync(self) -> None:
        pass


def test_the_report_tells_the_day_of_the_desks_clock(tmp_path):
    desk = open_desk(tmp_path / "audit", state=tmp_path / "state")
    late = replace(desk, now=lambda: datetime(2031, 2, 3, 23, 59, tzinfo=UTC))
    source = sorted(path("ct_abdomen").iterdir())[0]
    job = DeidJob(source, tmp_path / "out", basic_profile(), bytes(32))
    report = deidentify_logged(job, Codes(), late)
    desk.log.close()
    assert report.date == "2031-02-03"
    document = json.loads((tmp_path / "out" / "deid-report.json").read_text())
    assert document["date"] == "2031-02-03"
    assert b"2031-02-03 (UTC)" in (tmp_path / "out" / "deid-report.html").read_bytes()


def test_the_target_carries_a_receipt_that_is_true_of_it(tmp_path):
    desk = open_desk(tmp_path / "audit", state=tmp_path / "state")
    source = sorted(path("ct_abdomen").iterdir())[0]
    job = DeidJob(source, tmp_path / "out", basic_profile(), bytes(32))
    deidentify_logged(job, Codes(), desk)
    desk.log.close()
    receipt = read_receipt((tmp_path / "out" / "audit_receipt.json").read_bytes())
    assert check_receipt(receipt, tmp_path / "audit", [tmp_path / "out"]) == []
    assert not scan_path(tmp_path / "out", against=source).findings
