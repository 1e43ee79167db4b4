"""The outcome of a batch in a few sentences, and the colour that goes with it."""

from __future__ import annotations

import pytest

from napari_medlabel.deid.report.counts import BatchReport, Look, Quarantined, Queued, Reason
from napari_medlabel.session.deid_words import outcome_of


def report_of(**changed) -> BatchReport:
    values = {
        "profile": "basic", "edition": "2026c", "profile_sha256": "0" * 64,
        "key_id": "1a2b3c4d", "dry_run": False, "files": 10, "dicom": 8, "nifti": 0,
        "patients": 2, "actions": {}, "kept": 9, "notes": {}, "skipped": {},
        "quarantined": (), "written": {"dicom": 8},
    }  # fmt: skip
    return BatchReport(**{**values, **changed})


QUEUED = (Queued(1, "F-1", ("P-1", "a.dcm"), frozenset({Look.ULTRASOUND})),)
BROKEN = tuple(Quarantined(n, f"F-{n}", Reason.UNREADABLE) for n in (1, 2))


@pytest.mark.parametrize(
    ("changed", "colour", "said"),
    [
        ({}, "green", "8 files of 2 patients written without identity."),
        ({"patients": 1, "written": {"dicom": 1}}, "green", "1 file of 1 patient written"),
        ({"review": QUEUED}, "amber", "1 image waiting for your eyes."),
        ({"quarantined": BROKEN}, "red", "2 files not passed on: unreadable."),
        ({"quarantined": BROKEN, "review": QUEUED}, "red", "1 image waiting"),
        ({"skipped": {"DICOMDIR": 3}}, "green", "3 files left out"),
        ({"notes": {"a note": 4}}, "green", "4 files: a note."),
    ],
)
def test_each_outcome_has_its_colour_and_sentence(changed, colour, said):
    found, words = outcome_of(report_of(**changed))
    assert found == colour
    assert said in words
    assert "F-1" not in words
