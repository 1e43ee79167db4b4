"""A fault has the fields of a finding."""

from __future__ import annotations

from dataclasses import asdict

from napari_medlabel.audit.anchors.fault import Fault
from napari_medlabel.audit.check.verdict import Finding


def test_a_fault_reads_as_a_finding() -> None:
    fault = Fault("red", "FORK", "It is another log.", "writers/x.jsonl", 3)
    finding = Finding(**asdict(fault))
    assert finding.record() == fault.record()
