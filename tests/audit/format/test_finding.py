from __future__ import annotations

from napari_medlabel.audit.format.finding import Finding


def test_a_finding_is_shown_with_all_that_it_says() -> None:
    finding = Finding("red", "FORK", "It is another log.", "writers/x.jsonl", 3)
    assert finding.record() == {
        "code": "FORK",
        "file": "writers/x.jsonl",
        "level": "red",
        "line": 3,
        "text": "It is another log.",
    }
