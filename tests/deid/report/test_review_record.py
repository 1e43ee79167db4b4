from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from napari_medlabel.deid.report import review_record
from napari_medlabel.deid.report.counts import Look
from napari_medlabel.deid.report.review_record import (
    RECORD_NAME,
    Decision,
    earlier_decisions,
    note,
)
from napari_medlabel.deid.report.waiting import Held, Waiting
from napari_medlabel.errors import InputError, SaveError

DIGEST = "0" * 64
PAGE = b"<h1>R</h1>\n<!-- review --><!-- /review -->\n<p>\xc3\xa9</p>"


def waiting(number: int) -> Waiting:
    name = ("P-1", "ST-1", "SE-1", f"I-{number}.dcm")
    return Waiting(f"F-{number:04d}", (Look.ULTRASOUND.value,), (Held(name, DIGEST),))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "deid-report.json").write_text('{"files": 3}')
    (tmp_path / "deid-report.html").write_bytes(PAGE)
    return tmp_path


def noted(target: Path, decision: Decision) -> dict[str, object]:
    note(target, decision, earlier_decisions(target))
    return json.loads((target / RECORD_NAME).read_text())


def test_an_officer_sees_what_was_let_through_and_when(target):
    decision = Decision([waiting(1)], [waiting(2)], 1, "2026-11-22")
    document = noted(target, decision)
    assert document["left"] == 1
    first, second = document["files"]
    assert first == {
        "token": "F-0001", "name": ["P-1", "ST-1", "SE-1", "I-1.dcm"], "decision": "accepted",
        "date": "2026-11-22", "look": ["ultrasound"], "sha256": DIGEST,
        "manifest": decision.manifest,
    }  # fmt: skip
    assert (second["token"], second["decision"]) == ("F-0002", "rejected")
    lines = f"{DIGEST}\n".encode()
    assert decision.manifest == f"sha256:{hashlib.sha256(lines).hexdigest()}"


def test_the_report_tells_it_too(target):
    noted(target, Decision([waiting(1)], [waiting(2)], 1, "2026-11-22"))
    report = json.loads((target / "deid-report.json").read_text())
    assert report == {
        "files": 3,
        "reviewed": {"accepted": 1, "rejected": 1, "left": 1, "date": "2026-11-22"},
    }
    page = (target / "deid-report.html").read_text("utf-8")
    assert "1 were accepted and lie here now, 1 were rejected, 1 still wait" in page
    assert page.endswith("<p>é</p>")
    noted(target, Decision([waiting(3)], [], 0))
    page = (target / "deid-report.html").read_text("utf-8")
    assert page.count("Reviewed since") == 1
    assert "2 were accepted and lie here now, 1 were rejected, 0 still wait. " in page


def test_what_is_noted_twice_stands_once(target):
    for _ in range(2):
        document = noted(target, Decision([waiting(1)], [], 2, "2026-11-22"))
    assert len(document["files"]) == 1


@pytest.mark.parametrize(
    "report", [(b"not JSON", b"<p>no marks</p>"), (b"[1]", b"<!-- review -->"), None]
)
def test_a_report_that_is_not_ours_stays_as_it_is(tmp_path, report):
    names = ("deid-report.json", "deid-report.html")
    for name, content in zip(names, report or (), strict=False):
        (tmp_path / name).write_bytes(content)
    noted(tmp_path, Decision([waiting(1)], [], 0))
    assert report is None or tuple((tmp_path / n).read_bytes() for n in names) == report


def test_rejecting_makes_no_target(tmp_path):
    note(tmp_path / "new", Decision([], [waiting(1)], 0))
    assert not (tmp_path / "new").exists()
    note(tmp_path / "new", Decision([waiting(1)], [], 0))
    assert (tmp_path / "new" / RECORD_NAME).exists()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 2, "files": []}', '{"version": 1, "files": [{}]}',
                '{"version": 1, "files": [{"name": [], "decision": "perhaps"}]}'],
)  # fmt: skip
def test_a_record_that_is_not_ours_is_refused(target, content):
    (target / RECORD_NAME).write_text(content)
    with pytest.raises(InputError, match="is not one that"):
        earlier_decisions(target)


def test_a_record_that_cannot_be_written_is_said(target, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(review_record, "write_bytes_aside", full)
    with pytest.raises(SaveError, match="No space left"):
        note(target, Decision([waiting(1)], [], 0))
